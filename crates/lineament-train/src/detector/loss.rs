//! The detector's loss: which cell answers for which face, focal loss for the score, distances for box and points.

use lineament::stages::{CHANNELS, GRIDS};
use lineament::{Point, Rect};

use super::scene::Known;

/// Sizes of faces, longer side in pixels, that each grid answers for. They overlap: a face at the border is found twice
/// and joined.
const SIZES: [(f32, f32); GRIDS.len()] = [(0.0, 42.0), (30.0, 100.0), (72.0, f32::MAX)];

/// A cell whose centre is nearer to the face's centre than this share of its box's sides answers for the face.
const CORE: f32 = 0.2;

/// Between [`CORE`] and this a cell may answer or not.
const HALO: f32 = 0.35;

/// Exponent of the focal loss, its authors' default (Lin et al., 2017).
const FOCUS: f32 = 2.0;

/// Where smooth distances turn from square to straight, in shares of the face's size.
const SMOOTH: f32 = 0.04;

/// Weights of the distances of centre and size, and of the five points, next to the score's loss. Chosen by trial.
const BOX_WEIGHT: f32 = 3.0;
const POINT_WEIGHT: f32 = 3.0;

/// The target of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Nothing here.
    Background,
    /// Anything goes.
    Ignored,
    /// The face with this index.
    Face(usize),
}

/// The target of each cell of grid `grid`, `width` by `height` cells.
pub fn assign(faces: &[Known], grid: usize, width: usize, height: usize) -> Vec<Cell> {
    let step = GRIDS[grid].1 as f32;
    let (low, high) = SIZES[grid];
    let mut cells = vec![Cell::Background; width * height];
    // Distance to the face's centre of the cells that have one: the nearest face wins.
    let mut nearest = vec![f32::MAX; width * height];
    for (index, face) in faces.iter().enumerate() {
        let (center, size) = (face.rect.center(), face.rect.width.max(face.rect.height));
        let here = size >= low && size < high && !face.ignored;
        let mut answers = false;
        for (at, cell) in cells.iter_mut().enumerate() {
            let (dx, dy) = offset(at, width, step, center);
            let distance = (dx / face.rect.width).abs().max((dy / face.rect.height).abs());
            if here && distance < CORE && distance < nearest[at] {
                (*cell, nearest[at], answers) = (Cell::Face(index), distance, true);
            } else if distance < if face.ignored { 0.5 } else { HALO } && *cell == Cell::Background {
                *cell = Cell::Ignored;
            }
        }
        let (x, y) = ((center.x / step) as usize, (center.y / step) as usize);
        if here && !answers && center.x >= 0.0 && center.y >= 0.0 && x < width && y < height {
            cells[y * width + x] = Cell::Face(index); // A small face between the centres of cells.
        }
    }
    cells
}

/// From the centre of cell `at` to `to`, in pixels.
fn offset(at: usize, width: usize, step: f32, to: Point) -> (f32, f32) {
    (to.x - ((at % width) as f32 + 0.5) * step, to.y - ((at / width) as f32 + 0.5) * step)
}

/// Sums of the losses' parts: score, box, points.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// Focal loss of the score.
    pub score: f32,
    /// Distances of centre and size.
    pub rect: f32,
    /// Distances of the five points.
    pub points: f32,
}

impl Parts {
    /// The total, which is minimised.
    pub fn whole(&self) -> f32 {
        self.score + BOX_WEIGHT * self.rect + POINT_WEIGHT * self.points
    }
}

