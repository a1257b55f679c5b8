//! The two models that a command uses: those inside the program, or files that the user names.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lineament::model::{Model, Role};
use lineament::models::{DETECTOR, LITE};
use lineament::{Lineament, Options};

/// Most bytes of a model file. The paper's largest network takes 544 MB.
const MAX_MODEL_BYTES: u64 = 1 << 30;

/// Options that choose other models.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Find faces with this model file instead of the one inside the program
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    detector: Option<PathBuf>,

    /// Place the points with this model file instead of the one inside the program
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    model: Option<PathBuf>,
}

/// The bytes of other model files, checked.
#[derive(Debug)]
pub struct Models {
    detector: Option<Vec<u8>>,
    landmarks: Option<Vec<u8>>,
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
        })
    }

    /// Makes the models ready to run.
    ///
    /// # Errors
    /// When the options are out of range or the models do not fit this program.
    pub fn lineament(&self, options: Options) -> Result<Lineament> {
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

fn read_model(path: &Path, role: Role) -> Result<Vec<u8>> {
    let bytes = read_file(path)?;
    let model = Model::parse(&bytes).with_context(|| path.display().to_string())?;
    model.expect_role(role).with_context(|| path.display().to_string())?;
    Ok(bytes)
}

/// Reads a model file's bytes.
///
/// # Errors
/// When it cannot be read or is larger than any model.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_MODEL_BYTES + 1).read_to_end(&mut bytes));
    read.with_context(|| path.display().to_string())?;
    ensure!(bytes.len() as u64 <= MAX_MODEL_BYTES, "{}: larger than 1 GiB, which no model is", path.display());
    Ok(bytes)
}
