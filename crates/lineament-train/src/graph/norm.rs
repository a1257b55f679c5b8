//! Batch normalisation with the activation behind it, in one pass each way (Ioffe and Szegedy, 2015).
//!
//! Means and variances are taken over a group of samples, so that groups can run on different threads and the result
//! does not depend on how many there are.

use lineament::engine::simd::vectorized;
use lineament::model::Activation;

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
    moments(input, c, &mut saved.mean, &mut saved.variance);
    let inverse = |i: usize| learned.scale[i] / (saved.variance[i] + EPSILON).sqrt();
    saved.scale = (0..c).map(inverse).collect();
    saved.shift = (0..c).map(|i| learned.shift[i] - saved.mean[i] * saved.scale[i]).collect();
    let (scale, shift) = (&saved.scale[..c], &saved.shift[..c]);
    let pixels = input.chunks_exact(c).zip(output.chunks_exact_mut(c));
    match learned.activation {
        None => vectorized(|| pixels_loop(pixels, |i, x| x * scale[i] + shift[i])),
        Some((Activation::Relu, _)) => vectorized(|| pixels_loop(pixels, |i, x| (x * scale[i] + shift[i]).max(0.0))),
        Some((Activation::PRelu, slopes)) => {
            let slopes = &slopes[..c];
            vectorized(|| {
                pixels_loop(pixels, |i, x| {
                    let u = x * scale[i] + shift[i];
                    u.max(0.0) + slopes[i] * u.min(0.0)
                })
            })
        }
        Some((Activation::HardSwish, _)) => vectorized(|| {
            pixels_loop(pixels, |i, x| {
                let u = x * scale[i] + shift[i];
                u * (u * (1.0 / 6.0) + 0.5).clamp(0.0, 1.0)
            })
        }),
    }
}

#[inline(always)]
fn pixels_loop<'a>(pixels: impl Iterator<Item = (&'a [f32], &'a mut [f32])>, f: impl Fn(usize, f32) -> f32) {
    for (input, output) in pixels {
        for (i, (x, y)) in input.iter().zip(output).enumerate() {
            *y = f(i, *x);
        }
    }
}

/// Pixels that are summed in f32 before the sum goes to f64.
const BLOCK: usize = 1024;

fn moments(input: &[f32], c: usize, mean: &mut Vec<f32>, variance: &mut Vec<f32>) {
    let mut sums = vec![0.0f64; 2 * c];
    let mut block_sums = vec![0.0f32; 2 * c];
    for block in input.chunks(BLOCK * c) {
        block_sums.fill(0.0);
        let (sum, square) = block_sums.split_at_mut(c);
        vectorized(|| {
            for pixel in block.chunks_exact(c) {
                for i in 0..c {
                    sum[i] += pixel[i];
                    square[i] += pixel[i] * pixel[i];
                }
            }
        });
        sums.iter_mut().zip(&block_sums).for_each(|(s, b)| *s += f64::from(*b));
    }
    let n = (input.len() / c) as f64;
    *mean = sums[..c].iter().map(|s| (s / n) as f32).collect();
    *variance = (0..c).map(|i| (sums[c + i] / n - (sums[i] / n).powi(2)).max(0.0) as f32).collect();
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
    let (sum, sum_x) = through_activation(learned, saved, input, d, d_slopes);
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
    let scale = &saved.scale[..c];
    vectorized(|| {
        for (x, d) in input.chunks_exact(c).zip(d.chunks_exact_mut(c)) {
            for i in 0..c {
                d[i] = d[i] * scale[i] + x[i] * a[i] + b[i];
            }
        }
    });
}

/// Takes `d` back through the activation; returns the sums of `d` and of `d` times the input over all pixels.
fn through_activation(learned: Learned, saved: &Saved, input: &[f32], d: &mut [f32], d_slopes: &mut [f32]) -> (Vec<f64>, Vec<f64>) {
    let c = learned.scale.len();
    let mut sums = vec![0.0f64; 3 * c];
    let mut block_sums = vec![0.0f32; 3 * c];
    for (x, d) in input.chunks(BLOCK * c).zip(d.chunks_mut(BLOCK * c)) {
        block_sums.fill(0.0);
        let block = Block { x, d, scale: &saved.scale, shift: &saved.shift, sums: &mut block_sums };
        match learned.activation {
            None => vectorized(|| block.run(|_, _| (1.0, 0.0))),
            Some((Activation::Relu, _)) => vectorized(|| block.run(|_, u| (if u > 0.0 { 1.0 } else { 0.0 }, 0.0))),
            Some((Activation::PRelu, slopes)) => {
                vectorized(|| block.run(|i, u| (if u > 0.0 { 1.0 } else { slopes[i] }, u.min(0.0))))
            }
            Some((Activation::HardSwish, _)) => vectorized(|| block.run(|_, u| (hard_swish_slope(u), 0.0))),
        }
        sums.iter_mut().zip(&block_sums).for_each(|(s, b)| *s += f64::from(*b));
    }
    d_slopes.iter_mut().zip(&sums[2 * c..]).for_each(|(d, s)| *d += *s as f32);
    let sum_x = sums.split_off(c);
    (sums, sum_x)
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

/// Some pixels on their way back through the activation.
struct Block<'a> {
    x: &'a [f32],
    d: &'a mut [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    sums: &'a mut [f32],
}

impl Block<'_> {
    /// `f` gives the activation's slope and what the gradient of its own slope is multiplied by.
    #[inline(always)]
    fn run(self, f: impl Fn(usize, f32) -> (f32, f32)) {
        let c = self.scale.len();
        let (sum, rest) = self.sums.split_at_mut(c);
        let (sum_x, sum_slope) = rest.split_at_mut(c);
        let (scale, shift, sum_slope) = (&self.scale[..c], &self.shift[..c], &mut sum_slope[..c]);
        for (x, d) in self.x.chunks_exact(c).zip(self.d.chunks_exact_mut(c)) {
            for i in 0..c {
                let (slope, by_slope) = f(i, x[i] * scale[i] + shift[i]);
                sum_slope[i] += d[i] * by_slope;
                let through = d[i] * slope;
                d[i] = through;
                sum[i] += through;
                sum_x[i] += through * x[i];
            }
        }
    }
}
