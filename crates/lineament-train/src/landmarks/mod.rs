//! Training of landmark networks: crops of labelled faces and crops without a face, and their loss.

pub mod loss;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineament::models::DETECTOR;
use lineament::stages::CropFrame;
use lineament::topology::Topology;
use lineament::{Crop, CropRule, Lineament, Normalisation, Options, Point, Rect};
use lineament_data::dataset::{self, Sample};
use lineament_data::evaluate::metrics::{mean, nme, nme51, point_errors, unit};
use lineament_data::{GreyPhoto, Jitter, Photo, augment, boxes};
use lineament_nn::model::{Metadata, Model, Op, Shape, key};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::calibrate::scale_errors;
use crate::config::Config;
use crate::error::Result;
use crate::graph::Graph;
use crate::hard_negatives::Miner;
use crate::params::Params;
use crate::task::{Figures, Task, read_nonfaces, split};
use crate::trainer::Outputs;
use loss::{Predicted, Target, Truth};

/// First guess of the expected error, in the crop frame.
pub const INITIAL_ERROR: f32 = 0.1;

/// Factor on the heads' initial weights.
pub const INITIAL_HEAD_SCALE: f32 = 0.1;

/// Of the samples without a face, the share that are hard negatives, where there are any.
const HARD_NEGATIVE_SHARE: f64 = 0.5;
/// Of the others, the share from photos without faces, where there are any; the rest are crops next to a face.
const NONFACE_PHOTO_SHARE: f64 = 0.8;
/// Crops without a face are turned evenly by up to this angle either way: as far as crops of faces are.
const NONFACE_ROLL_RAD: f32 = 0.8;
/// Sides of crops in photos without faces, in shorter sides of the photo.
const NONFACE_SIDES: (f32, f32) = (0.1, 1.0);
/// Exponent of an even draw from these sides: below 1, larger crops are more common.
const NONFACE_SIDE_POWER: f32 = 0.7;
/// How far the centre of a crop next to a face lies from that of the face's crop, in sides of the latter. From 0.6
/// on, less than half of the face is left in the crop.
const NEIGHBOUR_SHIFTS: (f32, f32) = (0.6, 1.0);
/// Sides of such crops, in sides of the face's crop.
const NEIGHBOUR_SIDES: (f32, f32) = (0.5, 1.3);
/// How often such a crop is drawn anew because it shows another labelled object.
const NEIGHBOUR_DRAWS: usize = 20;
/// Directions of such crops: a whole turn.
const NEIGHBOUR_ANGLE_RAD: f32 = 3.2;

/// A labelled object in memory, a face by default.
#[derive(Clone)]
struct Face {
    /// Shared by the objects of one photo.
    photo: Arc<GreyPhoto>,
    label: Sample,
    /// Boxes of the photo's other labelled objects.
    others: Vec<Rect>,
}

/// The labelled objects of a folder or a label table, each with its photo's name.
fn read_faces(path: &Path, topology: &Topology) -> Result<Vec<(String, Face)>> {
    let samples = dataset::read(path, topology)?;
    let mut paths: Vec<&PathBuf> = samples.iter().map(|sample| &sample.photo_path).collect();
    paths.sort();
    paths.dedup();
    let open = |path: &PathBuf| Ok((path.clone(), Arc::new(Photo::open(path)?.grey())));
    let photos = paths.into_par_iter().map(open).collect::<Result<HashMap<_, _>>>()?;
    let mut rects: HashMap<&PathBuf, Vec<Rect>> = HashMap::new();
    samples.iter().for_each(|label| rects.entry(&label.photo_path).or_default().push(label.rect(topology)));
    let face = |label: &Sample| {
        let (own, mut others) = (label.rect(topology), rects[&label.photo_path].clone());
        others.retain(|other| *other != own);
        (label.name.clone(), Face { photo: photos[&label.photo_path].clone(), label: label.clone(), others })
    };
    Ok(samples.iter().map(face).collect())
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
    topology: Topology,
    side: usize,
    train: Vec<Face>,
    validation: Vec<Face>,
    /// With points of a larger network.
    pseudo_labelled: Vec<Face>,
    nonfaces: Vec<GreyPhoto>,
    /// Crops without a face that earlier models take for faces.
    hard_negatives: Vec<(Which, Crop)>,
}

