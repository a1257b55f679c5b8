//! Labels of other programs and data sets, row by row, and the label table that they become.
//!
//! [`Reader`] reads a published format as [`Row`]s. [`import::Import`] checks each against its photo and writes a label
//! table, which [`table::Reader`] reads. `docs/labels.md` describes the formats and the table.
//!
//! ```no_run
//! use lineament_data::labels::{Format, import};
//!
//! let options = import::Options::default();
//! let summary = import::import(Format::Coco, "people.json".as_ref(), "people.csv".as_ref(), options, |_| {})?;
//! assert_eq!(summary.rejects(), 0);
//! # Ok::<(), lineament_data::Error>(())
//! ```

mod beside;
mod cells;
mod checks;
mod coco;
mod columns;
mod imglab;
pub mod import;
mod jd106;
mod json_lists;
mod kaggle;
mod lines;
mod ljson;
mod numbers;
mod paths;
mod pts_files;
mod records;
mod sample;
pub mod table;
mod wflw;
mod xml;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lineament::{Point, Rect};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::photo::GreyPhoto;
pub use sample::sample;

/// One labelled object.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The photo's path as the source writes it, with `/`; see [`Reader::photos`].
    pub photo: String,
    /// Where in the source this is: file and line, row or element, for messages.
    pub place: String,
    /// In pixels of the photo, in the order of the source; `None` is a point without a label.
    pub points: Vec<Option<Point>>,
    /// The object's box in pixels of the photo, where the source has one; its sides are above 0.
    pub rect: Option<Rect>,
    /// Width and height of the photo, where the source tells them.
    pub size: Option<(usize, usize)>,
    /// The photo itself, where the source holds its pixels.
    pub pixels: Option<GreyPhoto>,
}

/// What a source holds next.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// An object.
    Object(Box<Labelled>),
    /// Something that should be an object and cannot be used. The rows after it can be read.
    Bad(BadRow),
    /// Something that is not an object by its format's own rules; the text names the kind, in the plural.
    LeftOut(&'static str),
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The kind of fault, by which rows are counted.
    pub reason: Reason,
    /// As [`Labelled::place`].
    pub place: String,
    /// What is wrong, what is expected, and what would help.
    pub detail: String,
}

impl BadRow {
    fn unreadable(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason: Reason::Unreadable, place: place.into(), detail: detail.into() }
    }
}

impl From<BadRow> for Error {
    fn from(BadRow { place, detail, .. }: BadRow) -> Self {
        Self::Labels { place, reason: detail }
    }
}

/// Why a row cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The row is damaged.
    Unreadable,
    /// It has another number of points than the rows before it, or than is asked for.
    Count,
    /// The path of the photo leads out of the folder of the photos.
    Path,
    /// There is no such photo.
    PhotoMissing,
    /// The photo cannot be read.
    PhotoDamaged,
    /// The photo has another size than the source says.
    PhotoSize,
    /// The coordinates are shares of the photo's size, not pixels.
    Shares,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "cannot be read",
            Self::Count => "have another number of points",
            Self::Path => "name a photo outside the folder of the photos",
            Self::PhotoMissing => "have no photo",
            Self::PhotoDamaged => "have a photo that cannot be read",
            Self::PhotoSize => "belong to a photo of another size",
            Self::Shares => "have coordinates from 0 to 1, not pixels",
        })
    }
}

