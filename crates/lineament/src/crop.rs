//! The crop: where a network looks, how large and how turned. It alone cuts pixels and maps points both ways.

use crate::detect::Detection;
use crate::geometry::{CropFrame, ImageFrame, Point, Rect, Similarity};
use crate::image::GreyImage;
use crate::topology::{self, POINTS};

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
    /// The crop for a detected face: around its box, turned with its five points.
    pub fn from_detection(detection: &Detection) -> Self {
        Self { roll_rad: roll_of(&detection.points), ..Self::from_rect(&detection.rect) }
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

    /// From crop coordinates in [-1, 1] to pixels of the image.
    pub fn image_from_crop(&self) -> Similarity<ImageFrame, CropFrame> {
        Similarity::from_scale_angle_shift(self.side / 2.0, self.roll_rad, self.center.x, self.center.y)
    }

    /// Cuts `side_px` x `side_px` normalised pixels into `out`, `[side_px, side_px]` row by row, see [`normalise`].
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn cut_into(&self, image: &GreyImage, side_px: usize, out: &mut [f32]) {
        self.sample_into(image, side_px, out);
        normalise(out);
    }

    /// As [`Crop::cut_into`], before normalising: brightness from 0 to 255.
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn sample_into(&self, image: &GreyImage, side_px: usize, out: &mut [f32]) {
        let crop_from_pixel =
            Similarity::<CropFrame, PixelFrame>::from_scale_angle_shift(2.0 / side_px as f32, 0.0, -1.0, -1.0);
        sample(image, self.image_from_crop() * crop_from_pixel, side_px, side_px, out);
    }
}

/// How far a face is turned, from right eye, left eye, nose tip and mouth corners: with the line of the eyes and the
/// line from eyes to mouth alike, since one of them is short when the head turns or nods.
fn roll_of(p: &[Point; 5]) -> f32 {
    let (eyes, mouth) = (p[0].midpoint(p[1]), p[3].midpoint(p[4]));
    let (across, down) = ((p[1].x - p[0].x, p[1].y - p[0].y), (mouth.x - eyes.x, mouth.y - eyes.y));
    // Down, turned back by a quarter, is across.
    (across.1 - down.0).atan2(across.0 + down.1)
}

/// Pixels of a network's input: (0.5, 0.5) is the centre of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PixelFrame {}

/// Brings brightness to mean 0 and standard deviation 1, so that light and contrast of the photo do not matter.
/// A picture of one colour becomes all zeros.
pub fn normalise(pixels: &mut [f32]) {
    let n = pixels.len().max(1) as f32;
    let mean = pixels.iter().sum::<f32>() / n;
    let variance = pixels.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    // One grey level: below that there is only the camera's rounding.
    let scale = 1.0 / variance.sqrt().max(1.0);
    pixels.iter_mut().for_each(|v| *v = (*v - mean) * scale);
}

/// Most samples per axis that are averaged for one output pixel. 16 covers a 1,800 pixel face without aliasing.
const MAX_SAMPLES: f32 = 16.0;

/// Fills `out` (`[height, width]`) with brightness 0 to 255 of `image` seen through `image_from_pixel`.
///
/// Bilinear; where the image is shrunk, the mean of a grid of samples about one image pixel apart. Outside the
/// image the nearest edge pixel is repeated.
///
/// # Panics
/// When `out` is not `width * height` long.
pub fn sample(
    image: &GreyImage,
    image_from_pixel: Similarity<ImageFrame, PixelFrame>,
    width: usize,
    height: usize,
    out: &mut [f32],
) {
    assert_eq!(out.len(), width * height, "output of a {width}x{height} sampling");
    #[allow(clippy::manual_clamp)] // `clamp` keeps NaN; here it becomes 1.
    let grid = image_from_pixel.scale().round().max(1.0).min(MAX_SAMPLES) as usize;
    let step = 1.0 / grid as f32;
    let taps = Taps::new(image);
    // Everything inside when the corners are: then no sample needs its coordinates held back.
    let corner = |x: usize, y: usize| image_from_pixel * Point::new(x as f32, y as f32);
    let inside = [corner(0, 0), corner(width, 0), corner(0, height), corner(width, height)].map(|p| taps.hold(p) == p);
    let inside = inside == [true; 4];
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        row.fill(0.0);
        for sample in 0..grid * grid {
            let (sx, sy) = ((sample % grid) as f32, (sample / grid) as f32);
            let first = image_from_pixel * Point::new((sx + 0.5) * step, y as f32 + (sy + 0.5) * step);
            let at =
                |x: usize| Point::new(first.x + x as f32 * image_from_pixel.a, first.y + x as f32 * image_from_pixel.b);
            if inside {
                row.iter_mut().enumerate().for_each(|(x, value)| *value += taps.bilinear(at(x)));
            } else {
                row.iter_mut().enumerate().for_each(|(x, value)| *value += taps.bilinear(taps.hold(at(x))));
            }
        }
        row.iter_mut().for_each(|value| *value *= step * step);
    }
}

/// Pixels between which samples are taken.
struct Taps<'a> {
    pixels: &'a [u8],
    width: usize,
    last_row: usize,
    /// The centres of the last column and row.
    max: (f32, f32),
}

impl<'a> Taps<'a> {
    fn new(image: &'a GreyImage) -> Self {
        let (width, height) = (image.width(), image.height());
        Self { pixels: image.pixels(), width, last_row: height - 1, max: (width as f32 - 0.5, height as f32 - 0.5) }
    }

    /// The nearest point between the centres of the outermost pixels.
    #[inline(always)]
    fn hold(&self, p: Point) -> Point {
        // `max` first: it turns NaN into a number.
        Point::new(p.x.max(0.5).min(self.max.0), p.y.max(0.5).min(self.max.1))
    }

    /// Brightness at a point that [`Taps::hold`] leaves as it is.
    #[inline(always)]
    fn bilinear(&self, p: Point) -> f32 {
        let (x, y) = (p.x - 0.5, p.y - 0.5);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let (x1, below) = ((x0 + 1).min(self.width - 1), y0.min(self.last_row) + 1);
        let rows =
            [y0.min(self.last_row), below.min(self.last_row)].map(|y| &self.pixels[y * self.width..][..self.width]);
        let x0 = x0.min(self.width - 1);
        let [top, bottom] = rows.map(|row| {
            let (left, right) = (f32::from(row[x0]), f32::from(row[x1]));
            left + fx * (right - left)
        });
        top + fy * (bottom - top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageView;
    use proptest::prelude::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..height).flat_map(|y| (0..width).map(move |x| (2 * x + y) as u8)).collect()
    }

    #[test]
    fn an_upright_crop_of_the_whole_image_is_the_image() {
        let pixels = ramp(32, 32);
        let image = ImageView::grey(&pixels, 32, 32).unwrap().to_grey();
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
        let image = ImageView::grey(&pixels, 64, 64).unwrap().to_grey();
        let mut out = vec![0.0; 16 * 16];
        Crop { center: Point::new(32.0, 32.0), side: 64.0, roll_rad: 0.0 }.sample_into(&image, 16, &mut out);
        assert!(out.iter().all(|v| (v - 127.5).abs() < 1.0), "a checkerboard shrinks to even grey");
    }

    #[test]
    fn a_one_pixel_image_and_wild_crops_give_finite_numbers() {
        let image = ImageView::grey(&[200], 1, 1).unwrap().to_grey();
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
