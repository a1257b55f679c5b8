//! The sequence parameter set of an H.264 stream: ITU-T H.264, 7.3.2.1.1 and annex E.

use super::super::yuv::Colours;

/// The part of a sequence parameter set that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sps {
    /// 1 is 4:2:0, 0 grey, 2 is 4:2:2, 3 is 4:4:4.
    pub chroma: u32,
    /// Bits per value, the larger of luma and chroma.
    pub bits: u32,
    /// Pictures may come as two fields.
    pub interlaced: bool,
    /// `None` where the stream does not say.
    pub colours: Option<Colours>,
}

/// Profiles whose parameters tell chroma and depth; all others are 4:2:0 with 8 bits.
const HIGH_PROFILES: [u32; 12] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134];

impl Sps {
    /// Reads a unit without its start code; `None` when it ends early or makes no sense.
    pub fn read(unit: &[u8]) -> Option<Self> {
        let bytes = without_escapes(unit.get(1..)?);
        let mut bits = Bits { bytes: &bytes, at: 0 };
        let profile = bits.take(8)?;
        bits.take(16)?; // constraints and level
        bits.number()?; // its id
        let (mut chroma, mut depth) = (1, 8);
        if HIGH_PROFILES.contains(&profile) {
            chroma = bits.number()?;
            if chroma == 3 {
                bits.take(1)?; // planes apart
            }
            depth = 8 + bits.number()?.max(bits.number()?);
            bits.take(1)?; // lossless
            if bits.flag()? {
                (0..if chroma == 3 { 12 } else { 8 }).try_for_each(|list| skip_scaling_list(&mut bits, list))?;
            }
        }
        bits.number()?; // bits of frame numbers
        match bits.number()? {
            0 => drop(bits.number()?),
            1 => {
                bits.take(1)?;
                bits.number()?;
                bits.number()?;
                for _ in 0..bits.number()? {
                    bits.number()?;
                }
            }
            _ => {}
        }
        bits.number()?; // frames to refer to
        bits.take(1)?; // gaps
        bits.number()?; // width
        bits.number()?; // height
        let interlaced = !bits.flag()?;
        bits.take(if interlaced { 2 } else { 1 })?;
        if bits.flag()? {
            (0..4).try_for_each(|_| bits.number().map(drop))?; // margins
        }
        let colours = if bits.flag()? { colours(&mut bits) } else { None };
        Some(Self { chroma, bits: depth, interlaced, colours })
    }
}

/// From the beginning of the usability information.
fn colours(bits: &mut Bits) -> Option<Colours> {
    const OWN_ASPECT: u32 = 255;
    if bits.flag()? && bits.take(8)? == OWN_ASPECT {
        bits.take(32)?;
    }
    if bits.flag()? {
        bits.take(1)?; // overscan
    }
    if !bits.flag()? {
        return None;
    }
    bits.take(3)?; // PAL, NTSC and so on
    let full_range = bits.flag()?;
    let matrix = if bits.flag()? { bits.take(24)? & 0xff } else { 0 };
    Some(Colours { bt709: matrix == 1, full_range })
}

fn skip_scaling_list(bits: &mut Bits, list: usize) -> Option<()> {
    if !bits.flag()? {
        return Some(());
    }
    let (mut last, mut next) = (8, 8);
    for _ in 0..if list < 6 { 16 } else { 64 } {
        if next != 0 {
            let number = bits.number()?;
            // Signed numbers alternate: 1 is 1, 2 is -1, 3 is 2.
            let delta = if number % 2 == 1 { i64::from(number / 2) + 1 } else { -i64::from(number / 2) };
            next = (last + delta).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

/// A 3 after two zeros only keeps start codes from appearing.
fn without_escapes(unit: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let mut bytes = Vec::with_capacity(unit.len());
    for &byte in unit {
        let escape = zeros >= 2 && byte == 3;
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        if !escape {
            bytes.push(byte);
        }
    }
    bytes
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Up to 32 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | u32::from(self.flag()?)))
    }

    /// An Exp-Golomb number: so many zeros, a one, so many bits.
    fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros > 31 {
            return None;
        }
        Some((1u32 << zeros) - 1 + self.take(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn depth_chroma_and_colours_are_found() {
        let plain = Sps { chroma: 1, bits: 8, interlaced: false, colours: None };
        let full = Some(Colours { bt709: false, full_range: true });
        // As x264 wrote them into testdata/video: greys, face, turned and ten_bits.
        for (hex, sps) in [
            ("6764000aacd9447b011000000300100000030320f1225960", plain),
            ("674d400beca1423f2e02dc080815000003000100000300300f142996", Sps { colours: full, ..plain }),
            ("6742c00ad9047b011000000300100000030140f1226480", plain),
            ("676e000aa6cd9447b011000003000100000300320f122596", Sps { bits: 10, ..plain }),
        ] {
            assert_eq!(Sps::read(&bytes(hex)), Some(sps), "{hex}");
            assert_eq!(Sps::read(&bytes(&hex[..12])), None, "cut off: {hex}");
        }
    }

    proptest! {
        #[test]
        fn damaged_sets_never_panic(mut unit in proptest::collection::vec(any::<u8>(), 0..80), profile in 0usize..12) {
            if let Some(byte) = unit.get_mut(1) {
                *byte = HIGH_PROFILES[profile] as u8;
            }
            let _ = Sps::read(&unit);
        }
    }
}
