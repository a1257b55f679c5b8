//! A bar with the time left, on standard error, where somebody watches and nothing else scrolls there.

use std::io::{IsTerminal, Write as _, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure;

/// Photos below which a bar would only flash up.
const FEWEST: usize = 8;

/// Steps of a bar whose length is a share.
const STEPS: u64 = 10_000;

/// The bar, or nothing.
pub struct Progress(ProgressBar);

impl Progress {
    /// For `count` photos; `prints` says that results go to standard output.
    pub fn new(count: usize, prints: bool) -> Self {
        if count < FEWEST || !stderr().is_terminal() || (prints && stdout().is_terminal()) {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:32} {pos} of {len} photos, {eta} left")
            .expect("the template is right")
            .progress_chars("=> ");
        Self(ProgressBar::new(count as u64).with_style(style))
    }

    /// For the frames of a video, of which a stream does not say how many there are.
    pub fn of_frames(count: Option<u64>, prints: bool) -> Self {
        if !stderr().is_terminal() || (prints && stdout().is_terminal()) {
            return Self(ProgressBar::hidden());
        }
        let (bar, template) = match count {
            Some(count) => (ProgressBar::new(count), "{bar:32} {pos} of {len} frames, {per_sec}, {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {pos} frames, {per_sec}"),
        };
        let style = ProgressStyle::with_template(template).expect("the template is right").progress_chars("=> ");
        Self(bar.with_style(style))
    }

    /// For a table, whose rows are not known before.
    pub fn of_share() -> Self {
        if !stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:32} {percent} %, {eta} left")
            .expect("the template is right")
            .progress_chars("=> ");
        Self(ProgressBar::new(STEPS).with_style(style))
    }

    /// For `steps` steps of which `done` were taken before; the message says what is going on.
    pub fn of_steps(steps: u64, done: u64) -> Self {
        if !stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:24} {msg}").expect("the template is right");
        Self(ProgressBar::new(steps).with_style(style.progress_chars("=> ")).with_position(done))
    }

    /// So many steps are taken.
    pub fn set(&self, steps: u64, message: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_message(message());
            self.0.set_position(steps);
        }
    }

    /// A line above the bar.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| say(line));
    }

    /// How much of the table is done, from 0 to 1.
    pub fn set_share(&self, share: f64) {
        self.0.set_position((share * STEPS as f64) as u64);
    }

    /// One photo or frame more is done.
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// Reports a failure above the bar.
    pub fn report(&self, error: &anyhow::Error) {
        self.0.suspend(|| failure::report(error));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// A line on standard error. That nobody may be listening there is no failure.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{}", failure::one_line(line));
}
