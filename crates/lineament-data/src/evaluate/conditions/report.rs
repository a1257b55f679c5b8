//! The figures of one condition.

use lineament::topology::Topology;
use lineament::topology::ibug68::FIRST_INNER_POINT;
use serde::Serialize;

use super::{Found, Outcome};
use crate::evaluate::metrics::{FAILURE_PERCENT, mean};

/// How well the whole path works under one condition. Errors are in percent of what the topology says, over the
/// objects found; under `cut` they are those of the points inside the picture. These are the rows of `lineament eval
/// --stress`; their JSON names do not change (`docs/evaluation.md`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConditionReport {
    /// Name of the condition.
    pub condition: &'static str,
    /// Labelled photos.
    pub photos: usize,
    /// Photos whose face was found.
    pub found: usize,
    /// The same in percent of `photos`.
    pub found_percent: f64,
    /// Mean error of the points; `None` when nothing was found, like the others below.
    pub nme: Option<f64>,
    /// `nme` divided by that of the same points in the unchanged photos.
    pub ratio: Option<f64>,
    /// `nme` of the iBUG 68 points; `None` for others, like the other numbers with a number.
    pub nme68: Option<f64>,
    /// Mean error of the 51 inner points.
    pub nme51: Option<f64>,
    /// Photos not found or with an error of the points above 10 %.
    pub failures: usize,
    /// The same in percent of `photos`.
    pub failures_percent: f64,
    /// `nme51` divided by that of the same points in the unchanged photos.
    pub ratio51: Option<f64>,
    /// Mean face score of the faces found, from 0 to 1.
    pub score: Option<f64>,
    /// Mean expected error of the hidden points, divided by that of the same points in the unchanged photos; `None`
    /// where no point is hidden.
    pub covered_rise: Option<f64>,
}

impl ConditionReport {
    /// From the outcomes of each photo, under the condition and unchanged.
    pub(super) fn new(topology: &Topology, condition: &'static str, pairs: &[(&Outcome, &Outcome)]) -> Self {
        let photos = pairs.len();
        let percent = |n: usize| 100.0 * n as f64 / photos.max(1) as f64;
        let found: Vec<_> = pairs.iter().filter_map(|(changed, _)| Some((changed.found.as_ref()?, *changed))).collect();
        let errors = |from: usize| -> Vec<f64> {
            found.iter().filter_map(|(face, changed)| over(&face.errors, &changed.measured, from)).collect()
        };
        let is_ibug68 = topology.is_ibug68();
        let all = errors(0);
        let good = all.iter().filter(|&&e| e <= FAILURE_PERCENT).count(); // NaN is a failure
        let unchanged = |from: usize| {
            let error = |(changed, unchanged): &(&Outcome, &Outcome)| {
                over(&unchanged.found.as_ref()?.errors, &changed.measured, from)
            };
            mean_of(&pairs.iter().filter_map(error).collect::<Vec<_>>())
        };
        let nme = mean_of(&all);
        let nme51 = is_ibug68.then(|| mean_of(&errors(FIRST_INNER_POINT))).flatten();
        Self {
            condition,
            photos,
            found: found.len(),
            found_percent: percent(found.len()),
            nme,
            ratio: ratio(nme, unchanged(0)),
            nme68: nme.filter(|_| is_ibug68),
            nme51,
            failures: photos - good,
            failures_percent: percent(photos - good),
            ratio51: ratio(nme51, nme51.and_then(|_| unchanged(FIRST_INNER_POINT))),
            score: mean_of(&found.iter().map(|(face, _)| face.score).collect::<Vec<_>>()),
            covered_rise: covered_rise(pairs),
        }
    }
}

/// Over the photos whose face is found changed and unchanged.
fn covered_rise(pairs: &[(&Outcome, &Outcome)]) -> Option<f64> {
    let both = pairs.iter().filter_map(|(changed, unchanged)| {
        let expected = |face: &Found| over(&face.expected, &changed.covered, 0);
        Some((expected(changed.found.as_ref()?)?, expected(unchanged.found.as_ref()?)?))
    });
    let (changed, unchanged): (Vec<f64>, Vec<f64>) = both.unzip();
    ratio(mean_of(&changed), mean_of(&unchanged))
}

