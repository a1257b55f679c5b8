//! The files of a training run: their names within its folder, and how they are written.

use std::path::Path;

use lineament_data::part_file::PartFile;

use crate::error::{Error, Result};

/// The configuration, written before the first step.
pub const CONFIG: &str = "config.toml";
/// Everything needed to go on.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// The exported model.
pub const MODEL: &str = "model.onnx";
/// Figures of each validated epoch.
pub const CURVES: &str = "curves.csv";
/// The same, drawn.
pub const PICTURE: &str = "curves.png";

/// Whether a run can start (or go on, with `resume`) in the folder `dir`: to be known before the photos are read.
///
/// # Errors
/// [`Error::File`] with the remedy.
pub fn check_folder(dir: &Path, resume: bool) -> Result<()> {
    match (resume, dir.join(CHECKPOINT).exists()) {
        (true, false) => Err(Error::file(dir, "no checkpoint to go on from: start without --resume")),
        (false, true) => {
            Err(Error::file(dir, "a run's checkpoint is here already: add --resume, or choose another folder"))
        }
        _ => Ok(()),
    }
}

/// Writes a whole file: a reader sees all of it or nothing.
///
/// # Errors
/// [`Error::File`] when it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    PartFile::write_whole(path, bytes).map_err(|e| Error::file(path, e))
}
