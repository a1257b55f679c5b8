//! What can be wrong with a model file.

use std::fmt;

/// Why a model cannot be read or run, by what its user can do about it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are something else altogether. Give another file.
    NotAModel(String),
    /// It is a model file, but bytes are missing or changed. Copy or download it again.
    Damaged(String),
    /// It is a whole file, but uses an operator, a version or a way of storing that this version does not read. Export
    /// it with this library, or use a newer version.
    Unsupported(String),
    /// The model is sound, but not what it is used for: its inputs, outputs, sizes or metadata are others. Give another
    /// model.
    Model(String),
    /// The model is sound but has another role than the one it was given for.
    Role {
        /// The role that the caller's use needs.
        expected: &'static str,
        /// The role in the file's metadata.
        actual: String,
    },
}

// By hand: a derive macro would take a tenth of the time that this crate takes to build.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NotAModel(what) => write!(f, "not a model file: {what}"),
            Self::Damaged(what) => write!(f, "damaged model file: {what}; copy or download it again"),
            Self::Unsupported(what) => write!(f, "unsupported model file: {what}"),
            Self::Model(what) => write!(f, "wrong model: {what}"),
            Self::Role { expected, actual } => {
                write!(f, "wrong model: expected the role `{expected}`, the file says `{actual}`")
            }
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The same, with the place in the file in front.
    pub(crate) fn at(self, place: &str) -> Self {
        match self {
            Self::NotAModel(what) => Self::NotAModel(format!("{place}: {what}")),
            Self::Damaged(what) => Self::Damaged(format!("{place}: {what}")),
            Self::Unsupported(what) => Self::Unsupported(format!("{place}: {what}")),
            Self::Model(what) => Self::Model(format!("{place}: {what}")),
            role @ Self::Role { .. } => role,
        }
    }
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
