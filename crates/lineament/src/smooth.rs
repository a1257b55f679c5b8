//! Points that neither shake on a still face nor lag behind a moving one.
//!
//! Two motions are separated: how the whole face moves (shift, rotation, size; a weighted fit over all points) and how
//! its shape changes (lids, lips). The face is expected to keep its speed, and the shape to stay. Each measurement is
//! then followed by a share that grows with its distance from the expected value. Close to it, the difference is mostly
//! noise; far from it, it is motion, which must show at once. For the whole face this is an alpha-beta filter with a
//! variable gain (Benedict and Bordner, "Synthesis of an optimal set of radar track-while-scan smoothing equations",
//! 1962).
//!
//! What counts as close follows from the expected error of each point. So an uncertain point is smoothed more, and
//! small and large faces are smoothed alike.
//!
//! The alternative that lost is the One Euro filter (Casiez, Roussel and Vogel, 2012), which derives the share from the
//! filtered speed of each point. The best of five settings was as steady as this filter on a still, noisy portrait.
//! Where the portrait slid by 0.76 pixels per frame it was 0.2 frames late (this filter: 0.0) and shook five times as
//! much; on a blink it was 0.25 frames late (this filter: 0.05).

use crate::error::{Error, Result};
use crate::geometry::{ImageFrame, Point, Similarity};

/// How strongly points are smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothOptions {
    /// Seconds in which a resting point follows about two thirds of a small change. Longer is steadier and lets small
    /// movements lag; 0 turns smoothing off.
    pub settle_secs: f32,
    /// What counts as a small change, as a share of a point's expected error. A point this far from where it was
    /// expected is followed twice as fast, and a point three times as far ten times as fast. Larger is steadier.
    pub tolerance: f32,
}

/// Chosen by trial on a noisy portrait, still and sliding (`lineament bench steadiness`), and on four videos. In the
/// videos a point shakes from frame to frame by about 0.045 of its expected error, and the tolerance is twice that.
/// Half the tolerance doubles the noise that remains; twice the tolerance makes a slide of 0.1 pixels per frame lag by
/// most of a frame.
const DEFAULT: SmoothOptions = SmoothOptions { settle_secs: 0.2, tolerance: 0.09 };

impl Default for SmoothOptions {
    fn default() -> Self {
        DEFAULT
    }
}

impl SmoothOptions {
    pub(crate) fn check(&self) -> Result<()> {
        let Self { settle_secs, tolerance } = *self;
        if !(settle_secs.is_finite() && settle_secs >= 0.0) {
            return Err(Error::Option(format!("settle_secs is at least 0 seconds, not {settle_secs}")));
        }
        if !(tolerance.is_finite() && tolerance > 0.0) {
            return Err(Error::Option(format!("tolerance is above 0, not {tolerance}")));
        }
        Ok(())
    }

    /// The share by which a measurement is followed after `secs`; `distance_squared` is its squared distance from the
    /// expected value, in tolerances.
    fn share(&self, secs: f32, distance_squared: f32) -> f32 {
        // From 0 to 1; in this form an infinite time gives 1.
        1.0 / (1.0 + self.settle_secs / (secs * (1.0 + distance_squared)))
    }
}

/// The frame of the face itself, in which its points have mean 0 and root mean square distance 1 from it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FaceFrame {}

/// How a face lies in the image, and how that changes per second.
type FacePose = Similarity<ImageFrame, FaceFrame>;

/// Expected errors below this share of the face size count as this share.
const LEAST_TOLERANCE: f32 = 1e-3;

/// Iterations of the fit. Each gives less weight to points that moved within the face, such as lips.
const FIT_ROUNDS: usize = 3;

/// How far from the fit a point has half its weight, in tolerances.
const FIT_TOLERANCE: f32 = 1.5;

/// A frame without a usable time is taken to come this long after the one before.
pub(crate) const FRAME_SECS: f64 = 1.0 / 30.0;

/// Smooths the points of one face from frame to frame. It allocates memory for the first frame only.
#[derive(Debug, Clone)]
pub struct Smoother {
    options: SmoothOptions,
    /// How the face lies and moves; `None` before the first frame.
    motion: Option<Motion>,
    /// The points in the frame of the face.
    shape: Vec<Point<FaceFrame>>,
    /// What was answered last.
    answer: Vec<Point>,
    fit: Fit,
}

