//! Numbers on a picture: of the points, of a face, and its score.

use super::{BLACK, COLOURS, Canvas, HALO, HALO_ALPHA, Sizes, WHITE, add_pieces, digits};
use crate::geometry::{Point, Rect};
use crate::topology::{LEFT_EYE, OUTLINES, POINTS, RIGHT_EYE};
use tiny_skia::PathBuilder;

/// Width of a digit's line, in heights of the digit.
const WEIGHT: f32 = 0.13;
/// Height of the digits of point numbers in face sizes, and its least value in pixels: smaller digits cannot be read,
/// but these overlap on faces below 200 pixels.
const POINT_DIGITS: f32 = 0.022;
const MIN_POINT_DIGITS: f32 = 5.0;
/// Space between a dot and its number, in heights of the digits.
const GAP: f32 = 0.45;
/// Height of the digits of face number and score in face sizes, and its least value in pixels of a screen.
const DIGITS: f32 = 0.07;
const MIN_DIGITS: f32 = 9.0;
/// Opacity of the plate behind the number of a face.
const PLATE_ALPHA: f32 = 0.6;

impl Canvas {
    /// The index of each point next to it, on the side where the fewest lines are.
    pub(super) fn draw_point_numbers(&mut self, points: &[Point; POINTS], sizes: &Sizes) {
        let height = (POINT_DIGITS * sizes.face).max(MIN_POINT_DIGITS);
        let gap = sizes.dot.max(sizes.line) + GAP * height;
        for (outline, colour) in OUTLINES.iter().zip(COLOURS) {
            for i in outline.points.clone() {
                let Some((x, y)) = away(points, i, outline.name).filter(|_| self.reaches(points[i])) else { continue };
                let half = (digits::width(i as u64, height) / 2.0, height / 2.0);
                // So far that the dot does not touch the digits' box.
                let way = gap + (x.abs() * half.0 + y.abs() * half.1);
                let corner = Point::new(points[i].x + way * x - half.0, points[i].y + way * y - half.1);
                self.draw_number(i as u64, corner, height, colour);
            }
        }
    }

    /// On a dark plate above the left end of `rect`.
    pub(super) fn draw_face_number(&mut self, number: u64, rect: &Rect, sizes: &Sizes) {
        let height = (DIGITS * sizes.face).max(MIN_DIGITS * sizes.zoom);
        let (width, padding) = (digits::width(number, height), 0.45 * height);
        let size = (width + 2.0 * padding, height + 2.0 * padding);
        let Some(corner) = self.place_above(rect, rect.x, size, sizes) else { return };
        let plate = Rect::from_xywh(corner.x, corner.y, size.0, size.1);
        self.fill_rounded(&plate, 0.35 * height, BLACK, PLATE_ALPHA);
        self.draw_number(number, Point::new(corner.x + padding, corner.y + padding), height, WHITE);
    }

    /// In percent, above the right end of `rect`.
    pub(super) fn draw_score(&mut self, score: f32, rect: &Rect, sizes: &Sizes) {
        let percent = (score.clamp(0.0, 1.0) * 100.0).round() as u64; // NaN becomes 0
        let height = (DIGITS * sizes.face).max(MIN_DIGITS * sizes.zoom);
        let (width, padding) = (digits::width(percent, height), 0.45 * height);
        let size = (width + 2.0 * padding, height + 2.0 * padding);
        let Some(corner) = self.place_above(rect, rect.x + rect.width - size.0, size, sizes) else { return };
        self.draw_number(percent, Point::new(corner.x + padding, corner.y + padding), height, WHITE);
    }

    /// The corner of a label of this size above `rect`, with its left edge at `left`; moved into the picture where it
    /// would stick out.
    fn place_above(&self, rect: &Rect, left: f32, size: (f32, f32), sizes: &Sizes) -> Option<Point> {
        let gap = 1.5 * sizes.box_line;
        let above = rect.y - gap - size.1;
        let inside = |v: f32, size: f32, side: usize| v.min(side as f32 - size).max(0.0);
        let corner = Point::new(inside(left, size.0, self.width()), inside(above, size.1, self.height()));
        // Not for a box that is nowhere near the picture.
        let corners = [Point::new(rect.x, rect.y), Point::new(rect.x + rect.width, rect.y + rect.height)];
        corners.iter().all(|&p| self.reaches(p)).then_some(corner)
    }

    fn draw_number(&mut self, number: u64, corner: Point, height: f32, colour: [u8; 3]) {
        let mut path = PathBuilder::new();
        digits::lines(number, corner, height).iter().for_each(|pieces| add_pieces(&mut path, pieces));
        let Some(path) = path.finish() else { return };
        let width = WEIGHT * height;
        self.stroke(&path, width * (1.0 + 2.0 * HALO), BLACK, HALO_ALPHA, None);
        self.stroke(&path, width, colour, 1.0, None);
    }
}

/// The direction from point `i` of an outline to where its number stands, of length 1: away from the face at jaw and
/// brows, out of the eyes and the outer lips, into the mouth at the inner lips, to the side at the bridge of the nose,
/// and down from the nostrils. `None` where points coincide.
fn away(points: &[Point; POINTS], i: usize, outline: &str) -> Option<(f32, f32)> {
    let center = |range| Point::mean(&points[range]);
    let way = |from: Point, to: Point| (to.x - from.x, to.y - from.y);
    let (right_eye, left_eye) = (center(RIGHT_EYE), center(LEFT_EYE));
    let (left, down) = (way(right_eye, left_eye), way(right_eye.midpoint(left_eye), center(48..60)));
    let (x, y) = match (outline, i) {
        ("nose bridge", _) => left,
        ("inner lips", 61..=63) => down,
        ("inner lips", 65..=67) => (-down.0, -down.1),
        ("inner lips", _) => way(points[i], center(60..68)), // the corners
        ("right eye", _) => way(right_eye, points[i]),
        ("left eye", _) => way(left_eye, points[i]),
        ("outer lips", _) => way(center(48..60), points[i]),
        _ => way(points[29], points[i]), // from the middle of the nose
    };
    let length = libm::hypotf(x, y);
    (length > 0.0 && length.is_finite()).then(|| (x / length, y / length))
}
