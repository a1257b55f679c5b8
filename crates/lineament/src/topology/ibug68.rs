//! The iBUG 68 points: parts, outlines, mirror pairs, and the points that measure a face.
//!
//! Left and right are the person's own: the right eye is on the left side of an upright photo. Lines run from the left
//! side of such a photo to the right, and closed lines clockwise.
//!
//! | points | part | first and last |
//! |---|---|---|
//! | 0 to 16 | jaw | next to the right ear; 8 is the chin; next to the left ear |
//! | 17 to 21 | right brow | outer end; inner end |
//! | 22 to 26 | left brow | inner end; outer end |
//! | 27 to 30 | bridge of the nose | between the eyes; tip |
//! | 31 to 35 | nostrils | right; 33 is the middle; left |
//! | 36 to 41 | right eye | outer corner; 39 is the inner corner |
//! | 42 to 47 | left eye | inner corner; 45 is the outer corner |
//! | 48 to 59 | outer lips | right corner; 51 is the middle above, 54 the left corner, 57 the middle below |
//! | 60 to 67 | inner lips | right corner; 64 is the left corner |
//!
#![cfg_attr(doc, doc = include_str!("points68.html"))]
//!
//! `docs/points.md` in the repository has the same picture, larger. Source of the points: Sagonas et al., "300 Faces
//! in-the-Wild Challenge", 2013.

use std::ops::Range;

use super::{Definition, ObjectBox, Outline, Part};
use crate::geometry::Point;

/// The topology's name.
pub const NAME: &str = "ibug68";

/// Number of points.
pub const POINTS: usize = 68;

/// Outer corners of the right and the left eye. Errors called inter-ocular are divided by their distance.
pub const OUTER_EYE_CORNERS: (usize, usize) = (36, 45);

/// First of the 51 inner points: everything but the jaw.
pub const FIRST_INNER_POINT: usize = 17;

/// The six points of the right eye, clockwise on screen from its outer corner.
pub const RIGHT_EYE: Range<usize> = 36..42;

/// The six points of the left eye, clockwise on screen from its inner corner.
pub const LEFT_EYE: Range<usize> = 42..48;

/// The five parts in the order of their points, with how far a point's expected error may reach, in distances between
/// the outer eye corners, before it counts as hidden.
///
/// Chosen with the `lite` of 2026-11-24 on its validation photos. Above these limits are, of inner points, 88 of 100
/// behind a mask, 71 of 100 behind something over half of the face, 7 of 100 that a mask leaves free, and 2 of 100 in
/// plain photos (with 0.07: 70 behind a mask and 0.5 in plain photos). Positions along the jaw are uncertain in every
/// photo; above its limit are 73 of 100 points behind something over half of the face, and 2 of 100 in plain photos.
const PARTS: [(&str, Range<usize>, f32); 5] = [
    ("jaw", 0..17, 0.10),
    ("brows", 17..27, 0.06),
    ("nose", 27..36, 0.06),
    ("eyes", 36..48, 0.06),
    ("mouth", 48..68, 0.06),
];

/// The nine lines of a drawn face, how their points are named, and which lines are closed.
const OUTLINES: [(&str, &str, Range<usize>, bool); 9] = [
    ("jaw", "jaw", 0..17, false),
    ("right brow", "right_brow", 17..22, false),
    ("left brow", "left_brow", 22..27, false),
    ("nose bridge", "nose_bridge", 27..31, false),
    ("nostrils", "nostril", 31..36, false),
    ("right eye", "right_eye", RIGHT_EYE, true),
    ("left eye", "left_eye", LEFT_EYE, true),
    ("outer lips", "outer_lip", 48..60, true),
    ("inner lips", "inner_lip", 60..68, true),
];

/// Inner lips are drawn paler than outer ones.
const INNER_LIPS_COLOUR: [u8; 3] = [255, 155, 170];

/// The same as data.
pub(super) fn definition() -> Definition {
    let names =
        OUTLINES.iter().flat_map(|(_, point, points, _)| (0..points.len()).map(move |i| format!("{point}_{i}")));
    let outline = |(name, _, points, closed): &(&str, &str, Range<usize>, bool)| Outline {
        name: (*name).into(),
        points: points.clone().collect(),
        closed: *closed,
        colour: (*name == "inner lips").then_some(INNER_LIPS_COLOUR),
    };
    let part = |(name, points, hidden_above): &(&str, Range<usize>, f32)| Part {
        name: (*name).into(),
        points: points.clone().collect(),
        hidden_above: *hidden_above,
    };
    Definition {
        name: NAME.into(),
        names: names.collect(),
        mirror: MIRROR.into(),
        chiral: false,
        outlines: OUTLINES.iter().map(outline).collect(),
        parts: PARTS.iter().map(part).collect(),
        normaliser: Some([vec![OUTER_EYE_CORNERS.0], vec![OUTER_EYE_CORNERS.1]]),
        five: Some([RIGHT_EYE.collect(), LEFT_EYE.collect(), vec![30], vec![48], vec![54]]),
        ibug68: (0..POINTS).map(|i| vec![i]).collect(),
        object_box: ObjectBox::default(),
    }
}

