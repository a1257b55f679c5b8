//! How far eyes and mouth are open, computed from points. The numbers have no unit. They do not depend on the size, the
//! place and the roll of the face, and little on its yaw.

use std::ops::Range;

use crate::geometry::Point;
use crate::pose::Pose;
use crate::topology::ibug68::{LEFT_EYE, OUTER_EYE_CORNERS, POINTS, RIGHT_EYE};

/// Openings of a face. Left and right are the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Expression {
    /// Distance between the lids divided by the width of the eye as seen from the front. This is the eye aspect ratio
    /// of Soukupova and Cech, "Real-Time Eye Blink Detection using Facial Landmarks", 2016. About 0.31 for an open eye.
    pub left_eye_open: f32,
    /// The same for the right eye.
    pub right_eye_open: f32,
    /// Distance between the inner edges of the lips divided by the width of the mouth as seen from the front.
    pub mouth_open: f32,
    /// Width of the mouth divided by the distance between the outer eye corners: 0.5 pursed, 0.63 at rest, 0.75 in a
    /// smile. Both run across the face, so yaw shortens them equally.
    pub mouth_width: f32,
}

/// The iBUG 68 points that it is computed from.
pub(crate) const NEEDED: [usize; 20] = [36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 54, 61, 62, 63, 65, 66, 67];

/// A line that is foreshortened below this share of its true length says little about it.
const LEAST_FORESHORTENING: f32 = 0.25;

impl Expression {
    /// An eye that is less open is closed. Of the 4,024 eyes in the labels of 300-W's training photos, 62 are at 0 to
    /// 0.02, 22 from there to 0.06, 55 to 0.12, and 428 below 0.2, the threshold often used for videos of one person:
    /// narrow and laughing eyes are open at 0.12.
    pub const EYE_CLOSED_BELOW: f32 = 0.10;

    /// A mouth that is more open is open. Half of those labels are below 0.04, and the points of a network's lips are
    /// off by about that much.
    pub const MOUTH_OPEN_ABOVE: f32 = 0.10;

    /// From the 68 points of a face, in pixels.
    ///
    /// A number is 0 where its divisor is 0 or not a number: points that coincide or are not finite.
    pub fn from_points(points: &[Point; POINTS]) -> Self {
        Self::new(Pose::from_points(points), |i| points[i])
    }

    /// From the pose that the points alone give, and the place of each of the iBUG 68 points that is [`NEEDED`].
    pub(crate) fn new(pose: Pose, place: impl Fn(usize) -> Point) -> Self {
        let distance = |from: usize, to: usize| place(from).distance(place(to));
        let width =
            |from: usize, to: usize| distance(from, to) / pose.foreshortening(from, to).max(LEAST_FORESHORTENING);
        let eye = |Range { start: i, .. }: Range<usize>| {
            let lids = distance(i + 1, i + 5) + distance(i + 2, i + 4);
            ratio(lids / 2.0, width(i, i + 3))
        };
        let lips = [(61, 67), (62, 66), (63, 65)].map(|(upper, lower)| distance(upper, lower));
        Self {
            left_eye_open: eye(LEFT_EYE),
            right_eye_open: eye(RIGHT_EYE),
            mouth_open: ratio(lips.iter().sum::<f32>() / 3.0, width(48, 54)),
            mouth_width: ratio(distance(48, 54), distance(OUTER_EYE_CORNERS.0, OUTER_EYE_CORNERS.1)),
        }
    }

    /// The left eye is closed: less open than [`Expression::EYE_CLOSED_BELOW`].
    pub fn left_eye_closed(&self) -> bool {
        self.left_eye_open < Self::EYE_CLOSED_BELOW
    }

    /// The right eye is closed: less open than [`Expression::EYE_CLOSED_BELOW`].
    pub fn right_eye_closed(&self) -> bool {
        self.right_eye_open < Self::EYE_CLOSED_BELOW
    }

