//! A network as data: a list of layers. The same list is trained, exported and run.
//!
//! Value 0 is the input; value `i + 1` is what layer `i` makes. Every value is `[height, width, channels]` per sample,
//! channels innermost.

use std::fmt;

use crate::error::{Error, Result};

/// Names a value: 0 is the network's input, `i + 1` the output of layer `i`.
pub type ValueId = usize;

/// The size of a value, for one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, innermost in memory.
    pub channels: usize,
}

impl Shape {
    /// From height, width and channels.
    pub const fn hwc(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Numbers in one sample.
    pub const fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{}, {}, {}]", self.height, self.width, self.channels)
    }
}

/// What is done to each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, else `slope x`, one learned slope per channel.
    PRelu,
    /// `x clamp(x / 6 + 1/2, 0, 1)`.
    HardSwish,
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Convolution with bias over all channels. A kernel of 1 is a pointwise convolution.
    Conv {
        /// Output channels.
        filters: usize,
        /// Side of the square kernel.
        kernel: usize,
        /// Step in both directions.
        stride: usize,
        /// Zeros added on each of the four sides.
        padding: usize,
    },
    /// Convolution with bias of each channel by itself.
    Depthwise {
        /// Side of the square kernel.
        kernel: usize,
        /// Step in both directions.
        stride: usize,
        /// Zeros added on each of the four sides.
        padding: usize,
    },
    /// Batch normalisation. Exists in training only; export folds it into the convolution before it.
    BatchNorm,
    /// A non-linearity.
    Activation(Activation),
    /// The largest of each 2x2 block; an odd last row or column is dropped.
    MaxPool,
    /// Adds an earlier value of the same shape.
    Add {
        /// The other summand.
        with: ValueId,
    },
    /// The mean over rows and columns: `[h, w, c] -> [1, 1, c]`.
    GlobalPool,
    /// The weighted mean over rows and columns, `[h, w, c] -> [1, 1, c]`: places vote on each number. A weight is the
    /// logistic function of what an earlier value of the same shape holds there.
    WeightedPool {
        /// Log-odds of the weights.
        weights: ValueId,
    },
    /// Adds a learned number to every row, column and channel: what is known of a place before looking.
    PositionBias,
    /// Every output sees every input: `[h, w, c] -> [1, 1, units]`.
    Dense {
        /// Output numbers.
        units: usize,
    },
    /// Rounds each number to one of 256 steps of equal size, the nearest; past the ends it is the last. What integer
    /// kernels read: they compute with the number of the step. Has two tensors, the size of a step and which step is 0.
    Quantize,
}

impl Op {
    /// The value that is read besides [`Layer::input`].
    pub fn second_input(&self) -> Option<ValueId> {
        match *self {
            Self::Add { with: value } | Self::WeightedPool { weights: value } => Some(value),
            _ => None,
        }
    }

    /// The same with another second input, where there is one.
    pub fn with_second_input(self, value: ValueId) -> Self {
        match self {
            Self::Add { .. } => Self::Add { with: value },
            Self::WeightedPool { .. } => Self::WeightedPool { weights: value },
            op => op,
        }
    }

    /// What is learned belongs to one height and width.
    pub fn fixes_size(&self) -> bool {
        matches!(self, Self::Dense { .. } | Self::PositionBias)
    }
}

/// One layer: what it does and to which value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// The operation.
    pub op: Op,
    /// The value it reads.
    pub input: ValueId,
}

impl Layer {
    /// The shape of what it makes, where `values` are the shapes of all earlier values, input first.
    ///
    /// # Errors
    /// In words: it reads a value that does not exist yet, sizes do not fit, or what it makes or learns is larger than
    /// this library accepts.
    pub fn shape(&self, values: &[Shape]) -> Result<Shape, String> {
        let value = |id: ValueId| values.get(id).copied().ok_or_else(|| format!("value {id} is not made yet"));
        let from = value(self.input)?;
        let shape = match self.op {
            Op::Conv { filters, kernel, stride, padding } => {
                let (height, width) = window(from, kernel, stride, padding)?;
                weight_count(&[filters, kernel, kernel, from.channels])?;
                Shape { height, width, channels: filters }
            }
            Op::Depthwise { kernel, stride, padding } => {
                let (height, width) = window(from, kernel, stride, padding)?;
                Shape { height, width, ..from }
            }
            Op::BatchNorm | Op::Activation(_) | Op::PositionBias | Op::Quantize => from,
            Op::MaxPool => Shape { height: from.height / 2, width: from.width / 2, ..from },
            Op::Add { with } => match value(with)? {
                other if other == from => from,
                other => return Err(format!("{from} cannot be added to {other}")),
            },
            Op::GlobalPool => Shape::hwc(1, 1, from.channels),
            Op::WeightedPool { weights } => match value(weights)? {
                other if other == from => Shape::hwc(1, 1, from.channels),
                other => return Err(format!("{other} cannot weigh {from}")),
            },
            Op::Dense { units } => {
                weight_count(&[units, from.len()])?;
                Shape::hwc(1, 1, units)
            }
        };
        check_size(shape)?;
        Ok(shape)
    }
}

