//! The version that always exists: four lanes, which compilers turn into vectors where the target has them.
//!
//! Lanes are written out one by one. Closures over arrays would come to the same code, but every kernel is made of
//! thousands of these operations, and the compiler would spend more time on them than on all other levels together.

#![allow(unsafe_code)]

use super::{Kernel, Simd};

/// Four lanes on any processor.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

type V = [f32; 4];

/// The same expression for each lane.
macro_rules! lanes {
    (|$i:ident| $lane:expr) => {
        [
            {
                const $i: usize = 0;
                $lane
            },
            {
                const $i: usize = 1;
                $lane
            },
            {
                const $i: usize = 2;
                $lane
            },
            {
                const $i: usize = 3;
                $lane
            },
        ]
    };
}

// SAFETY: loads and stores are of four numbers.
unsafe impl Simd for Plain {
    type V = V;
    const LANES: usize = 4;
    const NAME: &str = "plain";
    /// As few as kernels have tiles for: this level is for processors older than any that we measure on.
    const REGISTERS: usize = 8;
    type ForF16 = Self;

    #[inline(always)]
    fn for_f16(self) -> Self {
        self
    }

    #[inline(always)]
    fn outline<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run_plain()
    }

    #[inline(always)]
    fn splat(self, x: f32) -> V {
        [x; 4]
    }

    #[inline(always)]
    fn add(self, a: V, b: V) -> V {
        lanes!(|I| a[I] + b[I])
    }

    #[inline(always)]
    fn mul(self, a: V, b: V) -> V {
        lanes!(|I| a[I] * b[I])
    }

    #[inline(always)]
    fn max(self, a: V, b: V) -> V {
        lanes!(|I| if a[I] > b[I] { a[I] } else { b[I] })
    }

    #[inline(always)]
    fn min(self, a: V, b: V) -> V {
        lanes!(|I| if a[I] < b[I] { a[I] } else { b[I] })
    }

    #[inline(always)]
    fn where_positive(self, x: V, a: V, b: V) -> V {
        lanes!(|I| if x[I] > 0.0 { a[I] } else { b[I] })
    }

    #[inline(always)]
    fn mul_add(self, a: V, b: V, c: V) -> V {
        lanes!(|I| a[I] * b[I] + c[I])
    }

    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f32) -> V {
        // SAFETY: the caller vouches for four numbers; arrays of f32 are aligned as f32.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: V, to: *mut f32) {
        // SAFETY: as above.
        unsafe { *to.cast() = v }
    }

    #[inline(always)]
    fn dot(self, sums: V, x: V, w: V) -> V {
        dot(sums, x, w)
    }

    #[inline(always)]
    fn add_sums(self, a: V, b: V) -> V {
        lanes!(|I| sum(a[I], integer(b[I])))
    }

    #[inline(always)]
    fn sums_to_f32(self, sums: V) -> V {
        lanes!(|I| integer(sums[I]) as f32)
    }

    #[inline(always)]
    unsafe fn store_u8_ptr(self, v: V, to: *mut u8) {
        // SAFETY: the caller vouches for four bytes.
        unsafe { to.cast::<[u8; 4]>().write(bytes(v)) }
    }
}

/// See [`Simd::dot`]. It is called, not inlined: it is half a page of code, and kernels write it a hundred times.
#[inline(never)]
fn dot(sums: V, x: V, w: V) -> V {
    lanes!(|I| {
        let (x, w) = (x[I].to_bits().to_le_bytes(), w[I].to_bits().to_le_bytes());
        let product = |k: usize| i32::from(x[k]) * i32::from(w[k].cast_signed());
        sum(sums[I], product(0) + product(1) + product(2) + product(3))
    })
}

/// The nearest whole number of each lane, ties to even, from 0 to 255. Called for the same reason.
#[inline(never)]
fn bytes(v: V) -> [u8; 4] {
    // `as` holds the number within the ends.
    lanes!(|I| v[I].round_ties_even() as u8)
}

/// What lies in a lane as bits.
#[inline(always)]
fn integer(lane: f32) -> i32 {
    lane.to_bits().cast_signed()
}

/// A lane of integers, and one more.
#[inline(always)]
fn sum(lane: f32, more: i32) -> f32 {
    f32::from_bits(integer(lane).wrapping_add(more).cast_unsigned())
}
