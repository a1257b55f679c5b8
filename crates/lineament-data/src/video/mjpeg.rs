//! Motion JPEG: one JPEG after another, without a container. Segment by segment, the reader finds where each
//! ends: decoders of JPEG do not say.

use std::io::{self, BufRead, Read};

use super::kind::SOI;
use super::{About, Decode, Rate, Shown, check_size};
use crate::photo::Photo;

/// Most bytes of one JPEG: larger than any video's frame, small enough for any memory.
const MAX_JPEG_BYTES: usize = 64 << 20;

/// Reads JPEGs from a stream.
pub struct Reader<R> {
    bytes: Kept<R>,
    rate: Rate,
    index: u64,
}

impl<R: BufRead> Reader<R> {
    /// The stream has no times of its own; `rate` sets them.
    pub fn new(bytes: R, rate: Rate) -> Self {
        Self { bytes: Kept::new(bytes), rate, index: 0 }
    }
}

impl<R: BufRead + Send> Decode for Reader<R> {
    fn about(&self) -> About {
        About { frames: None, rate: self.rate }
    }

    fn next(&mut self) -> Result<Option<Shown>, String> {
        self.bytes.bytes.clear();
        if !read_jpeg(&mut self.bytes)? {
            return Ok(None);
        }
        let picture = Photo::decode(&self.bytes.bytes).map_err(|e| match e {
            crate::Error::Photo { reason, .. } => reason,
            other => other.to_string(),
        })?;
        check_size(picture.width, picture.height)?;
        self.index += 1;
        Ok(Some(Shown { time_secs: self.rate.time_secs(self.index - 1), picture, luma: None }))
    }
}

/// A stream that keeps the bytes that are read from it.
pub struct Kept<R> {
    /// The stream.
    pub inner: R,
    /// The bytes read so far.
    pub bytes: Vec<u8>,
}

impl<R> Kept<R> {
    /// Without bytes.
    pub fn new(inner: R) -> Self {
        Self { inner, bytes: Vec::new() }
    }
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// Reads one JPEG, from its first to its last marker, and no further; `false` at the end of the stream.
pub fn read_jpeg<R: Read>(stream: &mut Kept<R>) -> Result<bool, String> {
    let mut start = Vec::new();
    stream.by_ref().take(2).read_to_end(&mut start).map_err(|e| e.to_string())?;
    if start.is_empty() {
        return Ok(false);
    }
    if start != SOI {
        return Err("not a JPEG here; a stream of JPEGs must have nothing between them".into());
    }
    let mut marker = next_marker(stream)?;
    loop {
        if stream.bytes.len() > MAX_JPEG_BYTES {
            return Err(format!("a JPEG of more than {} MiB, so not a frame", MAX_JPEG_BYTES >> 20));
        }
        marker = match marker {
            0xd9 => return Ok(true),
            0x01 | 0xd0..=0xd8 => next_marker(stream)?,
            _ => {
                let length = u16::from_be_bytes([byte(stream)?, byte(stream)?]);
                for _ in 2..length {
                    byte(stream)?;
                }
                if marker == 0xda { after_scan(stream)? } else { next_marker(stream)? }
            }
        };
    }
}

/// The code of a marker, which any number of fill bytes may precede.
fn next_marker<R: Read>(stream: &mut Kept<R>) -> Result<u8, String> {
    if byte(stream)? != 0xff {
        return Err("a damaged JPEG: no marker where one must be".into());
    }
    loop {
        match byte(stream)? {
            0xff => {}
            code => return Ok(code),
        }
    }
}

/// The code of the marker that ends a scan's data.
fn after_scan<R: Read>(stream: &mut Kept<R>) -> Result<u8, String> {
    let mut after_ff = false;
    loop {
        if stream.bytes.len() > MAX_JPEG_BYTES {
            return Err(format!("a JPEG of more than {} MiB, so not a frame", MAX_JPEG_BYTES >> 20));
        }
        match byte(stream)? {
            0xff => after_ff = true,
            // A stuffed byte or a restart belongs to the data.
            0x00 | 0xd0..=0xd7 => after_ff = false,
            code if after_ff => return Ok(code),
            _ => {}
        }
    }
}

fn byte<R: Read>(stream: &mut Kept<R>) -> Result<u8, String> {
    let mut byte = [0];
    stream.read_exact(&mut byte).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => "the stream ends within a JPEG".to_owned(),
        _ => e.to_string(),
    })?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};
    use proptest::prelude::*;

    fn jpeg(side: u32) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        RgbImage::from_fn(side, side, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, 99]))
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(f64, usize)>, String> {
        let mut reader = Reader::new(bytes, Rate { frames: 10, secs: 1 });
        let mut found = Vec::new();
        while let Some(Shown { time_secs, picture, .. }) = reader.next()? {
            found.push((time_secs, picture.width));
        }
        Ok(found)
    }

    #[test]
    fn jpegs_are_separated() {
        let stream = [jpeg(16), jpeg(24), jpeg(8)].concat();
        assert_eq!(read(&stream), Ok(vec![(0.0, 16), (0.1, 24), (0.2, 8)]));
        assert_eq!(read(b""), Ok(vec![]));
    }

    #[test]
    fn a_picture_within_a_segment_is_not_cut_out() {
        let (small, mut large) = (jpeg(8), jpeg(16));
        let comment = [&[0xff, 0xfe][..], &(small.len() as u16 + 2).to_be_bytes(), &small].concat();
        large.splice(2..2, comment);
        assert_eq!(read(&[large, jpeg(8)].concat()), Ok(vec![(0.0, 16), (0.1, 8)]));
    }

    #[test]
    fn bytes_that_are_not_a_jpeg_are_an_error() {
        for (stream, text) in [
            (&jpeg(16)[..300], "ends within a JPEG"),
            (&[jpeg(8), b"hello".to_vec()].concat(), "not a JPEG here"),
            (b"\xff\xd8hello", "no marker"),
            (b"\xff", "not a JPEG here"),
        ] {
            let error = read(stream).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_streams_never_panic(at in 0usize..1000, value in any::<u8>(), cut in 0usize..1000) {
            let mut stream = [jpeg(16), jpeg(16)].concat();
            let (at, cut) = (at % stream.len(), cut % stream.len());
            stream[at] = value;
            let _ = read(&stream);
            let _ = read(&stream[..cut]);
        }
    }
}
