//! From the paths on the command line to photos: files, folders, patterns and standard input.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use lineament_data::Photo;
use lineament_data::folder::{self, is_photo};
use lineament_data::photo::{self, EXTENSIONS};

use crate::failure::usage;

/// Where the bytes of one photo come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// What standard input held.
    Bytes(Vec<u8>),
    /// A file.
    File(PathBuf),
}

impl Source {
    /// The name that results and errors carry.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin | Self::Bytes(_) => "-".into(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Reads and decodes the photo, upright. The error next to it tells what is wrong with a photo that can still be
    /// shown.
    ///
    /// # Errors
    /// When it cannot be read. Both texts start with [`Source::name`].
    pub fn read(&self) -> Result<(Photo, Option<anyhow::Error>)> {
        let bytes = match self {
            Self::File(path) => Cow::Owned(photo::read(path)?),
            Self::Stdin => Cow::Owned(read_stdin(io::stdin())?),
            Self::Bytes(bytes) => Cow::Borrowed(&bytes[..]),
        };
        let name = self.name();
        let photo = Photo::decode(&bytes).map_err(|e| match e {
            lineament_data::Error::Photo { reason, .. } => anyhow!("{name}: {reason}"),
            other => anyhow!(other).context(name.clone()),
        })?;
        let is_cut_off = photo::is_cut_off_jpeg(&bytes);
        let fault = is_cut_off.then(|| anyhow!("{name}: the JPEG's end is missing: the rest of the picture is grey"));
        Ok((photo, fault))
    }

    /// A photo from standard input, of which some bytes were read already.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_rest(rest: impl Read) -> Result<Self> {
        Ok(Self::Bytes(read_stdin(rest)?))
    }
}

fn read_stdin(stdin: impl Read) -> Result<Vec<u8>> {
    Ok(photo::read_from(stdin, Path::new("-"))?)
}

/// The inputs that the user named.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The photos, each once, in the order of the command line; those of a folder or pattern sorted by path.
    pub photos: Vec<Source>,
    /// The deepest folder that contains all inputs; outputs keep the folders below it.
    pub base: PathBuf,
    /// What could not be listed. The rest is processed.
    pub problems: Vec<anyhow::Error>,
}

impl Inputs {
    /// Lists the photos of `paths`.
    ///
    /// # Errors
    /// When `-` is given twice or standard input is a terminal.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self> {
        let mut listing = Listing::default();
        for path in paths {
            listing.add(path)?;
        }
        let base = listing.roots.iter().cloned().reduce(|a, b| common_folder(&a, &b)).unwrap_or_default();
        Ok(Self { photos: listing.photos, base, problems: listing.problems })
    }
}

#[derive(Default)]
struct Listing {
    photos: Vec<Source>,
    seen: HashSet<PathBuf>,
    stdin_seen: bool,
    roots: Vec<PathBuf>,
    problems: Vec<anyhow::Error>,
}

impl Listing {
    fn add(&mut self, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            if std::mem::replace(&mut self.stdin_seen, true) {
                return Err(usage("`-` is given twice: standard input holds one photo or video"));
            }
            if io::stdin().is_terminal() {
                return Err(usage(
                    "`-` reads a photo or video from standard input, which is the terminal: add `< photo.jpg`",
                ));
            }
            self.photos.push(Source::Stdin);
            return Ok(());
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path),
            Ok(_) => {
                self.roots.push(folder_of(path));
                self.push(path.to_owned());
            }
            Err(_) if is_pattern(path) => self.add_pattern(path),
            Err(e) => self.problems.push(anyhow!(e).context(path.display().to_string())),
        }
        Ok(())
    }

    fn add_folder(&mut self, path: &Path) {
        self.roots.push(normal(path));
        let mut found = Vec::new();
        let faults = self.problems.len();
        for file in folder::files(path) {
            match file {
                Ok(path) if is_photo(&path) => found.push(path),
                Ok(_) => {}
                Err(e) => self.problems.push(anyhow!(e)),
            }
        }
        if found.is_empty() && self.problems.len() == faults {
            self.problems.push(anyhow!(
                "{}: no photos ({}) in this folder; videos are named one by one",
                path.display(),
                EXTENSIONS.join(", ")
            ));
        }
        found.into_iter().for_each(|path| self.push(path));
    }

    fn add_pattern(&mut self, pattern: &Path) {
        let name = pattern.display();
        let listed = pattern.to_str().context("the pattern is not valid Unicode").and_then(|p| Ok(glob::glob(p)?));
        let matches = match listed {
            Ok(matches) => matches,
            Err(e) => return self.problems.push(e.context(format!("{name}: not a usable pattern"))),
        };
        let before = self.photos.len() + self.problems.len();
        self.roots.push(normal(&pattern.components().take_while(|c| !is_wild(c)).collect::<PathBuf>()));
        // `glob` yields paths in alphabetical order.
        for entry in matches {
            match entry {
                Ok(path) if path.is_dir() => self.add_folder(&path),
                Ok(path) => self.push(path),
                Err(e) => self.problems.push(anyhow!(e)),
            }
        }
        if self.photos.len() + self.problems.len() == before {
            self.problems.push(anyhow!("{name}: no file has this name or matches this pattern"));
        }
    }

    fn push(&mut self, path: PathBuf) {
        if self.seen.insert(normal(&path)) {
            self.photos.push(Source::File(path));
        }
    }
}

fn is_pattern(path: &Path) -> bool {
    path.components().any(|c| is_wild(&c))
}

fn is_wild(component: &Component) -> bool {
    component.as_os_str().to_string_lossy().contains(['*', '?', '['])
}

fn folder_of(file: &Path) -> PathBuf {
    normal(file).parent().map(Path::to_owned).unwrap_or_default()
}

/// Absolute, without `.` and `..`; only the names count, links are not followed.
pub fn normal(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut normal = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn common_folder(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_folder_holds_both() {
        for (a, b, common) in
            [("/a/b", "/a/b", "/a/b"), ("/a/b/c", "/a/x/c", "/a"), ("/a", "/ab", "/"), ("/a/b", "/a", "/a")]
        {
            assert_eq!(common_folder(Path::new(a), Path::new(b)), Path::new(common));
        }
    }

    #[test]
    fn a_path_has_one_normal_form() {
        assert_eq!(normal(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("x")), std::env::current_dir().unwrap().join("x"));
    }
}
