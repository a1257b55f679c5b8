//! Decodes the samples of an MP4 with OpenH264.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use super::super::mp4::{Avc, Movie, Sample};
use super::super::yuv::Planes;
use super::super::{About, Decode, REMEDY, Rate, Shown};
use crate::photo::Photo;

/// What the decoder expects before each unit.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Types of units that carry a picture: slices in one unit or in parts, and of a key frame (ITU-T H.264, table 7-1).
const SLICES: [u8; 3] = [1, 2, 5];

/// Most bytes of one coded frame.
const MAX_SAMPLE_BYTES: u32 = 64 << 20;

/// Decodes a file frame by frame.
pub struct Decoder {
    file: BufReader<File>,
    movie: Movie,
    decoder: openh264::decoder::Decoder,
    /// The next sample.
    next: usize,
    /// Times of the pictures that went in and have not come out yet.
    times: Times,
    /// Frames that are decoded and not asked for yet.
    ready: VecDeque<Shown>,
    /// The error that is reported after them.
    failure: Option<String>,
    sample: Vec<u8>,
    units: Vec<u8>,
}

impl Decoder {
    /// Reads the index.
    pub fn open(mut file: BufReader<File>) -> Result<Self, String> {
        let movie = Movie::read(&mut file)?;
        // The decoder must keep frames until those shown before them are decoded, so it is flushed at the end only.
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = openh264::decoder::Decoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|e| format!("the H.264 decoder does not start: {e}"))?;
        Ok(Self {
            file,
            movie,
            decoder,
            next: 0,
            times: Times::default(),
            ready: VecDeque::new(),
            failure: None,
            sample: Vec::new(),
            units: Vec::new(),
        })
    }

    /// Decodes the next sample. The decoder returns the next frame in the order of showing, or nothing yet.
    fn feed(&mut self) -> Result<(), String> {
        let sample = self.movie.samples[self.next];
        self.units.clear();
        if self.next == 0 {
            for unit in &self.movie.avc.parameters {
                add_unit(&mut self.units, unit);
            }
        }
        self.next += 1;
        if sample.size == 0 {
            return Ok(()); // a frame that the camera left out
        }
        read_sample(&mut self.file, sample, &mut self.sample)?;
        let has_picture = add_units(&mut self.units, &self.sample, &self.movie.avc)?;
        let refused = |e: openh264::Error| {
            format!(
                "the H.264 decoder refuses it (code {}): it is damaged, or coded in an unusual way; {REMEDY}",
                e.native_code()
            )
        };
        let decoded = self.decoder.decode(&self.units).map_err(refused)?;
        if has_picture {
            self.times.add(sample.time);
        }
        if let Some(decoded) = decoded {
            show(&decoded, &self.movie, &mut self.times, &mut self.ready)?;
        }
        Ok(())
    }

    /// Takes the last frames out of the decoder, after the last sample.
    fn drain(&mut self) -> Result<(), String> {
        let rest = self
            .decoder
            .flush_remaining()
            .map_err(|e| format!("the H.264 decoder fails at the end (code {})", e.native_code()))?;
        rest.iter().try_for_each(|decoded| show(decoded, &self.movie, &mut self.times, &mut self.ready))
    }
}

impl Decode for Decoder {
    fn about(&self) -> About {
        let rate = self.movie.mean_hz().map_or(Rate::ASSUMED, Rate::from_hz);
        About { frames: Some(self.movie.shown()), rate }
    }

    fn next(&mut self) -> Result<Option<Shown>, String> {
        loop {
            if let Some(shown) = self.ready.pop_front() {
                return Ok(Some(shown));
            }
            let end = self.movie.samples.len();
            match self.next.cmp(&end) {
                Ordering::Less => {
                    // The frames before the damage are still shown, also those that wait in the decoder.
                    if let Err(reason) = self.feed() {
                        self.failure = Some(reason);
                        self.next = end;
                    }
                }
                Ordering::Equal => {
                    self.next += 1;
                    if let Err(reason) = self.drain() {
                        self.failure.get_or_insert(reason);
                    }
                }
                Ordering::Greater => return self.failure.take().map_or(Ok(None), Err),
            }
        }
    }
}

