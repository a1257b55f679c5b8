//! Training speed of one network on random data: `cargo run --release -p lineament-train --example speed -- --network
//! basic --threads 2 --groups 2 --steps 20`. Prints `samples_per_s X`, the median over the steps; compare with
//! `benches/training_speed.sh`.

use std::time::Instant;

use lineament::topology::ibug68::POINTS;
use lineament_train::adam::AdamStep;
use lineament_train::graph::Graph;
use lineament_train::networks;
use lineament_train::params::Params;
use lineament_train::trainer::Trainer;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// The paper's batch.
const BATCH: usize = 120;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |flag: &str, default: &str| {
        let at = arguments.iter().position(|a| a == flag);
        at.and_then(|i| arguments.get(i + 1)).map_or(default.to_owned(), Clone::clone)
    };
    let number =
        |flag, default| value(flag, default).parse::<usize>().unwrap_or_else(|_| panic!("{flag} takes a number"));
    let (threads, steps) = (number("--threads", "2"), number("--steps", "20"));
    let groups = number("--groups", &threads.to_string());
    let network = networks::by_name(&value("--network", "basic"), POINTS)
        .unwrap_or_else(|| panic!("--network takes one of {}", networks::NAMES.join(", ")));
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("threads");

    let graph = Graph::new(network).expect("the network fits together");
    let mut rng = Pcg64::seed_from_u64(7);
    let params = Params::init(&graph.architecture, &graph.layout, &mut rng).expect("the network fits together");
    let len = graph.shapes[0].len();
    let pixels: Vec<f32> = (0..BATCH * len).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut trainer = Trainer::new(graph, params, groups);
    let step = AdamStep { rate: 1e-3, decay: 0.0, scale: 1.0 };
    let mut seconds: Vec<f64> = (0..steps + 2)
        .map(|_| {
            let start = Instant::now();
            trainer.step(
                BATCH,
                step,
                |samples, input| input.copy_from_slice(&pixels[samples.start * len..][..input.len()]),
                |(), outputs, d| {
                    for (k, d) in d.iter_mut().enumerate() {
                        d.iter_mut().zip(outputs.get(k)).for_each(|(d, o)| *d = (o - 1.0) / BATCH as f32);
                    }
                },
            );
            start.elapsed().as_secs_f64()
        })
        .skip(2)
        .collect();
    seconds.sort_by(f64::total_cmp);
    println!("samples_per_s {:.1}", BATCH as f64 / seconds[seconds.len() / 2]);
}
