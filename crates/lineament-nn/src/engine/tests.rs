//! Kernels and whole networks compared with sums by hand, on random sizes, at every level of the processor.

use proptest::prelude::*;

use super::conv::PackedConv;
use super::dense::PackedDense;
use super::depthwise::Depthwise;
use super::finish::{Activated, Finish};
use super::separable::Separable;
use super::window::Window;
use super::{Engine, elementwise};
use crate::model::{Activation, Architecture, Layer, Metadata, Model, Op, Role, Shape, write};
use crate::simd::testing::at_every_level;

/// Numbers from -1 to 1 that look random.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Largest difference from `expected` over all levels; NaN is the largest.
fn worst(expected: &[f32], answers: &[Vec<f32>]) -> f32 {
    let differences = answers.iter().flat_map(|a| a.iter().zip(expected).map(|(a, e)| (a - e).abs()));
    assert!(answers.iter().all(|a| a.len() == expected.len()));
    differences.max_by(f32::total_cmp).unwrap_or(0.0)
}

/// A map and its size.
#[derive(Clone)]
struct Map {
    values: Vec<f32>,
    shape: Shape,
}

impl Map {
    fn random(shape: Shape, seed: u32) -> Self {
        Self { values: numbers(shape.len(), seed), shape }
    }

    /// 0 outside.
    fn at(&self, y: isize, x: isize, c: usize) -> f32 {
        let Shape { height, width, channels } = self.shape;
        let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
        if inside { self.values[(y as usize * width + x as usize) * channels + c] } else { 0.0 }
    }

    /// What `number` gives for each row, column and channel.
    fn of(shape: Shape, number: impl Fn(usize, usize, usize) -> f32) -> Self {
        let Shape { width: w, channels: c, .. } = shape;
        let values = (0..shape.len()).map(|i| number(i / (w * c), i / c % w, i % c)).collect();
        Self { values, shape }
    }

    /// A convolution with weights `[kernel, kernel, inputs, outputs]`.
    fn convolved(&self, weights: &[f32], bias: &[f32], window: Window) -> Self {
        let (h, w) = window.over((self.shape.height, self.shape.width));
        let inputs = self.shape.channels;
        Self::of(Shape::hwc(h, w, bias.len()), |y, x, o| {
            let taps = (0..window.kernel * window.kernel * inputs).map(|tap| {
                let (ky, kx, i) = (tap / (window.kernel * inputs), tap / inputs % window.kernel, tap % inputs);
                let place = |at: usize, k: usize| (at * window.stride + k) as isize - window.padding as isize;
                self.at(place(y, ky), place(x, kx), i) * weights[tap * bias.len() + o]
            });
            bias[o] + taps.sum::<f32>()
        })
    }

    /// A depthwise convolution with weights `[kernel, kernel, channels]`.
    fn convolved_depthwise(&self, weights: &[f32], bias: &[f32], window: Window) -> Self {
        // One with a full matrix for each tap that is 0 but on the diagonal.
        let c = bias.len();
        let full: Vec<f32> = (0..weights.len() * c)
            .map(|i| if i / c % c == i % c { weights[i / (c * c) * c + i % c] } else { 0.0 })
            .collect();
        self.convolved(&full, bias, window)
    }

    fn pooled(&self) -> Self {
        let Shape { height, width, channels } = self.shape;
        Self::of(Shape::hwc(height / 2, width / 2, channels), |y, x, c| {
            let at = |dy, dx| self.at((2 * y + dy) as isize, (2 * x + dx) as isize, c);
            at(0, 0).max(at(0, 1)).max(at(1, 0)).max(at(1, 1))
        })
    }

    fn activated(mut self, kind: Activation, slopes: &[f32]) -> Self {
        let c = self.shape.channels;
        for (i, v) in self.values.iter_mut().enumerate() {
            *v = match kind {
                Activation::Relu => v.max(0.0),
                Activation::PRelu if *v > 0.0 => *v,
                Activation::PRelu => *v * slopes[i % c],
                Activation::HardSwish => *v * (*v / 6.0 + 0.5).clamp(0.0, 1.0),
            };
        }
        self
    }

