//! Tables as Parquet: columns with names and types, compressed, and with the origin of each face.

pub mod columns;
pub mod groups;
mod pages;
mod read;
pub mod write;

pub use read::ParquetReader;
pub use write::ParquetWriter;

use crate::record::Origin;

/// The format that [`ParquetWriter`] writes and the newest that [`ParquetReader`] reads.
const VERSION: &str = "1";

/// Keys of the file's metadata.
mod key {
    /// [`super::VERSION`].
    pub const VERSION: &str = "lineament.version";
    /// Side of the pixels.
    pub const SIDE: &str = "lineament.side";
    /// Points of each row.
    pub const POINTS: &str = "lineament.points";
    /// Names of the coordinates, commas between them.
    pub const COLUMNS: &str = "lineament.columns";
}

/// The columns that are neither numbers of [`NUMBERS`] nor whole numbers.
pub mod name {
    pub const PHOTO: &str = "photo";
    pub const POINTS: &str = "points";
    pub const PIXELS: &str = "pixels";
}

/// The photo's width and height, as whole numbers.
const SIZES: [&str; 2] = ["photo_width", "photo_height"];

/// A column of numbers of the origin.
struct Number {
    name: &'static str,
    value: fn(&Origin) -> Option<f32>,
}

impl Number {
    const fn new(name: &'static str, value: fn(&Origin) -> Option<f32>) -> Self {
        Self { name, value }
    }
}

/// The numbers of an origin, in the order of the columns. [`read::origin`] takes them in the same order.
const NUMBERS: [Number; 12] = [
    Number::new("face_x", |o| Some(o.face.x)),
    Number::new("face_y", |o| Some(o.face.y)),
    Number::new("face_width", |o| Some(o.face.width)),
    Number::new("face_height", |o| Some(o.face.height)),
    Number::new("crop_x", |o| Some(o.crop.x)),
    Number::new("crop_y", |o| Some(o.crop.y)),
    Number::new("crop_side", |o| Some(o.crop.width)),
    Number::new("score", |o| Some(o.score)),
    Number::new("expected_error", |o| o.expected_error),
    Number::new("roll", |o| o.pose.map(|p| p[0])),
    Number::new("yaw", |o| o.pose.map(|p| p[1])),
    Number::new("pitch", |o| o.pose.map(|p| p[2])),
];

/// Whether an origin can be kept: its numbers, its square crop, its photo's size.
///
/// # Errors
/// A sentence that names what is wrong.
pub fn fits(origin: &Origin) -> Result<(), String> {
    let (crop, (width, height)) = (&origin.crop, origin.photo_size);
    if let Some(number) = NUMBERS.iter().find(|n| (n.value)(origin).is_some_and(|v| !v.is_finite())) {
        return Err(format!("`{}` is not finite", number.name));
    }
    if crop.width != crop.height {
        return Err(format!("a crop of {}x{} is not a square", crop.width, crop.height));
    }
    if width == 0 || height == 0 {
        return Err(format!("a photo of {width}x{height} pixels"));
    }
    Ok(())
}
