//! `.pts` files, as of 300-W: points, one per line.
//!
//! The files count from 1 with whole numbers at pixel centres (Matlab); ours is [`lineament::stages::ImageFrame`]. The
//! half pixel between them is added and taken away here and nowhere else.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use lineament::Point;

use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::text::excerpt;

/// Most points of a file. Published topologies have up to 478; a file with more than this is not one of points.
pub const MAX_POINTS: usize = 10_000;

/// Larger coordinates are damage, not points just outside a photo: 15 times the longest side that we accept.
pub(crate) const MAX_COORDINATE: f64 = 1e6;

/// Our coordinates are theirs minus this.
const HALF_PIXEL: f64 = 0.5;

/// Most bytes that are read: several times what [`MAX_POINTS`] take.
const MAX_BYTES: u64 = 4 << 20;

/// What is wrong with a `.pts` text, and on which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Fault {
    /// Line in the text, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// Reads 1 to [`MAX_POINTS`] points, in pixels of the image.
///
/// # Errors
/// [`Error::File`] when the file cannot be read, [`Error::Pts`] as [`parse`].
pub fn read(path: &Path) -> Result<Vec<Point>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::file(path, e))?;
    let points = if bytes.len() as u64 > MAX_BYTES {
        Err(Fault { line: 1, reason: format!("larger than {} MiB, so not a .pts file", MAX_BYTES >> 20) })
    } else {
        parse(&bytes)
    };
    points.map_err(|Fault { line, reason }| Error::Pts { path: path.to_owned(), line, reason })
}

/// Writes points, to a thousandth of a pixel. A reader sees the whole file or the one that was there before.
///
/// # Errors
/// [`Error::File`] when the file cannot be written.
pub fn write(path: &Path, points: &[Point]) -> Result<()> {
    PartFile::write_whole(path, format(points).as_bytes()).map_err(|e| Error::file(path, e))
}

/// The text of a `.pts` file.
pub fn format(points: &[Point]) -> String {
    let mut text = format!("version: 1\nn_points: {}\n{{\n", points.len());
    for p in points {
        let (x, y) = (f64::from(p.x) + HALF_PIXEL, f64::from(p.y) + HALF_PIXEL);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{x:.3} {y:.3}");
    }
    text + "}\n"
}

/// Parses the text of a `.pts` file. Line ends of any system, blank lines, missing header lines and missing braces
/// are accepted, because such files are often written by ad-hoc scripts.
///
/// # Errors
/// A [`Fault`] for no point or more than [`MAX_POINTS`], a number of points other than `n_points` says, a line that is
/// not two finite numbers, or text after the closing brace.
pub fn parse(bytes: &[u8]) -> Result<Vec<Point>, Fault> {
    let text = String::from_utf8_lossy(bytes);
    let mut points = Vec::new();
    let (mut line, mut open, mut closed, mut claimed) = (0, false, false, None);
    for row in text.trim_start_matches('\u{feff}').lines() {
        line += 1;
        let row = row.trim();
        let fault = |reason: String| Fault { line, reason };
        if row.is_empty() {
            continue;
        }
        if closed {
            return Err(fault(format!("`{}` is after the closing brace", excerpt(row))));
        }
        if row == "}" {
            closed = true;
        } else if row == "{" && !open && points.is_empty() {
            open = true;
        } else if let (true, Some((key, value))) = (points.is_empty() && !open, row.split_once(':')) {
            claimed = header(key.trim(), value.trim()).map_err(fault)?.or(claimed);
        } else if points.len() == claimed.unwrap_or(MAX_POINTS) {
            return Err(fault(match claimed {
                Some(claimed) => format!("more points than n_points says: {claimed}"),
                None => format!("more than {MAX_POINTS} points"),
            }));
        } else {
            points.push(point(row).map_err(fault)?);
        }
    }
    let fault = |reason| Fault { line: line.max(1), reason };
    match (points.len(), claimed) {
        (count, Some(claimed)) if count != claimed => Err(fault(format!("{count} points, but n_points is {claimed}"))),
        (0, _) => Err(fault("no points".into())),
        _ => Ok(points),
    }
}

/// The number of points that a line of the header claims.
fn header(key: &str, value: &str) -> Result<Option<usize>, String> {
    match key.to_ascii_lowercase().as_str() {
        "version" => return Ok(None),
        "n_points" => {}
        _ => return Err(format!("unknown header `{}`, expected version or n_points", excerpt(key))),
    }
    let shown = excerpt(value);
    match value.parse::<usize>() {
        Ok(claimed) if (1..=MAX_POINTS).contains(&claimed) => Ok(Some(claimed)),
        _ => Err(format!("n_points is `{shown}`, expected a number from 1 to {MAX_POINTS}")),
    }
}

