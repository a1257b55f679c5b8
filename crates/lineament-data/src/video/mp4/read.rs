//! The index of a file: its video track, how it is coded, and its samples.

use std::io::{Read, Seek, SeekFrom};

use image::metadata::Orientation;

use super::super::REMEDY;
use super::boxes::Bytes;
use super::coding::{codec_name, description};
use super::fragments::Fragments;
use super::movie::{Movie, Sample};
use super::tables;
use super::top::TopLevel;

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
}

fn no_index(is_cut_off: bool) -> String {
    let why = if is_cut_off { "the file is cut off" } else { "its recording was not finished" };
    format!("has no index (moov): {why}; copy or record it again")
}

/// The first video track in H.264, or an error that says what is there instead.
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

/// Where the edit list begins the video, if any frame is left then; else the earliest frame.
fn start(trak: Bytes, samples: &[Sample]) -> i64 {
    let earliest = samples.iter().map(|sample| sample.time).min().unwrap_or(0);
    let edited =
        trak.find(b"edts").and_then(|edts| edts.find(b"elst")).and_then(|elst| first_edit(elst).ok().flatten());
    edited.filter(|start| samples.iter().any(|sample| sample.time >= *start)).unwrap_or(earliest).max(earliest)
}

/// The media time of the first entry that is not a pause.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fixture;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn greys() -> Vec<u8> {
        std::fs::read(fixture("video/greys.mp4")).unwrap()
    }

    #[test]
    fn the_index_gives_frames_and_times() {
        let movie = Movie::read(&mut Cursor::new(greys())).unwrap();
        assert_eq!((movie.samples.len(), movie.shown()), (12, 12));
        assert_eq!((movie.avc.length_bytes, movie.avc.parameters.len()), (4, 2));
        assert_eq!(movie.mean_hz(), Some(25.0));
        let mut times: Vec<_> = movie.samples.iter().map(|s| (movie.secs(s.time) * 25.0).round() as usize).collect();
        assert!(!times.is_sorted(), "some frames of the clip are decoded before others that are shown first");
        times.sort_unstable();
        assert_eq!(times, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn damage_is_named() {
        let replaced = |from: &[u8], to: &[u8]| {
            let mut bytes = greys();
            let at = bytes.windows(from.len()).rposition(|w| w == from).unwrap();
            bytes[at..at + to.len()].copy_from_slice(to);
            bytes
        };
        for (bytes, text) in [
            (replaced(b"trak", b"free"), "has no tracks"),
            (replaced(b"vide", b"soun"), "has no video track"),
            (replaced(b"avc1", b"zzzz"), "is coded as \"zzzz\""),
            (replaced(b"avc1", b"apch"), "is coded as ProRes"),
            (replaced(b"stsz", b"free"), "has no stsz"),
            (replaced(b"stco", b"free"), "has no stco"),
            (replaced(b"stsz\0\0\0\0\0\0\0\0", b"stsz\0\0\0\0\x0f\0\0\0"), "larger than the file"),
            (replaced(b"stsz\0\0\0\0\0\0\0\0\0", b"stsz\0\0\0\0\0\0\0\0\xff"), "claims more frames"),
            (b"\0\0\0\x04ftyp".to_vec(), "shorter than its own header"),
            (b"\0\0\0\x08ftyp".to_vec(), "its recording was not finished"),
        ] {
            let error = Movie::read(&mut Cursor::new(bytes)).unwrap_err();
            assert!(error.contains(text), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_index_never_panics(
            damage in proptest::collection::vec((0usize..3000, any::<u8>()), 1..4), fragments: bool,
        ) {
            let clip = if fragments { "video/greys_fragments.mp4" } else { "video/greys.mp4" };
            let mut bytes = std::fs::read(fixture(clip)).unwrap();
            for (at, value) in damage {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            if let Ok(movie) = Movie::read(&mut Cursor::new(bytes)) {
                prop_assert!(movie.shown() <= movie.samples.len() as u64);
                let _ = movie.mean_hz();
            }
        }
    }
}
