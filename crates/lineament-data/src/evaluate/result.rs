//! What became of one labelled photo.

use std::path::PathBuf;

use lineament::topology::Topology;
use lineament::{Face, Point, Rect};
use serde::Serialize;

use crate::dataset::Sample;
use crate::evaluate::metrics::{nme, nme51, point_errors};

/// A face counts as the labelled one from this overlap on: intersection over union (IoU) of their boxes. Low on
/// purpose: a face whose points are far off must count as a failure, not as a face that was not found.
pub const TRUE_FACE_IOU: f32 = 0.3;

/// A detector's box counts as found from this IoU with the true box on: the usual limit for detectors, which are
/// measured on the box itself.
pub const MATCH_IOU: f32 = 0.5;

/// Where the crops come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// From our detector on the whole photo, as in use.
    Detector,
    /// From the true points, without any shift: measures the landmark network alone. Every face counts as found.
    TruthCrop,
}

/// One labelled photo and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoResult {
    /// The sample's name.
    pub name: String,
    /// The photo's file.
    pub path: PathBuf,
    /// The labelled face is among the faces found.
    pub found: bool,
    /// Mean error of the points in percent of the topology's unit; `None` when not found.
    pub nme: Option<f64>,
    /// Mean error of the 51 inner points; `None` when not found, and for other points than the iBUG 68.
    pub nme51: Option<f64>,
    /// The face that was taken for the labelled one.
    pub face: Option<Face>,
    /// The true points, in pixels of the photo; NaN without a label.
    pub truth: Vec<Point>,
}

impl PhotoResult {
    /// Measures `face`, which was taken for the labelled one, if any was.
    pub fn new(topology: &Topology, sample: &Sample, face: Option<Face>) -> Self {
        let errors = face.as_ref().map(|face| point_errors(topology, &face.landmarks.points, &sample.points));
        Self {
            name: sample.name.clone(),
            path: sample.photo_path.clone(),
            found: face.is_some(),
            nme: errors.as_deref().map(nme),
            nme51: errors.and_then(|errors| nme51(topology, &errors)),
            face,
            truth: sample.points.clone(),
        }
    }
}

/// The face that overlaps the labelled one most, if [`TRUE_FACE_IOU`] is reached.
pub(crate) fn best_match(faces: Vec<Face>, truth: &Rect) -> Option<Face> {
    let overlap = |face: &Face| match face.landmarks.points.iter().all(|p| p.is_finite()) {
        true => face.rect().iou(truth),
        false => 0.0,
    };
    let overlaps = faces.into_iter().map(|face| (overlap(&face), face));
    let best = overlaps.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(iou, _)| *iou >= TRUE_FACE_IOU).map(|(_, face)| face)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{face, sample, shifted};

    #[test]
    fn the_face_with_the_highest_overlap_is_taken() {
        let truth = sample("a").points;
        let rect = Rect::bounding(&truth).unwrap();
        let moved = |dx: f32| face(shifted(&truth, dx, 0.0), 1.0);
        let best = best_match(vec![moved(300.0), moved(8.0), moved(3.0), moved(-20.0)], &rect).unwrap();
        assert_eq!(best, moved(3.0));
    }

    #[test]
    fn faces_elsewhere_or_with_nan_are_no_match() {
        let truth = sample("a").points;
        let mut broken = face(truth.clone(), 1.0);
        broken.landmarks.points[5] = Point::new(f32::NAN, 0.0);
        let rect = Rect::bounding(&truth).unwrap();
        // Moved by m widths the boxes overlap with (1 - m) / (1 + m): 0.33 at a half, 0.25 at 0.6.
        let moved = |m: f32| face(shifted(&truth, m * rect.width, 0.0), 1.0);
        assert!(best_match(Vec::new(), &rect).is_none());
        assert!(best_match(vec![broken], &rect).is_none());
        assert!(best_match(vec![moved(0.6)], &rect).is_none());
        assert!(best_match(vec![moved(0.5)], &rect).is_some());
    }

    #[test]
    fn a_photo_has_its_errors_only_when_found() {
        let (topology, sample) = (Topology::ibug68(), sample("a"));
        let measured = PhotoResult::new(&topology, &sample, Some(face(shifted(&sample.points, 3.0, 4.0), 1.0)));
        let expected = 500.0 / f64::from(topology.unit(&sample.points));
        assert!((measured.nme.unwrap() - expected).abs() < 1e-3 && (measured.nme51.unwrap() - expected).abs() < 1e-3);
        let missed = PhotoResult::new(&topology, &sample, None);
        assert!(!missed.found && missed.nme.is_none() && missed.nme51.is_none());
    }
}
