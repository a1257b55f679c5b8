//! Memory for numbers that starts a cache line: vectors that lie across two lines take twice the time.

#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
pub const LINE: usize = 16;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A row of numbers from the start of a cache line on.
#[derive(Debug, Clone, Default)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut zeros = Self::default();
        zeros.resize(len);
        zeros
    }

    /// The numbers of `values`, then zeros up to `len`.
    ///
    /// # Panics
    /// When there are more than `len`.
    pub fn padded(values: &[f32], len: usize) -> Self {
        let mut padded = Self::zeros(len);
        padded[..values.len()].copy_from_slice(values);
        padded
    }

    /// Makes it `len` numbers long; what they are is open. Memory is kept when it becomes shorter.
    pub fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.clear(); // So that growing copies nothing.
            self.lines.resize(lines, Line([0.0; LINE]));
        }
        self.len = len;
    }
}

impl Deref for Aligned {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: lines are arrays of f32 without gaps, and `resize` keeps at least `len` numbers of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, borrowed uniquely.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// The same memory as bytes.
pub(super) fn as_bytes(numbers: &[f32]) -> &[u8] {
    // SAFETY: f32 has no gaps, bytes have no alignment, and the length is that of the numbers.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// As [`as_bytes`].
pub(super) fn as_bytes_mut(numbers: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above; any bytes are numbers.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), size_of_val(numbers)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_a_cache_line_wherever_they_are_copied_to() {
        let mut memory = Aligned::padded(&[1.0, 2.0], 5);
        assert_eq!(*memory, [1.0, 2.0, 0.0, 0.0, 0.0]);
        for len in [100, 3, 1000, 0] {
            memory.resize(len);
            for copy in [&memory, &memory.clone()] {
                assert_eq!((copy.len(), copy.as_ptr().align_offset(64)), (len, 0));
            }
        }
    }
}
