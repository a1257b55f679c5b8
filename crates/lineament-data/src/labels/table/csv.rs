//! Label tables as CSV.

use std::io;

use super::super::cells::Cells;
use super::super::columns::{START, photo};
use super::super::{BadRow, Input, Labelled, numbers};
use super::{header, labelled, names_of};
use crate::error::Result;
use crate::part_file::PartFile;

/// Reads rows.
pub struct CsvRows {
    cells: Cells,
    names: Vec<String>,
}

impl CsvRows {
    pub fn new(input: Input) -> Result<Self> {
        let (cells, header) = Cells::new(input)?;
        match names_of(&header) {
            Ok(names) => Ok(Self { cells, names }),
            Err(reason) => cells.fault(reason),
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn next_labelled(&mut self) -> Result<Option<Result<Labelled, BadRow>>> {
        if !self.cells.advance()? {
            return Ok(None);
        }
        let place = self.cells.place();
        Ok(Some(self.labelled(&place).map_err(|reason| BadRow::unreadable(place, reason))))
    }

    fn labelled(&self, place: &str) -> Result<Labelled, String> {
        let (cells, expected) = (&self.cells, START.len() + 2 * self.names.len());
        if cells.len() != expected {
            return Err(format!("{} cells, expected {expected}", cells.len()));
        }
        let value = |column: usize| match cells.text(column)? {
            "" => Ok(None),
            text => numbers::number(text).map(Some),
        };
        labelled(&self.names, photo(cells)?, place, value)
    }

    pub fn share_read(&self) -> f64 {
        self.cells.share_read()
    }
}

/// Writes rows.
pub struct CsvSink {
    writer: csv::Writer<PartFile>,
}

impl CsvSink {
    pub fn new(part: PartFile, names: &[String]) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(part);
        writer.write_record(header(names))?;
        Ok(Self { writer })
    }

    pub fn write(&mut self, photo: &str, numbers: impl Iterator<Item = Option<f32>>) -> io::Result<()> {
        self.writer.write_field(photo)?;
        for number in numbers {
            // The shortest text that is read as the same f32.
            self.writer.write_field(number.map_or_else(String::new, |number| number.to_string()))?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    pub fn finish(self) -> io::Result<()> {
        let part = self.writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        part.finish()
    }
}
