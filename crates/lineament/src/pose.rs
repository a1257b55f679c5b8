//! Head pose from points: the turn of an average head that best explains where the points lie.
//!
//! Weak perspective: the picture is a scaled and turned head seen from far away. Linear least squares give two rows of
//! a scaled rotation, and the nearest orthonormal pair replaces them (Dementhon and Davis, "Model-based object pose in
//! 25 lines of code", 1995, without its iterations); a few steps of Gauss and Newton then find the rotation with the
//! least weighted error, which brings the angles of a network's points 4 % closer to those of the true points.
//!
//! Functions such as sines come from `libm`: those of the standard library differ between platforms in their last bits.

use crate::geometry::Point;
use crate::head::{HEAD, HeadPoint};
use crate::topology::ibug68::POINTS;

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

/// Points whose narrow side is below about a thousandth of the long side lie on a line and have no pose.
const MIN_FLATNESS: f64 = 1e-6;

/// Fewest points of the head that a pose is computed from: four fix the turn, and one more makes errors show.
const MIN_POINTS: usize = 5;

/// Most steps of Gauss and Newton; four are usual.
const MAX_STEPS: usize = 12;

/// A turn, in radians, below which nothing more is gained.
const LAST_STEP: f64 = 1e-7;

impl Pose {
    /// From the 68 points of a face, in pixels.
    ///
    /// All zeros where the points say nothing: all equal, all on a line, or not finite.
    pub fn from_points(points: &[Point; POINTS]) -> Self {
        Head::fit(&HEAD, points, None)
    }

    /// From the 68 points and their expected errors, in pixels: points that are hidden count less.
    ///
    /// All zeros where the points say nothing, as with [`Pose::from_points`].
    pub fn from_points_and_errors(points: &[Point; POINTS], errors: &[f32; POINTS]) -> Self {
        Head::fit(&HEAD, points, Some(errors))
    }

    /// Length in the picture of the line between two points of the head over its true length, by this pose: 1 when
    /// it lies across the view, 0 when it points at the camera. Does not depend on roll. 1 for points that the head
    /// does not have.
    pub(crate) fn foreshortening(&self, from: usize, to: usize) -> f32 {
        let place = |i: usize| HEAD.iter().find(|p| p.0 == i).map(|p| p.1);
        let (Some(a), Some(b)) = (place(from), place(to)) else { return 1.0 };
        let ((sin_yaw, cos_yaw), (sin_pitch, cos_pitch)) = (libm::sincosf(self.yaw_rad), libm::sincosf(self.pitch_rad));
        let towards_camera = [-sin_yaw, cos_yaw * sin_pitch, cos_yaw * cos_pitch].map(f64::from);
        let line = unit([b[0] - a[0], b[1] - a[1], b[2] - a[2]]);
        (1.0 - square(dot(towards_camera, line))).max(0.0).sqrt() as f32
    }
}

/// A head seen by a far camera: its rotation (rows: right, down, towards the camera) and pixels per millimetre.
#[derive(Clone, Copy)]
struct Turn {
    rows: [[f64; 3]; 3],
    scale: f64,
}

impl Turn {
    fn pose(&self) -> Pose {
        let [x, y, nose] = self.rows;
        Pose {
            roll_rad: libm::atan2(y[0], x[0]) as f32,
            yaw_rad: libm::asin((-nose[0]).clamp(-1.0, 1.0)) as f32,
            pitch_rad: libm::atan2(nose[1], nose[2]) as f32,
        }
    }

    /// Where a point of the head lies, in pixels; the third number is towards the camera.
    fn place(&self, head: [f64; 3]) -> [f64; 3] {
        self.rows.map(|row| self.scale * dot(row, head))
    }

