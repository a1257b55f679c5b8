use std::path::Path;

use lineament::{Point, Rect};
use lineament_data::Record;
use lineament_data::record::{Origin, SIDE};
use lineament_data::table::{ReadOptions, Reader, Writer, point_names};

use crate::helpers::{Folder, Outcome};

/// A drawn face of its own for each seed: soft blobs, and two points.
fn record(seed: usize) -> Record {
    let blob = |x: f32, y: f32, k: usize| {
        let (cx, cy) = ((seed * 37 + k * 53) % 96, (seed * 61 + k * 29 + seed * k * 7) % 96);
        (-((x - cx as f32).powi(2) + (y - cy as f32).powi(2)) / 400.0).exp()
    };
    let pixel = |i: usize| {
        let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
        let sum: f32 = (0..9).map(|k| blob(x, y, k)).sum();
        (30.0 + 60.0 * sum).min(230.0) as u8
    };
    let points = vec![Point::new(30.0 + seed as f32 * 0.1, 40.0), Point::new(60.0, 70.5)];
    Record { points, pixels: (0..SIDE * SIDE).map(pixel).collect(), origin: None }
}

fn with_origin(seed: usize, photo: &str) -> Record {
    let origin = Origin {
        photo: photo.into(),
        photo_size: (640, 480),
        face: Rect::from_xywh(10.0, 20.0, 100.0, 120.0),
        crop: Rect::from_xywh(5.0, 6.0, 130.0, 130.0),
        score: 0.9,
        expected_error: Some(2.5),
        pose: Some([0.0, 0.5, -0.1]),
    };
    Record { origin: Some(origin), ..record(seed) }
}

fn write(folder: &Folder, name: &str, records: &[Record]) {
    let mut writer = Writer::create(&folder.path(name), &point_names(2)).unwrap();
    records.iter().for_each(|record| writer.write(record).unwrap());
    writer.finish().unwrap();
}

fn read(path: &Path) -> Vec<Record> {
    Reader::open(path, ReadOptions::default()).unwrap().map(Result::unwrap).collect()
}

fn ok(folder: &Folder, args: &[&str]) -> Outcome {
    let outcome = folder.run(args);
    assert_eq!(outcome.code, Some(0), "{args:?}: {outcome:?}");
    outcome
}

/// Four photos of five faces each, then a copy, a brighter copy and a face without origin.
fn folder() -> Folder {
    let folder = Folder::new();
    let mut records: Vec<Record> = (0..20).map(|i| with_origin(i, &format!("album/photo{}.jpg", i / 5))).collect();
    records.push(with_origin(3, "other/copy.jpg"));
    let mut brighter = with_origin(7, "other/brighter.jpg");
    brighter.pixels.iter_mut().for_each(|v| *v += 20);
    records.push(brighter);
    records.push(record(20));
    write(&folder, "faces.parquet", &records);
    folder
}

#[test]
fn show_prints_figures_histograms_and_a_sheet() {
    let folder = folder();
    let outcome = ok(&folder, &["data", "show", "faces.parquet", "--sheet", "sheet.png", "--count", "9"]);
    for line in [
        "table                    faces.parquet",
        "rows                     23",
        "points                   2",
        "photos                   6",
        "rows without a photo     1 (4.3 %)",
        "copies of earlier rows   1 (4.3 %)",
        "near copies              1 (4.3 %); `lineament data duplicates` lists both",
        "points outside the crop  0 in 0 rows",
        "yaw (degrees): mean 28.65, from 28.65 to 28.65, 1 not known",
        "  20 to 30               22  ########################################",
        "face size in the photo (px): mean 110.00, from 110.00 to 110.00, 1 not known",
        "score: mean 0.90, from 0.90 to 0.90, 1 not known",
    ] {
        assert!(outcome.stdout.lines().any(|l| l == line), "no line `{line}` in\n{}", outcome.stdout);
    }
    let sheet = image::open(folder.path("sheet.png")).unwrap().into_rgb8();
    assert_eq!(sheet.dimensions(), (3 * 196 + 4, 3 * 196 + 4));
    // The first crop is that of row 1: its point 30, 40 is a dot.
    assert_eq!(sheet.get_pixel(4 + 61, 4 + 81).0, [130, 255, 90]);

    let json = ok(&folder, &["data", "show", "faces.parquet", "--format", "json"]).stdout;
    let shown: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&shown["rows"], &shown["photos"], &shown["left_out"]), (&23.into(), &6.into(), &0.into()));
    for histogram in shown["histograms"].as_array().unwrap() {
        let counted: u64 = histogram["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(counted + histogram["missing"].as_u64().unwrap(), 23, "{histogram}");
    }
}

