//! Photos: JPEG, PNG, WebP and BMP files as upright RGB or grey pixels.

use std::error::Error as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use lineament::ImageView;
use lineament::stages::MAX_SIDE;

use crate::error::{Error, Result};

/// File name extensions of photos, in lower case.
pub const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "bmp"];

/// Most bytes that a decoded picture may take, 268 megapixels of RGB: room for a phone camera's 200 megapixel mode,
/// while a small file cannot ask for all memory.
const MAX_DECODED_BYTES: u64 = 768 << 20;

/// Most bytes that are read from a file: a photo of [`MAX_DECODED_BYTES`] is smaller than that in every format.
const MAX_FILE_BYTES: u64 = MAX_DECODED_BYTES;

/// A decoded photo, turned upright as its EXIF orientation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// `[height, width, 3]`, RGB, without gaps.
    pub pixels: Vec<u8>,
    /// Pixels per row, at least 1.
    pub width: usize,
    /// Number of rows, at least 1.
    pub height: usize,
}

/// A photo's brightness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyPhoto {
    /// `[height, width]`, without gaps.
    pub pixels: Vec<u8>,
    /// Pixels per row, at least 1.
    pub width: usize,
    /// Number of rows, at least 1.
    pub height: usize,
}

impl Photo {
    /// Reads and decodes a file; its content decides the format, not its name.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Photo`] as [`Photo::decode`].
    pub fn open(path: &Path) -> Result<Self> {
        decode(&read(path)?).map_err(|reason| named(path, reason))
    }

    /// As [`Photo::open`], but a JPEG whose end is missing is an error and not a picture with a grey rest.
    ///
    /// # Errors
    /// As [`Photo::open`], and [`Error::Photo`] for a JPEG that is cut off.
    pub fn open_whole(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        if is_cut_off_jpeg(&bytes) {
            return Err(named(path, "the JPEG's end is missing: the file was cut off".into()));
        }
        decode(&bytes).map_err(|reason| named(path, reason))
    }

    /// Decodes a file's bytes. Alpha is dropped.
    ///
    /// # Errors
    /// [`Error::Photo`] for a damaged or unknown format, a side above [`MAX_SIDE`], or more than 768 MiB decoded.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        decode(bytes).map_err(|reason| Error::Photo { photo: "picture".into(), reason })
    }

    /// A view for the library.
    ///
    /// # Panics
    /// When the public fields were changed so that they do not fit each other.
    pub fn view(&self) -> ImageView<'_> {
        ImageView::rgb(&self.pixels, self.width, self.height).expect("a photo's pixels fit its size")
    }

    /// The brightness, by the library's own conversion.
    pub fn grey(&self) -> GreyPhoto {
        let grey = self.view().to_grey();
        GreyPhoto { pixels: grey.pixels().to_vec(), width: self.width, height: self.height }
    }
}

impl GreyPhoto {
    /// A view for the library; its `to_grey` borrows these pixels.
    ///
    /// # Panics
    /// When the public fields were changed so that they do not fit each other.
    pub fn view(&self) -> ImageView<'_> {
        ImageView::grey(&self.pixels, self.width, self.height).expect("a photo's pixels fit its size")
    }
}

/// The bytes of a photo's file.
///
/// # Errors
/// [`Error::File`] when it cannot be read, [`Error::Photo`] when it is larger than any photo.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    read_from(file, path)
}

/// The bytes of a photo that `source` holds; errors call it `name`.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read, name: &Path) -> Result<Vec<u8>> {
    read_at_most(MAX_FILE_BYTES, source, name)
}

/// One byte more than `limit` is asked for, so that a larger photo is refused and not cut off.
fn read_at_most(limit: u64, source: impl Read, name: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::file(name, e))?;
    if bytes.len() as u64 > limit {
        return Err(named(name, format!("larger than {} MiB, so not a photo", limit >> 20)));
    }
    Ok(bytes)
}

fn named(path: &Path, reason: String) -> Error {
    Error::Photo { photo: path.display().to_string(), reason }
}

/// Whether a JPEG ends before its end marker. The decoder does not report that and fills the rest with grey.
pub fn is_cut_off_jpeg(bytes: &[u8]) -> bool {
    const START: [u8; 2] = [0xff, 0xd8];
    const END: [u8; 2] = [0xff, 0xd9];
    const SCAN: u8 = 0xda;
    if !bytes.starts_with(&START) {
        return false;
    }
    // The segments before the first scan may hold a thumbnail with an end marker of its own. Within scans, 0xff comes
    // before zeros and other markers only.
    let mut at = START.len();
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4)
        && marker != SCAN
    {
        at += if marker == 0xff { 1 } else { 2 + usize::from(u16::from_be_bytes([high, low])) };
    }
    !bytes.get(at..).unwrap_or_default().windows(END.len()).rev().any(|pair| pair == END)
}

