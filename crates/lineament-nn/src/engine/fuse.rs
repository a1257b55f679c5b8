//! Fuses layers into ops: an activation or addition after a convolution is applied to the sums before they are written,
//! and a depthwise convolution runs together with the pointwise convolution that follows it.

use crate::model::{Activation, Architecture, Op, ValueId};

use super::window::Window;

/// Layers that run as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FusedOp {
    /// What is done.
    pub work: Work,
    /// The value it reads.
    pub input: ValueId,
    /// The value it makes.
    pub output: ValueId,
    /// All layers, in the order in which they would run.
    pub layers: Vec<usize>,
    /// Layer of the activation that follows.
    pub activation: Option<usize>,
    /// What is added then.
    pub add: Option<Summand>,
    /// Layer of the activation that follows the sum.
    pub then: Option<usize>,
    /// Layer that rounds the result.
    pub quantize: Option<usize>,
}

/// The layer or layers that a fused op is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Convolution, over all channels.
    Conv {
        /// Layer.
        conv: usize,
        /// 2x2 maximum behind it.
        pool: bool,
    },
    /// Depthwise convolution.
    Depthwise {
        /// Layer.
        depthwise: usize,
    },
    /// Depthwise convolution, activation, pointwise convolution.
    Separable {
        /// Layer.
        depthwise: usize,
        /// Layer of the activation between the two.
        between: Option<usize>,
        /// Layer.
        pointwise: usize,
    },
    /// Dense layer.
    Dense {
        /// Layer.
        dense: usize,
    },
    /// 2x2 maximum.
    MaxPool,
    /// Mean.
    GlobalPool,
    /// Weighted mean.
    WeightedPool {
        /// The value that weighs.
        weights: ValueId,
    },
    /// Nothing: activation or sum of values that others need too.
    Copy,
}

/// What is added to a fused op's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summand {
    /// Another value.
    Value(ValueId),
    /// The position bias of a layer.
    Bias(usize),
}

impl FusedOp {
    /// The fused ops of a network, in order. Every layer is in one of them.
    pub fn all(architecture: &Architecture) -> Vec<Self> {
        let mut taken = vec![false; architecture.layers.len()];
        let mut ops = Vec::new();
        for i in 0..architecture.layers.len() {
            if !taken[i] {
                let mut fused = Self::start(architecture, i);
                while let Some(next) = only_reader(architecture, fused.output) {
                    if taken[next] || !fused.take(architecture, next, i + 1) {
                        break;
                    }
                    fused.layers.push(next);
                    fused.output = next + 1;
                }
                fused.layers.iter().for_each(|&layer| taken[layer] = true);
                ops.push(fused);
            }
        }
        ops
    }

    /// Values that it reads.
    pub fn inputs(&self) -> impl Iterator<Item = ValueId> {
        let weights = if let Work::WeightedPool { weights } = self.work { Some(weights) } else { None };
        let other = if let Some(Summand::Value(value)) = self.add { Some(value) } else { None };
        [Some(self.input), weights, other].into_iter().flatten()
    }

    /// Whether the output may lie where the input lies.
    pub fn in_place(&self) -> bool {
        self.work == Work::Copy && self.add != Some(Summand::Value(self.input))
    }

    /// Layer `i` alone.
    fn start(architecture: &Architecture, i: usize) -> Self {
        let layer = architecture.layers[i];
        let (mut activation, mut add, mut quantize) = (None, None, None);
        let work = match layer.op {
            Op::Conv { .. } => Work::Conv { conv: i, pool: false },
            Op::Depthwise { .. } => Work::Depthwise { depthwise: i },
            Op::Dense { .. } => Work::Dense { dense: i },
            Op::MaxPool => Work::MaxPool,
            Op::GlobalPool => Work::GlobalPool,
            Op::WeightedPool { weights } => Work::WeightedPool { weights },
            Op::BatchNorm => Work::Copy, // Refused where the weights are arranged.
            Op::Activation(_) => {
                activation = Some(i);
                Work::Copy
            }
            Op::Add { with } => {
                add = Some(Summand::Value(with));
                Work::Copy
            }
            Op::PositionBias => {
                add = Some(Summand::Bias(i));
                Work::Copy
            }
            Op::Quantize => {
                quantize = Some(i);
                Work::Copy
            }
        };
        Self { work, input: layer.input, output: i + 1, layers: vec![i], activation, add, then: None, quantize }
    }

