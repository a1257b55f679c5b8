//! AVX2 with FMA, the same with integer products, and AVX-512.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, Simd};

/// A level of x86: the type, its vector, its registers, the features that must be there, and its intrinsics.
macro_rules! level {
    ($(#[$doc:meta])* $name:ident, $vector:ty, $lanes:literal, $registers:literal, [$($feature:tt),+], $enable:literal,
     $for_f16:ident, $positive:ident, $splat:ident, $add:ident, $mul:ident, $max:ident, $min:ident, $fma:ident,
     $load:ident, $store:ident, $load_first:ident, $store_first:ident, { $($more:tt)* }) => {
        token!($(#[$doc])* $name, $enable, ($(is_x86_feature_detected!($feature))&&+));

        // SAFETY (all below): `self` exists only where the features were detected; pointers are the caller's promise.
        unsafe impl Simd for $name {
            type V = $vector;
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;
            const NAME: &str = stringify!($name);
            type ForF16 = $for_f16;

            #[inline(always)]
            fn for_f16(self) -> $for_f16 {
                $for_f16(())
            }

            #[inline(always)]
            fn outline<K: Kernel>(self, kernel: K) -> K::Output {
                self.call(kernel)
            }

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

            $($more)*
        }
    };
}

/// A level of 8 lanes and 16 registers.
macro_rules! level_256 {
    ($(#[$doc:meta])* $name:ident, [$($feature:tt),+], $enable:literal, { $($more:tt)* }) => {
        level!(
            $(#[$doc])*
            $name, __m256, 8, 16, [$($feature),+], $enable,
            $name, positive256, _mm256_set1_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_max_ps, _mm256_min_ps,
            _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps,
            load_first256, store_first256,
            {
                #[inline(always)]
                unsafe fn load_f16_ptr(self, from: *const u16) -> __m256 {
                    unsafe { load_f16_256(from) }
                }

                #[inline(always)]
                unsafe fn load_i8_ptr(self, from: *const i8) -> __m256 {
                    unsafe { load_i8_256(from) }
                }

                #[inline(always)]
                unsafe fn load_u8_ptr(self, from: *const u8) -> __m256 {
                    unsafe { load_u8_256(from) }
                }

                #[inline(always)]
                unsafe fn store_u8_ptr(self, v: __m256, to: *mut u8) {
                    unsafe { store_u8_256(v, to) }
                }

                #[inline(always)]
                fn add_sums(self, a: __m256, b: __m256) -> __m256 {
                    unsafe { _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b))) }
                }

                #[inline(always)]
                fn sums_to_f32(self, sums: __m256) -> __m256 {
                    unsafe { _mm256_cvtepi32_ps(_mm256_castps_si256(sums)) }
                }

                #[inline(always)]
                unsafe fn load_quad_ptr(self, rows: [*const u8; 4]) -> __m256 {
                    unsafe { load_quad_256(rows) }
                }

                $($more)*
            }
        );
    };
}

level_256!(
    /// 8 lanes, 16 registers: Intel since 2013, AMD since 2015.
    Avx2, ["avx2", "fma", "f16c"], "avx2,fma,f16c",
    {
        #[inline(always)]
        fn dot(self, sums: __m256, x: __m256, w: __m256) -> __m256 {
            unsafe { split_dot_256(sums, x, w) }
        }
    }
);

level_256!(
    /// The same with integer products: Intel's processors for laptops and desks since 2021, which have no AVX-512.
    /// All but the product is as at [`Avx2`]; the tests below compare that with its other encoding.
    AvxVnni, ["avxvnni", "avx2", "fma", "f16c"], "avxvnni,avx2,fma,f16c",
    {
        const HAS_DOT: bool = true;

        #[inline(always)]
        fn dot(self, sums: __m256, x: __m256, w: __m256) -> __m256 {
            unsafe { dot_256(sums, x, w) }
        }
    }
);

level!(
    /// 16 lanes, 32 registers, integer products: Intel since 2019, AMD since 2022. The processors with AVX-512 from
    /// before slow down when they use it; they run the level below. F16 values are
    /// converted at that level too: Zen 4 does it nearly twice as fast by 8 as by 16.
    Avx512, __m512, 16, 32, ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx512vnni", "avx2", "fma", "f16c"],
    "avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c",
    Avx2, positive512, _mm512_set1_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_max_ps, _mm512_min_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    load_first512, store_first512,
    {
        const HAS_DOT: bool = true;

        #[inline(always)]
        unsafe fn load_f16_ptr(self, from: *const u16) -> __m512 {
            unsafe { load_f16_512(from) }
        }

        #[inline(always)]
        unsafe fn load_i8_ptr(self, from: *const i8) -> __m512 {
            unsafe { load_i8_512(from) }
        }

        #[inline(always)]
        unsafe fn load_u8_ptr(self, from: *const u8) -> __m512 {
            unsafe { load_u8_512(from) }
        }

        #[inline(always)]
        unsafe fn store_u8_ptr(self, v: __m512, to: *mut u8) {
            unsafe { store_u8_512(v, to) }
        }

        #[inline(always)]
        fn dot(self, sums: __m512, x: __m512, w: __m512) -> __m512 {
            unsafe { dot_512(sums, x, w) }
        }

        #[inline(always)]
        fn add_sums(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b))) }
        }

        #[inline(always)]
        fn sums_to_f32(self, sums: __m512) -> __m512 {
            unsafe { _mm512_cvtepi32_ps(_mm512_castps_si512(sums)) }
        }

        #[inline(always)]
        unsafe fn store_four_u8(self, vectors: [(__m512, *mut u8); 4]) {
            unsafe { store_four_u8_512(vectors) }
        }

        #[inline(always)]
        unsafe fn load_quad_ptr(self, rows: [*const u8; 4]) -> __m512 {
            unsafe { load_quad_512(rows) }
        }
    }
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

