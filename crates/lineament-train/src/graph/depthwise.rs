//! Depthwise convolution with gradients.

use lineament::engine::depthwise::depthwise;
use lineament::engine::elementwise;
use lineament::engine::simd::vectorized;
use lineament::model::Shape;

/// Sizes of a depthwise convolution.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Window side.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
}

/// `input` `[n, h, w, c]`, weights `[k, k, c]` to `output` `[n, h', w', c]`.
#[allow(clippy::too_many_arguments)] // Both ends of the layer.
pub fn forward(size: Size, weights: &[f32], bias: &[f32], input: &[f32], from: Shape, output: &mut [f32], to: Shape, padded: &mut Vec<f32>) {
    let (height, width) = padded_size(from, size.padding);
    padded.resize(height * width * from.channels, 0.0);
    for (input, output) in input.chunks_exact(from.len()).zip(output.chunks_exact_mut(to.len())) {
        elementwise::pad(input, from, size.padding, padded);
        depthwise(padded, (height, width), weights, bias, size.kernel, size.stride, output);
    }
}

fn padded_size(from: Shape, padding: usize) -> (usize, usize) {
    (from.height + 2 * padding, from.width + 2 * padding)
}

/// Adds to the gradients of weights and bias and writes the gradient of the input.
#[allow(clippy::too_many_arguments)] // Both ends of the layer and its gradients.
pub fn backward(
    size: Size,
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
    let (height, width) = padded_size(from, size.padding);
    let [padded, d_padded] = scratch;
    padded.resize(height * width * c, 0.0);
    d_padded.resize(height * width * c, 0.0);
    let samples = input.chunks_exact(from.len()).zip(d_output.chunks_exact(to.len())).zip(d_input.chunks_exact_mut(from.len()));
    for ((input, d_output), d_input) in samples {
        elementwise::pad(input, from, size.padding, padded);
        d_padded.fill(0.0);
        vectorized(|| {
            for pixel in d_output.chunks_exact(c) {
                d_bias.iter_mut().zip(pixel).for_each(|(d, v)| *d += v);
            }
            for (y, d_row) in d_output.chunks_exact(to.width * c).enumerate() {
                for tap in 0..size.kernel * size.kernel {
                    let (ky, kx) = (tap / size.kernel, tap % size.kernel);
                    let first = ((y * size.stride + ky) * width + kx) * c;
                    let w = &weights[tap * c..][..c];
                    let dw = &mut d_weights[tap * c..][..c];
                    for (x, d) in d_row.chunks_exact(c).enumerate() {
                        let at = first + x * size.stride * c;
                        let (value, d_value) = (&padded[at..][..c], &mut d_padded[at..][..c]);
                        for i in 0..c {
                            d_value[i] += d[i] * w[i];
                            dw[i] += d[i] * value[i];
                        }
                    }
                }
            }
        });
        for (y, row) in d_input.chunks_exact_mut(from.width * c).enumerate() {
            let at = ((y + size.padding) * width + size.padding) * c;
            row.copy_from_slice(&d_padded[at..at + row.len()]);
        }
    }
}
