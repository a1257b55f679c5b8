//! The paper's basic network with random weights: time does not depend on what was learned.

use anyhow::Result;
use lineament_nn::model::{Activation, Architecture, Metadata, Op, Role, Shape, key, write};

/// The model file.
pub fn file() -> Result<Vec<u8>> {
    let relu = Op::Activation(Activation::Relu);
    let mut net = Architecture::new(Shape::hwc(96, 96, 1));
    for (filters, kernel) in [(32, 3), (32, 2), (64, 2)] {
        net.push(Op::Conv { filters, kernel, stride: 1, padding: 0 });
        net.push(Op::MaxPool);
        net.push(relu);
    }
    for units in [1000, 500] {
        net.push(Op::Dense { units });
        net.push(relu);
    }
    let points = net.push(Op::Dense { units: 136 });
    net.output("points", points);

    let mut metadata = Metadata::new(Role::Landmarks);
    let errors = ["0.1"; 68].join(",");
    for (name, value) in [
        (key::INPUT, "grey"),
        (key::TOPOLOGY, "ibug68"),
        (key::NORMALISATION, "unit"),
        (key::CROP, "margin=1.35"),
        (key::ERRORS, errors.as_str()),
    ] {
        metadata.set(name, value);
    }
    let shapes = net.shapes()?;
    let mut state = 1u32;
    let mut weights = Vec::new();
    for layer in &net.layers {
        let mut tensors = Vec::new();
        for dims in layer.op.weight_dims(shapes[layer.input]) {
            let len: usize = dims.iter().product();
            // He's bound keeps values in range from layer to layer.
            let inputs = if dims.len() == 4 { dims[1] * dims[2] * dims[3] } else { dims[0] };
            let bound = (6.0 / inputs as f32).sqrt();
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bound * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            };
            tensors.push((dims, (0..len).map(|_| next()).collect::<Vec<f32>>()));
        }
        weights.push(tensors);
    }
    Ok(write(&net, &metadata, &weights)?)
}
