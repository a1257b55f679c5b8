//! Tables of records, which `lineament annotate` writes: points go back to the photo where the table names it, else
//! the crop becomes a photo.

use std::path::{Path, PathBuf};

use lineament::Point;

use super::{BadRow, Labelled, Row, Source, numbers};
use crate::error::Result;
use crate::photo::GreyPhoto;
use crate::record::{Record, SIDE, image_from_record};
use crate::table::{ReadOptions, Reader, header};

/// Reads a table, CSV or Parquet.
pub struct Records {
    reader: Reader,
    path: PathBuf,
    names: Vec<String>,
    /// Complete rows, and rows with a missing value that were told.
    rows: u64,
    left_out: u64,
    /// The record that was read behind rows with a missing value.
    next: Option<Record>,
}

impl Records {
    pub fn new(path: &Path) -> Result<Self> {
        let reader = Reader::open(path, ReadOptions { skip_incomplete: true })?;
        let names = header::point_names(reader.columns());
        Ok(Self { reader, path: path.to_owned(), names, rows: 0, left_out: 0, next: None })
    }

    fn labels(&self, record: Record, place: String) -> Result<Labelled, String> {
        let pixel_center = |v: f32| f64::from(v) + 0.5;
        let Some(origin) = record.origin else {
            let whole =
                |p: &Point<_>| numbers::point(pixel_center(p.x), pixel_center(p.y), super::Origin::Half).map(Some);
            let points = record.points.iter().map(whole).collect::<Result<_, _>>()?;
            let pixels = Some(GreyPhoto { pixels: record.pixels, width: SIDE, height: SIDE });
            let photo = format!("{:06}.png", self.rows + self.left_out);
            return Ok(Labelled { photo, place, points, rect: None, size: None, pixels });
        };
        let moved = |&p: &Point<_>| {
            let p = image_from_record(&origin.crop, p);
            numbers::point(p.x.into(), p.y.into(), super::Origin::Half).map(Some)
        };
        let points = record.points.iter().map(moved).collect::<Result<_, _>>()?;
        let face = [origin.face.x, origin.face.y, origin.face.width, origin.face.height];
        let rect = Some(numbers::rect(face.map(f64::from), 0.0)?);
        let size = Some((origin.photo_size.0 as usize, origin.photo_size.1 as usize));
        Ok(Labelled { photo: origin.photo, place, points, rect, size, pixels: None })
    }
}

impl Source for Records {
    fn next_row(&mut self) -> Result<Option<Row>> {
        if self.next.is_none() {
            self.next = self.reader.next().transpose()?;
        }
        if self.left_out < self.reader.left_out() {
            self.left_out += 1;
            return Ok(Some(Row::LeftOut("rows with a missing value")));
        }
        let Some(record) = self.next.take() else { return Ok(None) };
        self.rows += 1;
        let place = format!("{}: row {}", self.path.display(), self.rows + self.left_out);
        Ok(Some(match self.labels(record, place.clone()) {
            Ok(labelled) => Row::Object(Box::new(labelled)),
            Err(reason) => Row::Bad(BadRow::unreadable(place, reason)),
        }))
    }

    fn names(&self) -> Option<&[String]> {
        Some(&self.names[..]).filter(|names| !names.is_empty())
    }

    fn share_read(&self) -> f64 {
        self.reader.share_read()
    }
}
