//! The user's choices: which detectors, what places the points, and which faces are kept.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use lineament::topology::ibug68;

use crate::error::{Error, Result};

/// How photos become records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Tried in order: the next one where the one before finds nothing, or only boxes that our network rejects. The
    /// paper drops a photo when both of its two detectors find nothing. Empty: ours.
    pub detectors: Vec<DetectorChoice>,
    /// What places the points.
    pub points: PointsChoice,
    /// On which image the points are placed.
    pub points_on: PointsOn,
    /// Side of the crop divided by the longer side of the detector's box; `None`: 1 for cascades and tables of boxes,
    /// as the paper cuts the detector's box, and [`OUR_MARGIN`] for our own detector.
    pub margin: Option<f32>,
    /// Which of several faces.
    pub faces: Faces,
    /// Which faces are kept.
    pub filters: Filters,
}

/// Our detector's box is tight around the points. A crop that is larger by this factor shows them all, with a rim.
pub const OUR_MARGIN: f32 = 1.2;

/// What finds the faces. As text: `ours`, `FILE.onnx`, `cascade:FILE.xml` or `boxes:FILE.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DetectorChoice {
    /// The detector inside the library.
    #[default]
    Ours,
    /// A detector of ours in a file.
    Network(PathBuf),
    /// Viola and Jones' cascade, as OpenCV writes it.
    Cascade(PathBuf),
    /// A table of boxes, see [`crate::boxes`]. It lists a photo's boxes under its path below the annotated folder, or
    /// under its file name alone.
    Boxes(PathBuf),
}

/// What places the points. As text: `ours`, `FILE.onnx`, `dlib:FILE.dat`, `pts` or `pts:TOPOLOGY`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PointsChoice {
    /// The landmark network inside the library.
    #[default]
    Ours,
    /// A landmark network of ours in a file.
    Network(PathBuf),
    /// dlib's shape predictor, as in the paper, with any number of points.
    Dlib(PathBuf),
    /// People's labels: the `.pts` file next to each photo, with the points of this topology, a name or a file. As text
    /// `pts` stands for the iBUG 68 points.
    Pts(String),
}

/// On which image points are placed. Labels are the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PointsOn {
    /// The whole photo: at full resolution, and including what is outside the crop.
    #[default]
    Photo,
    /// The finished crop, exactly as in the paper; dlib's box is then the whole crop.
    Crop,
}

/// Which of several faces become records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Faces {
    /// A photo with several faces is rejected: the paper's photos have one. Boxes without a face do not count.
    One,
    /// The face with the largest box.
    #[default]
    Largest,
    /// All faces, except with [`PointsChoice::Pts`], which labels one face per photo.
    All,
}

/// Which faces are kept; `None` switches a filter off.
///
/// The defaults were chosen on 6,704 face chips of UTKFace with dlib's boxes and points, by viewing the faces on both
/// sides of each limit. Together they leave out 0.6 % of them, and no limit on light may leave out dark skin.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    /// Mean brightness of the crop, from 0 to 255. By default 30 to 230: faces at 36 and at 214 are good photos.
    pub brightness: Option<RangeInclusive<f32>>,
    /// Lowest standard deviation of the crop's brightness. By default 10: the flattest chips, at 13, are clear.
    pub min_contrast: Option<f32>,
    /// Lowest variance of the crop's Laplacian, see [`Measures`](super::Measures). By default 10, where eyelids and
    /// lips are mere shadows; half of the chips are above 116.
    pub min_sharpness: Option<f32>,
    /// Lowest face score of our landmark network, from 0 to 1. By default that of `lineament run`. Where it is set,
    /// boxes below it do not count among a photo's faces.
    pub min_score: Option<f32>,
    /// Most points outside the crop. By default 20: the jaw's 17 points are outside many of dlib's boxes, and the ends
    /// of the brows outside some.
    pub max_outside: Option<usize>,
    /// Largest mean expected error of the points, in percent of the distance between the outer eye corners. By default
    /// 8: above are profiles, paintings and covered faces, whose points are often wrong; half of the chips are below
    /// 3.6.
    pub max_expected_error: Option<f32>,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            brightness: Some(30.0..=230.0),
            min_contrast: Some(10.0),
            min_sharpness: Some(10.0),
            min_score: Some(lineament::Options::default().face_threshold),
            max_outside: Some(20),
            max_expected_error: Some(8.0),
        }
    }
}

impl Filters {
    /// Every face is kept.
    pub const OFF: Self = Self {
        brightness: None,
        min_contrast: None,
        min_sharpness: None,
        min_score: None,
        max_outside: None,
        max_expected_error: None,
    };
}

impl Settings {
    /// Refuses numbers outside their range.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the setting and its range.
    pub fn check(&self) -> Result<()> {
        let Filters { brightness, min_contrast, min_sharpness, min_score, max_expected_error, .. } = &self.filters;
        let ends = |end: fn(&RangeInclusive<f32>) -> &f32| brightness.as_ref().map(end).copied();
        for (name, value, least, most) in [
            ("margin", self.margin, 0.1, 10.0),
            ("brightness", ends(RangeInclusive::start), 0.0, 255.0),
            ("brightness", ends(RangeInclusive::end), 0.0, 255.0),
            ("min-contrast", *min_contrast, 0.0, 127.5),
            ("min-sharpness", *min_sharpness, 0.0, 1e6),
            ("min-score", *min_score, 0.0, 1.0),
            ("max-expected-error", *max_expected_error, 0.0, 1e6),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(Error::Setting(format!("{name} is from {least} to {most}, not {value}")));
            }
        }
        if brightness.as_ref().is_some_and(RangeInclusive::is_empty) {
            return Err(Error::Setting("brightness is MIN..MAX with MIN below MAX".into()));
        }
        Ok(())
    }
}

