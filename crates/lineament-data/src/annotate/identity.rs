//! What must be the same for unfinished work to be resumed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::job::Input;
use super::settings::{DetectorChoice, PointsChoice, Settings};
use crate::error::{Error, Result};
use crate::stable_hash::StableHash;

/// Settings as text, by the names of the program's options.
pub(super) type Identity = BTreeMap<String, String>;

/// The program that began the work.
pub(super) const VERSION: &str = "version";

/// How names and files are hashed. Work that was begun without this entry used the hash of the standard library, which
/// changes with the compiler.
pub(super) const HASH: &str = "hash";

/// The identity of work on these photos.
pub(super) fn identity(settings: &Settings, photos: &[Input]) -> Result<Identity> {
    let detector = |choice: &DetectorChoice| match choice {
        DetectorChoice::Ours => Ok("ours".to_owned()),
        DetectorChoice::Network(path) => name_and_hash(path),
        DetectorChoice::Cascade(path) => Ok(format!("cascade:{}", name_and_hash(path)?)),
        DetectorChoice::Boxes(path) => Ok(format!("boxes:{}", name_and_hash(path)?)),
    };
    let points = match &settings.points {
        PointsChoice::Ours => "ours".to_owned(),
        PointsChoice::Network(path) => name_and_hash(path)?,
        PointsChoice::Dlib(path) => format!("dlib:{}", name_and_hash(path)?),
        PointsChoice::Pts(topology) if Path::new(topology).is_file() => {
            format!("pts:{}", name_and_hash(Path::new(topology))?)
        }
        PointsChoice::Pts(_) => settings.points.to_string(),
    };
    let mut names = StableHash::new();
    for photo in photos {
        names.write(photo.name.as_bytes());
        names.write(&[0]); // names end, so that `ab`, `c` is not `a`, `bc`
    }
    let filters = &settings.filters;
    let range = filters.brightness.as_ref().map(|range| format!("{}..{}", range.start(), range.end()));
    let identity = [
        (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (HASH, "fnv-1a".to_owned()),
        ("PHOTOS", format!("{} with the names {:016x}", photos.len(), names.finish())),
        ("--detector", settings.detectors.iter().map(detector).collect::<Result<Vec<_>>>()?.join(", then ")),
        ("--points", points),
        ("--points-on", settings.points_on.to_string()),
        ("--margin", settings.margin.map_or("the usual".into(), |margin| margin.to_string())),
        ("--faces", settings.faces.to_string()),
        ("--brightness", or_off(range)),
        ("--min-contrast", or_off(filters.min_contrast)),
        ("--min-sharpness", or_off(filters.min_sharpness)),
        ("--min-score", or_off(filters.min_score)),
        ("--max-outside", or_off(filters.max_outside)),
        ("--max-expected-error", or_off(filters.max_expected_error)),
    ];
    Ok(identity.map(|(name, value)| (name.to_owned(), value)).into())
}

fn or_off(limit: Option<impl ToString>) -> String {
    limit.map_or("off".into(), |limit| limit.to_string())
}

/// A file's name and the hash of its content, so that work begun with one file is not resumed with another.
fn name_and_hash(path: &Path) -> Result<String> {
    let fault = |e| Error::file(path, e);
    let mut file = File::open(path).map_err(fault)?;
    let (mut hash, mut block) = (StableHash::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(fault)? {
            0 => break,
            n => hash.write(&block[..n]),
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name} with the content {:016x}", hash.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_the_same_work_never_changes() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("boxes.csv");
        std::fs::write(&table, "file,x,y,w,h,score\n").unwrap();
        let settings = Settings { detectors: vec![DetectorChoice::Boxes(table)], ..Settings::default() };
        let input = |name: &str| Input { name: name.into(), path: name.into() };
        let of =
            |names: &[&str]| identity(&settings, &names.iter().map(|name| input(name)).collect::<Vec<_>>()).unwrap();
        let found = of(&["ab.jpg", "c.jpg"]);
        // Work on disk that other builds of this program began is resumed only if they compute the same.
        assert_eq!(found["PHOTOS"], "2 with the names 7a4194c2b2736985");
        assert_eq!(found["--detector"], "boxes:boxes.csv with the content f07958e5583bea50");
        assert_ne!(found["PHOTOS"], of(&["a", "b.jpgc.jpg"])["PHOTOS"]);
    }
}
