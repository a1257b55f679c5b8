//! Dense layers: a pointwise convolution whose pixels are whole samples. Each block of units reads its weights once,
//! front to back.

use std::ops::Range;

use super::aligned::Aligned;
use super::conv::PackedConv;
use super::finish::{self, Finish};
use super::window::Window;
use crate::simd::{Kernel, Simd, dispatch};

/// Layers of fewer units would leave most lanes of a vector empty: their units are dot products instead.
const FEW_UNITS: usize = 4;

/// Weights of a dense layer, arranged for the processor at hand.
#[derive(Debug, Clone)]
pub struct PackedDense(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Many(PackedConv),
    /// Weights `[units, inputs]`.
    Few {
        weights: Aligned,
        bias: Vec<f32>,
    },
}

impl PackedDense {
    /// Packs weights `[inputs, units]` and one bias per unit.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        let (inputs, units) = (weights.len() / bias.len(), bias.len());
        Self(if units < FEW_UNITS {
            let mut turned = Aligned::zeros(weights.len());
            for (unit, row) in turned.chunks_exact_mut(inputs).enumerate() {
                row.iter_mut().zip(weights[unit..].iter().step_by(units)).for_each(|(to, from)| *to = *from);
            }
            Kind::Few { weights: turned, bias: bias.to_vec() }
        } else {
            Kind::Many(PackedConv::new(weights, bias, Window::POINT, inputs))
        })
    }

    /// Whether some units can be made alone.
    pub fn by_units(&self) -> bool {
        matches!(self.0, Kind::Many(_))
    }

    /// Of one sample some units, as [`PackedConv::run_units`] takes them; of a layer that is not
    /// [by units](Self::by_units) all.
    ///
    /// # Panics
    /// When a slice has another length, or these units cannot be made alone.
    pub fn run_units(&self, input: &[f32], units: Range<usize>, finish: Finish, output: &mut [f32]) {
        match &self.0 {
            Kind::Many(conv) => conv.run_units(input, units, finish, output),
            Kind::Few { .. } => self.run(1, input, finish, output),
        }
    }

    /// Some samples `[n, inputs]` to `[n, units]`.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run(&self, samples: usize, input: &[f32], finish: Finish, output: &mut [f32]) {
        match &self.0 {
            Kind::Many(conv) => conv.run(input, (1, samples), finish, output),
            Kind::Few { weights, bias } => {
                let (inputs, units) = (weights.len() / bias.len(), bias.len());
                assert_eq!(input.len(), samples * inputs, "input of a dense layer");
                assert_eq!(output.len(), samples * units, "output of a dense layer");
                for (input, output) in input.chunks_exact(inputs).zip(output.chunks_exact_mut(units)) {
                    for ((out, bias), weights) in output.iter_mut().zip(bias).zip(weights.chunks_exact(inputs)) {
                        *out = bias + dispatch(Dot(input, weights));
                    }
                }
                finish::in_place(finish, units, output);
            }
        }
    }
}

/// The sum of the products.
struct Dot<'a>(&'a [f32], &'a [f32]);

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f32 {
        // Four sums, so that none waits for itself.
        let [mut a, mut b, mut c, mut d] = [simd.splat(0.0); 4];
        let (x, y) = (self.0.chunks_exact(4 * S::LANES), self.1.chunks_exact(4 * S::LANES));
        let (mut rest_x, mut rest_y) = (x.remainder(), y.remainder());
        for (x, y) in x.zip(y) {
            a = simd.mul_add(simd.load(x), simd.load(y), a);
            b = simd.mul_add(simd.load(&x[S::LANES..]), simd.load(&y[S::LANES..]), b);
            c = simd.mul_add(simd.load(&x[2 * S::LANES..]), simd.load(&y[2 * S::LANES..]), c);
            d = simd.mul_add(simd.load(&x[3 * S::LANES..]), simd.load(&y[3 * S::LANES..]), d);
        }
        while !rest_x.is_empty() {
            let count = rest_x.len().min(S::LANES);
            a = simd.mul_add(simd.load_part(&rest_x[..count]), simd.load_part(&rest_y[..count]), a);
            (rest_x, rest_y) = (&rest_x[count..], &rest_y[count..]);
        }
        let mut lanes = [0.0; crate::simd::MAX_LANES];
        simd.store(simd.add(simd.add(a, b), simd.add(c, d)), &mut lanes);
        lanes[..S::LANES].iter().sum()
    }
}
