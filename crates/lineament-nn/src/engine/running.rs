//! Runs the steps of a network, each at once or part by part: several threads may make parts of one.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use super::aligned::{as_bytes, as_bytes_mut};
use super::conv::UNITS;
use super::finish::{self, Finish};
use super::int8::{self, Added, Steps, Target};
use super::network::{Learned, Network, Weights};
use super::plan::{Plan, band};
use super::separable::Separable;
use super::steps::{Step, Summand, Work};
use super::{elementwise, integers};
use crate::model::Shape;

/// The values of one run, which several threads read and write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    first: *mut f32,
    len: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: it reads and writes nothing by itself; whoever does has promised that nobody writes what is read.
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
    unsafe fn codes_mut(self, place: &Range<usize>, codes: Range<usize>) -> &'a mut [u8] {
        assert!(codes.start <= codes.end && codes.end <= place.len() * size_of::<f32>() && place.end <= self.len);
        // SAFETY: as above; any bytes are numbers.
        unsafe {
            std::slice::from_raw_parts_mut(self.first.add(place.start).cast::<u8>().add(codes.start), codes.len())
        }
    }
}

impl Network {
    /// Of step `i`'s output so many numbers can be made alone, and any multiple of them: a row, some units of a dense
    /// layer, or all there are.
    pub(super) fn grain(&self, i: usize, shapes: &[Shape]) -> usize {
        let to = shapes[self.steps[i].output];
        let (row, units) = (to.width * to.channels, UNITS.min(to.len()));
        match &self.learned[i].weights {
            Weights::Integer(integers::Layer::Conv(_) | integers::Layer::Depthwise(_)) => row,
            Weights::Conv(_) | Weights::Depthwise(_) | Weights::Separable { .. } => row,
            Weights::Integer(integers::Layer::Dense(_)) | Weights::Compact(_) => units,
            Weights::Dense(dense) if dense.by_units() => units,
            Weights::Dense(_) | Weights::None => to.len(),
        }
    }

    /// Numbers that step `i` needs beside what every step of its kind does: for codes.
    pub(super) fn staging(&self, i: usize, shapes: &[Shape]) -> usize {
        let step = &self.steps[i];
        let (from, to) = (shapes[step.input], shapes[step.output]);
        match (&self.learned[i].weights, step.work) {
            (Weights::Integer(layer), work) => {
                let pooled = matches!(work, Work::Conv { pool: true, .. });
                layer.workspace(to.height, from.width, pooled).div_ceil(size_of::<f32>())
            }
            _ if self.integers.is_plain(step.output) || only_rounds(step) => 0,
            _ => band(self.grain(i, shapes), to.len()),
        }
    }

    /// Runs step `i` over the numbers of a [`Plan`].
    pub(super) fn run_step(&self, i: usize, plan: &Plan, memory: &mut [f32]) {
        let (values, workspace) = memory.split_at_mut(plan.workspace.start);
        let all = 0..plan.shapes[self.steps[i].output].len();
        // SAFETY: the memory is ours alone.
        unsafe { self.run_part(i, plan, Values::new(values), all, workspace) };
    }

    /// Makes a part of step `i`'s output: some of its numbers, from a multiple of [`Network::grain`] to a multiple or the
    /// end. The workspace is as long as the plan's.
    ///
    /// # Safety
    /// What the step reads must be there, and nobody may write to it meanwhile; nobody else may read or write the part.
    pub(super) unsafe fn run_part(
        &self,
        i: usize,
        plan: &Plan,
        values: Values,
        part: Range<usize>,
        workspace: &mut [f32],
    ) {
        let (step, learned, grain) = (&self.steps[i], &self.learned[i], self.grain(i, &plan.shapes));
        Running { network: self, step, learned, plan, values, grain }.make(part, workspace);
    }
}

/// Whether a step does nothing but round.
fn only_rounds(step: &Step) -> bool {
    step.work == Work::Copy && step.layers.len() == 1 && step.quantize.is_some()
}

/// What makes a part of a step's output; whoever makes this keeps the promise of [`Network::run_part`].
struct Running<'a> {
    network: &'a Network,
    step: &'a Step,
    learned: &'a Learned,
    plan: &'a Plan,
    values: Values<'a>,
    grain: usize,
}

impl<'a> Running<'a> {
    fn make(&self, part: Range<usize>, workspace: &mut [f32]) {
        let step = self.step;
        if let Weights::Integer(layer) = &self.learned.weights {
            return self.integers(layer, part, workspace);
        }
        let Some(steps) = self.codes_of(step.output) else {
            // SAFETY: the only one of this part.
            let output = unsafe { self.numbers_mut(&part) };
            self.numbers(part, workspace, output);
            return self.round(output);
        };
        // SAFETY: the only one of this part.
        let codes = unsafe { self.codes_mut(&part) };
        if only_rounds(step) {
            return int8::to_codes(&self.number(step.input)[part], steps, codes);
        }
        // In bands that are still in the nearest cache when they become codes.
        let most = band(self.grain, part.len());
        let (numbers, workspace) = workspace.split_at_mut(most);
        for (codes, start) in codes.chunks_mut(most).zip(part.step_by(most)) {
            let numbers = &mut numbers[..codes.len()];
            self.numbers(start..start + codes.len(), workspace, numbers);
            int8::to_codes(numbers, steps, codes);
        }
    }

