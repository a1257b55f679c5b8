//! The model file: an ONNX graph with metadata, and the list of layers it holds.

mod layers;

pub use layers::{Activation, Architecture, Layer, MAX_LAYERS, Op, Output, Shape, ValueId};

use crate::error::{Error, Result};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Finds faces in a frame.
    Detector,
    /// Places the points in a crop.
    Landmarks,
}

/// What the file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What the model is for.
    pub role: Role,
    /// Everything else the file says, in the file's order: key, value.
    pub entries: Vec<(String, String)>,
}

/// Weights of one tensor, borrowed from the file: f32, little-endian, in ONNX order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// Sizes, outermost first.
    pub dims: Vec<usize>,
    /// `4 * product(dims)` bytes.
    pub bytes: &'a [u8],
}

/// A model file, read: nothing is copied, weights are borrowed from the file's bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Model<'a> {
    /// What the file says about itself.
    pub metadata: Metadata,
    /// The list of layers.
    pub architecture: Architecture,
    /// For each layer its tensors. Conv: weight `[O, I, k, k]`, bias `[O]`. Depthwise: weight `[C, 1, k, k]`, bias `[C]`.
    /// Dense: weight `[inputs, units]` (inputs in the order height, width, channel), bias `[units]`.
    /// PRelu: slope `[C]`. Others: none.
    pub weights: Vec<Vec<Tensor<'a>>>,
}

impl<'a> Model<'a> {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Model`] for anything but a whole, sound file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let _ = bytes;
        Err(Error::Model("not built yet".into()))
    }
}
