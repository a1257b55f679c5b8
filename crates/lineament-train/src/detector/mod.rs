//! Training of the detector: scenes of every face size, one loss over three grids.

mod loss;
mod pyramid;
mod scene;

use std::collections::BTreeMap;
use std::path::Path;

use lineament::Similarity;
use lineament::stages::{Detector, GRIDS, ImageFrame, PixelFrame, SAME_FACE_IOU, SMALLEST_FACE, sample};
use lineament::topology::Topology;
use lineament::{ImageView, Normalisation, Rect};
use lineament_data::evaluate::MATCH_IOU;
use lineament_data::{BoxRow, GreyPhoto, Sample, boxes, dataset};
use lineament_nn::model::{Metadata, Model, key};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::params::Params;
use crate::task::{Figures, Task, read_nonfaces, split};
use crate::trainer::Outputs;
use loss::Parts;
use pyramid::Pyramid;
use scene::{Known, Photo, Sources};

/// Initial log-odds of a face in a cell: faces are rare, and a start from even odds would be spent on learning that.
const INITIAL_LOGIT: f32 = -3.0;

/// Side of the face in photos that validation shrinks.
const SMALL_FACE: f32 = 1.4 * SMALLEST_FACE;

/// The detector task.
pub struct DetectorTask {
    config: Config,
    topology: Topology,
    side: usize,
    train: Vec<Photo>,
    validation: Vec<Photo>,
    nonfaces: Vec<Pyramid>,
}

impl DetectorTask {
    /// Reads all photos into memory (grey, about 200 KB each). Scenes are `side` by `side` pixels.
    ///
    /// # Errors
    /// When photos, points or the box table cannot be read.
    pub fn new(config: &Config, side: usize) -> Result<Self> {
        let topology = config.topology()?;
        let table = match &config.boxes {
            Some(table) => boxes::read(table)?,
            // A label table names all objects.
            None if config.photos.is_file() => BTreeMap::new(),
            None => {
                return Err(Error::Config("boxes: the detector needs the table of all faces in the photos".into()));
            }
        };
        let samples = dataset::read(&config.photos, &topology)?;
        let photos = samples
            .chunk_by(|a, b| a.photo_path == b.photo_path)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|samples| {
                let (name, path) = (samples[0].name.clone(), &samples[0].photo_path);
                let grey = lineament_data::Photo::open(path)?.grey();
                let mut faces: Vec<Known> = samples.iter().map(|sample| labelled(&topology, sample)).collect();
                let others = unlabelled(&table, path);
                faces.extend(others.filter(|other| samples.iter().all(|s| is_another(other, &s.rect(&topology)))));
                Ok((name, Photo { pixels: Pyramid::new(grey), faces }))
            })
            .collect::<Result<Vec<_>>>()?;
        let (train, validation) = split(photos, config)?;
        let nonfaces = read_nonfaces(config)?.into_iter().map(Pyramid::new).collect();
        Ok(Self { config: config.clone(), topology, side, train, validation, nonfaces })
    }
}

/// The photo's other faces. They have no points, only another detector's box, from hairline to chin. How the box of
/// the 68 points lies in such a box was measured on the faces that have both.
fn unlabelled(table: &BTreeMap<String, Vec<BoxRow>>, path: &Path) -> impl Iterator<Item = Known> {
    let rects = boxes::of_photo(table, path).iter().map(|row| {
        let Rect { x, y, width: w, height: h } = row.rect;
        Rect::from_xywh(x - 0.019 * w, y + 0.236 * h, 1.057 * w, 0.777 * h)
    });
    rects.map(|rect| Known { rect, points: None, ignored: false })
}

/// Whether a box is not that of the labelled face.
fn is_another(known: &Known, labelled: &Rect) -> bool {
    known.rect.iou(labelled) < SAME_FACE_IOU
}

/// A labelled face, with its five points where the topology has them and all have labels.
fn labelled(topology: &Topology, sample: &Sample) -> Known {
    let points = topology.five(&sample.points).filter(|points| points.iter().all(|p| p.is_finite()));
    Known { rect: sample.rect(topology), points, ignored: false }
}

impl Task for DetectorTask {
    type Target = Vec<Known>;

    fn len(&self) -> usize {
        self.train.len()
    }

    fn init(&self, graph: &Graph, params: &mut Params) {
        for output in &graph.architecture.outputs {
            let bias = graph.layout.tensors[output.value - 1][1].start;
            params.values[bias] = INITIAL_LOGIT;
        }
    }

    fn sample(&self, index: usize, rng: &mut Pcg64, input: &mut [f32]) -> Vec<Known> {
        let Config { nonface_share, turned_share, photometric, .. } = &self.config;
        let (photos, nonfaces) = (&self.train, &self.nonfaces);
        let (nonface_share, turned_share) = (*nonface_share, *turned_share);
        let sources = Sources { photos, nonfaces, nonface_share, turned_share, chiral: self.topology.is_chiral() };
        let faces = scene::draw(&sources, index, self.side, rng, input);
        photometric.apply(input, self.side, self.side, rng);
        Normalisation::Standardise.apply(input);
        faces
    }

