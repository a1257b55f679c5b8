//! The whole loop on a real face. `REGENERATE=1` writes the expected points anew: look at the difference before
//! committing it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::helpers::Folder;

/// Pixels by which a point may differ between platforms.
const TOLERANCE_PX: f64 = 0.1;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// The faces of a picture of `testdata/`, as `--format json` tells them.
fn run_on(name: &str) -> Value {
    let folder = Folder::new();
    fs::copy(testdata(name), folder.path(name)).unwrap();
    let outcome = folder.run(&["run", name, "--format", "json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{name}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn a_photo_on_its_side_is_read_upright() {
    let photo = run_on("astronaut_exif6.jpg");
    assert_eq!((&photo["width"], &photo["height"]), (&192.into(), &240.into()));
    assert_eq!(photo["faces"].as_array().unwrap().len(), 1);
    assert!(photo["faces"][0]["pose"]["roll"].as_f64().unwrap().abs() < 20.0, "{photo}");
}

#[test]
fn every_format_shows_the_same_face() {
    for name in ["astronaut.jpg", "astronaut_grey.png", "astronaut.webp"] {
        assert_eq!(run_on(name)["faces"].as_array().unwrap().len(), 1, "{name}");
    }
}

#[test]
fn of_two_faces_the_larger_comes_first() {
    let photo = run_on("two_faces.jpg");
    let lefts: Vec<f64> = photo["faces"].as_array().unwrap().iter().map(|f| f["box"][0].as_f64().unwrap()).collect();
    assert!(lefts.len() == 2 && lefts[0] < lefts[1], "{lefts:?}");
}

#[test]
fn pictures_without_a_face_have_none() {
    for name in ["cat.jpg", "coffee.jpg", "shapes.png", "blank.png"] {
        assert_eq!(run_on(name)["faces"], Value::Array(Vec::new()), "{name}");
    }
}

#[test]
fn the_points_of_a_real_face_are_the_stored_ones() {
    let (photo, stored) = (testdata("astronaut.jpg"), testdata("astronaut.json"));
    let folder = Folder::new();
    fs::copy(&photo, folder.path("astronaut.jpg")).unwrap();
    let outcome = folder.run(&["run", "astronaut.jpg", "--format", "json", "--draw", "drawn.png"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), "drawn: drawn.png\n"));
    assert!(folder.path("drawn.png").exists());
    let mut actual: Value = serde_json::from_str(&outcome.stdout).unwrap();
    actual.as_object_mut().unwrap().remove("ms");
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&stored, format!("{actual}\n")).unwrap();
    }
    let expected: Value = serde_json::from_str(&fs::read_to_string(&stored).unwrap()).unwrap();
    assert_eq!(actual["faces"].as_array().unwrap().len(), 1, "the photo shows one face");
    assert_eq!((&actual["width"], &actual["height"]), (&expected["width"], &expected["height"]));
    let (actual, expected) = (&actual["faces"][0], &expected["faces"][0]);
    let mut failures = Vec::new();
    for i in 0..68 {
        let at = |face: &Value, axis: usize| face["points"][i][axis].as_f64().unwrap();
        let distance = (at(actual, 0) - at(expected, 0)).hypot(at(actual, 1) - at(expected, 1));
        if distance > TOLERANCE_PX {
            failures.push(format!("point {i} is {distance:.2} px away"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(actual["score"].as_f64().unwrap() > 0.9, "{}", actual["score"]);
}
