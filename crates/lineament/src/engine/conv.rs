//! Direct convolution: a tile of output pixels by one or two vectors of output channels stays in registers while
//! the kernel's window passes by. A pointwise convolution is the same with a window of one pixel.

#![allow(unsafe_code)]

use super::simd::{Kernel, Simd, dispatch};

/// Weights of a convolution, arranged for the processor at hand: blocks of output channels, in each the window's
/// rows, columns and input channels, and innermost the block's channels (zeros fill the last block).
#[derive(Debug, Clone, Default)]
pub struct PackedConv {
    weights: Vec<f32>,
    bias: Vec<f32>,
    kernel: usize,
    stride: usize,
    inputs: usize,
    outputs: usize,
}

impl PackedConv {
    /// Packs weights of order `[kernel, kernel, inputs, outputs]` and one bias per output channel.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn new(weights: &[f32], bias: &[f32], kernel: usize, stride: usize, inputs: usize) -> Self {
        let mut packed = Self::default();
        packed.repack(weights, bias, kernel, stride, inputs);
        packed
    }

    /// As [`PackedConv::new`], into the memory of this one.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn repack(&mut self, weights: &[f32], bias: &[f32], kernel: usize, stride: usize, inputs: usize) {
        let outputs = bias.len();
        assert_eq!(
            weights.len(),
            kernel * kernel * inputs * outputs,
            "weights of a {kernel}x{kernel}x{inputs}x{outputs} convolution"
        );
        (self.kernel, self.stride, self.inputs, self.outputs) = (kernel, stride, inputs, outputs);
        self.bias.clear();
        self.bias.extend_from_slice(bias);
        dispatch(Pack { packed: self, weights });
    }

    /// Window side.
    pub fn kernel(&self) -> usize {
        self.kernel
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Convolves one sample `[height, width, inputs]`, already padded, into `[h, w, outputs]`, where
    /// `h = (height - kernel) / stride + 1` and likewise `w`.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run(&self, input: &[f32], height: usize, width: usize, output: &mut [f32]) {
        assert_eq!(input.len(), height * width * self.inputs, "input of a convolution");
        let h = (height - self.kernel) / self.stride + 1;
        let w = (width - self.kernel) / self.stride + 1;
        assert_eq!(output.len(), h * w * self.outputs, "output of a convolution");
        // Rows of a pointwise convolution follow each other without a seam: one long row wastes nothing at its end.
        let (h, w, width) = if self.kernel == 1 && self.stride == 1 { (1, h * w, h * w) } else { (h, w, width) };
        dispatch(Run { conv: self, input, width, h, w, output });
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
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let PackedConv { weights: packed, bias, kernel, inputs, outputs, .. } = self.packed;
        let taps = *kernel * *kernel * *inputs;
        packed.clear();
        for (start, vectors) in blocks(*outputs, S::LANES) {
            let (size, used) = (vectors * S::LANES, (vectors * S::LANES).min(*outputs - start));
            for tap in 0..taps {
                let from = tap * *outputs + start;
                packed.extend_from_slice(&self.weights[from..from + used]);
                packed.resize(packed.len() + size - used, 0.0);
            }
        }
        bias.resize(*outputs + 2 * S::LANES, 0.0);
    }
}

struct Run<'a> {
    conv: &'a PackedConv,
    input: &'a [f32],
    width: usize,
    h: usize,
    w: usize,
    output: &'a mut [f32],
}

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, input, width, h, w, output } = self;
        let PackedConv { kernel, stride, inputs, outputs, .. } = *conv;
        let taps = kernel * kernel * inputs;
        let mut first_weight = 0;
        for (channel, vectors) in blocks(outputs, S::LANES) {
            let weights = &conv.weights[first_weight..first_weight + taps * vectors * S::LANES];
            first_weight += weights.len();
            for y in 0..h {
                let row = Row {
                    // SAFETY of the pointers: `PackedConv::run` checked that the input holds `h` strides of rows plus a
                    // window, and the output `h * w` pixels; packing made the weights and padded the bias.
                    input: unsafe { input.as_ptr().add(y * stride * width * inputs) },
                    pixel_step: stride * inputs,
                    window_rows: kernel,
                    window_row: kernel * inputs,
                    row_step: width * inputs,
                    weights: weights.as_ptr(),
                    bias: unsafe { conv.bias.as_ptr().add(channel) },
                    output: unsafe { output.as_mut_ptr().add(y * w * outputs + channel) },
                    outputs,
                    channels: (vectors * S::LANES).min(outputs - channel),
                };
                // SAFETY: as above.
                unsafe {
                    match (vectors, S::REGISTERS >= 32) {
                        (2, true) => row.run::<S, 12, 2>(simd, w),
                        (2, false) => row.run::<S, 6, 2>(simd, w),
                        (_, true) => row.run::<S, 12, 1>(simd, w),
                        (_, false) => row.run::<S, 8, 1>(simd, w),
                    }
                }
            }
        }
    }
}