#[test]
fn a_seed_chooses_the_sheets_crops() {
    let folder = folder();
    let sheet = |seed: &str, name: &str| {
        let args = ["data", "show", "faces.parquet", "--sheet", name, "--count", "4", "--seed", seed];
        ok(&folder, &args);
        std::fs::read(folder.path(name)).unwrap()
    };
    let first = sheet("1", "a.png");
    assert!(first == sheet("1", "b.png") && first != sheet("2", "c.png"));
}

#[test]
fn duplicates_lists_groups_and_writes_the_table_without_them() {
    let folder = folder();
    let outcome = ok(&folder, &["data", "duplicates", "faces.parquet", "--out", "once.parquet"]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        ["row 4  album/photo0.jpg", "  equal     row 21  other/copy.jpg", "row 8  album/photo1.jpg"]
    );
    assert!(lines[3].ends_with(" bits    row 22  other/brighter.jpg"), "{}", lines[3]);
    assert_eq!(
        lines[4..],
        ["2 groups; of 23 rows 1 equal an earlier one and 1 nearly do (up to 16 of 256 bits differ)"]
    );
    assert_eq!(outcome.stderr, "once.parquet: 21 rows\n");
    let mut expected = read(&folder.path("faces.parquet"));
    expected.drain(20..22);
    assert_eq!(read(&folder.path("once.parquet")), expected);
    let again = ok(&folder, &["data", "duplicates", "once.parquet"]).stdout;
    assert!(again.starts_with("0 groups; of 21 rows 0 "), "{again}");

    let json = ok(&folder, &["data", "duplicates", "faces.parquet", "--threshold", "0", "--format", "json"]).stdout;
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&found["same"], &found["threshold"]), (&1.into(), &0.into()));
    let group = &found["groups"][0];
    assert_eq!((&group["row"], &group["photo"]), (&4.into(), &"album/photo0.jpg".into()));
    assert_eq!(
        group["copies"][0],
        serde_json::json!({"row": 21, "photo": "other/copy.jpg", "distance": 0, "same": true})
    );
}

#[test]
fn split_puts_no_photo_on_both_sides() {
    let folder = Folder::new();
    let records: Vec<Record> =
        (0..120).map(|i| with_origin(i, &format!("p{}_{}.jpg", i / 4 + 100, i % 4 + 1))).collect();
    write(&folder, "faces.parquet", &records);
    let outcome = ok(&folder, &["data", "split", "faces.parquet", "--out-dir", "parts", "--share", "0.3"]);
    assert!(outcome.stdout.starts_with("parts/training.parquet: "), "{}", outcome.stdout);
    assert_eq!(folder.files(), ["faces.parquet", "parts/training.parquet", "parts/validation.parquet"]);
    let sides = ["training", "validation"].map(|side| read(&folder.path(&format!("parts/{side}.parquet"))));
    assert_eq!(sides[0].len() + sides[1].len(), 120);
    let group = |r: &Record| r.origin.as_ref().unwrap().photo.split('_').next().unwrap().to_owned();
    let photos = sides.each_ref().map(|side| side.iter().map(group).collect::<std::collections::BTreeSet<_>>());
    assert!(photos[0].is_disjoint(&photos[1]) && photos[1].len() > 2, "{photos:?}");
    let held_back = |r: &Record| lineament_data::dataset::is_validation(&r.origin.as_ref().unwrap().photo, 0.3);
    assert!(sides[1].iter().all(held_back) && !sides[0].iter().any(held_back), "as elsewhere in the program");
}

