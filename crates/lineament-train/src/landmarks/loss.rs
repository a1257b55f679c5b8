//! The loss of a landmark network: a likelihood of the points, given the errors that the network expects, the plain
//! distance, and the cross entropy of the face score.
//!
//! `runs/gpu` computes the same in PyTorch with the constants of this file, which `lineament train --network-json`
//! prints.

use lineament::Point;
use lineament::stages::CropFrame;

use crate::task::Figures;

/// Weight of the plain distance next to the likelihood. The likelihood alone cares little for points that it calls
/// uncertain, such as the jaw; the plain distance cares for all alike. Chosen by trial.
pub const PLAIN_WEIGHT: f32 = 0.5;
/// Unit of the plain distance: a typical error in the crop frame.
pub const PLAIN_UNIT: f32 = 0.03;
/// Weight of the face score's cross entropy.
pub const SCORE_WEIGHT: f32 = 0.5;
/// The logarithm of the expected error is clamped to this range while training, so that no sample's weight explodes.
pub const LOG_ERROR_RANGE: (f32, f32) = (-5.5, 1.0);
/// Added to the squared distance: the slope of the square root is infinite at 0.
pub const LEAST_SQUARE: f32 = 1e-10;

/// A face in the crop; `None` where there is none.
pub type Target = Option<Box<Truth>>;

/// A face's points in the crop.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The points; NaN where one has no label.
    pub points: Vec<Point<CropFrame>>,
    /// A larger network placed them: they do not tell how large a network's errors are.
    pub is_pseudo_label: bool,
}

/// The outputs of a landmark network for some samples, each `[samples, ...]`.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'a> {
    /// x, y of each point in the crop frame.
    pub points: &'a [f32],
    /// Logarithm of each point's expected error.
    pub log_errors: &'a [f32],
    /// Log-odds of a face.
    pub scores: &'a [f32],
}