/// The mean over the points from `first` on that are `chosen`; `None` when there is none.
fn over(values: &[f64], chosen: &[bool], first: usize) -> Option<f64> {
    mean_of(&(first..values.len()).filter(|&i| chosen[i]).map(|i| values[i]).collect::<Vec<_>>())
}

fn mean_of(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| mean(values))
}

fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    part.zip(whole.filter(|w| *w > 0.0)).map(|(part, whole)| part / whole)
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68::POINTS;

    use super::*;
    use crate::testing::json_names;

    const ALL: [bool; POINTS] = [true; POINTS];

    /// Every point is off by `error`, the jaw by three times as much; expected errors are twice the measured ones.
    fn outcome(error: Option<f64>, measured: [bool; POINTS], covered: [bool; POINTS]) -> Outcome {
        let found = error.map(|e| {
            let errors: Vec<f64> = (0..POINTS).map(|i| if i < FIRST_INNER_POINT { 3.0 * e } else { e }).collect();
            Found { expected: errors.iter().map(|e| 2.0 * e).collect(), errors, score: 0.9 }
        });
        Outcome { found, measured: measured.into(), covered: covered.into() }
    }

    fn report(condition: &'static str, pairs: &[(&Outcome, &Outcome)]) -> ConditionReport {
        ConditionReport::new(&Topology::ibug68(), condition, pairs)
    }

    #[test]
    fn a_report_holds_means_over_found_faces_and_counts_misses_as_failures() {
        let nothing = [false; POINTS];
        let changed = [Some(2.0), Some(8.0), None].map(|e| outcome(e, ALL, nothing));
        let unchanged = [Some(1.0), Some(2.0), Some(3.0)].map(|e| outcome(e, ALL, nothing));
        let row = report("dark", &changed.iter().zip(&unchanged).collect::<Vec<_>>());
        assert_eq!((row.photos, row.found, row.failures), (3, 2, 2), "8 % and 24 % at the jaw are 12 %");
        assert!((row.nme51.unwrap() - 5.0).abs() < 1e-9 && (row.ratio51.unwrap() - 2.5).abs() < 1e-9);
        assert!((row.nme68.unwrap() - 5.0 * (3.0 * 17.0 + 51.0) / 68.0).abs() < 1e-9);
        assert!((row.score.unwrap() - 0.9).abs() < 1e-9);
        assert_eq!(row.covered_rise, None);
        assert_eq!((row.nme, row.ratio), (row.nme68, Some(2.5)));
        // Of other topologies there are no 68 and no 51 points.
        let five = crate::topologies::open("five").unwrap().topology;
        let other = ConditionReport::new(&five, "dark", &changed.iter().zip(&unchanged).collect::<Vec<_>>());
        assert_eq!((other.nme, other.nme68, other.nme51, other.ratio51), (row.nme, None, None, None));
    }

    #[test]
    fn points_outside_count_neither_changed_nor_unchanged() {
        let measured = std::array::from_fn(|i| i >= FIRST_INNER_POINT);
        let pairs = [(outcome(Some(4.0), measured, [false; POINTS]), outcome(Some(2.0), ALL, [false; POINTS]))];
        let row = report("cut", &[(&pairs[0].0, &pairs[0].1)]);
        assert_eq!((row.nme68, row.nme51, row.ratio51), (Some(4.0), Some(4.0), Some(2.0)));
    }

    #[test]
    fn expected_errors_of_hidden_points_are_compared_where_the_face_is_found_both_times() {
        let covered = std::array::from_fn(|i| i == 30);
        let changed = [Some(6.0), Some(9.0), None].map(|e| outcome(e, ALL, covered));
        let unchanged = [Some(2.0), None, Some(2.0)].map(|e| outcome(e, ALL, [false; POINTS]));
        let row = report("mask", &changed.iter().zip(&unchanged).collect::<Vec<_>>());
        assert!((row.covered_rise.unwrap() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_names_in_json_never_change() {
        assert_eq!(
            json_names(&report("dark", &[])),
            "condition covered_rise failures failures_percent found found_percent nme nme51 nme68 photos ratio ratio51 \
             score"
        );
    }

    #[test]
    fn nothing_found_is_a_plain_report() {
        for pairs in [vec![], vec![(outcome(None, ALL, ALL), outcome(None, ALL, ALL))]] {
            let row = report("x", &pairs.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
            assert_eq!((row.found, row.nme51, row.ratio51, row.score), (0, None, None, None));
            assert_eq!(row.failures, pairs.len());
        }
    }
}
