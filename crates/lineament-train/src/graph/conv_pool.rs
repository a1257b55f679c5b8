//! Convolution (stride 1, no padding), the 2x2 max pooling behind it, and the relu behind that, as one layer.
//!
//! Forward keeps the pooled values and which of four won. Backward goes only through winners whose gradient is not 0:
//! at most a quarter of the products.

use lineament_nn::engine::aligned::Aligned;
use lineament_nn::engine::finish::Finish;
use lineament_nn::engine::window::Window;
use lineament_nn::model::Shape;
use lineament_nn::simd::{MAX_LANES, dispatch, vectorized};

use super::conv::{Conv, Size};
use super::simple::{NO_WINNER, max_pool_rows};
use super::winners::{FewInputs, Hit, Sparse};

/// Memory that a group's pooled convolutions share.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// Forward two rows of the convolution; backward a pooled row's gradient, once for each of the four places.
    rows: Aligned,
    /// For each output channel room for one hit per pooled pixel of a band.
    hits: Vec<Hit>,
    /// Hits of each output channel.
    counts: Vec<usize>,
    d_weights: Aligned,
}

/// Numbers of input and of its gradient that all output channels go over before the next: fits the level-1 cache.
const BAND: usize = 1 << 13;

/// The gradient of the pooled output and the way it takes.
#[derive(Clone, Copy)]
pub struct Passed<'a> {
    /// `[n, h, w, outputs]`.
    pub d: &'a [f32],
    /// As [`Conv::forward_pooled`] left them.
    pub winners: &'a [u8],
    /// Shape of a sample of both.
    pub to: Shape,
}

impl Conv {
    /// As [`Conv::prepare`], for the pooled functions.
    pub fn prepare_pooled(&mut self, size: Size, weights: &[f32], bias: &[f32]) {
        self.size = size;
        self.forward.repack(weights, bias, size.window, size.inputs);
        self.weights.clear();
        for o in 0..size.outputs {
            self.weights.extend(weights[o..].iter().step_by(size.outputs)); // [outputs, k * k * inputs]
        }
    }

    /// `input` `[n, h, w, inputs]` to the pooled `output` `[n, h', w', outputs]` and its winners.
    #[allow(clippy::too_many_arguments)] // Both ends of the layer.
    pub fn forward_pooled(
        &self,
        relu: bool,
        input: &[f32],
        from: Shape,
        output: &mut [f32],
        winners: &mut [u8],
        to: Shape,
        scratch: &mut Scratch,
    ) {
        let Size { window: Window { kernel, .. }, outputs, .. } = self.size;
        let (row, pooled_row) = (from.width * from.channels, to.width * outputs);
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        scratch.rows.resize(2 * (from.width + 1 - kernel) * outputs);
        let ends = output.chunks_exact_mut(to.len()).zip(winners.chunks_exact_mut(to.len()));
        for (input, (output, winners)) in input.chunks_exact(from.len()).zip(ends) {
            let rows = output.chunks_exact_mut(pooled_row).zip(winners.chunks_exact_mut(pooled_row));
            for (y, (out, win)) in rows.enumerate() {
                self.forward.run(
                    &input[2 * y * row..][..(kernel + 1) * row],
                    (kernel + 1, from.width),
                    Finish::default(),
                    &mut scratch.rows,
                );
                max_pool_rows(&scratch.rows, outputs, floor, out, win);
            }
        }
    }

    /// Adds to the gradients of weights and bias, and writes the gradient of the input where `d_input` is given.
    #[allow(clippy::too_many_arguments)] // Both ends of the layer and its gradients.
    pub fn backward_pooled(
        &self,
        input: &[f32],
        from: Shape,
        passed: Passed,
        d_weights: &mut [f32],
        d_bias: &mut [f32],
        mut d_input: Option<&mut [f32]>,
        scratch: &mut Scratch,
    ) {
        let Size { window: Window { kernel, .. }, inputs, outputs } = self.size;
        vectorized(
            #[inline(always)]
            || {
                for (d, win) in passed.d.chunks_exact(outputs).zip(passed.winners.chunks_exact(outputs)) {
                    for ((sum, d), win) in d_bias.iter_mut().zip(d).zip(win) {
                        *sum += if *win == NO_WINNER { 0.0 } else { *d };
                    }
                }
            },
        );
        // A window's row shorter than a vector would leave lanes empty.
        let few_inputs = d_input.is_none() && kernel * inputs < MAX_LANES;
        let window = kernel * kernel * inputs;
        let stride = if few_inputs { outputs.next_multiple_of(MAX_LANES) } else { outputs };
        scratch.d_weights.resize(window * stride);
        scratch.d_weights.fill(0.0);
        let len = passed.to.len();
        for (sample, input) in input.chunks_exact(from.len()).enumerate() {
            let passed = Passed {
                d: &passed.d[sample * len..][..len],
                winners: &passed.winners[sample * len..][..len],
                ..passed
            };
            if few_inputs {
                self.few_inputs_gradient(input, from, passed, stride, scratch);
            } else {
                let d_input = d_input.as_deref_mut().map(|d| &mut d[sample * from.len()..][..from.len()]);
                self.sparse_gradient(input, from, passed, d_input, scratch);
            }
        }
        let (by_tap, by_output) = if few_inputs { (stride, 1) } else { (1, window) };
        for (tap, d_weights) in d_weights.chunks_exact_mut(outputs).enumerate() {
            let sums = scratch.d_weights[tap * by_tap..].iter().step_by(by_output);
            d_weights.iter_mut().zip(sums).for_each(|(d, sum)| *d += sum);
        }
    }

