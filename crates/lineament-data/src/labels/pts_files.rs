//! `.pts` files next to their photos.

use std::path::Path;

use lineament::Point;

use super::beside::Beside;
use super::{BadRow, Labelled, Origin, Row, Source};
use crate::error::{Error, Result};
use crate::folder::has_extension;
use crate::pts;

/// Reads a folder of them, or one.
pub struct PtsFiles {
    files: Beside,
    /// Ours minus what [`pts`] makes of the coordinates, which count from 1 there.
    shift: f32,
}

impl PtsFiles {
    pub fn new(path: &Path, photos: &Path, origin: Origin) -> Result<Self> {
        let files = Beside::new(path, photos, ".pts files", |file| has_extension(file, "pts"))?;
        Ok(Self { files, shift: (origin.shift() - Origin::One.shift()) as f32 })
    }
}

/// The labels in one file, moved by `shift`.
fn labels(files: &Beside, shift: f32, path: &Path) -> Result<Row, BadRow> {
    let photo = files.photo_of(path)?;
    let points = pts::read(path).map_err(|error| match error {
        Error::Pts { line, reason, .. } => BadRow::unreadable(format!("{}:{line}", path.display()), reason),
        Error::File { reason, .. } => BadRow::unreadable(path.display().to_string(), reason.to_string()),
        other => BadRow::unreadable(path.display().to_string(), other.to_string()),
    })?;
    let points = points.iter().map(|p| Some(Point::new(p.x + shift, p.y + shift))).collect();
    let place = path.display().to_string();
    Ok(Row::Object(Box::new(Labelled { photo, place, points, rect: None, size: None, pixels: None })))
}

impl Source for PtsFiles {
    fn next_row(&mut self) -> Result<Option<Row>> {
        let read = |files: &Beside, path: &Path| labels(files, self.shift, path);
        Ok(self.files.next_row("pts", "photos without a .pts file", read))
    }

    fn share_read(&self) -> f64 {
        self.files.share_read()
    }
}