#[test]
fn split_by_the_last_rows_takes_what_keras_takes() {
    let folder = Folder::new();
    let records: Vec<Record> = (0..25).map(record).collect();
    write(&folder, "faces.csv", &records);
    let outcome = ok(&folder, &["data", "split", "faces.csv", "--out-dir", "parts", "--last"]);
    assert_eq!(outcome.stdout, "parts/training.csv: 22 rows (88.0 %)\nparts/validation.csv: 3 rows (12.0 %)\n");
    assert_eq!(read(&folder.path("parts/training.csv")), records[..22]);
    assert_eq!(read(&folder.path("parts/validation.csv")), records[22..]);
}

#[test]
fn convert_goes_there_and_back() {
    let folder = folder();
    let outcome = ok(&folder, &["data", "convert", "faces.parquet", "faces.csv"]);
    assert_eq!(outcome.stdout, "faces.csv: 23 rows\n");
    assert_eq!(
        outcome.stderr,
        "warning: photo, box, score and pose of 22 rows are left out: CSV has no place for them\n"
    );
    ok(&folder, &["data", "convert", "faces.csv", "back.parquet"]);
    let without = |r: Record| Record { origin: None, ..r };
    let expected: Vec<Record> = read(&folder.path("faces.parquet")).into_iter().map(without).collect();
    assert_eq!(read(&folder.path("back.parquet")), expected);
    ok(&folder, &["data", "convert", "back.parquet", "again.csv"]);
    assert_eq!(folder.read("again.csv"), folder.read("faces.csv"));
}

/// Kaggle's header with two of its fifteen points, and a row with a missing one.
fn kaggle() -> String {
    let image = "7 ".repeat(SIDE * SIDE - 1) + "8";
    format!(
        "left_eye_center_x,left_eye_center_y,nose_tip_x,nose_tip_y,Image\n\
         66.033,39.002,44.4,57.1,{image}\n65.1,34.9,,,{image}\n60.2,40.1,50.3,60.4,{image}\n"
    )
}

