//! From a network's text to its list of layers, with every error at the layer of the text that causes it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use lineament_nn::model::{Activation, Architecture, Layer, MAX_LAYERS, Op, Shape, ValueId};

use super::blocks::{Block, Count, LayerText};
use super::text::NetworkText;
use crate::error::{Error, Result};

/// Most numbers that all layers make of one sample: the engine refuses more between two layers (512 MB).
const MAX_VALUES: usize = 1 << 27;
/// Most learned numbers: twice those of the paper's largest network.
const MAX_PARAMETERS: usize = 1 << 30;
/// The name of the network's input.
const INPUT: &str = "input";
/// What a model file calls it.
const IMAGE: &str = "image";
/// Side of a kernel where the text does not say it.
const KERNEL: usize = 3;

/// A network with the layer of the text that each of its layers comes from.
pub(super) struct Built {
    pub architecture: Architecture,
    /// Shapes of all values, input first.
    pub shapes: Vec<Shape>,
    /// For each layer its place in [`NetworkText::layers`], counted from 0.
    places: Vec<usize>,
}

impl Built {
    /// The text's layer that makes `value`, as errors name it.
    pub fn place(&self, text: &NetworkText, value: ValueId) -> String {
        let place = value.checked_sub(1).and_then(|layer| self.places.get(layer));
        place.map_or_else(|| "input".to_owned(), |&place| title(place, &text.layers[place]))
    }
}

/// A layer of the text as errors name it.
fn title(place: usize, layer: &LayerText) -> String {
    format!("layer {} (`{}`)", place + 1, layer.block.name())
}

impl NetworkText {
    /// The list of layers of a network for `points` points.
    ///
    /// # Errors
    /// [`Error::Config`] naming the layer, counted from 1, and the shapes `[rows, columns, channels]` that do not fit.
    pub fn architecture(&self, points: usize) -> Result<Architecture> {
        Ok(self.build(points)?.architecture)
    }

    /// As [`NetworkText::architecture`], with what later errors need.
    pub(super) fn build(&self, points: usize) -> Result<Built> {
        self.built(points).map_err(|what| Error::Config(format!("network: {what}")))
    }

    fn built(&self, points: usize) -> Result<Built, String> {
        let [height, width] = self.input;
        let input = Shape::hwc(height, width, 1);
        let mut builder = Builder {
            activation: self.activation.unwrap_or(Some(Activation::Relu)),
            points,
            net: Architecture::new(input),
            shapes: vec![input],
            is_vector: vec![false],
            names: BTreeMap::from([(INPUT, 0)]),
            places: Vec::new(),
        };
        for (place, layer) in self.layers.iter().enumerate() {
            builder.layer(place, layer).map_err(|what| format!("{}: {what}", title(place, layer)))?;
        }
        let Builder { net: architecture, shapes, places, .. } = builder;
        let built = Built { architecture, shapes, places };
        self.check_readers(&built)?;
        self.check_size(&built)?;
        Ok(built)
    }

    /// Everything is read, and what batch normalisation is folded into has no other reader.
    fn check_readers(&self, built: &Built) -> Result<(), String> {
        let Built { architecture: net, shapes, .. } = built;
        if net.outputs.is_empty() {
            return Err("no layer has an `output`".into());
        }
        let mut readers = vec![0; shapes.len()];
        for layer in &net.layers {
            readers[layer.input] += 1;
            layer.op.second_input().into_iter().for_each(|second| readers[second] += 1);
        }
        net.outputs.iter().for_each(|output| readers[output.value] += 1);
        if let Some(value) = (1..readers.len()).find(|&value| readers[value] == 0) {
            let what = "nothing reads what it makes, and it is no `output`";
            return Err(format!("{}: {what}", built.place(self, value)));
        }
        let shared = |layer: &&Layer| layer.op == Op::BatchNorm && readers[layer.input] > 1;
        if let Some(layer) = net.layers.iter().find(shared) {
            let what = "only the batch normalisation behind it can read what it makes: the two are exported as one";
            return Err(format!("{}: {what}", built.place(self, layer.input)));
        }
        Ok(())
    }

