//! Runs models over labelled photos through the public [`Lineament`], and says how good they are.

pub mod conditions;
pub mod demographics;
pub mod metrics;
pub mod rejection;
pub mod report;
pub mod steadiness;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lineament::topology::{POINTS, five_points, inter_ocular};
use lineament::{Crop, Detection, Face, ImageView, Lineament, Point, Rect};
use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::Sample;
use crate::error::{Error, Result};
use crate::evaluate::metrics::{nme51, nme68, point_errors};
use crate::evaluate::report::Report;
use crate::photo::Photo;

/// Overlap from which a face found is the true one, as intersection over union of the boxes of their 68 points.
/// Low on purpose: a face whose points are far off shall count as a failure, not as a face not found.
pub const FOUND_IOU: f32 = 0.3;

/// Where the crops come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// From our detector over the whole photo, as in use.
    Detector,
    /// From the true points, without any shift: judges the landmark network alone. Every face counts as found.
    TruthCrop,
}

/// One labelled photo and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoResult {
    /// The sample's name.
    pub name: String,
    /// The photo's file.
    pub path: PathBuf,
    /// The true face is among the faces found.
    pub found: bool,
    /// Mean error of the 68 points in percent of the inter-ocular distance; `None` when not found.
    pub nme68: Option<f64>,
    /// Mean error of the 51 inner points; `None` when not found.
    pub nme51: Option<f64>,
    /// The face that was taken for the true one.
    pub face: Option<Face>,
    /// The true points, in pixels of the photo.
    pub truth: [Point; POINTS],
}

/// A photo without a face in which one was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FalseFaces {
    /// The photo's file.
    pub path: PathBuf,
    /// How many faces were found in it.
    pub faces: usize,
    /// The highest of their landmark scores, from 0 to 1.
    pub best_score: f32,
}

