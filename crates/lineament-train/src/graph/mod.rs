//! A network's layers forward and backward over a group of samples.
//!
//! A batch is cut into groups; each group runs on one thread with memory of its own and its own batch statistics, and
//! the gradients are added in the order of the groups. So the result depends on the number of groups, which is part
//! of the configuration, and not on the number of threads.

mod channels;
pub mod conv;
pub mod conv_pool;
pub mod depthwise;
pub mod gemm;
pub mod norm;
pub mod padding;
pub mod simple;
pub mod weighted_pool;
pub mod winners;

use std::mem;
use std::ops::Range;

use lineament::{ModelError, Result};
use lineament_nn::engine::aligned::Aligned;
use lineament_nn::engine::depthwise::Depthwise;
use lineament_nn::engine::elementwise;
use lineament_nn::engine::finish::Finish;
use lineament_nn::engine::window::Window;
use lineament_nn::model::{Activation, Architecture, Op, Shape, ValueId};

use crate::params::{Layout, Params};

/// A network arranged for training.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The layers.
    pub architecture: Architecture,
    /// Shapes of all values for one sample.
    pub shapes: Vec<Shape>,
    /// Where the learned numbers lie.
    pub layout: Layout,
    /// Layers that run as one, in order: a batch norm takes its activation along, a convolution its pooling and the
    /// relu behind that.
    steps: Vec<Range<usize>>,
    /// For each value whether a gradient is wanted: anything learned comes before it.
    wants_gradient: Vec<bool>,
}

impl Graph {
    /// Arranges `architecture`.
    ///
    /// # Errors
    /// When its sizes do not fit together, or it is quantised: rounding has no gradient.
    pub fn new(architecture: Architecture) -> Result<Self> {
        let shapes = architecture.shapes()?;
        if architecture.layers.iter().any(|layer| layer.op == Op::Quantize) {
            let what = "a quantised network cannot be trained: train the one it was made of";
            return Err(ModelError::Model(what.into()).into());
        }
        let layout = Layout::new(&architecture)?;
        let readers = |value: ValueId| {
            let layers = architecture.layers.iter();
            layers.filter(|l| l.input == value || l.op.second_input() == Some(value)).count()
                + architecture.outputs.iter().filter(|o| o.value == value).count()
        };
        // What layer `i` does, if it alone reads what the layer before it writes.
        let alone = |i: usize| architecture.layers.get(i).filter(|l| l.input == i && readers(i) == 1).map(|l| l.op);
        let mut steps = Vec::new();
        let mut start = 0;
        while start < architecture.layers.len() {
            let layers = match (architecture.layers[start].op, alone(start + 1), alone(start + 2)) {
                (Op::Conv { stride: 1, padding: 0, .. }, Some(Op::MaxPool), Some(Op::Activation(Activation::Relu))) => {
                    3
                }
                (Op::Conv { stride: 1, padding: 0, .. }, Some(Op::MaxPool), _) => 2,
                (Op::BatchNorm, Some(Op::Activation(_)), _) => 2,
                _ => 1,
            };
            steps.push(start..start + layers);
            start += layers;
        }
        let mut wants_gradient = vec![false];
        for (layer, tensors) in architecture.layers.iter().zip(&layout.tensors) {
            let second = layer.op.second_input().is_some_and(|second| wants_gradient[second]);
            wants_gradient.push(!tensors.is_empty() || second || wants_gradient[layer.input]);
        }
        Ok(Self { architecture, shapes, layout, steps, wants_gradient })
    }

    /// Numbers of one sample that are kept for the way back: the input, and what layers that run as one make.
    pub fn kept_numbers(&self) -> usize {
        self.shapes[0].len() + self.steps.iter().map(|step| self.shapes[step.end].len()).sum::<usize>()
    }