#[allow(clippy::too_many_arguments)] // Outputs, labels and the two results.
/// Losses of one sample's grid, times `share`; writes the gradients.
pub fn loss(
    cells: &[Cell],
    faces: &[Known],
    grid: usize,
    width: usize,
    outputs: &[f32],
    d: &mut [f32],
    share: f32,
    parts: &mut Parts,
) {
    let step = GRIDS[grid].1 as f32;
    for (at, &cell) in cells.iter().enumerate() {
        let outputs = &outputs[at * CHANNELS..][..CHANNELS];
        let d = &mut d[at * CHANNELS..][..CHANNELS];
        let Cell::Face(index) = cell else {
            if cell == Cell::Background {
                let (loss, slope) = focal(-outputs[0]);
                parts.score += share * loss;
                d[0] = -share * slope;
            }
            continue;
        };
        let (loss, slope) = focal(outputs[0]);
        parts.score += share * loss;
        d[0] = share * slope;
        let Known { rect, points, .. } = faces[index];
        let Rect { width: w, height: h, .. } = rect;
        let unit = step / w.max(h);
        let (dx, dy) = offset(at, width, step, rect.center());
        let targets = [(dx / step, unit), (dy / step, unit), ((w / step).ln(), 1.0), ((h / step).ln(), 1.0)];
        for (k, (target, unit)) in targets.into_iter().enumerate() {
            let (loss, slope) = smooth(unit * (outputs[1 + k] - target));
            parts.rect += share * loss / 4.0;
            d[1 + k] = share * BOX_WEIGHT * slope * unit / 4.0;
        }
        for (k, point) in points.iter().flatten().enumerate() {
            let (dx, dy) = offset(at, width, step, *point);
            for (k, target) in [(5 + 2 * k, dx / step), (6 + 2 * k, dy / step)] {
                let (loss, slope) = smooth(unit * (outputs[k] - target));
                parts.points += share * loss / 10.0;
                d[k] = share * POINT_WEIGHT * slope * unit / 10.0;
            }
        }
    }
}

/// Focal loss of a face's log-odds, and its slope; for background give the negative log-odds and negate the slope.
fn focal(logit: f32) -> (f32, f32) {
    let p = 1.0 / (1.0 + (-logit).exp());
    // -ln p without overflow.
    let surprise = (-logit).max(0.0) + (-logit.abs()).exp().ln_1p();
    let weight = (1.0 - p).powf(FOCUS);
    (weight * surprise, -weight * (FOCUS * p * surprise + 1.0 - p))
}

/// Square near 0, then straight (in units in which the straight part has the slope 1), and its slope.
fn smooth(x: f32) -> (f32, f32) {
    if x.abs() < SMOOTH { (0.5 * x * x / SMOOTH, x / SMOOTH) } else { (x.abs() - 0.5 * SMOOTH, x.signum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_agree_with_finite_differences() {
        const STEP: f32 = 1e-2;
        for x in [-6.0f32, -1.5, -0.3, 0.0, 0.7, 2.0, 5.0] {
            let numeric = (focal(x + STEP).0 - focal(x - STEP).0) / (2.0 * STEP);
            assert!((focal(x).1 - numeric).abs() < 1e-3, "focal at {x}: {} but {numeric}", focal(x).1);
        }
        for x in [-1.0f32, -0.02, 0.01, 0.5] {
            let numeric = (smooth(x + 1e-3).0 - smooth(x - 1e-3).0) / 2e-3;
            assert!((smooth(x).1 - numeric).abs() < 0.03, "smooth at {x}: {} but {numeric}", smooth(x).1);
        }
    }

    #[test]
    fn every_size_of_face_has_a_cell_that_answers_and_hidden_faces_have_none() {
        for size in [9.0f32, 12.0, 20.0, 35.0, 50.0, 80.0, 120.0, 200.0] {
            for ignored in [false, true] {
                let rect = Rect::from_center_size(Point::new(131.0, 117.0), size, 0.9 * size);
                let faces = [Known { rect, points: None, ignored }];
                let answering = (0..GRIDS.len())
                    .flat_map(|g| assign(&faces, g, 256 / GRIDS[g].1, 256 / GRIDS[g].1))
                    .filter(|cell| matches!(cell, Cell::Face(0)))
                    .count();
                assert_eq!(answering > 0, !ignored, "size {size}, ignored {ignored}: {answering} cells");
            }
        }
    }
}
