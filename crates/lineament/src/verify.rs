//! Recognition: where the points of a face are and whether there is a face at all, from several passes of the landmark
//! network over slightly different crops.
//!
//! ```text
//!  crop
//!   |
//!  first pass ......................... its score is 0 -> answered as it is: certainly no face
//!   |  below UNSURE: three more passes, turned by quarters; the best of the four goes on
//!   |  only where the caller wants faces alone, below WORTH_REFINING -> no face
//!   v
//!  second pass, around the points of the first .............. its score is 0 -> no face
//!   v
//!  mirrored pass, around the points of the second; of a chiral object it is not mirrored
//!   |
//!   |  points, errors: the mean of second and mirrored pass;  score: the lowest of the three passes
//!   |  the network has no face score, or places other points than the iBUG 68 -> done
//!   v
//!  score corrected by the expected errors
//!   |  within DOUBTFUL: three more passes, shifted and turned, give the score
//!   v
//!  the first pass was below WORTH_REFINING -> the score is at most that of the first pass
//! ```
//!
//! What follows "done" was chosen with networks of the 68 points: their mean expected error, above all of the jaw, is
//! what tells faces from textures. The last rule makes the two callers agree: what [`face`] drops after the first pass,
//! [`landmarks`] gives points to and a score that is too low for a face.

use std::ops::Range;

use lineament_nn::math::{logistic, logit};

use crate::crop::Crop;
use crate::geometry::{CropFrame, Point};
use crate::image::ImageView;
use crate::landmarks::{LandmarkNetwork, Landmarks};

/// Below this face score the face may be turned differently than the detector says.
const UNSURE: f32 = 0.5;

/// Face score of the first passes from which further passes are worth their time; with a lower one, the score never
/// gets higher than that. Stopping there makes a photo with small things that resemble a face take 67 ms, not 95
/// (EXPERIMENTS.md, 2026-11-27). With this limit, 2,049 of 2,134 faces are found on the photos that training keeps
/// back, in 22 conditions (`eval --validation 0.05 --stress`), and 97 of 97 boxes of true faces and none of 120 random
/// boxes are accepted (`--boxes`).
const WORTH_REFINING: f32 = 0.05;

/// Side of the mirrored pass's crop over that of the other passes. A tighter crop makes errors that are less correlated
/// with those of the second pass, so their mean is more accurate. Chosen on photos that training keeps back; 0.88 to
/// 0.94 make no difference.
const MIRRORED_SIDE: f32 = 0.91;

/// The mean expected error, in half sides of the crop, that leaves the face score as it is.
const NEUTRAL_ERROR: f32 = 0.08;

/// A mean expected error that is larger by half a side of the crop lowers the log-odds of a face by this much. A
/// texture may look like a face, but the network does not know where to place its points: with this correction, more
/// hidden and blurred faces are found, and the textures that score highest stay further below the threshold. Chosen on
/// faces and textures that no model was trained on (EXPERIMENTS.md, 2026-11-27).
const LOG_ODDS_PER_ERROR: f32 = 100.0;

/// Face scores that leave a doubt, so that three more passes decide. 97 in 100 of the faces found score higher.
const DOUBTFUL: Range<f32> = 0.02..0.999;

/// The crops of these passes: the turn in radians, the side over that of the first crop, and the centre in the frame of
/// the first crop. Chosen on faces and images without one that no model was trained on (EXPERIMENTS.md, 2026-11-27).
const VARIED: [(f32, f32, Point<CropFrame>); 3] =
    [(0.5, 1.1, Point::new(0.0, 0.0)), (-0.5, 1.1, Point::new(0.0, 0.0)), (0.0, 1.0, Point::new(0.0, -0.2))];

/// Subtracted from the mean log-odds of these passes. With it, one of 12,049 images without a face scores above 0.8,
/// and none reaches the default threshold of 0.9 (EXPERIMENTS.md, 2026-11-27).
const LOG_ODDS_OF_DOUBT: f32 = 1.8;

/// The points within `crop` and the face score, whether there is a face or not.
pub(crate) fn landmarks(network: &mut LandmarkNetwork, image: &ImageView, crop: &Crop) -> Landmarks {
    let first = first_pass(network, image, crop);
    refined(network, image, first)
}

/// The points of the face within `crop`; `None` when [`landmarks`] would answer a score below `threshold`, or 0. Saves
/// the further passes where the first ones already tell.
pub(crate) fn face(network: &mut LandmarkNetwork, image: &ImageView, crop: &Crop, threshold: f32) -> Option<Landmarks> {
    let first = first_pass(network, image, crop);
    if first.score < WORTH_REFINING && !is_face(&first, threshold) {
        return None;
    }
    Some(refined(network, image, first)).filter(|landmarks| is_face(landmarks, threshold))
}

/// Whether the score is at least `threshold`. A score of 0 is certainly no face, also for a threshold of 0.
pub(crate) fn is_face(landmarks: &Landmarks, threshold: f32) -> bool {
    landmarks.score >= threshold && landmarks.score > 0.0
}

