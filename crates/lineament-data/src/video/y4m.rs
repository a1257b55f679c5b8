//! YUV4MPEG2 (`.y4m`): a header line, then frames of raw planes, as `ffmpeg -f yuv4mpegpipe` writes them.
//!
//! The reader is our own because the crate `y4m` (0.8) takes a stream that is cut off within a frame for a whole one,
//! and leaves range and alpha to its caller.

use std::io::{self, BufRead, Read, Write};

use super::yuv::{Colours, I420, Planes};
use super::{About, Decode, Rate, Shown, check_size};
use crate::photo::Photo;

/// Most bytes of a header line; usual ones have less than 100.
const MAX_LINE_BYTES: u64 = 4096;

/// The colour layouts that are read, for messages.
const LAYOUTS: &str = "420, 422, 444 and mono with 8 bits are read; add `-pix_fmt yuv420p` to the ffmpeg command";

/// Reads frames from a stream.
pub(super) struct Reader<R> {
    bytes: R,
    width: usize,
    height: usize,
    rate: Rate,
    colours: Colours,
    /// Powers of two by which the colour planes are smaller; `None` for grey.
    shift: Option<[u32; 2]>,
    /// Alpha follows the colours.
    alpha: bool,
    index: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header line.
    pub(super) fn new(mut bytes: R) -> Result<Self, String> {
        let line = read_line(&mut bytes)?.unwrap_or_default();
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        if words.next() != Some("YUV4MPEG2") {
            return Err("does not begin with YUV4MPEG2".into());
        }
        let (mut size, mut rate, mut colours) = ([0; 2], Rate::ASSUMED, Colours::USUAL);
        let (mut shift, mut alpha) = (Some([1, 1]), false);
        let mut full_range = None;
        for word in words {
            let Some(tag) = word.chars().next() else { continue };
            let value = &word[tag.len_utf8()..];
            match tag {
                'W' | 'H' => {
                    let side = value.parse().map_err(|_| format!("{word:?} in the header: give pixels"))?;
                    size[usize::from(tag == 'H')] = side;
                }
                'F' => rate = parse_rate(value)?,
                'C' => (shift, alpha) = parse_layout(value)?,
                'X' if value.eq_ignore_ascii_case("COLORRANGE=FULL") => full_range = Some(true),
                'X' if value.eq_ignore_ascii_case("COLORRANGE=LIMITED") => full_range = Some(false),
                _ => {} // interlacing, pixel aspect and other additions
            }
        }
        // Grey frames have full range unless the header says limited, as in ffmpeg.
        colours.full_range = full_range.unwrap_or(shift.is_none());
        let [width, height] = size;
        check_size(width, height)?;
        Ok(Self { bytes, width, height, rate, colours, shift, alpha, index: 0, buffer: Vec::new() })
    }

    /// Bytes of all planes.
    fn frame_bytes(&self) -> usize {
        let luma = self.width * self.height;
        let alpha = if self.alpha { luma } else { 0 };
        let chroma = |[across, down]: [u32; 2]| self.width.div_ceil(1 << across) * self.height.div_ceil(1 << down);
        luma + alpha + self.shift.map_or(0, |shift| 2 * chroma(shift))
    }
}

impl<R: BufRead + Send> Decode for Reader<R> {
    fn about(&self) -> About {
        About { frames: None, rate: self.rate }
    }

    fn next(&mut self) -> Result<Option<Shown>, String> {
        let Some(line) = read_line(&mut self.bytes)? else { return Ok(None) };
        if line.split(' ').next() != Some("FRAME") {
            return Err("does not begin with FRAME: the stream is damaged".into());
        }
        let wanted = self.frame_bytes();
        self.buffer.clear();
        self.bytes.by_ref().take(wanted as u64).read_to_end(&mut self.buffer).map_err(|e| e.to_string())?;
        if self.buffer.len() < wanted {
            return Err(format!("the stream ends after {} of its {wanted} bytes", self.buffer.len()));
        }
        let (y, rest) = self.buffer.split_at(self.width * self.height);
        let shift = self.shift.unwrap_or_default();
        let uv_stride = self.width.div_ceil(1 << shift[0]);
        let uv = self.shift.map(|_| rest.split_at(uv_stride * self.height.div_ceil(1 << shift[1])));
        let planes = Planes {
            y,
            uv: uv.map(|(u, v)| [u, v]),
            y_stride: self.width,
            uv_stride,
            shift,
            width: self.width,
            height: self.height,
        };
        let picture = planes.to_photo(self.colours).ok_or("the planes do not fit the size")?;
        self.index += 1;
        Ok(Some(Shown { time_secs: self.rate.time_secs(self.index - 1), picture, luma: planes.luma() }))
    }
}