/// Gives a decoded frame its time and makes it a picture, unless the file hides it.
fn show(decoded: &DecodedYUV, movie: &Movie, times: &mut Times, ready: &mut VecDeque<Shown>) -> Result<(), String> {
    let time = times.take().ok_or("the H.264 decoder gives more frames than the file has")?;
    if time < movie.start {
        return Ok(());
    }
    let (width, height) = decoded.dimensions();
    let (y_stride, uv_stride, _) = decoded.strides();
    let planes = Planes {
        y: decoded.y(),
        uv: Some([decoded.u(), decoded.v()]),
        y_stride,
        uv_stride,
        shift: [1, 1],
        width,
        height,
    };
    let picture = planes.to_photo(movie.colours).ok_or("the H.264 decoder gives a frame without pixels")?;
    let luma = planes.luma().filter(|_| movie.orientation == Orientation::NoTransforms);
    ready.push_back(Shown { time_secs: movie.secs(time), picture: upright(picture, movie.orientation), luma });
    Ok(())
}

fn upright(picture: Photo, orientation: Orientation) -> Photo {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let Photo { pixels, width, height } = picture;
    let image = RgbImage::from_raw(width as u32, height as u32, pixels).expect("a photo's pixels fit its size");
    let mut image = DynamicImage::from(image);
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Photo { pixels: image.into_raw(), width, height }
}

/// Replaces the lengths before units by start codes. Says whether a picture is among them: a sample may hold nothing
/// but a delimiter or the camera's notes, and then no frame comes out for it.
fn add_units(units: &mut Vec<u8>, mut sample: &[u8], avc: &Avc) -> Result<bool, String> {
    let mut has_picture = false;
    while !sample.is_empty() {
        let damaged = "it is damaged: a unit is longer than the frame";
        let (length, rest) = sample.split_at_checked(avc.length_bytes).ok_or(damaged)?;
        let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let (unit, rest) = rest.split_at_checked(length).ok_or(damaged)?;
        has_picture |= unit.first().is_some_and(|header| SLICES.contains(&(header & 0x1f)));
        add_unit(units, unit);
        sample = rest;
    }
    Ok(has_picture)
}

fn add_unit(units: &mut Vec<u8>, unit: &[u8]) {
    units.extend(START_CODE);
    units.extend(unit);
}

/// Reads the bytes of a sample.
///
/// # Errors
/// When the file ends before, or the sample is larger than any frame.
fn read_sample(file: &mut (impl Read + Seek), sample: Sample, bytes: &mut Vec<u8>) -> Result<(), String> {
    if sample.size > MAX_SAMPLE_BYTES {
        return Err(format!("claims {} bytes, which no frame has: the index is damaged", sample.size));
    }
    bytes.clear();
    file.seek(SeekFrom::Start(sample.offset)).map_err(|e| e.to_string())?;
    file.take(sample.size.into()).read_to_end(bytes).map_err(|e| e.to_string())?;
    if bytes.len() < sample.size as usize {
        return Err("the file ends before this frame does: it is cut off".into());
    }
    Ok(())
}

/// Times of frames that the decoder has not returned yet, smallest first: frames come out in the order of showing, but
/// go in in another.
#[derive(Debug, Default)]
struct Times(VecDeque<i64>);

impl Times {
    fn add(&mut self, time: i64) {
        let place = self.0.partition_point(|&t| t <= time);
        self.0.insert(place, time);
    }

    fn take(&mut self) -> Option<i64> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_in_order() {
        let mut times = Times::default();
        [0, 300, 100, 200].into_iter().for_each(|t| times.add(t));
        assert_eq!(std::iter::from_fn(|| times.take()).collect::<Vec<_>>(), [0, 100, 200, 300]);
    }
}
