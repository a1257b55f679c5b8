//! Depthwise convolution with gradients.

use lineament_nn::engine::depthwise::Depthwise;
use lineament_nn::engine::elementwise;
use lineament_nn::engine::finish::Finish;
use lineament_nn::engine::window::Window;
use lineament_nn::model::Shape;
use lineament_nn::simd::{Kernel, Simd, dispatch, vectorized};

use super::channels::for_channels;
use super::padding::padded;

/// Adds to the gradients of weights and bias and writes the gradient of the input.
#[allow(clippy::too_many_arguments)] // Both ends of the layer and its gradients.
pub fn backward(
    window: Window,
    weights: &[f32],
    input: &[f32],
    from: Shape,
    d_output: &[f32],
    to: Shape,
    d_weights: &mut [f32],
    d_bias: &mut [f32],
    d_input: &mut [f32],
    scratch: &mut [Vec<f32>; 2],
) {
    let c = from.channels;
    // The weights turned by half: the gradient of the input is a convolution with them.
    let turned: Vec<f32> =
        (0..window.kernel * window.kernel).rev().flat_map(|tap| &weights[tap * c..][..c]).copied().collect();
    let samples =
        input.chunks_exact(from.len()).zip(d_output.chunks_exact(to.len())).zip(d_input.chunks_exact_mut(from.len()));
    for ((input, d_output), d_input) in samples {
        elementwise::add_pixels(d_bias, d_output);
        let [frame, other] = scratch;
        let (input, height, width) = padded(frame, input, from, window.padding);
        dispatch(WeightGradient { window, input, width, d_output, to, d_weights: &mut *d_weights });
        if window.stride == 1 && window.padding < window.kernel {
            let window = Window { padding: window.kernel - 1 - window.padding, ..window };
            let turned = Depthwise { weights: &turned, bias: &vec![0.0; c], window };
            turned.run(d_output, (to.height, to.width), Finish::default(), d_input);
        } else {
            other.clear();
            other.resize(height * width * c, 0.0);
            spread(window, weights, width, d_output, to, other);
            for (y, row) in d_input.chunks_exact_mut(from.width * c).enumerate() {
                let at = ((y + window.padding) * width + window.padding) * c;
                row.copy_from_slice(&other[at..at + row.len()]);
            }
        }
    }
}

/// Adds each output's gradient, times the weights, to the padded input's gradient.
fn spread(window: Window, weights: &[f32], width: usize, d_output: &[f32], to: Shape, d_padded: &mut [f32]) {
    let c = to.channels;
    vectorized(
        #[inline(always)]
        || {
            for (y, d_row) in d_output.chunks_exact(to.width * c).enumerate() {
                for (tap, weights) in weights.chunks_exact(c).enumerate() {
                    let first = ((y * window.stride + tap / window.kernel) * width + tap % window.kernel) * c;
                    for (d, to) in d_row.chunks_exact(c).zip(d_padded[first..].chunks_mut(window.stride * c)) {
                        to.iter_mut().zip(d).zip(weights).for_each(|((to, d), w)| *to += d * w);
                    }
                }
            }
        },
    );
}

/// The gradient of the weights: for each tap the sum over pixels of output gradient times the input that the tap saw.
struct WeightGradient<'a> {
    window: Window,
    /// The padded input.
    input: &'a [f32],
    /// Pixels in a padded row.
    width: usize,
    d_output: &'a [f32],
    to: Shape,
    d_weights: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        match self.window.kernel {
            3 => self.rows::<S, 3>(simd),
            5 => self.rows::<S, 5>(simd),
            _ => self.rows::<S, 1>(simd),
        }
    }
}

impl WeightGradient<'_> {
    /// In groups of `TAPS` taps of a row, whose sums stay in registers.
    #[inline(always)]
    fn rows<S: Simd, const TAPS: usize>(&mut self, simd: S) {
        let Window { kernel, stride, .. } = self.window;
        let c = self.to.channels;
        for first in (0..kernel * kernel).step_by(TAPS) {
            let input = &self.input[(first / kernel * self.width + first % kernel) * c..];
            let d_weights = &mut self.d_weights[first * c..][..TAPS * c];
            for_channels!(simd, S, c, |channels, load, store| {
                let mut sums: [S::V; TAPS] = std::array::from_fn(
                    #[inline(always)]
                    |tap| load(&d_weights[tap * c..][channels.clone()]),
                );
                for (y, d_row) in self.d_output.chunks_exact(self.to.width * c).enumerate() {
                    let row = &input[y * stride * self.width * c..];
                    for (x, d) in d_row.chunks_exact(c).enumerate() {
                        let d = load(&d[channels.clone()]);
                        let seen = &row[x * stride * c..][..TAPS * c];
                        for tap in 0..TAPS {
                            sums[tap] = simd.mul_add(d, load(&seen[tap * c..][channels.clone()]), sums[tap]);
                        }
                    }
                }
                for (tap, sum) in sums.into_iter().enumerate() {
                    store(sum, &mut d_weights[tap * c..][channels.clone()]);
                }
            });
        }
    }
}
