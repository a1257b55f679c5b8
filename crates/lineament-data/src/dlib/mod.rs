//! dlib's shape predictor (Kazemi and Sullivan, 2014): places the points of the face in a box.
//!
//! A predictor is a mean shape and a sequence of cascades. Each cascade reads a few hundred pixels around the current
//! shape, and each of its trees adds a small correction, chosen by comparing pairs of those pixels. `read` parses
//! dlib's own file, [`ShapePredictor::place`] runs it.
//!
//! dlib's whole numbers are pixel **centres**, and its rectangles run from the first pixel to the last: `right` is
//! `left + width - 1`. Shapes are learned in the frame of such a rectangle, so (0, 0) is the centre of the box's first
//! pixel and (1, 1) that of its last. Ours is [`lineament::stages::ImageFrame`]: the centre of the first pixel is
//! (0.5, 0.5), and a box's edge is where its last pixel ends. Only `BoxFrame` converts between the two.

mod read;
#[cfg(test)]
mod tests;
mod wire;

use std::path::Path;

use lineament::stages::GreyImage;
use lineament::{Point, Rect};

use crate::error::{Error, Result};
use crate::model_file::read_model_file;
pub use wire::Fault;

/// A shape predictor, ready to run.
#[derive(Debug)]
pub struct ShapePredictor {
    /// The mean shape in the box's frame: x, y of the first point, of the second, ...
    mean: Vec<f32>,
    /// Comparisons on the way to a leaf, at least 1, the same in every tree.
    depth: u32,
    cascades: Vec<Cascade>,
}

/// Trees that read the same pixels.
#[derive(Debug)]
struct Cascade {
    features: Vec<Feature>,
    /// `2^depth - 1` of each tree, top to bottom.
    splits: Vec<Split>,
    /// `[tree, 2^depth, shape]`: what each leaf adds to the shape.
    leaves: Vec<f32>,
}

/// A pixel that moves with the shape.
#[derive(Debug)]
struct Feature {
    /// The point it is attached to.
    anchor: usize,
    /// From the point to the pixel, as it would be in the mean shape.
    delta: [f32; 2],
}

/// Goes left when feature `first` is brighter than `second` by more than `threshold`.
#[derive(Debug)]
struct Split {
    first: u32,
    second: u32,
    threshold: f32,
}

impl ShapePredictor {
    /// Reads a file as dlib's `serialize` writes it, such as `shape_predictor_68_face_landmarks.dat`.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be read or is above 1 GiB, [`Error::Predictor`] as
    /// [`ShapePredictor::parse`].
    pub fn open(path: &Path) -> Result<Self> {
        let named = |Fault { at, reason }| Error::Predictor { path: path.to_owned(), at, reason };
        Self::parse(&read_model_file(path)?).map_err(named)
    }

    /// Reads the bytes of such a file.
    ///
    /// # Errors
    /// A [`Fault`] for anything that is not one whole shape predictor: a damaged file, a file of another kind, numbers
    /// that are not finite, or an index that points nowhere.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        read::predictor(bytes)
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.mean.len() / 2
    }

    /// The points of the face in `face`, both in pixels of the image.
    ///
    /// For a box of whole numbers these are the points that dlib computes for the same box, before it rounds them. The
    /// box may extend beyond the image, which is black there. A box that is not finite gives points that are not.
    pub fn place(&self, image: &GreyImage, face: &Rect) -> Vec<Point> {
        let frame = BoxFrame::new(face);
        let mut shape = self.mean.clone();
        let mut values = Vec::new();
        for cascade in &self.cascades {
            cascade.read_pixels(image, &frame, &self.mean, &shape, &mut values);
            cascade.correct(self.depth, &values, &mut shape);
        }
        let point = |&p: &[f32; 2]| {
            let [x, y] = frame.image_from_box(p);
            Point::new(x as f32, y as f32)
        };
        shape.as_chunks().0.iter().map(point).collect()
    }
}

