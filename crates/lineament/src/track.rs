//! Faces from frame to frame: the same face keeps its number, and its points do not shake.
//!
//! A face that is followed costs one pass of the landmark network per frame: its crop is where the last frames predict
//! it. The detector runs only to find faces that are not followed: when a face was lost, and at intervals for new ones.

use std::f32::consts::TAU;

use crate::crop::Crop;
use crate::detect::{Detection, same_face};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::image::ImageView;
use crate::landmarks::Landmarks;
use crate::lineament::{Face, Lineament, Options};
use crate::smooth::{FRAME_SECS, SmoothOptions, Smoother};
use crate::topology::Topology;

/// How faces are followed.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackOptions {
    /// Longest time in seconds between two searches of the whole frame, so the longest that a new face waits. Each
    /// search costs one pass of the detector; 0 searches every frame. While
    /// [`Options::max_faces`](crate::Options::max_faces) faces are followed, frames are searched only if the landmark
    /// network has no face score, because then only the detector sees that a face has gone.
    pub search_every_secs: f64,
    /// A lost face that is found again within this time, near where it was and about as large, gets its number back.
    pub remember_secs: f64,
    /// How the points are smoothed; `None` answers them as the network places them.
    pub smooth: Option<SmoothOptions>,
}

impl Default for TrackOptions {
    fn default() -> Self {
        Self { search_every_secs: 0.2, remember_secs: 1.0, smooth: Some(SmoothOptions::default()) }
    }
}

impl TrackOptions {
    fn check(&self) -> Result<()> {
        for (name, secs) in [("search_every_secs", self.search_every_secs), ("remember_secs", self.remember_secs)] {
            if !(secs.is_finite() && secs >= 0.0) {
                return Err(Error::Option(format!("{name} is at least 0 seconds, not {secs}")));
            }
        }
        self.smooth.as_ref().map_or(Ok(()), SmoothOptions::check)
    }
}

/// One face in one frame.
#[derive(Debug, PartialEq)]
pub struct TrackedFace {
    /// The face's number: from 1, the same as long as the face is followed, never given to two.
    pub id: u64,
    /// The smoothed points. The `detection` is from the last search that found the face, so it may be some frames old;
    /// [`Face::rect`] is from this frame.
    pub face: Face,
    /// The points of this frame before smoothing.
    pub raw: Landmarks,
}

impl Clone for TrackedFace {
    fn clone(&self) -> Self {
        Self { id: self.id, face: self.face.clone(), raw: self.raw.clone() }
    }

    /// Reuses the memory, as that of [`Landmarks`].
    fn clone_from(&mut self, source: &Self) {
        self.id = source.id;
        self.face.detection = source.face.detection;
        self.face.landmarks.clone_from(&source.face.landmarks);
        self.raw.clone_from(&source.raw);
    }
}

/// A face is no longer followed when its score falls below this share of what a new face needs: a hand or a quick turn
/// lowers the score, a cut to another scene brings it near 0.
const STAY_SHARE: f32 = 0.5;

/// Tracks whose boxes overlap more than this follow the same face.
const SAME_TRACK_IOU: f32 = 0.5;

/// When two tracks converge on one face, the one that jumped onto it is dropped, provided that its jump is longer by
/// this much, in sides of its crop; else the newer one.
const JUMP: f32 = 0.05;

/// What is left of a jump after one more frame.
const JUMP_FADES: f32 = 0.8;

/// Dead zone of the crop, in its sides and in radians. Int8 rounding moves the points by less than this; without it,
/// the crop would follow that jitter and feed it back.
const STILL: f32 = 0.003;

/// A face is predicted to move on at its speed for at most this time.
const COASTING_SECS: f64 = 0.1;

/// A lost face that comes back is at most this far away, in its own sizes.
const REACH: f32 = 1.0;

/// A lost face that comes back has grown or shrunk at most by this factor.
const GROWTH: f32 = 1.6;

/// Longer gaps between frames count as this long, so that no sum of them overflows.
const LONGEST_GAP_SECS: f64 = 1e6;

/// A search may come this much early, because the times of cameras jitter.
const CLOCK_SLACK_SECS: f64 = 2e-3;

/// Follows the faces of a video or a camera.
///
/// ```
/// # #[cfg(feature = "default-models")]
/// # fn main() -> lineament::Result<()> {
/// use lineament::{ImageView, Options, TrackOptions, Tracker};
///
/// let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
/// let frames = vec![vec![128; 640 * 480]; 3]; // the Y planes of a camera
/// for (number, frame) in frames.iter().enumerate() {
///     let image = ImageView::grey(frame, 640, 480)?;
///     for tracked in tracker.update(&image, number as f64 / 30.0) {
///         println!("face {}: nose at {:?}", tracked.id, tracked.face.landmarks.points[30]);
///     }
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "default-models"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct Tracker {
    lineament: Lineament,
    options: TrackOptions,
    clock: Clock,
    size: (usize, usize),
    tracks: Vec<Track>,
    lost: Vec<Lost>,
    last_search: Option<f64>,
    /// Whether the last update searched the whole frame.
    searched: bool,
    last_id: u64,
    /// What the last update answered; and faces of earlier updates, whose memory the next ones use.
    faces: Vec<TrackedFace>,
    spare: Vec<TrackedFace>,
    /// What the landmark network said last.
    pass: Landmarks,
}

