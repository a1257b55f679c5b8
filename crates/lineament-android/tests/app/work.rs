//! What a user does: save a picture, measure the phone, measure a model.

use lineament_android::{Event, Patience, Screen};
use lineament_bench::Plan;
use serde_json::Value;

use super::*;

#[test]
fn a_long_press_saves_the_picture_and_its_points() {
    let folder = folder("saved");
    let (desk, mut app) = in_front(Some(folder.clone()));
    frame(&desk, &mut app);
    touch(&desk, &mut app, MIDDLE, 0.7);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "it waits for the next frame");
    frame(&desk, &mut app);
    touch(&desk, &mut app, MIDDLE, 0.7);
    frame(&desk, &mut app);
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["face-1800000000.json", "face-1800000000.png", "face-1800000001.json", "face-1800000001.png"]);
    let record: Value = serde_json::from_slice(&std::fs::read(folder.join(&names[0])).unwrap()).unwrap();
    assert_eq!((&record["width"], &record["height"]), (&360.into(), &480.into()));
    let faces = record["faces"].as_array().unwrap();
    assert_eq!(faces.len(), 2);
    for face in faces {
        let points = face["points"].as_array().unwrap();
        assert_eq!(points.len(), 68);
        assert!(points.iter().all(|p| (0.0..360.0).contains(&p[0].as_f64().unwrap())), "{face}");
        // The picture is mirrored, so the person's right eye (points 36 to 41) is at the right.
        assert!(points[36][0].as_f64() > points[45][0].as_f64());
    }
}

#[test]
fn without_a_folder_the_screen_says_that_nothing_was_saved() {
    let (desk, mut app) = in_front(None);
    frame(&desk, &mut app);
    let before = desk.borrow().shown.0.clone();
    touch(&desk, &mut app, MIDDLE, 0.7);
    frame(&desk, &mut app);
    assert_ne!(desk.borrow().shown.0, before);
}

#[test]
fn the_benchmark_runs_ends_and_is_saved() {
    let folder = folder("benchmark");
    let (desk, mut app) = in_front(Some(folder.clone()));
    let plan = Plan { cool_secs: 0.1, warm_up_secs: 0.1, warm_secs: 0.1, callers_secs: 0.0, callers: vec![1, 2] };
    app.set_plan(plan);
    touch(&desk, &mut app, BUTTONS[1], 0.1);
    assert_eq!((app.screen(), app.patience()), (Screen::Benchmark, Patience::UntilEvent));
    touch(&desk, &mut app, MIDDLE, 0.1);
    let mut slices = 0;
    while app.patience() == Patience::None {
        app.work();
        // The desk's clock stands still unless somebody moves it.
        desk.borrow_mut().now_secs += 0.1;
        slices += 1;
        assert!(slices < 100_000);
    }
    let name = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let report: Value = serde_json::from_slice(&std::fs::read(name).unwrap()).unwrap();
    assert_eq!((&report["complete"], &report["faces"]), (&true.into(), &1.into()));
}

#[test]
fn a_benchmark_stops_when_the_app_is_left() {
    let (desk, mut app) = in_front(None);
    touch(&desk, &mut app, BUTTONS[1], 0.1);
    touch(&desk, &mut app, MIDDLE, 0.1);
    assert_eq!(app.patience(), Patience::None);
    app.handle(Event::Pause);
    app.handle(Event::Resume);
    assert_eq!((app.screen(), app.patience()), (Screen::Benchmark, Patience::UntilEvent));
}

#[test]
fn a_model_of_the_folder_is_measured_and_a_damaged_one_is_refused() {
    let folder = folder("models");
    std::fs::create_dir(folder.join("models")).unwrap();
    let lite = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/lite/lite.int8.onnx");
    std::fs::copy(lite, folder.join("models/lite.onnx")).unwrap();
    std::fs::write(folder.join("models/broken.onnx"), b"no model").unwrap();
    let (desk, mut app) = in_front(Some(folder));
    touch(&desk, &mut app, BUTTONS[2], 0.1);
    let shown = |desk: &Shared| desk.borrow().shown.0.clone();
    let listed = shown(&desk);
    // The first row is the damaged file: below the heading, in pixels of the window.
    touch(&desk, &mut app, (100.0, 80.0 + 8.0 + 44.0 + 10.0), 0.1);
    assert_eq!(app.patience(), Patience::UntilEvent);
    let refused = shown(&desk);
    assert_ne!(listed, refused, "the refusal is shown");
    touch(&desk, &mut app, (100.0, 80.0 + 8.0 + 88.0 + 10.0), 0.1);
    assert_eq!(app.patience(), Patience::None);
    while app.patience() == Patience::None {
        app.work();
        desk.borrow_mut().now_secs += 0.1;
    }
    assert_ne!(refused, shown(&desk), "the time is shown");
}
