//! The paper's networks: its experiment, and what its future work asks to vary.

use lineament_data::record::SIDE;
use lineament_nn::model::{Activation, Architecture, Op, Shape};
use serde::{Deserialize, Serialize};

use super::blocks::Count;
use super::{LANDMARK_OUTPUTS, NetworkText};

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
    /// The same as text, to begin a network of one's own from.
    pub fn text(&self, name: &str) -> NetworkText {
        let points = 1; // any number: the layer that depends on it is set below
        let mut text = NetworkText::plain(name, &self.architecture(points));
        if let Some(last) = text.layers.last_mut() {
            last.units = Some(Count::PerPoint(2));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68::POINTS;

    use super::*;

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
            let net = Paper::by_name(name).unwrap().architecture(POINTS);
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
