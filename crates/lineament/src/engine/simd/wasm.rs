//! WebAssembly's vectors: 4 lanes, chosen when the module is built (`-C target-feature=+simd128`), since a browser
//! refuses a whole module that holds an instruction which it does not know.

#![allow(unsafe_code)]

use std::arch::wasm32::*;

use super::Simd;

/// 4 lanes.
#[derive(Debug, Clone, Copy)]
pub struct Simd128;

impl Simd for Simd128 {
    type V = v128;
    const LANES: usize = 4;
    const NAME: &str = if cfg!(target_feature = "relaxed-simd") { "Simd128 relaxed" } else { "Simd128" };
    /// Browsers on x86 have 16, but a product that is added takes one more, and some are the browser's own: with sums in
    /// 12 of them instead of 8, V8 keeps some in memory and a look of `lite` takes 3.8 ms instead of 2.5.
    const REGISTERS: usize = 12;

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
}
