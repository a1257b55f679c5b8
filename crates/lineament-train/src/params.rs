//! The learned numbers of a network, all in one row: one pass of the optimiser, one file of a checkpoint.

use std::ops::Range;

use lineament::Result;
use lineament_nn::model::{Activation, Architecture, Op};
use rand::Rng;
use rand_pcg::Pcg64;

/// Where each layer's tensors lie in the row.
#[derive(Debug, Clone)]
pub struct Layout {
    /// For each layer its learned tensors. Conv: weight `[k, k, inputs, outputs]`, bias. Depthwise: weight
    /// `[k, k, channels]`, bias. Batch norm: scale, shift. PRelu: slopes. Dense: weight `[inputs, units]`, bias.
    /// Position bias: `[h, w, c]`.
    pub tensors: Vec<Vec<Range<usize>>>,
    /// For each batch norm layer its running mean and variance, in a row of their own; empty for others.
    pub statistics: Vec<Vec<Range<usize>>>,
    /// Length of the row of learned numbers.
    pub len: usize,
    /// Length of the row of statistics.
    pub statistics_len: usize,
}

impl Layout {
    /// The layout of `architecture`.
    ///
    /// # Errors
    /// When its sizes do not fit together.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        let shapes = architecture.shapes()?;
        let mut layout = Self { tensors: Vec::new(), statistics: Vec::new(), len: 0, statistics_len: 0 };
        for layer in &architecture.layers {
            let from = shapes[layer.input];
            let c = from.channels;
            let (sizes, statistics) = match layer.op {
                Op::Conv { filters, kernel, .. } => (vec![kernel * kernel * c * filters, filters], vec![]),
                Op::Depthwise { kernel, .. } => (vec![kernel * kernel * c, c], vec![]),
                Op::BatchNorm => (vec![c, c], vec![c, c]),
                Op::Activation(Activation::PRelu) => (vec![c], vec![]),
                Op::Dense { units } => (vec![from.len() * units, units], vec![]),
                Op::PositionBias => (vec![from.len()], vec![]),
                _ => (vec![], vec![]),
            };
            layout.tensors.push(ranges(&mut layout.len, &sizes));
            layout.statistics.push(ranges(&mut layout.statistics_len, &statistics));
        }
        Ok(layout)
    }
}

fn ranges(end: &mut usize, sizes: &[usize]) -> Vec<Range<usize>> {
    sizes
        .iter()
        .map(|size| {
            let start = *end;
            *end += size;
            start..*end
        })
        .collect()
}

/// Learned numbers and running statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Weights, biases, scales, shifts, slopes, as [`Layout::tensors`] orders them.
    pub values: Vec<f32>,
    /// Running means and variances, as [`Layout::statistics`] orders them.
    pub statistics: Vec<f32>,
}

impl Params {
    /// Initial numbers: Glorot uniform weights (Keras's default, which the paper used), zero biases, scale 1,
    /// slopes 1/4.
    ///
    /// # Errors
    /// When the architecture's sizes do not fit together.
    pub fn init(architecture: &Architecture, layout: &Layout, rng: &mut Pcg64) -> Result<Self> {
        let shapes = architecture.shapes()?;
        let mut params = Self { values: vec![0.0; layout.len], statistics: vec![0.0; layout.statistics_len] };
        for ((layer, tensors), statistics) in architecture.layers.iter().zip(&layout.tensors).zip(&layout.statistics) {
            let from = shapes[layer.input];
            let mut glorot = |fan_in: usize, fan_out: usize| {
                let limit = (6.0 / (fan_in + fan_out) as f32).sqrt();
                params.values[tensors[0].clone()].iter_mut().for_each(|w| *w = rng.random_range(-limit..limit));
            };
            match layer.op {
                Op::Conv { filters, kernel, .. } => glorot(kernel * kernel * from.channels, kernel * kernel * filters),
                Op::Depthwise { kernel, .. } => glorot(kernel * kernel, kernel * kernel),
                Op::Dense { units } => glorot(from.len(), units),
                Op::BatchNorm => {
                    params.values[tensors[0].clone()].fill(1.0);
                    params.statistics[statistics[1].clone()].fill(1.0);
                }
                Op::Activation(Activation::PRelu) => params.values[tensors[0].clone()].fill(0.25),
                _ => (),
            }
        }
        Ok(params)
    }
}
