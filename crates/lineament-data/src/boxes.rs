//! The box table: every face of every photo, as `file,x,y,w,h,score`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use lineament::Rect;

use crate::error::{Error, Result};

/// One face's box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxRow {
    /// In pixels of the photo.
    pub rect: Rect,
    /// Score of the detector, from 0 to 1.
    pub score: f32,
}

/// The columns of the table. They may be in any order, and the table may have others.
pub const COLUMNS: [&str; 6] = ["file", "x", "y", "w", "h", "score"];

/// The boxes of each photo by its file name, in the order of the table.
///
/// # Errors
/// [`Error::File`] when the file cannot be read; [`Error::Table`] naming line and column for a missing column, a
/// number that cannot be read, an empty box, or a score outside 0 to 1.
pub fn read(path: &Path) -> Result<BTreeMap<String, Vec<BoxRow>>> {
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    parse(file).map_err(|(line, reason)| Error::Table { path: path.to_owned(), line, reason })
}

/// The rows of a photo in a table of file names; empty where it is not listed.
pub fn of_photo<'a>(table: &'a BTreeMap<String, Vec<BoxRow>>, photo: &Path) -> &'a [BoxRow] {
    let name = photo.file_name().unwrap_or_default().to_string_lossy();
    table.get(&*name).map_or(&[], Vec::as_slice)
}

fn parse(table: impl Read) -> Result<BTreeMap<String, Vec<BoxRow>>, (u64, String)> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(table);
    let headers = reader.headers().map_err(fault)?;
    let mut at = [0; COLUMNS.len()];
    for (at, name) in at.iter_mut().zip(COLUMNS) {
        *at = headers
            .iter()
            .position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            .ok_or_else(|| (1, format!("no column `{name}`; expected {}", COLUMNS.join(","))))?;
    }
    let mut boxes = BTreeMap::<String, Vec<BoxRow>>::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(0, csv::Position::line);
        let (file, row) = row(&record, at).map_err(|reason| (line, reason))?;
        boxes.entry(file).or_default().push(row);
    }
    Ok(boxes)
}

fn row(record: &StringRecord, at: [usize; COLUMNS.len()]) -> Result<(String, BoxRow), String> {
    let field = |column: usize| record.get(at[column]).unwrap_or_default();
    let number = |column: usize, accepts: fn(f32) -> bool, expected: &str| match field(column).parse::<f32>() {
        Ok(v) if v.is_finite() && accepts(v) => Ok(v),
        _ => Err(format!("column `{}` is `{}`, expected {expected}", COLUMNS[column], field(column))),
    };
    if field(0).is_empty() {
        return Err(format!("column `{}` is empty, expected a photo's file name", COLUMNS[0]));
    }
    let (x, y) = (number(1, |_| true, "a number")?, number(2, |_| true, "a number")?);
    let (w, h) = (number(3, |v| v > 0.0, "a width above 0")?, number(4, |v| v > 0.0, "a height above 0")?);
    let score = number(5, |v| (0.0..=1.0).contains(&v), "a score from 0 to 1")?;
    Ok((field(0).to_owned(), BoxRow { rect: Rect::from_xywh(x, y, w, h), score }))
}

fn fault(error: csv::Error) -> (u64, String) {
    (error.position().map_or(1, csv::Position::line), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_grouped_by_file() {
        let boxes =
            parse(&b"file,x,y,w,h,score\nb.jpg,1,2,3,4,0.5\na.jpg,0,0,1,1,1\nb.jpg,-5.5,6,7,8,0.25\n"[..]).unwrap();
        assert_eq!(boxes.keys().collect::<Vec<_>>(), ["a.jpg", "b.jpg"]);
        assert_eq!(boxes["b.jpg"][1], BoxRow { rect: Rect::from_xywh(-5.5, 6.0, 7.0, 8.0), score: 0.25 });
    }

    #[test]
    fn columns_are_found_by_name() {
        let boxes = parse(&b"score, note, h, w, y, x, file\r\n0.5, hm, 4, 3, 2, 1, a.jpg\r\n"[..]).unwrap();
        assert_eq!(boxes["a.jpg"], [BoxRow { rect: Rect::from_xywh(1.0, 2.0, 3.0, 4.0), score: 0.5 }]);
    }

    #[test]
    fn errors_name_line_and_column() {
        let head = "file,x,y,w,h,score\nok.jpg,1,2,3,4,0.5\n";
        for (text, line, word) in [
            ("file,x,y,w,h\na,1,2,3,4\n".to_owned(), 1, "`score`"),
            (String::new(), 1, "`file`"),
            (format!("{head}a,one,2,3,4,0.5\n"), 3, "`x`"),
            (format!("{head}a,1,NaN,3,4,0.5\n"), 3, "`y`"),
            (format!("{head}a,1,2,0,4,0.5\n"), 3, "`w`"),
            (format!("{head}a,1,2,3,-4,0.5\n"), 3, "`h`"),
            (format!("{head}a,1,2,3,4,1.5\n"), 3, "`score`"),
            (format!("{head},1,2,3,4,0.5\n"), 3, "`file`"),
            (format!("{head}a,1,2,3\n"), 3, "fields"),
        ] {
            let (at, reason) = parse(text.as_bytes()).unwrap_err();
            assert!(at == line && reason.contains(word), "{text:?} gave {at}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_table_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes[..]);
            let _ = parse(&[b"file,x,y,w,h,score\n".as_slice(), &bytes].concat()[..]);
        }
    }
}
