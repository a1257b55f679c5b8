//! Runs the fused ops of a network, each at once or part by part: several threads may make parts of one.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::aligned::{as_bytes, as_bytes_mut};
use super::conv::UNITS;
use super::finish::{self, Finish};
use super::fuse::{FusedOp, Summand, Work};
use super::int8::{self, Added, Quantization, Target};
use super::network::{Learned, Network, Weights};
use super::plan::{Plan, band};
use super::separable::Separable;
use super::{elementwise, integers};
use crate::model::Shape;

/// The values of one run, which several threads read and write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    first: *mut f32,
    len: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: it reads and writes nothing by itself; the callers of the methods that do promise that nothing is written
// while it is read.
unsafe impl Send for Values<'_> {}
unsafe impl Sync for Values<'_> {}

impl<'a> Values<'a> {
    /// All that lies before a plan's workspace.
    pub fn new(memory: &'a mut [f32]) -> Self {
        Self { first: memory.as_mut_ptr(), len: memory.len(), borrowed: PhantomData }
    }

    /// # Safety
    /// Nobody may write there while they are used.
    unsafe fn numbers(self, place: Range<usize>) -> &'a [f32] {
        assert!(place.start <= place.end && place.end <= self.len, "a place in memory");
        // SAFETY: the place lies in memory that is borrowed; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.first.add(place.start), place.len()) }
    }

    /// # Safety
    /// Nobody else may read or write there while they are used.
    pub unsafe fn numbers_mut(self, place: Range<usize>) -> &'a mut [f32] {
        assert!(place.start <= place.end && place.end <= self.len, "a place in memory");
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(place.start), place.len()) }
    }

    /// # Safety
    /// As [`Values::numbers_mut`].
    unsafe fn quantised_mut(self, place: &Range<usize>, quantised: Range<usize>) -> &'a mut [u8] {
        assert!(
            quantised.start <= quantised.end
                && quantised.end <= place.len() * size_of::<f32>()
                && place.end <= self.len
        );
        // SAFETY: as above; any bytes are numbers.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.first.add(place.start).cast::<u8>().add(quantised.start),
                quantised.len(),
            )
        }
    }
}

impl Network {
    /// The smallest part of fused op `i`'s output that can be computed by itself, in numbers: a row, some units of a
    /// dense layer, or the whole. Parts are multiples of it.
    pub(super) fn grain(&self, i: usize, shapes: &[Shape]) -> usize {
        let to = shapes[self.ops[i].output];
        let (row, units) = (to.width * to.channels, UNITS.min(to.len()));
        match &self.learned[i].weights {
            Weights::Integer(integers::Layer::Conv(_) | integers::Layer::Depthwise(_)) => row,
            Weights::Conv(_) | Weights::Depthwise(_) | Weights::Separable { .. } => row,
            Weights::Integer(integers::Layer::Dense(_)) | Weights::Compact(_) => units,
            Weights::Dense(dense) if dense.by_units() => units,
            Weights::Dense(_) | Weights::None => to.len(),
        }
    }

    /// Numbers that fused op `i` needs besides what every op of its kind does: for quantised values.
    pub(super) fn staging(&self, i: usize, shapes: &[Shape]) -> usize {
        let fused = &self.ops[i];
        let (from, to) = (shapes[fused.input], shapes[fused.output]);
        match (&self.learned[i].weights, fused.work) {
            (Weights::Integer(layer), work) => {
                let pooled = matches!(work, Work::Conv { pool: true, .. });
                layer.workspace(to.height, from.width, pooled).div_ceil(size_of::<f32>())
            }
            _ if self.integers.is_plain(fused.output) || only_rounds(fused) => 0,
            _ => band(self.grain(i, shapes), to.len()),
        }
    }

    /// Runs fused op `i` over the numbers of a [`Plan`].
    pub(super) fn run_op(&self, i: usize, plan: &Plan, memory: &mut [f32]) {
        let (values, workspace) = memory.split_at_mut(plan.workspace.start);
        let all = 0..plan.shapes[self.ops[i].output].len();
        // SAFETY: the memory is ours alone.
        unsafe { self.run_part(i, plan, Values::new(values), all, workspace) };
    }

