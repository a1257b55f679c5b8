//! The whole path in one object: detect, crop, place the points.

use crate::crop::Crop;
use crate::detect::{Detection, Detector};
use crate::error::{Error, Result};
use crate::image::ImageView;
use crate::landmarks::{LandmarkNetwork, Landmarks};
use crate::model::Model;

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Smallest face that must be found: longer side of its box in pixels of the image. Asking for small faces in a
    /// large image makes detection slower, because the frame is shrunk less. `None`: the frame is shrunk to 320 pixels
    /// on its longer side, and faces from about 1/30 of it are looked for.
    pub min_face: Option<f32>,
    /// Most faces that are answered, largest first.
    pub max_faces: usize,
    /// Detections below this score are dropped, in [0, 1].
    pub detector_threshold: f32,
    /// Faces whose landmark score is below this are dropped, in [0, 1].
    pub face_threshold: f32,
    /// Look three times: the second crop follows the points of the first look, which corrects the detector's box; the
    /// third is mirrored, and the mean of the last two counts. Three times the time per face; video does not need it,
    /// because there the last frame's points give the crop.
    pub refine: bool,
}

/// Chosen with the default models on photos that trained them: 3 of 609 without a face show one, and of 416 with a face
/// none is missed. The face score is that high because it is sure of nearly all faces.
const DEFAULT_FACE_THRESHOLD: f32 = 0.98;

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

    /// All faces of `image` with their points, largest first: [`Lineament::detect`], then [`Lineament::landmarks`]
    /// on each crop, dropping what is not a face.
    pub fn faces(&mut self, image: &ImageView) -> Vec<Face> {
        let detections = self.detect(image);
        let mut faces = Vec::with_capacity(detections.len());
        for detection in detections {
            let landmarks = self.landmarks(image, &Crop::from_detection(&detection));
            if landmarks.score >= self.options.face_threshold {
                faces.push(Face { detection, landmarks });
            }
        }
        faces
    }

    /// The faces of `image`, largest first, without points.
    pub fn detect(&mut self, image: &ImageView) -> Vec<Detection> {
        let Options { min_face, max_faces, detector_threshold, .. } = self.options;
        let mut detections = self.detector.detect(image, detector_threshold, min_face);
        if let Some(min_face) = min_face {
            detections.retain(|d| d.rect.width.max(d.rect.height) >= min_face);
        }
        detections.truncate(max_faces);
        detections
    }

    /// The points of the face within `crop`; with [`Options::refine`] from three looks.
    pub fn landmarks(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        let first = self.look(image, crop);
        if !self.options.refine || first.score == 0.0 {
            return first;
        }
        let second = self.look(image, &Crop::from_points(&first.points));
        if second.score == 0.0 {
            return second;
        }
        let third = self.network.place_mirrored(image, &Crop::from_points(&second.points));
        // What is no face draws the next crop to where it looks like one: it must have been a face at first, too.
        let mean = second.mean(&third);
        Landmarks { score: mean.score.min(first.score), ..mean }
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
