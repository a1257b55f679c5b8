//! Objects that are not faces: from pictures of kites to a detector, their four corners and the results of `run`.

use serde_json::Value;

use crate::helpers::Folder;

#[path = "../../../lineament-data/examples/kites/kites.rs"]
mod kites;

/// The topology that goes with the pictures.
const TOPOLOGY: &str = kites::TEXTS[0].1;

fn succeeds(folder: &Folder, arguments: &[&str]) -> String {
    let outcome = folder.run(arguments);
    assert_eq!(outcome.code, Some(0), "{arguments:?}: {outcome:?}");
    outcome.stdout
}

#[test]
fn kites_are_learned_found_measured_quantised_and_written_in_every_format() {
    let folder = Folder::new();
    kites::write(&folder.path("train"), 240, 1).unwrap();
    kites::write(&folder.path("test"), 40, 2).unwrap();
    kites::TEXTS.iter().for_each(|(name, text)| folder.write(name, text));
    for name in ["points", "detector"] {
        let config = format!("{name}.toml");
        succeeds(&folder, &["train", &config, "--out", name, "--epochs", "24", "--threads", "2"]);
    }
    let models = ["--detector", "detector/model.onnx", "--model", "points/model.onnx"];
    let with_models = |arguments: &[&str]| succeeds(&folder, &[arguments, &models].concat());

    // Two thirds of the kites are found, their corners within 5 % of the kite's size in the median.
    let report: Value = serde_json::from_str(&with_models(&["eval", "test/kites.csv", "--format", "json"])).unwrap();
    let report = &report["report"];
    let number = |name: &str| report[name].as_f64().unwrap();
    assert!(number("found_percent") > 66.0 && number("median") < 5.0, "{report}");
    assert_eq!((&report["topology"], &report["nme68"]), (&"kite".into(), &Value::Null));
    let truth = with_models(&["eval", "test/kites.csv", "--crop", "truth", "--format", "json"]);
    let truth: Value = serde_json::from_str(&truth).unwrap();
    assert!(truth["report"]["nme"].as_f64().unwrap() < 5.0, "from the true crops: {truth}");

    // The formats name the points and leave out what a kite has not.
    let json = with_models(&["run", "test", "--format", "json"]);
    let faces: Vec<Value> = json
        .lines()
        .flat_map(|line| serde_json::from_str::<Value>(line).unwrap()["faces"].as_array().unwrap().clone())
        .collect();
    let kite = faces.first().expect("a kite is found");
    assert_eq!(kite["names"], serde_json::json!(["top", "left_wing", "tail", "right_wing"]));
    assert!(kite["points"].as_array().unwrap().len() == 4 && kite.get("pose").is_none(), "{kite}");
    assert!(kite["detection"].get("points").is_none(), "{kite}");
    let csv = with_models(&["run", "test", "--format", "csv"]);
    let start = "image,width,height,face,box_x,box_y,box_width,box_height,score,roll,yaw,pitch,top_x,top_y,top_error,";
    assert!(csv.starts_with(start) && csv.lines().count() == 1 + faces.len(), "{csv}");
    let text = with_models(&["run", "test", "--draw", "drawn"]);
    assert!(text.contains("right_wing") && !text.contains("yaw"), "{text}");
    with_models(&["run", "test", "--format", "pts", "--out", "pts"]);
    let pts = std::fs::read_dir(folder.path("pts")).unwrap().next().unwrap().unwrap().path();
    assert!(std::fs::read_to_string(pts).unwrap().starts_with("version: 1\nn_points: 4\n{\n"));

    // Smaller versions, the model's own topology, and its points from a box of the user's.
    succeeds(
        &folder,
        &["quantize", "points/model.onnx", "--data", "train/kites.csv", "--to", "int8", "--max-loss", "1"],
    );
    succeeds(&folder, &["quantize", "detector/model.onnx", "--data", "train/kites.csv", "--to", "f16"]);
    succeeds(&folder, &["calibrate", "points/model.onnx", "--data", "train/kites.csv", "--out", "calibrated.onnx"]);
    let described = succeeds(&folder, &["topology", "points/model.int8.onnx"]);
    assert!(described.contains("name            kite\n") && described.contains("left_wing"), "{described}");
    let boxed = ["run", "test/kite0000.png", "--box", "40,30,60,60", "--model", "points/model.int8.onnx"];
    assert!(succeeds(&folder, &boxed).contains("tail"));

    // Several of them, and a film, in which each keeps its number.
    kites::write_group(&folder.path("group.png"), 6, 3).unwrap();
    let group: Value =
        serde_json::from_str(&with_models(&["run", "group.png", "--min-face", "30", "--format", "json"])).unwrap();
    assert!((2..=9).contains(&group["faces"].as_array().unwrap().len()), "{group}");
    kites::write_film(&folder.path("film.y4m"), 12, 4).unwrap();
    let film = with_models(&["run", "film.y4m", "--format", "json"]);
    let frames: Vec<Value> = film.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers = |frame: &Value| -> Vec<u64> {
        frame["faces"].as_array().unwrap().iter().map(|kite| kite["id"].as_u64().unwrap()).collect()
    };
    assert!(frames.len() == 12 && !numbers(&frames[11]).is_empty(), "{film}");
    assert!(frames[6..].iter().all(|frame| frame["faces"].as_array().unwrap().len() <= 3), "{film}");
    // What a kite does not have is said, not guessed.
    let stress = ["eval", "test/kites.csv", "--stress", "--conditions", "unchanged,mirror,half,mask"];
    let stress = folder.run(&[&stress, &models[..]].concat());
    assert_eq!(stress.stderr, "`mask` is left out: `kite` has no jaw and no bridge of the nose\n");
    let rows: Vec<&str> = stress.stdout.lines().take(5).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(rows, ["condition", "unchanged", "mirror", "half", ""], "{stress:?}");
    let faces = folder.run(&["eval", "test/kites.csv"]);
    assert!(faces.code == Some(1) && faces.stderr.contains("expected the 68 of `ibug68`"), "{faces:?}");
}