    /// Makes a part of fused op `i`'s output: some of its numbers, from a multiple of [`Network::grain`] to a multiple
    /// or the end. The workspace is as long as the plan's.
    ///
    /// # Safety
    /// What the fused op reads must be there, and nobody may write to it meanwhile; nobody else may read or write the
    /// part.
    pub(super) unsafe fn run_part(
        &self,
        i: usize,
        plan: &Plan,
        values: Values,
        part: Range<usize>,
        workspace: &mut [f32],
    ) {
        let (fused, learned, grain) = (&self.ops[i], &self.learned[i], self.grain(i, &plan.shapes));
        Running { network: self, fused, learned, plan, values, grain }.make(part, workspace);
    }
}

/// Whether a fused op does nothing but round.
fn only_rounds(fused: &FusedOp) -> bool {
    fused.work == Work::Copy && fused.layers.len() == 1 && fused.quantize.is_some()
}

/// Computes a part of a fused op's output. To make one is to make the promise of [`Network::run_part`].
struct Running<'a> {
    network: &'a Network,
    fused: &'a FusedOp,
    learned: &'a Learned,
    plan: &'a Plan,
    values: Values<'a>,
    grain: usize,
}

impl<'a> Running<'a> {
    fn make(&self, part: Range<usize>, workspace: &mut [f32]) {
        let fused = self.fused;
        if let Weights::Integer(layer) = &self.learned.weights {
            return self.integers(layer, part, workspace);
        }
        let Some(quantization) = self.quantization_of(fused.output) else {
            // SAFETY: the only one of this part.
            let output = unsafe { self.numbers_mut(&part) };
            self.numbers(part, workspace, output);
            return self.round(output);
        };
        // SAFETY: the only one of this part.
        let quantised = unsafe { self.quantised_mut(&part) };
        if only_rounds(fused) {
            return int8::quantise(&self.number(fused.input)[part], quantization, quantised);
        }
        // In bands that are still in the nearest cache when they become quantised values.
        let most = band(self.grain, part.len());
        let (numbers, workspace) = workspace.split_at_mut(most);
        for (quantised, start) in quantised.chunks_mut(most).zip(part.step_by(most)) {
            let numbers = &mut numbers[..quantised.len()];
            self.numbers(start..start + quantised.len(), workspace, numbers);
            int8::quantise(numbers, quantization, quantised);
        }
    }

    /// What a value lies as, if not as numbers.
    fn quantization_of(&self, value: usize) -> Option<Quantization> {
        self.network.integers.quantised[value]
    }

