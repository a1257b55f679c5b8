//! From an ONNX file to a list of layers.
//!
//! ONNX values are `[N, C, H, W]`, ours `[H, W, C]`; only dense layers can tell. They are therefore written as
//! `Transpose` to `[N, H, W, C]`, `Flatten`, `Gemm`, so that their weights are in our order as they stand in the file.
//! Transpose and Flatten are no layers here: they change the [`Form`] under which a value is known. Neither is
//! DequantizeLinear: it ends what QuantizeLinear began, or says how a tensor is stored, as Cast does.

use std::collections::HashMap;

use super::attributes::Attributes;
use super::checksum;
use super::layers::{Activation, Architecture, Layer, Op, Output, Shape, ValueId};
use super::metadata::Metadata;
use super::onnx::{DATA_TYPES, Dim, FLOAT, Graph, ModelProto, Node, TensorProto, is_onnx};
use super::tensor::{Element, Scales, Tensor, byte_len};
use super::{MAX_LAYERS, Model};
use crate::error::{Error, Result};

/// Versions of ONNX's operators whose meaning we know; ours have kept it through all of these.
const OPSETS: std::ops::RangeInclusive<i64> = 13..=22;

/// Attributes of a convolution, of a pooling, or of both.
const WINDOW_ATTRIBUTES: [&str; 7] = ["kernel_shape", "strides", "pads", "dilations", "auto_pad", "group", "ceil_mode"];

/// How the numbers of a value of ours lie in an ONNX value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `[N, C, H, W]`.
    Spatial,
    /// `[N, H, W, C]`.
    Transposed,
    /// `[N, H * W * C]`.
    Flat,
    /// `[N, C]`: what dense layers make.
    Vector,
    // On the way to a weighted mean, which is four operators in ONNX:
    /// Its logistic function.
    Shares,
    /// It, times the [`Form::Shares`] of another value.
    Weighted(ValueId),
    /// The mean of its [`Form::Shares`].
    MeanShares,
    /// The mean of its [`Form::Weighted`].
    MeanWeighted(ValueId),
    /// A weighted mean, `[N, C, 1, 1]`.
    Mean,
}

/// A quantised value, and the names of the tensors that hold its scale and zero point.
#[derive(Debug, Clone, Copy)]
struct Quantised<'a> {
    value: ValueId,
    form: Form,
    scale: &'a str,
    zero_point: &'a str,
}

struct Reader<'a> {
    layers: Vec<Layer>,
    weights: Vec<Vec<Tensor<'a>>>,
    values: HashMap<&'a str, (ValueId, Form)>,
    /// Values between QuantizeLinear and DequantizeLinear.
    quantised: HashMap<&'a str, Quantised<'a>>,
    /// As they stand in the file.
    tensors: HashMap<&'a str, TensorProto<'a>>,
    /// What a Cast or a DequantizeLinear made f32 of.
    converted: HashMap<&'a str, Tensor<'a>>,
    /// Values that were flattened without a transpose: right only if they are one pixel or one channel.
    flattened_as_is: Vec<ValueId>,
}