/// The size of a photo, from its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels per row of the upright photo, at least 1.
    pub width: usize,
    /// Rows of the upright photo, at least 1.
    pub height: usize,
    /// Whether the file's EXIF orientation turns or mirrors the pixels that it holds.
    pub turned: bool,
}

/// The size that [`Photo::open`] would give, without decoding the pixels, whose damage is not found.
///
/// # Errors
/// [`Error::File`] when the file cannot be read, [`Error::Photo`] when its header is that of no photo that we read.
pub fn size(path: &Path) -> Result<Size> {
    let file = File::open(path).map_err(|e| Error::file(path, e))?;
    if file.metadata().map_err(|e| Error::file(path, e))?.len() > MAX_FILE_BYTES {
        return Err(named(path, format!("larger than {} MiB, so not a photo", MAX_FILE_BYTES >> 20)));
    }
    let size = || {
        let (_, mut decoder) = decoder(BufReader::new(file))?;
        let (width, height) = decoder.dimensions();
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let swaps = matches!(
            orientation,
            Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
        );
        let (width, height) = if swaps { (height, width) } else { (width, height) };
        if width == 0 || height == 0 {
            return Err(no_pixels(width, height));
        }
        let turned = orientation != Orientation::NoTransforms;
        Ok(Size { width: width as usize, height: height as usize, turned })
    };
    size().map_err(|reason| named(path, reason))
}

/// Reads a picture's header within the limits of size.
fn decoder<'a>(source: impl BufRead + Seek + 'a) -> Result<(ImageFormat, impl ImageDecoder + 'a), String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE as u32);
    limits.max_image_height = Some(MAX_SIDE as u32);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(|e| e.to_string())?;
    let Some(format) = reader.format() else {
        return Err("not a picture; JPEG, PNG, WebP and BMP are read".into());
    };
    reader.limits(limits.clone());
    let decoder = reader.into_decoder().map_err(|e| explain(format, &e))?;
    // The reader passes the limits to the decoder, but only `decode` counts the output buffer, too.
    limits.reserve(decoder.total_bytes()).map_err(|e| explain(format, &e))?;
    Ok((format, decoder))
}

fn no_pixels(width: u32, height: u32) -> String {
    format!("{width}x{height} has no pixels")
}

fn decode(bytes: &[u8]) -> Result<Photo, String> {
    if bytes.is_empty() {
        return Err("empty file".into());
    }
    let (format, mut decoder) = decoder(Cursor::new(bytes))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms); // damaged EXIF: keep the pixels
    let mut image = DynamicImage::from_decoder(decoder).map_err(|e| explain(format, &e))?;
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    if image.width() == 0 || image.height() == 0 {
        return Err(no_pixels(image.width(), image.height()));
    }
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Photo { pixels: image.into_raw(), width, height })
}

