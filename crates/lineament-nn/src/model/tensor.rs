//! Weights as the file holds them, and the sizes that each layer's weights must have.

use std::borrow::Cow;

use super::layers::{Activation, Op, Shape};
use crate::math::{f16_from_f32, f32_from_f16};

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Four bytes.
    F32,
    /// Half precision, two bytes.
    F16,
    /// Whole numbers from -128 to 127.
    I8,
    /// Whole numbers from 0 to 255.
    U8,
    /// Whole numbers of four bytes.
    I32,
}

impl Element {
    /// Bytes of one number.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I32 => "int32",
        }
    }
}

/// Weights of one tensor as the file holds them, borrowed from it or made in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// Sizes, outermost first.
    pub dims: Vec<usize>,
    /// How each number is stored.
    pub element: Element,
    /// The numbers, little-endian, in ONNX order: [`Element::size`] times the product of `dims`.
    pub bytes: Cow<'a, [u8]>,
    /// What 1 stands for, of whole numbers that stand for others.
    pub scales: Option<Scales<'a>>,
}

/// What a whole number is multiplied with: one factor for each index along an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales<'a> {
    /// The axis in [`Tensor::dims`].
    pub axis: usize,
    /// Factors, f32, little-endian: as many as the axis is long, or one for all.
    pub bytes: Cow<'a, [u8]>,
}

impl Scales<'_> {
    /// The factors.
    pub fn to_vec(&self) -> Vec<f32> {
        f32s(&self.bytes).collect()
    }
}

impl Tensor<'static> {
    /// Numbers as they are.
    pub fn from_f32(dims: &[usize], numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Self { dims: dims.to_vec(), element: Element::F32, bytes, scales: None }
    }

    /// Each number as the nearest f16 value.
    pub fn f16_from_f32(dims: &[usize], numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| f16_from_f32(*number).to_le_bytes()).collect();
        Self { dims: dims.to_vec(), element: Element::F16, bytes, scales: None }
    }

    /// Whole numbers, each standing for itself times the scale of its index along `axis`.
    pub fn from_i8(dims: &[usize], numbers: &[i8], axis: usize, scales: &[f32]) -> Self {
        let bytes = numbers.iter().map(|number| number.cast_unsigned()).collect();
        Self { dims: dims.to_vec(), element: Element::I8, bytes, scales: Some(owned_scales(axis, scales)) }
    }

    /// As [`Tensor::from_i8`].
    pub fn from_i32(dims: &[usize], numbers: &[i32], axis: usize, scales: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Self { dims: dims.to_vec(), element: Element::I32, bytes, scales: Some(owned_scales(axis, scales)) }
    }

    /// One whole number that stands for itself.
    pub fn from_u8(number: u8) -> Self {
        Self { dims: Vec::new(), element: Element::U8, bytes: vec![number].into(), scales: None }
    }
}

impl Tensor<'_> {
    /// How many numbers.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.size()
    }

    /// Holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The numbers that the stored ones stand for, in the file's order.
    pub fn to_vec(&self) -> Vec<f32> {
        let mut values: Vec<f32> = match self.element {
            Element::F32 => f32s(&self.bytes).collect(),
            Element::F16 => self.bytes.as_chunks().0.iter().map(|&b| f32_from_f16(u16::from_le_bytes(b))).collect(),
            Element::I8 => self.bytes.iter().map(|&b| f32::from(b.cast_signed())).collect(),
            Element::U8 => self.bytes.iter().map(|&b| f32::from(b)).collect(),
            Element::I32 => self.bytes.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b) as f32).collect(),
        };
        if let Some(scales) = &self.scales {
            let factors = scales.to_vec();
            let step: usize = self.dims.iter().skip(scales.axis + 1).product();
            for (run, values) in values.chunks_mut(step.max(1)).enumerate() {
                let factor = factors[run % factors.len()];
                values.iter_mut().for_each(|v| *v *= factor);
            }
        }
        values
    }

    /// The stored bytes as whole numbers, where they are [`Element::I8`].
    pub fn i8s(&self) -> Option<impl ExactSizeIterator<Item = i8> + '_> {
        (self.element == Element::I8).then(|| self.bytes.iter().map(|b| b.cast_signed()))
    }

    /// Bytes in the file, scales included.
    pub fn stored_bytes(&self) -> usize {
        self.bytes.len() + self.scales.as_ref().map_or(0, |scales| scales.bytes.len())
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
            Self::Quantize => vec![vec![], vec![]],
            Self::Activation(_) | Self::MaxPool | Self::Add { .. } | Self::GlobalPool | Self::WeightedPool { .. } => {
                Vec::new()
            }
        }
    }

    /// Which axis of this operation's weights belongs to the output channels: int8 has a scale for each of them.
    pub const fn output_axis(&self) -> usize {
        match self {
            Self::Dense { .. } => 1,
            _ => 0,
        }
    }
}

/// Bytes of a tensor; `None` when that is past what this platform can count.
pub(super) fn byte_len(dims: &[usize], element: Element) -> Option<usize> {
    dims.iter().try_fold(element.size(), |n, &d| n.checked_mul(d))
}

fn owned_scales(axis: usize, scales: &[f32]) -> Scales<'static> {
    Scales { axis, bytes: scales.iter().flat_map(|scale| scale.to_le_bytes()).collect() }
}

fn f32s(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_scaled_along_their_axis() {
        let codes = [1, 2, 3, 4, 5, -6];
        let rows = Tensor::from_i8(&[2, 3], &codes, 0, &[1.0, 10.0]);
        assert_eq!(rows.to_vec(), [1.0, 2.0, 3.0, 40.0, 50.0, -60.0]);
        let columns = Tensor::from_i8(&[2, 3], &codes, 1, &[1.0, 10.0, 100.0]);
        assert_eq!(columns.to_vec(), [1.0, 20.0, 300.0, 4.0, 50.0, -600.0]);
        let all = Tensor::from_i32(&[2], &[-70_000, 3], 0, &[0.5]);
        assert_eq!(all.to_vec(), [-35_000.0, 1.5]);
        assert_eq!((rows.stored_bytes(), columns.stored_bytes(), rows.len()), (6 + 8, 6 + 12, 6));
    }

    #[test]
    fn halves_keep_eleven_bits() {
        let numbers = [0.1, -3.7, 1234.5];
        let stored = Tensor::f16_from_f32(&[3], &numbers);
        assert_eq!(stored.bytes.len(), 6);
        for (stored, number) in stored.to_vec().iter().zip(numbers) {
            assert!((stored / number - 1.0).abs() <= 1.0 / 2048.0, "{stored} for {number}");
        }
    }
}
