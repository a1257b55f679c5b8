//! The training loop: seed, data, network, steps, validation, files.
//!
//! The caller pulls a run step by step, shows its progress and stops it when asked. All random numbers are drawn from
//! the seed and the number of the step: a resumed run goes on as if it had never stopped.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineament_data::read_model_file;
use lineament_nn::model::{Metadata, Model, Role, key};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::adam::AdamStep;
use crate::checkpoint::{self, Progress};
use crate::config::{self, Config};
use crate::curves;
use crate::error::{Error, Result};
use crate::export;
use crate::graph::Graph;
use crate::import::import;
use crate::params::Params;
use crate::run_files::{self as files, check_folder, write_whole};
use crate::task::{Figures, Task};
use crate::trainer::Trainer;

/// A training run.
pub struct Run<T> {
    config: Config,
    dir: PathBuf,
    task: T,
    trainer: Trainer,
    /// Losses of this epoch's steps, and seconds of the run before it was resumed.
    progress: Progress,
    started: Instant,
    /// Samples since the last validation, and the time their steps took.
    pace: (u64, Duration),
    order: (u64, Vec<usize>),
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step was taken.
    Step {
        /// Steps taken so far.
        step: u64,
        /// Parts of its loss.
        losses: Figures,
    },
    /// An epoch ended.
    Epoch(Epoch),
}

/// The figures of an epoch.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// Epochs so far.
    pub epoch: usize,
    /// Mean parts of the loss.
    pub losses: Vec<(String, f32)>,
    /// Figures on the validation photos, where this epoch was validated: the checkpoint and the model are written.
    pub validation: Option<Figures>,
}

impl<T: Task> Run<T> {
    /// Starts in the folder `dir`, or goes on from its checkpoint when `resume`.
    ///
    /// # Errors
    /// When files cannot be read or written, or the checkpoint belongs to another network.
    pub fn new(config: Config, dir: &Path, task: T, graph: Graph, resume: bool) -> Result<Self> {
        config.check()?;
        check_folder(dir, resume)?;
        let mut rng = Pcg64::seed_from_u64(config.seed);
        let mut params = Params::init(&graph.architecture, &graph.layout, &mut rng)?;
        task.init(&graph, &mut params);
        let mut trainer = Trainer::new(graph, params, config.groups).with_ema(config.ema);
        fs::create_dir_all(dir).map_err(|e| Error::file(dir, e))?;
        let progress = if resume {
            checkpoint::read(&dir.join(files::CHECKPOINT), &mut trainer)?
        } else {
            // Curves of a run that left no checkpoint are not continued.
            let _ = fs::remove_file(dir.join(files::CURVES));
            if let Some(start) = &config.start {
                begin_from(start, &mut trainer, &task)?;
            }
            Progress::default()
        };
        let run = Self {
            config,
            dir: dir.to_owned(),
            task,
            trainer,
            progress,
            started: Instant::now(),
            pace: (0, Duration::ZERO),
            order: (u64::MAX, Vec::new()),
        };
        let ended = run.steps() == run.total_steps() && run.progress.losses.is_empty();
        if run.steps() > run.total_steps() || (ended && !dir.join(files::MODEL).exists()) {
            let least = run.steps() / run.steps_per_epoch() + 1;
            return Err(Error::Config(format!("epochs: the run has come further already: choose at least {least}")));
        }
        write_whole(&dir.join(files::CONFIG), run.config.to_toml().as_bytes())?;
        Ok(run)
    }