impl Landmarks {
    /// Reads all photos into memory (grey, about 200 KB each).
    ///
    /// # Errors
    /// When photos or points cannot be read.
    pub fn new(config: &Config, side: usize) -> Result<Self> {
        let topology = config.topology()?;
        let read = |path: &Path| read_faces(path, &topology);
        let (train, validation) = split(read(&config.photos)?, config)?;
        let pseudo_labelled = config.pseudo_labelled.as_deref().map(read).transpose()?.unwrap_or_default();
        let pseudo_labelled = pseudo_labelled.into_iter().map(|(_, face)| face).collect();
        let nonfaces = read_nonfaces(config)?;
        let hard_negatives = match Miner::read(config)? {
            Some(miner) => mine(&miner, config, &topology, &nonfaces, &train)?,
            None => Vec::new(),
        };
        let config = config.clone();
        Ok(Self { config, topology, side, train, validation, pseudo_labelled, nonfaces, hard_negatives })
    }

    /// Samples the pixels of `crop` around a face into `input`; answers the points in the crop frame.
    fn cut(&self, face: &Face, crop: &Crop, input: &mut [f32]) -> Vec<Point<CropFrame>> {
        crop.sample_into(&face.photo.view(), self.side, input);
        points_in(crop, face)
    }

    /// A crop without a face: a hard negative, any crop of a photo without faces, or one next to `face`.
    fn cut_nonface(&self, face: &Face, rng: &mut Pcg64, input: &mut [f32]) {
        if !self.hard_negatives.is_empty() && rng.random_bool(HARD_NEGATIVE_SHARE) {
            let (which, crop) = self.hard_negatives[rng.random_range(0..self.hard_negatives.len())];
            let photo = match which {
                Which::Nonface(index) => &self.nonfaces[index],
                Which::Train(index) => &self.train[index].photo,
            };
            let crop = self.config.jitter.jitter(&crop, rng);
            return crop.sample_into(&photo.view(), self.side, input);
        }
        let roll_rad = rng.random_range(-NONFACE_ROLL_RAD..NONFACE_ROLL_RAD);
        if !self.nonfaces.is_empty() && rng.random_bool(NONFACE_PHOTO_SHARE) {
            let photo = &self.nonfaces[rng.random_range(0..self.nonfaces.len())];
            let (w, h) = (photo.width as f32, photo.height as f32);
            let side = w.min(h) * rng.random_range(NONFACE_SIDES.0..NONFACE_SIDES.1).powf(NONFACE_SIDE_POWER);
            let center = Point::new(rng.random_range(0.0..w), rng.random_range(0.0..h));
            Crop { center, side, roll_rad }.sample_into(&photo.view(), self.side, input);
        } else {
            let near = face.label.crop(&self.topology);
            let mut neighbour = || {
                let angle = rng.random_range(-NEIGHBOUR_ANGLE_RAD..NEIGHBOUR_ANGLE_RAD);
                let shift = near.side * rng.random_range(NEIGHBOUR_SHIFTS.0..NEIGHBOUR_SHIFTS.1);
                let center = Point::new(near.center.x + shift * angle.cos(), near.center.y + shift * angle.sin());
                let side = near.side * rng.random_range(NEIGHBOUR_SIDES.0..NEIGHBOUR_SIDES.1);
                Crop { center, side, roll_rad }
            };
            // Not one that shows another object of the photo; where all do, as in a crowd, the last one.
            let shows_another = |crop: &Crop| face.others.iter().any(|other| overlaps(crop, other));
            let mut crop = neighbour();
            for _ in 1..NEIGHBOUR_DRAWS {
                if !shows_another(&crop) {
                    break;
                }
                crop = neighbour();
            }
            crop.sample_into(&face.photo.view(), self.side, input);
        }
    }