    /// Turned further about the axis `w` by its length in radians, and `growth` (a logarithm) larger.
    fn step(&self, w: [f64; 3], growth: f64) -> Self {
        let angle = dot(w, w).sqrt();
        let (sin, cos) = libm::sincos(angle);
        let [x, y, z] = if angle > 0.0 { w.map(|v| v / angle) } else { [0.0; 3] };
        // Rodrigues' formula.
        let rest = 1.0 - cos;
        let turn = [
            [cos + rest * x * x, rest * x * y - sin * z, rest * x * z + sin * y],
            [rest * x * y + sin * z, cos + rest * y * y, rest * y * z - sin * x],
            [rest * x * z - sin * y, rest * y * z + sin * x, cos + rest * z * z],
        ];
        let rows = turn.map(|t| std::array::from_fn(|k| (0..3).map(|j| t[j] * self.rows[j][k]).sum()));
        Self { rows, scale: self.scale * libm::exp(growth) }
    }
}

/// Where the points of a topology lie on the average head.
#[derive(Debug)]
pub(crate) struct Head(Vec<HeadPoint>);

impl Head {
    /// For points that are means of sets of the iBUG 68 points. A set lies where those of its points do that the head
    /// has. `None` where fewer than [`MIN_POINTS`] points lie on the head.
    pub(crate) fn of(sets: &[Vec<usize>]) -> Option<Self> {
        let mut head = Vec::new();
        for (i, set) in sets.iter().enumerate() {
            let on_head: Vec<&HeadPoint> = HEAD.iter().filter(|p| set.contains(&p.0)).collect();
            if on_head.is_empty() {
                continue;
            }
            let mean = |value: &dyn Fn(&HeadPoint) -> f64| {
                on_head.iter().map(|p| value(p)).sum::<f64>() / on_head.len() as f64
            };
            let place = std::array::from_fn(|axis| mean(&|p| p.1[axis]));
            head.push(HeadPoint(i, place, mean(&|p| p.2)));
        }
        head.truncate(HEAD.len());
        (head.len() >= MIN_POINTS).then_some(Self(head))
    }

    /// The pose from the points of the topology and, where they are known, their expected errors.
    pub(crate) fn pose(&self, points: &[Point], errors: Option<&[f32]>) -> Pose {
        Self::fit(&self.0, points, errors)
    }

    fn fit(head: &[HeadPoint], points: &[Point], errors: Option<&[f32]>) -> Pose {
        let mut weights = [0.0; HEAD.len()];
        weights.iter_mut().zip(head).for_each(|(weight, p)| *weight = p.2);
        if let Some(errors) = errors {
            let error = |point: &HeadPoint| f64::from(errors[point.0]);
            // The geometric mean: a part of the face with huge errors shall not make its own errors usual.
            let usual = libm::exp(head.iter().map(|p| libm::log(error(p))).sum::<f64>() / head.len() as f64);
            if usual.is_finite() && usual > 0.0 {
                // A point without any error counts twice as much as a usual one, not infinitely more.
                weights.iter_mut().zip(head).for_each(|(weight, p)| *weight /= 1.0 + square(error(p) / usual));
            }
        }
        let pairs = Pairs::new(head, points, weights);
        pairs.nearest_turn().map(|turn| pairs.refined(turn).pose()).unwrap_or_default()
    }
}

/// The head's points and where they are seen, both from their weighted means. Only the first `len` of each are used, so
/// that nothing is allocated.
struct Pairs {
    len: usize,
    head: [[f64; 3]; HEAD.len()],
    seen: [[f64; 2]; HEAD.len()],
    weights: [f64; HEAD.len()],
}

impl Pairs {
    fn new(on_head: &[HeadPoint], points: &[Point], weights: [f64; HEAD.len()]) -> Self {
        // Measured from one of the points, so that equal points give exact zeros.
        let origin = points[on_head[0].0];
        let (mut head, mut seen, len) = ([[0.0; 3]; HEAD.len()], [[0.0; 2]; HEAD.len()], on_head.len());
        for (k, &HeadPoint(i, place, _)) in on_head.iter().enumerate() {
            head[k] = place;
            seen[k] = [f64::from(points[i].x) - f64::from(origin.x), f64::from(points[i].y) - f64::from(origin.y)];
        }
        center(&mut head[..len], &weights[..len]);
        center(&mut seen[..len], &weights[..len]);
        Self { len, head, seen, weights }
    }

