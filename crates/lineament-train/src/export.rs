//! From what was learned to a model file: batch norm is folded into the convolutions, the weights are put into the
//! file's order, and the file is read back and compared.

use lineament_nn::engine::Engine;
use lineament_nn::model::{Activation, Architecture, Metadata, Model, Op, Role, Tensor, ValueId};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::error::{Error, Result};
use crate::graph::{Graph, Group, norm};
use crate::params::Params;

/// The network without batch norm, and each layer's tensors (sizes, numbers) in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The layers without batch norm.
    pub architecture: Architecture,
    /// As [`lineament_nn::model::write`] takes them.
    pub weights: Vec<Vec<(Vec<usize>, Vec<f32>)>>,
}

impl Folded {
    /// The tensors of the layer whose bias is added to output `name`.
    pub fn output_layer_mut(&mut self, name: &str) -> Option<&mut Vec<(Vec<usize>, Vec<f32>)>> {
        let head = self.architecture.head(name)?;
        self.weights.get_mut(head)
    }

    /// The model, in f32.
    pub fn model(&self, metadata: &Metadata) -> Model<'static> {
        let tensors = |layer: &Vec<(Vec<usize>, Vec<f32>)>| {
            layer.iter().map(|(dims, numbers)| Tensor::from_f32(dims, numbers)).collect()
        };
        Model {
            metadata: metadata.clone(),
            architecture: self.architecture.clone(),
            weights: self.weights.iter().map(tensors).collect(),
        }
    }
}

/// Folds each batch norm, with its running statistics, into the convolution before it.
///
/// # Errors
/// [`Error::Config`] when a batch norm does not follow a convolution, or the convolution's value has other readers.
pub fn fold(graph: &Graph, params: &Params) -> Result<Folded> {
    let source = &graph.architecture;
    let mut architecture = Architecture::new(source.input);
    let mut weights: Vec<Vec<(Vec<usize>, Vec<f32>)>> = Vec::new();
    let mut value_of: Vec<ValueId> = vec![0];
    for (i, layer) in source.layers.iter().enumerate() {
        let tensors: Vec<&[f32]> = graph.layout.tensors[i].iter().map(|r| &params.values[r.clone()]).collect();
        if layer.op == Op::BatchNorm {
            let readers = source.layers.iter().filter(|l| l.input == layer.input).count();
            let conv = layer.input.checked_sub(1).map(|c| source.layers[c].op);
            if !matches!(conv, Some(Op::Conv { .. } | Op::Depthwise { .. })) || layer.input != i || readers != 1 {
                return Err(Error::Config(format!(
                    "layer {i}: batch norm must follow a convolution that only it reads"
                )));
            }
            let [mean, variance] = [0, 1].map(|k: usize| &params.statistics[graph.layout.statistics[i][k].clone()]);
            let Some([(_, weight), (_, bias)]) = weights.last_mut().map(Vec::as_mut_slice) else { unreachable!() };
            let per_channel = weight.len() / bias.len(); // Both kinds have the output channel outermost here.
            for (c, weight) in weight.chunks_exact_mut(per_channel).enumerate() {
                let scale = tensors[0][c] / (variance[c] + norm::EPSILON).sqrt();
                weight.iter_mut().for_each(|w| *w *= scale);
                bias[c] = (bias[c] - mean[c]) * scale + tensors[1][c];
            }
            value_of.push(architecture.layers.len());
            continue;
        }
        let op = layer.op.second_input().map_or(layer.op, |second| layer.op.with_second_input(value_of[second]));
        let from = graph.shapes[layer.input];
        let to = architecture.push_from(value_of[layer.input], op);
        value_of.push(to);
        weights.push(match op {
            Op::Conv { filters, kernel, .. } => {
                let taps_inputs = kernel * kernel * from.channels;
                // [k k, inputs, outputs] -> [outputs, inputs, k k]
                let order = (0..filters * taps_inputs).map(|at| {
                    let (output, rest) = (at / taps_inputs, at % taps_inputs);
                    let (input, tap) = (rest / (kernel * kernel), rest % (kernel * kernel));
                    tensors[0][(tap * from.channels + input) * filters + output]
                });
                vec![
                    (vec![filters, from.channels, kernel, kernel], order.collect()),
                    (vec![filters], tensors[1].to_vec()),
                ]
            }
            Op::Depthwise { kernel, .. } => {
                let (c, taps) = (from.channels, kernel * kernel);
                let order = (0..c * taps).map(|at| tensors[0][at % taps * c + at / taps]);
                vec![(vec![c, 1, kernel, kernel], order.collect()), (vec![c], tensors[1].to_vec())]
            }
            Op::Dense { units } => {
                vec![(vec![from.len(), units], tensors[0].to_vec()), (vec![units], tensors[1].to_vec())]
            }
            Op::PositionBias => {
                let (c, cells) = (from.channels, from.height * from.width);
                let order = (0..c * cells).map(|at| tensors[0][at % cells * c + at / cells]);
                vec![(vec![c, from.height, from.width], order.collect())]
            }
            Op::Activation(Activation::PRelu) => vec![(vec![from.channels], tensors[0].to_vec())],
            _ => vec![],
        });
    }
    for output in &source.outputs {
        architecture.output(&output.name, value_of[output.value]);
    }
    Ok(Folded { architecture, weights })
}

