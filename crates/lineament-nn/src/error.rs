//! What can be wrong with a model file.

use thiserror::Error;

/// Why a model cannot be read or run.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file is damaged, truncated, or uses something this version does not read.
    #[error("not a readable model file: {0}")]
    Model(String),
    /// The model is sound but has another role than the one it was given for.
    #[error("wrong model: expected the role `{expected}`, the file says `{actual}`")]
    Role {
        /// The role that the caller's use needs.
        expected: &'static str,
        /// The role in the file's metadata.
        actual: String,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
