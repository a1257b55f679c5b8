//! From what was learned to a model file: batch norm folded into the convolutions, weights in the file's order, the
//! file read back and compared.

use lineament::engine::Engine;
use lineament::model::{self, Activation, Architecture, Metadata, Model, Op, ValueId};

use crate::error::{Error, Result};
use crate::graph::{Graph, norm};
use crate::params::Params;

/// The network without batch norm, and each layer's tensors (sizes, numbers) in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// What is left of the layers.
    pub architecture: Architecture,
    /// As [`model::write`] takes them.
    pub weights: Vec<Vec<(Vec<usize>, Vec<f32>)>>,
}

impl Folded {
    /// The tensors of the layer that makes output `name`.
    pub fn output_layer_mut(&mut self, name: &str) -> Option<&mut Vec<(Vec<usize>, Vec<f32>)>> {
        let output = self.architecture.outputs.iter().find(|o| o.name == name)?;
        self.weights.get_mut(output.value.checked_sub(1)?)
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
                return Err(Error::Config(format!("layer {i}: batch norm must follow a convolution that only it reads")));
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
        let op = if let Op::Add { with } = layer.op { Op::Add { with: value_of[with] } } else { layer.op };
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
                vec![(vec![filters, from.channels, kernel, kernel], order.collect()), (vec![filters], tensors[1].to_vec())]
            }
            Op::Depthwise { kernel, .. } => {
                let (c, taps) = (from.channels, kernel * kernel);
                let order = (0..c * taps).map(|at| tensors[0][at % taps * c + at / taps]);
                vec![(vec![c, 1, kernel, kernel], order.collect()), (vec![c], tensors[1].to_vec())]
            }
            Op::Dense { units } => vec![(vec![from.len(), units], tensors[0].to_vec()), (vec![units], tensors[1].to_vec())],
            Op::Activation(Activation::PRelu) => vec![(vec![from.channels], tensors[0].to_vec())],
            _ => vec![],
        });
    }
    for output in &source.outputs {
        architecture.output(&output.name, value_of[output.value]);
    }
    Ok(Folded { architecture, weights })
}

/// Largest difference between the training graph and the file read back that is accepted, as a share of the largest
/// output: rounding of a few hundred additions.
const TOLERANCE: f32 = 1e-3;

/// Writes the model file, reads it back, and runs it on `probe` (`[h, w, c]`) beside `expected`, the outputs of the
/// training graph for it.
///
/// # Errors
/// [`Error::Model`] when the file cannot be written or read, [`Error::Config`] when its outputs differ.
pub fn write(folded: &Folded, metadata: &Metadata) -> Result<Vec<u8>> {
    let bytes = model::write(&folded.architecture, metadata, &folded.weights)?;
    let read = Model::parse(&bytes)?;
    if read.architecture != folded.architecture {
        return Err(Error::Config("the file written does not read back as the same network".into()));
    }
    Engine::new(&read)?;
    Ok(bytes)
}

/// Compares the outputs of a file's engine with expected ones.
///
/// # Errors
/// [`Error::Config`] naming the output that differs.
pub fn compare(engine: &mut Engine, probe: &[f32], expected: &[(&str, Vec<f32>)]) -> Result<()> {
    engine.run(|input| input.copy_from_slice(probe));
    for (name, expected) in expected {
        let Some((values, _)) = engine.output(name) else {
            return Err(Error::Config(format!("the exported file has no output `{name}`")));
        };
        let largest = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        let worst = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if values.len() != expected.len() || worst > TOLERANCE * largest {
            return Err(Error::Config(format!("output `{name}` of the exported file is off by {worst}")));
        }
    }
    Ok(())
}
