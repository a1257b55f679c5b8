//! The gradient of a weighted mean over rows and columns.

use lineament_nn::math::logistic;
use lineament_nn::model::Shape;
use lineament_nn::simd::vectorized;

/// A pooling that was run, and the gradient of what it made.
pub struct Pool<'a> {
    /// `[n, h, w, c]`.
    pub input: &'a [f32],
    /// Log-odds of the weights, as `input`.
    pub weights: &'a [f32],
    /// `[n, c]`.
    pub output: &'a [f32],
    /// As `output`.
    pub d: &'a [f32],
    /// The size of `input` for one sample.
    pub from: Shape,
}

impl Pool<'_> {
    /// Each pixel's share of the sum of weights, times the gradient.
    pub fn backward_input(&self, d_input: &mut [f32]) {
        self.backward(d_input, |share, _, _, d| share * d);
    }

    /// What a pixel would change by counting more: as much as it differs from the mean.
    pub fn backward_weights(&self, d_weights: &mut [f32]) {
        self.backward(d_weights, |share, value, mean, d| share * (1.0 - share) * (value - mean) * d);
    }

    /// Writes `slope(share, value, mean, gradient over the sum of shares)` for each number of the input.
    fn backward(&self, to: &mut [f32], slope: impl Fn(f32, f32, f32, f32) -> f32) {
        let (c, len) = (self.from.channels, self.from.len());
        let samples = self.input.chunks_exact(len).zip(self.weights.chunks_exact(len)).zip(to.chunks_exact_mut(len));
        let ends = self.output.chunks_exact(c).zip(self.d.chunks_exact(c));
        let mut gradients = vec![0.0; c];
        for (((input, weights), to), (means, d)) in samples.zip(ends) {
            vectorized(
                #[inline(always)]
                || {
                    gradients.fill(0.0);
                    for weights in weights.chunks_exact(c) {
                        gradients.iter_mut().zip(weights).for_each(|(sum, w)| *sum += logistic(*w));
                    }
                    gradients.iter_mut().zip(d).for_each(|(sum, d)| *sum = d / *sum);
                    let pixels = input.chunks_exact(c).zip(weights.chunks_exact(c)).zip(to.chunks_exact_mut(c));
                    for ((input, weights), to) in pixels {
                        for i in 0..c {
                            to[i] = slope(logistic(weights[i]), input[i], means[i], gradients[i]);
                        }
                    }
                },
            );
        }
    }
}
