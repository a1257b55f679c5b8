//! The label table, CSV or Parquet: a photo's path, a box and any number of points per row. `docs/labels.md` describes
//! it.
//!
//! ```no_run
//! use lineament_data::labels::table::Reader;
//!
//! for object in Reader::open("people.csv".as_ref())? {
//!     let object = object?;
//!     println!("{}: {} points", object.photo, object.points.iter().flatten().count());
//! }
//! # Ok::<(), lineament_data::Error>(())
//! ```

mod csv;
mod parquet;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use lineament::{Point, Rect};

use super::columns::START;
use super::{BadRow, Input, Labelled, Origin, Row, Source, folder_of, numbers};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::pts::MAX_POINTS;
use crate::table::{MAGIC, header::IMAGE, parquet::name};
use crate::text::excerpt;

/// The endings of a point's two columns.
const AXES: [&str; 2] = ["_x", "_y"];

/// The objects of a label table, row by row. It ends after an error.
pub struct Reader {
    rows: Rows,
    path: PathBuf,
    ended: bool,
}

impl Reader {
    /// Opens a table. Its first bytes distinguish Parquet from CSV, not its name.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Labels`] when it is not a label table.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { rows: Rows::open(path)?, path: path.to_owned(), ended: false })
    }

    /// The names of the points, at least one.
    pub fn names(&self) -> &[String] {
        self.rows.point_names()
    }

    /// The folder that the photos' paths are relative to: the table's own.
    pub fn photos(&self) -> &Path {
        folder_of(&self.path)
    }

    /// How much of the table has been read, from 0 to 1: for a progress bar.
    pub fn share_read(&self) -> f64 {
        self.rows.share_read()
    }
}

impl Iterator for Reader {
    type Item = Result<Labelled>;

    /// # Errors
    /// [`Error::Labels`] with file, line or row, and column for a row that does not fit the header.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.rows.next_labelled().and_then(|row| Ok(row.transpose()?));
        self.ended = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}

/// A table as a source of labels.
pub(super) enum Rows {
    Csv(csv::CsvRows),
    Parquet(parquet::ParquetRows),
}

impl Rows {
    pub fn open(path: &Path) -> Result<Self> {
        if fs::metadata(path).map_err(|e| Error::file(path, e))?.is_dir() {
            let reason = "is a folder, expected a label table (.csv or .parquet)";
            return Err(Error::labels(path.display().to_string(), reason));
        }
        let mut file = File::open(path).map_err(|e| Error::file(path, e))?;
        let mut start = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(|e| Error::file(path, e))?;
        Ok(match start == MAGIC {
            true => Self::Parquet(parquet::ParquetRows::new(path, file)?),
            false => Self::Csv(csv::CsvRows::new(Input::open(path)?)?),
        })
    }

    #[cfg(test)]
    pub fn from_csv(input: Input) -> Result<Self> {
        csv::CsvRows::new(input).map(Self::Csv)
    }

    #[cfg(test)]
    pub fn from_parquet(name: &Path, bytes: impl Into<bytes::Bytes>) -> Result<Self> {
        parquet::ParquetRows::new(name, bytes.into()).map(Self::Parquet)
    }

    fn point_names(&self) -> &[String] {
        match self {
            Self::Csv(rows) => rows.names(),
            Self::Parquet(rows) => rows.names(),
        }
    }

    /// The next row, which may be one that cannot be used.
    fn next_labelled(&mut self) -> Result<Option<Result<Labelled, BadRow>>> {
        match self {
            Self::Csv(rows) => rows.next_labelled(),
            Self::Parquet(rows) => rows.next_labelled(),
        }
    }
}

impl Source for Rows {
    fn next_row(&mut self) -> Result<Option<Row>> {
        let row = self.next_labelled()?;
        Ok(row.map(|row| row.map_or_else(Row::Bad, |labelled| Row::Object(Box::new(labelled)))))
    }

    fn names(&self) -> Option<&[String]> {
        Some(self.point_names())
    }

    fn share_read(&self) -> f64 {
        match self {
            Self::Csv(rows) => rows.share_read(),
            Self::Parquet(rows) => rows.share_read(),
        }
    }
}

