//! Encodes pictures with OpenH264 into an MP4.

use std::io::{self, Seek, Write};

use openh264::OpenH264API;
use openh264::encoder::{
    Complexity, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, RateControlMode, VuiConfig,
};
use openh264::formats::YUVSource;

use super::super::Rate;
use super::super::mp4::Writer;
use super::super::yuv::I420;
use crate::photo::Photo;

/// Widest frame that the encoder takes, in pixels; the other side is at most [`MAX_SHORT_SIDE`].
const MAX_LONG_SIDE: usize = 3840;

/// See [`MAX_LONG_SIDE`].
const MAX_SHORT_SIDE: usize = 2160;

/// Shortest side that the encoder takes, in pixels; smaller frames grow.
const MIN_SIDE: usize = 16;

/// Time between frames that players can jump to.
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
    /// Begins the file. `rate` decides how often a key frame comes; each frame has its own time.
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

    /// Adds a frame; the first one sets the size. Odd sides grow by a pixel.
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

    /// Makes the file playable and returns it.
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
    let config = EncoderConfig::new()
        // Constant quality (26 on a scale from 0, the best, to 51), at which drawn lines stay clean.
        .rate_control_mode(RateControlMode::Off)
        .max_frame_rate(FrameRate::from_hz(hz as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames((hz * KEY_EVERY_SECS).round() as u32))
        .skip_frames(false)
        // Both save bits where little moves, but leave dots of earlier frames on skin.
        .background_detection(false)
        .adaptive_quantization(false)
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
