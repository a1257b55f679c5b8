//! The output formats; each file holds one.

mod csv;
mod json;
mod pts;
mod text;

use lineament::topology::Topology;
use lineament::{Face, TrackedFace};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: one line per face and a table of its points
    Text,
    /// For programs: one object per photo and line
    Json,
    /// For tables: one row per face, with a header
    Csv,
    /// One .pts file per face, as 300-W and its tools use (counts from 1)
    Pts,
}

/// The faces of one photo.
#[derive(Debug)]
pub struct PhotoFaces {
    /// What the user called the photo.
    pub image: String,
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Time for finding the faces and placing the points, without reading and writing.
    pub time_ms: f64,
    /// Largest first, or in the order of the boxes that were given.
    pub faces: Vec<Face>,
}

/// The faces of one frame of a video.
#[derive(Debug)]
pub struct FrameFaces<'a> {
    /// What the user called the video.
    pub video: &'a str,
    /// Counts from 0.
    pub frame: u64,
    /// When it is shown, from the start.
    pub time_secs: f64,
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Time for finding and following the faces, without reading and writing.
    pub time_ms: f64,
    /// In the order of their numbers.
    pub faces: &'a [TrackedFace],
}

impl Format {
    /// What stands before the first frame of a video.
    pub fn video_header(self, topology: &Topology) -> String {
        match self {
            Self::Csv => csv::video_header(topology),
            Self::Text | Self::Json | Self::Pts => String::new(),
        }
    }

    /// One frame, ending with a line break unless empty; nothing for .pts, which has no place for frames.
    pub fn frame(self, frame: &FrameFaces) -> String {
        match self {
            Self::Text => text::frame(frame),
            Self::Json => json::frame(frame),
            Self::Csv => csv::frame(frame),
            Self::Pts => String::new(),
        }
    }

    /// What stands before the first photo.
    pub fn header(self, topology: &Topology) -> String {
        match self {
            Self::Csv => csv::header(topology),
            Self::Text | Self::Json | Self::Pts => String::new(),
        }
    }

    /// One photo, ending with a line break unless empty.
    pub fn photo(self, photo: &PhotoFaces) -> String {
        match self {
            Self::Text => text::photo(photo),
            Self::Json => json::photo(photo),
            Self::Csv => csv::photo(photo),
            Self::Pts => photo.faces.iter().map(pts::face).collect(),
        }
    }

    /// The texts of the files of one photo, where each photo has its own: one text, or for .pts one per face.
    pub fn files(self, photo: &PhotoFaces) -> Vec<String> {
        match self {
            Self::Pts => photo.faces.iter().map(pts::face).collect(),
            _ => vec![self.photo(photo)],
        }
    }

    /// The one file that holds all photos, for the formats that programs read as a whole.
    pub fn table_name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("faces.jsonl"),
            Self::Csv => Some("faces.csv"),
            Self::Text | Self::Pts => None,
        }
    }

    /// The ending of a file that holds one photo or face.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Text => ".txt",
            Self::Json => ".jsonl",
            Self::Csv => ".csv",
            Self::Pts => ".pts",
        }
    }
}

/// Rounded for printing, without a negative zero.
fn rounded(value: impl Into<f64>, per_unit: f64) -> f64 {
    (value.into() * per_unit).round() / per_unit + 0.0
}

/// Pixels: a hundredth is far below what a network can see.
fn px(value: f32) -> f64 {
    rounded(value, 100.0)
}

/// Seconds: a tenth of a millisecond tells frames apart at any rate.
fn secs(value: f64) -> f64 {
    rounded(value, 1e4)
}

/// Degrees to a tenth, from radians.
fn degrees(angle_rad: f32) -> f64 {
    rounded(angle_rad.to_degrees(), 10.0)
}

/// A score in [0, 1].
fn score(value: f32) -> f64 {
    rounded(value, 1e4)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use lineament::{Detection, Landmarks, Point, Pose, Rect};

    /// A face whose points tell their index.
    pub fn face() -> Face {
        let rect = Rect::from_xywh(10.0, 20.5, 100.126, 110.0);
        Face {
            detection: Detection { rect, points: Some([Point::default(); 5]), score: 0.5 },
            landmarks: Landmarks {
                topology: Topology::ibug68(),
                points: (0..68).map(|i| Point::new(i as f32, 100.0 + i as f32 / 8.0)).collect(),
                errors: (0..68).map(|i| 0.5 + i as f32 / 10.0).collect(),
                score: 0.98768,
                pose: Some(Pose { roll_rad: -0.0001, yaw_rad: 0.5, pitch_rad: -0.25 }),
            },
        }
    }

    pub fn tracked(count: u64) -> Vec<TrackedFace> {
        (0..count).map(|i| TrackedFace { id: 7 + i, face: face(), raw: face().landmarks }).collect()
    }

    pub fn frame(faces: &[TrackedFace]) -> FrameFaces<'_> {
        FrameFaces { video: "a.mp4", frame: 12, time_secs: 0.480_04, width: 640, height: 480, time_ms: 2.0, faces }
    }

    pub fn photo(faces: usize) -> PhotoFaces {
        let faces = (0..faces).map(|_| face()).collect();
        PhotoFaces { image: "a, \"b\".jpg".into(), width: 640, height: 480, time_ms: 12.3456, faces }
    }
}
