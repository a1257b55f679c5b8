//! The networks we train, as lists of layers.

use lineament::detect;
use lineament::model::{Activation, Architecture, Op, Shape, ValueId};
use lineament::topology::POINTS;

/// Names that [`by_name`] knows.
pub const NAMES: [&str; 3] = ["lite", "detector", "basic"];

/// The network called `name`; `None` for a name that is not in [`NAMES`].
pub fn by_name(name: &str) -> Option<Architecture> {
    match name {
        "lite" => Some(lite()),
        "detector" => Some(detector()),
        "basic" => Some(basic()),
        _ => None,
    }
}

/// Names of the landmark networks' outputs, in order.
pub const LANDMARK_OUTPUTS: [&str; 3] = ["points", "log_errors", "score"];

/// The default landmark network: 112x112 grey, blocks of depthwise and pointwise convolutions with a residual path,
/// and dense heads over the last 7x7 map, which keep the places that global pooling would lose.
///
/// Outputs: `points` `[136]`, x then y of each point in the crop frame; `log_errors` `[68]`, natural logarithm of the
/// expected distance in the crop frame; `score` `[1]`, log-odds of a face.
pub fn lite() -> Architecture {
    const ACT: Activation = Activation::PRelu;
    let mut net = Architecture::new(Shape::hwc(112, 112, 1));
    conv(&mut net, 16, 3, 2, Some(ACT)); // [56, 56, 16]
    separable(&mut net, 32, 1, ACT); // [56, 56, 32]
    separable(&mut net, 64, 2, ACT); // [28, 28, 64]
    residual(&mut net, 64, ACT);
    residual(&mut net, 64, ACT);
    separable(&mut net, 128, 2, ACT); // [14, 14, 128]
    for _ in 0..4 {
        residual(&mut net, 128, ACT);
    }
    separable(&mut net, 128, 2, ACT); // [7, 7, 128]
    residual(&mut net, 128, ACT);
    residual(&mut net, 128, ACT);
    let features = conv(&mut net, 32, 1, 1, Some(ACT)); // [7, 7, 32]
    for (name, units) in LANDMARK_OUTPUTS.into_iter().zip([2 * POINTS, POINTS, 1]) {
        let head = net.push_from(features, Op::Dense { units });
        net.output(name, head);
    }
    net
}

/// Side of the square scenes that the detector is trained on, in pixels.
const DETECTOR_SIDE: usize = 256;

/// The face detector: grey of any size, three grids of cells 8, 16 and 32 pixels apart for small, middle and large
/// faces. The outputs and their numbers per cell are [`detect::GRIDS`] and [`detect::CHANNELS`].
pub fn detector() -> Architecture {
    const ACT: Activation = Activation::Relu;
    let mut net = Architecture::new(Shape::hwc(DETECTOR_SIDE, DETECTOR_SIDE, 1));
    conv(&mut net, 16, 3, 2, Some(ACT)); // 1/2
    separable(&mut net, 32, 2, ACT); // 1/4
    residual(&mut net, 32, ACT);
    separable(&mut net, 64, 2, ACT); // 1/8
    residual(&mut net, 64, ACT);
    let grid8 = residual(&mut net, 64, ACT);
    separable(&mut net, 96, 2, ACT); // 1/16
    residual(&mut net, 96, ACT);
    let grid16 = residual(&mut net, 96, ACT);
    separable(&mut net, 96, 2, ACT); // 1/32
    residual(&mut net, 96, ACT);
    residual(&mut net, 96, ACT);
    let grid32 = residual(&mut net, 96, ACT);
    for (value, (name, _)) in [grid8, grid16, grid32].into_iter().zip(detect::GRIDS) {
        net.push_from(value, Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
        net.push(Op::BatchNorm);
        net.push(Op::Activation(ACT));
        let head = net.push(Op::Conv { filters: detect::CHANNELS, kernel: 1, stride: 1, padding: 0 });
        net.output(name, head);
    }
    net
}

/// The paper's basic network (section 3): 96x96 grey to 68 points in pixels of its input.
pub fn basic() -> Architecture {
    let mut net = Architecture::new(Shape::hwc(96, 96, 1));
    for (filters, kernel) in [(32, 3), (32, 2), (64, 2)] {
        net.push(Op::Conv { filters, kernel, stride: 1, padding: 0 });
        net.push(Op::MaxPool);
        net.push(Op::Activation(Activation::Relu));
    }
    for units in [1000, 500] {
        net.push(Op::Dense { units });
        net.push(Op::Activation(Activation::Relu));
    }
    let points = net.push(Op::Dense { units: 2 * POINTS });
    net.output(LANDMARK_OUTPUTS[0], points);
    net
}

/// Convolution that keeps the size (divided by `stride`), batch norm, activation.
fn conv(net: &mut Architecture, filters: usize, kernel: usize, stride: usize, act: Option<Activation>) -> ValueId {
    net.push(Op::Conv { filters, kernel, stride, padding: kernel / 2 });
    let normed = net.push(Op::BatchNorm);
    act.map_or(normed, |act| net.push(Op::Activation(act)))
}

/// Depthwise 3x3, then pointwise to `filters`.
fn separable(net: &mut Architecture, filters: usize, stride: usize, act: Activation) -> ValueId {
    net.push(Op::Depthwise { kernel: 3, stride, padding: 1 });
    net.push(Op::BatchNorm);
    net.push(Op::Activation(act));
    conv(net, filters, 1, 1, Some(act))
}

/// Depthwise 3x3 and pointwise, added to what came in.
fn residual(net: &mut Architecture, channels: usize, act: Activation) -> ValueId {
    let with = net.layers.len();
    separable(net, channels, 1, act);
    net.push(Op::Add { with })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_keep_to_their_budgets() {
        struct Case {
            net: Architecture,
            input: Shape,
            parameters: usize,
            multiply_adds: u64,
        }
        let cases = [
            Case { net: lite(), input: Shape::hwc(112, 112, 1), parameters: 1_000_000, multiply_adds: 40_000_000 },
            Case { net: detector(), input: Shape::hwc(256, 320, 1), parameters: 150_000, multiply_adds: 60_000_000 },
            Case { net: basic(), input: Shape::hwc(96, 96, 1), parameters: 8_326_340, multiply_adds: 80_000_000 },
        ];
        for Case { net, input, parameters, multiply_adds } in cases {
            let (p, m) = (net.layer_parameters().unwrap(), net.layer_multiply_adds(input).unwrap());
            let (p, m) = (p.iter().sum::<usize>(), m.iter().sum::<u64>());
            assert!(p <= parameters && m <= multiply_adds, "{p} parameters, {m} multiply-adds");
        }
    }
}
