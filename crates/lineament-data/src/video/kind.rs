//! The kind of a video by its first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// File name extensions of videos, in lower case.
pub const VIDEO_EXTENSIONS: [&str; 6] = ["mp4", "m4v", "mov", "y4m", "mjpeg", "mjpg"];

/// The format of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// MP4 or QuickTime.
    Mp4,
    /// YUV4MPEG2: raw frames with a short header, for pipes between programs.
    Y4m,
    /// One JPEG after another.
    Mjpeg,
    /// A known container that is not read, by its name.
    Foreign(&'static str),
}

/// Bytes that tell the kind of everything except MJPEG.
pub(super) const SNIFFED: usize = 16;

/// The first bytes of every JPEG.
pub(super) const SOI: [u8; 2] = [0xff, 0xd8];

/// How far into a JPEG its index of further pictures may be.
const HEAD_BYTES: usize = 256 << 10;

/// Brands of `ftyp` that are still pictures.
const PICTURE_BRANDS: [&[u8; 4]; 7] = [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"];

/// First boxes of MP4 files, and of QuickTime files from before `ftyp`.
const OPENING_BOXES: [&[u8; 4]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];

impl Kind {
    /// The kind by the first bytes of a file; `None` for photos. One JPEG is a photo and several are a video, which
    /// these bytes do not show.
    pub fn of(first: &[u8]) -> Option<Self> {
        let at = |place: usize, bytes: &[u8]| first.get(place..).is_some_and(|rest| rest.starts_with(bytes));
        let brand = first.get(8..12);
        match () {
            () if at(0, b"YUV4MPEG2") => Some(Self::Y4m),
            () if at(4, b"ftyp") && PICTURE_BRANDS.iter().any(|b| brand == Some(&b[..])) => None,
            () if OPENING_BOXES.iter().any(|name| at(4, &name[..])) => Some(Self::Mp4),
            () if at(0, b"\x1a\x45\xdf\xa3") => Some(Self::Foreign("WebM or Matroska")),
            () if at(0, b"RIFF") && at(8, b"AVI ") => Some(Self::Foreign("AVI")),
            () if at(0, b"FLV") => Some(Self::Foreign("Flash video")),
            () if at(0, b"GIF8") => Some(Self::Foreign("GIF")),
            () if at(0, b"OggS") => Some(Self::Foreign("Ogg")),
            () if at(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => Some(Self::Foreign("Windows Media")),
            () if at(0, b"\0\0\x01\xba") || at(0, b"\0\0\x01\xb3") => Some(Self::Foreign("MPEG")),
            () if at(0, b"\0\0\0\x01") => Some(Self::Foreign("a bare H.264 or H.265 stream")),
            () if at(0, b"G@\0") => Some(Self::Foreign("MPEG transport stream")),
            () => None,
        }
    }

    /// Whether a first JPEG and the two bytes after it are a video: another JPEG follows, and the first one does not
    /// announce it as its own, as photos from phones do with smaller or brighter copies ("MPF").
    pub(super) fn of_jpegs(jpeg: &[u8], next: &[u8]) -> Option<Self> {
        let brought = jpeg.windows(4).take(HEAD_BYTES).any(|w| w == b"MPF\0");
        (next == SOI && !brought).then_some(Self::Mjpeg)
    }

    /// The kind of a file. A sequence of JPEGs needs a name that says so; without it, the file counts as a photo.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read.
    pub fn of_file(path: &Path) -> Result<Option<Self>> {
        let mut first = Vec::new();
        let read = File::open(path).and_then(|file| file.take(SNIFFED as u64).read_to_end(&mut first));
        read.map_err(|e| Error::file(path, e))?;
        let is_row =
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mjpeg") || e.eq_ignore_ascii_case("mjpg"));
        Ok(if first.starts_with(&SOI) && is_row { Some(Self::Mjpeg) } else { Self::of(&first) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_kind() {
        for (first, kind) in [
            (&b"YUV4MPEG2 W4 H4 "[..], Some(Kind::Y4m)),
            (b"\0\0\0\x18ftypmp42....", Some(Kind::Mp4)),
            (b"\0\0\0\x08wide....mdat", Some(Kind::Mp4)),
            (b"\0\0\0\x18ftypheic....", None),
            (b"\x1a\x45\xdf\xa3............", Some(Kind::Foreign("WebM or Matroska"))),
            (b"RIFF....AVI LIST", Some(Kind::Foreign("AVI"))),
            (b"RIFF....WEBPVP8 ", None),
            (b"\xff\xd8\xff\xe0", None),
            (b"\x89PNG\r\n\x1a\n", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(first), kind, "{first:?}");
        }
    }

    #[test]
    fn a_photo_with_a_second_picture_is_not_a_video() {
        for (jpeg, next, kind) in [
            (&b"\xff\xd8....\xff\xd9"[..], &SOI[..], Some(Kind::Mjpeg)),
            (b"\xff\xd8....\xff\xd9", b"", None),
            (b"\xff\xd8....\xff\xd9", b"\0\0", None),
            (b"\xff\xd8\xff\xe2..MPF\0..\xff\xd9", &SOI, None),
        ] {
            assert_eq!(Kind::of_jpegs(jpeg, next), kind, "{jpeg:?} {next:?}");
        }
    }
}
