//! The whole path in one object: detect, crop, place the points.

use std::ops::Range;

use crate::crop::Crop;
use crate::detect::{Detection, Detector, same_face};
use crate::error::{Error, Result};
use crate::geometry::{CropFrame, Point};
use crate::image::ImageView;
use crate::landmarks::{LandmarkNetwork, Landmarks};
use crate::topology::POINTS;
use lineament_nn::engine::Pool;
use lineament_nn::math::{logistic, logit};
use lineament_nn::model::Model;

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Smallest face that must be found: longer side of its box in pixels of the image. Asking for small faces in a
    /// large image makes detection slower, because the frame is shrunk less. `None`: the frame is shrunk to 320 pixels
    /// on its longer side, and faces from about 1/30 of it are looked for.
    pub min_face: Option<f32>,
    /// Most faces that are answered, largest first.
    pub max_faces: usize,
    /// Detections below this score are dropped, in [0, 1]. Where the landmark network has a face score, detections from
    /// 0.6 of it on are looked at for [`Lineament::faces`], and by the [`Tracker`](crate::Tracker) while it follows no face
    /// or has just lost one; the face score decides.
    pub detector_threshold: f32,
    /// Faces whose landmark score is below this are dropped, in [0, 1].
    pub face_threshold: f32,
    /// Look three times: the second crop follows the points of the first look, which corrects the detector's box; the
    /// third is mirrored and from nearer, and the mean of the last two counts. Three more looks where the first shows no
    /// face, and three where there still is a doubt. Three times the time per face, twice that in doubt; video does not need
    /// it, because there the last frame's points give the crop.
    pub refine: bool,
}

/// Chosen with the default models on photos that trained them: of 609 without a face none shows one above 0.8, and more
/// hidden and blurred faces are found than with a higher one.
const DEFAULT_FACE_THRESHOLD: f32 = 0.9;

/// Share of [`Options::detector_threshold`] from which on a detection is looked at by a network that judges: a third more
/// of the faces behind masks are found, at the price of a few false ones (EXPERIMENTS.md, 2026-11-27).
const CANDIDATE_SHARE: f32 = 0.6;

/// Below this face score the face may be turned otherwise than the detector says.
const UNSURE: f32 = 0.5;

/// Side of the mirrored look's crop beside the others': what is seen from nearer is erred in otherwise, and the mean is
/// better. Chosen on photos that training keeps back; 0.88 to 0.94 make no difference.
const MIRRORED_SIDE: f32 = 0.91;

/// The mean expected error, in half sides of the crop, that says nothing about whether there is a face.
const NEUTRAL_ERROR: f32 = 0.08;

/// What a mean expected error larger by a half side of the crop takes from the log-odds of a face. A texture may look like
/// a face, but the network does not know where to place one on it: with this, more hidden and blurred faces are
/// found, and what scores highest without one stays further below the threshold. Chosen on faces and textures that
/// trained nothing (EXPERIMENTS.md, 2026-11-27).
const LOG_ODDS_PER_ERROR: f32 = 100.0;

/// Face score of the first looks that is worth more looks.
const WORTH_LOOKING: f32 = 0.05;

/// Face scores that leave a doubt: looks from elsewhere decide. Of the faces that are found 97 in 100 are above.
const DOUBTFUL: Range<f32> = 0.02..0.999;

/// Where these looks are from: by how much the crop is turned, how large it is, and where its centre lies in the first
/// one's frame. Chosen on faces and pictures without one that trained nothing (EXPERIMENTS.md, 2026-11-27).
const ELSEWHERE: [(f32, f32, Point<CropFrame>); 3] =
    [(0.5, 1.1, Point::new(0.0, 0.0)), (-0.5, 1.1, Point::new(0.0, 0.0)), (0.0, 1.0, Point::new(0.0, -0.2))];

/// What is taken from the mean of their log-odds. Of pictures without a face none comes nearer to the default threshold than
/// one.
const LOG_ODDS_OF_DOUBT: f32 = 1.8;