/// Triangles between the points, as for a mesh: each clockwise on the screen in an upright face that looks ahead. They
/// cover the face from the jaw to the brows, eyes and mouth included, without overlaps.
///
/// The Delaunay triangulation of the mean of 300-W's training faces, made symmetric; the strip above the brows, where
/// it cannot be symmetric, is left out.
#[rustfmt::skip]
pub const TRIANGLES: [[usize; 3]; 107] = [
    [0, 36, 1], [0, 17, 36], [1, 41, 2], [1, 36, 41], [2, 31, 3], [2, 41, 31], [3, 48, 4], [3, 31, 48], [4, 48, 5],
    [5, 59, 6], [5, 48, 59], [6, 58, 7], [6, 59, 58], [7, 58, 8], [8, 56, 9], [8, 57, 56], [8, 58, 57], [9, 56, 10],
    [10, 55, 11], [10, 56, 55], [11, 54, 12], [11, 55, 54], [12, 54, 13], [13, 35, 14], [13, 54, 35], [14, 46, 15],
    [14, 35, 46], [15, 45, 16], [15, 46, 45], [16, 45, 26], [17, 18, 36], [18, 19, 37], [18, 37, 36], [19, 20, 37],
    [20, 21, 38], [20, 38, 37], [21, 22, 27], [21, 27, 39], [21, 39, 38], [22, 23, 43], [22, 42, 27], [22, 43, 42],
    [23, 24, 44], [23, 44, 43], [24, 25, 44], [25, 26, 45], [25, 45, 44], [27, 28, 39], [27, 42, 28], [28, 29, 39],
    [28, 42, 29], [29, 30, 31], [29, 35, 30], [29, 31, 40], [29, 47, 35], [29, 40, 39], [29, 42, 47], [30, 32, 31],
    [30, 33, 32], [30, 34, 33], [30, 35, 34], [31, 32, 49], [31, 41, 40], [31, 49, 48], [32, 33, 50], [32, 50, 49],
    [33, 34, 52], [33, 51, 50], [33, 52, 51], [34, 35, 53], [34, 53, 52], [35, 47, 46], [35, 54, 53], [36, 37, 41],
    [37, 38, 40], [37, 40, 41], [38, 39, 40], [42, 43, 47], [43, 44, 47], [44, 45, 46], [44, 46, 47], [48, 49, 60],
    [48, 60, 59], [49, 50, 61], [49, 59, 60], [49, 67, 59], [49, 61, 67], [50, 51, 61], [51, 52, 63], [51, 62, 61],
    [51, 63, 62], [52, 53, 63], [53, 54, 64], [53, 64, 55], [53, 55, 65], [53, 65, 63], [54, 55, 64], [55, 56, 65],
    [56, 57, 66], [56, 66, 65], [57, 58, 66], [58, 59, 67], [58, 67, 66], [61, 62, 67], [62, 63, 65], [62, 65, 66],
    [62, 66, 67],
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

/// The distance between the outer eye corners, in the units of the points.
pub fn inter_ocular<F>(points: &[Point<F>; POINTS]) -> f32 {
    points[OUTER_EYE_CORNERS.0].distance(points[OUTER_EYE_CORNERS.1])
}

#[cfg(test)]
#[path = "../../tests/schematic/mod.rs"]
mod schematic;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::schematic::FACE_MM;
    use super::*;
    use crate::geometry::{ImageFrame, Similarity};

    #[test]
    fn mirroring_twice_changes_nothing() {
        for i in 0..POINTS {
            assert_eq!(MIRROR[MIRROR[i]], i, "point {i}");
        }
    }

    #[test]
    fn parts_and_outlines_hold_every_point_once() {
        let parts: Vec<usize> = PARTS.iter().flat_map(|p| p.1.clone()).collect();
        let outlines: Vec<usize> = OUTLINES.iter().flat_map(|o| o.2.clone()).collect();
        assert_eq!(parts, (0..POINTS).collect::<Vec<_>>());
        assert_eq!(outlines, (0..POINTS).collect::<Vec<_>>());
    }

    #[test]
    fn triangles_are_mirrored_and_their_edges_join_two_at_most() {
        // Starting with its least point, a triangle is the same however it was begun.
        let begun_least = |[a, b, c]: [usize; 3]| match a.min(b).min(c) {
            least if least == a => [a, b, c],
            least if least == b => [b, c, a],
            _ => [c, a, b],
        };
        let all: BTreeSet<_> = TRIANGLES.map(begun_least).into();
        assert_eq!(all.len(), TRIANGLES.len());
        let mut edges = BTreeSet::new();
        for [a, b, c] in TRIANGLES {
            // Mirrored it runs the other way round.
            let mirrored = begun_least([MIRROR[a], MIRROR[c], MIRROR[b]]);
            assert!(all.contains(&mirrored), "{a} {b} {c}");
            for edge in [(a, b), (b, c), (c, a)] {
                assert!(edges.insert(edge), "two triangles lie on the same side of {edge:?}");
            }
        }
        assert!((0..POINTS).all(|i| edges.iter().any(|edge| edge.0 == i)), "every point is in a triangle");
    }

    /// The schematic face that `docs/points68.png` shows.
    fn schematic() -> [Point; POINTS] {
        FACE_MM.map(|(x, y)| Point::new(x, y))
    }

    /// What the points of a face become when the picture is mirrored at the axis x = 0.
    fn mirrored(points: &[Point; POINTS]) -> [Point; POINTS] {
        std::array::from_fn(|i| Point::new(-points[MIRROR[i]].x, points[MIRROR[i]].y))
    }

    #[test]
    fn a_symmetric_face_is_its_own_mirror_image() {
        let face = schematic();
        for (i, (point, mirrored)) in face.iter().zip(mirrored(&face)).enumerate() {
            assert!(point.distance(mirrored) < 1e-3, "point {i}: {point:?} and {mirrored:?}");
        }
    }

    #[test]
    fn an_outline_mirrors_to_an_outline() {
        let set = |points: Range<usize>| points.collect::<BTreeSet<_>>();
        let all: Vec<BTreeSet<usize>> = OUTLINES.iter().map(|outline| set(outline.2.clone())).collect();
        for (name, _, points, _) in OUTLINES {
            let mirrored: BTreeSet<usize> = points.map(|i| MIRROR[i]).collect();
            assert!(all.contains(&mirrored), "{name}");
        }
        assert_eq!(set(RIGHT_EYE).into_iter().map(|i| MIRROR[i]).collect::<BTreeSet<_>>(), set(LEFT_EYE));
        assert_eq!((MIRROR[OUTER_EYE_CORNERS.0], MIRROR[OUTER_EYE_CORNERS.1]), (45, 36));
    }

    #[test]
    fn the_right_eye_is_on_the_left_of_the_picture_and_eyes_and_lips_run_clockwise() {
        let face = schematic();
        assert!(face[OUTER_EYE_CORNERS.0].x < face[OUTER_EYE_CORNERS.1].x);
        for (name, _, points, _) in OUTLINES.into_iter().filter(|outline| outline.3) {
            let points = &face[points];
            let next = points.iter().cycle().skip(1);
            let doubled_area: f32 = points.iter().zip(next).map(|(p, q)| p.x * q.y - q.x * p.y).sum();
            assert!(doubled_area > 0.0, "{name}"); // clockwise, because y points down
        }
        for (name, _, points, _) in OUTLINES.into_iter().filter(|outline| !outline.3 && outline.0 != "nose bridge") {
            assert!(face[points].is_sorted_by(|p, q| p.x <= q.x), "{name} runs to the right");
        }
        assert!(face[27..31].is_sorted_by(|p, q| p.y < q.y), "the bridge of the nose runs down");
    }

    #[test]
    fn triangles_cover_an_upright_face_without_overlaps() {
        let face = schematic();
        for [a, b, c] in TRIANGLES {
            let [p, q, r] = [a, b, c].map(|i| face[i]);
            let doubled_area = (q.x - p.x) * (r.y - p.y) - (r.x - p.x) * (q.y - p.y);
            assert!(doubled_area > 0.0, "{a} {b} {c} is clockwise");
        }
    }

    proptest! {
        #[test]
        fn measures_follow_a_face_that_is_mirrored_moved_turned_and_scaled(
            numbers in prop::collection::vec(-50.0f32..50.0, 2 * POINTS), scale in 0.2f32..5.0, angle in -3.0f32..3.0,
            x in -50.0f32..50.0, y in -50.0f32..50.0,
        ) {
            let points: [Point; POINTS] = std::array::from_fn(|i| Point::new(numbers[2 * i], numbers[2 * i + 1]));
            let five = |points: &[Point]| super::super::Topology::ibug68().five(points).unwrap();
            let [right_eye, left_eye, nose, right_mouth, left_mouth] = five(&points);
            let swapped = [left_eye, right_eye, nose, left_mouth, right_mouth].map(|p| Point::new(-p.x, p.y));
            for (found, expected) in five(&mirrored(&points)).into_iter().zip(swapped) {
                prop_assert!(found.distance(expected) < 1e-3);
            }
            prop_assert_eq!(inter_ocular(&mirrored(&points)), inter_ocular(&points));

            let moving = Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(scale, angle, x, y);
            let moved = points.map(|p| moving * p);
            for (found, before) in five(&moved).into_iter().zip(five(&points)) {
                prop_assert!(found.distance(moving * before) < 1e-2);
            }
            prop_assert!((inter_ocular(&moved) - scale * inter_ocular(&points)).abs() < 1e-2);
        }
    }

    #[test]
    fn mirror_pairs_stay_within_their_part() {
        for part in PARTS {
            assert!(part.1.clone().all(|i| part.1.contains(&MIRROR[i])), "{}", part.0);
        }
    }
}
