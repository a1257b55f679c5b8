//! H.264 in MP4: OpenH264 decodes and encodes, [`super::mp4`] knows the files.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};

use image::RgbImage;
use image::metadata::Orientation;
use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, DecoderConfig, Flush};
use openh264::encoder::{
    BitRate, Complexity, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, QpRange, RateControlMode, VuiConfig,
};
use openh264::formats::YUVSource;

use super::mp4::{Avc, Movie, Writer, read_sample};
use super::yuv::{I420, Planes};
use super::{About, Decode, REMEDY, Rate, Shown, Times};
use crate::photo::Photo;

/// What begins each unit in the decoder's eyes.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Decodes a file frame by frame.
pub(super) struct Decoder {
    file: BufReader<File>,
    movie: Movie,
    decoder: openh264::decoder::Decoder,
    /// The next sample.
    next: usize,
    /// Times of the samples that went in and did not come out.
    times: Times,
    /// Frames that wait to be taken.
    ready: VecDeque<Shown>,
    sample: Vec<u8>,
    units: Vec<u8>,
}

impl Decoder {
    /// Reads the index.
    pub(super) fn open(mut file: BufReader<File>) -> Result<Self, String> {
        let movie = Movie::read(&mut file)?;
        // Frames must wait inside until those before them are decoded, so nothing is flushed on the way.
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
            sample: Vec::new(),
            units: Vec::new(),
        })
    }

    /// Decodes the next sample. What comes out is the next frame in the order of showing, or nothing yet.
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
        add_units(&mut self.units, &self.sample, &self.movie.avc)?;
        self.times.add(sample.time);
        let refused = |e| format!("the H.264 decoder refuses it ({e}): the file is damaged, or {REMEDY}");
        if let Some(decoded) = self.decoder.decode(&self.units).map_err(refused)? {
            show(&decoded, &self.movie, &mut self.times, &mut self.ready)?;
        }
        Ok(())
    }

    /// Takes out what waits in the decoder after the last sample.
    fn drain(&mut self) -> Result<(), String> {
        let rest = self.decoder.flush_remaining().map_err(|e| format!("the H.264 decoder fails at the end ({e})"))?;
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
            match self.next.cmp(&self.movie.samples.len()) {
                std::cmp::Ordering::Less => self.feed()?,
                std::cmp::Ordering::Equal => {
                    self.next += 1;
                    self.drain()?;
                }
                std::cmp::Ordering::Greater => return Ok(None),
            }
        }
    }
}

/// Gives a decoded frame its time and makes it a picture, unless the file hides it.
fn show(
    decoded: &DecodedYUV,
    movie: &Movie,
    times: &mut Times,
    ready: &mut VecDeque<Shown>,
) -> Result<(), String> {
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
    ready.push_back((movie.secs(time), upright(picture, movie.orientation)));
    Ok(())
}

fn upright(picture: Photo, orientation: Orientation) -> Photo {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let Photo { pixels, width, height } = picture;
    let image = RgbImage::from_raw(width as u32, height as u32, pixels).expect("a photo's pixels fit its size");
    let mut image = image::DynamicImage::from(image);
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Photo { pixels: image.into_raw(), width, height }
}

/// Puts start codes in the place of lengths.
fn add_units(units: &mut Vec<u8>, mut sample: &[u8], avc: &Avc) -> Result<(), String> {
    while !sample.is_empty() {
        let damaged = "it is damaged: a unit is longer than the frame";
        let (length, rest) = sample.split_at_checked(avc.length_bytes).ok_or(damaged)?;
        let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let (unit, rest) = rest.split_at_checked(length).ok_or(damaged)?;
        add_unit(units, unit);
        sample = rest;
    }
    Ok(())
}

fn add_unit(units: &mut Vec<u8>, unit: &[u8]) {
    units.extend(START_CODE);
    units.extend(unit);
}

/// Widest frame that the encoder takes, in pixels; the other side is at most [`MAX_SHORT_SIDE`].
const MAX_LONG_SIDE: usize = 3840;

/// See [`MAX_LONG_SIDE`].
const MAX_SHORT_SIDE: usize = 2160;

/// Shortest side that the encoder takes, in pixels; smaller frames grow.
const MIN_SIDE: usize = 16;

/// Bits per pixel that the encoder aims at; chosen by eye so that thin lines over faces stay clean.
const BITS_PER_PIXEL: f64 = 0.2;

/// How coarse the encoder may get, on H.264's scale from 0 to 51: never so fine that a still picture takes megabytes,
/// never so coarse that drawn points smear.
const QUALITY: (u8, u8) = (16, 34);

