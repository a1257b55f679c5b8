use lineament_nn::engine::Engine;
use lineament_nn::model::{Activation, Architecture, Element, Metadata, Shape};
use rand::Rng;

use super::*;

/// A network as ours are: a first convolution of one channel, a residual block, a small window, a head, a dense score.
fn network() -> Architecture {
    let prelu = Op::Activation(Activation::PRelu);
    let mut net = Architecture::new(Shape::hwc(16, 16, 1));
    net.push(Op::Conv { filters: 32, kernel: 3, stride: 2, padding: 1 });
    let stem = net.push(prelu);
    net.push(Op::Depthwise { kernel: 5, stride: 1, padding: 2 });
    net.push(prelu);
    net.push(Op::Conv { filters: 32, kernel: 1, stride: 1, padding: 0 });
    net.push(prelu);
    let sum = net.push(Op::Add { with: stem });
    net.push(Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
    let head = net.push(Op::Conv { filters: 6, kernel: 1, stride: 1, padding: 0 });
    net.push_from(sum, Op::GlobalPool);
    let score = net.push(Op::Dense { units: 1 });
    net.output("head", head);
    net.output("score", score);
    net
}

/// Those of its layers whose sums have 25 products or more.
const LONG_SUMS: [usize; 4] = [2, 4, 8, 10];

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

fn pictures(rng: &mut Pcg64) -> Vec<Input> {
    let shape = Shape::hwc(16, 16, 1);
    (0..20).map(|_| (shape, (0..shape.len()).map(|_| rng.random_range(-2.0..2.0)).collect())).collect()
}

fn outputs(model: &Model, picture: &[f32]) -> Vec<f32> {
    let mut engine = Engine::new(model).unwrap();
    engine.run(|input| input.copy_from_slice(picture));
    ["head", "score"].iter().flat_map(|name| engine.output(name).unwrap().0.to_vec()).collect()
}

fn int8_of(model: &Model, pictures: &[Input]) -> Model<'static> {
    to_int8(model, 25, || [Ok(pictures.to_vec())].into_iter()).unwrap()
}

#[test]
fn a_network_in_integers_answers_nearly_the_same() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (model, pictures) = (model(network(), &mut rng), pictures(&mut rng));
    let small = int8_of(&model, &pictures);
    let file = small.to_bytes().unwrap();
    let read = Model::parse(&file).unwrap();
    assert!(read == small);
    let (mut worst, mut largest) = (0.0f32, 0.0f32);
    let (mut differences, mut sizes) = (0.0f32, 0.0f32);
    for (_, picture) in &pictures {
        for (a, b) in outputs(&model, picture).iter().zip(outputs(&read, picture)) {
            (worst, largest) = (worst.max((a - b).abs()), largest.max(a.abs()));
            (differences, sizes) = (differences + (a - b).abs(), sizes + a.abs());
        }
    }
    assert!(worst > 0.0 && worst < 0.06 * largest, "off by {worst} of {largest}");
    assert!(differences < 0.02 * sizes, "off by {} on average", differences / sizes);
}

#[test]
fn long_sums_read_rounded_values_and_nothing_else_does() {
    let mut rng = Pcg64::seed_from_u64(4);
    let (model, pictures) = (model(network(), &mut rng), pictures(&mut rng));
    let small = int8_of(&model, &pictures);
    let is_rounded = |value: usize| value > 0 && small.architecture.layers[value - 1].op == Op::Quantize;
    let layers = small.architecture.layers.iter().zip(&small.weights);
    let layers = layers.filter(|(layer, _)| layer.op != Op::Quantize).enumerate();
    for (i, (layer, tensors)) in layers {
        let elements: Vec<Element> = tensors.iter().map(|tensor| tensor.element).collect();
        if LONG_SUMS.contains(&i) {
            assert_eq!(elements, [Element::I8, Element::I32], "{layer:?}");
        } else {
            let weighs = matches!(layer.op, Op::Conv { .. } | Op::Depthwise { .. });
            let expected = |k| if weighs && k == 0 { Element::F16 } else { Element::F32 };
            assert!(elements.iter().enumerate().all(|(k, element)| *element == expected(k)), "{layer:?}");
        }
        assert_eq!(is_rounded(layer.input), LONG_SUMS.contains(&i), "{layer:?}");
        assert!(!layer.op.second_input().is_some_and(is_rounded), "{layer:?}");
    }
    assert!(small.architecture.outputs.iter().all(|output| !is_rounded(output.value)));
    let again = quantize(&small, Precision::Int8 { least_products: 25 }, &[], || ()).unwrap_err().to_string();
    assert!(again.contains("quantised already"), "{again}");
}

