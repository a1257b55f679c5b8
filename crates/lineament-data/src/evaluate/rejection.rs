//! Whether the face score tells faces from what is none when somebody else gives the box.

use std::path::{Path, PathBuf};

use lineament::{Crop, Lineament, Rect};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::Serialize;

use crate::augment::Jitter;
use crate::dataset::{Sample, hash};
use crate::error::{Error, Result};
use crate::evaluate::each;
use crate::photo::Photo;

/// Boxes that are drawn in photos without faces.
pub const RANDOM_BOXES: usize = 120;

/// Side of such a box over the short side of its photo.
const RANDOM_SIDE: (f32, f32) = (0.2, 1.0);

/// How far a detector's boxes stray from those of the true points: half of what training imitates.
const DETECTOR_JITTER: Jitter = Jitter {
    shift_sd: 0.025,
    scale_sd: 0.05,
    roll_small_share: 1.0,
    roll_sd_deg: 0.0,
    roll_max_deg: 0.0,
    close_share: 0.0,
};

/// How many of some boxes the landmark network takes for faces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoxScores {
    /// Boxes looked at.
    pub boxes: usize,
    /// Those with a face score of at least the threshold.
    pub taken: usize,
    /// The threshold, from 0 to 1.
    pub threshold: f32,
}

/// [`RANDOM_BOXES`] squares drawn in `photos`, which hold no face, evenly over the photos: how many are taken for one.
///
/// The other arguments are those of [`crate::evaluate::evaluate`]; `progress` counts boxes.
///
/// # Errors
/// What `make` answers; [`Error::File`] and [`Error::Photo`] for a photo that cannot be read.
pub fn random_boxes<E: From<Error> + Send>(
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

/// The box of the true points of each sample, moved and scaled as a detector's: how many are taken for a face. As
/// from a detector without points, the boxes are upright.
///
/// The other arguments and errors are those of [`random_boxes`]; `progress` counts photos.
///
/// # Errors
/// As [`random_boxes`].
pub fn true_boxes<E: From<Error> + Send>(
    samples: &[Sample],
    threshold: f32,
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<BoxScores, E> {
    let scores = each(samples, make, threads, progress, |lineament, sample| {
        let mut rng = Pcg64::seed_from_u64(hash(format!("true box {}", sample.name).as_bytes()));
        let rect = Rect::bounding(&sample.points).unwrap_or_default();
        let crop = DETECTOR_JITTER.jitter(&Crop::from_rect(&rect), &mut rng);
        Ok(lineament.landmarks(&Photo::open(&sample.photo_path)?.grey().view(), &crop).score)
    })?;
    Ok(BoxScores::new(&scores, threshold))
}

impl BoxScores {
    fn new(scores: &[f32], threshold: f32) -> Self {
        Self { boxes: scores.len(), taken: scores.iter().filter(|s| **s >= threshold).count(), threshold }
    }
}

/// The same for every computer: the photo's name counts, not its folder.
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
    fn a_score_at_the_threshold_is_taken() {
        let scores = BoxScores::new(&[0.1, 0.98, 0.99, f32::NAN], 0.98);
        assert_eq!((scores.boxes, scores.taken), (4, 2));
    }
}
