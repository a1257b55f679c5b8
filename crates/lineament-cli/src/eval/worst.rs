//! The worst photos, as a list and as pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::five_points;
use lineament::{Detection, Face, Landmarks, Pose, Rect};
use lineament_data::{Photo, PhotoResult};
use serde::Serialize;

use crate::inputs::Source;
use crate::output::Files;
use crate::picture::encode;

/// One of the worst photos.
#[derive(Serialize)]
pub struct Worst {
    pub name: String,
    pub path: PathBuf,
    /// Mean error of the 68 points in percent; `null` when the face was not found.
    pub nme68: Option<f64>,
    /// Mean error of the 51 inner points.
    pub nme51: Option<f64>,
}

impl From<PhotoResult> for Worst {
    fn from(PhotoResult { name, path, nme68, nme51, .. }: PhotoResult) -> Self {
        Self { name, path, nme68, nme51 }
    }
}

/// Sorts: photos in which the face was not found first, then the largest errors; names decide between equal ones.
pub fn worst_first(results: &mut [PhotoResult]) {
    let error = |r: &PhotoResult| r.nme68.unwrap_or(f64::INFINITY);
    results.sort_by(|a, b| error(b).total_cmp(&error(a)).then_with(|| a.name.cmp(&b.name)));
}

/// Draws the photos into `folder`, as `001_NAME.jpg` and so on.
///
/// # Errors
/// When a photo cannot be read or a picture cannot be written.
pub fn draw_all(results: &[PhotoResult], folder: &Path) -> Result<()> {
    let photos: Vec<Source> = results.iter().map(|r| Source::File(r.path.clone())).collect();
    let files = Files::protecting(&photos);
    for (i, result) in results.iter().enumerate() {
        let path = folder.join(format!("{:03}_{}.jpg", i + 1, result.name.replace('/', "_")));
        let picture = draw(result).with_context(|| format!("{}: cannot draw", result.path.display()))?;
        files.write(&path, &picture)?;
    }
    Ok(())
}

/// The photo with the model's lines and the true points as dots, as JPEG.
fn draw(result: &PhotoResult) -> Result<Vec<u8>> {
    let mut photo = Photo::open(&result.path)?;
    let mut canvas = Canvas::from_view(&photo.view());
    if let Some(face) = &result.face {
        canvas.draw_face(face, &DrawOptions { points: false, rect: false, ..DrawOptions::default() });
    }
    let (points, rect) = (result.truth, Rect::bounding(&result.truth).unwrap_or_default());
    let landmarks = Landmarks { points, errors: [0.0; _], score: 1.0, pose: Pose::default() };
    let truth = Face { detection: Detection { rect, points: five_points(&points), score: 1.0 }, landmarks };
    canvas.draw_face(&truth, &DrawOptions { outlines: false, points: true, rect: false, ..DrawOptions::default() });
    // [h, w, RGBA] -> [h, w, RGB]
    for (rgb, rgba) in photo.pixels.chunks_exact_mut(3).zip(canvas.pixels().chunks_exact(4)) {
        rgb.copy_from_slice(&rgba[..3]);
    }
    encode(&photo, true)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A photo with this error, or without a face found.
    pub fn result(name: &str, nme68: Option<f64>) -> PhotoResult {
        PhotoResult {
            name: name.into(),
            path: format!("{name}.jpg").into(),
            found: nme68.is_some(),
            nme68,
            nme51: nme68,
            face: None,
            truth: [lineament::Point::new(1.0, 2.0); 68],
        }
    }

    #[test]
    fn the_worst_are_those_not_found_then_the_largest_errors() {
        let mut results = [("c", Some(3.0)), ("b", None), ("d", Some(9.0)), ("a", None)].map(|(n, e)| result(n, e));
        worst_first(&mut results);
        assert_eq!(results.map(|r| r.name), ["a", "b", "d", "c"]);
    }
}
