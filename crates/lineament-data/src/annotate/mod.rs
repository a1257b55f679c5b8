//! Makes records of photos as in the paper (section 3): a detector finds a box, a square of 96x96 grey pixels is cut
//! out around it, and 68 points, or others, are placed in it. Dark, bright, flat and blurred crops and non-faces are
//! left out, with a reason.
//!
//! [`Annotator::annotate`] does it for one photo; [`shards::run`] for any number of files, with several threads, in
//! shards that survive an interruption.
//!
//! ```
//! use lineament_data::Photo;
//! use lineament_data::annotate::{Annotator, Reason, Settings};
//!
//! let mut annotator = Annotator::new(&Settings::default())?;
//! let photo = Photo { pixels: vec![128; 3 * 64 * 64], width: 64, height: 64 };
//! let faces = annotator.annotate("grey.png", &photo, None);
//! assert_eq!(faces[0].as_ref().unwrap_err().reason, Reason::NoFace, "plain grey shows no face");
//! # Ok::<(), lineament_data::Error>(())
//! ```

mod detector;
mod filters;
mod identity;
mod job;
mod parts;
mod points;
mod rejection;
mod settings;
pub mod shards;

use std::path::Path;

use lineament::stages::GreyImage;
use lineament::topology::Topology;
use lineament::{Crop, ImageView, Lineament, Options, Point, Rect};

use crate::dataset::points_of;
use crate::error::{Error, Result};
use crate::evaluate::TRUE_FACE_IOU;
use crate::photo::Photo;
use crate::pts;
use crate::record::{Origin, Record, RecordFrame, SIDE};

use detector::{Detector, Found};
use filters::Objection;
use points::{Cropped, Placer, Verdict};

pub use filters::Measures;
pub use job::{Input, Job, Outcome, USUAL_SHARD};
pub use rejection::{Counts, Reason, Rejection};
pub use settings::{DetectorChoice, Faces, Filters, OUR_MARGIN, PointsChoice, PointsOn, Settings};

/// Makes records of photos. It is loaded once; each thread has its own clone, and clones share their large parts.
#[derive(Debug, Clone)]
pub struct Annotator {
    settings: Settings,
    detectors: Vec<Detector>,
    placer: Placer,
    verifier: Lineament,
}

