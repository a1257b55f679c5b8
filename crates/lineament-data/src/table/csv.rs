//! The paper's CSV (section 3): a header, then for each face its coordinates and one cell with all pixels.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};
use lineament::Point;

use super::header::{self, IMAGE};
use super::{ReadOptions, pixels};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::record::{Record, SIDE};
use crate::text::{excerpt, excerpt_of_bytes};

/// Most bytes of a row: a hundred times the usual size. A file without line ends is refused before it fills the memory.
pub const MAX_ROW_BYTES: usize = 4 << 20;

const BUFFER_BYTES: usize = 1 << 16;

/// Reads records.
pub struct CsvReader {
    path: PathBuf,
    reader: csv::Reader<Guard>,
    /// Of the whole file.
    bytes: u64,
    columns: Vec<String>,
    options: ReadOptions,
    /// Reused for all rows.
    cells: ByteRecord,
    row: u64,
    left_out: u64,
}

impl CsvReader {
    /// Reads the header.
    pub fn new(path: &Path, source: Box<dyn Read + Send>, bytes: u64, options: ReadOptions) -> Result<Self> {
        let guard = Guard::new(source);
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).buffer_capacity(BUFFER_BYTES).from_reader(guard);
        let (path, cells) = (path.to_owned(), ByteRecord::new());
        let mut csv = Self { path, reader, bytes, columns: Vec::new(), options, cells, row: 0, left_out: 0 };
        if !csv.advance()? {
            return Err(Error::records(&csv.path, "empty file"));
        }
        let mark = |cell: &[u8]| cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell).trim_ascii().to_vec();
        let names: Result<Vec<String>, _> = csv.cells.iter().map(|cell| String::from_utf8(mark(cell))).collect();
        let names = names.map_err(|_| csv.fault("no table: the first line is not text in UTF-8"))?;
        csv.columns = header::parse(names).map_err(|reason| csv.fault(reason))?;
        Ok(csv)
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    pub fn share_read(&self) -> f64 {
        (self.reader.position().byte() as f64 / self.bytes.max(1) as f64).min(1.0)
    }

    /// The next complete row.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        while self.advance()? {
            self.row += 1;
            match self.record().map_err(|reason| self.fault(format!("row {}{reason}", self.row)))? {
                Some(record) => return Ok(Some(record)),
                None => self.left_out += 1,
            }
        }
        Ok(None)
    }

    /// Reads the next line that is not blank into `cells`; false at the end.
    fn advance(&mut self) -> Result<bool> {
        self.reader.get_mut().left = MAX_ROW_BYTES;
        let found = self.reader.read_byte_record(&mut self.cells);
        let found = found.map_err(|e| match e.into_kind() {
            csv::ErrorKind::Io(e) if e.kind() == io::ErrorKind::FileTooLarge => self.fault(e.to_string()),
            csv::ErrorKind::Io(e) => Error::file(&self.path, e),
            other => self.fault(format!("{other:?}")),
        })?;
        if found && self.reader.get_ref().ended {
            // The parser reads on after the last byte only if the row lacks its line end.
            let column = self.columns.get(self.cells.len().saturating_sub(1)).map_or(IMAGE, String::as_str);
            let place = match self.columns.is_empty() {
                true => String::new(), // in the header
                false => format!("row {}, column `{}`: ", self.row + 1, excerpt(column)),
            };
            return Err(self.fault(format!(
                "{place}the file ends within this line: it was cut off; if it is whole, add the missing line end"
            )));
        }
        Ok(found)
    }

    /// The row in `cells`; `None` when a value is missing and such rows are left out.
    fn record(&self) -> Result<Option<Record>, String> {
        let expected = self.columns.len() + 1;
        if self.cells.len() != expected {
            let found = self.cells.len();
            return Err(format!(": {found} cells, expected {expected}: {} coordinates and {IMAGE}", expected - 1));
        }
        let mut complete = true;
        let mut numbers = Vec::with_capacity(self.columns.len());
        for (cell, name) in self.cells.iter().zip(&self.columns) {
            let fault = |what: &str| format!(", column `{}`: {what}", excerpt(name));
            let cell = cell.trim_ascii();
            if cell.is_empty() && self.options.skip_incomplete {
                complete = false;
            } else if cell.is_empty() {
                return Err(fault(
                    "no value; `skip_incomplete` (lineament data convert --skip-incomplete) \
                 leaves incomplete rows out",
                ));
            } else {
                numbers.push(coordinate(cell).map_err(|what| fault(&what))?);
            }
        }
        let cell = self.cells.iter().next_back().unwrap_or_default();
        let pixels = pixels::parse(cell, SIDE * SIDE).map_err(|what| format!(", column `{IMAGE}`: {what}"))?;
        let points = numbers.as_chunks::<2>().0.iter().map(|&[x, y]| Point::new(x, y)).collect();
        Ok(complete.then_some(Record { points, pixels, origin: None }))
    }

    fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Table { path: self.path.clone(), line: self.line(), reason: reason.into() }
    }

    /// The last line of the row in `cells`, from 1.
    fn line(&self) -> u64 {
        self.reader.get_ref().line(self.reader.position())
    }
}

