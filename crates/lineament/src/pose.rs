//! Head pose from points: the turn of a generic head that best explains where the points lie.
//!
//! Weak perspective (Dementhon and Davis, "Model-based object pose in 25 lines of code", 1995, without its iterations):
//! the picture is a scaled and turned head seen from far away, so two rows of a 3x3 rotation follow from linear least
//! squares; the nearest orthonormal pair replaces them.

use crate::geometry::Point;
use crate::topology::POINTS;

/// How a head is turned, in radians. The head nods first (pitch), then turns (yaw), then tilts (roll).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// In the plane of the picture: positive is clockwise on the screen.
    pub roll_rad: f32,
    /// Left or right: positive when the nose points to the right side of the picture.
    pub yaw_rad: f32,
    /// Up or down: positive when the nose points up.
    pub pitch_rad: f32,
}

/// A point of a head that looks straight into the camera, in outer eye distances from the middle between the eyes:
/// index, to the right of the picture, down, towards the camera.
struct HeadPoint(usize, [f64; 3]);

/// The points that hardly move when a face speaks or smiles: nose, eye corners, mouth corners.
///
/// The jaw is left out: it drops when the mouth opens, and on a turned head its points follow the visible edge. Our own
/// estimates from the proportions of an average adult (outer eye distance 90 mm, nose 50 mm long, its tip 45 mm before
/// the outer eye corners); the nod that counts as zero is set so that the median over the photos of `faces68/train`,
/// where people mostly look at the camera, is within a degree of zero.
const HEAD: [HeadPoint; 15] = [
    HeadPoint(27, [0.0, 0.0, 0.26]), // root of the nose
    HeadPoint(28, [0.0, 0.12, 0.34]),
    HeadPoint(29, [0.0, 0.26, 0.42]),
    HeadPoint(30, [0.0, 0.40, 0.49]), // tip of the nose
    HeadPoint(31, [-0.165, 0.49, 0.28]),
    HeadPoint(32, [-0.085, 0.52, 0.31]),
    HeadPoint(33, [0.0, 0.54, 0.33]), // below the nose
    HeadPoint(34, [0.085, 0.52, 0.31]),
    HeadPoint(35, [0.165, 0.49, 0.28]),
    HeadPoint(36, [-0.5, 0.0, 0.0]), // right eye, outer corner
    HeadPoint(39, [-0.21, 0.02, 0.07]),
    HeadPoint(42, [0.21, 0.02, 0.07]),
    HeadPoint(45, [0.5, 0.0, 0.0]), // left eye, outer corner
    HeadPoint(48, [-0.31, 0.75, 0.04]),
    HeadPoint(54, [0.31, 0.75, 0.04]), // mouth corners
];

/// Points whose narrow side is below about a thousandth of the long side lie on a line and have no pose.
const MIN_FLATNESS: f64 = 1e-6;

impl Pose {
    /// From the 68 points of a face, in pixels.
    ///
    /// All zeros where the points say nothing: all equal, all on a line, or not finite.
    pub fn from_points(points: &[Point; POINTS]) -> Self {
        Self::from_rows(picture_from_head(points)).unwrap_or_default()
    }

    /// From the two rows of a scaled rotation, which need not be quite orthogonal; `None` when they are parallel,
    /// zero or not finite.
    fn from_rows([u, v]: [[f64; 3]; 2]) -> Option<Self> {
        // The nearest orthonormal rows are G^(-1/2) [u; v], with G the 2x2 matrix of their products.
        let (uu, uv, vv) = (dot(u, u), dot(u, v), dot(v, v));
        let determinant = uu * vv - uv * uv;
        let flatness = determinant / ((uu + vv) * (uu + vv));
        if !flatness.is_finite() || flatness < MIN_FLATNESS {
            return None;
        }
        let root = determinant.sqrt();
        // sqrt(G) = (G + root I) / sqrt(trace + 2 root); its inverse up to a factor, which the length of a row fixes.
        let blend = |a: f64, b: f64| std::array::from_fn(|i| a * u[i] + b * v[i]);
        let (x, y): ([f64; 3], [f64; 3]) = (blend(vv + root, -uv), blend(-uv, uu + root));
        let (x, y) = (unit(x), unit(y));
        let nose = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
        Some(Self {
            roll_rad: y[0].atan2(x[0]) as f32,
            yaw_rad: (-nose[0]).clamp(-1.0, 1.0).asin() as f32,
            pitch_rad: nose[1].atan2(nose[2]) as f32,
        })
    }
}