/// A face that is followed. The points are smoothed also when the caller wants raw ones: the crop follows them, and a
/// steady crop makes steady points.
#[derive(Debug, Clone)]
struct Track {
    face: TrackedFace,
    smoother: Smoother,
    /// The crop of the last pass.
    crop: Crop,
    /// The longest distance between the predicted and the found face, in sides of its crop; it fades with each frame by
    /// [`JUMP_FADES`].
    jump: f32,
}

/// A face that was followed.
#[derive(Debug, Clone)]
struct Lost {
    id: u64,
    rect: Rect,
    since: f64,
}

impl Tracker {
    /// With the models inside the library.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    #[cfg(feature = "default-models")]
    pub fn new(options: Options, track: TrackOptions) -> Result<Self> {
        Self::with_lineament(Lineament::new(options)?, track)
    }

    /// With the models and options of `lineament`. [`Options::refine`](crate::Options::refine) matters for faces that
    /// have just been found; a face that is followed gets one pass per frame.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    pub fn with_lineament(lineament: Lineament, options: TrackOptions) -> Result<Self> {
        options.check()?;
        let pass = lineament.network().nothing();
        Ok(Self {
            lineament,
            options,
            clock: Clock::default(),
            size: (0, 0),
            tracks: Vec::new(),
            lost: Vec::new(),
            last_search: None,
            searched: false,
            last_id: 0,
            faces: Vec::new(),
            spare: Vec::new(),
            pass,
        })
    }

    /// Which points the landmark network places.
    pub fn topology(&self) -> &Topology {
        self.lineament.topology()
    }

    /// How faces are followed.
    pub fn options(&self) -> &TrackOptions {
        &self.options
    }

    /// Changes the options from the next frame on; the faces keep their numbers.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range; then nothing changes.
    pub fn set_options(&mut self, options: TrackOptions) -> Result<()> {
        options.check()?;
        for track in &mut self.tracks {
            track.smoother.set_options(options.smooth.clone().unwrap_or_default())?;
        }
        self.options = options;
        Ok(())
    }

    /// The models and the stages alone, for photos next to the video: faces found there are not followed.
    pub fn lineament(&mut self) -> &mut Lineament {
        &mut self.lineament
    }

    /// Whether the last [`Tracker::update`] ran the detector, which takes longer.
    pub fn searched(&self) -> bool {
        self.searched
    }

    /// The faces of the next frame, in the order of their numbers.
    ///
    /// `time_secs` is when the frame was taken, counted from any moment. A time that is not finite, or not later than
    /// that of the frame before, counts as a thirtieth of a second later. A frame of another size starts anew, with new
    /// numbers.
    pub fn update(&mut self, image: &ImageView, time_secs: f64) -> &[TrackedFace] {
        let elapsed_secs = self.clock.advance(time_secs);
        if self.size != (image.width(), image.height()) {
            self.size = (image.width(), image.height());
            self.tracks.clear();
            self.lost.clear();
            self.last_search = None;
        }
        self.follow(image, elapsed_secs);
        self.searched = self.search_is_due();
        if self.searched {
            self.search(image);
        }
        self.tracks.sort_unstable_by_key(|track| track.face.id);
        self.spare.append(&mut self.faces);
        for track in &self.tracks {
            // Copied into the memory of an earlier face, so that a frame in which no face is new allocates nothing.
            let face = match self.spare.pop() {
                Some(mut face) => {
                    face.clone_from(&track.face);
                    face
                }
                None => track.face.clone(),
            };
            self.faces.push(face);
        }
        &self.faces
    }

    /// Forgets everything, as for another video: numbers start from 1 again.
    pub fn reset(&mut self) {
        self.clock = Clock::default();
        self.tracks.clear();
        self.lost.clear();
        self.last_search = None;
        self.searched = false;
        self.last_id = 0;
        self.faces.clear();
    }

    /// One pass for each face, where it is predicted to be.
    fn follow(&mut self, image: &ImageView, elapsed_secs: f64) {
        let threshold = (STAY_SHARE * self.lineament.options().face_threshold).max(f32::MIN_POSITIVE);
        let Self { lineament, lost, options, pass, .. } = self;
        let now = self.clock.now;
        lost.retain(|lost| now - lost.since <= options.remember_secs);
        self.tracks.retain_mut(|track| {
            let expected = track.smoother.expect(elapsed_secs.min(COASTING_SECS));
            // Its own topology: the caller may have put another network into `lineament`.
            let Landmarks { topology, points, .. } = &track.face.raw;
            let wanted = Crop::from_points(topology, expected.unwrap_or(points));
            if !is_still(&track.crop, &wanted) {
                track.crop = wanted;
            }
            let crop = track.crop;
            lineament.pass_into(image, &crop, pass);
            let stays = pass.score >= threshold;
            if stays {
                let jump = crop.center.distance(pass.crop().center) / crop.side;
                track.jump = jump.max(JUMP_FADES * track.jump);
                track.take(pass, elapsed_secs, options);
            } else {
                lost.push(track.lost(now));
            }
            stays
        });
        self.tracks.sort_unstable_by_key(|track| track.face.id);
        for i in (1..self.tracks.len()).rev() {
            let rect = self.tracks[i].rect();
            if let Some(older) = (0..i).find(|&older| self.tracks[older].rect().iou(&rect) >= SAME_TRACK_IOU) {
                let older_jumped = self.tracks[older].jump > self.tracks[i].jump + JUMP;
                lost.push(self.tracks.remove(if older_jumped { older } else { i }).lost(now));
            }
        }
    }

    fn search_is_due(&self) -> bool {
        let Some(last_search) = self.last_search else { return true };
        if self.tracks.len() >= self.lineament.options().max_faces && self.lineament.has_face_score() {
            return false;
        }
        // A face that was just lost is searched for at once and in the next frames, then less and less often.
        let since_lost = self.lost.iter().map(|lost| (self.clock.now - lost.since) / 2.0);
        let wait = since_lost.fold(self.options.search_every_secs, f64::min);
        self.clock.now - last_search >= wait - CLOCK_SLACK_SECS
    }

    /// Starts a track for each detected face that is not followed.
    fn search(&mut self, image: &ImageView) {
        self.last_search = Some(self.clock.now);
        let &Options { max_faces, detector_threshold, .. } = self.lineament.options();
        let detections = self.lineament.candidates(image);
        // Doubtful detections are worth their passes only while a face is missing.
        let is_missing = self.tracks.is_empty() || !self.lost.is_empty();
        let least_score = if is_missing { 0.0 } else { detector_threshold };
        if !self.lineament.has_face_score() {
            let (now, lost) = (self.clock.now, &mut self.lost);
            self.tracks.retain(|track| {
                let seen = detections.iter().any(|detection| same_face(&track.rect(), &detection.rect));
                if !seen {
                    lost.push(track.lost(now));
                }
                seen
            });
        }
        for detection in detections {
            if let Some(track) = self.tracks.iter_mut().find(|track| same_face(&track.rect(), &detection.rect)) {
                track.face.face.detection = detection;
                continue;
            }
            if self.tracks.len() >= max_faces || detection.score < least_score {
                continue;
            }
            let Some(landmarks) = self.lineament.face(image, &detection) else { continue };
            // The passes may have slipped to a face next to it that is followed already. The test is that of `follow`,
            // which would drop one of the two in the next frame; photos drop more (`same_face`), but there the better
            // one stays.
            let slipped = |track: &Track| track.rect().iou(&landmarks.rect()) >= SAME_TRACK_IOU;
            if !self.tracks.iter().any(slipped) {
                self.start(detection, landmarks);
            }
        }
    }

    fn start(&mut self, detection: Detection, landmarks: Landmarks) {
        let Ok(smoother) = Smoother::new(self.options.smooth.clone().unwrap_or_default()) else {
            return; // Not reached: the options were checked.
        };
        let id = self.id_of(&landmarks.rect());
        let (crop, face) = (landmarks.crop(), Face { detection, landmarks: landmarks.clone() });
        let mut track = Track { face: TrackedFace { id, face, raw: landmarks.clone() }, smoother, crop, jump: 0.0 };
        track.take(&landmarks, FRAME_SECS, &self.options);
        self.tracks.push(track);
    }

    /// The number of the nearest lost face that this may be, or a new one.
    fn id_of(&mut self, rect: &Rect) -> u64 {
        let size = |rect: &Rect| rect.width.max(rect.height);
        let distance = |lost: &Lost| lost.rect.center().distance(rect.center()) / size(&lost.rect);
        let may_be = |lost: &Lost| {
            let growth = size(rect) / size(&lost.rect);
            distance(lost) <= REACH && (1.0 / GROWTH..=GROWTH).contains(&growth)
        };
        let nearest = (0..self.lost.len())
            .filter(|&i| may_be(&self.lost[i]))
            .min_by(|&i, &j| distance(&self.lost[i]).total_cmp(&distance(&self.lost[j])));
        match nearest {
            Some(i) => self.lost.swap_remove(i).id,
            None => {
                self.last_id += 1;
                self.last_id
            }
        }
    }
}