/// See [`Model::parse`].
pub(super) fn read(bytes: &[u8]) -> Result<Model<'_>> {
    let file = ModelProto::read(bytes).map_err(|error| match checksum::verify(bytes) {
        Err(damaged) => damaged, // What it does to the rest says less.
        Ok(()) => error,
    })?;
    checksum::verify(bytes)?;
    let (metadata, nominal_size) = Metadata::from_file(file.metadata)?;
    if !file.opset.is_some_and(|version| OPSETS.contains(&version)) {
        return Err(fault(format!("ONNX opset {:?}, this library reads {OPSETS:?}", file.opset)));
    }
    let Graph { nodes, tensors, inputs, outputs } = file.graph.ok_or_else(|| damaged("no graph".into()))?;

    let mut reader = Reader {
        layers: Vec::new(),
        weights: Vec::new(),
        values: HashMap::new(),
        quantised: HashMap::new(),
        tensors: HashMap::new(),
        converted: HashMap::new(),
        flattened_as_is: Vec::new(),
    };
    for tensor in tensors {
        let name = tensor.name;
        if reader.tensors.insert(name, tensor).is_some() {
            return Err(damaged(format!("two tensors are named `{name}`")));
        }
    }
    // Old files list their tensors among the inputs.
    let mut images = inputs.iter().filter(|input| !reader.tensors.contains_key(input.name));
    let (Some(image), None) = (images.next(), images.next()) else {
        return Err(fault("expected one input".into()));
    };
    if image.element != FLOAT {
        return Err(fault(format!("input `{}` is not of f32", image.name)));
    }
    let input = input_shape(&image.dims, nominal_size)?;
    reader.values.insert(image.name, (0, Form::Spatial));

    for node in &nodes {
        reader.node(node).map_err(|error| error.at(&format!("node `{}` ({})", node.name, node.op_type)))?;
    }
    if let Some(name) = reader.tensors.keys().chain(reader.converted.keys()).next() {
        return Err(damaged(format!("no node uses the tensor `{name}`")));
    }

    let outputs = outputs.iter().map(|output| match reader.values.get(output.name) {
        Some(&(value, Form::Spatial | Form::Vector)) => Ok(Output { name: output.name.to_owned(), value }),
        Some(_) => Err(fault(format!("output `{}` is neither [N, C, H, W] nor made by a Gemm", output.name))),
        None => Err(damaged(format!("no node makes the output `{}`", output.name))),
    });
    let outputs = outputs.collect::<Result<Vec<_>>>()?;
    if outputs.is_empty() {
        return Err(damaged("no outputs".into()));
    }
    let architecture = Architecture { input, layers: reader.layers, outputs };
    let shapes = architecture.shapes().map_err(contradiction)?;
    for &value in &reader.flattened_as_is {
        let Shape { height, width, channels } = shapes[value];
        if height * width != 1 && channels != 1 {
            return Err(fault(format!("value {value} is flattened without Transpose(0, 2, 3, 1)")));
        }
    }
    check_sizes(&architecture, &shapes, &reader.weights)?;
    Ok(Model { metadata, architecture, weights: reader.weights })
}

/// The input must be `[1 or free, C, H, W]`; height and width may be left to the metadata, both or neither.
fn input_shape(dims: &[Dim], nominal: Option<(usize, usize)>) -> Result<Shape> {
    let [Dim::Fixed(1) | Dim::Free, Dim::Fixed(channels), height, width] = *dims else {
        return Err(fault(format!("an input of {dims:?}, expected [1, channels, height, width]")));
    };
    let (height, width) = match (height, width, nominal) {
        (Dim::Fixed(height), Dim::Fixed(width), _) => (size(height)?, size(width)?),
        (Dim::Free, Dim::Free, Some(nominal)) => nominal,
        _ => return Err(fault("neither graph nor metadata say the input's height and width".into())),
    };
    Ok(Shape::hwc(height, width, size(channels)?))
}

fn check_sizes(architecture: &Architecture, shapes: &[Shape], weights: &[Vec<Tensor>]) -> Result<()> {
    for (i, (layer, tensors)) in architecture.layers.iter().zip(weights).enumerate() {
        let expected = layer.op.weight_dims(shapes[layer.input]);
        let actual: Vec<_> = tensors.iter().map(|tensor| tensor.dims.clone()).collect();
        if actual != expected {
            return Err(damaged(format!("layer {i} ({:?}): tensors of {actual:?}, expected {expected:?}", layer.op)));
        }
    }
    Ok(())
}

