//! Brightness at any scale and turn: what networks see of a picture, straight from its pixels.
//!
//! Every number is the mean of a square of `n` x `n` pixels of the picture, `n` the factor by which it is shrunk, rounded;
//! between squares it is bilinear. So nothing aliases, and where nothing is shrunk it is plain bilinear. Beyond the
//! picture its outermost pixels are repeated. Only pixels that are looked at are converted to grey.

use std::ops::Range;

use crate::geometry::{ImageFrame, Point, Similarity};
use crate::image::ImageView;
use lineament_nn::simd::vectorized;

/// Pixels of a network's input: (0.5, 0.5) is the centre of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PixelFrame {}

/// Fills `out` (`[height, width]`) with brightness 0 to 255 of `image` seen through `image_from_pixel`, with a fresh
/// [`Sampler`].
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

/// Samples pictures. What it keeps between calls is memory.
#[derive(Debug, Clone, Default)]
pub struct Sampler {
    /// Grey pixels of a part of a row.
    grey: Vec<u8>,
    /// Sums of rows, one number for each column.
    sums: Vec<f32>,
    /// Where each output column looks.
    columns: Vec<Tap>,
    /// Sums of squares of pixels, row by row.
    squares: Vec<u16>,
    /// One row of the picture, or of means of its blocks.
    line: Vec<u16>,
    /// Sums of rows of a block.
    blocks: Vec<u32>,
}

/// Between which two squares a sample lies: the first, and how far from it to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Tap {
    first: isize,
    rest: f32,
}

impl Tap {
    /// For squares of `n` pixels around `center`, on an axis with `pixels` pixels.
    fn new(center: f32, n: usize, pixels: usize) -> Self {
        // From where all pixels of a square repeat the first one, to where they all repeat the last one. `max` first: it
        // turns NaN into a number.
        let first = (center - n as f32 / 2.0).max(-(n as f32)).min(pixels as f32);
        Self { first: first.floor() as isize, rest: first - first.floor() }
    }
}

impl Sampler {
    /// Fills `out` (`[height, width]`) with brightness 0 to 255 of `image` seen through `image_from_pixel`.
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
            self.upright(image, image_from_pixel, width, out);
        } else {
            self.turned(image, image_from_pixel, width, height, out);
        }
    }

    /// Rows and columns apart: first the rows that an output row sees are added, then columns.
    fn upright(
        &mut self,
        image: &ImageView,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        out: &mut [f32],
    ) {
        let n = side(image_from_pixel.scale(), image);
        let center = |at: usize| image_from_pixel * Point::new(at as f32 + 0.5, at as f32 + 0.5);
        self.columns.clear();
        self.columns.extend((0..width).map(|x| Tap::new(center(x).x, n, image.width())));
        let left = self.columns[0].first;
        let right = self.columns[width - 1].first + n as isize + 1;
        self.sums.resize((right - left) as usize, 0.0);
        let inside = inside(left, right, image.width());
        // Squares beside each other without a gap: the usual shrinking of a whole frame.
        let in_step = self.columns.iter().enumerate().all(|(x, c)| c.rest == 0.0 && c.first - left == (x * n) as isize);
        let unit = 1.0 / (n * n) as f32;
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            let tap = Tap::new(center(y).y, n, image.height());
            self.add_rows(image, tap, n, left, inside.clone());
            if in_step {
                sums_in_step(&self.sums, n, unit, row);
            } else {
                for (value, tap) in row.iter_mut().zip(&self.columns) {
                    let seen = &self.sums[(tap.first - left) as usize..][..=n];
                    let middle: f32 = seen[1..n].iter().sum();
                    *value = unit * (middle + seen[0] + tap.rest * (seen[n] - seen[0]));
                }
            }
        }
    }

    /// Into `sums`: the rows of squares of `n` pixels at `tap`, from column `left` on; `inside` are those of the picture.
    fn add_rows(&mut self, image: &ImageView, tap: Tap, n: usize, left: isize, inside: Range<usize>) {
        let Self { grey, sums, .. } = self;
        let before = (inside.start as isize - left).max(0) as usize;
        let middle = before..(before + inside.len()).min(sums.len());
        for k in 0..=n {
            let weight = if k == 0 {
                1.0 - tap.rest
            } else if k == n {
                tap.rest
            } else {
                1.0
            };
            if weight == 0.0 {
                continue;
            }
            let y = (tap.first + k as isize).clamp(0, image.height() as isize - 1) as usize;
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
        let (first, last) = (sums[middle.start], sums[middle.end - 1]);
        sums[..middle.start].fill(first);
        sums[middle.end..].fill(last);
    }
}

