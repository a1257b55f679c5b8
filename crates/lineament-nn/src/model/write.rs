//! From a list of layers and its weights to an ONNX file.

use std::collections::HashMap;

use super::checksum;
use super::emit::{convolution, int, ints, write_node, write_value};
use super::layers::{Activation, Architecture, Layer, Op, Shape, ValueId};
use super::metadata::{FORMAT_VERSION, Metadata};
use super::onnx::{DATA_TYPES, FLOAT, MAX_OUTPUTS, field};
use super::tensor::{Element, Tensor, byte_len};
use super::wire::Writer;
use super::{Model, key};
use crate::error::{Error, Result};

/// ONNX 1.12 (2022): the operators' version, and the file's.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;
const INPUT_NAME: &str = "image";
/// Tensors start at multiples of this many bytes: a cache line, and the widest vector registers.
const ALIGNMENT: usize = 64;

/// Writes a model file of f32. `weights` holds for each layer its tensors (sizes, numbers), as [`Model::weights`]
/// documents; [`Model::to_bytes`] also writes f16 and int8. A network without layers that fix a size
/// gets a free height and width; its `architecture.input` goes into the metadata.
///
/// # Errors
/// [`Error::Model`] when sizes do not fit, a batch normalisation is left, an output's name is not unique or not made of
/// letters, digits and `_`, a convolution or pooling reads what a dense layer made, or the file would pass 2 GiB.
pub fn write(
    architecture: &Architecture,
    metadata: &Metadata,
    weights: &[Vec<(Vec<usize>, Vec<f32>)>],
) -> Result<Vec<u8>> {
    let stored = |tensors: &Vec<(Vec<usize>, Vec<f32>)>| {
        tensors.iter().map(|(dims, numbers)| Tensor::from_f32(dims, numbers)).collect()
    };
    write_model(&Model {
        metadata: metadata.clone(),
        architecture: architecture.clone(),
        weights: weights.iter().map(stored).collect(),
    })
}

/// See [`Model::to_bytes`].
pub(super) fn write_model(Model { metadata, architecture, weights }: &Model) -> Result<Vec<u8>> {
    let shapes = architecture.shapes()?;
    metadata.check()?;
    check_outputs(architecture)?;
    check_weights(architecture, &shapes, weights)?;
    let is_vector = find_vectors(architecture)?;
    let is_free = !architecture.layers.iter().any(|layer| layer.op.fixes_size());

    let mut writer = Writer::default();
    writer.int(field::model::IR_VERSION, IR_VERSION);
    writer.text(field::model::PRODUCER_NAME, "lineament");
    writer.text(field::model::PRODUCER_VERSION, env!("CARGO_PKG_VERSION"));
    writer.message(field::model::OPSET_IMPORT, |w| {
        w.text(field::opset::DOMAIN, "");
        w.int(field::opset::VERSION, OPSET);
    });
    let mut entry = |key: &str, value: &str| {
        writer.message(field::model::METADATA_PROPS, |w| {
            w.text(field::entry::KEY, key);
            w.text(field::entry::VALUE, value);
        });
    };
    entry(key::FORMAT_VERSION, FORMAT_VERSION);
    entry(key::ROLE, metadata.role.name());
    entry(key::CHECKSUM, checksum::PLACEHOLDER);
    if is_free {
        entry(key::INPUT_SIZE, &format!("{}x{}", architecture.input.height, architecture.input.width));
    }
    for (key, value) in &metadata.entries {
        entry(key, value);
    }
    writer.message(field::model::GRAPH, |w| {
        write_nodes(w, architecture, &shapes, &is_vector, weights);
        w.text(field::graph::NAME, metadata.get(key::NAME).unwrap_or("lineament"));
        write_tensors(w, architecture, &is_vector, weights);
        write_ends(w, architecture, &shapes, &is_vector, is_free);
    });
    if i32::try_from(writer.buffer.len()).is_err() {
        return Err(fault("the file would be larger than protobuf's 2 GiB".into()));
    }
    checksum::fill_in(&mut writer.buffer);
    Ok(writer.buffer)
}

fn check_outputs(architecture: &Architecture) -> Result<()> {
    let outputs = &architecture.outputs;
    if outputs.is_empty() || outputs.len() > MAX_OUTPUTS {
        return Err(fault(format!("{} outputs, expected 1 to {MAX_OUTPUTS}", outputs.len())));
    }
    for (i, output) in outputs.iter().enumerate() {
        let name = output.name.as_str();
        // Names of our own have a dot in them, so that these cannot meet them.
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(fault(format!("`{name}` cannot name an output: letters, digits and `_` only")));
        }
        if name == INPUT_NAME || outputs[..i].iter().any(|o| o.name == name) {
            return Err(fault(format!("two values are named `{name}`")));
        }
    }
    Ok(())
}