/// The formats that are read. `docs/labels.md` describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A folder of photos with a `.pts` file next to each, as 300-W; any number of points.
    Pts,
    /// WFLW's lists: 98 points, a box and six attributes per line.
    Wflw,
    /// COFW's 29 points in the CSV that `docs/labels.md` makes of its .mat file.
    Cofw,
    /// AFLW's 21 points, or the 19 of AFLW-19, in the CSV that `docs/labels.md` makes of its database.
    Aflw,
    /// JD-landmark: a text file with 106 points per photo.
    Jd106,
    /// The XML of dlib's imglab.
    Imglab,
    /// Menpo's and landmarker.io's `.ljson`, versions 1 to 3, next to each photo.
    Ljson,
    /// COCO's JSON with keypoints.
    Coco,
    /// Kaggle's facial keypoints: a CSV with the pixels in it.
    Kaggle,
    /// The tables that `lineament annotate` writes, CSV or Parquet, with a crop in each row.
    Records,
    /// The label table itself, CSV or Parquet.
    Table,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Pts,
        Self::Wflw,
        Self::Cofw,
        Self::Aflw,
        Self::Jd106,
        Self::Imglab,
        Self::Ljson,
        Self::Coco,
        Self::Kaggle,
        Self::Records,
        Self::Table,
    ];

    /// The name in small letters, which [`str::parse`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pts => "pts",
            Self::Wflw => "wflw",
            Self::Cofw => "cofw",
            Self::Aflw => "aflw",
            Self::Jd106 => "jd106",
            Self::Imglab => "imglab",
            Self::Ljson => "ljson",
            Self::Coco => "coco",
            Self::Kaggle => "kaggle",
            Self::Records => "records",
            Self::Table => "table",
        }
    }

    /// What its sources are, in half a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Pts => "Photos with a .pts file of the same name next to each, as 300-W; any number of points",
            Self::Wflw => "WFLW's lists: 98 points per line",
            Self::Cofw => "COFW's 29 points, as CSV",
            Self::Aflw => "AFLW's 21 points or AFLW-19's 19, as CSV",
            Self::Jd106 => "JD-landmark: PHOTO.txt with 106 points per photo",
            Self::Imglab => "The XML of dlib's imglab",
            Self::Ljson => "Menpo's .ljson next to each photo",
            Self::Coco => "COCO's JSON with keypoints",
            Self::Kaggle => "Kaggle's facial keypoints, with the pixels in the CSV",
            Self::Records => "Tables that `annotate` writes, .csv or .parquet",
            Self::Table => "A label table; its checks, and another place or format for it",
        }
    }

    /// The name of the topology whose points these are, where the format has one.
    pub fn topology(self) -> Option<&'static str> {
        match self {
            Self::Wflw => Some("wflw98"),
            Self::Cofw => Some("cofw29"),
            Self::Jd106 => Some("jd106"),
            Self::Kaggle => Some("kaggle15"),
            Self::Pts | Self::Aflw | Self::Imglab | Self::Ljson | Self::Coco | Self::Records | Self::Table => None,
        }
    }

    /// How its sources count pixels unless the reader is told otherwise; `docs/labels.md` gives the reasons.
    pub fn origin(self) -> Origin {
        match self {
            Self::Pts | Self::Cofw => Origin::One,
            Self::Records | Self::Table => Origin::Half,
            _ => Origin::Zero,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no format is called `{}`; there are {names}", crate::text::excerpt(text))
        })
    }
}

/// The coordinate that a source gives to the centre of the first pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// 1, as Matlab.
    One,
    /// 0, as OpenCV, numpy and dlib.
    Zero,
    /// 0.5, as here: the first pixel covers 0 to 1.
    Half,
}

impl Origin {
    /// Our coordinates are the source's plus this.
    pub fn shift(self) -> f64 {
        match self {
            Self::One => -0.5,
            Self::Zero => 0.5,
            Self::Half => 0.0,
        }
    }

    /// As [`Origin::shift`], for boxes whose edges lie between pixels where points lie on them: left 3 and width 2 are
    /// the pixels 3 and 4.
    fn edge_shift(self) -> f64 {
        self.shift() - Self::Zero.shift()
    }
}

/// How a source is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// How the source counts pixels; `None` is [`Format::origin`].
    pub origin: Option<Origin>,
    /// The category (COCO) or group (`.ljson` version 3) that is read; needed where there are several.
    pub category: Option<String>,
    /// The folder of the photos; `None` is the source's own folder.
    pub photos: Option<PathBuf>,
}

/// A source that is read row by row. It ends after an error.
pub struct Reader {
    source: Box<dyn Source>,
    photos: PathBuf,
    ended: bool,
}