    fn added(mut self, other: &[f32]) -> Self {
        self.values.iter_mut().zip(other).for_each(|(v, o)| *v += o);
        self
    }
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Relu), Just(Activation::PRelu), Just(Activation::HardSwish)]
}

/// Below `end`; under Miri, which is slow, below 9, which is two vectors of the plain level and a rest.
fn few(end: usize) -> std::ops::Range<usize> {
    1..if cfg!(miri) { end.min(9) } else { end }
}

/// A window and a map that it fits into.
fn window_and_map(channels: impl Strategy<Value = usize>) -> impl Strategy<Value = (Window, Shape)> {
    (1..6usize, 1..4usize, 0..4usize, 1..12usize, few(40), channels).prop_map(
        |(kernel, stride, padding, height, width, channels)| {
            let window = Window { kernel, stride, padding };
            (window, Shape::hwc(height.max(kernel), width.max(kernel), channels))
        },
    )
}

/// Activation, sum and activation, each there or not, for outputs of any size.
#[derive(Debug, Clone, Copy)]
struct Follows {
    activation: Option<Activation>,
    add: bool,
    then: Option<Activation>,
}

fn follows() -> impl Strategy<Value = Follows> {
    (prop::option::of(activation()), any::<bool>(), prop::option::of(activation()))
        .prop_map(|(activation, add, then)| Follows { activation, add, then })
}

impl Follows {
    /// What it makes of `map`, and what `run` makes of it.
    fn both(self, map: Map, run: impl Fn(Finish, &mut [f32])) -> (Vec<f32>, Vec<Vec<f32>>) {
        let (len, c) = (map.values.len(), map.shape.channels);
        let ([first, last], add) = ([numbers(c, 21), numbers(c, 22)], numbers(len, 23));
        let slopes = |kind: Activation, slopes: &[f32]| match kind {
            Activation::PRelu => Activated::new(kind, slopes),
            kind => Activated::new(kind, &[]),
        };
        let activated = (self.activation.map(|a| slopes(a, &first)), self.then.map(|a| slopes(a, &last)));
        let finish = Finish {
            activation: activated.0.as_ref(),
            add: self.add.then_some(&add),
            then: activated.1.as_ref(),
            exact: false,
        };
        let answers = at_every_level(|| {
            let mut output = vec![f32::NAN; len];
            run(finish, &mut output);
            output
        });
        let mut expected = map;
        if let Some(kind) = self.activation {
            expected = expected.activated(kind, &first);
        }
        if self.add {
            expected = expected.added(&add);
        }
        if let Some(kind) = self.then {
            expected = expected.activated(kind, &last);
        }
        (expected.values, answers)
    }
}

/// Few under Miri, which is slow.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if cfg!(miri) { 2 } else { count }) }
}

/// The largest difference between a convolution and sums by hand, with a maximum of 2x2 behind it where `pool` says so
/// and the map is large enough.
fn convolution_is_off_by(window: Window, from: Shape, outputs: usize, follows: Follows, pool: bool) -> f32 {
    let input = Map::random(from, 1);
    let weights = numbers(window.kernel * window.kernel * from.channels * outputs, 2);
    let bias = numbers(outputs, 3);
    let (size, mut expected) = ((from.height, from.width), input.convolved(&weights, &bias, window));
    let pool = pool && expected.shape.height > 1 && expected.shape.width > 1;
    if pool {
        expected = expected.pooled();
    }
    let (expected, answers) = follows.both(expected, |finish, output| {
        let conv = PackedConv::new(&weights, &bias, window, from.channels);
        match pool {
            true => {
                let rows = 0..window.over(size).0 / 2;
                conv.run_pooled_rows(&input.values, size, rows, finish, output);
            }
            false => conv.run(&input.values, size, finish, output),
        }
    });
    worst(&expected, &answers)
}

