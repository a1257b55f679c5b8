use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::helpers::Folder;

/// A folder with one photo whose true points are what the models say.
fn labelled() -> Folder {
    let folder = Folder::new();
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
    folder.write("faces/a.jpg", fs::read(photo).unwrap());
    let points = folder.run(&["run", "faces/a.jpg", "--format", "pts"]).stdout;
    folder.write("faces/a.pts", points);
    folder
}

#[test]
fn stress_changes_the_photos_and_prints_a_line_for_each_condition() {
    let folder = labelled();
    let outcome = folder.run(&["eval", "faces", "--stress", "--conditions", "unchanged,mirror,mask"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let table: Vec<&str> = outcome.stdout.lines().collect();
    for (line, name) in table[1..4].iter().zip(["unchanged", "mirror", "mask"]) {
        assert!(line.starts_with(name), "{}", outcome.stdout);
    }
    let outcome = folder.run(&["eval", "faces", "--stress", "--format", "json"]);
    let rows: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(rows["conditions"].as_array().unwrap().len(), 22);
    let row = |name: &str| rows["conditions"].as_array().unwrap().iter().find(|row| row["condition"] == name).unwrap();
    assert!(row("unchanged")["nme51"].as_f64().unwrap() < 0.1, "{}", row("unchanged"));
    let mirrored = row("mirror");
    assert!(mirrored["found"] == 1 && mirrored["nme68"].as_f64().unwrap() < 4.0, "{mirrored}");
    assert!(row("mask")["covered_rise"].as_f64().is_none_or(|rise| rise > 1.2), "{}", row("mask"));
}

#[test]
fn groups_are_read_from_the_names() {
    let folder = labelled();
    for name in ["people/34_1_0_2017.jpg", "people/8_0_2_2017.jpg", "people/nobody.jpg"] {
        folder.write(name, fs::read(folder.path("faces/a.jpg")).unwrap());
    }
    let outcome = folder.run(&["eval", "people", "--groups"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for start in ["age     0 to 9", "age     30 to 39", "gender  female", "race    Asian", "left out: 1 photo "] {
        assert!(outcome.stdout.lines().any(|line| line.starts_with(start)), "{start} in\n{}", outcome.stdout);
    }
    let outcome = folder.run(&["eval", "faces", "--groups"]);
    assert!(outcome.code == Some(1) && outcome.stderr.contains("AGE_GENDER_RACE_DATE"), "{}", outcome.stderr);
}

#[test]
fn the_face_score_is_tested_on_boxes() {
    let folder = labelled();
    let coffee = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/coffee.jpg");
    folder.write("things/coffee.jpg", fs::read(coffee).unwrap());
    let eval = |more: &[&str]| -> Value {
        let args = ["eval", "faces", "--nonfaces", "things", "--boxes", "--format", "json"];
        let outcome = folder.run(&[&args, more].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let boxes = &eval(&[])["boxes"];
    assert_eq!((&boxes["random"]["boxes"], &boxes["of_faces"]["boxes"]), (&120.into(), &1.into()));
    assert!(boxes["random"]["accepted"].as_u64().unwrap() <= 6 && boxes["of_faces"]["accepted"] == 1, "{boxes}");
    // The threshold is the one that the user gives; from 0 on every box is a face.
    let all = &eval(&["--face-threshold", "0"])["boxes"];
    assert_eq!((&all["random"]["threshold"], &all["random"]["accepted"]), (&0.0.into(), &120.into()), "{all}");
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let folder = labelled();
    for args in [
        &["eval", "faces", "--stress", "--conditions", "fog"][..],
        &["eval", "faces", "--conditions", "mask"],
        &["eval", "faces", "--stress", "--groups"],
        &["eval", "faces", "--stress", "--worst", "3"],
        &["eval", "faces", "--boxes"],
    ] {
        assert_eq!(folder.run(args).code, Some(2), "{args:?}");
    }
}
