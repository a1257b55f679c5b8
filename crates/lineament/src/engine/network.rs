//! A model made ready to run: its layers as steps, their weights arranged for the processor. Nothing in it changes, so
//! any number of callers and threads can share it.

use std::ops::Range;

use super::aligned::{Aligned, as_bytes, as_bytes_mut};
use super::compact_dense::CompactDense;
use super::conv::PackedConv;
use super::dense::PackedDense;
use super::depthwise::Depthwise;
use super::elementwise;
use super::finish::{self, Activated, Finish};
use super::int8::{self, Added, Steps, Target};
use super::integers::{self, Integers};
use super::plan::{Plan, band_rows};
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
    integers: Integers,
    /// Whether values are rounded to steps: a last bit may decide which, so that every level must come to the same ones.
    rounds: bool,
}

/// What a step has learned, in the kernels' order.
#[derive(Debug)]
struct Learned {
    weights: Weights,
    activation: Option<Activated>,
    /// A position bias, `[h, w, c]`.
    bias: Option<Aligned>,
    then: Option<Activated>,
    /// How the result is rounded.
    rounding: Option<Steps>,
}

impl Learned {
    /// The step's layer, where it can make some rows alone.
    fn by_rows(&self, step: &Step) -> Option<ByRows<'_>> {
        match (&self.weights, step.work, step.add) {
            (Weights::Conv(conv), Work::Conv { pool: false, .. }, None) => Some(ByRows::Conv(conv)),
            (Weights::Depthwise(depthwise), _, None) => Some(ByRows::Depthwise(depthwise.as_ref())),
            _ => None,
        }
    }
}

/// A layer in f32 that can make some rows alone.
enum ByRows<'a> {
    Conv(&'a PackedConv),
    Depthwise(Depthwise<'a>),
}

impl ByRows<'_> {
    /// Makes `rows` of the output.
    fn run(&self, input: &[f32], size: (usize, usize), rows: Range<usize>, finish: Finish, output: &mut [f32]) {
        match self {
            Self::Conv(conv) => conv.run_rows(input, size, rows, finish, output),
            Self::Depthwise(depthwise) => depthwise.run_rows(input, size, rows, finish, output),
        }
    }
}

