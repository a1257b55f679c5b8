//! `.pts` files of 300-W: 68 points, one per line.
//!
//! The files count from 1 with whole numbers at pixel centres (Matlab); ours is [`lineament::stages::ImageFrame`]. The
//! half pixel between them is added and taken away here and nowhere else.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use lineament::Point;
use lineament::topology::POINTS;

use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::text::excerpt;

/// Our coordinates are theirs minus this.
const HALF_PIXEL: f64 = 0.5;

/// Larger coordinates are damage, not points just outside a photo: 15 times the longest side that we accept.
const MAX_COORDINATE: f64 = 1e6;

/// What is wrong with a `.pts` text, and on which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Fault {
    /// Line in the text, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// Reads 68 points, in pixels of the image.
///
/// # Errors
/// [`Error::File`] when the file cannot be read, [`Error::Pts`] as [`parse`].
pub fn read(path: &Path) -> Result<[Point; POINTS]> {
    let bytes = fs::read(path).map_err(|e| Error::file(path, e))?;
    parse(&bytes).map_err(|Fault { line, reason }| Error::Pts { path: path.to_owned(), line, reason })
}

/// Writes 68 points, to a thousandth of a pixel. A reader sees the whole file or the one that was there before.
///
/// # Errors
/// [`Error::File`] when the file cannot be written.
pub fn write(path: &Path, points: &[Point; POINTS]) -> Result<()> {
    PartFile::write_whole(path, format(points).as_bytes()).map_err(|e| Error::file(path, e))
}

/// The text of a `.pts` file.
pub fn format(points: &[Point; POINTS]) -> String {
    let mut text = format!("version: 1\nn_points: {POINTS}\n{{\n");
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
/// A [`Fault`] for a number of points other than 68, a line that is not two finite numbers, or text after the closing
/// brace.
pub fn parse(bytes: &[u8]) -> Result<[Point; POINTS], Fault> {
    let text = String::from_utf8_lossy(bytes);
    let mut points = Vec::with_capacity(POINTS);
    let (mut line, mut open, mut closed) = (0, false, false);
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
            header(key.trim(), value.trim()).map_err(fault)?;
        } else if points.len() == POINTS {
            return Err(fault(format!("more than {POINTS} points")));
        } else {
            points.push(point(row).map_err(fault)?);
        }
    }
    let count = points.len();
    points.try_into().map_err(|_| Fault { line: line.max(1), reason: format!("{count} points, expected {POINTS}") })
}

fn header(key: &str, value: &str) -> Result<(), String> {
    let expected = match key.to_ascii_lowercase().as_str() {
        "version" => return Ok(()),
        "n_points" => POINTS,
        _ => return Err(format!("unknown header `{}`, expected version or n_points", excerpt(key))),
    };
    if value.parse() == Ok(expected) {
        return Ok(());
    }
    Err(format!("n_points is `{}`, only {expected} points (iBUG order) are read", excerpt(value)))
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
            ("67 points", format!("{{\n{}}}\n", rows(67)), 69),
            ("69 points", rows(69), 69),
            ("another count", format!("version: 1\nn_points: 5\n{{\n{body}}}"), 2),
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
        fn write_then_read_returns_the_points(xy in prop::collection::vec(-900.0f32..70_000.0, 2 * POINTS)) {
            let points = std::array::from_fn(|i| Point::new(xy[2 * i], xy[2 * i + 1]));
            let back = parse(format(&points).as_bytes()).unwrap();
            for (a, b) in points.iter().zip(&back) {
                // Half of the last digit written, and what f32 holds at that size.
                prop_assert!(a.distance(*b) < 0.0008 + a.x.abs().max(a.y.abs()) * 2e-7, "{:?} {:?}", a, b);
            }
        }
    }
}