    /// Neither values nor learned numbers take absurd memory.
    fn check_size(&self, built: &Built) -> Result<(), String> {
        let values = built.shapes.iter().map(Shape::len).collect::<Vec<_>>();
        let parameters = built.architecture.layer_parameters().map_err(|e| e.to_string())?;
        for (what, numbers, offset, most) in
            [("values of one sample", &values, 0, MAX_VALUES), ("learned numbers", &parameters, 1, MAX_PARAMETERS)]
        {
            let total: usize = numbers.iter().sum();
            if total > most {
                let largest = numbers.iter().enumerate().max_by_key(|(_, n)| **n).map_or(0, |(i, _)| i);
                let place = built.place(self, largest + offset);
                return Err(format!("{place}: the largest part of {total} {what}, more than {most}"));
            }
        }
        Ok(())
    }
}

/// The network so far.
struct Builder<'a> {
    /// What follows a layer that does not say it.
    activation: Option<Activation>,
    points: usize,
    net: Architecture,
    shapes: Vec<Shape>,
    /// Values that a model file holds without rows and columns: what dense layers and weighted means make, and what is
    /// made of these alone.
    is_vector: Vec<bool>,
    names: BTreeMap<&'a str, ValueId>,
    places: Vec<usize>,
}

impl<'a> Builder<'a> {
    /// Adds a layer of the text, as often as it says.
    fn layer(&mut self, place: usize, text: &'a LayerText) -> Result<(), String> {
        let mut from = match &text.from {
            Some(name) => self.named(name)?,
            None => self.net.layers.len(),
        };
        for _ in 0..text.repeat.unwrap_or(1) {
            let shape = self.shapes[from];
            from = self.block(from, text).map_err(|what| format!("its input is {shape}, but {what}"))?;
            self.places.resize(self.net.layers.len(), place);
        }
        if let Some(name) = &text.name {
            match self.names.entry(name) {
                Entry::Vacant(free) => free.insert(from),
                Entry::Occupied(_) => return Err(format!("name: `{name}` is taken: each name stands for one layer")),
            };
        }
        if let Some(name) = &text.output {
            if name == IMAGE || self.net.outputs.iter().any(|output| output.name == *name) {
                return Err(format!("output: a model file has something called `{name}` already"));
            }
            self.net.output(name, from);
        }
        Ok(())
    }

    /// The value that a name stands for.
    fn named(&self, name: &str) -> Result<ValueId, String> {
        let known = || self.names.keys().copied().collect::<Vec<_>>().join(", ");
        let value = self.names.get(name).copied();
        value.ok_or_else(|| format!("no layer before it has the name `{name}`; there are {}", known()))
    }

    /// Adds a block that reads `from`; returns what it makes.
    fn block(&mut self, from: ValueId, text: &LayerText) -> Result<ValueId, String> {
        let kernel = text.kernel.unwrap_or(KERNEL);
        let stride = text.stride.unwrap_or(1);
        let padding = text.padding.unwrap_or(kernel / 2);
        let count = |count: Option<Count>| count.ok_or("it has no size")?.of(self.points);
        let activation = text.activation.unwrap_or(self.activation);
        let batch_norm = text.batch_norm.unwrap_or(true);
        match text.block {
            Block::Conv => {
                let filters = count(text.filters)?;
                let value = self.push(from, Op::Conv { filters, kernel, stride, padding })?;
                self.finish(value, batch_norm, activation)
            }
            Block::Depthwise => {
                let value = self.push(from, Op::Depthwise { kernel, stride, padding })?;
                self.finish(value, batch_norm, activation)
            }
            Block::Separable => self.separable(from, count(text.filters)?, kernel, stride, activation),
            Block::Residual => {
                if kernel.is_multiple_of(2) {
                    return Err(format!("a kernel of {kernel} makes it larger: a `residual` needs an odd one"));
                }
                let channels = self.shapes[from].channels;
                let value = self.separable(from, channels, kernel, 1, activation)?;
                self.push(value, Op::Add { with: from })
            }
            Block::Dense => {
                let units = count(text.units)?;
                let value = self.push(from, Op::Dense { units })?;
                self.finish(value, false, text.activation.unwrap_or(None))
            }
            Block::Vote => {
                let filters = count(text.filters)?;
                let weights = self.push(from, pointwise(filters))?;
                let mut votes = self.push(from, pointwise(filters))?;
                if text.position_bias.unwrap_or(false) {
                    votes = self.push(votes, Op::PositionBias)?;
                }
                self.push(votes, Op::WeightedPool { weights })
            }
            Block::Head => self.push(from, pointwise(count(text.filters)?)),
            Block::MaxPool => self.push(from, Op::MaxPool),
            Block::GlobalPool => self.push(from, Op::GlobalPool),
            Block::WeightedPool => {
                let weights = self.named(text.weights.as_deref().unwrap_or_default())?;
                if weights == from {
                    return Err("its `weights` are the same: a value cannot weigh itself".into());
                }
                self.push(from, Op::WeightedPool { weights })
            }
            Block::Activation => match activation {
                Some(activation) => self.push(from, Op::Activation(activation)),
                None => Err("an `activation` of none does nothing".into()),
            },
            Block::BatchNorm => self.push(from, Op::BatchNorm),
            Block::PositionBias => self.push(from, Op::PositionBias),
            Block::Add => {
                let with = self.named(text.with.as_deref().unwrap_or_default())?;
                self.push(from, Op::Add { with })
            }
        }
    }

