//! Runs models on labelled photos through the public [`Lineament`], and measures how good they are.

pub mod conditions;
pub mod demographics;
pub mod metrics;
pub mod rejection;
pub mod report;
mod result;
pub mod steadiness;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lineament::topology::Topology;
use lineament::{Detection, Face, ImageView, Lineament};
use serde::Serialize;

use crate::dataset::Sample;
use crate::error::{Error, Result};
use crate::evaluate::report::Report;
use crate::photo::Photo;
use crate::workers;

pub(crate) use result::best_match;
pub use result::{MATCH_IOU, PhotoResult, Protocol, TRUE_FACE_IOU};

/// A photo without a face in which one was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FalseFaces {
    /// The photo's file.
    pub path: PathBuf,
    /// How many faces were found in it.
    pub faces: usize,
    /// The highest of their face scores, from 0 to 1.
    pub best_score: f32,
}

/// Finds the face of every sample and measures it; results are in the order of `samples`. The models place the points
/// of `topology`, which are those of the samples.
///
/// `make` loads the models, once per thread. `threads` of 0 takes every core. `progress` gets the number of photos that
/// are done and of all photos, from any thread.
///
/// # Errors
/// Those of `make`; [`Error::File`] and [`Error::Photo`] for a photo that cannot be read, because leaving it out would
/// change the figures; [`Error::Dataset`] for true points whose unit is 0, such as outer eye corners that coincide.
pub fn evaluate<E: From<Error> + Send>(
    topology: &Topology,
    samples: &[Sample],
    protocol: Protocol,
    make: impl Fn() -> Result<Lineament, E>,
    threads: usize,
    progress: &(impl Fn(usize, usize) + Sync),
) -> Result<(Report, Vec<PhotoResult>), E> {
    check_units(topology, samples)?;
    let results = each(samples, make, threads, progress, |lineament, sample| {
        let photo = Photo::open(&sample.photo_path)?.grey();
        Ok(match protocol {
            Protocol::Detector => {
                let face = best_match(lineament.faces(&photo.view()), &sample.rect(topology));
                PhotoResult::new(topology, sample, face)
            }
            Protocol::TruthCrop => {
                let face = face_of_truth(topology, lineament, &photo.view(), sample);
                PhotoResult::new(topology, sample, Some(face))
            }
        })
    })?;
    Ok((Report::new(topology, protocol, &results), results))
}

/// The topology's points that are these iBUG points; `None` where it lacks one.
pub(crate) fn own_points(topology: &Topology, ibug68: &[usize]) -> Option<Vec<usize>> {
    let sets = &topology.definition().ibug68;
    ibug68.iter().map(|&i| sets.iter().position(|set| *set == [i])).collect()
}

/// Refuses true points without a length to divide errors by.
pub(crate) fn check_units(topology: &Topology, samples: &[Sample]) -> Result<()> {
    match samples.iter().find(|s| metrics::unit(topology, &s.points) <= 0.0) {
        Some(flat) => {
            let what = format!("errors are divided by the {}, which is 0 here", topology.unit_name());
            Err(Error::dataset(&flat.photo_path, what))
        }
        None => Ok(()),
    }
}

/// Those of `photos`, which show no face, in which one is found; the highest score first.
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

fn face_of_truth(topology: &Topology, lineament: &mut Lineament, image: &ImageView, truth: &Sample) -> Face {
    let landmarks = lineament.landmarks(image, &truth.crop(topology));
    let (rect, points) = (truth.rect(topology), topology.five(&truth.points));
    Face { detection: Detection { rect, points, score: 1.0 }, landmarks }
}

/// `work` on every item, each thread with a state of its own that `make` makes; answers in the order of `items`.
/// `threads` of 0 takes every core; `progress` hears how many are done, of how many.
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
    let states = (0..workers::count(threads, items.len())).map(|_| make());
    let mut states = states.collect::<Result<Vec<_>, E>>()?;
    let done = AtomicUsize::new(0);
    let one = |state: &mut S, item: &T| {
        let answer = work(state, item)?;
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        Ok(answer)
    };
    workers::in_order(items, &mut states, &AtomicBool::new(false), one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;

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
        let no_model =
            || Err::<(), _>(Error::from(lineament::Error::from(lineament::ModelError::Damaged("no end".into()))));
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
        let message =
            evaluate(&Topology::ibug68(), &[sample], Protocol::Detector, make, 1, &|_, _| {}).unwrap_err().to_string();
        assert!(message.contains("flat.jpg"), "{message}");
    }
}
