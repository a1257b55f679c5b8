//! One training step: the groups of a batch run forward and backward in parallel, their gradients are added in a fixed
//! order, and Adam takes one step.
//!
//! This is the seam for another backend (a GPU): whatever can do [`Trainer::step`] on a [`Graph`] and hand back
//! [`Params`] can take its place; data, losses, checkpoints and export depend on nothing behind it.

use std::ops::Range;

use rayon::prelude::*;

use lineament_nn::engine::elementwise;
use lineament_nn::simd::vectorized;

use crate::adam::{Adam, AdamStep, CHUNK};
use crate::graph::{Graph, Group, conv::Conv};
use crate::params::Params;

/// Share of a step's batch statistics in the running statistics; PyTorch's default.
const STATISTICS_MOMENTUM: f32 = 0.1;

/// A network in training.
pub struct Trainer {
    /// The layers.
    pub graph: Graph,
    /// What is learned.
    pub params: Params,
    /// The exponential moving average (EMA) of what is learned, where one is kept.
    pub ema: Option<Ema>,
    /// The optimiser's memory.
    pub adam: Adam,
    convs: Vec<Conv>,
    groups: Vec<GroupState>,
}

/// An exponential moving average of what is learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Ema {
    /// The average.
    pub params: Params,
    /// Share of the old average that stays at each step.
    keep: f32,
}

/// One group's memory and results.
#[derive(Default)]
struct GroupState {
    group: Group,
    d_params: Vec<f32>,
    d_outputs: Vec<Vec<f32>>,
    statistics: Vec<f32>,
}

/// What a loss reads: the outputs of one group, in the architecture's order.
pub struct Outputs<'a> {
    graph: &'a Graph,
    group: &'a Group,
}

impl Outputs<'_> {
    /// Output `index`, `[samples, ...]`.
    pub fn get(&self, index: usize) -> &[f32] {
        self.group.output(self.graph, index)
    }
}

impl Trainer {
    /// Starts from `params` with `groups` groups per batch; no EMA is kept.
    pub fn new(graph: Graph, params: Params, groups: usize) -> Self {
        let adam = Adam::new(params.values.len());
        let groups = (0..groups).map(|_| GroupState::default()).collect();
        Self { graph, ema: None, params, adam, convs: Vec::new(), groups }
    }

    /// Keeps an EMA of what is learned from here on, of which the share `keep` stays at each step.
    pub fn with_ema(mut self, keep: f32) -> Self {
        self.ema = Some(Ema { params: self.params.clone(), keep });
        self
    }

    /// Starts anew from `params`: the optimiser forgets its moments, and the EMA begins again.
    pub fn restart(&mut self, params: Params) {
        self.adam = Adam::new(params.values.len());
        if let Some(ema) = &mut self.ema {
            ema.params = params.clone();
        }
        self.params = params;
    }

    /// What is exported: the EMA where one is kept, else what is learned.
    pub fn exported(&self) -> &Params {
        self.ema.as_ref().map_or(&self.params, |ema| &ema.params)
    }

    /// One step on a batch of `batch` samples.
    ///
    /// For each group, `fill(samples, input)` writes the group's samples of the batch into the input
    /// `[samples, h, w, c]` and returns the targets. `loss(targets, outputs, gradients)` then writes the gradient of
    /// each output (zeroed before) and returns a report. The reports of all groups come back in order. A group may have
    /// nothing to do.
    ///
    /// Gradients are summed over the groups: a loss that is a mean over the batch divides by the whole batch.
    pub fn step<T, R: Send>(
        &mut self,
        batch: usize,
        step: AdamStep,
        fill: impl Fn(Range<usize>, &mut [f32]) -> T + Sync,
        loss: impl Fn(T, &Outputs, &mut [Vec<f32>]) -> R + Sync,
    ) -> Vec<R> {
        let reports = self.gradients(batch, fill, loss);
        self.apply(step);
        reports
    }

    /// Takes a step with the gradient of the last [`Trainer::gradients`].
    pub fn apply(&mut self, step: AdamStep) {
        self.adam.step(&mut self.params.values, &self.groups[0].d_params, step);
        let share = STATISTICS_MOMENTUM / self.groups.len() as f32;
        self.params.statistics.iter_mut().for_each(|v| *v *= 1.0 - STATISTICS_MOMENTUM);
        for group in &self.groups {
            self.params.statistics.iter_mut().zip(&group.statistics).for_each(|(v, s)| *v += share * s);
        }
        if let Some(Ema { params, keep }) = &mut self.ema {
            // A young average must not cling to the initial weights.
            let keep = keep.min(self.adam.steps as f32 / (self.adam.steps as f32 + 10.0));
            blend(&mut params.values, &self.params.values, keep);
            blend(&mut params.statistics, &self.params.statistics, keep);
        }
    }

