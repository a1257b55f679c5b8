//! Points that neither shake on a still face nor lag behind a moving one.
//!
//! Two things are told apart: how the whole face moves (shift, turn, size; a weighted fit over all points) and how its
//! shape changes (lids, lips). The face is expected to move on at its speed, the shape to stay. What is measured is then
//! followed by a share that grows with its distance from what was expected: near it there is mostly noise, far from it
//! there is motion, and that must not wait. For the whole face this is an alpha-beta filter with a changing gain
//! (Benedict and Bordner, "Synthesis of an optimal set of radar track-while-scan smoothing equations", 1962).
//!
//! What counts as near follows from each point's expected error, so an unsure point is smoothed more, and all is the
//! same for small and large faces. The One Euro filter (Casiez, Roussel and Vogel, 2012) takes the share from the
//! speed of each point instead; see EXPERIMENTS.md for both side by side.

use crate::error::{Error, Result};
use crate::geometry::{ImageFrame, Point, Similarity};
use crate::topology::POINTS;

/// How strongly points are smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothOptions {
    /// Seconds in which a resting point takes on about two thirds of a small change. Longer is steadier and lets small
    /// movements lag; 0 smooths nothing.
    pub settle_secs: f32,
    /// What counts as a small change, as a share of a point's expected error: a point that lies this far from where it
    /// was expected is followed twice as fast, one three times as far ten times as fast. Larger is steadier.
    pub tolerance: f32,
}

/// Chosen by trial on a still and on a sliding noisy portrait and on four videos, see EXPERIMENTS.md. The tolerance is
/// twice the noise: from frame to frame a point shakes by about 0.045 of its expected error.
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

    /// The share by which what lies `distance` tolerances away is followed after `secs`.
    fn share(&self, secs: f32, distance_squared: f32) -> f32 {
        // From 0 to 1; written so that an endless wait gives 1.
        1.0 / (1.0 + self.settle_secs / (secs * (1.0 + distance_squared)))
    }
}

/// The frame of a face itself: its points have mean 0 and root mean square distance 1 from there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FaceFrame {}

/// How a face lies in the image, and how that changes per second.
type FacePose = Similarity<ImageFrame, FaceFrame>;

/// A network that claims to be surer than this share of the face's size is not believed.
const LEAST_TOLERANCE: f32 = 1e-3;

/// Rounds of the fit; each trusts the points less that moved within the face, such as lips.
const FIT_ROUNDS: usize = 3;

/// How far a point may lie off the fit, in tolerances, before it counts half.
const FIT_TOLERANCE: f32 = 1.5;

/// A frame for which there is no usable time is taken to come this long after the one before.
pub(crate) const FRAME_SECS: f64 = 1.0 / 30.0;

/// Smooths the points of one face from frame to frame.
#[derive(Debug, Clone)]
pub struct Smoother {
    options: SmoothOptions,
    state: Option<State>,
}

#[derive(Debug, Clone)]
struct State {
    shape: [Point<FaceFrame>; POINTS],
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
        Ok(Self { options, state: None })
    }

    /// The smoothed points of the next frame, from the placed ones with their expected errors (both in pixels), taken
    /// `elapsed_secs` after the frame before. A time that is not finite or not above 0 counts as a thirtieth second.
    ///
    /// The first frame is answered as it is, and so is a frame whose points are not finite or all in one place; the
    /// next then counts as the first.
    pub fn update(&mut self, points: &[Point; POINTS], errors: &[f32; POINTS], elapsed_secs: f64) -> [Point; POINTS] {
        let followed =
            self.state.take().and_then(|state| state.follow(points, errors, secs(elapsed_secs), &self.options));
        let followed = followed.filter(|state| state.points().iter().all(|p| p.is_finite()));
        match followed {
            Some(state) => {
                let smooth = state.points();
                self.state = Some(state);
                smooth
            }
            None => {
                self.state = State::first(points);
                *points
            }
        }
    }

    /// Where the points are expected `elapsed_secs` after the last frame, if the face moves on as it does and keeps its
    /// shape; `None` before the first frame.
    pub fn expect(&self, elapsed_secs: f64) -> Option<[Point; POINTS]> {
        let state = self.state.as_ref()?;
        Some(State { pose: state.pose_after(secs(elapsed_secs)), ..state.clone() }.points())
    }
}