    /// Arranges the weights for one step.
    pub fn prepare(&self, params: &Params, convs: &mut Vec<conv::Conv>) {
        convs.resize_with(self.architecture.layers.len(), conv::Conv::default);
        for step in &self.steps {
            if let Some(size) = self.conv_size(step.start) {
                let [weights, bias] = self.tensors(&params.values, step.start);
                let conv = &mut convs[step.start];
                if step.len() == 1 {
                    conv.prepare(size, weights, bias)
                } else {
                    conv.prepare_pooled(size, weights, bias)
                }
            }
        }
    }

    fn conv_size(&self, layer: usize) -> Option<conv::Size> {
        let inputs = self.shapes[self.architecture.layers[layer].input].channels;
        match self.architecture.layers[layer].op {
            Op::Conv { filters, kernel, stride, padding } => {
                Some(conv::Size { window: Window { kernel, stride, padding }, inputs, outputs: filters })
            }
            _ => None,
        }
    }

    /// A layer's tensors within the row `values`.
    fn tensors<'a, const N: usize>(&self, values: &'a [f32], layer: usize) -> [&'a [f32]; N] {
        std::array::from_fn(|k| &values[self.layout.tensors[layer][k].clone()])
    }

    /// As [`Graph::tensors`], to write to.
    fn tensors_mut<'a, const N: usize>(&self, values: &'a mut [f32], layer: usize) -> [&'a mut [f32]; N] {
        let ranges: [_; N] = std::array::from_fn(|k| self.layout.tensors[layer][k].clone());
        values.get_disjoint_mut(ranges).expect("a layer's tensors lie side by side")
    }

    /// The normalisation of a step with the activation it takes along.
    fn norm<'a>(&self, params: &'a [f32], step: &Range<usize>) -> norm::Learned<'a> {
        let [scale, shift] = self.tensors(params, step.start);
        let activation = (step.len() == 2).then(|| self.activation(params, step.start + 1));
        norm::Learned { scale, shift, activation }
    }

    /// The activation of layer `i` and its slopes.
    fn activation<'a>(&self, params: &'a [f32], i: usize) -> (Activation, &'a [f32]) {
        match self.architecture.layers[i].op {
            Op::Activation(Activation::PRelu) => (Activation::PRelu, self.tensors::<1>(params, i)[0]),
            Op::Activation(activation) => (activation, &[]),
            op => unreachable!("{op:?} is not an activation"),
        }
    }
}

/// The memory of one group of samples: every value, what layers keep for their way back, and gradients.
#[derive(Debug, Clone, Default)]
pub struct Group {
    samples: usize,
    values: Vec<Aligned>,
    gradients: Vec<Aligned>,
    has_gradient: Vec<bool>,
    spare: Aligned,
    norms: Vec<norm::Saved>,
    winners: Vec<Vec<u8>>,
    conv_scratch: conv::Scratch,
    pool_scratch: conv_pool::Scratch,
    depthwise_scratch: [Vec<f32>; 2],
}

impl Group {
    /// Makes room for `samples` and returns the input `[samples, h, w, c]` to fill.
    pub fn input(&mut self, graph: &Graph, samples: usize) -> &mut [f32] {
        let layers = graph.architecture.layers.len();
        self.samples = samples;
        self.values.resize_with(layers + 1, Aligned::default);
        self.gradients.resize_with(layers + 1, Aligned::default);
        self.norms.resize_with(layers, Default::default);
        self.winners.resize_with(layers, Vec::new);
        self.values[0].resize(samples * graph.shapes[0].len());
        &mut self.values[0]
    }

    /// An output's values `[samples, ...]`, by its place in [`Architecture::outputs`].
    pub fn output(&self, graph: &Graph, index: usize) -> &[f32] {
        &self.values[graph.architecture.outputs[index].value]
    }

