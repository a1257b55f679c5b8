//! Files that a reader sees whole or not at all: written under a temporary name, renamed at the end.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that grows beside its place, under a name that ends in `.part`. It is gone when it is dropped before
/// [`PartFile::finish`]. Its errors do not name the file: whoever writes adds the name.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    part: PathBuf,
    writer: BufWriter<File>,
}

impl PartFile {
    /// Starts the file beside `path`; makes missing folders.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}-{number}.part", process::id())); // unique on this machine
        let part = PathBuf::from(part);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let writer = BufWriter::with_capacity(1 << 16, File::create(&part)?);
        Ok(Self { path: path.to_owned(), part, writer })
    }

    /// Writes all of a file at once.
    ///
    /// # Errors
    /// When it cannot be written; what was at `path` is still there then.
    pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut part = Self::create(path)?;
        part.write_all(bytes)?;
        part.finish()
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, over a file that had it before.
    ///
    /// # Errors
    /// When what is left cannot be written, or the file cannot be renamed.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()?;
        fs::rename(&self.part, &self.path)
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

impl Seek for PartFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.writer.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.txt");
        PartFile::write_whole(&path, b"old").unwrap();
        let mut part = PartFile::create(&path).unwrap();
        part.write_all(b"nwe").unwrap();
        part.seek(SeekFrom::Start(1)).unwrap();
        part.write_all(b"ew").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let other = PartFile::create(&path).unwrap();
        assert_eq!(names(path.parent().unwrap()).len(), 3, "two may be written at the same time");
        drop(other);
        part.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(path.parent().unwrap()), ["a.txt"]);
        assert!(PartFile::create(&path.join("b")).is_err(), "a file is no folder");
    }
}
