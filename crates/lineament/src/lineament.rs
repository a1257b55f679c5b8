//! The whole path in one object: find faces, place the points, drop what is not a face.

use lineament_nn::engine::Pool;
use lineament_nn::model::Model;

use crate::crop::Crop;
use crate::detect::{Detection, Detector, same_face};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::image::ImageView;
use crate::landmarks::{LandmarkNetwork, Landmarks};
use crate::topology::Topology;
use crate::verify;

/// Which faces are answered, and how carefully.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Smallest face: the longer side of its box in pixels of the image. Smaller ones are left out. A small number in a
    /// large image makes detection slower, because the image is shrunk less. `None`: the image is shrunk to 320 pixels
    /// on its longer side, which shows faces from about 1/30 of that side, and none is left out.
    pub min_face: Option<f32>,
    /// Most faces that are answered; the largest detections go first.
    pub max_faces: usize,
    /// Detections below this score are dropped, in [0, 1]. If the landmark network has a face score, detections down to
    /// 0.6 times this value are passed to it and the face score decides: always in [`Lineament::faces`]; in a
    /// [`Tracker`](crate::Tracker), while it follows no face or has just lost one.
    pub detector_threshold: f32,
    /// Faces whose landmark score is below this are dropped, in [0, 1].
    pub face_threshold: f32,
    /// Several passes of the landmark network per face: the crop of the second follows the points of the first, which
    /// corrects the detector's box; the third is mirrored, and the mean of the last two is answered. Three more passes
    /// where the first shows no face, and three where there still is a doubt. Without it, a face takes a third of the
    /// time, a doubtful one a sixth or less, and the points are less accurate.
    pub refine: bool,
}

/// Chosen with the default models on photos that trained them: of 609 without a face none shows one above 0.8, and more
/// hidden and blurred faces are found than with a higher one.
const DEFAULT_FACE_THRESHOLD: f32 = 0.9;

/// Share of [`Options::detector_threshold`] down to which a network with a face score is asked about a detection: a
/// third more of the faces behind masks are found, at the price of a few false ones (EXPERIMENTS.md, 2026-11-27).
const CANDIDATE_SHARE: f32 = 0.6;

/// Detections from this share of [`Options::min_face`] on are candidates: the detector's box may be smaller than the
/// box of the points, which decides.
const MIN_FACE_SHARE: f32 = 0.75;

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
        if let Some(face) = self.min_face.filter(|face| !(face.is_finite() && *face >= 1.0)) {
            return Err(Error::Option(format!("min_face is at least 1 pixel, not {face}")));
        }
        for (name, value) in [("detector_threshold", self.detector_threshold), ("face_threshold", self.face_threshold)]
        {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::Option(format!("{name} is from 0 to 1, not {value}")));
            }
        }
        Ok(())
    }

    /// Whether a face of this box is large enough.
    fn admits(&self, rect: &Rect, share: f32) -> bool {
        self.min_face.is_none_or(|min_face| rect.width.max(rect.height) >= share * min_face)
    }
}

/// One face.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// What the detector found: a coarse box, five points, its score. [`Face::rect`] is the better box.
    pub detection: Detection,
    /// The points, their expected errors, the face score and the pose.
    pub landmarks: Landmarks,
}

impl Face {
    /// The box of the face: that of its points ([`Landmarks::rect`]).
    pub fn rect(&self) -> Rect {
        self.landmarks.rect()
    }
}

/// Finds faces and places points on each: 68 with the models inside the library.
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
    /// [`Error::Model`] for a damaged file or the wrong one, [`Error::Option`] for options outside
    /// their range.
    pub fn with_models(options: Options, detector: &[u8], landmarks: &[u8]) -> Result<Self> {
        options.check()?;
        let detector = Detector::new(&Model::parse(detector)?)?;
        let network = LandmarkNetwork::new(&Model::parse(landmarks)?)?;
        Ok(Self { options, detector, network })
    }

    /// Runs the networks on the caller's threads from now on, with the same results to the last bit; `None`: on the
    /// thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.detector.set_pool(pool.clone());
        self.network.set_pool(pool);
    }

    /// All faces of `image` with their points, largest box first. On the crop of each detection, this answers
    /// what [`Lineament::landmarks`] does, and drops what scores below [`Options::face_threshold`].
    pub fn faces(&mut self, image: &ImageView) -> Vec<Face> {
        let mut faces: Vec<Face> = Vec::new();
        for detection in self.candidates(image) {
            if faces.len() == self.options.max_faces {
                break;
            }
            let Some(landmarks) = self.face(image, &detection) else { continue };
            let face = Face { detection, landmarks };
            // The passes may have slipped from a detection to a face next to it that is known already.
            match faces.iter_mut().find(|known| same_face(&known.rect(), &face.rect())) {
                Some(known) if face.detection.score <= known.detection.score => (),
                Some(known) => *known = face,
                None => faces.push(face),
            }
        }
        faces.sort_by(|a, b| b.rect().area().total_cmp(&a.rect().area()));
        faces
    }

    /// The faces of `image` as the detector finds them, largest first, without points.
    pub fn detect(&mut self, image: &ImageView) -> Vec<Detection> {
        let mut detections = self.candidates(image);
        let options = &self.options;
        detections.retain(|found| found.score >= options.detector_threshold && options.admits(&found.rect, 1.0));
        detections.truncate(options.max_faces);
        detections
    }

    /// All that may be a face of `image`, largest first.
    pub(crate) fn candidates(&mut self, image: &ImageView) -> Vec<Detection> {
        let Options { min_face, detector_threshold, .. } = self.options;
        let share = if self.has_face_score() { CANDIDATE_SHARE } else { 1.0 };
        let mut detections = self.detector.detect(image, share * detector_threshold, min_face);
        detections.retain(|detection| self.options.admits(&detection.rect, MIN_FACE_SHARE));
        detections
    }

    /// The points within `crop` and a face score, whether there is a face or not. With [`Options::refine`] from several
    /// passes, else from one.
    pub fn landmarks(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        match self.options.refine {
            true => verify::landmarks(&mut self.network, image, crop),
            false => self.pass(image, crop),
        }
    }

    /// The points of a detected face; `None` where [`Options`] drop it.
    pub(crate) fn face(&mut self, image: &ImageView, detection: &Detection) -> Option<Landmarks> {
        let (crop, threshold) = (detection.crop(), self.options.face_threshold);
        let landmarks = match self.options.refine {
            true => verify::face(&mut self.network, image, &crop, threshold),
            false => Some(self.pass(image, &crop)).filter(|landmarks| verify::is_face(landmarks, threshold)),
        };
        landmarks.filter(|landmarks| self.options.admits(&landmarks.rect(), 1.0))
    }

    /// One pass of the landmark network, whatever the options say.
    pub(crate) fn pass(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.network.place(image, crop)
    }

    /// As [`Lineament::pass`], into the memory of earlier landmarks.
    pub(crate) fn pass_into(&mut self, image: &ImageView, crop: &Crop, landmarks: &mut Landmarks) {
        self.network.place_into(image, crop, landmarks);
    }

    /// Which points the landmark network places.
    pub fn topology(&self) -> &Topology {
        self.network.topology()
    }

    /// Whether the landmark network can tell faces from other things.
    pub(crate) fn has_face_score(&self) -> bool {
        self.network.has_face_score()
    }

    pub(crate) fn network(&self) -> &LandmarkNetwork {
        &self.network
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}
