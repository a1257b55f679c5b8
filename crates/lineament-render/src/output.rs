//! Folders of rendered photos, each with its points, as the trainer reads them.

use std::path::{Path, PathBuf};

use lineament::Point;
use lineament_data::{PartFile, pts};

use crate::error::{Error, Result};
use crate::{Rendered, Renderer};

/// JPEG quality: the trainer compresses some of the crops again.
const QUALITY: u8 = 92;

/// The photo and the `.pts` file of a number.
pub fn paths(folder: &Path, number: u64) -> [PathBuf; 2] {
    ["jpg", "pts"].map(|ending| folder.join(format!("{number:07}.{ending}")))
}

/// Whether the picture of a number is there already. The points are written last.
pub fn exists(folder: &Path, number: u64) -> bool {
    paths(folder, number).iter().all(|path| path.exists())
}

/// Renders the picture of a number, which is its seed, and writes `NUMBER.jpg` and `NUMBER.pts`.
///
/// # Errors
/// [`Error::File`] naming the file that cannot be written.
pub fn write(renderer: &Renderer, folder: &Path, number: u64, size: usize) -> Result<Rendered> {
    let rendered = renderer.render(number, size);
    let points: Vec<Point> = rendered.labels.iter().map(|label| label.point).collect();
    let [photo, points_path] = paths(folder, number);
    let bytes = [rendered.photo.jpeg(QUALITY), pts::format(&points).into_bytes()];
    for (path, bytes) in [&photo, &points_path].into_iter().zip(bytes) {
        PartFile::write_whole(path, &bytes).map_err(|e| Error::file(path, e))?;
    }
    Ok(rendered)
}
