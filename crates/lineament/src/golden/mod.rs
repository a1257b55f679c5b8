//! The same points everywhere: the default models on the golden frames, at every level of the processor, beside the
//! points stored in `testdata/golden/points.json`. `REGENERATE=1` writes those anew at the plain level, as a new model
//! asks for: `make regenerate`.

mod frames;

use std::collections::BTreeMap;
use std::fmt::Write;

use frames::Picture;

use crate::{ImageView, Lineament, Options, Point, TrackOptions, Tracker};
use lineament_nn::simd::testing::at_every_level;

/// Pixels by which a point may differ from the stored one.
const TOLERANCE_PX: f32 = 0.01;

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/golden/points.json");

/// The faces of each frame, by the frame's name.
type Faces = BTreeMap<String, Vec<Vec<Point>>>;

fn view(picture: &Picture) -> ImageView<'_> {
    let Picture { pixels, width, height, channels } = picture;
    if *channels == 1 { ImageView::grey(pixels, *width, *height) } else { ImageView::rgb(pixels, *width, *height) }
        .expect("a picture without gaps")
}

fn look(frames: &[(String, Picture)], film: &[(String, Picture)]) -> Faces {
    let mut lineament = Lineament::new(Options::default()).expect("the default models");
    let mut tracker = Tracker::new(Options::default(), TrackOptions::default()).expect("the default models");
    let mut faces = Faces::new();
    for (name, picture) in frames {
        let found = lineament.faces(&view(picture)).iter().map(|face| face.landmarks.points.clone()).collect();
        faces.insert(name.clone(), found);
    }
    for (i, (name, picture)) in film.iter().enumerate() {
        let tracked = tracker.update(&view(picture), i as f64 / 30.0);
        faces.insert(name.clone(), tracked.iter().map(|tracked| tracked.face.landmarks.points.clone()).collect());
    }
    faces
}

/// JSON with a line for each face, so that differences can be read.
fn to_json(faces: &Faces) -> String {
    let mut text = String::from("{");
    for (i, (name, faces)) in faces.iter().enumerate() {
        write!(text, "{}\n{name:?}: [", if i > 0 { "," } else { "" }).expect("memory");
        for (i, points) in faces.iter().enumerate() {
            let points: Vec<String> = points.iter().map(|p| format!("[{:.2},{:.2}]", p.x, p.y)).collect();
            write!(text, "{}\n[{}]", if i > 0 { "," } else { "" }, points.join(",")).expect("memory");
        }
        text.push(']');
    }
    text + "\n}\n"
}

#[test]
fn every_level_places_the_stored_points() {
    let (frames, film) = (frames::frames(), frames::film());
    // The tests of the kernels compare levels on arm64 too; whole networks at the plain level take minutes in an
    // emulator.
    let emulated = cfg!(target_arch = "aarch64");
    let answers = if emulated { vec![look(&frames, &film)] } else { at_every_level(|| look(&frames, &film)) };
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(STORED, to_json(&answers[0])).unwrap();
    }
    let stored = std::fs::read_to_string(STORED).unwrap_or_else(|e| panic!("{STORED}: {e}; REGENERATE=1 writes it"));
    let stored: BTreeMap<String, Vec<Vec<[f32; 2]>>> = serde_json::from_str(&stored).unwrap();
    let empty = |name: &str, faces: &[_]| faces.len() < if name.starts_with("two faces") { 2 } else { 1 };
    let says_little: Vec<_> = stored.iter().filter(|(name, faces)| empty(name, faces)).map(|(name, _)| name).collect();
    assert!(stored.len() >= 40 && says_little.len() <= 4, "frames that do not show all their faces: {says_little:?}");
    let mut failures = Vec::new();
    for (level, answer) in answers.iter().enumerate() {
        assert!(answer.keys().eq(stored.keys()), "other frames than the stored ones: regenerate");
        for ((name, faces), stored) in answer.iter().zip(stored.values()) {
            if faces.len() != stored.len() {
                failures.push(format!("level {level}, {name}: {} faces in place of {}", faces.len(), stored.len()));
            }
            for (points, stored) in faces.iter().zip(stored) {
                let distances = points.iter().zip(stored).map(|(p, &[x, y])| p.distance(Point::new(x, y)));
                let worst = distances.max_by(f32::total_cmp).unwrap();
                if points.len() != stored.len() || worst.is_nan() || worst > TOLERANCE_PX {
                    failures.push(format!("level {level}, {name}: off by {worst} pixels"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