/// A line without its break; `None` at the end of the stream.
fn read_line(bytes: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    bytes.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(|e| e.to_string())?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(String::from_utf8_lossy(&line).into_owned())),
        Some(_) => Err("the stream ends within a header, or a header is longer than 4 kB".into()),
    }
}

/// `30000:1001`; `0:0` stands for an unknown rate.
fn parse_rate(text: &str) -> Result<Rate, String> {
    let parts = text.split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    match parts {
        Some((0, _) | (_, 0)) => Ok(Rate::ASSUMED),
        Some((frames, secs)) => Ok(Rate { frames, secs }),
        None => Err(format!("the frame rate {text:?} is not two whole numbers like 30:1")),
    }
}

/// How much smaller the colour planes are, and whether an alpha plane follows.
fn parse_layout(text: &str) -> Result<(Option<[u32; 2]>, bool), String> {
    match text {
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok((Some([1, 1]), false)),
        "422" => Ok((Some([1, 0]), false)),
        "444" => Ok((Some([0, 0]), false)),
        "444alpha" => Ok((Some([0, 0]), true)),
        "mono" => Ok((None, false)),
        deep if deep.contains("p10") || deep.contains("p12") || deep.contains("p14") || deep.contains("p16") => {
            Err(format!("frames of {deep} have more than 8 bits; {LAYOUTS}"))
        }
        deep if deep.starts_with("mono") => Err(format!("frames of {deep} have more than 8 bits; {LAYOUTS}")),
        other => Err(format!("frames of {other:?} are not read; {LAYOUTS}")),
    }
}

/// Writes frames to a file or pipe, as 4:2:0.
pub struct Writer<W> {
    bytes: W,
    rate: Rate,
    size: Option<(usize, usize)>,
    planes: I420,
}

impl<W: Write> Writer<W> {
    /// Frames are shown at a constant rate; the format has no other.
    pub fn new(bytes: W, rate: Rate) -> Self {
        Self { bytes, rate, size: None, planes: I420::default() }
    }

    /// Adds a frame; the first one sets the size.
    ///
    /// # Errors
    /// When it cannot be written, or has a different size.
    pub fn add(&mut self, picture: &Photo) -> io::Result<()> {
        let size = (picture.width, picture.height);
        if self.size.is_none() {
            let Rate { frames, secs } = self.rate;
            writeln!(self.bytes, "YUV4MPEG2 W{} H{} F{frames}:{secs} Ip A1:1 C420jpeg", size.0, size.1)?;
        }
        if *self.size.get_or_insert(size) != size {
            return Err(io::Error::other("a Y4M holds frames of one size only"));
        }
        self.planes.fill(picture, 1, 1);
        self.bytes.write_all(b"FRAME\n")?;
        [&self.planes.y, &self.planes.u, &self.planes.v].into_iter().try_for_each(|plane| self.bytes.write_all(plane))
    }

    /// Flushes, and returns the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.bytes.flush()?;
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Vec<(f64, Photo)>, String> {
        let mut reader = Reader::new(bytes)?;
        let mut found = Vec::new();
        while let Some(shown) = reader.next()? {
            found.push((shown.time_secs, shown.picture));
        }
        Ok(found)
    }

    #[test]
    fn brightness_is_taken_as_it_is_stored() {
        let bytes = b"YUV4MPEG2 W3 H2 F25:1 Cmono\nFRAME\n\x01\x10\x80\xeb\xff\x00";
        let luma = Reader::new(&bytes[..]).unwrap().next().unwrap().unwrap().luma.unwrap();
        assert_eq!((luma.width, luma.height, luma.pixels), (3, 2, vec![1, 16, 128, 235, 255, 0]));
    }