fn coordinate(cell: &[u8]) -> Result<f32, String> {
    let shown = || excerpt_of_bytes(cell);
    let text = std::str::from_utf8(cell).map_err(|_| format!("`{}` is not text in UTF-8", shown()))?;
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(format!("`{}` is not a finite number", shown())),
        Err(_) => Err(format!("`{}` is not a number", shown())),
    }
}

/// Passes bytes on, notes their end and the kind of line ends, and refuses rows without end.
pub struct Guard {
    source: Box<dyn Read + Send>,
    /// Bytes that the row may still take.
    pub left: usize,
    pub ended: bool,
    /// Whether the first line ends in two bytes; `None` before its end.
    crlf: Option<bool>,
}

impl Guard {
    pub fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, left: 0, ended: false, crlf: None }
    }

    /// The last line of a row that `position` is behind, from 1. The parser is past the line end, but before its second
    /// byte where it has two.
    pub fn line(&self, position: &csv::Position) -> u64 {
        let past = !self.ended && self.crlf == Some(false);
        position.line().saturating_sub(past.into()).max(1)
    }
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let text = format!("a line longer than {} MiB, so not a row of a table", MAX_ROW_BYTES >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let count = buffer.len().min(self.left);
        let count = self.source.read(&mut buffer[..count])?;
        self.left -= count;
        self.ended = count == 0;
        if self.crlf.is_none() {
            let end = buffer[..count].iter().position(|&b| b == b'\n');
            self.crlf = end.map(|at| at > 0 && buffer[at - 1] == b'\r');
        }
        Ok(count)
    }
}

/// Writes records.
pub struct CsvWriter {
    writer: csv::Writer<PartFile>,
    path: PathBuf,
    /// Reused for all cells.
    cell: Vec<u8>,
}

impl CsvWriter {
    /// Writes the header.
    pub fn new(part: PartFile, columns: &[String]) -> Result<Self> {
        let path = part.path().to_owned();
        let mut writer = csv::Writer::from_writer(part);
        let names = columns.iter().map(String::as_str).chain([IMAGE]);
        writer.write_record(names).map_err(|e| Error::file(&path, e.into()))?;
        Ok(Self { writer, path, cell: Vec::new() })
    }

    pub fn write(&mut self, record: &Record) -> Result<()> {
        self.write_cells(record).map_err(|e| Error::file(&self.path, e))
    }

