use super::super::Engine;
use super::super::finish::Activated;
use super::super::window::Window;
use super::*;
use crate::model::{Activation, Architecture, Metadata, Model, Op, Role, Shape, Tensor};
use crate::simd::testing::{at_every_level, is_quick};

/// Bytes that look random.
fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn signed(len: usize, seed: u32) -> Vec<i8> {
    bytes(len, seed).into_iter().map(|b| b.cast_signed().max(-127)).collect()
}

/// Numbers from -1 to 1.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    bytes(len, seed).iter().map(|b| f32::from(*b) / 128.0 - 1.0).collect()
}

const INPUT: Quantization = Quantization { scale: 0.05, zero_point: 117 };
const OTHER: Quantization = Quantization { scale: 0.3, zero_point: 30 };
const OUTPUT: Quantization = Quantization { scale: 0.4, zero_point: 100 };

/// From a sum and its place to what becomes of it.
type ByHand<'a> = Box<dyn Fn(f32, usize) -> f32 + 'a>;

/// What follows the sums of a layer of `channels`, with an output of `len`, in every way there is.
struct Finishes {
    prelu: Activated,
    relu: Activated,
    hard_swish: Activated,
    slopes: Vec<f32>,
    quantised: Vec<u8>,
    numbers: Vec<f32>,
}

impl Finishes {
    fn new(channels: usize, len: usize) -> Self {
        let slopes = numbers(channels, 5);
        Self {
            prelu: Activated::new(Activation::PRelu, &slopes),
            relu: Activated::new(Activation::Relu, &[]),
            hard_swish: Activated::new(Activation::HardSwish, &[]),
            slopes,
            quantised: bytes(len, 6),
            numbers: numbers(len, 7),
        }
    }

    /// Each with the same done by hand, to a number at a place of the output.
    fn all(&self) -> Vec<(Finish<'_>, ByHand<'_>)> {
        let hard_swish = |v: f32| v * (v / 6.0 + 0.5).clamp(0.0, 1.0);
        let prelu = |v: f32, at: usize| if v > 0.0 { v } else { v * self.slopes[at % self.slopes.len()] };
        let summand = |at: usize| (f32::from(self.quantised[at]) - f32::from(OTHER.zero_point)) * OTHER.scale;
        let none = Finish::default();
        vec![
            (none, Box::new(|v, _| v)),
            (Finish { activation: Some(&self.relu), ..none }, Box::new(|v, _| v.max(0.0))),
            (
                Finish { activation: Some(&self.prelu), add: Some(Added::Quantised(&self.quantised, OTHER)), ..none },
                Box::new(move |v, at| prelu(v, at) + summand(at)),
            ),
            (
                Finish { add: Some(Added::Numbers(&self.numbers)), then: Some(&self.prelu), ..none },
                Box::new(move |v, at| prelu(v + self.numbers[at], at)),
            ),
            (Finish { activation: Some(&self.hard_swish), ..none }, Box::new(move |v, _| hard_swish(v))),
        ]
    }
}

/// Runs a layer with every finish into numbers and quantised values at every level, and compares with `sums`, those of
/// the layer.
fn compare(what: &str, channels: usize, sums: &[f32], run: impl Fn(Finish, Target)) {
    let finishes = Finishes::new(channels, sums.len());
    for (way, (finish, by_hand)) in finishes.all().into_iter().enumerate() {
        let expected: Vec<f32> = sums.iter().enumerate().map(|(at, sum)| by_hand(*sum, at)).collect();
        let answers = at_every_level(|| {
            let (mut numbers, mut quantised) = (vec![f32::NAN; sums.len()], vec![7; sums.len()]);
            run(finish, Target::Numbers(&mut numbers));
            run(finish, Target::Quantised(&mut quantised, OUTPUT));
            (numbers, quantised)
        });
        for (level, (numbers, quantised)) in answers.iter().enumerate() {
            for ((number, code), expected) in numbers.iter().zip(quantised).zip(&expected) {
                let off = (number - expected).abs();
                assert!(off <= 2e-4 * expected.abs().max(10.0), "{what}, finish {way}, level {level}: off by {off}");
                let exact = (expected / OUTPUT.scale + f32::from(OUTPUT.zero_point)).clamp(0.0, 255.0);
                let off = (f32::from(*code) - exact).abs();
                assert!(off <= 0.51, "{what}, finish {way}, level {level}: quantised value off by {off}");
            }
        }
    }
}

