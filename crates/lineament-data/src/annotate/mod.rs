//! Photos become records, the paper's way (section 3): a detector's box, a square of 96x96 grey pixels, 68 points in it;
//! what is badly lit, blurred or no face is left out, with a reason.
//!
//! [`Annotator::annotate`] does it for one photo; [`shards::run`] for any number of files, with several threads, in
//! parts that survive an interruption.
//!
//! ```
//! use lineament_data::Photo;
//! use lineament_data::annotate::{Annotator, Reason, Settings};
//!
//! let mut annotator = Annotator::new(&Settings::default())?;
//! let photo = Photo { pixels: vec![128; 3 * 64 * 64], width: 64, height: 64 };
//! let faces = annotator.annotate("grey.png", &photo, None);
//! assert_eq!(faces[0].as_ref().unwrap_err().reason, Reason::NoFace, "an even grey shows no face");
//! # Ok::<(), lineament_data::Error>(())
//! ```

mod detector;
mod file;
mod filters;
mod points;
mod rejection;
mod settings;
pub mod shards;

use std::path::Path;

use lineament::models::LITE;
use lineament::topology::POINTS;
use lineament::{Crop, ImageView, Lineament, Point, Pose, Rect};

use crate::error::{Error, Result};
use crate::evaluate::FOUND_IOU;
use crate::photo::{GreyPhoto, Photo};
use crate::pts;
use crate::record::{Origin, Record, SIDE};

use detector::{Detector, Found};
use points::{Look, Placer};

pub use filters::Measures;
pub use rejection::{Counts, Reason, Rejection};
pub use settings::{DetectorChoice, Faces, Filters, OUR_MARGIN, PointsChoice, PointsOn, Settings};

/// Makes records of photos. Loaded once; each thread works on its own clone, and clones share what is large.
#[derive(Debug, Clone)]
pub struct Annotator {
    settings: Settings,
    detectors: Vec<Detector>,
    placer: Placer,
    judge: Lineament,
}

impl Annotator {
    /// Loads the files that `settings` names.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number out of range; what the readers answer for a file that cannot be read or is not
    /// what it should be.
    pub fn new(settings: &Settings) -> Result<Self> {
        settings.check()?;
        let mut settings = settings.clone();
        if settings.detectors.is_empty() {
            settings.detectors.push(DetectorChoice::Ours);
        }
        let own;
        let landmarks = match &settings.points {
            PointsChoice::Network(path) => {
                own = file::read_bytes(path)?;
                points::network(&own, false).map_err(|e| Error::model(path, e))?;
                &own
            }
            _ => LITE,
        };
        let open = |choice| Detector::open(choice, landmarks, settings.filters.min_score);
        Ok(Self {
            detectors: settings.detectors.iter().map(open).collect::<Result<_>>()?,
            placer: Placer::open(&settings.points, landmarks)?,
            judge: points::network(landmarks, false)?,
            settings,
        })
    }

    /// What it was made from; without detectors, ours is named.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The records of a photo and what was left out: nothing of a photo is passed over in silence.
    ///
    /// `name` is the photo's path below the annotated folder, with `/`; `labels` are its points, in pixels, for
    /// [`PointsChoice::Pts`].
    pub fn annotate(
        &mut self,
        name: &str,
        photo: &Photo,
        labels: Option<&[Point; POINTS]>,
    ) -> Vec<Result<Record, Rejection>> {
        let photo = photo.grey();
        let reject = |(reason, detail): (Reason, String)| Rejection { photo: name.into(), face: None, reason, detail };
        let labels = match (&self.settings.points, labels) {
            (PointsChoice::Pts, None) => return vec![Err(reject((Reason::NoLabels, String::new())))],
            (PointsChoice::Pts, labels) => labels,
            _ => None, // they are not asked for
        };
        match self.choose(name, &photo, labels) {
            Ok(faces) => faces.iter().map(|face| self.face(name, &photo, face, labels)).collect(),
            Err(objection) => vec![Err(reject(objection))],
        }
    }

