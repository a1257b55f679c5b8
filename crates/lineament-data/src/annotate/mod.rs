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
mod identity;
mod parts;
mod points;
mod rejection;
mod settings;
pub mod shards;

use std::path::Path;

use lineament::image::GreyImage;
use lineament::topology::POINTS;
use lineament::{Crop, ImageView, Lineament, Point, Pose, Rect};

use crate::error::{Error, Result};
use crate::evaluate::FOUND_IOU;
use crate::photo::Photo;
use crate::pts;
use crate::record::{Origin, Record, SIDE};

use detector::{Detector, Found};
use filters::Objection;
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
        let open = |choice| Detector::open(choice, settings.filters.min_score);
        Ok(Self {
            detectors: settings.detectors.iter().map(open).collect::<Result<_>>()?,
            placer: Placer::open(&settings.points)?,
            judge: points::judge()?,
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
        let subject = Subject { name, view: photo.view(), grey: photo.view().to_grey(), labels };
        let rejection = |face, (reason, detail)| Rejection { photo: name.into(), face, reason, detail };
        match self.choose(&subject) {
            Err(objection) => vec![Err(rejection(None, objection))],
            Ok(faces) => {
                let record = |(number, found): &(usize, Found)| {
                    self.record(&subject, found).map_err(|objection| rejection(Some(*number), objection))
                };
                faces.iter().map(record).collect()
            }
        }
    }

    /// As [`Annotator::annotate`] for a photo in a file, and the `.pts` file beside it where one is asked for.
    pub fn annotate_file(&mut self, name: &str, path: &Path) -> Vec<Result<Record, Rejection>> {
        let reject = |reason, fault: Error| {
            vec![Err(Rejection { photo: name.into(), face: None, reason, detail: words(fault) })]
        };
        let photo = match Photo::open(path) {
            Ok(photo) => photo,
            Err(fault) => return reject(Reason::Unreadable, fault),
        };
        if self.settings.points != PointsChoice::Pts {
            return self.annotate(name, &photo, None);
        }
        match pts::read(&path.with_extension("pts")) {
            Ok(labels) => self.annotate(name, &photo, Some(&labels)),
            Err(fault) => reject(Reason::NoLabels, fault),
        }
    }

    /// The faces that are wanted, each with its number in the photo.
    fn choose(&mut self, subject: &Subject) -> Result<Vec<(usize, Found)>, Objection> {
        let labels = subject.labels.filter(|_| self.settings.points == PointsChoice::Pts);
        if self.settings.points == PointsChoice::Pts && labels.is_none() {
            return Err((Reason::NoLabels, String::new()));
        }
        let found = self.detectors.iter_mut().map(|detector| detector.find(subject)).find(|found| !found.is_empty());
        let mut faces: Vec<(usize, Found)> = (1..).zip(found.unwrap_or_default()).collect();
        if faces.is_empty() {
            return Err((Reason::NoFace, String::new()));
        }
        if self.settings.faces == Faces::One && faces.len() > 1 {
            return Err((Reason::SeveralFaces, format!("{} faces", faces.len())));
        }
        if let Some(truth) = labels.and_then(|points| Rect::bounding(points)) {
            let overlap = |face: &(usize, Found)| face.1.rect.iou(&truth);
            let best = faces.into_iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            let best = best.filter(|face| overlap(face) >= FOUND_IOU);
            return best.map(|face| vec![face]).ok_or((Reason::LabelledFaceNotFound, String::new()));
        }
        if self.settings.faces != Faces::All {
            faces.truncate(1);
        }
        Ok(faces)
    }

    fn record(&mut self, subject: &Subject, found: &Found) -> Result<Record, Objection> {
        let Settings { points_on, margin, filters, .. } = &self.settings;
        let crop = square_around(&found.rect, margin.unwrap_or(found.margin));
        let pixels = cut(&subject.view, &crop);
        filters.check_crop(&pixels)?;
        let look = Look { subject, found, crop, pixels: &pixels };
        let placed = self.placer.place(*points_on, &look).ok_or((Reason::NoLabels, String::new()))?;
        let (score, expected_error) = points::verdict(&mut self.judge, &look, &placed);
        filters.check_points(&placed.in_crop, score, expected_error)?;
        let pose = Pose::from_points(&placed.in_photo);
        let origin = Origin {
            photo: subject.name.into(),
            photo_size: (subject.grey.width() as u32, subject.grey.height() as u32),
            face: found.rect,
            crop,
            score,
            expected_error,
            pose: Some([pose.roll_rad, pose.yaw_rad, pose.pitch_rad]),
        };
        Ok(Record { points: placed.in_crop, pixels, origin: Some(origin) })
    }
}

/// An error on one line and without the file's place, which may be another one when the work goes on.
fn words(fault: Error) -> String {
    let words = match fault {
        Error::File { reason, .. } => reason.to_string(),
        Error::Photo { reason, .. } => reason,
        Error::Pts { line, reason, .. } => format!("line {line}: {reason}"),
        other => other.to_string(),
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A photo in work.
struct Subject<'a> {
    name: &'a str,
    view: ImageView<'a>,
    grey: GreyImage<'a>,
    /// In pixels of the photo.
    labels: Option<&'a [Point; POINTS]>,
}

/// The upright square on the box's centre, `margin` times its longer side.
fn square_around(rect: &Rect, margin: f32) -> Rect {
    let side = margin * rect.width.max(rect.height);
    Rect::from_center_size(rect.center(), side, side)
}

/// The square's pixels, by the library's own crop, rounded. Outside the photo its edge is repeated.
fn cut(image: &ImageView, square: &Rect) -> Vec<u8> {
    let crop = Crop { center: square.center(), side: square.width, roll_rad: 0.0 };
    let mut pixels = vec![0.0; SIDE * SIDE];
    crop.sample_into(image, SIDE, &mut pixels);
    pixels.iter().map(|v| v.round() as u8).collect() // `as` holds back what is out of range
}
