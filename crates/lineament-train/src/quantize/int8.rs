//! From a network in f32 to one in int8: which layers run in integers, and their quantised weights and biases.

use lineament_nn::engine::int8::Quantization;
use lineament_nn::model::{Architecture, Model, Op, Shape, Tensor, ValueId};

use super::f16_weights;
use super::observe::Observed;
use crate::error::Result;

/// Largest quantised weight. -128 is not used, so that the range is symmetric.
const MAX_WEIGHT: f32 = 127.0;

/// Largest quantised bias that leaves room for the sum of products.
const MAX_BIAS: f32 = (1 << 30) as f32;

/// Shares of the largest weight that are tried as the end of the range, in percent.
const SHARES: std::ops::RangeInclusive<u32> = 60..=100;

/// Least products of a depthwise layer's sums that run in integers: 3x3 windows are as fast in f32, without rounding.
const LEAST_OF_A_CHANNEL: usize = 25;

/// For each layer whether it runs in integers: whether that makes it faster, and its sums have at least
/// `least_products`.
///
/// # Errors
/// When the layers do not fit.
pub fn layers(model: &Model, least_products: usize) -> Result<Vec<bool>> {
    let shapes = model.architecture.shapes()?;
    let layers = model.architecture.layers.iter();
    Ok(layers.map(|layer| products(layer.op, shapes[layer.input]).is_some_and(|n| n >= least_products)).collect())
}

/// The values that those layers read.
pub fn values(model: &Model, layers: &[bool]) -> Vec<ValueId> {
    let integer = model.architecture.layers.iter().zip(layers).filter(|(_, integer)| **integer);
    let mut values: Vec<ValueId> = integer.map(|(layer, _)| layer.input).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Products in a sum of a layer that is faster in integers; `None` for others. Dense layers take four inputs at a time.
fn products(op: Op, from: Shape) -> Option<usize> {
    match op {
        Op::Conv { kernel, .. } => Some(kernel * kernel * from.channels),
        Op::Depthwise { kernel, .. } => Some(kernel * kernel).filter(|products| *products >= LEAST_OF_A_CHANNEL),
        Op::Dense { .. } => Some(from.len()).filter(|len| len.is_multiple_of(4)),
        _ => None,
    }
}

/// The same network with these `layers` in int8, reading quantised values, and with the other weights in f16.
/// `observed` has an entry for each of [`values`].
///
/// # Errors
/// [`Error::Quantize`](crate::Error::Quantize) when a weight that stays a number does not fit f16.
pub fn quantized(model: &Model, layers: &[bool], observed: &[Observed]) -> Result<Model<'static>> {
    let source = &model.architecture;
    let values = values(model, layers);
    let seen = |value: ValueId| values.binary_search(&value).ok().map(|at| &observed[at]);
    let mut net = Architecture::new(source.input);
    let mut weights: Vec<Vec<Tensor<'static>>> = Vec::new();
    // Each value in f32, and quantised.
    let mut plain: Vec<ValueId> = vec![0];
    let mut quantised: Vec<Option<(ValueId, Quantization)>> = Vec::new();
    let quantize = |value: ValueId, net: &mut Architecture, weights: &mut Vec<Vec<Tensor<'static>>>, from: ValueId| {
        let quantization = seen(value)?.quantization();
        weights.push(vec![Tensor::from_f32(&[], &[quantization.scale]), Tensor::from_u8(quantization.zero_point)]);
        Some((net.push_from(from, Op::Quantize), quantization))
    };
    let first = quantize(0, &mut net, &mut weights, 0);
    quantised.push(first);
    for (i, layer) in source.layers.iter().enumerate() {
        let integer = quantised[layer.input].filter(|_| layers[i]);
        // Sums read f32: a residual path is not rounded again at every block.
        let op = layer.op.second_input().map_or(layer.op, |second| layer.op.with_second_input(plain[second]));
        let input = integer.map_or(plain[layer.input], |(quantised, _)| quantised);
        let value = net.push_from(input, op);
        weights.push(match (integer, model.weights[i].as_slice()) {
            (Some((_, quantization)), [weight, bias]) => {
                let means = seen(layer.input).map_or(&[][..], |observed| &observed.means);
                integers(layer.op, weight, bias, quantization.scale, means)
            }
            (_, tensors) => f16_weights(layer.op, tensors)?,
        });
        plain.push(value);
        let own = quantize(i + 1, &mut net, &mut weights, value);
        quantised.push(own);
    }
    for output in &source.outputs {
        net.output(&output.name, plain[output.value]);
    }
    Ok(Model { metadata: model.metadata.clone(), architecture: net, weights })
}

