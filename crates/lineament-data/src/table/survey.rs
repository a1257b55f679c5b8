//! Statistics of a table, gathered in one pass.

use std::collections::HashSet;

use serde::Serialize;

use super::duplicates::Duplicates;
use super::histogram::Histogram;
use crate::record::{Origin, Record, SIDE, is_inside};
use crate::stable_hash::hash;

/// The figures of a table.
#[derive(Serialize)]
pub struct Survey {
    /// Complete rows.
    pub rows: u64,
    /// Points of each row.
    pub points: usize,
    /// Distinct photos that the rows come from.
    pub photos: u64,
    /// Rows without an origin.
    pub without_origin: u64,
    /// Rows that are the same as an earlier one, pixel for pixel.
    pub same: u64,
    /// Rows that are nearly the same as an earlier one.
    pub nearly_same: u64,
    /// Points outside their crop.
    pub points_outside: u64,
    /// Rows with such points.
    pub rows_outside: u64,
    /// Rows whose points are all within a tenth of the crop: no face is so small.
    pub rows_collapsed: u64,
    /// The mean of every point, x and y in pixels of the crop.
    pub mean_points: Vec<[f64; 2]>,
    /// Pose in degrees, size of the face in its photo, brightness and contrast of the pixels, score, expected error.
    pub histograms: Vec<Histogram>,
    #[serde(skip)]
    names: HashSet<u64>,
    #[serde(skip)]
    duplicates: Duplicates,
}

/// A quantity with a histogram.
struct Trait {
    name: &'static str,
    unit: &'static str,
    edges: &'static [f64],
    value: fn(&Record) -> Option<f64>,
}

/// Of equal width, so that bars can be compared.
const DEGREES: &[f64] = &[
    -90.0, -80.0, -70.0, -60.0, -50.0, -40.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0,
    90.0,
];
const PIXELS: &[f64] = &[0.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0, 384.0, 512.0, 768.0, 1024.0];
const GREY: &[f64] = &[0.0, 32.0, 64.0, 96.0, 128.0, 160.0, 192.0, 224.0, 256.0];
const SPREAD: &[f64] = &[0.0, 8.0, 16.0, 24.0, 32.0, 48.0, 64.0, 80.0, 96.0, 128.0];
const SHARE: &[f64] = &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const PERCENT: &[f64] = &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0];

const TRAITS: [Trait; 8] = [
    Trait { name: "yaw", unit: "degrees", edges: DEGREES, value: |r| angle(r, 1) },
    Trait { name: "pitch", unit: "degrees", edges: DEGREES, value: |r| angle(r, 2) },
    Trait { name: "roll", unit: "degrees", edges: DEGREES, value: |r| angle(r, 0) },
    Trait { name: "face size in the photo", unit: "px", edges: PIXELS, value: |r| Some(face_size(origin(r)?)) },
    Trait { name: "brightness", unit: "of 255", edges: GREY, value: |r| Some(mean_and_deviation(&r.pixels).0) },
    Trait { name: "contrast", unit: "of 255", edges: SPREAD, value: |r| Some(mean_and_deviation(&r.pixels).1) },
    Trait { name: "score", unit: "", edges: SHARE, value: |r| Some(origin(r)?.score.into()) },
    Trait {
        name: "expected error",
        unit: "% of the eyes' distance",
        edges: PERCENT,
        value: |r| Some(origin(r)?.expected_error?.into()),
    },
];

impl Survey {
    /// For a table with `points` points; rows whose hashes differ in up to `threshold` bits are nearly the same.
    ///
    /// # Panics
    /// As [`Duplicates::new`].
    pub fn new(points: usize, threshold: u32) -> Self {
        Self {
            rows: 0,
            points,
            photos: 0,
            without_origin: 0,
            same: 0,
            nearly_same: 0,
            points_outside: 0,
            rows_outside: 0,
            rows_collapsed: 0,
            mean_points: vec![[0.0; 2]; points],
            histograms: TRAITS.iter().map(|t| Histogram::new(t.name, t.unit, t.edges.iter().copied())).collect(),
            names: HashSet::new(),
            duplicates: Duplicates::new(threshold),
        }
    }

