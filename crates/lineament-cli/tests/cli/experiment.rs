use lineament::Point;
use lineament::topology::ibug68::POINTS;
use lineament_data::Record;
use lineament_data::record::SIDE;
use lineament_data::table::{Writer, point_names};
use serde_json::Value;

use crate::helpers::{Folder, picture};

/// A folder with a table of drawn faces: a disc that is moved about, and 68 points on a spiral that moves along.
fn folder(rows: usize) -> Folder {
    let folder = Folder::new();
    let mut writer = Writer::create(&folder.path("faces.csv"), &point_names(POINTS)).unwrap();
    for row in 0..rows {
        let (x0, y0) = (44.0 + (row * 7 % 9) as f32, 44.0 + (row * 5 % 11) as f32);
        let point = |k: usize| {
            let (angle, radius) = (0.7 * k as f32, 8.0 + 0.4 * k as f32);
            Point::new(x0 + radius * angle.cos(), y0 + radius * angle.sin())
        };
        let pixel = |i: usize| {
            let distance = ((i % SIDE) as f32 - x0).hypot((i / SIDE) as f32 - y0);
            if distance < 30.0 { 200 } else { 40 + (row % 3) as u8 }
        };
        let record = Record {
            points: (0..POINTS).map(point).collect(),
            pixels: (0..SIDE * SIDE).map(pixel).collect(),
            origin: None,
        };
        writer.write(&record).unwrap();
    }
    writer.finish().unwrap();
    folder
}

const QUICK: [&str; 9] = ["experiment", "paper", "faces.csv", "--out", "paper", "--networks", "basic", "--epochs", "2"];

#[test]
fn an_experiment_ends_in_a_report_and_is_not_repeated() {
    let folder = folder(24);
    folder.write("pictures/stripes/a.png", picture(64, 64, image::ImageFormat::Png));
    let first = folder.run(&QUICK);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stderr.contains("basic: epoch 2 of 2, loss"), "{}", first.stderr);
    let results: Value = serde_json::from_str(&folder.read("paper/results.json")).unwrap();
    let basic = &results["networks"][0];
    assert_eq!(basic["parameters"], 8_326_340);
    assert_eq!(basic["feature_maps"], serde_json::json!([[47, 47, 32], [23, 23, 32], [11, 11, 64]]));
    assert_eq!(results["data"]["train"], 21);
    let history = basic["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    let (in_training, of_file) = (&history[1]["validation"]["mae"], &basic["validation"]["mae"]);
    let difference = (in_training.as_f64().unwrap() - of_file.as_f64().unwrap()).abs();
    assert!(difference < 1e-3, "training says {in_training}, the exported file {of_file}");
    let report = folder.read("paper/report.html");
    assert!(report.contains("<svg") && report.contains("faces.csv"), "{}", &report[..report.len().min(300)]);

    let again = folder.run(&[&QUICK[..], &["--test", "faces.csv", "--pictures", "pictures"]].concat());
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stderr.contains("epoch 1"), "trained again: {}", again.stderr);
    let measured: Value = serde_json::from_str(&folder.read("paper/results.json")).unwrap();
    assert_eq!(measured["networks"][0]["validation"], basic["validation"]);
    assert_eq!(measured["data"]["tests"], serde_json::json!([["faces.csv", 24]]));
    assert_eq!(measured["pictures"], serde_json::json!([]), "no face in stripes");

    let other = folder.run(&[&QUICK[..], &["--seed", "8"]].concat());
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("a run with other settings is here"), "{}", other.stderr);
    let inspected = folder.run(&["inspect", "paper/basic/model.onnx"]);
    assert!(inspected.code == Some(0) && inspected.stdout.contains("basic"), "{inspected:?}");
}

#[test]
fn the_papers_recipe_trains_one_network_and_says_before_what_it_takes() {
    let folder = folder(12);
    let train = [
        "train",
        "--recipe",
        "paper",
        "--table",
        "faces.csv",
        "--out",
        "run",
        "--filters",
        "4,4,8",
        "--kernels",
        "3,2,2",
    ];
    let outcome = folder.run(&[&train[..], &["--epochs", "1"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let before = outcome.stderr.find("of memory").unwrap();
    assert!(before < outcome.stderr.find("epoch 1 of 1").unwrap(), "{}", outcome.stderr);
    let longer = folder.run(&["train", "--recipe", "paper", "--out", "run", "--resume", "--epochs", "2"]);
    assert!(longer.code == Some(0) && longer.stderr.contains("epoch 2 of 2"), "{longer:?}");
    let other = folder.run(&["train", "--recipe", "paper", "--out", "run", "--resume", "--network", "two"]);
    assert_eq!(other.code, Some(2), "{other:?}");
}

#[test]
fn what_cannot_be_trained_is_refused_with_the_remedy() {
    let folder = folder(12);
    let mut lines: Vec<String> = folder.read("faces.csv").lines().map(str::to_owned).collect();
    lines[3] = lines[3].replacen(',', ",,", 1);
    folder.write("bad.csv", lines.join("\n") + "\n");
    let recipe = ["train", "--recipe", "paper", "--out", "run"];
    struct Case {
        more: &'static [&'static str],
        says: &'static [&'static str],
    }
    for Case { more, says } in [
        Case { more: &[], says: &["--table"] },
        Case { more: &["--table", "none.csv"], says: &["none.csv"] },
        Case { more: &["--table", "bad.csv"], says: &["bad.csv", "row 3"] },
        Case { more: &["--table", "faces.csv", "--network", "none"], says: &["memory", "--force"] },
        Case { more: &["--table", "faces.csv", "--network", "five"], says: &["--network"] },
        Case { more: &["--table", "faces.csv", "--kernels", "3,2"], says: &["--kernels", "three whole numbers"] },
        Case { more: &["--table", "faces.csv", "--kernels", "90,11,11"], says: &["kernels"] },
    ] {
        let outcome = folder.run(&[&recipe[..], more].concat());
        assert!(outcome.code.is_some_and(|code| code > 0), "{more:?}: {outcome:?}");
        says.iter().for_each(|says| assert!(outcome.stderr.contains(says), "{more:?}: {}", outcome.stderr));
    }
    assert!(!folder.path("run/config.toml").exists());
}
