//! Training of the detector: scenes of every face size, one loss over three grids.

mod loss;
mod pyramid;
mod scene;

use std::collections::BTreeMap;

use lineament::Similarity;
use lineament::stages::{Detector, GRIDS, ImageFrame, PixelFrame, SAME_FACE_IOU, SMALLEST_FACE, sample};
use lineament::{ImageView, Normalisation, Rect, topology};
use lineament_data::evaluate::MATCH_IOU;
use lineament_data::{BoxRow, GreyPhoto, boxes, dataset};
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
        let Some(table) = &config.boxes else {
            return Err(Error::Config("boxes: the detector needs the table of all faces in the photos".into()));
        };
        let table = boxes::read(table)?;
        let photos = dataset::read(&config.photos)?
            .into_par_iter()
            .map(|s| {
                let grey = lineament_data::Photo::open(&s.photo_path)?.grey();
                let labelled = Rect::bounding(&s.points).unwrap_or_default();
                let points = Some(topology::five_points(&s.points));
                let mut faces = vec![Known { rect: labelled, points, ignored: false }];
                faces.extend(unlabelled(&table, &s.photo_path, &labelled));
                Ok((s.name, Photo { pixels: Pyramid::new(grey), faces }))
            })
            .collect::<Result<Vec<_>>>()?;
        let (train, validation) = split(photos, config)?;
        let nonfaces = read_nonfaces(config)?.into_iter().map(Pyramid::new).collect();
        Ok(Self { config: config.clone(), side, train, validation, nonfaces })
    }
}

/// The photo's other faces. They have no points, only another detector's box, from hairline to chin. How the box of
/// the 68 points lies in such a box was measured on the faces that have both.
fn unlabelled(table: &BTreeMap<String, Vec<BoxRow>>, path: &std::path::Path, labelled: &Rect) -> Vec<Known> {
    let rects = boxes::of_photo(table, path).iter().map(|row| {
        let Rect { x, y, width: w, height: h } = row.rect;
        Rect::from_xywh(x - 0.019 * w, y + 0.236 * h, 1.057 * w, 0.777 * h)
    });
    let others = rects.filter(|rect| rect.iou(labelled) < SAME_FACE_IOU);
    others.map(|rect| Known { rect, points: None, ignored: false }).collect()
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
        let sources = Sources { photos, nonfaces, nonface_share: *nonface_share, turned_share: *turned_share };
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
