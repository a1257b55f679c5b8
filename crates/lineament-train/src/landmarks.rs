//! Training of landmark networks: crops of labelled faces and of what is not a face, and their loss.

use std::path::{Path, PathBuf};

use lineament::geometry::CropFrame;
use lineament::topology::{self, FIRST_INNER_POINT, POINTS};
use lineament::{Crop, CropRule, Normalisation, Point, Rect};
use lineament_data::dataset::{self, Sample};
use lineament_data::{GreyPhoto, Jitter, Photo, augment, boxes};
use lineament_nn::engine::Engine;
use lineament_nn::model::{Metadata, Model, Op, Role, Shape, key};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::config::Config;
use crate::error::Result;
use crate::export::Folded;
use crate::graph::Graph;
use crate::mistakes::Judges;
use crate::networks::LANDMARK_OUTPUTS;
use crate::params::Params;
use crate::task::{Figures, Task, read_nonfaces, split};
use crate::trainer::Outputs;

/// Weight of the plain distance beside the likelihood. The likelihood alone cares little for points that it calls
/// uncertain, such as the jaw; the plain distance cares for all alike. Chosen by trial.
const PLAIN_WEIGHT: f32 = 0.5;
/// Distance that the plain term is measured in: a typical error in the crop frame.
const PLAIN_UNIT: f32 = 0.03;
/// Weight of the face score's cross entropy.
const SCORE_WEIGHT: f32 = 0.5;
/// The logarithm of the expected error is kept in this range while training, so that no sample's weight explodes.
const LOG_ERROR_RANGE: (f32, f32) = (-5.5, 1.0);
/// First guess of the expected error, in the crop frame.
const INITIAL_ERROR: f32 = 0.1;

/// Factor on the heads' initial weights.
const INITIAL_HEAD_SCALE: f32 = 0.1;

/// A face with points in memory.
struct Face {
    path: PathBuf,
    photo: GreyPhoto,
    points: [Point; POINTS],
}

/// The faces of a folder, each with its name.
fn read_faces(dir: &Path) -> Result<Vec<(String, Face)>> {
    let read = |s: Sample| {
        let photo = Photo::open(&s.photo_path)?.grey();
        Ok((s.name, Face { path: s.photo_path, photo, points: s.points }))
    };
    dataset::read(dir)?.into_par_iter().map(read).collect()
}

/// Which photo.
#[derive(Clone, Copy)]
enum Which {
    Nonface(usize),
    Train(usize),
}

/// The landmark task.
pub struct Landmarks {
    config: Config,
    side: usize,
    train: Vec<Face>,
    validation: Vec<Face>,
    /// With a larger network's points.
    taught: Vec<Face>,
    nonfaces: Vec<GreyPhoto>,
    /// Where earlier models see faces that are none.
    mistakes: Vec<(Which, Crop)>,
}

impl Landmarks {
    /// Reads all photos into memory (grey, about 200 KB each).
    ///
    /// # Errors
    /// When photos or points cannot be read.
    pub fn new(config: &Config, side: usize) -> Result<Self> {
        let (train, validation) = split(read_faces(&config.photos)?, config)?;
        let taught = config.taught.as_deref().map(read_faces).transpose()?.unwrap_or_default();
        let taught = taught.into_iter().map(|(_, face)| face).collect();
        let nonfaces = read_nonfaces(config)?;
        let mistakes = match Judges::read(config)? {
            Some(judges) => mistakes(&judges, config, &nonfaces, &train)?,
            None => Vec::new(),
        };
        Ok(Self { config: config.clone(), side, train, validation, taught, nonfaces, mistakes })
    }

    /// Cuts `crop` of a face into `input`; the points in the crop frame.
    fn cut(&self, face: &Face, crop: &Crop, input: &mut [f32]) -> [Point<CropFrame>; POINTS] {
        crop.sample_into(&face.photo.view(), self.side, input);
        let crop_from_image = crop.image_from_crop().inverse();
        face.points.map(|p| crop_from_image * p)
    }