    /// Depthwise that keeps the size (divided by `stride`), then pointwise to `filters`.
    fn separable(
        &mut self,
        from: ValueId,
        filters: usize,
        kernel: usize,
        stride: usize,
        activation: Option<Activation>,
    ) -> Result<ValueId, String> {
        let value = self.push(from, Op::Depthwise { kernel, stride, padding: kernel / 2 })?;
        let value = self.finish(value, true, activation)?;
        let value = self.push(value, pointwise(filters))?;
        self.finish(value, true, activation)
    }

    /// What follows a convolution.
    fn finish(
        &mut self,
        mut value: ValueId,
        batch_norm: bool,
        activation: Option<Activation>,
    ) -> Result<ValueId, String> {
        if batch_norm {
            value = self.push(value, Op::BatchNorm)?;
        }
        match activation {
            Some(activation) => self.push(value, Op::Activation(activation)),
            None => Ok(value),
        }
    }

    /// Adds one layer.
    fn push(&mut self, input: ValueId, op: Op) -> Result<ValueId, String> {
        if self.net.layers.len() == MAX_LAYERS {
            return Err(format!("the network has {MAX_LAYERS} operations already, which is the most"));
        }
        if let Op::Conv { kernel, padding, .. } | Op::Depthwise { kernel, padding, .. } = op
            && padding >= kernel
        {
            return Err(format!("a padding of {padding} is not below its kernel, {kernel}"));
        }
        if matches!(op, Op::Depthwise { .. }) && self.shapes[input].channels == 1 {
            // In a model file the two are the same.
            return Err("a depthwise convolution needs more than one channel: begin with `conv`".into());
        }
        let newest = input.checked_sub(1).filter(|_| input == self.net.layers.len()).map(|i| self.net.layers[i].op);
        if op == Op::BatchNorm && !matches!(newest, Some(Op::Conv { .. } | Op::Depthwise { .. })) {
            return Err("batch normalisation must follow a convolution directly: it is exported as part of it".into());
        }
        let layer = Layer { op, input };
        let shape = layer.shape(&self.shapes)?;
        self.is_vector.push(self.vector(layer)?);
        self.shapes.push(shape);
        Ok(self.net.push_from(input, op))
    }

    /// Whether what the layer makes has no rows and columns in a model file.
    fn vector(&self, Layer { op, input }: Layer) -> Result<bool, String> {
        let (first, second) = (self.is_vector[input], op.second_input().map(|value| self.is_vector[value]));
        match op {
            Op::Dense { .. } => Ok(true),
            Op::WeightedPool { .. } if !first && second == Some(false) => Ok(true),
            Op::Activation(_) => Ok(first),
            Op::Add { .. } if second == Some(first) => Ok(first),
            _ if !first && second.is_none() => Ok(false),
            _ => Err("only `dense`, `activation` and `add` can read what a `dense`, `vote` or `weighted_pool` layer \
                      made, and `add` both from such layers"
                .into()),
        }
    }
}

/// A convolution of single pixels with bias.
const fn pointwise(filters: usize) -> Op {
    Op::Conv { filters, kernel: 1, stride: 1, padding: 0 }
}
