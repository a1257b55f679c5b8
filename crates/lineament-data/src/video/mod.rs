//! Videos: the frames of an MP4, a Y4M or a sequence of JPEGs, in the order in which they are shown.
//!
//! The bytes decide the kind, not the name. Frames are streamed: a few are in memory, however long the video is. The
//! writers are [`y4m::Writer`] and, with the feature `h264`, `h264::Mp4Video`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

use lineament::ImageView;
use lineament::stages::MAX_SIDE;

use crate::error::{Error, Result};
use crate::photo::{GreyPhoto, Photo};

#[cfg(feature = "h264")]
pub mod h264;
mod kind;
mod mjpeg;
pub mod mp4;
pub mod y4m;
mod yuv;

pub use kind::{Kind, VIDEO_EXTENSIONS};

/// Most pixels of a frame: 8192 x 8192, above every camera's video, so that no header asks for all memory.
const MAX_FRAME_PIXELS: usize = 1 << 26;

/// One picture of a video.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Number of the frame among those that are shown, from 0.
    pub index: u64,
    /// When it is shown, in seconds from the start.
    pub time_secs: f64,
    /// The picture, upright.
    pub picture: Photo,
    /// Its brightness, where the video has a plane for it; see [`Frame::view`].
    luma: Option<GreyPhoto>,
}

impl Frame {
    /// The view for networks. It is the plane of brightness as stored, where there is one, as cameras give it to apps
    /// and browsers, so that the points are the same there. Computed from colours, it would differ by a grey level in
    /// places.
    pub fn view(&self) -> ImageView<'_> {
        self.luma.as_ref().map_or_else(|| self.picture.view(), GreyPhoto::view)
    }
}

/// What is known of a video before its first frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct About {
    /// Number of frames, where the file says so. Damaged videos have fewer.
    pub frames: Option<u64>,
    /// Frames per second: the stream's, or the mean of a file's.
    pub rate: Rate,
}

/// Frames per second as a fraction, both parts at least 1: 30000/1001 has no exact decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Frames.
    pub frames: u32,
    /// The seconds that they take.
    pub secs: u32,
}

impl Rate {
    /// The assumed rate where a stream does not say: 25 frames per second.
    pub const ASSUMED: Self = Self { frames: 25, secs: 1 };

    /// The closest fraction in thousandths of a frame per second; [`Rate::ASSUMED`] where that is no sensible rate.
    pub fn from_hz(hz: f64) -> Self {
        // The rates of film and television are whole or whole times 1000/1001.
        let whole = hz.round();
        let ntsc = (hz * 1.001).round();
        match hz {
            hz if !(0.001..=1e6).contains(&hz) => Self::ASSUMED,
            hz if (hz - whole).abs() < 1e-3 * hz.min(1.0) => Self { frames: whole as u32, secs: 1 },
            hz if (hz * 1.001 - ntsc).abs() < 1e-3 => Self { frames: ntsc as u32 * 1000, secs: 1001 },
            hz => Self { frames: (hz * 1000.0).round() as u32, secs: 1000 },
        }
    }

    /// Frames per second.
    pub fn hz(self) -> f64 {
        f64::from(self.frames) / f64::from(self.secs)
    }

    /// When frame `index` is shown, in seconds, at a constant rate.
    pub fn time_secs(self, index: u64) -> f64 {
        index as f64 * f64::from(self.secs) / f64::from(self.frames)
    }
}

/// A picture and its time.
struct Shown {
    time_secs: f64,
    picture: Photo,
    luma: Option<GreyPhoto>,
}

/// One kind of video; errors are reasons, [`Frames`] adds the name.
trait Decode: Send {
    fn about(&self) -> About;

    /// The next frame in the order of showing, or the end.
    fn next(&mut self) -> Result<Option<Shown>, String>;
}

/// The frames of a video, in the order in which they are shown. After an error there are no more.
pub struct Frames {
    name: String,
    decoder: Box<dyn Decode>,
    about: About,
    index: u64,
    ended: bool,
}

impl Frames {
    /// Opens a file; its first bytes decide the kind, not its name. `rate` is used where the video has none.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Video`] when it is not a video that we read. The text says what
    /// it is, if that is known, and how to convert it.
    pub fn open(path: &Path, rate: Rate) -> Result<Self> {
        let kind = Kind::of_file(path)?;
        let mut file = BufReader::new(File::open(path).map_err(|e| Error::file(path, e))?);
        let decoder = match kind {
            Some(Kind::Mp4) => open_mp4(file),
            Some(kind) => open_stream(kind, file, rate),
            None if file.fill_buf().is_ok_and(<[u8]>::is_empty) => Err("empty file".into()),
            None => Err(format!("not a video; {READ}")),
        };
        Self::new(path.display().to_string(), decoder)
    }

    fn new(name: String, decoder: Result<Box<dyn Decode>, String>) -> Result<Self> {
        match decoder {
            Ok(decoder) => Ok(Self { name, about: decoder.about(), decoder, index: 0, ended: false }),
            Err(reason) => Err(Error::Video { video: name, reason }),
        }
    }

    /// What is known before the first frame.
    pub fn about(&self) -> About {
        self.about
    }
}