#[derive(Debug, Clone, Copy)]
struct Motion {
    pose: FacePose,
    /// Change of the pose per second.
    speed: FacePose,
}

impl Smoother {
    /// For a face that is seen for the first time.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    pub fn new(options: SmoothOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { options, motion: None, shape: Vec::new(), answer: Vec::new(), fit: Fit::default() })
    }

    /// Uses other options from the next frame on.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    pub fn set_options(&mut self, options: SmoothOptions) -> Result<()> {
        options.check()?;
        self.options = options;
        Ok(())
    }

    /// The smoothed points of the next frame, from the measured points and their expected errors (both in pixels). The
    /// frame was taken `elapsed_secs` after the one before; a time that is not finite or not above 0 counts as a
    /// thirtieth of a second.
    ///
    /// Returns the points of the first frame as they are. So it does for a frame whose points are not finite or all in
    /// one place, or not as many as before; the next frame then counts as the first.
    ///
    /// # Panics
    /// When there are not as many errors as points.
    pub fn update(&mut self, points: &[Point], errors: &[f32], elapsed_secs: f64) -> &[Point] {
        assert_eq!(points.len(), errors.len(), "an expected error for each point");
        let before = self.motion.take().filter(|_| points.len() == self.shape.len());
        self.motion = before.and_then(|motion| self.follow(motion, points, errors, secs(elapsed_secs)));
        if let Some(motion) = self.motion {
            self.place(motion.pose);
            if !self.answer.iter().all(|p| p.is_finite()) {
                self.motion = None;
            }
        }
        if self.motion.is_none() {
            self.motion = self.first(points);
            self.answer.clear();
            self.answer.extend_from_slice(points);
        }
        &self.answer
    }

    /// Where the points are expected `elapsed_secs` after the last frame, if the face keeps its speed and its shape;
    /// `None` before the first frame.
    pub fn expect(&mut self, elapsed_secs: f64) -> Option<&[Point]> {
        let pose = self.motion?.pose_after(secs(elapsed_secs));
        self.place(pose);
        Some(&self.answer)
    }

    /// Writes the points of a face that lies so into `answer`.
    fn place(&mut self, pose: FacePose) {
        self.answer.clear();
        self.answer.extend(self.shape.iter().map(|&p| pose * p));
    }

    fn first(&mut self, points: &[Point]) -> Option<Motion> {
        self.shape.clear();
        self.shape.extend(points.iter().map(|p| Point::new(p.x, p.y)));
        let still = Similarity::new(0.0, 0.0, 0.0, 0.0);
        self.centred(Motion { pose: Similarity::new(1.0, 0.0, 0.0, 0.0), speed: still })
    }

    /// The next state; `None` where the points have no size or are not finite.
    fn follow(&mut self, mut motion: Motion, points: &[Point], errors: &[f32], secs: f32) -> Option<Motion> {
        let expected = motion.pose_after(secs);
        let least = LEAST_TOLERANCE * motion.pose.scale();
        let Self { options, shape, fit, .. } = self;
        let tolerance = |error: &f32| (options.tolerance * error).max(least); // NaN becomes the least
        fit.tolerances.clear();
        fit.tolerances.extend(errors.iter().map(tolerance));
        let placed = fit.run(shape, points)?;

        let squared = |i: usize, distance: f32| (distance / fit.tolerances[i]).powi(2);
        let apart = |i: usize| squared(i, (placed * shape[i]).distance(expected * shape[i]));
        let share = options.share(secs, (0..points.len()).map(apart).sum::<f32>() / points.len() as f32);
        let change = plus(placed, -1.0, expected);
        motion.pose = plus(expected, share, change);
        // The optimal gain of speed for a gain of position, after Benedict and Bordner.
        motion.speed = plus(motion.speed, share * share / (2.0 - share) / secs, change);

        let face_from_image = placed.inverse();
        for (i, (old, &point)) in shape.iter_mut().zip(points).enumerate() {
            let new = face_from_image * point;
            let share = options.share(secs, squared(i, placed.scale() * new.distance(*old)));
            *old = Point::new(old.x + share * (new.x - old.x), old.y + share * (new.y - old.y));
        }
        self.centred(motion)
    }

    /// The same points in the image, with the shape normalised to mean 0 and size 1 again: rounding and noise make it
    /// drift. `None` when it has no size.
    fn centred(&mut self, motion: Motion) -> Option<Motion> {
        let shape = &mut self.shape;
        let center = Point::mean(shape);
        let size = (shape.iter().map(|p| p.distance(center).powi(2)).sum::<f32>() / shape.len() as f32).sqrt();
        if !(size.is_finite() && size > 0.0) {
            return None;
        }
        let old_from_new = Similarity::<FaceFrame, FaceFrame>::new(size, 0.0, center.x, center.y);
        shape.iter_mut().for_each(|p| *p = Point::new((p.x - center.x) / size, (p.y - center.y) / size));
        Some(Motion { pose: motion.pose * old_from_new, speed: motion.speed * old_from_new })
    }
}

