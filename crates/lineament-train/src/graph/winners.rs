//! The kernels of [`super::conv_pool`]'s way back: gradients of a convolution through the winners of its pooling.

use lineament_nn::engine::window::Window;
use lineament_nn::simd::{Kernel, Simd};

use super::conv::Size;

/// A winner that a gradient goes through.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hit {
    /// Where its window starts in the sample's input.
    pub at: u32,
    /// The gradient.
    pub d: f32,
}

/// All windows that one output channel's gradients go through.
pub struct Sparse<'a> {
    /// Where.
    pub hits: &'a [Hit],
    /// One sample.
    pub input: &'a [f32],
    /// Numbers in a row of the input.
    pub row: usize,
    /// Numbers in a row of the window.
    pub window_row: usize,
    /// The channel's window, `[k * k * inputs]`.
    pub weights: &'a [f32],
    /// Their gradient, added to.
    pub d_weights: &'a mut [f32],
    /// The input's, added to where it is wanted.
    pub d_input: Option<&'a mut [f32]>,
}

impl Kernel for Sparse<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let len = self.window_row;
        for ky in 0..self.weights.len() / len {
            let (shift, tap) = (ky * self.row, ky * len);
            let mut j = 0;
            while j + 4 * S::LANES <= len {
                self.vectors::<S, 4>(simd, shift + j, tap + j);
                j += 4 * S::LANES;
            }
            while j + S::LANES <= len {
                self.vectors::<S, 1>(simd, shift + j, tap + j);
                j += S::LANES;
            }
            (j..len).for_each(|j| self.number(shift + j, tap + j));
        }
    }
}

impl Sparse<'_> {
    /// `N` vectors from weight `tap` on, which lies `shift` after the window's start in the input.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(&mut self, simd: S, shift: usize, tap: usize) {
        let weights: [S::V; N] = std::array::from_fn(|v| simd.load(&self.weights[tap + v * S::LANES..]));
        let mut sums: [S::V; N] = std::array::from_fn(|v| simd.load(&self.d_weights[tap + v * S::LANES..]));
        for hit in self.hits {
            let (at, d) = (hit.at as usize + shift, simd.splat(hit.d));
            let x = &self.input[at..at + N * S::LANES];
            for v in 0..N {
                sums[v] = simd.mul_add(d, simd.load(&x[v * S::LANES..]), sums[v]);
            }
            if let Some(d_input) = &mut self.d_input {
                let dx = &mut d_input[at..at + N * S::LANES];
                for (v, dx) in dx.chunks_exact_mut(S::LANES).enumerate() {
                    simd.store(simd.mul_add(d, weights[v], simd.load(dx)), dx);
                }
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            simd.store(sum, &mut self.d_weights[tap + v * S::LANES..]);
        }
    }

    /// One number: the remainder of a window's row.
    #[inline(always)]
    fn number(&mut self, shift: usize, tap: usize) {
        for hit in self.hits {
            let at = hit.at as usize + shift;
            self.d_weights[tap] += hit.d * self.input[at];
            if let Some(d_input) = &mut self.d_input {
                d_input[at] += hit.d * self.weights[tap];
            }
        }
    }
}

/// A pooled row's part in the gradient of the weights, output channels side by side.
pub struct FewInputs<'a> {
    /// Sizes of the convolution.
    pub size: Size,
    /// From the row's first window on.
    pub input: &'a [f32],
    /// Pixels in a row of the input.
    pub width: usize,
    /// The gradient where the winner is 0, 1, 2, 3, else 0: `[4, w', stride]`.
    pub planes: &'a [f32],
    /// Output channels with what fills the last vector.
    pub stride: usize,
    /// `[k * k * inputs, stride]`, added to.
    pub d_weights: &'a mut [f32],
}

/// Weights whose gradients are in registers at once: a 3x3 window over grey.
const TAPS: usize = 9;

impl Kernel for FewInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { size: Size { window: Window { kernel, .. }, inputs, .. }, input, width, planes, stride, d_weights } =
            self;
        let (row, window_row) = (width * inputs, kernel * inputs);
        for channel in (0..stride).step_by(S::LANES) {
            for (first, d_weights) in (0..).step_by(TAPS).zip(d_weights.chunks_mut(TAPS * stride)) {
                // The last round repeats its last weight to fill up, and drops the repetitions.
                let taps = d_weights.len() / stride;
                let shifts: [usize; TAPS] = std::array::from_fn(|t| {
                    let tap = first + t.min(taps - 1);
                    tap / window_row * row + tap % window_row
                });
                let mut sums = [simd.splat(0.0); TAPS];
                for (k, plane) in planes.chunks_exact(planes.len() / 4).enumerate() {
                    for (x, d) in plane.chunks_exact(stride).enumerate() {
                        let d = simd.load(&d[channel..]);
                        let input = &input[k / 2 * row + (2 * x + k % 2) * inputs..];
                        for (sum, shift) in sums.iter_mut().zip(shifts) {
                            *sum = simd.mul_add(d, simd.splat(input[shift]), *sum);
                        }
                    }
                }
                for (d_weights, sum) in d_weights.chunks_exact_mut(stride).zip(sums) {
                    let d = &mut d_weights[channel..];
                    simd.store(simd.add(simd.load(d), sum), d);
                }
            }
        }
    }
}