    /// Adds one sample's gradient of the weights to `scratch.d_weights` `[outputs, k * k * inputs]`, and writes that of
    /// the input.
    fn sparse_gradient(
        &self,
        input: &[f32],
        from: Shape,
        passed: Passed,
        mut d_input: Option<&mut [f32]>,
        scratch: &mut Scratch,
    ) {
        let Size { window: Window { kernel, .. }, inputs, outputs } = self.size;
        let (to, row) = (passed.to, from.width * inputs);
        let window = kernel * kernel * inputs;
        let band = (BAND / (4 * row)).max(1) * to.width;
        let Scratch { hits, counts, d_weights, .. } = scratch;
        hits.resize(band * outputs, Hit::default());
        if let Some(d) = &mut d_input {
            d.fill(0.0);
        }
        let bands = passed.d.chunks(band * outputs).zip(passed.winners.chunks(band * outputs));
        for (first, (d, winners)) in (0..).step_by(band).zip(bands) {
            counts.clear();
            counts.resize(outputs, 0);
            for (pixel, (d, win)) in (first..).zip(d.chunks_exact(outputs).zip(winners.chunks_exact(outputs))) {
                let at = 2 * (pixel / to.width * row + pixel % to.width * inputs);
                let places = [at, at + inputs, at + row, at + row + inputs, 0, 0, 0, 0].map(|at| at as u32);
                let channels = d.iter().zip(win).zip(hits.chunks_exact_mut(band)).zip(counts.iter_mut());
                for (((d, win), hits), count) in channels {
                    // Written always and kept by counting: whether a gradient is 0 cannot be foreseen.
                    hits[*count] = Hit { at: places[usize::from(win & 7)], d: *d };
                    *count += usize::from((*d != 0.0) & (*win != NO_WINNER));
                }
            }
            let tensors = self.weights.chunks_exact(window).zip(d_weights.chunks_exact_mut(window));
            for ((hits, count), (weights, d_weights)) in hits.chunks_exact(band).zip(&*counts).zip(tensors) {
                let d_input = d_input.as_deref_mut();
                dispatch(Sparse {
                    hits: &hits[..*count],
                    input,
                    row,
                    window_row: kernel * inputs,
                    weights,
                    d_weights,
                    d_input,
                });
            }
        }
    }

    /// Adds one sample's gradient of the weights to `scratch.d_weights` `[k * k * inputs, stride]`.
    fn few_inputs_gradient(&self, input: &[f32], from: Shape, passed: Passed, stride: usize, scratch: &mut Scratch) {
        let Size { outputs, .. } = self.size;
        let width = passed.to.width;
        let Scratch { rows: planes, d_weights, .. } = scratch;
        planes.resize(4 * width * stride);
        let rows = passed.d.chunks_exact(width * outputs).zip(passed.winners.chunks_exact(width * outputs));
        for (y, (d, winners)) in rows.enumerate() {
            vectorized(
                #[inline(always)]
                || {
                    for (k, plane) in (0u8..).zip(planes.chunks_exact_mut(width * stride)) {
                        let pixels = d.chunks_exact(outputs).zip(winners.chunks_exact(outputs));
                        for (plane, (d, win)) in plane.chunks_exact_mut(stride).zip(pixels) {
                            for ((to, d), win) in plane.iter_mut().zip(d).zip(win) {
                                *to = if *win == k { *d } else { 0.0 };
                            }
                        }
                    }
                },
            );
            let input = &input[2 * y * from.width * from.channels..];
            dispatch(FewInputs { size: self.size, input, width: from.width, planes, stride, d_weights });
        }
    }
}
