//! The training loop: steps, figures of both parts after each epoch, files. The caller pulls it step by step, as
//! [`lineament_train::train::Run`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineament::Normalisation;
use lineament_data::record::SIDE;
use lineament_nn::model::{Metadata, Role, key};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::faces::Faces;
use super::{Settings, Sums};
use lineament_train::adam::AdamStep;
use lineament_train::checkpoint::{self, Progress};
use lineament_train::error::{Error, Result};
use lineament_train::graph::Graph;
use lineament_train::networks::LANDMARK_OUTPUTS;
use lineament_train::params::Params;
use lineament_train::run_files::{check_folder, write_whole};
use lineament_train::trainer::{Outputs, Trainer};
use lineament_train::{curves, export, task::Figures};

pub use lineament_train::run_files as files;

/// From pixels of the input to the crop frame, which is 2 wide.
const CROP_FROM_RECORD: f32 = 2.0 / SIDE as f32;

/// The output of the paper's networks.
const OUTPUT: &str = LANDMARK_OUTPUTS[0];

/// Time between checkpoints: that of the largest network has 1.6 GB. A power cut loses this much work.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(300);

/// A run of the paper's recipe.
pub struct Run {
    settings: Settings,
    dir: PathBuf,
    faces: Faces,
    trainer: Trainer,
    order: (u64, Vec<usize>),
    /// Sums over this epoch's steps so far.
    sums: Sums,
    /// Time that this epoch's steps took.
    stepping: Duration,
    /// Seconds of the run before this start.
    earlier_seconds: f64,
    started: Instant,
    saved: Instant,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step was taken; its loss.
    Step(f32),
    /// An epoch ended.
    Epoch(Epoch),
}

/// The figures of an epoch.
#[derive(Debug, Clone)]
pub struct Epoch {
    /// Epochs so far.
    pub epoch: usize,
    /// Of the training part, in the steps of the epoch.
    pub training: Figures,
    /// Of the validation part, afterwards.
    pub validation: Figures,
    /// Seconds of its steps.
    pub seconds: f64,
}

impl Run {
    /// Starts in the folder `dir`, or goes on from its checkpoint when `resume`.
    ///
    /// # Errors
    /// When files cannot be read or written, or the checkpoint belongs to another network.
    pub fn new(settings: Settings, faces: Faces, dir: &Path, resume: bool) -> Result<Self> {
        settings.check()?;
        check_folder(dir, resume)?;
        let graph = Graph::new(settings.network.architecture(faces.points()))?;
        let mut rng = Pcg64::seed_from_u64(settings.seed);
        let params = Params::init(&graph.architecture, &graph.layout, &mut rng)?;
        let mut trainer = Trainer::new(graph, params, settings.groups);
        fs::create_dir_all(dir).map_err(|e| Error::file(dir, e))?;
        let progress = if resume {
            checkpoint::read(&dir.join(files::CHECKPOINT), &mut trainer)?
        } else {
            // Curves of a run that left no checkpoint are not continued.
            let _ = fs::remove_file(dir.join(files::CURVES));
            Progress::default()
        };
        let (sums, stepping) = unpack(&progress.losses);
        write_whole(&dir.join(files::CONFIG), settings.to_toml().as_bytes())?;
        let now = Instant::now();
        Ok(Self {
            settings,
            dir: dir.to_owned(),
            faces,
            trainer,
            order: (u64::MAX, Vec::new()),
            sums,
            stepping,
            earlier_seconds: progress.seconds,
            started: now,
            saved: now,
        })
    }

