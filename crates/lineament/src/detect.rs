//! Where faces are: boxes, five points each and a score, in one pass over a shrunk frame.

use crate::crop::normalise;
use crate::error::{Error, Result};
use crate::geometry::{ImageFrame, Point, Rect, Similarity};
use crate::image::ImageView;
use crate::sample::{PixelFrame, Sampler};
use lineament_nn::engine::{Engine, Pool};
use lineament_nn::math::logistic;
use lineament_nn::model::{Model, Role, Shape, key};

/// One detected face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The box around the 68 points (brows to chin, jaw to jaw).
    pub rect: Rect,
    /// Right eye, left eye, nose tip, right mouth corner, left mouth corner (the person's own sides).
    pub points: [Point; 5],
    /// How sure the detector is, from 0 to 1.
    pub score: f32,
}

/// Numbers per cell: log-odds of a face; centre x, y, logarithms of width and height; x, y of five points. Lengths
/// are in grid steps, places from the centre of the cell.
pub const CHANNELS: usize = 1 + 4 + 2 * 5;

/// The grids: name of the output and step in pixels of the input.
pub const GRIDS: [(&str, usize); 3] = [("grid8", 8), ("grid16", 16), ("grid32", 32)];

/// The input's sides are multiples of the widest step.
const SIDE_STEP: usize = GRIDS[2].1;

/// Longer side of the frame that the network sees, unless smaller faces are asked for.
pub const USUAL_SIDE: usize = 320;

/// Smallest face the network is trained to find, longer side in pixels of its input.
pub const SMALLEST_FACE: f32 = 10.0;

/// Longest side of the network's input: bounds memory and time when tiny faces are asked for in a huge photo.
const MAX_INPUT_SIDE: usize = 2048;

/// Boxes that overlap more are one face.
const SAME_FACE_IOU: f32 = 0.35;

/// A box of which so much lies within another is a part of that face, such as an eye.
const PART_OF_FACE: f32 = 0.7;

/// Boxes of one face that overlap the best more than this are averaged with it.
const AVERAGED_IOU: f32 = 0.6;

/// Most cells that are looked at after thresholding, best first: bounds the time on hostile input.
const MAX_CANDIDATES: usize = 1000;

/// A logarithm of a size beyond this is no face.
const MAX_LOG_SIZE: f32 = 6.0;

/// Finds faces.
#[derive(Debug, Clone)]
pub struct Detector {
    engine: Engine,
    sampler: Sampler,
}

impl Detector {
    /// From a model file.
    ///
    /// # Errors
    /// [`Error::Role`] for another model's file, [`Error::Model`] for one whose outputs are not a detector's.
    pub fn new(model: &Model) -> Result<Self> {
        model.expect_role(Role::Detector)?;
        for (name, value) in [(key::INPUT, "grey"), (key::NORMALISATION, "standardise")] {
            model.expect(name, value)?;
        }
        let mut engine = Engine::new(model)?;
        engine.set_input_size(SIDE_STEP, 2 * SIDE_STEP)?;
        for (name, step) in GRIDS {
            let expected = Shape::hwc(SIDE_STEP / step, 2 * SIDE_STEP / step, CHANNELS);
            let shape = engine.output_shape(name);
            if shape != Some(expected) {
                return Err(Error::Model(format!(
                    "the output `{name}` of a detector is {expected:?} here, not {shape:?}"
                )));
            }
        }
        Ok(Self { engine, sampler: Sampler::default() })
    }

    /// As [`Engine::set_pool`].
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.engine.set_pool(pool);
    }

    /// What the network sees of `image`: for [quantising](lineament_nn::model#how-numbers-are-stored) and for looking inside.
    pub fn input(&self, image: &ImageView, min_face: Option<f32>) -> (Shape, Vec<f32>) {
        let (width, height) = input_size(image.width(), image.height(), min_face);
        let mut input = vec![0.0; width * height];
        shrink(&mut Sampler::default(), image, min_face, (width, height), &mut input);
        (Shape::hwc(height, width, 1), input)
    }

    /// The faces of `image` with a score of at least `threshold`, largest first. `min_face` is the longer side, in
    /// pixels of the image, of the smallest face that must be found; `None` shrinks the frame to [`USUAL_SIDE`].
    pub fn detect(&mut self, image: &ImageView, threshold: f32, min_face: Option<f32>) -> Vec<Detection> {
        let scale = scale(image.width(), image.height(), min_face);
        let (width, height) = input_size(image.width(), image.height(), min_face);
        if self.engine.set_input_size(height, width).is_err() {
            return Vec::new(); // Cannot be: `new` saw that any multiple of the step fits.
        }
        self.engine.run(|input| shrink(&mut self.sampler, image, min_face, (width, height), input));
        let mut candidates = Vec::new();
        for (name, step) in GRIDS {
            if let Some((cells, shape)) = self.engine.output(name) {
                decode(cells, shape.width, step as f32 / scale, threshold, &mut candidates);
            }
        }
        let mut faces = join(candidates);
        faces.sort_by(|a, b| b.rect.area().total_cmp(&a.rect.area()));
        faces
    }
}

/// How much a frame is shrunk for the network.
fn scale(width: usize, height: usize, min_face: Option<f32>) -> f32 {
    let longer = width.max(height) as f32;
    let usual = (USUAL_SIDE as f32 / longer).min(1.0);
    let wanted = min_face.map_or(usual, |face| usual.max(SMALLEST_FACE / face));
    wanted.min(MAX_INPUT_SIDE as f32 / longer).min(1.0)
}

