//! How good a model file is on labelled photos, through the public library, and how much a smaller version of it loses.

use lineament::models::DETECTOR;
use lineament::{Lineament, Options};
use lineament_data::evaluate::{MATCH_IOU, each, evaluate};
use lineament_data::{Photo, Protocol, Sample, topologies};
use lineament_nn::model::{Model, Role};
use serde::Serialize;

use crate::error::Result;

/// How good a model is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Of a landmark network, on crops around the true points.
    Landmarks {
        /// Mean error of the points, in percent of the topology's unit.
        nme: f64,
        /// The same of the iBUG 68 points, under its earlier name.
        #[serde(skip_serializing_if = "Option::is_none")]
        nme68: Option<f64>,
        /// The same of the 51 inner points of the iBUG 68.
        #[serde(skip_serializing_if = "Option::is_none")]
        nme51: Option<f64>,
        /// Percent of the photos that are worse than 10.
        failures: f64,
    },
    /// Of a detector.
    Detector {
        /// Percent of the photos whose face is found.
        found: f64,
        /// Mean overlap of its box with that of the true points, in percent; a face that is not found has 0.
        overlap: f64,
    },
}

impl Quality {
    /// How much worse `other` is: in percent of the topology's unit, or for a detector the
    /// larger loss of the two, in percentage points. Below 0 it is better.
    pub fn loss_of(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Landmarks { nme: a, .. }, Self::Landmarks { nme: b, .. }) => b - a,
            (Self::Detector { found, overlap }, Self::Detector { found: f, overlap: o }) => {
                (found - f).max(overlap - o)
            }
            _ => f64::NAN,
        }
    }
}

/// Measures the model in `file` on every sample. `threads` of 0 takes every core; `progress` is called for each photo.
///
/// # Errors
/// When the file is no model, or a photo cannot be read.
pub fn quality(file: &[u8], samples: &[Sample], threads: usize, progress: &(impl Fn() + Sync)) -> Result<Quality> {
    let model = Model::parse(file)?;
    let (role, topology) = (model.metadata.role, topologies::of_model(&model)?);
    let advance = |_, _| progress();
    match role {
        Role::Landmarks => {
            let make = || Ok::<_, crate::Error>(Lineament::with_models(Options::default(), DETECTOR, file)?);
            let (report, _) = evaluate(&topology, samples, Protocol::TruthCrop, make, threads, &advance)?;
            let percent = |value: Option<f64>| value.unwrap_or(f64::NAN);
            Ok(Quality::Landmarks {
                nme: percent(report.nme),
                nme68: report.nme68,
                nme51: report.nme51,
                failures: report.failures_percent,
            })
        }
        Role::Detector => {
            let make = || {
                let landmarks = lineament::models::LITE;
                Ok::<_, crate::Error>(Lineament::with_models(Options::default(), file, landmarks)?)
            };
            let overlaps = each(samples, make, threads, &advance, |lineament: &mut Lineament, sample: &Sample| {
                let photo = Photo::open(&sample.photo_path)?.grey();
                let truth = sample.rect(&topology);
                let found = lineament.detect(&photo.view());
                let best = found.iter().map(|face| face.rect.iou(&truth)).fold(0.0, f32::max);
                Ok(if best >= MATCH_IOU { best } else { 0.0 })
            })?;
            let percent = 100.0 / samples.len().max(1) as f64;
            Ok(Quality::Detector {
                found: percent * overlaps.iter().filter(|overlap| **overlap > 0.0).count() as f64,
                overlap: percent * overlaps.iter().map(|overlap| f64::from(*overlap)).sum::<f64>(),
            })
        }
    }
}
