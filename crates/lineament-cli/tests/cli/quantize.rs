use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::helpers::Folder;

/// Both default models, which are f16, and a photo whose true points are what they say.
fn folder() -> Folder {
    let folder = Folder::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in ["lite", "detector"] {
        folder.write(&format!("{name}.onnx"), fs::read(root.join(format!("models/{name}/{name}.onnx"))).unwrap());
    }
    folder.write("faces/a.jpg", fs::read(root.join("testdata/astronaut.jpg")).unwrap());
    let points = folder.run(&["run", "faces/a.jpg", "--format", "pts"]).stdout;
    folder.write("faces/a.pts", points);
    folder
}

#[test]
fn both_models_become_no_larger_and_still_place_the_points() {
    let folder = folder();
    let json = ["--data", "faces", "--max-loss", "9", "--format", "json"];
    for (model, to, share) in [("lite", "f16", 1.0), ("lite", "int8", 0.75), ("detector", "int8", 0.75)] {
        let outcome = folder.run(&[&["quantize", &format!("{model}.onnx"), "--to", to][..], &json].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        let figures: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(figures["written"], format!("{model}.{to}.onnx"));
        let bytes = |side: &str| figures[side]["file_bytes"].as_f64().unwrap();
        assert!(bytes("after") <= share * bytes("before"), "{figures}");
        assert!(figures["loss"].as_f64().unwrap() < 3.0, "{figures}");
    }
    let args = ["--model", "lite.int8.onnx", "--detector", "detector.int8.onnx", "--format", "pts"];
    let points = |text: &str| -> Vec<f32> { text.split_whitespace().filter_map(|word| word.parse().ok()).collect() };
    let small = points(&folder.run(&[&["run", "faces/a.jpg"][..], &args].concat()).stdout);
    let large = points(&folder.read("faces/a.pts"));
    assert!(small.len() == large.len() && large.len() > 2 * 68);
    // The face is about 90 pixels wide.
    let off = small.iter().zip(&large).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off > 0.0 && off < 2.5, "off by {off}");
}

#[test]
fn a_model_that_loses_too_much_is_not_written_unless_forced() {
    let folder = folder();
    let args = ["quantize", "lite.onnx", "--data", "faces", "--to", "f16", "--max-loss", "-1"];
    let outcome = folder.run(&args);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.starts_with("error: f16 loses"), "{}", outcome.stderr);
    assert!(outcome.stderr.lines().count() == 1 && !folder.path("lite.f16.onnx").exists());
    let outcome = folder.run(&[&args[..], &["--force", "--out", "small/forced.onnx"]].concat());
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stderr.starts_with("warning: "), "{}", outcome.stderr);
    let inspected = folder.run(&["inspect", "small/forced.onnx"]);
    assert!(inspected.stdout.contains(" f16\n"), "{}", inspected.stdout);
}

#[test]
fn what_cannot_be_quantised_is_one_clear_line() {
    let folder = folder();
    folder.run(&["quantize", "lite.onnx", "--data", "faces", "--to", "int8", "--max-loss", "9"]);
    for (args, expected) in [
        (&["none.onnx", "--data", "faces"][..], "none.onnx"),
        (&["faces/a.jpg", "--data", "faces"], "not a model file"),
        (&["lite.onnx", "--data", "nowhere"], "--data: nowhere"),
        (&["lite.onnx", "--data", "faces", "--validation", "0.5"], "too few photos"),
        (&["lite.onnx", "--data", "faces", "--out", "lite.onnx"], "--out: lite.onnx"),
        (&["lite.int8.onnx", "--data", "faces"], "quantised already"),
    ] {
        let outcome = folder.run(&[&["quantize", "--to", "int8"][..], args].concat());
        assert_eq!(outcome.code, Some(1), "{args:?}");
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}
