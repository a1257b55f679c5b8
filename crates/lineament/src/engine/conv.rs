//! Direct convolution: a tile of output pixels by one or two vectors of output channels stays in registers while
//! the kernel's window passes by. A pointwise convolution is the same with a window of one pixel.

#![allow(unsafe_code)]

use std::ops::Range;

use super::aligned::Aligned;
use super::elementwise;
use super::finish::{self, Finish, MAX_PIXELS, Place, RawFinish, for_each_pixel};
use super::simd::{Kernel, Simd, dispatch};
use super::window::Window;
use crate::model::Shape;

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
        if self.window == Window::POINT {
            // Rows follow each other without a seam: one long row wastes nothing at its end.
            return self.run_rows(input, (1, size.0 * size.1), 0..1, finish, output);
        }
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
        (height, width): (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        output: &mut [f32],
    ) {
        let (h, w) = self.window.over((height, width));
        assert_eq!(input.len(), height * width * self.inputs, "input of a convolution");
        assert!(rows.end <= h, "rows of a convolution");
        assert_eq!(output.len(), rows.len() * w * self.outputs, "output of a convolution");
        let finish = finish.raw(output.len(), self.outputs);
        dispatch(Run { conv: self, input, height, width, rows, w, finish, output });
    }

    /// As [`PackedConv::run`], with a 2x2 maximum between the convolution and what follows it; `rows` is memory for two
    /// rows of the convolution.
    ///
    /// # Panics
    /// When a slice has another length, or `rows` is too short.
    pub fn run_pooled(
        &self,
        input: &[f32],
        size: (usize, usize),
        finish: Finish,
        rows: &mut [f32],
        output: &mut [f32],
    ) {
        let (h, w) = self.window.over(size);
        let pair = Shape::hwc(2, w, self.outputs);
        let (rows, row) = (&mut rows[..pair.len()], w / 2 * self.outputs);
        assert_eq!(output.len(), h / 2 * row, "output of a pooled convolution");
        for y in 0..h / 2 {
            self.run_rows(input, size, 2 * y..2 * y + 2, Finish::default(), rows);
            let here = y * row..(y + 1) * row;
            let finish = Finish { add: finish.add.map(|add| &add[here.clone()]), ..finish };
            elementwise::max_pool(rows, pair, &mut output[here.clone()]);
            finish::in_place(finish, self.outputs, &mut output[here]);
        }
    }
}