impl<'a> Reader<'a> {
    fn node(&mut self, node: &Node<'a>) -> Result<()> {
        if !is_onnx(node.domain) {
            return Err(fault(format!("operators of the domain `{}` are not supported", node.domain)));
        }
        let attributes = Attributes::new(&node.attributes);
        match node.op_type {
            "Cast" => return self.cast(node, &attributes),
            "DequantizeLinear" => return self.dequantise(node, &attributes),
            _ => {}
        }
        let (input, form) = self.value(node, 0)?;
        let made = match node.op_type {
            "Identity" => {
                attributes.allow(&[])?;
                (input, form)
            }
            "Transpose" => {
                attributes.allow(&["perm"])?;
                if form != Form::Spatial || attributes.ints("perm") != Some(&[0, 2, 3, 1]) {
                    return Err(fault("only [N, C, H, W] to [N, H, W, C] is supported".into()));
                }
                (input, Form::Transposed)
            }
            "Flatten" => {
                attributes.allow(&["axis"])?;
                attributes.expect_int("axis", 1, 1)?;
                if form == Form::Spatial {
                    self.flattened_as_is.push(input);
                }
                match form {
                    Form::Spatial | Form::Transposed | Form::Flat => (input, Form::Flat),
                    Form::Vector | Form::Mean => (input, Form::Vector),
                    _ => return Err(fault(format!("cannot read a value of the form {form:?}"))),
                }
            }
            "Sigmoid" | "Mul" | "GlobalAveragePool" if self.is_towards_mean(node, form) => {
                attributes.allow(&[])?;
                match (node.op_type, form) {
                    ("Sigmoid", _) => (input, Form::Shares),
                    ("Mul", _) => (input, Form::Weighted(self.value(node, 1)?.0)),
                    (_, Form::Weighted(weights)) => (input, Form::MeanWeighted(weights)),
                    _ => (input, Form::MeanShares),
                }
            }
            _ => {
                let (op, made) = self.layer(node, &attributes, form)?;
                if self.layers.len() == MAX_LAYERS {
                    return Err(fault(format!("more than {MAX_LAYERS} layers")));
                }
                self.layers.push(Layer { op, input });
                (self.layers.len(), made)
            }
        };
        let name = self.new_name(node)?;
        if node.op_type == "QuantizeLinear" {
            let (scale, zero_point) = (argument(node, 1)?, argument(node, 2)?);
            self.quantised.insert(name, Quantised { value: made.0, form: made.1, scale, zero_point });
        } else {
            self.values.insert(name, made);
        }
        Ok(())
    }

