//! Tables of records: the paper's CSV and Kaggle's variant of it, and Parquet, which also keeps where a face comes
//! from.
//!
//! Both are read and written row by row, so that a table larger than memory works. `docs/tables.md` describes them.
//!
//! ```no_run
//! use lineament_data::table::{ReadOptions, Reader, Writer};
//!
//! let reader = Reader::open("faces.csv".as_ref(), ReadOptions::default())?;
//! let mut writer = Writer::create("faces.parquet".as_ref(), reader.columns())?;
//! for record in reader {
//!     writer.write(&record?)?;
//! }
//! writer.finish()?;
//! # Ok::<(), lineament_data::Error>(())
//! ```

pub(crate) mod csv;
pub mod duplicates;
pub mod hash;
pub(crate) mod header;
pub mod histogram;
pub(crate) mod parquet;
pub(crate) mod pixels;
pub mod split;
pub mod survey;

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use ::parquet::file::reader::ChunkReader;
use bytes::Bytes;
use lineament::Point;

use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::record::{Record, SIDE};

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Leave out rows with a missing value, such as those of Kaggle's table, instead of refusing the table.
    pub skip_incomplete: bool,
}

/// The names of the coordinate columns of `points` points, as in the paper: `x0`, `y0`, `x1`, `y1` and so on.
pub fn point_names(points: usize) -> Vec<String> {
    (0..points).flat_map(|i| [format!("x{i}"), format!("y{i}")]).collect()
}

/// A table that is read row by row. It ends after an error.
pub struct Reader {
    rows: Rows,
    ended: bool,
}

enum Rows {
    Csv(Box<csv::CsvReader>),
    Parquet(Box<parquet::ParquetReader>),
}