    /// Means and variances of the batch norm layers in this group, in the layout's order of statistics. The variances
    /// are the unbiased ones, as PyTorch keeps them: they estimate those of all photos.
    pub fn statistics(&self, graph: &Graph, out: &mut [f32]) {
        let layers = graph.architecture.layers.iter().zip(&graph.layout.statistics);
        for (saved, (layer, places)) in self.norms.iter().zip(layers) {
            if let [mean, variance] = places.as_slice() {
                let from = graph.shapes[layer.input];
                let n = (self.samples * from.height * from.width) as f32;
                let unbiased = n / (n - 1.0).max(1.0);
                out[mean.clone()].copy_from_slice(&saved.mean);
                out[variance.clone()].iter_mut().zip(&saved.variance).for_each(|(out, v)| *out = unbiased * v);
            }
        }
    }

    /// Runs all layers on the filled input.
    pub fn forward(&mut self, graph: &Graph, convs: &[conv::Conv], params: &[f32]) {
        for step in &graph.steps {
            self.forward_step(graph, convs, params, step);
        }
    }

    /// Runs the layers of one step.
    fn forward_step(&mut self, graph: &Graph, convs: &[conv::Conv], params: &[f32], step: &Range<usize>) {
        let (i, layer) = (step.start, graph.architecture.layers[step.start]);
        let (from, to) = (graph.shapes[layer.input], graph.shapes[step.end]);
        let mut output = mem::take(&mut self.values[step.end]);
        output.resize(self.samples * to.len());
        let input = &self.values[layer.input];
        match layer.op {
            Op::Conv { .. } if step.len() > 1 => {
                self.winners[i].resize(output.len(), 0);
                convs[i].forward_pooled(
                    step.len() == 3,
                    input,
                    from,
                    &mut output,
                    &mut self.winners[i],
                    to,
                    &mut self.pool_scratch,
                );
            }
            Op::Conv { .. } => convs[i].forward(input, from, &mut output, to),
            Op::Depthwise { kernel, stride, padding } => {
                let [weights, bias] = graph.tensors(params, i);
                let window = Window { kernel, stride, padding };
                let depthwise = Depthwise { weights, bias, window };
                let samples = input.chunks_exact(from.len()).zip(output.chunks_exact_mut(to.len()));
                let size = (from.height, from.width);
                samples.for_each(|(input, output)| depthwise.run(input, size, Finish::default(), output));
            }
            Op::BatchNorm => norm::forward(graph.norm(params, step), input, &mut output, &mut self.norms[i]),
            Op::Activation(activation) => {
                output.copy_from_slice(input);
                elementwise::activate(activation, graph.activation(params, i).1, &mut output);
            }
            Op::MaxPool => {
                self.winners[i].resize(output.len(), 0);
                simple::max_pool(input, from, &mut output, &mut self.winners[i]);
            }
            Op::Add { with } => {
                output.copy_from_slice(input);
                elementwise::add(&mut output, &self.values[with]);
            }
            Op::GlobalPool => {
                let samples = input.chunks_exact(from.len()).zip(output.chunks_exact_mut(to.len()));
                samples.for_each(|(input, output)| elementwise::global_pool(input, output));
            }
            Op::WeightedPool { weights } => {
                let samples = input.chunks_exact(from.len()).zip(self.values[weights].chunks_exact(from.len()));
                for ((input, weights), output) in samples.zip(output.chunks_exact_mut(to.len())) {
                    elementwise::weighted_pool(input, weights, output);
                }
            }
            Op::PositionBias => {
                output.copy_from_slice(input);
                let [bias] = graph.tensors(params, i);
                output.chunks_exact_mut(to.len()).for_each(|output| elementwise::add(output, bias));
            }
            Op::Dense { .. } => {
                let [weights, bias] = graph.tensors(params, i);
                simple::dense(input, weights, bias, &mut output);
            }
            Op::Quantize => unreachable!("`Graph::new` refuses it"),
        }
        self.values[step.end] = output;
    }

