//! The model file: an ONNX graph with metadata, and the list of layers it holds.
//!
//! Any ONNX runtime, converter and viewer reads these files. We read them without such a runtime and borrow the
//! weights where they lie, so that a mapped file is not copied; each tensor starts at a multiple of 64 bytes.
//! `wire` is protobuf's wire format (and why it is ours), `onnx` the messages; `read` and `write` go from there to an
//! [`Architecture`] and back.
//!
//! # How numbers are stored
//! Weights of convolutions and dense layers, and position biases, are f32, f16 or int8; biases of layers with int8
//! weights are int32 when what the layer reads is quantised, too. All is standard ONNX: a f16 tensor goes through
//! `Cast`, int8 and int32 through `DequantizeLinear` with a scale for each output channel and no zero point.
//! [`Op::Quantize`] is `QuantizeLinear` followed by `DequantizeLinear` with a uint8 zero point. So every runtime
//! computes with the numbers that these stand for, and one with integer kernels may put the nodes together, as ours
//! does.
//!
//! A file can only hold what the list of layers can say. Batch normalisation is folded into the convolution before it
//! when a network is exported. Input is one tensor `image`, `[1, C, H, W]`; H and W are free when the network has no
//! dense layer. Outputs are `[1, C, H, W]`, or `[1, units]` where a dense layer makes them.
//!
//! # Metadata
//! Keys are in [`key`]; other keys are kept and ignored. Nothing is assumed that a file does not say.
//!
//! | key | says | example |
//! |---|---|---|
//! | `format_version` | version of this table; always there | `1` |
//! | `role` | `detector` or `landmarks`; always there | `landmarks` |
//! | `checksum` | CRC-32 of the file, see below | `1c291ca3` |
//! | `input_size` | nominal height and width, where the graph leaves them free | `240x320` |
//! | `name` | the model's name | `lite` |
//! | `topology` | what the points are | `ibug68` |
//! | `input` | what the channels are | `grey` |
//! | `normalisation` | `standardise`: mean 0, deviation 1 over the input; `unit`: 0 to 1 | `standardise` |
//! | `crop` | side and centre of the input, see below | `margin=1.1 shift=0,-0.05` |
//! | `errors` | expected errors in the crop (2 wide), if the network has no such output | `0.03,0.02,...` |
//! | `outputs` | what the outputs mean | `points: x, y in the crop, -1 to 1` |
//! | `training_data` | what the weights were learned from | `300-W` |
//! | `licence` | of the weights | `research only` |
//! | `commit` | of the code that trained it | `1f0c2d9` |
//! | `scores` | measured on what, by the code of that commit | `nme68=3.9% on faces68/test` |
//!
//! `checksum` is the CRC-32 of the whole file in hexadecimal, taken while its own eight digits are `0`. A file whose
//! checksum is another is refused as damaged; a file without one is not checked. A tool that changes a file must remove
//! the entry.
//!
//! `crop` says how the input is cut out around the box of the 68 points: `margin` is the crop's side over the longer
//! side of the box, `shift` how far the crop's centre lies to the right of and below the centre of the box, over the
//! same.

mod attributes;
mod checksum;
mod emit;
mod layers;
mod metadata;
mod onnx;
mod read;
mod tensor;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use layers::{Activation, Architecture, Layer, MAX_LAYERS, Op, Output, Shape, ValueId};
pub use metadata::{FORMAT_VERSION, Metadata, Role};
pub use tensor::{Element, Scales, Tensor};
pub use write::write;

use crate::error::{Error, Result};

