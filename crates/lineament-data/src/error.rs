//! Errors: which file, which place in it, and what would help.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Everything that can go wrong in this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refuses a file or folder.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The bytes are not a picture, are damaged, or the picture is larger than we accept.
    #[error("{photo}: {reason}")]
    Photo {
        /// The file, or a name for it.
        photo: String,
        /// What is wrong, and what would be accepted.
        reason: String,
    },
    /// The bytes are not a video, are damaged, or are coded in a way that we do not read.
    #[error("{video}: {reason}")]
    Video {
        /// The file, or a name for it.
        video: String,
        /// The frame, what is wrong, and a command that helps.
        reason: String,
    },
    /// A `.pts` file does not hold the points that are expected.
    #[error("{}:{line}: {reason}", path.display())]
    Pts {
        /// The file.
        path: PathBuf,
        /// Line in the file, from 1.
        line: usize,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// Labels of another program cannot be read.
    #[error("{place}: {reason}")]
    Labels {
        /// File and line, byte, row or element.
        place: String,
        /// What is wrong, and what would help.
        reason: String,
    },
    /// A row of a table does not fit its header.
    #[error("{}:{line}: {reason}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Line in the file, from 1.
        line: u64,
        /// The column and what is wrong with it.
        reason: String,
    },
    /// A file is not a shape predictor of dlib.
    #[error("{}: byte {at}: {reason}", path.display())]
    Predictor {
        /// The file.
        path: PathBuf,
        /// Position in the file, from 0.
        at: usize,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// A table of records is not what is expected, or a record does not fit into it.
    #[error("{}: {reason}", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// The row, from 1, and the column where there is one, and what is wrong with it.
        reason: String,
    },
    /// A folder is not a set of photos with their points.
    #[error("{}: {reason}", path.display())]
    Dataset {
        /// The folder.
        path: PathBuf,
        /// What is missing, and where it should be.
        reason: String,
    },
    /// A model file cannot be used.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What the runtime says.
        reason: lineament::Error,
    },
    /// Unfinished work cannot be resumed.
    #[error("{}: {reason}", path.display())]
    Unfinished {
        /// Its folder.
        path: PathBuf,
        /// What differs, and what would help.
        reason: String,
    },
    /// A number in a configuration is outside its range.
    #[error("invalid setting: {0}")]
    Setting(String),
    /// The runtime refuses a model or an image.
    #[error(transparent)]
    Runtime(#[from] lineament::Error),
}

impl Error {
    pub(crate) fn file(path: &Path, reason: io::Error) -> Self {
        Self::File { path: path.to_owned(), reason }
    }

    pub(crate) fn model(path: &Path, reason: lineament::Error) -> Self {
        Self::Model { path: path.to_owned(), reason }
    }

    pub(crate) fn records(path: &Path, reason: impl Into<String>) -> Self {
        Self::Records { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn labels(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Labels { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn dataset(path: &Path, reason: impl Into<String>) -> Self {
        Self::Dataset { path: path.to_owned(), reason: reason.into() }
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
