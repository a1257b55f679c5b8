//! Batch normalisation with the activation behind it, in one pass each way (Ioffe and Szegedy, 2015).
//!
//! Means and variances are taken over a group of samples, so that groups can run on different threads and the result
//! does not depend on how many there are.

use std::ops::Range;

use lineament_nn::model::Activation;
use lineament_nn::simd::{Kernel, Simd, dispatch};

use super::channels::for_channels;

/// Added to the variance, PyTorch's default.
pub const EPSILON: f32 = 1e-5;

/// What the forward pass keeps for the backward pass.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Variance of each channel.
    pub variance: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// The normalisation's and the activation's learned numbers.
#[derive(Clone, Copy)]
pub struct Learned<'a> {
    /// Scale of each channel.
    pub scale: &'a [f32],
    /// Shift of each channel.
    pub shift: &'a [f32],
    /// The activation, if there is one, with its slopes (PRelu).
    pub activation: Option<(Activation, &'a [f32])>,
}

/// Normalises `input` `[pixels, channels]` and applies the activation.
pub fn forward(learned: Learned, input: &[f32], output: &mut [f32], saved: &mut Saved) {
    let c = learned.scale.len();
    assert_eq!(input.len(), output.len(), "both ends of a normalisation");
    let sums = in_blocks::<2>(c, input.len(), |block, sums| dispatch(Moments { input: &input[block], sums }));
    let n = (input.len() / c) as f64;
    saved.mean = sums[0].iter().map(|s| (s / n) as f32).collect();
    saved.variance = (0..c).map(|i| (sums[1][i] / n - (sums[0][i] / n).powi(2)).max(0.0) as f32).collect();
    saved.scale = (0..c).map(|i| learned.scale[i] / (saved.variance[i] + EPSILON).sqrt()).collect();
    saved.shift = (0..c).map(|i| learned.shift[i] - saved.mean[i] * saved.scale[i]).collect();
    let bend = Bend::new(learned, saved);
    for block in blocks(c, input.len()) {
        dispatch(Forward { bend: &bend, input: &input[block.clone()], output: &mut output[block] });
    }
}

/// Pixels that are summed in f32 before the sum goes to f64, and that lie near enough to be walked over once for each
/// vector of channels.
const BLOCK: usize = 64;

/// The places of blocks of pixels in `len` numbers.
fn blocks(c: usize, len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(BLOCK * c).map(move |start| start..len.min(start + BLOCK * c))
}

/// Adds up `N` numbers per channel over blocks of pixels: in f32 within a block, in f64 over the blocks.
fn in_blocks<const N: usize>(
    c: usize,
    len: usize,
    mut add: impl FnMut(Range<usize>, &mut [Vec<f32>; N]),
) -> [Vec<f64>; N] {
    let mut sums = [const { Vec::new() }; N];
    sums.iter_mut().for_each(|sum| sum.resize(c, 0.0f64));
    let mut block_sums: [Vec<f32>; N] = std::array::from_fn(|_| vec![0.0; c]);
    for block in blocks(c, len) {
        block_sums.iter_mut().for_each(|sum| sum.fill(0.0));
        add(block, &mut block_sums);
        for (sum, block) in sums.iter_mut().zip(&block_sums) {
            sum.iter_mut().zip(block).for_each(|(s, b)| *s += f64::from(*b));
        }
    }
    sums
}

/// The normalisation as `u = scale x + shift`, and what the activation makes of `u`.
struct Bend<'a> {
    scale: &'a [f32],
    shift: &'a [f32],
    /// Factor on negative `u`: 1 without activation, 0 for relu, learned for PRelu.
    slopes: Vec<f32>,
    hard_swish: bool,
}

impl<'a> Bend<'a> {
    fn new(learned: Learned, saved: &'a Saved) -> Self {
        let c = learned.scale.len();
        let (slopes, hard_swish) = match learned.activation {
            None => (vec![1.0; c], false),
            Some((Activation::Relu, _)) => (vec![0.0; c], false),
            Some((Activation::PRelu, slopes)) => (slopes.to_vec(), false),
            Some((Activation::HardSwish, _)) => (vec![0.0; c], true),
        };
        Self { scale: &saved.scale, shift: &saved.shift, slopes, hard_swish }
    }
}

/// Sums and sums of squares.
struct Moments<'a> {
    input: &'a [f32],
    sums: &'a mut [Vec<f32>; 2],
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let c = self.sums[0].len();
        for_channels!(simd, S, c, |channels, load, store| {
            let (mut sum, mut square) = (simd.splat(0.0), simd.splat(0.0));
            for pixel in self.input.chunks_exact(c) {
                let x = load(&pixel[channels.clone()]);
                sum = simd.add(sum, x);
                square = simd.mul_add(x, x, square);
            }
            store(sum, &mut self.sums[0][channels.clone()]);
            store(square, &mut self.sums[1][channels]);
        });
    }
}

/// The output.
struct Forward<'a> {
    bend: &'a Bend<'a>,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Bend { scale, shift, slopes, hard_swish } = self.bend;
        let c = scale.len();
        let (zero, one, half, sixth) = (simd.splat(0.0), simd.splat(1.0), simd.splat(0.5), simd.splat(1.0 / 6.0));
        for_channels!(simd, S, c, |channels, load, store| {
            let (scale, shift) = (load(&scale[channels.clone()]), load(&shift[channels.clone()]));
            let slope = load(&slopes[channels.clone()]);
            for (x, y) in self.input.chunks_exact(c).zip(self.output.chunks_exact_mut(c)) {
                let u = simd.mul_add(load(&x[channels.clone()]), scale, shift);
                let factor = if *hard_swish {
                    let ramp = simd.max(simd.mul_add(u, sixth, half), zero);
                    simd.where_positive(simd.mul_add(ramp, simd.splat(-1.0), one), ramp, one)
                } else {
                    simd.where_positive(u, one, slope)
                };
                store(simd.mul(u, factor), &mut y[channels.clone()]);
            }
        });
    }
}

