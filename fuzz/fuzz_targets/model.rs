//! Any bytes are a sound model or an error. `crates/lineament/tests/fixtures/*.onnx` make a good first corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::model::Model;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(model) = Model::parse(bytes) {
        assert!(model.weight_bytes() <= bytes.len());
        assert_eq!(model.architecture.layer_parameters().unwrap().iter().sum::<usize>(), model.parameters());
        model.multiply_adds().unwrap();
    }
});
