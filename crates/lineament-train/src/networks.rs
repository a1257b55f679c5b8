//! The networks we train, as lists of layers.

use lineament::stages::{CHANNELS, GRIDS};
use lineament::topology::ibug68::POINTS;
use lineament_data::record::SIDE;
use lineament_nn::model::{Activation, Architecture, Op, Shape, ValueId};
use serde::{Deserialize, Serialize};

/// Names that [`by_name`] knows.
pub const NAMES: [&str; 6] = ["lite", "detector", "basic", "two", "one", "none"];

/// The network called `name`; `None` for a name that is not in [`NAMES`].
pub fn by_name(name: &str) -> Option<Architecture> {
    match name {
        "lite" => Some(lite()),
        "detector" => Some(detector()),
        name => Paper::by_name(name).map(|paper| paper.architecture(POINTS)),
    }
}

/// Names of the landmark networks' outputs, in order.
pub const LANDMARK_OUTPUTS: [&str; 3] = ["points", "log_errors", "score"];

/// The default landmark network: 112x112 grey, blocks of depthwise and pointwise convolutions with a residual path.
///
/// Each of the 7x7 cells of the last map votes on every coordinate, relative to its own position, and gives its vote
/// a weight (as the anchors of Xiong et al., "A2J", 2019). All cells share the parameters of their votes, so that a
/// shifted face shifts the votes; dense heads would have to learn this for each cell separately.
///
/// Outputs: `points` `[136]`, x then y of each point in the crop frame; `log_errors` `[68]`, natural logarithm of the
/// expected distance in the crop frame; `score` `[1]`, log-odds of a face.
pub fn lite() -> Architecture {
    const ACT: Activation = Activation::PRelu;
    let mut net = Architecture::new(Shape::hwc(112, 112, 1));
    conv(&mut net, 16, 3, 2, Some(ACT)); // [56, 56, 16]
    separable(&mut net, 16, 3, 1, ACT); // [56, 56, 16]
    separable(&mut net, 48, 3, 2, ACT); // [28, 28, 48]
    residual(&mut net, 48, 3, ACT);
    residual(&mut net, 48, 3, ACT);
    separable(&mut net, 128, 3, 2, ACT); // [14, 14, 128]
    for _ in 0..6 {
        residual(&mut net, 128, 5, ACT);
    }
    let mut features = separable(&mut net, 192, 5, 2, ACT); // [7, 7, 192]
    for _ in 0..4 {
        features = residual(&mut net, 192, 5, ACT);
    }
    let [points, log_errors, score] = LANDMARK_OUTPUTS;
    let weights = net.push_from(features, pointwise(2 * POINTS));
    net.push_from(features, pointwise(2 * POINTS));
    net.push(Op::PositionBias);
    let voted = net.push(Op::WeightedPool { weights });
    net.output(points, voted);
    let weights = net.push_from(features, pointwise(POINTS));
    net.push_from(features, pointwise(POINTS));
    let voted = net.push(Op::WeightedPool { weights });
    net.output(log_errors, voted);
    net.push_from(features, pointwise(32));
    net.push(Op::BatchNorm);
    net.push(Op::Activation(ACT));
    let dense = net.push(Op::Dense { units: 1 });
    net.output(score, dense);
    net
}

/// A convolution of single pixels with bias.
const fn pointwise(filters: usize) -> Op {
    Op::Conv { filters, kernel: 1, stride: 1, padding: 0 }
}

/// Side of the square scenes that the detector is trained on, in pixels.
const DETECTOR_SIDE: usize = 256;

/// The face detector: grey of any size, three grids of cells 8, 16 and 32 pixels apart for small, middle and large
/// faces. The outputs and their numbers per cell are [`GRIDS`] and [`CHANNELS`].
pub fn detector() -> Architecture {
    const ACT: Activation = Activation::Relu;
    let mut net = Architecture::new(Shape::hwc(DETECTOR_SIDE, DETECTOR_SIDE, 1));
    conv(&mut net, 16, 3, 2, Some(ACT)); // 1/2
    separable(&mut net, 32, 3, 2, ACT); // 1/4
    residual(&mut net, 32, 3, ACT);
    separable(&mut net, 64, 3, 2, ACT); // 1/8
    residual(&mut net, 64, 3, ACT);
    let grid8 = residual(&mut net, 64, 3, ACT);
    separable(&mut net, 96, 3, 2, ACT); // 1/16
    residual(&mut net, 96, 3, ACT);
    let grid16 = residual(&mut net, 96, 3, ACT);
    separable(&mut net, 96, 3, 2, ACT); // 1/32
    residual(&mut net, 96, 3, ACT);
    residual(&mut net, 96, 3, ACT);
    let grid32 = residual(&mut net, 96, 3, ACT);
    for (value, (name, _)) in [grid8, grid16, grid32].into_iter().zip(GRIDS) {
        net.push_from(value, Op::Depthwise { kernel: 3, stride: 1, padding: 1 });
        net.push(Op::BatchNorm);
        net.push(Op::Activation(ACT));
        let head = net.push(pointwise(CHANNELS));
        net.output(name, head);
    }
    net
}

/// The paper's networks (section 3): how many of the three convolutions are pooled, and what its future work asks to
/// vary (section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Max-pooling layers, 0 to 3: they are removed from the first convolution on.
    pub pools: usize,
    /// Filters of the three convolutions.
    pub filters: [usize; 3],
    /// Sides of their kernels.
    pub kernels: [usize; 3],
}

