//! One whole training step, compared with PyTorch's numbers (`tools/torch_step.py`).

use lineament_nn::model::{Activation, Architecture, Op, Shape};
use lineament_train::adam::AdamStep;
use lineament_train::graph::Graph;
use lineament_train::params::Params;
use lineament_train::trainer::Trainer;
use serde_json::Value;

/// Largest difference that is accepted, as a share of the largest number of the tensor.
const TOLERANCE: f32 = 1e-4;
/// Tensors of nearly nothing are compared on this scale: biases before batch norm have a gradient of 0 but for
/// rounding.
const LEAST_SCALE: f32 = 1e-2;
/// Gradients below it are rounding: Adam's first step is their sign.
const CLEAR_GRADIENT: f32 = 1e-6;

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch_step.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// The layers of `LAYERS` in the script.
fn network() -> Architecture {
    let mut net = Architecture::new(Shape::hwc(12, 12, 1));
    net.push(Op::Conv { filters: 8, kernel: 3, stride: 1, padding: 1 });
    net.push(Op::BatchNorm);
    net.push(Op::Activation(Activation::PRelu)); // [12, 12, 8]
    net.push(Op::Depthwise { kernel: 3, stride: 2, padding: 1 });
    net.push(Op::BatchNorm);
    let with = net.push(Op::Activation(Activation::HardSwish)); // [6, 6, 8]
    net.push(Op::Conv { filters: 8, kernel: 1, stride: 1, padding: 0 });
    net.push(Op::BatchNorm);
    net.push(Op::Activation(Activation::Relu));
    let sum = net.push(Op::Add { with });
    net.push(Op::MaxPool); // [3, 3, 8]
    let points = net.push(Op::Dense { units: 6 });
    net.push_from(sum, Op::GlobalPool);
    let extra = net.push(Op::Dense { units: 2 });
    net.output("points", points);
    net.output("extra", extra);
    net
}

/// Collects every tensor that differs.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, name: &str, ours: &[f32], theirs: &[f32]) {
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let scale = theirs.iter().fold(LEAST_SCALE, |m, v| m.max(v.abs()));
        let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap(); // NaN counts
        if worst.is_nan() || worst > TOLERANCE * scale {
            self.0.push(format!("{name}: off by {worst}, the largest is {scale}"));
        }
    }
}

#[test]
fn a_training_step_gives_pytorchs_numbers() {
    let fixture = fixture();
    let (input, target) = (numbers(&fixture["input"]), numbers(&fixture["target"]));
    let layers = fixture["layers"].as_array().unwrap();
    let graph = Graph::new(network()).unwrap();
    let layout = graph.layout.clone();
    let mut params = Params { values: vec![0.0; layout.len], statistics: vec![0.0; layout.statistics_len] };
    for (i, layer) in layers.iter().enumerate() {
        for (place, key) in layout.tensors[i].iter().zip(["weight", "bias"]) {
            params.values[place.clone()].copy_from_slice(&numbers(&layer[key]));
        }
        for (place, key) in layout.statistics[i].iter().zip(["running_mean", "running_var"]) {
            params.statistics[place.clone()].copy_from_slice(&numbers(&layer[key]));
        }
    }
    let mut trainer = Trainer::new(graph, params, 1);
    let step = AdamStep { rate: fixture["learning_rate"].as_f64().unwrap() as f32, decay: 0.0, scale: 1.0 };
    let fill = |_, to: &mut [f32]| to.copy_from_slice(&input);
    // The root of the mean square of `points - target`, plus the mean square of `extra`.
    let reports = trainer.step(4, step, fill, |(), outputs, d| {
        let (points, extra) = (outputs.get(0), outputs.get(1));
        let mean = |values: &mut dyn Iterator<Item = f32>, n: usize| values.sum::<f32>() / n as f32;
        let root = mean(&mut points.iter().zip(&target).map(|(p, t)| (p - t).powi(2)), points.len()).sqrt();
        let square = mean(&mut extra.iter().map(|e| e * e), extra.len());
        for ((d, p), t) in d[0].iter_mut().zip(points).zip(&target) {
            *d = (p - t) / (root * points.len() as f32);
        }
        d[1].iter_mut().zip(extra).for_each(|(d, e)| *d = 2.0 * e / extra.len() as f32);
        (root + square, points.to_vec(), extra.to_vec(), d.to_vec())
    });
    let (loss, points, extra, d_outputs) = &reports[0];

    let mut found = Differences::default();
    found.compare("loss", &[*loss], &[fixture["loss"].as_f64().unwrap() as f32]);
    for (k, (name, output)) in [("points", points), ("extra", extra)].into_iter().enumerate() {
        found.compare(name, output, &numbers(&fixture["outputs"][name]));
        found.compare(&format!("gradient of {name}"), &d_outputs[k], &numbers(&fixture["output_grads"][name]));
    }
    let mut clear = 0;
    for (i, layer) in layers.iter().enumerate() {
        let name = |key: &str| format!("layer {i} {} {key}", layer["op"].as_str().unwrap());
        for (place, key) in layout.tensors[i].iter().zip(["weight", "bias"]) {
            let gradient = numbers(&layer[format!("{key}_grad")]);
            found.compare(&name(&format!("{key} gradient")), &trainer.gradient()[place.clone()], &gradient);
            let after = numbers(&layer[format!("{key}_after")]);
            let mut ours = trainer.params.values[place.clone()].to_vec();
            for ((ours, after), gradient) in ours.iter_mut().zip(&after).zip(&gradient) {
                if gradient.abs() > CLEAR_GRADIENT {
                    clear += 1;
                } else {
                    *ours = *after;
                }
            }
            found.compare(&name(&format!("{key} after the step")), &ours, &after);
        }
        for (place, key) in layout.statistics[i].iter().zip(["running_mean_after", "running_var_after"]) {
            found.compare(&name(key), &trainer.params.statistics[place.clone()], &numbers(&layer[key]));
        }
    }
    assert!(found.0.is_empty(), "{} tensors differ:\n{}", found.0.len(), found.0.join("\n"));
    assert!(clear > layout.len / 2, "only {clear} of {} numbers have a clear gradient", layout.len);
}
