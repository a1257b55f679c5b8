//! What a network costs, known before it is trained: size, memory, and the time of a pass.

use std::time::{Duration, Instant};

use lineament::stages::Detector;
use lineament_nn::engine::Engine;
use lineament_nn::model::{Architecture, Metadata, Role, Shape, key};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::config::{Config, Task};
use crate::error::Result;
use crate::export;
use crate::graph::Graph;
use crate::params::Params;
use crate::quantize::{Precision, quantize};

/// Passes before the measured ones: they fill the caches.
const WARM_PASSES: usize = 3;
/// Most measured passes.
const PASSES: usize = 50;
/// Passes are measured no longer than this, for large networks.
const LONGEST: Duration = Duration::from_millis(300);

/// The cost of a network, in training and in use.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkSummary {
    /// Its input, `[rows, columns, channels]`.
    pub input: Shape,
    /// Layers in training; batch normalisation is not in the model file.
    pub layers: usize,
    /// Learned numbers in training.
    pub parameters: usize,
    /// Multiply-adds of a pass at that input.
    pub multiply_adds: u64,
    /// Bytes of the model file in f32.
    pub f32_bytes: usize,
    /// Bytes of the model file in f16.
    pub f16_bytes: usize,
    /// Bytes that training takes besides the photos, about.
    pub training_bytes: u64,
    /// Median time of a pass through the library's engine on this thread.
    pub pass: Duration,
}

impl NetworkSummary {
    /// Exports `graph` with initial weights, as the run will, and runs the file for up to a third of a second.
    ///
    /// # Errors
    /// When the network cannot be exported or run: better now than after the first epochs.
    pub fn measure(config: &Config, graph: &Graph) -> Result<Self> {
        let net = &graph.architecture;
        let mut rng = Pcg64::seed_from_u64(config.seed);
        let params = Params::init(net, &graph.layout, &mut rng)?;
        let folded = export::fold(graph, &params)?;
        let metadata = metadata(config);
        let f32_bytes = export::write(&folded, &metadata)?.len();
        let model = folded.model(&metadata);
        if config.task == Task::Detector {
            Detector::new(&model)?; // It plans the largest frame.
        }
        let f16_bytes = quantize(&model, Precision::F16, &[], || ())?.to_bytes()?.len();
        Ok(Self {
            input: net.input,
            layers: net.layers.len(),
            parameters: graph.layout.len,
            multiply_adds: net.layer_multiply_adds(net.input)?.iter().sum(),
            f32_bytes,
            f16_bytes,
            training_bytes: training_bytes(net, config.batch, config.groups)?,
            pass: time(Engine::new(&model)?, &mut rng),
        })
    }
}

/// What the library asks of a model file.
fn metadata(config: &Config) -> Metadata {
    let mut metadata = Metadata::new(match config.task {
        Task::Landmarks => Role::Landmarks,
        Task::Detector => Role::Detector,
    });
    metadata.set(key::NAME, config.network_name());
    metadata.set(key::INPUT, "grey");
    metadata.set(key::NORMALISATION, lineament::Normalisation::Standardise.to_string());
    metadata
}

/// The median time of a pass on noise.
fn time(mut engine: Engine, rng: &mut Pcg64) -> Duration {
    let noise: Vec<f32> = (0..engine.input_shape().len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut pass = || {
        let start = Instant::now();
        engine.run(|input| input.copy_from_slice(&noise));
        start.elapsed()
    };
    let start = Instant::now();
    let mut times: Vec<Duration> = Vec::new();
    for index in 0..WARM_PASSES + PASSES {
        let time = pass();
        if index >= WARM_PASSES {
            times.push(time);
        }
        if start.elapsed() > LONGEST && !times.is_empty() {
            break;
        }
    }
    times.sort();
    times[times.len() / 2]
}

/// Bytes that training of `net` takes besides the photos, about: weights, their EMA, Adam's two rows and a gradient for
/// each group, and every value that a batch keeps for its way back, with its gradient.
///
/// # Errors
/// When the network's sizes do not fit together.
pub fn training_bytes(net: &Architecture, batch: usize, groups: usize) -> Result<u64> {
    let graph = Graph::new(net.clone())?;
    let rows = 4 + groups as u64;
    let learned = rows.saturating_mul(graph.layout.len as u64);
    let values = (batch as u64).saturating_mul(2 * graph.kept_numbers() as u64);
    Ok(learned.saturating_add(values).saturating_mul(size_of::<f32>() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_lite_and_the_detector_has_the_sizes_in_their_cards() {
        let cases = [(Task::Landmarks, 434_177, 44_698_976, 426_369), (Task::Detector, 93_325, 34_152_448, 89_229)];
        for (task, parameters, multiply_adds, in_file) in cases {
            let config = Config { task, ..Config::default() };
            let graph = Graph::new(config.architecture().unwrap()).unwrap();
            let summary = NetworkSummary::measure(&config, &graph).unwrap();
            assert_eq!((summary.parameters, summary.multiply_adds), (parameters, multiply_adds), "{task:?}");
            let NetworkSummary { f32_bytes, f16_bytes, training_bytes, pass, .. } = summary;
            // Names and sizes of tensors are some tens of kilobytes.
            assert!((4 * in_file..4 * in_file + 100_000).contains(&f32_bytes), "{task:?}: {f32_bytes}");
            assert!((2 * in_file..3 * in_file).contains(&f16_bytes), "{task:?}: {f16_bytes}");
            assert!(training_bytes > 8 * 4 * parameters as u64 && training_bytes < 4 << 30, "{training_bytes}");
            assert!(pass > Duration::ZERO);
        }
    }

    #[test]
    fn memory_for_training_grows_with_the_batch_and_the_groups() {
        let net = Config::default().architecture().unwrap();
        let of = |batch, groups| training_bytes(&net, batch, groups).unwrap();
        assert!(of(64, 4) < of(128, 4) && of(128, 4) < 2 * of(64, 4));
        assert_eq!(of(64, 5) - of(64, 4), 4 * 434_177);
        assert!(of(usize::MAX / 2, 4) == u64::MAX, "an absurd batch is not a small number");
    }
}