#[derive(Debug)]
enum Weights {
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
        let (shapes, steps) = (architecture.shapes()?, Step::all(&architecture));
        let integers = Integers::new(model, &shapes, &steps)?;
        let source = Source { model, shapes };
        let input_steps = |i: usize, step: &Step| integers.codes[step.input].filter(|_| integers.steps[i]);
        let learned = steps.iter().enumerate().map(|(i, step)| source.learned(step, input_steps(i, step)));
        let rounds = steps.iter().any(|step| step.quantize.is_some());
        Ok(Self { learned: learned.collect::<Result<_>>()?, architecture, steps, integers, rounds })
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
        Plan::of_steps(&self.steps, &self.architecture, input, &self.integers, |i, shapes| self.staging(i, shapes))
    }

    /// Numbers that step `i` needs beside what every step of its kind does: for codes.
    fn staging(&self, i: usize, shapes: &[Shape]) -> usize {
        let step = &self.steps[i];
        let (from, to) = (shapes[step.input], shapes[step.output]);
        match (&self.learned[i].weights, step.work) {
            (Weights::Integer(layer), work) => {
                let pooled = matches!(work, Work::Conv { pool: true, .. });
                layer.workspace((from.height, from.width), pooled).div_ceil(size_of::<f32>())
            }
            _ if self.integers.is_plain(step.output) || only_rounds(step) => 0,
            _ if self.learned[i].by_rows(step).is_some() => band_rows(to) * to.width * to.channels,
            _ => to.len(),
        }
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
        let (activation, then) = (learned.activation.as_ref(), learned.then.as_ref());
        let size = (from.height, from.width);
        if let Weights::Integer(layer) = &learned.weights {
            let codes_of = |v: usize| &as_bytes(value(v))[..plan.shapes[v].len()];
            let codes = |v: usize| self.integers.codes[v].map(|steps| (codes_of(v), steps));
            let added = match step.add {
                Some(Summand::Value(other)) => codes(other).map(|(codes, steps)| Added::Codes(codes, steps)),
                _ => None,
            };
            let finish = int8::Finish { activation, add: added.or(add.map(Added::Numbers)), then };
            let target = match self.integers.codes[step.output] {
                Some(steps) => Target::Codes(&mut as_bytes_mut(output)[..to.len()], steps),
                None => Target::Numbers(&mut *output),
            };
            let input = codes_of(step.input);
            match (layer, target, step.work) {
                (integers::Layer::Conv(conv), Target::Codes(codes, steps), Work::Conv { pool: true, .. }) => {
                    conv.run_pooled(input, size, finish, as_bytes_mut(workspace), (codes, steps));
                }
                (integers::Layer::Conv(conv), target, _) => {
                    conv.run(input, size, finish, as_bytes_mut(workspace), target);
                }
                (integers::Layer::Depthwise(depthwise), target, _) => {
                    depthwise.run(input, size, finish, workspace, target);
                }
                (integers::Layer::Dense(dense), target, _) => dense.run(input, finish, target),
            }
            return self.round(learned, step, output);
        }
        let finish = Finish { activation, add, then, exact: self.rounds };
        if let Some(steps) = self.integers.codes[step.output] {
            let codes = &mut as_bytes_mut(output)[..to.len()];
            if only_rounds(step) {
                return int8::to_codes(value(step.input), steps, codes);
            }
            if let Some(layer) = learned.by_rows(step) {
                // In bands that are still in the nearest cache when they become codes.
                let row = to.width * to.channels;
                for (band, codes) in codes.chunks_mut(band_rows(to) * row).enumerate() {
                    let (first, numbers) = (band * band_rows(to), &mut workspace[..codes.len()]);
                    layer.run(value(step.input), size, first..first + codes.len() / row, finish, numbers);
                    int8::to_codes(numbers, steps, codes);
                }
                return;
            }
            let (numbers, workspace) = workspace.split_at_mut(to.len());
            self.run_numbers(i, plan, value, finish, workspace, numbers);
            return int8::to_codes(numbers, steps, codes);
        }
        self.run_numbers(i, plan, value, finish, workspace, output);
        self.round(learned, step, output);
    }

    /// Rounds a step's result where it lies as numbers.
    fn round(&self, learned: &Learned, step: &Step, output: &mut [f32]) {
        if let Some(Steps { scale, offset }) = learned.rounding.filter(|_| self.integers.is_plain(step.output)) {
            elementwise::quantize(scale, f32::from(offset), output);
        }
    }

    /// Runs a step that reads and makes numbers; `value` answers what lies in memory.
    fn run_numbers<'m>(
        &self,
        i: usize,
        plan: &Plan,
        value: impl Fn(usize) -> &'m [f32],
        finish: Finish,
        workspace: &mut [f32],
        output: &mut [f32],
    ) {
        let (step, learned) = (&self.steps[i], &self.learned[i]);
        let (from, to) = (plan.shapes[step.input], plan.shapes[step.output]);
        let size = (from.height, from.width);
        match (step.work, &learned.weights) {
            (Work::Conv { pool: false, .. }, Weights::Conv(conv)) => conv.run(value(step.input), size, finish, output),
            (Work::Conv { pool: true, .. }, Weights::Conv(conv)) => {
                conv.run_pooled(value(step.input), size, finish, output);
            }
            (_, Weights::Depthwise(depthwise)) => depthwise.as_ref().run(value(step.input), size, finish, output),
            (_, Weights::Separable { depthwise, between, pointwise }) => {
                let between = Finish { activation: between.as_ref(), exact: finish.exact, ..Finish::default() };
                let pair = Separable { depthwise: depthwise.as_ref(), between, pointwise, finish };
                pair.run(value(step.input), size, workspace, output);
            }
            (_, Weights::Dense(dense)) => dense.run(1, value(step.input), finish, output),
            (_, Weights::Compact(dense)) => {
                dense.run(value(step.input), output);
                finish::in_place(finish, to.channels, output);
            }
            (work, weights) => {
                match work {
                    Work::MaxPool => elementwise::max_pool(value(step.input), from, output),
                    Work::GlobalPool => elementwise::global_pool(value(step.input), output),
                    Work::WeightedPool { weights } => {
                        elementwise::weighted_pool(value(step.input), value(weights), output);
                    }
                    Work::Copy if plan.places[step.input] == plan.places[step.output] => (),
                    Work::Copy => output.copy_from_slice(value(step.input)),
                    work => unreachable!("{work:?} has {weights:?}"),
                }
                finish::in_place(finish, to.channels, output);
            }
        }
    }
}

/// Whether a step does nothing but round.
fn only_rounds(step: &Step) -> bool {
    step.work == Work::Copy && step.layers.len() == 1 && step.quantize.is_some()
}

/// What the weights are taken from.
struct Source<'a> {
    model: &'a Model<'a>,
    shapes: Vec<Shape>,
}

impl Source<'_> {
    /// `input` is given to steps that run in integers.
    fn learned(&self, step: &Step, input: Option<Steps>) -> Result<Learned> {
        for &layer in &step.layers {
            let op = self.op(layer);
            if op == Op::BatchNorm {
                return Err(Error::Model("batch normalisation is for training only".into()));
            }
            if self.model.weights[layer].iter().any(|tensor| tensor.to_vec().iter().any(|v| !v.is_finite())) {
                return Err(Error::Model(format!("a weight of {op:?} is not a finite number")));
            }
        }
        let weights = match (step.work, input) {
            (
                Work::Conv { conv: layer, .. } | Work::Depthwise { depthwise: layer } | Work::Dense { dense: layer },
                Some(steps),
            ) => Weights::Integer(integers::Layer::new(self.model, &self.shapes, layer, steps)?),
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
        let bias = match step.add {
            Some(Summand::Bias(layer)) => {
                let [bias] = self.tensors(layer)?;
                let bias = transposed(&bias.to_vec(), self.channels(layer));
                Some(Aligned::padded(&bias, bias.len()))
            }
            _ => None,
        };
        let (activation, then) = (self.activated(step.activation)?, self.activated(step.then)?);
        let rounding = step.quantize.map(|layer| integers::rounding(self.model, layer)).transpose()?;
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
