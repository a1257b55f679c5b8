//! How work proceeds, on standard error: a bar with the time left where somebody watches, else a line now and then.

use std::io::{IsTerminal, Write as _, stderr, stdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::failure;
use crate::text::grouped;

/// Work that ends sooner shows nothing.
const DELAY: Duration = Duration::from_secs(1);

/// Time between two states of a bar.
const TICK: Duration = Duration::from_millis(100);

/// Longest silence where there is no bar.
const SILENCE: Duration = Duration::from_secs(60);

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// Things of this name, in the plural: `12 of 300 photos`.
    Things(&'static str),
    /// A share of the whole: `43 %`.
    Percent,
    /// Nothing that is shown; the message says what is done.
    Unnamed,
}

/// Where the state is shown.
enum View {
    /// Somebody watches.
    Bar(ProgressBar),
    /// Standard error is a file or another program.
    Lines,
    /// The results scroll over the same terminal and tell enough.
    Nothing,
}

/// Parts of the whole, where a share is counted.
pub const WHOLE: u64 = 10_000;

/// Follows some work. Any thread may tell it what is done.
pub struct Progress {
    view: View,
    unit: Unit,
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    seen: Mutex<Seen>,
}

/// What was told, and when.
struct Seen {
    /// The first state after [`DELAY`], from which the pace is measured: by then what an earlier run of the program has
    /// done is passed over.
    first: Option<(Instant, u64)>,
    /// When a state was last shown.
    shown: Instant,
}

impl Progress {
    /// Of `total` things; `None` where nobody knows how many there will be.
    pub fn new(unit: Unit, total: Option<u64>) -> Self {
        let view = if stderr().is_terminal() {
            let template = if total.is_some() { "{bar:24} {msg}" } else { "{spinner} {msg}" };
            let style = ProgressStyle::with_template(template).expect("the template is right").progress_chars("=> ");
            View::Bar(total.map_or_else(ProgressBar::no_length, ProgressBar::new).with_style(style))
        } else {
            View::Lines
        };
        let now = Instant::now();
        let seen = Mutex::new(Seen { first: None, shown: now });
        Self { view, unit, total, done: AtomicU64::new(0), started: now, seen }
    }

    /// Of this many photos.
    pub fn of_photos(total: usize) -> Self {
        Self::new(Unit::Things("photos"), Some(total as u64))
    }

    /// With results on standard output: nothing where these scroll over a terminal.
    pub fn with_printed_results(mut self) -> Self {
        if stdout().is_terminal() {
            self.view = View::Nothing;
        }
        self
    }

    /// One thing more is done.
    pub fn advance(&self) {
        self.show(self.done.fetch_add(1, Ordering::Relaxed) + 1, String::new);
    }

    /// This many things are done in all; `message` tells more.
    pub fn set(&self, done: u64, message: impl FnOnce() -> String) {
        self.done.store(done, Ordering::Relaxed);
        self.show(done, message);
    }

    /// This share of the work is done, from 0 to 1.
    pub fn set_share(&self, share: f64) {
        self.set((share * WHOLE as f64) as u64, String::new);
    }

    fn show(&self, done: u64, message: impl FnOnce() -> String) {
        let pause = match self.view {
            View::Bar(_) => TICK,
            // The end needs no line of its own.
            View::Lines if self.total.is_none_or(|total| done < total) => SILENCE,
            View::Lines | View::Nothing => return,
        };
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now - self.started < DELAY {
            return;
        }
        let (since, first) = *seen.first.get_or_insert((now, done));
        if now - seen.shown < pause {
            return;
        }
        seen.shown = now;
        let text = self.text(done, &message(), &self.left_at_pace(done, done.saturating_sub(first), now - since));
        match &self.view {
            View::Bar(bar) => {
                bar.set_message(text);
                bar.set_position(done);
            }
            View::Lines | View::Nothing => say(&text),
        }
    }

    /// `12 of 300 photos, MESSAGE, 3 minutes left`.
    fn text(&self, done: u64, message: &str, left: &str) -> String {
        let count = match (self.unit, self.total) {
            (Unit::Things(name), Some(total)) => format!("{} of {} {name}", grouped(done), grouped(total)),
            (Unit::Things(name), None) => format!("{} {name}", grouped(done)),
            (Unit::Percent, _) => format!("{} %", 100 * done / self.total.unwrap_or(WHOLE).max(1)),
            (Unit::Unnamed, _) => String::new(),
        };
        let parts = [count.as_str(), message, left];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// `3 minutes left`; nothing where it is not known.
    pub fn left(&self) -> String {
        let done = self.done.load(Ordering::Relaxed);
        let first = self.seen.lock().unwrap_or_else(PoisonError::into_inner).first;
        first.map_or(String::new(), |(since, first)| {
            self.left_at_pace(done, done.saturating_sub(first), since.elapsed())
        })
    }

    /// Of work that did `now` things in `elapsed`, and `done` in all.
    fn left_at_pace(&self, done: u64, now: u64, elapsed: Duration) -> String {
        let left = self.total.unwrap_or(0).saturating_sub(done);
        if now == 0 || left == 0 {
            return String::new();
        }
        format!("{} left", HumanDuration(elapsed.mul_f64(left as f64 / now as f64)))
    }

    /// Prints a line above the bar.
    pub fn say(&self, line: &str) {
        self.above(|| say(line));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).shown = Instant::now();
    }

    /// Reports a failure above the bar.
    pub fn report(&self, error: &anyhow::Error) {
        self.above(|| failure::report(error));
    }

    fn above(&self, print: impl FnOnce()) {
        match &self.view {
            View::Bar(bar) => bar.suspend(print),
            View::Lines | View::Nothing => print(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Prints a line on standard error. That nobody may be listening there is no failure.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{}", failure::one_line(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_tells_what_is_done_and_the_time_left() {
        let photos = Progress::of_photos(3000);
        let table = Progress::new(Unit::Percent, Some(WHOLE));
        let stream = Progress::new(Unit::Things("frames"), None);
        let steps = Progress::new(Unit::Unnamed, Some(1000));
        for (progress, done, now, message, text) in [
            (&photos, 1, 0, "", "1 of 3,000 photos"),
            (&photos, 1000, 1000, "", "1,000 of 3,000 photos, 2 minutes left"),
            (&photos, 2999, 1000, "7 kept", "2,999 of 3,000 photos, 7 kept, 0 seconds left"),
            (&photos, 3000, 3000, "", "3,000 of 3,000 photos"),
            (&table, 5000, 5000, "", "50 %, 60 seconds left"),
            (&stream, 12, 12, "30.0 per second", "12 frames, 30.0 per second"),
            (&steps, 900, 0, "loss 0.1", "loss 0.1"),
            (&steps, 920, 20, "loss 0.1", "loss 0.1, 4 minutes left"),
        ] {
            let left = progress.left_at_pace(done, now, Duration::from_secs(60));
            assert_eq!(progress.text(done, message, &left), text);
        }
    }

    #[test]
    fn work_that_ends_at_once_shows_nothing() {
        let progress = Progress::of_photos(2);
        progress.set(1, || panic!("nobody wants to see this"));
    }
}
