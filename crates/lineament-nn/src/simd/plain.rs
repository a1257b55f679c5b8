//! The version that always exists: four lanes, which compilers turn into vectors where the target has them.

#![allow(unsafe_code)]

use super::Simd;

/// Four lanes on any processor.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Simd for Plain {
    type V = [f32; 4];
    const LANES: usize = 4;
    const NAME: &str = "plain";
    const REGISTERS: usize = 16;
    type ForHalves = Self;

    #[inline(always)]
    fn for_halves(self) -> Self {
        self
    }

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 4] {
        [x; 4]
    }

    #[inline(always)]
    fn add(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn mul(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn max(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn where_positive(self, x: [f32; 4], a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if x[i] > 0.0 { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f32) -> [f32; 4] {
        // SAFETY: the caller vouches for four numbers; arrays of f32 are aligned as f32.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: [f32; 4], to: *mut f32) {
        // SAFETY: as above.
        unsafe { *to.cast() = v }
    }

    #[inline(always)]
    fn dot(self, sums: [f32; 4], x: [f32; 4], w: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| {
            let (x, w) = (x[i].to_bits().to_le_bytes(), w[i].to_bits().to_le_bytes().map(u8::cast_signed));
            let product = |k: usize| i32::from(x[k]) * i32::from(w[k]);
            sum(sums[i], product(0) + product(1) + product(2) + product(3))
        })
    }

    #[inline(always)]
    fn add_sums(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| sum(a[i], integer(b[i])))
    }

    #[inline(always)]
    fn sums_to_f32(self, sums: [f32; 4]) -> [f32; 4] {
        sums.map(|sum| integer(sum) as f32)
    }
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
