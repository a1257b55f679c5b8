//! Small networks with numbers for their weights.

use super::super::*;

pub(super) type Weights = Vec<Vec<(Vec<usize>, Vec<f32>)>>;

/// Every operator once at least, two thousand weights, values that are read twice, dense and spatial outputs.
pub(super) fn tiny() -> Architecture {
    let mut net = Architecture::new(Shape::hwc(13, 10, 1));
    net.push(Op::Conv { filters: 6, kernel: 3, stride: 1, padding: 1 });
    net.push(Op::Activation(Activation::PRelu));
    let stem = net.push(Op::MaxPool); // [13, 10, 6] -> [6, 5, 6]
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    net.push(Op::Activation(Activation::HardSwish));
    net.push(Op::Conv { filters: 6, kernel: 1, stride: 1, padding: 0 });
    let sum = net.push(Op::Add { with: stem });
    net.push(Op::Conv { filters: 9, kernel: 2, stride: 2, padding: 0 }); // -> [3, 2, 9]
    let features = net.push(Op::Activation(Activation::Relu));
    net.push(Op::Dense { units: 20 });
    let hidden = net.push(Op::Activation(Activation::PRelu));
    let points = net.push_from(hidden, Op::Dense { units: 8 });
    let errors = net.push_from(features, Op::Dense { units: 8 });
    let both = net.push(Op::Add { with: points });
    let pooled = net.push_from(sum, Op::GlobalPool);
    let score = net.push(Op::Dense { units: 1 });
    let weights = net.push_from(features, Op::Depthwise { kernel: 1, stride: 1, padding: 0 });
    net.push_from(features, Op::PositionBias);
    let votes = net.push(Op::WeightedPool { weights });
    let voted = net.push(Op::Dense { units: 2 });
    for (name, value) in [
        ("points", points),
        ("errors", errors),
        ("both", both),
        ("features", features),
        ("pooled", pooled),
        ("score", score),
        ("score_again", score),
        ("votes", votes),
        ("voted", voted),
    ] {
        net.output(name, value);
    }
    net
}

/// Fully convolutional with outputs at two scales, as a detector has.
pub(super) fn tinyconv() -> Architecture {
    let mut net = Architecture::new(Shape::hwc(64, 32, 1));
    net.push(Op::Conv { filters: 8, kernel: 3, stride: 2, padding: 1 });
    net.push(Op::Activation(Activation::Relu));
    net.push(Op::Depthwise { kernel: 5, stride: 2, padding: 2 });
    net.push(Op::Conv { filters: 12, kernel: 1, stride: 1, padding: 0 });
    let fine = net.push(Op::Activation(Activation::HardSwish)); // [16, 8, 12]
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    net.push(Op::Conv { filters: 12, kernel: 1, stride: 1, padding: 0 });
    net.push(Op::Add { with: fine });
    let coarse = net.push(Op::MaxPool); // [8, 4, 12]
    for (scale, value) in [("4", fine), ("8", coarse)] {
        let scores = net.push_from(value, Op::Conv { filters: 1, kernel: 1, stride: 1, padding: 0 });
        let boxes = net.push_from(value, Op::Conv { filters: 4, kernel: 3, stride: 1, padding: 1 });
        net.output(&format!("scores{scale}"), scores);
        net.output(&format!("boxes{scale}"), boxes);
    }
    net
}

/// Weights of about the size that training starts from; the same for the same seed.
pub(super) fn random_weights(net: &Architecture, mut seed: u64) -> Weights {
    let shapes = net.shapes().unwrap();
    let mut unit = move || {
        // The constants of Knuth's MMIX.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let tensor = |inputs: usize, dims: Vec<usize>| {
        let numbers = (0..dims.iter().product()).map(|_| unit() * (3.0 / inputs as f32).sqrt()).collect();
        (dims, numbers)
    };
    let mut tensor = tensor;
    let layers = net.layers.iter().map(|layer| {
        let inputs = match layer.op {
            Op::Conv { kernel, .. } => kernel * kernel * shapes[layer.input].channels,
            Op::Depthwise { kernel, .. } => kernel * kernel,
            Op::Dense { .. } => shapes[layer.input].len(),
            _ => 12,
        };
        layer.op.weight_dims(shapes[layer.input]).into_iter().map(|dims| tensor(inputs, dims)).collect()
    });
    layers.collect()
}

/// The same numbers as [`random_weights`], stored in every way that there is, one after the other.
pub(super) fn random_model(net: &Architecture, seed: u64) -> Model<'static> {
    let numbers = random_weights(net, seed);
    let weights = numbers.iter().zip(&net.layers).enumerate().map(|(i, (tensors, layer))| {
        if layer.op == Op::Quantize {
            return vec![Tensor::from_f32(&[], &[0.03]), Tensor::from_u8(100)];
        }
        let axis = layer.op.output_axis();
        let store = |(k, (dims, numbers)): (usize, &(Vec<usize>, Vec<f32>))| match (i + seed as usize) % 4 {
            1 => Tensor::f16_from_f32(dims, numbers),
            2 if k == 0 => int8(dims, numbers, axis),
            3 if k == 0 => int8(dims, numbers, 0),
            3 => {
                let codes: Vec<i32> = numbers.iter().map(|v| (v * 1e6) as i32).collect();
                Tensor::from_i32(dims, &codes, 0, &vec![1e-6; dims[0]])
            }
            _ => Tensor::from_f32(dims, numbers),
        };
        tensors.iter().enumerate().map(store).collect()
    });
    Model { metadata: metadata(), architecture: net.clone(), weights: weights.collect() }
}

