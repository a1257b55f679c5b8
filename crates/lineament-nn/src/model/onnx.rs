//! ONNX messages with everything borrowed from the file: the fields that we read, by their numbers in `onnx.proto`.
//! The writer uses the same numbers.

use super::key;
use super::layers::MAX_LAYERS;
use super::metadata::MAX_ENTRIES;
use super::tensor::Element;
use super::wire::{Fields, Value, push_limited};
use crate::error::{Error, Result};

/// Field numbers, one module per message.
pub(super) mod field {
    pub mod model {
        pub const IR_VERSION: u32 = 1;
        pub const PRODUCER_NAME: u32 = 2;
        pub const PRODUCER_VERSION: u32 = 3;
        pub const GRAPH: u32 = 7;
        pub const OPSET_IMPORT: u32 = 8;
        pub const METADATA_PROPS: u32 = 14;
    }
    pub mod opset {
        pub const DOMAIN: u32 = 1;
        pub const VERSION: u32 = 2;
    }
    pub mod entry {
        pub const KEY: u32 = 1;
        pub const VALUE: u32 = 2;
    }
    pub mod graph {
        pub const NODE: u32 = 1;
        pub const NAME: u32 = 2;
        pub const INITIALIZER: u32 = 5;
        pub const INPUT: u32 = 11;
        pub const OUTPUT: u32 = 12;
    }
    pub mod node {
        pub const INPUT: u32 = 1;
        pub const OUTPUT: u32 = 2;
        pub const NAME: u32 = 3;
        pub const OP_TYPE: u32 = 4;
        pub const ATTRIBUTE: u32 = 5;
        pub const DOMAIN: u32 = 7;
    }
    pub mod attribute {
        pub const NAME: u32 = 1;
        pub const F: u32 = 2;
        pub const I: u32 = 3;
        pub const S: u32 = 4;
        pub const INTS: u32 = 8;
        pub const TYPE: u32 = 20;
    }
    pub mod tensor {
        pub const DIMS: u32 = 1;
        pub const DATA_TYPE: u32 = 2;
        pub const FLOAT_DATA: u32 = 4;
        pub const NAME: u32 = 8;
        pub const RAW_DATA: u32 = 9;
        pub const DOC_STRING: u32 = 12;
        pub const DATA_LOCATION: u32 = 14;
    }
    pub mod value_info {
        pub const NAME: u32 = 1;
        pub const TYPE: u32 = 2;
    }
    /// `TypeProto`, its `Tensor`, `TensorShapeProto` and its `Dimension`.
    pub mod value_type {
        pub const TENSOR: u32 = 1;
        pub const TENSOR_ELEMENT: u32 = 1;
        pub const TENSOR_SHAPE: u32 = 2;
        pub const SHAPE_DIM: u32 = 1;
        pub const DIM_VALUE: u32 = 1;
        pub const DIM_PARAM: u32 = 2;
    }
}

/// `TensorProto.DataType.FLOAT`, also in the type of a value.
pub(super) const FLOAT: i64 = 1;

/// `TensorProto.DataType` of each kind of number.
pub(super) const DATA_TYPES: [(Element, i64); 5] =
    [(Element::F32, FLOAT), (Element::U8, 2), (Element::I8, 3), (Element::I32, 6), (Element::F16, 10)];

/// `AttributeProto.AttributeType`.
pub(super) const ATTRIBUTE_INT: i64 = 2;
pub(super) const ATTRIBUTE_INTS: i64 = 7;

// No list grows past these, whatever the file says. A layer is up to three nodes and two tensors; tensors that are not
// of f32 have a node each and, where they have scales, one tensor more.
const MAX_NODES: usize = 5 * MAX_LAYERS;
const MAX_TENSORS: usize = 4 * MAX_LAYERS;
const MAX_INPUTS: usize = MAX_TENSORS + 1;
pub(super) const MAX_OUTPUTS: usize = 64;
const MAX_ARGUMENTS: usize = 8;
const MAX_DIMS: usize = 8;