    /// Fuses layer `next`, the only reader of this op's output, into it if possible. Values from `newer` on may not
    /// exist yet when the op runs.
    fn take(&mut self, architecture: &Architecture, next: usize, newer: ValueId) -> bool {
        let op = architecture.layers[next].op;
        let nothing_follows = self.activation.is_none() && self.add.is_none() && self.then.is_none();
        match (self.work, op) {
            _ if self.quantize.is_some() => false,
            (_, Op::Quantize) => {
                self.quantize = Some(next);
                true
            }
            (Work::Conv { conv, pool: false }, Op::MaxPool) if self.add.is_none() && self.then.is_none() => {
                // The largest of four is the same before and after a relu, but not after every activation.
                let relu = |i: usize| architecture.layers[i].op == Op::Activation(Activation::Relu);
                let fits = self.activation.is_none_or(relu);
                if fits {
                    self.work = Work::Conv { conv, pool: true };
                }
                fits
            }
            (Work::Depthwise { depthwise }, Op::Conv { kernel: 1, stride: 1, padding: 0, .. })
                if self.add.is_none() && self.then.is_none() =>
            {
                self.work = Work::Separable { depthwise, between: self.activation.take(), pointwise: next };
                true
            }
            (_, Op::Activation(_)) if nothing_follows => {
                self.activation = Some(next);
                true
            }
            (_, Op::Activation(_)) if self.add.is_some() && self.then.is_none() => {
                self.then = Some(next);
                true
            }
            (_, Op::Add { with }) if self.add.is_none() && self.then.is_none() => {
                let input = architecture.layers[next].input;
                let other = if input == self.output { with } else { input };
                let there = other < newer;
                if there {
                    self.add = Some(Summand::Value(other));
                }
                there
            }
            (_, Op::PositionBias) if self.add.is_none() && self.then.is_none() => {
                self.add = Some(Summand::Bias(next));
                true
            }
            _ => false,
        }
    }
}

/// The window of a convolution.
pub(super) fn window(op: Op) -> Window {
    match op {
        Op::Conv { kernel, stride, padding, .. } | Op::Depthwise { kernel, stride, padding } => {
            Window { kernel, stride, padding }
        }
        op => unreachable!("{op:?} is not a convolution"),
    }
}

/// The layer that reads `value`, if nothing else does.
fn only_reader(architecture: &Architecture, value: ValueId) -> Option<usize> {
    let layers = architecture.layers.iter().enumerate();
    let mut readers = layers.flat_map(|(i, layer)| {
        [Some(layer.input), layer.op.second_input()].into_iter().filter(move |&v| v == Some(value)).map(move |_| i)
    });
    let only = readers.next();
    let others = readers.next().is_some() || architecture.outputs.iter().any(|o| o.value == value);
    only.filter(|_| !others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Shape;

    const CONV: Op = Op::Conv { filters: 4, kernel: 3, stride: 1, padding: 1 };
    const POINTWISE: Op = Op::Conv { filters: 4, kernel: 1, stride: 1, padding: 0 };
    const DEPTHWISE: Op = Op::Depthwise { kernel: 3, stride: 1, padding: 1 };
    const RELU: Op = Op::Activation(Activation::Relu);
    const PRELU: Op = Op::Activation(Activation::PRelu);

    /// The layers of each fused op.
    fn layers(net: &Architecture) -> Vec<Vec<usize>> {
        FusedOp::all(net).into_iter().map(|fused| fused.layers).collect()
    }

    fn chain(ops: &[Op]) -> Architecture {
        let mut net = Architecture::new(Shape::hwc(8, 8, 4));
        ops.iter().for_each(|&op| _ = net.push(op));
        net.output("last", ops.len());
        net
    }

    #[test]
    fn layers_run_as_one_where_that_is_the_same() {
        let add = Op::Add { with: 0 };
        for (ops, expected) in [
            (&[CONV, Op::MaxPool, RELU, CONV][..], &[&[0, 1, 2][..], &[3]][..]),
            (&[CONV, RELU, Op::MaxPool], &[&[0, 1, 2]]),
            (&[CONV, PRELU, Op::MaxPool], &[&[0, 1], &[2]]),
            (&[DEPTHWISE, PRELU, POINTWISE, PRELU, add, RELU], &[&[0, 1, 2, 3, 4, 5]]),
            (&[DEPTHWISE, POINTWISE, Op::PositionBias, RELU, RELU], &[&[0, 1, 2, 3], &[4]]),
            (&[DEPTHWISE, CONV], &[&[0], &[1]]),
            (&[CONV, add, add], &[&[0, 1], &[2]]),
            (&[Op::Dense { units: 4 }, RELU, RELU], &[&[0, 1], &[2]]),
            (&[Op::GlobalPool, RELU], &[&[0, 1]]),
        ] {
            assert_eq!(layers(&chain(ops)), expected, "{ops:?}");
        }
    }

    #[test]
    fn values_that_others_read_are_kept() {
        let mut net = chain(&[CONV, RELU, CONV, RELU]);
        net.output("first", 1);
        assert_eq!(layers(&net), [&[0][..], &[1], &[2, 3]]);

        // Each of two convolutions could take the sum along; only the second sees both values.
        let mut net = chain(&[CONV]);
        net.push_from(0, CONV);
        net.push(Op::Add { with: 1 });
        net.push(RELU);
        assert_eq!(layers(&net), [&[0][..], &[1, 2, 3]]);

        // A value added to itself.
        let net = chain(&[CONV, Op::Add { with: 1 }]);
        assert_eq!(layers(&net), [[0], [1]]);
    }
}
