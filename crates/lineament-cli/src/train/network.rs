//! A network's layers as JSON, for training elsewhere: runs/gpu reads them.

use lineament_nn::model::{Activation, Architecture, Layer, Op};
use serde_json::{Map, Value, json};

/// `input` is height, width and channels. A layer's `input`, and `second` where it has one, is 0 for the network's input and
/// i + 1 for what layer i makes; `outputs` name values alike.
pub fn json(network: &Architecture) -> Value {
    let input = network.input;
    let outputs: Map<_, _> = network.outputs.iter().map(|o| (o.name.clone(), o.value.into())).collect();
    json!({
        "input": [input.height, input.width, input.channels],
        "layers": network.layers.iter().map(layer).collect::<Vec<_>>(),
        "outputs": outputs,
    })
}

fn layer(&Layer { op, input }: &Layer) -> Value {
    let mut layer = match op {
        Op::Conv { filters, kernel, stride, padding } => {
            json!({ "op": "conv", "filters": filters, "kernel": kernel, "stride": stride, "padding": padding })
        }
        Op::Depthwise { kernel, stride, padding } => {
            json!({ "op": "depthwise", "kernel": kernel, "stride": stride, "padding": padding })
        }
        Op::BatchNorm => json!({ "op": "batch_norm" }),
        Op::Activation(Activation::Relu) => json!({ "op": "relu" }),
        Op::Activation(Activation::PRelu) => json!({ "op": "prelu" }),
        Op::Activation(Activation::HardSwish) => json!({ "op": "hard_swish" }),
        Op::MaxPool => json!({ "op": "max_pool" }),
        Op::Add { .. } => json!({ "op": "add" }),
        Op::GlobalPool => json!({ "op": "global_pool" }),
        Op::WeightedPool { .. } => json!({ "op": "weighted_pool" }),
        Op::PositionBias => json!({ "op": "position_bias" }),
        Op::Dense { units } => json!({ "op": "dense", "units": units }),
        Op::Quantize => json!({ "op": "quantize" }),
    };
    layer["input"] = input.into();
    if let Some(second) = op.second_input() {
        layer["second"] = second.into();
    }
    layer
}
