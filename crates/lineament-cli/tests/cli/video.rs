//! Videos in and out. Clips are those of `testdata/video`; streams are what the program itself draws.

// Without it only streams are tested, which need fewer of the helpers.
#![cfg_attr(not(feature = "h264"), allow(dead_code))]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use image::ImageFormat;
use serde_json::Value;

use crate::helpers::{Folder, faceless};

/// Frames of `face.mp4`, 24 of which are shown in a second.
const FRAMES: usize = 24;

fn folder_with(clips: &[&str]) -> Folder {
    let folder = Folder::new();
    for clip in clips {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/video").join(clip);
        folder.write(clip, fs::read(path).unwrap());
    }
    folder
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Raw frames of one grey each.
fn y4m(greys: &[u8], header: &str) -> Vec<u8> {
    let frame = |&grey: &u8| [b"FRAME\n".to_vec(), vec![grey; 64 * 48], vec![128; 64 * 48 / 2]].concat();
    [format!("YUV4MPEG2 W64 H48 F10:1{header}\n").into_bytes(), greys.iter().flat_map(frame).collect()].concat()
}

#[cfg(feature = "h264")]
#[test]
fn a_face_keeps_its_number_through_an_mp4() {
    let folder = folder_with(&["face.mp4"]);
    let outcome = folder.run(&["run", "face.mp4", "--format", "json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("face.mp4: 24 frames in "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("finding and following faces alone"), "{}", outcome.stderr);
    let frames = lines(&outcome.stdout);
    assert_eq!(frames.len(), FRAMES);
    for (i, frame) in frames.iter().enumerate() {
        assert_eq!((frame["frame"].as_u64(), frame["video"].as_str()), (Some(i as u64), Some("face.mp4")));
        assert!((frame["time"].as_f64().unwrap() - i as f64 / 24.0).abs() < 1e-4, "{frame}");
        assert_eq!((frame["width"].as_u64(), frame["height"].as_u64()), (Some(160), Some(120)));
        let faces = frame["faces"].as_array().unwrap();
        assert_eq!(faces.len(), 1, "frame {i}");
        assert_eq!(faces[0]["id"].as_u64(), Some(1), "frame {i}");
        assert_eq!(
            (faces[0]["points"].as_array().unwrap().len(), faces[0]["errors"].as_array().unwrap().len()),
            (68, 68)
        );
        assert!(faces[0]["pose"]["yaw"].is_number() && faces[0]["score"].as_f64().unwrap() > 0.5);
    }
    // The portrait moves to the left.
    let nose = |i: usize| frames[i]["faces"][0]["points"][30][0].as_f64().unwrap();
    assert!(nose(FRAMES - 1) < nose(0) - 20.0, "{} {}", nose(0), nose(FRAMES - 1));
}

#[cfg(feature = "h264")]
#[test]
fn csv_and_text_have_a_line_per_face_and_frame() {
    let folder = folder_with(&["face.mp4"]);
    let csv = folder.run(&["run", "face.mp4", "--format", "csv"]).stdout;
    assert!(csv.starts_with("video,frame,time,width,height,id,box_x,"), "{csv}");
    let rows: Vec<_> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), FRAMES);
    assert!(rows[6].starts_with("face.mp4,6,0.25,160,120,1,"), "{}", rows[6]);
    let text = folder.run(&["run", "face.mp4"]).stdout;
    assert_eq!(text.lines().count(), FRAMES);
    assert!(text.lines().nth(6).unwrap().starts_with("frame 6, 0.250 s: face 1: box "), "{text}");
}

#[cfg(feature = "h264")]
#[test]
fn results_of_a_video_go_into_a_folder() {
    let folder = folder_with(&["face.mp4"]);
    for format in ["json", "csv", "text"] {
        let outcome = folder.run(&["run", "face.mp4", "--format", format, "--out", "out"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
    }
    assert_eq!(folder.files(), ["face.mp4", "out/face.txt", "out/faces.csv", "out/faces.jsonl"]);
    assert_eq!(folder.read("out/faces.jsonl").lines().count(), FRAMES);
}

#[cfg(feature = "h264")]
#[test]
fn drawn_frames_become_a_video_or_pictures_that_can_be_read_again() {
    let folder = folder_with(&["face.mp4"]);
    for drawn in ["drawn.mp4", "drawn.y4m", "frames"] {
        let outcome = folder.run(&["run", "face.mp4", "--draw", drawn]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with(&format!("\ndrawn: {drawn}\n")), "{}", outcome.stderr);
    }
    let pictures: Vec<_> = (0..FRAMES).map(|i| format!("frames/{i:06}.jpg")).collect();
    assert_eq!(
        folder.files(),
        [vec!["drawn.mp4".into(), "drawn.y4m".into(), "face.mp4".into()], pictures.clone()].concat()
    );
    let bytes = |name: &str| fs::read(folder.path(name)).unwrap();
    let row: Vec<u8> = pictures.iter().flat_map(|name| bytes(name)).collect();
    folder.write("row.mjpeg", &row);
    for (args, stdin, pace) in [
        (&["run", "drawn.mp4"][..], vec![], 24.0),
        (&["run", "drawn.y4m"], vec![], 24.0),
        (&["run", "row.mjpeg", "--fps", "24"], vec![], 24.0),
        (&["run", "-"], bytes("drawn.y4m"), 24.0),
        (&["run", "-"], row.clone(), 25.0),
        (&["run", "-", "--fps", "12.5"], row.clone(), 12.5),
    ] {
        let outcome = folder.run_with_stdin(&[args, &["--format", "json"]].concat(), &stdin);
        assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
        let frames = lines(&outcome.stdout);
        assert_eq!(frames.len(), FRAMES, "{args:?}");
        for (i, frame) in frames.iter().enumerate() {
            assert!((frame["time"].as_f64().unwrap() - i as f64 / pace).abs() < 1e-4, "{args:?} frame {i}: {frame}");
        }
    }
}

#[cfg(feature = "h264")]
#[test]
fn smoothing_can_be_set_and_left_out() {
    let folder = folder_with(&["face.mp4"]);
    let run = |more: &[&str]| {
        let outcome = folder.run(&[&["run", "face.mp4", "--format", "csv"], more].concat());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let (usual, same, slow, raw) =
        (run(&[]), run(&["--smooth", "0.2"]), run(&["--smooth", "2"]), run(&["--no-smooth"]));
    assert_eq!(usual, same);
    assert_ne!(usual, slow);
    assert_ne!(usual, raw);
}

#[test]
fn a_stream_of_raw_frames_is_read() {
    let outcome = Folder::new().run_with_stdin(&["run", "-", "--draw", "out.y4m"], &y4m(&[20, 120, 220], ""));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("\ndrawn: out.y4m\n"), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "frame 0, 0.000 s: no face\nframe 1, 0.100 s: no face\nframe 2, 0.200 s: no face\n");
}

#[test]
fn a_single_picture_on_standard_input_is_a_photo() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
        let outcome = Folder::new().run_with_stdin(&["run", "-"], &faceless(format));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stdout.starts_with("-: 64 x 48, no face, "), "{format:?}: {}", outcome.stdout);
    }
}