    /// Counts a row.
    pub fn add(&mut self, record: &Record) {
        self.rows += 1;
        match origin(record) {
            Some(origin) => self.photos += u64::from(self.names.insert(hash(origin.photo.as_bytes()))),
            None => self.without_origin += 1,
        }
        match self.duplicates.add(&record.pixels) {
            Some(found) if found.same => self.same += 1,
            Some(_) => self.nearly_same += 1,
            None => {}
        }
        let outside = record.points.iter().filter(|p| !is_inside(**p)).count() as u64;
        self.points_outside += outside;
        self.rows_outside += u64::from(outside > 0);
        self.rows_collapsed += u64::from(extent(record) < SIDE as f32 / 10.0);
        for (mean, point) in self.mean_points.iter_mut().zip(&record.points) {
            for (mean, value) in mean.iter_mut().zip([point.x, point.y]) {
                *mean += (f64::from(value) - *mean) / self.rows as f64;
            }
        }
        for (histogram, t) in self.histograms.iter_mut().zip(&TRAITS) {
            histogram.add((t.value)(record));
        }
    }
}

fn origin(record: &Record) -> Option<&Origin> {
    record.origin.as_ref()
}

fn angle(record: &Record, axis: usize) -> Option<f64> {
    Some(f64::from(origin(record)?.pose?[axis]).to_degrees())
}

/// The mean of the box's sides.
fn face_size(origin: &Origin) -> f64 {
    f64::from(origin.face.width + origin.face.height) / 2.0
}

/// Mean and standard deviation.
fn mean_and_deviation(pixels: &[u8]) -> (f64, f64) {
    let n = pixels.len().max(1) as f64;
    let (sum, squares) = pixels.iter().fold((0u64, 0u64), |(sum, squares), &v| {
        let v = u64::from(v);
        (sum + v, squares + v * v)
    });
    let mean = sum as f64 / n;
    (mean, (squares as f64 / n - mean * mean).max(0.0).sqrt())
}

/// The longer side of the box of the points.
fn extent(record: &Record) -> f32 {
    let nothing = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    let [left, top, right, bottom] =
        record.points.iter().fold(nothing, |[l, t, r, b], p| [l.min(p.x), t.min(p.y), r.max(p.x), b.max(p.y)]);
    (right - left).max(bottom - top)
}

#[cfg(test)]
mod tests {
    use lineament::{Point, Rect};

    use super::*;

    fn record(seed: u8, points: Vec<Point<crate::record::RecordFrame>>) -> Record {
        let pixel = |i: usize| ((i * (3 + seed as usize) + i / 96 * 29) % 200) as u8 + 20;
        Record { points, pixels: (0..SIDE * SIDE).map(pixel).collect(), origin: None }
    }

    #[test]
    fn a_table_is_counted() {
        let mut survey = Survey::new(2, 16);
        let corners = vec![Point::new(-0.5, 95.4), Point::new(40.0, 20.0)];
        let outside = vec![Point::new(-0.6, 10.0), Point::new(95.5, 30.0)];
        let origin = Origin {
            photo: "a.jpg".into(),
            photo_size: (100, 100),
            face: Rect::from_xywh(0.0, 0.0, 90.0, 110.0),
            crop: Rect::from_xywh(0.0, 0.0, 100.0, 100.0),
            score: 1.0,
            expected_error: None,
            pose: Some([0.0, -0.6, 0.1]),
        };
        survey.add(&Record { origin: Some(origin.clone()), ..record(1, corners.clone()) });
        survey.add(&Record { origin: Some(origin), ..record(2, outside) });
        survey.add(&record(1, corners));
        survey.add(&record(3, vec![Point::new(40.0, 40.0); 2]));
        assert_eq!((survey.rows, survey.photos, survey.without_origin), (4, 1, 2));
        assert_eq!((survey.same, survey.nearly_same), (1, 0));
        assert_eq!((survey.points_outside, survey.rows_outside, survey.rows_collapsed), (2, 1, 1));
        assert!((survey.mean_points[1][0] - (40.0 + 95.5 + 40.0 + 40.0) / 4.0).abs() < 1e-6);
        let by_name = |name: &str| survey.histograms.iter().find(|h| h.name == name).unwrap();
        let (yaw, size, score) = (by_name("yaw"), by_name("face size in the photo"), by_name("score"));
        assert!(yaw.mean.is_some_and(|m| (m + 34.38).abs() < 0.01) && yaw.missing == 2 && yaw.counts[6] == 2);
        assert_eq!((size.mean, size.missing), (Some(100.0), 2));
        assert_eq!(score.counts[10], 2, "a full score is within");
        assert_eq!(by_name("expected error").missing, 4);
        assert!(by_name("contrast").min.is_some_and(|c| (50.0..65.0).contains(&c)));
    }
}
