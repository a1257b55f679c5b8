//! The crop: where a network looks, how large and how turned. It alone maps points both ways; [`crate::sample`] cuts
//! its pixels.

use std::f32::consts::FRAC_PI_2;

use crate::detect::Detection;
use crate::geometry::{CropFrame, ImageFrame, Point, Rect, Similarity};
use crate::image::ImageView;
use crate::sample::{PixelFrame, sample};
use crate::topology::{self, POINTS};
use lineament_nn::simd::vectorized;

/// Side of the crop over the longer side of the box of the 68 points, measured along the face's own axes. Chosen by
/// trial: enough room for a detector's error and for hair and chin, without wasting the network's pixels.
pub const MARGIN: f32 = 1.35;

/// A turned square in the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// Its centre.
    pub center: Point,
    /// Its side in pixels of the image.
    pub side: f32,
    /// How far it is turned clockwise on the screen, in radians; the roll of an upright face within it.
    pub roll_rad: f32,
}

impl Crop {
    /// The crop for a detected face: around its box, turned with its five points; a little rounded, so that the last
    /// bits of a detector in f32, which processors round otherwise, lead to the same pixels.
    pub fn from_detection(detection: &Detection) -> Self {
        let Self { center, side, .. } = Self::from_rect(&detection.rect);
        let center = Point::new(rounded(center.x, 64.0), rounded(center.y, 64.0));
        Self { center, side: rounded(side, 64.0), roll_rad: rounded(roll_of(&detection.points), 1024.0) }
    }

    /// The upright crop for a box around a face's 68 points (brows to chin, jaw to jaw).
    pub fn from_rect(rect: &Rect) -> Self {
        Self { center: rect.center(), side: MARGIN * rect.width.max(rect.height), roll_rad: 0.0 }
    }

    /// The crop for 68 known points: turned with the eyes and mouth, centred on their box, [`MARGIN`] times its
    /// longer side.
    pub fn from_points(points: &[Point; POINTS]) -> Self {
        let roll_rad = roll_of(&topology::five_points(points));
        let image_from_face = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(1.0, roll_rad, 0.0, 0.0);
        let face_from_image = image_from_face.inverse();
        let (mut x0, mut y0, mut x1, mut y1) = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
        for p in points.iter().map(|&p| face_from_image * p) {
            (x0, y0, x1, y1) = (x0.min(p.x), y0.min(p.y), x1.max(p.x), y1.max(p.y));
        }
        let center = image_from_face * Point::new((x0 + x1) / 2.0, (y0 + y1) / 2.0);
        Self { center, side: MARGIN * (x1 - x0).max(y1 - y0), roll_rad }
    }

    /// The same square turned clockwise by so many quarters: where a face may be turned otherwise than a detector says.
    pub fn turned(&self, quarters: usize) -> Self {
        Self { roll_rad: self.roll_rad + quarters as f32 * FRAC_PI_2, ..*self }
    }

    /// From crop coordinates in [-1, 1] to pixels of the image.
    pub fn image_from_crop(&self) -> Similarity<ImageFrame, CropFrame> {
        Similarity::from_scale_angle_shift(self.side / 2.0, self.roll_rad, self.center.x, self.center.y)
    }

    /// From pixels of a network's input of `side_px` x `side_px` to pixels of the image.
    pub fn image_from_pixel(&self, side_px: usize) -> Similarity<ImageFrame, PixelFrame> {
        let crop_from_pixel =
            Similarity::<CropFrame, PixelFrame>::from_scale_angle_shift(2.0 / side_px as f32, 0.0, -1.0, -1.0);
        self.image_from_crop() * crop_from_pixel
    }

    /// Cuts `side_px` x `side_px` pixels into `out`, `[side_px, side_px]` row by row: brightness from 0 to 255, see
    /// [`crate::sample`].
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn sample_into(&self, image: &ImageView, side_px: usize, out: &mut [f32]) {
        sample(image, self.image_from_pixel(side_px), side_px, side_px, out);
    }

    /// As [`Crop::sample_into`], then [`normalise`].
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn cut_into(&self, image: &ImageView, side_px: usize, out: &mut [f32]) {
        self.sample_into(image, side_px, out);
        normalise(out);
    }
}

/// To the nearest of so many parts of 1.
fn rounded(x: f32, parts: f32) -> f32 {
    (x * parts).round() / parts
}