/// A usable time in seconds; the bounds keep speeds finite.
fn secs(elapsed_secs: f64) -> f32 {
    let usable = elapsed_secs.is_finite() && elapsed_secs > 0.0;
    (if usable { elapsed_secs.clamp(1e-3, 1e3) } else { FRAME_SECS }) as f32
}

impl State {
    fn first(points: &[Point; POINTS]) -> Option<Self> {
        let shape = points.map(|p| Point::new(p.x, p.y));
        let still = Similarity::new(0.0, 0.0, 0.0, 0.0);
        Self { shape, pose: Similarity::new(1.0, 0.0, 0.0, 0.0), speed: still }.centred()
    }

    fn points(&self) -> [Point; POINTS] {
        self.shape.map(|p| self.pose * p)
    }

    fn pose_after(&self, secs: f32) -> FacePose {
        plus(self.pose, secs, self.speed)
    }

    /// The next state; `None` where the points say nothing.
    fn follow(
        mut self,
        points: &[Point; POINTS],
        errors: &[f32; POINTS],
        secs: f32,
        options: &SmoothOptions,
    ) -> Option<Self> {
        let expected = self.pose_after(secs);
        let least = LEAST_TOLERANCE * self.pose.scale();
        let tolerances = errors.map(|error| (options.tolerance * error).max(least)); // NaN becomes the least
        let placed = fit(&self.shape, points, &tolerances)?;

        let squared = |i: usize, distance: f32| (distance / tolerances[i]).powi(2);
        let apart = |i: usize| squared(i, (placed * self.shape[i]).distance(expected * self.shape[i]));
        let share = options.share(secs, (0..POINTS).map(apart).sum::<f32>() / POINTS as f32);
        let change = plus(placed, -1.0, expected);
        self.pose = plus(expected, share, change);
        // Benedict and Bordner's best gain of the speed for a gain of the place.
        self.speed = plus(self.speed, share * share / (2.0 - share) / secs, change);

        let face_from_image = placed.inverse();
        for (i, (old, &point)) in self.shape.iter_mut().zip(points).enumerate() {
            let new = face_from_image * point;
            let share = options.share(secs, squared(i, placed.scale() * new.distance(*old)));
            *old = Point::new(old.x + share * (new.x - old.x), old.y + share * (new.y - old.y));
        }
        self.centred()
    }

    /// The same points in the image, with the shape brought to mean 0 and size 1 again, from which rounding and noise
    /// would drive it away. `None` when it has no size.
    fn centred(mut self) -> Option<Self> {
        let center = Point::mean(&self.shape);
        let size = (self.shape.iter().map(|p| p.distance(center).powi(2)).sum::<f32>() / POINTS as f32).sqrt();
        if !(size.is_finite() && size > 0.0) {
            return None;
        }
        let old_from_new = Similarity::<FaceFrame, FaceFrame>::new(size, 0.0, center.x, center.y);
        self.shape = self.shape.map(|p| Point::new((p.x - center.x) / size, (p.y - center.y) / size));
        (self.pose, self.speed) = (self.pose * old_from_new, self.speed * old_from_new);
        Some(self)
    }
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

/// How a face of `shape` lies when its points are at `points`: least squares with each point's tolerance, a point that
/// lies off the fit counting less (Cauchy's weights). `None` where the points say nothing.
fn fit(shape: &[Point<FaceFrame>; POINTS], points: &[Point; POINTS], tolerances: &[f32; POINTS]) -> Option<FacePose> {
    let trust = tolerances.map(|tolerance| (tolerances[0] / tolerance).powi(2));
    let mut weights = trust;
    let mut pose = None;
    for _ in 0..FIT_ROUNDS {
        let fitted = least_squares(shape, points, &weights)?;
        for i in 0..POINTS {
            let off = (fitted * shape[i]).distance(points[i]) / (FIT_TOLERANCE * tolerances[i]);
            weights[i] = trust[i] / (1.0 + off * off);
        }
        pose = Some(fitted);
    }
    pose
}

fn least_squares(
    shape: &[Point<FaceFrame>; POINTS],
    points: &[Point; POINTS],
    weights: &[f32; POINTS],
) -> Option<FacePose> {
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

fn weighted_mean<F>(points: &[Point<F>; POINTS], weights: &[f32; POINTS], total: f32) -> Point<F> {
    let (x, y) = points.iter().zip(weights).fold((0.0, 0.0), |(x, y), (p, w)| (x + w * p.x, y + w * p.y));
    Point::new(x / total, y / total)
}
