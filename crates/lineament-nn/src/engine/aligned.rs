//! Memory for numbers that starts a cache line: vectors that lie across two lines take twice the time.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
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
            self.lines.reserve_exact(lines);
            ask_for_large_pages(self.lines.spare_capacity_mut());
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

/// Asks the system to back memory that is not used yet by large pages: without them, reading many weights from front to
/// back waits for address translation.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn ask_for_large_pages<T>(memory: &mut [MaybeUninit<T>]) {
    /// Where one may start; a multiple of every small page as well (4, 16 or 64 KiB), between which advice has to lie.
    const LARGE: usize = 2 << 20;
    /// Below, a few small pages do as well.
    const WORTH: usize = 2 * LARGE;
    const HUGE_PAGES: i32 = 14;
    unsafe extern "C" {
        /// Of the C library, which the standard library brings along.
        fn madvise(start: *mut std::ffi::c_void, len: usize, advice: i32) -> i32;
    }
    let len = size_of_val(memory);
    if len >= WORTH && !cfg!(miri) {
        let start = memory.as_mut_ptr().cast::<u8>();
        let skipped = start.align_offset(LARGE);
        // SAFETY: these are whole pages of memory that is ours; the advice changes nothing of what is in them. Where
        // the system refuses it, nothing is lost.
        unsafe { madvise(start.add(skipped).cast(), (len - skipped) / LARGE * LARGE, HUGE_PAGES) };
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn ask_for_large_pages<T>(_: &mut [MaybeUninit<T>]) {}

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
