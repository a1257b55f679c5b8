//! What is known of a file's video track: how it is coded, its samples and their times.

use image::metadata::Orientation;

use super::super::yuv::Colours;

/// Most frames: 38 hours at 60 per second.
pub(super) const MAX_SAMPLES: usize = 1 << 23;

/// The error for more.
pub(super) const TOO_MANY: &str = "claims more frames than a day and a half has: its index is damaged";

/// One coded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Position of its first byte in the file.
    pub offset: u64,
    /// Number of bytes; 0 for a frame that was left out.
    pub size: u32,
    /// When it is shown, in units of [`Movie::timescale`].
    pub time: i64,
}

/// The parameters of H.264.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avc {
    /// Bytes of the length field before each unit in a sample: 1 to 4.
    pub length_bytes: usize,
    /// The units that describe the stream, each without a start code.
    pub parameters: Vec<Vec<u8>>,
}

/// What is known of a file's video track.
#[derive(Debug, Clone, PartialEq)]
pub struct Movie {
    /// How the frames are coded.
    pub avc: Avc,
    /// Units of time per second.
    pub timescale: u32,
    /// Frames in the order of decoding.
    pub samples: Vec<Sample>,
    /// Time of the first frame that is shown; frames before it are needed for decoding only.
    pub start: i64,
    pub(in super::super) orientation: Orientation,
    pub(in super::super) colours: Colours,
}

impl Movie {
    /// Number of frames that are shown.
    pub fn shown(&self) -> u64 {
        self.samples.iter().filter(|sample| sample.size > 0 && sample.time >= self.start).count() as u64
    }

    /// The mean rate of the frames that are shown; `None` for fewer than two.
    pub fn mean_hz(&self) -> Option<f64> {
        let times = self.samples.iter().map(|sample| sample.time).filter(|&time| time >= self.start);
        let (first, last) = (times.clone().min()?, times.clone().max()?);
        let secs = last.saturating_sub(first) as f64 / f64::from(self.timescale);
        (secs > 0.0).then(|| (times.count() - 1) as f64 / secs)
    }

    /// A time of the file in seconds from the first frame that is shown.
    pub fn secs(&self, time: i64) -> f64 {
        time.saturating_sub(self.start) as f64 / f64::from(self.timescale)
    }
}
