//! The whole path in one object: detect, crop, place the points.

use crate::crop::Crop;
use crate::detect::Detection;
use crate::error::{Error, Result};
use crate::image::ImageView;
use crate::landmarks::Landmarks;

/// What to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Smallest face that is looked for: longer side of its box in pixels of the image. Smaller values make
    /// detection slower on large images, because the frame is shrunk less.
    pub min_face: f32,
    /// Most faces that are answered, largest first.
    pub max_faces: usize,
    /// Detections below this score are dropped, in [0, 1].
    pub detector_threshold: f32,
    /// Faces whose landmark score is below this are dropped, in [0, 1].
    pub face_threshold: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_face: 24.0, max_faces: 64, detector_threshold: 0.5, face_threshold: 0.5 }
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
pub struct Lineament {
    options: Options,
}

impl Lineament {
    /// With the models inside the library (feature `default-models`).
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    pub fn new(options: Options) -> Result<Self> {
        Self::with_models(options, &[], &[])
    }

    /// With other model files: the bytes of a detector and of a landmark network.
    ///
    /// # Errors
    /// [`Error::Model`] for a damaged file, [`Error::Role`] for the wrong one, [`Error::Option`] for options outside
    /// their range.
    pub fn with_models(options: Options, _detector: &[u8], _landmarks: &[u8]) -> Result<Self> {
        let _ = Self { options };
        Err(Error::Model("not built yet".into()))
    }

    /// All faces of `image` with their points, largest first: [`Lineament::detect`], then [`Lineament::landmarks`]
    /// on each crop, dropping what is not a face.
    pub fn faces(&mut self, image: &ImageView) -> Vec<Face> {
        let _ = (image, &self.options);
        Vec::new()
    }

    /// The faces of `image`, largest first, without points.
    pub fn detect(&mut self, image: &ImageView) -> Vec<Detection> {
        let _ = image;
        Vec::new()
    }

    /// The points of the face within `crop`.
    pub fn landmarks(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        let _ = (image, crop);
        unimplemented!("not built yet")
    }
}
