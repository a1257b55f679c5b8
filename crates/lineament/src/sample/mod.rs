//! Brightness at any scale and rotation: a network's input, straight from the pixels of a picture.
//!
//! A picture that is shrunk must be low-pass filtered, or its fine detail aliases. The filter here is a box. Let `s` be
//! the number of picture pixels per output pixel, and `n` be `s` rounded to a whole number, at least 1. The mean of `n`
//! x `n` pixels of the picture is called a box; boxes start at every pixel, so neighbours overlap. An output pixel
//! whose centre falls on the point `p` of the picture is interpolated bilinearly between the four boxes whose centres
//! surround `p`. With `n` = 1 this is plain bilinear sampling.
//!
//! No box is summed pixel by pixel. There are two cases:
//!
//! - `upright`: the picture is only scaled and shifted. Then rows and columns separate. On one axis, interpolating
//!   between two boxes one pixel apart, with fraction `f`, is a weighted sum of `n + 1` pixels with the weights
//!   `1 - f, 1, ..., 1, f`. Rows of the picture are added up with these weights, once per output row, and columns
//!   of the result in the same way.
//! - `turned`: the picture is rotated as well. Then the samples of an output row lie on a slanted line, and weights
//!   cannot be shared. So the sums of all boxes in the region are computed first, by adding a row to itself shifted by
//!   one pixel up to `n - 1` pixels, and rows of such sums likewise; then each sample reads its four sums. Large boxes
//!   would make this expensive. A picture that shrinks by more than 3 is therefore averaged in blocks that do not
//!   overlap first, and the boxes are made of blocks.
//!
//! Beyond the edge of the picture its outermost pixels repeat. Only the pixels that samples need are converted to grey.

mod turned;
mod upright;

use std::ops::Range;

use crate::geometry::{ImageFrame, Similarity};
use crate::image::ImageView;

/// Pixels of a network's input: (0.5, 0.5) is the centre of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PixelFrame {}

/// Fills `out` (`[height, width]`) with the brightness of `image`, from 0 to 255, at the pixels that `image_from_pixel`
/// maps into it. Allocates what it needs for that.
///
/// # Panics
/// When `out` is not `width * height` long.
pub fn sample(
    image: &ImageView,
    image_from_pixel: Similarity<ImageFrame, PixelFrame>,
    width: usize,
    height: usize,
    out: &mut [f32],
) {
    Sampler::default().sample(image, image_from_pixel, width, height, out);
}

/// Samples pictures. All that it keeps between calls is memory.
#[derive(Debug, Clone, Default)]
pub struct Sampler {
    upright: upright::Upright,
    turned: turned::Turned,
}

impl Sampler {
    /// Fills `out` (`[height, width]`) with the brightness of `image`, from 0 to 255, at the pixels that
    /// `image_from_pixel` maps into it.
    ///
    /// # Panics
    /// When `out` is not `width * height` long.
    pub fn sample(
        &mut self,
        image: &ImageView,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        height: usize,
        out: &mut [f32],
    ) {
        assert_eq!(out.len(), width * height, "output of a {width}x{height} sampling");
        if out.is_empty() {
            return;
        }
        if image_from_pixel.b == 0.0 && image_from_pixel.a > 0.0 {
            self.upright.sample(image, image_from_pixel, width, out);
        } else {
            self.turned.sample(image, image_from_pixel, width, height, out);
        }
    }
}

/// Where a sample lies between two boxes, on one axis.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Position {
    /// Where the first of the two boxes starts.
    first: isize,
    /// How far from it to the next, in [0, 1).
    fraction: f32,
}

impl Position {
    /// Of a sample at `center`, on an axis with `pixels` pixels, between boxes of `n` pixels.
    fn new(center: f32, n: usize, pixels: usize) -> Self {
        // From the box that holds nothing but repeats of the first pixel to the one with nothing but repeats of the
        // last. `max` comes first: it turns NaN into a number.
        let start = (center - n as f32 / 2.0).max(-(n as f32)).min(pixels as f32);
        let (first, fraction) = (start.floor() as isize, start - start.floor());
        // The difference rounds to 1 where `start` is a hair below a whole number.
        if fraction < 1.0 { Self { first, fraction } } else { Self { first: first + 1, fraction: 0.0 } }
    }
}

/// The side of the boxes for a picture that is shrunk by `scale`.
fn box_side(scale: f32, image: &ImageView) -> usize {
    let longer = image.width().max(image.height()) as f32;
    // `max` comes first: it turns NaN into a number.
    scale.round().max(1.0).min(longer) as usize
}

