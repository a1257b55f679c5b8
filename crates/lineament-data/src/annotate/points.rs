//! Places the points, on the photo or on the crop, and verifies the face with our network.

use std::sync::Arc;

use lineament::models::{DETECTOR, LITE};
use lineament::topology::Topology;
use lineament::topology::ibug68::POINTS;
use lineament::{Crop, ImageView, Landmarks, Lineament, Options, Point, Pose, Rect};

use super::Subject;
use super::detector::Found;
use super::settings::{PointsChoice, PointsOn};
use crate::dlib::ShapePredictor;
use crate::error::{Error, Result};
use crate::model_file::read_model_file;
use crate::record::{self, RecordFrame, SIDE};
use crate::topologies;

/// The source of the points, loaded; clones share their large parts.
#[derive(Debug, Clone)]
pub(super) enum Placer {
    /// A landmark network, with refinement; whether it is the one that verifies faces, too.
    Network {
        lineament: Box<Lineament>,
        verifies: bool,
    },
    Dlib(Arc<ShapePredictor>),
    /// The labels that come with the photo.
    Labels(Topology),
}

/// The points of a face.
pub(super) struct Placed {
    /// In pixels of the crop, whose centres are whole numbers.
    pub in_crop: Vec<Point<RecordFrame>>,
    /// In pixels of the photo.
    pub in_photo: Vec<Point>,
    /// The whole answer of the network, if it placed them and is the one that verifies faces.
    pub landmarks: Option<Landmarks>,
}

/// A face in its photo and the square cut out around it.
pub(super) struct Cropped<'a> {
    pub subject: &'a Subject<'a>,
    pub found: &'a Found,
    /// In pixels of the photo.
    pub crop: Rect,
    /// `[SIDE, SIDE]`
    pub pixels: &'a [u8],
}

impl Placer {
    /// Loads what was chosen.
    pub fn open(choice: &PointsChoice) -> Result<Self> {
        let network = |lineament, verifies| Self::Network { lineament: Box::new(lineament), verifies };
        Ok(match choice {
            PointsChoice::Ours => network(landmark_network(LITE, true)?, true),
            PointsChoice::Network(path) => {
                network(landmark_network(&read_model_file(path)?, true).map_err(|e| Error::model(path, e))?, false)
            }
            PointsChoice::Dlib(path) => Self::Dlib(Arc::new(ShapePredictor::open(path)?)),
            PointsChoice::Pts(topology) => Self::Labels(topologies::open(topology)?.topology),
        })
    }

    /// Points that it places on a face.
    pub fn points(&self) -> usize {
        match self {
            Self::Dlib(predictor) => predictor.points(),
            Self::Network { lineament, .. } => lineament.topology().len(),
            Self::Labels(topology) => topology.len(),
        }
    }

    /// The topology of the labels that come with a photo, where those are the points.
    pub fn of_labels(&self) -> Option<&Topology> {
        match self {
            Self::Labels(topology) => Some(topology),
            _ => None,
        }
    }

    /// Whether it places the iBUG 68 points; of dlib's files with 68 points it is assumed.
    fn is_ibug68(&self) -> bool {
        match self {
            Self::Dlib(predictor) => predictor.points() == POINTS,
            Self::Network { lineament, .. } => lineament.topology().is_ibug68(),
            Self::Labels(topology) => topology.is_ibug68(),
        }
    }

    /// The points of a face; `None` where labels are wanted and there are none.
    pub fn place(&mut self, on: PointsOn, cropped: &Cropped) -> Option<Placed> {
        let Cropped { subject, found, .. } = cropped;
        match (self, on) {
            (Self::Labels(_), _) => subject.labels.map(|points| Placed::on_photo(cropped, points.to_vec(), None)),
            (Self::Network { lineament, verifies }, PointsOn::Photo) => {
                let known = found.landmarks.clone().filter(|_| *verifies);
                let place = || lineament.landmarks(&subject.view, &Crop::from_rect(&found.rect));
                let landmarks = known.unwrap_or_else(place);
                Some(Placed::on_photo(cropped, landmarks.points.to_vec(), verifies.then_some(landmarks)))
            }
            (Self::Network { lineament, verifies }, PointsOn::Crop) => {
                let landmarks = lineament.landmarks(&cropped.cut_view()?, &Crop::from_rect(&cropped.rect_in_crop()));
                Some(Placed::on_crop(cropped, landmarks.points.to_vec(), verifies.then_some(landmarks)))
            }
            (Self::Dlib(predictor), PointsOn::Photo) => {
                let rect = if found.is_tight { dlib_rect(&found.rect) } else { found.rect };
                let points = predictor.place(&subject.grey, &rect);
                Some(Placed::on_photo(cropped, points, None))
            }
            (Self::Dlib(predictor), PointsOn::Crop) => {
                let whole = Rect::from_xywh(0.0, 0.0, SIDE as f32, SIDE as f32);
                let points = predictor.place(&cropped.cut_view()?.to_grey(), &whole);
                Some(Placed::on_crop(cropped, points, None))
            }
        }
    }
}

