//! The detector: boxes of faces, five points each and a score, in one pass over the shrunk image.

use crate::crop::{Crop, roll_of};
use crate::error::{ModelError, Result};
use crate::geometry::{ImageFrame, Point, Rect, Similarity};
use crate::image::ImageView;
use crate::normalise::Normalisation;
use crate::sample::{PixelFrame, Sampler};
use crate::topology::Topology;
use lineament_nn::engine::{Engine, Pool};
use lineament_nn::math::logistic;
use lineament_nn::model::{Model, Role, Shape, key};

/// A face as the detector finds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The detector's estimate of the object's box; of a face, that of the 68 points (brows to chin, jaw to jaw).
    pub rect: Rect,
    /// Right eye, left eye, nose tip, right mouth corner, left mouth corner (the person's own sides); `None` from a
    /// detector of objects that have no such points.
    pub points: Option<[Point; 5]>,
    /// How sure the detector is, from 0 to 1.
    pub score: f32,
}

impl Detection {
    /// The crop for the landmark network: around the box, turned with the five points where there are any. Its numbers
    /// are rounded a little, so that the last bits of a detector in f32, which differ between processors, lead to the
    /// same pixels.
    pub fn crop(&self) -> Crop {
        let rounded = |x: f32, parts: f32| (x * parts).round() / parts;
        let Crop { center, side, .. } = Crop::from_rect(&self.rect);
        let center = Point::new(rounded(center.x, 64.0), rounded(center.y, 64.0));
        let roll_rad = self.points.map_or(0.0, |five| rounded(roll_of(&five), 1024.0));
        Crop { center, side: rounded(side, 64.0), roll_rad }
    }
}

/// Numbers per cell: log-odds of a face; centre x, y, logarithms of width and height; x, y of five points. Lengths
/// are in grid steps, measured from the centre of the cell. Public for training.
pub const CHANNELS: usize = 1 + 4 + 2 * 5;

/// The grids: name of the output, and distance of its cells in pixels of the input. Public for training.
pub const GRIDS: [(&str, usize); 3] = [("grid8", 8), ("grid16", 16), ("grid32", 32)];

/// The input's sides are multiples of the widest step.
const SIDE_STEP: usize = GRIDS[2].1;

/// Longer side of the image that the network sees, unless smaller faces are asked for.
pub(crate) const USUAL_SIDE: usize = 320;

/// Smallest face that the network is trained to find: longer side in pixels of its input. Public for training.
pub const SMALLEST_FACE: f32 = 10.0;

/// Longest side of the network's input: bounds memory and time when tiny faces are asked for in a huge photo.
const MAX_INPUT_SIDE: usize = 2048;

/// Rounding of a length in f32, in pixels of the input, before it is rounded up to a whole number.
const ROUNDING: f64 = 1e-3;

/// Boxes that overlap more are one face.
pub const SAME_FACE_IOU: f32 = 0.35;

/// A box that lies within another by this share of its area is a part of that face, such as an eye.
const PART_OF_FACE: f32 = 0.7;

/// Boxes of one face that overlap the best more than this are averaged with it.
const AVERAGED_IOU: f32 = 0.6;

/// Most cells above the threshold that are joined to faces, best first: bounds the time on hostile input.
const MAX_CANDIDATES: usize = 1000;

/// The logarithm of a size in grid steps is within this of 0, or the cell is no face: from a 400th of a step to 400.
const MAX_LOG_SIZE: f32 = 6.0;

/// Finds faces.
#[derive(Debug, Clone)]
pub struct Detector {
    engine: Engine,
    sampler: Sampler,
    has_five_points: bool,
}

impl Detector {
    /// From a model file.
    ///
    /// # Errors
    /// [`ModelError::Role`] for another model's file, [`ModelError::Model`] for one whose outputs are not a
    /// detector's, or whose values take too much memory at the largest input.
    pub fn new(model: &Model) -> Result<Self> {
        model.expect_role(Role::Detector)?;
        model.expect(key::INPUT, "grey")?;
        model.expect(key::NORMALISATION, &Normalisation::Standardise.to_string())?;
        let mut engine = Engine::new(model)?;
        engine.set_input_size(SIDE_STEP, 2 * SIDE_STEP)?;
        for (name, step) in GRIDS {
            let expected = Shape::hwc(SIDE_STEP / step, 2 * SIDE_STEP / step, CHANNELS);
            let shape = engine.output_shape(name);
            if shape != Some(expected) {
                let what = format!("the output `{name}` of a detector is {expected:?} here, not {shape:?}");
                return Err(ModelError::Model(what).into());
            }
        }
        // Planned now, so that no later size can fail: all are smaller.
        engine.network().plan(MAX_INPUT_SIDE, MAX_INPUT_SIDE)?;
        // A detector that names no topology finds faces.
        let has_five_points = match model.metadata.get(key::TOPOLOGY) {
            None => true,
            Some(_) => {
                let topology = Topology::from_metadata(&model.metadata);
                topology.map_err(|fault| ModelError::Model(fault.to_string()))?.definition().five.is_some()
            }
        };
        Ok(Self { engine, sampler: Sampler::default(), has_five_points })
    }

