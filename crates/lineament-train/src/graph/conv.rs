//! Convolution with gradients. Forward and the gradient of the input run on the engine's kernel; the gradient of the
//! weights is a matrix product of input windows and output gradients.

use lineament_nn::engine::conv::PackedConv;
use lineament_nn::engine::elementwise;
use lineament_nn::engine::finish::Finish;
use lineament_nn::engine::window::Window;
use lineament_nn::model::Shape;

use super::gemm::{Matrix, multiply};
use super::padding::padded;

/// A convolution's weights, arranged for one training step.
#[derive(Debug, Clone, Default)]
pub struct Conv {
    /// For the outputs.
    pub(super) forward: PackedConv,
    /// For the gradient of the input: the same weights, turned by half and with channels exchanged (stride 1 only).
    backward: PackedConv,
    /// For the gradient of the input in another way.
    pub(super) weights: Vec<f32>,
    pub(super) size: Size,
}

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy, Default)]
pub struct Size {
    /// Its window.
    pub window: Window,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
}

/// Memory that a group's convolutions share.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    padded: Vec<f32>,
    windows: Vec<f32>,
}

impl Conv {
    /// Takes over the weights `[k, k, inputs, outputs]` of this step.
    pub fn prepare(&mut self, size: Size, weights: &[f32], bias: &[f32]) {
        let Size { window, inputs, outputs } = size;
        let Window { kernel, stride, padding } = window;
        self.size = size;
        self.forward.repack(weights, bias, window, inputs);
        if stride == 1 {
            let taps = kernel * kernel;
            self.weights.resize(weights.len(), 0.0);
            for tap in 0..taps {
                let from = &weights[(taps - 1 - tap) * inputs * outputs..][..inputs * outputs];
                let to = &mut self.weights[tap * inputs * outputs..][..inputs * outputs];
                for (o, to) in to.chunks_exact_mut(inputs).enumerate() {
                    to.iter_mut().zip(from[o..].iter().step_by(outputs)).for_each(|(to, from)| *to = *from);
                }
            }
            // Padding of a whole window or more is undone in the other way.
            let window = Window { padding: (kernel - 1).saturating_sub(padding), ..window };
            self.backward.repack(&self.weights, &vec![0.0; inputs], window, outputs);
        } else {
            self.weights.clear();
            self.weights.extend_from_slice(weights);
        }
    }

    /// `input` `[n, h, w, inputs]` to `output` `[n, h', w', outputs]`.
    pub fn forward(&self, input: &[f32], from: Shape, output: &mut [f32], to: Shape) {
        for (input, output) in input.chunks_exact(from.len()).zip(output.chunks_exact_mut(to.len())) {
            self.forward.run(input, (from.height, from.width), Finish::default(), output);
        }
    }

    /// Adds to the gradients of weights and bias, and writes the gradient of the input where `d_input` is given.
    #[allow(clippy::too_many_arguments)] // Both ends of the layer and its gradients.
    pub fn backward(
        &self,
        input: &[f32],
        from: Shape,
        d_output: &[f32],
        to: Shape,
        d_weights: &mut [f32],
        d_bias: &mut [f32],
        d_input: Option<&mut [f32]>,
        scratch: &mut Scratch,
    ) {
        let Size { window: Window { kernel, stride, padding }, inputs, outputs } = self.size;
        elementwise::add_pixels(d_bias, d_output);
        let window = kernel * kernel * inputs;
        if kernel == 1 && stride == 1 {
            let pixels = d_output.len() / outputs;
            multiply(d_weights, Matrix::new(input, pixels, inputs).t(), Matrix::new(d_output, pixels, outputs), true);
        } else {
            for (input, d_output) in input.chunks_exact(from.len()).zip(d_output.chunks_exact(to.len())) {
                let (input, _, width) = padded(&mut scratch.padded, input, from, padding);
                let pixels = to.height * to.width;
                windows(input, width, self.size, to, &mut scratch.windows);
                let windows = Matrix::new(&scratch.windows, pixels, window);
                multiply(d_weights, windows.t(), Matrix::new(d_output, pixels, outputs), true);
            }
        }
        let Some(d_input) = d_input else { return };
        for (d_output, d_input) in d_output.chunks_exact(to.len()).zip(d_input.chunks_exact_mut(from.len())) {
            if stride == 1 && padding < kernel {
                // A convolution of the output gradient with the turned weights.
                self.backward.run(d_output, (to.height, to.width), Finish::default(), d_input);
            } else {
                self.strided_input_gradient(d_output, to, d_input, from, scratch);
            }
        }
    }

    /// Any stride: the gradients of all windows, added where they came from.
    fn strided_input_gradient(
        &self,
        d_output: &[f32],
        to: Shape,
        d_input: &mut [f32],
        from: Shape,
        scratch: &mut Scratch,
    ) {
        let Size { window: Window { kernel, stride, padding }, inputs, outputs } = self.size;
        let (pixels, window) = (to.height * to.width, kernel * kernel * inputs);
        scratch.windows.resize(pixels * window, 0.0);
        let weights = Matrix::new(&self.weights, window, outputs);
        multiply(&mut scratch.windows, Matrix::new(d_output, pixels, outputs), weights.t(), false);
        d_input.fill(0.0);
        for (pixel, window) in scratch.windows.chunks_exact(window).enumerate() {
            let (y, x) = (pixel / to.width * stride, pixel % to.width * stride);
            for (tap, values) in window.chunks_exact(inputs).enumerate() {
                let (y, x) = (y + tap / kernel, x + tap % kernel);
                if (padding..from.height + padding).contains(&y) && (padding..from.width + padding).contains(&x) {
                    let at = ((y - padding) * from.width + x - padding) * inputs;
                    d_input[at..at + inputs].iter_mut().zip(values).for_each(|(d, v)| *d += v);
                }
            }
        }
    }
}

/// Writes each output pixel's window side by side: `[h' * w', k * k * inputs]`.
fn windows(input: &[f32], width: usize, size: Size, to: Shape, out: &mut Vec<f32>) {
    let Size { window: Window { kernel, stride, .. }, inputs, .. } = size;
    let row = kernel * inputs;
    out.clear();
    for y in 0..to.height {
        for x in 0..to.width {
            for ky in 0..kernel {
                let at = ((y * stride + ky) * width + x * stride) * inputs;
                out.extend_from_slice(&input[at..at + row]);
            }
        }
    }
}
