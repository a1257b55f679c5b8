//! Depthwise convolution with gradients.

use lineament::engine::depthwise::Depthwise;
use lineament::engine::elementwise;
use lineament::engine::finish::Finish;
use lineament::engine::simd::{Kernel, Simd, dispatch, vectorized};
use lineament::engine::window::Window;
use lineament::model::Shape;

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
    let taps = window.kernel * window.kernel;
    let turned: Vec<f32> = (0..taps).rev().flat_map(|tap| &weights[tap * c..][..c]).copied().collect();
    let samples =
        input.chunks_exact(from.len()).zip(d_output.chunks_exact(to.len())).zip(d_input.chunks_exact_mut(from.len()));
    for ((input, d_output), d_input) in samples {
        elementwise::add_pixels(d_bias, d_output);
        let [frame, other] = scratch;
        let (input, height, width) = padded(frame, input, from, window.padding);
        for tap in 0..taps {
            let first = (tap / window.kernel * width + tap % window.kernel) * c;
            let d_weights = &mut d_weights[tap * c..][..c];
            dispatch(WeightGradient { input: &input[first..], width, d_output, to, stride: window.stride, d_weights });
        }
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

/// The gradient of one tap's weights: the sum over pixels of output gradient times the input that the tap saw.
struct WeightGradient<'a> {
    /// The padded input from the first pixel that the tap saw.
    input: &'a [f32],
    /// Pixels in a padded row.
    width: usize,
    d_output: &'a [f32],
    to: Shape,
    stride: usize,
    d_weights: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let c = self.to.channels;
        let whole = c - c % S::LANES;
        for (y, d_row) in self.d_output.chunks_exact(self.to.width * c).enumerate() {
            let row = &self.input[y * self.stride * self.width * c..];
            for start in (0..whole).step_by(S::LANES) {
                let channels = start..start + S::LANES;
                let mut sum = simd.load(&self.d_weights[channels.clone()]);
                for (d, x) in d_row.chunks_exact(c).zip(row.chunks(self.stride * c)) {
                    sum = simd.mul_add(simd.load(&d[channels.clone()]), simd.load(&x[channels.clone()]), sum);
                }
                simd.store(sum, &mut self.d_weights[channels]);
            }
            for i in whole..c {
                let pixels = d_row.chunks_exact(c).zip(row.chunks(self.stride * c));
                self.d_weights[i] += pixels.map(|(d, x)| d[i] * x[i]).sum::<f32>();
            }
        }
    }
}