/// `ModelProto`.
#[derive(Debug, Default)]
pub(super) struct ModelProto<'a> {
    pub graph: Option<Graph<'a>>,
    /// The version of ONNX's own operators.
    pub opset: Option<i64>,
    pub metadata: Vec<(String, String)>,
    /// The value of [`key::CHECKSUM`], where it lies in the file.
    pub checksum: Option<&'a str>,
}

impl<'a> ModelProto<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        // Every exporter writes its version first.
        match Fields::new(bytes).next() {
            Some(Ok((field::model::IR_VERSION, Value::Varint(_)))) => {}
            None => return Err(Error::NotAModel("it is empty".into())),
            Some(_) => return Err(Error::NotAModel("it does not begin as an ONNX file does".into())),
        }
        let mut model = Self::default();
        for item in Fields::new(bytes) {
            let (number, value) = item?;
            match number {
                field::model::GRAPH if model.graph.is_some() => return Err(Error::Damaged("two graphs".into())),
                field::model::GRAPH => model.graph = Some(Graph::read(value)?),
                field::model::OPSET_IMPORT => {
                    let (mut domain, mut version) = ("", 0);
                    for item in value.message()? {
                        match item? {
                            (field::opset::DOMAIN, value) => domain = value.text()?,
                            (field::opset::VERSION, value) => version = value.int()?,
                            _ => {}
                        }
                    }
                    if is_onnx(domain) {
                        model.opset = Some(version);
                    }
                }
                field::model::METADATA_PROPS => {
                    let (mut name, mut text) = ("", "");
                    for item in value.message()? {
                        match item? {
                            (field::entry::KEY, value) => name = value.text()?,
                            (field::entry::VALUE, value) => text = value.text()?,
                            _ => {}
                        }
                    }
                    if name == key::CHECKSUM {
                        model.checksum = Some(text);
                        continue;
                    }
                    push_limited(&mut model.metadata, (name.into(), text.into()), MAX_ENTRIES, "metadata entries")?;
                }
                _ => {}
            }
        }
        Ok(model)
    }
}

/// The domain of ONNX's own operators has two spellings.
pub(super) fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    pub nodes: Vec<Node<'a>>,
    pub tensors: Vec<TensorProto<'a>>,
    pub inputs: Vec<ValueInfo<'a>>,
    pub outputs: Vec<ValueInfo<'a>>,
}

impl<'a> Graph<'a> {
    fn read(value: Value<'a>) -> Result<Self> {
        let mut graph = Self::default();
        for item in value.message()? {
            let (number, value) = item?;
            match number {
                field::graph::NODE => push_limited(&mut graph.nodes, Node::read(value)?, MAX_NODES, "nodes")?,
                field::graph::INITIALIZER => {
                    push_limited(&mut graph.tensors, TensorProto::read(value)?, MAX_TENSORS, "tensors")?;
                }
                field::graph::INPUT => {
                    push_limited(&mut graph.inputs, ValueInfo::read(value)?, MAX_INPUTS, "inputs")?;
                }
                field::graph::OUTPUT => {
                    push_limited(&mut graph.outputs, ValueInfo::read(value)?, MAX_OUTPUTS, "outputs")?;
                }
                _ => {}
            }
        }
        Ok(graph)
    }
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub name: &'a str,
    pub op_type: &'a str,
    pub domain: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Node<'a> {
    fn read(value: Value<'a>) -> Result<Self> {
        let mut node = Self::default();
        for item in value.message()? {
            let (number, value) = item?;
            match number {
                field::node::INPUT => push_limited(&mut node.inputs, value.text()?, MAX_ARGUMENTS, "inputs")?,
                field::node::OUTPUT => push_limited(&mut node.outputs, value.text()?, MAX_ARGUMENTS, "outputs")?,
                field::node::NAME => node.name = value.text()?,
                field::node::OP_TYPE => node.op_type = value.text()?,
                field::node::DOMAIN => node.domain = value.text()?,
                field::node::ATTRIBUTE => {
                    push_limited(&mut node.attributes, Attribute::read(value)?, MAX_ARGUMENTS, "attributes")?;
                }
                _ => {}
            }
        }
        Ok(node)
    }
}

