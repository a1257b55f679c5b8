//! The index of a file: its video track, how it is coded, and its samples.

use std::io::{Read, Seek, SeekFrom};

use image::metadata::Orientation;

use super::super::yuv::Colours;
use super::super::{REMEDY, check_size};
use super::boxes::Bytes;
use super::fragments::Fragments;
use super::tables;

/// Most bytes of an index: a day of video takes 50 MB.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// Most bytes of one coded frame.
const MAX_SAMPLE_BYTES: u32 = 64 << 20;

/// Most frames: 38 hours at 60 per second.
pub(super) const MAX_SAMPLES: usize = 1 << 23;

/// What is said of more.
pub(super) const TOO_MANY: &str = "claims more frames than a day and a half has: its index is damaged";

/// Bytes of a sample description before its boxes.
const VISUAL_BYTES: usize = 78;

/// One coded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes; 0 for a frame that was left out.
    pub size: u32,
    /// When it is shown, in units of [`Movie::timescale`].
    pub time: i64,
}

/// How H.264 was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avc {
    /// Bytes of the length before each unit in a sample: 1 to 4.
    pub length_bytes: usize,
    /// The units that describe the stream, each without a start code.
    pub parameters: Vec<Vec<u8>>,
}

/// What is known of a file's video track.
#[derive(Debug, Clone, PartialEq)]
pub struct Movie {
    /// How the frames are coded.
    pub avc: Avc,
    /// Units per second in which times count.
    pub timescale: u32,
    /// Frames in the order of decoding.
    pub samples: Vec<Sample>,
    /// Time of the first frame that is shown; frames before it serve for decoding only.
    pub start: i64,
    pub(in super::super) orientation: Orientation,
    pub(in super::super) colours: Colours,
}

impl Movie {
    /// Reads the index.
    ///
    /// # Errors
    /// When there is none, no video track, or one that is not H.264 with 8 bits.
    pub fn read(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let file_bytes = file.seek(SeekFrom::End(0)).map_err(|e| e.to_string())?;
        let top = TopLevel::read(file, file_bytes)?;
        let moov = Bytes::new(top.moov.as_deref().ok_or_else(|| no_index(top.is_cut_off))?);
        let trak = video_track(moov)?;
        let mdia = trak.need(b"mdia")?;
        let stbl = mdia.need(b"minf")?.need(b"stbl")?;
        let (avc, colours) = description(stbl.need(b"stsd")?)?;
        let mut samples = tables::samples(stbl, file_bytes)?;
        let track_id = track_id(trak)?;
        let mut fragments = Fragments::new(moov, track_id);
        for (offset, moof) in &top.moofs {
            fragments.add(Bytes::new(moof), *offset, &mut samples)?;
        }
        let timescale = timescale(mdia.need(b"mdhd")?)?;
        let start = start(trak, &samples);
        let orientation = orientation(trak.need(b"tkhd")?)?;
        Ok(Self { avc, timescale, samples, start, orientation, colours })
    }

    /// Number of frames that are shown.
    pub fn shown(&self) -> u64 {
        self.samples.iter().filter(|sample| sample.size > 0 && sample.time >= self.start).count() as u64
    }

