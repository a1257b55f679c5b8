//! The features of a cascade: what a node tests in a window. A Haar feature compares the brightness of rectangles. A
//! local binary pattern says which of eight blocks are at least as bright as the block in their middle.

use std::array::from_fn;

use super::integral::Layout;

/// A feature as the file has it, in pixels of the window.
pub(super) trait Feature {
    /// The feature for one layout of the integral images.
    type Placed: Placed;
    /// Windows are compared at the same contrast: sums are divided by the window's standard deviation.
    const NORMALISED: bool;
    /// The feature needs sums over rectangles turned by 45 degrees.
    fn tilted(&self) -> bool;
    /// The same feature with offsets into integral images instead of rectangles.
    fn place(&self, layout: &Layout) -> Self::Placed;
}

/// A feature with offsets into integral images.
pub(super) trait Placed {
    /// For `N` neighbouring windows, the first at `at`: `left` where the feature leads to the left, else `right`.
    fn choose<const N: usize>(
        &self,
        sums: &[u32],
        at: usize,
        norms: &[f32; N],
        left: &[f32; N],
        right: &[f32; N],
    ) -> [f32; N];
}

/// An upright rectangle. A rectangle turned by 45 degrees starts at its top corner, with `width` along the diagonal
/// down to the right and `height` along the diagonal down to the left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Block {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Offsets of left top, right top, left bottom and right bottom corner.
pub(super) type Corners = [usize; 4];

impl Block {
    pub(super) fn corners(&self, layout: &Layout) -> Corners {
        let Self { x, y, width, height } = *self;
        [(x, y), (x + width, y), (x, y + height), (x + width, y + height)].map(|(x, y)| layout.offset(x, y))
    }

    /// Of the turned rectangle: top, left, right, bottom. The reader makes sure that `x` is at least `height`.
    fn tilted_corners(&self, layout: &Layout) -> Corners {
        let Self { x, y, width, height } = *self;
        [(x, y), (x - height, y + height), (x + width, y + width), (x + width - height, y + width + height)]
            .map(|(x, y)| layout.tilted_offset(x, y))
    }
}

/// An array with `f` of each index. Unlike `std::array::from_fn` it is always inlined, and so compiled with the
/// instructions of its caller.
#[inline(always)]
pub(super) fn each<T: Copy + Default, const N: usize>(value: impl Fn(usize) -> T) -> [T; N] {
    let mut values = [T::default(); N];
    for (k, to) in values.iter_mut().enumerate() {
        *to = value(k);
    }
    values
}

/// Sums over a rectangle in `N` windows.
#[inline(always)]
pub(super) fn sum<const N: usize>(sums: &[u32], at: usize, &[a, b, c, d]: &Corners) -> [u32; N] {
    let [a, b, c, d] = [&sums[at + a..][..N], &sums[at + b..][..N], &sums[at + c..][..N], &sums[at + d..][..N]];
    each(|k| a[k].wrapping_sub(b[k]).wrapping_sub(c[k]).wrapping_add(d[k]))
}

/// Two or three weighted rectangles.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Haar {
    pub(super) blocks: [Block; 3],
    /// The weight of each rectangle; 0 for a rectangle that does not exist.
    pub(super) weights: [f32; 3],
    pub(super) tilted: bool,
    /// A weighted sum below this leads to the left.
    pub(super) threshold: f32,
}

/// [`Haar`] with offsets.
pub(super) struct PlacedHaar {
    corners: [Corners; 3],
    weights: [f32; 3],
    threshold: f32,
}

impl Feature for Haar {
    type Placed = PlacedHaar;
    const NORMALISED: bool = true;

    fn tilted(&self) -> bool {
        self.tilted
    }

    fn place(&self, layout: &Layout) -> PlacedHaar {
        let corners = |block: &Block| if self.tilted { block.tilted_corners(layout) } else { block.corners(layout) };
        PlacedHaar { corners: self.blocks.each_ref().map(corners), weights: self.weights, threshold: self.threshold }
    }
}

impl Placed for PlacedHaar {
    #[inline(always)]
    fn choose<const N: usize>(
        &self,
        sums: &[u32],
        at: usize,
        norms: &[f32; N],
        left: &[f32; N],
        right: &[f32; N],
    ) -> [f32; N] {
        let Self { corners, weights, threshold } = self;
        let (a, b) = (sum::<N>(sums, at, &corners[0]), sum::<N>(sums, at, &corners[1]));
        let mut values: [f32; N] = each(|k| weights[0] * a[k] as i32 as f32 + weights[1] * b[k] as i32 as f32);
        if weights[2] != 0.0 {
            let c = sum::<N>(sums, at, &corners[2]);
            values = each(|k| values[k] + weights[2] * c[k] as i32 as f32);
        }
        each(|k| if values[k] * norms[k] < *threshold { left[k] } else { right[k] })
    }
}

/// A grid of three by three blocks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lbp {
    /// The first of the blocks; the others have its size.
    pub(super) block: Block,
    /// One bit for each of the 256 patterns, set where the pattern leads to the left.
    pub(super) patterns: [u32; 8],
}

/// [`Lbp`] with the offsets of the grid's 16 corners, row by row.
pub(super) struct PlacedLbp {
    corners: [[usize; 4]; 4],
    patterns: [u32; 8],
}

/// The blocks around the middle, clockwise from the left top: the highest bit of the pattern first.
const AROUND: [(usize, usize); 8] = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)];

impl Feature for Lbp {
    type Placed = PlacedLbp;
    const NORMALISED: bool = false;

    fn tilted(&self) -> bool {
        false
    }

    fn place(&self, layout: &Layout) -> PlacedLbp {
        let Block { x, y, width, height } = self.block;
        let corner = |row: usize, column: usize| layout.offset(x + column * width, y + row * height);
        PlacedLbp { corners: from_fn(|row| from_fn(|column| corner(row, column))), patterns: self.patterns }
    }
}

impl Placed for PlacedLbp {
    #[inline(always)]
    fn choose<const N: usize>(
        &self,
        sums: &[u32],
        at: usize,
        _norms: &[f32; N],
        left: &[f32; N],
        right: &[f32; N],
    ) -> [f32; N] {
        let middle = self.block::<N>(sums, at, (1, 1));
        let mut patterns = [0u32; N];
        for around in AROUND {
            let block = self.block::<N>(sums, at, around);
            for k in 0..N {
                // The sign bit of the difference instead of a comparison: 1 if at least as bright.
                patterns[k] = 2 * patterns[k] + (!block[k].wrapping_sub(middle[k]) >> 31);
            }
        }
        let mut chosen = *right;
        for k in 0..N {
            let pattern = patterns[k] as usize % 256;
            if self.patterns[pattern / 32] >> (pattern % 32) & 1 == 1 {
                chosen[k] = left[k];
            }
        }
        chosen
    }
}

impl PlacedLbp {
    /// Sums over the block of that row and column.
    #[inline(always)]
    fn block<const N: usize>(&self, sums: &[u32], at: usize, (row, column): (usize, usize)) -> [u32; N] {
        let [top, bottom] = [&self.corners[row], &self.corners[row + 1]];
        sum(sums, at, &[top[column], top[column + 1], bottom[column], bottom[column + 1]])
    }
}
