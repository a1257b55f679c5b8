//! Random numbers from one seed, the same on every processor.

use rand::RngCore;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::math::{Vec3, exp, vec3};

/// A source of random numbers.
#[derive(Debug, Clone)]
pub struct Dice(Pcg64);

impl Dice {
    /// Everything that is drawn follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// Another source, which has no numbers in common with this one: what one part of a scene draws does not change
    /// another part.
    pub fn split(&mut self) -> Self {
        Self::new(self.0.next_u64())
    }

    /// From 0, below 1.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// From `low` to `high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// From `low` to `high`, as often between 1 and 2 as between 2 and 4.
    pub fn log_range(&mut self, low: f32, high: f32) -> f32 {
        exp(self.range(libm::logf(low), libm::logf(high)))
    }

    /// True in this share of the cases.
    pub fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// Normally distributed about 0 with a standard deviation of 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * libm::logf(1.0 - self.unit())).sqrt();
        radius * libm::cosf(2.0 * std::f32::consts::PI * self.unit())
    }

    /// Three times [`Dice::normal`].
    pub fn normal3(&mut self) -> Vec3 {
        vec3(self.normal(), self.normal(), self.normal())
    }

    /// A whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// The index of one of the weights, as often as it weighs.
    pub fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f32>();
        weights
            .iter()
            .position(|w| {
                left -= w;
                left < 0.0
            })
            .unwrap_or(weights.len() - 1)
    }

    /// A direction, each as often.
    pub fn direction(&mut self) -> Vec3 {
        self.normal3().unit()
    }

    /// A colour of cloth or plastic, more often dark than bright.
    pub fn colour(&mut self) -> Vec3 {
        let v = vec3(self.unit(), self.unit(), self.unit());
        // Most clothes are nearly grey.
        let vivid = self.unit() * self.unit();
        (Vec3::splat(v.luminance()).lerp(v, vivid)).map(|c| 0.01 + c * c * 0.75)
    }
}