impl Iterator for Frames {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Result<Frame>> {
        if self.ended {
            return None;
        }
        let found = match self.decoder.next() {
            Ok(Some(Shown { time_secs, picture, luma })) => {
                Some(Ok(Frame { index: self.index, time_secs, picture, luma }))
            }
            Ok(None) if self.index == 0 => Some(Err("has no frames".to_owned())),
            Ok(None) => None,
            Err(reason) => Some(Err(format!("frame {}: {reason}", self.index))),
        };
        self.ended = !matches!(found, Some(Ok(_)));
        self.index += 1;
        found.map(|frame| frame.map_err(|reason| Error::Video { video: self.name.clone(), reason }))
    }
}

/// The formats that are read, for messages.
const READ: &str = "MP4 with H.264, Y4M and MJPEG are read";

/// How to convert a video to a format that we read, for messages.
const REMEDY: &str = "convert it with `ffmpeg -i FILE -c:v libx264 -pix_fmt yuv420p out.mp4`, or pipe it: \
                      `ffmpeg -i FILE -pix_fmt yuv420p -f yuv4mpegpipe - | lineament run -`";

/// The content of a stream.
pub enum Stream<R> {
    /// A video.
    Video(Frames),
    /// Something else, perhaps a photo: all its bytes, including those that were read already.
    Other(Chain<Cursor<Vec<u8>>, R>),
}

impl<R: Read + Send + 'static> Stream<R> {
    /// Reads as much as distinguishes a video from a photo: a few bytes of Y4M, the first JPEG of MJPEG. `rate` is used
    /// where the stream has none.
    ///
    /// # Errors
    /// [`Error::Video`] as [`Frames::open`], and for an MP4, which must be a file.
    pub fn open(name: &str, mut bytes: R, rate: Rate) -> Result<Self> {
        let unread = |e: io::Error| Error::Video { video: name.into(), reason: format!("cannot be read: {e}") };
        let mut first = Vec::new();
        bytes.by_ref().take(kind::SNIFFED as u64).read_to_end(&mut first).map_err(unread)?;
        let mut kind = Kind::of(&first);
        if first.starts_with(&kind::SOI) {
            let mut kept = mjpeg::Kept::new(Cursor::new(first).chain(&mut bytes));
            // A damaged first JPEG is left to the decoder of photos, which has better messages.
            let whole = mjpeg::read_jpeg(&mut kept);
            let jpeg_bytes = kept.bytes.len();
            let mut next = Vec::new();
            if whole.is_ok() {
                kept.by_ref().take(2).read_to_end(&mut next).map_err(unread)?;
            }
            first = kept.bytes;
            kept.inner.into_inner().0.read_to_end(&mut first).map_err(unread)?;
            kind = Kind::of_jpegs(&first[..jpeg_bytes], &next);
        }
        let all = Cursor::new(first).chain(bytes);
        match kind {
            None => Ok(Self::Other(all)),
            Some(kind) => Ok(Self::Video(Frames::new(name.into(), open_stream(kind, BufReader::new(all), rate))?)),
        }
    }
}

#[cfg(feature = "h264")]
fn open_mp4(file: BufReader<File>) -> Result<Box<dyn Decode>, String> {
    Ok(Box::new(h264::Decoder::open(file)?))
}

#[cfg(not(feature = "h264"))]
fn open_mp4(mut file: BufReader<File>) -> Result<Box<dyn Decode>, String> {
    mp4::Movie::read(&mut file)?; // names what else is wrong with it
    Err(format!("this program was built without H.264 (feature `h264`); {REMEDY}"))
}

fn open_stream(kind: Kind, bytes: impl BufRead + Send + 'static, rate: Rate) -> Result<Box<dyn Decode>, String> {
    match kind {
        Kind::Y4m => Ok(Box::new(y4m::Reader::new(bytes)?)),
        Kind::Mjpeg => Ok(Box::new(mjpeg::Reader::new(bytes, rate))),
        Kind::Mp4 => {
            Err("an MP4 must be a file, because its index may stand at its end; save it first, or let ffmpeg \
                          send the frames: `ffmpeg -i FILE -pix_fmt yuv420p -f yuv4mpegpipe - | lineament run -`"
                .into())
        }
        Kind::Foreign(container) => Err(format!("{container} is not read ({READ}); {REMEDY}")),
    }
}

/// Checks a size before memory is asked for.
fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("frames of {width}x{height} have no pixels"));
    }
    if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_FRAME_PIXELS {
        return Err(format!("frames of {width}x{height} are larger than any video"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_fractions() {
        for (hz, frames, secs) in [
            (25.0, 25, 1),
            (30.0, 30, 1),
            (30000.0 / 1001.0, 30_000, 1001),
            (24000.0 / 1001.0, 24_000, 1001),
            (29.5, 29_500, 1000),
            (0.5, 500, 1000),
            (0.0, 25, 1),
            (f64::NAN, 25, 1),
            (1e9, 25, 1),
        ] {
            assert_eq!(Rate::from_hz(hz), Rate { frames, secs }, "{hz}");
        }
        assert_eq!(Rate { frames: 30_000, secs: 1001 }.time_secs(30), 1.001);
    }

    #[test]
    fn sizes_beyond_reason_are_refused() {
        for (size, fine) in
            [((1, 1), true), ((8192, 8192), true), ((0, 4), false), ((70_000, 1), false), ((65_535, 65_535), false)]
        {
            assert_eq!(check_size(size.0, size.1).is_ok(), fine, "{size:?}");
        }
    }
}
