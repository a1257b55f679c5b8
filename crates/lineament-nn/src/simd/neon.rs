//! NEON, which every 64-bit ARM processor has: 4 lanes, 32 registers, products and sums rounded once. And with products
//! of bytes, which phones have since 2018.

#![allow(unsafe_code)]

use std::arch::aarch64::*;
use std::arch::{asm, is_aarch64_feature_detected};

use super::{Kernel, Simd};

/// A level of ARM: the type, the feature that it is compiled with, whether the processor has it, and its own
/// intrinsics.
macro_rules! level {
    ($(#[$doc:meta])* $name:ident, $enable:literal, $detected:expr, { $($more:tt)* }) => {
        token!($(#[$doc])* $name, $enable, $detected);

        // SAFETY (all below): this file is compiled only for targets that have NEON, and `self` exists only where more
        // was detected; pointers are the caller's promise.
        unsafe impl Simd for $name {
            type V = float32x4_t;
            const LANES: usize = 4;
            const NAME: &str = stringify!($name);
            const REGISTERS: usize = 32;
            const DOT_SHIFT: u8 = 128;
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
            fn splat(self, x: f32) -> float32x4_t {
                unsafe { vdupq_n_f32(x) }
            }

            #[inline(always)]
            fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vaddq_f32(a, b) }
            }

            #[inline(always)]
            fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vmulq_f32(a, b) }
            }

            #[inline(always)]
            fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vmaxq_f32(a, b) }
            }

            #[inline(always)]
            fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vminq_f32(a, b) }
            }

            #[inline(always)]
            fn where_positive(self, x: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vbslq_f32(vcgtzq_f32(x), a, b) }
            }

            #[inline(always)]
            fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
                unsafe { vfmaq_f32(c, a, b) }
            }

            #[inline(always)]
            unsafe fn load_ptr(self, from: *const f32) -> float32x4_t {
                unsafe { vld1q_f32(from) }
            }

            #[inline(always)]
            unsafe fn store_ptr(self, v: float32x4_t, to: *mut f32) {
                unsafe { vst1q_f32(to, v) }
            }

            #[inline(always)]
            unsafe fn load_f16_ptr(self, from: *const u16) -> float32x4_t {
                unsafe { vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))) }
            }

            #[inline(always)]
            unsafe fn load_i8_ptr(self, from: *const i8) -> float32x4_t {
                let bytes = unsafe { four_bytes(from.cast()) };
                unsafe { vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(bytes))))) }
            }

            #[inline(always)]
            unsafe fn load_u8_ptr(self, from: *const u8) -> float32x4_t {
                let bytes = unsafe { four_bytes(from) };
                unsafe { vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes)))) }
            }

            #[inline(always)]
            unsafe fn store_u8_ptr(self, v: float32x4_t, to: *mut u8) {
                unsafe {
                    let words = vqmovn_u32(vcvtnq_u32_f32(v));
                    let bytes = vqmovn_u16(vcombine_u16(words, words));
                    to.cast::<u32>().write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_u8(bytes)));
                }
            }

            #[inline(always)]
            fn add_sums(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
                unsafe { vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a), vreinterpretq_s32_f32(b))) }
            }

            #[inline(always)]
            fn sums_to_f32(self, sums: float32x4_t) -> float32x4_t {
                unsafe { vcvtq_f32_s32(vreinterpretq_s32_f32(sums)) }
            }

            #[inline(always)]
            unsafe fn load_quad_ptr(self, rows: [*const u8; 4]) -> float32x4_t {
                unsafe {
                    let [a, b, c, d] = rows.map(|row| four_bytes(row));
                    let (ac, bd) = (vzip1_u8(a, c), vzip1_u8(b, d));
                    vreinterpretq_f32_u8(vcombine_u8(vzip1_u8(ac, bd), vzip2_u8(ac, bd)))
                }
            }

            $($more)*
        }
    };
}

level!(
    /// 4 lanes, 32 registers: phones, tablets, Apple's and Amazon's processors.
    Neon, "neon", true,
    {
        #[inline(always)]
        fn dot(self, sums: float32x4_t, x: float32x4_t, w: float32x4_t) -> float32x4_t {
            unsafe {
                let (x, w) = (signed(x), vreinterpretq_s8_f32(w));
                // Two products fit a word, as no weight is -128.
                let (low, high) = (vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
                vreinterpretq_f32_s32(vpadalq_s16(vreinterpretq_s32_f32(sums), vpaddq_s16(low, high)))
            }
        }
    }
);

level!(
    /// The same with products of bytes: phones since 2018, Apple since the A13, Amazon since the second Graviton.
    NeonDot, "neon,dotprod", is_aarch64_feature_detected!("dotprod"),
    {
        const HAS_DOT: bool = true;

        #[inline(always)]
        fn dot(self, sums: float32x4_t, x: float32x4_t, w: float32x4_t) -> float32x4_t {
            unsafe { vreinterpretq_f32_s32(sdot(vreinterpretq_s32_f32(sums), signed(x), vreinterpretq_s8_f32(w))) }
        }
    }
);

/// # Safety
/// `from` must be valid for reading four bytes. The second four are 0.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn four_bytes(from: *const u8) -> uint8x8_t {
    // SAFETY: the caller's promise.
    vcreate_u8(u64::from(unsafe { from.cast::<u32>().read_unaligned() }))
}

/// Codes as signed bytes: 128 less.
#[inline]
#[target_feature(enable = "neon")]
fn signed(x: float32x4_t) -> int8x16_t {
    vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_f32(x), vdupq_n_u8(0x80)))
}

/// Adds to each sum four products. Rust has no stable intrinsic for it.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sums: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    // SAFETY: nothing but registers.
    unsafe {
        asm!(
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sums, in(vreg) x, in(vreg) w,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}
