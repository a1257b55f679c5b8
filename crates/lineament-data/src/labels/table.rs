//! The label table: a CSV with a photo's path, a box and any number of points per row. `docs/labels.md` describes it.
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

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lineament::{Point, Rect};

use super::cells::Cells;
use super::columns::{START, photo, rect};
use super::{BadRow, Input, Labelled, Origin, Row, Source, folder_of, numbers};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::pts::MAX_POINTS;
use crate::text::excerpt;

/// The endings of a point's two columns.
const AXES: [&str; 2] = ["_x", "_y"];

/// The objects of a label table, row by row. It ends after an error.
pub struct Reader {
    rows: Rows,
    ended: bool,
}

impl Reader {
    /// Opens a table.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Labels`] when it is not a label table.
    pub fn open(path: &Path) -> Result<Self> {
        if fs::metadata(path).map_err(|e| Error::file(path, e))?.is_dir() {
            return Err(Error::labels(path.display().to_string(), "is a folder, expected a label table (.csv)"));
        }
        Ok(Self { rows: Rows::new(Input::open(path)?)?, ended: false })
    }

    /// The names of the points, at least one.
    pub fn names(&self) -> &[String] {
        &self.rows.names
    }

    /// The folder that the photos' paths are relative to: the table's own.
    pub fn photos(&self) -> &Path {
        folder_of(self.rows.cells.path())
    }

    /// How much of the table has been read, from 0 to 1: for a progress bar.
    pub fn share_read(&self) -> f64 {
        self.rows.share_read()
    }
}

impl Iterator for Reader {
    type Item = Result<Labelled>;

    /// # Errors
    /// [`Error::Labels`] with file, line and column for a row that does not fit the header.
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
pub(super) struct Rows {
    cells: Cells,
    names: Vec<String>,
}

impl Rows {
    pub fn new(input: Input) -> Result<Self> {
        let (cells, header) = Cells::new(input)?;
        match names_of(&header) {
            Ok(names) => Ok(Self { cells, names }),
            Err(reason) => cells.fault(reason),
        }
    }

    fn next_labelled(&mut self) -> Result<Option<Result<Labelled, BadRow>>> {
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
        let value = |column: usize| {
            let value = cells.text(column).and_then(numbers::number);
            value.map_err(|reason| format!("column `{}`: {reason}", self.column(column)))
        };
        let point = |i: usize| {
            let at = START.len() + 2 * i;
            match [at, at + 1].map(|column| cells.bytes(column).is_empty()) {
                [true, true] => Ok(None),
                [false, false] => numbers::point(value(at)?, value(at + 1)?, Origin::Half).map(Some),
                [x, _] => {
                    let missing = self.column(if x { at } else { at + 1 });
                    Err(format!("column `{missing}` is empty, but the other coordinate of the point is not"))
                }
            }
        };
        let points = (0..self.names.len()).map(point).collect::<Result<Vec<_>, _>>()?;
        if points.iter().all(Option::is_none) {
            return Err("no point has a label".into());
        }
        let rect = rect(cells, value, Origin::Half.shift())?;
        Ok(Labelled { photo: photo(cells)?, place: place.to_owned(), points, rect, size: None, pixels: None })
    }

    fn column(&self, column: usize) -> String {
        match column.checked_sub(START.len()) {
            None => START[column].to_owned(),
            Some(i) => format!("{}{}", excerpt(&self.names[i / 2]), AXES[i % 2]),
        }
    }
}

impl Source for Rows {
    fn next_row(&mut self) -> Result<Option<Row>> {
        let row = self.next_labelled()?;
        Ok(row.map(|row| row.map_or_else(Row::Bad, |labelled| Row::Object(Box::new(labelled)))))
    }

    fn names(&self) -> Option<&[String]> {
        Some(&self.names)
    }

    fn share_read(&self) -> f64 {
        self.cells.share_read()
    }
}

/// The names of the points in a header.
fn names_of(header: &[String]) -> Result<Vec<String>, String> {
    let expected = "a label table begins photo,x,y,w,h and then has NAME_x,NAME_y for each point";
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
    writer: csv::Writer<PartFile>,
    path: PathBuf,
    points: usize,
    rows: u64,
}

impl Writer {
    /// Starts a table of objects with points of these names: unique, of `a-z`, digits and `_`.
    ///
    /// # Errors
    /// [`Error::Labels`] when there is something at `path`, its name does not end in .csv, or for other names of
    /// points; [`Error::File`] when it cannot be written.
    pub fn create(path: &Path, names: &[String]) -> Result<Self> {
        check_new(path)?;
        check_names(names).map_err(|reason| Error::labels(path.display().to_string(), reason))?;
        let part = PartFile::create(path).map_err(|e| Error::file(path, e))?;
        let mut writer = csv::Writer::from_writer(part);
        let header = START.map(str::to_owned).into_iter();
        let header = header.chain(names.iter().flat_map(|name| AXES.map(|axis| format!("{name}{axis}"))));
        writer.write_record(header).map_err(|e| Error::file(path, e.into()))?;
        Ok(Self { writer, path: path.to_owned(), points: names.len(), rows: 0 })
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
        self.write_cells(photo, rect, points).map_err(|e| Error::file(&self.path, e))
    }

    fn write_cells(&mut self, photo: &str, rect: Option<Rect>, points: &[Option<Point>]) -> io::Result<()> {
        let rect = rect.map(|r| [r.x, r.y, r.width, r.height]);
        let rect = (0..4).map(|i| rect.map(|rect| rect[i]));
        let points = points.iter().flat_map(|point| [point.map(|p| p.x), point.map(|p| p.y)]);
        self.writer.write_field(photo)?;
        for number in rect.chain(points) {
            // The shortest text that is read as the same f32.
            self.writer.write_field(number.map_or_else(String::new, |number| number.to_string()))?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    /// Writes the rest and gives the file its name.
    ///
    /// # Errors
    /// [`Error::File`] when that fails, [`Error::Labels`] when another file has got the name in the meantime.
    pub fn finish(self) -> Result<()> {
        check_new(&self.path)?;
        let part = self.writer.into_inner().map_err(csv::IntoInnerError::into_error);
        part.and_then(PartFile::finish).map_err(|e| Error::file(&self.path, e))
    }
}

/// Fails before the work where a table could not be made.
///
/// # Errors
/// As [`Writer::create`].
pub(super) fn check_new(path: &Path) -> Result<()> {
    let fault = |reason: &str| Err(Error::labels(path.display().to_string(), reason));
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        return fault("the name of a label table ends in .csv");
    }
    match fs::symlink_metadata(path) {
        Ok(_) => fault("is there already and is left as it is; choose another name, or remove it"),
        Err(_) => Ok(()),
    }
}
