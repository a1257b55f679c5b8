//! What a task adds to the training loop: samples, a loss, validation.

use std::path::PathBuf;

use lineament_data::{GreyPhoto, Photo, dataset};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::params::Params;
use crate::trainer::Outputs;

/// Named numbers, in a fixed order.
pub type Figures = Vec<(&'static str, f32)>;

/// Something to train a network for.
pub trait Task: Sync {
    /// What the loss needs to know about one sample.
    type Target: Send;

    /// Samples that make an epoch.
    fn len(&self) -> usize;

    /// Whether there is nothing to train on.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets initial weights that follow from the data, such as the mean shape.
    fn init(&self, graph: &Graph, params: &mut Params);

    /// Writes sample `index` into `input` (`[h, w, c]`), varied by `rng`.
    fn sample(&self, index: usize, rng: &mut Pcg64, input: &mut [f32]) -> Self::Target;

    /// The parts of the loss over a group, each summed over its samples and divided by `batch`; writes the gradients
    /// of the outputs. The first part is the total, which is minimised.
    fn loss(&self, targets: Vec<Self::Target>, outputs: &Outputs, gradients: &mut [Vec<f32>], batch: usize) -> Figures;

    /// The exported `file` with its outputs adjusted on the validation photos, before it is saved; unchanged unless a
    /// task has something to adjust.
    ///
    /// # Errors
    /// When the file cannot be run.
    fn calibrate(&self, file: Vec<u8>) -> Result<Vec<u8>> {
        Ok(file)
    }

    /// Figures of an exported file on the validation photos; the first is the one that matters, lower is better.
    /// Empty without validation photos.
    ///
    /// # Errors
    /// When the file cannot be run.
    fn validate(&self, file: &[u8]) -> Result<Figures>;

    /// What the model file says about itself, beyond what the loop knows.
    fn describe(&self, metadata: &mut lineament_nn::model::Metadata);
}

/// The configuration's photos without faces, except for the share that no training sees; empty where none are named.
///
/// # Errors
/// When the folder cannot be read.
pub fn nonface_paths(config: &Config) -> Result<Vec<PathBuf>> {
    let Some(dir) = &config.nonfaces else { return Ok(Vec::new()) };
    let mut paths = dataset::photos_in(dir)?;
    paths.retain(|p| !dataset::is_validation(&p.to_string_lossy(), config.nonface_holdout));
    Ok(paths)
}

/// The photos of [`nonface_paths`], grey.
///
/// # Errors
/// When the folder or a photo cannot be read.
pub fn read_nonfaces(config: &Config) -> Result<Vec<GreyPhoto>> {
    nonface_paths(config)?.par_iter().map(|p| Ok(Photo::open(p)?.grey())).collect()
}

/// Splits labelled photos, each with its name, into those to train on and those to validate on.
///
/// # Errors
/// When none is left to train on.
pub fn split<T>(photos: Vec<(String, T)>, config: &Config) -> Result<(Vec<T>, Vec<T>)> {
    let (mut train, mut validation) = (Vec::new(), Vec::new());
    for (name, photo) in photos {
        let part = if dataset::is_validation(&name, config.validation_share) { &mut validation } else { &mut train };
        part.push(photo);
    }
    match train.is_empty() {
        false => Ok((train, validation)),
        true => Err(Error::Config(format!("no photos left to train on: validation takes all {}", validation.len()))),
    }
}
