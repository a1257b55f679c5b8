//! The model files of the tests in `apps/web/tests`: networks that are obvious by eye, of a topology that is not the
//! iBUG 68 points. `REGENERATE=1 cargo test -p lineament-web` writes them anew.

use std::path::Path;

use lineament::stages::{CHANNELS, GRIDS};
use lineament::topology::{Definition, Outline, Topology};
use lineament_nn::model::{Architecture, Metadata, Model, Op, Role, Shape, key, write};

/// Three points: the corners above swap sides in the mirror, the one below stays. There are no five points, so that
/// objects are upright.
fn triangle() -> Topology {
    let line = |name: &str, points: &[usize], closed, colour| Outline {
        name: name.into(),
        points: points.into(),
        closed,
        colour,
    };
    Topology::new(Definition {
        name: "triangle".into(),
        names: ["right_top", "left_top", "bottom"].map(Into::into).into(),
        mirror: vec![1, 0, 2],
        outlines: vec![line("rim", &[0, 1, 2], true, None), line("top", &[1, 0], false, Some([0x12, 0xab, 0xef]))],
        ..Definition::default()
    })
    .unwrap()
}

fn metadata(role: Role, entries: &[(&str, &str)]) -> Metadata {
    let mut metadata = Metadata::new(role);
    entries.iter().for_each(|(key, value)| metadata.set(key, *value));
    triangle().describe(&mut metadata);
    metadata
}

/// Places the corners at the edge of the box that the crop was made for: those above at its own corners, the one below
/// in the middle. Each is expected to be off by a twentieth of half the crop's side. It cannot tell faces from others.
fn landmark_network() -> Vec<u8> {
    const PIXELS: usize = 4 * 4;
    // The crop reaches from -1 to 1, and its side is 1.35 sides of the box.
    let half = 1.0 / 1.35;
    let points = vec![-half, -half, half, -half, 0.0, half];
    let units = points.len();
    let mut net = Architecture::new(Shape::hwc(4, 4, 1));
    let value = net.push(Op::Dense { units });
    net.output("points", value);
    let entries = [
        (key::INPUT, "grey"),
        (key::NORMALISATION, "unit"),
        (key::CROP, "margin=1.35"),
        (key::ERRORS, "0.05,0.05,0.05"),
    ];
    let weights = vec![(vec![PIXELS, units], vec![0.0; PIXELS * units]), (vec![units], points)];
    write(&net, &metadata(Role::Landmarks, &entries), &[weights]).unwrap()
}

/// Finds cells of 8 x 8 pixels whose brightest pixel is more than ten standard deviations above the picture's mean: a
/// small white dot on a dark ground, nothing in a photo. The box is a square of five cells around the cell.
fn dot_detector() -> Vec<u8> {
    const LEAST: f32 = 10.0;
    /// The logarithm of 5, written out: processors compute it differently to the last bit.
    const LOG_SIDE_CELLS: f32 = 1.609_438;
    /// Log-odds per standard deviation.
    const GAIN: f32 = 20.0;
    let mut net = Architecture::new(Shape::hwc(64, 64, 1));
    let mut tensors = Vec::new();
    let mut value = 0;
    for step in (1..=5).map(|halvings| 1 << halvings) {
        value = net.push_from(value, Op::MaxPool);
        tensors.push(Vec::new());
        let Some((name, _)) = GRIDS.iter().find(|grid| grid.1 == step) else { continue };
        let head = net.push_from(value, Op::Conv { filters: CHANNELS, kernel: 1, stride: 1, padding: 0 });
        net.output(name, head);
        let (mut weights, mut bias) = (vec![0.0; CHANNELS], vec![0.0; CHANNELS]);
        bias[0] = -50.0; // Only the finest grid finds something.
        if step == GRIDS[0].1 {
            (weights[0], bias[0]) = (GAIN, -GAIN * LEAST);
            bias[3..5].fill(LOG_SIDE_CELLS);
        }
        tensors.push(vec![(vec![CHANNELS, 1, 1, 1], weights), (vec![CHANNELS], bias)]);
    }
    let entries = [(key::INPUT, "grey"), (key::NORMALISATION, "standardise")];
    write(&net, &metadata(Role::Detector, &entries), &tensors).unwrap()
}

#[test]
fn stored_files_hold_what_is_written_here() {
    for (name, written) in [("triangle.onnx", landmark_network()), ("dots.onnx", dot_detector())] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps/web/tests/fixtures").join(name);
        if std::env::var_os("REGENERATE").is_some() {
            std::fs::write(&file, &written).unwrap();
        }
        let stored = std::fs::read(&file).unwrap();
        // Not the bytes: they tell the version of the library, too.
        assert!(Model::parse(&stored).unwrap() == Model::parse(&written).unwrap(), "{name}: run with REGENERATE=1");
    }
}
