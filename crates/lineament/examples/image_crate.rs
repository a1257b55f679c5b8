//! Hands pictures of the crate `image` to Lineament, without a copy where their pixels are laid out as Lineament reads
//! them.
//!
//!     cargo run --release -p lineament --example image_crate [PHOTO]
//!
//! ```text
//! grey, 8 bits, borrowed: nose at (224.7, 128.6)
//! RGB, 8 bits, borrowed: nose at (224.7, 128.5)
//! RGBA, 8 bits, borrowed: nose at (224.7, 128.5)
//! RGB, 16 bits, converted: nose at (224.7, 128.5)
//! ```

use std::borrow::Cow;
use std::error::Error;

use image::DynamicImage;
use lineament::{ImageView, Lineament, Options, PixelFormat};

const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/astronaut.jpg");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    print_noses(path.as_deref().unwrap_or(PORTRAIT)).map(drop)
}

/// Prints where noses are in several forms of a photo; answers how many there are in all.
fn print_noses(path: &str) -> Result<usize, Box<dyn Error>> {
    let photo = image::open(path)?;
    let mut lineament = Lineament::new(Options::default())?;
    let mut noses = 0;
    for (form, picture) in [
        ("grey, 8 bits", photo.to_luma8().into()),
        ("RGB, 8 bits", photo.to_rgb8().into()),
        ("RGBA, 8 bits", photo.to_rgba8().into()),
        ("RGB, 16 bits", DynamicImage::from(photo.to_rgb16())),
    ] {
        let (pixels, format) = pixels(&picture);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let image = ImageView::new(&pixels, width, height, width * format.bytes(), format)?;
        let faces = lineament.faces(&image);
        let copied = if matches!(pixels, Cow::Owned(_)) { "converted" } else { "borrowed" };
        for face in &faces {
            println!("{form}, {copied}: nose at {:.1?}", face.landmarks.points[30]);
        }
        noses += faces.len();
    }
    Ok(noses)
}

/// The bytes of a picture and how they are ordered: borrowed where Lineament reads them as they are, else converted.
fn pixels(picture: &DynamicImage) -> (Cow<'_, [u8]>, PixelFormat) {
    match picture {
        DynamicImage::ImageLuma8(grey) => (Cow::Borrowed(grey.as_raw()), PixelFormat::Grey),
        DynamicImage::ImageRgb8(rgb) => (Cow::Borrowed(rgb.as_raw()), PixelFormat::Rgb),
        DynamicImage::ImageRgba8(rgba) => (Cow::Borrowed(rgba.as_raw()), PixelFormat::Rgba),
        other => (Cow::Owned(other.to_rgb8().into_raw()), PixelFormat::Rgb),
    }
}

#[test]
fn all_forms_of_the_portrait_have_a_nose() {
    assert_eq!(print_noses(PORTRAIT).unwrap(), 4);
}
