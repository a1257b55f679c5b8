//! Samples of a picture that is rotated: the sums of all boxes first, then four of them for each sample.

use std::ops::Range;

use lineament_nn::simd::vectorized;

use super::{PixelFrame, Position, box_side, inside, repeat_edges};
use crate::geometry::{ImageFrame, Similarity};
use crate::image::ImageView;

/// Sums of boxes are fixed-point numbers with four bits for fractions: this many units of a sum are one step of
/// brightness. The mean of a block keeps its fraction so, and nine of them, the largest box, still fit `u16`.
const FIXED_POINT: u16 = 16;

/// Largest side of a box. Pictures that are shrunk more are averaged in blocks first: large boxes need many additions.
const MAX_BOX: usize = 3;

/// Samples that are computed together.
const SAMPLES: usize = 16;

/// Memory that is kept between pictures.
#[derive(Debug, Clone, Default)]
pub struct Turned {
    /// Grey pixels of a part of a row.
    grey: Vec<u8>,
    /// Sums of boxes, row by row.
    boxes: Vec<u16>,
    /// One row of pixels, or of means of blocks.
    line: Vec<u16>,
    /// Column sums of one row of blocks.
    column_sums: Vec<u32>,
}

impl Turned {
    /// As [`Sampler::sample`](super::Sampler::sample), for any transform.
    pub fn sample(
        &mut self,
        image: &ImageView,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        height: usize,
        out: &mut [f32],
    ) {
        let n = box_side(image_from_pixel.scale(), image);
        let block = if n > MAX_BOX { n / 2 } else { 1 };
        let shrink = 1.0 / block as f32;
        // From here on coordinates count blocks.
        let Similarity { a, b, tx, ty, .. } = image_from_pixel;
        let [a, b, tx, ty] = [a, b, tx, ty].map(|v| v * shrink);
        let n = if block > 1 { box_side(libm::hypotf(a, b), image) } else { n }.min(MAX_BOX);
        let (across, down) = (image.width().div_ceil(block), image.height().div_ceil(block));

        // From the first box that a sample needs to the last.
        let corner = |x: usize, y: usize| (a * x as f32 - b * y as f32 + tx, b * x as f32 + a * y as f32 + ty);
        let corners = [corner(0, 0), corner(width, 0), corner(0, height), corner(width, height)];
        let (columns, rows) = (ends(corners.map(|c| c.0), n, across), ends(corners.map(|c| c.1), n, down));
        let (stride, count) = ((columns.1 - columns.0) as usize + 1, (rows.1 - rows.0) as usize + 1);
        self.sum_boxes(image, block, n, (columns.0, rows.0), (stride, count));

        let unit = 1.0 / (usize::from(FIXED_POINT) * n * n) as f32;
        let boxes = Boxes { sums: &self.boxes, stride, count, unit };
        // From the centre of a box to its corner, where its sum stands.
        let corner = n as f32 / 2.0;
        vectorized(
            #[inline(always)]
            || {
                for (y, row) in out.chunks_exact_mut(width).enumerate() {
                    let y = y as f32 + 0.5;
                    let x = a * 0.5 - b * y + tx - corner - columns.0 as f32;
                    let y = b * 0.5 + a * y + ty - corner - rows.0 as f32;
                    boxes.sample_along((x, y), (a, b), row);
                }
            },
        );
    }