/// How far a face is turned, from right eye, left eye, nose tip and mouth corners: with the line of the eyes and the
/// line from eyes to mouth alike, since one of them is short when the head turns or nods.
fn roll_of(p: &[Point; 5]) -> f32 {
    let (eyes, mouth) = (p[0].midpoint(p[1]), p[3].midpoint(p[4]));
    let (across, down) = ((p[1].x - p[0].x, p[1].y - p[0].y), (mouth.x - eyes.x, mouth.y - eyes.y));
    // Down, turned back by a quarter, is across.
    libm::atan2f(across.1 - down.0, across.0 + down.1)
}

/// Brings brightness to mean 0 and standard deviation 1, so that light and contrast of the photo do not matter.
/// A picture of one colour becomes all zeros.
pub fn normalise(pixels: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let n = pixels.len().max(1) as f32;
            let mean = sum(pixels, |v| v) / n;
            let variance = sum(pixels, |v| (v - mean) * (v - mean)) / n;
            // One grey level: below that there is only the camera's rounding.
            let scale = 1.0 / variance.sqrt().max(1.0);
            pixels.iter_mut().for_each(|v| *v = (*v - mean) * scale);
        },
    );
}

/// Sums that are kept apart until the end: so many can be added at once, and each rounds less.
const SUMS: usize = 64;

/// The sum of `of` over all of `pixels`.
#[inline(always)]
fn sum(pixels: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; SUMS];
    let (parts, rest) = pixels.as_chunks::<SUMS>();
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += of(*v));
    }
    sums.iter().sum::<f32>() + rest.iter().map(|v| of(*v)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..height).flat_map(|y| (0..width).map(move |x| (2 * x + y) as u8)).collect()
    }

    #[test]
    fn an_upright_crop_of_the_whole_image_is_the_image() {
        let pixels = ramp(32, 32);
        let image = ImageView::grey(&pixels, 32, 32).unwrap();
        let crop = Crop { center: Point::new(16.0, 16.0), side: 32.0, roll_rad: 0.0 };
        let mut out = vec![0.0; 32 * 32];
        crop.sample_into(&image, 32, &mut out);
        for (a, b) in out.iter().zip(&pixels) {
            assert!((a - f32::from(*b)).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn shrinking_keeps_the_mean_and_does_not_alias() {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 255 } else { 0 }).collect();
        let image = ImageView::grey(&pixels, 64, 64).unwrap();
        let mut out = vec![0.0; 16 * 16];
        Crop { center: Point::new(32.0, 32.0), side: 64.0, roll_rad: 0.0 }.sample_into(&image, 16, &mut out);
        assert!(out.iter().all(|v| (v - 127.5).abs() < 1.0), "a checkerboard shrinks to even grey");
    }

    #[test]
    fn a_one_pixel_image_and_wild_crops_give_finite_numbers() {
        let image = ImageView::grey(&[200], 1, 1).unwrap();
        for side in [0.0, 1e-9, 1.0, 1e9, f32::INFINITY, f32::NAN] {
            let mut out = vec![0.0; 64];
            Crop { center: Point::new(side, -side), side, roll_rad: side }.cut_into(&image, 8, &mut out);
            assert!(out.iter().all(|v| v.is_finite()), "side {side}");
        }
    }

    #[test]
    fn a_turned_crop_sees_an_upright_face() {
        // Five points of a face turned by 30 degrees: the crop turns with them.
        let upright = [(-1.0, -1.0), (1.0, -1.0), (0.0, 0.0), (-0.8, 1.0), (0.8, 1.0)];
        let turn = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(20.0, 0.5, 100.0, 90.0);
        let roll_rad = roll_of(&upright.map(|(x, y)| turn * Point::new(x, y)));
        assert!((roll_rad - 0.5).abs() < 1e-3, "{roll_rad}");
    }

    proptest! {
        #[test]
        fn crop_then_back_returns_within_a_hundredth_of_a_pixel(
            x in 0.0f32..640.0, y in 0.0f32..480.0, side in 20.0f32..500.0, roll in -3.0f32..3.0,
            u in -1.0f32..1.0, v in -1.0f32..1.0,
        ) {
            let image_from_crop = Crop { center: Point::new(x, y), side, roll_rad: roll }.image_from_crop();
            let p = image_from_crop * Point::new(u, v);
            prop_assert!((image_from_crop * (image_from_crop.inverse() * p)).distance(p) < 0.01);
        }
    }
}