/// Whether a crop is so close to the `wanted` one that it need not follow.
fn is_still(crop: &Crop, wanted: &Crop) -> bool {
    let moved = crop.center.distance(wanted.center).max((crop.side - wanted.side).abs()) / wanted.side;
    // An angle near pi and one near -pi are close.
    let turn_rad = (crop.roll_rad - wanted.roll_rad).abs().rem_euclid(TAU);
    moved.max(turn_rad.min(TAU - turn_rad)) < STILL
}

impl Track {
    /// The box of the points, as they were answered last.
    fn rect(&self) -> Rect {
        self.face.face.rect()
    }

    fn lost(&self, now: f64) -> Lost {
        Lost { id: self.face.id, rect: self.rect(), since: now }
    }

    /// Takes the network's answer for the next frame.
    fn take(&mut self, raw: &Landmarks, elapsed_secs: f64, options: &TrackOptions) {
        let smooth = self.smoother.update(&raw.points, &raw.errors, elapsed_secs);
        let landmarks = &mut self.face.face.landmarks;
        landmarks.clone_from(raw);
        if options.smooth.is_some() {
            landmarks.points.copy_from_slice(smooth);
            landmarks.update_pose();
        }
        self.face.raw.clone_from(raw);
    }
}

/// A time that only goes forward.
#[derive(Debug, Clone, Default)]
struct Clock {
    /// Seconds since the first frame.
    now: f64,
    last_time: Option<f64>,
}