/// Most pixels in a tile.
const MAX_PIXELS: usize = 12;

/// Writes the body once for each pixel of the largest tile, with its number as a constant. A loop would be left to the
/// compiler to unroll; where it does not (whole-program optimisation), the sums fall out of the registers.
macro_rules! for_each_pixel {
    (|$i:ident| $body:expr) => {
        for_each_pixel!(@ $i $body, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@ $i:ident $body:expr, $($p:literal)+) => {
        $({
            const $i: usize = $p;
            $body
        })+
    };
}

/// One row of output pixels in one block of channels.
struct Row {
    input: *const f32,
    pixel_step: usize,
    window_rows: usize,
    window_row: usize,
    row_step: usize,
    weights: *const f32,
    bias: *const f32,
    output: *mut f32,
    outputs: usize,
    channels: usize,
}

impl Row {
    /// All `w` pixels in tiles of `P`; the last tile overlaps the one before, and a short row takes smaller tiles.
    ///
    /// # Safety
    /// The pointers must cover `w` output pixels and their windows.
    #[inline(always)]
    unsafe fn run<S: Simd, const P: usize, const NV: usize>(&self, simd: S, w: usize) {
        unsafe {
            let mut x = 0;
            while x + P <= w {
                self.tile::<S, P, NV>(simd, x);
                x += P;
            }
            match w - x {
                0 => (),
                _ if w >= P => self.tile::<S, P, NV>(simd, w - P),
                4.. => {
                    self.tile::<S, 4, NV>(simd, x);
                    x += 4;
                    while x + 4 <= w {
                        self.tile::<S, 4, NV>(simd, x);
                        x += 4;
                    }
                    if x < w {
                        self.tile::<S, 4, NV>(simd, w - 4);
                    }
                }
                _ => (x..w).for_each(|x| self.tile::<S, 1, NV>(simd, x)),
            }
        }
    }

    /// `P` pixels from `x` on by `NV` vectors of channels.
    ///
    /// # Safety
    /// As [`Row::run`], for these pixels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize>(&self, simd: S, x: usize) {
        unsafe {
            let zero = simd.splat(0.0);
            let load = |from: *const f32, v: usize| if v < NV { simd.load_ptr(from.add(v * S::LANES)) } else { zero };
            let mut sums = [[load(self.bias, 0), load(self.bias, 1)]; MAX_PIXELS];
            let mut weights = self.weights;
            let first = self.input.add(x * self.pixel_step);
            for ky in 0..self.window_rows {
                let row = first.add(ky * self.row_step);
                for j in 0..self.window_row {
                    let w = [load(weights, 0), load(weights, 1)];
                    weights = weights.add(NV * S::LANES);
                    for_each_pixel!(|I| if I < P {
                        let value = simd.splat(*row.add(I * self.pixel_step + j));
                        sums[I][0] = simd.mul_add(value, w[0], sums[I][0]);
                        if NV > 1 {
                            sums[I][1] = simd.mul_add(value, w[1], sums[I][1]);
                        }
                    });
                }
            }
            let whole = self.channels == NV * S::LANES;
            for_each_pixel!(|I| if I < P {
                let to = self.output.add((x + I) * self.outputs);
                if whole {
                    simd.store_ptr(sums[I][0], to);
                    if NV > 1 {
                        simd.store_ptr(sums[I][1], to.add(S::LANES));
                    }
                } else {
                    let to = std::slice::from_raw_parts_mut(to, self.channels);
                    to.chunks_mut(S::LANES).zip(sums[I]).for_each(|(to, sum)| simd.store_part(sum, to));
                }
            });
        }
    }
}
