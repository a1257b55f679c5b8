//! The progress of a run, on standard error: a bar on a terminal, elsewhere a line now and then.

use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lineament_train::task::Task;
use lineament_train::train::{Epoch, Run};

use crate::progress::say;

/// Time between lines where there is no bar.
const SILENCE: Duration = Duration::from_secs(60);

/// Share of the earlier steps in the loss that is shown: the losses of single steps jump.
const SMOOTHING: f32 = 0.95;

/// Follows a run.
pub struct Watch {
    bar: Option<ProgressBar>,
    epochs: usize,
    first_step: u64,
    started: Instant,
    spoken: Instant,
    loss: Option<f32>,
    figures: String,
}

impl Watch {
    /// Before the first step.
    pub fn new<T: Task>(run: &Run<T>, epochs: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:24} {msg}").expect("the template is right");
            let bar = ProgressBar::with_draw_target(Some(run.total_steps()), ProgressDrawTarget::stderr());
            bar.with_style(style.progress_chars("=> ")).with_position(run.steps())
        });
        let now = Instant::now();
        Self { bar, epochs, first_step: run.steps(), started: now, spoken: now, loss: None, figures: String::new() }
    }

    /// A step was taken.
    pub fn step<T: Task>(&mut self, run: &Run<T>, loss: f32) {
        let loss = self.loss.map_or(loss, |old| old * SMOOTHING + loss * (1.0 - SMOOTHING));
        self.loss = Some(loss);
        if let Some(bar) = &self.bar {
            bar.set_message(self.state(run, loss));
            bar.set_position(run.steps());
        } else if self.spoken.elapsed() >= SILENCE {
            self.spoken = Instant::now();
            say(&self.state(run, loss));
        }
    }

    /// An epoch ended.
    pub fn epoch<T: Task>(&mut self, run: &Run<T>, epoch: &Epoch) {
        let Some(validation) = &epoch.validation else { return };
        self.figures.clear();
        for (name, value) in validation {
            let _ = write!(self.figures, ", {name} {value:.3}"); // writing to a String cannot fail
        }
        let losses: String = epoch.losses.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
        let line = format!("epoch {} of {}{losses}{}{}", epoch.epoch, self.epochs, self.figures, self.left(run));
        self.spoken = Instant::now();
        match &self.bar {
            Some(bar) => bar.suspend(|| say(&line)),
            None => say(&line),
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Figures of the last validation, with a comma before each.
    pub fn last_figures(&self) -> &str {
        &self.figures
    }

    fn state<T: Task>(&self, run: &Run<T>, loss: f32) -> String {
        let epoch = run.steps().div_ceil(run.steps_per_epoch());
        let (figures, pace, left) = (&self.figures, run.samples_per_s(), self.left(run));
        format!("epoch {epoch} of {}, loss {loss:.4}{figures}, {pace:.0} samples/s{left}", self.epochs)
    }

    /// The time left, with validations; empty where it is not known.
    fn left<T: Task>(&self, run: &Run<T>) -> String {
        let (done, left) = (run.steps() - self.first_step, run.total_steps().saturating_sub(run.steps()));
        if done == 0 || left == 0 {
            return String::new();
        }
        let seconds = self.started.elapsed().as_secs_f64() * left as f64 / done as f64;
        format!(", {} left", HumanDuration(Duration::from_secs_f64(seconds)))
    }
}