/// In 255 steps along `axis`.
pub(super) fn int8(dims: &[usize], numbers: &[f32], axis: usize) -> Tensor<'static> {
    let step: usize = dims[axis + 1..].iter().product();
    let channel = |i: usize| i / step % dims[axis];
    let mut scales = vec![f32::MIN_POSITIVE; dims[axis]];
    numbers.iter().enumerate().for_each(|(i, v)| scales[channel(i)] = scales[channel(i)].max(v.abs() / 127.0));
    let codes: Vec<i8> = numbers.iter().enumerate().map(|(i, v)| (v / scales[channel(i)]).round() as i8).collect();
    Tensor::from_i8(dims, &codes, axis, &scales)
}

/// Integers from end to end: every value that a convolution or a dense layer reads is quantised, sums and pools of them
/// too, and biases count in steps of input times weight. `lineament quantize` leaves the sums as they are.
pub(super) fn tinyint8() -> Model<'static> {
    let mut net = Architecture::new(Shape::hwc(18, 14, 1));
    net.push(Op::Conv { filters: 8, kernel: 3, stride: 1, padding: 1 }); // f32
    net.push(Op::Activation(Activation::PRelu));
    let stem = net.push(Op::Quantize);
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    net.push(Op::Activation(Activation::PRelu));
    net.push(Op::Quantize);
    net.push(Op::Conv { filters: 8, kernel: 1, stride: 1, padding: 0 });
    net.push(Op::Activation(Activation::Relu));
    net.push(Op::Add { with: stem });
    net.push(Op::Quantize);
    net.push(Op::Depthwise { kernel: 3, stride: 2, padding: 1 }); // [9, 7, 8]
    net.push(Op::Activation(Activation::HardSwish));
    let small = net.push(Op::Quantize);
    let map = net.push_from(small, Op::Conv { filters: 5, kernel: 3, stride: 1, padding: 1 });
    net.push_from(small, Op::Conv { filters: 12, kernel: 2, stride: 1, padding: 0 }); // [8, 6, 12]
    net.push(Op::MaxPool);
    net.push(Op::Activation(Activation::Relu));
    net.push(Op::Quantize); // [4, 3, 12]
    net.push(Op::Dense { units: 20 });
    net.push(Op::Activation(Activation::Relu));
    net.push(Op::Quantize);
    let dense = net.push(Op::Dense { units: 6 });
    net.output("map", map);
    net.output("dense", dense);
    let (seed, first) = (5, 0);
    let mut model = random_model(&net, seed);
    for (i, (tensors, (dims_of, layer))) in
        model.weights.iter_mut().zip(random_weights(&net, seed).into_iter().zip(&net.layers)).enumerate()
    {
        let plain = |(dims, numbers): &(Vec<usize>, Vec<f32>)| Tensor::from_f32(dims, numbers);
        *tensors = match layer.op {
            Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. } if i > first => {
                let [(dims, numbers), (bias_dims, bias)] = dims_of.as_slice() else { unreachable!("weight and bias") };
                let weight = int8(dims, numbers, layer.op.output_axis());
                let scales: Vec<f32> = weight.scales.as_ref().unwrap().to_vec().iter().map(|s| s * 0.02).collect();
                let codes: Vec<i32> = bias.iter().zip(&scales).map(|(b, s)| (0.1 * b / s).round() as i32).collect();
                vec![weight, Tensor::from_i32(bias_dims, &codes, 0, &scales)]
            }
            // After a ReLU nothing is below 0.
            Op::Quantize => {
                let relu = net.layers[i - 1].op == Op::Activation(Activation::Relu);
                vec![Tensor::from_f32(&[], &[0.02]), Tensor::from_u8(if relu { 0 } else { 120 })]
            }
            _ => dims_of.iter().map(plain).collect(),
        };
    }
    model
}

pub(super) fn metadata() -> Metadata {
    let mut metadata = Metadata::new(Role::Landmarks);
    metadata.set(key::NAME, "fixture");
    metadata.set(key::INPUT, "grey");
    metadata.set(key::LICENCE, "MIT OR Apache-2.0");
    metadata
}

/// A network out of random choices: each number picks an operator, an input among the newest values, and sizes.
pub(super) fn network(choices: &[(u8, u8, u8)], height: usize, width: usize, channels: usize) -> Architecture {
    let mut net = Architecture::new(Shape::hwc(height, width, channels));
    for &(kind, back, size) in choices {
        let input = net.layers.len().saturating_sub(usize::from(back % 3));
        let (kernel, size) = (1 + usize::from(size % 4), usize::from(size));
        let (stride, padding) = (1 + size % 2, size / 4 % 3);
        let from = net.shapes().unwrap()[input];
        let op = match kind % 12 {
            0 => Op::Conv { filters: 1 + size % 7, kernel, stride, padding },
            // Of one channel it is the same as a convolution, and read as one.
            1 if from.channels > 1 => Op::Depthwise { kernel, stride, padding },
            2 => Op::Activation(Activation::Relu),
            3 => Op::Activation(Activation::PRelu),
            4 => Op::Activation(Activation::HardSwish),
            5 => Op::MaxPool,
            6 => Op::Add { with: size % (net.layers.len() + 1) },
            7 => Op::GlobalPool,
            8 => Op::WeightedPool { weights: size % (net.layers.len() + 1) },
            9 => Op::PositionBias,
            10 => Op::Quantize,
            _ => Op::Dense { units: 1 + size % 5 },
        };
        net.push_from(input, op);
        if net.shapes().is_err() {
            net.layers.pop();
        }
    }
    net.output("last", net.layers.len());
    net.output("middle", net.layers.len() / 2);
    net
}