impl Annotator {
    /// Loads the files that `settings` names.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number out of range; the error of its reader for a file that cannot be read or is of
    /// another kind.
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
            verifier: points::verifier()?,
            settings,
        })
    }

    /// The settings it was made from; without detectors, ours is named.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Points of each record: 68, or as many as a network, a shape predictor of dlib or the labels have.
    pub fn points(&self) -> usize {
        self.placer.points()
    }

    /// The records of a photo, and rejections of what was left out. A photo without a record has a rejection.
    ///
    /// `name` is the photo's path below the annotated folder, with `/`; `labels` are its points, in pixels, for
    /// [`PointsChoice::Pts`].
    pub fn annotate(&mut self, name: &str, photo: &Photo, labels: Option<&[Point]>) -> Vec<Result<Record, Rejection>> {
        let photo = photo.grey();
        let subject = Subject { name, view: photo.view(), grey: photo.view().to_grey(), labels };
        let rejection = |face, (reason, detail)| Rejection { photo: name.into(), face, reason, detail };
        match self.choose(&subject) {
            Err(objection) => vec![Err(rejection(None, objection))],
            Ok(faces) => {
                let record = |face: Face| {
                    let number = face.number;
                    self.record(&subject, face).map_err(|objection| rejection(Some(number), objection))
                };
                faces.into_iter().map(record).collect()
            }
        }
    }

    /// As [`Annotator::annotate`] for a photo in a file, and the `.pts` file next to it where the settings ask for it.
    pub fn annotate_file(&mut self, name: &str, path: &Path) -> Vec<Result<Record, Rejection>> {
        let reject = |reason, fault: Error| {
            vec![Err(Rejection { photo: name.into(), face: None, reason, detail: on_one_line(fault) })]
        };
        let photo = match Photo::open_whole(path) {
            Ok(photo) => photo,
            Err(fault) => return reject(Reason::Unreadable, fault),
        };
        let Some(topology) = self.placer.of_labels() else { return self.annotate(name, &photo, None) };
        let path = path.with_extension("pts");
        let labels = pts::read(&path)
            .and_then(|points| points_of(topology, points).map_err(|reason| Error::Pts { path, line: 1, reason }));
        match labels {
            Ok(labels) => self.annotate(name, &photo, Some(&labels)),
            Err(fault) => reject(Reason::NoLabels, fault),
        }
    }

    /// The faces that the settings ask for. Cascades find faces in curtains, too: boxes that our network rejects do not
    /// count, and where a detector has no others the next one is tried.
    fn choose(&mut self, subject: &Subject) -> Result<Vec<Face>, Objection> {
        if let Some(topology) = self.placer.of_labels().cloned() {
            return self.labelled(subject, &topology);
        }
        let wanted = self.settings.faces;
        let mut doubtful = Vec::new();
        for i in 0..self.detectors.len() {
            let mut faces = Vec::new();
            for (number, found) in (1..).zip(self.detectors[i].find(subject)) {
                faces.extend(self.face(subject, number, found));
                if wanted == Faces::Largest && faces.last().is_some_and(|face| self.is_face(face)) {
                    break;
                }
            }
            let count = faces.iter().filter(|face| self.is_face(face)).count();
            match wanted {
                _ if count == 0 => {
                    if doubtful.is_empty() {
                        doubtful = faces;
                    }
                }
                Faces::One if count > 1 => return Err((Reason::SeveralFaces, format!("{count} faces"))),
                Faces::One | Faces::Largest => {
                    return Ok(faces.into_iter().filter(|face| self.is_face(face)).take(1).collect());
                }
                Faces::All => return Ok(faces),
            }
        }
        if doubtful.is_empty() {
            return Err((Reason::NoFace, String::new()));
        }
        if wanted != Faces::All {
            doubtful.truncate(1);
        }
        Ok(doubtful)
    }

    /// The labelled face.
    fn labelled(&mut self, subject: &Subject, topology: &Topology) -> Result<Vec<Face>, Objection> {
        let labels = subject.labels.ok_or((Reason::NoLabels, String::new()))?;
        let truth = topology.rect(labels);
        let overlap = |found: &Found| found.rect.iou(&truth);
        let mut any = false;
        for i in 0..self.detectors.len() {
            let found = self.detectors[i].find(subject);
            if self.settings.faces == Faces::One && found.len() > 1 {
                return Err((Reason::SeveralFaces, format!("{} faces", found.len())));
            }
            any |= !found.is_empty();
            let best = (1..).zip(found).max_by(|a, b| overlap(&a.1).total_cmp(&overlap(&b.1)));
            if let Some((number, found)) = best.filter(|(_, found)| overlap(found) >= TRUE_FACE_IOU) {
                return Ok(self.face(subject, number, found).into_iter().collect());
            }
        }
        Err((if any { Reason::LabelledFaceNotFound } else { Reason::NoFace }, String::new()))
    }

    /// Cuts out a crop, places its points and verifies them; `None` where labels are wanted and there are none.
    fn face(&mut self, subject: &Subject, number: usize, found: Found) -> Option<Face> {
        let crop = square_around(&found.rect, self.settings.margin.unwrap_or(found.margin));
        let pixels = cut(&subject.view, &crop);
        let cropped = Cropped { subject, found: &found, crop, pixels: &pixels };
        let placed = self.placer.place(self.settings.points_on, &cropped)?;
        let verdict = points::verify(&mut self.verifier, &cropped, &self.placer, &placed);
        Some(Face { number, rect: found.rect, crop, pixels, points: placed.in_crop, verdict })
    }

    /// Whether our network accepts it as a face; always where that filter is off.
    fn is_face(&self, face: &Face) -> bool {
        let usual = Options::default().face_threshold;
        self.settings.filters.min_score.is_none_or(|limit| face.verdict.score >= limit.min(usual))
    }

    fn record(&self, subject: &Subject, face: Face) -> Result<Record, Objection> {
        let Face { rect, crop, pixels, points, verdict: Verdict { score, expected_error, pose }, .. } = face;
        let filters = &self.settings.filters;
        filters.check_crop(&pixels)?;
        filters.check_points(&points, score, expected_error)?;
        let origin = Origin {
            photo: subject.name.into(),
            photo_size: (subject.grey.width() as u32, subject.grey.height() as u32),
            face: rect,
            crop,
            score,
            expected_error,
            pose: Some([pose.roll_rad, pose.yaw_rad, pose.pitch_rad]),
        };
        Ok(Record { points, pixels, origin: Some(origin) })
    }
}

/// A box of a photo, with its crop and points.
struct Face {
    /// Its number in the photo, from 1 for the largest.
    number: usize,
    /// In pixels of the photo.
    rect: Rect,
    /// In pixels of the photo.
    crop: Rect,
    /// `[SIDE, SIDE]`
    pixels: Vec<u8>,
    points: Vec<Point<RecordFrame>>,
    verdict: Verdict,
}

/// An error on one line and without the file's path, which may be different when the work is resumed.
fn on_one_line(fault: Error) -> String {
    let words = match fault {
        Error::File { reason, .. } => reason.to_string(),
        Error::Photo { reason, .. } => reason,
        Error::Pts { line, reason, .. } => format!("line {line}: {reason}"),
        other => other.to_string(),
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The photo that is annotated.
struct Subject<'a> {
    name: &'a str,
    view: ImageView<'a>,
    grey: GreyImage<'a>,
    /// In pixels of the photo.
    labels: Option<&'a [Point]>,
}

/// The upright square at the box's centre, with `margin` times its longer side.
fn square_around(rect: &Rect, margin: f32) -> Rect {
    let side = margin * rect.width.max(rect.height);
    Rect::from_center_size(rect.center(), side, side)
}

/// The square's pixels, sampled by the library's own crop and rounded. Outside the photo its edge pixels are repeated.
fn cut(image: &ImageView, square: &Rect) -> Vec<u8> {
    let crop = Crop { center: square.center(), side: square.width, roll_rad: 0.0 };
    let mut pixels = vec![0.0; SIDE * SIDE];
    crop.sample_into(image, SIDE, &mut pixels);
    pixels.iter().map(|v| v.round() as u8).collect() // `as` clamps
}