    /// Places the points of each validation face with the model `file` through the public library, from a crop as a
    /// detector gives it, and runs `visit` on the result; in parallel.
    fn on_validation<R: Send>(
        &self,
        file: &[u8],
        visit: impl Fn(&Face, &lineament::Landmarks) -> R + Sync,
    ) -> Result<Vec<R>> {
        // The detector is not run: the crops come from the true points.
        let lineament = Lineament::with_models(Options::default(), DETECTOR, file)?;
        let jitter = Jitter { close_share: 0.0, ..self.config.jitter.clone() };
        let place = |lineament: &mut Lineament, (index, face): (usize, &Face)| {
            let mut rng = Pcg64::seed_from_u64(index as u64);
            let crop = jitter.jitter(&face.label.crop(&self.topology), &mut rng);
            visit(face, &lineament.landmarks(&face.photo.view(), &crop))
        };
        Ok(self.validation.par_iter().enumerate().map_init(|| lineament.clone(), place).collect())
    }
}

/// Whether the upright square around a crop covers more than a twentieth of a box.
fn overlaps(crop: &Crop, rect: &Rect) -> bool {
    let side = crop.side * (crop.roll_rad.cos().abs() + crop.roll_rad.sin().abs());
    Rect::from_center_size(crop.center, side, side).intersection(rect).area() > 0.05 * rect.area()
}

/// The points of a face in the frame of a crop.
fn points_in(crop: &Crop, face: &Face) -> Vec<Point<CropFrame>> {
    let crop_from_image = crop.image_from_crop().inverse();
    face.label.points.iter().map(|&p| crop_from_image * p).collect()
}

/// Hard negatives in photos without faces, and next to the faces of photos in which all faces are known.
fn mine(
    miner: &Miner,
    config: &Config,
    topology: &Topology,
    nonfaces: &[GreyPhoto],
    train: &[Face],
) -> Result<Vec<(Which, Crop)>> {
    let in_nonfaces = nonfaces.par_iter().enumerate().map_init(
        || miner.clone(),
        |miner, (index, photo)| miner.mine(photo, &[]).into_iter().map(|crop| (Which::Nonface(index), crop)).collect(),
    );
    let mut found: Vec<Vec<_>> = in_nonfaces.collect();
    if let Some(table) = &config.boxes {
        let table = boxes::read(table)?;
        let next_to_faces = train.par_iter().enumerate().map_init(
            || miner.clone(),
            |miner, (index, face)| {
                let mut faces = vec![face.label.rect(topology)];
                faces.extend(&face.others);
                faces.extend(boxes::of_photo(&table, &face.label.photo_path).iter().map(|row| row.rect));
                let crops = miner.mine(&face.photo, &faces).into_iter();
                crops.map(|crop| (Which::Train(index), crop)).collect()
            },
        );
        found.extend(next_to_faces.collect::<Vec<Vec<_>>>());
    }
    Ok(found.concat())
}

impl Task for Landmarks {
    type Target = Target;

    fn len(&self) -> usize {
        self.train.len()
    }

    fn init(&self, graph: &Graph, params: &mut Params) {
        let mut mean = vec![(0.0f32, 0.0f32); self.topology.len()];
        // How many training faces have a label of each point.
        let is_labelled = |face: &Face, i: usize| face.label.points[i].is_finite();
        let labelled = |i: usize| self.train.iter().filter(|face| is_labelled(face, i)).count();
        let counts: Vec<f32> = (0..mean.len()).map(|i| labelled(i).max(1) as f32).collect();
        for face in &self.train {
            let points = points_in(&face.label.crop(&self.topology), face);
            for (i, p) in points.iter().enumerate().filter(|(i, _)| is_labelled(face, *i)) {
                mean[i] = (mean[i].0 + p.x / counts[i], mean[i].1 + p.y / counts[i]);
            }
        }
        for (i, layer) in graph.architecture.layers.iter().enumerate().filter(|(_, l)| l.op == Op::PositionBias) {
            // An untrained cell votes for its own position.
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
            let others = &self.pseudo_labelled;
            let is_pseudo_label = !others.is_empty() && rng.random_bool(self.config.pseudo_labelled_share);
            let face = if is_pseudo_label { &others[rng.random_range(0..others.len())] } else { face };
            let crop = self.config.jitter.jitter(&face.label.crop(&self.topology), rng);
            let mut points = self.cut(face, &crop, input);
            if rng.random_bool(0.5) && !self.topology.is_chiral() {
                augment::mirror_rows(input, self.side);
                points = augment::mirror_points(&self.topology, &points, 0.0);
            }
            Some(Box::new(Truth { points, is_pseudo_label }))
        };
        self.config.photometric.apply(input, self.side, self.side, rng);
        Normalisation::Standardise.apply(input);
        target
    }