/// The rows of the 2x3 matrix that takes the head's points to the picture's with the least squared error, both
/// measured from their means.
fn picture_from_head(points: &[Point; POINTS]) -> [[f64; 3]; 2] {
    let n = HEAD.len() as f64;
    // Measured from one of the points, so that equal points give exact zeros.
    let origin = points[HEAD[0].0];
    let seen = HEAD.map(|HeadPoint(i, _)| {
        [f64::from(points[i].x) - f64::from(origin.x), f64::from(points[i].y) - f64::from(origin.y)]
    });
    let mean: [f64; 3] = std::array::from_fn(|k| HEAD.iter().map(|p| p.1[k]).sum::<f64>() / n);
    let head = HEAD.map(|p| [p.1[0] - mean[0], p.1[1] - mean[1], p.1[2] - mean[2]]);

    // The head is symmetric: across does not mix with down and depth, so 1x1 and 2x2 systems remain. As the head's
    // coordinates sum to zero, the picture's mean need not be subtracted.
    let sum = |j: usize, k: usize| head.iter().map(|h| h[j] * h[k]).sum::<f64>();
    let (xx, yy, yz, zz) = (sum(0, 0), sum(1, 1), sum(1, 2), sum(2, 2));
    let determinant = yy * zz - yz * yz;
    std::array::from_fn(|axis| {
        let [x, y, z]: [f64; 3] = std::array::from_fn(|k| head.iter().zip(&seen).map(|(h, s)| h[k] * s[axis]).sum());
        [x / xx, (zz * y - yz * z) / determinant, (yy * z - yz * y) / determinant]
    })
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(a: [f64; 3]) -> [f64; 3] {
    let length = dot(a, a).sqrt();
    a.map(|v| v / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::MIRROR;
    use proptest::prelude::*;

    /// The head seen by a far camera, nodded, turned, tilted, scaled and shifted.
    fn seen(pose: Pose, scale: f32, x: f32, y: f32) -> [Point; POINTS] {
        let ((sr, cr), (sy, cy), (sp, cp)) =
            (pose.roll_rad.sin_cos(), pose.yaw_rad.sin_cos(), pose.pitch_rad.sin_cos());
        let mut points = [Point::new(x, y); POINTS];
        for HeadPoint(i, head) in HEAD {
            let [hx, hy, hz] = head.map(|v| v as f32);
            let (nodded_y, nodded_z) = (cp * hy - sp * hz, sp * hy + cp * hz);
            let turned_x = cy * hx + sy * nodded_z;
            let (px, py) = (cr * turned_x - sr * nodded_y, sr * turned_x + cr * nodded_y);
            points[i] = Point::new(x + scale * px, y + scale * py);
        }
        points
    }

    fn differ(a: Pose, b: Pose) -> f32 {
        let turn = (a.roll_rad - b.roll_rad).abs();
        let roll = turn.min(std::f32::consts::TAU - turn);
        roll.max((a.yaw_rad - b.yaw_rad).abs()).max((a.pitch_rad - b.pitch_rad).abs())
    }

    #[test]
    fn signs_are_as_documented() {
        let mut points = seen(Pose::default(), 100.0, 200.0, 200.0);
        assert!(differ(Pose::from_points(&points), Pose::default()) < 1e-3);
        for p in &mut points[27..36] {
            p.x += 10.0;
            p.y -= 10.0;
        }
        let pose = Pose::from_points(&points);
        assert!(pose.yaw_rad > 0.05 && pose.pitch_rad > 0.05, "a nose moved right and up: {pose:?}");
    }

    #[test]
    fn points_without_a_shape_give_zeros() {
        let line = std::array::from_fn(|i| Point::new(i as f32 * 1.7, i as f32 * 0.3));
        let mut torn = seen(Pose::default(), 100.0, 0.0, 0.0);
        torn[30] = Point::new(f32::NAN, 3.0);
        let mut infinite = torn;
        infinite[30] = Point::new(f32::INFINITY, f32::NEG_INFINITY);
        for points in [[Point::new(0.1, 1e7); POINTS], line, torn, infinite] {
            assert_eq!(Pose::from_points(&points), Pose::default(), "{:?}", points[30]);
        }
    }

    proptest! {
        #[test]
        fn a_known_turn_is_found_again(
            roll in -3.1f32..3.1, yaw in -1.3f32..1.3, pitch in -1.3f32..1.3,
            scale in 10.0f32..500.0, x in -100.0f32..100.0, y in -100.0f32..100.0,
        ) {
            let pose = Pose { roll_rad: roll, yaw_rad: yaw, pitch_rad: pitch };
            let found = Pose::from_points(&seen(pose, scale, x, y));
            prop_assert!(differ(found, pose) < 1e-3, "{:?} {:?}", found, pose);
        }

        #[test]
        fn mirrored_points_negate_yaw_and_roll_and_keep_pitch(
            roll in -1.0f32..1.0, yaw in -1.0f32..1.0, pitch in -1.0f32..1.0,
            noise in proptest::collection::vec(-5.0f32..5.0, 2 * POINTS),
        ) {
            let mut points = seen(Pose { roll_rad: roll, yaw_rad: yaw, pitch_rad: pitch }, 100.0, 300.0, 200.0);
            for (i, p) in points.iter_mut().enumerate() {
                *p = Point::new(p.x + noise[2 * i], p.y + noise[2 * i + 1]);
            }
            let mirrored = std::array::from_fn(|i| Point::new(640.0 - points[MIRROR[i]].x, points[MIRROR[i]].y));
            let (a, b) = (Pose::from_points(&points), Pose::from_points(&mirrored));
            let back = Pose { roll_rad: -b.roll_rad, yaw_rad: -b.yaw_rad, pitch_rad: b.pitch_rad };
            prop_assert!(differ(a, back) < 1e-3, "{:?} {:?}", a, b);
        }

        #[test]
        fn scale_and_shift_change_nothing(
            noise in proptest::collection::vec(-5.0f32..5.0, 2 * POINTS),
            scale in 0.1f32..20.0, x in -300.0f32..300.0, y in -300.0f32..300.0,
        ) {
            let mut points = seen(Pose { roll_rad: 0.3, yaw_rad: -0.4, pitch_rad: 0.2 }, 100.0, 0.0, 0.0);
            for (i, p) in points.iter_mut().enumerate() {
                *p = Point::new(p.x + noise[2 * i], p.y + noise[2 * i + 1]);
            }
            let moved = points.map(|p| Point::new(scale * p.x + x, scale * p.y + y));
            prop_assert!(differ(Pose::from_points(&points), Pose::from_points(&moved)) < 1e-3);
        }

        #[test]
        fn wild_points_give_finite_angles(values in proptest::collection::vec(any::<f32>(), 2 * POINTS)) {
            let points = std::array::from_fn(|i| Point::new(values[2 * i], values[2 * i + 1]));
            let pose = Pose::from_points(&points);
            prop_assert!(pose.roll_rad.is_finite() && pose.yaw_rad.is_finite() && pose.pitch_rad.is_finite());
        }
    }
}
