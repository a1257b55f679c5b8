//! Finds faces: by our detector, a cascade, or a table of boxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineament::cascade::{Cascade, CascadeOptions};
use lineament::models::{DETECTOR, LITE};
use lineament::{Landmarks, Lineament, Options, Rect};

use super::Subject;
use super::settings::{DetectorChoice, OUR_MARGIN};
use crate::boxes::{self, BoxRow};
use crate::error::{Error, Result};
use crate::model_file::read_model_file;

/// A detector, loaded; clones share their large parts.
#[derive(Debug, Clone)]
pub(super) enum Detector {
    /// Ours, with the landmark network that verifies the faces.
    Network(Box<Lineament>),
    Cascade(Arc<Cascade>),
    Boxes(Arc<BTreeMap<String, Vec<BoxRow>>>),
}

/// A face that a detector found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// In pixels of the photo.
    pub rect: Rect,
    /// Side of the usual crop divided by the box's longer side.
    pub margin: f32,
    /// The box is that of the 68 points, as our detector gives it.
    pub is_tight: bool,
    /// The answer of our landmark network, where it was run.
    pub landmarks: Option<Landmarks>,
}

impl Detector {
    /// Loads the choice; `min_score` is the lowest score that is kept.
    pub fn open(choice: &DetectorChoice, min_score: Option<f32>) -> Result<Self> {
        Ok(match choice {
            DetectorChoice::Ours => Self::network(DETECTOR, min_score)?,
            DetectorChoice::Network(path) => {
                Self::network(&read_model_file(path)?, min_score).map_err(|e| Error::model(path, e))?
            }
            DetectorChoice::Cascade(path) => {
                let xml = String::from_utf8_lossy(&read_model_file(path)?).into_owned();
                Self::Cascade(Arc::new(Cascade::parse(&xml).map_err(|e| Error::model(path, e))?))
            }
            DetectorChoice::Boxes(path) => Self::Boxes(Arc::new(boxes::read(path)?)),
        })
    }

    fn network(detector: &[u8], min_score: Option<f32>) -> lineament::Result<Self> {
        // The threshold of `lineament run`, unless a lower one is asked for.
        let usual = Options::default();
        let face_threshold = usual.face_threshold.min(min_score.unwrap_or(0.0));
        let options = Options { face_threshold, ..usual };
        Ok(Self::Network(Box::new(Lineament::with_models(options, detector, LITE)?)))
    }

    /// The faces of a photo, largest first.
    pub fn find(&mut self, subject: &Subject) -> Vec<Found> {
        let foreign = |rect| Found { rect, margin: 1.0, is_tight: false, landmarks: None };
        let mut found: Vec<Found> = match self {
            Self::Network(lineament) => {
                let ours = |rect, landmarks| Found { rect, margin: OUR_MARGIN, is_tight: true, landmarks };
                let faces = lineament.faces(&subject.view).into_iter();
                faces.map(|face| ours(face.detection.rect, Some(face.landmarks))).collect()
            }
            Self::Cascade(cascade) => {
                // The only error is options out of range, and the defaults are not.
                let boxes = cascade.detect(&subject.grey, &CascadeOptions::default()).unwrap_or_default();
                boxes.iter().map(|found| foreign(found.rect)).collect()
            }
            Self::Boxes(table) => {
                let rows = rows_of(table, subject.name).unwrap_or_default();
                rows.iter().map(|row| foreign(row.rect)).collect()
            }
        };
        found.sort_by(|a, b| b.rect.area().total_cmp(&a.rect.area()));
        found
    }

    /// Whether the photo called `name` is in the table; `None` where there is no table.
    pub fn lists(&self, name: &str) -> Option<bool> {
        match self {
            Self::Boxes(table) => Some(rows_of(table, name).is_some()),
            _ => None,
        }
    }
}

/// A photo's boxes are listed under its path below the annotated folder, or under its file name.
fn rows_of<'a>(table: &'a BTreeMap<String, Vec<BoxRow>>, name: &str) -> Option<&'a [BoxRow]> {
    let file_name = name.rsplit('/').next().unwrap_or(name);
    table.get(name).or_else(|| table.get(file_name)).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_found_by_path_then_by_file_name() {
        let row = |x: f32| vec![BoxRow { rect: Rect::from_xywh(x, 0.0, 1.0, 1.0), score: 1.0 }];
        let table = BTreeMap::from([("a.jpg".to_owned(), row(1.0)), ("x/a.jpg".to_owned(), row(2.0))]);
        for (name, x) in [("a.jpg", Some(1.0)), ("x/a.jpg", Some(2.0)), ("y/a.jpg", Some(1.0)), ("y/b.jpg", None)] {
            assert_eq!(rows_of(&table, name).map(|rows| rows[0].rect.x), x, "{name}");
        }
    }
}