/// Finds the face of every sample and measures it; results are in the order of `samples`.
///
/// `make` loads the models, once per thread. `threads` of 0 takes every core. `progress` hears how many photos are
/// done, of how many, from any thread.
///
/// # Errors
/// What `make` answers; [`Error::File`] and [`Error::Photo`] for a photo that cannot be read, because leaving it out
/// would change the figures; [`Error::Dataset`] for true points whose outer eye corners coincide.
pub fn evaluate<E: From<Error> + Send>(
    samples: &[Sample],
    protocol: Protocol,
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<(Report, Vec<PhotoResult>), E> {
    check_eye_corners(samples)?;
    let results = each(samples, make, threads, progress, |lineament, sample| {
        let photo = Photo::open(&sample.photo_path)?.grey();
        Ok(match protocol {
            Protocol::Detector => judge(sample, best_match(lineament.faces(&photo.view()), &sample.points)),
            Protocol::TruthCrop => judge(sample, Some(face_of_truth(lineament, &photo.view(), &sample.points))),
        })
    })?;
    Ok((Report::new(protocol, &results), results))
}

/// Refuses true points without an inter-ocular distance.
pub(crate) fn check_eye_corners(samples: &[Sample]) -> Result<()> {
    match samples.iter().find(|s| inter_ocular(&s.points) <= 0.0) {
        Some(flat) => Err(Error::dataset(&flat.photo_path, "the outer eye corners (points 36 and 45) coincide")),
        None => Ok(()),
    }
}

/// The photos among `photos`, which hold no face, in which one is found; the most certain first.
///
/// The other arguments and errors are those of [`evaluate`].
///
/// # Errors
/// As [`evaluate`].
pub fn false_faces<E: From<Error> + Send>(
    photos: &[PathBuf],
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<Vec<FalseFaces>, E> {
    let found = each(photos, make, threads, progress, |lineament, path: &PathBuf| {
        let faces = lineament.faces(&Photo::open(path)?.grey().view());
        Ok(summary(path, &faces))
    })?;
    let mut found: Vec<FalseFaces> = found.into_iter().filter(|f| f.faces > 0).collect();
    found.sort_by(|a, b| b.best_score.total_cmp(&a.best_score).then(a.path.cmp(&b.path)));
    Ok(found)
}

fn summary(path: &Path, faces: &[Face]) -> FalseFaces {
    let best_score = faces.iter().map(|f| f.landmarks.score).fold(0.0, f32::max);
    FalseFaces { path: path.to_owned(), faces: faces.len(), best_score }
}

/// Of several faces the one that overlaps the true one most, if that is enough.
pub(crate) fn best_match(faces: Vec<Face>, truth: &[Point; POINTS]) -> Option<Face> {
    let overlap = |points: &[Point; POINTS]| match (Rect::bounding(points), Rect::bounding(truth)) {
        (Some(a), Some(b)) if points.iter().all(|p| p.is_finite()) => a.iou(&b),
        _ => 0.0,
    };
    let overlaps = faces.into_iter().map(|face| (overlap(&face.landmarks.points), face));
    let best = overlaps.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(iou, _)| *iou >= FOUND_IOU).map(|(_, face)| face)
}

fn face_of_truth(lineament: &mut Lineament, image: &ImageView, truth: &[Point; POINTS]) -> Face {
    let rect = Rect::bounding(truth).unwrap_or_default();
    let landmarks = lineament.landmarks(image, &Crop::from_points(truth));
    Face { detection: Detection { rect, points: five_points(truth), score: 1.0 }, landmarks }
}

fn judge(sample: &Sample, face: Option<Face>) -> PhotoResult {
    let errors = face.as_ref().map(|face| point_errors(&face.landmarks.points, &sample.points));
    PhotoResult {
        name: sample.name.clone(),
        path: sample.photo_path.clone(),
        found: face.is_some(),
        nme68: errors.as_ref().map(nme68),
        nme51: errors.as_ref().map(nme51),
        face,
        truth: sample.points,
    }
}

/// `work` on every item, each thread with its own state that `make` makes; answers in the order of `items`. `threads`
/// of 0 takes every core; `progress` hears how many are done, of how many.
///
/// # Errors
/// What `make` and `work` answer.
pub fn each<T: Sync, S: Send, R: Send, E: From<Error> + Send>(
    items: &[T],
    make: impl Fn() -> Result<S, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
    work: impl Fn(&mut S, &T) -> Result<R> + Sync,
) -> Result<Vec<R>, E> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::Setting(format!("{threads} threads: {e}")))?;
    // One state per thread, made beforehand: rayon's `map_init` would load the models again for every few photos.
    let states = (0..pool.current_num_threads()).map(|_| make().map(Mutex::new)).collect::<Result<Vec<_>, E>>()?;
    let done = AtomicUsize::new(0);
    let one = |item: &T| {
        let own = &states[rayon::current_thread_index().unwrap_or(0)];
        let result = work(&mut own.lock().unwrap_or_else(PoisonError::into_inner), item);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        result
    };
    Ok(pool.install(|| items.par_iter().map(one).collect::<Result<Vec<R>>>())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{face, sample};

    #[test]
    fn the_face_with_the_highest_overlap_is_taken() {
        let truth = sample("a").points;
        let moved = |dx: f32| face(truth.map(|p| Point::new(p.x + dx, p.y)), 1.0);
        let best = best_match(vec![moved(300.0), moved(8.0), moved(3.0), moved(-20.0)], &truth).unwrap();
        assert_eq!(best, moved(3.0));
    }

    #[test]
    fn faces_elsewhere_or_with_nan_are_no_match() {
        let truth = sample("a").points;
        let mut broken = face(truth, 1.0);
        broken.landmarks.points[5] = Point::new(f32::NAN, 0.0);
        let width = Rect::bounding(&truth).unwrap().width;
        // Moved by m widths the boxes overlap with (1 - m) / (1 + m): 0.33 at a half, 0.25 at 0.6.
        let moved = |m: f32| face(truth.map(|p| Point::new(p.x + m * width, p.y)), 1.0);
        assert!(best_match(Vec::new(), &truth).is_none());
        assert!(best_match(vec![broken], &truth).is_none());
        assert!(best_match(vec![moved(0.6)], &truth).is_none());
        assert!(best_match(vec![moved(0.5)], &truth).is_some());
    }

    #[test]
    fn a_judged_photo_has_its_errors_only_when_found() {
        let sample = sample("a");
        let judged = judge(&sample, Some(face(sample.points.map(|p| Point::new(p.x + 3.0, p.y + 4.0)), 1.0)));
        let expected = 500.0 / f64::from(inter_ocular(&sample.points));
        assert!((judged.nme68.unwrap() - expected).abs() < 1e-3 && (judged.nme51.unwrap() - expected).abs() < 1e-3);
        let missed = judge(&sample, None);
        assert!(!missed.found && missed.nme68.is_none() && missed.nme51.is_none());
    }

    #[test]
    fn work_is_done_once_per_item_in_order_with_one_state_per_thread() {
        let made = AtomicUsize::new(0);
        let seen = AtomicUsize::new(0);
        let items: Vec<usize> = (0..200).collect();
        let make = || Ok::<_, Error>(made.fetch_add(1, Ordering::Relaxed));
        let progress = |done: usize, total: usize| {
            assert!(done <= total && total == 200);
            seen.fetch_add(1, Ordering::Relaxed);
        };
        let doubled = each(&items, make, 3, &progress, |_, i| Ok(2 * i)).unwrap();
        assert_eq!(doubled, items.iter().map(|i| 2 * i).collect::<Vec<_>>());
        assert_eq!((made.load(Ordering::Relaxed), seen.load(Ordering::Relaxed)), (3, 200));
    }

    #[test]
    fn errors_of_making_and_working_come_back() {
        let no_model = || Err::<(), _>(Error::from(lineament::Error::Model("damaged".into())));
        let message = each(&[1], no_model, 1, &|_, _| {}, |(), _| Ok(())).unwrap_err().to_string();
        assert!(message.contains("damaged"), "{message}");
        let open = |(): &mut (), path: &PathBuf| Photo::open(path);
        let message =
            each(&["/nonexistent.jpg".into()], || Ok::<_, Error>(()), 1, &|_, _| {}, open).unwrap_err().to_string();
        assert!(message.contains("/nonexistent.jpg"), "{message}");
    }

    #[test]
    fn eye_corners_in_one_place_are_an_error_that_names_the_photo() {
        let mut sample = sample("flat");
        sample.points[45] = sample.points[36];
        let make = || -> Result<Lineament> { panic!("no model is needed to see that") };
        let message = evaluate(&[sample], Protocol::Detector, make, 1, &|_, _| {}).unwrap_err().to_string();
        assert!(message.contains("flat.jpg"), "{message}");
    }
}