#[test]
fn integer_convolutions_agree_with_sums_by_hand_at_every_level() {
    let window = |kernel, stride, padding| Window { kernel, stride, padding };
    for (size, window, inputs, outputs) in [
        ((1, 1), window(1, 1, 0), 4, 1),
        ((5, 3), window(1, 1, 0), 8, 15),
        ((4, 13), window(1, 1, 0), 16, 33),
        ((3, 7), window(1, 1, 0), 12, 136),
        ((6, 6), window(1, 2, 0), 4, 8),
        ((9, 20), window(3, 1, 1), 4, 16),
        ((7, 8), window(3, 2, 1), 8, 17),
        ((6, 31), window(2, 1, 0), 4, 64),
        ((9, 40), window(3, 2, 1), 1, 16),
        ((6, 5), window(5, 1, 2), 1, 33),
        ((5, 7), window(2, 1, 0), 3, 8),
        ((4, 5), window(1, 1, 0), 3, 5),
    ] {
        let ((height, width), (h, w)) = (size, window.over(size));
        let taps = window.kernel * window.kernel;
        if !is_quick(h * w * taps * inputs * outputs) {
            continue;
        }
        let (input, weights) = (bytes(height * width * inputs, 1), signed(taps * inputs * outputs, 2));
        let (scales, bias) =
            (numbers(outputs, 3).iter().map(|s| 0.002 + 0.001 * s).collect::<Vec<_>>(), numbers(outputs, 4));
        let by_hand = |at: usize| {
            let (y, x, o) = (at / (w * outputs), at / outputs % w, at % outputs);
            let mut sum = 0;
            for (tap, i) in (0..taps).flat_map(|tap| (0..inputs).map(move |i| (tap, i))) {
                let (ky, kx) = (tap / window.kernel, tap % window.kernel);
                let place = |at: usize, k: usize, len: usize| {
                    (at * window.stride + k).checked_sub(window.padding).filter(|place| *place < len)
                };
                if let (Some(y), Some(x)) = (place(y, ky, height), place(x, kx, width)) {
                    let code = i32::from(input[(y * width + x) * inputs + i]) - i32::from(INPUT.zero_point);
                    sum += code * i32::from(weights[(o * inputs + i) * taps + tap]);
                }
            }
            sum as f32 * INPUT.scale * scales[o] + bias[o]
        };
        let sums: Vec<f32> = (0..h * w * outputs).map(by_hand).collect();
        let learned = Learned { weights: &weights, scales: &scales, bias: &bias };
        compare(&format!("{size:?} {window:?} {inputs} to {outputs}"), outputs, &sums, |finish, target| {
            let conv = Conv::new(learned, window, inputs, INPUT);
            let mut workspace = vec![0; conv.workspace(h, width)];
            conv.run_rows(&input, size, 0..h, finish, &mut workspace, target);
        });
    }
}

