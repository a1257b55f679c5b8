//! How steady points are from frame to frame, and how late they follow movement: measured together, since each is easy
//! without the other.
//!
//! A photo stands in for a camera: it is shown at rest, then sliding, with fresh noise on every frame.

use std::time::Instant;

use lineament::Similarity;
use lineament::stages::{ImageFrame, PixelFrame, Smoother, sample};
use lineament::{ImageView, Point, SmoothOptions, TrackedFace, Tracker};
use rand::{Rng, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use crate::evaluate::metrics::{mean, median};
use crate::evaluate::own_points;
use crate::photo::GreyPhoto;

/// What is simulated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// How often both films are shown, each time with different noise.
    pub rounds: usize,
    /// Frames of each film. The sliding film begins with [`SETTLING_FRAMES`] more.
    pub frames: usize,
    /// Frames per second.
    pub fps: f64,
    /// Standard deviation of the noise on each pixel, in grey levels.
    pub noise: f32,
    /// How far the face slides to the right from frame to frame, in pixels.
    pub slide_px: f32,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rounds: 5, frames: 30, fps: 30.0, noise: 4.0, slide_px: 0.76, seed: 1 }
    }
}

/// Frames of the sliding film that are not counted: a filter may need some to notice the motion.
pub const SETTLING_FRAMES: usize = 10;

/// How far parts of the face jump in the test of quick movements, as a share of what errors are divided by.
pub const STEP: f32 = 0.05;

/// A figure for the points as the network places them, and for the smoothed points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RawAndSmooth {
    /// As the network places the points.
    pub raw: f64,
    /// After smoothing.
    pub smooth: f64,
}

/// The figures. Their JSON names do not change (`docs/evaluation.md`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stability {
    /// Face at rest: mean displacement of a point from one frame to the next, in percent of `unit_px`.
    pub jitter: RawAndSmooth,
    /// Sliding face: how many frames late the points are, by least squares. The true path starts at the mean points of
    /// the face at rest.
    pub lag_frames: RawAndSmooth,
    /// Sliding face: as `jitter`, with the slide subtracted.
    pub sliding_jitter: RawAndSmooth,
    /// By how many frames smoothing delays upper lids that drop by [`STEP`] at once.
    pub lids_late_frames: Option<f64>,
    /// The same for lower lip and chin; `None` where the topology does not have these points, like the lids.
    pub mouth_late_frames: Option<f64>,
    /// Median time of a frame in milliseconds, including conversion to grey and searches for new faces.
    pub frame_ms: f64,
    /// What jitter is divided by, in pixels: [`lineament::topology::Topology::unit`].
    pub unit_px: f64,
    /// The same under its earlier name; only of the iBUG 68 points, whose outer eye corners are this far apart.
    pub inter_ocular_px: Option<f64>,
}

/// Runs `tracker` over the two films made from `photo`. `None` when it does not find an object in every frame; of
/// several ones the first counts.
pub fn measure(tracker: &mut Tracker, photo: &GreyPhoto, settings: &Settings) -> Option<Stability> {
    let topology = tracker.topology().clone();
    let mut film = Film { photo, settings, rng: Pcg64Mcg::seed_from_u64(settings.seed), frame_ms: Vec::new() };
    let (mut still, mut sliding) = (Vec::new(), Vec::new());
    for _ in 0..settings.rounds {
        still.push(film.show(tracker, settings.frames, 0.0)?);
        sliding
            .push(film.show(tracker, SETTLING_FRAMES + settings.frames, settings.slide_px)?.split_off(SETTLING_FRAMES));
    }
    let place = mean_points(still.iter().flatten().map(|seen| &seen.raw));
    let unit = f64::from(topology.unit(&place));
    let both = |of: &dyn Fn(Kind) -> f64| RawAndSmooth { raw: of(|seen| &seen.raw), smooth: of(|seen| &seen.smooth) };
    let jitter = |films: &[Vec<Seen>], kind: Kind| {
        let steps =
            films.iter().flat_map(|film| film.windows(2)).map(|pair| mean_distance(kind(&pair[0]), kind(&pair[1])));
        100.0 * mean(&steps.collect::<Vec<_>>()) / unit
    };
    let lag = |kind: Kind| {
        // All points move in the same way, so the least-squares delay is that of their mean.
        let late = sliding.iter().flatten().map(|seen| f64::from(Point::mean(&place).x - Point::mean(kind(seen)).x));
        mean(&late.collect::<Vec<_>>()) / f64::from(settings.slide_px)
    };
    let none = SmoothOptions { settle_secs: 0.0, ..SmoothOptions::default() };
    let smooth = tracker.options().smooth.clone().unwrap_or(none);
    let errors = &still.first()?.first()?.errors;
    let late = |moved: &[usize]| {
        let moved = own_points(&topology, moved)?;
        frames_late(&smooth, &place, errors, &moved, STEP * unit as f32, settings.fps)
    };
    Some(Stability {
        jitter: both(&|kind| jitter(&still, kind)),
        lag_frames: both(&lag),
        sliding_jitter: both(&|kind| jitter(&sliding, kind)),
        lids_late_frames: late(&[37, 38, 43, 44]),
        mouth_late_frames: late(&[6, 7, 8, 9, 10, 55, 56, 57, 58, 59, 65, 66, 67]),
        frame_ms: median(&film.frame_ms),
        unit_px: unit,
        inter_ocular_px: topology.is_ibug68().then_some(unit),
    })
}

