//! Dense layers with weights of f16 or int8: for one sample every weight is read once, and reading them is what takes
//! the time. They stay as small as the file has them and become f32 on their way into the registers.

#![allow(unsafe_code)]

use std::ops::Range;

use super::aligned::ask_for_large_pages;
use super::conv::{UNITS, assert_units};
use super::finish::{Finish, Place, RawFinish};
use crate::model::{Element, Tensor};
use crate::simd::{Kernel, MAX_LANES, Simd, dispatch};

/// Such a layer's weights, arranged for the processor at hand: blocks of units, in each one row per input, so that
/// memory is read from front to back (zeros fill the last block).
#[derive(Debug, Clone)]
pub struct CompactDense {
    weights: Weights,
    /// Factor and summand of each unit's sum, filled up to whole blocks.
    scales: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    units: usize,
}

#[derive(Debug, Clone)]
enum Weights {
    F16(Vec<F16>),
    I8(Vec<i8>),
}

/// The bits of an f16 value.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
struct F16(u16);

impl CompactDense {
    /// Packs a weight of `[inputs, units]` and one bias per unit; `None` when the weight is neither f16 nor int8.
    ///
    /// # Panics
    /// When the sizes do not fit.
    pub fn new(weight: &Tensor, bias: &[f32]) -> Option<Self> {
        let &[inputs, units] = weight.dims.as_slice() else { panic!("weights of {:?}", weight.dims) };
        assert_eq!((weight.len(), bias.len()), (inputs * units, units), "weights of a dense layer");
        let scales = weight.scales.as_ref().filter(|scales| scales.axis == 1).map(|scales| scales.to_vec());
        let (weights, scales) = match (weight.element, scales) {
            (Element::I8, Some(scales)) => {
                let values: Vec<i8> = weight.bytes.iter().map(|b| b.cast_signed()).collect();
                (Weights::I8(packed(&values, units)), scales)
            }
            (Element::F16, _) => {
                let values: Vec<F16> =
                    weight.bytes.as_chunks().0.iter().map(|&bytes| F16(u16::from_le_bytes(bytes))).collect();
                (Weights::F16(packed(&values, units)), vec![1.0])
            }
            _ => return None,
        };
        let one_each = if scales.len() == units { scales } else { vec![scales[0]; units] };
        Some(Self { weights, scales: filled(one_each), bias: filled(bias.to_vec()), inputs, units })
    }

    /// One sample to some units, which begin at a multiple of [`UNITS`] and end at one or the last:
    /// `output` and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length, or the units begin or end elsewhere.
    pub fn run_units(&self, input: &[f32], units: Range<usize>, finish: Finish, output: &mut [f32]) {
        assert_eq!(input.len(), self.inputs, "input of a dense layer");
        assert_units(&units, self.units);
        assert_eq!(output.len(), units.len(), "output of a dense layer");
        let raw = finish.raw(output.len(), self.units);
        match &self.weights {
            Weights::F16(weights) => finish.dispatch(Run { dense: self, weights, input, units, finish: raw, output }),
            Weights::I8(weights) => finish.dispatch(Run { dense: self, weights, input, units, finish: raw, output }),
        }
    }
}

/// Most vectors in a block of at most [`UNITS`]: enough sums to keep a processor busy while each waits for its last
/// addition.
const MAX_VECTORS: usize = 8;

fn filled(mut values: Vec<f32>) -> Vec<f32> {
    values.resize(values.len() + MAX_LANES, 0.0);
    values
}

/// First unit and number of vectors of each block: as many of the largest as fit, then smaller ones.
#[inline(always)]
fn blocks(units: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    let most = (UNITS / lanes).min(MAX_VECTORS);
    std::iter::from_fn(move || {
        let left = units.saturating_sub(start).div_ceil(lanes);
        let vectors = 1 << left.min(most).checked_ilog2()?;
        start += vectors * lanes;
        Some((start - vectors * lanes, vectors))
    })
}

fn packed<T: Stored>(weights: &[T], units: usize) -> Vec<T> {
    struct Pack<'a, T>(&'a [T], usize);
    impl<T: Stored> Kernel for Pack<'_, T> {
        type Output = Vec<T>;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> Vec<T> {
            let (Self(weights, units), lanes) = (self, T::Level::<S>::LANES);
            let mut packed = Vec::with_capacity(weights.len() / units * units.next_multiple_of(lanes));
            ask_for_large_pages(packed.spare_capacity_mut());
            for (start, vectors) in blocks(units, lanes) {
                let (size, used) = (vectors * lanes, (vectors * lanes).min(units - start));
                for row in weights.chunks_exact(units) {
                    packed.extend_from_slice(&row[start..start + used]);
                    packed.resize(packed.len() + size - used, T::default());
                }
            }
            packed
        }
    }
    dispatch(Pack(weights, units))
}

/// A number as it is stored.
trait Stored: Copy + Default {
    /// Where they become f32.
    type Level<S: Simd>: Simd;

    /// That level.
    fn level<S: Simd>(simd: S) -> Self::Level<S>;

