//! Where earlier models see faces that are none: samples without a face that teach more than any others.

use std::path::Path;

use lineament::detect::Detector;
use lineament::landmarks::LandmarkNetwork;
use lineament::{Crop, Rect};
use lineament_data::{GreyPhoto, read_model_file};
use lineament_nn::model::Model;

use crate::config::Config;
use crate::error::{Error, Result};

/// Detections from this score on count: far lower than any threshold in use, because a better detector errs elsewhere.
const DETECTION_SCORE: f32 = 0.1;

/// Face scores from this on count: below it, there is nothing left to learn.
const FACE_SCORE: f32 = 0.02;

/// Beside labelled faces, a detection from this score on may be a face that nobody labelled.
const MAYBE_A_FACE: f32 = 0.5;

/// A detection that overlaps a known face more is part of that face, or the face itself.
const BESIDE_IOU: f32 = 0.02;

/// The models whose mistakes are looked for.
#[derive(Clone)]
pub struct Judges {
    detector: Detector,
    network: Option<LandmarkNetwork>,
}

impl Judges {
    /// The configuration's `detector` and `judge`; `None` where it names no detector.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is not such a model.
    pub fn read(config: &Config) -> Result<Option<Self>> {
        let Some(detector) = &config.detector else { return Ok(None) };
        let detector = load(detector, Detector::new)?;
        let network = config.judge.as_deref().map(|path| load(path, LandmarkNetwork::new)).transpose()?;
        Ok(Some(Self { detector, network }))
    }

    /// The crops of a photo with these `faces` and no others that the models are wrong about.
    pub fn mistakes(&mut self, photo: &GreyPhoto, faces: &[Rect]) -> Vec<Crop> {
        let mut found = self.detector.detect(&photo.view(), DETECTION_SCORE, None);
        found.retain(|d| faces.is_empty() || d.score < MAYBE_A_FACE);
        found.retain(|d| faces.iter().all(|face| face.iou(&d.rect) <= BESIDE_IOU));
        found.iter().flat_map(|found| self.judge(photo, found.crop())).collect()
    }

    /// `crop` as the library looks at it, in all four quarter turns: those in which the network sees a face, and where
    /// its points lead to. Without a network all four.
    fn judge(&mut self, photo: &GreyPhoto, crop: Crop) -> Vec<Crop> {
        let turned = [0, 1, 2, 3].map(|quarters| crop.turned(quarters));
        let Some(network) = &mut self.network else { return turned.to_vec() };
        let mut wrong = Vec::new();
        for crop in turned {
            let seen = network.place(&photo.view(), &crop);
            if seen.score >= FACE_SCORE {
                wrong.extend([crop, Crop::from_points(&seen.points)]);
            }
        }
        wrong
    }
}

fn load<T>(path: &Path, new: impl Fn(&Model) -> lineament::Result<T>) -> Result<T> {
    let bytes = read_model_file(path)?;
    Model::parse(&bytes).map_err(lineament::Error::from).and_then(|model| new(&model)).map_err(|e| Error::file(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament_data::Photo;

    fn judges(with_network: bool) -> Judges {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = Config {
            detector: Some(root.join("models/detector/detector.onnx")),
            judge: Some(root.join("models/lite/lite.onnx")).filter(|_| with_network),
            ..Config::default()
        };
        Judges::read(&config).unwrap().unwrap()
    }

    #[test]
    fn a_known_face_is_no_mistake_and_a_network_leaves_few_of_the_others() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
        let photo = Photo::open(&path).unwrap().grey();
        let mut judges = [false, true].map(judges);
        let face = judges[0].detector.detect(&photo.view(), MAYBE_A_FACE, None)[0].rect;
        let on_face = |crop: &Crop| face.contains(crop.center) && crop.side > face.width;
        for judges in &mut judges {
            assert!(judges.mistakes(&photo, &[]).iter().any(on_face));
            assert!(!judges.mistakes(&photo, &[face]).iter().any(on_face));
        }
        let [all, wrong] = judges.map(|mut judges| judges.mistakes(&photo, &[face]).len());
        assert!(all.is_multiple_of(4) && wrong * 4 < all, "{wrong} of {all}");
    }
}
