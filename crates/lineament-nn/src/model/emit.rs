//! The pieces of an ONNX graph, as bytes: nodes, their attributes, inputs and outputs.

use super::layers::Shape;
use super::onnx::{ATTRIBUTE_INT, ATTRIBUTE_INTS, FLOAT, field};
use super::wire::Writer;

/// One node; `attributes` writes its attributes.
pub(super) fn write_node(
    w: &mut Writer,
    op_type: &str,
    name: &str,
    inputs: &[String],
    output: &str,
    attributes: impl FnOnce(&mut Writer),
) {
    w.message(field::graph::NODE, |w| {
        for input in inputs {
            w.text(field::node::INPUT, input);
        }
        w.text(field::node::OUTPUT, output);
        w.text(field::node::NAME, name);
        w.text(field::node::OP_TYPE, op_type);
        attributes(w);
    });
}

/// A convolution's attributes.
pub(super) fn convolution(w: &mut Writer, kernel: usize, stride: usize, padding: usize, group: usize) {
    ints(w, "kernel_shape", &[kernel; 2]);
    ints(w, "strides", &[stride; 2]);
    ints(w, "pads", &[padding; 4]);
    int(w, "group", group);
}

/// An attribute that is one number.
pub(super) fn int(w: &mut Writer, name: &str, value: usize) {
    w.message(field::node::ATTRIBUTE, |w| {
        w.text(field::attribute::NAME, name);
        w.int(field::attribute::TYPE, ATTRIBUTE_INT);
        w.int(field::attribute::I, value as i64);
    });
}

/// An attribute that is a list of numbers.
pub(super) fn ints(w: &mut Writer, name: &str, values: &[usize]) {
    w.message(field::node::ATTRIBUTE, |w| {
        w.text(field::attribute::NAME, name);
        w.int(field::attribute::TYPE, ATTRIBUTE_INTS);
        for &value in values {
            w.int(field::attribute::INTS, value as i64);
        }
    });
}

/// A value's name and sizes: `[1, C]`, or `[1, C, H, W]` where a side may have a name in place of a number.
pub(super) fn write_value(
    w: &mut Writer,
    number: u32,
    name: &str,
    shape: Shape,
    is_vector: bool,
    [height_name, width_name]: [Option<String>; 2],
) {
    let mut dims = vec![(1, None), (shape.channels, None)];
    if !is_vector {
        dims.extend([(shape.height, height_name), (shape.width, width_name)]);
    }
    w.message(number, |w| {
        w.text(field::value_info::NAME, name);
        w.message(field::value_info::TYPE, |w| {
            w.message(field::value_type::TENSOR, |w| {
                w.int(field::value_type::TENSOR_ELEMENT, FLOAT);
                w.message(field::value_type::TENSOR_SHAPE, |w| {
                    for (size, name) in &dims {
                        w.message(field::value_type::SHAPE_DIM, |w| match name {
                            Some(name) => w.text(field::value_type::DIM_PARAM, name),
                            None => w.int(field::value_type::DIM_VALUE, *size as i64),
                        });
                    }
                });
            });
        });
    });
}