#[test]
fn pooled_integer_convolutions_are_the_largest_of_four_codes_at_every_level() {
    let window = |kernel, padding| Window { kernel, stride: 1, padding };
    for (size, window, inputs, outputs) in [
        ((9, 12), window(3, 0), 1, 32),
        ((6, 7), window(3, 1), 1, 5),
        ((8, 5), window(2, 0), 8, 17),
        ((7, 9), window(1, 0), 4, 49),
    ] {
        let ((h, w), taps) = (window.over(size), window.kernel * window.kernel);
        if !is_quick(h * w * taps * inputs * outputs) {
            continue;
        }
        let (input, weights) = (bytes(size.0 * size.1 * inputs, 1), signed(taps * inputs * outputs, 2));
        let (scales, bias, relu) = (vec![0.004; outputs], numbers(outputs, 4), Activated::new(Activation::Relu, &[]));
        let finish = Finish { activation: Some(&relu), ..Finish::default() };
        at_every_level(|| {
            let learned = Learned { weights: &weights, scales: &scales, bias: &bias };
            let conv = Conv::new(learned, window, inputs, INPUT);
            let (mut all, mut workspace) = (vec![7; h * w * outputs], vec![9; conv.workspace(h, size.1)]);
            conv.run_rows(&input, size, 0..h, finish, &mut workspace, Target::Quantised(&mut all, OUTPUT));
            let (rows, row) = (h / 2, w / 2 * outputs);
            let mut pooled = vec![7; rows * row];
            for (part, output) in pooled.chunks_mut(2 * row).enumerate() {
                let rows = 2 * part..2 * part + output.len() / row;
                let mut workspace = vec![9; conv.pooled_workspace(rows.len(), size.1)];
                conv.run_pooled_rows(&input, size, rows, finish, &mut workspace, (output, OUTPUT));
            }
            for (at, largest) in pooled.iter().enumerate() {
                let (y, x, o) = (at / row, at / outputs % (w / 2), at % outputs);
                let four =
                    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| all[((2 * y + i) * w + 2 * x + j) * outputs + o]);
                assert_eq!(Some(largest), four.iter().max(), "{size:?} {inputs} to {outputs}, place {at}");
            }
            assert!(all.iter().any(|code| *code > OUTPUT.zero_point), "quantised values that differ");
        });
    }
}

#[test]
fn integer_depthwise_convolutions_agree_with_sums_by_hand_at_every_level() {
    for (size, kernel, stride, padding, channels) in [
        ((1, 1), 5, 1, 2, 3),
        ((5, 6), 5, 1, 3, 16),
        ((7, 8), 5, 2, 1, 20),
        ((9, 6), 5, 1, 0, 33),
        ((8, 9), 5, 2, 0, 64),
        ((10, 7), 5, 3, 1, 5),
        ((1, 2), 5, 1, 2, 7),
        ((14, 14), 5, 1, 2, 32),
        ((7, 10), 5, 1, 2, 17),
        ((6, 9), 5, 1, 1, 16),
        ((15, 13), 5, 2, 2, 24),
        ((5, 20), 5, 2, 0, 1),
        ((11, 6), 5, 4, 2, 16),
    ] {
        let window = Window { kernel, stride, padding };
        let ((height, width), (h, w)) = (size, window.over(size));
        let taps = kernel * kernel;
        if !is_quick(h * w * taps * channels) {
            continue;
        }
        let (input, weights) = (bytes(height * width * channels, 1), signed(taps * channels, 2));
        let (scales, bias) =
            (numbers(channels, 3).iter().map(|s| 0.01 + 0.005 * s).collect::<Vec<_>>(), numbers(channels, 4));
        let by_hand = |at: usize| {
            let (y, x, c) = (at / (w * channels), at / channels % w, at % channels);
            let mut sum = 0;
            for tap in 0..taps {
                let place = |at: usize, k: usize, len: usize| {
                    (at * stride + k).checked_sub(padding).filter(|place| *place < len)
                };
                if let (Some(y), Some(x)) = (place(y, tap / kernel, height), place(x, tap % kernel, width)) {
                    let code = i32::from(input[(y * width + x) * channels + c]) - i32::from(INPUT.zero_point);
                    sum += code * i32::from(weights[c * taps + tap]);
                }
            }
            sum as f32 * INPUT.scale * scales[c] + bias[c]
        };
        let sums: Vec<f32> = (0..h * w * channels).map(by_hand).collect();
        let learned = Learned { weights: &weights, scales: &scales, bias: &bias };
        compare(&format!("{size:?} {window:?} {channels} channels"), channels, &sums, |finish, target| {
            let depthwise = Depthwise::new(learned, window, INPUT);
            let mut workspace = vec![f32::NAN; depthwise.workspace(width)];
            depthwise.run_rows(&input, size, 0..h, finish, &mut workspace, target);
        });
    }
}