/// Factor by which sums of [`Sampler::squares`] are larger than brightness, so that means of many pixels keep their
/// fractions; nine pixels of it fit `u16`.
const FINE: u16 = 16;

/// Pictures shrunk more than this are brought down by whole blocks first: the squares would be large, and many.
const MOST_AT_ONCE: usize = 3;

impl Sampler {
    /// First the mean of every square around, then one bilinear look for each output.
    fn turned(
        &mut self,
        image: &ImageView,
        image_from_pixel: Similarity<ImageFrame, PixelFrame>,
        width: usize,
        height: usize,
        out: &mut [f32],
    ) {
        let n = side(image_from_pixel.scale(), image);
        let block = if n > MOST_AT_ONCE { n / 2 } else { 1 };
        let shrink = 1.0 / block as f32;
        let Similarity { a, b, tx, ty, .. } = image_from_pixel;
        let [a, b, tx, ty] = [a, b, tx, ty].map(|v| v * shrink);
        let n = if block > 1 { side(libm::hypotf(a, b), image) } else { n }.min(MOST_AT_ONCE);
        let (across, down) = (image.width().div_ceil(block), image.height().div_ceil(block));

        // From the first square of all that are looked at to the last.
        let corner = |x: usize, y: usize| (a * x as f32 - b * y as f32 + tx, b * x as f32 + a * y as f32 + ty);
        let corners = [corner(0, 0), corner(width, 0), corner(0, height), corner(width, height)];
        let (columns, rows) = (ends(corners.map(|c| c.0), n, across), ends(corners.map(|c| c.1), n, down));
        let (stride, count) = ((columns.1 - columns.0) as usize + 1, (rows.1 - rows.0) as usize + 1);
        self.squares(image, block, n, (columns.0, rows.0), (stride, count));

        let unit = 1.0 / (usize::from(FINE) * n * n) as f32;
        let squares = Squares { sums: &self.squares, stride, count, unit };
        // Of the square whose centre is looked at, the corner.
        let corner = n as f32 / 2.0;
        vectorized(
            #[inline(always)]
            || {
                for (y, row) in out.chunks_exact_mut(width).enumerate() {
                    let y = y as f32 + 0.5;
                    let x = a * 0.5 - b * y + tx - corner - columns.0 as f32;
                    let y = b * 0.5 + a * y + ty - corner - rows.0 as f32;
                    squares.look_along((x, y), (a, b), row);
                }
            },
        );
    }