/// The parts of the loss, each summed over the samples and divided by `batch`; writes the gradients of the three
/// outputs.
///
/// # Panics
/// When outputs, gradients and targets are not of the same samples and points.
pub fn loss(targets: &[Target], predicted: Predicted, gradients: &mut [Vec<f32>], batch: usize) -> Figures {
    let [d_points, d_errors, d_scores] = gradients else { panic!("three outputs, not {}", gradients.len()) };
    let of_sample = 1.0 / batch as f32;
    let (mut likelihood, mut distance, mut cross_entropy) = (0.0, 0.0, 0.0);
    for (n, target) in targets.iter().enumerate() {
        let logit = predicted.scores[n];
        let label = if target.is_some() { 1.0 } else { 0.0 };
        let probability = 1.0 / (1.0 + (-logit).exp());
        cross_entropy += of_sample * (logit.max(0.0) - logit * label + (-logit.abs()).exp().ln_1p());
        d_scores[n] = SCORE_WEIGHT * of_sample * (probability - label);
        let Some(truth) = target else { continue };
        let count = truth.points.len();
        let labelled = truth.points.iter().filter(|p| p.is_finite()).count();
        let of_point = of_sample / labelled.max(1) as f32;
        for (i, point) in truth.points.iter().enumerate().filter(|(_, point)| point.is_finite()) {
            let (at, log_at) = ((n * count + i) * 2, n * count + i);
            let (dx, dy) = (predicted.points[at] - point.x, predicted.points[at + 1] - point.y);
            let r = (dx * dx + dy * dy + LEAST_SQUARE).sqrt();
            let raw = predicted.log_errors[log_at];
            let log_error = raw.clamp(LOG_ERROR_RANGE.0, LOG_ERROR_RANGE.1);
            let inverse = (-log_error).exp();
            // A density of the distance r of exp(-2 r / e) has the mean e; this is half of its negative logarithm.
            likelihood += of_point * (r * inverse + log_error);
            distance += of_point * r;
            let slope = of_point * (inverse + PLAIN_WEIGHT / PLAIN_UNIT) / r;
            (d_points[at], d_points[at + 1]) = (slope * dx, slope * dy);
            // Beyond the range the gradient may only lead back.
            let d_error = of_point * (1.0 - r * inverse);
            let leads_out = (raw > log_error && d_error < 0.0) || (raw < log_error && d_error > 0.0);
            d_errors[log_at] = if leads_out || truth.is_pseudo_label { 0.0 } else { d_error };
        }
    }
    let whole = likelihood + PLAIN_WEIGHT / PLAIN_UNIT * distance + SCORE_WEIGHT * cross_entropy;
    vec![("loss", whole), ("distance", distance), ("likelihood", likelihood), ("score_loss", cross_entropy)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Largest accepted difference, as a share of the largest number of the tensor.
    const TOLERANCE: f32 = 1e-5;

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    #[test]
    fn the_loss_and_its_gradients_are_those_of_the_pytorch_scripts() {
        let fixture: Value = serde_json::from_str(include_str!("../../tests/fixtures/torch_loss.json")).unwrap();
        let count = |name: &str| fixture[name].as_u64().unwrap() as usize;
        let (own, pseudo_labelled, empty) = (count("own"), count("pseudo_labelled"), count("empty"));
        let truth = numbers(&fixture["truth"]);
        let targets: Vec<Target> = (0..own + pseudo_labelled)
            .map(|n| {
                let of_sample = truth[n * 2 * 68..][..2 * 68].chunks_exact(2);
                let points = of_sample.map(|xy| Point::new(xy[0], xy[1])).collect();
                Some(Box::new(Truth { points, is_pseudo_label: n >= own }))
            })
            .chain((0..empty).map(|_| None))
            .collect();
        let names = ["points", "log_errors", "score"];
        let [points, log_errors, scores] = &names.map(|name| numbers(&fixture["outputs"][name]));
        let mut gradients = [points, log_errors, scores].map(|output| vec![0.0; output.len()]);
        let predicted = Predicted { points, log_errors, scores };
        let figures = loss(&targets, predicted, &mut gradients, targets.len());
        for name in ["loss", "distance"] {
            let (found, expected) = (figures.iter().find(|f| f.0 == name).unwrap().1, fixture[name].as_f64().unwrap());
            assert!(
                (f64::from(found) / expected - 1.0).abs() < f64::from(TOLERANCE),
                "{name}: {found}, not {expected}"
            );
        }
        for (name, gradient) in names.iter().zip(&gradients) {
            let expected = numbers(&fixture["gradients"][name]);
            assert_eq!(gradient.len(), expected.len());
            let largest = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            for (i, (found, expected)) in gradient.iter().zip(&expected).enumerate() {
                assert!((found - expected).abs() <= TOLERANCE * largest, "{name} {i}: {found}, not {expected}");
            }
        }
        // The batch reaches what it is made for: errors beyond the range, with a gradient and without one.
        let beyond = |v: &f32| *v < LOG_ERROR_RANGE.0 || *v > LOG_ERROR_RANGE.1;
        let leading_back = log_errors.iter().zip(&gradients[1]).filter(|(v, _)| beyond(v)).map(|(_, d)| *d != 0.0);
        let (back, out): (Vec<bool>, Vec<bool>) = leading_back.partition(|d| *d);
        assert!(back.len() >= 4 && out.len() >= 4, "{} lead back, {} out", back.len(), out.len());
    }

    #[test]
    fn a_point_without_a_label_has_no_part_in_the_loss_and_no_gradient() {
        let nowhere = Point::new(f32::NAN, f32::NAN);
        let truth = |points: Vec<Point<CropFrame>>| Some(Box::new(Truth { points, is_pseudo_label: false }));
        let run = |target: Target, points: &[f32], log_errors: &[f32]| {
            let mut gradients = [vec![0.0; points.len()], vec![0.0; log_errors.len()], vec![0.0]];
            let figures = loss(&[target], Predicted { points, log_errors, scores: &[1.0] }, &mut gradients, 1);
            (figures, gradients)
        };
        let (a, b) = (Point::new(0.1, 0.2), Point::new(-0.3, 0.4));
        let (figures, gradients) =
            run(truth(vec![a, nowhere, b]), &[0.0, 0.1, 9.0, 9.0, -0.2, 0.5], &[-2.0, 9.0, -3.0]);
        let (expected, of_two) = run(truth(vec![a, b]), &[0.0, 0.1, -0.2, 0.5], &[-2.0, -3.0]);
        assert_eq!(figures, expected);
        assert_eq!((&gradients[0][2..4], gradients[1][1]), (&[0.0, 0.0][..], 0.0));
        assert_eq!([&gradients[0][..2], &gradients[0][4..]].concat(), of_two[0]);
        let (figures, gradients) = run(truth(vec![nowhere]), &[1.0, 2.0], &[0.5]);
        assert!(figures.iter().all(|(_, value)| value.is_finite()) && gradients[0] == [0.0, 0.0], "{figures:?}");
    }
}