    /// Steps that make an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.faces.train().len().div_ceil(self.settings.batch) as u64
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.steps_per_epoch() * self.settings.epochs as u64
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.trainer.adam.steps
    }

    /// The faces that are learned from and held back.
    pub fn faces(&self) -> &Faces {
        &self.faces
    }

    /// Takes a step, or ends an epoch; `None` when the run is complete and its model is written.
    ///
    /// # Errors
    /// When the loss diverges or a file cannot be written.
    pub fn advance(&mut self) -> Result<Option<Event>> {
        let (step, per_epoch) = (self.steps(), self.steps_per_epoch());
        if step > 0 && step.is_multiple_of(per_epoch) && self.sums.coordinates > 0.0 {
            return self.end_epoch((step / per_epoch) as usize).map(|epoch| Some(Event::Epoch(epoch)));
        }
        if step >= self.total_steps() {
            if !self.dir.join(files::MODEL).exists() {
                self.write_model()?;
            }
            return Ok(None);
        }
        let start = Instant::now();
        let sums = self.step(step);
        self.stepping += start.elapsed();
        let loss = sums.rmse() as f32;
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, step });
        }
        self.sums.merge(&sums);
        Ok(Some(Event::Step(loss)))
    }

    fn step(&mut self, step: u64) -> Sums {
        let (epoch, within) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
        if self.order.0 != epoch {
            let mut order = self.faces.train().to_vec();
            order.shuffle(&mut Pcg64::new(u128::from(self.settings.seed), u128::from(epoch)));
            self.order = (epoch, order);
        }
        let Settings { batch, rate, .. } = self.settings;
        let (faces, order) = (&self.faces, &self.order.1);
        let of_batch = &order[within as usize * batch..order.len().min((within as usize + 1) * batch)];
        let len = self.trainer.graph.shapes[0].len();
        let coordinates = (of_batch.len() * 2 * faces.points()) as f32;
        // The gradient of the sum of squares over twice the number of coordinates; `scale` makes it that of the root,
        // which only the whole batch knows.
        let reports = self.trainer.gradients(
            of_batch.len(),
            |samples, input| {
                let own = &of_batch[samples];
                own.iter().zip(input.chunks_exact_mut(len)).for_each(|(face, input)| faces.input(*face, input));
                own
            },
            |own, outputs, d| {
                let sums = measure(faces, own, outputs);
                let truth = own.iter().flat_map(|face| faces.coordinates(*face));
                let pairs = outputs.get(0).iter().zip(truth);
                d[0].iter_mut().zip(pairs).for_each(|(d, (p, t))| *d = (p - t) / coordinates);
                sums
            },
        );
        let mut sums = Sums::default();
        reports.iter().for_each(|report| sums.merge(report));
        // At a loss of 0 there is nothing to learn, and no gradient to scale.
        let scale = (1.0 / sums.rmse().max(1e-12)) as f32;
        self.trainer.apply(AdamStep { rate, decay: 0.0, scale });
        sums
    }

    fn end_epoch(&mut self, epoch: usize) -> Result<Epoch> {
        let training = std::mem::take(&mut self.sums).figures(false);
        let seconds = std::mem::take(&mut self.stepping).as_secs_f64();
        let validation = match self.faces.validation() {
            [] => Vec::new(),
            held_back => predict(&mut self.trainer, &self.faces, held_back, self.settings.batch).0.figures(true),
        };
        let losses: Vec<(String, f32)> = training.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let row = curves::Row {
            epoch,
            losses: &losses,
            validation: &validation,
            rate: self.settings.rate,
            samples_per_s: (self.faces.train().len() as f64 / seconds.max(1e-9)) as f32,
            seconds: self.seconds(),
        };
        curves::add(&self.dir, &row)?;
        if epoch == self.settings.epochs {
            self.write_model()?;
        }
        if epoch == self.settings.epochs || self.saved.elapsed() > CHECKPOINT_EVERY {
            self.save()?;
        }
        Ok(Epoch { epoch, training, validation, seconds })
    }

    /// Writes the model file, where the network fits into one.
    fn write_model(&mut self) -> Result<()> {
        if !self.fits_a_file() {
            return Ok(());
        }
        let model = self.export()?;
        write_whole(&self.dir.join(files::MODEL), &model)
    }

    /// The network fits into a model file, which protobuf limits to 2 GiB; `none` does not.
    pub fn fits_a_file(&self) -> bool {
        4 * self.trainer.graph.layout.len < i32::MAX as usize
    }

    /// The model file. The network answers in pixels of its input; the last layer of the file is scaled, so that the
    /// file answers in the crop frame, as all our models do.
    ///
    /// # Errors
    /// When the network cannot be folded or written.
    pub fn export(&mut self) -> Result<Vec<u8>> {
        let mut folded = export::fold(&self.trainer.graph, self.trainer.exported())?;
        export::verify(&self.trainer.graph, self.trainer.exported(), &folded)?;
        let Some([(_, weights), (_, bias)]) = folded.output_layer_mut(OUTPUT).map(Vec::as_mut_slice) else {
            return Err(Error::Config("the network has no points".into()));
        };
        weights.iter_mut().for_each(|w| *w *= CROP_FROM_RECORD);
        bias.iter_mut().for_each(|b| *b = (*b + 0.5) * CROP_FROM_RECORD - 1.0);
        let rows = match self.faces.validation() {
            [] => self.faces.train(),
            held_back => held_back,
        };
        let (_, errors) = predict(&mut self.trainer, &self.faces, rows, self.settings.batch);
        let mut metadata = Metadata::new(Role::Landmarks);
        metadata.set(key::NAME, self.settings.name.as_str());
        metadata.set(key::INPUT, "grey");
        metadata.set(key::NORMALISATION, Normalisation::Unit.to_string());
        if let Some(crop) = self.faces.crop_rule() {
            metadata.set(key::TOPOLOGY, "ibug68");
            metadata.set(key::CROP, crop.to_string());
        }
        let errors: Vec<String> = errors.iter().map(|e| format!("{:.4}", e * f64::from(CROP_FROM_RECORD))).collect();
        metadata.set(key::ERRORS, errors.join(","));
        metadata.set(key::OUTPUTS, "points: x, y of each point, -1 to 1 over the crop");
        if !self.settings.training_data.is_empty() {
            metadata.set(key::TRAINING_DATA, self.settings.training_data.as_str());
        }
        export::write(&folded, &metadata)
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&mut self) -> Result<()> {
        self.saved = Instant::now();
        let progress = Progress { losses: pack(&self.sums, self.stepping), seconds: self.seconds() };
        checkpoint::write(&self.dir.join(files::CHECKPOINT), &self.trainer, &progress)
    }

    /// Seconds since the start, without those between a stop and its resumption.
    fn seconds(&self) -> f64 {
        self.earlier_seconds + self.started.elapsed().as_secs_f64()
    }
}