impl Motion {
    fn pose_after(&self, secs: f32) -> FacePose {
        plus(self.pose, secs, self.speed)
    }
}

/// A usable time in seconds; the bounds keep speeds finite.
fn secs(elapsed_secs: f64) -> f32 {
    let usable = elapsed_secs.is_finite() && elapsed_secs > 0.0;
    (if usable { elapsed_secs.clamp(1e-3, 1e3) } else { FRAME_SECS }) as f32
}

/// `pose + share * change`, number by number.
fn plus(pose: FacePose, share: f32, change: FacePose) -> FacePose {
    Similarity::new(
        pose.a + share * change.a,
        pose.b + share * change.b,
        pose.tx + share * change.tx,
        pose.ty + share * change.ty,
    )
}

/// The fit of a shape to points; holds its memory from frame to frame.
#[derive(Debug, Clone, Default)]
struct Fit {
    /// Of each point, in pixels. Set before [`Fit::run`].
    tolerances: Vec<f32>,
    trust: Vec<f32>,
    weights: Vec<f32>,
}

impl Fit {
    /// The transform that takes `shape` to `points`: least squares, weighted by the tolerance of each point, with less
    /// weight for points far from the fit (Cauchy weights). `None` where the points have no size or are not finite.
    fn run(&mut self, shape: &[Point<FaceFrame>], points: &[Point]) -> Option<FacePose> {
        let Self { tolerances, trust, weights } = self;
        trust.clear();
        trust.extend(tolerances.iter().map(|tolerance| (tolerances[0] / tolerance).powi(2)));
        weights.clone_from(trust);
        let mut pose = None;
        for _ in 0..FIT_ROUNDS {
            let fitted = least_squares(shape, points, weights)?;
            for i in 0..points.len() {
                let off = (fitted * shape[i]).distance(points[i]) / (FIT_TOLERANCE * tolerances[i]);
                weights[i] = trust[i] / (1.0 + off * off);
            }
            pose = Some(fitted);
        }
        pose
    }
}

fn least_squares(shape: &[Point<FaceFrame>], points: &[Point], weights: &[f32]) -> Option<FacePose> {
    let total: f32 = weights.iter().sum();
    let (from, to) = (weighted_mean(shape, weights, total), weighted_mean(points, weights, total));
    let (mut along, mut across, mut size) = (0.0, 0.0, 0.0);
    for ((s, p), w) in shape.iter().zip(points).zip(weights) {
        let (sx, sy, px, py) = (s.x - from.x, s.y - from.y, p.x - to.x, p.y - to.y);
        along += w * (sx * px + sy * py);
        across += w * (sx * py - sy * px);
        size += w * (sx * sx + sy * sy);
    }
    let (a, b) = (along / size, across / size);
    let pose = Similarity::new(a, b, to.x - (a * from.x - b * from.y), to.y - (b * from.x + a * from.y));
    (pose.scale() > 0.0 && [a, b, pose.tx, pose.ty].iter().all(|v| v.is_finite())).then_some(pose)
}

