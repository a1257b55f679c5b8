//! Names of outputs: photos of the same name in different folders must not overwrite each other.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::inputs::{Inputs, Source, normal};

/// For each photo its name below an output folder, without extension: the photo's path below [`Inputs::base`] without
/// its extension. Where two photos of a folder would share a name, as `a.jpg` and `a.png`, both keep their extension.
/// Names that still clash get a number.
pub fn output_names(inputs: &Inputs) -> Vec<PathBuf> {
    let wholes: Vec<PathBuf> = inputs.photos.iter().map(|source| below(source, &inputs.base)).collect();
    let mut uses = HashMap::new();
    for whole in &wholes {
        *uses.entry(whole.with_extension("")).or_insert(0) += 1;
    }
    let mut taken = HashSet::new();
    wholes
        .into_iter()
        .map(|whole| {
            let stem = whole.with_extension("");
            let name = if uses[&stem] == 1 && !looks_like_another_face(&stem) { stem } else { whole };
            let numbered = |n: usize| if n == 1 { name.clone() } else { with_suffix(&name, &format!("-{n}")) };
            let free = (1..).map(numbered).find(|name| taken.insert(name.clone()));
            free.expect("some number is free")
        })
        .collect()
}

/// `name` with an ending. Unlike `Path::with_extension` it keeps dots that the name has already.
pub fn with_suffix(name: &Path, suffix: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The ending of the second and later faces of one photo, where each face has its own file.
pub fn face_suffix(face: usize) -> String {
    if face == 0 { String::new() } else { format!(".face{}", face + 1) }
}

/// The results of a photo `a.face2.jpg` must not get the name of the second face of `a.jpg`.
fn looks_like_another_face(stem: &Path) -> bool {
    let ending = stem.extension().and_then(|e| e.to_str()).and_then(|e| e.strip_prefix("face"));
    ending.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()))
}

/// A photo's path below `base`, with `/` between the parts.
pub fn name_below(photo: &Path, base: &Path) -> String {
    let whole = below(&Source::File(photo.to_owned()), base);
    whole.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Keeps only plain names, so that no path leads out of the output folder.
fn below(source: &Source, base: &Path) -> PathBuf {
    let Source::File(path) = source else { return "stdin".into() };
    let whole = normal(path);
    let relative = whole.strip_prefix(base).unwrap_or(&whole);
    relative.components().filter(|c| matches!(c, Component::Normal(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_outputs_share_a_name() {
        struct Case {
            photos: &'static [&'static str],
            names: &'static [&'static str],
        }
        for Case { photos, names } in [
            Case { photos: &["/p/a.jpg"], names: &["a"] },
            Case { photos: &["/p/x/a.jpg", "/p/y/a.jpg"], names: &["x/a", "y/a"] },
            Case { photos: &["/p/a.jpg", "/p/a.png", "/p/b.png"], names: &["a.jpg", "a.png", "b"] },
            Case { photos: &["/p/a.b.jpg", "/p/a.c.jpg"], names: &["a.b", "a.c"] },
            Case { photos: &["/p/a.jpg", "/p/a.face2.jpg"], names: &["a", "a.face2.jpg"] },
            Case { photos: &["/p/a.jpg", "/p/a.png", "/p/a.jpg.bmp"], names: &["a.jpg", "a.png", "a.jpg-2"] },
            Case { photos: &["-", "/p/stdin.jpg"], names: &["stdin", "stdin.jpg"] },
            Case { photos: &["/elsewhere/a.jpg"], names: &["elsewhere/a"] },
        ] {
            let source = |p: &&str| if *p == "-" { Source::Stdin } else { Source::File(p.into()) };
            let photos = photos.iter().map(source).collect();
            let inputs = Inputs { photos, base: "/p".into(), problems: Vec::new() };
            assert_eq!(
                output_names(&inputs),
                names.iter().map(PathBuf::from).collect::<Vec<_>>(),
                "{:?}",
                inputs.photos
            );
        }
    }
}