    /// Into `squares`: [`FINE`] times the sums of squares of `n` x `n` blocks, `count` rows of `stride`, from column and row
    /// `first` on; a block is `block` x `block` pixels of `image`.
    fn squares(
        &mut self,
        image: &ImageView,
        block: usize,
        n: usize,
        first: (isize, isize),
        (stride, count): (usize, usize),
    ) {
        let (across, down) = (image.width().div_ceil(block), image.height().div_ceil(block));
        let rows = count + n - 1;
        self.squares.resize(rows * stride, 0);
        self.line.resize(stride + n - 1, 0);
        let inside = inside(first.0, first.0 + self.line.len() as isize, across);
        let before = (inside.start as isize - first.0).max(0) as usize;
        let middle = before..(before + inside.len()).min(self.line.len());
        let mut shown = None;
        for (at, y) in (0..rows).zip(first.1..) {
            let y = y.clamp(0, down as isize - 1) as usize;
            if shown.replace(y) == Some(y) {
                self.squares.copy_within((at - 1) * stride..at * stride, at * stride);
                continue;
            }
            self.read_blocks(image, block, y, inside.clone(), middle.clone());
            let (first, last) = (self.line[middle.start], self.line[middle.end - 1]);
            self.line[..middle.start].fill(first);
            self.line[middle.end..].fill(last);
            let (line, sums) = (&self.line, &mut self.squares[at * stride..][..stride]);
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
        // From the top, so that a row is added before it becomes a sum itself.
        for at in 0..count {
            let (sums, below) = self.squares[at * stride..][..n * stride].split_at_mut(stride);
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

    /// Into the part `middle` of `line`: [`FINE`] times the means of the blocks `inside` of row `y`.
    fn read_blocks(&mut self, image: &ImageView, block: usize, y: usize, inside: Range<usize>, middle: Range<usize>) {
        let Self { grey, line, blocks, .. } = self;
        let line = &mut line[middle];
        if block == 1 {
            let pixels = image.grey_part(y, inside, grey);
            vectorized(
                #[inline(always)]
                || line.iter_mut().zip(pixels).for_each(|(to, v)| *to = FINE * u16::from(*v)),
            );
            return;
        }
        let columns = inside.start * block..(inside.end * block).min(image.width());
        let rows = y * block..((y + 1) * block).min(image.height());
        blocks.clear();
        blocks.resize(columns.len(), 0);
        for y in rows.clone() {
            let pixels = image.grey_part(y, columns.clone(), grey);
            vectorized(
                #[inline(always)]
                || blocks.iter_mut().zip(pixels).for_each(|(sum, v)| *sum += u32::from(*v)),
            );
        }
        for (to, sums) in line.iter_mut().zip(blocks.chunks(block)) {
            let pixels = (sums.len() * rows.len()) as f32;
            *to = (f32::from(FINE) * sums.iter().sum::<u32>() as f32 / pixels).round() as u16;
        }
    }
}

/// Sums of squares of pixels, each one pixel further than the one before.
struct Squares<'a> {
    sums: &'a [u16],
    stride: usize,
    count: usize,
    /// What a sum of 1 is in brightness.
    unit: f32,
}

/// Looks whose arithmetic is done together.
const LOOKS: usize = 16;

impl Squares<'_> {
    /// Brightness at `first`, then each `step` further, all in squares from the first one; bilinear.
    #[inline(always)]
    fn look_along(&self, first: (f32, f32), step: (f32, f32), out: &mut [f32]) {
        let last = (self.stride as u32 - 2, self.count as u32 - 2);
        for (part, out) in out.chunks_mut(LOOKS).enumerate() {
            let (mut at, mut rest_x, mut rest_y) = ([0u32; LOOKS], [0.0f32; LOOKS], [0.0f32; LOOKS]);
            for i in 0..LOOKS {
                let further = (part * LOOKS + i) as f32;
                let (column, x) = place(first.0 + further * step.0, last.0);
                let (row, y) = place(first.1 + further * step.1, last.1);
                (at[i], rest_x[i], rest_y[i]) = (row * self.stride as u32 + column, x, y);
            }
            // Two sums side by side in one number, or compilers make vectors of single sums, slowly.
            let (mut top, mut bottom) = ([0u32; LOOKS], [0u32; LOOKS]);
            for i in 0..LOOKS {
                let around = &self.sums[at[i] as usize..][..self.stride + 2];
                let two = |at: usize| u32::from(around[at]) | u32::from(around[at + 1]) << 16;
                (top[i], bottom[i]) = (two(0), two(self.stride));
            }
            let mut seen = [0.0f32; LOOKS];
            for i in 0..LOOKS {
                let along = |two: u32| {
                    let (left, right) = ((two & 0xffff) as f32, (two >> 16) as f32);
                    left + rest_x[i] * (right - left)
                };
                let (top, bottom) = (along(top[i]), along(bottom[i]));
                seen[i] = self.unit * (top + rest_y[i] * (bottom - top));
            }
            out.copy_from_slice(&seen[..out.len()]);
        }
    }
}

/// The square at or before `along`, from the first to the `last` that has a next one, and how far from it to that.
#[inline(always)]
fn place(along: f32, last: u32) -> (u32, f32) {
    /// From here on f32 holds whole numbers only, so that adding it rounds: in vectors, which conversions that mind what
    /// does not fit are not.
    const WHOLE: f32 = 8_388_608.0;
    let along = along.max(0.0).min((last + 1) as f32);
    let near = (along + WHOLE) - WHOLE;
    let first = (if near > along { near - 1.0 } else { near }).min(last as f32);
    (((first + WHOLE).to_bits() - WHOLE.to_bits()).min(last), along - first)
}

/// The side of the squares where a picture is shrunk by `scale`.
fn side(scale: f32, image: &ImageView) -> usize {
    let longer = image.width().max(image.height()) as f32;
    // `max` first: it turns NaN into a number.
    scale.round().max(1.0).min(longer) as usize
}

/// First and last square on an axis: of `n` pixels, around coordinates from the least of `corners` to the largest, where
/// there are `pixels` pixels. The last is at least one after the first.
fn ends(corners: [f32; 4], n: usize, pixels: usize) -> (isize, isize) {
    let least = corners.into_iter().fold(f32::MAX, f32::min);
    let most = corners.into_iter().fold(f32::MIN, f32::max);
    let first = Tap::new(least, n, pixels).first;
    (first, Tap::new(most, n, pixels).first.max(first) + 1)
}

/// Columns of a picture `width` wide that are within `left..right`, and at least one.
fn inside(left: isize, right: isize, width: usize) -> Range<usize> {
    let first = left.clamp(0, width as isize - 1);
    first as usize..right.clamp(first + 1, width as isize) as usize
}

/// Means of squares of `n` columns beside each other.
fn sums_in_step(sums: &[f32], n: usize, unit: f32, out: &mut [f32]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::PixelFormat;
    use lineament_nn::simd::testing::at_every_level;
    use proptest::prelude::*;

    type Look = Similarity<ImageFrame, PixelFrame>;

    #[test]
    fn a_place_is_a_square_and_the_way_to_the_next() {
        for (along, last, expected) in [
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
            assert_eq!(place(along, last), expected, "{along} of {last}");
        }
        // Beyond what f32 counts one by one it is some square, not none.
        assert!(place(1e9, 1_000_000_000).0 <= 1_000_000_000);
    }

    /// Grey pixels that look random.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    /// What the head of this file says, number by number: four squares of `n` pixels around each look.
    fn by_hand(pixels: &[u8], (width, height): (usize, usize), look: Look, n: usize, to: (usize, usize)) -> Vec<f32> {
        let pixel = |x: isize, y: isize| {
            let (x, y) = (x.clamp(0, width as isize - 1), y.clamp(0, height as isize - 1));
            f64::from(pixels[y as usize * width + x as usize])
        };
        let square = |x: isize, y: isize| {
            let n = n as isize;
            (0..n * n).map(|k| pixel(x + k % n, y + k / n)).sum::<f64>() / (n * n) as f64
        };
        let value = |at: usize| {
            let p = look * Point::new((at % to.0) as f32 + 0.5, (at / to.0) as f32 + 0.5);
            let (x, y) = (f64::from(p.x) - n as f64 / 2.0, f64::from(p.y) - n as f64 / 2.0);
            let (x0, y0) = (x.floor(), y.floor());
            let at = |i: isize, j: isize| square(x0 as isize + i, y0 as isize + j);
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
        fn samples_are_bilinear_means_of_squares(
            width in 1usize..40, height in 1usize..40, scale in 0.2f32..3.4, turn in -4.0f32..4.0, upright in any::<bool>(),
            x in -20.0f32..40.0, y in -20.0f32..40.0, columns in 1usize..40, rows in 1usize..9,
        ) {
            let pixels = noise(width * height);
            let image = ImageView::grey(&pixels, width, height).unwrap();
            let look = Look::from_scale_angle_shift(scale, if upright { 0.0 } else { turn }, x, y);
            let mut out = vec![f32::NAN; columns * rows];
            sample(&image, look, columns, rows, &mut out);
            let n = (scale.round().max(1.0) as usize).min(width.max(height));
            let off = worst(&by_hand(&pixels, (width, height), look, n, (columns, rows)), &out);
            prop_assert!(off < 0.02, "off by {}", off);
        }

        #[test]
        fn an_upright_look_at_any_scale_is_a_mean_of_squares(
            width in 1usize..90, height in 1usize..90, scale in 1u8..20, part in 0.0f32..1.0, columns in 1usize..20,
        ) {
            let pixels = noise(width * height);
            let image = ImageView::grey(&pixels, width, height).unwrap();
            // Half of the scales are whole: those have a way of their own.
            let scale = f32::from(scale) / 2.0 + if part > 0.5 { part } else { 0.0 };
            let look = Look::from_scale_angle_shift(scale, 0.0, 0.0, 0.0);
            let mut out = vec![f32::NAN; columns * 7];
            sample(&image, look, columns, 7, &mut out);
            let n = (scale.round().max(1.0) as usize).min(width.max(height));
            let off = worst(&by_hand(&pixels, (width, height), look, n, (columns, 7)), &out);
            prop_assert!(off < 0.02, "scale {}: off by {}", scale, off);
        }
    }

    #[test]
    fn every_format_stride_and_level_sees_the_same() {
        let (width, height, gap) = (37, 29, 5);
        let grey = noise(width * height);
        let mut expected = vec![0.0; 20 * 20];
        for turn in [0.0, 0.4] {
            for scale in [0.7, 1.9, 2.6, 4.7] {
                let look = Look::from_scale_angle_shift(scale, turn, 3.0, -2.0);
                sample(&ImageView::grey(&grey, width, height).unwrap(), look, 20, 20, &mut expected);
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
                        sample(&image, look, 20, 20, &mut out);
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
            let look = Look::from_scale_angle_shift(shrunk, 1e-6, 100.0, 100.0);
            let side = (400.0 / shrunk) as usize;
            let mut out = vec![0.0; side * side];
            sample(&ImageView::grey(&wide, width, height).unwrap(), look, side, side, &mut out);
            let middle = |stripe: usize| out[side / 2 * side + ((stripe as f32 * 50.0 + 25.0) / shrunk) as usize];
            for stripe in 0..7 {
                let expected = if stripe % 2 == 0 { 200.0 } else { 40.0 };
                assert!(
                    (middle(stripe) - expected).abs() < 1.0,
                    "shrunk {shrunk}, stripe {stripe}: {}",
                    middle(stripe)
                );
            }
            sample(&ImageView::grey(&fine, width, height).unwrap(), look, side, side, &mut out);
            assert!(out.iter().all(|v| (v - 120.0).abs() < 9.0), "shrunk {shrunk}");
        }
    }

    #[test]
    fn wild_looks_give_numbers_of_the_picture() {
        let pixels = noise(6 * 5);
        let image = ImageView::grey(&pixels, 6, 5).unwrap();
        let wild = [0.0, -1e-30, 1e-9, 1.0, -7.0, 1e9, f32::MAX, f32::NEG_INFINITY, f32::NAN];
        for a in wild {
            for b in wild {
                for tx in wild {
                    let mut out = [f32::NAN; 12];
                    sample(&image, Look::new(a, b, tx, -tx), 4, 3, &mut out);
                    assert!(out.iter().all(|v| (0.0..=255.1).contains(v)), "{a} {b} {tx}: {out:?}");
                }
            }
        }
    }
}