impl Reader {
    /// Opens a table. Its first bytes distinguish Parquet from CSV, not its name.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Table`] or [`Error::Records`] when it is not a table of
    /// records.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self> {
        let fault = |e| Error::file(path, e);
        let mut file = File::open(path).map_err(fault)?;
        if file.metadata().map_err(fault)?.is_dir() {
            return Err(Error::records(path, "is a folder, expected a table (.csv or .parquet)"));
        }
        let mut start = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(fault)?;
        file.rewind().map_err(fault)?;
        let bytes = file.metadata().map_err(fault)?.len();
        match kind(path, &start)? {
            Kind::Csv => Self::csv(path, Box::new(file), bytes, options),
            Kind::Parquet => Self::parquet(path, file, options),
        }
    }

    /// The table in `bytes`; errors call it `name`.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_bytes(name: &Path, bytes: Vec<u8>, options: ReadOptions) -> Result<Self> {
        let count = bytes.len() as u64;
        match kind(name, &bytes)? {
            Kind::Csv => Self::csv(name, Box::new(Cursor::new(bytes)), count, options),
            Kind::Parquet => Self::parquet(name, Bytes::from(bytes), options),
        }
    }

    fn csv(name: &Path, source: Box<dyn Read + Send>, bytes: u64, options: ReadOptions) -> Result<Self> {
        let reader = csv::CsvReader::new(name, source, bytes, options)?;
        Ok(Self { rows: Rows::Csv(reader.into()), ended: false })
    }

    fn parquet(name: &Path, source: impl ChunkReader + 'static, options: ReadOptions) -> Result<Self> {
        let reader = parquet::ParquetReader::new(name, source, options)?;
        Ok(Self { rows: Rows::Parquet(reader.into()), ended: false })
    }

    /// The names of the coordinates, two for each point: x, then y.
    pub fn columns(&self) -> &[String] {
        match &self.rows {
            Rows::Csv(csv) => csv.columns(),
            Rows::Parquet(parquet) => parquet.columns(),
        }
    }

    /// Points of each record.
    pub fn points(&self) -> usize {
        self.columns().len() / 2
    }

    /// The usual extension of such tables, whatever this one is called: `csv` or `parquet`.
    pub fn extension(&self) -> &'static str {
        match &self.rows {
            Rows::Csv(_) => "csv",
            Rows::Parquet(_) => "parquet",
        }
    }

    /// Rows that were left out so far because a value is missing; see [`ReadOptions::skip_incomplete`].
    pub fn left_out(&self) -> u64 {
        match &self.rows {
            Rows::Csv(csv) => csv.left_out(),
            Rows::Parquet(parquet) => parquet.left_out(),
        }
    }

    /// How much of the table has been read, from 0 to 1: for a progress bar.
    pub fn share_read(&self) -> f64 {
        match &self.rows {
            Rows::Csv(csv) => csv.share_read(),
            Rows::Parquet(parquet) => parquet.share_read(),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = match &mut self.rows {
            Rows::Csv(csv) => csv.next_record(),
            Rows::Parquet(parquet) => parquet.next_record(),
        };
        self.ended = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

/// A table that is written row by row. It gets its name when it is finished; if it is dropped before, nothing is left.
pub struct Writer {
    path: PathBuf,
    points: usize,
    rows: u64,
    sink: Sink,
}

enum Sink {
    Csv(Box<csv::CsvWriter>),
    Parquet(Box<parquet::ParquetWriter>),
}

impl Writer {
    /// Starts a table of records with these coordinates, two columns for each point; [`point_names`] makes them. The
    /// ending of `path` decides: `.csv` keeps points and pixels, `.parquet` also the origin.
    ///
    /// # Errors
    /// [`Error::Records`] for another ending or columns that are not pairs, [`Error::File`] when the file cannot be
    /// written.
    pub fn create(path: &Path, columns: &[String]) -> Result<Self> {
        header::check(columns).map_err(|reason| Error::records(path, reason))?;
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let part = || PartFile::create(path).map_err(|e| Error::file(path, e));
        let sink = match ending.as_str() {
            "csv" => Sink::Csv(csv::CsvWriter::new(part()?, columns)?.into()),
            "parquet" => Sink::Parquet(parquet::ParquetWriter::new(part()?, columns)?.into()),
            _ => return Err(Error::records(path, "the name of a table ends in .csv or .parquet")),
        };
        Ok(Self { path: path.to_owned(), points: columns.len() / 2, rows: 0, sink })
    }

    /// Whether [`Record::origin`] is kept: a CSV has no place for it.
    pub fn keeps_origin(&self) -> bool {
        matches!(self.sink, Sink::Parquet(_))
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`Error::Records`] for a wrong number of points or pixels, a coordinate that is not finite, or a crop that is
    /// not square; [`Error::File`] when it cannot be written.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        self.rows += 1;
        fits(record, self.points)
            .map_err(|reason| Error::records(&self.path, format!("row {}: {reason}", self.rows)))?;
        match &mut self.sink {
            Sink::Csv(csv) => csv.write(record),
            Sink::Parquet(parquet) => parquet.write(record),
        }
    }

    /// Writes the rest and gives the file its name, replacing a file that had it before.
    ///
    /// # Errors
    /// [`Error::File`] when that fails.
    pub fn finish(self) -> Result<()> {
        match self.sink {
            Sink::Csv(csv) => csv.finish(),
            Sink::Parquet(parquet) => parquet.finish(),
        }
    }
}

fn fits(record: &Record, points: usize) -> Result<(), String> {
    if record.points.len() != points {
        return Err(format!("{} points, the table has {points}", record.points.len()));
    }
    if record.pixels.len() != SIDE * SIDE {
        return Err(format!("{} pixels, expected {SIDE}x{SIDE}", record.pixels.len()));
    }
    if let Some(i) = record.points.iter().position(|p| !Point::is_finite(*p)) {
        return Err(format!("point {i} is not finite"));
    }
    record.origin.as_ref().map_or(Ok(()), parquet::fits)
}

enum Kind {
    Csv,
    Parquet,
}

/// The first bytes of every Parquet file.
pub(crate) const MAGIC: [u8; 4] = *b"PAR1";

fn kind(path: &Path, start: &[u8]) -> Result<Kind> {
    let fault = |reason: &str| Err(Error::records(path, reason));
    match start {
        [] => fault("empty file"),
        _ if start.starts_with(&MAGIC) => Ok(Kind::Parquet),
        [0x1f, 0x8b, ..] | [b'P', b'K', ..] => fault("is compressed; unpack it first"),
        _ if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) => fault("is not a Parquet file"),
        _ => Ok(Kind::Csv),
    }
}