    /// A vector of them as f32.
    ///
    /// # Safety
    /// `from` must be valid for reading a vector.
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::V;
}

// SAFETY of both: the caller makes the same promise.
impl Stored for F16 {
    type Level<S: Simd> = S::ForF16;

    #[inline(always)]
    fn level<S: Simd>(simd: S) -> S::ForF16 {
        simd.for_f16()
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::V {
        unsafe { simd.load_f16_ptr(from.cast()) }
    }
}

impl Stored for i8 {
    type Level<S: Simd> = S;

    #[inline(always)]
    fn level<S: Simd>(simd: S) -> S {
        simd
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const Self) -> S::V {
        unsafe { simd.load_i8_ptr(from) }
    }
}

struct Run<'a, T> {
    dense: &'a CompactDense,
    weights: &'a [T],
    input: &'a [f32],
    units: Range<usize>,
    finish: RawFinish,
    output: &'a mut [f32],
}

impl<T: Stored> Kernel for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.blocks(T::level(simd));
    }
}

impl<T: Stored> Run<'_, T> {
    #[inline(always)]
    fn blocks<S: Simd>(mut self, simd: S) {
        let mut weights = self.weights;
        for (unit, vectors) in blocks(self.dense.units, S::LANES) {
            let (block, rest) = weights.split_at(self.input.len() * vectors * S::LANES);
            weights = rest;
            if !self.units.contains(&unit) {
                continue;
            }
            match vectors {
                MAX_VECTORS => self.sums::<S, MAX_VECTORS>(simd, block, unit),
                4 => self.sums::<S, 4>(simd, block, unit),
                2 => self.sums::<S, 2>(simd, block, unit),
                _ => self.sums::<S, 1>(simd, block, unit),
            }
        }
    }

    /// One block of units, from `unit` on.
    #[inline(always)]
    fn sums<S: Simd, const NV: usize>(&mut self, simd: S, block: &[T], unit: usize) {
        let Self { dense, input, ref units, finish, ref mut output, .. } = *self;
        assert_eq!(block.len(), input.len() * NV * S::LANES, "weights of a block");
        let mut sums = [simd.splat(0.0); NV];
        for (x, row) in input.iter().zip(block.chunks_exact(NV * S::LANES)) {
            let x = simd.splat(*x);
            for (v, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a row holds `NV` vectors.
                let weights = unsafe { T::load(simd, row.as_ptr().add(v * S::LANES)) };
                *sum = simd.mul_add(x, weights, *sum);
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            let channel = unit + v * S::LANES;
            if channel >= units.end {
                break;
            }
            let (scale, bias) = (simd.load(&dense.scales[channel..]), simd.load(&dense.bias[channel..]));
            let sum = simd.mul_add(sum, scale, bias);
            let channels = (units.end - channel).min(S::LANES);
            let place = Place { at: channel - units.start, step: units.len(), channel, channels };
            // SAFETY: `run_units` gave `Finish::raw` the output's length.
            unsafe { finish.store::<S, 1, 1>(simd, [[sum]], place, output.as_mut_ptr()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::{at_every_level, is_quick};

    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn dense_layers_agree_with_sums_by_hand_however_they_are_stored() {
        let sizes = [(1, 1), (3, 5), (8, 16), (31, 64), (40, 136), (7, 200), (100, 33)];
        for (inputs, units) in sizes.into_iter().filter(|(inputs, units)| is_quick(inputs * units)) {
            let (input, weights, bias) = (numbers(inputs, 1), numbers(inputs * units, 2), numbers(units, 3));
            let codes: Vec<i8> = weights.iter().map(|w| (w * 127.0) as i8).collect();
            let scales: Vec<f32> = (1..=units).map(|unit| 0.01 / unit as f32).collect();
            let dims = [inputs, units];
            for tensor in [
                Tensor::f16_from_f32(&dims, &weights),
                Tensor::from_i8(&dims, &codes, 1, &scales),
                Tensor::from_i8(&dims, &codes, 1, &[0.02]),
            ] {
                let meant = tensor.to_vec();
                let by_hand = |unit: usize| {
                    let products = input.iter().enumerate().map(|(i, x)| x * meant[i * units + unit]);
                    bias[unit] + products.sum::<f32>()
                };
                let answers = at_every_level(|| {
                    let mut output = vec![f32::NAN; units];
                    let dense = CompactDense::new(&tensor, &bias).unwrap();
                    for (part, output) in output.chunks_mut(UNITS).enumerate() {
                        let units = part * UNITS..part * UNITS + output.len();
                        dense.run_units(&input, units, Finish::default(), output);
                    }
                    output
                });
                for (level, answer) in answers.iter().enumerate() {
                    for (unit, value) in answer.iter().enumerate() {
                        let off = (value - by_hand(unit)).abs();
                        let stored = tensor.element.name();
                        assert!(off < 1e-4, "{inputs} to {units} in {stored} at level {level}: off by {off}");
                    }
                }
            }
        }
        assert!(CompactDense::new(&Tensor::from_f32(&[2, 1], &[1.0, 2.0]), &[0.0]).is_none());
    }
}
