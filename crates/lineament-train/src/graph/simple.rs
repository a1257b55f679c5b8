//! The gradients of layers that need little: pooling, activations without batch norm, dense layers.

use lineament_nn::model::{Activation, Shape};
use lineament_nn::simd::{MAX_LANES, vectorized};

use super::gemm::{Matrix, multiply};
use super::norm::hard_swish_slope;

/// The largest of each 2x2 block, and which of the four it was.
pub fn max_pool(input: &[f32], from: Shape, output: &mut [f32], winners: &mut [u8]) {
    let (c, row, out_row) = (from.channels, from.width * from.channels, from.width / 2 * from.channels);
    let samples = input.chunks_exact(from.len());
    let per_sample = from.height / 2 * out_row;
    for (input, (output, winners)) in
        samples.zip(output.chunks_exact_mut(per_sample).zip(winners.chunks_exact_mut(per_sample)))
    {
        for (y, (out, win)) in output.chunks_exact_mut(out_row).zip(winners.chunks_exact_mut(out_row)).enumerate() {
            max_pool_rows(&input[2 * y * row..][..2 * row], c, f32::NEG_INFINITY, out, win);
        }
    }
}

/// Stands for the winner where no value is above the floor of [`max_pool_rows`].
pub const NO_WINNER: u8 = 4;

/// Two `rows` of `c` channels to a row of `output`, where `floor` stands in for smaller values: 0 for relu.
pub fn max_pool_rows(rows: &[f32], c: usize, floor: f32, output: &mut [f32], winners: &mut [u8]) {
    let (top, bottom) = rows.split_at(rows.len() / 2);
    vectorized(
        #[inline(always)]
        || {
            let blocks = top.chunks_exact(2 * c).zip(bottom.chunks_exact(2 * c));
            for ((out, win), (top, bottom)) in output.chunks_exact_mut(c).zip(winners.chunks_exact_mut(c)).zip(blocks) {
                let ((a, b), (c, d)) = (top.split_at(c), bottom.split_at(c));
                // Blocks of a fixed length: the compiler's own would be longer than most pixels.
                let (out, out_rest) = out.as_chunks_mut::<MAX_LANES>();
                let (win, win_rest) = win.as_chunks_mut::<MAX_LANES>();
                let [(a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)] =
                    [a, b, c, d].map(|v| v.as_chunks::<MAX_LANES>());
                for (i, (out, win)) in out.iter_mut().zip(win).enumerate() {
                    largest([&a[i], &b[i], &c[i], &d[i]].map(|v| v.as_slice()), floor, out, win);
                }
                largest([a_rest, b_rest, c_rest, d_rest], floor, out_rest, win_rest);
            }
        },
    );
}

/// Channel by channel the largest of four.
#[inline(always)]
fn largest([a, b, c, d]: [&[f32]; 4], floor: f32, output: &mut [f32], winners: &mut [u8]) {
    for i in 0..output.len() {
        let (mut best, mut which) = (a[i], 0);
        for (k, v) in [(1, b[i]), (2, c[i]), (3, d[i])] {
            which = if v > best { k } else { which };
            best = if v > best { v } else { best };
        }
        output[i] = if best <= floor { floor } else { best };
        winners[i] = if best <= floor { NO_WINNER } else { which };
    }
}

/// Gives each output's gradient to its winner.
pub fn max_pool_backward(d_output: &[f32], winners: &[u8], from: Shape, d_input: &mut [f32]) {
    let (c, row, out_row) = (from.channels, from.width * from.channels, from.width / 2 * from.channels);
    let per_sample = from.height / 2 * out_row;
    d_input.fill(0.0);
    for (d_input, (d_output, winners)) in d_input
        .chunks_exact_mut(from.len())
        .zip(d_output.chunks_exact(per_sample).zip(winners.chunks_exact(per_sample)))
    {
        for (y, (d, win)) in d_output.chunks_exact(out_row).zip(winners.chunks_exact(out_row)).enumerate() {
            let (top, bottom) = d_input[2 * y * row..][..2 * row].split_at_mut(row);
            vectorized(
                #[inline(always)]
                || {
                    for (x, (d, win)) in d.chunks_exact(c).zip(win.chunks_exact(c)).enumerate() {
                        let (top, bottom) = (&mut top[2 * x * c..][..2 * c], &mut bottom[2 * x * c..][..2 * c]);
                        for i in 0..c {
                            top[i] = if win[i] == 0 { d[i] } else { 0.0 };
                            top[c + i] = if win[i] == 1 { d[i] } else { 0.0 };
                            bottom[i] = if win[i] == 2 { d[i] } else { 0.0 };
                            bottom[c + i] = if win[i] == 3 { d[i] } else { 0.0 };
                        }
                    }
                },
            );
        }
    }
}

/// Gradient through an activation that stands alone; adds to the gradient of its slopes.
pub fn activation_backward(activation: Activation, slopes: &[f32], input: &[f32], d: &mut [f32], d_slopes: &mut [f32]) {
    match activation {
        Activation::Relu => vectorized(
            #[inline(always)]
            || d.iter_mut().zip(input).for_each(|(d, x)| *d = if *x > 0.0 { *d } else { 0.0 }),
        ),
        Activation::HardSwish => vectorized(
            #[inline(always)]
            || d.iter_mut().zip(input).for_each(|(d, x)| *d *= hard_swish_slope(*x)),
        ),
        Activation::PRelu => {
            let c = slopes.len();
            vectorized(
                #[inline(always)]
                || {
                    for (d, x) in d.chunks_exact_mut(c).zip(input.chunks_exact(c)) {
                        for i in 0..c {
                            d_slopes[i] += d[i] * x[i].min(0.0);
                            d[i] *= if x[i] > 0.0 { 1.0 } else { slopes[i] };
                        }
                    }
                },
            );
        }
    }
}

/// Spreads the gradient of a mean over all pixels of each sample.
pub fn global_pool_backward(d_output: &[f32], from: Shape, d_input: &mut [f32]) {
    let scale = from.channels as f32 / from.len() as f32;
    for (d_input, d) in d_input.chunks_exact_mut(from.len()).zip(d_output.chunks_exact(from.channels)) {
        for pixel in d_input.chunks_exact_mut(from.channels) {
            pixel.iter_mut().zip(d).for_each(|(to, d)| *to = d * scale);
        }
    }
}

/// `[n, inputs]` times weights `[inputs, units]` plus bias.
pub fn dense(input: &[f32], weights: &[f32], bias: &[f32], output: &mut [f32]) {
    // The sizes follow from the weights: there may be no sample.
    let (units, n, inputs) = (bias.len(), output.len() / bias.len(), weights.len() / bias.len());
    output.chunks_exact_mut(units).for_each(|row| row.copy_from_slice(bias));
    multiply(output, Matrix::new(input, n, inputs), Matrix::new(weights, inputs, units), true);
}

/// Writes the gradient of the weights, adds to that of the bias, and writes that of the input where it is wanted.
pub fn dense_backward(
    input: &[f32],
    weights: &[f32],
    d_output: &[f32],
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    d_input: Option<&mut [f32]>,
) {
    let (units, n) = (d_bias.len(), d_output.len() / d_bias.len());
    for row in d_output.chunks_exact(units) {
        d_bias.iter_mut().zip(row).for_each(|(d, v)| *d += v);
    }
    let (inputs, d_output) = (weights.len() / units, Matrix::new(d_output, n, units));
    multiply(d_weights, Matrix::new(input, n, inputs).t(), d_output, false);
    if let Some(d_input) = d_input {
        multiply(d_input, d_output, Matrix::new(weights, inputs, units).t(), false);
    }
}
