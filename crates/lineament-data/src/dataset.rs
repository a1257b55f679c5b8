//! A folder of photos with a `.pts` file next to each, and its split into training and validation.

use std::path::{Path, PathBuf};

use lineament::Point;
use lineament::topology::POINTS;

use crate::error::{Error, Result};
use crate::folder::{self, has_extension, is_photo};
use crate::photo::EXTENSIONS;
use crate::pts;
use crate::stable_hash::hash;

/// One labelled face.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Path of the photo below the dataset's folder, with `/` and without its extension.
    pub name: String,
    /// The photo's file.
    pub photo_path: PathBuf,
    /// The true points, in pixels of the photo.
    pub points: [Point; POINTS],
}

/// The labelled faces of a folder and the folders in it, sorted by name.
///
/// # Errors
/// [`Error::Dataset`] when there is no photo, a photo has no `.pts` file next to it, a `.pts` file has no photo, or two
/// photos share one; [`Error::File`] and [`Error::Pts`] for files that cannot be read.
pub fn read(dir: &Path) -> Result<Vec<Sample>> {
    let files = folder::files(dir).collect::<Result<Vec<_>>>()?;
    let mut photos: Vec<(String, PathBuf)> =
        files.iter().filter(|f| is_photo(f)).map(|f| (name_below(dir, f), f.clone())).collect();
    photos.sort();
    if photos.is_empty() {
        return Err(Error::dataset(dir, "no photos; expected pictures with a .pts file of the same name next to each"));
    }
    if let Some(pair) = photos.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::dataset(
            dir,
            format!("{} and {} would share one .pts file; rename one", pair[0].1.display(), pair[1].1.display()),
        ));
    }
    let unlabelled = photos.iter().filter(|(_, p)| !p.with_extension("pts").is_file()).map(|(name, _)| name.as_str());
    complain(dir, "photos without a .pts file next to them", unlabelled)?;
    let mut labels: Vec<String> =
        files.iter().filter(|f| has_extension(f, "pts")).map(|f| name_below(dir, f)).collect();
    labels.sort();
    let orphans = labels.iter().filter(|l| photos.binary_search_by(|(name, _)| name.cmp(l)).is_err());
    complain(dir, ".pts files without a photo", orphans.map(String::as_str))?;
    let sample = |(name, photo_path): (String, PathBuf)| {
        let points = pts::read_array(&photo_path.with_extension("pts"))?;
        Ok(Sample { name, photo_path, points })
    };
    photos.into_iter().map(sample).collect()
}

/// The photos of a folder and the folders in it, sorted by path. Hidden files and linked folders are left out.
///
/// # Errors
/// [`Error::File`] when a folder cannot be read, [`Error::Dataset`] when there is no photo.
pub fn photos_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let is_kept = |file: &Result<PathBuf>| file.as_deref().map_or(true, is_photo);
    let photos = folder::files(dir).filter(is_kept).collect::<Result<Vec<_>>>()?;
    if photos.is_empty() {
        return Err(Error::dataset(dir, format!("no photos ({})", EXTENSIONS.join(", "))));
    }
    Ok(photos)
}

/// Whether a photo belongs to the validation part, of about `share` (0 to 1) of all photos.
///
/// A stable hash of the name decides, so that neither other files nor their order matter, and a larger share contains
/// every smaller one. All faces of one photo are in the same part: `name`, with or without its folder and extension,
/// counts without a last `_` and one or two digits, which is how 300-W numbers the faces of a photo (`helen_12345_1`).
pub fn is_validation(name: &str, share: f64) -> bool {
    let unit = hash(group(name).as_bytes()) as f64 / u64::MAX as f64;
    unit < share
}

/// The part of a name that all faces of one photo share. Longer numbers count photos, not faces: `lfpw_image_0001`.
fn group(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if EXTENSIONS.contains(&ending.to_ascii_lowercase().as_str()) => stem,
        _ => name,
    };
    match stem.rsplit_once('_') {
        Some((photo, face)) if matches!(face.len(), 1..=2) && face.bytes().all(|b| b.is_ascii_digit()) => photo,
        _ => stem,
    }
}

fn name_below(dir: &Path, file: &Path) -> String {
    let below = file.strip_prefix(dir).unwrap_or(file).with_extension("");
    below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn complain<'a>(dir: &Path, what: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let names: Vec<&str> = names.collect();
    match names.first() {
        None => Ok(()),
        Some(first) => Err(Error::dataset(dir, format!("{} {what}, the first is `{first}`", names.len()))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with these files, each with the text of a `.pts` file.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, pts::format(&[Point::new(3.0, 4.0); POINTS])).unwrap();
        }
        folder
    }

    #[test]
    fn samples_are_sorted_by_name_and_folders_are_entered() {
        let files = ["c.JPG", "c.pts", "a.png", "a.pts", "sub/b.webp", "sub/b.pts", ".hidden.jpg", "notes.txt"];
        let folder = folder(&files);
        let samples = read(folder.path()).unwrap();
        assert_eq!(samples.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["a", "c", "sub/b"]);
        assert!(samples[1].photo_path.ends_with("c.JPG"));
        assert_eq!(samples[0].points[67], Point::new(3.0, 4.0));
        assert_eq!(photos_in(folder.path()).unwrap().len(), 3);
    }

    #[test]
    fn what_is_not_a_dataset_is_an_error_that_says_why() {
        for (test, files, expected) in [
            ("empty", &["notes.txt"][..], "no photos"),
            (
                "unlabelled",
                &["a.jpg", "a.pts", "b.jpg", "c.jpg"],
                "2 photos without a .pts file next to them, the first is `b`",
            ),
            ("orphan", &["a.jpg", "a.pts", "b.pts"], "1 .pts files without a photo, the first is `b`"),
            ("twins", &["a.jpg", "a.png", "a.pts"], "would share one .pts"),
        ] {
            let message = read(folder(files).path()).unwrap_err().to_string();
            assert!(message.contains(expected), "{test}: {message}");
        }
        assert!(read(Path::new("/nonexistent")).is_err());
        assert!(photos_in(folder(&[]).path()).is_err());
    }

    #[test]
    fn faces_of_one_photo_share_a_group_and_photos_do_not() {
        for (name, expected) in [
            ("helen_12345_1", "helen_12345"),
            ("afw_1051618982_12.jpg", "afw_1051618982"),
            ("train/helen_12345_1.JPEG", "helen_12345"),
            ("lfpw_image_0001", "lfpw_image_0001"),
            ("image.2_1", "image.2"),
            ("bsds500_100075.jpg", "bsds500_100075"),
            ("plain", "plain"),
            ("_1", ""),
            ("", ""),
        ] {
            assert_eq!(group(name), expected, "{name}");
        }
    }

    #[test]
    fn the_split_has_its_share_and_grows_with_it() {
        let names: Vec<String> = (0..4000).map(|i| format!("lfpw_image_{i:04}")).collect();
        for share in [0.0, 0.05, 0.1, 0.5, 1.0] {
            let part = names.iter().filter(|n| is_validation(n, share)).count() as f64 / 4000.0;
            // Four standard deviations of a fair draw.
            assert!((part - share).abs() <= 4.0 * (share * (1.0 - share) / 4000.0).sqrt(), "{share}: {part}");
        }
        assert!(names.iter().all(|n| !is_validation(n, 0.1) || is_validation(n, 0.2)));
    }
}