    fn loss(&self, targets: Vec<Target>, outputs: &Outputs, gradients: &mut [Vec<f32>], batch: usize) -> Figures {
        let predicted = Predicted { points: outputs.get(0), log_errors: outputs.get(1), scores: outputs.get(2) };
        loss::loss(&targets, predicted, gradients, batch)
    }

    /// Scales the expected errors so that they are as large as the measured ones in the mean over the validation faces.
    fn calibrate(&self, file: Vec<u8>) -> Result<Vec<u8>> {
        let sums = self.on_validation(&file, |face, placed| {
            let unit = unit(&self.topology, &face.label.points) as f32;
            let pairs = face.label.points.iter().zip(&placed.points).zip(&placed.errors);
            let labelled = pairs.filter(|((truth, _), _)| truth.is_finite());
            let sums = labelled.map(|((truth, point), error)| (truth.distance(*point), *error));
            let (measured, expected) = sums.fold((0.0, 0.0), |(m, e): (f32, f32), sum| (m + sum.0, e + sum.1));
            (measured / unit, expected / unit)
        })?;
        let (measured, expected) = sums.iter().fold((0.0, 0.0), |(m, e), sum| (m + sum.0, e + sum.1));
        let factor = measured / expected;
        if !(factor.is_finite() && factor > 0.0) {
            return Ok(file); // no validation faces, or points that are nowhere
        }
        Ok(scale_errors(&Model::parse(&file)?, factor)?.to_bytes()?)
    }

    fn validate(&self, file: &[u8]) -> Result<Figures> {
        if self.validation.is_empty() {
            return Ok(Vec::new());
        }
        let least_score = Options::default().face_threshold;
        let results = self.on_validation(file, |face, placed| {
            let errors = point_errors(&self.topology, &placed.points, &face.label.points);
            let kept = if placed.score >= least_score { 1.0 } else { 0.0 };
            [nme(&errors), nme51(&self.topology, &errors).unwrap_or(0.0), kept]
        })?;
        let mean_of = |k: usize| mean(&results.iter().map(|r| r[k]).collect::<Vec<_>>()) as f32;
        Ok(match self.topology.is_ibug68() {
            true => vec![("nme68", mean_of(0)), ("nme51", mean_of(1)), ("kept", mean_of(2))],
            false => vec![("nme", mean_of(0)), ("kept", mean_of(2))],
        })
    }

    fn describe(&self, metadata: &mut Metadata) {
        self.topology.describe(metadata);
        metadata.set(key::CROP, CropRule::STANDARD.to_string());
        metadata.set(
            key::OUTPUTS,
            "points: x, y of each point, -1 to 1 over the crop; log_errors: natural logarithm of the expected distance \
             in the same units; score: log-odds of a face",
        );
    }
}

#[cfg(test)]
mod tests {
    use lineament::Landmarks as Placed;
    use lineament::models::LITE;

    use super::*;

    /// A task whose only validation face has the points that the shipped network places, moved by `(x, y)` pixels.
    fn task(x: f32, y: f32) -> Landmarks {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/astronaut.jpg");
        let photo = Photo::open(&path).unwrap().grey();
        let mut lineament = Lineament::new(Options::default()).unwrap();
        let landmarks = lineament.faces(&photo.view())[0].landmarks.clone();
        let points = landmarks.points.iter().map(|p| Point::new(p.x + x, p.y + y)).collect();
        let label = Sample { name: "astronaut".into(), photo_path: path, points, rect: None };
        let (topology, validation) =
            (landmarks.topology, vec![Face { photo: photo.into(), label, others: Vec::new() }]);
        let (train, pseudo_labelled, nonfaces, hard_negatives) = Default::default();
        let config = Config::default();
        Landmarks { config, topology, side: 112, train, validation, pseudo_labelled, nonfaces, hard_negatives }
    }

