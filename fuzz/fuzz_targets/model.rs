//! Any bytes are a sound model or an error, and a model that can be written is read back as it was.
//!
//! `crates/lineament-nn/tests/fixtures/*.onnx` make a good first corpus. They have no checksum, so a changed byte gets
//! past it and reaches the reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_nn::model::Model;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::parse(bytes) {
        assert!(model.weight_bytes() <= bytes.len());
        assert_eq!(model.architecture.layer_parameters().unwrap().iter().sum::<usize>(), model.parameters());
        model.multiply_adds().unwrap();
        model.weights.iter().flatten().for_each(|tensor| assert_eq!(tensor.to_vec().len(), tensor.len()));
        if let Ok(written) = model.to_bytes() {
            assert!(Model::parse(&written).unwrap() == model);
        }
    }
});