/// Weight and bias of an integer layer whose input has the scale `input_scale` and these `means` of its channels.
fn integers(op: Op, weight: &Tensor, bias: &Tensor, input_scale: f32, means: &[f64]) -> Vec<Tensor<'static>> {
    let (numbers, bias_numbers) = (weight.to_vec(), bias.to_vec());
    let (axis, outputs) = (op.output_axis(), bias_numbers.len());
    let inner: usize = weight.dims[axis + 1..].iter().product();
    let channel = |at: usize| at / inner % outputs;
    let mut by_channel = vec![Vec::with_capacity(numbers.len() / outputs); outputs];
    numbers.iter().enumerate().for_each(|(at, number)| by_channel[channel(at)].push(*number));
    let scales: Vec<f32> = by_channel
        .iter()
        .zip(&bias_numbers)
        .map(|(numbers, bias)| scale(numbers).max(bias.abs() / (input_scale * MAX_BIAS)))
        .collect();
    let quantised = numbers.iter().enumerate().map(|(at, number)| quantise(*number, scales[channel(at)]));
    let quantised: Vec<i8> = quantised.collect();

    // Bias correction (Nagel et al., "Data-Free Quantization", 2019): rounding changes each weight a little, and with
    // inputs whose mean is not 0 this shifts the mean of the sum.
    let mut shift = vec![0.0f64; outputs];
    for (at, (number, quantised)) in numbers.iter().zip(&quantised).enumerate() {
        let output = channel(at);
        let input = match op {
            Op::Dense { .. } => at / outputs % means.len().max(1), // rows of height, width, channel
            Op::Depthwise { .. } => output,
            _ => at / inner_taps(weight) % means.len().max(1), // [output, input, taps]
        };
        let mean = means.get(input).copied().unwrap_or(0.0);
        shift[output] += (f64::from(*number) - f64::from(*quantised) * f64::from(scales[output])) * mean;
    }
    let sum_scales: Vec<f32> = scales.iter().map(|scale| scale * input_scale).collect();
    let quantised_bias: Vec<i32> = bias_numbers
        .iter()
        .zip(&shift)
        .zip(&sum_scales)
        .map(|((bias, shift), scale)| ((f64::from(*bias) + shift) / f64::from(*scale)).round() as i32)
        .collect();
    vec![
        Tensor::from_i8(&weight.dims, &quantised, axis, &scales),
        Tensor::from_i32(&bias.dims, &quantised_bias, 0, &sum_scales),
    ]
}

/// Numbers in a window of one channel.
fn inner_taps(weight: &Tensor) -> usize {
    weight.dims[2..].iter().product()
}

fn quantise(number: f32, scale: f32) -> i8 {
    (number / scale).round_ties_even().clamp(-MAX_WEIGHT, MAX_WEIGHT) as i8
}

/// The scale with the least squared error over these weights. For zeros alone any scale will do.
fn scale(numbers: &[f32]) -> f32 {
    let largest = numbers.iter().fold(0.0f32, |largest, n| largest.max(n.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let scales = SHARES.map(|share| largest * share as f32 / *SHARES.end() as f32 / MAX_WEIGHT);
    let error =
        |scale: f32| numbers.iter().map(|n| f64::from(n - f32::from(quantise(*n, scale)) * scale).powi(2)).sum::<f64>();
    scales.map(|scale| (error(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, scale)| scale)
}
