//! The two models that a command uses: those inside the program, or the user's files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lineament::models::{DETECTOR, LITE};
use lineament::topology::Topology;
use lineament::{Lineament, Options};
use lineament_data::{read_model_file, topologies};
use lineament_nn::model::{Model, Role};

use crate::failure::OrTry as _;
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

    /// Lowest score at which the detector takes something for a face
    ///
    /// From 0 to 1. A lower one finds more hidden and blurred faces, and takes longer.
    #[arg(long, value_name = "SCORE", value_parser = values::score, allow_negative_numbers = true,
          default_value_t = Options::default().detector_threshold, help_heading = "Models")]
    detector_threshold: f32,

    /// Lowest score at which the landmark network takes something for a face
    ///
    /// From 0 to 1. A lower one keeps more hidden faces, and more things that are not faces.
    #[arg(long, value_name = "SCORE", value_parser = values::score, allow_negative_numbers = true,
          default_value_t = Options::default().face_threshold, help_heading = "Models")]
    face_threshold: f32,
}

/// The bytes of other model files, checked, and the thresholds.
#[derive(Debug)]
pub struct Models {
    detector: Option<Vec<u8>>,
    landmarks: Option<Vec<u8>>,
    detector_threshold: f32,
    face_threshold: f32,
}

impl Models {
    /// Reads the files that were named.
    ///
    /// # Errors
    /// When one cannot be read, is no model, or is the other kind; the text names the option.
    pub fn read(args: &ModelArgs) -> Result<Self> {
        let read = |option: &'static str, path: &Option<PathBuf>, role: Role| {
            path.as_deref().map(|path| read_model(path, role).context(option)).transpose()
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
    pub fn lineament(&self, options: Options) -> Result<Lineament> {
        let Self { detector_threshold, face_threshold, .. } = *self;
        let options = Options { detector_threshold, face_threshold, ..options };
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

    /// Which points the landmark network places.
    ///
    /// # Errors
    /// When its file does not describe them.
    pub fn topology(&self) -> Result<Topology> {
        let model = Model::parse(self.bytes().1)?;
        topologies::of_model(&model).context("--model")
    }

    /// The lowest landmark score of a face.
    pub fn face_threshold(&self) -> f32 {
        self.face_threshold
    }

    /// The detector's file and the landmark network's.
    pub fn bytes(&self) -> (&[u8], &[u8]) {
        (self.detector.as_deref().unwrap_or(DETECTOR), self.landmarks.as_deref().unwrap_or(LITE))
    }
}

fn read_model(path: &Path, role: Role) -> Result<Vec<u8>> {
    let bytes = read_model_file(path)?;
    let checked = Model::parse(&bytes).and_then(|model| model.expect_role(role));
    let name = path.display();
    checked.with_context(|| name.to_string()).or_try(format!("`lineament inspect {name}` shows what the file is"))?;
    Ok(bytes)
}
