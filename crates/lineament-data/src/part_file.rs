//! Files that a reader sees whole or not at all: written under a temporary name, synced to the disk, then renamed.
//!
//! The crate `tempfile` chooses the temporary name and removes the file unless it is finished. The rest is ours,
//! because its `persist` only renames: without a sync, a power cut may leave the new name with an empty file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Ending of the temporary name.
const ENDING: &str = ".part";

/// Characters of the file's own name in the temporary one, which keeps it below the usual limit of 255 bytes.
const NAME_CHARS: usize = 60;

/// Most links that are followed from one name to the next, as Linux does.
const MAX_LINKS: usize = 40;

/// A file that grows in the folder where it will stay, under a temporary name that ends in `.part`. Dropped before
/// [`PartFile::finish`], it is removed. Its errors do not name the file: the caller adds the name.
///
/// A symbolic link stays: the file that it leads to is replaced.
#[derive(Debug)]
pub struct PartFile {
    path: PathBuf,
    /// `path` with symbolic links followed.
    target: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

/// The same error without the temporary name, which `tempfile` adds to its text.
fn without_name(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

impl PartFile {
    /// Starts a file that will be at `path`; makes missing folders.
    ///
    /// # Errors
    /// When the folder or the file cannot be made, or there is something at `path` that is not a regular file.
    pub fn create(path: &Path) -> io::Result<Self> {
        let target = follow_links(path)?;
        let name = target.file_name().ok_or_else(|| invalid("a file needs a name"))?.to_string_lossy();
        let existing = fs::metadata(&target).ok();
        if existing.as_ref().is_some_and(|found| !found.is_file()) {
            return Err(invalid("a folder or device is in the place of this file; choose another name"));
        }
        let folder = folder_of(&target);
        fs::create_dir_all(folder)?;
        let name = name.chars().take(NAME_CHARS).collect::<String>() + ".";
        let mut builder = tempfile::Builder::new();
        builder.prefix(&name).suffix(ENDING);
        #[cfg(unix)] // By default only the owner could read the file.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(without_name)?;
        if let Some(found) = existing {
            file.as_file().set_permissions(found.permissions())?;
        }
        Ok(Self { path: path.to_owned(), target, writer: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Writes all of a file at once.
    ///
    /// # Errors
    /// When it cannot be written; then what was at `path` is still there.
    pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut part = Self::create(path)?;
        part.write_all(bytes)?;
        part.finish()
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name that the file has until it is finished, for writers that open it themselves.
    pub fn temporary_path(&self) -> &Path {
        self.writer.get_ref().path()
    }

    /// Gives the file its name, and replaces a file that had it before. Content and name are on the disk afterwards.
    ///
    /// # Errors
    /// When the rest cannot be written, or the file cannot be renamed.
    pub fn finish(self) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.target).map_err(|e| e.error)?;
        sync_folder(folder_of(&self.target))
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

/// Where `path` leads to, also where there is no file yet (`canonicalize` would refuse that).
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = folder_of(&target).join(link),
            Err(_) => return Ok(target), // not a link
        }
    }
    Err(invalid("symbolic links lead in a circle"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings a folder's new name to the disk. Some systems cannot do it, and folders need not be readable: there the
/// content is safe, and the system writes the name when it likes.
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    if cfg!(windows) {
        return Ok(()); // folders cannot be opened
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(e) if matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
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
        let during = names(path.parent().unwrap());
        assert_eq!(during.len(), 3, "two may be written at the same time");
        assert!(during[1].starts_with("a.txt.") && during[1].ends_with(".part"), "{during:?}");
        drop(other);
        part.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(path.parent().unwrap()), ["a.txt"]);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["a/below a file", "b", "b/..", &"n".repeat(300)] {
            let error = PartFile::write_whole(&folder.path().join(name), b"new").expect_err(name).to_string();
            assert!(!error.contains(ENDING), "the temporary name is nobody's business: {error}");
        }
        assert_eq!(names(folder.path()), ["a", "b"]);
        PartFile::write_whole(&folder.path().join("n".repeat(250)), b"new").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("far")).unwrap();
        fs::write(at("far/a.txt"), "old").unwrap();
        symlink("far/a.txt", at("relative")).unwrap();
        symlink(at("relative"), at("absolute")).unwrap();
        symlink("far/new.txt", at("dangling")).unwrap();
        symlink("circle", at("circle")).unwrap();
        for (link, file, content) in
            [("relative", "far/a.txt", "1"), ("absolute", "far/a.txt", "2"), ("dangling", "far/new.txt", "3")]
        {
            PartFile::write_whole(&at(link), content.as_bytes()).unwrap();
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(fs::read_to_string(at(file)).unwrap(), content, "{link}");
        }
        assert_eq!(names(&at("far")), ["a.txt", "new.txt"]);
        assert!(PartFile::write_whole(&at("circle"), b"").unwrap_err().to_string().contains("circle"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions_and_a_new_one_has_the_usual_ones() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
        fs::write(at("usual"), "").unwrap();
        fs::write(at("secret"), "").unwrap();
        fs::set_permissions(at("secret"), PermissionsExt::from_mode(0o600)).unwrap();
        for name in ["new", "secret"] {
            PartFile::write_whole(&at(name), b"new").unwrap();
        }
        assert_eq!((mode("new"), mode("secret")), (mode("usual"), 0o600));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced() {
        let error = PartFile::write_whole(Path::new("/dev/null"), b"new").unwrap_err().to_string();
        assert!(error.contains("device"), "{error}");
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