/// A value the caller gets, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name in the model file.
    pub name: String,
    /// Which value it is.
    pub value: ValueId,
}

/// A whole network without its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// The size of the input. Fully convolutional networks run on other heights and widths too.
    pub input: Shape,
    /// In the order of computation.
    pub layers: Vec<Layer>,
    /// What the caller gets.
    pub outputs: Vec<Output>,
}

/// Most layers, numbers in a value, and weights in a layer that are accepted: a hostile file must not make us ask
/// for absurd memory. The paper's largest network has 136 million weights in one layer.
pub const MAX_LAYERS: usize = 1024;
const MAX_NUMBERS: usize = 1 << 30;

impl Architecture {
    /// An empty network over `input`; add layers with [`Architecture::push`].
    pub fn new(input: Shape) -> Self {
        Self { input, layers: Vec::new(), outputs: Vec::new() }
    }

    /// Appends a layer that reads the newest value; returns the value it makes.
    pub fn push(&mut self, op: Op) -> ValueId {
        self.push_from(self.layers.len(), op)
    }

    /// Appends a layer that reads `input`; returns the value it makes.
    pub fn push_from(&mut self, input: ValueId, op: Op) -> ValueId {
        self.layers.push(Layer { op, input });
        self.layers.len()
    }

    /// Names `value` as an output.
    pub fn output(&mut self, name: &str, value: ValueId) {
        self.outputs.push(Output { name: name.to_owned(), value });
    }

    /// The convolution or dense layer whose bias shifts the output `name` one to one.
    pub fn head(&self, name: &str) -> Option<usize> {
        let mut layer = self.outputs.iter().find(|o| o.name == name)?.value.checked_sub(1)?;
        loop {
            match self.layers.get(layer)? {
                Layer { op: Op::Conv { .. } | Op::Dense { .. }, .. } => return Some(layer),
                Layer { op: Op::WeightedPool { .. } | Op::GlobalPool | Op::PositionBias | Op::Quantize, input } => {
                    layer = input.checked_sub(1)?;
                }
                _ => return None,
            }
        }
    }

    /// The shape of every value, input first.
    ///
    /// # Errors
    /// [`Error::Model`] naming the layer when a layer reads a value that does not exist yet, sizes do not fit, or
    /// anything is larger than this library accepts.
    pub fn shapes(&self) -> Result<Vec<Shape>> {
        self.shapes_for(self.input)
    }

    /// As [`Architecture::shapes`], for another input size.
    ///
    /// # Errors
    /// As [`Architecture::shapes`].
    pub fn shapes_for(&self, input: Shape) -> Result<Vec<Shape>> {
        if self.layers.len() > MAX_LAYERS {
            return Err(Error::Model(format!("{} layers, more than {MAX_LAYERS}", self.layers.len())));
        }
        check_size(input).map_err(|e| Error::Model(format!("input: {e}")))?;
        let mut shapes = vec![input];
        for (i, layer) in self.layers.iter().enumerate() {
            let shape = layer.shape(&shapes);
            shapes.push(shape.map_err(|what| Error::Model(format!("layer {i} ({:?}): {what}", layer.op)))?);
        }
        match self.outputs.iter().find(|o| o.value >= shapes.len()) {
            Some(o) => Err(Error::Model(format!("output `{}` names value {}, which no layer makes", o.name, o.value))),
            None => Ok(shapes),
        }
    }

    /// Learned numbers of each layer: weights and bias, slopes, or scale and shift. How values are rounded is not
    /// learned.
    ///
    /// # Errors
    /// As [`Architecture::shapes`].
    pub fn layer_parameters(&self) -> Result<Vec<usize>> {
        let shapes = self.shapes()?;
        let count = |layer: &Layer| {
            let from = shapes[layer.input];
            match layer.op {
                Op::Conv { filters, kernel, .. } => filters * (kernel * kernel * from.channels + 1),
                Op::Depthwise { kernel, .. } => from.channels * (kernel * kernel + 1),
                Op::BatchNorm => 2 * from.channels,
                Op::Activation(Activation::PRelu) => from.channels,
                Op::Dense { units } => units * (from.len() + 1),
                Op::PositionBias => from.len(),
                Op::Activation(_)
                | Op::MaxPool
                | Op::Add { .. }
                | Op::GlobalPool
                | Op::WeightedPool { .. }
                | Op::Quantize => 0,
            }
        };
        Ok(self.layers.iter().map(count).collect())
    }

