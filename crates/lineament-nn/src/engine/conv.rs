//! Direct convolution: a tile of output pixels by one or two vectors of output channels stays in registers while
//! the kernel's window passes by. A pointwise convolution is the same with a window of one pixel.
//!
//! This file is longer than most: packing, tiles and the loops over them share one arrangement of the weights.

#![allow(unsafe_code)]

use std::ops::Range;

use super::aligned::Aligned;
use super::finish::{Finish, Place, RawFinish, Sums, for_each_pixel, load};
use super::window::Window;
use crate::simd::{Kernel, Simd, dispatch};

/// Weights of a convolution, arranged for the processor at hand: blocks of output channels, in each the window's
/// rows, columns and input channels, and innermost the block's channels (zeros fill the last block).
#[derive(Debug, Clone, Default)]
pub struct PackedConv {
    weights: Aligned,
    bias: Aligned,
    window: Window,
    inputs: usize,
    outputs: usize,
}

impl PackedConv {
    /// Packs weights of order `[kernel, kernel, inputs, outputs]` and one bias per output channel.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn new(weights: &[f32], bias: &[f32], window: Window, inputs: usize) -> Self {
        let mut packed = Self::default();
        packed.repack(weights, bias, window, inputs);
        packed
    }

    /// As [`PackedConv::new`], into the memory of this one.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn repack(&mut self, weights: &[f32], bias: &[f32], window: Window, inputs: usize) {
        let (outputs, kernel) = (bias.len(), window.kernel);
        assert_eq!(
            weights.len(),
            kernel * kernel * inputs * outputs,
            "weights of a {kernel}x{kernel}x{inputs}x{outputs} convolution"
        );
        (self.window, self.inputs, self.outputs) = (window, inputs, outputs);
        dispatch(Pack { packed: self, weights, bias });
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves one sample `[height, width, inputs]` into `[h, w, outputs]`, with `(h, w)` as [`Window::over`] says.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run(&self, input: &[f32], size: (usize, usize), finish: Finish, output: &mut [f32]) {
        let rows = 0..self.window.over(size).0;
        self.run_rows(input, size, rows, finish, output);
    }

    /// The output's `rows` only: `output` and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run_rows(
        &self,
        input: &[f32],
        size: (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        output: &mut [f32],
    ) {
        let (h, w) = self.window.over(size);
        assert!(rows.end <= h, "rows of a convolution");
        let all = 0..self.outputs;
        if self.window == Window::POINT {
            // Rows follow each other without a seam: one long row wastes nothing at its end.
            let pixels = rows.len() * w;
            let input = &input[rows.start * w * self.inputs..rows.end * w * self.inputs];
            return self.part(input, (1, pixels), (0..1, pixels, false), all, finish, output);
        }
        self.part(input, size, (rows, w, false), all, finish, output);
    }

    /// As [`PackedConv::run_rows`], with a 2x2 maximum between the convolution and what follows it; an odd last row or
    /// column of the convolution is dropped.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run_pooled_rows(
        &self,
        input: &[f32],
        size: (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        output: &mut [f32],
    ) {
        let (h, w) = self.window.over(size);
        assert!(rows.end <= h / 2, "rows of a pooled convolution");
        self.part(input, size, (rows, w / 2, true), 0..self.outputs, finish, output);
    }

    /// Of a single pixel some output channels only, which begin at a multiple of [`UNITS`] and end at one or the last:
    /// `output` and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length, the window more than one pixel, or the channels begin or end elsewhere.
    pub fn run_units(&self, input: &[f32], units: Range<usize>, finish: Finish, output: &mut [f32]) {
        assert_eq!(self.window, Window::POINT, "window of a dense layer");
        assert_units(&units, self.outputs);
        self.part(input, (1, 1), (0..1, 1, false), units, finish, output);
    }

    fn part(
        &self,
        input: &[f32],
        (height, width): (usize, usize),
        (rows, w, pool): (Range<usize>, usize, bool),
        channels: Range<usize>,
        finish: Finish,
        output: &mut [f32],
    ) {
        assert_eq!(input.len(), height * width * self.inputs, "input of a convolution");
        assert_eq!(output.len(), rows.len() * w * channels.len(), "output of a convolution");
        let raw = finish.raw(output.len(), self.outputs);
        finish.dispatch(Run { conv: self, input, height, width, rows, w, pool, channels, finish: raw, output });
    }
}

/// Output channels of which a multiple is a multiple of every kernel's blocks.
pub const UNITS: usize = 64;

/// # Panics
/// When `units`, of `count`, do not begin at a multiple of [`UNITS`] and end at one or at the last.
pub(super) fn assert_units(units: &Range<usize>, count: usize) {
    let is_seam = |at: usize| at.is_multiple_of(UNITS) || at == count;
    assert!(units.start < units.end && units.end <= count, "{units:?} of {count} units");
    assert!(is_seam(units.start) && is_seam(units.end), "units {units:?}, not whole blocks of {UNITS}");
}