    /// What a value lies as, if not as numbers.
    fn codes_of(&self, value: usize) -> Option<Steps> {
        self.network.integers.codes[value]
    }

    /// A value.
    fn number(&self, value: usize) -> &'a [f32] {
        // SAFETY: the promise; a plan keeps apart what a step reads and what it makes, but for steps in place, which do
        // not ask for it.
        unsafe { self.values.numbers(self.plan.places[value].clone()) }
    }

    /// A value that lies as codes.
    fn code(&self, value: usize) -> &'a [u8] {
        &as_bytes(self.number(value))[..self.plan.shapes[value].len()]
    }

    /// A part that is made as numbers.
    ///
    /// # Safety
    /// Nothing else that this answered, or [`Running::codes_mut`], may be used meanwhile: the memory is the part's alone.
    #[allow(clippy::mut_from_ref, reason = "it is memory that the part owns, whoever else reads the rest")]
    unsafe fn numbers_mut(&self, part: &Range<usize>) -> &'a mut [f32] {
        let start = self.plan.places[self.step.output].start;
        // SAFETY: the promise.
        unsafe { self.values.numbers_mut(start + part.start..start + part.end) }
    }

    /// The same as codes.
    ///
    /// # Safety
    /// As [`Running::numbers_mut`].
    #[allow(clippy::mut_from_ref, reason = "as above")]
    unsafe fn codes_mut(&self, part: &Range<usize>) -> &'a mut [u8] {
        // SAFETY: the promise.
        unsafe { self.values.codes_mut(&self.plan.places[self.step.output], part.clone()) }
    }

    /// The rows that a part is.
    fn rows(&self, part: &Range<usize>) -> Range<usize> {
        part.start / self.grain..part.end / self.grain
    }

    /// Rounds a result where it lies as numbers.
    fn round(&self, output: &mut [f32]) {
        if let Some(Steps { scale, offset }) = self.learned.rounding {
            elementwise::quantize(scale, f32::from(offset), output);
        }
    }

    /// Of a layer in integers.
    fn integers(&self, layer: &integers::Layer, part: Range<usize>, workspace: &mut [f32]) {
        let Self { step, learned, plan, .. } = *self;
        let from = plan.shapes[step.input];
        let add = match step.add {
            None => None,
            Some(Summand::Bias(_)) => learned.bias.as_deref().map(|bias| Added::Numbers(&bias[part.clone()])),
            Some(Summand::Value(other)) => Some(match self.codes_of(other) {
                Some(steps) => Added::Codes(&self.code(other)[part.clone()], steps),
                None => Added::Numbers(&self.number(other)[part.clone()]),
            }),
        };
        let finish = int8::Finish { activation: learned.activation.as_ref(), add, then: learned.then.as_ref() };
        let (input, size, rows) = (self.code(step.input), (from.height, from.width), self.rows(&part));
        let run = |target: Target| match (layer, target, step.work) {
            (integers::Layer::Conv(conv), Target::Codes(codes, steps), Work::Conv { pool: true, .. }) => {
                conv.run_pooled_rows(input, size, rows, finish, as_bytes_mut(workspace), (codes, steps));
            }
            (integers::Layer::Conv(conv), target, _) => {
                conv.run_rows(input, size, rows, finish, as_bytes_mut(workspace), target);
            }
            (integers::Layer::Depthwise(depthwise), target, _) => {
                depthwise.run_rows(input, size, rows, finish, workspace, target);
            }
            (integers::Layer::Dense(dense), target, _) => dense.run_units(input, part.clone(), finish, target),
        };
        match self.codes_of(step.output) {
            // SAFETY of both: the only one of this part.
            Some(steps) => run(Target::Codes(unsafe { self.codes_mut(&part) }, steps)),
            None => {
                let output = unsafe { self.numbers_mut(&part) };
                run(Target::Numbers(output));
                self.round(output);
            }
        }
    }

    /// Of a step that reads and makes numbers; `output` begins with the first of the part.
    fn numbers(&self, part: Range<usize>, workspace: &mut [f32], output: &mut [f32]) {
        let Self { network, step, learned, plan, .. } = *self;
        let (from, to) = (plan.shapes[step.input], plan.shapes[step.output]);
        let (size, rows) = ((from.height, from.width), self.rows(&part));
        let add = match step.add {
            None => None,
            Some(Summand::Value(other)) => Some(&self.number(other)[part.clone()]),
            Some(Summand::Bias(_)) => learned.bias.as_deref().map(|bias| &bias[part.clone()]),
        };
        let (activation, then) = (learned.activation.as_ref(), learned.then.as_ref());
        let finish = Finish { activation, add, then, exact: network.rounds };
        let input = || self.number(step.input);
        match (step.work, &learned.weights) {
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
                    Work::Copy if plan.places[step.input] == plan.places[step.output] => (),
                    Work::Copy => output.copy_from_slice(input()),
                    work => unreachable!("{work:?} has {weights:?}"),
                }
                finish::in_place(finish, to.channels, output);
            }
        }
    }
}
