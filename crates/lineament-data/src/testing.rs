//! Made-up faces and stored files, shared by the tests.

use std::path::{Path, PathBuf};

use lineament::topology::{POINTS, five_points};
use lineament::{Detection, Face, Landmarks, Point, Pose, Rect};

use crate::dataset::Sample;

/// A face about 100 pixels wide: points on circles, so that no two coincide.
pub fn sample(name: &str) -> Sample {
    let point = |i: usize| {
        let (angle, radius) = (i as f32 * 0.7, 20.0 + (i % 5) as f32 * 8.0);
        Point::new(120.0 + radius * angle.cos(), 130.0 + radius * angle.sin())
    };
    Sample { name: name.into(), photo_path: format!("{name}.jpg").into(), points: std::array::from_fn(point) }
}

/// A found face with the same expected error in pixels for every point.
pub fn face(points: [Point; POINTS], expected: f32) -> Face {
    let rect = Rect::bounding(&points).unwrap_or_default();
    Face {
        detection: Detection { rect, points: five_points(&points), score: 0.9 },
        landmarks: Landmarks { points, errors: [expected; POINTS], score: 0.9, pose: Pose::default() },
    }
}

/// A file of `testdata`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}
