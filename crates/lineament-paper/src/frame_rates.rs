//! Frame rates of the paper's live path (sections 3 to 5): from a frame of RGBA pixels to grey, a detector, a crop
//! and a network, on one thread.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineament::cascade::{Cascade, CascadeOptions};
use lineament::stages::{Detector, LandmarkNetwork};
use lineament::{Crop, Detection, ImageView, PixelFormat, Rect, models};
use lineament_data::evaluate::metrics::median;
use lineament_data::record::SIDE;
use lineament_data::{GreyPhoto, Photo};
use lineament_nn::model::Model;

use super::results::{FRAME_SIZE, FrameRate, RUNS};
use crate::training::Faces;
use lineament_train::error::{Error, Result};

/// The detectors, and the frame that they search.
pub struct LivePath {
    detectors: Vec<(String, FaceDetector)>,
    /// `[height, width, RGBA]`.
    frame: Vec<u8>,
    /// The face in the frame, for a detector that misses it.
    face: Rect,
}

/// Our detector, or the paper's.
enum FaceDetector {
    Ours(Box<Detector>),
    Cascade(Box<Cascade>),
}

/// Least score of a detection, as by default.
const THRESHOLD: f32 = 0.5;

impl FaceDetector {
    /// The crop of the largest face.
    fn find(&mut self, image: &ImageView) -> Option<Crop> {
        match self {
            Self::Ours(detector) => detector.detect(image, THRESHOLD, None).first().map(Detection::crop),
            Self::Cascade(cascade) => {
                let found = cascade.detect(&image.to_grey(), &CascadeOptions::default()).unwrap_or_default();
                let largest = found.iter().max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()));
                largest.map(|d| Crop::from_rect(&d.rect))
            }
        }
    }
}

impl LivePath {
    /// Our detector and those of `cascades`, and a frame made of `photo` or of a face of the table.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn new(cascades: &[PathBuf], photo: Option<&Path>, faces: &Faces) -> Result<Self> {
        let ours = Detector::new(&Model::parse(models::DETECTOR)?)?;
        let mut detectors = vec![("ours".to_owned(), FaceDetector::Ours(ours.into()))];
        for path in cascades {
            let xml = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
            let cascade = Cascade::parse(&xml).map_err(|e| Error::file(path, e))?;
            let name = path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
            detectors.push((name, FaceDetector::Cascade(cascade.into())));
        }
        let picture = match photo {
            Some(path) => Photo::open(path)?.grey(),
            None => {
                let face = faces.validation().first().or(faces.train().first()).copied().unwrap_or(0);
                GreyPhoto { pixels: faces.pixels(face).to_vec(), width: SIDE, height: SIDE }
            }
        };
        let (frame, face) = framed(&picture);
        Ok(Self { detectors, frame, face })
    }

    /// The frame rate of each detector alone, then of each detector followed by each of `networks`; empty for a
    /// network that is `None`.
    pub fn frame_rates(&mut self, networks: &mut [Option<LandmarkNetwork>]) -> (Vec<FrameRate>, Vec<Vec<FrameRate>>) {
        let (width, height) = FRAME_SIZE;
        let view =
            ImageView::new(&self.frame, width, height, 4 * width, PixelFormat::Rgba).expect("the frame is whole");
        let usual = Crop::from_rect(&self.face);
        let mut alone = vec![Vec::new(); self.detectors.len()];
        let mut followed = vec![alone.clone(); networks.len()];
        for _ in 0..RUNS {
            // Interleaved, so that a busy moment of the machine affects all of them.
            for (i, (_, detector)) in self.detectors.iter_mut().enumerate() {
                let start = Instant::now();
                detector.find(&view);
                alone[i].push(start.elapsed());
                for (network, times) in networks.iter_mut().zip(&mut followed) {
                    let Some(network) = network else { continue };
                    let start = Instant::now();
                    let found = detector.find(&view);
                    network.place(&view, &found.unwrap_or(usual));
                    times[i].push(start.elapsed());
                }
            }
        }
        let names = || self.detectors.iter().map(|(name, _)| name);
        let rates = |times: Vec<Vec<Duration>>| {
            let measured = names().zip(times).filter(|(_, times)| !times.is_empty());
            measured.map(|(name, times)| frame_rate(name, &times)).collect()
        };
        (rates(alone), followed.into_iter().map(rates).collect())
    }
}

/// The frame rate of the median time.
fn frame_rate(detector: &str, times: &[Duration]) -> FrameRate {
    let times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    FrameRate { detector: detector.to_owned(), frame_ms: median(&times) }
}

/// An RGBA frame with the picture in its middle, as large as fits, and the box in the middle where a face probably is.
fn framed(picture: &GreyPhoto) -> (Vec<u8>, Rect) {
    let (width, height) = FRAME_SIZE;
    let side = picture.width.max(picture.height) as f32 * (height as f32 / picture.height as f32).min(1e3);
    let crop = Crop {
        center: lineament::Point::new(picture.width as f32 / 2.0, picture.height as f32 / 2.0),
        side: side * picture.height as f32 / height as f32,
        roll_rad: 0.0,
    };
    let side = (side as usize).clamp(1, width.max(height));
    let mut pixels = vec![0.0; side * side];
    crop.sample_into(&picture.view(), side, &mut pixels);
    let mut frame = Vec::with_capacity(4 * width * height);
    for y in 0..height {
        for x in 0..width {
            let at = |v: usize, of: usize| (v + side / 2).checked_sub(of / 2).filter(|v| *v < side);
            let grey = at(x, width).zip(at(y, height)).map_or(0, |(x, y)| pixels[y * side + x] as u8);
            frame.extend([grey, grey, grey, 255]);
        }
    }
    let face = height as f32 * 0.6;
    (frame, Rect::from_xywh((width as f32 - face) / 2.0, (height as f32 - face) / 2.0, face, face))
}