impl Default for Options {
    fn default() -> Self {
        Self {
            min_face: None,
            max_faces: 64,
            detector_threshold: 0.5,
            face_threshold: DEFAULT_FACE_THRESHOLD,
            refine: true,
        }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        let share = 0.0..=1.0;
        if let Some(face) = self.min_face.filter(|face| !(face.is_finite() && *face >= 1.0)) {
            return Err(Error::Option(format!("min_face is at least 1 pixel, not {face}")));
        }
        for (name, value) in [("detector_threshold", self.detector_threshold), ("face_threshold", self.face_threshold)]
        {
            if !share.contains(&value) {
                return Err(Error::Option(format!("{name} is from 0 to 1, not {value}")));
            }
        }
        Ok(())
    }
}

/// One face: where it was found and its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Box, five points and score of the detector.
    pub detection: Detection,
    /// The 68 points.
    pub landmarks: Landmarks,
}

/// Finds faces and places 68 points on each.
#[derive(Debug, Clone)]
pub struct Lineament {
    options: Options,
    detector: Detector,
    network: LandmarkNetwork,
}

impl Lineament {
    /// With the models inside the library.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    #[cfg(feature = "default-models")]
    pub fn new(options: Options) -> Result<Self> {
        Self::with_models(options, crate::models::DETECTOR, crate::models::LITE)
    }

    /// With other model files: the bytes of a detector and of a landmark network.
    ///
    /// # Errors
    /// [`Error::Model`] for a damaged file, [`Error::Role`] for the wrong one, [`Error::Option`] for options outside
    /// their range.
    pub fn with_models(options: Options, detector: &[u8], landmarks: &[u8]) -> Result<Self> {
        options.check()?;
        let detector = Detector::new(&Model::parse(detector)?)?;
        let network = LandmarkNetwork::new(&Model::parse(landmarks)?)?;
        Ok(Self { options, detector, network })
    }