    /// A crop without a face: where earlier models err, anywhere in a photo without faces, or beside the face.
    fn cut_nonface(&self, face: &Face, rng: &mut Pcg64, input: &mut [f32]) {
        if !self.mistakes.is_empty() && rng.random_bool(0.5) {
            let (which, crop) = self.mistakes[rng.random_range(0..self.mistakes.len())];
            let photo = match which {
                Which::Nonface(index) => &self.nonfaces[index],
                Which::Train(index) => &self.train[index].photo,
            };
            let crop = self.config.jitter.jitter(&crop, rng);
            return crop.sample_into(&photo.view(), self.side, input);
        }
        let roll_rad = rng.random_range(-0.8..0.8);
        if !self.nonfaces.is_empty() && rng.random_bool(0.8) {
            let photo = &self.nonfaces[rng.random_range(0..self.nonfaces.len())];
            let (w, h) = (photo.width as f32, photo.height as f32);
            let side = w.min(h) * rng.random_range(0.1f32..1.0).powf(0.7);
            let center = Point::new(rng.random_range(0.0..w), rng.random_range(0.0..h));
            Crop { center, side, roll_rad }.sample_into(&photo.view(), self.side, input);
        } else {
            let near = Crop::from_points(&face.points);
            let angle: f32 = rng.random_range(-3.2..3.2);
            // From 0.6 sides on, less than half of the face is left in the crop.
            let away = near.side * rng.random_range(0.6..1.0);
            let center = Point::new(near.center.x + away * angle.cos(), near.center.y + away * angle.sin());
            let crop = Crop { center, side: near.side * rng.random_range(0.5..1.3), roll_rad };
            crop.sample_into(&face.photo.view(), self.side, input);
        }
    }

    /// Runs `visit` on the outputs of the network for each validation face, in parallel: those of its second look, after
    /// a first one at a crop as a detector gives it.
    fn on_validation<R: Send>(&self, file: &[u8], visit: impl Fn(&Validated) -> R + Sync) -> Result<Vec<R>> {
        let engine = Engine::new(&Model::parse(file)?)?;
        let run = |engine: &mut Engine, (index, face): (usize, &Face)| {
            let mut rng = Pcg64::seed_from_u64(index as u64);
            let first = Jitter { close_share: 0.0, ..self.config.jitter.clone() };
            let mut crop = first.jitter(&Crop::from_points(&face.points), &mut rng);
            let mut truth = [Point::default(); POINTS];
            for look in 0..LOOKS {
                engine.run(|input| {
                    truth = self.cut(face, &crop, input);
                    Normalisation::Standardise.apply(input);
                });
                if let (true, Some((points, _))) = (look + 1 < LOOKS, engine.output(LANDMARK_OUTPUTS[0])) {
                    let seen: [Point<CropFrame>; POINTS] =
                        std::array::from_fn(|i| Point::new(points[2 * i], points[2 * i + 1]));
                    let image_from_crop = crop.image_from_crop();
                    crop = Crop::from_points(&seen.map(|p| image_from_crop * p));
                }
            }
            let output = |k: usize| engine.output(LANDMARK_OUTPUTS[k]).map_or(&[][..], |(values, _)| values);
            visit(&Validated { truth: &truth, points: output(0), log_errors: output(1), score: output(2) })
        };
        Ok(self.validation.par_iter().enumerate().map_init(|| engine.clone(), run).collect())
    }
}

/// Looks at a validation face: as many as the library takes at a photo.
const LOOKS: usize = 2;

/// The network's outputs for one validation face, in the crop frame.
struct Validated<'a> {
    truth: &'a [Point<CropFrame>; POINTS],
    points: &'a [f32],
    log_errors: &'a [f32],
    score: &'a [f32],
}

impl Validated<'_> {
    /// Distance of each point to the true one.
    fn distances(&self) -> [f32; POINTS] {
        std::array::from_fn(|i| self.truth[i].distance(Point::new(self.points[2 * i], self.points[2 * i + 1])))
    }
}

