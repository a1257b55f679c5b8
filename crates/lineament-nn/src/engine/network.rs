//! A model made ready to run: its layers as fused ops, their weights arranged for the processor. Nothing in it changes,
//! so any number of callers and threads can share it.

use super::aligned::Aligned;
use super::compact_dense::CompactDense;
use super::conv::PackedConv;
use super::dense::PackedDense;
use super::depthwise::Depthwise;
use super::finish::Activated;
use super::fuse::{FusedOp, Summand, Work, window};
use super::int8::Quantization;
use super::integers::{self, Integers};
use super::plan::Plan;
use super::window::Window;
use crate::error::{Error, Result};
use crate::model::{Activation, Architecture, Model, Op, Shape, Tensor};

/// A model made ready to run.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    pub(super) ops: Vec<FusedOp>,
    /// What each fused op has learned.
    pub(super) learned: Vec<Learned>,
    pub(super) integers: Integers,
    /// Whether values are quantised anywhere: the last bit of a sum may then decide between two quantised values, so
    /// every level must compute the same bits.
    pub(super) rounds: bool,
}

/// What a fused op has learned, in the kernels' order.
#[derive(Debug)]
pub(super) struct Learned {
    pub weights: Weights,
    pub activation: Option<Activated>,
    /// A position bias, `[h, w, c]`.
    pub bias: Option<Aligned>,
    pub then: Option<Activated>,
    /// How the result is rounded.
    pub rounding: Option<Quantization>,
}

#[derive(Debug)]
pub(super) enum Weights {
    None,
    Conv(PackedConv),
    Depthwise(OwnedDepthwise),
    Separable {
        depthwise: OwnedDepthwise,
        between: Option<Activated>,
        pointwise: PackedConv,
    },
    Dense(PackedDense),
    /// Of f16 or int8.
    Compact(CompactDense),
    Integer(integers::Layer),
}

/// The memory of a [`Depthwise`].
#[derive(Debug)]
pub(super) struct OwnedDepthwise {
    weights: Aligned,
    bias: Aligned,
    window: Window,
}

impl OwnedDepthwise {
    pub fn as_ref(&self) -> Depthwise<'_> {
        Depthwise { weights: &self.weights, bias: &self.bias, window: self.window }
    }
}

impl Network {
    /// Arranges the weights of `model` for this processor.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a weight is not a finite number.
    pub fn new(model: &Model) -> Result<Self> {
        let architecture = model.architecture.clone();
        let (shapes, ops) = (architecture.shapes()?, FusedOp::all(&architecture));
        let integers = Integers::new(model, &shapes, &ops)?;
        let source = Source { model, shapes };
        let input_quantization =
            |i: usize, fused: &FusedOp| integers.quantised[fused.input].filter(|_| integers.ops[i]);
        let learned = ops.iter().enumerate().map(|(i, fused)| source.learned(fused, input_quantization(i, fused)));
        let rounds = ops.iter().any(|fused| fused.quantize.is_some());
        Ok(Self { learned: learned.collect::<Result<_>>()?, architecture, ops, integers, rounds })
    }

    /// Its layers.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Its layers as they are run.
    pub fn ops(&self) -> &[FusedOp] {
        &self.ops
    }

    /// For each of [`Network::ops`] whether it multiplies integers.
    pub fn runs_in_integers(&self) -> &[bool] {
        &self.integers.ops
    }

    /// Plans memory for an input of `height` and `width`.
    ///
    /// # Errors
    /// [`Error::Model`] when the layers do not fit the size.
    pub fn plan(&self, height: usize, width: usize) -> Result<Plan> {
        let nominal = self.architecture.input;
        let input = Shape { height, width, channels: nominal.channels };
        if input != nominal && self.architecture.layers.iter().any(|layer| layer.op.fixes_size()) {
            return Err(Error::Model(format!("its input is {nominal:?}; {height}x{width} does not fit")));
        }
        Plan::of_ops(&self.ops, &self.architecture, input, &self.integers, |i, shapes| self.staging(i, shapes))
    }
}

/// What the weights are taken from.
struct Source<'a> {
    model: &'a Model<'a>,
    shapes: Vec<Shape>,
}

