//! Kaggle's "Facial Keypoints Detection" (2013): coordinates, some of them empty, and the pixels of a crop of 96x96.

use super::cells::Cells;
use super::{BadRow, Input, Labelled, Origin, Row, Source, numbers};
use crate::error::Result;
use crate::photo::GreyPhoto;
use crate::record::SIDE;
use crate::table::{header, pixels};
use crate::text::excerpt;

/// Reads `training.csv`.
pub struct Kaggle {
    cells: Cells,
    /// Of the coordinates, two for each point.
    columns: Vec<String>,
    names: Vec<String>,
    origin: Origin,
    row: u64,
}

impl Kaggle {
    pub fn new(input: Input, origin: Origin) -> Result<Self> {
        let (cells, found) = Cells::new(input)?;
        let columns = match header::parse(found) {
            Ok(columns) => columns,
            Err(reason) => return cells.fault(reason),
        };
        let names = header::point_names(&columns);
        Ok(Self { cells, columns, names, origin, row: 0 })
    }

    fn labels(&self, place: &str) -> Result<Option<Labelled>, String> {
        let (cells, count) = (&self.cells, self.columns.len());
        if cells.len() != count + 1 {
            return Err(format!("{} cells, expected {}: {count} coordinates and Image", cells.len(), count + 1));
        }
        let value = |column: usize| {
            let value = cells.text(column).and_then(numbers::number);
            value.map_err(|reason| format!("column `{}`: {reason}", excerpt(&self.columns[column])))
        };
        let point = |at: usize| match (cells.bytes(at), cells.bytes(at + 1)) {
            (b"", b"") => Ok(None),
            _ => numbers::point(value(at)?, value(at + 1)?, self.origin).map(Some),
        };
        let points = (0..count).step_by(2).map(point).collect::<Result<Vec<_>, _>>()?;
        let pixels = pixels::parse(cells.bytes(count), SIDE * SIDE);
        let pixels = pixels.map_err(|reason| format!("column `{}`: {reason}", header::IMAGE))?;
        if points.iter().all(Option::is_none) {
            return Ok(None);
        }
        let (photo, place) = (format!("{:06}.png", self.row), place.to_owned());
        let pixels = Some(GreyPhoto { pixels, width: SIDE, height: SIDE });
        Ok(Some(Labelled { photo, place, points, rect: None, size: None, pixels }))
    }
}

impl Source for Kaggle {
    fn next_row(&mut self) -> Result<Option<Row>> {
        if !self.cells.advance()? {
            return Ok(None);
        }
        self.row += 1;
        let place = self.cells.place();
        Ok(Some(match self.labels(&place) {
            Ok(Some(labelled)) => Row::Object(Box::new(labelled)),
            Ok(None) => Row::LeftOut("objects without a point"),
            Err(reason) => Row::Bad(BadRow::unreadable(place, reason)),
        }))
    }

    fn names(&self) -> Option<&[String]> {
        Some(&self.names[..]).filter(|names| !names.is_empty())
    }

    fn share_read(&self) -> f64 {
        self.cells.share_read()
    }
}
