//! The figures of an evaluation.

use lineament::Point;
use lineament::topology::Topology;
use serde::Serialize;

use crate::evaluate::metrics::{Calibration, FAILURE_PERCENT, area_under_curve, mean, median, nme, point_errors, unit};
use crate::evaluate::result::{PhotoResult, Protocol};

/// How good models are on a set of photos. Errors are in percent of the topology's unit (for the iBUG 68 points, the
/// inter-ocular distance), shares in percent of all photos. The JSON names do not change (`docs/evaluation.md`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Where the crops came from.
    pub protocol: Protocol,
    /// Name of the topology.
    pub topology: String,
    /// What errors are divided by, in words.
    pub unit: String,
    /// Labelled photos.
    pub photos: usize,
    /// Photos whose face was found.
    pub found: usize,
    /// The same in percent of `photos`.
    pub found_percent: f64,
    /// Mean over found faces of the error of all points; `None` when no face was found, like the others below.
    pub nme: Option<f64>,
    /// Median over found faces of the same.
    pub median: Option<f64>,
    /// `nme` of the iBUG 68 points, under the name that it had when there was no other topology.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nme68: Option<f64>,
    /// `median` of the iBUG 68 points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median68: Option<f64>,
    /// Mean over found faces of the error of the 51 inner points; only of the iBUG 68 points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nme51: Option<f64>,
    /// Photos not found or with an error above 10 %.
    pub failures: usize,
    /// The same in percent of `photos`.
    pub failures_percent: f64,
    /// Area under the cumulative curve of the error up to 10 %, from 0 to 1; photos not found count
    /// as infinitely wrong.
    pub auc: f64,
    /// Mean error of each part over found faces, in the order of the points.
    pub parts: Vec<PartError>,
    /// Common shift of all points from the true ones.
    pub offset: Option<Offset>,
    /// How well expected errors agree with measured ones.
    pub calibration: Calibration,
}

/// The error of one part, such as the nose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartError {
    /// Its name in the topology.
    pub name: String,
    /// Mean error of its points.
    pub nme: Option<f64>,
}

/// Mean shift of all points of all found faces from the true ones. It shows labels that count pixels from another
/// origin than ours, and networks that learned from such labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Offset {
    /// To the right in the photo, in percent of the topology's unit.
    pub right: f64,
    /// Down.
    pub down: f64,
    /// The error that is left when the shift is subtracted.
    pub nme: f64,
    /// The same of the iBUG 68 points, under its earlier name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nme68: Option<f64>,
}

impl Offset {
    fn of(topology: &Topology, faces: &[(&[Point], &[Point])]) -> Option<Self> {
        let shifts: Vec<(f64, f64)> = faces
            .iter()
            .flat_map(|(points, truth)| {
                let percent = 100.0 / unit(topology, truth);
                let labelled = points.iter().zip(*truth).filter(|(_, q)| q.is_finite());
                let shift = move |(p, q): (&Point, &Point)| (p.x - q.x, p.y - q.y);
                labelled.map(shift).map(move |(x, y)| (percent * f64::from(x), percent * f64::from(y)))
            })
            .collect();
        let over_points = |value: &dyn Fn(&(f64, f64)) -> f64| mean(&shifts.iter().map(value).collect::<Vec<_>>());
        let (right, down) = (over_points(&|(x, _)| *x), over_points(&|(_, y)| *y));
        let nme = over_points(&|(x, y)| (x - right).hypot(y - down));
        let nme68 = topology.is_ibug68().then_some(nme);
        (!faces.is_empty()).then_some(Self { right, down, nme, nme68 })
    }
}