    /// The outputs for samples that nothing is learned from: as [`Trainer::gradients`], without the backward pass.
    pub fn predict<T, R: Send>(
        &mut self,
        batch: usize,
        fill: impl Fn(Range<usize>, &mut [f32]) -> T + Sync,
        read: impl Fn(T, &Outputs) -> R + Sync,
    ) -> Vec<R> {
        let Self { graph, params, convs, groups, .. } = self;
        graph.prepare(params, convs);
        let count = groups.len();
        let run = |(index, GroupState { group, .. }): (usize, &mut GroupState)| {
            let samples = share(batch, count, index);
            let targets = fill(samples.clone(), group.input(graph, samples.len()));
            group.forward(graph, convs, &params.values);
            read(targets, &Outputs { graph, group })
        };
        groups.par_iter_mut().enumerate().map(run).collect()
    }

    /// As [`Trainer::step`], without changing what is learned: [`Trainer::gradient`] has the result.
    pub fn gradients<T, R: Send>(
        &mut self,
        batch: usize,
        fill: impl Fn(Range<usize>, &mut [f32]) -> T + Sync,
        loss: impl Fn(T, &Outputs, &mut [Vec<f32>]) -> R + Sync,
    ) -> Vec<R> {
        let Self { graph, params, convs, groups, .. } = self;
        graph.prepare(params, convs);
        let count = groups.len();
        let run = |(index, state): (usize, &mut GroupState)| {
            let GroupState { group, d_params, d_outputs, statistics } = state;
            let samples = share(batch, count, index);
            let targets = fill(samples.clone(), group.input(graph, samples.len()));
            group.forward(graph, convs, &params.values);
            d_outputs.resize_with(graph.architecture.outputs.len(), Vec::new);
            for (k, d) in d_outputs.iter_mut().enumerate() {
                d.clear();
                d.resize(group.output(graph, k).len(), 0.0);
            }
            let report = loss(targets, &Outputs { graph, group }, d_outputs);
            d_params.resize(graph.layout.len, 0.0);
            group.backward(graph, convs, &params.values, d_outputs, d_params);
            statistics.resize(graph.layout.statistics_len, 0.0);
            group.statistics(graph, statistics);
            report
        };
        let reports = groups.par_iter_mut().enumerate().map(run).collect();
        let (first, rest) = groups.split_first_mut().expect("at least one group");
        first.d_params.par_chunks_mut(CHUNK).enumerate().for_each(|(k, sum)| {
            for other in &*rest {
                elementwise::add(sum, &other.d_params[k * CHUNK..][..sum.len()]);
            }
        });
        reports
    }

    /// The gradient of the last step, summed over its groups, in the order of [`Params::values`]; empty before.
    pub fn gradient(&self) -> &[f32] {
        &self.groups[0].d_params
    }
}

/// The samples of a batch that group `index` of `groups` takes.
fn share(batch: usize, groups: usize, index: usize) -> Range<usize> {
    batch * index / groups..batch * (index + 1) / groups
}

fn blend(average: &mut [f32], now: &[f32], keep: f32) {
    average.par_chunks_mut(CHUNK).zip(now.par_chunks(CHUNK)).for_each(|(average, now)| {
        vectorized(
            #[inline(always)]
            || average.iter_mut().zip(now).for_each(|(a, n)| *a = *a * keep + n * (1.0 - keep)),
        );
    });
}

#[cfg(test)]
mod tests {
    use lineament_nn::model::{Activation, Architecture, Op, Shape};
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    /// A trainer of one group over a network with these layers on a 6x6x3 input.
    fn trainer(ops: &[Op]) -> Trainer {
        let mut net = Architecture::new(Shape::hwc(6, 6, 3));
        ops.iter().for_each(|&op| {
            net.push(op);
        });
        net.output("out", ops.len());
        let graph = Graph::new(net).unwrap();
        let mut rng = Pcg64::seed_from_u64(3);
        let mut params = Params::init(&graph.architecture, &graph.layout, &mut rng).unwrap();
        params.values.iter_mut().for_each(|v| *v += rng.random_range(-0.3..0.3));
        Trainer::new(graph, params, 1)
    }

    /// Loss = sum of outputs times fixed random numbers, for `samples` samples; fills the gradient.
    fn loss(trainer: &mut Trainer, samples: usize) -> f64 {
        let fill = |_, input: &mut [f32]| {
            let mut rng = Pcg64::seed_from_u64(5);
            input.iter_mut().for_each(|v| *v = rng.random_range(-2.0..2.0));
        };
        trainer.gradients(samples, fill, |(), outputs, d| {
            let mut rng = Pcg64::seed_from_u64(7);
            d[0].iter_mut().for_each(|d| *d = rng.random_range(-1.0..1.0));
            outputs.get(0).iter().zip(&d[0]).map(|(o, d)| f64::from(*o) * f64::from(*d)).sum()
        })[0]
    }

