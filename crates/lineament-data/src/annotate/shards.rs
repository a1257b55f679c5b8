//! Annotates any number of files: in shards that several threads work on and that are kept on disk, so that memory does
//! not grow with the number of photos, and neither an interruption nor a power cut costs more than a shard.
//!
//! Next to the first output is a folder `OUTPUT.parts` with the settings and, for each finished shard, its records, its
//! rejections and its counts. A stop ends a shard early, so that everything done is saved. When all photos are done the
//! shards are joined in order into every output and `OUTPUT.rejects.csv`, and the folder is removed. The outputs depend
//! neither on the number of threads nor on interruptions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use super::identity::identity;
use super::job::{Input, Job, Outcome};
use super::parts::Parts;
use super::{Annotator, Counts, Reason, Rejection};
use crate::error::Result;
use crate::record::Record;
use crate::workers;

/// Does the job. `progress` hears the counts so far after each photo, from any thread. `stop` ends the work after the
/// photos that threads have begun, and saves them.
///
/// # Errors
/// [`Error::Unfinished`](crate::Error::Unfinished) where the folder of shards was begun with other settings or photos;
/// [`Error::Setting`](crate::Error::Setting) for a job that makes no sense; errors of reading and writing the files. A
/// photo that cannot be read is not an error.
pub fn run(
    annotator: &Annotator,
    mut job: Job,
    progress: &(impl Fn(&Counts) + Sync),
    stop: &AtomicBool,
) -> Result<Outcome> {
    job.photos.sort();
    job.check(annotator)?;
    let identity = identity(&annotator.settings, &job.photos)?;
    let parts = Parts::open(parts_path(&job.outputs[0]), annotator.points(), &identity, job.restart)?;
    let mut annotators = vec![annotator.clone(); workers::count(job.threads, job.photos.len())];
    let (mut done, mut shards) = (Counts::default(), Vec::new());
    while done.photos < job.photos.len() {
        let begin = done.photos;
        let counts = match parts.counts(begin, job.photos.len() - begin)? {
            Some(counts) => counts,
            None => {
                let photos = &job.photos[begin..begin.saturating_add(job.shard).min(job.photos.len())];
                let faces = annotate_all(annotator, &mut annotators, photos, &done, progress, stop)?;
                if faces.is_empty() {
                    return Ok(Outcome::Stopped(done));
                }
                parts.write(begin, faces)?
            }
        };
        done.add(&counts);
        progress(&done);
        shards.push(begin);
    }
    if done.kept > 0 {
        for output in &job.outputs {
            if !parts.join_records(&shards, output, stop)? {
                return Ok(Outcome::Stopped(done));
            }
        }
    }
    parts.join_rejections(&shards, &rejects_path(&job.outputs[0]))?;
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

/// What became of each photo of a shard, in order; only of the first photos when stopped.
fn annotate_all(
    annotator: &Annotator,
    annotators: &mut [Annotator],
    photos: &[Input],
    done: &Counts,
    progress: &(impl Fn(&Counts) + Sync),
    stop: &AtomicBool,
) -> Result<Vec<Vec<Result<Record, Rejection>>>> {
    let counts = Mutex::new(done.clone());
    workers::in_order(photos, annotators, stop, |own, photo| {
        let faces = match catch_unwind(AssertUnwindSafe(|| own.annotate_file(&photo.name, &photo.path))) {
            Ok(faces) => faces,
            // A fault in a decoder must not cost the other photos. The annotator may be half changed: take a new one.
            Err(_) => {
                *own = annotator.clone();
                let detail = "a fault in this program; please report it with the photo".into();
                vec![Err(Rejection { photo: photo.name.clone(), face: None, reason: Reason::Unreadable, detail })]
            }
        };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add_photo(&faces);
        progress(&counts);
        Ok(faces)
    })
}
