use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::helpers::{Folder, Outcome};

/// The landmark network in f16, the detector, and a photo with points.
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

fn figures(outcome: &Outcome) -> Value {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn a_calibrated_model_expects_the_errors_that_are_measured_whatever_it_expected_before() {
    let folder = folder();
    let halved = folder.run(&["calibrate", "lite.onnx", "--factor", "0.5", "--out", "halved.onnx"]);
    assert_eq!((halved.code, halved.stderr.as_str()), (Some(0), ""));
    assert!(halved.stdout.contains("expected errors times 0.5000\nwritten: halved.onnx\n"), "{}", halved.stdout);
    let calibrate = |model: &str| {
        let out = format!("calibrated-{model}");
        let args = ["calibrate", model, "--data", "faces", "--out", &out, "--format", "json"];
        figures(&folder.run(&args))
    };
    let [whole, half] = ["lite.onnx", "halved.onnx"].map(calibrate);
    let factor = |figures: &Value| figures["factor"].as_f64().unwrap();
    assert!((factor(&half) / factor(&whole) - 2.0).abs() < 1e-3, "{} and {}", factor(&whole), factor(&half));
    for figures in [whole, half] {
        let ratio = |side: &str| figures["measured"][side]["ratio"].as_f64().unwrap();
        assert!(
            (ratio("before") / factor(&figures) - 1.0).abs() < 1e-6 && (ratio("after") - 1.0).abs() < 1e-3,
            "{figures}"
        );
    }
    let placed = |model: &str| folder.run(&["run", "faces/a.jpg", "--format", "pts", "--model", model]).stdout;
    let points = placed("lite.onnx");
    assert!(points.len() > 68 && placed("calibrated-lite.onnx") == points && placed("halved.onnx") == points);
}

#[test]
fn what_cannot_be_calibrated_is_one_clear_line() {
    let folder = folder();
    let cases = [
        (&["detector.onnx", "--data", "faces", "--out", "new.onnx"][..], 1, "detector.onnx: only a landmark network"),
        (&["lite.onnx", "--data", "faces", "--out", "lite.onnx"], 1, "--out: lite.onnx"),
        (&["lite.onnx", "--data", "nowhere", "--out", "new.onnx"], 1, "--data: nowhere"),
        (&["lite.onnx", "--factor", "0", "--out", "new.onnx"], 1, "--factor: expected errors cannot"),
        (&["lite.onnx", "--out", "new.onnx"], 2, "--data"),
    ];
    for (args, code, text) in cases {
        let outcome = folder.run(&[&["calibrate"], args].concat());
        assert!(outcome.code == Some(code) && outcome.stderr.contains(text), "{args:?}: {outcome:?}");
        assert!(!folder.path("new.onnx").exists(), "{args:?}");
    }
}
