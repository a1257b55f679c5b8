//! The path from a photo's bytes to the points, part by part, and the tracker from frame to frame. One thread.

use std::time::Instant;

use anyhow::{Context, Result};
use lineament::stages::{Detector, LandmarkNetwork};
use lineament::{Crop, Lineament, Options, TrackOptions, Tracker};
use lineament_data::Photo;
use lineament_nn::model::{Model, Shape};
use serde::Serialize;

use super::film::Film;
use super::timing::{Quartiles, ms_since, rounded, time};
use crate::models::Models;
use crate::picture;

/// The parts, in the order of the flow.
const PARTS: [&str; 8] = ["decode", "shrink", "detect", "crop", "pass", "landmarks", "photo", "track"];

/// A part of the path.
#[derive(Debug, Serialize)]
pub struct PathRow {
    pub what: &'static str,
    pub ms: Quartiles,
}

/// All that the parts need, and their times.
pub struct Path {
    /// The first frame as a file.
    jpeg: Vec<u8>,
    /// The place of its largest face.
    crop: Crop,
    detector: Detector,
    network: LandmarkNetwork,
    lineament: Lineament,
    /// Places the points in one pass.
    one_pass: Lineament,
    pub tracker: Tracker,
    pub load_models_ms: f64,
    times: [Vec<f64>; PARTS.len()],
}

impl Path {
    /// Loads the models and finds a face in the film's first frame.
    ///
    /// # Errors
    /// When the models do not fit or there is no face.
    pub fn new(models: &Models, film: &Film) -> Result<Self> {
        let first = film.frame(0);
        let begin = Instant::now();
        let mut lineament = models.lineament(Options::default())?;
        let load_models_ms = rounded(ms_since(begin));
        let faces = lineament.faces(&first.view());
        let face = faces
            .first()
            .with_context(|| format!("no face is found at {}x{}: give another photo", first.width, first.height))?;
        let (detector, network) = models.bytes();
        let one_pass = Options { refine: false, ..Options::default() };
        Ok(Self {
            jpeg: picture::encode(first, true)?,
            crop: face.detection.crop(),
            detector: Detector::new(&Model::parse(detector)?)?,
            network: LandmarkNetwork::new(&Model::parse(network)?)?,
            lineament,
            one_pass: models.lineament(one_pass)?,
            tracker: Tracker::with_lineament(models.lineament(Options::default())?, TrackOptions::default())?,
            load_models_ms,
            times: Default::default(),
        })
    }

    /// The size of what the detector reads of the film's frames.
    pub fn detector_input(&self, film: &Film) -> Shape {
        self.detector.input(&film.frame(0).view(), None).0
    }

    /// The number of faces in the film's first frame.
    pub fn faces(&mut self, film: &Film) -> usize {
        self.lineament.faces(&film.frame(0).view()).len()
    }

    /// Measures each part once more.
    pub fn round(&mut self, film: &Film, round: usize) {
        let Self { jpeg, crop, detector, network, lineament, one_pass, tracker, times, .. } = self;
        let (first, frame) = (film.frame(0).view(), film.frame(round).view());
        let of_each = [
            time(|| drop(Photo::decode(jpeg))).0,
            time(|| drop(detector.input(&frame, None))).0,
            time(|| drop(lineament.detect(&frame))).0,
            time(|| drop(network.input(&first, crop))).0,
            time(|| one_pass.landmarks(&first, crop)).0,
            time(|| lineament.landmarks(&first, crop)).0,
            time(|| drop(Photo::decode(jpeg).map(|photo| lineament.faces(&photo.view())))).0,
            time(|| tracker.update(&frame, round as f64 * film.step_secs).len()).0,
        ];
        times.iter_mut().zip(of_each).for_each(|(times, ms)| times.push(ms));
    }

    /// What was measured after the first `warm_up` rounds.
    pub fn rows(&self, warm_up: usize) -> Vec<PathRow> {
        let row =
            |(what, times): (&'static str, &Vec<f64>)| PathRow { what, ms: Quartiles::of(times[warm_up..].to_vec()) };
        PARTS.into_iter().zip(&self.times).map(row).collect()
    }
}