    /// As [`Annotator::annotate`] for a photo in a file, and the `.pts` file beside it where one is asked for.
    pub fn annotate_file(&mut self, name: &str, path: &Path) -> Vec<Result<Record, Rejection>> {
        let reject = |reason, fault: Error| {
            vec![Err(Rejection { photo: name.into(), face: None, reason, detail: fault.to_string() })]
        };
        let photo = match Photo::open(path) {
            Ok(photo) => photo,
            Err(fault) => return reject(Reason::Unreadable, fault),
        };
        let labels = match self.settings.points {
            PointsChoice::Pts => match pts::read(&path.with_extension("pts")) {
                Ok(labels) => Some(labels),
                Err(fault) => return reject(Reason::NoLabels, fault),
            },
            _ => None,
        };
        self.annotate(name, &photo, labels.as_ref())
    }

    /// The faces that are wanted, each with its number in the photo.
    fn choose(
        &mut self,
        name: &str,
        photo: &GreyPhoto,
        labels: Option<&[Point; POINTS]>,
    ) -> Result<Vec<(usize, Found)>, (Reason, String)> {
        let view = photo.view();
        let grey = view.to_grey();
        let found = self.detectors.iter_mut().map(|d| d.find(name, &view, &grey)).find(|found| !found.is_empty());
        let mut faces: Vec<(usize, Found)> = found.into_iter().flatten().enumerate().map(|(i, f)| (i + 1, f)).collect();
        if faces.is_empty() {
            return Err((Reason::NoFace, String::new()));
        }
        if self.settings.faces == Faces::One && faces.len() > 1 {
            return Err((Reason::SeveralFaces, format!("{} faces", faces.len())));
        }
        if let Some(truth) = labels.and_then(|points| Rect::bounding(points)) {
            let overlap = |face: &(usize, Found)| face.1.rect.iou(&truth);
            faces.retain(|face| overlap(face) >= FOUND_IOU);
            let best = faces.into_iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            return best.map(|face| vec![face]).ok_or((Reason::LabelledFaceNotFound, String::new()));
        }
        if self.settings.faces != Faces::All {
            faces.truncate(1);
        }
        Ok(faces)
    }

    fn face(
        &mut self,
        name: &str,
        photo: &GreyPhoto,
        (number, found): &(usize, Found),
        labels: Option<&[Point; POINTS]>,
    ) -> Result<Record, Rejection> {
        self.record(name, photo, found, labels).map_err(|(reason, detail)| Rejection {
            photo: name.into(),
            face: Some(*number),
            reason,
            detail,
        })
    }

    fn record(
        &mut self,
        name: &str,
        photo: &GreyPhoto,
        found: &Found,
        labels: Option<&[Point; POINTS]>,
    ) -> Result<Record, (Reason, String)> {
        let filters = &self.settings.filters;
        let view = photo.view();
        let grey = view.to_grey();
        let square = square_around(&found.rect, self.settings.margin.unwrap_or(found.margin));
        let pixels = cut(&view, &square);
        filters.check_crop(&pixels)?;
        let look = Look { view, grey: &grey, crop: square, pixels: &pixels };
        let placed = self.placer.place(self.settings.points_on, &look, found, labels);
        let placed = placed.ok_or((Reason::NoLabels, String::new()))?;
        let (score, expected_error) = points::judge(&mut self.judge, &look, &placed);
        filters.check_points(&placed.in_crop, score, expected_error)?;
        let pose = Pose::from_points(&placed.in_photo);
        let origin = Origin {
            photo: name.into(),
            photo_size: (photo.width as u32, photo.height as u32),
            face: found.rect,
            crop: square,
            score,
            expected_error,
            pose: Some([pose.roll_rad, pose.yaw_rad, pose.pitch_rad]),
        };
        Ok(Record { points: placed.in_crop, pixels, origin: Some(origin) })
    }
}

/// The upright square on the box's centre, `margin` times its longer side.
fn square_around(rect: &Rect, margin: f32) -> Rect {
    let side = margin * rect.width.max(rect.height);
    Rect::from_center_size(rect.center(), side, side)
}

/// The square's pixels, by the library's own crop, rounded. Outside the photo its edge is repeated.
fn cut(view: &ImageView, square: &Rect) -> Vec<u8> {
    let crop = Crop { center: square.center(), side: square.width, roll_rad: 0.0 };
    let mut pixels = vec![0.0; SIDE * SIDE];
    crop.sample_into(&view.to_grey(), SIDE, &mut pixels);
    pixels.iter().map(|v| v.round() as u8).collect() // `as` holds back what is out of range
}
