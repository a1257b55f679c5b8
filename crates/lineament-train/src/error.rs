//! Errors of training, by who is at fault.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a training run, a quantisation or a calibration stops.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration asks for something impossible.
    #[error("configuration: {0}")]
    Config(String),
    /// A model cannot be quantised.
    #[error("{0}")]
    Quantize(String),
    /// A model's expected errors cannot be scaled.
    #[error("{0}")]
    Calibrate(String),
    /// A file of the run could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The cause and the remedy.
        reason: String,
    },
    /// Photos, points or tables are at fault.
    #[error(transparent)]
    Data(#[from] lineament_data::Error),
    /// The network or the exported model is at fault.
    #[error(transparent)]
    Model(#[from] lineament::Error),
    /// The loss is no longer a finite number.
    #[error("the loss became {loss} in step {step}: lower `rate`, or start again from an earlier checkpoint")]
    Diverged {
        /// The loss.
        loss: f32,
        /// The step, counted from 0.
        step: u64,
    },
}

impl From<lineament_nn::Error> for Error {
    fn from(error: lineament_nn::Error) -> Self {
        Self::Model(error.into())
    }
}

impl Error {
    /// A fault of the file at `path`.
    pub fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