/// An object from the values of a row; `value` tells what a column after the first holds, if anything.
fn labelled(
    names: &[String],
    photo: String,
    place: &str,
    value: impl Fn(usize) -> Result<Option<f64>, String>,
) -> Result<Labelled, String> {
    let value =
        |column: usize| value(column).map_err(|reason| format!("column `{}`: {reason}", column_name(names, column)));
    let empty = |column: usize, of: &str| format!("column `{}` is empty, but {of} is not", column_name(names, column));
    let point = |i: usize| {
        let at = START.len() + 2 * i;
        match (value(at)?, value(at + 1)?) {
            (Some(x), Some(y)) => numbers::point(x, y, Origin::Half).map(Some),
            (None, None) => Ok(None),
            (x, _) => Err(empty(if x.is_none() { at } else { at + 1 }, "the other coordinate of the point")),
        }
    };
    let points = (0..names.len()).map(point).collect::<Result<Vec<_>, _>>()?;
    if points.iter().all(Option::is_none) {
        return Err("no point has a label".into());
    }
    let mut rect = [None; 4];
    for (i, side) in rect.iter_mut().enumerate() {
        *side = value(1 + i)?;
    }
    let rect = match rect {
        [None, None, None, None] => None,
        [Some(x), Some(y), Some(w), Some(h)] => Some(numbers::rect([x, y, w, h], Origin::Half.shift())?),
        some => return Err(empty(1 + some.iter().position(Option::is_none).unwrap_or(0), "the rest of the box")),
    };
    Ok(Labelled { photo, place: place.to_owned(), points, rect, size: None, pixels: None })
}

fn column_name(names: &[String], column: usize) -> String {
    match column.checked_sub(START.len()) {
        None => START[column].to_owned(),
        Some(i) => format!("{}{}", excerpt(&names[i / 2]), AXES[i % 2]),
    }
}

/// The names of all columns.
fn header(names: &[String]) -> impl Iterator<Item = String> {
    let points = names.iter().flat_map(|name| AXES.map(|axis| format!("{name}{axis}")));
    START.map(str::to_owned).into_iter().chain(points)
}

/// The names of the points in a header.
fn names_of(header: &[String]) -> Result<Vec<String>, String> {
    let mut expected = "a label table begins photo,x,y,w,h and then has NAME_x,NAME_y for each point";
    if header.iter().any(|name| *name == name::PIXELS || *name == IMAGE) {
        expected = "this is a table with pixels; `lineament data import records` makes a label table of it";
    }
    for (i, name) in START.iter().enumerate() {
        let found = header.get(i).map_or("", String::as_str);
        if found != *name {
            return Err(format!("column {} is called `{}`, expected `{name}`: {expected}", i + 1, excerpt(found)));
        }
    }
    let columns = &header[START.len()..];
    if columns.is_empty() || !columns.len().is_multiple_of(2) {
        return Err(format!("{} columns of coordinates, expected two for each point: {expected}", columns.len()));
    }
    let mut names = Vec::with_capacity(columns.len() / 2);
    for (i, pair) in columns.chunks_exact(2).enumerate() {
        let name = pair[0].strip_suffix(AXES[0]);
        match name.filter(|name| pair[1].strip_suffix(AXES[1]) == Some(name)) {
            Some(name) => names.push(name.to_owned()),
            None => {
                let column = START.len() + 2 * i + 1;
                let (x, y) = (excerpt(&pair[0]), excerpt(&pair[1]));
                return Err(format!("columns {column} and {} are called `{x}` and `{y}`: {expected}", column + 1));
            }
        }
    }
    check_names(&names)?;
    Ok(names)
}

/// Whether points can have these names.
fn check_names(names: &[String]) -> Result<(), String> {
    if names.is_empty() || names.len() > MAX_POINTS {
        return Err(format!("{} points, expected 1 to {MAX_POINTS}", names.len()));
    }
    let mut seen = HashSet::new();
    for name in names {
        let shown = excerpt(name);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return Err(format!("a point is called `{shown}`, expected small letters a-z, digits and _"));
        }
        if !seen.insert(name) {
            return Err(format!("two points are called `{shown}`"));
        }
    }
    Ok(())
}

/// Names for the columns of a table from those of a source: in small letters, with `_` for what else is in them, and a
/// number behind a name that was there before.
pub fn tidy_names(names: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let tidy = |(i, name): (usize, &String)| {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let name: String = name.trim().chars().map(letter).collect();
        let mut tidied = if name.is_empty() { format!("p{i}") } else { name.clone() };
        let mut number = 2;
        while !seen.insert(tidied.clone()) {
            tidied = format!("{name}_{number}");
            number += 1;
        }
        tidied
    };
    names.iter().enumerate().map(tidy).collect()
}

/// `p0`, `p1` and so on, for points without names.
pub fn numbered_names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("p{i}")).collect()
}