#[cfg(feature = "h264")]
#[test]
fn what_cannot_be_read_is_one_line_with_the_remedy() {
    let folder = folder_with(&["h265.mp4", "ten_bits.mp4", "sound.mp4", "greys.mp4"]);
    let whole = fs::read(folder.path("greys.mp4")).unwrap();
    folder.write("cut.mp4", &whole[..whole.len() / 2]);
    folder.write("clip.webm", b"\x1a\x45\xdf\xa3 and so on and so on");
    folder.write("empty.mp4", b"");
    for (clip, text) in [
        ("h265.mp4", "error: h265.mp4: is coded as H.265 (HEVC), and only H.264 is read; convert it with `ffmpeg -i"),
        ("ten_bits.mp4", "error: ten_bits.mp4: is H.264 with 10 bits; whole frames of 8 bits"),
        ("sound.mp4", "error: sound.mp4: has no video track, only sound or other data\n"),
        ("cut.mp4", "error: cut.mp4: has no index (moov): the file is cut off; copy or record it again\n"),
        ("clip.webm", "error: clip.webm: WebM or Matroska is not read"),
        ("empty.mp4", "error: empty.mp4: empty file\n"),
        ("none.mp4", "error: none.mp4: "),
    ] {
        let outcome = folder.run(&["run", clip, "--draw", "drawn.mp4"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{clip}");
        assert!(outcome.stderr.starts_with(text), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(!folder.files().iter().any(|name| name.starts_with("drawn")), "{clip}: {:?}", folder.files());
    }
}

#[test]
fn streams_that_are_not_read_say_why() {
    for (bytes, text) in [
        (&b""[..], "error: -: empty file\n"),
        (b"hello", "error: -: not a picture; JPEG, PNG, WebP and BMP are read\n"),
        (&y4m(&[], ""), "error: -: has no frames\n"),
        (
            &y4m(&[9], " C420p10"),
            "error: -: frames of 420p10 have more than 8 bits; 420, 422, 444 and mono with 8 bits",
        ),
        (&y4m(&[9], " C411"), "error: -: frames of \"411\" are not read; 420, 422, 444 and mono with 8 bits"),
        (b"YUV4MPEG2 W0 H0\nFRAME\n", "error: -: frames of 0x0 have no pixels\n"),
        (b"\0\0\0\x18ftypmp42........", "error: -: an MP4 must be a file, because its index may stand at its end"),
        (b"RIFF\0\0\0\0AVI LIST....", "error: -: AVI is not read"),
    ] {
        let outcome = Folder::new().run_with_stdin(&["run", "-"], bytes);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{text}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with(text), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn the_frames_before_the_damage_are_kept() {
    let folder = Folder::new();
    let mut stream = y4m(&[20, 120, 220], "");
    stream.truncate(stream.len() - 10);
    let outcome = folder.run_with_stdin(&["run", "-", "--draw", "out.y4m", "--format", "json", "--out", "."], &stream);
    assert_eq!(outcome.code, Some(1));
    let told = "drawn: out.y4m\nerror: -: frame 2: the stream ends after 4598 of its 4608 bytes\n";
    assert_eq!(outcome.stderr, told);
    assert_eq!(folder.files(), ["faces.jsonl", "out.y4m"]);
    assert_eq!(folder.read("faces.jsonl").lines().count(), 2);
    let again = folder.run(&["run", "out.y4m"]);
    assert_eq!((again.code, again.stdout.lines().count()), (Some(0), 2));
}

#[test]
fn options_that_have_no_meaning_for_a_video_are_refused() {
    let folder = Folder::new();
    folder.write("clip.y4m", y4m(&[20], ""));
    folder.write("a.png", faceless(ImageFormat::Png));
    for (args, text) in [
        (&["clip.y4m", "--box", "1,2,3,4"][..], "error: --box is for photos only"),
        (
            &["clip.y4m", "--format", "pts"],
            "error: --format pts has no place for frames: give json or csv for a video\n",
        ),
        (&["clip.y4m", "a.png"], "error: clip.y4m: a video is run alone, without other inputs\n"),
        (
            &["a.png", "--draw", "b.mp4"],
            "error: --draw b.mp4: photos make no video: give a .png or .jpg file, or a folder\n",
        ),
        (&["clip.y4m", "--smooth", "-1"], "'--smooth <SECONDS>': give seconds from 0 to 60"),
        (&["clip.y4m", "--fps", "0"], "'--fps <RATE>': give frames per second from 0.01 to 1000"),
        (&["clip.y4m", "--smooth", "1", "--no-smooth"], "cannot be used with"),
    ] {
        let outcome = folder.run(&[&["run"], args].concat());
        assert_eq!(outcome.code, Some(2), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(text), "{args:?}: {}", outcome.stderr);
    }
    for (drawn, text) in [
        ("b.png", "one picture cannot show a video: give a .mp4, a .y4m or a folder"),
        ("clip.y4m", "is what is read and is left as it is"),
    ] {
        let outcome = folder.run(&["run", "clip.y4m", "--draw", drawn]);
        assert_ne!(outcome.code, Some(0));
        assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
    }
    assert_eq!(fs::read(folder.path("clip.y4m")).unwrap(), y4m(&[20], ""));
    assert_eq!(folder.files(), ["a.png", "clip.y4m"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_files_of_what_was_done() {
    let folder = Folder::new();
    let drawn = if cfg!(feature = "h264") { "out.mp4" } else { "out.y4m" };
    let args = ["run", "-", "--draw", drawn, "--format", "json", "--out", "."];
    let mut child = folder.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&y4m(&[20, 120, 220], "")).unwrap();
    pipe.flush().unwrap();
    std::thread::sleep(Duration::from_secs(2)); // the stream stays open, as a camera's does
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    drop(pipe);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("-: 3 frames in ")
            && stderr.ends_with(&format!("drawn: {drawn}\nstopped; everything before that is written\n")),
        "{stderr}"
    );
    assert_eq!(folder.files(), ["faces.jsonl", drawn]);
    assert_eq!(folder.run(&["run", drawn]).stdout.lines().count(), 3);
}

#[test]
fn a_video_into_a_closed_pipe_is_success() {
    let folder = Folder::new();
    folder.write("clip.y4m", y4m(&[20; 3000], ""));
    let mut child = folder.command(&["run", "clip.y4m"]).stdin(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
