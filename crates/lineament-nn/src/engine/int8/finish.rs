//! From integer sums to what the next layer reads, in registers: number, activation, addition, activation, quantised
//! value. Every level rounds alike, so that all come to the same quantised values.

#![allow(unsafe_code)]

use super::super::aligned::Aligned;
use super::super::finish::{Activated, Parts, Place, Stage, Sums, activate, copied, for_each_pixel, load, stage};
use super::{Quantization, lanes_and_shift};
use crate::simd::{Exact, Kernel, MAX_LANES, Simd};

/// What follows a layer's sums, in this order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finish<'a> {
    /// First.
    pub activation: Option<&'a Activated>,
    /// A map of the output's shape that is added.
    pub add: Option<Added<'a>>,
    /// Last.
    pub then: Option<&'a Activated>,
}

/// What is added: a map of the output's shape.
#[derive(Debug, Clone, Copy)]
pub enum Added<'a> {
    /// Codes.
    Quantised(&'a [u8], Quantization),
    /// Numbers.
    Numbers(&'a [f32]),
}

/// Where the result goes, and as what.
#[derive(Debug)]
pub enum Target<'a> {
    /// Codes.
    Quantised(&'a mut [u8], Quantization),
    /// Numbers.
    Numbers(&'a mut [f32]),
}

impl Target<'_> {
    /// Numbers or quantised values that it takes.
    pub fn len(&self) -> usize {
        match self {
            Self::Quantised(quantised, _) => quantised.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether it takes nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Turns a layer's integer sums into numbers: `number = sum * scale + bias`, where the sum begins with the correction
/// for the input's zero point, `-zero_point * sum(w)`. Each holds one entry per channel, filled up by two vectors.
#[derive(Debug, Clone)]
pub(super) struct Scaling {
    /// Integers, as bits.
    zero_point_correction: Aligned,
    scales: Aligned,
    bias: Aligned,
    channels: usize,
}

impl Scaling {
    /// `totals` are the sums of each channel's weights: what the input's zero point adds to every sum, once per unit.
    pub fn new(scales: &[f32], bias: &[f32], input: Quantization, totals: impl Iterator<Item = i32>) -> Self {
        let channels = bias.len();
        assert_eq!(scales.len(), channels, "scales of an integer layer");
        // `Simd::dot` may have subtracted a part of the zero point already.
        let zero_point = i32::from(lanes_and_shift().1) - i32::from(input.zero_point);
        let zero_point_correction: Vec<f32> =
            totals.map(|sum| f32::from_bits(sum.wrapping_mul(zero_point).cast_unsigned())).collect();
        let scales: Vec<f32> = scales.iter().map(|scale| scale * input.scale).collect();
        let padded = |values| Aligned::padded(values, channels + 2 * MAX_LANES);
        Self {
            zero_point_correction: padded(&zero_point_correction),
            scales: padded(&scales),
            bias: padded(bias),
            channels,
        }
    }

    /// Output channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All that follows the sums, for kernels.
    ///
    /// # Panics
    /// When slopes or the added map do not fit.
    pub fn finish(&self, finish: Finish, target: Target) -> Raw {
        finish.activation.iter().chain(&finish.then).for_each(|activated| activated.assert_fits(self.channels));
        let len = target.len();
        let (unit, target) = match target {
            Target::Quantised(quantised, Quantization { scale, zero_point }) => {
                (scale.recip(), RawTarget::Quantised(quantised.as_mut_ptr(), f32::from(zero_point)))
            }
            Target::Numbers(numbers) => (1.0, RawTarget::Numbers(numbers.as_mut_ptr())),
        };
        let add = match finish.add {
            None => RawAdded::Nothing,
            Some(Added::Quantised(quantised, Quantization { scale, zero_point })) => {
                assert_eq!(quantised.len(), len, "summands");
                RawAdded::Quantised(quantised.as_ptr(), scale * unit, -f32::from(zero_point) * scale * unit)
            }
            Some(Added::Numbers(numbers)) => {
                assert_eq!(numbers.len(), len, "summands");
                RawAdded::Numbers(numbers.as_ptr())
            }
        };
        let (activation, then) = (stage(finish.activation), stage(finish.then));
        let [zero_point_correction, scales, bias] =
            [&self.zero_point_correction, &self.scales, &self.bias].map(|of| of.as_ptr());
        Raw { zero_point_correction, scales, bias, unit, activation, add, then, target }
    }
}

/// [`Finish`] and [`Target`], checked.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    zero_point_correction: *const f32,
    scales: *const f32,
    bias: *const f32,
    /// 1 over the target's scale: all that follows the sums is computed in multiples of that scale.
    unit: f32,
    activation: Stage,
    add: RawAdded,
    then: Stage,
    target: RawTarget,
}

#[derive(Clone, Copy)]
enum RawAdded {
    Nothing,
    /// Codes, and what 1 and 0 stand for.
    Quantised(*const u8, f32, f32),
    Numbers(*const f32),
}

#[derive(Clone, Copy)]
enum RawTarget {
    /// Codes, and that of 0.
    Quantised(*mut u8, f32),
    Numbers(*mut f32),
}

impl Raw {
    /// What the sums of `NV` vectors from `channel` on begin with.
    ///
    /// # Safety
    /// The channel must be one of the layer's.
    #[inline(always)]
    pub unsafe fn zero_point_correction<S: Simd, const NV: usize>(self, simd: S, channel: usize) -> [S::V; NV] {
        // SAFETY: it is filled up by two vectors.
        unsafe { load::<S, NV>(simd, self.zero_point_correction.add(channel)) }
    }

    /// Finishes the sums of `P` pixels of `NV` vectors and writes what they become.
    ///
    /// # Safety
    /// `place` lies within the target.
    #[inline(always)]
    pub unsafe fn store<S: Simd, const P: usize, const NV: usize>(
        self,
        simd: S,
        sums: Sums<S::V, P, NV>,
        place: Place,
    ) {
        if place.channels == NV * S::LANES {
            // SAFETY: the caller's promise.
            unsafe { self.vectors::<Exact<S>, P, NV, true>(Exact(simd), sums, place) };
        } else {
            let in_memory = copied(sums);
            simd.outline(StoreParts { finish: self, parts: Parts::of::<S, P, NV>(&in_memory, place) });
        }
    }

    /// The same, where the channels are `WHOLE` vectors, or part of a single one.
    ///
    /// # Safety
    /// As [`Raw::store`].
    #[inline(always)]
    unsafe fn vectors<S: Simd, const P: usize, const NV: usize, const WHOLE: bool>(
        self,
        simd: S,
        mut sums: Sums<S::V, P, NV>,
        place: Place,
    ) {
        const { assert!(WHOLE || NV == 1) };
        /// Visits every vector: `$v` is the vector, `$k` its number within the pixel, `$at` its place in the target.
        /// For 2 pixels of 1 vector, `visit!(|v, k, at| body)` is
        ///
        /// ```ignore
        /// { let (v, k, at) = (&mut sums[0][0], 0, place.pixel(0)); body }
        /// { let (v, k, at) = (&mut sums[1][0], 0, place.pixel(1)); body }
        /// ```
        macro_rules! visit {
            (|$v:ident, $k:ident, $at:ident| $body:expr) => {
                for_each_pixel!(|I| if const { I < P } {
                    let pixel = place.pixel(I);
                    let ($v, $k, $at) = (&mut sums[I][0], 0, pixel);
                    $body;
                    if const { NV > 1 } {
                        let ($v, $k, $at) = (&mut sums[I][1], 1, pixel.wrapping_add(S::LANES));
                        $body;
                    }
                })
            };
        }
        let count = place.channels;
        // SAFETY (all below): everything that belongs to channels is filled up by two vectors; what is added is as long
        // as the target, and `place` lies within that.
        unsafe {
            let unit = simd.splat(self.unit);
            let mut scales = load(simd, self.scales.add(place.channel));
            let mut bias = load(simd, self.bias.add(place.channel));
            in_units::<_, NV>(simd, &mut scales, unit);
            in_units::<_, NV>(simd, &mut bias, unit);
            visit!(|v, k, _at| *v = simd.mul_add(simd.sums_to_f32(*v), scales[k], bias[k]));
            activate::<S, P, NV>(simd, self.activation, self.unit, &mut sums, place.channel);
            match self.add {
                RawAdded::Nothing => (),
                RawAdded::Quantised(from, scale, zero) => {
                    let (scale, zero) = (simd.splat(scale), simd.splat(zero));
                    visit!(|v, _k, at| {
                        let from = from.wrapping_add(at);
                        let quantised =
                            if const { WHOLE } { simd.load_u8_ptr(from) } else { simd.load_first_u8(from, count) };
                        *v = simd.mul_add(quantised, scale, simd.add(*v, zero));
                    });
                }
                RawAdded::Numbers(from) => {
                    visit!(|v, _k, at| {
                        let from = from.wrapping_add(at);
                        let numbers = if const { WHOLE } { simd.load_ptr(from) } else { simd.load_first(from, count) };
                        *v = simd.mul_add(numbers, unit, *v);
                    });
                }
            }
            activate::<S, P, NV>(simd, self.then, self.unit, &mut sums, place.channel);
            match self.target {
                RawTarget::Quantised(to, zero_point) => {
                    let zero_point = simd.splat(zero_point);
                    visit!(|v, _k, _at| *v = simd.add(*v, zero_point));
                    if const { !WHOLE } {
                        simd.store_first_u8(sums[0][0], to.wrapping_add(place.at), count);
                    } else if const { P * NV == 1 } {
                        simd.store_u8_ptr(sums[0][0], to.wrapping_add(place.at));
                    } else {
                        // Four vectors at a time; the last stands for those that are missing. For 3
                        // pixels of 2 vectors these are vectors 0 to 3 of the 6, then 4, 5, 5, 5.
                        for_each_pixel!(@ FOUR if const { 4 * FOUR < P * NV } {
                            macro_rules! nth {
                                ($i:literal) => {{
                                    let n = const { if 4 * FOUR + $i < P * NV { 4 * FOUR + $i } else { P * NV - 1 } };
                                    (sums[n / NV][n % NV], to.wrapping_add(place.pixel(n / NV) + n % NV * S::LANES))
                                }};
                            }
                            simd.store_four_u8([nth!(0), nth!(1), nth!(2), nth!(3)]);
                        }, 0 1 2 3 4 5 6);
                    }
                }
                RawTarget::Numbers(to) => {
                    visit!(|v, _k, at| {
                        let to = to.wrapping_add(at);
                        if const { WHOLE } {
                            simd.store_ptr(*v, to);
                        } else {
                            simd.store_first(*v, to, count);
                        }
                    });
                }
            }
        }
    }
}

struct StoreParts {
    finish: Raw,
    parts: Parts,
}

impl Kernel for StoreParts {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { finish, parts } = self;
        // SAFETY: this is made by `Raw::store` only, whose caller vouches for the place.
        unsafe {
            parts.for_each(
                simd,
                #[inline(always)]
                |sum, place| match place.channels == S::LANES {
                    true => finish.vectors::<_, 1, 1, true>(Exact(simd), [[sum]], place),
                    false => finish.vectors::<_, 1, 1, false>(Exact(simd), [[sum]], place),
                },
            );
        }
    }
}

#[inline(always)]
fn in_units<S: Simd, const NV: usize>(simd: S, vectors: &mut [S::V; NV], unit: S::V) {
    vectors[0] = simd.mul(vectors[0], unit);
    if const { NV > 1 } {
        vectors[1] = simd.mul(vectors[1], unit);
    }
}