    /// Both eyes are closed: in a video, a blink when it passes within a few tenths of a second.
    pub fn eyes_closed(&self) -> bool {
        self.left_eye_closed() && self.right_eye_closed()
    }

    /// The mouth is open: more than [`Expression::MOUTH_OPEN_ABOVE`].
    pub fn is_mouth_open(&self) -> bool {
        self.mouth_open > Self::MOUTH_OPEN_ABOVE
    }
}

fn ratio(part: f32, whole: f32) -> f32 {
    let ratio = part / whole;
    if ratio.is_finite() { ratio } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landmarks::Landmarks;
    use crate::pose::tests::seen;
    use crate::topology::ibug68::MIRROR;
    use crate::topology::tests::{five, inner, three};
    use crate::topology::{Definition, Topology};
    use proptest::prelude::*;

    /// The average head, with eyes and mouth open by these hundredths of the eye distance. Of 90, the width of an eye
    /// is 26 and that of the mouth 54.
    fn face(pose: Pose, right: f32, left: f32, mouth: f32) -> [Point; POINTS] {
        let mut points = seen(pose, 100.0, 50.0, 80.0);
        let (sin, cos) = pose.roll_rad.sin_cos();
        let mut open = |upper: usize, lower: usize, share: f32, (from, to): (usize, usize), gap: f32| {
            let (a, b) = (points[from], points[to]);
            let middle: Point = Point::new(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y));
            // Down the face; pitch would shorten that, but these faces do not nod.
            let (dx, dy) = (-sin * gap / 2.0, cos * gap / 2.0);
            points[upper] = Point::new(middle.x - dx, middle.y - dy);
            points[lower] = Point::new(middle.x + dx, middle.y + dy);
        };
        for (upper, lower, share) in [(1, 5, 0.3), (2, 4, 0.7)] {
            open(36 + upper, 36 + lower, share, (36, 39), right);
            open(42 + upper, 42 + lower, share, (42, 45), left);
        }
        for (upper, lower, share) in [(61, 67, 0.3), (62, 66, 0.5), (63, 65, 0.7)] {
            open(upper, lower, share, (48, 54), mouth);
        }
        points
    }

    fn numbers(e: Expression) -> [f32; 4] {
        [e.left_eye_open, e.right_eye_open, e.mouth_open, e.mouth_width]
    }

    fn near(a: Expression, b: Expression) -> bool {
        numbers(a).iter().zip(numbers(b)).all(|(a, b)| (a - b).abs() < 2e-3)
    }

    #[test]
    fn openings_are_what_was_opened_whichever_way_the_head_turns() {
        // Eyes are 26.7 mm wide along the face, the mouth 54.
        for yaw in [0.0, 0.4, -0.4, 0.9, -0.9] {
            let pose = Pose { roll_rad: 0.6, yaw_rad: yaw, pitch_rad: 0.0 };
            let e = Expression::from_points(&face(pose, 8.0, 2.0, 12.0));
            let (eye, mouth) = (100.0 * 26.76 / 90.0, 100.0 * 54.0 / 90.0);
            let expected = [2.0 / eye, 8.0 / eye, 12.0 / mouth, 0.6];
            for (found, expected) in numbers(e).iter().zip(expected) {
                assert!((found - expected).abs() < 3e-3, "yaw {yaw}: {e:?}");
            }
            assert!(e.left_eye_closed() && !e.right_eye_closed() && !e.eyes_closed() && e.is_mouth_open());
        }
    }

    /// The expression by the points of a topology; points without a place among the 68 are at the origin.
    fn by(definition: Definition, face: &[Point; POINTS]) -> Option<Expression> {
        let topology = Topology::new(definition).unwrap();
        let points = topology.from_ibug68(face).unwrap_or_else(|| vec![Point::default(); topology.len()]);
        let errors = vec![1.0; topology.len()];
        let landmarks = Landmarks::new(topology, points, errors, 1.0);
        assert_eq!(landmarks.expression().is_some(), landmarks.topology.has_expression());
        landmarks.expression()
    }

    #[test]
    fn other_topologies_tell_the_same_where_they_have_the_points() {
        for yaw in [0.0, 0.5, -0.5] {
            let face = face(Pose { roll_rad: 0.6, yaw_rad: yaw, pitch_rad: 0.0 }, 8.0, 2.0, 12.0);
            let expected = Expression::from_points(&face);
            let errors = vec![1.0; POINTS];
            let all = Landmarks::new(Topology::ibug68(), face.to_vec(), errors, 1.0).expression();
            assert_eq!(all, Some(expected), "to the last bit");
            // Without the jaw, and in another order.
            let inner_points = by(inner(), &face).expect("eyes, lips and a pose");
            assert!(near(inner_points, expected), "yaw {yaw}: {inner_points:?} {expected:?}");
            let mut reversed = Definition { name: "reversed".into(), ..inner() };
            reversed.names.reverse();
            reversed.ibug68.reverse();
            let last = reversed.mirror.len() - 1;
            reversed.mirror = reversed.mirror.iter().rev().map(|i| last - i).collect();
            assert!(by(reversed, &face).is_some_and(|found| near(found, expected)), "yaw {yaw}");
        }
    }

    #[test]
    fn a_topology_without_lids_and_lips_tells_nothing() {
        let face = face(Pose::default(), 8.0, 2.0, 12.0);
        assert_eq!(by(five(), &face), None, "means of eyes are no lids");
        assert_eq!(by(three(), &face), None);
        for missing in NEEDED {
            let mut without = inner();
            (without.ibug68[missing - 17], without.ibug68[MIRROR[missing] - 17]) = (Vec::new(), Vec::new());
            assert_eq!(by(without, &face), None, "without {missing}");
        }
    }

    #[test]
    fn points_that_say_nothing_give_zeros() {
        for point in [Point::new(3.0, 4.0), Point::new(f32::NAN, 0.0), Point::new(f32::INFINITY, 1.0)] {
            assert_eq!(Expression::from_points(&[point; POINTS]), Expression::default());
        }
    }

    proptest! {
        #[test]
        fn a_mirrored_face_swaps_its_eyes(
            noise in prop::collection::vec(-2.0f32..2.0, 2 * POINTS), yaw in -0.8f32..0.8, roll in -1.0f32..1.0,
        ) {
            let mut points = face(Pose { roll_rad: roll, yaw_rad: yaw, pitch_rad: 0.0 }, 9.0, 4.0, 5.0);
            points.iter_mut().enumerate().for_each(|(i, p)| {
                *p = Point::new(p.x + noise[2 * i], p.y + noise[2 * i + 1]);
            });
            let mirrored = std::array::from_fn(|i| Point::new(640.0 - points[MIRROR[i]].x, points[MIRROR[i]].y));
            let (a, b) = (Expression::from_points(&points), Expression::from_points(&mirrored));
            let back = Expression { left_eye_open: b.right_eye_open, right_eye_open: b.left_eye_open, ..b };
            prop_assert!(near(a, back), "{:?} {:?}", a, b);
        }

        #[test]
        fn size_place_and_turn_change_nothing(
            noise in prop::collection::vec(-2.0f32..2.0, 2 * POINTS), scale in 0.2f32..20.0, angle in -3.0f32..3.0,
            x in -300.0f32..300.0, y in -300.0f32..300.0,
        ) {
            let mut points = face(Pose { roll_rad: 0.2, yaw_rad: 0.5, pitch_rad: 0.0 }, 9.0, 4.0, 5.0);
            points.iter_mut().enumerate().for_each(|(i, p)| {
                *p = Point::new(p.x + noise[2 * i], p.y + noise[2 * i + 1]);
            });
            let (sin, cos) = (scale * angle.sin(), scale * angle.cos());
            let moved = points.map(|p| Point::new(cos * p.x - sin * p.y + x, sin * p.x + cos * p.y + y));
            prop_assert!(near(Expression::from_points(&points), Expression::from_points(&moved)));
        }
    }
}
