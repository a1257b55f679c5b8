//! Weights as the file holds them, and the sizes that each layer's weights must have.

use super::layers::{Activation, Op, Shape};

/// Weights of one tensor, borrowed from the file: f32, little-endian, in ONNX order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// Sizes, outermost first.
    pub dims: Vec<usize>,
    /// `4 * product(dims)` bytes.
    pub bytes: &'a [u8],
}

impl Tensor<'_> {
    /// The numbers, in the file's order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes))
    }

    /// As [`Tensor::values`], copied.
    pub fn to_vec(&self) -> Vec<f32> {
        self.values().collect()
    }
}

impl Op {
    /// Sizes of the tensors that this operation has in a model file when it reads a value of shape `from`, in the
    /// order of [`Model::weights`](super::Model::weights). Batch normalisation, which no file holds, has scale and
    /// shift.
    pub fn weight_dims(&self, from: Shape) -> Vec<Vec<usize>> {
        let channels = from.channels;
        match *self {
            Self::Conv { filters, kernel, .. } => vec![vec![filters, channels, kernel, kernel], vec![filters]],
            Self::Depthwise { kernel, .. } => vec![vec![channels, 1, kernel, kernel], vec![channels]],
            Self::Dense { units } => vec![vec![from.len(), units], vec![units]],
            Self::BatchNorm => vec![vec![channels], vec![channels]],
            Self::Activation(Activation::PRelu) => vec![vec![channels]],
            Self::PositionBias => vec![vec![channels, from.height, from.width]],
            Self::Activation(_) | Self::MaxPool | Self::Add { .. } | Self::GlobalPool | Self::WeightedPool { .. } => {
                Vec::new()
            }
        }
    }
}

/// Bytes of a tensor of f32; `None` when that is past what this platform can count.
pub(super) fn byte_len(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(size_of::<f32>(), |n, &d| n.checked_mul(d))
}