    /// Runs the networks on threads of the caller's from now on, to the same bits; `None`: on the thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.detector.set_pool(pool.clone());
        self.network.set_pool(pool);
    }

    /// All faces of `image` with their points, largest first: what the detector finds, then [`Lineament::landmarks`]
    /// on each crop, dropping what is not a face.
    pub fn faces(&mut self, image: &ImageView) -> Vec<Face> {
        let mut faces: Vec<Face> = Vec::new();
        for detection in self.candidates(image) {
            if faces.len() == self.options.max_faces {
                break;
            }
            let Some(landmarks) = self.landmarks_of_face(image, &Crop::from_detection(&detection)) else { continue };
            // A look may slip from beside a face to it.
            let rect = landmarks.rect();
            match faces.iter_mut().find(|face| same_face(&face.landmarks.rect(), &rect)) {
                Some(known) if detection.score <= known.detection.score => (),
                Some(known) => *known = Face { detection, landmarks },
                None => faces.push(Face { detection, landmarks }),
            }
        }
        faces
    }

    /// The faces of `image`, largest first, without points.
    pub fn detect(&mut self, image: &ImageView) -> Vec<Detection> {
        let mut detections = self.candidates(image);
        detections.retain(|detection| detection.score >= self.options.detector_threshold);
        detections.truncate(self.options.max_faces);
        detections
    }

    /// All that may be a face of `image`, largest first.
    pub(crate) fn candidates(&mut self, image: &ImageView) -> Vec<Detection> {
        let Options { min_face, detector_threshold, .. } = self.options;
        let share = if self.judges() { CANDIDATE_SHARE } else { 1.0 };
        let mut detections = self.detector.detect(image, share * detector_threshold, min_face);
        if let Some(min_face) = min_face {
            detections.retain(|d| d.rect.width.max(d.rect.height) >= min_face);
        }
        detections
    }

    /// The points of the face within `crop`; with [`Options::refine`] from three looks, and three more where there seems
    /// to be no face, by quarters of a turn. Where it is doubtful after these, three more make the score.
    pub fn landmarks(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.place(image, crop, 0.0)
    }

    /// The same where there is a face. What is none costs the looks by quarters of a turn and no more.
    pub(crate) fn landmarks_of_face(&mut self, image: &ImageView, crop: &Crop) -> Option<Landmarks> {
        let landmarks = self.place(image, crop, WORTH_LOOKING.min(self.options.face_threshold));
        (landmarks.score >= self.options.face_threshold).then_some(landmarks)
    }

    /// Where the first looks score below `least_score`, their points are answered.
    fn place(&mut self, image: &ImageView, crop: &Crop, least_score: f32) -> Landmarks {
        let mut first = self.look(image, crop);
        if !self.options.refine || first.score == 0.0 {
            return first;
        }
        if first.score < UNSURE {
            for quarters in 1..4 {
                let turned = self.look(image, &crop.turned(quarters));
                if turned.score > first.score {
                    first = turned;
                }
            }
        }
        // No later look makes the score higher.
        if first.score < least_score {
            return first;
        }
        let second = self.look(image, &Crop::from_points(&first.points));
        if second.score == 0.0 {
            return second;
        }
        let crop = Crop::from_points(&second.points);
        let third = self.network.place_mirrored(image, &Crop { side: MIRRORED_SIDE * crop.side, ..crop });
        let mean = second.mean(&third);
        // What is no face draws the next crop to where it looks like one: it must have been a face at first, too.
        let mut score = mean.score.min(first.score);
        if self.judges() {
            score = judged(score, &mean);
            if DOUBTFUL.contains(&score) {
                score = self.score_from_elsewhere(image, &Crop::from_points(&mean.points));
            }
        }
        Landmarks { score, ..mean }
    }

    /// The face score of looks that see `crop` from elsewhere. What is a face stays one; what only looks like one from here
    /// does not.
    fn score_from_elsewhere(&mut self, image: &ImageView, crop: &Crop) -> f32 {
        let log_odds = ELSEWHERE.map(|(turned_rad, side, center)| {
            let center = crop.image_from_crop() * center;
            let from = Crop { center, side: side * crop.side, roll_rad: crop.roll_rad + turned_rad };
            logit(self.look(image, &from).score)
        });
        logistic(log_odds.iter().sum::<f32>() / ELSEWHERE.len() as f32 - LOG_ODDS_OF_DOUBT)
    }

    /// The points from one look, whatever the options say.
    pub(crate) fn look(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.network.place(image, crop)
    }

    /// Whether a face score says anything: not every network can tell faces from other things.
    pub(crate) fn judges(&self) -> bool {
        self.network.judges()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

/// A network's face score, with what it says of its points taken into account.
fn judged(score: f32, Landmarks { points, errors, .. }: &Landmarks) -> f32 {
    let half_side = Crop::from_points(points).side / 2.0;
    let mean_error = errors.iter().sum::<f32>() / (POINTS as f32 * half_side);
    logistic(logit(score) + LOG_ODDS_PER_ERROR * (NEUTRAL_ERROR - mean_error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Pose;

    #[test]
    fn a_face_whose_points_nobody_can_place_is_less_of_a_face() {
        // Points on a square of 100 pixels, so that half a side of the crop is as long as the margin says.
        let points = std::array::from_fn(|i| Point::new(100.0 * (i % 2) as f32, 100.0 * (i / 2 % 2) as f32));
        let half_side = Crop::from_points(&points).side / 2.0;
        let score = |score: f32, error: f32| {
            let errors = [error * half_side; POINTS];
            judged(score, &Landmarks { points, errors, score, pose: Pose::default() })
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
        let nowhere = Landmarks {
            points: [Point::new(1.0, 1.0); POINTS],
            errors: [1.0; POINTS],
            score: 1.0,
            pose: Pose::default(),
        };
        assert!(judged(1.0, &nowhere) < 1e-6);
    }

    #[test]
    #[cfg(feature = "default-models")]
    fn a_face_stays_one_from_elsewhere() {
        let image = crate::image::tests::portrait();
        let mut lineament = Lineament::new(Options::default()).unwrap();
        let crop = Crop::from_points(&lineament.faces(&image)[0].landmarks.points);
        assert!(lineament.score_from_elsewhere(&image, &crop) > 0.99);
        // Nothing but a corner of the face.
        let beside = Crop { center: Point::new(crop.center.x + 0.7 * crop.side, crop.center.y), ..crop };
        assert!(lineament.score_from_elsewhere(&image, &beside) < 0.02);
    }
}