    /// The name of a node's one output, which nothing had before.
    fn new_name(&self, node: &Node<'a>) -> Result<&'a str> {
        let &[name] = node.outputs.as_slice() else {
            return Err(fault(format!("{} outputs, expected one", node.outputs.len())));
        };
        if self.values.contains_key(name) || self.quantised.contains_key(name) || self.is_tensor(name) {
            return Err(damaged(format!("its output `{name}` exists already")));
        }
        Ok(name)
    }

    /// A stored f16 tensor is used as f32.
    fn cast(&mut self, node: &Node<'a>, attributes: &Attributes) -> Result<()> {
        attributes.allow(&["to"])?;
        attributes.expect_int("to", FLOAT, 0)?;
        let name = self.new_name(node)?;
        let &[stored] = node.inputs.as_slice() else {
            return Err(fault(format!("{} inputs, expected one", node.inputs.len())));
        };
        let tensor = self.stored(stored)?;
        if tensor.element != Element::F16 {
            return Err(fault(format!("the tensor `{stored}` is of {}, expected f16", tensor.element.name())));
        }
        self.converted.insert(name, tensor);
        Ok(())
    }

    /// A stored tensor of whole numbers gets its scales, or a value that was quantised is read as numbers again.
    fn dequantise(&mut self, node: &Node<'a>, attributes: &Attributes) -> Result<()> {
        attributes.allow(&["axis"])?;
        let name = self.new_name(node)?;
        match (node.inputs.as_slice(), self.quantised.get(argument(node, 0)?)) {
            (&[_, scale, zero_point], Some(&of)) if (scale, zero_point) == (of.scale, of.zero_point) => {
                self.values.insert(name, (of.value, of.form));
            }
            (_, Some(_)) => return Err(fault("its scale and zero point are not those of the QuantizeLinear".into())),
            (&[stored, scale], None) => {
                let (mut tensor, scales) = (self.stored(stored)?, self.stored(scale)?);
                let axis = size(attributes.int("axis", 1))?;
                let fits = scales.element == Element::F32
                    && match *scales.dims.as_slice() {
                        [] => true,
                        [n] => tensor.dims.get(axis) == Some(&n),
                        _ => false,
                    };
                if !fits || !matches!(tensor.element, Element::I8 | Element::I32) {
                    let (kind, of) = (tensor.element.name(), &tensor.dims);
                    return Err(fault(format!("{kind} of {of:?} with scales of {:?} along axis {axis}", scales.dims)));
                }
                let axis = if scales.dims.is_empty() { 0 } else { axis };
                tensor.scales = Some(Scales { axis, bytes: scales.bytes });
                self.converted.insert(name, tensor);
            }
            (_, None) => return Err(fault("only stored tensors with a scale and no zero point are supported".into())),
        }
        Ok(())
    }

    /// The layer for a node, its tensors taken out of `self.tensors` into `self.weights`, and the form it makes.
    fn layer(&mut self, node: &Node<'a>, attributes: &Attributes, form: Form) -> Result<(Op, Form)> {
        let spatial = form == Form::Spatial;
        let (op, needs, inputs, weights) = match node.op_type {
            "Conv" => {
                let tensors = vec![self.tensor(node, 1)?, self.tensor(node, 2)?];
                (convolution(attributes, &tensors[0].dims)?, spatial, 3, tensors)
            }
            "PRelu" => {
                let mut slope = self.tensor(node, 1)?;
                // [C, 1, 1] or [1, C, 1, 1] with [N, C, H, W]; [C] or [1, C] with [N, C]
                slope.dims = match (form, slope.dims.as_slice()) {
                    (Form::Spatial, &[c, 1, 1] | &[1, c, 1, 1]) | (Form::Vector, &[c] | &[1, c]) => vec![c],
                    (_, dims) => return Err(fault(format!("slopes of {dims:?} are not one per channel"))),
                };
                attributes.allow(&[])?;
                (Op::Activation(Activation::PRelu), spatial || form == Form::Vector, 2, vec![slope])
            }
            "Relu" | "HardSwish" => {
                attributes.allow(&[])?;
                let relu = node.op_type == "Relu";
                let activation = if relu { Activation::Relu } else { Activation::HardSwish };
                (Op::Activation(activation), spatial || form == Form::Vector, 1, Vec::new())
            }
            "MaxPool" => {
                attributes.allow(&WINDOW_ATTRIBUTES)?;
                if attributes.ints("kernel_shape") != Some(&[2, 2]) || attributes.same("strides", 2, 1)? != 2 {
                    return Err(fault("only 2x2 blocks side by side are supported".into()));
                }
                attributes.expect_same("pads", 4, 0)?;
                attributes.expect_same("dilations", 2, 1)?;
                attributes.expect_int("ceil_mode", 0, 0)?;
                attributes.expect_explicit_padding()?;
                (Op::MaxPool, spatial, 1, Vec::new())
            }
            "Div" => {
                attributes.allow(&[])?;
                let (Form::MeanWeighted(weights), (of, Form::MeanShares)) = (form, self.value(node, 1)?) else {
                    return Err(fault("only a weighted mean may be divided".into()));
                };
                (Op::WeightedPool { weights }, of == weights, 2, Vec::new())
            }
            "QuantizeLinear" => {
                attributes.allow(&["axis"])?; // of one scale for all it says nothing
                let (scale, zero_point) = (self.tensor(node, 1)?, self.stored(argument(node, 2)?)?);
                if zero_point.element != Element::U8 {
                    return Err(fault(format!("a zero point of {}, expected uint8", zero_point.element.name())));
                }
                (Op::Quantize, spatial || form == Form::Vector, 3, vec![scale, zero_point])
            }
            "Add" if self.is_tensor(argument(node, 1)?) => {
                attributes.allow(&[])?;
                (Op::PositionBias, spatial, 2, vec![self.tensor(node, 1)?])
            }
            "Add" => {
                attributes.allow(&[])?;
                let (with, other) = self.value(node, 1)?;
                (Op::Add { with }, form == other && (spatial || form == Form::Vector), 2, Vec::new())
            }
            "GlobalAveragePool" => {
                attributes.allow(&[])?;
                (Op::GlobalPool, spatial, 1, Vec::new())
            }
            "Gemm" => {
                attributes.allow(&["alpha", "beta", "transA", "transB"])?;
                attributes.expect_int("transA", 0, 0)?;
                attributes.expect_int("transB", 0, 0)?;
                attributes.expect_one("alpha")?;
                attributes.expect_one("beta")?;
                let tensors = vec![self.tensor(node, 1)?, self.tensor(node, 2)?];
                let &[_, units] = tensors[0].dims.as_slice() else {
                    return Err(fault(format!("weights of {:?}", tensors[0].dims)));
                };
                (Op::Dense { units }, matches!(form, Form::Flat | Form::Vector), 3, tensors)
            }
            _ => return Err(fault("this operator is not supported".into())),
        };
        if !needs {
            return Err(fault(format!("cannot read a value of the form {form:?}")));
        }
        if node.inputs.len() != inputs {
            return Err(fault(format!("{} inputs, expected {inputs}", node.inputs.len())));
        }
        self.weights.push(weights);
        let made = match op {
            Op::Dense { .. } => Form::Vector,
            Op::WeightedPool { .. } => Form::Mean,
            _ => form,
        };
        Ok((op, made))
    }

    /// Whether this node, which reads a value of `form`, is a step of a weighted mean.
    fn is_towards_mean(&self, node: &Node<'a>, form: Form) -> bool {
        match node.op_type {
            "Sigmoid" => form == Form::Spatial,
            "Mul" => form == Form::Spatial && matches!(self.value(node, 1), Ok((_, Form::Shares))),
            _ => matches!(form, Form::Shares | Form::Weighted(_)),
        }
    }

    fn value(&self, node: &Node<'a>, index: usize) -> Result<(ValueId, Form)> {
        let name = argument(node, index)?;
        self.values.get(name).copied().ok_or_else(|| damaged(format!("its input `{name}` is not made yet")))
    }

    fn is_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name) || self.converted.contains_key(name)
    }

    /// Takes a tensor out that is f32 in the graph, however it is stored.
    fn tensor(&mut self, node: &Node<'a>, index: usize) -> Result<Tensor<'a>> {
        let name = argument(node, index)?;
        if let Some(tensor) = self.converted.remove(name) {
            return Ok(tensor);
        }
        let tensor = self.stored(name)?;
        match tensor.element {
            Element::F32 => Ok(tensor),
            other => Err(fault(format!("the tensor `{name}` of {} stands where f32 is expected", other.name()))),
        }
    }

    /// Takes a tensor out as it stands in the file: each belongs to one layer, so a short file cannot stand for a large
    /// network.
    fn stored(&mut self, name: &str) -> Result<Tensor<'a>> {
        let tensor = self.tensors.remove(name);
        let tensor = tensor.ok_or_else(|| damaged(format!("the tensor `{name}` is missing or used twice")))?;
        let element = DATA_TYPES.iter().find(|(_, code)| *code == tensor.data_type).map(|(element, _)| *element);
        let (Some(element), false) = (element, tensor.is_external) else {
            return Err(fault(format!("the tensor `{name}` is not of f32, f16 or whole numbers inside this file")));
        };
        let dims = tensor.dims.iter().map(|&d| size(d)).collect::<Result<Vec<_>>>()?;
        if byte_len(&dims, element) != Some(tensor.bytes.len()) {
            return Err(damaged(format!("the tensor `{name}` of {dims:?} has {} bytes", tensor.bytes.len())));
        }
        Ok(Tensor { dims, element, bytes: tensor.bytes.into(), scales: None })
    }
}