/// `AttributeProto`: one of these holds the value, whichever the attribute's name calls for.
#[derive(Debug, Default)]
pub(super) struct Attribute<'a> {
    pub name: &'a str,
    pub float: Option<f32>,
    pub int: Option<i64>,
    pub text: Option<&'a str>,
    pub ints: Vec<i64>,
}

impl<'a> Attribute<'a> {
    fn read(value: Value<'a>) -> Result<Self> {
        let mut attribute = Self::default();
        for item in value.message()? {
            let (number, value) = item?;
            match number {
                field::attribute::NAME => attribute.name = value.text()?,
                field::attribute::F => attribute.float = Some(value.float()?),
                field::attribute::I => attribute.int = Some(value.int()?),
                field::attribute::S => attribute.text = Some(value.text()?),
                field::attribute::INTS => value.append_ints(&mut attribute.ints, MAX_DIMS)?,
                _ => {}
            }
        }
        Ok(attribute)
    }
}

/// `TensorProto`.
#[derive(Debug, Default)]
pub(super) struct TensorProto<'a> {
    pub name: &'a str,
    pub dims: Vec<i64>,
    pub data_type: i64,
    /// Little-endian numbers, from whichever of the two fields that hold them.
    pub bytes: &'a [u8],
    /// The numbers are in another file.
    pub is_external: bool,
}

impl<'a> TensorProto<'a> {
    fn read(value: Value<'a>) -> Result<Self> {
        let (mut tensor, mut has_floats) = (Self::default(), false);
        for item in value.message()? {
            let (number, value) = item?;
            match number {
                field::tensor::NAME => tensor.name = value.text()?,
                field::tensor::DIMS => value.append_ints(&mut tensor.dims, MAX_DIMS)?,
                field::tensor::DATA_TYPE => tensor.data_type = value.int()?,
                // A packed list of floats is the same little-endian bytes; one by one it could not be borrowed.
                field::tensor::RAW_DATA | field::tensor::FLOAT_DATA if tensor.bytes.is_empty() => {
                    tensor.bytes = value.bytes()?;
                    has_floats = number == field::tensor::FLOAT_DATA;
                }
                field::tensor::RAW_DATA | field::tensor::FLOAT_DATA => {
                    return Err(Error::Unsupported(format!("tensor `{}` has its numbers in pieces", tensor.name)));
                }
                field::tensor::DATA_LOCATION => tensor.is_external = value.int()? != 0,
                _ => {}
            }
        }
        if has_floats && tensor.data_type != FLOAT {
            return Err(Error::Unsupported(format!("tensor `{}` has floats in place of its numbers", tensor.name)));
        }
        Ok(tensor)
    }
}

/// One side of a value's declared size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dim {
    /// Always this.
    Fixed(i64),
    /// Whatever the caller brings.
    Free,
}

/// `ValueInfoProto` of a tensor.
#[derive(Debug, Default)]
pub(super) struct ValueInfo<'a> {
    pub name: &'a str,
    pub element: i64,
    pub dims: Vec<Dim>,
}

impl<'a> ValueInfo<'a> {
    fn read(value: Value<'a>) -> Result<Self> {
        let mut info = Self::default();
        for item in value.message()? {
            match item? {
                (field::value_info::NAME, value) => info.name = value.text()?,
                (field::value_info::TYPE, value) => {
                    for item in value.message()? {
                        if let (field::value_type::TENSOR, value) = item? {
                            info.read_tensor_type(value)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(info)
    }

    fn read_tensor_type(&mut self, value: Value<'a>) -> Result<()> {
        for item in value.message()? {
            match item? {
                (field::value_type::TENSOR_ELEMENT, value) => self.element = value.int()?,
                (field::value_type::TENSOR_SHAPE, value) => {
                    for item in value.message()? {
                        if let (field::value_type::SHAPE_DIM, value) = item? {
                            push_limited(&mut self.dims, read_dim(value)?, MAX_DIMS, "dimensions")?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_dim(value: Value) -> Result<Dim> {
    let mut dim = Dim::Free;
    for item in value.message()? {
        if let (field::value_type::DIM_VALUE, value) = item? {
            dim = Dim::Fixed(value.int()?);
        }
    }
    Ok(dim)
}
