//! A smooth line through points: Catmull-Rom pieces as cubic Bézier curves, corners kept where a face has them.

use std::ops::RangeInclusive;

use crate::geometry::Point;

/// One piece of a line: a cubic Bézier curve from one point to the next.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Start, two control points, end.
    pub points: [Point; 4],
    /// Which of the line's points it starts and ends at.
    pub ends: (usize, usize),
}

/// The pieces through `points`, in order. A closed line has two corners, at its first point and halfway round: those
/// are the corners of eyes and lips.
pub fn pieces(points: &[Point], closed: bool) -> Vec<Piece> {
    let n = points.len();
    match (n, closed) {
        (0 | 1, _) => Vec::new(),
        (_, false) => smooth(points, 0..=n - 1).collect(),
        (_, true) => smooth(points, 0..=n / 2).chain(smooth(points, n / 2..=n)).collect(),
    }
}

/// One smooth stretch over the points with these indices, which continue past the end of a closed line.
fn smooth(points: &[Point], indices: RangeInclusive<usize>) -> impl Iterator<Item = Piece> {
    let (first, last) = (*indices.start(), *indices.end());
    let index = move |i: usize| i.clamp(first, last) % points.len();
    let at = move |i: usize| points[index(i)];
    (first..last).map(move |i| {
        let (start, end) = (at(i), at(i + 1));
        let (leave, arrive) = (handle(at(i.saturating_sub(1)), end, start, end), handle(start, at(i + 2), start, end));
        let points = [
            start,
            Point::new(start.x + leave.0, start.y + leave.1),
            Point::new(end.x - arrive.0, end.y - arrive.1),
            end,
        ];
        Piece { points, ends: (index(i), index(i + 1)) }
    })
}

/// A sixth of the way from `before` to `after`, but at most a third of the piece. Longer handles make loops where
/// points are unevenly spaced.
fn handle(before: Point, after: Point, start: Point, end: Point) -> (f32, f32) {
    let (length, limit) = (before.distance(after) / 6.0, start.distance(end) / 3.0);
    let factor = if length > limit { limit / length / 6.0 } else { 1.0 / 6.0 };
    ((after.x - before.x) * factor, (after.y - before.y) * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_every_point_to_the_next() {
        let points: Vec<Point> = (0..6).map(|i| Point::new(i as f32, (i * i) as f32)).collect();
        let ends = |closed| pieces(&points, closed).iter().map(|p| p.ends).collect::<Vec<_>>();
        assert_eq!(ends(false), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);
        assert_eq!(ends(true), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)]);
        for piece in pieces(&points, true) {
            assert_eq!((piece.points[0], piece.points[3]), (points[piece.ends.0], points[piece.ends.1]));
        }
        assert!(pieces(&points[..1], true).is_empty());
    }

    #[test]
    fn points_on_a_line_give_that_line() {
        let points: Vec<Point> = [0.0, 1.0, 5.0, 5.5].map(|x| Point::new(x, 2.0 * x)).to_vec();
        for piece in pieces(&points, false) {
            assert!(piece.points.iter().all(|p| (p.y - 2.0 * p.x).abs() < 1e-5), "{piece:?}");
            assert!(piece.points.is_sorted_by(|a, b| a.x <= b.x), "no way back: {piece:?}");
        }
    }
}
