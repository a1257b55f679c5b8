use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use networks::{metadata, network, random_model, random_weights, tiny, tinyconv, tinyint8};

mod networks;

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
fn every_changed_bit_is_found_or_changes_nothing() {
    let model = tinyint8();
    let bytes = model.to_bytes().unwrap();
    let mut harmless = 0;
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        match Model::parse(&changed) {
            Err(_) => {}
            Ok(read) => {
                harmless += 1;
                assert_eq!(read.metadata.role, model.metadata.role, "bit {bit} of byte {at}");
                let same = read.architecture == model.architecture && read.weights == model.weights;
                assert!(same, "bit {bit} of byte {at} changes the network without a word");
            }
        }
    }
    // A key that is no longer `checksum`: nothing is checked, and nothing else is changed.
    assert!(harmless <= 8 * (key::CHECKSUM.len() + 16), "{harmless} changed bits are not found");
}

#[test]
fn a_file_without_a_checksum_is_read() {
    let bytes = file(&tiny());
    let at = bytes.windows(8).position(|w| w == key::CHECKSUM.as_bytes()).unwrap();
    let mut without = bytes.clone();
    without[at..at + 8].copy_from_slice(b"other_sum"[..8].as_ref());
    assert!(Model::parse(&without).unwrap().weights == Model::parse(&bytes).unwrap().weights);
}

#[test]
fn what_is_wrong_with_a_file_can_be_told_apart() {
    let bytes = file(&tiny());
    let last = bytes.len() - 1;
    let mut changed = bytes.clone();
    changed[last / 2] ^= 1;
    let unknown = patched(&bytes, b"format_version\x12\x011", b"format_version\x12\x019");
    type Is = fn(&Error) -> bool;
    let [not, damaged, unsupported]: [Is; 3] = [
        |e| matches!(e, Error::NotAModel(_)),
        |e| matches!(e, Error::Damaged(_)),
        |e| matches!(e, Error::Unsupported(_)),
    ];
    for (what, bytes, is) in [
        ("nothing", &[][..], not),
        ("text", b"hello, world", not),
        ("a photo", &[0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46], not),
        ("zeros", &[0; 100], not),
        ("a file that breaks off", &bytes[..last], damaged),
        ("a changed byte", &changed, damaged),
        ("a newer version", &unknown, unsupported),
    ] {
        let error = Model::parse(bytes).unwrap_err();
        assert!(is(&error), "{what}: {error:?}");
    }
    let model = Model::parse(&bytes).unwrap();
    assert!(matches!(model.expect(key::INPUT, "colour"), Err(Error::Model(_))));
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
            checksum::fill_in(&mut changed); // Or the reader would go no further.
            if let Ok(model) = Model::parse(&changed) {
                assert_eq!(model.architecture.shapes().unwrap().len(), model.weights.len() + 1);
                model.multiply_adds().unwrap();
                model.weights.iter().flatten().for_each(|tensor| assert_eq!(tensor.to_vec().len(), tensor.len()));
            }
        }
    }
}

/// Replaces the one occurrence of `from` in a file, and its checksum.
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at: Vec<_> = (0..=bytes.len() - from.len()).filter(|&i| bytes[i..].starts_with(from)).collect();
    assert_eq!(at.len(), 1, "{from:?} occurs at {at:?}");
    let mut changed = [&bytes[..at[0]], to, &bytes[at[0] + from.len()..]].concat();
    checksum::fill_in(&mut changed);
    changed
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
        checksum::fill_in(&mut changed);
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
    writer.int(1, 8);
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
        checksum::fill_in(&mut bytes); // Or the reader would go no further.
        if let Ok(model) = Model::parse(&bytes) {
            model.multiply_adds().unwrap();
            let _ = crate::engine::Engine::new(&model);
        }
    }
}
