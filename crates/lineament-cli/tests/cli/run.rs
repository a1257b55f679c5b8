use std::io::Read;
use std::process::Stdio;

use image::ImageFormat;

use crate::helpers::{Folder, faceless, picture};

#[test]
fn a_missing_file_is_one_line_and_exit_code_1() {
    let outcome = Folder::new().run(&["run", "none.jpg"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert!(outcome.stderr.starts_with("error: none.jpg: "), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1);
}

#[test]
fn a_pattern_without_matches_says_so() {
    let outcome = Folder::new().run(&["run", "photos/*.jpg"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, "error: photos/*.jpg: no file has this name or matches this pattern\n");
}

#[test]
fn a_folder_without_photos_says_so() {
    let folder = Folder::new();
    folder.write("x.jpg/readme.txt", "a folder that is called like a photo");
    let outcome = folder.run(&["run", "x.jpg"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stderr,
        "error: x.jpg: no photos (jpg, jpeg, png, webp, bmp) in this folder; videos are named one by one\n"
    );
}

#[test]
fn values_out_of_range_name_the_flag_and_the_remedy() {
    for (args, text) in [
        (
            ["--box", "1,2,3"],
            "'--box <X,Y,W,H>': give left, top, width and height in pixels, for example 120,80,200,220",
        ),
        (["--box", "1,2,0,4"], "'--box <X,Y,W,H>': width and height must be above 0"),
        (["--min-face", "-3"], "'--min-face <PIXELS>': give a number of pixels of at least 1"),
        (["--min-face", "nan"], "'--min-face <PIXELS>': give a number of pixels of at least 1"),
        (["--max-faces", "0"], "'--max-faces <COUNT>': give a whole number of at least 1"),
        (["--face-threshold", "-0.1"], "'--face-threshold <SCORE>': give a number from 0 to 1"),
        (["--detector-threshold", "1.5"], "'--detector-threshold <SCORE>': give a number from 0 to 1"),
        (["--threads", "0"], "'--threads <COUNT>': give a whole number from 1 to 1024"),
        (["--threads", "many"], "'--threads <COUNT>': give a whole number from 1 to 1024"),
        (["--format", "xml"], "[possible values: text, json, csv, pts]"),
    ] {
        let outcome = Folder::new().run(&["run", "a.jpg", args[0], args[1]]);
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert!(outcome.stderr.contains(text), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    folder.write("b.png", faceless(ImageFormat::Png));
    for (args, text) in [
        (&["a.png", "--box", "1,2,3,4", "--min-face", "30"][..], "cannot be used with"),
        (&["-", "-"], "error: `-` is given twice: standard input holds one photo or video\n"),
        (
            &["a.png", "b.png", "--draw", "c.png"],
            "error: --draw c.png: one picture cannot show 2 photos: give a folder\n",
        ),
        (
            &["a.png", "--draw", "c.GIF"],
            "error: --draw c.GIF: pictures are written as .png or .jpg, videos as .mp4 or .y4m\n",
        ),
        (
            &["a.png", "b.png", "--format", "pts"],
            "error: --format pts prints one face only: add --out DIR for a file per face\n",
        ),
        (&[], "the following required arguments were not provided"),
    ] {
        let outcome = folder.run(&[&["run"], args].concat());
        assert_eq!(outcome.code, Some(2), "{args:?}");
        assert!(outcome.stderr.contains(text), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn a_model_file_that_is_none_names_its_option() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    folder.write("words.onnx", "hello");
    for option in ["--model", "--detector"] {
        let outcome = folder.run(&["run", "a.png", option, "words.onnx"]);
        assert_eq!(outcome.code, Some(1));
        let start = format!("error: {option}: words.onnx: ");
        let end = "; `lineament inspect words.onnx` shows what the file is\n";
        assert!(outcome.stderr.starts_with(&start) && outcome.stderr.ends_with(end), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1);
    }
}

#[test]
fn thresholds_take_0_and_1() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    for flag in ["--face-threshold", "--detector-threshold"] {
        for score in ["0", "1"] {
            let outcome = folder.run(&["run", "a.png", flag, score]);
            assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{flag} {score}");
        }
    }
}

#[test]
fn an_output_folder_that_cannot_be_made_is_told_before_any_work() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    folder.write("taken", "a file where the folder should be");
    for (flag, format) in [("--out", "text"), ("--out", "pts"), ("--draw", "text")] {
        let outcome = folder.run(&["run", "a.png", "--format", format, flag, "taken"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
        let start = format!("error: {flag}: taken: cannot write into this folder: ");
        let end = "; choose another\n";
        assert!(outcome.stderr.starts_with(&start) && outcome.stderr.ends_with(end), "{}", outcome.stderr);
    }
}

#[test]
fn a_jpeg_that_is_cut_off_is_processed_and_reported() {
    let folder = Folder::new();
    let whole = faceless(ImageFormat::Jpeg);
    folder.write("a.jpg", &whole[..whole.len() - 2]);
    let outcome = folder.run(&["run", "a.jpg", "--draw", "drawn.png"]);
    assert_eq!(
        outcome.stderr,
        "error: a.jpg: the JPEG's end is missing: the rest of the picture is grey\ndrawn: drawn.png\n"
    );
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.contains("no face"), "{}", outcome.stdout);
    assert!(folder.path("drawn.png").exists());
}

#[test]
fn a_photo_without_a_face_is_an_empty_list_and_success() {
    let folder = Folder::new();
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("a.png", ImageFormat::Png),
        ("a.webp", ImageFormat::WebP),
        ("a.bmp", ImageFormat::Bmp),
    ] {
        folder.write(name, faceless(format));
        let outcome = folder.run(&["run", name, "--format", "json"]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{name}");
        let start = format!("{{\"image\":\"{name}\",\"width\":64,\"height\":48,\"ms\":");
        assert!(outcome.stdout.starts_with(&start), "{}", outcome.stdout);
        assert!(outcome.stdout.ends_with(",\"faces\":[]}\n"), "{}", outcome.stdout);
    }
}

#[test]
fn unreadable_photos_are_reported_and_the_others_go_on() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    folder.write("b_empty.jpg", "");
    folder.write("c_words.jpg", "these are words");
    folder.write("d_cut.png", &faceless(ImageFormat::Png)[..60]);
    folder.write("e.jpg/inside.png", picture(1, 1, ImageFormat::Png));
    folder.write("f_huge.bmp", huge_bmp());
    folder.write("._g.jpg", "a hidden file that is no picture");
    let outcome = folder.run(&["run", "none.jpg", ".", "--format", "csv", "--threads", "3"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.starts_with("image,width,height,face,box_x,") && outcome.stdout.lines().count() == 1);
    let starts = ["none.jpg: ", "./b_empty.jpg: ", "./c_words.jpg: ", "./d_cut.png: ", "./f_huge.bmp: "];
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let (summary, lines) = lines.split_last().unwrap();
    assert!(
        summary.starts_with("6 photos in ") && summary.ends_with(" s: 0 faces in 0 photos, 4 photos with errors"),
        "{summary}"
    );
    assert_eq!(lines.len(), starts.len(), "{}", outcome.stderr);
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(&format!("error: {start}")), "{line}");
    }
}

/// A few bytes that claim 60,000 x 60,000 pixels.
fn huge_bmp() -> Vec<u8> {
    let mut bytes = faceless(ImageFormat::Bmp);
    for at in [18, 22] {
        bytes[at..at + 4].copy_from_slice(&60_000u32.to_le_bytes());
    }
    bytes
}

#[test]
fn photos_come_in_the_order_of_the_command_line_and_once() {
    let folder = Folder::new();
    for name in ["z.png", "d/b.png", "d/a/c.png", "d/c.PNG"] {
        folder.write(name, faceless(ImageFormat::Png));
    }
    let outcome = folder.run(&["run", "z.png", "d", "*.png", "./d/b.png"]);
    let names: Vec<&str> = outcome.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(names, ["z.png", "d/a/c.png", "d/b.png", "d/c.PNG"]);
}

#[test]
fn same_named_photos_of_different_folders_do_not_meet() {
    let folder = Folder::new();
    for name in ["x/a.png", "y/a.png", "y/a.bmp"] {
        folder.write(name, faceless(if name.ends_with("bmp") { ImageFormat::Bmp } else { ImageFormat::Png }));
    }
    let outcome = folder.run(&["run", "x", "y", "--out", "points", "--draw", "drawn"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
    let (drawn, summary) = outcome.stderr.split_once('\n').unwrap();
    assert_eq!(drawn, "drawn: 3 pictures in drawn");
    assert!(summary.starts_with("3 photos in ") && summary.ends_with(" s: 0 faces in 0 photos\n"), "{summary}");
    let written: Vec<String> = folder.files().into_iter().filter(|f| !f.starts_with(['x', 'y'])).collect();
    assert_eq!(
        written,
        [
            "drawn/x/a.png",
            "drawn/y/a.bmp.png",
            "drawn/y/a.png.png",
            "points/x/a.txt",
            "points/y/a.bmp.txt",
            "points/y/a.png.txt"
        ]
    );
    assert!(folder.read("points/x/a.txt").starts_with("x/a.png: 64 x 48, no face, "));
}

#[test]
fn json_and_csv_go_into_one_file_for_all_photos() {
    let folder = Folder::new();
    folder.write("p/a.png", faceless(ImageFormat::Png));
    folder.write("p/b.png", faceless(ImageFormat::Png));
    for format in ["json", "csv"] {
        let outcome = folder.run(&["run", "p", "--out", "results", "--format", format]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
    }
    assert_eq!(folder.files(), ["p/a.png", "p/b.png", "results/faces.csv", "results/faces.jsonl"]);
    assert_eq!(folder.read("results/faces.jsonl").lines().count(), 2);
    assert_eq!(folder.read("results/faces.csv").lines().count(), 1);
}

#[test]
fn where_drawn_pictures_went_is_said_once() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    folder.write("b.png", faceless(ImageFormat::Png));
    folder.write("c.png", "no picture");
    for (args, text) in [
        (&["a.png", "--draw", "one.jpg"][..], "drawn: one.jpg\n"),
        (&["a.png", "--draw", "many"], "drawn: many/a.png\n"),
        (&["a.png", "b.png", "--draw", "many"], "drawn: 2 pictures in many\n"),
    ] {
        let outcome = folder.run(&[&["run"], args].concat());
        assert!(outcome.code == Some(0) && outcome.stderr.starts_with(text), "{args:?}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("drawn: ").count(), 1, "{args:?}: {}", outcome.stderr);
    }
    let outcome = folder.run(&["run", "c.png", "--draw", "none.png"]);
    assert!(!outcome.stderr.contains("drawn"), "{}", outcome.stderr);
}

#[test]
fn what_is_drawn_can_be_chosen() {
    let folder = Folder::new();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/two_faces.jpg"), folder.path("a.jpg")).unwrap();
    let marks = ["outlines", "points", "numbers", "box", "ids", "score", "outlines,points,box", "points,numbers,ids"];
    let pictures: Vec<Vec<u8>> = marks
        .iter()
        .map(|marks| {
            let outcome = folder.run(&["run", "a.jpg", "--draw", "drawn.png", "--draw-style", marks]);
            assert_eq!(outcome.code, Some(0), "{marks}: {}", outcome.stderr);
            std::fs::read(folder.path("drawn.png")).unwrap()
        })
        .collect();
    for (i, picture) in pictures.iter().enumerate() {
        let same = pictures[..i].iter().position(|other| other == picture);
        assert_eq!(same, None, "{} is drawn as an earlier one", marks[i]);
    }
    folder.run(&["run", "a.jpg", "--draw", "drawn.png"]);
    assert_eq!(std::fs::read(folder.path("drawn.png")).unwrap(), pictures[6], "the usual marks");

    for (args, text) in [
        (&["a.jpg", "--draw-style", "points"][..], "error: --draw-style says what --draw shows: add --draw"),
        (&["a.jpg", "--draw", "b.png", "--draw-style", "nose"], "invalid value 'nose' for '--draw-style <MARK,...>'"),
    ] {
        let outcome = folder.run(&[&["run"], args].concat());
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
}

#[test]
fn a_photo_is_never_overwritten() {
    let folder = Folder::new();
    let photo = faceless(ImageFormat::Png);
    folder.write("p/a.png", &photo);
    for drawn in ["p/a.png", "p/../p/a.png", "p"] {
        let outcome = folder.run(&["run", "p/a.png", "--draw", drawn]);
        assert_eq!(outcome.code, Some(1));
        assert!(outcome.stderr.contains("is what is read and is left as it is"), "{}", outcome.stderr);
        assert_eq!(std::fs::read(folder.path("p/a.png")).unwrap(), photo);
        assert_eq!(folder.files(), ["p/a.png"]);
    }
}

#[test]
fn standard_input_is_a_photo() {
    let outcome = Folder::new().run_with_stdin(&["run", "-"], &faceless(ImageFormat::Jpeg));
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stdout.starts_with("-: 64 x 48, no face, "), "{}", outcome.stdout);
    let outcome = Folder::new().run_with_stdin(&["run", "-"], b"");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), "error: -: empty file\n"));
}

#[test]
fn a_box_gives_points_without_a_detector() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    let args = ["run", "a.png", "--box", "-5,4,30,32", "--box", "20,4,30.5,32", "--format", "json"];
    let outcome = folder.run(&args);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let photo: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(photo["faces"][0]["detection"]["box"], serde_json::json!([-5.0, 4.0, 30.0, 32.0]));
    assert_eq!(photo["faces"][1]["detection"]["box"], serde_json::json!([20.0, 4.0, 30.5, 32.0]));
    for face in photo["faces"].as_array().unwrap() {
        assert_eq!((face["points"].as_array().unwrap().len(), face["errors"].as_array().unwrap().len()), (68, 68));
        let points: Vec<[f64; 2]> = serde_json::from_value(face["points"].clone()).unwrap();
        let lefts = points.iter().map(|p| p[0]).fold(f64::INFINITY, f64::min);
        assert_eq!(face["box"][0], lefts, "the box is that of the points");
        assert!(["roll", "yaw", "pitch"].iter().all(|angle| face["pose"][angle].is_number()), "{face}");
    }
    let outcome = folder.run(&["run", "a.png", "--box", "100,4,30,32"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, "error: a.png: --box 100,4,30,32 lies outside this photo of 64 x 48 pixels\n");
}

#[test]
fn pts_needs_a_folder_for_more_than_one_face() {
    let folder = Folder::new();
    folder.write("a.png", faceless(ImageFormat::Png));
    let two = ["run", "a.png", "--box", "0,0,30,30", "--box", "20,10,30,30", "--format", "pts"];
    let outcome = folder.run(&two);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stderr,
        "error: a.png: has 2 faces, and --format pts prints one: add --out DIR or --max-faces 1\n"
    );
    let outcome = folder.run(&[&two[..], &["--out", "points"]].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(folder.files(), ["a.png", "points/a.face2.pts", "points/a.pts"]);
    let outcome = folder.run(&["run", "a.png", "--box", "0,0,30,30", "--format", "pts"]);
    assert_eq!(outcome.stdout, folder.read("points/a.pts"));
    assert!(outcome.stdout.starts_with("version: 1\nn_points: 68\n{\n"), "{}", outcome.stdout);
}

#[test]
fn a_closed_pipe_is_success() {
    let folder = Folder::new();
    for i in 0..200 {
        folder.write(&format!("p/{i}.png"), picture(4, 4, ImageFormat::Png));
    }
    let args = ["run", "p", "--box", "0,0,4,4"]; // much text, so that the pipe fills
    let mut child = folder.command(&args).stdin(Stdio::null()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 10]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
