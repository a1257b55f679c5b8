//! Depthwise convolution: each channel by itself, a vector of channels at a time, its weights in registers.

#![allow(unsafe_code)]

use super::simd::{Kernel, Simd, dispatch};

/// Convolves one sample `[height, width, channels]`, already padded, with weights `[kernel, kernel, channels]` into
/// `[h, w, channels]`, where `h = (height - kernel) / stride + 1` and likewise `w`.
///
/// # Panics
/// When a slice has another length.
pub fn depthwise(
    input: &[f32],
    size: (usize, usize),
    weights: &[f32],
    bias: &[f32],
    kernel: usize,
    stride: usize,
    output: &mut [f32],
) {
    let ((height, width), channels) = (size, bias.len());
    let (h, w) = ((height - kernel) / stride + 1, (width - kernel) / stride + 1);
    assert_eq!(input.len(), height * width * channels, "input of a depthwise convolution");
    assert_eq!(weights.len(), kernel * kernel * channels, "weights of a depthwise convolution");
    assert_eq!(output.len(), h * w * channels, "output of a depthwise convolution");
    let sizes = Sizes { width, h, w, channels, stride };
    match kernel {
        3 => dispatch(Run::<3> { input, weights, bias, output, sizes }),
        5 => dispatch(Run::<5> { input, weights, bias, output, sizes }),
        _ => any_kernel(input, weights, bias, kernel, output, sizes),
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    width: usize,
    h: usize,
    w: usize,
    channels: usize,
    stride: usize,
}

struct Run<'a, const K: usize> {
    input: &'a [f32],
    weights: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
    sizes: Sizes,
}

impl<const K: usize> Kernel for Run<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, weights, bias, output, sizes: Sizes { width, h, w, channels, stride } } = self;
        let whole = channels - channels % S::LANES;
        for c in (0..whole).step_by(S::LANES) {
            let taps: [[S::V; K]; K] =
                std::array::from_fn(|ky| std::array::from_fn(|kx| simd.load(&weights[(ky * K + kx) * channels + c..])));
            let bias = simd.load(&bias[c..]);
            for y in 0..h {
                // SAFETY: `depthwise` checked that the input holds every window of the `h` by `w` output pixels and
                // the output all of them; `c` plus a vector stays within the channels.
                unsafe {
                    let from = input.as_ptr().add(y * stride * width * channels + c);
                    let to = output.as_mut_ptr().add(y * w * channels + c);
                    for x in 0..w {
                        let window = from.add(x * stride * channels);
                        let mut rows = [bias, simd.splat(0.0)];
                        for (ky, taps) in taps.iter().enumerate() {
                            for (kx, &tap) in taps.iter().enumerate() {
                                let value = simd.load_ptr(window.add((ky * width + kx) * channels));
                                rows[ky % 2] = simd.mul_add(value, tap, rows[ky % 2]);
                            }
                        }
                        simd.store_ptr(simd.add(rows[0], rows[1]), to.add(x * channels));
                    }
                }
            }
        }
        if whole < channels {
            one_by_one(input, weights, bias, K, output, self.sizes, whole);
        }
    }
}

fn any_kernel(input: &[f32], weights: &[f32], bias: &[f32], kernel: usize, output: &mut [f32], sizes: Sizes) {
    one_by_one(input, weights, bias, kernel, output, sizes, 0);
}

/// The channels from `first` on, without vectors.
fn one_by_one(
    input: &[f32],
    weights: &[f32],
    bias: &[f32],
    kernel: usize,
    output: &mut [f32],
    sizes: Sizes,
    first: usize,
) {
    let Sizes { width, h, w, channels, stride } = sizes;
    for y in 0..h {
        for x in 0..w {
            for c in first..channels {
                let mut sum = bias[c];
                for ky in 0..kernel {
                    for kx in 0..kernel {
                        let at = ((y * stride + ky) * width + x * stride + kx) * channels + c;
                        sum += input[at] * weights[(ky * kernel + kx) * channels + c];
                    }
                }
                output[(y * w + x) * channels + c] = sum;
            }
        }
    }
}