    /// Fills `boxes` with the sums of boxes of `n` x `n` blocks, times [`FIXED_POINT`]: `count` rows of `stride`, from
    /// column and row `first` on. A block is the mean of `block` x `block` pixels of `image`.
    fn sum_boxes(
        &mut self,
        image: &ImageView,
        block: usize,
        n: usize,
        first: (isize, isize),
        (stride, count): (usize, usize),
    ) {
        let (across, down) = (image.width().div_ceil(block), image.height().div_ceil(block));
        let rows = count + n - 1;
        self.boxes.resize(rows * stride, 0);
        self.line.resize(stride + n - 1, 0);
        let inside = inside(first.0, first.0 + self.line.len() as isize, across);
        let before = (inside.start as isize - first.0).max(0) as usize;
        let middle = before..(before + inside.len()).min(self.line.len());
        // Along each row.
        let mut previous = None;
        for (at, y) in (0..rows).zip(first.1..) {
            let y = y.clamp(0, down as isize - 1) as usize;
            if previous.replace(y) == Some(y) {
                self.boxes.copy_within((at - 1) * stride..at * stride, at * stride);
                continue;
            }
            self.read_blocks(image, block, y, inside.clone(), middle.clone());
            repeat_edges(&mut self.line, middle.clone());
            let (line, sums) = (&self.line, &mut self.boxes[at * stride..][..stride]);
            vectorized(
                #[inline(always)]
                || match n {
                    1 => sums.copy_from_slice(&line[..stride]),
                    2 => (sums.iter_mut().zip(line).zip(&line[1..])).for_each(|((sum, a), b)| *sum = a + b),
                    _ => (sums.iter_mut().zip(line).zip(&line[1..]).zip(&line[2..]))
                        .for_each(|(((sum, a), b), c)| *sum = a + b + c),
                },
            );
        }
        // Down the columns, from the top: a row is added to those above before the rows below are added to it.
        for at in 0..count {
            let (sums, below) = self.boxes[at * stride..][..n * stride].split_at_mut(stride);
            vectorized(
                #[inline(always)]
                || {
                    for row in below.chunks_exact(stride) {
                        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
                    }
                },
            );
        }
    }

    /// Fills the part `middle` of `line` with the means of the blocks `inside` of row `y`, times [`FIXED_POINT`].
    fn read_blocks(&mut self, image: &ImageView, block: usize, y: usize, inside: Range<usize>, middle: Range<usize>) {
        let Self { grey, line, column_sums, .. } = self;
        let line = &mut line[middle];
        if block == 1 {
            let pixels = image.grey_part(y, inside, grey);
            vectorized(
                #[inline(always)]
                || line.iter_mut().zip(pixels).for_each(|(to, v)| *to = FIXED_POINT * u16::from(*v)),
            );
            return;
        }
        let columns = inside.start * block..(inside.end * block).min(image.width());
        let rows = y * block..((y + 1) * block).min(image.height());
        column_sums.clear();
        column_sums.resize(columns.len(), 0);
        for y in rows.clone() {
            let pixels = image.grey_part(y, columns.clone(), grey);
            vectorized(
                #[inline(always)]
                || column_sums.iter_mut().zip(pixels).for_each(|(sum, v)| *sum += u32::from(*v)),
            );
        }
        for (to, sums) in line.iter_mut().zip(column_sums.chunks(block)) {
            let pixels = (sums.len() * rows.len()) as f32;
            // A block of more than 4,104 x 4,104 white pixels does not fit 32 bits.
            let sum: u64 = sums.iter().map(|&sum| u64::from(sum)).sum();
            *to = (f32::from(FIXED_POINT) * sum as f32 / pixels).round() as u16;
        }
    }
}

/// Sums of boxes, each one block further than the one before.
struct Boxes<'a> {
    sums: &'a [u16],
    stride: usize,
    count: usize,
    /// What a sum of 1 is in brightness.
    unit: f32,
}

