//! Faces from frame to frame: the same face keeps its number, and its points do not shake.

use crate::detect::Detection;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::image::ImageView;
use crate::landmarks::Landmarks;
#[cfg(feature = "default-models")]
use crate::lineament::Options;
use crate::lineament::{Face, Lineament};
use crate::smooth::SmoothOptions;
use crate::topology::five_points;

/// How faces are followed.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackOptions {
    /// Longest time in seconds between two searches of the whole frame for faces that have come into view. Each costs
    /// one run of the detector; between them a face costs one run of the landmark network per frame. Nothing is
    /// searched while [`Options::max_faces`](crate::Options::max_faces) faces are followed.
    pub search_every_secs: f64,
    /// A face that comes back within this time, near where it was and about as large, gets its number back.
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
        Ok(())
    }
}

/// One face in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedFace {
    /// The face's number: counted from 1, the same as long as the face is followed, never given to another one.
    pub id: u64,
    /// The smoothed points. Box and five points of its `detection` follow from them, its score is the detector's when
    /// it last saw the face.
    pub face: Face,
    /// As the network placed the points in this frame, before smoothing.
    pub raw: Landmarks,
}

/// Follows the faces of a video or a camera.
#[derive(Debug, Clone)]
pub struct Tracker {
    lineament: Lineament,
    options: TrackOptions,
    faces: Vec<TrackedFace>,
    last_id: u64,
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

    /// With models and options of `lineament`. [`Options::refine`](crate::Options::refine) matters for faces that
    /// have just been found; a face that is followed gets one look per frame.
    ///
    /// # Errors
    /// [`Error::Option`] for options outside their range.
    pub fn with_lineament(lineament: Lineament, options: TrackOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { lineament, options, faces: Vec::new(), last_id: 0 })
    }

    /// The faces of the next frame, the one followed longest first.
    ///
    /// `time_secs` is when the frame was taken, counted from any moment. A time that is not finite or not after the
    /// frame before counts as a thirtieth of a second later.
    pub fn update(&mut self, image: &ImageView, time_secs: f64) -> &[TrackedFace] {
        let _ = (time_secs, &self.options);
        let before = std::mem::take(&mut self.faces);
        for Face { detection, landmarks } in self.lineament.faces(image) {
            let same = |f: &&TrackedFace| f.face.detection.rect.iou(&detection.rect) > 0.3;
            let id = before.iter().find(same).map(|f| f.id).filter(|id| self.faces.iter().all(|f| f.id != *id));
            let id = id.unwrap_or_else(|| {
                self.last_id += 1;
                self.last_id
            });
            let rect = Rect::bounding(&landmarks.points).unwrap_or(detection.rect);
            let detection = Detection { rect, points: five_points(&landmarks.points), score: detection.score };
            self.faces.push(TrackedFace { id, raw: landmarks.clone(), face: Face { detection, landmarks } });
        }
        self.faces.sort_by_key(|f| f.id);
        &self.faces
    }

    /// Forgets all faces, as for another video. Numbers are not given again.
    pub fn reset(&mut self) {
        self.faces.clear();
    }
}