fn check_weights(architecture: &Architecture, shapes: &[Shape], weights: &[Vec<Tensor>]) -> Result<()> {
    if weights.len() != architecture.layers.len() {
        return Err(fault(format!("weights of {} layers for {}", weights.len(), architecture.layers.len())));
    }
    for (i, (layer, tensors)) in architecture.layers.iter().zip(weights).enumerate() {
        if layer.op == Op::BatchNorm {
            return Err(fault(format!("layer {i} is a batch normalisation: fold it into the layer before")));
        }
        let expected = layer.op.weight_dims(shapes[layer.input]);
        let actual: Vec<_> = tensors.iter().map(|tensor| (&tensor.dims, tensor.len())).collect();
        let fits = tensors.iter().zip(&expected).all(|(t, dims)| t.dims == *dims && is_whole(t));
        if tensors.len() != expected.len() || !fits {
            return Err(fault(format!("layer {i} ({:?}): tensors of {actual:?}, expected {expected:?}", layer.op)));
        }
        let elements: Vec<_> = tensors.iter().map(|tensor| tensor.element).collect();
        let known = match layer.op {
            Op::Quantize => elements == [Element::F32, Element::U8],
            _ => !elements.contains(&Element::U8),
        };
        if !known {
            return Err(fault(format!("layer {i} ({:?}): tensors of {elements:?}", layer.op)));
        }
    }
    Ok(())
}

/// Whether the bytes are as many as the sizes say, and there are scales where whole numbers need them.
fn is_whole(tensor: &Tensor) -> bool {
    let scales = match (tensor.element, &tensor.scales) {
        (Element::I8 | Element::I32, Some(scales)) => {
            let count = scales.bytes.len() / size_of::<f32>();
            scales.bytes.len() % size_of::<f32>() == 0 && (count == 1 || tensor.dims.get(scales.axis) == Some(&count))
        }
        (Element::F32 | Element::F16 | Element::U8, None) => true,
        _ => false,
    };
    scales && byte_len(&tensor.dims, tensor.element) == Some(tensor.bytes.len())
}

/// Which values are `[N, C]` in ONNX: those that dense layers and weighted means make, and what is computed from them
/// alone.
fn find_vectors(architecture: &Architecture) -> Result<Vec<bool>> {
    let mut is_vector = vec![false];
    for (i, layer) in architecture.layers.iter().enumerate() {
        let input = is_vector[layer.input];
        is_vector.push(match layer.op {
            Op::Dense { .. } => true,
            Op::WeightedPool { weights } if !input && !is_vector[weights] => true,
            Op::Activation(_) | Op::Quantize => input,
            Op::Add { with } if is_vector[with] == input => input,
            _ if !input && layer.op.second_input().is_none() => false,
            op => {
                return Err(fault(format!(
                    "layer {i} ({op:?}) cannot read what a dense layer or a weighted mean made"
                )));
            }
        });
    }
    Ok(is_vector)
}

/// The name of layer `i`'s node: its kind and number.
fn node_name(i: usize, op: Op) -> String {
    let kind = match op {
        Op::Conv { kernel: 1, .. } => "pointwise",
        Op::Conv { .. } => "conv",
        Op::Depthwise { .. } => "depthwise",
        Op::BatchNorm => "batchnorm",
        Op::Activation(Activation::Relu) => "relu",
        Op::Activation(Activation::PRelu) => "prelu",
        Op::Activation(Activation::HardSwish) => "hardswish",
        Op::MaxPool => "maxpool",
        Op::Add { .. } => "add",
        Op::GlobalPool => "globalpool",
        Op::WeightedPool { .. } => "weightedpool",
        Op::PositionBias => "positionbias",
        Op::Dense { .. } => "dense",
        Op::Quantize => "quantize",
    };
    format!("{kind}{i}")
}

/// Names of a layer's tensors in the file.
fn tensor_names(i: usize, op: Op) -> Vec<String> {
    let name = node_name(i, op);
    match op {
        Op::Activation(Activation::PRelu) => vec![format!("{name}.slope")],
        Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. } => {
            vec![format!("{name}.weight"), format!("{name}.bias")]
        }
        Op::PositionBias => vec![format!("{name}.bias")],
        Op::Quantize => vec![format!("{name}.scale"), format!("{name}.offset")],
        _ => Vec::new(),
    }
}