    /// Steps that make an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.task.len() / self.config.batch).max(1) as u64
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.steps_per_epoch() * self.config.epochs as u64
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.trainer.adam.steps
    }

    /// Learned numbers.
    pub fn parameters(&self) -> usize {
        self.trainer.graph.layout.len
    }

    /// Samples learned from per second since the last validation; 0 before the first step after it.
    pub fn samples_per_s(&self) -> f32 {
        let (samples, time) = self.pace;
        if samples == 0 { 0.0 } else { (samples as f64 / time.as_secs_f64().max(1e-9)) as f32 }
    }

    /// Takes a step, or ends an epoch; `None` when the run is complete.
    ///
    /// # Errors
    /// When the loss diverges or a file cannot be written.
    pub fn advance(&mut self) -> Result<Option<Event>> {
        let (step, per_epoch) = (self.steps(), self.steps_per_epoch());
        if step > 0 && step.is_multiple_of(per_epoch) && !self.progress.losses.is_empty() {
            return self.end_epoch((step / per_epoch) as usize).map(|epoch| Some(Event::Epoch(epoch)));
        }
        if step >= self.total_steps() {
            return Ok(None);
        }
        let start = Instant::now();
        let losses = self.step(step);
        self.pace = (self.pace.0 + self.config.batch as u64, self.pace.1 + start.elapsed());
        let loss = losses[0].1;
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, step });
        }
        add_figures(&mut self.progress.losses, &losses);
        Ok(Some(Event::Step { step: step + 1, losses }))
    }

    fn step(&mut self, step: u64) -> Figures {
        let Config { batch, seed, .. } = self.config;
        let (epoch, within) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
        if self.order.0 != epoch {
            let mut order: Vec<usize> = (0..self.task.len()).collect();
            order.shuffle(&mut Pcg64::new(u128::from(seed), u128::from(epoch)));
            self.order = (epoch, order);
        }
        let (order, task) = (&self.order.1, &self.task);
        let len = self.trainer.graph.shapes[0].len();
        let adam = AdamStep { rate: self.rate(step), decay: self.config.decay, scale: 1.0 };
        let fill = |samples: Range<usize>, input: &mut [f32]| {
            let fill_one = |(k, input): (usize, &mut [f32])| {
                let slot = within as usize * batch + k;
                let mut rng = Pcg64::new(u128::from(seed) << 64 | u128::from(step), k as u128);
                task.sample(order[slot % order.len()], &mut rng, input)
            };
            samples.zip(input.chunks_exact_mut(len)).map(fill_one).collect::<Vec<_>>()
        };
        let reports = self.trainer.step(batch, adam, fill, |targets, outputs, d| task.loss(targets, outputs, d, batch));
        let mut sum = Vec::new();
        reports.iter().for_each(|report| add_figures(&mut sum, report));
        sum.into_iter().map(|(name, value)| (name, value as f32)).collect()
    }

    /// The step size: rises in a line, then falls along half a cosine to 0.
    fn rate(&self, step: u64) -> f32 {
        let warmup = f64::from(self.config.warmup_epochs) * self.steps_per_epoch() as f64;
        let step = step as f64 + 1.0;
        let share = if step < warmup {
            step / warmup
        } else {
            let done = (step - warmup) / (self.total_steps() as f64 - warmup).max(1.0);
            0.5 + 0.5 * (std::f64::consts::PI * done.min(1.0)).cos()
        };
        (f64::from(self.config.rate) * share) as f32
    }

    fn end_epoch(&mut self, epoch: usize) -> Result<Epoch> {
        let steps = self.steps_per_epoch() as f64;
        let sums = std::mem::take(&mut self.progress.losses);
        let losses = sums.into_iter().map(|(name, sum)| (name, (sum / steps) as f32)).collect();
        let due = epoch.is_multiple_of(self.config.validate_every) || epoch == self.config.epochs;
        let mut report = Epoch { epoch, losses, validation: None };
        if due {
            let file = self.export()?;
            let validation = self.task.validate(&file)?;
            write_whole(&self.dir.join(files::MODEL), &file)?;
            let row = curves::Row {
                epoch,
                losses: &report.losses,
                validation: &validation,
                rate: self.rate(self.steps() - 1),
                samples_per_s: self.samples_per_s(),
                seconds: self.seconds(),
            };
            curves::add(&self.dir, &row)?;
            // Last: a run that is resumed from here finds the row above, and replaces it if it comes here again.
            self.save()?;
            report.validation = Some(validation);
            self.pace = (0, Duration::ZERO);
        }
        Ok(report)
    }

    /// The model file of the weights' EMA, calibrated on the validation photos.
    ///
    /// # Errors
    /// When the network cannot be folded or written.
    pub fn export(&self) -> Result<Vec<u8>> {
        let folded = export::fold(&self.trainer.graph, self.trainer.exported())?;
        export::verify(&self.trainer.graph, self.trainer.exported(), &folded)?;
        self.task.calibrate(export::write(&folded, &self.metadata())?)
    }

    fn metadata(&self) -> Metadata {
        let role = match self.config.task {
            config::Task::Landmarks => Role::Landmarks,
            config::Task::Detector => Role::Detector,
        };
        let mut metadata = Metadata::new(role);
        metadata.set(key::NAME, self.config.network_name());
        metadata.set(key::INPUT, "grey");
        metadata.set(key::NORMALISATION, lineament::Normalisation::Standardise.to_string());
        self.task.describe(&mut metadata);
        for (name, value) in [
            (key::TRAINING_DATA, &self.config.training_data),
            (key::LICENCE, &self.config.licence),
            (key::COMMIT, &self.config.commit),
        ] {
            if !value.is_empty() {
                metadata.set(name, value.as_str());
            }
        }
        metadata
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> Result<()> {
        let progress = Progress { losses: self.progress.losses.clone(), seconds: self.seconds() };
        checkpoint::write(&self.dir.join(files::CHECKPOINT), &self.trainer, &progress)
    }

    /// Seconds since the start, without those between a stop and its resumption.
    fn seconds(&self) -> f64 {
        self.progress.seconds + self.started.elapsed().as_secs_f64()
    }
}

/// Samples on which batch norm is measured when a run starts from a model file.
const IMPORT_SAMPLES: usize = 32;

/// First weights from a checkpoint or a model file.
fn begin_from<T: Task>(start: &Path, trainer: &mut Trainer, task: &T) -> Result<()> {
    if start.extension().is_some_and(|e| e == "onnx") {
        let bytes = read_model_file(start)?;
        let model = Model::parse(&bytes).map_err(|e| Error::file(start, e))?;
        let fill = |input: &mut [f32]| {
            let mut rng = Pcg64::seed_from_u64(0);
            let samples = input.chunks_exact_mut(input.len() / IMPORT_SAMPLES).enumerate();
            samples.for_each(|(i, sample)| drop(task.sample(i % task.len(), &mut rng, sample)));
        };
        let imported = import(&trainer.graph, &model, IMPORT_SAMPLES, fill).map_err(|e| Error::file(start, e))?;
        trainer.restart(imported);
    } else {
        checkpoint::read(start, trainer)?;
        trainer.restart(trainer.exported().clone());
    }
    Ok(())
}

fn add_figures<N: From<&'static str>>(sum: &mut Vec<(N, f64)>, figures: &Figures) {
    if sum.is_empty() {
        sum.extend(figures.iter().map(|&(name, value)| (name.into(), f64::from(value))));
    } else {
        sum.iter_mut().zip(figures).for_each(|(sum, figure)| sum.1 += f64::from(figure.1));
    }
}
