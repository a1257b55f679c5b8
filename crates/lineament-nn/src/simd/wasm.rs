//! WebAssembly's vectors: 4 lanes, chosen when the module is built (`-C target-feature=+simd128`), since a browser
//! refuses a whole module that holds an instruction which it does not know.

#![allow(unsafe_code)]

use std::arch::wasm32::*;

use super::{Kernel, Simd};

token!(
    /// 4 lanes.
    Simd128,
    "simd128",
    true // This file is compiled only for modules that have it.
);

// SAFETY: loads and stores are of the four numbers, or four bytes, that the trait documents.
unsafe impl Simd for Simd128 {
    type V = v128;
    const LANES: usize = 4;
    const NAME: &str = if cfg!(target_feature = "relaxed-simd") { "Simd128 relaxed" } else { "Simd128" };
    /// Browsers on x86 have 16, but a product that is added takes one more, and some are the browser's own: with sums
    /// in 12 of them instead of 8, V8 keeps some in memory and a pass of `lite` takes 3.8 ms instead of 2.5.
    const REGISTERS: usize = 12;
    type ForF16 = Self;

    #[inline(always)]
    fn for_f16(self) -> Self {
        self
    }

    #[inline(always)]
    fn outline<K: Kernel>(self, kernel: K) -> K::Output {
        self.call(kernel)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        // `b < a ? a : b`, one instruction on x86, where `f32x4_max` takes care of NaN in eight.
        f32x4_pmax(b, a)
    }

    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        f32x4_pmin(b, a)
    }

    #[inline(always)]
    fn where_positive(self, x: v128, a: v128, b: v128) -> v128 {
        v128_bitselect(a, b, f32x4_gt(x, f32x4_splat(0.0)))
    }

    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        // Relaxed: one rounding where the processor has it, two elsewhere.
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_madd(a, b, c);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return f32x4_add(f32x4_mul(a, b), c);
    }

    #[inline(always)]
    unsafe fn load_ptr(self, from: *const f32) -> v128 {
        // SAFETY: the caller vouches for four numbers; wasm's loads need no alignment.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: v128, to: *mut f32) {
        // SAFETY: as above.
        unsafe { v128_store(to.cast(), v) }
    }

    #[inline(always)]
    unsafe fn load_i8_ptr(self, from: *const i8) -> v128 {
        // SAFETY: as above, here and below.
        let words = i16x8_extend_low_i8x16(unsafe { v128_load32_zero(from.cast()) });
        f32x4_convert_i32x4(i32x4_extend_low_i16x8(words))
    }

    #[inline(always)]
    fn dot(self, sums: v128, x: v128, w: v128) -> v128 {
        // The products of every second byte, as words, then those of the others.
        let even = i32x4_dot_i16x8(v128_and(x, u16x8_splat(0xff)), i16x8_shr(i16x8_shl(w, 8), 8));
        let odd = i32x4_dot_i16x8(u16x8_shr(x, 8), i16x8_shr(w, 8));
        i32x4_add(i32x4_add(sums, even), odd)
    }

    #[inline(always)]
    fn add_sums(self, a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }

    #[inline(always)]
    fn sums_to_f32(self, sums: v128) -> v128 {
        f32x4_convert_i32x4(sums)
    }

    #[inline(always)]
    unsafe fn load_u8_ptr(self, from: *const u8) -> v128 {
        let words = u16x8_extend_low_u8x16(unsafe { v128_load32_zero(from.cast()) });
        f32x4_convert_i32x4(u32x4_extend_low_u16x8(words))
    }

    #[inline(always)]
    unsafe fn store_u8_ptr(self, v: v128, to: *mut u8) {
        let bytes = u8x16_narrow_i16x8(words(v, v), i16x8_splat(0));
        unsafe { v128_store32_lane::<0>(bytes, to.cast()) };
    }

    #[inline(always)]
    unsafe fn store_four_u8(self, [a, b, c, d]: [(v128, *mut u8); 4]) {
        let bytes = u8x16_narrow_i16x8(words(a.0, b.0), words(c.0, d.0));
        unsafe {
            v128_store32_lane::<0>(bytes, a.1.cast());
            v128_store32_lane::<1>(bytes, b.1.cast());
            v128_store32_lane::<2>(bytes, c.1.cast());
            v128_store32_lane::<3>(bytes, d.1.cast());
        }
    }

    #[inline(always)]
    unsafe fn load_quad_ptr(self, rows: [*const u8; 4]) -> v128 {
        let [a, b, c, d] = rows.map(|row| unsafe { v128_load32_zero(row.cast()) });
        let ab = u8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 0, 0, 0, 0, 0, 0, 0, 0>(a, b);
        let cd = u8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 0, 0, 0, 0, 0, 0, 0, 0>(c, d);
        u16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(ab, cd)
    }
}

/// The nearest whole numbers, held between 0 and 255, of two vectors as words.
#[inline(always)]
fn words(a: v128, b: v128) -> v128 {
    // So large that its last bits count ones: adding it rounds, in one instruction instead of a dozen.
    let large = f32x4_splat(12_582_912.0);
    let [a, b] = [a, b].map(|v| {
        let held = f32x4_pmin(f32x4_splat(255.0), f32x4_pmax(f32x4_splat(0.0), v));
        i32x4_sub(f32x4_add(held, large), large)
    });
    i16x8_narrow_i32x4(a, b)
}
