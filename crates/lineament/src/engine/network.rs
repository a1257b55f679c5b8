//! A model made ready to run: its layers as steps, their weights arranged for the processor. Nothing in it changes, so
//! any number of callers and threads can share it.

use super::aligned::Aligned;
use super::conv::PackedConv;
use super::dense::PackedDense;
use super::depthwise::Depthwise;
use super::elementwise;
use super::finish::{self, Activated, Finish};
use super::plan::Plan;
use super::separable::Separable;
use super::steps::{Step, Summand, Work, window};
use super::window::Window;
use crate::error::{Error, Result};
use crate::model::{Activation, Architecture, Model, Op, Shape, Tensor};

/// A model made ready to run.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    /// Shapes at the nominal input size.
    steps: Vec<Step>,
    /// What each step has learned.
    learned: Vec<Learned>,
}

/// What a step has learned, in the kernels' order.
#[derive(Debug)]
struct Learned {
    weights: Weights,
    activation: Option<Activated>,
    /// A position bias, `[h, w, c]`.
    bias: Option<Aligned>,
    then: Option<Activated>,
}

#[derive(Debug)]
enum Weights {
    None,
    Conv(PackedConv),
    Depthwise(OwnedDepthwise),
    Separable { depthwise: OwnedDepthwise, between: Option<Activated>, pointwise: PackedConv },
    Dense(PackedDense),
}

/// The memory of a [`Depthwise`].
#[derive(Debug)]
struct OwnedDepthwise {
    weights: Aligned,
    bias: Aligned,
    window: Window,
}

impl OwnedDepthwise {
    fn as_ref(&self) -> Depthwise<'_> {
        Depthwise { weights: &self.weights, bias: &self.bias, window: self.window }
    }
}

impl Network {
    /// Arranges the weights of `model` for this processor.
    ///
    /// # Errors
    /// [`Error::Model`] when a weight is not a finite number.
    pub fn new(model: &Model) -> Result<Self> {
        let architecture = model.architecture.clone();
        let source = Source { model, shapes: architecture.shapes()? };
        let steps = Step::all(&architecture);
        let learned = steps.iter().map(|step| source.learned(step)).collect::<Result<_>>()?;
        Ok(Self { architecture, steps, learned })
    }

    /// Its layers.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Its layers as they are run.
    pub fn steps(&self) -> &[Step] {
        &self.steps
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
        Plan::of_steps(&self.steps, &self.architecture, input)
    }

    /// Runs step `i` over values that lie in `memory` as `plan` says.
    pub(super) fn run_step(&self, i: usize, plan: &Plan, memory: &mut [f32]) {
        let (step, learned) = (&self.steps[i], &self.learned[i]);
        let (from, to) = (plan.shapes[step.input], plan.shapes[step.output]);
        let place = plan.places[step.output].clone();
        let (values, workspace) = memory.split_at_mut(plan.workspace.start);
        let (before, rest) = values.split_at_mut(place.start);
        let (output, after) = rest.split_at_mut(place.len());
        let value = |value: usize| {
            let other = plan.places[value].clone();
            if other.end <= place.start { &before[other] } else { &after[other.start - place.end..][..other.len()] }
        };
        let add = match step.add {
            None => None,
            Some(Summand::Value(other)) => Some(value(other)),
            Some(Summand::Bias(_)) => learned.bias.as_deref(),
        };
        let finish = Finish { activation: learned.activation.as_ref(), add, then: learned.then.as_ref() };
        let size = (from.height, from.width);
        match (step.work, &learned.weights) {
            (Work::Conv { pool: false, .. }, Weights::Conv(conv)) => conv.run(value(step.input), size, finish, output),
            (Work::Conv { pool: true, .. }, Weights::Conv(conv)) => {
                conv.run_pooled(value(step.input), size, finish, output);
            }
            (_, Weights::Depthwise(depthwise)) => depthwise.as_ref().run(value(step.input), size, finish, output),
            (_, Weights::Separable { depthwise, between, pointwise }) => {
                let between = Finish { activation: between.as_ref(), ..Finish::default() };
                let pair = Separable { depthwise: depthwise.as_ref(), between, pointwise, finish };
                pair.run(value(step.input), size, workspace, output);
            }
            (_, Weights::Dense(dense)) => dense.run(1, value(step.input), finish, output),
            (work, weights) => {
                match work {
                    Work::MaxPool => elementwise::max_pool(value(step.input), from, output),
                    Work::GlobalPool => elementwise::global_pool(value(step.input), output),
                    Work::WeightedPool { weights } => {
                        elementwise::weighted_pool(value(step.input), value(weights), output);
                    }
                    Work::Copy if plan.places[step.input] == place => (),
                    Work::Copy => output.copy_from_slice(value(step.input)),
                    work => unreachable!("{work:?} has {weights:?}"),
                }
                finish::in_place(finish, to.channels, output);
            }
        }
    }
}

/// What the weights are taken from.
struct Source<'a> {
    model: &'a Model<'a>,
    shapes: Vec<Shape>,
}

impl Source<'_> {
    fn learned(&self, step: &Step) -> Result<Learned> {
        for &layer in &step.layers {
            let op = self.op(layer);
            if op == Op::BatchNorm {
                return Err(Error::Model("batch normalisation is for training only".into()));
            }
            if self.model.weights[layer].iter().flat_map(Tensor::values).any(|v| !v.is_finite()) {
                return Err(Error::Model(format!("a weight of {op:?} is not a finite number")));
            }
        }
        let weights = match step.work {
            Work::Conv { conv, .. } => Weights::Conv(self.conv(conv)?),
            Work::Depthwise { depthwise } => Weights::Depthwise(self.depthwise(depthwise)?),
            Work::Separable { depthwise, between, pointwise } => Weights::Separable {
                depthwise: self.depthwise(depthwise)?,
                between: self.activated(between)?,
                pointwise: self.conv(pointwise)?,
            },
            Work::Dense { dense } => {
                let [weights, bias] = self.tensors(dense)?;
                Weights::Dense(PackedDense::new(&weights.to_vec(), &bias.to_vec()))
            }
            Work::MaxPool | Work::GlobalPool | Work::WeightedPool { .. } | Work::Copy => Weights::None,
        };
        let bias = match step.add {
            Some(Summand::Bias(layer)) => {
                let [bias] = self.tensors(layer)?;
                let bias = transposed(&bias.to_vec(), self.channels(layer));
                Some(Aligned::padded(&bias, bias.len()))
            }
            _ => None,
        };
        Ok(Learned { weights, activation: self.activated(step.activation)?, bias, then: self.activated(step.then)? })
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
    let mut numbers = Aligned::zeros(tensor.values().len());
    numbers.iter_mut().zip(tensor.values()).for_each(|(to, from)| *to = from);
    numbers
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