/// Writes the model file and reads it back.
///
/// # Errors
/// [`Error::Model`] when the file cannot be written or read, [`Error::Config`] when it does not read back as the same
/// model.
pub fn write(folded: &Folded, metadata: &Metadata) -> Result<Vec<u8>> {
    let model = folded.model(metadata);
    let bytes = model.to_bytes()?;
    match Model::parse(&bytes)? == model {
        true => Ok(bytes),
        false => Err(Error::Config("the file written does not read back as the same network".into())),
    }
}

/// Largest accepted difference between the training graph and the folded network, as a share of the largest output:
/// rounding of a few hundred additions.
const TOLERANCE: f32 = 1e-3;

/// Runs `folded` and the training graph on the same noise, and compares their outputs.
///
/// # Errors
/// [`Error::Config`] naming the output that differs.
pub fn verify(graph: &Graph, params: &Params, folded: &Folded) -> Result<()> {
    let (graph, params) = frozen(graph, params)?;
    let (mut convs, mut group) = (Vec::new(), Group::default());
    graph.prepare(&params, &mut convs);
    let mut rng = Pcg64::seed_from_u64(0);
    let input = group.input(&graph, 1);
    input.iter_mut().for_each(|v| *v = rng.random_range(-2.0..2.0));
    let probe = input.to_vec();
    group.forward(&graph, &convs, &params.values);
    let mut engine = Engine::new(&folded.model(&Metadata::new(Role::Landmarks)))?;
    engine.run(|input| input.copy_from_slice(&probe));
    for (k, output) in graph.architecture.outputs.iter().enumerate() {
        let (name, expected) = (&output.name, group.output(&graph, k));
        let Some((values, _)) = engine.output(name) else {
            return Err(Error::Config(format!("the exported file has no output `{name}`")));
        };
        let largest = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        // By total order NaN is the largest: it must not slip through.
        let worst = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap_or(0.0);
        if values.len() != expected.len() || worst.is_nan() || worst > TOLERANCE * largest {
            return Err(Error::Config(format!("output `{name}` of the exported file is off by {worst}")));
        }
    }
    Ok(())
}

/// The training graph with running statistics in place of the batch's: each batch norm becomes a depthwise
/// convolution of a 1x1 window, whose two tensors lie where its scale and shift lay.
fn frozen(graph: &Graph, params: &Params) -> Result<(Graph, Params)> {
    let (mut architecture, mut params) = (graph.architecture.clone(), params.clone());
    for (i, layer) in architecture.layers.iter_mut().enumerate().filter(|(_, layer)| layer.op == Op::BatchNorm) {
        layer.op = Op::Depthwise { kernel: 1, stride: 1, padding: 0 };
        let [mean, variance] = [0, 1].map(|k: usize| graph.layout.statistics[i][k].clone());
        let [scale, shift] = [0, 1].map(|k: usize| graph.layout.tensors[i][k].clone());
        for c in 0..scale.len() {
            let factor =
                params.values[scale.start + c] / (params.statistics[variance.start + c] + norm::EPSILON).sqrt();
            params.values[scale.start + c] = factor;
            params.values[shift.start + c] -= factor * params.statistics[mean.start + c];
        }
    }
    Ok((Graph::new(architecture)?, params))
}
