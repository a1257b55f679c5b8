//! From a network in f32 to one in integers: which layers, and what their weights and biases become.

use lineament_nn::model::{Architecture, Model, Op, Shape, Tensor, ValueId};

use super::halves;
use super::observe::{Observed, Steps};
use crate::error::Result;

/// Largest code of a weight. -128 is left out, so that a weight and its negative are alike.
const LARGEST: f32 = 127.0;

/// Largest code of a bias that a sum of products may be added to.
const LARGEST_BIAS: f32 = (1 << 30) as f32;

/// Shares of the largest weight that are tried as the last step.
const SHARES: std::ops::RangeInclusive<u32> = 60..=100;

/// Products in a sum within one channel that pay in integers: 3x3 windows of a depthwise layer are as fast in f32, where
/// nothing is rounded.
const LEAST_OF_A_CHANNEL: usize = 25;

/// Of each layer whether it is to run in integers: it gains by that, and its sums have at least `least_products` products.
///
/// # Errors
/// When the layers do not fit.
pub fn layers(model: &Model, least_products: usize) -> Result<Vec<bool>> {
    let shapes = model.architecture.shapes()?;
    let layers = model.architecture.layers.iter();
    Ok(layers.map(|layer| products(layer.op, shapes[layer.input]).is_some_and(|n| n >= least_products)).collect())
}

/// Values that those layers read.
pub fn values(model: &Model, layers: &[bool]) -> Vec<ValueId> {
    let integer = model.architecture.layers.iter().zip(layers).filter(|(_, integer)| **integer);
    let mut values: Vec<ValueId> = integer.map(|(layer, _)| layer.input).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Products in a sum of a layer that gains by integers. Dense ones take four inputs at a time.
fn products(op: Op, from: Shape) -> Option<usize> {
    match op {
        Op::Conv { kernel, .. } => Some(kernel * kernel * from.channels),
        Op::Depthwise { kernel, .. } => Some(kernel * kernel).filter(|products| *products >= LEAST_OF_A_CHANNEL),
        Op::Dense { .. } => Some(from.len()).filter(|len| len.is_multiple_of(4)),
        _ => None,
    }
}

/// The same network with these `layers` in int8, of quantised values, and the other weights as halves. `observed` belongs
/// to [`values`].
///
/// # Errors
/// [`Error::Quantize`](crate::Error::Quantize) when a weight that stays a number does not fit f16.
pub fn quantized(model: &Model, layers: &[bool], observed: &[Observed]) -> Result<Model<'static>> {
    let source = &model.architecture;
    let values = values(model, layers);
    let seen = |value: ValueId| values.binary_search(&value).ok().map(|at| &observed[at]);
    let mut net = Architecture::new(source.input);
    let mut weights: Vec<Vec<Tensor<'static>>> = Vec::new();
    // Each value as it is, and quantised.
    let mut plain: Vec<ValueId> = vec![0];
    let mut coded: Vec<Option<(ValueId, Steps)>> = Vec::new();
    let quantize = |value: ValueId, net: &mut Architecture, weights: &mut Vec<Vec<Tensor<'static>>>, from: ValueId| {
        let steps = seen(value)?.steps();
        weights.push(vec![Tensor::from_f32(&[], &[steps.scale]), Tensor::from_u8(steps.offset)]);
        Some((net.push_from(from, Op::Quantize), steps))
    };
    let first = quantize(0, &mut net, &mut weights, 0);
    coded.push(first);
    for (i, layer) in source.layers.iter().enumerate() {
        let integer = coded[layer.input].filter(|_| layers[i]);
        // Sums read numbers: a sum that runs through a stage is not rounded again at every block.
        let op = layer.op.second_input().map_or(layer.op, |second| layer.op.with_second_input(plain[second]));
        let input = integer.map_or(plain[layer.input], |(coded, _)| coded);
        let value = net.push_from(input, op);
        weights.push(match (integer, model.weights[i].as_slice()) {
            (Some((_, steps)), [weight, bias]) => {
                let means = seen(layer.input).map_or(&[][..], |observed| &observed.means);
                integers(layer.op, weight, bias, steps, means)
            }
            (_, tensors) => halves(layer.op, tensors)?,
        });
        plain.push(value);
        let own = quantize(i + 1, &mut net, &mut weights, value);
        coded.push(own);
    }
    for output in &source.outputs {
        net.output(&output.name, plain[output.value]);
    }
    Ok(Model { metadata: model.metadata.clone(), architecture: net, weights })
}

