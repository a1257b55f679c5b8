use lineament::engine::Engine;
use lineament::model::{Activation, Architecture, Element, Metadata};
use rand::Rng;

use super::*;

/// A network as ours are: a first convolution of one channel, a residual block, a head, a dense score.
fn network() -> Architecture {
    let prelu = Op::Activation(Activation::PRelu);
    let mut net = Architecture::new(Shape::hwc(16, 16, 1));
    net.push(Op::Conv { filters: 8, kernel: 3, stride: 2, padding: 1 });
    let stem = net.push(prelu);
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    net.push(prelu);
    net.push(Op::Conv { filters: 8, kernel: 1, stride: 1, padding: 0 });
    net.push(prelu);
    let sum = net.push(Op::Add { with: stem });
    let head = net.push_from(sum, Op::Conv { filters: 6, kernel: 1, stride: 1, padding: 0 });
    net.push_from(sum, Op::GlobalPool);
    let score = net.push(Op::Dense { units: 1 });
    net.output("head", head);
    net.output("score", score);
    net
}

fn model(net: Architecture, rng: &mut Pcg64) -> Model<'static> {
    let shapes = net.shapes().unwrap();
    let mut tensor = |dims: &Vec<usize>| {
        let numbers: Vec<f32> = (0..dims.iter().product()).map(|_| rng.random_range(-0.5..0.5)).collect();
        Tensor::from_f32(dims, &numbers)
    };
    let weights =
        net.layers.iter().map(|layer| layer.op.weight_dims(shapes[layer.input]).iter().map(&mut tensor).collect());
    Model { weights: weights.collect(), metadata: Metadata::new(Role::Landmarks), architecture: net }
}

fn pictures(rng: &mut Pcg64) -> Vec<(Shape, Vec<f32>)> {
    let shape = Shape::hwc(16, 16, 1);
    (0..20).map(|_| (shape, (0..shape.len()).map(|_| rng.random_range(-2.0..2.0)).collect())).collect()
}

fn outputs(model: &Model, picture: &[f32]) -> Vec<f32> {
    let mut engine = Engine::new(model).unwrap();
    engine.run(|input| input.copy_from_slice(picture));
    ["head", "score"].iter().flat_map(|name| engine.output(name).unwrap().0.to_vec()).collect()
}

fn to_int8(model: &Model, pictures: &[(Shape, Vec<f32>)]) -> Model<'static> {
    let values = int8::values(model).unwrap();
    let observed = observe::observe(model, &values, pictures.iter().cloned().map(Ok)).unwrap();
    int8::quantized(model, &observed).unwrap()
}

#[test]
fn a_network_in_integers_answers_nearly_the_same() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (model, pictures) = (model(network(), &mut rng), pictures(&mut rng));
    let small = to_int8(&model, &pictures);
    let file = small.to_bytes().unwrap();
    let read = Model::parse(&file).unwrap();
    assert!(read == small);
    let (mut worst, mut largest) = (0.0f32, 0.0f32);
    for (_, picture) in &pictures {
        for (a, b) in outputs(&model, picture).iter().zip(outputs(&read, picture)) {
            (worst, largest) = (worst.max((a - b).abs()), largest.max(a.abs()));
        }
    }
    assert!(worst > 0.0 && worst < 0.03 * largest, "off by {worst} of {largest}");
}

#[test]
fn integer_layers_read_rounded_values_and_outputs_are_not_rounded() {
    let mut rng = Pcg64::seed_from_u64(4);
    let (model, pictures) = (model(network(), &mut rng), pictures(&mut rng));
    let small = to_int8(&model, &pictures);
    let made_by = |value: usize| value.checked_sub(1).map(|layer| small.architecture.layers[layer].op);
    let mut integers = 0;
    for (layer, tensors) in small.architecture.layers.iter().zip(&small.weights) {
        let is_integer = tensors.first().is_some_and(|tensor| tensor.element == Element::I8);
        let weighs = matches!(layer.op, Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. });
        assert_eq!(is_integer, weighs, "{layer:?}");
        if is_integer {
            integers += 1;
            assert_eq!(made_by(layer.input), Some(Op::Quantize), "{layer:?}");
            assert_eq!(tensors[1].element, Element::I32);
        }
        if let Op::Add { with } = layer.op {
            assert_eq!(made_by(with), Some(Op::Quantize), "what is added later is kept once, as codes");
        }
    }
    assert_eq!(integers, 5);
    assert!(small.architecture.outputs.iter().all(|output| made_by(output.value) != Some(Op::Quantize)));
    let again = int8::quantized(&small, &[]).unwrap_err().to_string();
    assert!(again.contains("quantised already"), "{again}");
}

#[test]
fn halves_are_stored_where_they_save_and_refused_where_they_do_not_fit() {
    let mut rng = Pcg64::seed_from_u64(5);
    let mut model = model(network(), &mut rng);
    let half = to_f16(&model).unwrap();
    for (layer, tensors) in half.architecture.layers.iter().zip(&half.weights) {
        let weighs = matches!(layer.op, Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. });
        for (k, tensor) in tensors.iter().enumerate() {
            assert_eq!(tensor.element == Element::F16, weighs && k == 0, "{layer:?}");
        }
    }
    let picture = &pictures(&mut rng)[0].1;
    for (a, b) in outputs(&model, picture).iter().zip(outputs(&half, picture)) {
        assert!((a - b).abs() < 5e-3, "{a} {b}");
    }
    let dims = model.weights[0][0].dims.clone();
    model.weights[0][0] = Tensor::from_f32(&dims, &[70_000.0; 72]);
    let error = to_f16(&model).unwrap_err().to_string();
    assert!(error.contains("70000 does not fit f16"), "{error}");
}

#[test]
fn rounding_weights_does_not_move_the_mean() {
    // One input channel always 1, so that every sum is a sum of weights.
    let mut rng = Pcg64::seed_from_u64(6);
    let mut net = Architecture::new(Shape::hwc(2, 2, 32));
    let head = net.push(Op::Conv { filters: 16, kernel: 1, stride: 1, padding: 0 });
    net.output("head", head);
    let model = model(net, &mut rng);
    let ones = vec![(Shape::hwc(2, 2, 32), vec![1.0; 128])];
    let small = to_int8(&model, &ones);
    let head = |model: &Model| {
        let mut engine = Engine::new(model).unwrap();
        engine.run(|input| input.fill(1.0));
        engine.output("head").unwrap().0.to_vec()
    };
    for (a, b) in head(&model).iter().zip(head(&small)) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
