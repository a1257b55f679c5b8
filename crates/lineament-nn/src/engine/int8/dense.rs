//! Dense layers for one sample: every weight is read once.

#![allow(unsafe_code)]

use std::ops::Range;

use super::super::conv::{assert_units, blocks};
use super::super::finish::{Place, Sums};
use super::finish::Raw;
use super::{Finish, Learned, Packed, QUAD, Quantization, Target};
use crate::simd::{Kernel, Simd, dispatch};

/// A dense layer in integers.
#[derive(Debug, Clone)]
pub struct Dense {
    packed: Packed,
}

impl Dense {
    /// Weights in the file's order, `[inputs, units]`; `quantization` is the input's.
    ///
    /// # Panics
    /// When sizes do not fit, or the inputs are not a multiple of [`QUAD`].
    pub fn new(learned: Learned, inputs: usize, quantization: Quantization) -> Self {
        let units = learned.bias.len();
        assert_eq!(learned.weights.len(), inputs * units, "weights of an integer dense layer");
        Self { packed: Packed::new(learned, inputs, quantization, |unit, input| learned.weights[input * units + unit]) }
    }

    /// From quantised values to one number or quantised value for each of some units, which begin at a multiple of
    /// [`UNITS`](super::super::conv::UNITS) and end at one or the last; the target and what is added begin with the
    /// first of them.
    ///
    /// # Panics
    /// When a slice has another length, or the units begin or end elsewhere.
    pub fn run_units(&self, input: &[u8], units: Range<usize>, finish: Finish, target: Target) {
        assert_eq!(input.len(), self.packed.inputs, "input of a dense layer");
        assert_units(&units, self.packed.outputs);
        assert_eq!(target.len(), units.len(), "output of a dense layer");
        let finish = self.packed.scaling.finish(finish, target);
        dispatch(Run { packed: &self.packed, input, units, finish });
    }
}

struct Run<'a> {
    packed: &'a Packed,
    input: &'a [u8],
    units: Range<usize>,
    finish: Raw,
}

impl Kernel for Run<'_> {
    type Output = ();
    const USES_DOT: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { packed, input, units, finish } = self;
        let mut weights = packed.weights.as_ptr();
        for (channel, vectors) in blocks(packed.outputs, S::LANES) {
            let block = weights;
            // SAFETY: packing made the weights of each block, for every input: this is at most one past the end.
            weights = unsafe { weights.add(input.len() / QUAD * vectors * S::LANES) };
            if !units.contains(&channel) {
                continue;
            }
            let channels = (vectors * S::LANES).min(packed.outputs - channel);
            let place = Place { at: channel - units.start, step: units.len(), channel, channels };
            // SAFETY: as above; the target holds all of the units.
            unsafe {
                match vectors {
                    2 => sums::<S, 2>(simd, block, input, finish, place),
                    _ => sums::<S, 1>(simd, block, input, finish, place),
                }
            }
        }
    }
}

/// Chains of sums: with fewer, one product would wait for the one before.
const CHAINS: usize = 4;

/// One block of units.
///
/// # Safety
/// `weights` must hold `NV` vectors for every four inputs, and the target the units of `place`.
#[inline(always)]
unsafe fn sums<S: Simd, const NV: usize>(simd: S, mut weights: *const f32, input: &[u8], finish: Raw, place: Place) {
    let zero = simd.splat(0.0);
    let mut chains = [[zero; NV]; CHAINS];
    let (runs, last) = input.as_chunks::<{ CHAINS * QUAD }>();
    unsafe {
        chains[0] = finish.zero_point_correction::<S, NV>(simd, place.channel);
        for run in runs {
            for (chain, sums) in chains.iter_mut().enumerate() {
                let four = simd.splat(run.as_ptr().add(chain * QUAD).cast::<f32>().read_unaligned());
                sums[0] = simd.dot(sums[0], four, simd.load_ptr(weights));
                if const { NV > 1 } {
                    sums[1] = simd.dot(sums[1], four, simd.load_ptr(weights.add(S::LANES)));
                }
                weights = weights.add(NV * S::LANES);
            }
        }
        for four in last.chunks_exact(QUAD) {
            let four = simd.splat(four.as_ptr().cast::<f32>().read_unaligned());
            chains[0][0] = simd.dot(chains[0][0], four, simd.load_ptr(weights));
            if const { NV > 1 } {
                chains[0][1] = simd.dot(chains[0][1], four, simd.load_ptr(weights.add(S::LANES)));
            }
            weights = weights.add(NV * S::LANES);
        }
        let mut sums: Sums<S::V, 1, NV> = [[zero; NV]];
        for k in 0..NV {
            let pairs = [simd.add_sums(chains[0][k], chains[1][k]), simd.add_sums(chains[2][k], chains[3][k])];
            sums[0][k] = simd.add_sums(pairs[0], pairs[1]);
        }
        finish.store::<S, 1, NV>(simd, sums, place);
    }
}
