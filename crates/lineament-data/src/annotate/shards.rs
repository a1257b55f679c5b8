//! Annotates any number of files: in shards that are worked on by several threads and kept on disk, so that memory does
//! not grow with the number of photos and an interruption costs one shard.
//!
//! Beside the first output stands a folder `OUTPUT.parts` with the settings and, for each finished shard, its records,
//! its rejections and its counts. When all are finished they are joined in order into every output and
//! `OUTPUT.rejects.csv`, and the folder goes. The outputs depend neither on the number of threads nor on interruptions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::identity::identity;
use super::parts::Parts;
use super::settings::DetectorChoice;
use super::{Annotator, Counts, Reason, Rejection};
use crate::error::{Error, Result};
use crate::record::Record;

/// Photos per shard unless asked otherwise: some seconds of work, and some megabytes of records.
pub const USUAL_SHARD: usize = 500;

/// A photo's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Its path below the annotated folder, with `/`; it stands in the tables.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// The photos; they are worked on in the order of their names.
    pub photos: Vec<Input>,
    /// Tables to write, at least one; what they hold already is replaced at the end.
    pub outputs: Vec<PathBuf>,
    /// Photos per shard, at least 1.
    pub shard: usize,
    /// Threads; 0 takes every core.
    pub threads: usize,
    /// Throw away unfinished work instead of going on with it.
    pub restart: bool,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every photo was looked at. Where no face was kept only the rejections are written.
    Complete(Counts),
    /// It was asked to stop; the same job goes on from here.
    Stopped(Counts),
}

/// Does the job. `progress` hears the counts so far after each photo, from any thread; `stop` ends the work after the
/// photos that are in work.
///
/// # Errors
/// [`Error::Unfinished`] where the folder of shards was begun with other settings or photos; [`Error::Setting`] for a
/// job that makes no sense; what reading and writing the files answers. A photo that cannot be read is no error.
pub fn run(
    annotator: &Annotator,
    mut job: Job,
    progress: &(impl Fn(&Counts) + Sync),
    stop: &AtomicBool,
) -> Result<Outcome> {
    job.photos.sort();
    job.check(annotator)?;
    let identity = identity(&annotator.settings, &job.photos, job.shard)?;
    let parts = Parts::open(parts_path(&job.outputs[0]), annotator.points(), &identity, job.restart)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(job.threads).build();
    let pool = pool.map_err(|e| Error::Setting(format!("threads {}: cannot start them: {e}", job.threads)))?;
    let mut done = Counts::default();
    let shards = job.photos.len().div_ceil(job.shard);
    let spare = Mutex::new(Vec::new());
    for (number, photos) in job.photos.chunks(job.shard).enumerate() {
        if let Some(counts) = parts.counts(number)? {
            done.add(&counts);
            progress(&done);
            continue;
        }
        let faces = pool.install(|| annotate_all(annotator, photos, &spare, &done, progress, stop));
        let Some(faces) = faces else { return Ok(Outcome::Stopped(done)) };
        done.add(&parts.write(number, faces, photos.len())?);
    }
    if done.kept > 0 {
        for output in &job.outputs {
            if !parts.join_records(shards, output, stop)? {
                return Ok(Outcome::Stopped(done));
            }
        }
    }
    parts.join_rejections(shards, &rejects_path(&job.outputs[0]))?;
    parts.remove()?;
    Ok(Outcome::Complete(done))
}

/// Where the rejections of a table go: `faces.rejects.csv` for `faces.csv`.
pub fn rejects_path(output: &Path) -> PathBuf {
    output.with_extension("rejects.csv")
}

/// Where the unfinished work for a table lies: `faces.csv.parts` for `faces.csv`.
pub fn parts_path(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".parts");
    name.into()
}

/// One shard's photos in order; `None` when stopped.
fn annotate_all(
    annotator: &Annotator,
    photos: &[Input],
    spare: &Mutex<Vec<Annotator>>,
    done: &Counts,
    progress: &(impl Fn(&Counts) + Sync),
    stop: &AtomicBool,
) -> Option<Vec<Result<Record, Rejection>>> {
    let counts = Mutex::new(done.clone());
    let one = |photo: &Input| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let taken = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut own = taken.unwrap_or_else(|| annotator.clone());
        let faces = match catch_unwind(AssertUnwindSafe(|| own.annotate_file(&photo.name, &photo.path))) {
            Ok(faces) => {
                spare.lock().unwrap_or_else(PoisonError::into_inner).push(own);
                faces
            }
            // A decoder's fault shall not take the other photos with it; the annotator may be half changed and goes.
            Err(_) => {
                let detail = "a fault in this program; please report it with the photo".into();
                vec![Err(Rejection { photo: photo.name.clone(), face: None, reason: Reason::Unreadable, detail })]
            }
        };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.photos += 1;
        faces.iter().for_each(|face| counts.add_face(face));
        progress(&counts);
        Some(faces)
    };
    let faces: Option<Vec<_>> = photos.par_iter().map(one).collect();
    faces.map(|faces| faces.into_iter().flatten().collect())
}

impl Job {
    fn check(&self, annotator: &Annotator) -> Result<()> {
        if self.photos.is_empty() || self.outputs.is_empty() || self.shard == 0 {
            let reason = "a job has at least one photo, one output and one photo per shard";
            return Err(Error::Setting(reason.into()));
        }
        for (i, output) in self.outputs.iter().enumerate() {
            if self.outputs[..i].contains(output) {
                return Err(Error::Setting(format!("out {} is given twice", output.display())));
            }
        }
        let lists = annotator.settings.detectors.iter().zip(&annotator.detectors);
        for (choice, detector) in lists {
            let listed = |photo: &Input| detector.lists(&photo.name) == Some(false);
            if let (DetectorChoice::Boxes(path), true) = (choice, self.photos.iter().all(listed)) {
                let name = &self.photos[0].name;
                let reason = format!("`file` names none of the photos; the first should be called `{name}` there");
                return Err(Error::dataset(path, reason));
            }
        }
        Ok(())
    }
}