    fn loss(&self, targets: Vec<Vec<Known>>, outputs: &Outputs, gradients: &mut [Vec<f32>], batch: usize) -> Figures {
        let mut assigned = Vec::new();
        let mut answering = 0;
        for faces in &targets {
            for (grid, (_, step)) in GRIDS.iter().enumerate() {
                let cells = loss::assign(faces, grid, self.side / step, self.side / step);
                answering += cells.iter().filter(|c| matches!(c, loss::Cell::Face(_))).count();
                assigned.push(cells);
            }
        }
        // The mean over cells that answer, over all groups.
        let share = targets.len() as f32 / batch as f32 / answering.max(1) as f32;
        let mut parts = Parts::default();
        for (n, faces) in targets.iter().enumerate() {
            for (grid, d) in gradients.iter_mut().enumerate() {
                let len = d.len() / targets.len();
                let outputs = &outputs.get(grid)[n * len..][..len];
                let cells = &assigned[n * GRIDS.len() + grid];
                let width = self.side / GRIDS[grid].1;
                loss::loss(cells, faces, grid, width, outputs, &mut d[n * len..][..len], share, &mut parts);
            }
        }
        vec![
            ("loss", parts.whole()),
            ("score_loss", parts.score),
            ("box_loss", parts.rect),
            ("point_loss", parts.points),
        ]
    }

    fn validate(&self, file: &[u8]) -> Result<Figures> {
        if self.validation.is_empty() {
            return Ok(Vec::new());
        }
        let detector = Detector::new(&Model::parse(file)?)?;
        let detect = |detector: &mut Detector, view: &ImageView, rect: &Rect| {
            let found = detector.detect(view, 0.5, None);
            let best = found.iter().map(|d| d.rect.iou(rect)).fold(0.0, f32::max);
            (best, found.len())
        };
        let visit = |detector: &mut Detector, photo: &Photo| {
            let labelled = photo.faces[0].rect;
            let (overlap, found) = detect(detector, &photo.pixels.photo().view(), &labelled);
            let scale = SMALL_FACE / labelled.width.max(labelled.height);
            let (small, rect) = shrunk(photo.pixels.photo(), scale, &labelled);
            let (small_overlap, _) = detect(detector, &small.view(), &rect);
            let (upside_down, rect) = turned_round(photo.pixels.photo(), &labelled);
            let (turned_overlap, _) = detect(detector, &upside_down.view(), &rect);
            let missed = |overlap: f32| if overlap >= MATCH_IOU { 0.0 } else { 100.0 };
            let surplus = found.saturating_sub(photo.faces.len()) as f32;
            [missed(overlap), missed(small_overlap), missed(turned_overlap), overlap, surplus]
        };
        let results: Vec<_> = self.validation.par_iter().map_init(|| detector.clone(), visit).collect();
        let mean = |k: usize| results.iter().map(|r| r[k]).sum::<f32>() / results.len() as f32;
        Ok(["missed", "missed_small", "missed_upside_down", "iou", "surplus"]
            .into_iter()
            .enumerate()
            .map(|(k, name)| (name, mean(k)))
            .collect())
    }

    fn describe(&self, metadata: &mut Metadata) {
        self.topology.describe(metadata);
        metadata.set(
            key::OUTPUTS,
            "grid8, grid16, grid32: cells 8, 16 and 32 pixels apart; log-odds of a face, its centre x, y, logarithms \
             of width and height, x, y of right eye, left eye, nose tip, right and left mouth corner; lengths in \
             cells, from the centre of the cell",
        );
    }
}

/// The photo upside down, and the box in it.
fn turned_round(photo: &GreyPhoto, rect: &Rect) -> (GreyPhoto, Rect) {
    let pixels = photo.pixels.iter().rev().copied().collect();
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    let (x, y) = (photo.width as f32 - right, photo.height as f32 - bottom);
    (GreyPhoto { pixels, ..*photo }, Rect { x, y, ..*rect })
}

/// The photo at another scale, and the box in it.
fn shrunk(photo: &GreyPhoto, scale: f32, rect: &Rect) -> (GreyPhoto, Rect) {
    let side = |pixels: usize| ((pixels as f32 * scale) as usize).max(1);
    let (width, height) = (side(photo.width), side(photo.height));
    let mut values = vec![0.0; width * height];
    let image_from_pixel = Similarity::<ImageFrame, PixelFrame>::from_scale_angle_shift(1.0 / scale, 0.0, 0.0, 0.0);
    sample(&photo.view(), image_from_pixel, width, height, &mut values);
    let pixels = values.iter().map(|v| v.round() as u8).collect();
    let rect = Rect::from_xywh(rect.x * scale, rect.y * scale, rect.width * scale, rect.height * scale);
    (GreyPhoto { pixels, width, height }, rect)
}
