//! How a track is coded, and whether we can read it.

use super::super::yuv::Colours;
use super::super::{REMEDY, check_size};
use super::boxes::Bytes;
use super::movie::Avc;
use super::sps::Sps;

/// Bytes of a sample description before its boxes.
const VISUAL_BYTES: usize = 78;

/// The common name of a codec.
pub fn codec_name(code: &[u8; 4]) -> String {
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

/// Only the first description is read.
pub fn description(mut stsd: Bytes) -> Result<(Avc, Colours), String> {
    stsd.take(8)?;
    let (_, mut entry) = stsd.boxes().next().ok_or("the index (moov) is damaged: it does not say how it is coded")?;
    let visual = entry.take(VISUAL_BYTES)?;
    let side = |at: usize| usize::from(u16::from_be_bytes([visual[at], visual[at + 1]]));
    check_size(side(24), side(26))?;
    let avc = avc(entry.need(b"avcC")?)?;
    let sps = avc.parameters.first().and_then(|unit| Sps::read(unit));
    sps.iter().try_for_each(check)?;
    // The stream is more reliable than the container, which another program may have written.
    let boxed = entry.find(b"colr").and_then(|colr| colours(colr).ok());
    let colours = sps.and_then(|sps| sps.colours).or(boxed).unwrap_or(Colours::USUAL);
    Ok((avc, colours))
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
    let [_version, _profile, _compatible, _level, lengths] = avcc.array()?;
    let mut parameters = Vec::new();
    for counted in [31, 255] {
        for _ in 0..avcc.u8()? & counted {
            let length = avcc.u16()?;
            parameters.push(avcc.take(length.into())?.to_vec());
        }
    }
    Ok(Avc { length_bytes: usize::from(lengths & 3) + 1, parameters })
}

/// Refuses streams that the decoder cannot decode, with a better message than its own.
fn check(sps: &Sps) -> Result<(), String> {
    let what = match sps {
        Sps { bits: 9.., .. } => format!("{} bits", sps.bits),
        Sps { chroma: 2, .. } => "4:2:2 colours".into(),
        Sps { chroma: 3.., .. } => "4:4:4 colours".into(),
        Sps { interlaced: true, .. } => "interlaced frames".into(),
        _ => return Ok(()),
    };
    Err(format!("is H.264 with {what}; whole frames of 8 bits with 4:2:0 colours are read; {REMEDY}"))
}
