//! Numbers as smooth lines, so that they can be drawn without a font.

use super::curve;
use crate::geometry::Point;

/// A line through these points, in a cell 6 wide and 10 high, y down.
type Stroke = &'static [(f32, f32)];

/// The strokes of each digit. A corner of a digit is where one stroke ends and the next begins.
const DIGITS: [&[Stroke]; 10] = [
    &[&[(3., 0.), (0.9, 1.4), (0., 5.), (0.9, 8.6), (3., 10.), (5.1, 8.6), (6., 5.), (5.1, 1.4), (3., 0.)]],
    &[&[(1., 2.4), (3.6, 0.)], &[(3.6, 0.), (3.6, 10.)]],
    &[
        &[(0.3, 2.7), (1., 0.9), (3., 0.), (5.1, 0.8), (5.7, 2.7), (4.6, 5.), (2.4, 7.4), (0.2, 10.)],
        &[(0.2, 10.), (6., 10.)],
    ],
    &[
        &[(0.4, 1.8), (1.3, 0.5), (3., 0.), (4.9, 0.7), (5.5, 2.5), (4.7, 4.1), (2.6, 4.7)],
        &[(2.6, 4.7), (5., 5.3), (6., 7.2), (5.1, 9.2), (3., 10.), (1., 9.4), (0., 7.9)],
    ],
    &[&[(4.4, 10.), (4.4, 0.)], &[(4.4, 0.), (0., 7.2)], &[(0., 7.2), (6., 7.2)]],
    &[
        &[(5.4, 0.), (1., 0.)],
        &[(1., 0.), (0.5, 4.8)],
        &[(0.5, 4.8), (3., 3.9), (5.3, 4.9), (6., 6.9), (5.2, 9.1), (3., 10.), (1., 9.4), (0., 8.)],
    ],
    &[&[
        (5.4, 1.5),
        (3.5, 0.),
        (1.2, 1.3),
        (0.1, 4.8),
        (0.2, 7.6),
        (1.1, 9.4),
        (3.1, 10.),
        (5.2, 9.2),
        (6., 7.),
        (5.2, 4.9),
        (3.1, 4.),
        (1.1, 4.8),
        (0.1, 6.6),
    ]],
    &[&[(0., 0.), (6., 0.)], &[(6., 0.), (3.6, 4.8), (2.2, 10.)]],
    &[&[
        (3., 4.7),
        (1.1, 3.9),
        (0.4, 2.3),
        (1.1, 0.7),
        (3., 0.),
        (4.9, 0.7),
        (5.6, 2.3),
        (4.9, 3.9),
        (3., 4.7),
        (0.9, 5.5),
        (0., 7.3),
        (0.8, 9.2),
        (3., 10.),
        (5.2, 9.2),
        (6., 7.3),
        (5.1, 5.5),
        (3., 4.7),
    ]],
    &[&[
        (0.6, 8.5),
        (2.5, 10.),
        (4.8, 8.7),
        (5.9, 5.2),
        (5.8, 2.4),
        (4.9, 0.6),
        (2.9, 0.),
        (0.8, 0.8),
        (0., 3.),
        (0.8, 5.1),
        (2.9, 6.),
        (4.9, 5.2),
        (5.9, 3.4),
    ]],
];

const WIDTH: f32 = 6.0;
const HEIGHT: f32 = 10.0;
/// From the left edge of a digit to that of the next.
const ADVANCE: f32 = 8.8;

/// The width of `number`, of digits `height` high.
pub fn width(number: u64, height: f32) -> f32 {
    let digits = number.to_string().len() as f32;
    (ADVANCE * (digits - 1.0) + WIDTH) * height / HEIGHT
}

/// The lines of `number`, each as pieces that join: `height` high, from `corner` at the top left.
pub fn lines(number: u64, corner: Point, height: f32) -> Vec<Vec<curve::Piece>> {
    let scale = height / HEIGHT;
    let digits = number.to_string().into_bytes().into_iter().enumerate();
    let strokes = digits.flat_map(|(i, digit)| {
        let left = i as f32 * ADVANCE;
        DIGITS[usize::from(digit - b'0')].iter().map(move |stroke| (left, *stroke))
    });
    let line = |(left, stroke): (f32, Stroke)| {
        let place = |&(x, y): &(f32, f32)| Point::new(corner.x + scale * (left + x), corner.y + scale * y);
        curve::pieces(&stroke.iter().map(place).collect::<Vec<_>>(), false)
    };
    strokes.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_fills_its_height_and_stays_in_its_cell() {
        for digit in 0..10 {
            let lines = lines(digit, Point::new(100.0, 50.0), 20.0);
            let points = || lines.iter().flatten().flat_map(|piece| piece.points);
            let (top, bottom) = points().fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p.y), b.max(p.y)));
            assert!((top - 50.0).abs() < 1.0 && (bottom - 70.0).abs() < 1.0, "{digit}: {top} to {bottom}");
            assert!(points().all(|p| (99.5..112.5).contains(&p.x)), "{digit}");
        }
    }

    #[test]
    fn digits_stand_next_to_each_other() {
        let number = |n| lines(n, Point::new(0.0, 0.0), 10.0);
        assert_eq!(number(407).len(), number(4).len() + number(0).len() + number(7).len());
        let right = |n| number(n).iter().flatten().map(|piece| piece.points[3].x).fold(f32::MIN, f32::max);
        for (n, expected) in [(0, 6.0), (10, 14.8), (888, 23.6), (u64::MAX, 19.0 * 8.8 + 6.0)] {
            assert!((width(n, 10.0) - expected).abs() < 1e-3, "{n}");
            assert!((right(n) - expected).abs() < 3.0, "{n}");
        }
    }
}
