//! Our engine beside onnxruntime's stored outputs (`tools/check_onnx.py`), at the processor's best level; the kernels
//! themselves are compared at every level by their own tests.

use lineament_nn::engine::Engine;
use lineament_nn::model::{Model, Op, Shape};
use serde_json::Value;

/// Largest difference that is accepted.
const TOLERANCE: f32 = 1e-4;

/// The same of a network that rounds between its layers, as a share of the output's largest number: what lies midway
/// between two steps becomes one or the other by the last bit of a sum, and that goes on through the layers behind.
const ROUNDED_TOLERANCE: f32 = 0.02;

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// `[c, h, w] -> [h, w, c]`.
fn hwc_from_chw(values: &[f32], Shape { height, width, channels }: Shape) -> Vec<f32> {
    let area = height * width;
    (0..area * channels).map(|i| values[i % channels * area + i / channels]).collect()
}

/// A file beside this one.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A shipped model.
fn model(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../models/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Small networks with every operator on noise, in f32, stored in every way, and in integers, and the shipped models in
/// f16 on a real face (`cargo run -p lineament-data --example write_crops`).
#[test]
fn outputs_agree_with_onnxruntimes() {
    let cases = [
        ("tiny", fixture("tiny.onnx")),
        ("tinyconv", fixture("tinyconv.onnx")),
        ("tinymixed", fixture("tinymixed.onnx")),
        ("tinyint8", fixture("tinyint8.onnx")),
        ("lite", model("lite/lite.onnx")),
        ("detector", model("detector/detector.onnx")),
    ];
    for (name, file) in cases {
        let stored: Value = serde_json::from_slice(&fixture(&format!("{name}.json"))).unwrap();
        let [1, channels, height, width] = sizes(&stored["shape"])[..] else { panic!("{name}: one picture, NCHW") };
        let model = Model::parse(&file).unwrap();
        let rounds = model.architecture.layers.iter().any(|layer| layer.op == Op::Quantize);
        let mut engine = Engine::new(&model).unwrap();
        engine.set_input_size(height, width).unwrap();
        let input = hwc_from_chw(&numbers(&stored["input"]), Shape::hwc(height, width, channels));
        // Twice: nothing of the first run may be left in the second.
        engine.run(|to| to.fill(9.0));
        engine.run(|to| to.copy_from_slice(&input));
        let outputs = stored["outputs"].as_object().unwrap();
        assert!(!outputs.is_empty());
        for (output, expected) in outputs {
            let (ours, shape) = engine.output(output).unwrap_or_else(|| panic!("{name} has no output {output}"));
            let expected = hwc_from_chw(&numbers(expected), shape);
            assert_eq!(ours.len(), expected.len(), "{name} {output}");
            // `total_cmp`, so that NaN counts.
            let worst = ours.iter().zip(&expected).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap();
            let largest = expected.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
            let tolerance = if rounds { ROUNDED_TOLERANCE * largest } else { TOLERANCE };
            assert!(worst <= tolerance, "{name} {output}: off by {worst}");
        }
    }
}