/// Channels of the blocks that `outputs` is cut into: two vectors each, one for the rest if it fits.
#[inline(always)]
fn blocks(outputs: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
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
    rows: Range<usize>,
    w: usize,
    finish: RawFinish,
    output: &'a mut [f32],
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let PackedConv { window: Window { kernel, .. }, inputs, outputs, .. } = *self.conv;
        let taps = kernel * kernel * inputs;
        let mut first_weight = 0;
        for (channel, vectors) in blocks(outputs, S::LANES) {
            let weights = &self.conv.weights[first_weight..first_weight + taps * vectors * S::LANES];
            first_weight += weights.len();
            let bias = &self.conv.bias[channel..channel + vectors * S::LANES];
            let block = Block {
                run: &self,
                weights: weights.as_ptr(),
                bias: bias.as_ptr(),
                channel,
                channels: (vectors * S::LANES).min(outputs - channel),
                output: self.output.as_ptr().cast_mut(),
            };
            // SAFETY: `PackedConv::run_rows` checked that the input holds the whole map and the output all of the rows;
            // the output's pointer comes from a unique borrow that nobody else uses meanwhile; packing made the weights
            // and filled up the bias.
            unsafe {
                match (vectors, S::REGISTERS >= 32) {
                    (2, true) => block.run::<S, 14, 7, 2>(simd),
                    (2, false) => block.run::<S, 6, 4, 2>(simd),
                    (_, true) => block.run::<S, 14, 7, 1>(simd),
                    (_, false) => block.run::<S, 12, 4, 1>(simd),
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

/// The part of the window that a tile of pixels sees: less than all of it where the map ends.
#[derive(Clone, Copy)]
struct Sight {
    /// The first pixel's window on the map.
    input: *const f32,
    weights: *const f32,
    rows: usize,
    /// Numbers in a row of the window.
    row_len: usize,
}

impl Block<'_> {
    /// `P` pixels at a time, then `Q`, then fewer.
    ///
    /// # Safety
    /// The pointers must cover what the sizes say.
    #[inline(always)]
    unsafe fn run<S: Simd, const P: usize, const Q: usize, const NV: usize>(&self, simd: S) {
        let &Run { conv: &PackedConv { window, inputs, outputs, .. }, height, width, ref rows, w, .. } = self.run;
        let inside = window.inside(w, width);
        for y in rows.clone() {
            let tall = window.on_map(y, height);
            let place = |x: usize| ((y - rows.start) * w + x) * outputs + self.channel;
            let sight = |x: usize, wide: Range<usize>| {
                let (top, left) = match tall.is_empty() || wide.is_empty() {
                    true => (0, 0), // Nothing is read.
                    false => (window.place(y, tall.start), window.place(x, wide.start)),
                };
                // SAFETY: the window's place is on the map, and `tall` and `wide` are within the window.
                unsafe {
                    Sight {
                        input: self.run.input.as_ptr().add((top * width + left) * inputs),
                        weights: self.weights.add((tall.start * window.kernel + wide.start) * inputs * NV * S::LANES),
                        rows: tall.len(),
                        row_len: wide.len() * inputs,
                    }
                }
            };
            // SAFETY: the caller's promise; every window of `inside` lies on the map, and the others are cut.
            unsafe {
                for x in (0..inside.start).chain(inside.end..w) {
                    self.tile::<S, 1, NV>(simd, sight(x, window.on_map(x, width)), place(x));
                }
                let mut x = inside.start;
                let whole = |x| sight(x, 0..window.kernel);
                while x + P <= inside.end {
                    self.tile::<S, P, NV>(simd, whole(x), place(x));
                    x += P;
                }
                if Q < P && x + Q <= inside.end {
                    self.tile::<S, Q, NV>(simd, whole(x), place(x));
                    x += Q;
                }
                while x + 4 <= inside.end {
                    self.tile::<S, 4, NV>(simd, whole(x), place(x));
                    x += 4;
                }
                if x + 2 <= inside.end {
                    self.tile::<S, 2, NV>(simd, whole(x), place(x));
                    x += 2;
                }
                if x < inside.end {
                    self.tile::<S, 1, NV>(simd, whole(x), place(x));
                }
            }
        }
    }

    /// `P` pixels side by side by `NV` vectors of channels.
    ///
    /// # Safety
    /// The windows of all pixels must look like the first one's, and `at` be their place in the output.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize>(&self, simd: S, sight: Sight, at: usize) {
        let &Run { conv: &PackedConv { window, inputs, outputs, .. }, width, finish, .. } = self.run;
        let (step, row_step) = (window.stride * inputs, width * inputs);
        let skipped = (window.kernel * inputs - sight.row_len) * NV * S::LANES;
        unsafe {
            let zero = simd.splat(0.0);
            let load = |from: *const f32, v: usize| if v < NV { simd.load_ptr(from.add(v * S::LANES)) } else { zero };
            let mut sums = [[load(self.bias, 0), load(self.bias, 1)]; MAX_PIXELS];
            let mut weights = sight.weights;
            for ky in 0..sight.rows {
                let row = sight.input.add(ky * row_step);
                for j in 0..sight.row_len {
                    let w = [load(weights, 0), load(weights, 1)];
                    weights = weights.add(NV * S::LANES);
                    for_each_pixel!(|I| if I < P {
                        let value = simd.splat(*row.add(I * step + j));
                        sums[I][0] = simd.mul_add(value, w[0], sums[I][0]);
                        if NV > 1 {
                            sums[I][1] = simd.mul_add(value, w[1], sums[I][1]);
                        }
                    });
                }
                weights = weights.wrapping_add(skipped);
            }
            let place = Place { at, step: outputs, channel: self.channel, channels: self.channels };
            finish.store::<S, P, NV>(simd, sums, place, self.output);
        }
    }
}
