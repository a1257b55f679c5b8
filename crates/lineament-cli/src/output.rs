//! Writes files so that a reader sees a whole file or none, and never over a photo that is being read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament_data::PartFile;

use crate::inputs::Source;

/// Writes files, except over the photos of this run.
#[derive(Debug)]
pub struct Files {
    photos: HashSet<PathBuf>,
}

impl Files {
    /// Protects `photos`.
    pub fn protecting(photos: &[Source]) -> Self {
        let real = |source: &Source| match source {
            Source::File(path) => path.canonicalize().ok(),
            Source::Stdin | Source::Bytes(_) => None,
        };
        Self { photos: photos.iter().filter_map(real).collect() }
    }

    /// Writes `bytes` under a temporary name beside `path`, then renames; makes missing folders.
    ///
    /// # Errors
    /// When `path` is one of the photos, or cannot be written.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.check(path)?;
        PartFile::write_whole(path, bytes).with_context(|| cannot_write(path))
    }

    /// Refuses to write over what is read.
    ///
    /// # Errors
    /// When `path` is one of the inputs.
    pub fn check(&self, path: &Path) -> Result<()> {
        if path.canonicalize().is_ok_and(|real| self.photos.contains(&real)) {
            bail!("{}: is what is read and is left as it is; choose another place to write to", path.display());
        }
        Ok(())
    }
}

/// Fails early where nothing could be written later.
///
/// # Errors
/// When `folder` cannot be made or written to.
pub fn check_folder(folder: &Path) -> Result<()> {
    // It is never finished, so nothing is left of it.
    PartFile::create(&folder.join("probe"))
        .map(drop)
        .with_context(|| format!("{}: cannot write into this folder; choose another", folder.display()))
}

/// How an error about a file that is written begins.
pub fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write", path.display())
}