    fn write_cells(&mut self, record: &Record) -> io::Result<()> {
        for number in record.points.iter().flat_map(|p| [p.x, p.y]) {
            self.cell.clear();
            write!(self.cell, "{number}")?; // the shortest text that is read as the same f32
            self.writer.write_field(&self.cell)?;
        }
        self.cell.clear();
        pixels::format_into(&record.pixels, &mut self.cell);
        self.writer.write_field(&self.cell)?;
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub fn finish(self) -> Result<()> {
        let part = self.writer.into_inner().map_err(csv::IntoInnerError::into_error);
        part.and_then(PartFile::finish).map_err(|e| Error::file(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Reader, point_names};

    /// A picture's cell with these values first and zeros after them.
    fn image(first: &str) -> String {
        let given = first.split_whitespace().count();
        format!("{first}{}", " 0".repeat(SIDE * SIDE - given))
    }

    fn read(text: impl AsRef<[u8]>, skip_incomplete: bool) -> Result<(Vec<Record>, u64)> {
        let bytes = text.as_ref().to_vec();
        let mut reader = Reader::from_bytes("t.csv".as_ref(), bytes, ReadOptions { skip_incomplete })?;
        let records = reader.by_ref().collect::<Result<_>>()?;
        Ok((records, reader.left_out()))
    }

    #[test]
    fn variations_with_the_same_meaning_are_read() {
        let image = image("1 22 255");
        let plain = format!("x0,y0,Image\n1.5,-2,{image}\n3,4e1,{image}\n");
        let (expected, _) = read(&plain, false).unwrap();
        assert_eq!(expected[0].points, [Point::new(1.5, -2.0)]);
        assert_eq!(expected[1].points, [Point::new(3.0, 40.0)]);
        assert_eq!(expected[0].pixels[..4], [1, 22, 255, 0]);
        for (what, text) in [
            ("CRLF", plain.replace('\n', "\r\n")),
            ("byte order mark", format!("\u{feff}{plain}")),
            ("quoted picture", plain.replace(&image, &format!("\"{image}\""))),
            ("quoted numbers", plain.replace("1.5", "\"1.5\"").replace("Image", "\"Image\"")),
            ("byte order mark and quotes", format!("\u{feff}{}", plain.replace("x0", "\"x0\""))),
            ("blanks around cells", plain.replace(',', " , ")),
            ("more blanks between pixels", plain.replace(" 22", "   22")),
            ("blanks around the picture", plain.replace(&image, &format!("  {image}  "))),
            ("blank lines", plain.replace('\n', "\n\n")),
            ("image in small letters", plain.replace("Image", "image")),
        ] {
            assert_eq!(read(&text, false).map_err(|e| e.to_string()).unwrap().0, expected, "{what}");
        }
    }

    #[test]
    fn faults_name_file_line_row_and_column() {
        let image = image("1 22 255");
        let head = format!("x0,y0,x1,y1,Image\n1,2,3,4,{image}\n");
        let row = |cells: &str| format!("{head}{cells},{image}\n");
        let pixels = |cell: &str| format!("{head}1,2,3,4,{cell}\n");
        for (text, message) in [
            (String::new(), "t.csv: empty file"),
            ("\n\n".into(), "t.csv: empty file"),
            (
                row("1,,3,4"),
                "t.csv:3: row 2, column `y0`: no value; `skip_incomplete` (lineament data convert --skip-incomplete) \
                 leaves incomplete rows out",
            ),
            (
                row("1,2,  ,4"),
                "t.csv:3: row 2, column `x1`: no value; `skip_incomplete` (lineament data convert --skip-incomplete) \
                 leaves incomplete rows out",
            ),
            (row("1,2,3,4z"), "t.csv:3: row 2, column `y1`: `4z` is not a number"),
            (row("NaN,2,3,4"), "t.csv:3: row 2, column `x0`: `NaN` is not a finite number"),
            (row("-inf,2,3,4"), "t.csv:3: row 2, column `x0`: `-inf` is not a finite number"),
            (row("1e39,2,3,4"), "t.csv:3: row 2, column `x0`: `1e39` is not a finite number"),
            (row("1,2,3"), "t.csv:3: row 2: 4 cells, expected 5: 4 coordinates and Image"),
            (row("1,2,3,4,5"), "t.csv:3: row 2: 6 cells, expected 5: 4 coordinates and Image"),
            (
                pixels(&image.replacen("22", "256", 1)),
                "t.csv:3: row 2, column `Image`: pixel 1 is `256`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&image.replacen("22", "-1", 1)),
                "t.csv:3: row 2, column `Image`: pixel 1 is `-1`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&image.replacen("22", "2.5", 1)),
                "t.csv:3: row 2, column `Image`: pixel 1 is `2.5`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&image.replacen("22", "0022", 1)),
                "t.csv:3: row 2, column `Image`: pixel 1 is `0022`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&image.replacen(' ', "\t", 1)),
                "t.csv:3: row 2, column `Image`: pixel 0 is `1\\t22`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&format!("{image} 300")),
                "t.csv:3: row 2, column `Image`: pixel 9216 is `300`, expected a whole number from 0 to 255",
            ),
            (
                pixels(&format!("\"{}\"", image.replacen("22 ", "22\n", 1))),
                "t.csv:4: row 2, column `Image`: pixel 1 is `22\\n255`, expected a whole number from 0 to 255",
            ),
            (pixels("1 2 3"), "t.csv:3: row 2, column `Image`: 3 pixels, expected 9216"),
            (pixels(""), "t.csv:3: row 2, column `Image`: 0 pixels, expected 9216"),
            (pixels(&format!("{image} 7")), "t.csv:3: row 2, column `Image`: more than 9216 pixels"),
            (
                head.trim_end().into(),
                "t.csv:2: row 1, column `Image`: the file ends within this line: it was cut off; if it is \
                 whole, add the missing line end",
            ),
            (
                pixels(&format!("\"{image}")),
                "t.csv:4: row 2, column `Image`: the file ends within this line: it was cut off; if it is \
                 whole, add the missing line end",
            ),
            (
                "1,2,3 4 5\n".into(),
                "t.csv:1: the first line holds numbers, expected the names of the columns: x0,y0,x1,y1,...,Image",
            ),
            (
                "file,x,y,w,h,score\n".into(),
                "t.csv:1: the last column is `score`, expected coordinates and then `Image`: x0,y0,x1,y1,...,Image",
            ),
            (
                "ImageId,Image\n1,2 3\n".into(),
                "t.csv:1: pictures without points, as in Kaggle's test.csv: there is nothing to learn or compare \
                 with; Kaggle's training.csv has them",
            ),
            (
                "Image\n1 2\n".into(),
                "t.csv:1: pictures without points, as in Kaggle's test.csv: there is nothing to learn or compare \
                 with; Kaggle's training.csv has them",
            ),
            ("x0,y0,x1,Image\n".into(), "t.csv:1: 3 columns of coordinates, expected two for each point"),
            ("x0,x1,y0,y1,Image\n".into(), "t.csv:1: column 2 is `x1`, expected y: x and y of each point alternate"),
            (
                "nose_y,nose_x,Image\n".into(),
                "t.csv:1: column 1 is `nose_y`, expected x: x and y of each point alternate",
            ),
            ("x0,,Image\n".into(), "t.csv:1: column 2 is called ``, expected the name of a coordinate"),
        ] {
            match read(&text, false) {
                Err(error) => assert_eq!(error.to_string(), message),
                Ok(_) => panic!("accepted, expected {message}"),
            }
        }
        for (bytes, message) in [
            (
                b"x0,y0,Image\n\xff\xfe,2,3\n".to_vec(),
                "t.csv:2: row 1, column `x0`: `\u{fffd}\u{fffd}` is not text in UTF-8",
            ),
            (b"x0,y\xff,Image\n".to_vec(), "t.csv:1: no table: the first line is not text in UTF-8"),
            (b"\xff\xd8\xff\xe0JFIF\n".to_vec(), "t.csv:1: no table: the first line is not text in UTF-8"),
            (b"\x1f\x8b\x08\0".to_vec(), "t.csv: is compressed; unpack it first"),
        ] {
            assert_eq!(read(&bytes, false).unwrap_err().to_string(), message);
        }
        let lines = format!("x0,y0,Image\r\n\r\n1,2,{image}\r\n\r\n1,z,{image}\r\n");
        assert_eq!(read(lines, false).unwrap_err().to_string(), "t.csv:5: row 2, column `y0`: `z` is not a number");
    }

    #[test]
    fn a_file_without_line_ends_does_not_fill_the_memory() {
        let endless = format!("x0,y0,Image\n1,2,\"{}", "0 \n".repeat(MAX_ROW_BYTES));
        assert!(read(endless, false).unwrap_err().to_string().ends_with("longer than 4 MiB, so not a row of a table"));
    }

    #[test]
    fn kaggles_rows_with_missing_values_are_left_out_on_request() {
        let image = image("238 236");
        let text = format!(
            "left_eye_center_x,left_eye_center_y,nose_tip_x,nose_tip_y,Image\n66.033,39.0,,,{image}\n\
             65.1,34.9,48.5,50.25,{image}\n,,1,2,{image}\n"
        );
        assert!(
            read(&text, false).unwrap_err().to_string().starts_with("t.csv:2: row 1, column `nose_tip_x`: no value")
        );
        let (records, left_out) = read(&text, true).unwrap();
        assert_eq!((records.len(), left_out), (1, 2));
        assert_eq!(records[0].points, [Point::new(65.1, 34.9), Point::new(48.5, 50.25)]);
        let worse = text.replace("48.5", "48,5");
        assert!(read(worse, true).is_err(), "a fault is an error even where incomplete rows are left out");
    }

    #[test]
    fn names_of_the_papers_columns() {
        assert_eq!(point_names(2), ["x0", "y0", "x1", "y1"]);
        assert_eq!(point_names(68).len(), 136);
    }
}
