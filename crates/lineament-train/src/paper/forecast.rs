//! What a run will take, said before it starts.

use lineament::model::Architecture;

use super::Settings;
use crate::error::Result;

/// What a training run takes.
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
