//! The files of a folder and the folders below it.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::error::{Error, Result};
use crate::photo::EXTENSIONS;

/// The files below `folder`, sorted by path, linked files included. What cannot be listed is an error between them.
///
/// Hidden files and folders are left out: memory cards of cameras and phones are full of `._x.jpg` files that are not
/// pictures. Linked folders are left out, too: they may lead in a circle, or to files that are listed already.
pub fn files(folder: &Path) -> impl Iterator<Item = Result<PathBuf>> {
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    let entries = walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry));
    entries.filter_map(|entry| match entry {
        Ok(entry) => entry.path().is_file().then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(unlisted(error))),
    })
}

/// Whether the name of a file is that of a photo that we read.
pub fn is_photo(path: &Path) -> bool {
    EXTENSIONS.iter().any(|known| has_extension(path, known))
}

/// Whether a file's name ends in `.extension`, in small or capital letters.
pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn unlisted(error: walkdir::Error) -> Error {
    let path = error.path().unwrap_or(Path::new("")).to_owned();
    // Without walkdir's own words, which name the path a second time.
    let text = error.to_string();
    Error::file(&path, error.into_io_error().unwrap_or_else(|| io::Error::other(text)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn made(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn listed(folder: &Path) -> Vec<String> {
        let below = |path: PathBuf| path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        files(folder).map(|file| below(file.unwrap())).collect()
    }

    #[test]
    fn files_come_sorted_by_path_without_hidden_ones() {
        let folder = made(&["b.jpg", "a.txt", "a/z.png", "a/b/c", ".hidden.jpg", ".git/x.jpg", "a/._z.png"]);
        let found = listed(folder.path());
        assert_eq!(found, ["a/b/c", "a/z.png", "a.txt", "b.jpg"]);
        let paths: Vec<&Path> = found.iter().map(Path::new).collect();
        assert!(paths.is_sorted());
    }

    #[test]
    fn a_folder_that_is_hidden_itself_is_listed_when_it_is_named() {
        let folder = made(&[".photos/a.jpg"]);
        assert_eq!(listed(&folder.path().join(".photos")), ["a.jpg"]);
    }

    #[cfg(unix)]
    #[test]
    fn linked_files_are_listed_and_linked_folders_are_not() {
        use std::os::unix::fs::symlink;

        let folder = made(&["photos/a.jpg", "elsewhere/b.jpg"]);
        let at = |name: &str| folder.path().join(name);
        symlink(at("elsewhere/b.jpg"), at("photos/b.jpg")).unwrap();
        symlink(at("elsewhere"), at("photos/linked")).unwrap();
        symlink(at("photos"), at("photos/circle")).unwrap();
        symlink(at("nothing"), at("photos/broken.jpg")).unwrap();
        symlink(at("photos"), at("link")).unwrap();
        assert_eq!(listed(&at("photos")), ["a.jpg", "b.jpg"]);
        assert_eq!(listed(&at("link")), ["a.jpg", "b.jpg"], "the folder that is named may be a link");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = files(Path::new("/nonexistent/photos")).next().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/photos: No such file"), "{error}");
    }

    #[test]
    fn names_tell_photos_in_small_and_capital_letters() {
        for (name, expected) in [("a.jpg", true), ("a.JPEG", true), ("a.pts", false), ("jpg", false), (".jpg", false)] {
            assert_eq!(is_photo(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_missing_folder_is_named_once_with_the_cause() {
        let missing = Path::new("/nonexistent/photos");
        let error = files(missing).next().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/photos: ") && error.matches("nonexistent").count() == 1, "{error}");
    }
}
