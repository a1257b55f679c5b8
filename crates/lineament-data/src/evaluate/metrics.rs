//! Metrics: errors of points, curves over photos, and whether expected errors are calibrated.
//!
//! Errors are normalised by what the topology says and given in percent: for the iBUG 68 points by the distance of the
//! true outer eye corners ("inter-ocular"), as in the 300-W challenge (Sagonas et al., 2013).

use lineament::Point;
use lineament::topology::{Topology, ibug68};
use serde::Serialize;

/// A photo is a failure when the mean error of its points is above this, in percent of the topology's unit.
pub const FAILURE_PERCENT: f64 = 10.0;

/// Groups of the calibration table.
const DECILES: usize = 10;

/// Distance of each point to the true one, in percent of [`unit()`]. NaN where the true point has no label; not finite
/// when the unit is 0.
pub fn point_errors(topology: &Topology, points: &[Point], truth: &[Point]) -> Vec<f64> {
    let unit = unit(topology, truth);
    points.iter().zip(truth).map(|(point, truth)| 100.0 * f64::from(point.distance(*truth)) / unit).collect()
}

/// What errors are divided by, in pixels: [`Topology::unit`], or the square root of the area of the object's box where
/// a point of the topology's normaliser has no label.
pub fn unit(topology: &Topology, truth: &[Point]) -> f64 {
    let unit = topology.unit(truth);
    f64::from(if unit.is_nan() { topology.rect(truth).area().sqrt() } else { unit })
}

/// The normalised mean error (NME): the mean over all labelled points of [`point_errors`].
pub fn nme(errors: &[f64]) -> f64 {
    if errors.iter().all(|e| !e.is_nan()) {
        return mean(errors);
    }
    mean(&errors.iter().copied().filter(|e| !e.is_nan()).collect::<Vec<_>>())
}

/// The same over the 51 inner points, all except the jaw; `None` for other points than the iBUG 68.
pub fn nme51(topology: &Topology, errors: &[f64]) -> Option<f64> {
    topology.is_ibug68().then(|| nme(&errors[ibug68::FIRST_INNER_POINT..]))
}

/// The mean; 0 for none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, v| sum + v) / values.len().max(1) as f64 // `sum` of none is -0
}

/// The middle value; of an even number of values the mean of the two in the middle; 0 for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n == 0 { 0.0 } else { (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0 }
}

/// The area under the curve "share of photos with an error of at most e" for e from 0 to [`FAILURE_PERCENT`], divided
/// by [`FAILURE_PERCENT`]: 1 when all are perfect. `nmes` are the errors of the faces found; the other photos count as
/// infinitely wrong.
pub fn area_under_curve(nmes: &[f64], photos: usize) -> f64 {
    // A photo with error e adds a step from e to the end of the curve; beyond the end it adds nothing.
    nmes.iter().fold(0.0, |sum, e| sum + (1.0 - e / FAILURE_PERCENT).max(0.0)) / photos.max(1) as f64
}

/// Spearman's rank correlation of pairs, from -1 to 1; equal values share their mean rank. `None` when there are
/// fewer than two pairs or one side is all equal.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let (a, b) = (ranks(pairs.iter().map(|p| p.0)), ranks(pairs.iter().map(|p| p.1)));
    let middle = (pairs.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| product(&a, &b) / spread)
}

/// The rank of each value, from 0; equal values share their mean rank.
fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equal in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = start as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        start += equal.len();
    }
    ranks
}

/// Some of the points, in percent of the topology's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decile {
    /// Mean expected error.
    pub expected: f64,
    /// Mean measured error.
    pub measured: f64,
    /// Measured divided by expected: above 1 the model is overconfident. `None` when no error was expected.
    pub ratio: Option<f64>,
}

/// How well expected errors agree with measured ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Number of points of all faces found.
    pub points: usize,
    /// Rank correlation of expected and measured error over all those points; `None` when it is not defined.
    pub spearman: Option<f64>,
    /// All points together.
    pub all: Decile,
    /// Tenths of the points, from the smallest expected errors to the largest; fewer when there are fewer points.
    pub deciles: Vec<Decile>,
    /// Largest difference of a tenth's ratio from 1; `None` when a tenth has no ratio.
    pub largest_deviation: Option<f64>,
}

/// Expected errors count as truthful when [`Calibration::largest_deviation`] is at most this.
pub const TRUTHFUL_WITHIN: f64 = 0.25;

impl Calibration {
    /// From the expected and the measured error of each point.
    pub fn from_pairs(mut pairs: Vec<(f64, f64)>) -> Self {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let n = pairs.len();
        let deciles: Vec<Decile> = (0..DECILES)
            .map(|i| &pairs[i * n / DECILES..(i + 1) * n / DECILES])
            .filter(|part| !part.is_empty())
            .map(decile)
            .collect();
        let deviations = deciles.iter().map(|d| d.ratio.map(|r| (r - 1.0).abs()));
        let largest_deviation = deviations.reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
        Self { points: n, spearman: spearman(&pairs), all: decile(&pairs), deciles, largest_deviation }
    }

    /// Whether the ratio of every tenth of the points is within [`TRUTHFUL_WITHIN`] of 1; `None` when a tenth has no
    /// ratio.
    pub fn is_truthful(&self) -> Option<bool> {
        self.largest_deviation.map(|deviation| deviation <= TRUTHFUL_WITHIN)
    }
}

