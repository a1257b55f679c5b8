//! Numbers on a picture: of the points, of a face, and its score.

use super::{BLACK, Canvas, HALO, HALO_ALPHA, Sizes, WHITE, add_pieces, colour, digits, part_colour};
use crate::geometry::{Point, Rect};
use crate::topology::Topology;
use crate::topology::ibug68::{LEFT_EYE, POINTS, RIGHT_EYE};
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
/// Directions in which the number of a point may stand.
const DIRECTIONS: usize = 16;
/// Opacity of the plate behind the number of a face.
const PLATE_ALPHA: f32 = 0.6;

impl Canvas {
    /// The index of each point next to it, on the side where the fewest lines are.
    pub(super) fn draw_point_numbers(&mut self, topology: &Topology, points: &[Point], sizes: &Sizes) {
        let height = (POINT_DIGITS * sizes.face).max(MIN_POINT_DIGITS);
        let gap = sizes.dot.max(sizes.line) + GAP * height;
        let mut labels =
            Labels { points, height, gap, taken: points.iter().copied().filter(|p| p.is_finite()).collect() };
        let mut numbered = vec![false; points.len()];
        let on_outlines = topology.outlines().iter().flat_map(|outline| {
            let colour = colour(topology, outline);
            outline.points.iter().map(move |&i| (i, outline.name.as_str(), colour))
        });
        let alone = (0..points.len()).map(|i| (i, "", part_colour(topology, i)));
        for (i, outline, colour) in on_outlines.chain(alone) {
            if std::mem::replace(&mut numbered[i], true) || !self.reaches(points[i]) {
                continue;
            }
            let middle = match points.try_into() {
                Ok(points) if topology.is_ibug68() => away(points, i, outline).map(|way| labels.middle(i, way)),
                _ => Some(labels.free_middle(i)),
            };
            if let Some(Point { x, y, .. }) = middle {
                let half = labels.half(i);
                self.draw_number(i as u64, Point::new(x - half.0, y - half.1), height, colour);
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

/// Where the numbers of points stand.
struct Labels<'a> {
    points: &'a [Point],
    /// Of the digits, in pixels.
    height: f32,
    /// Between a point and its number, in pixels.
    gap: f32,
    /// The points and the numbers that stand already: no number should come near them.
    taken: Vec<Point>,
}

impl Labels<'_> {
    /// Half of the width and height of a point's number.
    fn half(&self, i: usize) -> (f32, f32) {
        (digits::width(i as u64, self.height) / 2.0, self.height / 2.0)
    }

    /// The middle of a point's number that stands in this direction, which has length 1: so far away that the dot does
    /// not touch the digits' box.
    fn middle(&self, i: usize, (x, y): (f32, f32)) -> Point {
        let half = self.half(i);
        let way = self.gap + (x.abs() * half.0 + y.abs() * half.1);
        Point::new(self.points[i].x + way * x, self.points[i].y + way * y)
    }

    /// The middle of a point's number where it is farthest from everything else.
    fn free_middle(&mut self, i: usize) -> Point {
        let half = self.half(i);
        let room = |middle: Point| {
            let distance = |p: &Point| {
                let (x, y) = ((p.x - middle.x).abs() - half.0, (p.y - middle.y).abs() - half.1);
                libm::hypotf(x.max(0.0), y.max(0.0))
            };
            let others = self.taken.iter().filter(|&&p| p != self.points[i]);
            others.map(distance).fold(f32::MAX, f32::min)
        };
        let directions = (0..DIRECTIONS).map(|k| {
            let angle = k as f32 / DIRECTIONS as f32 * std::f32::consts::TAU;
            self.middle(i, (libm::cosf(angle), libm::sinf(angle)))
        });
        let middle = directions.max_by(|a, b| room(*a).total_cmp(&room(*b))).unwrap_or(self.points[i]);
        self.taken.push(middle);
        middle
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
