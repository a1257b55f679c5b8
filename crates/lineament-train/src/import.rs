//! From a model file back to the learned numbers: the inverse of [`crate::export`].
//!
//! A file has no batch norm. The convolutions get the file's weights, and each batch norm gets the scale and shift that
//! undo its normalisation of a batch of samples, so that training begins with the answers of the file.

use lineament_nn::model::{Model, Op};

use crate::error::{Error, Result};
use crate::export::fold;
use crate::graph::{Graph, Group, norm};
use crate::params::Params;

/// The learned numbers with which `graph` answers as `model` does. `fill` writes training samples into the input
/// `[samples, h, w, c]`; batch norm is measured on them.
///
/// # Errors
/// [`Error::Config`] when the file is quantised or holds another network.
pub fn import(graph: &Graph, model: &Model, samples: usize, fill: impl FnOnce(&mut [f32])) -> Result<Params> {
    if model.architecture.layers.iter().any(|layer| layer.op == Op::Quantize) {
        return Err(Error::Config(
            "start: an int8 model, whose weights are rounded to 8 bits, cannot be trained further: name the f32 or f16 \
             file that it was made from, or a checkpoint"
                .into(),
        ));
    }
    let mut params = Params { values: vec![0.0; graph.layout.len], statistics: vec![0.0; graph.layout.statistics_len] };
    if fold(graph, &params)?.architecture != model.architecture {
        return Err(Error::Config("start: the model file holds another network".into()));
    }
    let mut tensors = model.weights.iter();
    let mut norms = Vec::new();
    for (i, (layer, places)) in graph.architecture.layers.iter().zip(&graph.layout.tensors).enumerate() {
        if layer.op == Op::BatchNorm {
            norms.push(i);
            continue;
        }
        let tensors = tensors.next().map_or(&[][..], Vec::as_slice);
        for (k, (tensor, place)) in tensors.iter().zip(places).enumerate() {
            let values = tensor.to_vec();
            let rows = match layer.op {
                // `[outputs, inputs k k] -> [inputs k k, outputs]`, then the taps before the inputs.
                Op::Conv { filters, .. } if k == 0 => filters,
                Op::Depthwise { .. } if k == 0 => graph.shapes[layer.input].channels,
                Op::PositionBias => graph.shapes[layer.input].channels,
                _ => 1,
            };
            let mut turned = transposed(&values, rows);
            if let (Op::Conv { filters, kernel, .. }, 0) = (layer.op, k) {
                let (inputs, taps) = (graph.shapes[layer.input].channels, kernel * kernel);
                let at = |to: usize| {
                    let (tap, input, output) = (to / (inputs * filters), to / filters % inputs, to % filters);
                    (input * taps + tap) * filters + output
                };
                turned = (0..turned.len()).map(|to| turned[at(to)]).collect();
            }
            params.values[place.clone()].copy_from_slice(&turned);
        }
    }
    for &i in &norms {
        params.values[graph.layout.tensors[i][0].clone()].fill(1.0);
    }
    undo(graph, &mut params, &norms, samples, fill);
    Ok(params)
}

/// Sets each batch norm so that it does not change the samples. The input of each depends on those before it, so they
/// are set in order, each after a run with those before it.
fn undo(graph: &Graph, params: &mut Params, norms: &[usize], samples: usize, fill: impl FnOnce(&mut [f32])) {
    let (mut group, mut convs) = (Group::default(), Vec::new());
    fill(group.input(graph, samples));
    graph.prepare(params, &mut convs);
    let mut statistics = vec![0.0; graph.layout.statistics_len];
    for &i in norms {
        group.forward(graph, &convs, &params.values);
        group.statistics(graph, &mut statistics);
        let [scale, shift] = [0, 1].map(|k: usize| graph.layout.tensors[i][k].clone());
        let [mean, variance] = [0, 1].map(|k: usize| graph.layout.statistics[i][k].clone());
        for place in [&mean, &variance] {
            params.statistics[place.clone()].copy_from_slice(&statistics[place.clone()]);
        }
        params.values[shift].copy_from_slice(&statistics[mean]);
        let deviations = statistics[variance].iter().map(|v| (v + norm::EPSILON).sqrt());
        params.values[scale].iter_mut().zip(deviations).for_each(|(scale, d)| *scale = d);
    }
}

/// `[rows, n] -> [n, rows]`.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..values.len()).map(|to| values[to % rows * columns + to / rows]).collect()
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68::POINTS;
    use lineament_nn::model::{Metadata, Role};
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::export::{fold, write};
    use crate::networks;

    #[test]
    fn what_is_exported_is_imported_as_the_same_network() {
        for name in ["lite", "detector", "basic"] {
            let graph = Graph::new(networks::by_name(name, POINTS).unwrap()).unwrap();
            let mut rng = Pcg64::seed_from_u64(5);
            let mut params = Params::init(&graph.architecture, &graph.layout, &mut rng).unwrap();
            params.values.iter_mut().for_each(|v| *v += rng.random_range(-0.01..0.01));
            params.statistics.iter_mut().for_each(|v| *v = rng.random_range(0.5..1.5));
            let folded = fold(&graph, &params).unwrap();
            let file = write(&folded, &Metadata::new(Role::Landmarks)).unwrap();
            let noise = |input: &mut [f32]| input.iter_mut().for_each(|v| *v = rng.random_range(-1.0..1.0));
            let imported = import(&graph, &Model::parse(&file).unwrap(), 2, noise).unwrap();
            let again = fold(&graph, &imported).unwrap();
            for (layer, (a, b)) in folded.weights.iter().zip(&again.weights).enumerate() {
                for ((_, a), (_, b)) in a.iter().zip(b) {
                    let largest = a.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
                    let off = a.iter().zip(b).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
                    assert!(off < 1e-4 * largest, "{name}, layer {layer}: off by {off} of {largest}");
                }
            }
        }
    }

    #[test]
    fn another_networks_file_and_an_int8_file_are_refused_for_what_they_are() {
        let detector = Graph::new(networks::by_name("detector", POINTS).unwrap()).unwrap();
        let f16 = include_bytes!("../../../models/lite/lite.onnx");
        let error = import(&detector, &Model::parse(f16).unwrap(), 1, |_| ()).unwrap_err().to_string();
        assert!(error.contains("another network"), "{error}");
        let lite = Graph::new(networks::by_name("lite", POINTS).unwrap()).unwrap();
        let int8 = Model::parse(lineament::models::LITE).unwrap();
        let error = import(&lite, &int8, 1, |_| ()).unwrap_err().to_string();
        assert!(error.contains("an int8 model") && error.contains("f32 or f16 file"), "{error}");
    }
}
