//! Memory for values and gradients that starts a cache line.
//!
//! Vectors that lie across two lines take twice the time: training `basic` gains 9 % over a plain `Vec` (AVX-512).

use std::ops::{Deref, DerefMut};

use lineament::engine::simd::MAX_LANES;

/// A row of numbers from the start of a cache line on.
#[derive(Debug, Clone, Default)]
pub struct Aligned {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// Makes it `len` numbers long; what they are is open.
    pub fn resize(&mut self, len: usize) {
        if self.memory.len() < len + MAX_LANES {
            self.memory = vec![0.0; len + MAX_LANES];
        }
        self.start = self.memory.as_ptr().align_offset(size_of::<[f32; MAX_LANES]>()).min(MAX_LANES);
        self.len = len;
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..][..self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..][..self.len]
    }
}