/// Names of the paper's networks, with their number of pooling layers.
pub const PAPER: [(&str, usize); 4] = [("basic", 3), ("two", 2), ("one", 1), ("none", 0)];

impl Paper {
    /// As the paper has it, with `pools` pooling layers.
    pub const fn new(pools: usize) -> Self {
        Self { pools, filters: [32, 32, 64], kernels: [3, 2, 2] }
    }

    /// The paper's network of that name in [`PAPER`].
    pub fn by_name(name: &str) -> Option<Self> {
        PAPER.iter().find(|(known, _)| *known == name).map(|(_, pools)| Self::new(*pools))
    }

    /// The layers: a 96x96 grey input to the coordinates of `points` points, x then y of each, in pixels of the input.
    ///
    /// Convolutions are not padded, although the paper prints feature maps of 12, 24 and 48: only so the sizes of its
    /// files (table 2) come out.
    pub fn architecture(&self, points: usize) -> Architecture {
        let mut net = Architecture::new(Shape::hwc(SIDE, SIDE, 1));
        for (i, (filters, kernel)) in self.filters.into_iter().zip(self.kernels).enumerate() {
            net.push(Op::Conv { filters, kernel, stride: 1, padding: 0 });
            if i + self.pools >= self.filters.len() {
                net.push(Op::MaxPool);
            }
            net.push(Op::Activation(Activation::Relu));
        }
        for units in [1000, 500] {
            net.push(Op::Dense { units });
            net.push(Op::Activation(Activation::Relu));
        }
        let points = net.push(Op::Dense { units: 2 * points });
        net.output(LANDMARK_OUTPUTS[0], points);
        net
    }
}

/// Convolution that keeps the size (divided by `stride`), batch norm, activation.
fn conv(net: &mut Architecture, filters: usize, kernel: usize, stride: usize, act: Option<Activation>) -> ValueId {
    net.push(Op::Conv { filters, kernel, stride, padding: kernel / 2 });
    let normed = net.push(Op::BatchNorm);
    act.map_or(normed, |act| net.push(Op::Activation(act)))
}

/// Depthwise that keeps the size (divided by `stride`), then pointwise to `filters`.
fn separable(net: &mut Architecture, filters: usize, kernel: usize, stride: usize, act: Activation) -> ValueId {
    net.push(Op::Depthwise { kernel, stride, padding: kernel / 2 });
    net.push(Op::BatchNorm);
    net.push(Op::Activation(act));
    conv(net, filters, 1, 1, Some(act))
}

/// Depthwise and pointwise, added to what came in.
fn residual(net: &mut Architecture, channels: usize, kernel: usize, act: Activation) -> ValueId {
    let with = net.layers.len();
    separable(net, channels, kernel, 1, act);
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
            Case { net: lite(), input: Shape::hwc(112, 112, 1), parameters: 1_200_000, multiply_adds: 45_000_000 },
            Case { net: detector(), input: Shape::hwc(256, 320, 1), parameters: 150_000, multiply_adds: 60_000_000 },
        ];
        for Case { net, input, parameters, multiply_adds } in cases {
            let (p, m) = (net.layer_parameters().unwrap(), net.layer_multiply_adds(input).unwrap());
            let (p, m) = (p.iter().sum::<usize>(), m.iter().sum::<u64>());
            assert!(p <= parameters && m <= multiply_adds, "{p} parameters, {m} multiply-adds");
        }
    }

    #[test]
    fn the_papers_networks_have_the_sizes_of_its_table_2() {
        // Name, last feature map, parameters, size in the paper's table in KiB.
        let cases = [
            ("basic", 11, 8_326_340, Some(32.5e3)), // 32,525 KiB printed as 32.5 MB
            ("two", 22, 31_558_340, Some(120.0 * 1024.0)),
            ("one", 46, 136_006_340, Some(518.0 * 1024.0)),
            ("none", 92, 542_278_340, None),
        ];
        for (name, side, parameters, paper_kib) in cases {
            let net = by_name(name).unwrap();
            let shapes = net.shapes().unwrap();
            let last_map = shapes.iter().rfind(|s| s.height > 1).unwrap();
            assert_eq!((last_map.height, last_map.width, last_map.channels), (side, side, 64), "{name}");
            let learned: usize = net.layer_parameters().unwrap().iter().sum();
            assert_eq!(learned, parameters, "{name}");
            if let Some(paper_kib) = paper_kib {
                let kib = (4 * learned) as f64 / 1024.0;
                assert!((kib / paper_kib - 1.0).abs() < 0.01, "{name}: {kib:.0} KiB, the paper has {paper_kib}");
            }
        }
    }

    #[test]
    fn filters_and_kernels_of_the_papers_networks_can_be_chosen() {
        let net = Paper { pools: 3, filters: [8, 16, 24], kernels: [5, 3, 3] }.architecture(15);
        let shapes = net.shapes().unwrap();
        assert!(shapes.contains(&Shape::hwc(10, 10, 24)), "((96 - 4) / 2 - 2) / 2 - 2, halved");
        assert_eq!(*shapes.last().unwrap(), Shape::hwc(1, 1, 30));
    }
}