/// The network that verifies every face, whatever places the points: other networks may not know non-faces.
pub(super) fn verifier() -> Result<Lineament> {
    Ok(landmark_network(LITE, false)?)
}

/// A network for crops only; the detector that comes with it is not used.
fn landmark_network(model: &[u8], refine: bool) -> lineament::Result<Lineament> {
    Lineament::with_models(Options { refine, ..Options::default() }, DETECTOR, model)
}

/// Our network's view of a face, and the pose of the head.
pub(super) struct Verdict {
    /// Face score, from 0 to 1.
    pub score: f32,
    /// Mean expected error of the points, in percent of the distance between the outer eye corners.
    pub expected_error: Option<f32>,
    /// Of the 68 points; of the network's own points where others were placed.
    pub pose: Pose,
}

/// Verifies a face with these points. Where they are not the 68, the network places those itself.
pub(super) fn verify(verifier: &mut Lineament, cropped: &Cropped, placer: &Placer, placed: &Placed) -> Verdict {
    let view = &cropped.subject.view;
    let points = placer.is_ibug68().then_some(placed.in_photo.as_slice());
    let points: Option<&[Point; POINTS]> = points.and_then(|points| points.try_into().ok());
    let crop = match points {
        Some(points) => Crop::from_points(&Topology::ibug68(), points),
        None => verifier.landmarks(view, &Crop::from_rect(&cropped.found.rect)).crop(),
    };
    let landmarks = placed.landmarks.clone().unwrap_or_else(|| verifier.landmarks(view, &crop));
    let mean = landmarks.errors.iter().sum::<f32>() / landmarks.errors.len() as f32;
    let percent = 100.0 * mean / landmarks.topology.unit(&landmarks.points);
    Verdict {
        score: landmarks.score,
        expected_error: percent.is_finite().then_some(percent),
        pose: points.or(landmarks.ibug68()).map(Pose::from_points).unwrap_or_default(),
    }
}

impl Placed {
    fn on_photo(cropped: &Cropped, points: Vec<Point>, landmarks: Option<Landmarks>) -> Self {
        let in_crop = points.iter().map(|&p| record::record_from_image(&cropped.crop, p)).collect();
        Self { in_crop, in_photo: points, landmarks }
    }

    fn on_crop(cropped: &Cropped, points: Vec<Point>, landmarks: Option<Landmarks>) -> Self {
        let in_crop: Vec<_> = points.iter().map(|p| Point::new(p.x - 0.5, p.y - 0.5)).collect();
        let in_photo = in_crop.iter().map(|&p| record::image_from_record(&cropped.crop, p)).collect();
        Self { in_crop, in_photo, landmarks }
    }
}

impl Cropped<'_> {
    /// The crop as an image of its own.
    fn cut_view(&self) -> Option<ImageView<'_>> {
        ImageView::grey(self.pixels, SIDE, SIDE).ok()
    }

    /// The face's box in pixels of the crop.
    fn rect_in_crop(&self) -> Rect {
        let rect = &self.found.rect;
        let scale = SIDE as f32 / self.crop.width;
        let (x, y) = ((rect.x - self.crop.x) * scale, (rect.y - self.crop.y) * scale);
        Rect::from_xywh(x, y, rect.width * scale, rect.height * scale)
    }
}

/// Side of dlib's box divided by the square root of the area of the points' box, and how much higher its centre is, in
/// heights of the points' box: medians over the faces of `faces68/train` that dlib finds.
const DLIB_SIDE: f32 = 1.07;
const DLIB_RISE: f32 = 0.095;

/// The box that dlib's detector would give where ours gives `rect`: its predictor starts from a mean face in that box,
/// which must cover the face. (Mean error on `faces68/test` from our boxes: 4.3 % of the inter-ocular distance with
/// this conversion, 5.2 % without.)
fn dlib_rect(rect: &Rect) -> Rect {
    let side = DLIB_SIDE * rect.area().sqrt();
    let center = rect.center();
    Rect::from_center_size(Point::new(center.x, center.y - DLIB_RISE * rect.height), side, side)
}
