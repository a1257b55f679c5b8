//! What must be the same for unfinished work to go on.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;

use super::settings::{DetectorChoice, PointsChoice, Settings};
use super::shards::Input;
use crate::error::{Error, Result};

/// Settings as text, by the names of the program's options.
pub(super) type Identity = BTreeMap<String, String>;

/// Of work on these photos, `shard` at a time.
pub(super) fn identity(settings: &Settings, photos: &[Input], shard: usize) -> Result<Identity> {
    let detector = |choice: &DetectorChoice| match choice {
        DetectorChoice::Ours => Ok("ours".to_owned()),
        DetectorChoice::Network(path) => name_and_mark(path),
        DetectorChoice::Cascade(path) => Ok(format!("cascade:{}", name_and_mark(path)?)),
        DetectorChoice::Boxes(path) => Ok(format!("boxes:{}", name_and_mark(path)?)),
    };
    let points = match &settings.points {
        PointsChoice::Ours => "ours".to_owned(),
        PointsChoice::Network(path) => name_and_mark(path)?,
        PointsChoice::Dlib(path) => format!("dlib:{}", name_and_mark(path)?),
        PointsChoice::Pts => "pts".to_owned(),
    };
    let mut names = DefaultHasher::new();
    photos.iter().for_each(|photo| photo.name.hash(&mut names));
    let filters = &settings.filters;
    let range = filters.brightness.as_ref().map(|range| format!("{}..{}", range.start(), range.end()));
    let identity = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("PHOTOS", format!("{} with the names {:016x}", photos.len(), names.finish())),
        ("--save-every", shard.to_string()),
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

/// A file's name and a mark of its content, so that work begun with one file does not go on with another.
fn name_and_mark(path: &Path) -> Result<String> {
    let fault = |e| Error::file(path, e);
    let mut file = File::open(path).map_err(fault)?;
    let (mut hasher, mut block) = (DefaultHasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(fault)? {
            0 => break,
            n => hasher.write(&block[..n]),
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name} with the content {:016x}", hasher.finish()))
}
