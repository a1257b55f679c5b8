//! Photos to tables, with the real program.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use image::{ImageFormat, RgbImage, imageops};

use crate::helpers::{Folder, faceless, picture};

/// Photos of the astronaut, each from another place, in `photos/`; `0.jpg` is the whole picture.
fn astronauts(count: u32) -> Folder {
    let folder = Folder::new();
    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg")).unwrap();
    folder.write("photos/0.jpg", &whole);
    let whole = image::load_from_memory_with_format(&whole, ImageFormat::Jpeg).unwrap().into_rgb8();
    for i in 1..count {
        let part = imageops::crop_imm(&whole, 100 + i % 40, i / 40, 240, 260).to_image();
        folder.write(&format!("photos/{i}.png"), png(part));
    }
    folder
}

fn png(picture: RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_table_holds_the_points_that_run_prints() {
    let folder = astronauts(1);
    let outcome = folder.run(&["annotate", "photos", "--out", "faces.csv"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
    for line in ["photos                         1", "kept                           1  faces in the table"] {
        assert!(outcome.stderr.lines().any(|l| l == line), "{}", outcome.stderr);
    }
    assert!(outcome.stderr.ends_with("written: faces.csv, faces.rejects.csv\n"), "{}", outcome.stderr);
    assert_eq!(folder.files(), ["faces.csv", "faces.rejects.csv", "photos/0.jpg"]);

    let table = folder.read("faces.csv");
    let (header, row) = table.split_once('\n').unwrap();
    assert!(header.starts_with("x0,y0,x1,y1,") && header.ends_with(",x67,y67,Image"), "{header}");
    let cells: Vec<&str> = row.trim_end().split(',').collect();
    assert_eq!((cells.len(), cells[136].split(' ').count()), (137, 96 * 96));
    let number = |i: usize| cells[i].parse::<f64>().unwrap();

    let run = folder.run(&["run", "photos/0.jpg", "--format", "json"]);
    let photo: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let face = &photo["faces"][0];
    let value = |value: &serde_json::Value| value.as_f64().unwrap();
    let [x, y, w, h] = [0, 1, 2, 3].map(|k| value(&face["detection"]["box"][k]));
    let side = 1.2 * w.max(h);
    for i in 0..68 {
        // The table counts from the centre of the crop's first pixel.
        let expected = [(x + w / 2.0, 0), (y + h / 2.0, 1)]
            .map(|(centre, axis)| (value(&face["points"][i][axis]) - centre + side / 2.0) * 96.0 / side - 0.5);
        let distance = (number(2 * i) - expected[0]).hypot(number(2 * i + 1) - expected[1]);
        assert!(distance < 0.1, "point {i} is {distance} pixels of the crop away");
    }
}

#[test]
fn what_is_left_out_stands_in_a_table_with_its_reason() {
    let folder = astronauts(3);
    folder.write("photos/a/blank.png", faceless(ImageFormat::Png));
    folder.write("photos/a/cut.jpg", "no photo");
    folder.write("photos/a/pixel.png", picture(1, 1, ImageFormat::Png));
    let args = ["annotate", "photos", "--out", "t/faces.parquet", "--out", "t/faces.csv", "--threads", "2"];
    let outcome = folder.run(&args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = "photo,face,reason,detail\na/blank.png,,no-face,\n\
                    a/cut.jpg,,unreadable,\"not a picture; JPEG, PNG, WebP and BMP are read\"\na/pixel.png,,no-face,\n";
    assert_eq!(folder.read("t/faces.rejects.csv"), expected);
    assert_eq!(folder.read("t/faces.csv").lines().count(), 4);
    assert!(
        outcome.stderr.contains("no-face                        2  no detector finds a face\n"),
        "{}",
        outcome.stderr
    );
    assert!(folder.path("t/faces.parquet").exists() && !folder.path("t/faces.parquet.parts").exists());
}

#[test]
fn where_no_face_is_kept_it_is_said_and_the_exit_code_is_1() {
    let folder = Folder::new();
    folder.write("blank.png", faceless(ImageFormat::Png));
    let outcome = folder.run(&["annotate", "blank.png", "--out", "faces.csv"]);
    assert_eq!(outcome.code, Some(1));
    let last = "error: no face was kept and no table is written; faces.rejects.csv tells why\n";
    assert!(outcome.stderr.ends_with(last), "{}", outcome.stderr);
    assert_eq!(folder.files(), ["blank.png", "faces.rejects.csv"]);
}

#[test]
fn a_command_line_that_makes_no_sense_is_named() {
    let folder = astronauts(1);
    folder.write("boxes.csv", "file,x,y,w,h,score\n");
    for (args, code, text) in [
        (&["--out", "faces.txt"][..], 2, "--out faces.txt: a table's name ends in .csv or .parquet"),
        (&["--out", "a.csv", "--out", "a.csv"], 2, "--out a.csv is given twice"),
        (&["--out", "boxes.csv", "--detector", "boxes:boxes.csv"], 2, "boxes.csv is read by --detector"),
        (
            &["--out", "a.csv", "--detector", "theirs"],
            2,
            "expected ours, FILE.onnx, cascade:FILE.xml or boxes:FILE.csv",
        ),
        (&["--out", "a.csv", "--points", "theirs"], 2, "expected ours, FILE.onnx, dlib:FILE.dat, pts or pts:TOPOLOGY"),
        (&["--out", "a.csv", "--brightness", "40"], 2, "give MIN..MAX such as 40..220, or off"),
        (&["--out", "a.csv", "--min-score", "1.5"], 2, "--min-score is from 0 to 1, not 1.5"),
        (&["--out", "a.csv", "--margin", "0"], 2, "--margin is from 0.1 to 10, not 0"),
        (&["--out", "a.csv", "--points", "dlib:none.dat"], 1, "none.dat: "),
        (&["--out", "a.csv", "--detector", "cascade:none.xml"], 1, "none.xml: "),
        (&["--out", "a.csv", "--detector", "boxes:boxes.csv"], 1, "`file` names none of the photos"),
        (&[], 2, "--out <FILE>"),
    ] {
        let outcome = folder.run(&[&["annotate", "photos"], args].concat());
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(text), "{args:?}: {}", outcome.stderr);
        assert_eq!(folder.files(), ["boxes.csv", "photos/0.jpg"], "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_what_is_done_and_the_same_command_resumes() {
    let folder = astronauts(150);
    let args = ["annotate", "photos", "--out", "faces.csv", "--threads", "1"];
    let mut child = folder.command(&args).spawn().unwrap();
    let start = Instant::now();
    // All photos are one shard: nothing is saved on the way.
    while !folder.path("faces.csv.parts/settings.json").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(200));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success() && child.wait().unwrap().code() == Some(130));
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    let end = " of 150 photos are saved in faces.csv.parts; the same command resumes from there\n";
    let saved = stderr.strip_prefix("stopped; ").and_then(|text| text.strip_suffix(end)).expect(&stderr);
    assert!((1..150).contains(&saved.parse().unwrap()), "{stderr}");
    assert!(!folder.path("faces.csv").exists() && folder.path("faces.csv.parts/000000.parquet").exists());

    let other = folder.run(&[&args[..], &["--margin", "1.3"]].concat());
    assert_eq!(other.code, Some(2));
    assert!(
        other.stderr.contains("--margin was the usual, now it is 1.3") && other.stderr.contains("--restart"),
        "{other:?}"
    );
    assert_eq!(folder.run(&args).code, Some(0));
    let whole = ["annotate", "photos", "--out", "whole.csv"];
    assert_eq!(folder.run(&whole).code, Some(0));
    assert!(folder.read("faces.csv") == folder.read("whole.csv"), "interrupted or not, the table is the same");
    assert!(folder.read("faces.rejects.csv") == folder.read("whole.rejects.csv"));
    assert!(!folder.path("faces.csv.parts").exists());
}