fn point(row: &str) -> Result<Point, String> {
    let mut numbers = row.split_whitespace().map(|field| {
        field
            .parse::<f64>()
            .ok()
            .filter(|v| v.abs() <= MAX_COORDINATE) // false for NaN
            .ok_or_else(|| format!("`{}` is not a coordinate", excerpt(field)))
    });
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(x), Some(y), None) => Ok(Point::new((x? - HALF_PIXEL) as f32, (y? - HALF_PIXEL) as f32)),
        _ => Err(format!("`{}` is not two numbers", excerpt(row))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(n: usize) -> String {
        (0..n).map(|i| format!("{i}.5 {}\n", 2 * i)).collect()
    }

    #[test]
    fn the_centre_of_the_first_pixel_is_one_one_in_the_file() {
        let text = format!("version: 1\nn_points: 68\n{{\n1 1\n{}}}\n", rows(67));
        assert_eq!(parse(text.as_bytes()).unwrap()[0], Point::new(0.5, 0.5));
    }

    #[test]
    fn common_variations_are_read() {
        let body = rows(68);
        let full = format!("version: 1\nn_points: 68\n{{\n{body}}}\n");
        let expected = parse(full.as_bytes()).unwrap();
        for (what, text) in [
            ("CRLF", full.replace('\n', "\r\n")),
            ("blank lines", full.replace('\n', "\n\n")),
            ("spaces and tabs", full.replace(' ', " \t ")),
            ("no header", format!("{{\n{body}}}")),
            ("no braces", body.clone()),
            ("no end of the last line", full.trim_end().to_owned()),
            ("upper case header without space", full.replace("version: 1", "VERSION:1")),
            ("spaces before the colon", full.replace("n_points:", "n_points  :")),
            ("byte order mark", format!("\u{feff}{full}")),
        ] {
            assert_eq!(parse(text.as_bytes()).as_ref(), Ok(&expected), "{what}");
        }
    }

    #[test]
    fn faults_name_their_line() {
        let body = rows(68);
        for (what, text, line) in [
            ("nothing", String::new(), 1),
            ("no point", "version: 1\n{\n}\n".into(), 3),
            ("67 points", format!("n_points: 68\n{{\n{}}}\n", rows(67)), 70),
            ("69 points", format!("n_points: 68\n{{\n{}}}\n", rows(69)), 71),
            ("not a number", body.replacen("2.5 4", "2.5 4x", 1), 3),
            ("NaN", body.replacen("0.5 0", "NaN 0", 1), 1),
            ("infinity", body.replacen("1.5 2", "1.5 inf", 1), 2),
            ("overflow", body.replacen("1.5 2", "1e300 2", 1), 2),
            ("three numbers", body.replacen("1.5 2", "1.5 2 3", 1), 2),
            ("one number", body.replacen("1.5 2", "1.5", 1), 2),
            ("text after the end", format!("{{\n{body}}}\nmore"), 71),
            ("two open braces", format!("{{\n{{\n{body}}}"), 2),
            ("another format", "<?xml version=\"1.0\"?>".to_owned(), 1),
        ] {
            match parse(text.as_bytes()) {
                Err(fault) => assert_eq!(fault.line, line, "{what}: {fault}"),
                Ok(_) => panic!("{what} was accepted"),
            }
        }
    }

    #[test]
    fn any_number_of_points_is_read_and_must_be_what_the_header_says() {
        for n in [1, 5, 68, 478, MAX_POINTS] {
            let body = rows(n);
            for text in [body.clone(), format!("{{\n{body}}}"), format!("n_points: {n}\r\n{{\n{body}}}")] {
                assert_eq!(parse(text.as_bytes()).map(|points| points.len()), Ok(n), "{text:.40}");
            }
        }
        for (text, message) in [
            (format!("n_points: 5\n{{\n{}}}", rows(4)), "line 7: 4 points, but n_points is 5"),
            (format!("n_points: 5\n{{\n{}}}", rows(6)), "line 8: more points than n_points says: 5"),
            (rows(MAX_POINTS + 1), "line 10001: more than 10000 points"),
            ("n_points: 10001\n".into(), "line 1: n_points is `10001`, expected a number from 1 to 10000"),
            ("n_points: -1\n".into(), "line 1: n_points is `-1`, expected a number from 1 to 10000"),
            ("n_points: 0\n{\n}".into(), "line 1: n_points is `0`, expected a number from 1 to 10000"),
            ("{\n}".into(), "line 2: no points"),
            (String::new(), "line 1: no points"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_a_huge_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pts");
        let points = [Point::new(1.0, 2.0), Point::new(-3.0, 4.5)];
        write(&path, &points).unwrap();
        assert_eq!(read(&path).unwrap(), points);
        std::fs::write(&path, vec![b'\n'; MAX_BYTES as usize + 1]).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert!(message.ends_with("a.pts:1: larger than 4 MiB, so not a .pts file"), "{message}");
    }

    #[test]
    fn an_error_names_the_file() {
        let message = read(Path::new("/nonexistent/a.pts")).unwrap_err().to_string();
        assert!(message.contains("/nonexistent/a.pts"), "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_points_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_rows_of_the_right_alphabet_are_points_or_a_fault(text in "[0-9.eE+\\-{}: \n\r\tNanif]{0,400}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn write_then_read_returns_the_points(xy in prop::collection::vec(-900.0f32..70_000.0, 2..200)) {
            let points: Vec<Point> = xy.chunks_exact(2).map(|xy| Point::new(xy[0], xy[1])).collect();
            let back = parse(format(&points).as_bytes()).unwrap();
            prop_assert_eq!(back.len(), points.len());
            for (a, b) in points.iter().zip(&back) {
                // Half of the last digit written, and what f32 holds at that size.
                prop_assert!(a.distance(*b) < 0.0008 + a.x.abs().max(a.y.abs()) * 2e-7, "{:?} {:?}", a, b);
            }
        }
    }
}
