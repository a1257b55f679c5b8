//! Which fused ops of a quantised network run in integers, and which values are stored quantised.
//!
//! An op runs in integers when its weights are int8 and its input is quantised. A value is stored quantised when every
//! op that reads it runs in integers; any other value is f32, rounded to the numbers that its quantised values stand
//! for.

use super::fuse::{FusedOp, Work, window};
use super::int8::{self, Learned, Quantization};
use crate::error::{Error, Result};
use crate::model::{Element, Model, Op, Shape};

/// Which ops and values are in integers.
#[derive(Debug, Default)]
pub(super) struct Integers {
    /// For each value how it is quantised; `None` where it is stored as f32.
    pub quantised: Vec<Option<Quantization>>,
    /// For each fused op whether it runs in integers.
    pub ops: Vec<bool>,
}

impl Integers {
    /// For `ops` of `model`, whose values have these `shapes` at the nominal size.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a scale is not above 0.
    pub fn new(model: &Model, shapes: &[Shape], ops: &[FusedOp]) -> Result<Self> {
        let mut quantised = vec![None; shapes.len()];
        for fused in ops {
            if let Some(layer) = fused.quantize {
                let rounding = rounding(model, layer)?;
                let is_output = model.architecture.outputs.iter().any(|output| output.value == fused.output);
                quantised[fused.output] = Some(rounding).filter(|_| !is_output);
            }
        }
        let mut integer: Vec<bool> = ops.iter().map(|fused| fits(model, shapes, fused)).collect();
        loop {
            let mut changed = false;
            for (fused, integer) in ops.iter().zip(&mut integer) {
                let pooled = matches!(fused.work, Work::Conv { pool: true, .. });
                if *integer && (quantised[fused.input].is_none() || (pooled && quantised[fused.output].is_none())) {
                    (*integer, changed) = (false, true);
                }
                if !*integer {
                    fused.inputs().for_each(|value| changed |= quantised[value].take().is_some());
                }
            }
            if !changed {
                return Ok(Self { quantised, ops: integer });
            }
        }
    }

    /// Numbers of the block of memory that a value of this shape takes.
    pub fn numbers(&self, value: usize, shape: Shape) -> usize {
        match self.quantised.get(value) {
            Some(Some(_)) => shape.len().div_ceil(size_of::<f32>()),
            _ => shape.len(),
        }
    }

    /// Whether a value lies as numbers.
    pub fn is_plain(&self, value: usize) -> bool {
        !matches!(self.quantised.get(value), Some(Some(_)))
    }
}

/// How a layer rounds.
pub(super) fn rounding(model: &Model, layer: usize) -> Result<Quantization> {
    let tensors: Vec<f32> = model.weights[layer].iter().flat_map(|tensor| tensor.to_vec()).collect();
    match *tensors.as_slice() {
        // Its inverse must be finite, too.
        [scale, zero_point] if scale.is_normal() && scale > 0.0 && scale.recip().is_normal() => {
            Ok(Quantization { scale, zero_point: zero_point as u8 })
        }
        _ => Err(Error::Damaged(format!("layer {layer} is quantised with the scale and zero point {tensors:?}"))),
    }
}

/// Most products in a sum, so that the sum of the largest, 255 * 127, fits into an i32. Layers with more run in f32 on
/// their int8 weights: reading these takes most of the time either way.
const MAX_PRODUCTS: usize = (i32::MAX / (255 * 127)) as usize;

/// Output channels of a layer with weights.
fn op_outputs(op: Op, from: Shape) -> usize {
    match op {
        Op::Conv { filters, .. } => filters,
        Op::Dense { units } => units,
        _ => from.channels,
    }
}

/// Whether a fused op could run in integers, as far as its own layers decide.
fn fits(model: &Model, shapes: &[Shape], fused: &FusedOp) -> bool {
    let layer = match fused.work {
        Work::Conv { conv, .. } => conv,
        Work::Depthwise { depthwise } => depthwise,
        Work::Dense { dense } => dense,
        _ => return false,
    };
    let (op, from) = (model.architecture.layers[layer].op, shapes[fused.input]);
    let is_pooled = matches!(fused.work, Work::Conv { pool: true, .. });
    let is_taken = match op {
        Op::Conv { .. } => true,
        Op::Dense { .. } => from.len().is_multiple_of(int8::QUAD),
        Op::Depthwise { kernel, .. } => int8::Depthwise::takes(kernel),
        _ => false,
    };
    let adds_to_pooled = is_pooled && fused.add.is_some();
    let weight = model.weights[layer].first();
    let is_int8 = weight.is_some_and(|weight| {
        let (scales, is_kept) = (weight.scales.as_ref(), |byte: &u8| byte.cast_signed() > i8::MIN); // See `Simd::dot`.
        weight.element == Element::I8
            && weight.bytes.iter().all(is_kept)
            && scales.is_some_and(|s| s.axis == op.output_axis() || s.bytes.len() == 4)
    });
    let products = weight.map_or(0, |weight| weight.len()) / op_outputs(op, from).max(1);
    is_taken && is_int8 && !adds_to_pooled && products <= MAX_PRODUCTS
}

/// A layer in integers.
#[derive(Debug)]
pub(super) enum Layer {
    Conv(int8::Conv),
    Depthwise(int8::Depthwise),
    Dense(int8::Dense),
}

impl Layer {
    /// Layer `layer`, which [`fits`], over quantised values of `quantization`.
    pub fn new(model: &Model, shapes: &[Shape], layer: usize, quantization: Quantization) -> Result<Self> {
        let crate::model::Layer { op, input } = model.architecture.layers[layer];
        let from = shapes[input];
        let [weight, bias] = model.weights[layer].as_slice() else {
            return Err(Error::Model(format!("{op:?} has {} tensors", model.weights[layer].len())));
        };
        let bias = bias.to_vec();
        let weights: Vec<i8> = weight.bytes.iter().map(|byte| byte.cast_signed()).collect();
        let mut scales = weight.scales.as_ref().map(|scales| scales.to_vec()).unwrap_or_default();
        if let [one] = *scales {
            scales = vec![one; bias.len()];
        }
        let learned = Learned { weights: &weights, scales: &scales, bias: &bias };
        Ok(match op {
            Op::Depthwise { .. } => Self::Depthwise(int8::Depthwise::new(learned, window(op), quantization)),
            Op::Dense { .. } => Self::Dense(int8::Dense::new(learned, from.len(), quantization)),
            op => Self::Conv(int8::Conv::new(learned, window(op), from.channels, quantization)),
        })
    }

    /// Bytes of working memory for `rows` rows of output over a map of this width.
    pub fn workspace(&self, rows: usize, width: usize, pooled: bool) -> usize {
        match self {
            Self::Conv(conv) if pooled => conv.pooled_workspace(rows, width),
            Self::Conv(conv) => conv.workspace(rows, width),
            Self::Depthwise(depthwise) => depthwise.workspace(width) * size_of::<f32>(),
            Self::Dense(_) => 0,
        }
    }
}