impl Clock {
    /// The seconds since the frame before, always above 0.
    fn advance(&mut self, time_secs: f64) -> f64 {
        let elapsed = self.last_time.map(|last| time_secs - last).filter(|secs| secs.is_finite() && *secs > 0.0);
        if time_secs.is_finite() {
            self.last_time = Some(time_secs);
        }
        let elapsed = elapsed.unwrap_or(FRAME_SECS).min(LONGEST_GAP_SECS);
        self.now += elapsed;
        elapsed
    }
}

#[cfg(all(test, feature = "default-models"))]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use std::f32::consts::PI;

    #[test]
    fn of_two_tracks_on_one_face_the_older_stays() {
        let image = crate::image::tests::portrait();
        let mut tracker = Tracker::new(Options::default(), TrackOptions::default()).unwrap();
        tracker.update(&image, 0.0);
        let Face { detection, landmarks } = tracker.faces[0].face.clone();
        tracker.start(detection, landmarks);
        tracker.tracks.reverse();
        assert_eq!(tracker.tracks.len(), 2);
        let left: Vec<u64> = tracker.update(&image, 0.1).iter().map(|face| face.id).collect();
        assert_eq!(left, [1]);
        assert_eq!(tracker.lost.len(), 1, "the other is remembered");
    }

    #[test]
    fn a_crop_rests_while_its_face_hardly_moves_upside_down_too() {
        let crop = |x: f32, side: f32, roll_rad: f32| Crop { center: Point::new(x, 0.0), side, roll_rad };
        for (a, b, still) in [
            (crop(0.0, 100.0, 0.0), crop(0.2, 100.0, 0.0), true),
            (crop(0.0, 100.0, 0.0), crop(0.4, 100.0, 0.0), false),
            (crop(0.0, 100.0, 0.0), crop(0.0, 100.4, 0.0), false),
            (crop(0.0, 100.0, 0.1), crop(0.0, 100.0, 0.102), true),
            (crop(0.0, 100.0, 0.1), crop(0.0, 100.0, 0.104), false),
            (crop(0.0, 100.0, PI - 0.001), crop(0.0, 100.0, 0.001 - PI), true),
            (crop(0.0, 100.0, PI - 0.002), crop(0.0, 100.0, 0.002 - PI), false),
            (crop(0.0, 100.0, 3.0 * PI), crop(0.0, 100.0, PI), true),
        ] {
            assert_eq!(is_still(&a, &b), still, "{a:?} {b:?}");
            assert_eq!(is_still(&b, &a), still, "{b:?} {a:?}");
        }
    }

    #[test]
    fn the_clock_only_goes_forward() {
        let mut clock = Clock::default();
        let mut before = clock.now;
        for time in [5.0, 5.5, f64::NAN, 4.0, 4.25, f64::INFINITY, 1e300, -1e300, 1e300, 0.0] {
            let elapsed = clock.advance(time);
            assert!(elapsed > 0.0 && elapsed <= LONGEST_GAP_SECS && clock.now > before, "{time}: {elapsed}");
            before = clock.now;
        }
        let mut clock = Clock::default();
        clock.advance(100.0);
        assert_eq!((clock.advance(100.5), clock.advance(100.25), clock.advance(100.5)), (0.5, FRAME_SECS, 0.25));
    }
}
