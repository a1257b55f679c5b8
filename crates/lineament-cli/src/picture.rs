//! Pictures with the points drawn on them, as PNG or JPEG.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::draw::{Canvas, DrawOptions};
use lineament::{Face, TrackedFace};
use lineament_data::Photo;

use crate::failure::usage;
use crate::inputs::Source;
use crate::names::with_suffix;

/// JPEG quality of drawn pictures: thin lines stay clean.
const JPEG_QUALITY: u8 = 92;

/// What is drawn of each face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mark {
    /// Smooth lines along jaw, brows, nose, eyes and lips
    Outlines,
    /// A dot on each point; a ring on a hidden one
    Points,
    /// The index of each point next to it; readable on faces from 200 pixels
    Numbers,
    /// The box of the face
    Box,
    /// The number of the face, as the results name it
    Ids,
    /// The face score in percent
    Score,
}

/// How faces are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    options: DrawOptions,
    ids: bool,
}

impl Style {
    /// With these marks only; with the usual ones where none are named, and then with the numbers of faces in a video.
    pub fn new(marks: &[Mark], is_video: bool) -> Self {
        if marks.is_empty() {
            return Self { options: DrawOptions::default(), ids: is_video };
        }
        let has = |mark| marks.contains(&mark);
        let options = DrawOptions {
            outlines: has(Mark::Outlines),
            points: has(Mark::Points),
            point_numbers: has(Mark::Numbers),
            rect: has(Mark::Box),
            score: has(Mark::Score),
            face_number: None,
        };
        Self { options, ids: has(Mark::Ids) }
    }
}

/// The faces of a photo with their numbers: text output counts from 1.
pub fn numbered(faces: &[Face]) -> impl Iterator<Item = (u64, &Face)> {
    (1..).zip(faces)
}

/// The faces of a frame with their numbers.
pub fn tracked(faces: &[TrackedFace]) -> impl Iterator<Item = (u64, &Face)> {
    faces.iter().map(|tracked| (tracked.id, &tracked.face))
}

/// Where pictures go.
#[derive(Debug, PartialEq, Eq)]
pub enum Drawing {
    /// The picture of the only photo.
    File(PathBuf),
    /// A folder for any number.
    Folder(PathBuf),
}

/// Endings of pictures and videos that others write and we do not: a folder of such a name is not what was meant.
const NOT_WRITTEN: [&str; 14] =
    ["webp", "bmp", "gif", "tif", "tiff", "avif", "heic", "svg", "pdf", "mov", "m4v", "avi", "mkv", "webm"];

/// Refuses a picture or video of a kind that is not written, unless a folder has this name.
///
/// # Errors
/// When `path` ends like one.
pub fn check_ending(path: &Path) -> Result<()> {
    if has_extension(path, &NOT_WRITTEN) && !path.is_dir() {
        let path = path.display();
        return Err(usage(format!("--draw {path}: pictures are written as .png or .jpg, videos as .mp4 or .y4m")));
    }
    Ok(())
}

impl Drawing {
    /// A name that ends like a picture is a file, unless a folder of that name exists; anything else is a folder.
    pub fn from_path(path: PathBuf) -> Self {
        let is_picture = has_extension(&path, &["png", "jpg", "jpeg"]);
        if is_picture && !path.is_dir() { Self::File(path) } else { Self::Folder(path) }
    }

    /// Where the picture of `source` goes, which is called `name` in folders.
    pub fn path_for(&self, source: &Source, name: &Path) -> PathBuf {
        match (self, source) {
            (Self::File(path), _) => path.clone(),
            (Self::Folder(folder), Source::File(photo)) if is_jpeg(photo) => folder.join(with_suffix(name, ".jpg")),
            (Self::Folder(folder), _) => folder.join(with_suffix(name, ".png")),
        }
    }
}

/// Draws the faces over the photo and encodes it as the ending of `path` says.
///
/// # Errors
/// When the picture cannot be encoded.
pub fn draw(mut photo: Photo, faces: &[Face], style: &Style, path: &Path) -> Result<Vec<u8>> {
    paint(&mut photo, numbered(faces), style);
    encode(&photo, is_jpeg(path)).with_context(|| format!("{}: cannot encode the picture", path.display()))
}

/// Draws faces, each with its number, over the photo.
pub fn paint<'a>(photo: &mut Photo, faces: impl Iterator<Item = (u64, &'a Face)>, style: &Style) {
    let mut canvas = Canvas::from_view(&photo.view());
    for (number, face) in faces {
        canvas.draw_face(face, &DrawOptions { face_number: style.ids.then_some(number), ..style.options });
    }
    // [h, w, RGBA] -> [h, w, RGB]
    for (rgb, rgba) in photo.pixels.chunks_exact_mut(3).zip(canvas.pixels().chunks_exact(4)) {
        rgb.copy_from_slice(&rgba[..3]);
    }
}

/// The file's bytes.
///
/// # Errors
/// When the encoder refuses the size.
pub fn encode(photo: &Photo, jpeg: bool) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (u32::try_from(photo.width)?, u32::try_from(photo.height)?);
    if jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        encoder.write_image(&photo.pixels, width, height, ExtendedColorType::Rgb8)?;
    } else {
        PngEncoder::new(&mut bytes).write_image(&photo.pixels, width, height, ExtendedColorType::Rgb8)?;
    }
    Ok(bytes)
}

/// Whether a name ends like a JPEG's.
pub fn is_jpeg(path: &Path) -> bool {
    has_extension(path, &["jpg", "jpeg"])
}

/// Whether a name ends in one of these.
pub fn has_extension(path: &Path, known: &[&str]) -> bool {
    path.extension().is_some_and(|e| known.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_a_file_from_a_folder() {
        for file in ["a.png", "x/a.JPG", "a.jpeg"] {
            assert_eq!(Drawing::from_path(file.into()), Drawing::File(file.into()));
        }
        for folder in ["drawn", "drawn/", "a.b", "x.d/drawn"] {
            assert_eq!(Drawing::from_path(folder.into()), Drawing::Folder(folder.into()));
        }
    }

    #[test]
    fn marks_that_are_named_are_the_only_ones_and_faces_of_videos_have_numbers() {
        let none = Style::new(&[Mark::Ids], false);
        assert!(none.ids && !none.options.outlines && !none.options.points && !none.options.rect);
        let all = Style::new(&[Mark::Outlines, Mark::Points, Mark::Numbers, Mark::Box, Mark::Score], true);
        let options = &all.options;
        assert!(options.outlines && options.points && options.point_numbers && options.rect && options.score);
        assert!(!all.ids);
        for is_video in [false, true] {
            assert_eq!(Style::new(&[], is_video), Style { options: DrawOptions::default(), ids: is_video });
        }
    }

    #[test]
    fn in_a_folder_the_photo_decides_the_kind_of_picture() {
        let folder = Drawing::Folder("d".into());
        for (photo, picture) in [("a.b.jpg", "d/a.b.jpg"), ("a.b.webp", "d/a.b.png")] {
            assert_eq!(folder.path_for(&Source::File(photo.into()), Path::new("a.b")), Path::new(picture));
        }
        assert_eq!(folder.path_for(&Source::Stdin, Path::new("stdin")), Path::new("d/stdin.png"));
    }
}