/// A table that is written row by row. It gets its name when it is finished; if it is dropped before, nothing is left.
pub struct Writer {
    sink: Sink,
    path: PathBuf,
    points: usize,
    rows: u64,
}

enum Sink {
    Csv(Box<csv::CsvSink>),
    Parquet(Box<parquet::ParquetSink>),
}

impl Writer {
    /// Starts a table of objects with points of these names: unique, of `a-z`, digits and `_`. The ending of `path`
    /// decides: `.csv` or `.parquet`.
    ///
    /// # Errors
    /// [`Error::Labels`] when there is something at `path`, for another ending, or for other names of points;
    /// [`Error::File`] when it cannot be written.
    pub fn create(path: &Path, names: &[String]) -> Result<Self> {
        check_new(path)?;
        check_names(names).map_err(|reason| Error::labels(path.display().to_string(), reason))?;
        let part = PartFile::create(path).map_err(|e| Error::file(path, e))?;
        let sink = match ending(path) {
            Some(Ending::Parquet) => Sink::Parquet(parquet::ParquetSink::new(part, names)?.into()),
            _ => Sink::Csv(csv::CsvSink::new(part, names).map_err(|e| Error::file(path, e))?.into()),
        };
        Ok(Self { sink, path: path.to_owned(), points: names.len(), rows: 0 })
    }

    /// Adds an object: the photo's path relative to the table's folder, its box where it has one of its own, and its
    /// points, all in pixels of the photo.
    ///
    /// # Errors
    /// [`Error::Labels`] for another number of points, a coordinate that is not finite, an empty path or box, or when
    /// no point has a label; [`Error::File`] when it cannot be written.
    pub fn write(&mut self, photo: &str, rect: Option<Rect>, points: &[Option<Point>]) -> Result<()> {
        self.rows += 1;
        let fits = || {
            let labelled = points.iter().flatten();
            if points.len() != self.points {
                return Err(format!("{} points, the table has {}", points.len(), self.points));
            }
            if labelled.clone().count() == 0 {
                return Err("no point has a label".into());
            }
            let shift = Origin::Half;
            labelled.into_iter().try_for_each(|p| numbers::point(p.x.into(), p.y.into(), shift).map(drop))?;
            if let Some(Rect { x, y, width, height }) = rect {
                numbers::rect([x, y, width, height].map(f64::from), 0.0)?;
            }
            if photo.trim() != photo || photo.is_empty() {
                return Err("the path of the photo is empty or has blanks at its ends".into());
            }
            Ok(())
        };
        fits().map_err(|reason| Error::labels(format!("{}: row {}", self.path.display(), self.rows), reason))?;
        let rect = rect.map(|r| [r.x, r.y, r.width, r.height]);
        let rect = (0..4).map(|i| rect.map(|rect| rect[i]));
        let numbers = rect.chain(points.iter().flat_map(|point| [point.map(|p| p.x), point.map(|p| p.y)]));
        match &mut self.sink {
            Sink::Csv(csv) => csv.write(photo, numbers).map_err(|e| Error::file(&self.path, e)),
            Sink::Parquet(parquet) => parquet.write(photo, numbers),
        }
    }

    /// Writes the rest and gives the file its name.
    ///
    /// # Errors
    /// [`Error::File`] when that fails, [`Error::Labels`] when another file has got the name in the meantime.
    pub fn finish(self) -> Result<()> {
        check_new(&self.path)?;
        match self.sink {
            Sink::Csv(csv) => csv.finish().map_err(|e| Error::file(&self.path, e)),
            Sink::Parquet(parquet) => parquet.finish(),
        }
    }
}

enum Ending {
    Csv,
    Parquet,
}

fn ending(path: &Path) -> Option<Ending> {
    let ending = path.extension()?.to_ascii_lowercase();
    match ending.to_str()? {
        "csv" => Some(Ending::Csv),
        "parquet" => Some(Ending::Parquet),
        _ => None,
    }
}

/// Fails before the work where a table could not be made.
///
/// # Errors
/// As [`Writer::create`].
pub(super) fn check_new(path: &Path) -> Result<()> {
    let fault = |reason: &str| Err(Error::labels(path.display().to_string(), reason));
    if ending(path).is_none() {
        return fault("the name of a label table ends in .csv or .parquet");
    }
    match fs::symlink_metadata(path) {
        Ok(_) => fault("is there already and is left as it is; choose another name, or remove it"),
        Err(_) => Ok(()),
    }
}