/// # Safety
/// `from` must be valid for reading 8 f16 values.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load_f16_256(from: *const u16) -> __m256 {
    // SAFETY: the caller's promise, here and below.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(from.cast()) })
}

/// # Safety
/// `from` must be valid for reading 8 numbers.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load_i8_256(from: *const i8) -> __m256 {
    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(unsafe { _mm_loadl_epi64(from.cast()) }))
}

/// # Safety
/// `from` must be valid for reading 16 f16 values.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_f16_512(from: *const u16) -> __m512 {
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(from.cast()) })
}

/// # Safety
/// `from` must be valid for reading 16 numbers.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_i8_512(from: *const i8) -> __m512 {
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(unsafe { _mm_loadu_si128(from.cast()) }))
}

/// # Safety
/// `from` must be valid for reading 8 bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn load_u8_256(from: *const u8) -> __m256 {
    _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(from.cast()) }))
}

/// # Safety
/// `from` must be valid for reading 16 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_u8_512(from: *const u8) -> __m512 {
    _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(from.cast()) }))
}

/// # Safety
/// `to` must be valid for writing 8 bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn store_u8_256(v: __m256, to: *mut u8) {
    let held = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(255.0));
    let whole = _mm256_cvtps_epi32(held);
    let words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
    unsafe { _mm_storel_epi64(to.cast(), _mm_packus_epi16(words, words)) }
}

/// # Safety
/// `to` must be valid for writing 16 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store_u8_512(v: __m512, to: *mut u8) {
    // What is too large for the conversion becomes 2^31, which is held at 255, too.
    let whole = _mm512_cvtps_epi32(_mm512_max_ps(v, _mm512_setzero_ps()));
    unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtusepi32_epi8(whole)) }
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dot_256(sums: __m256, x: __m256, w: __m256) -> __m256 {
    let (sums, x, w) = (_mm256_castps_si256(sums), _mm256_castps_si256(x), _mm256_castps_si256(w));
    _mm256_castsi256_ps(_mm256_dpbusd_avx_epi32(sums, x, w))
}

/// As [`dot_256`] in older instructions: the products of every second byte, as words, then those of the others.
#[inline]
#[target_feature(enable = "avx2")]
fn split_dot_256(sums: __m256, x: __m256, w: __m256) -> __m256 {
    let (sums, x, w) = (_mm256_castps_si256(sums), _mm256_castps_si256(x), _mm256_castps_si256(w));
    let even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
    let even = _mm256_madd_epi16(even, _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(w)));
    let odd = _mm256_madd_epi16(_mm256_srli_epi16::<8>(x), _mm256_srai_epi16::<8>(w));
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_add_epi32(sums, even), odd))
}

