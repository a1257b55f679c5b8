use std::path::Path;

use image::ImageFormat;
use serde_json::Value;

use crate::helpers::{Folder, faceless};

#[test]
fn bench_refuses_sizes_and_rounds_out_of_range() {
    for (flag, value, text) in [
        ("--size", "640", "invalid value '640' for '--size <WIDTHxHEIGHT>': give width and height from 16 to 8192"),
        ("--rounds", "0", "invalid value '0' for '--rounds <COUNT>': give a whole number of at least 1"),
    ] {
        let outcome = Folder::new().run(&["bench", "a.jpg", flag, value]);
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
}

#[test]
fn bench_needs_a_face() {
    let folder = Folder::new();
    folder.write("stripes.png", faceless(ImageFormat::Png));
    // The detector takes something in this photo for a face, the landmark network does not.
    let cat = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/cat.jpg");
    folder.write("cat.jpg", std::fs::read(cat).unwrap());
    for photo in ["stripes.png", "cat.jpg"] {
        let outcome = folder.run(&["bench", photo, "--rounds", "1"]);
        assert_eq!(outcome.code, Some(1));
        assert_eq!(outcome.stderr, format!("error: {photo}: no face is found at 640x480: give another photo\n"));
    }
}

#[test]
fn bench_measures_networks_their_operations_the_path_and_callers() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
    let bench = ["bench", photo.to_str().unwrap(), "--rounds", "2", "--threads", "2"];
    let outcome = Folder::new().run(&[&bench[..], &["--format", "json"]].concat());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let positive = |value: &Value| value.as_f64().is_some_and(|v| v > 0.0);
    assert_eq!((&report["faces"], &report["frames"]), (&1.into(), &1.into()), "{report}");
    for limit in ["multiply_adds_per_sec", "int8_multiply_adds_per_sec", "read_bytes_per_sec"] {
        assert!(positive(&report["machine"][limit]), "{limit}: {report}");
    }
    let networks = report["networks"].as_array().unwrap();
    for (network, (name, input)) in networks.iter().zip([("detector", [256, 320]), ("landmarks", [112, 112])]) {
        assert_eq!((&network["name"], &network["input"]), (&name.into(), &input.to_vec().into()));
        assert!(positive(&network["ms"]["median"]) && positive(&network["share_of_limit"]), "{network}");
        let ops = network["fused_ops"].as_array().unwrap();
        let count = |ops: Vec<&Value>| ops.iter().map(|op| op["multiply_adds"].as_u64().unwrap()).sum::<u64>();
        assert_eq!(network["multiply_adds"], count(ops.iter().collect()));
        assert_eq!(network["int8_multiply_adds"], count(ops.iter().filter(|op| op["int8"] == true).collect()));
        // The models inside the program are int8. Above 1 only noise can lift the share of what the machine reaches.
        assert!(positive(&network["int8_multiply_adds"]), "{network}");
        assert!(network["share_of_limit"].as_f64().unwrap() < 1.5, "{network}\n{}", report["machine"]);
    }
    let path = report["path"].as_array().unwrap();
    let names: Vec<&str> = path.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["decode", "shrink", "detect", "crop", "pass", "landmarks", "photo", "track"]);
    assert!(path.iter().all(|row| positive(&row["ms"]["median"])), "{report}");
    let threads = report["callers"].as_array().unwrap().iter().map(|row| row["threads"].as_u64().unwrap());
    assert_eq!(threads.collect::<Vec<_>>(), [1, 2]);

    let text = Folder::new().run(&[&bench[..], &["--layers"]].concat()).stdout;
    for line in ["landmarks, each operation", " G of int8, ", "2 threads", "load models", "energy", "depthwise 3x3"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let help = Folder::new().run(&["bench", "--help"]).stdout;
    assert!(help.contains("What the lines mean:"), "{help}");
}

#[test]
fn bench_measures_a_video() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
    let folder = Folder::new();
    folder.write("two.mjpeg", std::fs::read(&photo).unwrap().repeat(2));
    let outcome = folder.run(&["bench", "two.mjpeg", "--rounds", "1"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(
        outcome.stdout.starts_with("two.mjpeg at 640x480, 2 frames, 1 face, 1 round, 1 thread\n"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn the_points_of_a_face_neither_jitter_nor_lag() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
    let outcome =
        Folder::new().run(&["bench", "steadiness", photo.to_str().unwrap(), "--rounds", "1", "--format", "json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let figure = |name: &str, kind: &str| report[name][kind].as_f64().unwrap();
    assert!((0.1..0.5).contains(&figure("jitter", "raw")), "{report}");
    assert!(figure("jitter", "smooth") < 0.1 && figure("sliding_jitter", "smooth") < 0.1, "{report}");
    assert!(figure("lag_frames", "smooth").abs() < 0.1 && figure("lag_frames", "raw").abs() < 0.1, "{report}");
    for part in ["lids_late_frames", "mouth_late_frames"] {
        assert!((0.001..0.2).contains(&report[part].as_f64().unwrap()), "{part}: {report}");
    }
}

#[test]
fn bench_steadiness_needs_a_face_and_explains_itself() {
    let folder = Folder::new();
    folder.write("stripes.png", faceless(ImageFormat::Png));
    // `stability` is the command's first name.
    for name in ["steadiness", "stability"] {
        let outcome = folder.run(&["bench", name, "stripes.png", "--rounds", "1"]);
        assert_eq!(outcome.code, Some(1));
        let text = "error: stripes.png: no face is found in every frame at 640x480: give another photo\n";
        assert_eq!(outcome.stderr, text);
    }
    let help = folder.run(&["bench", "steadiness", "--help"]).stdout;
    assert!(help.contains("Examples:\n  lineament bench steadiness"), "{help}");
}
