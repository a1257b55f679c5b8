//! AVX2 with FMA, and AVX-512.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// A level of x86: the type, its vector, its registers, the features that must be there, and its intrinsics.
macro_rules! level {
    ($(#[$doc:meta])* $name:ident, $vector:ty, $lanes:literal, $registers:literal, [$($feature:tt),+], $enable:literal,
     $positive:ident, $splat:ident, $add:ident, $mul:ident, $max:ident, $min:ident, $fma:ident, $load:ident, $store:ident, $load_first:ident, $store_first:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name(());

        impl $name {
            /// The token, where the processor has what it takes.
            #[inline]
            pub fn detect() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&+).then_some(Self(()))
            }

            /// Runs `kernel`, compiled for this level.
            #[inline]
            pub fn call<K: Kernel>(self, kernel: K) -> K::Output {
                #[target_feature(enable = $enable)]
                fn inner<K: Kernel>(simd: $name, kernel: K) -> K::Output {
                    kernel.run(simd)
                }
                // SAFETY: `self` exists, so the features were detected.
                unsafe { inner(self, kernel) }
            }
        }

        // SAFETY (all below): `self` exists only where the features were detected; pointers are the caller's promise.
        impl Simd for $name {
            type V = $vector;
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;
            const NAME: &str = stringify!($name);

            #[inline(always)]
            fn splat(self, x: f32) -> $vector {
                unsafe { $splat(x) }
            }

            #[inline(always)]
            fn add(self, a: $vector, b: $vector) -> $vector {
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            fn mul(self, a: $vector, b: $vector) -> $vector {
                unsafe { $mul(a, b) }
            }

            #[inline(always)]
            fn max(self, a: $vector, b: $vector) -> $vector {
                unsafe { $max(a, b) }
            }

            #[inline(always)]
            fn min(self, a: $vector, b: $vector) -> $vector {
                unsafe { $min(a, b) }
            }

            #[inline(always)]
            fn where_positive(self, x: $vector, a: $vector, b: $vector) -> $vector {
                unsafe { $positive(x, a, b) }
            }

            #[inline(always)]
            fn mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
                unsafe { $fma(a, b, c) }
            }

            #[inline(always)]
            unsafe fn load_ptr(self, from: *const f32) -> $vector {
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store_ptr(self, v: $vector, to: *mut f32) {
                unsafe { $store(to, v) }
            }

            #[inline(always)]
            fn prefetch(self, from: *const f32) {
                unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
            }

            #[inline(always)]
            unsafe fn load_first(self, from: *const f32, count: usize) -> $vector {
                unsafe { $load_first(from, count) }
            }

            #[inline(always)]
            unsafe fn store_first(self, v: $vector, to: *mut f32, count: usize) {
                unsafe { $store_first(to, v, count) }
            }
        }
    };
}

level!(
    /// 8 lanes, 16 registers: Intel since 2013, AMD since 2015.
    Avx2, __m256, 8, 16, ["avx2", "fma"], "avx2,fma",
    positive256, _mm256_set1_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_max_ps, _mm256_min_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    load_first256, store_first256
);

level!(
    /// 16 lanes, 32 registers.
    Avx512, __m512, 16, 32, ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"],
    "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma",
    positive512, _mm512_set1_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_max_ps, _mm512_min_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    load_first512, store_first512
);

/// `a` where `x` is above 0, else `b`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn positive256(x: __m256, a: __m256, b: __m256) -> __m256 {
    _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()))
}

/// `a` where `x` is above 0, else `b`.
#[inline]
#[target_feature(enable = "avx512f")]
fn positive512(x: __m512, a: __m512, b: __m512) -> __m512 {
    _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), b, a)
}

/// All bits set in the first `count` lanes.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn first256(count: usize) -> __m256i {
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes)
}

/// # Safety
/// `from` must be valid for reading `count` numbers, at most 8.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn load_first256(from: *const f32, count: usize) -> __m256 {
    // SAFETY: lanes that are masked out are not read.
    unsafe { _mm256_maskload_ps(from, first256(count)) }
}

/// # Safety
/// `to` must be valid for writing `count` numbers, at most 8.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn store_first256(to: *mut f32, v: __m256, count: usize) {
    // SAFETY: lanes that are masked out are not written.
    unsafe { _mm256_maskstore_ps(to, first256(count), v) }
}

/// # Safety
/// `from` must be valid for reading `count` numbers, at most 16.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_first512(from: *const f32, count: usize) -> __m512 {
    // SAFETY: lanes that are masked out are not read.
    unsafe { _mm512_maskz_loadu_ps(((1u32 << count) - 1) as __mmask16, from) }
}

/// # Safety
/// `to` must be valid for writing `count` numbers, at most 16.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store_first512(to: *mut f32, v: __m512, count: usize) {
    // SAFETY: lanes that are masked out are not written.
    unsafe { _mm512_mask_storeu_ps(to, ((1u32 << count) - 1) as __mmask16, v) }
}
