//! Reads records from Parquet: ours, and those of other programs that hold at least points and pixels.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use lineament::{Point, Rect};
use parquet::data_type::ByteArray;
use parquet::file::reader::ChunkReader;

use super::super::{ReadOptions, header, point_names};
use super::columns::Column;
use super::groups::Groups;
use super::{NUMBERS, SIZES, VERSION, key, name};
use crate::error::{Error, Result};
use crate::record::{Origin, Record, SIDE};
use crate::text::excerpt;

/// Reads records.
pub struct ParquetReader {
    path: PathBuf,
    groups: Groups,
    names: Vec<String>,
    options: ReadOptions,
    /// Decoded rows that are not returned yet; `None` where a value is missing.
    batch: VecDeque<Option<Record>>,
    /// Rows that were decoded, and that were returned or left out.
    unpacked: u64,
    row: u64,
    left_out: u64,
}

impl ParquetReader {
    /// Reads the schema, and the first rows where the file does not tell the number of points.
    pub fn new(path: &Path, source: impl ChunkReader + 'static, options: ReadOptions) -> Result<Self> {
        let groups = Groups::open(source).map_err(|reason| Error::records(path, reason))?;
        for name in [name::POINTS, name::PIXELS] {
            if !groups.names().any(|found| found == name) {
                let reason = format!("no column `{name}`; a table of faces has at least points and pixels");
                return Err(Error::records(path, reason));
            }
        }
        let mut reader = Self {
            path: path.to_owned(),
            names: Vec::new(),
            options,
            batch: VecDeque::new(),
            unpacked: 0,
            row: 0,
            left_out: 0,
            groups,
        };
        reader.names = match reader.names_in_metadata()? {
            Some(names) => names,
            None => reader.names_by_first_row()?,
        };
        header::check(&reader.names).map_err(|reason| Error::records(path, reason))?;
        Ok(reader)
    }

    pub fn columns(&self) -> &[String] {
        &self.names
    }

    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    pub fn share_read(&self) -> f64 {
        (self.row as f64 / self.groups.rows().max(1) as f64).min(1.0)
    }

    /// The next complete row.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        loop {
            match self.batch.pop_front() {
                Some(record) => {
                    self.row += 1;
                    match record {
                        Some(record) => return Ok(Some(record)),
                        None => self.left_out += 1,
                    }
                }
                None if self.unpack()? => {}
                None => return Ok(None),
            }
        }
    }

    /// Decodes the next rows; false at the end.
    fn unpack(&mut self) -> Result<bool> {
        let names = [name::PHOTO, name::POINTS, name::PIXELS].into_iter().chain(SIZES).chain(NUMBERS.map(|n| n.name));
        let rows = self.groups.advance(names).map_err(|reason| Error::records(&self.path, reason))?;
        if rows == 0 {
            return Ok(false);
        }
        let photos = self.column(name::PHOTO, |c| c.bytes(rows))?;
        let sizes = read_each(SIZES, |name| self.column(name, |c| c.numbers(rows)))?;
        let numbers = read_each(NUMBERS.map(|n| n.name), |name| self.column(name, |c| c.numbers(rows)))?;
        let points = self.column(name::POINTS, |c| c.lists(rows))?.unwrap_or_default();
        let pixels = self.column(name::PIXELS, |c| c.bytes(rows))?.unwrap_or_default();
        for (i, (points, pixels)) in points.into_iter().zip(pixels).enumerate() {
            let photo = photos.as_ref().and_then(|photos| photos.get(i).cloned().flatten());
            let at = |column: &Option<Vec<Option<f64>>>| column.as_ref().and_then(|c| c.get(i).copied().flatten());
            let record = photo
                .map(|photo| origin(&photo, sizes.each_ref().map(at), numbers.each_ref().map(at)))
                .transpose()
                .and_then(|origin| self.record(origin, points, pixels));
            self.unpacked += 1;
            let record = record
                .map_err(|reason| Error::records(&self.path, format!("row {}, column {reason}", self.unpacked)))?;
            self.batch.push_back(record);
        }
        Ok(true)
    }

    /// What `read` finds in the column; `None` where the table has none of this name.
    fn column<V>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Column) -> parquet::errors::Result<V>,
    ) -> Result<Option<V>> {
        self.groups.column(name, read).map_err(|reason| Error::records(&self.path, reason))
    }

    fn record(
        &self,
        origin: Option<Origin>,
        points: Vec<Option<f32>>,
        pixels: Option<ByteArray>,
    ) -> Result<Option<Record>, String> {
        let missing = |name| {
            format!(
                "`{name}`: no value; `skip_incomplete` (lineament data convert --skip-incomplete) leaves \
                 incomplete rows out"
            )
        };
        let incomplete = points.contains(&None) || pixels.is_none();
        let Some(pixels) = pixels.filter(|_| !incomplete) else {
            let name = if points.contains(&None) { name::POINTS } else { name::PIXELS };
            return if self.options.skip_incomplete { Ok(None) } else { Err(missing(name)) };
        };
        let numbers: Vec<f32> = points.into_iter().flatten().collect();
        if !self.names.is_empty() && numbers.len() != self.names.len() {
            let (found, expected) = (numbers.len(), self.names.len());
            return Err(format!("`{}`: {found} coordinates, expected {expected}", name::POINTS));
        }
        if let Some(number) = numbers.iter().find(|n| !n.is_finite()) {
            return Err(format!("`{}`: `{number}` is not a finite number", name::POINTS));
        }
        if pixels.len() != SIDE * SIDE {
            let (found, expected) = (pixels.len(), SIDE * SIDE);
            return Err(format!("`{}`: {found} bytes, expected {expected}: {SIDE}x{SIDE} grey values", name::PIXELS));
        }
        let points = numbers.chunks_exact(2).map(|p| Point::new(p[0], p[1])).collect();
        Ok(Some(Record { points, pixels: pixels.data().to_vec(), origin }))
    }

    fn names_in_metadata(&self) -> Result<Option<Vec<String>>> {
        let value = |key: &str| self.groups.metadata(key);
        let refuse = |what: String| Err(Error::records(&self.path, what));
        if let Some(version) = value(key::VERSION).filter(|&v| v != VERSION) {
            let version = excerpt(version);
            return refuse(format!(
                "is of version {version}, this program reads version {VERSION}; use a newer program"
            ));
        }
        if let Some(side) = value(key::SIDE).filter(|&s| s != SIDE.to_string()) {
            let side = excerpt(side);
            return refuse(format!("holds pictures of side {side}, expected {SIDE}"));
        }
        Ok(value(key::COLUMNS).map(|names| names.split(',').map(str::to_owned).collect()))
    }

    fn names_by_first_row(&mut self) -> Result<Vec<String>> {
        while self.batch.iter().all(Option::is_none) {
            if !self.unpack()? {
                let reason = format!("no rows and no `{}` in its metadata to tell the points", key::COLUMNS);
                return Err(Error::records(&self.path, reason));
            }
        }
        let counts: Vec<usize> = self.batch.iter().flatten().map(|record| record.points.len()).collect();
        if let Some(other) = counts.iter().find(|&&count| count != counts[0]) {
            let reason = format!("rows of {} and of {other} points; all must have the same", counts[0]);
            return Err(Error::records(&self.path, reason));
        }
        Ok(point_names(counts[0]))
    }
}

