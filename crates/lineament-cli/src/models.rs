//! The two models that a command uses: those inside the program, or files that the user names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lineament::models::{DETECTOR, LITE};
use lineament::{Lineament, Options};
use lineament_data::read_model_file;
use lineament_nn::model::{Model, Role};

use crate::values;

/// Options that choose other models.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Find faces with this model file instead of the one inside the program
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    detector: Option<PathBuf>,

    /// Place the points with this model file instead of the one inside the program
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    model: Option<PathBuf>,

    /// Least score of the detector for what it finds to be looked at [default: as the models inside the program need]
    ///
    /// From 0 to 1. Lower finds more hidden and blurred faces and takes longer.
    #[arg(long, value_name = "SCORE", value_parser = values::share, help_heading = "Models")]
    detector_threshold: Option<f64>,

    /// Least face score for what was looked at to count as a face [default: as the models inside the program need]
    ///
    /// From 0 to 1. Lower keeps more hidden faces and more things that are none.
    #[arg(long, value_name = "SCORE", value_parser = values::share, help_heading = "Models")]
    face_threshold: Option<f64>,
}

/// The bytes of other model files, checked, and other thresholds.
#[derive(Debug)]
pub struct Models {
    detector: Option<Vec<u8>>,
    landmarks: Option<Vec<u8>>,
    detector_threshold: Option<f64>,
    face_threshold: Option<f64>,
}

impl Models {
    /// Reads the files that were named.
    ///
    /// # Errors
    /// When one cannot be read, is no model, or is the other kind; the text names the option.
    pub fn read(args: &ModelArgs) -> Result<Self> {
        let read = |option: &str, path: &Option<PathBuf>, role: Role| {
            let bytes = path.as_deref().map(|path| read_model(path, role)).transpose();
            bytes.with_context(|| {
                format!("{option}: cannot use this model; `lineament inspect FILE` shows what a file is")
            })
        };
        Ok(Self {
            detector: read("--detector", &args.detector, Role::Detector)?,
            landmarks: read("--model", &args.model, Role::Landmarks)?,
            detector_threshold: args.detector_threshold,
            face_threshold: args.face_threshold,
        })
    }

    /// Makes the models ready to run.
    ///
    /// # Errors
    /// When the options are out of range or the models do not fit this program.
    pub fn lineament(&self, mut options: Options) -> Result<Lineament> {
        let given = |threshold: Option<f64>, usual: f32| threshold.map_or(usual, |t| t as f32);
        options.detector_threshold = given(self.detector_threshold, options.detector_threshold);
        options.face_threshold = given(self.face_threshold, options.face_threshold);
        let ready = match (&self.detector, &self.landmarks) {
            (None, None) => Lineament::new(options),
            (detector, landmarks) => Lineament::with_models(
                options,
                detector.as_deref().unwrap_or(DETECTOR),
                landmarks.as_deref().unwrap_or(LITE),
            ),
        };
        ready.context("cannot load the models")
    }
}

impl Models {
    /// The detector's file and the landmark network's.
    pub fn bytes(&self) -> (&[u8], &[u8]) {
        (self.detector.as_deref().unwrap_or(DETECTOR), self.landmarks.as_deref().unwrap_or(LITE))
    }
}

fn read_model(path: &Path, role: Role) -> Result<Vec<u8>> {
    let bytes = read_model_file(path)?;
    let model = Model::parse(&bytes).with_context(|| path.display().to_string())?;
    model.expect_role(role).with_context(|| path.display().to_string())?;
    Ok(bytes)
}