    #[test]
    fn every_layers_gradient_agrees_with_finite_differences() {
        let conv = |filters, kernel, stride, padding| Op::Conv { filters, kernel, stride, padding };
        let depthwise = |kernel, stride, padding| Op::Depthwise { kernel, stride, padding };
        let act = Op::Activation;
        // A first pointwise layer makes the second layer's input gradient count too.
        let cases: [&[Op]; 28] = [
            &[conv(5, 3, 1, 0)],
            &[conv(4, 1, 1, 0), conv(5, 3, 1, 1)],
            &[conv(4, 1, 1, 0), conv(5, 2, 1, 0)],
            &[conv(4, 1, 1, 0), conv(5, 3, 2, 1)],
            &[conv(4, 1, 1, 0), conv(18, 1, 1, 0)],
            &[conv(4, 1, 1, 0), conv(3, 1, 2, 0)],
            &[conv(4, 1, 1, 0), depthwise(3, 1, 1)],
            &[conv(20, 1, 1, 0), depthwise(3, 2, 1)],
            &[conv(4, 1, 1, 0), depthwise(5, 1, 2)],
            &[conv(17, 1, 1, 0), depthwise(5, 2, 2)],
            &[conv(4, 1, 1, 0), depthwise(2, 1, 0)],
            &[conv(4, 1, 1, 0), Op::BatchNorm],
            &[conv(4, 1, 1, 0), Op::BatchNorm, act(Activation::Relu)],
            &[conv(4, 1, 1, 0), Op::BatchNorm, act(Activation::PRelu), conv(2, 1, 1, 0)],
            &[conv(4, 1, 1, 0), Op::BatchNorm, act(Activation::HardSwish)],
            &[conv(4, 1, 1, 0), act(Activation::PRelu), Op::MaxPool],
            &[conv(4, 1, 1, 0), conv(5, 3, 1, 0), Op::MaxPool],
            &[conv(18, 1, 1, 0), conv(6, 2, 1, 0), Op::MaxPool, act(Activation::Relu)],
            &[conv(35, 1, 1, 0), conv(3, 2, 1, 0), Op::MaxPool, act(Activation::PRelu)],
            &[conv(5, 3, 1, 0), Op::MaxPool],
            &[conv(18, 2, 1, 0), Op::MaxPool, act(Activation::Relu), Op::Dense { units: 3 }],
            &[conv(19, 5, 1, 0), Op::MaxPool],
            &[conv(5, 1, 1, 0), Op::MaxPool],
            &[conv(4, 1, 1, 0), act(Activation::HardSwish), Op::Add { with: 1 }, act(Activation::Relu)],
            &[conv(4, 1, 1, 0), Op::GlobalPool, Op::Dense { units: 3 }],
            &[conv(4, 1, 1, 0), depthwise(3, 1, 1), Op::WeightedPool { weights: 1 }, Op::Dense { units: 3 }],
            &[conv(4, 1, 1, 0), Op::PositionBias, act(Activation::HardSwish), Op::WeightedPool { weights: 2 }],
            &[conv(4, 1, 1, 0), Op::Dense { units: 5 }, act(Activation::Relu), Op::Dense { units: 3 }],
        ];
        let mut failures = Vec::new();
        for ops in cases {
            let mut trainer = trainer(ops);
            loss(&mut trainer, 3);
            let gradient = trainer.gradient().to_vec();
            for (at, &gradient) in gradient.iter().enumerate() {
                let value = trainer.params.values[at];
                let mut numeric = |step: f32| {
                    let mut shifted = |by: f32| {
                        trainer.params.values[at] = value + by;
                        loss(&mut trainer, 3)
                    };
                    let slope = (shifted(step) - shifted(-step)) / f64::from(2.0 * step);
                    trainer.params.values[at] = value;
                    slope as f32
                };
                let agrees = |n: f32| (gradient - n).abs() <= 0.02 * gradient.abs().max(n.abs()) + 0.08;
                // A kink of relu or pooling within the step makes a slope wrong; few are left within a shorter one,
                // where rounding counts more.
                let slopes = [1e-3, 2e-4].map(&mut numeric);
                if !slopes.into_iter().any(agrees) {
                    failures.push(format!("{ops:?} parameter {at}: {gradient} but numerically {slopes:?}"));
                }
            }
        }
        assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n"));
    }

    #[test]
    fn steps_do_not_depend_on_the_number_of_threads() {
        let run = |threads: usize| {
            let mut t = trainer(&[
                Op::Conv { filters: 8, kernel: 3, stride: 1, padding: 1 },
                Op::BatchNorm,
                Op::Activation(Activation::PRelu),
                Op::Dense { units: 4 },
            ]);
            t = t.with_ema(0.9);
            t.groups = (0..4).map(|_| GroupState::default()).collect();
            let step = AdamStep { rate: 0.01, decay: 0.01, scale: 1.0 };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                for i in 0..3 {
                    let fill = |samples: Range<usize>, input: &mut [f32]| {
                        let mut rng = Pcg64::seed_from_u64((100 * i + samples.start) as u64);
                        input.iter_mut().for_each(|v| *v = rng.random_range(-1.0..1.0));
                    };
                    t.step(20, step, fill, |(), outputs, d| d[0].copy_from_slice(outputs.get(0)));
                }
            });
            (t.params, t.ema)
        };
        assert_eq!(run(1), run(3));
    }
}