/// One pass, and three more where it is unsure; the one with the highest score.
fn first_pass(network: &mut LandmarkNetwork, image: &ImageView, crop: &Crop) -> Landmarks {
    let mut best = network.place(image, crop);
    if best.score > 0.0 && best.score < UNSURE {
        for quarters in 1..4 {
            let turned = network.place(image, &crop.turned(quarters));
            if turned.score > best.score {
                best = turned;
            }
        }
    }
    best
}

/// The further passes, from the first one's points.
fn refined(network: &mut LandmarkNetwork, image: &ImageView, first: Landmarks) -> Landmarks {
    if first.score == 0.0 {
        return first;
    }
    let second = network.place(image, &first.crop());
    if second.score == 0.0 {
        return second;
    }
    let crop = second.crop();
    let tighter = Crop { side: MIRRORED_SIDE * crop.side, ..crop };
    let third = match network.topology().is_chiral() {
        true => network.place(image, &tighter),
        false => network.place_mirrored(image, &tighter),
    };
    let mean = second.mean(&third);
    // Without a face, the crop drifts to whatever resembles one: the first pass must have seen a face, too.
    let mut score = mean.score.min(first.score);
    if network.has_face_score() && network.topology().is_ibug68() {
        score = corrected(score, &mean);
        if DOUBTFUL.contains(&score) {
            score = varied_score(network, image, &mean.crop());
        }
        if first.score < WORTH_REFINING {
            score = score.min(first.score);
        }
    }
    Landmarks { score, ..mean }
}

/// The face score of passes over variations of `crop`. A face still looks like one there; most other things do not.
fn varied_score(network: &mut LandmarkNetwork, image: &ImageView, crop: &Crop) -> f32 {
    let log_odds = VARIED.map(|(turn_rad, side, center)| {
        let center = crop.image_from_crop() * center;
        let varied = Crop { center, side: side * crop.side, roll_rad: crop.roll_rad + turn_rad };
        logit(network.place(image, &varied).score)
    });
    logistic(log_odds.iter().sum::<f32>() / VARIED.len() as f32 - LOG_ODDS_OF_DOUBT)
}

/// A network's face score, corrected by its expected errors.
fn corrected(score: f32, landmarks: &Landmarks) -> f32 {
    let (errors, half_side) = (&landmarks.errors, landmarks.crop().side / 2.0);
    let mean_error = errors.iter().sum::<f32>() / (errors.len() as f32 * half_side);
    logistic(logit(score) + LOG_ODDS_PER_ERROR * (NEUTRAL_ERROR - mean_error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use crate::topology::ibug68::POINTS;

    #[test]
    fn a_face_whose_points_cannot_be_placed_is_less_of_a_face() {
        // Points on a square of 100 pixels, so that half a side of the crop is as long as the margin says.
        let corner = |i: usize| Point::new(100.0 * (i % 2) as f32, 100.0 * (i / 2 % 2) as f32);
        let points: Vec<Point> = (0..POINTS).map(corner).collect();
        let half_side = Crop::from_points(&Topology::ibug68(), &points).side / 2.0;
        let score = |score: f32, error: f32| {
            let errors = vec![error * half_side; POINTS];
            corrected(score, &Landmarks::new(Topology::ibug68(), points.clone(), errors, score))
        };
        for p in [0.001, 0.3, 0.9, 0.999] {
            assert!((score(p, NEUTRAL_ERROR) - p).abs() < 1e-4, "{p} became {}", score(p, NEUTRAL_ERROR));
            let [surer, less] = [score(p, NEUTRAL_ERROR - 0.01), score(p, NEUTRAL_ERROR + 0.01)];
            // A hundredth of the half side is one in log-odds: a factor of e.
            for (odds, factor) in [(surer / (1.0 - surer), 1f32.exp()), (less / (1.0 - less), (-1f32).exp())] {
                let expected = factor * p / (1.0 - p);
                assert!((odds / expected - 1.0).abs() < 0.01, "odds of {p} became {odds}, not {expected}");
            }
        }
        assert!(score(1.0, 1e9) < 1e-6 && score(0.0, 0.0) < 1e-4 && score(1.0, 0.0) > 0.999, "never NaN");
        let (points, errors) = (vec![Point::new(1.0, 1.0); POINTS], vec![1.0; POINTS]);
        let nowhere = Landmarks::new(Topology::ibug68(), points, errors, 1.0);
        assert!(corrected(1.0, &nowhere) < 1e-6);
    }

    #[test]
    #[cfg(feature = "default-models")]
    fn a_face_stays_one_in_varied_crops_and_a_corner_of_one_does_not() {
        let image = crate::image::tests::portrait();
        let model = lineament_nn::model::Model::parse(crate::models::LITE).unwrap();
        let mut network = LandmarkNetwork::new(&model).unwrap();
        let box_of_face = crate::Lineament::new(crate::Options::default()).unwrap().detect(&image)[0].rect;
        let crop = landmarks(&mut network, &image, &Crop::from_rect(&box_of_face)).crop();
        assert!(varied_score(&mut network, &image, &crop) > 0.99);
        let corner = Crop { center: Point::new(crop.center.x + 0.7 * crop.side, crop.center.y), ..crop };
        assert!(varied_score(&mut network, &image, &corner) < 0.02);
    }
}