/// The columns from `left` to `right` that a picture of this `width` has, and at least one column.
fn inside(left: isize, right: isize, width: usize) -> Range<usize> {
    let first = left.clamp(0, width as isize - 1);
    first as usize..right.clamp(first + 1, width as isize) as usize
}

/// Repeats the outermost numbers of `middle`, which are set, to both ends of `row`.
fn repeat_edges<T: Copy>(row: &mut [T], middle: Range<usize>) {
    let (first, last) = (row[middle.start], row[middle.end - 1]);
    row[..middle.start].fill(first);
    row[middle.end..].fill(last);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::image::PixelFormat;
    use lineament_nn::simd::testing::at_every_level;
    use proptest::prelude::*;

    type Transform = Similarity<ImageFrame, PixelFrame>;

    /// Grey pixels that look random.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    /// What the head of this file says, number by number: four boxes of `n` pixels around each sample.
    fn by_hand(
        pixels: &[u8],
        (width, height): (usize, usize),
        transform: Transform,
        n: usize,
        to: (usize, usize),
    ) -> Vec<f32> {
        let pixel = |x: isize, y: isize| {
            let (x, y) = (x.clamp(0, width as isize - 1), y.clamp(0, height as isize - 1));
            f64::from(pixels[y as usize * width + x as usize])
        };
        let mean_of_box = |x: isize, y: isize| {
            let n = n as isize;
            (0..n * n).map(|k| pixel(x + k % n, y + k / n)).sum::<f64>() / (n * n) as f64
        };
        let value = |at: usize| {
            let p = transform * Point::new((at % to.0) as f32 + 0.5, (at / to.0) as f32 + 0.5);
            let (x, y) = (f64::from(p.x) - n as f64 / 2.0, f64::from(p.y) - n as f64 / 2.0);
            let (x0, y0) = (x.floor(), y.floor());
            let at = |i: isize, j: isize| mean_of_box(x0 as isize + i, y0 as isize + j);
            let (fx, fy) = (x - x0, y - y0);
            let [top, bottom] = [0, 1].map(|j| at(0, j) + fx * (at(1, j) - at(0, j)));
            (top + fy * (bottom - top)) as f32
        };
        (0..to.0 * to.1).map(value).collect()
    }

    fn worst(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |worst, off| if off <= worst { worst } else { off })
    }

    proptest! {
        #[test]
        fn samples_are_bilinear_between_means_of_boxes(
            width in 1usize..40, height in 1usize..40, scale in 0.2f32..3.4, turn in -4.0f32..4.0,
            upright in any::<bool>(),
            x in -20.0f32..40.0, y in -20.0f32..40.0, columns in 1usize..40, rows in 1usize..9,
        ) {
            let pixels = noise(width * height);
            let image = ImageView::grey(&pixels, width, height).unwrap();
            let transform = Transform::from_scale_angle_shift(scale, if upright { 0.0 } else { turn }, x, y);
            let mut out = vec![f32::NAN; columns * rows];
            sample(&image, transform, columns, rows, &mut out);
            let n = (scale.round().max(1.0) as usize).min(width.max(height));
            let off = worst(&by_hand(&pixels, (width, height), transform, n, (columns, rows)), &out);
            prop_assert!(off < 0.02, "off by {}", off);
        }

        #[test]
        fn an_upright_sample_at_any_scale_is_a_mean_of_boxes(
            width in 1usize..90, height in 1usize..90, scale in 1u8..20, part in 0.0f32..1.0, columns in 1usize..20,
        ) {
            let pixels = noise(width * height);
            let image = ImageView::grey(&pixels, width, height).unwrap();
            // Half of the scales are whole: those take a shortcut.
            let scale = f32::from(scale) / 2.0 + if part > 0.5 { part } else { 0.0 };
            let transform = Transform::from_scale_angle_shift(scale, 0.0, 0.0, 0.0);
            let mut out = vec![f32::NAN; columns * 7];
            sample(&image, transform, columns, 7, &mut out);
            let n = (scale.round().max(1.0) as usize).min(width.max(height));
            let off = worst(&by_hand(&pixels, (width, height), transform, n, (columns, 7)), &out);
            prop_assert!(off < 0.02, "scale {}: off by {}", scale, off);
        }
    }

    #[test]
    fn a_hair_below_a_pixel_is_that_pixel() {
        for below in [0.0, 1e-9, 2.98e-8, 5.96e-8] {
            for n in 1..4 {
                let center = n as f32 / 2.0 - below;
                let Position { first, fraction } = Position::new(center, n, 9);
                assert!((0.0..1.0).contains(&fraction), "{below}: {fraction}");
                assert!((first as f32 + fraction).abs() < 1e-6, "{below}: {first} and {fraction}");
            }
        }
    }

    #[test]
    fn a_sampler_that_was_used_before_answers_as_a_fresh_one() {
        let (white, grey) = (vec![255; 16 * 16], noise(16 * 16));
        let [white, grey] = [&white, &grey].map(|pixels| ImageView::grey(pixels, 16, 16).unwrap());
        // So little above the first row that the fraction of the way to it rounds to 1.
        for ty in [-2.98e-8, 0.0, 0.3, -7.0] {
            for (scale, turn) in [(1.0, 0.0), (2.0, 0.0), (1.0, 0.2), (7.0, 0.2)] {
                let transform = Transform::from_scale_angle_shift(scale, turn, 0.0, ty);
                let (mut fresh, mut used) = ([0.0; 64], [0.0; 64]);
                sample(&grey, transform, 8, 8, &mut fresh);
                let mut sampler = Sampler::default();
                sampler.sample(&white, transform, 8, 8, &mut used);
                sampler.sample(&grey, transform, 8, 8, &mut used);
                assert_eq!(used, fresh, "shift {ty}, scale {scale}, turned by {turn}");
            }
        }
    }

    #[test]
    fn every_format_stride_and_level_sees_the_same() {
        let (width, height, gap) = (37, 29, 5);
        let grey = noise(width * height);
        let mut expected = vec![0.0; 20 * 20];
        for turn in [0.0, 0.4] {
            for scale in [0.7, 1.9, 2.6, 4.7] {
                let transform = Transform::from_scale_angle_shift(scale, turn, 3.0, -2.0);
                sample(&ImageView::grey(&grey, width, height).unwrap(), transform, 20, 20, &mut expected);
                for format in [PixelFormat::Grey, PixelFormat::Rgb, PixelFormat::Rgba, PixelFormat::Bgra] {
                    let mut pixels = Vec::new();
                    for row in grey.chunks(width) {
                        pixels.extend(row.iter().flat_map(|v| vec![*v; format.bytes()]));
                        pixels.extend([99; 5]);
                    }
                    let stride = width * format.bytes() + gap;
                    let image = ImageView::new(&pixels, width, height, stride, format).unwrap();
                    let answers = at_every_level(|| {
                        let mut out = vec![f32::NAN; 20 * 20];
                        sample(&image, transform, 20, 20, &mut out);
                        out
                    });
                    for answer in answers {
                        assert!(worst(&expected, &answer) < 1e-3, "{format:?}, scale {scale}, turned by {turn}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_large_turned_picture_shrinks_to_its_means() {
        // Stripes as wide as a pixel of the output are kept; those of single pixels become grey.
        let (width, height) = (600, 600);
        let wide: Vec<u8> = (0..width * height).map(|i| if i % width / 50 % 2 == 0 { 200 } else { 40 }).collect();
        let fine: Vec<u8> = (0..width * height).map(|i| if i % 2 == 0 { 200 } else { 40 }).collect();
        for shrunk in [5.0, 10.0, 12.5] {
            let transform = Transform::from_scale_angle_shift(shrunk, 1e-6, 100.0, 100.0);
            let side = (400.0 / shrunk) as usize;
            let mut out = vec![0.0; side * side];
            sample(&ImageView::grey(&wide, width, height).unwrap(), transform, side, side, &mut out);
            let middle = |stripe: usize| out[side / 2 * side + ((stripe as f32 * 50.0 + 25.0) / shrunk) as usize];
            for stripe in 0..7 {
                let expected = if stripe % 2 == 0 { 200.0 } else { 40.0 };
                assert!(
                    (middle(stripe) - expected).abs() < 1.0,
                    "shrunk {shrunk}, stripe {stripe}: {}",
                    middle(stripe)
                );
            }
            sample(&ImageView::grey(&fine, width, height).unwrap(), transform, side, side, &mut out);
            assert!(out.iter().all(|v| (v - 120.0).abs() < 9.0), "shrunk {shrunk}");
        }
    }

    #[test]
    fn wild_transforms_give_brightness_of_the_picture() {
        let pixels = noise(6 * 5);
        let image = ImageView::grey(&pixels, 6, 5).unwrap();
        let wild = [0.0, -1e-30, 1e-9, 1.0, -7.0, 1e9, f32::MAX, f32::NEG_INFINITY, f32::NAN];
        for a in wild {
            for b in wild {
                for tx in wild {
                    let mut out = [f32::NAN; 12];
                    sample(&image, Transform::new(a, b, tx, -tx), 4, 3, &mut out);
                    assert!(out.iter().all(|v| (0.0..=255.1).contains(v)), "{a} {b} {tx}: {out:?}");
                }
            }
        }
    }
}
