//! MP4 and QuickTime files: where the samples of the video track lie, when they are shown, and writing such a file.
//!
//! Read is what cameras, phones and ffmpeg write: one index (`moov`) at the start or the end, or fragments (`moof`).

mod boxes;
mod coding;
mod fragments;
mod read;
mod sps;
mod tables;
mod top;
mod write;

pub use read::{Avc, Movie, Sample};
pub use write::Writer;
