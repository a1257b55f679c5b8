//! What can go wrong.

use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is missing, is not what it should be, or cannot be written.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A setting is out of its range, or a topology cannot be read.
    #[error(transparent)]
    Data(#[from] lineament_data::Error),
    /// Points that a topology asks for have no place on the head.
    #[error("points: {0}")]
    Points(String),
}

impl Error {
    pub(crate) fn file(path: &Path, what: impl ToString) -> Self {
        Self::File { path: path.into(), what: what.to_string() }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