    fn even(grey: u8, width: usize, height: usize) -> Photo {
        Photo { pixels: vec![grey; width * height * 3], width, height }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new(Vec::new(), Rate { frames: 30_000, secs: 1001 });
        let photos = [even(0, 5, 3), even(99, 5, 3), even(255, 5, 3)];
        photos.iter().for_each(|photo| writer.add(photo).unwrap());
        assert!(writer.add(&even(0, 6, 3)).is_err(), "another size");
        let bytes = writer.finish().unwrap();
        let back = read(&bytes).unwrap();
        assert_eq!(back.len(), 3);
        for (i, ((time_secs, photo), original)) in back.iter().zip(&photos).enumerate() {
            assert!((time_secs - i as f64 * 1.001 / 30.0).abs() < 1e-9);
            assert_eq!(photo, original);
        }
    }

    #[test]
    fn every_layout_is_read() {
        for (layout, bytes) in [
            ("", 15 + 2 * 6),
            (" C420jpeg", 15 + 2 * 6),
            (" C422", 15 + 2 * 9),
            (" C444", 45),
            (" Cmono XCOLORRANGE=LIMITED", 15),
            (" C444alpha", 60),
        ] {
            let header = format!("YUV4MPEG2 W5 H3 F10:1{layout} XYSCSS=X\nFRAME Ix\n");
            let mut stream = [header.into_bytes(), vec![235; 15], vec![128; bytes - 15]].concat();
            assert_eq!(read(&stream), Ok(vec![(0.0, even(255, 5, 3))]), "{layout}");
            stream.pop();
            let error = read(&stream).unwrap_err();
            assert_eq!(error, format!("the stream ends after {} of its {bytes} bytes", bytes - 1), "{layout}");
        }
    }

    #[test]
    fn the_range_is_what_the_header_says_and_full_for_grey() {
        for (words, grey) in
            [("Cmono", 16), ("Cmono XCOLORRANGE=LIMITED", 0), ("C444 XCOLORRANGE=FULL", 16), ("C444", 0)]
        {
            let stream = format!("YUV4MPEG2 W1 H1 {words}\nFRAME\n\x10\u{7f}\u{7f}");
            let bytes = &stream.as_bytes()[..stream.len() - if words.starts_with("Cmono") { 2 } else { 0 }];
            let picture = &read(bytes).unwrap()[0].1;
            assert!(picture.pixels[1].abs_diff(grey) < 3, "{words}: {picture:?}");
        }
    }

    #[test]
    fn unsupported_streams_are_named_with_the_remedy() {
        for (header, text) in [
            ("YUV4MPEG2 W4 H4 C420p10\n", "have more than 8 bits; 420, 422, 444 and mono with 8 bits are read; add"),
            ("YUV4MPEG2 W4 H4 Cmono16\n", "have more than 8 bits"),
            ("YUV4MPEG2 W4 H4 C411\n", "frames of \"411\" are not read; 420, 422, 444 and mono"),
            ("YUV4MPEG2 W4 H0\n", "frames of 4x0 have no pixels"),
            ("YUV4MPEG2 H4\n", "frames of 0x4 have no pixels"),
            ("YUV4MPEG2 W70000 H70000\n", "larger than any video"),
            ("YUV4MPEG2 W-4 H4\n", "\"W-4\" in the header"),
            ("YUV4MPEG2 W4 H4 F25\n", "the frame rate \"25\" is not two whole numbers"),
            ("YUV4MPEG2 W4 H4", "the stream ends within a header"),
            ("YUV4MPEG2 W4 H4\nFRAM\n", "does not begin with FRAME"),
            ("YUV4MPEG2 W4 H4\nFRAME", "the stream ends within a header"),
        ] {
            let error = read(header.as_bytes()).unwrap_err();
            assert!(error.contains(text), "{header:?}: {error}");
        }
        assert_eq!(read(b"YUV4MPEG2 W4 H4 F0:0\n"), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn damaged_streams_never_panic(at in 0usize..60, value in any::<u8>(), cut in 0usize..60) {
            let mut stream = b"YUV4MPEG2 W4 H4 F25:1 C420 Xa\nFRAME\n012345678901234567890123".to_vec();
            stream[at] = value;
            let _ = read(&stream);
            let _ = read(&stream[..cut]);
        }
    }
}
