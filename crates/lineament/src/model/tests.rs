use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

type Weights = Vec<Vec<(Vec<usize>, Vec<f32>)>>;

/// Every operator once at least, two thousand weights, values that are read twice, dense and spatial outputs.
fn tiny() -> Architecture {
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
fn tinyconv() -> Architecture {
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
fn random_weights(net: &Architecture, mut seed: u64) -> Weights {
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
fn random_model(net: &Architecture, seed: u64) -> Model<'static> {
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
fn int8(dims: &[usize], numbers: &[f32], axis: usize) -> Tensor<'static> {
    let step: usize = dims[axis + 1..].iter().product();
    let channel = |i: usize| i / step % dims[axis];
    let mut scales = vec![f32::MIN_POSITIVE; dims[axis]];
    numbers.iter().enumerate().for_each(|(i, v)| scales[channel(i)] = scales[channel(i)].max(v.abs() / 127.0));
    let codes: Vec<i8> = numbers.iter().enumerate().map(|(i, v)| (v / scales[channel(i)]).round() as i8).collect();
    Tensor::from_i8(dims, &codes, axis, &scales)
}

/// Integers from end to end, as `lineament quantize` writes them: every value that a convolution or a dense layer reads
/// is quantised, sums and pools of them too, and biases count in steps of input times weight.
fn tinyint8() -> Model<'static> {
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

fn metadata() -> Metadata {
    let mut metadata = Metadata::new(Role::Landmarks);
    metadata.set(key::NAME, "fixture");
    metadata.set(key::INPUT, "grey");
    metadata.set(key::LICENCE, "MIT OR Apache-2.0");
    metadata
}

fn file(net: &Architecture) -> Vec<u8> {
    write(net, &metadata(), &random_weights(net, 1)).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn assert_reads_back(net: &Architecture) {
    let weights = random_weights(net, 7);
    if !net.layers.iter().any(|layer| layer.op == Op::Quantize) {
        let bytes = write(net, &metadata(), &weights).unwrap();
        let model = Model::parse(&bytes).unwrap();
        for (read, written) in model.weights.iter().zip(&weights) {
            assert_eq!(read.iter().map(|t| (t.dims.clone(), t.to_vec())).collect::<Vec<_>>(), *written);
        }
    }
    (0..4).for_each(|seed| assert_comes_back(&random_model(net, seed)));
}

fn assert_comes_back(written: &Model) {
    let bytes = written.to_bytes().unwrap();
    let model = Model::parse(&bytes).unwrap();
    assert!(model == *written, "{:?}", written.architecture); // assert_eq would print every weight
    assert_eq!(model.parameters(), model.architecture.layer_parameters().unwrap().iter().sum::<usize>());
    assert!(model.weight_bytes() <= bytes.len());
    for tensor in model.weights.iter().flatten() {
        assert!(matches!(tensor.bytes, std::borrow::Cow::Borrowed(_)));
        assert_eq!((tensor.bytes.as_ptr() as usize - bytes.as_ptr() as usize) % 64, 0);
    }
}

#[test]
fn what_was_written_is_read_back() {
    assert_reads_back(&tiny());
    assert_reads_back(&tinyconv());
    let mut only_outputs = Architecture::new(Shape::hwc(2, 3, 4));
    only_outputs.output("same", 0);
    assert_reads_back(&only_outputs);
    assert_comes_back(&tinyint8());
}

/// The stored files, whose outputs `tools/check_onnx.py` takes from onnxruntime. With `REGENERATE` in the environment
/// they are written anew; run that script afterwards.
#[test]
fn stored_files_hold_what_the_writer_writes() {
    let files = [
        ("tiny.onnx", file(&tiny())),
        ("tinyconv.onnx", file(&tinyconv())),
        ("tinymixed.onnx", random_model(&tiny(), 0).to_bytes().unwrap()),
        ("tinyint8.onnx", tinyint8().to_bytes().unwrap()),
    ];
    for (name, written) in files {
        if std::env::var_os("REGENERATE").is_some() {
            std::fs::write(fixture(name), &written).unwrap();
        }
        let stored = std::fs::read(fixture(name)).unwrap();
        // Not assert_eq: it would print every weight.
        assert!(Model::parse(&stored).unwrap() == Model::parse(&written).unwrap(), "{name}: run with REGENERATE=1");
    }
}

#[test]
fn a_truncated_file_is_an_error() {
    for bytes in [file(&tiny()), tinyint8().to_bytes().unwrap()] {
        for len in 0..bytes.len() {
            assert!(Model::parse(&bytes[..len]).is_err(), "the first {len} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn no_changed_byte_makes_the_reader_panic() {
    let mut net = Architecture::new(Shape::hwc(4, 3, 1));
    net.push(Op::Conv { filters: 2, kernel: 3, stride: 1, padding: 1 });
    net.push(Op::Activation(Activation::PRelu));
    net.push(Op::Quantize);
    net.push(Op::MaxPool);
    net.push(Op::Dense { units: 2 });
    net.output("out", 5);
    let bytes = random_model(&net, 3).to_bytes().unwrap();
    for at in 0..bytes.len() {
        for change in [0x01, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            if let Ok(model) = Model::parse(&changed) {
                assert_eq!(model.architecture.shapes().unwrap().len(), model.weights.len() + 1);
                model.multiply_adds().unwrap();
                model.weights.iter().flatten().for_each(|tensor| assert_eq!(tensor.to_vec().len(), tensor.len()));
            }
        }
    }
}

/// Replaces the one occurrence of `from` in a file.
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at: Vec<_> = (0..=bytes.len() - from.len()).filter(|&i| bytes[i..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "{from:?} occurs at {at:?}");
    [&bytes[..at[0]], to, &bytes[at[0] + from.len()..]].concat()
}

fn error(bytes: &[u8]) -> String {
    Model::parse(bytes).unwrap_err().to_string()
}

#[test]
fn unsupported_and_hostile_files_are_clear_errors() {
    let mut net = Architecture::new(Shape::hwc(4, 3, 2));
    net.push(Op::Dense { units: 5 });
    net.push(Op::Activation(Activation::Relu));
    net.output("out", 2);
    let bytes = file(&net);
    let dims = [0x08, 24, 0x08, 5, 0x10, 1]; // [24, 5], f32
    let cases: [(&[u8], &[u8], &str); 10] = [
        (b"Relu", b"Tanh", "node `relu1` (Tanh): this operator is not supported"),
        (b"landmarks", b"lawnmower", "unknown role `lawnmower`"),
        (b"format_version", b"format_versiom", "no `format_version`"),
        (b"role", b"rule", "no `role`"),
        (b"format_version\x12\x011", b"format_version\x12\x019", "format version `9`"),
        (&dims, &[0x08, 23, 0x08, 5, 0x10, 1], "the tensor `dense0.weight` of [23, 5] has 480 bytes"),
        (&dims, &[0x08, 24, 0x08, 5, 0x10, 7], "not of f32, f16 or whole numbers"),
        (&dims, &[0x08, 24, 0x08, 5, 0x10, 10], "of [24, 5] has 480 bytes"),
        (&dims, &[0x08, 24, 0x08, 5, 0x10, 6], "of int32 stands where f32 is expected"),
        // [2^32], and neither the second size nor the element type
        (&dims, &[0x08, 0x80, 0x80, 0x80, 0x80, 0x10], "dense0.weight"),
    ];
    for (from, to, expected) in cases {
        let error = error(&patched(&bytes, from, to));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn numbers_that_are_stored_wrongly_are_clear_errors() {
    let mut net = Architecture::new(Shape::hwc(4, 3, 2));
    net.push(Op::Quantize);
    net.push(Op::Dense { units: 5 });
    net.output("out", 2);
    let bytes = random_model(&net, 1).to_bytes().unwrap(); // an int8 weight along axis 1
    // The last of them: names occur as an argument first, then as the tensor's.
    let renamed = |from: &[u8], to: &[u8]| {
        let mut changed = bytes.clone();
        let at = changed.windows(from.len()).rposition(|w| w == from).unwrap();
        changed[at..at + to.len()].copy_from_slice(to);
        error(&changed)
    };
    let codes = [0x08, 24, 0x08, 5, 0x10, 3]; // [24, 5], int8
    for (from, to, expected) in [
        (&codes[..], &[0x08, 24, 0x08, 5, 0x10, 2][..], "uint8 of [24, 5] with scales of [5] along axis 1"),
        (&codes, &[0x08, 24, 0x08, 5, 0x10, 10], "of [24, 5] has 120 bytes"),
        (&codes, &[0x08, 20, 0x08, 6, 0x10, 3], "int8 of [20, 6] with scales of [5] along axis 1"),
        (b"QuantizeLinear", b"QuantizeLineal", "this operator is not supported"),
        (b"axis\xa0\x01\x02\x18\x01", b"axis\xa0\x01\x02\x18\x00", "scales of [5] along axis 0"),
        (b"axis\xa0\x01\x02\x18\x01", b"axis\xa0\x01\x02\x18\x09", "scales of [5] along axis 9"),
        (b"quantize0.offset", b"quantize0.offsex", "`quantize0.offset` is missing or used twice"),
    ] {
        let error = renamed(from, to);
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn packed_floats_are_read_like_raw_bytes() {
    let mut net = Architecture::new(Shape::hwc(1, 1, 2));
    net.push(Op::Dense { units: 5 });
    net.output("out", 1);
    let bytes = file(&net);
    // Raw data (field 9) of the bias, 20 bytes with the length in five, becomes float data (field 4).
    let packed = patched(&bytes, &[0x4a, 0x94, 0x80, 0x80, 0x80, 0], &[0x22, 0x94, 0x80, 0x80, 0x80, 0]);
    assert_eq!(Model::parse(&packed), Model::parse(&bytes));
    assert!(Model::parse(&packed).is_ok());
}

#[test]
fn sizes_past_all_counting_are_errors() {
    // A graph with one tensor of [2^62, 4] and no bytes: the product is 0 in 64 bits. Likewise 2^30 in 32 bits.
    let quarter = 1usize << (usize::BITS - 2);
    let mut writer = wire::Writer::default();
    let entry = |w: &mut wire::Writer, key: &str, value: &str| {
        w.message(14, |w| {
            w.text(1, key);
            w.text(2, value);
        });
    };
    entry(&mut writer, "format_version", "1");
    entry(&mut writer, "role", "detector");
    entry(&mut writer, "input_size", &format!("{}x{}", usize::MAX, usize::MAX));
    writer.message(8, |w| w.int(2, 17));
    let header = writer.buffer.clone();
    let mut with_graph = |fill: &dyn Fn(&mut wire::Writer)| {
        writer.buffer = header.clone();
        writer.message(7, |w| {
            w.message(11, |w| {
                w.text(1, "image");
                w.message(2, |w| {
                    w.message(1, |w| {
                        w.int(1, 1);
                        w.message(2, |w| {
                            for size in [1, 1] {
                                w.message(1, |w| w.int(1, size));
                            }
                            w.message(1, |_| {});
                            w.message(1, |_| {});
                        });
                    })
                });
            });
            w.message(12, |w| w.text(1, "image"));
            fill(w);
        });
        error(&writer.buffer)
    };
    assert!(with_graph(&|_| {}).contains("is larger than"));
    let overflow = with_graph(&|w| {
        w.message(5, |w| {
            w.int(1, quarter as i64);
            w.int(1, 4);
            w.int(2, 1);
            w.text(8, "weight");
        });
        w.message(1, |w| {
            for input in ["image", "weight", "bias"] {
                w.text(1, input);
            }
            w.text(2, "out");
            w.text(4, "Conv");
        });
    });
    assert!(overflow.contains(&format!("`weight` of [{quarter}, 4] has 0 bytes")), "{overflow}");
    assert!(with_graph(&|w| (0..6000).for_each(|_| w.message(1, |_| {}))).contains("more than 5120 nodes"));
    assert!(with_graph(&|w| w.message(5, |w| (0..9).for_each(|_| w.int(1, 0)))).contains("more than 8 integers"));
}

#[test]
fn what_onnx_cannot_hold_is_not_written() {
    let refused = |net: &Architecture, metadata: &Metadata| {
        let weights = random_weights(net, 1);
        write(net, metadata, &weights).unwrap_err().to_string()
    };
    let net = |ops: &[Op], output: &str| {
        let mut net = Architecture::new(Shape::hwc(4, 4, 2));
        ops.iter().for_each(|&op| _ = net.push(op));
        net.output(output, ops.len());
        net
    };
    let pointwise = Op::Conv { filters: 2, kernel: 1, stride: 1, padding: 0 };
    for (net, expected) in [
        (net(&[pointwise, Op::BatchNorm], "out"), "layer 1 is a batch normalisation"),
        (net(&[Op::Dense { units: 2 }, pointwise], "out"), "layer 1 (Conv"),
        (net(&[Op::MaxPool], ""), "cannot name an output"),
        (net(&[Op::MaxPool], "conv0.out"), "cannot name an output"),
        (net(&[Op::MaxPool], "image"), "two values are named `image`"),
        (net(&[Op::GlobalPool, Op::Dense { units: 2 }, Op::Add { with: 1 }], "out"), "layer 2 (Add"),
    ] {
        let error = refused(&net, &metadata());
        assert!(error.contains(expected), "{error}");
    }
    let mut owned = metadata();
    owned.set(key::ROLE, "detector");
    assert!(refused(&net(&[Op::MaxPool], "out"), &owned).contains("`role`"));
    let conv = net(&[pointwise], "out");
    let mut weights = random_weights(&conv, 1);
    weights[0][0].1.pop();
    assert!(write(&conv, &metadata(), &weights).is_err());
}

#[test]
fn a_model_of_another_role_is_refused() {
    let bytes = file(&tiny());
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(model.metadata.get(key::ROLE), Some("landmarks"));
    assert_eq!(model.metadata.get(key::CROP), None);
    model.expect_role(Role::Landmarks).unwrap();
    let expected = Error::Role { expected: "detector", actual: "landmarks".into() };
    assert_eq!(model.expect_role(Role::Detector), Err(expected));
}

/// A network out of random choices: each number picks an operator, an input among the newest values, and sizes.
fn network(choices: &[(u8, u8, u8)], height: usize, width: usize, channels: usize) -> Architecture {
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

proptest! {
    #[test]
    fn random_networks_are_read_back_or_refused(
        choices in prop::collection::vec(any::<(u8, u8, u8)>(), 0..12),
        (height, width, channels) in (1usize..9, 1usize..9, 1usize..4),
    ) {
        let net = network(&choices, height, width, channels);
        match random_model(&net, 0).to_bytes() {
            Ok(_) => assert_reads_back(&net),
            Err(error) => prop_assert!(error.to_string().contains("cannot read what a dense layer"), "{error}"),
        }
    }

    #[test]
    fn any_bytes_are_a_model_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Model::parse(&bytes);
    }

    #[test]
    fn any_changes_leave_a_model_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        is_int8 in any::<bool>(),
    ) {
        let mut bytes = if is_int8 { tinyint8().to_bytes().unwrap() } else { file(&tiny()) };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(model) = Model::parse(&bytes) {
            model.multiply_adds().unwrap();
            let _ = crate::engine::Engine::new(&model);
        }
    }
}