/// The metadata keys that this library knows; the table is in [the module's text](self).
pub mod key {
    /// Version of the metadata's meaning, [`FORMAT_VERSION`](super::FORMAT_VERSION). Written by the writer.
    pub const FORMAT_VERSION: &str = "format_version";
    /// What the model is for. Written by the writer.
    pub const ROLE: &str = "role";
    /// CRC-32 of the file. Written by the writer; a tool that changes the file must remove it.
    pub const CHECKSUM: &str = "checksum";
    /// `HEIGHTxWIDTH`, where the graph leaves them free. Written by the writer.
    pub const INPUT_SIZE: &str = "input_size";
    /// The model's name.
    pub const NAME: &str = "name";
    /// What the points are.
    pub const TOPOLOGY: &str = "topology";
    /// What the input's channels are.
    pub const INPUT: &str = "input";
    /// How pixels become the network's numbers.
    pub const NORMALISATION: &str = "normalisation";
    /// How the input is cut out of the image around a face's box.
    pub const CROP: &str = "crop";
    /// Expected error of each point, of a network that does not say it itself.
    pub const ERRORS: &str = "errors";
    /// What the outputs mean.
    pub const OUTPUTS: &str = "outputs";
    /// What the weights were learned from.
    pub const TRAINING_DATA: &str = "training_data";
    /// Licence of the weights.
    pub const LICENCE: &str = "licence";
    /// The commit of the code that trained the model.
    pub const COMMIT: &str = "commit";
    /// Measured scores.
    pub const SCORES: &str = "scores";
}

/// A model file, read: nothing is copied, weights are borrowed from the file's bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Model<'a> {
    /// What the file says about itself.
    pub metadata: Metadata,
    /// The list of layers.
    pub architecture: Architecture,
    /// For each layer its tensors. Conv: weight `[O, I, k, k]`, bias `[O]`. Depthwise: weight `[C, 1, k, k]`, bias
    /// `[C]`. Dense: weight `[inputs, units]` (inputs in the order height, width, channel), bias `[units]`. PRelu:
    /// slope `[C]`. PositionBias: `[C, H, W]`. Quantize: scale (f32) and zero point (uint8), both `[]`. Others: none.
    pub weights: Vec<Vec<Tensor<'a>>>,
}

impl<'a> Model<'a> {
    /// Reads a model file. Every size fits afterwards: shapes, each layer's tensors, each tensor's bytes. Memory and
    /// time are bounded by the file's length. Weights are not examined: they may be NaN.
    ///
    /// # Errors
    /// [`Error::NotAModel`] for something else, [`Error::Damaged`] for a file that is cut off or changed,
    /// [`Error::Unsupported`] for operators, versions and types that this library does not read.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        read::read(bytes)
    }

    /// Accepts a model of this role only.
    ///
    /// # Errors
    /// [`Error::Role`] when the file has another role.
    pub fn expect_role(&self, role: Role) -> Result<()> {
        match self.metadata.role {
            actual if actual == role => Ok(()),
            actual => Err(Error::Role { expected: role.name(), actual: actual.name().to_owned() }),
        }
    }

    /// Accepts a model whose metadata says `value` for `name` only.
    ///
    /// # Errors
    /// [`Error::Model`] when it says something else or nothing.
    pub fn expect(&self, name: &str, value: &str) -> Result<()> {
        match self.metadata.get(name) {
            Some(actual) if actual == value => Ok(()),
            actual => Err(Error::Model(format!("its metadata says {name} = {actual:?}, this version reads {value:?}"))),
        }
    }

    /// The bytes of a file that holds this model.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        write::write_model(self)
    }

    /// Learned numbers.
    pub fn parameters(&self) -> usize {
        let learned = self.architecture.layers.iter().zip(&self.weights).filter(|(layer, _)| layer.op != Op::Quantize);
        learned.flat_map(|(_, tensors)| tensors).map(Tensor::len).sum()
    }

    /// Bytes of all weights in the file, with the scales of those that have some.
    pub fn weight_bytes(&self) -> usize {
        self.weights.iter().flatten().map(Tensor::stored_bytes).sum()
    }

    /// Multiply-adds for one input of the nominal size, counting convolutions and dense layers.
    ///
    /// # Errors
    /// Never for a model that [`Model::parse`] gave; as [`Architecture::shapes`] after a change by hand.
    pub fn multiply_adds(&self) -> Result<u64> {
        Ok(self.architecture.layer_multiply_adds(self.architecture.input)?.iter().sum())
    }
}