/// What is wrong with a file of this format, in words for its owner.
fn explain(format: ImageFormat, error: &ImageError) -> String {
    let name = format!("{format:?}").to_uppercase();
    match error {
        ImageError::Limits(_) => format!(
            "too large: at most {MAX_SIDE} pixels a side and {} MiB of pixels are read",
            MAX_DECODED_BYTES >> 20
        ),
        ImageError::Unsupported(_) => format!("a {name} of a kind that is not read: {error}"),
        _ => match error.source() {
            Some(cause) => format!("damaged {name}: {cause}"),
            None => format!("damaged {name}: it ends too early or is not whole"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};
    use proptest::prelude::*;

    /// Red on top, blue below.
    fn two_colours() -> RgbImage {
        RgbImage::from_fn(16, 32, |_, y| if y < 16 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
    }

    fn encode(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        two_colours().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A JPEG with an EXIF block that holds only the orientation.
    fn jpeg_with_orientation(orientation: u8) -> Vec<u8> {
        let mut exif =
            b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0".to_vec();
        exif[29] = orientation;
        let jpeg = encode(ImageFormat::Jpeg);
        [&jpeg[..2], &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn every_format_gives_the_pixels() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
            let photo = Photo::decode(&encode(format)).unwrap();
            assert_eq!((photo.width, photo.height), (16, 32), "{format:?}");
            let (top, bottom) = (&photo.pixels[..3], &photo.pixels[photo.pixels.len() - 3..]);
            assert!(top[0] > 240 && top[2] < 10 && bottom[0] < 10 && bottom[2] > 240, "{format:?} {top:?} {bottom:?}");
        }
    }

    #[test]
    fn exif_orientation_turns_the_photo_upright() {
        // Orientation, expected size, is the top left corner red, is the bottom right corner red.
        for (orientation, size, top_left, bottom_right) in [
            (1, (16, 32), true, false),
            (3, (16, 32), false, true),
            (6, (32, 16), false, true), // turned clockwise: the top goes right
            (8, (32, 16), true, false),
        ] {
            let photo = Photo::decode(&jpeg_with_orientation(orientation)).unwrap();
            assert_eq!((photo.width, photo.height), size, "orientation {orientation}");
            assert_eq!(photo.pixels[0] > 128, top_left, "orientation {orientation}");
            assert_eq!(photo.pixels[photo.pixels.len() - 3] > 128, bottom_right, "orientation {orientation}");
        }
    }

    #[test]
    fn the_size_of_a_photo_is_that_of_the_upright_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut cases: Vec<_> =
            [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp].map(|f| (encode(f), false)).into();
        cases.extend((1..=8).map(|orientation| (jpeg_with_orientation(orientation), orientation > 1)));
        for (i, (bytes, turned)) in cases.into_iter().enumerate() {
            std::fs::write(&path, &bytes).unwrap();
            let photo = Photo::decode(&bytes).unwrap();
            let expected = Size { width: photo.width, height: photo.height, turned };
            assert_eq!(size(&path).unwrap(), expected, "case {i}");
        }
        for (bytes, what) in [(&b""[..], "not a picture"), (b"hello", "not a picture"), (b"\xff\xd8\xff\xe0", "JPEG")] {
            std::fs::write(&path, bytes).unwrap();
            let message = size(&path).unwrap_err().to_string();
            assert!(message.contains(what), "{message}");
        }
    }

    #[test]
    fn grey_is_the_librarys_grey() {
        let grey = Photo { pixels: vec![255, 0, 0, 0, 0, 255], width: 2, height: 1 }.grey();
        assert_eq!(grey.pixels, [77, 29], "77 R + 150 G + 29 B over 256");
        assert_eq!(grey.view().to_grey().pixels(), grey.pixels);
    }

    #[test]
    fn a_file_that_is_not_a_photo_is_an_error_that_names_it() {
        let dir = std::env::temp_dir().join(format!("lineament-photo-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, bytes, what) in [
            ("empty.jpg", &b""[..], "empty file"),
            ("words.png", b"hello", "not a picture"),
            ("short.png", &encode(ImageFormat::Png)[..40], "damaged PNG: "),
            ("short.jpg", &encode(ImageFormat::Jpeg)[..100], "damaged JPEG: "),
        ] {
            let path = dir.join(name);
            std::fs::write(&path, bytes).unwrap();
            let message = Photo::open(&path).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(what), "{message}");
        }
        assert!(Photo::open(&dir.join("none.jpg")).unwrap_err().to_string().contains("none.jpg"));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_small_file_that_claims_a_huge_picture_is_refused() {
        let mut bmp = encode(ImageFormat::Bmp);
        for (width, height) in [(65_535u32, 65_535u32), (70_000, 1), (1, 1 << 30)] {
            bmp[18..22].copy_from_slice(&width.to_le_bytes());
            bmp[22..26].copy_from_slice(&height.to_le_bytes());
            assert!(Photo::decode(&bmp).is_err(), "{width}x{height}");
        }
    }

    #[test]
    fn bytes_above_the_limit_are_refused_and_not_cut_off() {
        let read = |count: usize| read_at_most(100, &vec![7; count][..], Path::new("-"));
        assert_eq!(read(100).unwrap(), [7; 100]);
        assert_eq!(read(101).unwrap_err().to_string(), "-: larger than 0 MiB, so not a photo");
        assert_eq!(read_from(&[7; 9][..], Path::new("-")).unwrap(), [7; 9]);
    }

    #[test]
    fn a_jpeg_that_is_cut_off_is_distinguished_from_a_whole_one() {
        let jpeg = encode(ImageFormat::Jpeg);
        let thumbnail = [&[0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9][..], &jpeg[2..]].concat();
        let thumbnail = [&jpeg[..2], &thumbnail].concat();
        for whole in [&jpeg, &thumbnail] {
            assert!(!is_cut_off_jpeg(whole));
            let cuts = (2..whole.len()).filter(|&cut| !is_cut_off_jpeg(&whole[..cut]));
            assert_eq!(cuts.count(), 0, "every cut is seen");
            assert!(!is_cut_off_jpeg(&[&whole[..], b"more"].concat()), "bytes behind the end do not matter");
        }
        assert!(!is_cut_off_jpeg(&encode(ImageFormat::Png)));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &jpeg[..jpeg.len() - 2]).unwrap();
        assert!(Photo::open(file.path()).is_ok(), "the part that is there is shown");
        let error = Photo::open_whole(file.path()).unwrap_err().to_string();
        assert!(error.ends_with("the JPEG's end is missing: the file was cut off"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_pictures_are_errors_or_pictures_but_never_panic(
            format in 0usize..4, cut in 0usize..2000, at in 0usize..2000, value in any::<u8>(),
        ) {
            let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp];
            let mut bytes = encode(formats[format]);
            let (at, cut) = (at % bytes.len(), cut % bytes.len());
            bytes[at] = value;
            for bytes in [&bytes[..], &bytes[..cut]] {
                if let Ok(photo) = Photo::decode(bytes) {
                    prop_assert_eq!(photo.view().width(), photo.width);
                }
            }
        }
    }
}
