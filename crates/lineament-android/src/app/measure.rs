//! The benchmark, and the times of other models: in slices between touches.

use std::path::PathBuf;

use lineament_bench::Run;

use super::App;
use super::screens::model_rows;
use crate::models::Timing;
use crate::page::{LETTER, Layout};

/// What is measured, or was.
pub(super) enum Benchmark {
    Idle(Vec<String>),
    Running { run: Box<Run>, share: f64 },
}

/// A measurement works in slices of this length, so that touches are answered.
const SLICE_SECS: f64 = 0.02;
/// How often a running measurement shows its progress.
const SHOW_EVERY_SECS: f64 = 0.5;

impl App {
    pub(super) fn stop_measuring(&mut self, words: &str) {
        if matches!(self.benchmark, Benchmark::Running { .. }) {
            self.benchmark = Benchmark::Idle(vec![words.to_owned()]);
        }
        if let Some((number, _)) = self.timing.take() {
            self.answers[number] = words.to_owned();
        }
    }

    pub(super) fn start_benchmark(&mut self) {
        if matches!(self.benchmark, Benchmark::Running { .. }) {
            return self.stop_measuring("Stopped. Tap to start again.");
        }
        self.benchmark = match Run::new(self.plan.clone()) {
            Ok(run) => Benchmark::Running { run: Box::new(run), share: 0.0 },
            Err(error) => Benchmark::Idle(vec![error.to_string()]),
        };
    }

    pub(super) fn tapped_model(&mut self, layout: &Layout, y: usize) {
        let list = model_rows(layout);
        let Some(number) = y.checked_sub(list.top).map(|y| y / (2 * LETTER.1)).filter(|&n| n < self.files.len()) else {
            return;
        };
        self.stop_measuring("stopped");
        match Timing::load(&self.files[number]) {
            Ok(timing) => {
                self.answers[number] = "is measured".to_owned();
                self.timing = Some((number, Box::new(timing)));
            }
            Err(refusal) => self.answers[number] = refusal.to_string(),
        }
    }

    pub(super) fn work_benchmark(&mut self) {
        let begin = self.platform.clock.secs();
        let Benchmark::Running { run, share } = &mut self.benchmark else { return };
        while let Some(done) = run.advance() {
            *share = done;
            if self.platform.clock.secs() - begin >= SLICE_SECS {
                if begin - self.shown_secs >= SHOW_EVERY_SECS {
                    self.draw_page();
                }
                return;
            }
        }
        let report = run.report();
        let mut lines = report.lines();
        lines.push(String::new());
        lines.push(match self.write_report(&report.to_json()) {
            Ok(path) => format!("Saved as {}", path.display()),
            Err(error) => format!("Not saved: {error}"),
        });
        self.benchmark = Benchmark::Idle(lines);
        self.draw_page();
    }

    pub(super) fn write_report(&self, json: &str) -> std::io::Result<PathBuf> {
        let folder = self.platform.folder.as_ref().ok_or(std::io::ErrorKind::NotFound)?;
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("bench-{}.json", self.platform.clock.unix_secs()));
        std::fs::write(&path, format!("{json}\n"))?;
        Ok(path)
    }

    pub(super) fn work_models(&mut self) {
        let begin = self.platform.clock.secs();
        let Some((number, timing)) = &mut self.timing else { return };
        loop {
            if let Some(ms) = timing.advance() {
                self.answers[*number] = format!("{ms:.2} ms, {:.0} per second", 1e3 / ms);
                self.timing = None;
                return self.draw_page();
            }
            if self.platform.clock.secs() - begin >= SLICE_SECS {
                return;
            }
        }
    }
}