impl Report {
    /// The figures of `results`, whose points are those of `topology`.
    pub fn new(topology: &Topology, protocol: Protocol, results: &[PhotoResult]) -> Self {
        let photos = results.len();
        let percent = |n: usize| 100.0 * n as f64 / photos.max(1) as f64;
        let faces: Vec<_> = results.iter().filter_map(|r| Some((r.face.as_ref()?, &r.truth))).collect();
        let errors: Vec<_> =
            faces.iter().map(|(face, truth)| point_errors(topology, &face.landmarks.points, truth)).collect();
        let over_faces = |value: &dyn Fn(&[f64]) -> f64| -> Option<f64> {
            let values: Vec<f64> = errors.iter().map(|e| value(e)).collect();
            (!values.is_empty()).then(|| mean(&values))
        };
        let nmes: Vec<f64> = results.iter().filter_map(|r| r.nme).collect();
        let inner: Vec<f64> = results.iter().filter_map(|r| r.nme51).collect();
        let good = nmes.iter().filter(|&&e| e <= FAILURE_PERCENT).count(); // NaN is a failure
        let pairs = faces.iter().zip(&errors).flat_map(|((face, truth), measured)| {
            let unit = unit(topology, truth);
            let expected = face.landmarks.errors.iter().map(move |&e| 100.0 * f64::from(e) / unit);
            expected.zip(measured.iter().copied()).filter(|(_, measured)| !measured.is_nan())
        });
        let (mean_nme, median_nme) = match nmes.is_empty() {
            true => (None, None),
            false => (Some(mean(&nmes)), Some(median(&nmes))),
        };
        let of_part = |points: &[usize], errors: &[f64]| nme(&points.iter().map(|&i| errors[i]).collect::<Vec<_>>());
        let parts = topology.parts().iter().map(|part| PartError {
            name: part.name.clone(),
            nme: over_faces(&|errors| of_part(&part.points, errors)),
        });
        let points = faces.iter().map(|(face, truth)| (face.landmarks.points.as_slice(), truth.as_slice()));
        Self {
            topology: topology.name().into(),
            unit: topology.unit_name(),
            protocol,
            photos,
            found: nmes.len(),
            found_percent: percent(nmes.len()),
            nme: mean_nme,
            median: median_nme,
            nme68: mean_nme.filter(|_| topology.is_ibug68()),
            median68: median_nme.filter(|_| topology.is_ibug68()),
            nme51: (!inner.is_empty()).then(|| mean(&inner)),
            failures: photos - good,
            failures_percent: percent(photos - good),
            auc: area_under_curve(&nmes, photos),
            parts: parts.collect(),
            offset: Offset::of(topology, &points.collect::<Vec<_>>()),
            calibration: Calibration::from_pairs(pairs.collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use lineament::Landmarks;

    use super::*;
    use crate::dataset::Sample;
    use crate::testing::{face, json_names, sample, shifted};
    use crate::topologies;

    /// The true face shifted to the right by `percent` of the inter-ocular distance, with an expected error of
    /// `expected` pixels.
    fn result(percent: Option<f64>, expected: f32) -> PhotoResult {
        let sample = sample("a");
        let unit = unit(&Topology::ibug68(), &sample.points) / 100.0;
        let found = percent.map(|p| face(shifted(&sample.points, (p * unit) as f32, 0.0), expected));
        PhotoResult {
            name: sample.name,
            path: sample.photo_path,
            found: found.is_some(),
            nme: percent,
            nme51: percent,
            face: found,
            truth: sample.points,
        }
    }

    #[test]
    fn misses_count_as_failures_but_not_in_the_mean() {
        let unit = Topology::ibug68().unit(&sample("a").points) / 100.0;
        let results = [
            result(Some(2.0), 2.0 * unit),
            result(Some(4.0), 2.0 * unit),
            result(Some(12.0), 6.0 * unit),
            result(None, 0.0),
        ];
        let report = Report::new(&Topology::ibug68(), Protocol::Detector, &results);
        assert_eq!((report.photos, report.found, report.found_percent), (4, 3, 75.0));
        assert_eq!((report.nme, report.median, report.nme51), (Some(6.0), Some(4.0), Some(6.0)));
        assert_eq!((report.nme68, report.median68), (report.nme, report.median));
        assert_eq!((report.failures, report.failures_percent), (2, 50.0));
        assert!((report.auc - (0.8 + 0.6) / 4.0).abs() < 1e-9, "{}", report.auc);
        assert_eq!(report.parts.len(), 5);
        assert!(report.parts.iter().all(|p| (p.nme.unwrap() - 6.0).abs() < 1e-3), "{:?}", report.parts);
        // The faces are shifted to the right by 2, 4 and 12 %: by 6 % on average.
        let Offset { right, down, nme, nme68 } = report.offset.unwrap();
        assert!((right - 6.0).abs() < 1e-3 && down.abs() < 1e-3, "{right} {down}");
        assert!((nme - (4.0 + 2.0 + 6.0) / 3.0).abs() < 1e-3 && nme68 == Some(nme), "{nme}");
        assert_eq!(report.calibration.points, 3 * 68);
        assert!((report.calibration.all.ratio.unwrap() - 18.0 / 10.0).abs() < 1e-4);
        // Ranks of the faces: expected 0.5, 0.5, 2 against measured 0, 1, 2 give 0.866. Rounding breaks the ties of the
        // measured errors within a face, which leaves at least 0.866 sqrt(8 / 9).
        let r = report.calibration.spearman.unwrap();
        assert!((0.81..0.87).contains(&r), "{r}");
    }

    #[test]
    fn the_names_in_json_never_change() {
        assert_eq!(
            json_names(&Report::new(&Topology::ibug68(), Protocol::Detector, &[result(Some(2.0), 1.0)])),
            "auc calibration calibration.all calibration.all.expected calibration.all.measured calibration.all.ratio \
             calibration.deciles calibration.deciles.[].expected calibration.deciles.[].measured \
             calibration.deciles.[].ratio calibration.largest_deviation calibration.points calibration.spearman \
             failures failures_percent found found_percent median median68 nme nme51 nme68 offset offset.down \
             offset.nme offset.nme68 offset.right parts parts.[].name parts.[].nme photos protocol topology unit"
        );
    }

    #[test]
    fn other_topologies_have_their_own_parts_and_unit_and_points_without_a_label_do_not_count() {
        let topology = topologies::open("ibug51").unwrap().topology;
        let truth = sample("a").points[17..].to_vec();
        let unit = unit(&topology, &truth) as f32;
        let mut label = Sample { points: truth.clone(), ..sample("a") };
        label.points[0] = Point::new(f32::NAN, f32::NAN);
        let mut placed = face(sample("a").points, 1.0);
        let points = shifted(&truth, 0.03 * unit, 0.0);
        placed.landmarks = Landmarks::new(topology.clone(), points, vec![1.0; topology.len()], 0.9);
        let result = PhotoResult::new(&topology, &label, Some(placed));
        let report = Report::new(&topology, Protocol::Detector, &[result]);
        assert!((report.nme.unwrap() - 3.0).abs() < 1e-3 && report.nme68.is_none() && report.nme51.is_none());
        assert_eq!(report.calibration.points, 50);
        let parts: Vec<&str> = report.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(parts, ["brows", "nose", "eyes", "mouth"]);
        assert!(report.parts.iter().all(|part| (part.nme.unwrap() - 3.0).abs() < 1e-3), "{:?}", report.parts);
        assert!((report.offset.unwrap().right - 3.0).abs() < 1e-3);
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains(r#""topology":"ibug51""#) && !json.contains("nme68"), "{json}");
    }

    #[test]
    fn nothing_found_and_nothing_given_are_plain_reports() {
        for (results, failures) in [(vec![result(None, 0.0)], 1), (Vec::new(), 0)] {
            let report = Report::new(&Topology::ibug68(), Protocol::TruthCrop, &results);
            assert_eq!((report.nme, report.found, report.failures, report.auc), (None, 0, failures, 0.0));
            assert_eq!(report.offset, None);
            let json = serde_json::to_string(&report).unwrap();
            assert!(json.starts_with(r#"{"protocol":"truth-crop","#) && !json.contains("-0.0"), "{json}");
        }
    }
}
