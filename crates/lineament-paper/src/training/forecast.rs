//! How much memory and time a run will take, before it starts.

use std::time::Instant;

use lineament_nn::model::Architecture;
use rayon::prelude::*;

use super::Settings;
use lineament_train::error::Result;
use lineament_train::graph::gemm::{Matrix, multiply};

/// The cost of a training run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Learned numbers.
    pub parameters: usize,
    /// Multiply-adds to run the network once.
    pub multiply_adds: u64,
    /// Bytes of the layers' outputs when the network runs once.
    pub activation_bytes: u64,
    /// Bytes that training takes: weights, Adam's two rows, a gradient for each group, and every value of a batch with
    /// its gradient.
    pub training_bytes: u64,
    /// Multiply-adds of the whole run, forward and backward.
    pub training_multiply_adds: f64,
    /// Steps of the whole run.
    pub steps: u64,
}

impl Forecast {
    /// For `architecture` trained on `faces` faces with `held_back` more to validate on.
    ///
    /// # Errors
    /// When the network does not fit together.
    pub fn new(architecture: &Architecture, settings: &Settings, faces: usize, held_back: usize) -> Result<Self> {
        let parameters: usize = architecture.layer_parameters()?.iter().sum();
        let multiply_adds = architecture.layer_multiply_adds(architecture.input)?.iter().sum();
        let values: u64 = architecture.shapes()?.iter().map(|s| s.len() as u64).sum();
        let rows = 3 + settings.groups as u64;
        let passes = settings.epochs as f64 * (3 * faces + held_back) as f64;
        Ok(Self {
            parameters,
            multiply_adds,
            activation_bytes: 4 * values,
            training_bytes: 4 * (rows * parameters as u64 + 2 * settings.batch as u64 * values),
            training_multiply_adds: passes * multiply_adds as f64,
            steps: settings.epochs as u64 * faces.div_ceil(settings.batch) as u64,
        })
    }

    /// Seconds at `multiply_adds_per_s` for the layers and `bytes_per_s` for what each step reads and writes of the
    /// learned numbers: 7 rows by Adam, 3 more for each group's gradient after the first.
    pub fn seconds(&self, settings: &Settings, multiply_adds_per_s: f64, bytes_per_s: f64) -> f64 {
        let rows = 7 + 3 * (settings.groups - 1);
        let bytes = self.steps as f64 * (4 * rows * self.parameters) as f64;
        self.training_multiply_adds / multiply_adds_per_s + bytes / bytes_per_s
    }
}

/// How fast this machine is at the operations of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// Multiply-adds of matrix products, all groups together.
    pub multiply_adds_per_s: f64,
    /// Bytes that are read and written of rows too long for caches.
    pub bytes_per_s: f64,
}

/// Rows and columns of the matrices that [`probe`] multiplies: 17 million multiply-adds, a few tens of megabytes.
const PROBE: [usize; 3] = [60, 2048, 1024];
/// Share of the matrix products' speed that training reaches: convolutions are slower. Measured on the paper's
/// networks.
const REACHED: f64 = 0.8;

/// Measures the machine for a tenth of a second, with `groups` threads at the same time.
pub fn probe(groups: usize) -> Speed {
    let [rows, inner, columns] = PROBE;
    let (a, b) = (vec![1.0; rows * inner], vec![1.0; inner * columns]);
    let mut results = vec![vec![0.0; rows * columns]; groups];
    let repeats = 20;
    let mut seconds = |repeats: usize| {
        let start = Instant::now();
        results.par_iter_mut().for_each(|c| {
            for _ in 0..repeats {
                multiply(c, Matrix::new(&a, rows, inner), Matrix::new(&b, inner, columns), false);
            }
        });
        start.elapsed().as_secs_f64().max(1e-9)
    };
    seconds(2); // wakes the threads and the memory
    let products = (rows * inner * columns * repeats * groups) as f64;
    let multiply_adds_per_s = REACHED * products / seconds(repeats);
    let mut long = vec![1.0f32; 16 << 20];
    let chunk = long.len().div_ceil(groups);
    let start = Instant::now();
    long.par_chunks_mut(chunk).for_each(|row| row.iter_mut().for_each(|v| *v = *v * 0.5 + 1.0));
    let bytes_per_s = (8 * long.len()) as f64 / start.elapsed().as_secs_f64().max(1e-9);
    Speed { multiply_adds_per_s, bytes_per_s }
}
