//! The iBUG 68 points as data: parts, outlines, mirror pairs, the points that measure a face.
//!
//! Left and right are the person's own: the right eye (36 to 41) stands on the left side of an upright photo.
//! Source: Sagonas et al., "300 Faces in-the-Wild Challenge", 2013.

use crate::geometry::Point;

/// Number of points.
pub const POINTS: usize = 68;

/// Outer corners of the right and the left eye; their distance is what "inter-ocular" errors are divided by.
pub const OUTER_EYE_CORNERS: (usize, usize) = (36, 45);

/// First of the 51 inner points: everything but the jaw.
pub const FIRST_INNER_POINT: usize = 17;

/// The six points of the right eye, clockwise on screen from its outer corner.
pub const RIGHT_EYE: std::ops::Range<usize> = 36..42;

/// The six points of the left eye, clockwise on screen from its inner corner.
pub const LEFT_EYE: std::ops::Range<usize> = 42..48;

/// A named part of the face and its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Lower-case name, as printed in reports.
    pub name: &'static str,
    /// Indices of its points.
    pub points: std::ops::Range<usize>,
}

/// The five parts in the order of their points; together they hold every point once.
pub const PARTS: [Part; 5] = [
    Part { name: "jaw", points: 0..17 },
    Part { name: "brows", points: 17..27 },
    Part { name: "nose", points: 27..36 },
    Part { name: "eyes", points: 36..48 },
    Part { name: "mouth", points: 48..68 },
];

/// A line through consecutive points, as drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What the line follows.
    pub name: &'static str,
    /// Indices of its points in drawing order.
    pub points: std::ops::Range<usize>,
    /// The last point is joined to the first.
    pub closed: bool,
}

/// The nine lines of a drawn face.
pub const OUTLINES: [Outline; 9] = [
    Outline { name: "jaw", points: 0..17, closed: false },
    Outline { name: "right brow", points: 17..22, closed: false },
    Outline { name: "left brow", points: 22..27, closed: false },
    Outline { name: "nose bridge", points: 27..31, closed: false },
    Outline { name: "nostrils", points: 31..36, closed: false },
    Outline { name: "right eye", points: 36..42, closed: true },
    Outline { name: "left eye", points: 42..48, closed: true },
    Outline { name: "outer lips", points: 48..60, closed: true },
    Outline { name: "inner lips", points: 60..68, closed: true },
];

/// `MIRROR[i]` is the point that point `i` becomes when the picture is mirrored left to right.
pub const MIRROR: [usize; POINTS] = [
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, // jaw
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17, // brows
    27, 28, 29, 30, 35, 34, 33, 32, 31, // nose
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, // eyes
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, // outer lips
    64, 63, 62, 61, 60, 67, 66, 65, // inner lips
];

/// The five points of a detection, taken from 68: right eye, left eye, nose tip, right and left mouth corner.
pub fn five_points<F>(points: &[Point<F>; POINTS]) -> [Point<F>; 5] {
    [Point::mean(&points[RIGHT_EYE]), Point::mean(&points[LEFT_EYE]), points[30], points[48], points[54]]
}

/// The distance of the outer eye corners, in the units of the points.
pub fn inter_ocular<F>(points: &[Point<F>; POINTS]) -> f32 {
    points[OUTER_EYE_CORNERS.0].distance(points[OUTER_EYE_CORNERS.1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_changes_nothing() {
        for i in 0..POINTS {
            assert_eq!(MIRROR[MIRROR[i]], i, "point {i}");
        }
    }

    #[test]
    fn parts_and_outlines_hold_every_point_once() {
        let parts: Vec<usize> = PARTS.iter().flat_map(|p| p.points.clone()).collect();
        let outlines: Vec<usize> = OUTLINES.iter().flat_map(|o| o.points.clone()).collect();
        assert_eq!(parts, (0..POINTS).collect::<Vec<_>>());
        assert_eq!(outlines, (0..POINTS).collect::<Vec<_>>());
    }

    #[test]
    fn mirror_pairs_stay_within_their_part() {
        for part in PARTS {
            assert!(part.points.clone().all(|i| part.points.contains(&MIRROR[i])), "{}", part.name);
        }
    }
}
