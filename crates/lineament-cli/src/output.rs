//! Writes files so that a reader sees a whole file or none, and never over a photo that is being read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};

use crate::inputs::Source;
use crate::names::with_suffix;

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
        let part = part_name(path);
        let written =
            make_folder_of(path).and_then(|()| fs::write(&part, bytes)).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            let _ = fs::remove_file(&part); // the error that is reported is the first one
        }
        written.with_context(|| cannot_write(path))
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

/// A file that grows during the run; it gets its name when it is whole.
#[derive(Debug)]
pub struct GrowingFile {
    path: PathBuf,
    part: PathBuf,
    writer: BufWriter<File>,
}

impl GrowingFile {
    /// Starts the file; what is written lies beside `path` under a name that ends in `.part`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: PathBuf) -> Result<Self> {
        let part = part_name(&path);
        let file = make_folder_of(&path).and_then(|()| File::create(&part)).with_context(|| cannot_write(&path))?;
        Ok(Self { path, part, writer: BufWriter::new(file) })
    }

    /// Adds `text`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, text: &str) -> Result<()> {
        self.writer.write_all(text.as_bytes()).with_context(|| cannot_write(&self.part))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn finish(mut self) -> Result<()> {
        self.writer.flush().and_then(|()| fs::rename(&self.part, &self.path)).with_context(|| cannot_write(&self.path))
    }
}

/// A file that did not become whole goes away.
impl Drop for GrowingFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part); // nothing is there after `finish`
    }
}

/// For what is no text. Errors carry no name: whoever writes adds it.
impl Write for GrowingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for GrowingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

/// Fails early where nothing could be written later.
///
/// # Errors
/// When `folder` cannot be made or written to.
pub fn check_folder(folder: &Path) -> Result<()> {
    let probe = part_name(&folder.join("probe"));
    let checked =
        fs::create_dir_all(folder).and_then(|()| fs::write(&probe, "")).and_then(|()| fs::remove_file(&probe));
    checked.with_context(|| format!("{}: cannot write into this folder; choose another", folder.display()))
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Unique on this machine.
fn part_name(path: &Path) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    with_suffix(path, &format!(".{}-{number}.part", process::id()))
}

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write", path.display())
}