    /// Multiply-adds of each layer for one sample of size `input`, counting convolutions and dense layers.
    ///
    /// # Errors
    /// As [`Architecture::shapes`].
    pub fn layer_multiply_adds(&self, input: Shape) -> Result<Vec<u64>> {
        let shapes = self.shapes_for(input)?;
        let count = |(i, layer): (usize, &Layer)| {
            let (from, to) = (shapes[layer.input], shapes[i + 1]);
            match layer.op {
                Op::Conv { kernel, .. } => to.len() as u64 * (kernel * kernel * from.channels) as u64,
                Op::Depthwise { kernel, .. } => to.len() as u64 * (kernel * kernel) as u64,
                Op::Dense { .. } => to.len() as u64 * from.len() as u64,
                _ => 0,
            }
        };
        Ok(self.layers.iter().enumerate().map(count).collect())
    }
}

/// Output rows and columns of a sliding window.
fn window(from: Shape, kernel: usize, stride: usize, padding: usize) -> Result<(usize, usize), String> {
    if kernel == 0 || stride == 0 || kernel > 64 || padding > 64 || stride > 64 {
        return Err(format!("kernel {kernel}, stride {stride}, padding {padding} are outside 1 to 64"));
    }
    match ((from.height + 2 * padding).checked_sub(kernel), (from.width + 2 * padding).checked_sub(kernel)) {
        (Some(h), Some(w)) => Ok((h / stride + 1, w / stride + 1)),
        _ => Err(format!("a kernel of {kernel} does not fit into {from}")),
    }
}

fn check_size(shape: Shape) -> Result<(), String> {
    match weight_count(&[shape.height, shape.width, shape.channels]) {
        Ok(0) => Err(format!("{shape} is empty")),
        Ok(_) => Ok(()),
        Err(e) => Err(e),
    }
}

fn weight_count(dims: &[usize]) -> Result<usize, String> {
    dims.iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d))
        .filter(|&n| n <= MAX_NUMBERS)
        .ok_or_else(|| format!("{dims:?} is larger than {MAX_NUMBERS} numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_basic_network_has_its_published_size() {
        // Section 3 of the paper; the parameter count follows from table 2's file size.
        let mut net = Architecture::new(Shape::hwc(96, 96, 1));
        for (filters, kernel) in [(32, 3), (32, 2), (64, 2)] {
            net.push(Op::Conv { filters, kernel, stride: 1, padding: 0 });
            net.push(Op::MaxPool);
            net.push(Op::Activation(Activation::Relu));
        }
        assert_eq!(net.shapes().unwrap().last(), Some(&Shape::hwc(11, 11, 64)));
        net.push(Op::Dense { units: 1000 });
        net.push(Op::Dense { units: 500 });
        net.push(Op::Dense { units: 136 });
        assert_eq!(net.layer_parameters().unwrap().iter().sum::<usize>(), 8_326_340);
    }

    #[test]
    fn impossible_networks_are_errors() {
        let conv = Op::Conv { filters: 4, kernel: 5, stride: 1, padding: 0 };
        let huge = Op::Dense { units: usize::MAX / 2 };
        for (input, op) in [
            (Shape::hwc(3, 3, 1), conv),
            (Shape::hwc(0, 3, 1), Op::MaxPool),
            (Shape::hwc(1, 1, 1), Op::MaxPool),
            (Shape::hwc(8, 8, 1), huge),
            (Shape::hwc(8, 8, 1), Op::Add { with: 7 }),
            (Shape::hwc(8, 8, 1), Op::WeightedPool { weights: 7 }),
            (Shape::hwc(8, 8, 1), Op::Conv { filters: 4, kernel: 0, stride: 1, padding: 0 }),
            (Shape::hwc(8, 8, 1), Op::Conv { filters: 4, kernel: 1, stride: 0, padding: 0 }),
            (Shape::hwc(usize::MAX, 8, 1), conv),
        ] {
            let mut net = Architecture::new(input);
            net.push(op);
            assert!(net.shapes().is_err(), "{input:?} {op:?}");
        }
    }
}