impl Source<'_> {
    /// `input` is given to fused ops that run in integers.
    fn learned(&self, fused: &FusedOp, input: Option<Quantization>) -> Result<Learned> {
        for &layer in &fused.layers {
            let op = self.op(layer);
            if op == Op::BatchNorm {
                return Err(Error::Model("batch normalisation is for training only".into()));
            }
            if self.model.weights[layer].iter().any(|tensor| tensor.to_vec().iter().any(|v| !v.is_finite())) {
                return Err(Error::Damaged(format!("a weight of {op:?} is not a finite number")));
            }
        }
        let weights = match (fused.work, input) {
            (
                Work::Conv { conv: layer, .. } | Work::Depthwise { depthwise: layer } | Work::Dense { dense: layer },
                Some(quantization),
            ) => Weights::Integer(integers::Layer::new(self.model, &self.shapes, layer, quantization)?),
            (Work::Conv { conv, .. }, _) => Weights::Conv(self.conv(conv)?),
            (Work::Depthwise { depthwise }, _) => Weights::Depthwise(self.depthwise(depthwise)?),
            (Work::Separable { depthwise, between, pointwise }, _) => Weights::Separable {
                depthwise: self.depthwise(depthwise)?,
                between: self.activated(between)?,
                pointwise: self.conv(pointwise)?,
            },
            (Work::Dense { dense }, _) => {
                let [weights, bias] = self.tensors(dense)?;
                match CompactDense::new(weights, &bias.to_vec()) {
                    Some(dense) => Weights::Compact(dense),
                    None => Weights::Dense(PackedDense::new(&weights.to_vec(), &bias.to_vec())),
                }
            }
            (Work::MaxPool | Work::GlobalPool | Work::WeightedPool { .. } | Work::Copy, _) => Weights::None,
        };
        let bias = match fused.add {
            Some(Summand::Bias(layer)) => {
                let [bias] = self.tensors(layer)?;
                let bias = transposed(&bias.to_vec(), self.channels(layer));
                Some(Aligned::padded(&bias, bias.len()))
            }
            _ => None,
        };
        let (activation, then) = (self.activated(fused.activation)?, self.activated(fused.then)?);
        let rounding = fused.quantize.map(|layer| integers::rounding(self.model, layer)).transpose()?;
        Ok(Learned { weights, activation, bias, then, rounding })
    }

    fn op(&self, layer: usize) -> Op {
        self.model.architecture.layers[layer].op
    }

    /// Channels that a layer reads.
    fn channels(&self, layer: usize) -> usize {
        self.shapes[self.model.architecture.layers[layer].input].channels
    }

    /// As many tensors as the layer must have.
    fn tensors<const N: usize>(&self, layer: usize) -> Result<&[Tensor<'_>; N]> {
        let tensors = self.model.weights[layer].as_slice();
        let fault = || Error::Model(format!("{:?} has {} tensors", self.op(layer), tensors.len()));
        tensors.try_into().map_err(|_| fault())
    }

    fn conv(&self, layer: usize) -> Result<PackedConv> {
        let ([weights, bias], inputs) = (self.tensors(layer)?, self.channels(layer));
        let (bias, window) = (bias.to_vec(), window(self.op(layer)));
        let weights = hwio_from_oihw(&weights.to_vec(), bias.len(), inputs);
        Ok(PackedConv::new(&weights, &bias, window, inputs))
    }

    fn depthwise(&self, layer: usize) -> Result<OwnedDepthwise> {
        let [weights, bias] = self.tensors(layer)?;
        let weights = transposed(&weights.to_vec(), self.channels(layer));
        let weights = Aligned::padded(&weights, weights.len());
        Ok(OwnedDepthwise { weights, bias: aligned(bias), window: window(self.op(layer)) })
    }

    fn activated(&self, layer: Option<usize>) -> Result<Option<Activated>> {
        let Some(layer) = layer else { return Ok(None) };
        let Op::Activation(kind) = self.op(layer) else { unreachable!("layer {layer} is no activation") };
        let slopes = match kind {
            Activation::PRelu => self.tensors::<1>(layer)?[0].to_vec(),
            _ => Vec::new(),
        };
        Ok(Some(Activated::new(kind, &slopes)))
    }
}

fn aligned(tensor: &Tensor) -> Aligned {
    Aligned::padded(&tensor.to_vec(), tensor.len())
}

/// `[rows, n] -> [n, rows]`.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
}

/// `[outputs, inputs, k, k] -> [k, k, inputs, outputs]`.
fn hwio_from_oihw(values: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    let taps = values.len() / (outputs * inputs);
    let mut out = Vec::with_capacity(values.len());
    for tap in 0..taps {
        for input in 0..inputs {
            out.extend(values[input * taps + tap..].iter().step_by(inputs * taps));
        }
    }
    out
}
