//! H.264 in MP4: OpenH264 decodes and encodes, [`super::mp4`] knows the files.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub(super) use decode::Decoder;
pub use encode::Mp4Video;