    /// Runs the network on the caller's threads from now on; `None`: on the thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.engine.set_pool(pool);
    }

    /// What the network sees of `image`, `[height, width, 1]`: for quantisation and for debugging.
    pub fn input(&self, image: &ImageView, min_face: Option<f32>) -> (Shape, Vec<f32>) {
        let (width, height) = input_size(image.width(), image.height(), min_face);
        let mut input = vec![0.0; width * height];
        shrink(&mut Sampler::default(), image, min_face, (width, height), &mut input);
        (Shape::hwc(height, width, 1), input)
    }

    /// The faces of `image` with a score of at least `threshold`, largest first. The image is shrunk to 320 pixels on
    /// its longer side, or less where faces with a longer side of `min_face` pixels would become too small to be found.
    pub fn detect(&mut self, image: &ImageView, threshold: f32, min_face: Option<f32>) -> Vec<Detection> {
        let scale = scale(image.width(), image.height(), min_face);
        let (width, height) = input_size(image.width(), image.height(), min_face);
        if self.engine.set_input_size(height, width).is_err() {
            return Vec::new(); // Not reached: `new` has planned a larger input.
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
        if !self.has_five_points {
            faces.iter_mut().for_each(|face| face.points = None);
        }
        faces
    }
}

/// How much an image is shrunk for the network: pixels of the input over pixels of the image.
fn scale(width: usize, height: usize, min_face: Option<f32>) -> f32 {
    let longer = width.max(height) as f32;
    let usual = (USUAL_SIDE as f32 / longer).min(1.0);
    let wanted = min_face.map_or(usual, |face| usual.max(SMALLEST_FACE / face));
    wanted.min(MAX_INPUT_SIDE as f32 / longer).min(1.0)
}

/// Width and height of the network's input for an image of `width` and `height`; `min_face` as for
/// [`Detector::detect`].
fn input_size(width: usize, height: usize, min_face: Option<f32>) -> (usize, usize) {
    let scale = scale(width, height, min_face);
    let side = |pixels: usize| {
        let shrunk = pixels as f64 * f64::from(scale) - ROUNDING;
        (shrunk.ceil() as usize).max(1).next_multiple_of(SIDE_STEP)
    };
    (side(width), side(height))
}

/// The shrunk image as the network sees it, `[height, width]`.
fn shrink(sampler: &mut Sampler, image: &ImageView, min_face: Option<f32>, size: (usize, usize), input: &mut [f32]) {
    let scale = scale(image.width(), image.height(), min_face);
    let image_from_pixel = Similarity::<ImageFrame, PixelFrame>::from_scale_angle_shift(1.0 / scale, 0.0, 0.0, 0.0);
    sampler.sample(image, image_from_pixel, size.0, size.1, input);
    Normalisation::Standardise.apply(input);
}

