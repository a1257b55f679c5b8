//! Labelled photos, as a folder with a `.pts` file next to each photo or as a label table, and their split into
//! training and validation.

use std::path::{Path, PathBuf};

use lineament::topology::{Topology, ibug68};
use lineament::{Crop, Point, Rect};

use crate::error::{Error, Result};
use crate::folder::{self, has_extension, is_photo};
use crate::labels::{Labelled, table};
use crate::photo::EXTENSIONS;
use crate::pts;
use crate::stable_hash::hash;

/// One labelled object: a face by default.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Path of the photo below the dataset's folder, or from its table, with `/` and without its extension. Objects of
    /// one photo share it, and so do photos of a table that differ only in their extension: [`is_validation`] keeps
    /// them together.
    pub name: String,
    /// The photo's file.
    pub photo_path: PathBuf,
    /// The true points in the order of the topology, in pixels of the photo. A point without a label is NaN.
    pub points: Vec<Point>,
    /// The object's box, where the labels give one.
    pub rect: Option<Rect>,
}

impl Sample {
    /// The object's box: that of the points where all have labels, else the labelled box.
    pub fn rect(&self, topology: &Topology) -> Rect {
        self.labelled_rect().unwrap_or_else(|| topology.rect(&self.points))
    }

    /// The crop for the landmark network: around the points where all have labels, else around the labelled box.
    pub fn crop(&self, topology: &Topology) -> Crop {
        let around_points = Crop::from_points(topology, &self.points);
        self.labelled_rect()
            .map_or(around_points, |rect| Crop { roll_rad: around_points.roll_rad, ..Crop::from_rect(&rect) })
    }

    /// The labelled box, where points lack their label.
    fn labelled_rect(&self) -> Option<Rect> {
        self.rect.filter(|_| self.points.iter().any(|p| !p.is_finite()))
    }
}

/// The labelled objects of a folder and the folders in it, sorted by name, or those of a label table. Labels of the
/// iBUG 68 points are turned into the points of a topology that follows from them.
///
/// # Errors
/// [`Error::Dataset`] when there is no photo, a photo has no `.pts` file next to it, a `.pts` file has no photo, or two
/// photos share one, or a table has other points; [`Error::File`], [`Error::Pts`] and [`Error::Labels`] for files that
/// cannot be read, and for points of another topology.
pub fn read(path: &Path, topology: &Topology) -> Result<Vec<Sample>> {
    if path.is_file() { read_table(path, topology) } else { read_folder(path, topology) }
}

/// The objects of a label table, sorted by photo. Its columns are the points of the topology in any order, or numbered.
fn read_table(path: &Path, topology: &Topology) -> Result<Vec<Sample>> {
    let mut reader = table::Reader::open(path)?;
    let from = columns(topology, reader.names())
        .ok_or_else(|| Error::dataset(path, wrong_columns(topology, reader.names())))?;
    let folder = reader.photos().to_owned();
    let nowhere = Point::new(f32::NAN, f32::NAN);
    let sample = |labelled: Labelled| {
        let points = from.iter().map(|&column| labelled.points[column].unwrap_or(nowhere)).collect();
        let name = labelled.photo.rsplit_once('.').map_or(labelled.photo.as_str(), |(name, _)| name).to_owned();
        let points = points_of(topology, points).map_err(|reason| Error::labels(labelled.place.clone(), reason))?;
        Ok(Sample { name, photo_path: folder.join(&labelled.photo), points, rect: labelled.rect })
    };
    let mut samples = reader.by_ref().map(|labelled| sample(labelled?)).collect::<Result<Vec<_>>>()?;
    if samples.is_empty() {
        return Err(Error::dataset(path, "a label table without a row"));
    }
    // Photos whose names differ only in their extension are two photos. The objects of each stay in their order.
    samples.sort_by(|a, b| (&a.name, &a.photo_path).cmp(&(&b.name, &b.photo_path)));
    Ok(samples)
}

/// Which column holds each point of the topology, or of the iBUG 68 points that it follows from.
fn columns(topology: &Topology, names: &[String]) -> Option<Vec<usize>> {
    let sources = [Some(topology.clone()), topology.follows_ibug68().then(Topology::ibug68)];
    sources.into_iter().flatten().find_map(|wanted| {
        if names.len() != wanted.len() {
            return None;
        }
        if names == table::numbered_names(names.len()) {
            return Some((0..names.len()).collect());
        }
        wanted.names().iter().map(|name| names.iter().position(|found| found == name)).collect()
    })
}