/// Width and height of the network's input for a frame of `width` and `height`; `min_face` as for [`Detector::detect`].
pub fn input_size(width: usize, height: usize, min_face: Option<f32>) -> (usize, usize) {
    let scale = scale(width, height, min_face);
    let side = |pixels: usize| ((pixels as f32 * scale).ceil() as usize).max(1).next_multiple_of(SIDE_STEP);
    (side(width), side(height))
}

/// The shrunk frame as the network sees it, `[height, width]`.
fn shrink(sampler: &mut Sampler, image: &ImageView, min_face: Option<f32>, size: (usize, usize), input: &mut [f32]) {
    let scale = scale(image.width(), image.height(), min_face);
    let image_from_pixel = Similarity::<ImageFrame, PixelFrame>::from_scale_angle_shift(1.0 / scale, 0.0, 0.0, 0.0);
    sampler.sample(image, image_from_pixel, size.0, size.1, input);
    normalise(input);
}

/// Cells above the threshold as detections; `step` is the distance of cells in pixels of the image.
fn decode(cells: &[f32], width: usize, step: f32, threshold: f32, out: &mut Vec<Detection>) {
    for (at, cell) in cells.as_chunks::<CHANNELS>().0.iter().enumerate() {
        let score = logistic(cell[0]);
        if score < threshold || cell.iter().any(|v| !v.is_finite()) || cell[3].max(cell[4]) > MAX_LOG_SIZE {
            continue; // What is not a finite number is no face.
        }
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let point = |k: usize| Point::new((x + cell[k]) * step, (y + cell[k + 1]) * step);
        let rect = Rect::from_center_size(point(1), libm::expf(cell[3]) * step, libm::expf(cell[4]) * step);
        out.push(Detection { rect, points: std::array::from_fn(|k| point(5 + 2 * k)), score });
    }
}

/// One detection for each face: the best of those that overlap, averaged with those that agree with it.
fn join(mut candidates: Vec<Detection>) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MAX_CANDIDATES);
    let mut faces = Vec::new();
    while let Some(best) = candidates.first().copied() {
        let agreeing: Vec<Detection> =
            candidates.iter().filter(|c| c.rect.iou(&best.rect) >= AVERAGED_IOU).copied().collect();
        candidates.retain(|c| !same_face(&c.rect, &best.rect) && c != &best);
        faces.push(if agreeing.is_empty() { best } else { average(&agreeing, best.score) });
    }
    faces
}

/// Two boxes that cannot be of two faces.
pub(crate) fn same_face(a: &Rect, b: &Rect) -> bool {
    a.iou(b) >= SAME_FACE_IOU || a.intersection(b).area() >= PART_OF_FACE * a.area().min(b.area())
}

/// The mean of `detections`, weighted by their scores.
fn average(detections: &[Detection], score: f32) -> Detection {
    let total: f32 = detections.iter().map(|d| d.score).sum();
    let mean = |value: &dyn Fn(&Detection) -> f32| detections.iter().map(|d| d.score * value(d)).sum::<f32>() / total;
    Detection {
        rect: Rect::from_xywh(
            mean(&|d| d.rect.x),
            mean(&|d| d.rect.y),
            mean(&|d| d.rect.width),
            mean(&|d| d.rect.height),
        ),
        points: std::array::from_fn(|k| Point::new(mean(&|d| d.points[k].x), mean(&|d| d.points[k].y))),
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(x: f32, score: f32) -> Detection {
        Detection { rect: Rect::from_xywh(x, 0.0, 10.0, 10.0), points: [Point::new(x, 1.0); 5], score }
    }

    #[test]
    fn overlapping_detections_become_one_and_distant_ones_stay() {
        let part = Detection { rect: Rect::from_xywh(2.0, 3.0, 3.0, 3.0), ..detection(2.0, 0.4) };
        let all = [detection(1.0, 0.6), detection(0.0, 0.9), detection(30.0, 0.7), detection(4.0, 0.5), part];
        let faces = join(all.to_vec());
        assert_eq!(faces.len(), 2, "{faces:?}");
        assert!((faces[0].rect.x - 0.4).abs() < 1e-5, "0 and 1 are averaged, 4 only goes: {:?}", faces[0]);
        assert_eq!((faces[0].score, faces[1].score), (0.9, 0.7));
    }

    #[test]
    fn a_cell_decodes_to_pixels_of_the_image() {
        let mut cells = vec![-9.0; 6 * CHANNELS];
        // Second row, first column of a grid of width 3: the centre of its cell is (0.5, 1.5) steps.
        cells[3 * CHANNELS..4 * CHANNELS].fill(0.0);
        cells[3 * CHANNELS] = 3.0;
        cells[3 * CHANNELS + 1] = 1.0;
        let mut faces = Vec::new();
        decode(&cells, 3, 16.0, 0.5, &mut faces);
        assert_eq!(faces.len(), 1);
        assert_eq!(faces[0].rect.center(), Point::new(24.0, 24.0));
        assert_eq!((faces[0].rect.width, faces[0].points[4]), (16.0, Point::new(8.0, 24.0)));
    }

    #[test]
    fn numbers_that_are_not_finite_are_no_face() {
        let mut faces = Vec::new();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            decode(&[bad; CHANNELS], 1, 8.0, 0.5, &mut faces);
            let mut cell = [3.0; CHANNELS];
            cell[7] = bad;
            decode(&cell, 1, 8.0, 0.5, &mut faces);
        }
        assert!(faces.is_empty());
    }
}