#[test]
fn integer_dense_layers_agree_with_sums_by_hand_at_every_level() {
    let sizes = [(4, 1), (8, 5), (12, 64), (40, 136), (100, 33), (256, 200)];
    for (inputs, units) in sizes.into_iter().filter(|(inputs, units)| is_quick(inputs * units)) {
        let (input, weights) = (bytes(inputs, 1), signed(inputs * units, 2));
        let (scales, bias) =
            (numbers(units, 3).iter().map(|s| 0.002 + 0.001 * s).collect::<Vec<_>>(), numbers(units, 4));
        let by_hand = |unit: usize| {
            let products = input.iter().enumerate().map(|(i, code)| {
                (i32::from(*code) - i32::from(INPUT.zero_point)) * i32::from(weights[i * units + unit])
            });
            products.sum::<i32>() as f32 * INPUT.scale * scales[unit] + bias[unit]
        };
        let sums: Vec<f32> = (0..units).map(by_hand).collect();
        let learned = Learned { weights: &weights, scales: &scales, bias: &bias };
        compare(&format!("{inputs} to {units}"), units, &sums, |finish, target| {
            Dense::new(learned, inputs, INPUT).run_units(&input, 0..units, finish, target);
        });
    }
}

/// A stored network of all that there is in integers (`model/tests.rs`), whose outputs are beside onnxruntime's in
/// `tests/engine.rs`, and, but under Miri, where they take hours, those that are shipped, whose layers with short sums
/// are in f32.
#[test]
fn networks_with_rounded_values_come_to_the_same_bits_at_every_level() {
    let files: [&[u8]; 3] = [
        include_bytes!("../../../tests/fixtures/tinyint8.onnx"),
        include_bytes!("../../../../../models/lite/lite.int8.onnx"),
        include_bytes!("../../../../../models/detector/detector.int8.onnx"),
    ];
    let count = if cfg!(miri) { 1 } else { files.len() };
    for model in files[..count].iter().map(|file| Model::parse(file).unwrap()) {
        let outputs = || model.architecture.outputs.iter().map(|output| output.name.as_str());
        let answers = at_every_level(|| {
            let mut engine = Engine::new(&model).unwrap();
            let input = numbers(engine.input_shape().len(), 8);
            engine.run(|to| to.fill(9.0)); // Nothing of the first run may be left in the second.
            engine.run(|to| to.copy_from_slice(&input));
            outputs().map(|name| engine.output(name).unwrap().0.to_vec()).collect::<Vec<_>>()
        });
        for (level, answer) in answers.iter().enumerate() {
            let differs = outputs().zip(answer).zip(&answers[0]).find(|((_, a), b)| a != b);
            assert!(differs.is_none(), "{} differs at level {level}", differs.map_or("", |((name, _), _)| name));
        }
    }
}

#[test]
fn a_sum_of_more_products_than_an_integer_holds_comes_out_right() {
    // The least multiple of four of which 255 * 127 each is more than 2^31.
    let inputs = 66_312;
    let mut architecture = Architecture::new(Shape::hwc(1, inputs / 4, 4));
    architecture.push(Op::Quantize);
    architecture.push(Op::Dense { units: 4 });
    architecture.output("sums", 2);
    let model = Model {
        metadata: Metadata::new(Role::Landmarks),
        architecture,
        weights: vec![
            vec![Tensor::from_f32(&[], &[1.0]), Tensor::from_u8(0)],
            vec![
                Tensor::from_i8(&[inputs, 4], &vec![127; inputs * 4], 1, &[1.0; 4]),
                Tensor::from_f32(&[4], &[0.0; 4]),
            ],
        ],
    };
    let expected = (255 * 127 * inputs) as f32;
    for (level, sums) in at_every_level(|| {
        let mut engine = Engine::new(&model).unwrap();
        engine.run(|input| input.fill(255.0));
        engine.output("sums").unwrap().0.to_vec()
    })
    .into_iter()
    .enumerate()
    {
        for sum in sums {
            assert!((sum / expected - 1.0).abs() < 1e-3, "{sum}, not {expected}, at level {level}");
        }
    }
}
