//! Activation, pooling and sums: everything that is not a product with weights.

use crate::math::logistic;
use crate::model::{Activation, Shape};
use crate::simd::vectorized;

/// Applies an activation in place. `slopes` holds one number per channel for [`Activation::PRelu`].
///
/// # Panics
/// When `values` is not a whole number of pixels of `slopes.len()` channels (PRelu only).
pub fn activate(activation: Activation, slopes: &[f32], values: &mut [f32]) {
    match activation {
        Activation::Relu => vectorized(
            #[inline(always)]
            || values.iter_mut().for_each(|v| *v = v.max(0.0)),
        ),
        Activation::HardSwish => vectorized(
            #[inline(always)]
            || values.iter_mut().for_each(|v| *v *= (*v * (1.0 / 6.0) + 0.5).clamp(0.0, 1.0)),
        ),
        Activation::PRelu => {
            assert_eq!(values.len() % slopes.len(), 0, "channels of a PRelu");
            vectorized(
                #[inline(always)]
                || {
                    for pixel in values.chunks_exact_mut(slopes.len()) {
                        for (v, s) in pixel.iter_mut().zip(slopes) {
                            *v = v.max(0.0) + s * v.min(0.0);
                        }
                    }
                },
            )
        }
    }
}

/// The largest of each 2x2 block of `[height, width, channels]`; an odd last row or column is dropped.
///
/// # Panics
/// When a slice has another length.
pub fn max_pool(input: &[f32], from: Shape, output: &mut [f32]) {
    let (c, row) = (from.channels, from.width * from.channels);
    assert_eq!(input.len(), from.len(), "input of a pooling");
    assert_eq!(output.len(), from.height / 2 * (from.width / 2) * c, "output of a pooling");
    vectorized(
        #[inline(always)]
        || {
            for (y, out_row) in output.chunks_exact_mut(from.width / 2 * c).enumerate() {
                let rows = &input[2 * y * row..][..2 * row];
                let (top, bottom) = rows.split_at(row);
                for (x, out) in out_row.chunks_exact_mut(c).enumerate() {
                    let (top, bottom) = (&top[2 * x * c..][..2 * c], &bottom[2 * x * c..][..2 * c]);
                    for i in 0..c {
                        out[i] = top[i].max(top[c + i]).max(bottom[i].max(bottom[c + i]));
                    }
                }
            }
        },
    )
}

/// `values += other`.
///
/// # Panics
/// When the lengths differ.
pub fn add(values: &mut [f32], other: &[f32]) {
    assert_eq!(values.len(), other.len(), "summands");
    vectorized(
        #[inline(always)]
        || values.iter_mut().zip(other).for_each(|(v, o)| *v += o),
    )
}

/// Adds each pixel's channels to `sums`.
///
/// # Panics
/// When `pixels` is not a whole number of pixels.
pub fn add_pixels(sums: &mut [f32], pixels: &[f32]) {
    assert_eq!(pixels.len() % sums.len(), 0, "pixels of a sum");
    vectorized(
        #[inline(always)]
        || {
            for pixel in pixels.chunks_exact(sums.len()) {
                sums.iter_mut().zip(pixel).for_each(|(sum, v)| *sum += v);
            }
        },
    );
}

/// The mean of each channel over all pixels.
///
/// # Panics
/// When `input` is not a whole number of pixels.
pub fn global_pool(input: &[f32], output: &mut [f32]) {
    let channels = output.len();
    output.fill(0.0);
    add_pixels(output, input);
    let scale = channels as f32 / input.len() as f32;
    output.iter_mut().for_each(|v| *v *= scale);
}

/// Channels that [`weighted_pool`] sums at once: they stay in registers and in the nearest memory.
const POOL_BLOCK: usize = 64;

/// The mean of each channel over all pixels, weighted by the logistic function of `weights`.
///
/// # Panics
/// When `input` is not a whole number of pixels, or `weights` has another length.
pub fn weighted_pool(input: &[f32], weights: &[f32], output: &mut [f32]) {
    let channels = output.len();
    assert_eq!(input.len() % channels, 0, "pixels of a weighted mean");
    assert_eq!(input.len(), weights.len(), "weights of a weighted mean");
    vectorized(
        #[inline(always)]
        || {
            for (block, output) in output.chunks_mut(POOL_BLOCK).enumerate() {
                let here = block * POOL_BLOCK..block * POOL_BLOCK + output.len();
                let (mut votes, mut shares) = ([0.0; POOL_BLOCK], [0.0; POOL_BLOCK]);
                let (votes, shares) = (&mut votes[..output.len()], &mut shares[..output.len()]);
                for (pixel, weights) in input.chunks_exact(channels).zip(weights.chunks_exact(channels)) {
                    let (pixel, weights) = (&pixel[here.clone()], &weights[here.clone()]);
                    for i in 0..votes.len() {
                        let share = logistic(weights[i]);
                        votes[i] += share * pixel[i];
                        shares[i] += share;
                    }
                }
                for ((out, vote), share) in output.iter_mut().zip(votes).zip(shares) {
                    *out = *vote / *share;
                }
            }
        },
    )
}

/// Rounds each number to the nearest that a quantised value from 0 to 255 can stand for, `(q - zero_point) * scale`.
pub fn quantize(scale: f32, zero_point: f32, values: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for v in values {
                let q = ((*v / scale).round_ties_even() + zero_point).clamp(0.0, 255.0);
                *v = (q - zero_point) * scale;
            }
        },
    )
}
