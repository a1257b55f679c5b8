//! Points for faces that nobody labelled: a teacher looks at each several times, and the mean of what it says counts
//! where its looks agree.

use std::path::Path;

use lineament::landmarks::LandmarkNetwork;
use lineament::model::Model;
use lineament::topology::{POINTS, inter_ocular};
use lineament::{Crop, Lineament, Options, Point, Rect};
use lineament_data::{GreyPhoto, Jitter, augment};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Looks at each face, every other one mirrored.
const LOOKS: usize = 12;
/// Mean distance of the looks' points from their mean, as a share of the distance of the outer eye corners, above which
/// the teacher does not know.
const MOST_SPREAD: f32 = 0.02;
/// Least face score of every look.
const LEAST_SCORE: f32 = 0.9;
/// Smallest face, longer side of its box in pixels: below, a network's input shows more than the photo does.
const LEAST_SIDE: f32 = 48.0;
/// Overlap with a labelled face from which a face found is that one.
const SAME_IOU: f32 = 0.2;

/// Where a teacher looks.
pub struct Teacher {
    finder: Lineament,
    network: LandmarkNetwork,
}

impl Teacher {
    /// From two model files.
    ///
    /// # Errors
    /// When a file cannot be read or is not what it should be.
    pub fn new(detector: &Path, landmarks: &Path) -> Result<Self> {
        let read = |path: &Path| std::fs::read(path).map_err(|e| Error::file(path, e));
        let (detector_file, landmarks_file) = (read(detector)?, read(landmarks)?);
        let network = Model::parse(&landmarks_file).and_then(|model| LandmarkNetwork::new(&model));
        let network = network.map_err(|e| Error::file(landmarks, e))?;
        let finder = Lineament::with_models(Options::default(), &detector_file, &landmarks_file);
        Ok(Self { finder: finder.map_err(|e| Error::file(detector, e))?, network })
    }
}

/// A face with a teacher's points.
pub struct Taught {
    /// Which of the photos it is in.
    pub photo: usize,
    /// In pixels of the photo.
    pub points: [Point; POINTS],
}

/// The faces in `photos` that the teacher is sure of, but for that of the points `known` in each photo.
pub fn faces(
    photos: &[&GreyPhoto],
    known: impl Fn(usize) -> Option<[Point; POINTS]> + Sync,
    teacher: &(impl Fn() -> Result<Teacher> + Sync),
) -> Result<Vec<Taught>> {
    // One teacher for each piece: loading takes longer than a photo.
    let pieces: Vec<usize> = (0..photos.len()).step_by(PIECE).collect();
    let of_piece = |&start: &usize| -> Result<Vec<Taught>> {
        let mut teacher = teacher()?;
        let mut found = Vec::new();
        for (photo, picture) in photos.iter().enumerate().skip(start).take(PIECE) {
            let labelled = known(photo).and_then(|points| Rect::bounding(&points));
            let points = teacher.teach(picture, labelled);
            found.extend(points.into_iter().map(|points| Taught { photo, points }));
        }
        Ok(found)
    };
    Ok(pieces.par_iter().map(of_piece).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Photos that a thread takes at a time.
const PIECE: usize = 64;

impl Teacher {
    fn teach(&mut self, photo: &GreyPhoto, labelled: Option<Rect>) -> Vec<[Point; POINTS]> {
        let mut pixels = photo.pixels.clone();
        augment::mirror_rows(&mut pixels, photo.width);
        let mirrored = GreyPhoto { pixels, ..*photo };
        let mut sure = Vec::new();
        for face in self.finder.faces(&photo.view()) {
            let found = Rect::bounding(&face.landmarks.points).unwrap_or_default();
            let is_labelled = labelled.is_some_and(|labelled| labelled.iou(&found) >= SAME_IOU);
            if !is_labelled && found.width.max(found.height) >= LEAST_SIDE {
                sure.extend(self.mean_of_looks(photo, &mirrored, &face.landmarks.points));
            }
        }
        sure
    }

    /// The mean of several looks near `points`; `None` where they disagree.
    fn mean_of_looks(
        &mut self,
        photo: &GreyPhoto,
        mirrored: &GreyPhoto,
        points: &[Point; POINTS],
    ) -> Option<[Point; POINTS]> {
        let near = Jitter { close_share: 1.0, ..Jitter::default() };
        let axis_x = photo.width as f32 / 2.0;
        // The same looks at every face: what is taught does not depend on the order of faces.
        let mut rng = Pcg64::seed_from_u64(0);
        let mut looks = Vec::with_capacity(LOOKS);
        for look in 0..LOOKS {
            let crop = near.jitter(&Crop::from_points(points), &mut rng);
            let seen = if look % 2 == 0 {
                self.network.place(&photo.view(), &crop)
            } else {
                let center = Point::new(2.0 * axis_x - crop.center.x, crop.center.y);
                let crop = Crop { center, roll_rad: -crop.roll_rad, ..crop };
                let mut seen = self.network.place(&mirrored.view(), &crop);
                seen.points = augment::mirror_points(&seen.points, axis_x);
                seen
            };
            if seen.score < LEAST_SCORE {
                return None;
            }
            looks.push(seen.points);
        }
        let share = 1.0 / LOOKS as f32;
        let mean: [Point; POINTS] = std::array::from_fn(|i| {
            let sum = looks.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p[i].x, sum.1 + p[i].y));
            Point::new(sum.0 * share, sum.1 * share)
        });
        let distances = looks.iter().flat_map(|p| p.iter().zip(&mean).map(|(p, m)| p.distance(*m)));
        let spread = distances.sum::<f32>() * share / POINTS as f32 / inter_ocular(&mean);
        (spread <= MOST_SPREAD).then_some(mean)
    }
}