/// A value's name: that of the first output it is, else its layer's.
fn value_name(architecture: &Architecture, value: ValueId) -> String {
    let output = architecture.outputs.iter().find(|o| o.value == value);
    match (value.checked_sub(1), output) {
        (None, _) => INPUT_NAME.to_owned(),
        (_, Some(output)) => output.name.clone(),
        (Some(i), None) => format!("{}.out", node_name(i, architecture.layers[i].op)),
    }
}

fn write_nodes(
    w: &mut Writer,
    architecture: &Architecture,
    shapes: &[Shape],
    is_vector: &[bool],
    weights: &[Vec<Tensor>],
) {
    let names: Vec<_> = (0..shapes.len()).map(|value| value_name(architecture, value)).collect();
    let mut flat_names = HashMap::new();
    for (i, &Layer { op, input }) in architecture.layers.iter().enumerate() {
        let mut inputs = vec![names[input].clone()];
        if let Op::WeightedPool { weights } = op {
            weighted_pool(w, &node_name(i, op), &names[input], &names[weights], &names[i + 1]);
            continue;
        }
        if matches!(op, Op::Dense { .. }) && !is_vector[input] {
            inputs[0] = flat_names.entry(input).or_insert_with(|| flatten(w, &names[input], shapes[input])).clone();
        }
        if let Op::Add { with } = op {
            inputs.push(names[with].clone());
        }
        for (name, tensor) in tensor_names(i, op).iter().zip(&weights[i]) {
            convert(w, name, tensor);
        }
        inputs.extend(tensor_names(i, op));
        if op == Op::Quantize {
            let codes = format!("{}.codes", node_name(i, op));
            write_node(w, "QuantizeLinear", &codes, &inputs, &codes, |_| {});
            inputs[0] = codes;
        }
        write_node(w, op_type(op), &node_name(i, op), &inputs, &names[i + 1], |w| match op {
            Op::Conv { kernel, stride, padding, .. } => convolution(w, kernel, stride, padding, 1),
            Op::Depthwise { kernel, stride, padding } => {
                convolution(w, kernel, stride, padding, shapes[input].channels);
            }
            Op::MaxPool => {
                ints(w, "kernel_shape", &[2, 2]);
                ints(w, "strides", &[2, 2]);
            }
            _ => {}
        });
    }
    // The input, or a value that is an output already, under another name.
    for output in architecture.outputs.iter().filter(|o| o.name != names[o.value]) {
        let node = format!("identity.{}", output.name);
        write_node(w, "Identity", &node, &[names[output.value].clone()], &output.name, |_| {});
    }
}

/// What is not stored as f32 becomes that in the graph, under the tensor's name.
fn convert(w: &mut Writer, name: &str, tensor: &Tensor) {
    let stored = stored_name(name, tensor);
    match (&tensor.scales, tensor.element) {
        (Some(scales), _) => {
            let node = format!("{name}.dequantize");
            write_node(w, "DequantizeLinear", &node, &[stored, format!("{name}.scale")], name, |w| {
                int(w, "axis", scales.axis);
            });
        }
        (None, Element::F16) => {
            write_node(w, "Cast", &format!("{name}.cast"), &[stored], name, |w| int(w, "to", FLOAT as usize));
        }
        (None, _) => {}
    }
}

/// A tensor's name in the file: that which the graph has for its numbers, and how it is stored where that differs.
fn stored_name(name: &str, tensor: &Tensor) -> String {
    match tensor.element {
        Element::F32 | Element::U8 => name.to_owned(),
        other => format!("{name}.{}", other.name()),
    }
}

/// The mean of weighted values over the mean of the weights: ONNX has no weighted mean.
fn weighted_pool(w: &mut Writer, node: &str, values: &str, weights: &str, output: &str) {
    let [share, weighted, total, shares, mean] =
        ["share", "weighted", "total", "shares", "mean"].map(|part| format!("{node}.{part}"));
    for (op_type, inputs, output) in [
        ("Sigmoid", &[weights][..], share.as_str()),
        ("Mul", &[values, &share], &weighted),
        ("GlobalAveragePool", &[&weighted], &total),
        ("GlobalAveragePool", &[&share], &shares),
        ("Div", &[&total, &shares], &mean),
    ] {
        let inputs: Vec<_> = inputs.iter().map(|&name| name.to_owned()).collect();
        write_node(w, op_type, output, &inputs, output, |_| {});
    }
    write_node(w, "Flatten", node, &[mean], output, |w| int(w, "axis", 1));
}