/// # Safety
/// All must be valid for reading 8 bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_quad_256(rows: [*const u8; 4]) -> __m256 {
    let [a, b, c, d] = rows;
    // SAFETY: the caller's promise.
    let (a, b) = unsafe { (_mm_loadl_epi64(a.cast()), _mm_loadl_epi64(b.cast())) };
    // SAFETY: as above.
    let (c, d) = unsafe { (_mm_loadl_epi64(c.cast()), _mm_loadl_epi64(d.cast())) };
    let (ab, cd) = (_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d));
    _mm256_castsi256_ps(_mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn dot_512(sums: __m512, x: __m512, w: __m512) -> __m512 {
    let (sums, x, w) = (_mm512_castps_si512(sums), _mm512_castps_si512(x), _mm512_castps_si512(w));
    _mm512_castsi512_ps(_mm512_dpbusd_epi32(sums, x, w))
}

/// # Safety
/// All must be valid for writing 16 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn store_four_u8_512([a, b, c, d]: [(__m512, *mut u8); 4]) {
    // Fewer steps than one by one: each packing holds the numbers of two vectors within the ends.
    // The conversion makes the smallest integer of numbers from 2^31 on, so these are held back before.
    let most = _mm512_set1_ps(255.0);
    let whole = |v| _mm512_cvtps_epi32(_mm512_min_ps(v, most));
    let ab = _mm512_packs_epi32(whole(a.0), whole(b.0));
    let cd = _mm512_packs_epi32(whole(c.0), whole(d.0));
    let fours = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let bytes = _mm512_permutexvar_epi32(fours, _mm512_packus_epi16(ab, cd));
    unsafe {
        _mm_storeu_si128(a.1.cast(), _mm512_castsi512_si128(bytes));
        _mm_storeu_si128(b.1.cast(), _mm512_extracti32x4_epi32::<1>(bytes));
        _mm_storeu_si128(c.1.cast(), _mm512_extracti32x4_epi32::<2>(bytes));
        _mm_storeu_si128(d.1.cast(), _mm512_extracti32x4_epi32::<3>(bytes));
    }
}

/// # Safety
/// All must be valid for reading 16 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load_quad_512(rows: [*const u8; 4]) -> __m512 {
    let [a, b, c, d] = rows;
    let (a, b, c, d) = unsafe {
        (_mm_loadu_si128(a.cast()), _mm_loadu_si128(b.cast()), _mm_loadu_si128(c.cast()), _mm_loadu_si128(d.cast()))
    };
    let (ab, cd) = (_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d));
    let quads = _mm512_castsi128_si512(_mm_unpacklo_epi16(ab, cd));
    let quads = _mm512_inserti32x4::<1>(quads, _mm_unpackhi_epi16(ab, cd));
    let (ab, cd) = (_mm_unpackhi_epi8(a, b), _mm_unpackhi_epi8(c, d));
    let quads = _mm512_inserti32x4::<2>(quads, _mm_unpacklo_epi16(ab, cd));
    _mm512_castsi512_ps(_mm512_inserti32x4::<3>(quads, _mm_unpackhi_epi16(ab, cd)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`AvxVnni`] multiplies by, as AVX-512 encodes it: more processors have that one.
    #[target_feature(enable = "avx2,avx512f,avx512vl,avx512vnni")]
    fn dot_256_of_avx512(sums: __m256, x: __m256, w: __m256) -> __m256 {
        let (sums, x, w) = (_mm256_castps_si256(sums), _mm256_castps_si256(x), _mm256_castps_si256(w));
        _mm256_castsi256_ps(_mm256_dpbusd_epi32(sums, x, w))
    }

    #[test]
    fn older_instructions_come_to_the_same_sums_as_the_product_of_bytes() {
        if Avx512::detect().is_none() {
            return println!("skipped: this processor has no AVX-512 with VNNI");
        }
        let mut state = 1u32;
        let mut lanes = |all: u32| {
            std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from_bits((state ^ (state >> 15)) | all)
            })
        };
        for round in 0..1000 {
            let all = if round % 10 == 0 { 0x7f7f_7f7f } else { 0 }; // The largest bytes, too.
            let [sums, x, w]: [[f32; 8]; 3] = [lanes(0), lanes(all), lanes(all)];
            // SAFETY: the features were detected; arrays hold a vector.
            let answers = unsafe {
                let [sums, x, w] = [sums, x, w].map(|lanes| _mm256_loadu_ps(lanes.as_ptr()));
                [split_dot_256(sums, x, w), dot_256_of_avx512(sums, x, w)].map(|answer| {
                    let mut lanes = [0u32; 8];
                    _mm256_storeu_si256(lanes.as_mut_ptr().cast(), _mm256_castps_si256(answer));
                    lanes
                })
            };
            assert_eq!(answers[0], answers[1], "{x:?} by {w:?}");
        }
    }
}