impl Boxes<'_> {
    /// Fills `out` with brightness at `first` and then each `step` further, bilinear, in blocks from the first box on.
    #[inline(always)]
    fn sample_along(&self, first: (f32, f32), step: (f32, f32), out: &mut [f32]) {
        let last = (self.stride as u32 - 2, self.count as u32 - 2);
        for (part, out) in out.chunks_mut(SAMPLES).enumerate() {
            let (mut at, mut across, mut down) = ([0u32; SAMPLES], [0.0f32; SAMPLES], [0.0f32; SAMPLES]);
            for i in 0..SAMPLES {
                let further = (part * SAMPLES + i) as f32;
                let (column, x) = locate(first.0 + further * step.0, last.0);
                let (row, y) = locate(first.1 + further * step.1, last.1);
                (at[i], across[i], down[i]) = (row * self.stride as u32 + column, x, y);
            }
            // Two neighbouring sums go into one number. As single sums, compilers gather them into vectors, slowly.
            let (mut top, mut bottom) = ([0u32; SAMPLES], [0u32; SAMPLES]);
            for i in 0..SAMPLES {
                let around = &self.sums[at[i] as usize..][..self.stride + 2];
                let pair = |at: usize| u32::from(around[at]) | u32::from(around[at + 1]) << 16;
                (top[i], bottom[i]) = (pair(0), pair(self.stride));
            }
            let mut values = [0.0f32; SAMPLES];
            for i in 0..SAMPLES {
                let along = |pair: u32| {
                    let (left, right) = ((pair & 0xffff) as f32, (pair >> 16) as f32);
                    left + across[i] * (right - left)
                };
                let (top, bottom) = (along(top[i]), along(bottom[i]));
                values[i] = self.unit * (top + down[i] * (bottom - top));
            }
            out.copy_from_slice(&values[..out.len()]);
        }
    }
}

/// Splits a coordinate into the index of a box, at most `last`, and the fraction of the way from it to the next box.
#[inline(always)]
fn locate(coordinate: f32, last: u32) -> (u32, f32) {
    /// 2^23: adding it to an f32 rounds to a whole number. Unlike `as u32`, which saturates, this compiles to vector
    /// instructions.
    const WHOLE: f32 = 8_388_608.0;
    let coordinate = coordinate.max(0.0).min((last + 1) as f32);
    let nearest = (coordinate + WHOLE) - WHOLE;
    let first = (if nearest > coordinate { nearest - 1.0 } else { nearest }).min(last as f32);
    (((first + WHOLE).to_bits() - WHOLE.to_bits()).min(last), coordinate - first)
}

/// The first and the last box on an axis with `pixels` pixels that samples from the least of `corners` to the largest
/// need; boxes of `n` pixels. The last is at least one after the first.
fn ends(corners: [f32; 4], n: usize, pixels: usize) -> (isize, isize) {
    let least = corners.into_iter().fold(f32::MAX, f32::min);
    let most = corners.into_iter().fold(f32::MIN, f32::max);
    let first = Position::new(least, n, pixels).first;
    (first, Position::new(most, n, pixels).first.max(first) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinate_is_split_into_a_box_and_the_way_to_the_next() {
        for (coordinate, last, expected) in [
            (0.0, 5, (0, 0.0)),
            (0.499_999_97, 5, (0, 0.499_999_97)),
            (2.999_999_8, 5, (2, 2.999_999_8 - 2.0)),
            (3.0, 5, (3, 0.0)),
            (3.5, 5, (3, 0.5)),
            (6.0, 5, (5, 1.0)),
            (1e30, 5, (5, 1.0)),
            (-4.0, 5, (0, 0.0)),
            (f32::NAN, 5, (0, 0.0)),
            (4_194_303.5, 4_194_303, (4_194_303, 0.5)),
            (8_388_607.0, 8_388_607, (8_388_607, 0.0)),
        ] {
            assert_eq!(locate(coordinate, last), expected, "{coordinate} of {last}");
        }
        // Where f32 skips whole numbers it is some box, not none.
        assert!(locate(1e9, 1_000_000_000).0 <= 1_000_000_000);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "passes, but Node 20 crashes as it ends after so much memory")]
    fn blocks_of_seventeen_million_white_pixels_are_white() {
        // Shrunk by 8,210, so that blocks have 4,105 x 4,105 pixels: 255 times that is more than 32 bits hold.
        let (width, height) = (8210, 4105);
        let pixels = vec![255; width * height];
        let image = ImageView::grey(&pixels, width, height).unwrap();
        let mut out = [0.0; 4];
        Turned::default().sample(&image, Similarity::from_scale_angle_shift(8210.0, 1e-3, 0.0, 0.0), 2, 2, &mut out);
        assert_eq!(out, [255.0; 4]);
    }
}