/// `[N, C, H, W] -> [N, H * W * C]`; returns the new value's name.
fn flatten(w: &mut Writer, name: &str, shape: Shape) -> String {
    let (transposed, flat) = (format!("{name}.transposed"), format!("{name}.flat"));
    let mut from = name;
    if shape.height * shape.width != 1 {
        write_node(w, "Transpose", &transposed, &[from.to_owned()], &transposed, |w| ints(w, "perm", &[0, 2, 3, 1]));
        from = &transposed;
    }
    write_node(w, "Flatten", &flat, &[from.to_owned()], &flat, |w| int(w, "axis", 1));
    flat
}

fn op_type(op: Op) -> &'static str {
    match op {
        Op::Conv { .. } | Op::Depthwise { .. } => "Conv",
        Op::BatchNorm => "BatchNormalization",
        Op::Activation(Activation::Relu) => "Relu",
        Op::Activation(Activation::PRelu) => "PRelu",
        Op::Activation(Activation::HardSwish) => "HardSwish",
        Op::MaxPool => "MaxPool",
        Op::Add { .. } | Op::PositionBias => "Add",
        Op::GlobalPool => "GlobalAveragePool",
        Op::WeightedPool { .. } => "Div",
        Op::Dense { .. } => "Gemm",
        Op::Quantize => "DequantizeLinear",
    }
}

fn write_tensors(w: &mut Writer, architecture: &Architecture, is_vector: &[bool], weights: &[Vec<Tensor>]) {
    for (i, (layer, tensors)) in architecture.layers.iter().zip(weights).enumerate() {
        let is_spatial_slope = layer.op == Op::Activation(Activation::PRelu) && !is_vector[layer.input];
        for (name, tensor) in tensor_names(i, layer.op).iter().zip(tensors) {
            // Beside [N, C, H, W] a slope must be [C, 1, 1] to be one per channel.
            let ones: &[usize] = if is_spatial_slope { &[1, 1] } else { &[] };
            let dims: Vec<usize> = tensor.dims.iter().chain(ones).copied().collect();
            write_tensor(w, &stored_name(name, tensor), &dims, tensor.element, &tensor.bytes);
            if let Some(scales) = &tensor.scales {
                let count = scales.bytes.len() / size_of::<f32>();
                let is_one_for_all = tensor.dims.get(scales.axis) != Some(&count);
                let dims: &[usize] = if is_one_for_all { &[] } else { &[count] };
                write_tensor(w, &format!("{name}.scale"), dims, Element::F32, &scales.bytes);
            }
        }
    }
}

fn write_tensor(w: &mut Writer, name: &str, dims: &[usize], element: Element, bytes: &[u8]) {
    w.message(field::graph::INITIALIZER, |w| {
        for &dim in dims {
            w.int(field::tensor::DIMS, dim as i64);
        }
        let code = DATA_TYPES.iter().find(|(known, _)| *known == element).map_or(FLOAT, |(_, code)| *code);
        w.int(field::tensor::DATA_TYPE, code);
        w.text(field::tensor::NAME, name);
        w.align_next_message(field::tensor::DOC_STRING, ALIGNMENT);
        w.message(field::tensor::RAW_DATA, |w| w.buffer.extend_from_slice(bytes));
    });
}

/// The graph's input and outputs.
fn write_ends(w: &mut Writer, architecture: &Architecture, shapes: &[Shape], is_vector: &[bool], is_free: bool) {
    let free = |name: &str| is_free.then(|| name.to_owned());
    let sides = [free("height"), free("width")];
    write_value(w, field::graph::INPUT, INPUT_NAME, shapes[0], false, sides);

    // Whether a value's height and width follow the input's.
    let mut follows = vec![is_free];
    for layer in &architecture.layers {
        follows.push(follows[layer.input] && layer.op != Op::GlobalPool);
    }
    for output in &architecture.outputs {
        let side = |side: &str| follows[output.value].then(|| format!("{}.{side}", output.name));
        let sides = [side("height"), side("width")];
        let (shape, is_vector) = (shapes[output.value], is_vector[output.value]);
        write_value(w, field::graph::OUTPUT, &output.name, shape, is_vector, sides);
    }
}

fn fault(what: String) -> Error {
    Error::Model(what)
}