/// Few sums, so that Miri comes to the end: tiles of several pixels, of one, and windows over the map's ends.
#[test]
fn small_convolutions_agree_with_sums_by_hand() {
    let follows = Follows { activation: Some(Activation::PRelu), add: true, then: Some(Activation::HardSwish) };
    for (kernel, stride, padding) in [(1, 1, 0), (3, 1, 1), (3, 2, 1)] {
        for pool in [false, true] {
            let window = Window { kernel, stride, padding };
            let off = convolution_is_off_by(window, Shape::hwc(4, 7, 2), 5, follows, pool);
            assert!(off < 1e-4, "{window:?}, pool {pool}: off by {off}");
        }
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn convolutions_agree_with_sums_by_hand(
        (window, from) in window_and_map(few(9)), outputs in few(50), follows in follows(), pool in any::<bool>(),
    ) {
        let off = convolution_is_off_by(window, from, outputs, follows, pool);
        prop_assert!(off < 1e-4, "off by {off}");
    }

    #[test]
    fn depthwise_convolutions_agree_with_sums_by_hand(
        (window, from) in window_and_map(few(40)), follows in follows(),
    ) {
        let input = Map::random(from, 4);
        let weights = numbers(window.kernel * window.kernel * from.channels, 5);
        let bias = numbers(from.channels, 6);
        let expected = input.convolved_depthwise(&weights, &bias, window);
        let (expected, answers) = follows.both(expected, |finish, output| {
            let depthwise = Depthwise { weights: &weights, bias: &bias, window };
            depthwise.run(&input.values, (from.height, from.width), finish, output);
        });
        let off = worst(&expected, &answers);
        prop_assert!(off < 1e-4, "off by {off}");
    }

    #[test]
    fn separable_convolutions_agree_with_sums_by_hand(
        (window, from) in window_and_map(few(40)), outputs in few(40), follows in follows(), rows in 1..4usize,
        between in prop::option::of(activation()),
    ) {
        let input = Map::random(from, 7);
        let weights = numbers(window.kernel * window.kernel * from.channels, 8);
        let bias = numbers(from.channels, 9);
        let slopes = numbers(from.channels, 10);
        let (point_weights, point_bias) = (numbers(from.channels * outputs, 11), numbers(outputs, 12));
        let mut middle = input.convolved_depthwise(&weights, &bias, window);
        let mut band = vec![f32::NAN; rows * middle.shape.width * from.channels];
        if let Some(kind) = between {
            middle = middle.activated(kind, &slopes);
        }
        let between = between.map(|kind| {
            Activated::new(kind, if kind == Activation::PRelu { &slopes } else { &[] })
        });
        let band = std::cell::RefCell::new(&mut band);
        let expected = middle.convolved(&point_weights, &point_bias, Window::POINT);
        let (expected, answers) = follows.both(expected, |finish, output| {
            let pair = Separable {
                depthwise: Depthwise { weights: &weights, bias: &bias, window },
                between: Finish { activation: between.as_ref(), ..Finish::default() },
                pointwise: &PackedConv::new(&point_weights, &point_bias, Window::POINT, from.channels),
                finish,
            };
            let size = (from.height, from.width);
            pair.run_rows(&input.values, size, 0..window.over(size).0, &mut band.borrow_mut(), output);
        });
        let off = worst(&expected, &answers);
        prop_assert!(off < 1e-3, "off by {off}");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn dense_layers_agree_with_sums_by_hand(
        inputs in few(300), units in prop_oneof![1..6usize, few(150)], samples in 1..16usize, follows in follows(),
    ) {
        // Samples as the pixels of a row.
        let input = Map::random(Shape::hwc(1, samples, inputs), 13);
        let (weights, bias) = (numbers(inputs * units, 14), numbers(units, 15));
        let expected = input.convolved(&weights, &bias, Window::POINT);
        let (expected, answers) = follows.both(expected, |finish, output| {
            PackedDense::new(&weights, &bias).run(samples, &input.values, finish, output);
        });
        let off = worst(&expected, &answers);
        prop_assert!(off < 1e-4, "off by {off}");
    }
}

#[test]
fn pooling_agrees_with_sums_by_hand_at_every_level() {
    let from = Shape::hwc(5, 7, 9);
    let map = Map::random(from, 7);
    let (input, pooled) = (&map.values, map.pooled().values);
    let answers = at_every_level(|| {
        let mut output = vec![f32::NAN; pooled.len()];
        elementwise::max_pool(input, from, &mut output);
        output
    });
    assert_eq!(worst(&pooled, &answers), 0.0);

    let weights = numbers(from.len(), 10).into_iter().map(|w| 9.0 * w).collect::<Vec<_>>();
    let by_hand = |c: usize| {
        let shares = weights.iter().skip(c).step_by(9).map(|w| 1.0 / (1.0 + (-f64::from(*w)).exp()));
        let votes = shares.clone().zip(input.iter().skip(c).step_by(9)).map(|(s, v)| s * f64::from(*v));
        (votes.sum::<f64>() / shares.sum::<f64>()) as f32
    };
    let means: Vec<f32> = (0..9).map(by_hand).collect();
    let answers = at_every_level(|| {
        let mut output = vec![f32::NAN; 9];
        elementwise::weighted_pool(input, &weights, &mut output);
        output
    });
    assert!(worst(&means, &answers) < 1e-5);
}

/// A network's values, layer by layer.
fn by_hand(net: &Architecture, weights: &[Vec<(Vec<usize>, Vec<f32>)>], input: Map) -> Vec<Map> {
    let mut values = vec![input];
    for (&Layer { op, input }, tensors) in net.layers.iter().zip(weights) {
        let (from, tensor) = (&values[input], |k: usize| tensors[k].1.as_slice());
        let c = from.shape.channels;
        // The file has channels outermost.
        let channels_last = |values: &[f32], rows: usize| -> Vec<f32> {
            let columns = values.len() / rows;
            (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
        };
        values.push(match op {
            Op::Conv { filters, kernel, stride, padding } => {
                let weights = channels_last(tensor(0), filters); // [c, k, k, filters]
                let taps = kernel * kernel;
                let weights: Vec<f32> = (0..taps * c)
                    .flat_map(|i| &weights[(i % c * taps + i / c) * filters..][..filters])
                    .copied()
                    .collect();
                from.convolved(&weights, tensor(1), Window { kernel, stride, padding })
            }
            Op::Depthwise { kernel, stride, padding } => {
                let weights = channels_last(tensor(0), c);
                from.convolved_depthwise(&weights, tensor(1), Window { kernel, stride, padding })
            }
            Op::Activation(kind) => {
                from.clone().activated(kind, tensors.first().map_or(&[], |slopes| slopes.1.as_slice()))
            }
            Op::MaxPool => from.pooled(),
            Op::Add { with } => from.clone().added(&values[with].values),
            Op::PositionBias => from.clone().added(&channels_last(tensor(0), c)),
            Op::GlobalPool => Map::of(Shape::hwc(1, 1, c), |_, _, c| {
                let pixels = from.values.iter().skip(c).step_by(from.shape.channels);
                pixels.sum::<f32>() / (from.shape.height * from.shape.width) as f32
            }),
            Op::Dense { units } => Map::of(Shape::hwc(1, 1, units), |_, _, u| {
                tensor(1)[u] + from.values.iter().enumerate().map(|(k, x)| x * tensor(0)[k * units + u]).sum::<f32>()
            }),
            Op::WeightedPool { .. } | Op::BatchNorm | Op::Quantize => unreachable!("not drawn"),
        });
    }
    values
}

/// What is drawn for a layer: which operation, and which earlier value it reads or adds.
fn layers() -> impl Strategy<Value = Vec<(u8, prop::sample::Index)>> {
    prop::collection::vec((0..12u8, any::<prop::sample::Index>()), 1..12)
}

/// A network of these layers, as far as they fit.
fn network(layers: &[(u8, prop::sample::Index)], input: Shape, outputs: &[prop::sample::Index]) -> Architecture {
    let mut net = Architecture::new(input);
    for (kind, other) in layers {
        let shapes = net.shapes().unwrap();
        let newest = *shapes.last().unwrap();
        let alike: Vec<usize> = (0..shapes.len()).filter(|&v| shapes[v] == newest).collect();
        let op = match kind {
            0 => Op::Conv { filters: 5, kernel: 3, stride: 1, padding: 1 },
            1 | 2 => Op::Conv { filters: 5, kernel: 1, stride: 1, padding: 0 },
            3 => Op::Depthwise { kernel: 3, stride: 2, padding: 1 },
            4 => Op::Depthwise { kernel: 3, stride: 1, padding: 1 },
            5 => Op::Activation(Activation::Relu),
            6 => Op::Activation(Activation::PRelu),
            7 if newest.height > 1 && newest.width > 1 => Op::MaxPool,
            8 => Op::PositionBias,
            9 if newest.height * newest.width < 20 => Op::Dense { units: 5 },
            10 => Op::GlobalPool,
            _ => Op::Add { with: *other.get(&alike) },
        };
        // Now and then from an earlier value of the same shape.
        if kind % 3 == 1 {
            net.push_from(*other.get(&alike), op)
        } else {
            net.push(op)
        };
    }
    net.output("last", net.layers.len());
    for (k, output) in outputs.iter().enumerate() {
        net.output(&format!("other{k}"), 1 + output.index(net.layers.len()));
    }
    net
}

proptest! {
    #![proptest_config(cases(256))]

    /// Steps, plan and kernels together.
    #[test]
    fn networks_agree_with_layers_run_one_by_one(
        layers in layers(), outputs in prop::collection::vec(any::<prop::sample::Index>(), 0..2),
    ) {
        let net = network(&layers, Shape::hwc(9, 10, 5), &outputs);
        let shapes = net.shapes().unwrap();
        let tensors = |(i, layer): (usize, &Layer)| {
            let dims = layer.op.weight_dims(shapes[layer.input]);
            let tensor = |(k, dims): (usize, Vec<usize>)| {
                // Small enough that sums stay near 1.
                let (len, fan) = (dims.iter().product::<usize>(), dims[1..].iter().product::<usize>().max(1));
                let fan = if matches!(layer.op, Op::Dense { .. }) { dims[0] } else { fan };
                let scale = (2.0 / fan as f32).sqrt();
                let values = numbers(len, (31 * i + k) as u32).into_iter().map(|v| scale * v).collect();
                (dims, values)
            };
            dims.into_iter().enumerate().map(tensor).collect::<Vec<_>>()
        };
        let weights: Vec<_> = net.layers.iter().enumerate().map(tensors).collect();
        // A file cannot hold every network: what a dense layer makes has no rows and columns.
        let file = write(&net, &Metadata::new(Role::Landmarks), &weights);
        prop_assume!(file.is_ok());
        let file = file.unwrap();
        let model = Model::parse(&file).unwrap();
        prop_assert_eq!(&model.architecture.layers, &net.layers);
        let input = Map::random(net.input, 99);
        let expected = by_hand(&net, &weights, input.clone());
        for output in &net.outputs {
            let expected = &expected[output.value].values;
            let answers = at_every_level(|| {
                let mut engine = Engine::new(&model).unwrap();
                engine.run(|to| to.fill(7.0)); // Nothing of the first run may be left in the second.
                engine.run(|to| to.copy_from_slice(&input.values));
                engine.output(&output.name).unwrap().0.to_vec()
            });
            let largest = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
            let off = worst(expected, &answers) / largest;
            prop_assert!(off < 1e-4, "{} is off by {off}", output.name);
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "WebAssembly has no threads here")]
fn engines_over_one_network_run_on_many_threads() {
    let mut net = Architecture::new(Shape::hwc(8, 8, 1));
    let value = net.push(Op::Conv { filters: 3, kernel: 3, stride: 1, padding: 1 });
    net.output("map", value);
    let weights = vec![vec![(vec![3, 1, 3, 3], numbers(27, 1)), (vec![3], numbers(3, 2))]];
    let file = write(&net, &Metadata::new(Role::Landmarks), &weights).unwrap();
    let engine = Engine::new(&Model::parse(&file).unwrap()).unwrap();
    let answer = |mut engine: Engine, seed: u32| {
        engine.run(|input| input.copy_from_slice(&numbers(64, seed)));
        engine.output("map").unwrap().0.to_vec()
    };
    let alone: Vec<_> = (0..4).map(|seed| answer(engine.clone(), seed)).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..4)
            .map(|seed| {
                scope.spawn({
                    let engine = engine.clone();
                    move || answer(engine, seed)
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
}
