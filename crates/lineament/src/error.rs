//! Errors, sorted by who is at fault: the pixels, the model or cascade file, or the way the two were put together.

use thiserror::Error;

/// Everything that can go wrong in this crate. "No face" is never an error: it is an empty list.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's pixels do not fit their description (length, stride, zero size).
    #[error("the image does not fit its description: {0}")]
    Image(String),
    /// The bytes are no model file at all.
    #[error("not a model file: {0}")]
    NotAModel(String),
    /// The model file is cut off or changed.
    #[error("damaged model file: {0}; copy or download it again")]
    Damaged(String),
    /// The model file is whole, but uses an operator, a version or a way of storing that this version does not read.
    #[error("unsupported model file: {0}")]
    Unsupported(String),
    /// The model is sound, but not what it is used for: its inputs, outputs, sizes or metadata are others.
    #[error("wrong model: {0}")]
    Model(String),
    /// The text is no cascade that this version reads, or one that contradicts itself.
    #[error("not a readable cascade file: {0}")]
    Cascade(String),
    /// The model is sound but has another role than the one it was given for.
    #[error("wrong model: expected the role `{expected}`, the file says `{actual}`")]
    Role {
        /// The role that the caller's use needs.
        expected: &'static str,
        /// The role in the file's metadata.
        actual: String,
    },
    /// A number the caller chose is outside its range.
    #[error("invalid option: {0}")]
    Option(String),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<lineament_nn::Error> for Error {
    fn from(error: lineament_nn::Error) -> Self {
        match error {
            lineament_nn::Error::Role { expected, actual } => Self::Role { expected, actual },
            lineament_nn::Error::NotAModel(text) => Self::NotAModel(text),
            lineament_nn::Error::Damaged(text) => Self::Damaged(text),
            lineament_nn::Error::Unsupported(text) => Self::Unsupported(text),
            lineament_nn::Error::Model(text) => Self::Model(text),
            other => Self::Model(other.to_string()),
        }
    }
}