/// The points found in one frame, with the slide subtracted.
struct Seen {
    raw: Vec<Point>,
    smooth: Vec<Point>,
    errors: Vec<f32>,
}

type Kind = fn(&Seen) -> &[Point];

/// The camera.
struct Film<'a> {
    photo: &'a GreyPhoto,
    settings: &'a Settings,
    rng: Pcg64Mcg,
    frame_ms: Vec<f64>,
}

impl Film<'_> {
    fn show(&mut self, tracker: &mut Tracker, frames: usize, slide_px: f32) -> Option<Vec<Seen>> {
        let (width, height) = (self.photo.width, self.photo.height);
        let photo = ImageView::grey(&self.photo.pixels, width, height).ok()?;
        tracker.reset();
        let mut seen = Vec::with_capacity(frames);
        for number in 0..frames {
            // The face slides from half the way left of its place in the photo to half the way right of it.
            let shift = slide_px * (number as f32 - frames as f32 / 2.0);
            let pixels = self.frame(&photo, shift);
            let image = ImageView::grey(&pixels, width, height).ok()?;
            let begin = Instant::now();
            let faces = tracker.update(&image, number as f64 / self.settings.fps);
            self.frame_ms.push(begin.elapsed().as_secs_f64() * 1e3);
            let TrackedFace { face, raw, .. } = faces.first()?;
            let without_slide = |points: &[Point]| points.iter().map(|p| Point::new(p.x - shift, p.y)).collect();
            seen.push(Seen {
                raw: without_slide(&raw.points),
                smooth: without_slide(&face.landmarks.points),
                errors: raw.errors.clone(),
            });
        }
        Some(seen)
    }

    /// The photo shifted to the right, with noise.
    fn frame(&mut self, photo: &ImageView, shift: f32) -> Vec<u8> {
        let mut pixels = vec![0.0; photo.width() * photo.height()];
        let photo_from_frame = Similarity::<ImageFrame, PixelFrame>::new(1.0, 0.0, -shift, 0.0);
        sample(photo, photo_from_frame, photo.width(), photo.height(), &mut pixels);
        let noise = self.settings.noise;
        pixels.iter().map(|v| (v + noise * self.rng.sample::<f32, _>(StandardNormal)).round() as u8).collect()
    }
}

/// By how many frames smoothing delays a jump of the points `moved`, on a face that was at rest before: the sum over
/// the frames of the share of the jump that is still missing.
fn frames_late(
    smooth: &SmoothOptions,
    place: &[Point],
    errors: &[f32],
    moved: &[usize],
    step: f32,
    fps: f64,
) -> Option<f64> {
    const FRAMES: usize = 60;
    let mut smoother = Smoother::new(smooth.clone()).ok()?;
    smoother.update(place, errors, 1.0 / fps);
    let mut after = place.to_vec();
    moved.iter().for_each(|&i| after[i].y += step);
    let missing = (0..FRAMES).map(|_| {
        let shown = smoother.update(&after, errors, 1.0 / fps);
        moved.iter().map(|&i| f64::from((after[i].y - shown[i].y) / step)).sum::<f64>() / moved.len() as f64
    });
    Some(missing.sum())
}

fn mean_points<'a>(all: impl Iterator<Item = &'a Vec<Point>> + Clone) -> Vec<Point> {
    let count = all.clone().next().map_or(0, Vec::len);
    (0..count).map(|i| Point::mean(&all.clone().map(|points| points[i]).collect::<Vec<_>>())).collect()
}

fn mean_distance(a: &[Point], b: &[Point]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.distance(*b))).sum::<f64>() / a.len() as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use lineament::{Options, TrackOptions};

    use super::*;
    use crate::photo::Photo;
    use crate::testing::json_names;

    fn figures(smooth: Option<SmoothOptions>, photo: &str, seed: u64) -> Option<Stability> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(photo);
        let mut tracker = Tracker::new(Options::default(), TrackOptions { smooth, ..TrackOptions::default() }).unwrap();
        let settings = Settings { rounds: 1, frames: 8, seed, ..Settings::default() };
        let measured = measure(&mut tracker, &Photo::open(&path).unwrap().grey(), &settings)?;
        Some(Stability { frame_ms: 0.0, ..measured })
    }

    #[test]
    fn the_same_seed_gives_the_same_figures_and_no_smoothing_changes_nothing() {
        let smooth = Some(SmoothOptions::default());
        let first = figures(smooth.clone(), "astronaut_grey.png", 1).unwrap();
        assert_eq!(Some(&first), figures(smooth.clone(), "astronaut_grey.png", 1).as_ref());
        assert_ne!(Some(&first), figures(smooth, "astronaut_grey.png", 2).as_ref());
        let names = "frame_ms inter_ocular_px jitter jitter.raw jitter.smooth lag_frames lag_frames.raw \
                     lag_frames.smooth lids_late_frames mouth_late_frames sliding_jitter \
                     sliding_jitter.raw sliding_jitter.smooth unit_px";
        assert_eq!(json_names(&first), names, "they never change");
        let raw = figures(None, "astronaut_grey.png", 1).unwrap();
        assert_eq!((raw.jitter.raw, raw.lag_frames.raw), (raw.jitter.smooth, raw.lag_frames.smooth));
        assert!(raw.lids_late_frames.unwrap().abs() < 1e-3 && raw.mouth_late_frames.unwrap().abs() < 1e-3, "{raw:?}");
    }

    #[test]
    fn without_a_face_there_are_no_figures() {
        assert_eq!(figures(None, "blank.png", 1), None);
    }
}
