//! A network as text, to change it; and as JSON with the definitions that its training needs, which the scripts in
//! runs/gpu read.

use std::path::Path;

use anyhow::Result;
use lineament::topology::Topology;
use lineament::topology::ibug68::{FIRST_INNER_POINT, MIRROR, OUTER_EYE_CORNERS, POINTS};
use lineament::{Crop, CropRule, Point};
use lineament_data::dataset;
use lineament_nn::model::{Activation, Architecture, Layer, Op};
use lineament_train::Config;
use lineament_train::landmarks::{INITIAL_ERROR, INITIAL_HEAD_SCALE, loss};
use lineament_train::networks::{self, LANDMARK_OUTPUTS};
use serde_json::{Map, Value, json};

use crate::failure::usage;

/// The text of a network, as a section of a training configuration. `name` is that of a network, or a configuration's
/// file.
///
/// # Errors
/// When it is neither; `flag` is where it was given.
pub fn text(name: &str, flag: &str) -> Result<String> {
    match networks::text_by_name(name) {
        Some(text) => Ok(text),
        None => Ok(configuration(name, flag)?.network_text()?.to_toml()),
    }
}

/// The list of layers of a network, named as for [`text`].
///
/// # Errors
/// As [`text`].
pub fn layers(name: &str, flag: &str) -> Result<Architecture> {
    match networks::by_name(name, POINTS) {
        Some(network) => Ok(network),
        None => Ok(configuration(name, flag)?.architecture()?),
    }
}

fn configuration(name: &str, flag: &str) -> Result<Config> {
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Err(usage(format!("{flag}: one of {}, or a configuration's .toml file", networks::NAMES.join(", "))));
    }
    Ok(Config::read(path)?)
}

/// `input` is height, width and channels. A layer's `input`, and its `second` where it has one, is 0 for the
/// network's input and i + 1 for the output of layer i; `outputs` name values alike. A landmark network also has
/// `training`.
pub fn json(network: &Architecture) -> Value {
    let input = network.input;
    let outputs: Map<_, _> = network.outputs.iter().map(|o| (o.name.clone(), o.value.into())).collect();
    let mut json = json!({
        "input": [input.height, input.width, input.channels],
        "layers": network.layers.iter().map(layer).collect::<Vec<_>>(),
        "outputs": outputs,
    });
    let is_landmarks = network.outputs.iter().map(|output| output.name.as_str()).eq(LANDMARK_OUTPUTS);
    // The scripts of runs/gpu train networks of the 68 points only.
    let points =
        network.shapes().ok().zip(network.outputs.first()).map(|(shapes, output)| shapes[output.value].channels);
    if is_landmarks && points == Some(2 * POINTS) {
        json["training"] = training();
    }
    json
}

/// What training elsewhere must do in the same way: constants, and worked examples of what is computed.
fn training() -> Value {
    let defaults = Config::default();
    let (least, most) = loss::LOG_ERROR_RANGE;
    json!({
        "topology": {
            "points": POINTS,
            "first_inner_point": FIRST_INNER_POINT,
            "outer_eye_corners": OUTER_EYE_CORNERS,
            "mirror": MIRROR.as_slice(),
        },
        "crop": { "margin": CropRule::STANDARD.margin, "example": crop_example() },
        "split": {
            "validation_share": defaults.validation_share,
            "nonface_holdout": defaults.nonface_holdout,
            "examples": split_examples(),
        },
        "initial": { "head_scale": INITIAL_HEAD_SCALE, "expected_error": INITIAL_ERROR },
        "loss": {
            "plain_weight": loss::PLAIN_WEIGHT,
            "plain_unit": loss::PLAIN_UNIT,
            "score_weight": loss::SCORE_WEIGHT,
            "log_error_range": [least, most],
            "least_square": loss::LEAST_SQUARE,
        },
    })
}

/// The points of a turned face that is nobody's, and their crop.
fn crop_example() -> Value {
    let points: [Point; POINTS] = std::array::from_fn(|i| {
        let (angle, radius) = (2.4 * i as f32, 20.0 + i as f32);
        Point::new(200.0 + radius * angle.cos(), 150.0 + 0.8 * radius * angle.sin() + 0.3 * i as f32)
    });
    let Crop { center, side, roll_rad } = Crop::from_points(&Topology::ibug68(), &points);
    json!({
        "points": points.iter().map(|p| [p.x, p.y]).collect::<Vec<_>>(),
        "center": [center.x, center.y],
        "side": side,
        "roll_rad": roll_rad,
    })
}

/// On which side of a split into halves some names stand: with and without folder, ending and the number of a face.
fn split_examples() -> Vec<Value> {
    let stems = (0..8).flat_map(|i| [format!("photo{i}"), format!("helen_{i}_1"), format!("lfpw_image_{i:04}")]);
    let names = stems.flat_map(|stem| [stem.clone(), format!("{stem}.jpg"), format!("faces/{stem}.png")]);
    names.map(|name| json!({ "name": name, "is_validation": dataset::is_validation(&name, 0.5) })).collect()
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
