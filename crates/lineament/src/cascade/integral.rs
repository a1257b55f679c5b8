//! Integral images: sums over any upright rectangle, sums of squares, and sums over rectangles turned by 45 degrees,
//! from four numbers each.
//!
//! On a fine level, windows stand at every second column. Each row therefore stores its even columns first and then
//! its odd columns. The numbers that neighbouring windows read are then neighbours in memory, and the compiler
//! vectorises the loop over windows.

/// Windows of a row that are evaluated together.
pub(super) const LANES: usize = 16;

/// Where the numbers of a level lie. One layout serves all levels with the same step; the first is the largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    step: usize,
    /// Columns with the same remainder, in one row.
    columns: usize,
    /// Length of one integral image.
    plane: usize,
}

impl Layout {
    /// For pictures up to `width` x `height`, with windows every `step` (1 or 2) columns.
    pub(super) fn new(width: usize, height: usize, step: usize) -> Self {
        let columns = (width + 1).div_ceil(step);
        Self { step, columns, plane: columns * step * (height + 1) }
    }

    /// The offset from a window on the first row, which is counted in steps from the left, to its corner `x`, `y`.
    pub(super) fn offset(&self, x: usize, y: usize) -> usize {
        y * self.stride() + x % self.step * self.columns + x / self.step
    }

    /// The same as [`Layout::offset`], for the corner of a turned rectangle.
    pub(super) fn tilted_offset(&self, x: usize, y: usize) -> usize {
        self.plane + self.offset(x, y)
    }

    /// Distance from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.columns * self.step
    }

    fn store(&self, line: &[u32], row: &mut [u32]) {
        if self.step == 1 {
            row[..line.len()].copy_from_slice(line);
            return;
        }
        let (even, odd) = row.split_at_mut(self.columns);
        let (pairs, last) = line.as_chunks::<2>();
        for ((&[a, b], even), odd) in pairs.iter().zip(even.iter_mut()).zip(odd) {
            (*even, *odd) = (a, b);
        }
        if let [last] = last {
            even[pairs.len()] = *last;
        }
    }
}

/// The integral images of one level. Sums wrap at 32 bits; differences over a window are still right.
pub(super) struct Integrals {
    pub(super) layout: Layout,
    /// Upright sums, then turned sums if any feature needs them.
    pub(super) sums: Vec<u32>,
    /// Sums of squares.
    pub(super) squares: Vec<u32>,
    tilted: bool,
    /// The last row of each kind, in the order of columns; the last two rows of turned sums.
    line: Vec<u32>,
    square_line: Vec<u32>,
    tilted_lines: [Vec<u32>; 2],
}

impl Integrals {
    /// Memory for the levels of `layout`.
    pub(super) fn new(layout: Layout, tilted: bool) -> Self {
        // Lanes beyond the last window of the last row read further.
        let sums = vec![0; layout.plane * if tilted { 2 } else { 1 } + LANES];
        let squares = vec![0; layout.plane + LANES];
        Self {
            layout,
            sums,
            squares,
            tilted,
            line: Vec::new(),
            square_line: Vec::new(),
            tilted_lines: [Vec::new(), Vec::new()],
        }
    }

    /// Sums up `pixels`, rows of `width`. The first row and column of each kind stay 0.
    #[inline(always)]
    pub(super) fn sum_up(&mut self, pixels: &[u8], width: usize) {
        let Self { layout, line, square_line, .. } = self;
        line.clear();
        line.resize(width + 1, 0);
        square_line.clear();
        square_line.resize(width + 1, 0);
        let rows = self.sums.chunks_exact_mut(layout.stride()).zip(self.squares.chunks_exact_mut(layout.stride()));
        for (pixels, (sums, squares)) in pixels.chunks_exact(width).zip(rows.skip(1)) {
            let (mut sum, mut square) = (0u32, 0u32);
            for ((&p, line), square_line) in pixels.iter().zip(&mut line[1..]).zip(&mut square_line[1..]) {
                let p = u32::from(p);
                (sum, square) = (sum.wrapping_add(p), square.wrapping_add(p * p));
                *line = line.wrapping_add(sum);
                *square_line = square_line.wrapping_add(square);
            }
            layout.store(line, sums);
            layout.store(square_line, squares);
        }
        if self.tilted {
            self.sum_up_tilted(pixels, width);
        }
    }

    /// The turned sum at `x`, `y` covers the pixels of a wedge that opens upwards, with its tip at pixel (x - 1, y -
    /// 1). It is the sum of the two wedges above it to the left and to the right, minus their overlap, plus the two
    /// pixels that neither contains.
    fn sum_up_tilted(&mut self, pixels: &[u8], width: usize) {
        let [last, before] = &mut self.tilted_lines;
        for line in [&mut *last, &mut *before] {
            line.clear();
            line.resize(width + 1, 0);
        }
        let dark = vec![0; width];
        let mut above = &dark[..];
        let rows = self.sums[self.layout.plane..].chunks_exact_mut(self.layout.stride()).skip(1);
        for (pixels, row) in pixels.chunks_exact(width).zip(rows) {
            let tip = |x: usize| u32::from(pixels[x - 1]) + u32::from(above[x - 1]);
            // The new row overwrites the row before the last. Each of its numbers is read for the last time right here.
            before[0] = last[1];
            for x in 1..width {
                let both = before[x];
                before[x] = last[x - 1].wrapping_add(last[x + 1]).wrapping_sub(both).wrapping_add(tip(x));
            }
            // At the right edge the right wedge is the overlap.
            before[width] = last[width - 1].wrapping_add(tip(width));
            std::mem::swap(last, before);
            self.layout.store(last, row);
            above = pixels;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum over the pixels for which `within` is true.
    fn slow(pixels: &[u8], width: usize, within: impl Fn(i64, i64) -> bool, value: impl Fn(u32) -> u32) -> u32 {
        let pixels = pixels.iter().enumerate();
        pixels.filter(|(k, _)| within((k % width) as i64, (k / width) as i64)).map(|(_, &p)| value(u32::from(p))).sum()
    }

    proptest! {
        #[test]
        fn integrals_are_sums_over_pixels(
            pixels in proptest::collection::vec(any::<u8>(), 1..200), width in 1usize..16, step in 1usize..3,
            x in 0usize..16, y in 0usize..40, wider in 0usize..5,
        ) {
            let width = width.min(pixels.len());
            let height = pixels.len() / width;
            let pixels = &pixels[..width * height];
            let layout = Layout::new(width + wider, height + 2, step);
            let mut integrals = Integrals::new(layout, true);
            // A larger level comes first, and nothing of it may remain.
            integrals.sum_up(&vec![200; (width + wider) * (height + 2)], width + wider);
            integrals.sum_up(pixels, width);
            let (x, y) = (x.min(width), y.min(height));
            let (right, bottom) = (x as i64, y as i64);
            let before = |px: i64, py: i64| px < right && py < bottom;
            // Upwards from the tip, each row is wider by one pixel on both sides.
            let wedge = |px: i64, py: i64| py < bottom && (px - right + 1).abs() < bottom - py;
            prop_assert_eq!(integrals.sums[layout.offset(x, y)], slow(pixels, width, before, |p| p));
            prop_assert_eq!(integrals.squares[layout.offset(x, y)], slow(pixels, width, before, |p| p * p));
            prop_assert_eq!(integrals.sums[layout.tilted_offset(x, y)], slow(pixels, width, wedge, |p| p));
        }
    }
}