/// Gradients of the learned numbers, added to.
pub struct Gradients<'a> {
    /// Of the scale.
    pub scale: &'a mut [f32],
    /// Of the shift.
    pub shift: &'a mut [f32],
    /// Of the slopes; empty without PRelu.
    pub slopes: &'a mut [f32],
}

/// From the gradient of the output to that of the input. `d` holds the one and becomes the other.
pub fn backward(learned: Learned, saved: &Saved, input: &[f32], d: &mut [f32], gradients: Gradients) {
    let c = learned.scale.len();
    let Gradients { scale: d_scale, shift: d_shift, slopes: d_slopes } = gradients;
    let bend = Bend::new(learned, saved);
    // In blocks: what is summed is still at hand when the block is taken back through the activation.
    let [sum, sum_x, sum_slope] = in_blocks::<3>(c, input.len(), |block, sums| {
        dispatch(Through { bend: &bend, input: &input[block.clone()], d: &mut d[block], sums });
    });
    d_slopes.iter_mut().zip(&sum_slope).for_each(|(d, s)| *d += *s as f32);
    let n = (input.len() / c) as f64;
    let (mut a, mut b) = (vec![0.0f32; c], vec![0.0f32; c]);
    for i in 0..c {
        let inverse = 1.0 / f64::from(saved.variance[i] + EPSILON).sqrt();
        let mean = f64::from(saved.mean[i]);
        let sum_normalised = (sum_x[i] - mean * sum[i]) * inverse;
        d_scale[i] += sum_normalised as f32;
        d_shift[i] += sum[i] as f32;
        let scale = f64::from(saved.scale[i]);
        let by_x = -scale * inverse * sum_normalised / n;
        a[i] = by_x as f32;
        b[i] = (-scale * sum[i] / n - by_x * mean) as f32;
    }
    for block in blocks(c, input.len()) {
        dispatch(Combine { scale: &saved.scale, a: &a, b: &b, input: &input[block.clone()], d: &mut d[block] });
    }
}

/// Derivative of `u clamp(u / 6 + 1/2, 0, 1)`.
#[inline(always)]
pub fn hard_swish_slope(u: f32) -> f32 {
    if u <= -3.0 {
        0.0
    } else if u >= 3.0 {
        1.0
    } else {
        u * (1.0 / 3.0) + 0.5
    }
}

/// Takes the gradient back through the activation; sums it, it times the input, and it times negative `u`.
struct Through<'a> {
    bend: &'a Bend<'a>,
    input: &'a [f32],
    d: &'a mut [f32],
    sums: &'a mut [Vec<f32>; 3],
}

impl Kernel for Through<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Bend { scale, shift, slopes, hard_swish } = self.bend;
        let c = scale.len();
        let (zero, one, three) = (simd.splat(0.0), simd.splat(1.0), simd.splat(3.0));
        let (half, third, minus) = (simd.splat(0.5), simd.splat(1.0 / 3.0), simd.splat(-1.0));
        for_channels!(simd, S, c, |channels, load, store| {
            let (scale, shift) = (load(&scale[channels.clone()]), load(&shift[channels.clone()]));
            let slope = load(&slopes[channels.clone()]);
            let (mut sum, mut sum_x, mut sum_slope) = (zero, zero, zero);
            for (x, d) in self.input.chunks_exact(c).zip(self.d.chunks_exact_mut(c)) {
                let (x, d) = (load(&x[channels.clone()]), &mut d[channels.clone()]);
                let (u, before) = (simd.mul_add(x, scale, shift), load(d));
                let factor = if *hard_swish {
                    // As `hard_swish_slope`.
                    let inner = simd.where_positive(simd.add(u, three), simd.mul_add(u, third, half), zero);
                    simd.where_positive(simd.mul_add(u, minus, three), inner, one)
                } else {
                    sum_slope = simd.mul_add(before, simd.where_positive(u, zero, u), sum_slope);
                    simd.where_positive(u, one, slope)
                };
                let through = simd.mul(before, factor);
                store(through, d);
                sum = simd.add(sum, through);
                sum_x = simd.mul_add(through, x, sum_x);
            }
            store(sum, &mut self.sums[0][channels.clone()]);
            store(sum_x, &mut self.sums[1][channels.clone()]);
            store(sum_slope, &mut self.sums[2][channels]);
        });
    }
}

/// `d = d scale + x a + b`.
struct Combine<'a> {
    scale: &'a [f32],
    a: &'a [f32],
    b: &'a [f32],
    input: &'a [f32],
    d: &'a mut [f32],
}

impl Kernel for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let c = self.scale.len();
        for_channels!(simd, S, c, |channels, load, store| {
            let [scale, a, b] = [self.scale, self.a, self.b].map(|values| load(&values[channels.clone()]));
            for (x, d) in self.input.chunks_exact(c).zip(self.d.chunks_exact_mut(c)) {
                let d = &mut d[channels.clone()];
                let rest = simd.mul_add(load(&x[channels.clone()]), a, b);
                store(simd.mul_add(load(d), scale, rest), d);
            }
        });
    }
}
