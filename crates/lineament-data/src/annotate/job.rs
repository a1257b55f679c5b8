//! What an annotator is asked to do with many files, and how it ends.

use std::path::PathBuf;

use super::Annotator;
use super::rejection::Counts;
use super::settings::DetectorChoice;
use crate::error::{Error, Result};

/// Photos per shard unless another number is given: some seconds of work, and some megabytes of records.
pub const USUAL_SHARD: usize = 500;

/// A photo's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Its path below the annotated folder, with `/`; it stands in the tables.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// The photos; they are annotated in the order of their names.
    pub photos: Vec<Input>,
    /// Tables to write, at least one; existing ones are replaced at the end.
    pub outputs: Vec<PathBuf>,
    /// Photos per shard, at least 1.
    pub shard: usize,
    /// Threads; 0 takes every core.
    pub threads: usize,
    /// Discard unfinished work instead of resuming it.
    pub restart: bool,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every photo was annotated. Where no face was kept only the rejections are written.
    Complete(Counts),
    /// It was asked to stop; what is done is saved, and the same job resumes from here.
    Stopped(Counts),
}

impl Job {
    /// Refuses a job that makes no sense.
    pub(super) fn check(&self, annotator: &Annotator) -> Result<()> {
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
