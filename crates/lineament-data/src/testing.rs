//! Made-up faces, stored files and names in JSON, shared by the tests.

use std::path::{Path, PathBuf};

use lineament::topology::Topology;
use lineament::topology::ibug68::POINTS;
use lineament::{Detection, Face, Landmarks, Point, Rect};

use crate::dataset::Sample;

/// A face about 100 pixels wide: points on circles, so that no two coincide.
pub fn sample(name: &str) -> Sample {
    let point = |i: usize| {
        let (angle, radius) = (i as f32 * 0.7, 20.0 + (i % 5) as f32 * 8.0);
        Point::new(120.0 + radius * angle.cos(), 130.0 + radius * angle.sin())
    };
    Sample {
        name: name.into(),
        photo_path: format!("{name}.jpg").into(),
        points: (0..POINTS).map(point).collect(),
        rect: None,
    }
}

/// Points moved to the right and down.
pub fn shifted(points: &[Point], right: f32, down: f32) -> Vec<Point> {
    points.iter().map(|p| Point::new(p.x + right, p.y + down)).collect()
}

/// A found face with the same expected error in pixels for every point.
pub fn face(points: Vec<Point>, expected: f32) -> Face {
    let rect = Rect::bounding(&points).unwrap_or_default();
    Face {
        detection: Detection { rect, points: Topology::ibug68().five(&points), score: 0.9 },
        landmarks: Landmarks::new(Topology::ibug68(), points, vec![expected; POINTS], 0.9),
    }
}

/// A face as a child draws it, 160 pixels wide around (150, 130): upright, symmetric, every point in its usual place.
pub fn upright_face() -> [Point; POINTS] {
    let arc = |x: f32, y: f32, half: f32, rise: f32, share: f32| {
        let angle = std::f32::consts::PI * share;
        Point::new(x - half * angle.cos(), y + rise * angle.sin())
    };
    std::array::from_fn(|i| {
        let n = i as f32;
        match i {
            0..=16 => arc(150.0, 110.0, 80.0, 120.0, n / 16.0),
            17..=21 => arc(110.0, 85.0, 25.0, -10.0, (n - 17.0) / 4.0),
            22..=26 => arc(190.0, 85.0, 25.0, -10.0, (n - 22.0) / 4.0),
            27..=30 => Point::new(150.0, 105.0 + 14.0 * (n - 27.0)),
            31..=35 => arc(150.0, 155.0, 15.0, 6.0, (n - 31.0) / 4.0),
            36..=39 => arc(117.0, 108.0, 15.0, -7.0, (n - 36.0) / 3.0),
            40..=41 => arc(117.0, 108.0, 15.0, 7.0, (42.0 - n) / 3.0),
            42..=45 => arc(183.0, 108.0, 15.0, -7.0, (n - 42.0) / 3.0),
            46..=47 => arc(183.0, 108.0, 15.0, 7.0, (48.0 - n) / 3.0),
            48..=54 => arc(150.0, 188.0, 30.0, -10.0, (n - 48.0) / 6.0),
            55..=59 => arc(150.0, 188.0, 30.0, 12.0, (60.0 - n) / 6.0),
            60..=64 => arc(150.0, 188.0, 24.0, -4.0, (n - 60.0) / 4.0),
            _ => arc(150.0, 188.0, 24.0, 4.0, (68.0 - n) / 4.0),
        }
    })
}

/// The names in a value's JSON, with a blank between them; `[]` stands for the first item of a list.
pub fn json_names(value: &impl serde::Serialize) -> String {
    fn add(value: &serde_json::Value, prefix: &str, names: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => object.iter().for_each(|(name, value)| {
                names.push(format!("{prefix}{name}"));
                add(value, &format!("{prefix}{name}."), names);
            }),
            serde_json::Value::Array(list) => {
                list.first().into_iter().for_each(|item| add(item, &format!("{prefix}[]."), names));
            }
            _ => {}
        }
    }
    let mut names = Vec::new();
    add(&serde_json::to_value(value).unwrap(), "", &mut names);
    names.sort();
    names.join(" ")
}

/// A file of `testdata`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}
