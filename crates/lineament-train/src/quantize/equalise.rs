//! Cross-layer equalisation: the same network with channels of more equal range. All channels of a value share one
//! scale, and a channel whose range is narrow is rounded coarsely.
//!
//! Each channel of a value is divided by a factor, which is folded into the weights of the layers before and after it
//! (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1). Where
//! the layer after it is depthwise, this costs nothing: its weights have a scale for each channel.

use lineament_nn::model::{Activation, Architecture, Model, Op, Tensor, ValueId};

use crate::error::Result;

/// Least range of a channel, as a share of the widest, that is equalised: weights that read it are rounded more
/// coarsely.
const NARROWEST: f32 = 1.0 / 64.0;

/// `model` with channels divided by the square root of their range, where the layers allow it: `widths` has a list
/// for each of `values`. Its answers stay the same, except for the last bits. The root is a compromise: rounding of
/// values and of weights both cost accuracy.
///
/// # Errors
/// When the layers do not fit.
pub fn equalised(model: &Model, values: &[ValueId], widths: &[Vec<f32>]) -> Result<Model<'static>> {
    let net = &model.architecture;
    let ties = Ties::of(net);
    let mut factors: Vec<Vec<f32>> = net.shapes()?.iter().map(|shape| vec![0.0; shape.channels]).collect();
    for (value, widths) in values.iter().zip(widths) {
        let factors = &mut factors[ties.first[*value]];
        factors.iter_mut().zip(widths).for_each(|(factor, width)| *factor = factor.max(*width));
    }
    for (value, factors) in factors.iter_mut().enumerate() {
        let widest = factors.iter().fold(0.0, |widest, width| f32::max(widest, *width));
        let is_free = widest > 0.0 && !ties.fixed[value];
        factors.iter_mut().for_each(|f| *f = if is_free { (*f / widest).max(NARROWEST).sqrt() } else { 1.0 });
    }
    let layers = net.layers.iter().zip(&model.weights).enumerate();
    let weights = layers.map(|(i, (layer, tensors))| {
        let [read, made] = [layer.input, i + 1].map(|value| &factors[ties.first[value]]);
        let mut numbers: Vec<Vec<f32>> = tensors.iter().map(Tensor::to_vec).collect();
        if let (Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. }, [weights, bias]) = (layer.op, &mut *numbers)
        {
            let (len, outputs, inputs) = (weights.len(), made.len(), read.len());
            for (at, weight) in weights.iter_mut().enumerate() {
                let (output, input) = match layer.op {
                    Op::Dense { .. } => (at % outputs, at / outputs % inputs), // [height, width, channel][output]
                    Op::Depthwise { .. } => (at / (len / outputs), at / (len / outputs)),
                    _ => (at / (len / outputs), at / (len / outputs / inputs) % inputs), // [output, input, taps]
                };
                *weight *= read[input] / made[output];
            }
            bias.iter_mut().zip(made).for_each(|(bias, made)| *bias /= made);
        }
        tensors.iter().zip(&numbers).map(|(tensor, numbers)| Tensor::from_f32(&tensor.dims, numbers)).collect()
    });
    Ok(Model { metadata: model.metadata.clone(), architecture: net.clone(), weights: weights.collect() })
}

/// Values whose channels must be divided alike: a sum ties its inputs together, an activation its input to its output.
struct Ties {
    /// For each value the representative of all values that are tied to it.
    first: Vec<ValueId>,
    /// For each representative whether its numbers must not change.
    fixed: Vec<bool>,
}

impl Ties {
    fn of(net: &Architecture) -> Self {
        let mut first: Vec<ValueId> = (0..=net.layers.len()).collect();
        // The network's input and outputs.
        let mut stay: Vec<ValueId> = net.outputs.iter().map(|output| output.value).chain([0]).collect();
        for (i, layer) in net.layers.iter().enumerate() {
            let inputs = [Some(layer.input), layer.op.second_input()].into_iter().flatten();
            match layer.op {
                Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. } => (),
                // Multiplying the input by a factor multiplies the output by it.
                Op::Activation(Activation::Relu | Activation::PRelu)
                | Op::Add { .. }
                | Op::MaxPool
                | Op::GlobalPool => inputs.for_each(|input| {
                    let (tied, to) = (first[i + 1], first[input]);
                    first.iter_mut().filter(|first| **first == tied).for_each(|first| *first = to);
                }),
                _ => stay.extend(inputs.chain([i + 1])),
            }
        }
        let mut fixed = vec![false; first.len()];
        stay.iter().for_each(|value| fixed[first[*value]] = true);
        Self { first, fixed }
    }
}