/// Channels of the blocks that `outputs` is cut into: two vectors each, one for the rest if it fits.
#[inline(always)]
pub(super) fn blocks(outputs: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = outputs - start;
        if left == 0 {
            return None;
        }
        let vectors = if left > lanes { 2 } else { 1 };
        let block = (start, vectors);
        start += (vectors * lanes).min(left);
        Some(block)
    })
}

struct Pack<'a> {
    packed: &'a mut PackedConv,
    weights: &'a [f32],
    bias: &'a [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let PackedConv { weights: packed, bias, window: Window { kernel, .. }, inputs, outputs } = self.packed;
        let taps = *kernel * *kernel * *inputs;
        let channels: usize = blocks(*outputs, S::LANES).map(|(_, vectors)| vectors * S::LANES).sum();
        packed.resize(taps * channels);
        let mut rest = &mut packed[..];
        for (start, vectors) in blocks(*outputs, S::LANES) {
            let (size, used) = (vectors * S::LANES, (vectors * S::LANES).min(*outputs - start));
            let (block, after) = rest.split_at_mut(taps * size);
            for (to, from) in block.chunks_exact_mut(size).zip(self.weights.chunks_exact(*outputs)) {
                to[..used].copy_from_slice(&from[start..start + used]);
                to[used..].fill(0.0);
            }
            rest = after;
        }
        bias.resize(channels);
        bias[..*outputs].copy_from_slice(self.bias);
        bias[*outputs..].fill(0.0);
    }
}

struct Run<'a> {
    conv: &'a PackedConv,
    input: &'a [f32],
    height: usize,
    width: usize,
    /// Rows of the output, and its columns.
    rows: Range<usize>,
    w: usize,
    /// Each of the output's pixels is the largest of 2x2.
    pool: bool,
    /// Channels of the output.
    channels: Range<usize>,
    finish: RawFinish,
    output: &'a mut [f32],
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let output = self.output.as_mut_ptr();
        let PackedConv { window: Window { kernel, .. }, inputs, outputs, .. } = *self.conv;
        let taps = kernel * kernel * inputs;
        let mut first_weight = 0;
        for (channel, vectors) in blocks(outputs, S::LANES) {
            let weights = &self.conv.weights[first_weight..first_weight + taps * vectors * S::LANES];
            first_weight += weights.len();
            if !self.channels.contains(&channel) {
                continue;
            }
            let bias = &self.conv.bias[channel..channel + vectors * S::LANES];
            let block = Block {
                run: &self,
                weights: weights.as_ptr(),
                bias: bias.as_ptr(),
                channel,
                channels: (vectors * S::LANES).min(outputs - channel),
                output,
            };
            // SAFETY: `PackedConv::part` checked that the input holds the whole map and the output all of the rows;
            // the output's pointer comes from a unique borrow that nobody else uses meanwhile; packing made the weights
            // and filled up the bias.
            unsafe {
                // `if const`: the compiler then makes no code of the sizes that are not the level's.
                let two = vectors == 2;
                if const { S::REGISTERS >= 32 } {
                    match (self.pool, two) {
                        (false, true) => block.run::<S, 14, 7, 2>(simd),
                        (false, false) => block.run::<S, 14, 7, 1>(simd),
                        (true, true) => block.run_pooled::<S, 12, 3, 2>(simd),
                        (true, false) => block.run_pooled::<S, 12, 3, 1>(simd),
                    }
                } else if const { S::REGISTERS >= 12 } {
                    match (self.pool, two) {
                        (false, true) if const { S::REGISTERS >= 16 } => block.run::<S, 6, 4, 2>(simd),
                        (false, true) => block.run::<S, 4, 4, 2>(simd),
                        (false, false) => block.run::<S, 12, 4, 1>(simd),
                        (true, true) => block.run_pooled::<S, 4, 1, 2>(simd),
                        (true, false) => block.run_pooled::<S, 12, 3, 1>(simd),
                    }
                } else {
                    match (self.pool, two) {
                        (false, true) => block.run::<S, 4, 4, 2>(simd),
                        (false, false) => block.run::<S, 4, 4, 1>(simd),
                        (true, true) => block.run_pooled::<S, 4, 1, 2>(simd),
                        (true, false) => block.run_pooled::<S, 4, 1, 1>(simd),
                    }
                }
            }
        }
    }
}

/// All rows of one block of output channels.
struct Block<'a> {
    run: &'a Run<'a>,
    weights: *const f32,
    bias: *const f32,
    channel: usize,
    channels: usize,
    output: *mut f32,
}

