//! What can go wrong.

use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the assets is missing or is not what it should be.
    #[error("{}: {what}", path.display())]
    Asset {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A setting is out of its range.
    #[error(transparent)]
    Data(#[from] lineament_data::Error),
    /// Points that a topology asks for have no place on the head.
    #[error("points: {0}")]
    Points(String),
}

impl Error {
    pub(crate) fn asset(path: &Path, what: impl ToString) -> Self {
        Self::Asset { path: path.into(), what: what.to_string() }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