    /// Each point of the head, where it is seen, and how much it counts.
    fn all(&self) -> impl Iterator<Item = ((&[f64; 3], &[f64; 2]), &f64)> {
        self.head.iter().zip(&self.seen).zip(&self.weights).take(self.len)
    }

    /// The rotation nearest to the free linear map with the least error; `None` when the points lie on a line or are
    /// not finite.
    fn nearest_turn(&self) -> Option<Turn> {
        let squares =
            std::array::from_fn(|j| std::array::from_fn(|k| self.all().map(|((h, _), w)| w * h[j] * h[k]).sum()));
        let row = |axis: usize| {
            solve::<3>(squares, std::array::from_fn(|j| self.all().map(|((h, s), w)| w * h[j] * s[axis]).sum()))
        };
        let (u, v) = (row(0)?, row(1)?);
        // The nearest orthonormal rows are G^(-1/2) [u; v], with G the 2x2 matrix of their products.
        let (uu, uv, vv) = (dot(u, u), dot(u, v), dot(v, v));
        let determinant = uu * vv - uv * uv;
        let flatness = determinant / ((uu + vv) * (uu + vv));
        if !flatness.is_finite() || flatness < MIN_FLATNESS {
            return None;
        }
        let root = determinant.sqrt();
        // sqrt(G) = (G + root I) / sqrt(trace + 2 root); its inverse up to a factor, which the length of a row fixes.
        let blend = |a: f64, b: f64| unit(std::array::from_fn(|i| a * u[i] + b * v[i]));
        let (x, y) = (blend(vv + root, -uv), blend(-uv, uu + root));
        let towards_camera = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
        Some(Turn { rows: [x, y, towards_camera], scale: (dot(u, x) + dot(v, y)) / 2.0 })
    }

    /// The turn with the least weighted error near `turn`.
    fn refined(&self, mut turn: Turn) -> Turn {
        let mut error = self.error(&turn);
        for _ in 0..MAX_STEPS {
            let Some([x, y, z, growth]) = self.newton_step(&turn) else { break };
            let next = turn.step([x, y, z], growth);
            let next_error = self.error(&next);
            if next_error.is_nan() || next_error > error {
                break; // As good as it gets: what is left is rounding.
            }
            (turn, error) = (next, next_error);
            if x.abs().max(y.abs()).max(z.abs()) < LAST_STEP {
                break;
            }
        }
        turn
    }

    /// The weighted sum of squared distances in the picture.
    fn error(&self, turn: &Turn) -> f64 {
        let distance_squared = |(head, seen): (&[f64; 3], &[f64; 2])| {
            let [x, y, _] = turn.place(*head);
            square(seen[0] - x) + square(seen[1] - y)
        };
        self.all().map(|(pair, weight)| weight * distance_squared(pair)).sum()
    }

    /// The small turn about the picture's axes, and the growth, that the linearised error asks for.
    fn newton_step(&self, turn: &Turn) -> Option<[f64; 4]> {
        let (mut squares, mut products) = ([[0.0; 4]; 4], [0.0; 4]);
        for ((head, seen), weight) in self.all() {
            let [x, y, z] = turn.place(*head);
            // How far the point moves right and down per unit of each of the four.
            for (moves, left) in [([0.0, z, -y, x], seen[0] - x), ([-z, 0.0, x, y], seen[1] - y)] {
                for j in 0..4 {
                    products[j] += weight * moves[j] * left;
                    (0..4).for_each(|k| squares[j][k] += weight * moves[j] * moves[k]);
                }
            }
        }
        solve::<4>(squares, products)
    }
}