#[test]
fn topologies_are_listed_described_drawn_and_checked() {
    let folder = Folder::new();
    let listed = succeeds(&folder, &["topology"]);
    assert_eq!(listed.lines().count(), 8, "{listed}");
    for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        let described = succeeds(&folder, &["topology", name, "--draw", &format!("{name}.png")]);
        assert!(described.contains("point  name"), "{described}");
        let picture = image::open(folder.path(&format!("{name}.png"))).unwrap();
        assert_eq!((picture.width(), picture.height()), (1200, 1200));
        let printed = succeeds(&folder, &["topology", name, "--print"]);
        assert!(printed.contains(&format!("name = \"{name}\"")), "{printed}");
    }
    folder.write("kite.toml", TOPOLOGY.replace("mirror = 3", "mirror = 2"));
    let broken = folder.run(&["topology", "kite.toml"]);
    let expected = "error: kite.toml: topology: mirror: point 1 becomes 2, but 2 does not become 1";
    assert!(broken.code == Some(1) && broken.stderr.contains(expected), "{broken:?}");
    folder.write("kite.toml", TOPOLOGY.replace("closed", "shut").replace("at = ", "place = "));
    let misspelled = folder.run(&["topology", "kite.toml"]);
    assert!(misspelled.code == Some(1) && misspelled.stderr.contains("kite.toml: line "), "{misspelled:?}");
    let unknown = folder.run(&["topology", "wflw"]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("one of ibug68, ibug51, five"), "{unknown:?}");
    let ending = folder.run(&["topology", "five", "--draw", "five.gif"]);
    assert!(ending.code == Some(2) && ending.stderr.contains(".png or .jpg"), "{ending:?}");
}
