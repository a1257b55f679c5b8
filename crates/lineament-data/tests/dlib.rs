//! Compares points with dlib's own, as written by `tools/dlib_points.py`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lineament::{ImageView, Rect};
use lineament_data::Photo;
use lineament_data::dlib::ShapePredictor;
use proptest::prelude::*;
use serde_json::Value;

/// How far a point may lie from the same computation in numpy, in pixels.
const TOLERANCE: f32 = 0.05;
/// This near to the border between two pixels, the sums of f32 decide to which dlib rounds.
const NEAR_BORDER: f32 = 0.02;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dlib").join(name)
}

fn tiny() -> Vec<u8> {
    fs::read(fixture("tiny.dat")).unwrap()
}

/// Compares every box of a fixture; `folder` holds the predictors that it names.
fn compare(fixture_name: &str, folder: &Path) {
    let json: Value = serde_json::from_slice(&fs::read(fixture(fixture_name)).unwrap()).unwrap();
    let picture = Photo::open(&fixture(json["picture"].as_str().unwrap())).unwrap().grey();
    let image = picture.view().to_grey();
    for (name, faces) in json["predictors"].as_object().unwrap() {
        let start = Instant::now();
        let predictor = ShapePredictor::open(&folder.join(name)).unwrap();
        let (opened, start) = (start.elapsed(), Instant::now());
        let faces = faces.as_array().unwrap();
        let found: Vec<_> = faces.iter().map(|face| predictor.place(&image, &rect(&face["box"]))).collect();
        println!("{name}: opened in {opened:.2?}, {:.2?} a face", start.elapsed() / faces.len() as u32);
        let mut largest = 0f32;
        for (face, found) in faces.iter().zip(&found) {
            assert_eq!(found.len(), face["points"].as_array().unwrap().len());
            let expected = pairs(&face["points"]).zip(pairs(&face["rounded"]));
            for (i, (point, (expected, rounded))) in found.iter().zip(expected).enumerate() {
                for (ours, expected, rounded) in
                    [(point.x, expected[0], rounded[0]), (point.y, expected[1], rounded[1])]
                {
                    let context = || format!("{name}, box {}, point {i}: {ours}", face["box"]);
                    largest = largest.max((ours - expected).abs());
                    assert!((ours - expected).abs() <= TOLERANCE, "{}, numpy says {expected}", context());
                    // dlib's whole numbers are centres: it rounds to the pixel that covers our point.
                    let near_border = (ours - ours.round()).abs() < NEAR_BORDER;
                    assert!(near_border || ours.floor() == rounded, "{}, dlib says {rounded}", context());
                }
            }
        }
        println!("{name}: at most {largest:.5} pixels from numpy");
    }
}

fn rect(numbers: &Value) -> Rect {
    let n = |i: usize| numbers[i].as_f64().unwrap() as f32;
    Rect::from_xywh(n(0), n(1), n(2), n(3))
}

fn pairs(list: &Value) -> impl Iterator<Item = [f32; 2]> {
    list.as_array().unwrap().iter().map(|p| [0, 1].map(|i| p[i].as_f64().unwrap() as f32))
}

#[test]
fn a_small_predictor_places_points_where_dlib_does() {
    compare("tiny.json", &fixture(""));
}

#[test]
fn the_predictors_with_68_and_5_points_place_points_where_dlib_does() {
    let Some(path) = std::env::var_os("LINEAMENT_DLIB").filter(|p| p != &OsString::new()) else {
        println!("skipped: LINEAMENT_DLIB does not name shape_predictor_68_face_landmarks.dat");
        return;
    };
    compare("astronaut.json", Path::new(&path).parent().unwrap());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = tiny();
    assert_eq!(ShapePredictor::parse(&whole).unwrap().points(), 6);
    for end in 0..whole.len() {
        let fault = ShapePredictor::parse(&whole[..end]).unwrap_err();
        assert!(fault.at <= end, "cut at {end}: {fault}");
    }
}

#[test]
fn errors_name_the_file() {
    let missing = ShapePredictor::open(&fixture("missing.dat")).unwrap_err().to_string();
    assert!(missing.contains("missing.dat"), "{missing}");
    let picture = ShapePredictor::open(&fixture("drawn.png")).unwrap_err().to_string();
    assert!(picture.contains("drawn.png: byte 0: ") && picture.contains("shape predictor"), "{picture}");
}

proptest! {
    #[test]
    fn flipped_bytes_are_refused_or_run(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), near in any::<bool>(),
        x in any::<f32>(), y in -300.0f32..300.0, side in any::<f32>(),
    ) {
        let mut bytes = tiny();
        for (at, with) in &flips {
            // Most damage in leaves is another number; the front and the end hold what counts and points.
            let len = bytes.len();
            let at = at.index(if near { 200 } else { len });
            bytes[if with % 2 == 0 { at } else { len - 1 - at }] = *with;
        }
        if let Ok(predictor) = ShapePredictor::parse(&bytes) {
            let image = ImageView::grey(&[90; 64], 8, 8).unwrap().to_grey();
            let points = predictor.place(&image, &Rect::from_xywh(x, y, side, side));
            prop_assert_eq!(points.len(), predictor.points());
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ShapePredictor::parse(&bytes).is_err());
        prop_assert!(ShapePredictor::parse(&[&[1, 1, 0x81, 4, 0x81, 1][..], &bytes].concat()).is_err());
    }

    #[test]
    fn a_box_and_a_picture_that_move_together_move_the_points(dx in 0usize..40, dy in 0usize..40) {
        let photo = Photo::open(&fixture("drawn.png")).unwrap().grey();
        let (width, height) = (photo.width + dx, photo.height + dy);
        let mut pixels = vec![0; width * height];
        for (y, row) in photo.pixels.chunks_exact(photo.width).enumerate() {
            pixels[(y + dy) * width + dx..][..photo.width].copy_from_slice(row);
        }
        let predictor = ShapePredictor::parse(&tiny()).unwrap();
        let face = Rect::from_xywh(50.0, 20.0, 70.0, 66.0);
        let there = Rect::from_xywh(50.0 + dx as f32, 20.0 + dy as f32, 70.0, 66.0);
        let points = predictor.place(&photo.view().to_grey(), &face);
        let moved = predictor.place(&ImageView::grey(&pixels, width, height).unwrap().to_grey(), &there);
        for (p, m) in points.iter().zip(&moved) {
            prop_assert!((p.x + dx as f32 - m.x).abs() < 1e-3 && (p.y + dy as f32 - m.y).abs() < 1e-3);
        }
    }
}
