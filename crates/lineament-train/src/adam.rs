//! Adam with decoupled weight decay, in one pass over all learned numbers (Kingma and Ba, 2015; Loshchilov and
//! Hutter, 2019).

use lineament_nn::simd::vectorized;
use rayon::prelude::*;

/// Decay of the mean of gradients; the authors' default.
const BETA1: f32 = 0.9;
/// Decay of the mean of squared gradients; the authors' default.
const BETA2: f32 = 0.999;
/// Keeps the division finite; the authors' default.
const EPSILON: f32 = 1e-8;

/// Numbers that one thread takes at a time: with their gradients and moments they fit the level-2 cache.
pub(crate) const CHUNK: usize = 1 << 14;

/// Knobs of one step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// Step size.
    pub rate: f32,
    /// Decoupled weight decay: each step pulls the weights towards 0 by `rate * decay`.
    pub decay: f32,
    /// Factor on the gradient.
    pub scale: f32,
}

/// The optimiser's memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// Steps taken.
    pub steps: u64,
    /// Running mean of the gradients.
    pub mean: Vec<f32>,
    /// Running mean of their squares.
    pub square: Vec<f32>,
}

impl Adam {
    /// For `len` learned numbers.
    pub fn new(len: usize) -> Self {
        Self { steps: 0, mean: vec![0.0; len], square: vec![0.0; len] }
    }

    /// Moves `values` one step against `gradient`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn step(&mut self, values: &mut [f32], gradient: &[f32], AdamStep { rate, decay, scale }: AdamStep) {
        assert_eq!(values.len(), self.mean.len(), "learned numbers");
        assert_eq!(values.len(), gradient.len(), "gradients");
        self.steps += 1;
        let power = self.steps.min(i32::MAX as u64) as i32;
        let correction1 = 1.0 - f64::from(BETA1).powi(power);
        let correction2 = 1.0 - f64::from(BETA2).powi(power);
        let (rate1, inverse2) = ((f64::from(rate) / correction1) as f32, (1.0 / correction2) as f32);
        let keep = 1.0 - rate * decay;
        let moments = self.mean.par_chunks_mut(CHUNK).zip(self.square.par_chunks_mut(CHUNK));
        values.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(moments).for_each(
            |((values, gradient), (mean, square))| {
                vectorized(
                    #[inline(always)]
                    || {
                        for ((value, g), (m, s)) in values.iter_mut().zip(gradient).zip(mean.iter_mut().zip(square)) {
                            let g = scale * g;
                            *m = BETA1 * *m + (1.0 - BETA1) * g;
                            *s = BETA2 * *s + (1.0 - BETA2) * g * g;
                            *value = *value * keep - rate1 * *m / ((*s * inverse2).sqrt() + EPSILON);
                        }
                    },
                );
            },
        );
    }
}
