//! Writes to standard output and to files. A file appears whole or not at all, and never replaces a photo that is read.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament_data::PartFile;

use crate::failure::{self, OrTry as _};
use crate::inputs::Source;

/// Writes to standard output, at once: whoever reads it need not wait for more.
///
/// # Errors
/// When that fails; [`failure::is_closed_pipe`] tells whether the reader has left.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(failure::printing)
}

/// Writes files, except over the inputs.
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

    /// Writes `bytes` under a temporary name in the folder of `path`, then renames; makes missing folders.
    ///
    /// # Errors
    /// When `path` is one of the inputs, or cannot be written.
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

/// Fails before the work where its results could not be written.
///
/// # Errors
/// When `folder` cannot be made or written to.
pub fn check_folder(folder: &Path) -> Result<()> {
    // It is never finished, so nothing is left of it.
    PartFile::create(&folder.join("probe"))
        .map(drop)
        .with_context(|| format!("{}: cannot write into this folder", folder.display()))
        .or_try("choose another")
}

/// The start of an error about a file that cannot be written.
pub fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write", path.display())
}