fn decile(pairs: &[(f64, f64)]) -> Decile {
    let expected = mean(&pairs.iter().map(|p| p.0).collect::<Vec<_>>());
    let measured = mean(&pairs.iter().map(|p| p.1).collect::<Vec<_>>());
    Decile { expected, measured, ratio: (expected > 0.0).then(|| measured / expected) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_are_shares_of_the_outer_eye_corners_distance() {
        let topology = Topology::ibug68();
        let mut truth = vec![Point::new(0.0, 0.0); topology.len()];
        (truth[36], truth[45]) = (Point::new(10.0, 0.0), Point::new(50.0, 30.0)); // 50 apart
        let mut points = truth.clone();
        points[3] = Point::new(3.0, 4.0); // jaw, off by 5
        points[30] = Point::new(0.0, 10.0); // nose, off by 10
        let errors = point_errors(&topology, &points, &truth);
        assert!((errors[3] - 10.0).abs() < 1e-5 && (errors[30] - 20.0).abs() < 1e-5 && errors[36] == 0.0, "{errors:?}");
        assert!((nme(&errors) - 30.0 / 68.0).abs() < 1e-5);
        assert!((nme51(&topology, &errors).unwrap() - 20.0 / 51.0).abs() < 1e-5);
    }

    #[test]
    fn medians_of_odd_even_and_none() {
        for (values, expected) in [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0, 2.0, 9.0], 3.0), (&[], 0.0), (&[7.0], 7.0)]
        {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_area_counts_missing_photos_as_infinitely_wrong() {
        for (nmes, photos, expected) in [
            (&[0.0, 0.0][..], 2, 1.0),
            (&[0.0], 2, 0.5),
            (&[2.5, 5.0, 20.0], 4, (0.75 + 0.5) / 4.0),
            (&[10.0], 1, 0.0),
            (&[], 3, 0.0),
            (&[], 0, 0.0),
        ] {
            assert!((area_under_curve(nmes, photos) - expected).abs() < 1e-12, "{nmes:?} of {photos}");
        }
    }

    #[test]
    fn rank_correlations_computed_by_hand() {
        for (what, pairs, expected) in [
            ("rising", &[(1.0, 10.0), (2.0, 11.0), (3.0, 99.0)][..], Some(1.0)),
            ("falling", &[(1.0, 3.0), (2.0, 2.0), (3.0, -1e9)], Some(-1.0)),
            // 1 - 6 sum(d^2) / (n (n^2 - 1)) with rank differences 1, 1, 0, 0
            ("one swap", &[(1.0, 2.0), (2.0, 1.0), (3.0, 3.0), (4.0, 4.0)], Some(0.8)),
            // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 * 5)
            ("ties", &[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (4.0, 4.0)], Some(0.948_683_298)),
            ("all equal", &[(1.0, 1.0), (1.0, 2.0)], None),
            ("one pair", &[(1.0, 1.0)], None),
            ("no pair", &[], None),
        ] {
            match (spearman(pairs), expected) {
                (Some(r), Some(e)) => assert!((r - e).abs() < 1e-8, "{what}: {r}"),
                (r, e) => assert_eq!(r, e, "{what}"),
            }
        }
    }

    #[test]
    fn the_calibration_table_sorts_by_expected_error() {
        // Expected 20, 19, .. 1, measured twice that.
        let calibration =
            Calibration::from_pairs((0..20).map(|i| (f64::from(20 - i), 2.0 * f64::from(20 - i))).collect());
        assert_eq!(calibration.deciles.len(), 10);
        assert_eq!(calibration.deciles[0], Decile { expected: 1.5, measured: 3.0, ratio: Some(2.0) });
        assert_eq!(calibration.deciles[9], Decile { expected: 19.5, measured: 39.0, ratio: Some(2.0) });
        assert_eq!(calibration.all, Decile { expected: 10.5, measured: 21.0, ratio: Some(2.0) });
        assert_eq!((calibration.points, calibration.spearman), (20, Some(1.0)));
        assert_eq!((calibration.largest_deviation, calibration.is_truthful()), (Some(1.0), Some(false)));
        let none = Calibration::from_pairs(Vec::new());
        assert_eq!((none.deciles.len(), none.spearman, none.all.ratio), (0, None, None));
        assert_eq!((none.largest_deviation, none.is_truthful()), (None, None));
        for (measured, deviation, truthful) in
            [([1.2, 0.8], Some(0.2), Some(true)), ([1.0, 0.7], Some(0.3), Some(false))]
        {
            let pairs =
                (0..20).map(|i| (f64::from(i / 10) + 1.0, measured[i as usize / 10] * (f64::from(i / 10) + 1.0)));
            let calibration = Calibration::from_pairs(pairs.collect());
            assert!((calibration.largest_deviation.unwrap() - deviation.unwrap_or(0.0)).abs() < 1e-9);
            assert_eq!(calibration.is_truthful(), truthful);
        }
        let nothing_expected = Calibration::from_pairs(vec![(0.0, 1.0); 20]);
        assert_eq!(nothing_expected.largest_deviation, None);
        assert_eq!(Calibration::from_pairs(vec![(1.0, 1.0); 3]).deciles.len(), 3);
    }

    proptest! {
        #[test]
        fn rank_correlation_stays_in_range_and_ignores_rising_changes(
            pairs in prop::collection::vec((-9.0f64..9.0, -9.0f64..9.0), 2..40),
        ) {
            let changed: Vec<_> = pairs.iter().map(|(a, b)| (a.exp(), b * 3.0 + 1.0)).collect();
            match (spearman(&pairs), spearman(&changed)) {
                (Some(r), Some(s)) => prop_assert!(r.abs() <= 1.0 + 1e-9 && (r - s).abs() < 1e-9),
                (r, s) => prop_assert_eq!(r, s),
            }
        }
    }
}
