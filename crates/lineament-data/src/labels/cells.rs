//! The rows of a CSV of any size.

use std::io;
use std::path::PathBuf;

use csv::{ByteRecord, ReaderBuilder};

use super::Input;
use crate::error::{Error, Result};
use crate::table::csv::{Guard, MAX_ROW_BYTES};
use crate::text::excerpt_of_bytes;

const BUFFER_BYTES: usize = 1 << 16;

/// Reads rows of cells.
pub struct Cells {
    path: PathBuf,
    reader: csv::Reader<Guard>,
    length: u64,
    /// Reused for all rows.
    cells: ByteRecord,
}

impl Cells {
    /// Reads the first line: the names of the columns.
    pub fn new(input: Input) -> Result<(Self, Vec<String>)> {
        let Input { path, bytes, length } = input;
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).buffer_capacity(BUFFER_BYTES);
        let reader = builder.from_reader(Guard::new(bytes));
        let mut cells = Self { path, reader, length, cells: ByteRecord::new() };
        if !cells.advance()? {
            return Err(Error::labels(cells.path.display().to_string(), "empty file"));
        }
        let mark = |cell: &[u8]| cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell).trim_ascii().to_vec();
        let names: Result<Vec<String>, _> = cells.cells.iter().map(|cell| String::from_utf8(mark(cell))).collect();
        match names {
            Ok(names) => Ok((cells, names)),
            Err(_) => cells.fault("no table: the first line is not text in UTF-8"),
        }
    }

    /// Goes to the next line that is not blank; false at the end.
    pub fn advance(&mut self) -> Result<bool> {
        self.reader.get_mut().left = MAX_ROW_BYTES;
        let found = match self.reader.read_byte_record(&mut self.cells).map_err(csv::Error::into_kind) {
            Ok(found) => found,
            Err(csv::ErrorKind::Io(e)) if e.kind() == io::ErrorKind::FileTooLarge => return self.fault(e.to_string()),
            Err(csv::ErrorKind::Io(e)) => return Err(Error::file(&self.path, e)),
            Err(other) => return self.fault(format!("{other:?}")),
        };
        if found && self.reader.get_ref().ended {
            // The parser reads on after the last byte only if the row lacks its line end.
            return self
                .fault("the file ends within this line: it was cut off; if it is whole, add the missing line end");
        }
        Ok(found)
    }

    /// Cells of the row.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// A cell's bytes, without blanks around them; empty where there is none.
    pub fn bytes(&self, column: usize) -> &[u8] {
        self.cells.get(column).unwrap_or_default().trim_ascii()
    }

    /// A cell's text, without blanks around it.
    ///
    /// # Errors
    /// A sentence when it is not UTF-8.
    pub fn text(&self, column: usize) -> Result<&str, String> {
        let bytes = self.bytes(column);
        std::str::from_utf8(bytes).map_err(|_| format!("`{}` is not text in UTF-8", excerpt_of_bytes(bytes)))
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path.display(), self.line())
    }

    /// The last line of the row, from 1.
    pub fn line(&self) -> u64 {
        self.reader.get_ref().line(self.reader.position())
    }

    pub fn fault<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::labels(self.place(), reason))
    }

    pub fn share_read(&self) -> f64 {
        (self.reader.position().byte() as f64 / self.length.max(1) as f64).min(1.0)
    }
}