/// Cells above the threshold as detections; `step` is the distance of cells in pixels of the image.
fn decode(cells: &[f32], width: usize, step: f32, threshold: f32, out: &mut Vec<Detection>) {
    for (at, cell) in cells.as_chunks::<CHANNELS>().0.iter().enumerate() {
        let score = logistic(cell[0]);
        let is_sane = cell.iter().all(|v| v.is_finite()) && cell[3].abs().max(cell[4].abs()) <= MAX_LOG_SIZE;
        if score < threshold || !is_sane {
            continue;
        }
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let point = |k: usize| Point::new((x + cell[k]) * step, (y + cell[k + 1]) * step);
        let rect = Rect::from_center_size(point(1), libm::expf(cell[3]) * step, libm::expf(cell[4]) * step);
        out.push(Detection { rect, points: Some(std::array::from_fn(|k| point(5 + 2 * k))), score });
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
    let point = |d: &Detection, k: usize| d.points.map_or(Point::default(), |points| points[k]);
    let mean = |value: &dyn Fn(&Detection) -> f32| detections.iter().map(|d| d.score * value(d)).sum::<f32>() / total;
    Detection {
        rect: Rect::from_xywh(
            mean(&|d| d.rect.x),
            mean(&|d| d.rect.y),
            mean(&|d| d.rect.width),
            mean(&|d| d.rect.height),
        ),
        points: Some(std::array::from_fn(|k| Point::new(mean(&|d| point(d, k).x), mean(&|d| point(d, k).y)))),
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament_nn::model::{Architecture, Metadata, Op, write};

    fn detection(x: f32, score: f32) -> Detection {
        Detection { rect: Rect::from_xywh(x, 0.0, 10.0, 10.0), points: Some([Point::new(x, 1.0); 5]), score }
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
        assert_eq!((faces[0].rect.width, faces[0].points.unwrap()[4]), (16.0, Point::new(8.0, 24.0)));
    }

    #[test]
    fn the_longer_side_is_shrunk_to_320_or_2048_exactly_and_the_shorter_one_is_never_longer() {
        let round_up = |side: usize| side.next_multiple_of(SIDE_STEP);
        for longer in 1..=65_535 {
            for shorter in [1, longer / 3 + 1, 3 * longer / 4 + 1, longer] {
                let usual = longer.min(USUAL_SIDE);
                let (width, height) = input_size(longer, shorter, None);
                assert_eq!(width, round_up(usual), "{longer} x {shorter}");
                let exact = (shorter * usual) as f64 / longer as f64;
                assert_eq!(height, round_up((exact - ROUNDING).ceil().max(1.0) as usize), "{longer} x {shorter}");
                assert_eq!(input_size(shorter, longer, None), (height, width), "{shorter} x {longer}");
                let largest = input_size(longer, shorter, Some(1.0));
                assert!(largest.0.max(largest.1) <= MAX_INPUT_SIDE, "{longer} x {shorter}: {largest:?}");
            }
        }
        assert_eq!(input_size(600, 400, None), (320, 224));
    }

    #[test]
    fn boxes_without_an_area_are_no_face_and_the_least_likely_ones_have_finite_means() {
        let mut empty = [0.0; CHANNELS];
        empty[3] = -200.0;
        let mut unlikely = [0.0; CHANNELS];
        unlikely[0] = -1e30;
        let mut faces = Vec::new();
        for cell in [empty, unlikely, unlikely] {
            decode(&cell, 1, 8.0, 0.0, &mut faces);
        }
        assert_eq!(faces.len(), 2, "without the empty one: {faces:?}");
        let faces = join(faces);
        assert_eq!(faces.len(), 1);
        assert_eq!(faces[0].rect, Rect::from_xywh(0.0, 0.0, 8.0, 8.0));
    }

    /// A detector of a few layers whose first has `filters`.
    fn network(filters: usize) -> Vec<u8> {
        let mut net = Architecture::new(Shape::hwc(64, 64, 1));
        let conv = |filters| Op::Conv { filters, kernel: 1, stride: 1, padding: 0 };
        let mut value = net.push(conv(filters));
        let mut tensors = vec![conv_tensors(1, filters)];
        for shrink in 1..=5 {
            value = net.push_from(value, Op::MaxPool);
            tensors.push(Vec::new());
            if let Some((name, _)) = GRIDS.iter().find(|(_, step)| *step == 1 << shrink) {
                let head = net.push_from(value, conv(CHANNELS));
                net.output(name, head);
                tensors.push(conv_tensors(filters, CHANNELS));
            }
        }
        let mut metadata = Metadata::new(Role::Detector);
        metadata.set(key::INPUT, "grey");
        metadata.set(key::NORMALISATION, Normalisation::Standardise.to_string());
        write(&net, &metadata, &tensors).unwrap()
    }

    fn conv_tensors(channels: usize, filters: usize) -> Vec<(Vec<usize>, Vec<f32>)> {
        vec![(vec![filters, channels, 1, 1], vec![0.0; channels * filters]), (vec![filters], vec![0.0; filters])]
    }

    #[test]
    fn a_detector_whose_values_would_not_fit_at_the_largest_input_is_refused_when_it_is_loaded() {
        assert!(Detector::new(&Model::parse(&network(1)).unwrap()).is_ok());
        let error = Detector::new(&Model::parse(&network(256)).unwrap()).expect_err("2048 x 2048 takes 2^28 values");
        assert!(
            matches!(&error, crate::Error::Model(ModelError::Model(text)) if text.contains("values take")),
            "{error}"
        );
    }

    #[test]
    fn a_detector_with_a_topology_that_contradicts_itself_is_refused() {
        for (entries, text) in [
            (&[(key::TOPOLOGY, "hand21")][..], "`hand21` is not known"),
            (&[(key::TOPOLOGY, "own"), ("topology.points", "a,b,a")], "two points are called `a`"),
        ] {
            let bytes = network(1);
            let mut model = Model::parse(&bytes).unwrap();
            entries.iter().for_each(|(key, value)| model.metadata.set(key, *value));
            let error = Detector::new(&model).expect_err(text);
            assert!(matches!(&error, crate::Error::Model(ModelError::Model(what)) if what.contains(text)), "{error}");
        }
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