/// Weight and bias of an integer layer that reads `steps`; `means` are those of its input's channels.
fn integers(op: Op, weight: &Tensor, bias: &Tensor, steps: Steps, means: &[f64]) -> Vec<Tensor<'static>> {
    let (numbers, bias_numbers) = (weight.to_vec(), bias.to_vec());
    let (axis, outputs) = (op.output_axis(), bias_numbers.len());
    let inner: usize = weight.dims[axis + 1..].iter().product();
    let channel = |at: usize| at / inner % outputs;
    let mut by_channel = vec![Vec::with_capacity(numbers.len() / outputs); outputs];
    numbers.iter().enumerate().for_each(|(at, number)| by_channel[channel(at)].push(*number));
    let scales: Vec<f32> = by_channel
        .iter()
        .zip(&bias_numbers)
        .map(|(numbers, bias)| scale(numbers).max(bias.abs() / (steps.scale * LARGEST_BIAS)))
        .collect();
    let codes: Vec<i8> = numbers.iter().enumerate().map(|(at, number)| code(*number, scales[channel(at)])).collect();

    // Rounding moves each weight a little, and with inputs whose mean is not 0 that moves the mean of the sum. The bias
    // takes it back (Nagel et al., "Data-Free Quantization", 2019).
    let mut shift = vec![0.0f64; outputs];
    for (at, (number, code)) in numbers.iter().zip(&codes).enumerate() {
        let output = channel(at);
        let input = match op {
            Op::Dense { .. } => at / outputs % means.len().max(1), // rows of height, width, channel
            Op::Depthwise { .. } => output,
            _ => at / inner_taps(weight) % means.len().max(1), // [output, input, taps]
        };
        let mean = means.get(input).copied().unwrap_or(0.0);
        shift[output] += (f64::from(*number) - f64::from(*code) * f64::from(scales[output])) * mean;
    }
    let sum_scales: Vec<f32> = scales.iter().map(|scale| scale * steps.scale).collect();
    let bias_codes: Vec<i32> = bias_numbers
        .iter()
        .zip(&shift)
        .zip(&sum_scales)
        .map(|((bias, shift), scale)| ((f64::from(*bias) + shift) / f64::from(*scale)).round() as i32)
        .collect();
    vec![
        Tensor::from_i8(&weight.dims, &codes, axis, &scales),
        Tensor::from_i32(&bias.dims, &bias_codes, 0, &sum_scales),
    ]
}

/// Numbers in a window of one channel.
fn inner_taps(weight: &Tensor) -> usize {
    weight.dims[2..].iter().product()
}

fn code(number: f32, scale: f32) -> i8 {
    (number / scale).round_ties_even().clamp(-LARGEST, LARGEST) as i8
}

/// The step with the least squared error over these weights. All zeros may have any.
fn scale(numbers: &[f32]) -> f32 {
    let largest = numbers.iter().fold(0.0f32, |largest, n| largest.max(n.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let scales = SHARES.map(|share| largest * share as f32 / *SHARES.end() as f32 / LARGEST);
    let error =
        |scale: f32| numbers.iter().map(|n| f64::from(n - f32::from(code(*n, scale)) * scale).powi(2)).sum::<f64>();
    scales.map(|scale| (error(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, scale)| scale)
}
