//! Progress on standard error: a bar in a terminal, else a line per minute.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lineament_data::annotate::{Counts, Reason};

use crate::progress::say;

/// Time between lines where there is no bar.
const SILENCE: Duration = Duration::from_secs(60);

/// Shows the progress; called from any thread.
pub struct Watch {
    bar: Option<ProgressBar>,
    photos: usize,
    spoken: Mutex<Instant>,
}

impl Watch {
    /// Before the first photo.
    pub fn new(photos: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let template = "{bar:24} {pos} of {len} photos, {msg}, {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is right");
            let bar = ProgressBar::with_draw_target(Some(photos as u64), ProgressDrawTarget::stderr());
            bar.with_style(style.progress_chars("=> "))
        });
        Self { bar, photos, spoken: Mutex::new(Instant::now()) }
    }

    /// Shows the counts so far.
    pub fn hear(&self, counts: &Counts) {
        let state = || format!("{} kept, {} left out", counts.kept, counts.rejected_in_all());
        if let Some(bar) = &self.bar {
            bar.set_message(state());
            bar.set_position(counts.photos as u64);
            return;
        }
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        if spoken.elapsed() >= SILENCE {
            *spoken = Instant::now();
            say(&format!("{} of {} photos, {}", counts.photos, self.photos, state()));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The result: a line for the photos, one for the kept faces and one for each reason.
pub fn table(counts: &Counts) -> Vec<String> {
    let row = |count: usize, name: &str, words: &str| format!("{name:<24}{count:>8}  {words}").trim_end().to_owned();
    let rejected = |reason: Reason| Some((reason, *counts.rejected.get(&reason)?));
    let reasons = Reason::ALL.into_iter().filter_map(rejected);
    let reasons = reasons.map(|(reason, count)| row(count, reason.name(), reason.sentence()));
    let kept = row(counts.kept, "kept", "faces in the table");
    [row(counts.photos, "photos", ""), kept].into_iter().chain(reasons).collect()
}