fn argument<'a>(node: &Node<'a>, index: usize) -> Result<&'a str> {
    node.inputs.get(index).copied().ok_or_else(|| damaged(format!("input {index} is missing")))
}

/// A convolution of one channel by itself is both kinds; it is read as [`Op::Conv`].
fn convolution(attributes: &Attributes, weight: &[usize]) -> Result<Op> {
    attributes.allow(&WINDOW_ATTRIBUTES)?;
    let &[filters, _, kernel, columns] = weight else {
        return Err(fault(format!("weights of {weight:?}")));
    };
    attributes.expect_same("kernel_shape", 2, kernel as i64)?;
    if kernel != columns {
        return Err(fault(format!("a kernel of {kernel}x{columns} is not square")));
    }
    attributes.expect_same("dilations", 2, 1)?;
    attributes.expect_explicit_padding()?;
    let (stride, padding) = (size(attributes.same("strides", 2, 1)?)?, size(attributes.same("pads", 4, 0)?)?);
    match attributes.int("group", 1) {
        1 => Ok(Op::Conv { filters, kernel, stride, padding }),
        group if size(group)? == filters => Ok(Op::Depthwise { kernel, stride, padding }),
        group => Err(fault(format!("{group} groups for {filters} filters"))),
    }
}

fn size(n: i64) -> Result<usize> {
    usize::try_from(n).map_err(|_| damaged(format!("a size of {n}")))
}

/// Sound ONNX, but nothing that we read.
fn fault(what: String) -> Error {
    Error::Unsupported(what)
}

/// No exporter writes this.
fn damaged(what: String) -> Error {
    Error::Damaged(what)
}

/// What would be a wrong network, had it not come from a file.
fn contradiction(error: Error) -> Error {
    match error {
        Error::Model(what) => Error::Damaged(what),
        other => other,
    }
}