impl FromStr for DetectorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text) {
            ("", "ours") => Ok(Self::Ours),
            ("cascade", file) if !file.is_empty() => Ok(Self::Cascade(file.into())),
            ("boxes", file) if !file.is_empty() => Ok(Self::Boxes(file.into())),
            _ if is_onnx(text) => Ok(Self::Network(text.into())),
            _ => Err("expected ours, FILE.onnx, cascade:FILE.xml or boxes:FILE.csv".into()),
        }
    }
}

impl FromStr for PointsChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match split(text) {
            ("", "ours") => Ok(Self::Ours),
            ("", "pts") => Ok(Self::Pts(ibug68::NAME.into())),
            ("pts", topology) if !topology.is_empty() => Ok(Self::Pts(topology.into())),
            ("dlib", file) if !file.is_empty() => Ok(Self::Dlib(file.into())),
            _ if is_onnx(text) => Ok(Self::Network(text.into())),
            _ => Err("expected ours, FILE.onnx, dlib:FILE.dat, pts or pts:TOPOLOGY".into()),
        }
    }
}

impl FromStr for PointsOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Photo, Self::Crop].into_iter().find(|known| known.to_string() == text);
        known.ok_or("expected photo or crop".into())
    }
}

impl FromStr for Faces {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::One, Self::Largest, Self::All].into_iter().find(|known| known.to_string() == text);
        known.ok_or("expected one, largest or all".into())
    }
}

impl fmt::Display for DetectorChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::Network(path) => write!(f, "{}", path.display()),
            Self::Cascade(path) => write!(f, "cascade:{}", path.display()),
            Self::Boxes(path) => write!(f, "boxes:{}", path.display()),
        }
    }
}

impl fmt::Display for PointsChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::Network(path) => write!(f, "{}", path.display()),
            Self::Dlib(path) => write!(f, "dlib:{}", path.display()),
            Self::Pts(topology) if topology == ibug68::NAME => f.write_str("pts"),
            Self::Pts(topology) => write!(f, "pts:{topology}"),
        }
    }
}

impl fmt::Display for PointsOn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Photo => "photo",
            Self::Crop => "crop",
        })
    }
}

impl fmt::Display for Faces {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one",
            Self::Largest => "largest",
            Self::All => "all",
        })
    }
}

/// `kind:file`; without a colon the kind is empty.
fn split(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or(("", text))
}

fn is_onnx(text: &str) -> bool {
    text.len() > 5 && text.to_ascii_lowercase().ends_with(".onnx")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for text in ["ours", "a/b.onnx", "C:\\b.ONNX", "cascade:a b.xml", "boxes:x:y.csv"] {
            assert_eq!(text.parse::<DetectorChoice>().unwrap().to_string(), text);
        }
        for text in ["ours", "a/b.onnx", "dlib:face.dat", "pts", "pts:wflw98", "pts:a/b.toml"] {
            assert_eq!(text.parse::<PointsChoice>().unwrap().to_string(), text);
        }
        for text in ["one", "largest", "all"] {
            assert_eq!(text.parse::<Faces>().unwrap().to_string(), text);
        }
        for text in ["photo", "crop"] {
            assert_eq!(text.parse::<PointsOn>().unwrap().to_string(), text);
        }
        assert!("two".parse::<Faces>().is_err() && "".parse::<PointsOn>().is_err());
        for text in ["", "theirs", "cascade:", "boxes:", "pts", "dlib:face.dat", ".onnx"] {
            assert!(text.parse::<DetectorChoice>().is_err(), "{text}");
        }
        for text in ["", "dlib:", "boxes:x.csv", "cascade:x.xml", "x.pts", "pts:"] {
            assert!(text.parse::<PointsChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        assert!(Settings::default().check().is_ok());
        let with = |filters: Filters| Settings { filters, ..Settings::default() };
        for (settings, name) in [
            (Settings { margin: Some(0.0), ..Settings::default() }, "margin"),
            (Settings { margin: Some(f32::NAN), ..Settings::default() }, "margin"),
            (with(Filters { brightness: Some(-1.0..=4.0), ..Filters::OFF }), "brightness"),
            (with(Filters { brightness: Some(90.0..=40.0), ..Filters::OFF }), "brightness"),
            (with(Filters { min_contrast: Some(200.0), ..Filters::OFF }), "min-contrast"),
            (with(Filters { min_sharpness: Some(-1.0), ..Filters::OFF }), "min-sharpness"),
            (with(Filters { min_score: Some(1.5), ..Filters::OFF }), "min-score"),
            (with(Filters { max_expected_error: Some(f32::INFINITY), ..Filters::OFF }), "max-expected-error"),
        ] {
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
