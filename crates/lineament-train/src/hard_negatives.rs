//! Hard negatives: crops without a face that earlier models take for faces. A network learns more from them than from
//! any other samples without a face.

use std::path::Path;

use lineament::stages::{Detector, LandmarkNetwork};
use lineament::{Crop, Rect};
use lineament_data::{GreyPhoto, read_model_file};
use lineament_nn::model::Model;

use crate::config::Config;
use crate::error::{Error, Result};

/// Least score of a detection: far below any threshold in use, because a better detector errs elsewhere.
const DETECTION_SCORE: f32 = 0.1;

/// Least face score of a hard negative: from lower ones nothing is left to learn.
const FACE_SCORE: f32 = 0.02;

/// In a photo with labelled faces, a detection from this score on may be a face that nobody labelled.
const MAYBE_A_FACE: f32 = 0.5;

/// A detection that overlaps a known face by more than this IoU is part of that face, or the face itself.
const NEIGHBOUR_IOU: f32 = 0.02;

/// The models whose errors become hard negatives.
#[derive(Clone)]
pub struct Miner {
    detector: Detector,
    verifier: Option<LandmarkNetwork>,
}

impl Miner {
    /// The configuration's `detector` and `verifier`; `None` where it names no detector.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is not such a model.
    pub fn read(config: &Config) -> Result<Option<Self>> {
        let Some(detector) = &config.detector else { return Ok(None) };
        let detector = load(detector, Detector::new)?;
        let verifier = config.verifier.as_deref().map(|path| load(path, LandmarkNetwork::new)).transpose()?;
        Ok(Some(Self { detector, verifier }))
    }

    /// Crops of a photo, which shows these `faces` and no others, that the models take for faces.
    pub fn mine(&mut self, photo: &GreyPhoto, faces: &[Rect]) -> Vec<Crop> {
        let mut found = self.detector.detect(&photo.view(), DETECTION_SCORE, None);
        found.retain(|d| faces.is_empty() || d.score < MAYBE_A_FACE);
        found.retain(|d| faces.iter().all(|face| face.iou(&d.rect) <= NEIGHBOUR_IOU));
        found.iter().flat_map(|found| self.verify(photo, found.crop())).collect()
    }

    /// `crop` in all four quarter turns, as the library tries them: those that the verifier takes for a face, and the
    /// crops around its points there. Without a verifier all four.
    fn verify(&mut self, photo: &GreyPhoto, crop: Crop) -> Vec<Crop> {
        let turned = [0, 1, 2, 3].map(|quarters| crop.turned(quarters));
        let Some(verifier) = &mut self.verifier else { return turned.to_vec() };
        let mut wrong = Vec::new();
        for crop in turned {
            let placed = verifier.place(&photo.view(), &crop);
            if placed.score >= FACE_SCORE {
                wrong.extend([crop, placed.crop()]);
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

    fn miner(with_verifier: bool) -> Miner {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = Config {
            detector: Some(root.join("models/detector/detector.onnx")),
            verifier: Some(root.join("models/lite/lite.onnx")).filter(|_| with_verifier),
            ..Config::default()
        };
        Miner::read(&config).unwrap().unwrap()
    }

    #[test]
    fn a_known_face_is_no_hard_negative_and_a_verifier_leaves_few_of_the_others() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
        let photo = Photo::open(&path).unwrap().grey();
        let mut miners = [false, true].map(miner);
        let face = miners[0].detector.detect(&photo.view(), MAYBE_A_FACE, None)[0].rect;
        let on_face = |crop: &Crop| face.contains(crop.center) && crop.side > face.width;
        for miner in &mut miners {
            assert!(miner.mine(&photo, &[]).iter().any(on_face));
            assert!(!miner.mine(&photo, &[face]).iter().any(on_face));
        }
        let [all, verified] = miners.map(|mut miner| miner.mine(&photo, &[face]).len());
        assert!(all.is_multiple_of(4) && verified * 4 < all, "{verified} of {all}");
    }
}
