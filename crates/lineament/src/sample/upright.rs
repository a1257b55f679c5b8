//! Samples of a picture that is scaled and shifted but not rotated: rows first, then columns.

use std::ops::Range;

use lineament_nn::simd::vectorized;

use super::{PixelFrame, Position, box_side, inside, repeat_edges};
use crate::geometry::{ImageFrame, Point, Similarity};
use crate::image::ImageView;

/// Memory that is kept between pictures.
#[derive(Debug, Clone, Default)]
pub struct Upright {
    /// Grey pixels of a part of a row.
    grey: Vec<u8>,
    /// Weighted sum of the rows that an output row needs, one number per column.
    sums: Vec<f32>,
    /// Where the output columns lie.
    columns: Vec<Position>,
}

impl Upright {
    /// As [`Sampler::sample`](super::Sampler::sample), for a transform without rotation.
    pub fn sample(
        &mut self,
        image: &ImageView,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        out: &mut [f32],
    ) {
        let n = box_side(image_from_pixel.scale(), image);
        let center = |at: usize| image_from_pixel * Point::new(at as f32 + 0.5, at as f32 + 0.5);
        self.columns.clear();
        self.columns.extend((0..width).map(|x| Position::new(center(x).x, n, image.width())));
        let left = self.columns[0].first;
        let right = self.columns[width - 1].first + n as isize + 1;
        self.sums.resize((right - left) as usize, 0.0);
        let inside = inside(left, right, image.width());
        // Boxes that touch without a gap: a whole frame that is shrunk by a whole number.
        let adjacent =
            self.columns.iter().enumerate().all(|(x, c)| c.fraction == 0.0 && c.first - left == (x * n) as isize);
        let unit = 1.0 / (n * n) as f32;
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            let position = Position::new(center(y).y, n, image.height());
            self.add_rows(image, position, n, left, inside.clone());
            if adjacent {
                adjacent_means(&self.sums, n, unit, row);
            } else {
                for (value, column) in row.iter_mut().zip(&self.columns) {
                    let sums = &self.sums[(column.first - left) as usize..][..=n];
                    let middle: f32 = sums[1..n].iter().sum();
                    *value = unit * (middle + sums[0] + column.fraction * (sums[n] - sums[0]));
                }
            }
        }
    }

    /// Fills `sums` with the weighted sum of the rows of boxes of `n` pixels at `position`, from column `left` on. The
    /// columns `inside` are those that the picture has.
    fn add_rows(&mut self, image: &ImageView, position: Position, n: usize, left: isize, inside: Range<usize>) {
        let Self { grey, sums, .. } = self;
        let before = (inside.start as isize - left).max(0) as usize;
        let middle = before..(before + inside.len()).min(sums.len());
        for k in 0..=n {
            let weight = if k == 0 {
                1.0 - position.fraction // above 0, so that the first row always sets the sums
            } else if k == n {
                position.fraction
            } else {
                1.0
            };
            if weight == 0.0 {
                continue;
            }
            let y = (position.first + k as isize).clamp(0, image.height() as isize - 1) as usize;
            let pixels = image.grey_part(y, inside.clone(), grey);
            let sums = &mut sums[middle.clone()];
            vectorized(
                #[inline(always)]
                || {
                    if k == 0 {
                        sums.iter_mut().zip(pixels).for_each(|(sum, v)| *sum = weight * f32::from(*v));
                    } else {
                        sums.iter_mut().zip(pixels).for_each(|(sum, v)| *sum += weight * f32::from(*v));
                    }
                },
            );
        }
        repeat_edges(sums, middle);
    }
}

/// Means of boxes of `n` columns that touch: `unit` times the sum of each `n` of `sums`.
fn adjacent_means(sums: &[f32], n: usize, unit: f32, out: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || match n {
            1 => out.copy_from_slice(&sums[..out.len()]), // and then `unit` is 1
            2 => {
                let pairs = sums.as_chunks::<2>().0;
                out.iter_mut().zip(pairs).for_each(|(to, [a, b])| *to = unit * (a + b));
            }
            4 => {
                let fours = sums.as_chunks::<4>().0;
                out.iter_mut().zip(fours).for_each(|(to, [a, b, c, d])| *to = unit * ((a + b) + (c + d)));
            }
            n => out.iter_mut().zip(sums.chunks_exact(n)).for_each(|(to, sums)| *to = unit * sums.iter().sum::<f32>()),
        },
    );
}