/// One frame in so many can be jumped to by players.
const KEY_EVERY_SECS: f64 = 2.0;

/// Writes an MP4 with H.264. Nothing but the index is kept in memory.
pub struct Mp4Video<W> {
    encoder: Option<openh264::encoder::Encoder>,
    mp4: Writer<W>,
    rate: Rate,
    photo_size: [usize; 2],
    planes: I420,
    sample: Vec<u8>,
    sps: Vec<u8>,
    pps: Vec<u8>,
}

impl<W: Write + Seek> Mp4Video<W> {
    /// Begins the file. `rate` is a guess that the bit rate follows; each frame brings its own time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(file: W, rate: Rate) -> io::Result<Self> {
        Ok(Self {
            encoder: None,
            mp4: Writer::new(file)?,
            rate,
            photo_size: [0; 2],
            planes: I420::default(),
            sample: Vec::new(),
            sps: Vec::new(),
            pps: Vec::new(),
        })
    }

    /// Adds a frame; the first sets the size. Odd sides grow by a pixel.
    ///
    /// # Errors
    /// When it cannot be written or encoded, has another size than the first, or is larger than 3840x2160.
    pub fn add(&mut self, picture: &Photo, time_secs: f64) -> io::Result<()> {
        let size = [picture.width, picture.height];
        if self.encoder.is_none() {
            self.photo_size = size;
            self.encoder = Some(encoder(size, self.rate)?);
        }
        if self.photo_size != size {
            return Err(io::Error::other("an MP4 holds frames of one size only"));
        }
        self.planes.fill(picture, 2, MIN_SIDE);
        let encoder = self.encoder.as_mut().expect("it was made above");
        let coded = encoder.encode(&self.planes).map_err(|e| io::Error::other(e.to_string()))?;
        self.sample.clear();
        for layer in (0..coded.num_layers()).filter_map(|i| coded.layer(i)) {
            for unit in (0..layer.nal_count()).filter_map(|i| layer.nal_unit(i)) {
                let unit = without_start_code(unit);
                match unit.first().map(|header| header & 31) {
                    Some(7) => self.sps = unit.to_vec(),
                    Some(8) => self.pps = unit.to_vec(),
                    _ => {
                        self.sample.extend((unit.len() as u32).to_be_bytes());
                        self.sample.extend(unit);
                    }
                }
            }
        }
        self.mp4.add(&self.sample, time_secs, coded.frame_type() == FrameType::IDR)
    }

    /// Makes the file playable and gives it back.
    ///
    /// # Errors
    /// When it cannot be written, or has no frame.
    pub fn finish(self) -> io::Result<W> {
        self.mp4.finish([self.planes.width, self.planes.height], &self.sps, &self.pps)
    }
}

fn encoder([width, height]: [usize; 2], rate: Rate) -> io::Result<openh264::encoder::Encoder> {
    let (long, short) = (width.max(height), width.min(height));
    if long > MAX_LONG_SIDE || short > MAX_SHORT_SIDE {
        return Err(io::Error::other(format!(
            "frames of {width}x{height} are more than the encoder takes ({MAX_LONG_SIDE}x{MAX_SHORT_SIDE}); \
             write a .y4m or a folder of pictures"
        )));
    }
    let hz = rate.hz().clamp(1.0, 240.0);
    let bits = (width * height) as f64 * hz * BITS_PER_PIXEL;
    let config = EncoderConfig::new()
        .rate_control_mode(RateControlMode::Bitrate)
        .bitrate(BitRate::from_bps(bits.clamp(1e5, 1e8) as u32))
        .qp(QpRange::new(QUALITY.0, QUALITY.1))
        .max_frame_rate(FrameRate::from_hz(hz as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames((hz * KEY_EVERY_SECS).round() as u32))
        .skip_frames(false)
        .complexity(Complexity::Low)
        .vui(VuiConfig::bt601());
    openh264::encoder::Encoder::with_api_config(OpenH264API::from_source(), config)
        .map_err(|e| io::Error::other(format!("the H.264 encoder does not start: {e}")))
}

fn without_start_code(unit: &[u8]) -> &[u8] {
    let zeros = unit.iter().take_while(|&&byte| byte == 0).count();
    unit.get(zeros + 1..).unwrap_or_default()
}

impl YUVSource for I420 {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width.div_ceil(2), self.width.div_ceil(2))
    }

    fn y(&self) -> &[u8] {
        &self.y
    }

    fn u(&self) -> &[u8] {
        &self.u
    }

    fn v(&self) -> &[u8] {
        &self.v
    }
}