    /// The mean pace of the frames that are shown; `None` for less than two.
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

/// Reads the bytes of a sample.
///
/// # Errors
/// When the file ends before, or the sample is larger than any frame.
pub fn read_sample(file: &mut (impl Read + Seek), sample: Sample, bytes: &mut Vec<u8>) -> Result<(), String> {
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

/// What stands side by side in the file. Everything but the index stays where it is.
#[derive(Default)]
struct TopLevel {
    moov: Option<Vec<u8>>,
    /// Where each begins, and what it holds.
    moofs: Vec<(u64, Vec<u8>)>,
    /// A box is longer than what is left of the file.
    is_cut_off: bool,
}

impl TopLevel {
    fn read(file: &mut (impl Read + Seek), file_bytes: u64) -> Result<Self, String> {
        let mut found = Self::default();
        let mut at = 0;
        let mut index_bytes = 0;
        while at + 8 <= file_bytes {
            let mut header = [0; 16];
            let header_bytes = header.len().min((file_bytes - at) as usize);
            file.seek(SeekFrom::Start(at)).map_err(|e| e.to_string())?;
            file.read_exact(&mut header[..header_bytes]).map_err(|e| e.to_string())?;
            let mut numbers = Bytes::new(&header[..header_bytes]);
            let (length, name) = (numbers.u32()?, numbers.array()?);
            let (before, length) = match length {
                0 => (8, file_bytes - at),
                1 => (16, numbers.u64().unwrap_or(0)),
                length => (8, u64::from(length)),
            };
            if length < before {
                return Err("not a usable MP4: a box is shorter than its own header".into());
            }
            if length > file_bytes - at {
                found.is_cut_off = true;
                break;
            }
            if matches!(&name, b"moov" | b"moof") {
                index_bytes += length;
                if index_bytes > MAX_INDEX_BYTES {
                    return Err(format!("its index is larger than {} MiB", MAX_INDEX_BYTES >> 20));
                }
                let mut content = vec![0; (length - before) as usize];
                file.seek(SeekFrom::Start(at + before)).map_err(|e| e.to_string())?;
                file.read_exact(&mut content).map_err(|e| e.to_string())?;
                match &name {
                    b"moov" => found.moov = Some(content),
                    _ => found.moofs.push((at, content)),
                }
            }
            at += length;
        }
        Ok(found)
    }
}

fn no_index(is_cut_off: bool) -> String {
    let why = if is_cut_off { "the file is cut off" } else { "its recording was not finished" };
    format!("has no index (moov): {why}; copy or record it again")
}

/// The first video track in H.264, or what is there instead.
fn video_track(moov: Bytes) -> Result<Bytes, String> {
    let tracks: Vec<_> = moov.boxes().filter(|(name, _)| name == b"trak").map(|(_, trak)| trak).collect();
    let is_video = |trak: &Bytes| {
        let hdlr = trak.find(b"mdia").and_then(|mdia| mdia.find(b"hdlr"));
        hdlr.is_some_and(|hdlr| hdlr.rest().get(8..12) == Some(b"vide"))
    };
    let codec = |trak: &Bytes| {
        let stsd = trak.find(b"mdia")?.find(b"minf")?.find(b"stbl")?.find(b"stsd")?;
        Bytes::new(stsd.rest().get(8..)?).boxes().next().map(|(name, _)| name)
    };
    let videos: Vec<_> = tracks.iter().filter(|trak| is_video(trak)).collect();
    if let Some(trak) = videos.iter().find(|trak| matches!(codec(trak).as_ref(), Some(b"avc1" | b"avc3"))) {
        return Ok(**trak);
    }
    match videos.first() {
        None if tracks.is_empty() => Err("has no tracks".into()),
        None => Err("has no video track, only sound or other data".into()),
        Some(trak) => match codec(trak) {
            None => Err("the index (moov) is damaged: it does not say how the video is coded".into()),
            Some(code) => Err(format!("is coded as {}, and only H.264 is read; {REMEDY}", codec_name(&code))),
        },
    }
}

fn codec_name(code: &[u8; 4]) -> String {
    match code {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "H.265 (HEVC)".into(),
        b"av01" => "AV1".into(),
        b"vp08" => "VP8".into(),
        b"vp09" => "VP9".into(),
        b"mp4v" => "MPEG-4 Part 2".into(),
        b"s263" | b"h263" => "H.263".into(),
        b"jpeg" | b"mjpa" | b"mjpb" => "Motion JPEG".into(),
        b"encv" => "encrypted video".into(),
        [b'a', b'p', ..] => "ProRes".into(),
        other => format!("{:?}", String::from_utf8_lossy(other)),
    }
}

/// Only the first description counts: files that change it on the way are unheard of.
fn description(mut stsd: Bytes) -> Result<(Avc, Colours), String> {
    stsd.take(8)?;
    let (_, mut entry) = stsd.boxes().next().ok_or("the index (moov) is damaged: it does not say how it is coded")?;
    let visual = entry.take(VISUAL_BYTES)?;
    let side = |at: usize| usize::from(u16::from_be_bytes([visual[at], visual[at + 1]]));
    check_size(side(24), side(26))?;
    let colours = entry.find(b"colr").and_then(|colr| colours(colr).ok()).unwrap_or(Colours::USUAL);
    Ok((avc(entry.need(b"avcC")?)?, colours))
}

fn colours(mut colr: Bytes) -> Result<Colours, String> {
    let kind = colr.array::<4>()?;
    colr.take(4)?; // primaries and transfer
    let matrix = colr.u16()?;
    // QuickTime's older `nclc` ends here.
    let full_range = &kind == b"nclx" && colr.u8()? & 0x80 != 0;
    Ok(Colours { bt709: matrix == 1, full_range })
}

fn avc(mut avcc: Bytes) -> Result<Avc, String> {
    let [_version, profile, _compatible, _level, lengths] = avcc.array()?;
    let more = match profile {
        110 => Some("10 bits"),
        122 => Some("4:2:2 colours"),
        244 | 44 => Some("4:4:4 colours"),
        _ => None,
    };
    if let Some(more) = more {
        return Err(format!("is H.264 with {more}, and only 8 bits with 4:2:0 colours are read; {REMEDY}"));
    }
    let mut parameters = Vec::new();
    let sequences = avcc.u8()? & 31;
    for _ in 0..sequences {
        let length = avcc.u16()?;
        parameters.push(avcc.take(length.into())?.to_vec());
    }
    for _ in 0..avcc.u8()? {
        let length = avcc.u16()?;
        parameters.push(avcc.take(length.into())?.to_vec());
    }
    Ok(Avc { length_bytes: usize::from(lengths & 3) + 1, parameters })
}

fn timescale(mut mdhd: Bytes) -> Result<u32, String> {
    let (version, _) = mdhd.version_and_flags()?;
    mdhd.take(if version == 0 { 8 } else { 16 })?;
    match mdhd.u32()? {
        0 => Err("the index (moov) is damaged: its clock stands still".into()),
        timescale => Ok(timescale),
    }
}

fn track_id(trak: Bytes) -> Result<u32, String> {
    let mut tkhd = trak.need(b"tkhd")?;
    let (version, _) = tkhd.version_and_flags()?;
    tkhd.take(if version == 0 { 8 } else { 16 })?;
    tkhd.u32()
}

/// How a phone was held. Matrices that neither turn by quarters nor mirror are left alone.
fn orientation(mut tkhd: Bytes) -> Result<Orientation, String> {
    let (version, _) = tkhd.version_and_flags()?;
    tkhd.take(if version == 0 { 36 } else { 48 })?;
    let mut matrix = [0; 5];
    for number in &mut matrix {
        *number = tkhd.i32()?;
    }
    // x' = a x + c y, y' = b x + d y, in 1/65536.
    let [a, b, _, c, d] = matrix.map(|number| (f64::from(number) / 65536.0).round() as i32);
    Ok(match [a, b, c, d] {
        [0, 1, -1, 0] => Orientation::Rotate90,
        [-1, 0, 0, -1] => Orientation::Rotate180,
        [0, -1, 1, 0] => Orientation::Rotate270,
        [-1, 0, 0, 1] => Orientation::FlipHorizontal,
        [1, 0, 0, -1] => Orientation::FlipVertical,
        [0, 1, 1, 0] => Orientation::Rotate90FlipH,
        [0, -1, -1, 0] => Orientation::Rotate270FlipH,
        _ => Orientation::NoTransforms,
    })
}

/// Where the edit list lets the video begin, if any frame is left then; else the earliest frame.
fn start(trak: Bytes, samples: &[Sample]) -> i64 {
    let earliest = samples.iter().map(|sample| sample.time).min().unwrap_or(0);
    let edited = trak.find(b"edts").and_then(|edts| edts.find(b"elst")).and_then(|elst| first_edit(elst).ok().flatten());
    edited.filter(|start| samples.iter().any(|sample| sample.time >= *start)).unwrap_or(earliest).max(earliest)
}

/// The media time of the first entry that is no pause.
fn first_edit(mut elst: Bytes) -> Result<Option<i64>, String> {
    let (version, _) = elst.version_and_flags()?;
    for _ in 0..elst.u32()? {
        elst.long(version)?;
        let time = if version == 0 { i64::from(elst.i32()?) } else { elst.u64()?.cast_signed() };
        elst.u32()?; // rate
        if time >= 0 {
            return Ok(Some(time));
        }
    }
    Ok(None)
}