    /// Takes the gradients of the outputs (in [`Architecture::outputs`]'s order, sizes as the outputs) back through
    /// all layers; writes `d_params`.
    pub fn backward(
        &mut self,
        graph: &Graph,
        convs: &[conv::Conv],
        params: &[f32],
        d_outputs: &[Vec<f32>],
        d_params: &mut [f32],
    ) {
        self.has_gradient.clear();
        self.has_gradient.resize(graph.shapes.len(), false);
        for (output, d) in graph.architecture.outputs.iter().zip(d_outputs) {
            self.receive(graph, output.value, |to| to.copy_from_slice(d));
        }
        for step in graph.steps.iter().rev() {
            let used = self.has_gradient[step.end];
            for (layer, tensors) in
                graph.architecture.layers.iter().zip(&graph.layout.tensors).take(step.end).skip(step.start)
            {
                // The weights of dense layers are most of all numbers: their gradient is written, the others are added
                // to.
                let written = usize::from(used && matches!(layer.op, Op::Dense { .. }));
                tensors.iter().skip(written).for_each(|tensor| d_params[tensor.clone()].fill(0.0));
            }
            if used {
                self.backward_step(graph, convs, params, step, d_params);
            }
        }
    }

    /// Gives `value` a gradient that `write` fills in; adds it to the one it has, if it has one.
    fn receive(&mut self, graph: &Graph, value: ValueId, write: impl FnOnce(&mut [f32])) {
        if !graph.wants_gradient[value] {
            return;
        }
        let len = self.samples * graph.shapes[value].len();
        if mem::replace(&mut self.has_gradient[value], true) {
            self.spare.resize(len);
            write(&mut self.spare);
            elementwise::add(&mut self.gradients[value], &self.spare);
        } else {
            self.gradients[value].resize(len);
            write(&mut self.gradients[value]);
        }
    }

    /// Gives `value` the gradient `d`, whose memory may be exchanged with it.
    fn receive_whole(&mut self, graph: &Graph, value: ValueId, d: &mut Aligned) {
        if !graph.wants_gradient[value] {
            return;
        }
        if mem::replace(&mut self.has_gradient[value], true) {
            elementwise::add(&mut self.gradients[value], d);
        } else {
            mem::swap(&mut self.gradients[value], d);
        }
    }