/// What every format implements.
trait Source: Send {
    /// Reads some of what must be known before the first row; false when that is done. An error ends the source.
    fn prepare(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// The next row; `None` at the end. An error ends the source.
    fn next_row(&mut self) -> Result<Option<Row>>;

    /// The names of the points, where the source has them.
    fn names(&self) -> Option<&[String]> {
        None
    }

    /// From 0 to 1.
    fn share_read(&self) -> f64;
}

impl Reader {
    /// Opens `path`, a file or, for [`Format::Pts`], [`Format::Ljson`] and [`Format::Jd106`], also a folder.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Labels`] when it is not of this format, [`Error::Dataset`] for
    /// a folder without labels.
    pub fn open(format: Format, path: &Path, options: &ReadOptions) -> Result<Self> {
        let origin = options.origin.unwrap_or(format.origin());
        if matches!(format, Format::Records | Format::Table) && origin != Origin::Half {
            return Err(Error::labels(
                path.display().to_string(),
                "tables of this program say how they count pixels; leave the option out",
            ));
        }
        let is_folder = std::fs::metadata(path).map_err(|e| Error::file(path, e))?.is_dir();
        let by_photo = matches!(format, Format::Pts | Format::Ljson | Format::Jd106);
        if is_folder && !by_photo {
            return Err(Error::labels(path.display().to_string(), "is a folder, expected a file with labels"));
        }
        let own = if is_folder { path } else { folder_of(path) };
        let photos = options.photos.as_deref().unwrap_or(own).to_owned();
        if !photos.is_dir() {
            return Err(Error::dataset(&photos, "no such folder of photos"));
        }
        let category = options.category.as_deref();
        let source: Box<dyn Source> = match format {
            Format::Pts => Box::new(pts_files::PtsFiles::new(path, &photos, origin)?),
            Format::Ljson => Box::new(ljson::Ljson::new(path, &photos, origin, category)?),
            Format::Jd106 => Box::new(jd106::Jd106::new(path, &photos, origin)?),
            Format::Wflw => Box::new(wflw::Wflw::new(Input::open(path)?, origin)),
            Format::Cofw => Box::new(columns::Columns::cofw(Input::open(path)?, origin)?),
            Format::Aflw => Box::new(columns::Columns::aflw(Input::open(path)?, origin)?),
            Format::Imglab => Box::new(imglab::Imglab::new(Input::open(path)?, Input::open(path)?, origin)),
            Format::Coco => Box::new(coco::Coco::new(Input::open(path)?, Input::open(path)?, origin, category)),
            Format::Kaggle => Box::new(kaggle::Kaggle::new(Input::open(path)?, origin)?),
            Format::Records => Box::new(records::Records::new(path)?),
            Format::Table => Box::new(table::Rows::open(path)?),
        };
        Ok(Self { source, photos, ended: false })
    }

    /// The folder that [`Labelled::photo`] is relative to.
    pub fn photos(&self) -> &Path {
        &self.photos
    }

    /// The names of the points, where the source has them, in its own spelling; known from the first row on.
    pub fn names(&self) -> Option<&[String]> {
        self.source.names()
    }

    /// Some sources are read twice: goes on with the first reading, for a moment, and is false when that is done. The
    /// first row waits for it in any case.
    ///
    /// # Errors
    /// As for the rows.
    pub fn prepare(&mut self) -> Result<bool> {
        let more = if self.ended { Ok(false) } else { self.source.prepare() };
        self.ended |= more.is_err();
        more
    }

    /// How much of the source has been read, from 0 to 1: for a progress bar.
    pub fn share_read(&self) -> f64 {
        self.source.share_read()
    }
}

/// Elements that are read ahead at a time: some milliseconds.
const AHEAD: usize = 1000;

impl Iterator for Reader {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.source.next_row();
        self.ended = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}

/// The folder in which a file lies.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The bytes of a source, with its name for messages.
struct Input {
    path: PathBuf,
    bytes: Box<dyn Read + Send>,
    /// Of the whole source.
    length: u64,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::file(path, e))?;
        let length = file.metadata().map_err(|e| Error::file(path, e))?.len();
        Ok(Self { path: path.to_owned(), bytes: Box::new(file), length })
    }

    #[cfg(test)]
    fn from_bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { path: name.into(), length: bytes.len() as u64, bytes: Box::new(std::io::Cursor::new(bytes)) }
    }
}

/// Reads a whole file of at most `limit` bytes; a larger one is a [`BadRow`].
fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>, BadRow> {
    let bad = |detail: String| BadRow::unreadable(path.display().to_string(), detail);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| bad(e.to_string()))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| bad(e.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(bad(format!("larger than {} MiB, so not the labels of a photo", limit >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