fn weighted_mean<F>(points: &[Point<F>], weights: &[f32], total: f32) -> Point<F> {
    let (x, y) = points.iter().zip(weights).fold((0.0, 0.0), |(x, y), (p, w)| (x + w * p.x, y + w * p.y));
    Point::new(x / total, y / total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::ibug68::{POINTS, inter_ocular};
    use proptest::prelude::*;

    const STEP_SECS: f64 = 1.0 / 30.0;

    /// 68 points in the places of a face, about 100 pixels wide.
    fn face() -> [Point; POINTS] {
        std::array::from_fn(|i| {
            let turn = i as f32 * 2.4; // the golden angle spreads them over a disc
            let radius = 50.0 * ((i as f32 + 0.5) / POINTS as f32).sqrt();
            Point::new(200.0 + radius * turn.cos(), 150.0 + radius * turn.sin())
        })
    }

    const ERRORS: [f32; POINTS] = [2.0; POINTS];

    fn smoother() -> Smoother {
        Smoother::new(SmoothOptions::default()).unwrap()
    }

    fn array(points: &[Point]) -> [Point; POINTS] {
        points.try_into().expect("as many points as went in")
    }

    fn moved(points: &[Point; POINTS], x: f32, y: f32) -> [Point; POINTS] {
        points.map(|p| Point::new(p.x + x, p.y + y))
    }

    fn worst(a: &[Point], b: &[Point]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| a.distance(*b)).fold(0.0, f32::max)
    }

    /// The same noise in every run, about `sd` pixels on each axis.
    fn noisy(points: &[Point; POINTS], sd: f32, frame: usize) -> [Point; POINTS] {
        let mut state = (frame as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = || {
            // The sum of four even numbers is near enough to Gauss; its standard deviation is 2 / sqrt(12).
            let sum: f32 = (0..4)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
                })
                .sum();
            sd * sum * 12f32.sqrt() / 2.0
        };
        points.map(|p| Point::new(p.x + next(), p.y + next()))
    }

    #[test]
    fn the_first_frame_and_a_constant_one_are_answered_as_they_are() {
        let mut smoother = smoother();
        assert_eq!(smoother.expect(STEP_SECS), None);
        assert_eq!(smoother.update(&face(), &ERRORS, STEP_SECS), face());
        for frame in 0..1000 {
            let off = worst(smoother.update(&face(), &ERRORS, STEP_SECS), &face());
            assert!(off < 1e-3, "frame {frame}: {off}");
        }
    }

    #[test]
    fn a_resting_face_shakes_a_fifth_as_much_and_a_sliding_one_is_not_late() {
        // Noise as measured: 0.045 of the expected error; a slide of 0.76 pixels is more than that, one of 0.05 less.
        for slide in [0.0, 0.05, 0.76, 20.0] {
            let mut smoother = smoother();
            let (mut raw_steps, mut steps, mut late, mut counted) = (0.0, 0.0, 0.0, 0);
            let (mut last_raw, mut last) = (face(), face());
            for frame in 0..200 {
                let shift = slide * frame as f32;
                let raw = noisy(&moved(&face(), shift, 0.0), 0.045 * 2.0 / 2f32.sqrt(), frame);
                let smooth = moved(&array(smoother.update(&raw, &ERRORS, STEP_SECS)), -shift, 0.0);
                let raw = moved(&raw, -shift, 0.0);
                if frame >= 60 {
                    raw_steps += raw.iter().zip(&last_raw).map(|(a, b)| a.distance(*b)).sum::<f32>();
                    steps += smooth.iter().zip(&last).map(|(a, b)| a.distance(*b)).sum::<f32>();
                    late += Point::mean(&face()).x - Point::mean(&smooth).x;
                    counted += 1;
                }
                (last_raw, last) = (raw, smooth);
            }
            assert!(steps < 0.2 * raw_steps, "slide {slide}: {steps} of {raw_steps}");
            let late = late / counted as f32;
            assert!(late.abs() < 0.02, "slide {slide}: {late} pixels late");
        }
    }

    #[test]
    fn a_blink_is_followed_at_once_and_moves_nothing_else() {
        let mut smoother = smoother();
        smoother.update(&face(), &ERRORS, STEP_SECS);
        let mut blink = face();
        let step = 0.05 * inter_ocular(&face());
        (37..48).for_each(|i| blink[i].y += step);
        let shown = smoother.update(&blink, &ERRORS, STEP_SECS);
        for (i, (shown, before)) in shown.iter().zip(face()).enumerate() {
            let done = (shown.y - before.y) / step;
            let expected = if (37..48).contains(&i) { 0.8..1.01 } else { -0.05..0.05 };
            assert!(expected.contains(&done), "point {i}: {done}");
        }
    }

    #[test]
    fn a_face_that_stops_does_not_run_on() {
        for slide in [0.1, 1.0, 10.0] {
            let mut smoother = smoother();
            (0..30).for_each(|frame| {
                smoother.update(&moved(&face(), slide * frame as f32, 0.0), &ERRORS, STEP_SECS);
            });
            let end = moved(&face(), slide * 29.0, 0.0);
            let beyond = (0..60).map(|_| worst(smoother.update(&end, &ERRORS, STEP_SECS), &end)).fold(0.0, f32::max);
            // 0.3 % of the face's width.
            assert!(beyond < 0.3, "slide {slide}: {beyond} pixels beyond");
            assert!(worst(smoother.update(&end, &ERRORS, STEP_SECS), &end) < 0.02, "slide {slide}: comes to rest");
        }
    }

    #[test]
    fn an_unsure_point_is_smoothed_more() {
        let mut smoother = smoother();
        let mut errors = ERRORS;
        errors[20] = 20.0;
        smoother.update(&face(), &errors, STEP_SECS);
        let mut next = face();
        (next[20].x, next[21].x) = (next[20].x + 1.0, next[21].x + 1.0);
        let shown = smoother.update(&next, &errors, STEP_SECS);
        let (unsure, sure) = (shown[20].x - face()[20].x, shown[21].x - face()[21].x);
        assert!(unsure < 0.5 * sure, "{unsure} {sure}");
    }

    #[test]
    fn half_the_frame_rate_follows_a_small_change_as_fast_in_seconds() {
        let after = moved(&face(), 0.02, 0.0);
        let shown = |step_secs: f64| {
            let mut smoother = smoother();
            smoother.update(&face(), &ERRORS, step_secs);
            let frames = (0.2 / step_secs).round() as usize;
            let end = (0..frames).map(|_| array(smoother.update(&after, &ERRORS, step_secs))).last().unwrap();
            Point::mean(&end).x - Point::mean(&face()).x
        };
        let (slow, fast) = (shown(1.0 / 30.0) / 0.02, shown(1.0 / 120.0) / 0.02);
        assert!((slow - fast).abs() < 0.25 && slow > 0.4 && fast > 0.4, "{slow} {fast}");
    }

    #[test]
    fn options_out_of_range_are_refused_and_a_settling_time_of_0_smooths_nothing() {
        for (settle_secs, tolerance) in [(-1.0, 0.1), (f32::NAN, 0.1), (0.1, 0.0), (0.1, -1.0), (0.1, f32::INFINITY)] {
            assert!(Smoother::new(SmoothOptions { settle_secs, tolerance }).is_err(), "{settle_secs} {tolerance}");
        }
        let mut none = Smoother::new(SmoothOptions { settle_secs: 0.0, ..SmoothOptions::default() }).unwrap();
        for frame in 0..9 {
            let raw = noisy(&face(), 3.0, frame);
            assert!(worst(none.update(&raw, &ERRORS, STEP_SECS), &raw) < 1e-3);
        }
    }

    #[test]
    fn wild_numbers_do_no_harm_to_the_frames_after_them() {
        let wild = [f32::NAN, f32::INFINITY, f32::MAX, 1e30, 0.0, -1e9];
        for a in wild {
            for secs in [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e-300, 1e300] {
                let mut smoother = smoother();
                smoother.update(&face(), &ERRORS, STEP_SECS);
                let mut torn = face();
                torn[30] = Point::new(a, -a);
                smoother.update(&torn, &[a; POINTS], secs);
                smoother.update(&[Point::new(a, a); POINTS], &ERRORS, secs);
                smoother.update(&face(), &[a; POINTS], secs);
                let mut last = face();
                for _ in 0..200 {
                    last = array(smoother.update(&face(), &ERRORS, STEP_SECS));
                }
                assert!(worst(&last, &face()) < 0.05, "{a} {secs}: {}", worst(&last, &face()));
                assert!(smoother.expect(secs).unwrap().iter().all(|p| p.is_finite()));
            }
        }
    }

    /// As many points as asked for, around (50, 40).
    fn some(count: usize) -> Vec<Point> {
        (0..count).map(|i| Point::new(50.0 + 30.0 * (i as f32).cos(), 40.0 + 20.0 * (2.4 * i as f32).sin())).collect()
    }

    #[test]
    fn any_number_of_points_is_smoothed() {
        for count in [2, 3, 5, 21, 68, 1000] {
            let (mut smoother, errors, points) = (smoother(), vec![2.0; count], some(count));
            assert_eq!(smoother.update(&points, &errors, STEP_SECS), points);
            assert!(worst(smoother.expect(STEP_SECS).unwrap(), &points) < 1e-3, "{count} points");
            for _ in 0..30 {
                assert!(worst(smoother.update(&points, &errors, STEP_SECS), &points) < 1e-3, "{count} points");
            }
            // A small step is followed by a part of it, the same for all points.
            let step = |p: &Point| Point::new(p.x + 0.01, p.y);
            let next: Vec<Point> = points.iter().map(step).collect();
            let shown = smoother.update(&next, &errors, STEP_SECS);
            for (shown, before) in shown.iter().zip(&points) {
                let done = (shown.x - before.x) / 0.01;
                assert!(done > 0.05 && done < 0.6, "{count} points: {done}");
            }
        }
    }

    #[test]
    fn one_point_or_none_is_answered_as_it_is() {
        for count in [0, 1] {
            let (mut smoother, errors) = (smoother(), vec![2.0; count]);
            for x in [3.0, 4.0, f32::NAN, 4.5] {
                let shown = smoother.update(&vec![Point::new(x, 1.0); count], &errors, STEP_SECS);
                assert!(shown.len() == count && shown.iter().all(|p| p.x == x || x.is_nan()), "{shown:?}");
                assert_eq!(smoother.expect(STEP_SECS), None, "{count} points have no size");
            }
        }
    }

    #[test]
    fn another_number_of_points_starts_anew() {
        let mut smoother = smoother();
        for count in [5, 3, 68, 1, 4, 0, 5] {
            let (points, errors) = (some(count), vec![2.0; count]);
            assert_eq!(smoother.update(&points, &errors, STEP_SECS), points, "{count} points, as in a first frame");
            let moved: Vec<Point> = points.iter().map(|p| Point::new(p.x + 0.01, p.y)).collect();
            let shown = smoother.update(&moved, &errors, STEP_SECS);
            assert_eq!(shown.len(), count);
            assert_eq!(shown.iter().zip(&moved).any(|(a, b)| a != b), count > 1, "{count} points, then smoothed");
            assert_eq!(smoother.expect(STEP_SECS).map(<[Point]>::len), Some(count).filter(|count| *count > 1));
        }
    }

    proptest! {
        #[test]
        fn a_turned_scaled_and_shifted_film_gives_turned_scaled_and_shifted_points(
            scale in 0.2f32..5.0, angle in -3.0f32..3.0, x in -500.0f32..500.0, y in -500.0f32..500.0,
        ) {
            let other = Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(scale, angle, x, y);
            let (mut one, mut two) = (smoother(), smoother());
            for frame in 0..20 {
                let raw = noisy(&moved(&face(), 0.3 * frame as f32, 0.0), 0.3, frame);
                let a = array(one.update(&raw, &ERRORS, STEP_SECS)).map(|p| other * p);
                let b = two.update(&raw.map(|p| other * p), &ERRORS.map(|e| scale * e), STEP_SECS);
                prop_assert!(worst(&a, b) < 0.02 * scale.max(1.0), "frame {}: {}", frame, worst(&a, b));
            }
        }

        #[test]
        fn what_is_shown_lies_between_the_last_frame_and_this_one(jump in 0.0f32..300.0, secs in 0.001f64..2.0) {
            let mut smoother = smoother();
            smoother.update(&face(), &ERRORS, secs);
            let shown = smoother.update(&moved(&face(), jump, 0.0), &ERRORS, secs);
            let done = Point::mean(shown).x - Point::mean(&face()).x;
            prop_assert!(done >= -1e-3 && done <= jump + 1e-3, "{} of {}", done, jump);
        }
    }
}