#[test]
fn a_first_convolution_may_be_in_integers_and_3x3_windows_of_a_channel_stay() {
    let model = model(network(), &mut Pcg64::seed_from_u64(5));
    let chosen = |least_products| {
        let layers = int8::layers(&model, least_products).unwrap();
        layers.iter().enumerate().filter(|(_, integer)| **integer).map(|(i, _)| i).collect::<Vec<_>>()
    };
    assert_eq!((chosen(25), chosen(10)), (LONG_SUMS.to_vec(), LONG_SUMS.to_vec()));
    assert_eq!((chosen(9), chosen(1)), ([0].into_iter().chain(LONG_SUMS).collect(), chosen(9)));
    assert_eq!(chosen(26), LONG_SUMS[1..]);
}

#[test]
fn equalised_channels_are_more_alike_and_answers_are_the_same() {
    let mut rng = Pcg64::seed_from_u64(7);
    let (mut model, pictures) = (model(network(), &mut rng), pictures(&mut rng));
    // One channel that is ten times as wide as all others.
    let dims = model.weights[0][0].dims.clone();
    let mut weights = model.weights[0][0].to_vec();
    weights[..9].iter_mut().for_each(|weight| *weight *= 10.0);
    model.weights[0][0] = Tensor::from_f32(&dims, &weights);
    let values = int8::values(&model, &int8::layers(&model, 25).unwrap());
    let widths = |model: &Model| observe::widths(model, &values, [Ok(pictures.clone())].into_iter()).unwrap();
    let before = widths(&model);
    let equal = equalise::equalised(&model, &values, &before).unwrap();
    let unlike = |widths: &[f32]| {
        let (least, most) = widths.iter().fold((f32::MAX, 0.0f32), |(a, b), &v| (a.min(v), b.max(v)));
        most / least
    };
    // The root of a width is divided by: what was ten times as wide is three times as wide now.
    let (stem, stem_after) = (unlike(&before[0]), unlike(&widths(&equal)[0]));
    assert!(stem > 9.0 && stem_after < 1.5 * stem.sqrt(), "{stem} became {stem_after}");
    for (_, picture) in &pictures {
        for (a, b) in outputs(&model, picture).iter().zip(outputs(&equal, picture)) {
            assert!((a - b).abs() < 1e-4 * a.abs().max(1.0), "{a} became {b}");
        }
    }
    // Nothing that is known by its numbers was touched.
    assert_eq!(equal.architecture, model.architecture);
    assert!(equal.weights[0] != model.weights[0] && equal.weights[10][1] == model.weights[10][1]);
}

#[test]
fn f16_is_stored_where_it_saves_bytes_and_refused_where_a_weight_does_not_fit() {
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
    model.weights[0][0] = Tensor::from_f32(&dims, &[70_000.0; 288]);
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
    let small = int8_of(&model, &ones);
    let head = |model: &Model| {
        let mut engine = Engine::new(model).unwrap();
        engine.run(|input| input.fill(1.0));
        engine.output("head").unwrap().0.to_vec()
    };
    for (a, b) in head(&model).iter().zip(head(&small)) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