/// What the models take for faces in photos without any, and beside the faces of photos in which all are known.
fn mistakes(judges: &Judges, config: &Config, nonfaces: &[GreyPhoto], train: &[Face]) -> Result<Vec<(Which, Crop)>> {
    let in_nonfaces = nonfaces.par_iter().enumerate().map_init(
        || judges.clone(),
        |judges, (index, photo)| {
            judges.mistakes(photo, &[]).into_iter().map(|crop| (Which::Nonface(index), crop)).collect()
        },
    );
    let mut found: Vec<Vec<_>> = in_nonfaces.collect();
    if let Some(table) = &config.boxes {
        let table = boxes::read(table)?;
        let beside = train.par_iter().enumerate().map_init(
            || judges.clone(),
            |judges, (index, face)| {
                let mut faces: Vec<Rect> = Rect::bounding(&face.points).into_iter().collect();
                faces.extend(boxes::of_photo(&table, &face.path).iter().map(|row| row.rect));
                let crops = judges.mistakes(&face.photo, &faces).into_iter();
                crops.map(|crop| (Which::Train(index), crop)).collect()
            },
        );
        found.extend(beside.collect::<Vec<Vec<_>>>());
    }
    Ok(found.concat())
}

/// A face in the crop; `None` where there is none.
pub type Target = Option<Box<Truth>>;

/// A face's points in the crop.
pub struct Truth {
    points: [Point<CropFrame>; POINTS],
    /// A larger network's: they say nothing of how far off a network is.
    is_taught: bool,
}

impl Task for Landmarks {
    type Target = Target;

    fn len(&self) -> usize {
        self.train.len()
    }

    fn init(&self, graph: &Graph, params: &mut Params) {
        let mut mean = [(0.0f32, 0.0f32); POINTS];
        for face in &self.train {
            let crop_from_image = Crop::from_points(&face.points).image_from_crop().inverse();
            for (m, p) in mean.iter_mut().zip(face.points.map(|p| crop_from_image * p)) {
                *m = (m.0 + p.x / self.train.len() as f32, m.1 + p.y / self.train.len() as f32);
            }
        }
        for (i, layer) in graph.architecture.layers.iter().enumerate().filter(|(_, l)| l.op == Op::PositionBias) {
            // A cell that has learned nothing yet means itself.
            let Shape { height, width, channels } = graph.shapes[layer.input];
            let centre = |at: usize, cells: usize| (2.0 * at as f32 + 1.0) / cells as f32 - 1.0;
            let cells = params.values[graph.layout.tensors[i][0].clone()].chunks_exact_mut(channels);
            for (cell, values) in cells.enumerate() {
                let (x, y) = (centre(cell % width, width), centre(cell / width, height));
                values.chunks_exact_mut(2).for_each(|v| v.copy_from_slice(&[x, y]));
            }
        }
        for output in &graph.architecture.outputs {
            let Some(head) = graph.architecture.head(&output.name) else { continue };
            let [weights, bias] = [0, 1].map(|k: usize| graph.layout.tensors[head][k].clone());
            // Small at first, so that training starts from the mean shape and not from noise about it.
            params.values[weights].iter_mut().for_each(|w| *w *= INITIAL_HEAD_SCALE);
            match output.name.as_str() {
                "points" => {
                    mean.iter().zip(params.values[bias].chunks_exact_mut(2)).for_each(|(m, b)| (b[0], b[1]) = *m)
                }
                "log_errors" => params.values[bias].fill(INITIAL_ERROR.ln()),
                _ => (),
            }
        }
    }

    fn sample(&self, index: usize, rng: &mut Pcg64, input: &mut [f32]) -> Target {
        let face = &self.train[index];
        let target = if rng.random_bool(self.config.nonface_share) {
            self.cut_nonface(face, rng, input);
            None
        } else {
            let is_taught = !self.taught.is_empty() && rng.random_bool(self.config.taught_share);
            let face = if is_taught { &self.taught[rng.random_range(0..self.taught.len())] } else { face };
            let crop = self.config.jitter.jitter(&Crop::from_points(&face.points), rng);
            let mut points = self.cut(face, &crop, input);
            if rng.random_bool(0.5) {
                augment::mirror_rows(input, self.side);
                points = augment::mirror_points(&points, 0.0);
            }
            Some(Box::new(Truth { points, is_taught }))
        };
        self.config.photometric.apply(input, self.side, self.side, rng);
        Normalisation::Standardise.apply(input);
        target
    }

