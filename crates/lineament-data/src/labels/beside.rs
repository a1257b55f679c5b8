//! Label files that lie next to their photos, or in a folder of the same shape.

use std::path::{Path, PathBuf};
use std::vec;

use super::{BadRow, Reason, Row, folder_of};
use crate::error::{Error, Result};
use crate::folder::{self, has_extension, is_photo};
use crate::photo::EXTENSIONS;

/// The label files of a folder and the folders below it, one after the other. The names are kept in memory.
pub struct Beside {
    /// The folder that the names of photos are relative to on the side of the labels.
    labels: PathBuf,
    photos: PathBuf,
    files: vec::IntoIter<PathBuf>,
    count: usize,
}

impl Beside {
    /// Lists `path`, a folder or one label file. `is_label` chooses the label files, and `kind` names them.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a folder without them, [`Error::File`] when a folder cannot be read.
    pub fn new(path: &Path, photos: &Path, kind: &str, is_label: impl Fn(&Path) -> bool) -> Result<Self> {
        let (labels, files) = if path.is_dir() {
            let mut files = folder::files(path).collect::<Result<Vec<_>>>()?;
            files.retain(|file| is_label(file) || is_photo(file));
            if !files.iter().any(|file| is_label(file)) {
                return Err(Error::dataset(path, format!("no {kind}")));
            }
            (path, files)
        } else {
            (folder_of(path), vec![path.to_owned()])
        };
        let count = files.len();
        Ok(Self { labels: labels.to_owned(), photos: photos.to_owned(), files: files.into_iter(), count })
    }

    /// The next label file or photo.
    pub fn next_file(&mut self) -> Option<PathBuf> {
        self.files.next()
    }

    /// The next row of label files whose names are those of their photos with another extension: what `read` makes of
    /// the next one, or `Err` of a photo that has none.
    pub fn next_row(
        &mut self,
        extension: &str,
        unlabelled: &'static str,
        read: impl FnOnce(&Self, &Path) -> Result<Row, BadRow>,
    ) -> Option<Row> {
        while let Some(file) = self.next_file() {
            if has_extension(&file, extension) {
                return Some(read(self, &file).unwrap_or_else(Row::Bad));
            }
            if !file.with_extension(extension).is_file() {
                return Some(Row::LeftOut(unlabelled));
            }
        }
        None
    }

    pub fn share_read(&self) -> f64 {
        1.0 - self.files.len() as f64 / self.count.max(1) as f64
    }

    /// A path below the folder of the labels, with `/`.
    ///
    /// # Errors
    /// For a name that is not UTF-8, which a table cannot hold.
    pub fn below(&self, file: &Path) -> Result<String, BadRow> {
        let below = file.strip_prefix(&self.labels).unwrap_or(file);
        let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
        parts.map(|parts| parts.join("/")).ok_or_else(|| {
            BadRow::unreadable(file.display().to_string(), "the name is not text in UTF-8; rename the file")
        })
    }

    /// The photo with the name of a label file: the same path, with a photo's extension.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn photo_of(&self, label: &Path) -> Result<String, BadRow> {
        let name = self.below(label)?;
        let is_there = |extension: &str| self.photos.join(&name).with_extension(extension).is_file();
        let mut found = Vec::new();
        for extension in EXTENSIONS {
            // A file system that does not distinguish capital letters has both.
            let capital = extension.to_ascii_uppercase();
            found.extend([extension, &capital].into_iter().find(|e| is_there(e)).map(str::to_owned));
        }
        let bad = |detail: String| BadRow { reason: Reason::PhotoMissing, place: label.display().to_string(), detail };
        let named = |extension: &String| {
            let photo = Path::new(&name).with_extension(extension);
            photo.to_str().unwrap_or(&name).replace('\\', "/")
        };
        match &found[..] {
            [one] => Ok(named(one)),
            [] => Err(bad(format!(
                "no photo of the same name ({}) in {}",
                EXTENSIONS.join(", "),
                self.photos.join(&name).parent().unwrap_or(&self.photos).display()
            ))),
            [a, b, ..] => Err(bad(format!("belongs to both {} and {}; rename one", named(a), named(b)))),
        }
    }
}