    /// What the public library says of the validation face, from the crop of the first validation photo.
    fn placed(task: &Landmarks, file: &[u8]) -> Placed {
        task.on_validation(file, |_, placed| placed.clone()).unwrap().remove(0)
    }

    #[test]
    fn a_file_is_validated_through_the_public_library_with_all_its_passes() {
        let task = task(0.0, 0.0);
        let face = &task.validation[0];
        let jitter = Jitter { close_share: 0.0, ..Jitter::default() };
        let crop = jitter.jitter(&face.label.crop(&task.topology), &mut Pcg64::seed_from_u64(0));
        let mut lineament = Lineament::new(Options::default()).unwrap();
        assert_eq!(placed(&task, LITE), lineament.landmarks(&face.photo.view(), &crop));
        let figures = task.validate(LITE).unwrap();
        assert_eq!(figures.iter().map(|f| f.0).collect::<Vec<_>>(), ["nme68", "nme51", "kept"]);
        assert!(figures[0].1 < 2.0 && figures[1].1 < 2.0, "points from another crop are nearly the same: {figures:?}");
        assert_eq!(figures[2].1, 1.0, "the library takes it for a face");
    }

    #[test]
    fn a_crop_next_to_a_face_shows_no_other_labelled_object() {
        // A grey photo with a white square to the right of the face, which is labelled, too.
        let mut task = task(0.0, 0.0);
        let face = &task.validation[0];
        let near = face.label.crop(&task.topology);
        let rect = Rect::from_center_size(Point::new(near.center.x + near.side, near.center.y), 40.0, 40.0);
        let (width, height) = (face.photo.width, face.photo.height);
        let white = |i: usize| rect.contains(Point::new((i % width) as f32, (i / width) as f32));
        let pixels = (0..width * height).map(|i| if white(i) { 255 } else { 90 }).collect();
        let photo = Arc::new(GreyPhoto { pixels, width, height });
        task.validation = vec![Face { photo, label: face.label.clone(), others: vec![rect] }];
        let brightest = |task: &Landmarks| {
            let (mut rng, mut input) = (Pcg64::seed_from_u64(3), vec![0.0; 112 * 112]);
            let bright = (0..200).filter(|_| {
                task.cut_nonface(&task.validation[0], &mut rng, &mut input);
                input.iter().filter(|v| **v > 200.0).count() > 400
            });
            bright.count()
        };
        assert_eq!(brightest(&task), 0);
        task.validation[0].others.clear();
        assert!(brightest(&task) > 10, "the square would be seen");
    }

    #[test]
    fn a_face_counts_as_kept_by_the_threshold_of_the_library() {
        // Next to the face, where no crop shows one.
        let figures = task(-150.0, 250.0).validate(LITE).unwrap();
        assert!(figures[0].1 > 50.0 && figures[2].1 == 0.0, "{figures:?}");
        // The network's own face score says yes, the expected errors say no: so does the library.
        let doubtful = scale_errors(&Model::parse(LITE).unwrap(), 30.0).unwrap().to_bytes().unwrap();
        assert_eq!(task(0.0, 0.0).validate(&doubtful).unwrap()[2].1, 0.0);
    }

    #[test]
    fn a_calibrated_file_expects_the_measured_errors_whatever_it_expected_before() {
        // Points that are off by a tenth of the eye distance and more.
        let task = task(3.0, 4.0);
        let distance = |placed: &Placed| -> f32 {
            task.validation[0].label.points.iter().zip(&placed.points).map(|(a, b)| a.distance(*b)).sum()
        };
        for factor in [0.3, 1.0, 4.0] {
            let file = scale_errors(&Model::parse(LITE).unwrap(), factor).unwrap().to_bytes().unwrap();
            let calibrated = task.calibrate(file).unwrap();
            let placed = placed(&task, &calibrated);
            let ratio = distance(&placed) / placed.errors.iter().sum::<f32>();
            assert!((ratio - 1.0).abs() < 1e-3, "{factor}: {ratio}");
        }
        let nobody = Landmarks { validation: Vec::new(), ..self::task(0.0, 0.0) };
        assert_eq!(nobody.calibrate(LITE.to_vec()).unwrap(), LITE, "without validation photos the file stays as it is");
    }
}