impl Cascade {
    /// Reads the brightness of each feature around `shape`; 0 beyond the image.
    fn read_pixels(&self, image: &GreyImage, frame: &BoxFrame, mean: &[f32], shape: &[f32], values: &mut Vec<f32>) {
        let [a, b] = turn_and_scale(mean, shape);
        values.clear();
        values.extend(self.features.iter().map(|Feature { anchor, delta: [dx, dy] }| {
            let at = [a * dx - b * dy + shape[2 * anchor], b * dx + a * dy + shape[2 * anchor + 1]];
            brightness(image, frame.image_from_box(at))
        }));
    }

    /// Adds the correction of each tree, in the order of the file: sums of f32 depend on it.
    fn correct(&self, depth: u32, values: &[f32], shape: &mut [f32]) {
        let leaves = 1 << depth;
        let trees = self.splits.chunks_exact(leaves - 1).zip(self.leaves.chunks_exact(leaves * shape.len()));
        for (splits, tree) in trees {
            let mut node = 0;
            while let Some(split) = splits.get(node) {
                let left = values[split.first as usize] - values[split.second as usize] > split.threshold;
                node = 2 * node + if left { 1 } else { 2 };
            }
            let leaf = &tree[(node - splits.len()) * shape.len()..][..shape.len()];
            shape.iter_mut().zip(leaf).for_each(|(s, l)| *s += l);
        }
    }
}

/// Maps from the frame of a box, which shapes are in, to the image.
struct BoxFrame {
    /// Centre of the first pixel.
    origin: [f64; 2],
    /// To the centre of the last pixel.
    size: [f64; 2],
}

impl BoxFrame {
    fn new(face: &Rect) -> Self {
        let [x, y, w, h] = [face.x, face.y, face.width, face.height].map(f64::from);
        Self { origin: [x + 0.5, y + 0.5], size: [w - 1.0, h - 1.0] }
    }

    fn image_from_box(&self, [x, y]: [f32; 2]) -> [f64; 2] {
        [self.size[0] * f64::from(x) + self.origin[0], self.size[1] * f64::from(y) + self.origin[1]]
    }
}

/// The pixel at a position; 0 beyond the image and for NaN.
fn brightness(image: &GreyImage, [x, y]: [f64; 2]) -> f32 {
    let inside = (0.0..image.width() as f64).contains(&x) && (0.0..image.height() as f64).contains(&y);
    if inside { f32::from(image.pixels()[y as usize * image.width() + x as usize]) } else { 0.0 }
}

/// `[a, b]` of the similarity (`x' = a x - b y`, `y' = b x + a y`, and a shift) that brings `from` nearest to `to`.
///
/// dlib solves this with Umeyama's method; in the plane the least squares have a closed form.
fn turn_and_scale(from: &[f32], to: &[f32]) -> [f32; 2] {
    let (from, to) = (from.as_chunks::<2>().0, to.as_chunks::<2>().0);
    let (from_mean, to_mean) = (mean(from), mean(to));
    let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
    for (f, t) in from.iter().zip(to) {
        let [fx, fy] = [f64::from(f[0]) - from_mean[0], f64::from(f[1]) - from_mean[1]];
        let [tx, ty] = [f64::from(t[0]) - to_mean[0], f64::from(t[1]) - to_mean[1]];
        along += fx * tx + fy * ty;
        across += fx * ty - fy * tx;
        spread += fx * fx + fy * fy;
    }
    // One point, or all in one place: the rotation is not defined.
    if spread == 0.0 { [1.0, 0.0] } else { [(along / spread) as f32, (across / spread) as f32] }
}

fn mean(points: &[[f32; 2]]) -> [f64; 2] {
    let sum = points.iter().fold([0.0, 0.0], |[x, y], p| [x + f64::from(p[0]), y + f64::from(p[1])]);
    sum.map(|s| s / points.len() as f64)
}