    fn loss(&self, targets: Vec<Target>, outputs: &Outputs, gradients: &mut [Vec<f32>], batch: usize) -> Figures {
        let [d_points, d_errors, d_scores] = gradients else { unreachable!("three outputs") };
        let share = 1.0 / batch as f32;
        let (mut likelihood, mut distance, mut cross_entropy) = (0.0, 0.0, 0.0);
        for (n, target) in targets.iter().enumerate() {
            let logit = outputs.get(2)[n];
            let label = if target.is_some() { 1.0 } else { 0.0 };
            let probability = 1.0 / (1.0 + (-logit).exp());
            cross_entropy += share * (logit.max(0.0) - logit * label + (-logit.abs()).exp().ln_1p());
            d_scores[n] = SCORE_WEIGHT * share * (probability - label);
            let Some(truth) = target else { continue };
            let of_point = share / POINTS as f32;
            for (i, point) in truth.points.iter().enumerate() {
                let (at, log_at) = ((n * POINTS + i) * 2, n * POINTS + i);
                let (dx, dy) = (outputs.get(0)[at] - point.x, outputs.get(0)[at + 1] - point.y);
                // The square root's slope is infinite at 0.
                let r = (dx * dx + dy * dy + 1e-10).sqrt();
                let raw = outputs.get(1)[log_at];
                let log_error = raw.clamp(LOG_ERROR_RANGE.0, LOG_ERROR_RANGE.1);
                let inverse = (-log_error).exp();
                // A density of the distance r of exp(-2 r / e) has the mean e; its negative logarithm, halved.
                likelihood += of_point * (r * inverse + log_error);
                distance += of_point * r;
                let slope = of_point * (inverse + PLAIN_WEIGHT / PLAIN_UNIT) / r;
                (d_points[at], d_points[at + 1]) = (slope * dx, slope * dy);
                // Beyond the range the gradient may only lead back.
                let d_error = of_point * (1.0 - r * inverse);
                let leads_out = (raw > log_error && d_error < 0.0) || (raw < log_error && d_error > 0.0);
                d_errors[log_at] = if leads_out || truth.is_taught { 0.0 } else { d_error };
            }
        }
        let whole = likelihood + PLAIN_WEIGHT / PLAIN_UNIT * distance + SCORE_WEIGHT * cross_entropy;
        vec![("loss", whole), ("distance", distance), ("likelihood", likelihood), ("score_loss", cross_entropy)]
    }

    fn calibrate(&self, folded: &mut Folded) -> Result<()> {
        if self.validation.is_empty() {
            return Ok(());
        }
        let file = crate::export::write(folded, &Metadata::new(Role::Landmarks))?;
        let ratios = self.on_validation(&file, |v| {
            let expected: f32 = v.log_errors.iter().map(|l| l.exp()).sum();
            (v.distances().iter().sum::<f32>(), expected)
        })?;
        let (measured, expected) = ratios.iter().fold((0.0, 0.0), |(m, e), r| (m + r.0, e + r.1));
        if let Some([_, (_, bias)]) = folded.output_layer_mut("log_errors").map(Vec::as_mut_slice) {
            let shift = (measured / expected).ln();
            bias.iter_mut().filter(|_| shift.is_finite()).for_each(|b| *b += shift);
        }
        Ok(())
    }

    fn validate(&self, file: &[u8]) -> Result<Figures> {
        if self.validation.is_empty() {
            return Ok(Vec::new());
        }
        let results = self.on_validation(file, |v| {
            let percent = 100.0 / topology::inter_ocular(v.truth);
            let distances = v.distances();
            let mean = |d: &[f32]| d.iter().sum::<f32>() / d.len() as f32 * percent;
            let kept = if v.score.first().is_some_and(|s| *s > 0.0) { 1.0 } else { 0.0 };
            [mean(&distances), mean(&distances[FIRST_INNER_POINT..]), kept]
        })?;
        let mean = |k: usize| results.iter().map(|r| r[k]).sum::<f32>() / results.len() as f32;
        Ok(vec![("nme68", mean(0)), ("nme51", mean(1)), ("kept", mean(2))])
    }

    fn describe(&self, metadata: &mut Metadata) {
        metadata.set(key::TOPOLOGY, "ibug68");
        metadata.set(key::CROP, CropRule::STANDARD.to_string());
        metadata.set(
            key::OUTPUTS,
            "points: x, y of each point, -1 to 1 over the crop; log_errors: natural logarithm of the expected distance \
             in the same units; score: log-odds of a face",
        );
    }
}
