//! MP4 and QuickTime files: where the samples of the video track lie, when they are shown, and writing such a file.
//!
//! It reads what cameras, phones and ffmpeg write: one index (`moov`) at the start or the end, or fragments (`moof`).
//!
//! The reader is our own because damaged files must be errors: `re_mp4` (0.5) indexes the sample tables unchecked, so
//! that tables which contradict each other make it panic, and it knows no edit lists. `mp4parse` (0.17) reads no
//! fragments. Neither writes.

mod boxes;
mod coding;
mod fragments;
mod movie;
mod read;
mod sps;
mod tables;
mod top;
mod write;

pub use movie::{Avc, Movie, Sample};
pub use write::Writer;
