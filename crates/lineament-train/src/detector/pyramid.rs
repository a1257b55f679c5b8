//! A photo at several sizes, so that a scene that shrinks it much need not read all its pixels.

use lineament::Similarity;
use lineament::stages::{ImageFrame, PixelFrame, sample};
use lineament_data::GreyPhoto;

/// Smallest side of a level.
const SMALLEST: usize = 16;

/// A photo, and each time half as large.
pub struct Pyramid(Vec<GreyPhoto>);

impl Pyramid {
    /// Halves `photo` as often as it makes sense.
    pub fn new(photo: GreyPhoto) -> Self {
        let mut levels = vec![photo];
        while let Some(last) = levels.last().filter(|l| l.width.min(l.height) >= 2 * SMALLEST) {
            levels.push(halved(last));
        }
        Self(levels)
    }

    /// The photo itself.
    pub fn photo(&self) -> &GreyPhoto {
        &self.0[0]
    }

    /// As [`lineament::stages::sample`] on the photo itself, from the level that is shrunk by less than 2.
    pub fn sample(
        &self,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        height: usize,
        out: &mut [f32],
    ) {
        let halvings = image_from_pixel.scale().max(1.0).log2() as usize;
        let level = halvings.min(self.0.len() - 1);
        let level_from_image =
            Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(0.5f32.powi(level as i32), 0.0, 0.0, 0.0);
        sample(&self.0[level].view(), level_from_image * image_from_pixel, width, height, out);
    }
}

/// The mean of each 2x2 block; an odd last row or column is dropped.
fn halved(photo: &GreyPhoto) -> GreyPhoto {
    let (width, height) = (photo.width / 2, photo.height / 2);
    let row = |y: usize| &photo.pixels[y * photo.width..][..2 * width];
    let pixels = (0..height).flat_map(|y| {
        let pairs = row(2 * y).as_chunks::<2>().0.iter().zip(row(2 * y + 1).as_chunks::<2>().0);
        pairs.map(|(t, b)| ((u16::from(t[0]) + u16::from(t[1]) + u16::from(b[0]) + u16::from(b[1]) + 2) / 4) as u8)
    });
    GreyPhoto { pixels: pixels.collect(), width, height }
}
