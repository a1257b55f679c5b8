//! How a training run proceeds, on standard error.

use std::fmt::Write as _;

use lineament_train::task::Task;
use lineament_train::train::{Epoch, Run};

use crate::progress::{Progress, Unit};

/// Share of the earlier steps in the loss that is shown: that of a single step jumps.
const SMOOTHING: f32 = 0.95;

/// Follows a run.
pub struct Watch {
    progress: Progress,
    epochs: usize,
    loss: Option<f32>,
    figures: String,
}

impl Watch {
    /// Before the first step.
    pub fn new<T: Task>(run: &Run<T>, epochs: usize) -> Self {
        let progress = Progress::new(Unit::Unnamed, Some(run.total_steps()));
        Self { progress, epochs, loss: None, figures: String::new() }
    }

    /// A step was taken.
    pub fn step<T: Task>(&mut self, run: &Run<T>, loss: f32) {
        let loss = self.loss.map_or(loss, |old| old * SMOOTHING + loss * (1.0 - SMOOTHING));
        self.loss = Some(loss);
        self.progress.set(run.steps(), || {
            let epoch = run.steps().div_ceil(run.steps_per_epoch());
            let (epochs, figures, pace) = (self.epochs, &self.figures, run.samples_per_s());
            format!("epoch {epoch} of {epochs}, loss {loss:.4}{figures}, {pace:.0} samples/s")
        });
    }

    /// An epoch ended.
    pub fn epoch(&mut self, epoch: &Epoch) {
        let Some(validation) = &epoch.validation else { return };
        self.figures.clear();
        for (name, value) in validation {
            let _ = write!(self.figures, ", {name} {value:.3}"); // writing to a String cannot fail
        }
        let losses: String = epoch.losses.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
        let mut line = format!("epoch {} of {}{losses}{}", epoch.epoch, self.epochs, self.figures);
        let left = self.progress.left();
        if !left.is_empty() {
            line += &format!(", {left}");
        }
        self.progress.say(&line);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.progress.finish();
    }

    /// Figures of the last validation, with a comma before each.
    pub fn last_figures(&self) -> &str {
        &self.figures
    }
}
