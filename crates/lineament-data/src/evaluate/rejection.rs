//! Whether the face score rejects boxes without a face and accepts boxes on faces, when the boxes do not come from our
//! detector.

use std::path::{Path, PathBuf};

use lineament::{Crop, Lineament, Rect};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

use crate::augment::Jitter;
use crate::dataset::Sample;
use crate::error::{Error, Result};
use crate::evaluate::each;
use crate::photo::Photo;
use crate::stable_hash::hash;

/// Boxes that are drawn by chance in photos without faces.
pub const RANDOM_BOXES: usize = 120;

/// Side of such a box over the short side of its photo.
const RANDOM_SIDE: (f32, f32) = (0.2, 1.0);

/// How far a detector's boxes deviate from those of the true points: half of the augmentation in training.
const DETECTOR_JITTER: Jitter = Jitter {
    shift_sd: 0.025,
    scale_sd: 0.05,
    roll_small_share: 1.0,
    roll_sd_deg: 0.0,
    roll_max_deg: 0.0,
    close_share: 0.0,
};

/// How many boxes the landmark network accepts as faces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoxScores {
    /// Boxes measured.
    pub boxes: usize,
    /// Those with a face score of at least the threshold.
    pub accepted: usize,
    /// The threshold, from 0 to 1.
    pub threshold: f32,
}

/// How many of [`RANDOM_BOXES`] squares in `photos`, which show no face, are accepted. The photos share them evenly.
///
/// The other arguments are those of [`crate::evaluate::evaluate`]; `progress` counts boxes.
///
/// # Errors
/// What `make` answers; [`Error::File`] and [`Error::Photo`] for a photo that cannot be read.
pub fn on_random_boxes<E: From<Error> + Send>(
    photos: &[PathBuf],
    threshold: f32,
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<BoxScores, E> {
    let boxes: Vec<(usize, &PathBuf)> =
        (0..RANDOM_BOXES).filter_map(|k| Some((k, photos.get(k * photos.len() / RANDOM_BOXES)?))).collect();
    let scores = each(&boxes, make, threads, progress, |lineament, (k, path)| {
        let photo = Photo::open(path)?.grey();
        let rect = random_box(*k, path, photo.width as f32, photo.height as f32);
        Ok(lineament.landmarks(&photo.view(), &Crop::from_rect(&rect)).score)
    })?;
    Ok(BoxScores::new(&scores, threshold))
}

/// How many boxes of true objects are accepted, each shifted and scaled like a detector's. The boxes are upright, as
/// from a detector without points.
///
/// The other arguments and errors are those of [`on_random_boxes`]; `progress` counts photos.
///
/// # Errors
/// As [`on_random_boxes`].
pub fn on_true_boxes<E: From<Error> + Send>(
    samples: &[Sample],
    threshold: f32,
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<BoxScores, E> {
    let scores = each(samples, make, threads, progress, |lineament, sample| {
        let mut rng = Pcg64::seed_from_u64(hash(format!("true box {}", sample.name).as_bytes()));
        let rect = sample.rect(lineament.topology());
        let crop = DETECTOR_JITTER.jitter(&Crop::from_rect(&rect), &mut rng);
        Ok(lineament.landmarks(&Photo::open(&sample.photo_path)?.grey().view(), &crop).score)
    })?;
    Ok(BoxScores::new(&scores, threshold))
}

impl BoxScores {
    fn new(scores: &[f32], threshold: f32) -> Self {
        Self { boxes: scores.len(), accepted: scores.iter().filter(|s| **s >= threshold).count(), threshold }
    }
}

/// The same on every computer: the photo's name counts, not its folder.
fn random_box(k: usize, path: &Path, width: f32, height: f32) -> Rect {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut rng = Pcg64::seed_from_u64(hash(format!("random box {k} {name}").as_bytes()));
    let side = width.min(height) * rng.random_range(RANDOM_SIDE.0..=RANDOM_SIDE.1);
    let (x, y) = (rng.random::<f32>() * (width - side), rng.random::<f32>() * (height - side));
    Rect::from_xywh(x, y, side, side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json_names;

    #[test]
    fn random_boxes_lie_within_their_photo_have_many_sizes_and_stay_the_same() {
        let mut sides = Vec::new();
        for k in 0..RANDOM_BOXES {
            let rect = random_box(k, Path::new("somewhere/sea.jpg"), 300.0, 200.0);
            assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.x + rect.width <= 300.01 && rect.y + rect.height <= 200.01);
            assert_eq!(rect, random_box(k, Path::new("elsewhere/sea.jpg"), 300.0, 200.0));
            sides.push(rect.width / 200.0);
        }
        assert!(sides.iter().all(|s| (0.2..=1.0).contains(s)));
        assert!(sides.iter().any(|s| *s < 0.3) && sides.iter().any(|s| *s > 0.9), "{sides:?}");
    }

    #[test]
    fn a_score_at_the_threshold_is_accepted() {
        let scores = BoxScores::new(&[0.1, 0.98, 0.99, f32::NAN], 0.98);
        assert_eq!((scores.boxes, scores.accepted), (4, 2));
        assert_eq!(json_names(&scores), "accepted boxes threshold", "they never change");
    }
}