    /// A value.
    fn number(&self, value: usize) -> &'a [f32] {
        // SAFETY: the promise; a plan keeps apart what a fused op reads and what it makes, but for fused ops in place,
        // which do not ask for it.
        unsafe { self.values.numbers(self.plan.places[value].clone()) }
    }

    /// A value that lies as quantised values.
    fn quantised(&self, value: usize) -> &'a [u8] {
        &as_bytes(self.number(value))[..self.plan.shapes[value].len()]
    }

    /// A part that is made as numbers.
    ///
    /// # Safety
    /// Nothing else that this answered, or [`Running::quantised_mut`], may be used meanwhile: the memory is the part's
    /// alone.
    #[allow(clippy::mut_from_ref, reason = "it is memory that the part owns, whoever else reads the rest")]
    unsafe fn numbers_mut(&self, part: &Range<usize>) -> &'a mut [f32] {
        let start = self.plan.places[self.fused.output].start;
        // SAFETY: the promise.
        unsafe { self.values.numbers_mut(start + part.start..start + part.end) }
    }

    /// The same as quantised values.
    ///
    /// # Safety
    /// As [`Running::numbers_mut`].
    #[allow(clippy::mut_from_ref, reason = "as above")]
    unsafe fn quantised_mut(&self, part: &Range<usize>) -> &'a mut [u8] {
        // SAFETY: the promise.
        unsafe { self.values.quantised_mut(&self.plan.places[self.fused.output], part.clone()) }
    }

    /// The rows that a part is.
    fn rows(&self, part: &Range<usize>) -> Range<usize> {
        part.start / self.grain..part.end / self.grain
    }

    /// Rounds a result where it lies as numbers.
    fn round(&self, output: &mut [f32]) {
        if let Some(Quantization { scale, zero_point }) = self.learned.rounding {
            elementwise::quantize(scale, f32::from(zero_point), output);
        }
    }

    /// Of a layer in integers.
    fn integers(&self, layer: &integers::Layer, part: Range<usize>, workspace: &mut [f32]) {
        let Self { fused, learned, plan, .. } = *self;
        let from = plan.shapes[fused.input];
        let add = match fused.add {
            None => None,
            Some(Summand::Bias(_)) => learned.bias.as_deref().map(|bias| Added::Numbers(&bias[part.clone()])),
            Some(Summand::Value(other)) => Some(match self.quantization_of(other) {
                Some(quantization) => Added::Quantised(&self.quantised(other)[part.clone()], quantization),
                None => Added::Numbers(&self.number(other)[part.clone()]),
            }),
        };
        let finish = int8::Finish { activation: learned.activation.as_ref(), add, then: learned.then.as_ref() };
        let (input, size, rows) = (self.quantised(fused.input), (from.height, from.width), self.rows(&part));
        let run = |target: Target| match (layer, target, fused.work) {
            (
                integers::Layer::Conv(conv),
                Target::Quantised(quantised, quantization),
                Work::Conv { pool: true, .. },
            ) => {
                conv.run_pooled_rows(input, size, rows, finish, as_bytes_mut(workspace), (quantised, quantization));
            }
            (integers::Layer::Conv(conv), target, _) => {
                conv.run_rows(input, size, rows, finish, as_bytes_mut(workspace), target);
            }
            (integers::Layer::Depthwise(depthwise), target, _) => {
                depthwise.run_rows(input, size, rows, finish, workspace, target);
            }
            (integers::Layer::Dense(dense), target, _) => dense.run_units(input, part.clone(), finish, target),
        };
        match self.quantization_of(fused.output) {
            // SAFETY of both: the only one of this part.
            Some(quantization) => run(Target::Quantised(unsafe { self.quantised_mut(&part) }, quantization)),
            None => {
                let output = unsafe { self.numbers_mut(&part) };
                run(Target::Numbers(output));
                self.round(output);
            }
        }
    }

    /// Of a fused op that reads and makes numbers; `output` begins with the first of the part.
    fn numbers(&self, part: Range<usize>, workspace: &mut [f32], output: &mut [f32]) {
        let Self { network, fused, learned, plan, .. } = *self;
        let (from, to) = (plan.shapes[fused.input], plan.shapes[fused.output]);
        let (size, rows) = ((from.height, from.width), self.rows(&part));
        let add = match fused.add {
            None => None,
            Some(Summand::Value(other)) => Some(&self.number(other)[part.clone()]),
            Some(Summand::Bias(_)) => learned.bias.as_deref().map(|bias| &bias[part.clone()]),
        };
        let (activation, then) = (learned.activation.as_ref(), learned.then.as_ref());
        let finish = Finish { activation, add, then, exact: network.rounds };
        let input = || self.number(fused.input);
        match (fused.work, &learned.weights) {
            (Work::Conv { pool: false, .. }, Weights::Conv(conv)) => conv.run_rows(input(), size, rows, finish, output),
            (Work::Conv { pool: true, .. }, Weights::Conv(conv)) => {
                conv.run_pooled_rows(input(), size, rows, finish, output);
            }
            (_, Weights::Depthwise(depthwise)) => depthwise.as_ref().run_rows(input(), size, rows, finish, output),
            (_, Weights::Separable { depthwise, between, pointwise }) => {
                let between = Finish { activation: between.as_ref(), exact: finish.exact, ..Finish::default() };
                let pair = Separable { depthwise: depthwise.as_ref(), between, pointwise, finish };
                pair.run_rows(input(), size, rows, workspace, output);
            }
            (_, Weights::Dense(dense)) => dense.run_units(input(), part, finish, output),
            (_, Weights::Compact(dense)) => dense.run_units(input(), part, finish, output),
            (work, weights) => {
                match work {
                    Work::MaxPool => elementwise::max_pool(input(), from, output),
                    Work::GlobalPool => elementwise::global_pool(input(), output),
                    Work::WeightedPool { weights } => elementwise::weighted_pool(input(), self.number(weights), output),
                    Work::Copy if plan.places[fused.input] == plan.places[fused.output] => (),
                    Work::Copy => output.copy_from_slice(input()),
                    work => unreachable!("{work:?} has {weights:?}"),
                }
                finish::in_place(finish, to.channels, output);
            }
        }
    }
}
