//! Errors, sorted by who is at fault: the pixels, the model or cascade file, or the way the two were put together.

use std::fmt;

pub use lineament_nn::Error as ModelError;

/// Everything that can go wrong in this crate. "No face" is never an error: it is an empty list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The caller's pixels do not fit their description (length, stride, zero size).
    Image(String),
    /// The model file cannot be read or used.
    Model(ModelError),
    /// The text is no cascade that this version reads, or one that contradicts itself.
    Cascade(String),
    /// A number the caller chose is outside its range.
    Option(String),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

// By hand: a derive macro would take a tenth of the time that this crate takes to build.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Image(what) => write!(f, "the image does not fit its description: {what}"),
            Self::Model(error) => error.fmt(f),
            Self::Cascade(what) => write!(f, "not a readable cascade file: {what}"),
            Self::Option(what) => write!(f, "invalid option: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}
