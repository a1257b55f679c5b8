//! Int8 layers: values are stored as bytes, weights as signed bytes with one scale per output channel, and sums are
//! exact integers. What follows the sums (activation, addition) is computed in f32 while they are in registers, and the
//! result is quantised again on its way to memory.
//!
//! A quantised value `q` stands for the number `(q - zero_point) * scale`. So the sum over a layer's inputs is
//!
//! ```text
//! sum(w * (q - zero_point)) = sum(w * q) - zero_point * sum(w)
//! ```
//!
//! The second term is known when the model is loaded: each sum begins with it (`zero_point_correction`).

#![allow(unsafe_code)]

mod conv;
mod dense;
mod depthwise;
mod finish;

#[cfg(test)]
mod tests;

pub use conv::Conv;
pub use dense::Dense;
pub use depthwise::Depthwise;
pub use finish::{Added, Finish, Target};

use super::aligned::{Aligned, as_bytes_mut};
use super::conv::blocks;
use crate::simd::{Kernel, Simd, dispatch, dispatch_exact};
use finish::Scaling;

/// What a byte stands for: `number = (quantised - zero_point) * scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantization {
    /// Difference between two numbers whose quantised values are 1 apart.
    pub scale: f32,
    /// The quantised value of 0.
    pub zero_point: u8,
}

/// Weights and biases of an integer layer as the file has them.
#[derive(Debug, Clone, Copy)]
pub struct Learned<'a> {
    /// Codes of the weights.
    pub weights: &'a [i8],
    /// What 1 stands for, of each output channel.
    pub scales: &'a [f32],
    /// Of each output channel.
    pub bias: &'a [f32],
}

/// Writes `numbers` as quantised values.
///
/// # Panics
/// When the lengths differ.
pub fn quantise(numbers: &[f32], quantization: Quantization, quantised: &mut [u8]) {
    assert_eq!(numbers.len(), quantised.len(), "quantised values");
    struct Quantise<'a>(&'a [f32], Quantization, &'a mut [u8]);
    impl Kernel for Quantise<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let Self(numbers, quantization, quantised) = self;
            let (factor, zero_point) =
                (simd.splat(quantization.scale.recip()), simd.splat(f32::from(quantization.zero_point)));
            let mut whole = quantised.chunks_exact_mut(S::LANES);
            for (to, from) in (&mut whole).zip(numbers.chunks_exact(S::LANES)) {
                let v = simd.mul_add(simd.load(from), factor, zero_point);
                // SAFETY: the chunk is one vector long.
                unsafe { simd.store_u8_ptr(v, to.as_mut_ptr()) };
            }
            let rest = whole.into_remainder();
            let v = simd.load_part(&numbers[numbers.len() - rest.len()..]);
            // SAFETY: `rest` has that length.
            unsafe { simd.store_first_u8(simd.mul_add(v, factor, zero_point), rest.as_mut_ptr(), rest.len()) };
        }
    }
    dispatch_exact(Quantise(numbers, quantization, quantised));
}

/// Input channels that are multiplied at once.
pub const QUAD: usize = 4;

/// Matrix of `[outputs][inputs]` bytes, arranged in blocks of up to two vectors of output channels: in each, for four
/// inputs at a time, four bytes of every channel (zeros fill the last block).
#[derive(Debug, Clone)]
struct Packed {
    weights: Aligned,
    scaling: Scaling,
    inputs: usize,
    outputs: usize,
}

impl Packed {
    /// `weight` answers the byte of an output and an input.
    fn new(learned: Learned, inputs: usize, quantization: Quantization, weight: impl Fn(usize, usize) -> i8) -> Self {
        let outputs = learned.bias.len();
        assert!(inputs.is_multiple_of(QUAD), "{inputs} inputs of an integer layer");
        let total = |output: usize| (0..inputs).map(|input| i32::from(weight(output, input))).sum::<i32>();
        let scaling = Scaling::new(learned.scales, learned.bias, quantization, (0..outputs).map(total));
        let (lanes, _) = lanes_and_shift();
        let mut bytes = Vec::new();
        for (start, vectors) in blocks(outputs, lanes) {
            for quad in 0..inputs / QUAD {
                for output in start..start + vectors * lanes {
                    for input in quad * QUAD..(quad + 1) * QUAD {
                        bytes.push(if output < outputs { weight(output, input).cast_unsigned() } else { 0 });
                    }
                }
            }
        }
        Self { weights: aligned_bytes(&bytes), scaling, inputs, outputs }
    }
}

/// The bytes in memory that starts a cache line.
fn aligned_bytes(bytes: &[u8]) -> Aligned {
    let mut memory = Aligned::zeros(bytes.len().div_ceil(size_of::<f32>()));
    as_bytes_mut(&mut memory)[..bytes.len()].copy_from_slice(bytes);
    memory
}

/// The lanes of the level at hand, and what [`Simd::dot`] subtracts from quantised values.
fn lanes_and_shift() -> (usize, u8) {
    struct Level;
    impl Kernel for Level {
        type Output = (usize, u8);
        const USES_DOT: bool = true;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> (usize, u8) {
            (S::LANES, S::DOT_SHIFT)
        }
    }
    dispatch(Level)
}