    /// The layers of one step.
    fn backward_step(
        &mut self,
        graph: &Graph,
        convs: &[conv::Conv],
        params: &[f32],
        step: &Range<usize>,
        d_params: &mut [f32],
    ) {
        let Range { start, end } = *step;
        let layer = graph.architecture.layers[start];
        let (from, to) = (graph.shapes[layer.input], graph.shapes[end]);
        let wanted = graph.wants_gradient[layer.input];
        let mut d = mem::take(&mut self.gradients[end]);
        // Taken out while `receive` borrows the rest.
        let input = mem::take(&mut self.values[layer.input]);
        match layer.op {
            Op::Conv { .. } if step.len() > 1 => {
                let [d_weights, d_bias] = graph.tensors_mut(d_params, start);
                let (mut scratch, winners) = (mem::take(&mut self.pool_scratch), mem::take(&mut self.winners[start]));
                let passed = conv_pool::Passed { d: &d, winners: &winners, to };
                if wanted {
                    self.receive(graph, layer.input, |d_input| {
                        convs[start].backward_pooled(
                            &input,
                            from,
                            passed,
                            d_weights,
                            d_bias,
                            Some(d_input),
                            &mut scratch,
                        );
                    });
                } else {
                    convs[start].backward_pooled(&input, from, passed, d_weights, d_bias, None, &mut scratch);
                }
                (self.pool_scratch, self.winners[start]) = (scratch, winners);
            }
            Op::Conv { .. } => {
                let [d_weights, d_bias] = graph.tensors_mut(d_params, start);
                let mut scratch = mem::take(&mut self.conv_scratch);
                if wanted {
                    self.receive(graph, layer.input, |d_input| {
                        convs[start].backward(&input, from, &d, to, d_weights, d_bias, Some(d_input), &mut scratch);
                    });
                } else {
                    convs[start].backward(&input, from, &d, to, d_weights, d_bias, None, &mut scratch);
                }
                self.conv_scratch = scratch;
            }
            Op::Depthwise { kernel, stride, padding } => {
                let [weights, _bias] = graph.tensors::<2>(params, start);
                let [d_weights, d_bias] = graph.tensors_mut(d_params, start);
                let window = Window { kernel, stride, padding };
                let mut scratch = mem::take(&mut self.depthwise_scratch);
                self.receive(graph, layer.input, |d_input| {
                    depthwise::backward(
                        window,
                        weights,
                        &input,
                        from,
                        &d,
                        to,
                        d_weights,
                        d_bias,
                        d_input,
                        &mut scratch,
                    );
                });
                self.depthwise_scratch = scratch;
            }
            Op::BatchNorm => {
                let slopes = match graph.architecture.layers.get(start + 1) {
                    Some(next) if step.len() == 2 && next.op == Op::Activation(Activation::PRelu) => {
                        graph.layout.tensors[start + 1][0].clone()
                    }
                    _ => 0..0,
                };
                let [scale, shift] = [0, 1].map(|k: usize| graph.layout.tensors[start][k].clone());
                let [scale, shift, slopes] =
                    d_params.get_disjoint_mut([scale, shift, slopes]).expect("tensors lie side by side");
                let gradients = norm::Gradients { scale, shift, slopes };
                norm::backward(graph.norm(params, step), &self.norms[start], &input, &mut d, gradients);
                self.receive_whole(graph, layer.input, &mut d);
            }
            Op::Activation(activation) => {
                let slopes = graph.activation(params, start).1;
                let d_slopes = match graph.layout.tensors[start].first() {
                    Some(place) => &mut d_params[place.clone()],
                    None => &mut [],
                };
                simple::activation_backward(activation, slopes, &input, &mut d, d_slopes);
                self.receive_whole(graph, layer.input, &mut d);
            }
            Op::MaxPool => {
                let winners = mem::take(&mut self.winners[start]);
                self.receive(graph, layer.input, |d_input| simple::max_pool_backward(&d, &winners, from, d_input));
                self.winners[start] = winners;
            }
            Op::Add { with } => {
                self.receive(graph, with, |other| other.copy_from_slice(&d));
                self.receive_whole(graph, layer.input, &mut d);
            }
            Op::GlobalPool => {
                self.receive(graph, layer.input, |d_input| simple::global_pool_backward(&d, from, d_input));
            }
            Op::WeightedPool { weights } => {
                let given = mem::take(&mut self.values[weights]);
                let taken = mem::take(&mut self.values[end]);
                let pool = weighted_pool::Pool { input: &input, weights: &given, output: &taken, d: &d, from };
                self.receive(graph, layer.input, |d_input| pool.backward_input(d_input));
                self.receive(graph, weights, |d_weights| pool.backward_weights(d_weights));
                (self.values[weights], self.values[end]) = (given, taken);
            }
            Op::PositionBias => {
                let [d_bias] = graph.tensors_mut(d_params, start);
                d.chunks_exact(to.len()).for_each(|d| elementwise::add(d_bias, d));
                self.receive_whole(graph, layer.input, &mut d);
            }
            Op::Dense { .. } => {
                let [weights, _bias] = graph.tensors::<2>(params, start);
                let [d_weights, d_bias] = graph.tensors_mut(d_params, start);
                if wanted {
                    self.receive(graph, layer.input, |d_input| {
                        simple::dense_backward(&input, weights, &d, d_weights, d_bias, Some(d_input));
                    });
                } else {
                    simple::dense_backward(&input, weights, &d, d_weights, d_bias, None);
                }
            }
            Op::Quantize => unreachable!("`Graph::new` refuses it"),
        }
        self.values[layer.input] = input;
        self.gradients[end] = d;
    }
}