/// What a tile of pixels sees: less than the whole window where the map ends.
#[derive(Clone, Copy)]
struct Sight {
    /// The first pixel's window on the map.
    input: *const f32,
    weights: *const f32,
    rows: usize,
    /// Numbers in a row of the window.
    row_len: usize,
}

/// Numbers in a row of a 3x3 window over grey: so few that the loop over them is written out.
const GREY_ROW: usize = 3;

impl Block<'_> {
    /// `P` pixels at a time, then `Q`, then 4, of which the last overlap what is there already: that takes no more time
    /// than smaller tiles, whose few sums would wait for each other.
    ///
    /// # Safety
    /// The pointers must cover what the sizes say.
    #[inline(always)]
    unsafe fn run<S: Simd, const P: usize, const Q: usize, const NV: usize>(&self, simd: S) {
        let &Run { conv: &PackedConv { window, inputs, .. }, height, width, ref rows, w, .. } = self.run;
        let (inside, whole) = (window.inside(w, width), 0..window.kernel);
        for y in rows.clone() {
            let tall = window.on_map(y, height);
            let mut x = inside.start;
            // SAFETY: the caller's promise; every window of `inside` lies on the map, and the others are cut.
            unsafe {
                while x + P <= inside.end {
                    let sight = self.sight::<S, NV>((y, x), &tall, &whole);
                    if const { S::REGISTERS > 8 } && window.kernel * inputs == GREY_ROW {
                        self.tile::<S, P, NV, GREY_ROW>(simd, sight, (y, x));
                    } else {
                        self.tile::<S, P, NV, 0>(simd, sight, (y, x));
                    }
                    x += P;
                }
                if const { 4 < Q && Q < P } && x + Q <= inside.end {
                    self.tile::<S, Q, NV, 0>(simd, self.sight::<S, NV>((y, x), &tall, &whole), (y, x));
                    x += Q;
                }
                if inside.len() >= 4 {
                    while x < inside.end {
                        let at = (y, x.min(inside.end - 4));
                        self.tile::<S, 4, NV, 0>(simd, self.sight::<S, NV>(at, &tall, &whole), at);
                        x = at.1 + 4;
                    }
                }
                for x in (0..inside.start).chain(x..w) {
                    let sight = self.sight::<S, NV>((y, x), &tall, &window.on_map(x, width));
                    self.tile::<S, 1, NV, 0>(simd, sight, (y, x));
                }
            }
        }
    }

    /// `P` pixels at a time, which become the `Q` largest of four, then one by one.
    ///
    /// # Safety
    /// As [`Block::run`].
    #[inline(always)]
    unsafe fn run_pooled<S: Simd, const P: usize, const Q: usize, const NV: usize>(&self, simd: S) {
        let &Run { conv: &PackedConv { window, inputs, .. }, height, width, ref rows, w, finish, .. } = self.run;
        let (inside, whole) = (window.inside(2 * w, width), 0..window.kernel);
        for y in rows.clone() {
            let tall = [window.on_map(2 * y, height), window.on_map(2 * y + 1, height)];
            // Windows that reach over the map's upper or lower end are computed one by one.
            let end = if tall.iter().all(|tall| *tall == whole) { inside.end / 2 } else { 0 };
            let start = inside.start.div_ceil(2).min(end);
            let mut x = start;
            // SAFETY: as in `run`.
            unsafe {
                while x + Q <= end {
                    let sight = self.sight::<S, NV>((2 * y, 2 * x), &whole, &whole);
                    let sums = if const { S::REGISTERS > 8 } && window.kernel * inputs == GREY_ROW {
                        self.sums::<S, P, NV, GREY_ROW, true>(simd, sight)
                    } else {
                        self.sums::<S, P, NV, 0, true>(simd, sight)
                    };
                    let mut largest = [sums[0]; Q];
                    for_each_pixel!(@ I if const { I < Q } {
                        for_each_pixel!(@ V if const { V < NV } {
                            let top = simd.max(sums[4 * I][V], sums[4 * I + 1][V]);
                            let bottom = simd.max(sums[4 * I + 2][V], sums[4 * I + 3][V]);
                            largest[I][V] = simd.max(top, bottom);
                        }, 0 1);
                    }, 0 1 2);
                    finish.store::<S, Q, NV>(simd, largest, self.place((y, x)), self.output);
                    x += Q;
                }
                for x in (0..start).chain(x..w) {
                    let mut largest: Option<Sums<S::V, 1, NV>> = None;
                    for (y, x, tall) in [
                        (2 * y, 2 * x, &tall[0]),
                        (2 * y, 2 * x + 1, &tall[0]),
                        (2 * y + 1, 2 * x, &tall[1]),
                        (2 * y + 1, 2 * x + 1, &tall[1]),
                    ] {
                        let sight = self.sight::<S, NV>((y, x), tall, &window.on_map(x, width));
                        let sums = self.sums::<S, 1, NV, 0, false>(simd, sight);
                        let largest = largest.get_or_insert(sums);
                        largest[0][0] = simd.max(largest[0][0], sums[0][0]);
                        if const { NV > 1 } {
                            largest[0][1] = simd.max(largest[0][1], sums[0][1]);
                        }
                    }
                    if let Some(largest) = largest {
                        finish.store::<S, 1, NV>(simd, largest, self.place((y, x)), self.output);
                    }
                }
            }
        }
    }

    /// The pixel `x` of row `y` of the convolution, whose window has its rows `tall` and columns `wide` on the map.
    ///
    /// # Safety
    /// It must be one of the convolution's.
    #[inline(always)]
    unsafe fn sight<S: Simd, const NV: usize>(
        &self,
        (y, x): (usize, usize),
        tall: &Range<usize>,
        wide: &Range<usize>,
    ) -> Sight {
        let &Run { conv: &PackedConv { window, inputs, .. }, input, width, .. } = self.run;
        let (top, left) = match tall.is_empty() || wide.is_empty() {
            true => (0, 0), // Nothing is read.
            false => (window.place(y, tall.start), window.place(x, wide.start)),
        };
        Sight {
            // SAFETY: this pixel is on the map.
            input: unsafe { input.as_ptr().add((top * width + left) * inputs) },
            // SAFETY: rows and columns are the window's own.
            weights: unsafe { self.weights.add((tall.start * window.kernel + wide.start) * inputs * NV * S::LANES) },
            rows: tall.len(),
            row_len: wide.len() * inputs,
        }
    }

    /// Where the output's pixel `x` of row `y` belongs.
    #[inline(always)]
    fn place(&self, (y, x): (usize, usize)) -> Place {
        let &Run { ref rows, w, ref channels, .. } = self.run;
        let at = ((y - rows.start) * w + x) * channels.len() + self.channel - channels.start;
        Place { at, step: channels.len(), channel: self.channel, channels: self.channels }
    }

    /// `P` pixels side by side by `NV` vectors of channels.
    ///
    /// # Safety
    /// As [`Block::sums`], and `at` must be the first pixel's place.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize, const ROW: usize>(
        &self,
        simd: S,
        sight: Sight,
        at: (usize, usize),
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let sums = self.sums::<S, P, NV, ROW, false>(simd, sight);
            self.run.finish.store::<S, P, NV>(simd, sums, self.place(at), self.output);
        }
    }

    /// The sums of `P` pixels, side by side or in `POOL`ed blocks of 2x2, which are side by side. `ROW` numbers are in
    /// a row of the window, where that is not 0.
    ///
    /// # Safety
    /// The windows of all pixels must be cut as the first one's is.
    #[inline(always)]
    unsafe fn sums<S: Simd, const P: usize, const NV: usize, const ROW: usize, const POOL: bool>(
        &self,
        simd: S,
        sight: Sight,
    ) -> Sums<S::V, P, NV> {
        let &Run { conv: &PackedConv { window, inputs, .. }, width, .. } = self.run;
        let (step, row_step) = (window.stride * inputs, width * inputs);
        let below = window.stride * row_step;
        let skipped = (window.kernel * inputs - sight.row_len) * NV * S::LANES;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [load::<S, NV>(simd, self.bias); P];
            let mut weights = sight.weights;
            for ky in 0..sight.rows {
                let row = sight.input.add(ky * row_step);
                macro_rules! tap {
                    ($j:expr) => {
                        if const { P == 1 } {
                            // A dense layer's weights come from far.
                            simd.prefetch(weights.wrapping_add(AHEAD));
                            if const { NV > 1 } {
                                simd.prefetch(weights.wrapping_add(AHEAD + S::LANES));
                            }
                        }
                        let w = load::<S, NV>(simd, weights);
                        weights = weights.add(NV * S::LANES);
                        for_each_pixel!(|I| if const { I < P } {
                            let at =
                                if const { POOL } { (I / 4 * 2 + I % 2) * step + I / 2 % 2 * below } else { I * step };
                            let value = simd.splat(*row.add(at + $j));
                            sums[I][0] = simd.mul_add(value, w[0], sums[I][0]);
                            if const { NV > 1 } {
                                sums[I][1] = simd.mul_add(value, w[1], sums[I][1]);
                            }
                        });
                    };
                }
                if const { ROW == 0 } {
                    for j in 0..sight.row_len {
                        tap!(j);
                    }
                } else {
                    for_each_pixel!(@ J if const { J < ROW } { tap!(J); }, 0 1 2);
                }
                weights = weights.wrapping_add(skipped);
            }
            sums
        }
    }
}

/// How far ahead weights are prefetched, in numbers. Chosen by trial.
const AHEAD: usize = 1024;