/// Subtracts the weighted mean.
fn center<const D: usize>(points: &mut [[f64; D]], weights: &[f64]) {
    let total: f64 = weights.iter().sum();
    for k in 0..D {
        let mean = points.iter().zip(weights).map(|(p, w)| w * p[k]).sum::<f64>() / total;
        points.iter_mut().for_each(|p| p[k] -= mean);
    }
}

/// Solves `a x = b` by elimination with row pivots; `None` where `a` is singular or not finite.
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for k in 0..N {
        let pivot = (k..N).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs()))?;
        a.swap(k, pivot);
        b.swap(k, pivot);
        if !(a[k][k].is_finite() && a[k][k] != 0.0) {
            return None;
        }
        for i in k + 1..N {
            let factor = a[i][k] / a[k][k];
            (k..N).for_each(|j| a[i][j] -= factor * a[k][j]);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..N).rev() {
        let known: f64 = (k + 1..N).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b.iter().all(|v| v.is_finite()).then_some(b)
}

fn square(x: f64) -> f64 {
    x * x
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn unit(a: [f64; 3]) -> [f64; 3] {
    let length = dot(a, a).sqrt();
    a.map(|v| v / length)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::topology::ibug68::{LEFT_EYE, MIRROR, RIGHT_EYE};
    use crate::topology::tests::{five, inner, three};
    use crate::topology::{Definition, Topology};
    use proptest::prelude::*;

    /// The head seen by a far camera, nodded, turned, tilted, scaled and shifted.
    pub fn seen(pose: Pose, scale: f32, x: f32, y: f32) -> [Point; POINTS] {
        let ((sr, cr), (sy, cy), (sp, cp)) =
            (pose.roll_rad.sin_cos(), pose.yaw_rad.sin_cos(), pose.pitch_rad.sin_cos());
        let mut points = [Point::new(x, y); POINTS];
        for HeadPoint(i, head, _) in HEAD {
            let [hx, hy, hz] = head.map(|v| v as f32 / 90.0);
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
    fn every_point_of_the_head_is_its_own() {
        let mut indices = HEAD.map(|p| p.0);
        indices.sort_unstable();
        assert!(indices.windows(2).all(|pair| pair[0] < pair[1]), "{indices:?}");
    }

    /// Even numbers from -1 to 1.
    fn noise(seed: u64) -> impl FnMut() -> f32 {
        let mut state = seed.wrapping_mul(2) + 1;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        }
    }

    #[test]
    fn noise_of_2_percent_costs_a_few_degrees() {
        // Standard deviation of 2 % of the eye distance along each axis, more than a network's on an easy face.
        let spread = 2.0 * 3f32.sqrt();
        for (yaw, pitch, most) in
            [(0.0, 0.0, 2.5), (30.0, 15.0, 2.5), (-60.0, 0.0, 3.5), (60.0, -20.0, 3.5), (75.0, 0.0, 7.0)]
        {
            let pose = Pose { roll_rad: 0.2, yaw_rad: f32::to_radians(yaw), pitch_rad: f32::to_radians(pitch) };
            let mut random = noise(yaw as u64 + 7);
            let mut square = 0.0;
            for _ in 0..300 {
                let points = seen(pose, 100.0, 0.0, 0.0);
                let points = points.map(|p| Point::new(p.x + spread * random(), p.y + spread * random()));
                square += differ(Pose::from_points(&points), pose).to_degrees().powi(2) / 300.0;
            }
            assert!(square.sqrt() < most, "yaw {yaw}, pitch {pitch}: {} degrees", square.sqrt());
        }
    }

    #[test]
    fn a_pose_has_the_same_bits_on_every_platform() {
        let (mut points, mut errors) = ([Point::default(); POINTS], [1.0; POINTS]);
        for (k, HeadPoint(i, [x, y, z], _)) in HEAD.into_iter().enumerate() {
            // Only products and sums, which every processor rounds alike.
            let [x, y, z] = [x, y, z].map(|v| v as f32);
            points[i] = Point::new(300.0 + 1.5 * x - 0.375 * y + 0.75 * z, 200.0 + 0.5 * x + 1.625 * y - 0.25 * z);
            errors[i] = 1.0 + (k % 5) as f32 / 4.0;
        }
        let Pose { roll_rad, yaw_rad, pitch_rad } = Pose::from_points_and_errors(&points, &errors);
        let length = Pose { roll_rad, yaw_rad, pitch_rad }.foreshortening(36, 39);
        let bits = [roll_rad, yaw_rad, pitch_rad, length].map(f32::to_bits);
        assert_eq!(
            bits,
            [0x3ea7_b390, 0x3ec8_0b37, 0x3e8c_20cd, 0x3f7d_08ed],
            "{roll_rad} {yaw_rad} {pitch_rad} {length}"
        );
    }

    #[test]
    fn points_that_expect_large_errors_count_less() {
        let pose = Pose { roll_rad: 0.1, yaw_rad: 0.4, pitch_rad: -0.1 };
        let (mut points, mut errors) = (seen(pose, 100.0, 0.0, 0.0), [1.0; POINTS]);
        for i in (0..9).chain(31..36).chain([48]) {
            points[i].x += 12.0;
            errors[i] = 12.0;
        }
        let plain = differ(Pose::from_points(&points), pose);
        let weighted = differ(Pose::from_points_and_errors(&points, &errors), pose);
        assert!(weighted < 0.5 * plain, "{weighted} {plain}");
        for errors in [[0.0; POINTS], [f32::NAN; POINTS], [f32::INFINITY; POINTS]] {
            assert_eq!(Pose::from_points_and_errors(&points, &errors), Pose::from_points(&points));
        }
    }

    #[test]
    fn lines_across_shorten_with_yaw_and_lines_down_with_pitch() {
        let turned = |yaw: f32, pitch: f32| Pose { roll_rad: 0.7, yaw_rad: yaw, pitch_rad: pitch };
        for (what, pose, line, expected) in [
            ("facing", turned(0.0, 0.0), (36, 45), 1.0),
            ("eyes, turned", turned(1.0, 0.0), (36, 45), 1f32.cos()),
            ("eyes, nodded", turned(0.0, 1.0), (36, 45), 1.0),
            ("mouth, turned and nodded", turned(-0.5, 0.5), (48, 54), 0.5f32.cos()),
            ("no point of the head", turned(1.0, 0.0), (60, 64), 1.0),
        ] {
            let found = pose.foreshortening(line.0, line.1);
            assert!((found - expected).abs() < 1e-5, "{what}: {found}");
        }
    }

    /// Lids between the corners of the eyes, open by a fifth of the eye's width, as [`seen`] has none.
    pub fn with_lids(mut points: [Point; POINTS]) -> [Point; POINTS] {
        for eye in [RIGHT_EYE, LEFT_EYE] {
            let (from, to) = (points[eye.start], points[eye.start + 3]);
            for (lid, share, open) in [(1, 0.3, -0.1), (2, 0.7, -0.1), (4, 0.7, 0.1), (5, 0.3, 0.1)] {
                let (x, y) = (to.x - from.x, to.y - from.y);
                points[eye.start + lid] = Point::new(from.x + share * x - open * y, from.y + share * y + open * x);
            }
        }
        points
    }

    #[test]
    fn five_points_have_nearly_the_pose_of_68() {
        let topology = Topology::new(five()).unwrap();
        for yaw in [-30.0f32, -15.0, 0.0, 15.0, 30.0] {
            for pitch in [-30.0f32, 0.0, 30.0] {
                let pose = Pose { roll_rad: 0.3, yaw_rad: yaw.to_radians(), pitch_rad: pitch.to_radians() };
                let points = with_lids(seen(pose, 100.0, 300.0, 200.0));
                let five = topology.from_ibug68(&points).expect("means of the 68");
                let found = topology.head().expect("five points of the head").pose(&five, None);
                let off = differ(found, Pose::from_points(&points)).to_degrees();
                assert!(off < 3.0, "yaw {yaw}, pitch {pitch}: {off} degrees");
            }
        }
    }

    #[test]
    fn expected_errors_count_for_the_points_of_any_topology() {
        let topology = Topology::new(inner()).unwrap();
        let pose = Pose { roll_rad: 0.1, yaw_rad: 0.4, pitch_rad: -0.1 };
        let mut points = topology.from_ibug68(&seen(pose, 100.0, 0.0, 0.0)).unwrap();
        let mut errors = vec![1.0; points.len()];
        for i in (31..36).chain([48]).map(|i| i - 17) {
            points[i].x += 12.0;
            errors[i] = 12.0;
        }
        let head = topology.head().unwrap();
        let plain = differ(head.pose(&points, None), pose);
        let weighted = differ(head.pose(&points, Some(&errors)), pose);
        assert!(weighted < 0.5 * plain, "{weighted} {plain}");
    }

    #[test]
    fn a_pose_takes_five_points_of_the_head() {
        // Of 37 and 43, upper lids, and 61, the inner lips, the head has none.
        for (sets, has_pose) in [
            (vec![], false),
            (vec![vec![30]; 4], false),
            (vec![vec![30], vec![36], vec![45], vec![8]], false),
            (vec![vec![30], vec![36], vec![45], vec![8], vec![37], vec![61, 43]], false),
            (vec![vec![30], vec![36], vec![45], vec![8], vec![33]], true),
            (vec![vec![], vec![30], vec![36, 37], vec![45], vec![8], vec![33, 61]], true),
        ] {
            assert_eq!(Head::of(&sets).is_some(), has_pose, "{sets:?}");
        }
        let has_pose = |definition: Definition| Topology::new(definition).unwrap().has_pose();
        assert!(has_pose(five()) && has_pose(inner()) && !has_pose(three()));
    }

    #[test]
    fn more_points_than_the_head_has_do_no_harm() {
        // Every point of the 68 three times.
        let sets: Vec<Vec<usize>> = (0..3 * POINTS).map(|i| vec![i / 3]).collect();
        let pose = Pose { roll_rad: 0.2, yaw_rad: -0.3, pitch_rad: 0.1 };
        let points = seen(pose, 100.0, 0.0, 0.0);
        let points: Vec<Point> = (0..3 * POINTS).map(|i| points[i / 3]).collect();
        let found = Head::of(&sets).unwrap().pose(&points, Some(&vec![1.0; points.len()]));
        assert!([found.roll_rad, found.yaw_rad, found.pitch_rad].iter().all(|angle| angle.is_finite()), "{found:?}");
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
        fn a_turn_of_the_picture_adds_to_roll_alone(
            noise in proptest::collection::vec(-5.0f32..5.0, 2 * POINTS), angle in -3.0f32..3.0,
        ) {
            let mut points = seen(Pose { roll_rad: 0.3, yaw_rad: -0.4, pitch_rad: 0.2 }, 100.0, 0.0, 0.0);
            for (i, p) in points.iter_mut().enumerate() {
                *p = Point::new(p.x + noise[2 * i], p.y + noise[2 * i + 1]);
            }
            let (sin, cos) = angle.sin_cos();
            let turned = points.map(|p| Point::new(cos * p.x - sin * p.y, sin * p.x + cos * p.y));
            let expected = Pose::from_points(&points);
            let expected = Pose { roll_rad: expected.roll_rad + angle, ..expected };
            prop_assert!(differ(Pose::from_points(&turned), expected) < 1e-3);
        }

        #[test]
        fn wild_points_give_finite_angles(values in proptest::collection::vec(any::<f32>(), 2 * POINTS)) {
            let points = std::array::from_fn(|i| Point::new(values[2 * i], values[2 * i + 1]));
            let pose = Pose::from_points(&points);
            prop_assert!(pose.roll_rad.is_finite() && pose.yaw_rad.is_finite() && pose.pitch_rad.is_finite());
        }
    }
}
