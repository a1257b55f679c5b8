//! Where a photo is, as seen from a source and from a table.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::text::excerpt;

/// A photo's path below the folder of the photos, with `/`, from what a source writes. An absolute path is accepted
/// where it leads into that folder, which `real` names without links.
///
/// # Errors
/// A sentence for a path that leads out of the folder.
pub fn below(written: &str, real: &Path) -> Result<String, String> {
    let written = written.trim().replace('\\', "/");
    let has_drive = written.as_bytes().get(1) == Some(&b':');
    let mut path = Path::new(&written);
    if path.is_absolute()
        && let Ok(inside) = path.strip_prefix(real)
    {
        path = inside;
    } else if path.has_root() || has_drive {
        return Err(format!("`{}` is an absolute path outside of {}; {REMEDY}", excerpt(&written), real.display()));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.extend(name.to_str()),
            Component::CurDir => {}
            _ => {
                if parts.pop().is_none() {
                    return Err(format!("`{}` leads out of {}; {REMEDY}", excerpt(&written), real.display()));
                }
            }
        }
    }
    match parts.is_empty() {
        true => Err(format!("`{}` is no path of a photo", excerpt(&written))),
        false => Ok(parts.join("/")),
    }
}

const REMEDY: &str = "write paths relative to the folder of the photos (--photos DIR)";

/// The path from one folder to another, with `/`; empty for the same one. Both are [`real`].
pub fn relative(from: &Path, to: &Path) -> Result<String, String> {
    let mut ups = from.components();
    let mut downs = to.components();
    while let (Some(a), Some(b)) = (ups.clone().next(), downs.clone().next())
        && a == b
    {
        ups.next();
        downs.next();
    }
    let mut parts = vec!["..".to_owned(); ups.count()];
    for part in downs {
        match part {
            Component::Normal(name) => match name.to_str() {
                Some(name) => parts.push(name.to_owned()),
                None => return Err(format!("{}: the name is not text in UTF-8", to.display())),
            },
            _ => return Err(format!("no path leads from {} to {}", from.display(), to.display())),
        }
    }
    Ok(parts.join("/"))
}

/// The path without links and `..`; what is not there yet stays as it is.
pub fn real(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut missing = Vec::new();
    for there in path.ancestors() {
        match there.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path, name| path.join(name))),
            Err(_) => missing.extend(there.file_name()),
        }
    }
    Ok(path)
}
