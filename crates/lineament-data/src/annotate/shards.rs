//! Annotates any number of files: in shards that are worked on by several threads and kept on disk, so that memory does
//! not grow with the number of photos and an interruption costs one shard.
//!
//! Beside the first output stands a folder `OUTPUT.parts` with the settings and, for each finished shard, its records,
//! its rejections and its counts. When all are finished they are joined in order into every output and
//! `OUTPUT.rejects.csv`, and the folder goes. The outputs depend neither on the number of threads nor on interruptions.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use lineament::topology::POINTS;
use rayon::prelude::*;

use super::settings::{DetectorChoice, PointsChoice};
use super::{Annotator, Counts, Reason, Rejection, Settings, file};
use crate::error::{Error, Result};
use crate::record::Record;
use crate::table::part::PartFile;
use crate::table::{ReadOptions, Reader, Writer, point_names};

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
    let parts = Parts::open(&job, annotator)?;
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
    with_suffix(output, ".parts")
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

    /// What must be the same for unfinished work to go on, as text, by the names of the program's options.
    fn identity(&self, settings: &Settings) -> Result<BTreeMap<String, String>> {
        let detector = |choice: &DetectorChoice| match choice {
            DetectorChoice::Ours => Ok("ours".to_owned()),
            DetectorChoice::Network(path) => file::name_and_mark(path),
            DetectorChoice::Cascade(path) => Ok(format!("cascade:{}", file::name_and_mark(path)?)),
            DetectorChoice::Boxes(path) => Ok(format!("boxes:{}", file::name_and_mark(path)?)),
        };
        let points = match &settings.points {
            PointsChoice::Ours => "ours".to_owned(),
            PointsChoice::Network(path) => file::name_and_mark(path)?,
            PointsChoice::Dlib(path) => format!("dlib:{}", file::name_and_mark(path)?),
            PointsChoice::Pts => "pts".to_owned(),
        };
        let mut names = DefaultHasher::new();
        self.photos.iter().for_each(|photo| photo.name.hash(&mut names));
        let filters = &settings.filters;
        let range = filters.brightness.as_ref().map(|range| format!("{}..{}", range.start(), range.end()));
        let identity = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("PHOTOS", format!("{} with the names {:016x}", self.photos.len(), names.finish())),
            ("--save-every", self.shard.to_string()),
            ("--detector", settings.detectors.iter().map(detector).collect::<Result<Vec<_>>>()?.join(", then ")),
            ("--points", points),
            ("--points-on", settings.points_on.to_string()),
            ("--margin", settings.margin.map_or("the usual".into(), |margin| margin.to_string())),
            ("--faces", settings.faces.to_string()),
            ("--brightness", or_off(range)),
            ("--min-contrast", or_off(filters.min_contrast)),
            ("--min-sharpness", or_off(filters.min_sharpness)),
            ("--min-score", or_off(filters.min_score)),
            ("--max-outside", or_off(filters.max_outside)),
            ("--max-expected-error", or_off(filters.max_expected_error)),
        ];
        Ok(identity.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

fn or_off(limit: Option<impl ToString>) -> String {
    limit.map_or("off".into(), |limit| limit.to_string())
}

/// The folder of finished shards.
struct Parts {
    folder: PathBuf,
}

/// Ending of a shard's records; Parquet keeps everything.
const RECORDS: &str = ".parquet";

/// Columns of the rejections.
const REJECT_COLUMNS: &str = "photo,face,reason,detail\n";

impl Parts {
    /// Begins the folder, or goes on with one that was begun with the same settings and photos.
    fn open(job: &Job, annotator: &Annotator) -> Result<Self> {
        let folder = parts_path(&job.outputs[0]);
        let parts = Self { folder };
        if job.restart && parts.folder.exists() {
            parts.remove()?;
        }
        let path = parts.folder.join("settings.json");
        let now = job.identity(&annotator.settings)?;
        match fs::read(&path) {
            Ok(bytes) => parts.compare(&serde_json::from_slice(&bytes).unwrap_or_default(), &now)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&parts.folder).map_err(|e| Error::file(&parts.folder, e))?;
                write_whole(&path, &serde_json::to_vec_pretty(&now).unwrap_or_default())?;
            }
            Err(e) => return Err(Error::file(&path, e)),
        }
        Ok(parts)
    }

    fn compare(&self, begun: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Result<()> {
        let Some((name, value)) = now.iter().find(|(name, value)| begun.get(*name) != Some(value)) else {
            return Ok(());
        };
        let was = begun.get(name).map_or("not known", String::as_str);
        let reason = format!(
            "unfinished work was begun with other settings: {name} was {was}, now it is {value}; give what was given \
             then to go on, or --restart to begin anew"
        );
        Err(Error::Unfinished { path: self.folder.clone(), reason })
    }

    fn path(&self, number: usize, ending: &str) -> PathBuf {
        self.folder.join(format!("{number:06}{ending}"))
    }

    /// The counts of a finished shard. They are written last: where they stand the rest does.
    fn counts(&self, number: usize) -> Result<Option<Counts>> {
        let path = self.path(number, ".json");
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| Error::Unfinished { path, reason: format!("damaged ({e}); --restart begins anew") }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::file(&path, e)),
        }
    }

    /// Writes a finished shard.
    fn write(&self, number: usize, faces: Vec<Result<Record, Rejection>>, photos: usize) -> Result<Counts> {
        let mut counts = Counts { photos, ..Counts::default() };
        let mut records = Writer::create(&self.path(number, RECORDS), &point_names(POINTS))?;
        let rejects_path = self.path(number, ".rejects.csv");
        let mut rejects = csv::Writer::from_writer(Vec::new());
        for face in &faces {
            counts.add_face(face);
            match face {
                Ok(record) => records.write(record)?,
                Err(rejection) => {
                    let face = rejection.face.map_or(String::new(), |face| face.to_string());
                    let row = [&rejection.photo, &face, rejection.reason.name(), &rejection.detail];
                    rejects.write_record(row).map_err(|e| Error::records(&rejects_path, e.to_string()))?;
                }
            }
        }
        records.finish()?;
        let rejects = rejects.into_inner().map_err(|e| Error::records(&rejects_path, e.to_string()))?;
        write_whole(&rejects_path, &rejects)?;
        write_whole(&self.path(number, ".json"), &serde_json::to_vec(&counts).unwrap_or_default())?;
        Ok(counts)
    }

    /// Writes all records in order; false when stopped.
    fn join_records(&self, shards: usize, output: &Path, stop: &AtomicBool) -> Result<bool> {
        let mut writer = Writer::create(output, &point_names(POINTS))?;
        for number in 0..shards {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            for record in Reader::open(&self.path(number, RECORDS), ReadOptions::default())? {
                writer.write(&record?)?;
            }
        }
        writer.finish()?;
        Ok(true)
    }

    fn join_rejections(&self, shards: usize, output: &Path) -> Result<()> {
        let fault = |e| Error::file(output, e);
        let mut whole = PartFile::create(output)?;
        whole.write_all(REJECT_COLUMNS.as_bytes()).map_err(fault)?;
        for number in 0..shards {
            let path = self.path(number, ".rejects.csv");
            let mut part = File::open(&path).map_err(|e| Error::file(&path, e))?;
            io::copy(&mut part, &mut whole).map_err(fault)?;
        }
        whole.finish()
    }

    /// Removes what this module wrote, then the folder, which must be empty then: nobody else's files are taken along.
    fn remove(&self) -> Result<()> {
        let fault = |e| Error::file(&self.folder, e);
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("settings.json") || name.as_bytes().iter().take(6).all(u8::is_ascii_digit) {
                fs::remove_file(&path).map_err(|e| Error::file(&path, e))?;
            }
        }
        fs::remove_dir(&self.folder).map_err(fault)
    }
}

/// Writes a small file so that a reader sees all of it or nothing.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = PartFile::create(path)?;
    part.write_all(bytes).map_err(|e| Error::file(path, e))?;
    part.finish()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
