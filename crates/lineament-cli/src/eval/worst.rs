//! The worst photos, as a list and as pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::Topology;
use lineament::{Detection, Face, Landmarks};
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
    /// Mean error of the points in percent; `null` when the face was not found.
    pub nme: Option<f64>,
    /// The same of the iBUG 68 points, under its earlier name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nme68: Option<Option<f64>>,
    /// Mean error of the 51 inner points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nme51: Option<Option<f64>>,
}

impl Worst {
    pub fn new(topology: &Topology, PhotoResult { name, path, nme, nme51, .. }: PhotoResult) -> Self {
        let is_68 = topology.is_ibug68();
        Self { name, path, nme, nme68: is_68.then_some(nme), nme51: is_68.then_some(nme51) }
    }
}

/// Sorts: photos in which the face was not found first, then the largest errors; names decide between equal ones.
pub fn worst_first(results: &mut [PhotoResult]) {
    let error = |r: &PhotoResult| r.nme.unwrap_or(f64::INFINITY);
    results.sort_by(|a, b| error(b).total_cmp(&error(a)).then_with(|| a.name.cmp(&b.name)));
}

/// Draws the photos into `folder`, as `001_NAME.jpg` and so on.
///
/// # Errors
/// When a photo cannot be read or a picture cannot be written.
pub fn draw_all(topology: &Topology, results: &[PhotoResult], folder: &Path) -> Result<()> {
    let photos: Vec<Source> = results.iter().map(|r| Source::File(r.path.clone())).collect();
    let files = Files::protecting(&photos);
    for (i, result) in results.iter().enumerate() {
        let path = folder.join(format!("{:03}_{}.jpg", i + 1, result.name.replace('/', "_")));
        let picture = draw(topology, result).with_context(|| format!("{}: cannot draw", result.path.display()))?;
        files.write(&path, &picture)?;
    }
    Ok(())
}

/// The photo with the model's lines and the true points as dots, as JPEG.
fn draw(topology: &Topology, result: &PhotoResult) -> Result<Vec<u8>> {
    let mut photo = Photo::open(&result.path)?;
    let mut canvas = Canvas::from_view(&photo.view());
    if let Some(face) = &result.face {
        canvas.draw_face(face, &DrawOptions { points: false, rect: false, ..DrawOptions::default() });
    }
    let (points, rect) = (result.truth.clone(), topology.rect(&result.truth));
    let detection = Detection { rect, points: topology.five(&points), score: 1.0 };
    let truth = Face { detection, landmarks: Landmarks::new(topology.clone(), points, vec![0.0; topology.len()], 1.0) };
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
    pub fn result(name: &str, nme: Option<f64>) -> PhotoResult {
        PhotoResult {
            name: name.into(),
            path: format!("{name}.jpg").into(),
            found: nme.is_some(),
            nme,
            nme51: nme,
            face: None,
            truth: vec![lineament::Point::new(1.0, 2.0); 68],
        }
    }

    #[test]
    fn the_worst_are_those_not_found_then_the_largest_errors() {
        let mut results = [("c", Some(3.0)), ("b", None), ("d", Some(9.0)), ("a", None)].map(|(n, e)| result(n, e));
        worst_first(&mut results);
        assert_eq!(results.map(|r| r.name), ["a", "b", "d", "c"]);
    }
}