fn wrong_columns(topology: &Topology, names: &[String]) -> String {
    let (found, wanted) = (names.len(), topology.len());
    let missing = topology.names().iter().find(|name| !names.contains(name));
    let missing = missing.map_or(String::new(), |name| format!("; no column `{name}_x`"));
    format!(
        "{found} points, expected the {wanted} of `{}`{missing}; choose another topology or model, or name the columns \
         by `lineament data import --topology`",
        topology.name()
    )
}

fn read_folder(dir: &Path, topology: &Topology) -> Result<Vec<Sample>> {
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
        let path = photo_path.with_extension("pts");
        let points = pts::read(&path)?;
        let points = points_of(topology, points).map_err(|reason| Error::Pts { path, line: 1, reason })?;
        Ok(Sample { name, photo_path, points, rect: None })
    };
    photos.into_iter().map(sample).collect()
}

/// Labelled points as those of `topology`.
///
/// # Errors
/// A sentence without a place where they are too few or too many, and not the 68 that the topology follows from.
pub fn points_of(topology: &Topology, points: Vec<Point>) -> Result<Vec<Point>, String> {
    if points.len() == topology.len() {
        return Ok(points);
    }
    let from_68 = <&[Point; ibug68::POINTS]>::try_from(points.as_slice()).ok().and_then(|p| topology.from_ibug68(p));
    from_68.ok_or_else(|| {
        let or_68 = if topology.follows_ibug68() { " or the 68 of iBUG" } else { "" };
        format!("{} points, expected the {} of `{}`{or_68}", points.len(), topology.len(), topology.name())
    })
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
    use crate::topologies;

    /// A folder with these files, each with the text of a `.pts` file.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, pts::format(&[Point::new(3.0, 4.0); ibug68::POINTS])).unwrap();
        }
        folder
    }

    #[test]
    fn samples_are_sorted_by_name_and_folders_are_entered() {
        let files = ["c.JPG", "c.pts", "a.png", "a.pts", "sub/b.webp", "sub/b.pts", ".hidden.jpg", "notes.txt"];
        let folder = folder(&files);
        let samples = read(folder.path(), &Topology::ibug68()).unwrap();
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
            let message = read(folder(files).path(), &Topology::ibug68()).unwrap_err().to_string();
            assert!(message.contains(expected), "{test}: {message}");
        }
        assert!(read(Path::new("/nonexistent"), &Topology::ibug68()).is_err());
        assert!(photos_in(folder(&[]).path()).is_err());
    }

    #[test]
    fn labels_of_68_points_become_those_of_a_topology_that_follows_from_them_and_others_are_refused() {
        let folder = folder(&["a.jpg", "a.pts"]);
        let of = |name: &str| topologies::open(name).unwrap().topology;
        for name in ["ibug68", "ibug51", "five"] {
            let samples = read(folder.path(), &of(name)).unwrap();
            assert_eq!(samples[0].points, vec![Point::new(3.0, 4.0); of(name).len()], "{name}");
        }
        let message = read(folder.path(), &of("wflw98")).unwrap_err().to_string();
        assert!(message.contains("a.pts") && message.contains("68 points, expected the 98 of `wflw98`"), "{message}");
    }

    #[test]
    fn a_point_without_a_label_leaves_the_crop_to_the_labelled_box() {
        let topology = Topology::ibug68();
        let whole = Sample { rect: Some(Rect::from_xywh(0.0, 0.0, 9.0, 9.0)), ..crate::testing::sample("a") };
        assert_eq!(whole.crop(&topology), Crop::from_points(&topology, &whole.points));
        let mut torn = whole.clone();
        torn.points[3] = Point::new(f32::NAN, f32::NAN);
        assert_eq!((torn.rect(&topology), torn.crop(&topology).center), (whole.rect.unwrap(), Point::new(4.5, 4.5)));
        let unboxed = Sample { rect: None, ..torn };
        let crop = unboxed.crop(&topology);
        assert!(crop.center.is_finite() && crop.side > 50.0, "the other points say where it is: {crop:?}");
    }

    #[test]
    fn photos_of_a_table_that_differ_only_in_their_extension_stay_two_photos() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let rows = ["a.jpg", "a.png", "a.jpg", "a.png"].map(|photo| format!("{photo},,,,,1,2\n")).concat();
        fs::write(&path, format!("photo,x,y,w,h,p0_x,p0_y\n{rows}")).unwrap();
        let one =
            lineament::topology::Definition { name: "one".into(), names: vec!["only".into()], ..Default::default() };
        let samples = read(&path, &Topology::new(one).unwrap()).unwrap();
        let photos: Vec<_> = samples.chunk_by(|a, b| a.photo_path == b.photo_path).collect();
        assert_eq!(photos.iter().map(|objects| objects.len()).collect::<Vec<_>>(), [2, 2]);
        assert!(samples.iter().all(|sample| sample.name == "a"));
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