/// An array of results as the result of an array.
fn read_each<V, const N: usize>(
    names: [&'static str; N],
    mut read: impl FnMut(&'static str) -> Result<Option<V>>,
) -> Result<[Option<V>; N]> {
    let mut found = names.map(|_| None);
    for (found, name) in found.iter_mut().zip(names) {
        *found = read(name)?;
    }
    Ok(found)
}

/// The origin of a row that names its photo. `numbers` are those of [`NUMBERS`].
fn origin(photo: &ByteArray, sizes: [Option<f64>; 2], numbers: [Option<f64>; NUMBERS.len()]) -> Result<Origin, String> {
    let photo = photo.as_utf8().map_err(|_| format!("`{}`: not text in UTF-8", name::PHOTO))?.to_owned();
    let missing =
        |name| format!("`{name}`: no value, but `{}` has one; give all of the origin or nothing", name::PHOTO);
    let side = |i: usize| match sizes[i] {
        None => Err(missing(SIZES[i])),
        Some(n) if n >= 1.0 && n <= f64::from(u32::MAX) && n.fract() == 0.0 => Ok(n as u32),
        Some(n) => Err(format!("`{}`: `{n}` is not a number of pixels", SIZES[i])),
    };
    let photo_size = (side(0)?, side(1)?);
    if let Some(i) = numbers.iter().position(|n| n.is_some_and(|n| !(n as f32).is_finite())) {
        return Err(format!("`{}`: not a finite number", NUMBERS[i].name));
    }
    let numbers = numbers.map(|n| n.map(|n| n as f32));
    let [fx, fy, fw, fh, cx, cy, side, score, expected_error, roll, yaw, pitch] = numbers;
    let needed = |i: usize, value: Option<f32>| value.ok_or_else(|| missing(NUMBERS[i].name));
    let face = Rect::from_xywh(needed(0, fx)?, needed(1, fy)?, needed(2, fw)?, needed(3, fh)?);
    let side = needed(6, side)?;
    let crop = Rect::from_xywh(needed(4, cx)?, needed(5, cy)?, side, side);
    let pose = match (roll, yaw, pitch) {
        (Some(roll), Some(yaw), Some(pitch)) => Some([roll, yaw, pitch]),
        _ => None,
    };
    Ok(Origin { photo, photo_size, face, crop, score: score.unwrap_or(1.0), expected_error, pose })
}