#[test]
fn kaggles_table_is_read_and_its_incomplete_rows_are_left_out_on_request() {
    let folder = Folder::new();
    folder.write("training.csv", kaggle());
    let outcome = folder.run(&["data", "show", "training.csv"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        outcome.stderr,
        "error: training.csv:3: row 2, column `nose_tip_x`: no value; `skip_incomplete` (lineament data convert \
         --skip-incomplete) leaves incomplete rows out\n"
    );
    let outcome = ok(&folder, &["data", "show", "training.csv", "--skip-incomplete"]);
    assert!(outcome.stdout.contains("incomplete rows left out 1\n"), "{}", outcome.stdout);
    let outcome = ok(&folder, &["data", "convert", "training.csv", "k.parquet", "--skip-incomplete"]);
    assert_eq!(outcome.stdout, "k.parquet: 2 rows; 1 incomplete left out\n");
    let reader = Reader::open(&folder.path("k.parquet"), ReadOptions::default()).unwrap();
    assert_eq!(reader.columns(), ["left_eye_center_x", "left_eye_center_y", "nose_tip_x", "nose_tip_y"]);
    // Rows are those of the table, the incomplete one counted.
    let outcome = ok(&folder, &["data", "duplicates", "training.csv", "--skip-incomplete"]);
    assert!(outcome.stdout.starts_with("row 1\n  equal     row 3\n"), "{}", outcome.stdout);
}

#[test]
fn faults_are_one_line_and_leave_nothing_behind() {
    let folder = folder();
    let before = folder.files();
    folder.write("empty.csv", "");
    folder.write("header.csv", "x0,y0,Image\n");
    folder.write("words.parquet", "hello");
    folder.write("test.csv", "ImageId,Image\n1,2 3\n");
    let cut = kaggle();
    folder.write("cut.csv", &cut[..cut.len() - 5000]);
    let given = folder.files();
    for (args, code, message) in [
        (&["data", "show", "none.csv"][..], 1, "error: none.csv: "),
        (&["data", "show", "empty.csv"], 1, "error: empty.csv: empty file"),
        (&["data", "show", "header.csv"], 1, "error: header.csv: no rows"),
        (&["data", "show", "words.parquet"], 1, "error: words.parquet: is not a Parquet file"),
        (&["data", "show", "test.csv"], 1, "error: test.csv:1: pictures without points, as in Kaggle's test.csv"),
        (&["data", "show", "faces.parquet", "--sheet", "sheet.txt"], 2, "--sheet: give the name of a picture"),
        (&["data", "show", "faces.parquet", "--sheet", "s.png", "--count", "9999"], 2, "--count: at most 2500"),
        (&["data", "show", "faces.parquet", "--count", "9"], 2, "--sheet"),
        (&["data", "convert", "cut.csv", "out.parquet", "--skip-incomplete"], 1, "the file ends within this line"),
        (&["data", "convert", "header.csv", "out.parquet"], 1, "error: header.csv: no rows"),
        (&["data", "convert", "faces.parquet", "out.txt"], 1, "out.txt: the name of a table ends in .csv or .parquet"),
        (&["data", "convert", "faces.parquet", "faces.parquet"], 2, "OUT: faces.parquet is the table itself"),
        (
            &["data", "duplicates", "faces.parquet", "--out", "faces.parquet"],
            2,
            "--out: faces.parquet is the table itself",
        ),
        (&["data", "duplicates", "faces.parquet", "--threshold", "41"], 2, "--threshold"),
        (
            &["data", "split", "faces.parquet", "--out-dir", "parts", "--share", "1"],
            1,
            "is left for training; choose a smaller --share",
        ),
        (
            &["data", "split", "faces.parquet", "--out-dir", "parts", "--share", "0.00001"],
            1,
            "is left for validation; choose a larger --share",
        ),
        (&["data", "split", "faces.parquet", "--out-dir", "parts", "--share", "0"], 2, "--share"),
        (&["data", "split", "faces.parquet"], 2, "--out-dir"),
    ] {
        let outcome = folder.run(args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{args:?}: {}", outcome.stderr);
        assert!(
            outcome.stdout.is_empty() && (code == 2 || outcome.stderr.lines().count() == 1),
            "{args:?}: {outcome:?}"
        );
        assert_eq!(folder.files(), given, "{args:?}");
    }
    assert_eq!(before, ["faces.parquet"]);
}

#[test]
fn every_subcommand_teaches_by_examples() {
    for command in ["show", "duplicates", "split", "convert", "import"] {
        let outcome = ok(&Folder::new(), &["data", command, "--help"]);
        let examples = format!("Examples:\n  lineament data {command}");
        assert!(outcome.stdout.contains(&examples), "{}", outcome.stdout);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_part_of_a_table() {
    use std::time::{Duration, Instant};
    let folder = Folder::new();
    let records: Vec<Record> = (0..50).map(record).collect();
    write(&folder, "one.csv", &records);
    let text = folder.read("one.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    folder.write("faces.csv", format!("{header}\n{}", rows.repeat(100)));
    let mut child = folder.command(&["data", "convert", "faces.csv", "out.csv"]).spawn().unwrap();
    let start = Instant::now();
    while folder.files().len() < 3 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    // A fast machine may have been done before.
    if child.wait().unwrap().code() == Some(130) {
        let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_eq!(stderr, "error: stopped; nothing was written\n");
        assert_eq!(folder.files(), ["faces.csv", "one.csv"]);
    }
}

/// Two photos, and labels of three cats in them.
fn cats() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("photos")).unwrap();
    for name in ["a.png", "b.png"] {
        image::GrayImage::new(64, 48).save(folder.path("photos").join(name)).unwrap();
    }
    let cat = |image: u32, x: f32| format!(r#"{{"image_id":{image},"keypoints":[{x},9,2,0,0,0],"bbox":[1,2,30,40]}}"#);
    let annotations = [cat(1, 5.0), cat(1, 70.0), cat(2, 6.0), r#"{"image_id":2,"iscrowd":1}"#.into()].join(",");
    folder.write(
        "cats.json",
        format!(
            r#"{{"images":[{{"id":1,"file_name":"a.png"}},{{"id":2,"file_name":"b.png"}}],
            "annotations":[{annotations}],"categories":[{{"id":1,"name":"cat","keypoints":["Nose","Tail"]}}]}}"#
        ),
    );
    folder
}

#[test]
fn import_makes_a_label_table_and_tells_what_it_saw() {
    let folder = cats();
    let outcome = ok(&folder, &["data", "import", "coco", "cats.json", "out/cats.csv", "--photos", "photos"]);
    assert_eq!(
        outcome.stdout,
        "out/cats.csv: 3 objects of 2 points in 2 photos\n  3 of 6 points have no label\n  left out: 1 annotations \
         of crowds\n"
    );
    assert_eq!(
        outcome.stderr,
        "warning: 1 of 3 objects have points outside of their photo: cats.json: annotations[1]: point 0 at (70.5, \
         9.5), the photo is 64x48\n"
    );
    assert_eq!(
        folder.read("out/cats.csv"),
        "photo,x,y,w,h,nose_x,nose_y,tail_x,tail_y\n../photos/a.png,1,2,30,40,5.5,9.5,,\n\
         ../photos/a.png,1,2,30,40,70.5,9.5,,\n../photos/b.png,1,2,30,40,6.5,9.5,,\n"
    );
    // A label table is a format, too.
    let outcome = ok(&folder, &["data", "import", "table", "out/cats.csv", "cats.csv", "--summary", "json"]);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&summary["objects"], &summary["warnings"]["outside"]["count"]), (&3.into(), &1.into()));
    assert!(folder.read("cats.csv").contains("\nphotos/b.png,1,2,30,40,6.5,9.5,,\n"));
    // So is Parquet, which holds the same.
    ok(&folder, &["data", "import", "coco", "cats.json", "cats.parquet", "--photos", "photos"]);
    ok(&folder, &["data", "import", "table", "cats.parquet", "again.csv"]);
    assert_eq!(folder.read("again.csv"), folder.read("cats.csv"));
}

#[test]
fn import_stops_at_what_it_cannot_use_or_counts_it() {
    let folder = cats();
    std::fs::remove_file(folder.path("photos/b.png")).unwrap();
    folder.write("there.csv", "mine");
    let given = folder.files();
    let cats = |args: &[&'static str]| [&["data", "import", "coco", "cats.json"], args].concat();
    for (args, code, message) in [
        (cats(&["c.csv", "--photos", "photos"]), 1, "cats.json: annotations[2]: no photo "),
        (cats(&["c.csv", "--photos", "photos"]), 1, "; --skip-bad leaves out and counts what cannot be used\n"),
        (cats(&["c.csv", "--photos", "none"]), 1, "error: none: no such folder of photos"),
        (
            cats(&["there.csv"]),
            1,
            "there.csv: is there already and is left as it is; choose another name, or remove it",
        ),
        (cats(&["c.txt"]), 1, "c.txt: the name of a label table ends in .csv or .parquet"),
        (cats(&["c.csv", "--category", "dog"]), 1, "cats.json: no category `dog`; there are cat"),
        (cats(&["c.csv", "--zero-based", "--one-based"]), 2, "--one-based"),
        (vec!["data", "import", "yolo", "cats.json", "c.csv"], 2, "wflw"),
        (vec!["data", "import", "imglab", "cats.json", "c.csv"], 1, "error: cats.json:2: no XML: no tags"),
    ] {
        let outcome = folder.run(&args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(message), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty() && folder.files() == given, "{args:?}: {outcome:?}");
    }
    let outcome = ok(&folder, &cats(&["c.csv", "--photos", "photos", "--skip-bad"]));
    assert!(outcome.stdout.contains("\n  not used: 1 have no photo\n    cats.json: annotations[2]: "), "{outcome:?}");
    assert_eq!(folder.read("c.csv").lines().count(), 3);
}