/// The errors of the network in training on `rows` of `faces`, and each point's mean distance in pixels of the crop.
fn predict(trainer: &mut Trainer, faces: &Faces, rows: &[usize], batch: usize) -> (Sums, Vec<f64>) {
    let len = trainer.graph.shapes[0].len();
    let count = rows.len() as f64;
    let (mut sums, mut distances) = (Sums::default(), vec![0.0; faces.points()]);
    for rows in rows.chunks(batch) {
        let reports = trainer.predict(
            rows.len(),
            |samples, input| {
                let own = &rows[samples];
                own.iter().zip(input.chunks_exact_mut(len)).for_each(|(face, input)| faces.input(*face, input));
                own
            },
            |own, outputs| (measure(faces, own, outputs), add_distances(faces, own, outputs)),
        );
        for (report, of_points) in &reports {
            sums.merge(report);
            distances.iter_mut().zip(of_points).for_each(|(sum, d)| *sum += d / count);
        }
    }
    (sums, distances)
}

/// Each point's distances to the truth, added over the faces `rows`.
fn add_distances(faces: &Faces, rows: &[usize], outputs: &Outputs) -> Vec<f64> {
    let mut distances = vec![0.0; faces.points()];
    for (predicted, face) in outputs.get(0).chunks_exact(2 * faces.points()).zip(rows) {
        let pairs = predicted.chunks_exact(2).zip(faces.coordinates(*face).chunks_exact(2));
        distances.iter_mut().zip(pairs).for_each(|(sum, (p, t))| *sum += f64::from((p[0] - t[0]).hypot(p[1] - t[1])));
    }
    distances
}

/// Compares outputs with the truth of the faces `rows`.
fn measure(faces: &Faces, rows: &[usize], outputs: &Outputs) -> Sums {
    let mut sums = Sums::default();
    let outputs = outputs.get(0).chunks_exact(2 * faces.points());
    outputs.zip(rows).for_each(|(predicted, face)| sums.add(predicted, faces.coordinates(*face)));
    sums
}

/// The unfinished epoch, as a checkpoint keeps it.
fn pack(sums: &Sums, stepping: Duration) -> Vec<(String, f64)> {
    let Sums { squares, absolutes, hits, coordinates, nme, faces } = *sums;
    let values = [squares, absolutes, hits, coordinates, nme, faces, stepping.as_secs_f64()];
    NAMES.into_iter().map(str::to_owned).zip(values).collect()
}

/// The inverse of [`pack`].
fn unpack(losses: &[(String, f64)]) -> (Sums, Duration) {
    let [squares, absolutes, hits, coordinates, nme, faces, stepping] =
        NAMES.map(|name| losses.iter().find(|(known, _)| known == name).map_or(0.0, |(_, value)| *value));
    let stepping = Duration::try_from_secs_f64(stepping).unwrap_or_default();
    (Sums { squares, absolutes, hits, coordinates, nme, faces }, stepping)
}

/// Names of the numbers that [`pack`] keeps.
const NAMES: [&str; 7] = ["squares", "absolutes", "hits", "coordinates", "nme", "faces", "stepping"];
