//! A file that is written under a temporary name and renamed when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// Gone when it is dropped before [`PartFile::finish`].
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    writer: BufWriter<File>,
}

impl PartFile {
    /// Starts the file beside `path`; makes missing folders.
    pub fn create(path: &Path) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}-{number}.part", process::id()));
        let part = PathBuf::from(part);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = folder.and_then(|()| File::create(&part)).map_err(|e| Error::file(path, e))?;
        Ok(Self { path: path.to_owned(), part, writer: BufWriter::with_capacity(1 << 16, file) })
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<()> {
        let done = self.writer.flush().and_then(|()| fs::rename(&self.part, &self.path));
        done.map_err(|e| Error::file(&self.path, e))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part); // after `finish` there is none
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
