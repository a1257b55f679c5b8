//! Several threads: together on one run of a network, or each with a tracker of its own.

use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use lineament::{Pool, Tracker};
use serde::Serialize;

use super::film::Film;
use super::timing::three_digits;

/// Frames per second of several threads.
#[derive(Debug, Serialize)]
pub struct CallersRow {
    pub threads: usize,
    pub frames_per_sec: f64,
}

impl CallersRow {
    /// Lets each of `threads` threads follow `frames` frames.
    pub fn measure(threads: usize, tracker: &Tracker, film: &Film, frames: usize) -> Self {
        let trackers = vec![tracker.clone(); threads];
        let begin = Instant::now();
        thread::scope(|scope| {
            for mut tracker in trackers {
                scope.spawn(move || {
                    tracker.reset();
                    for number in 0..frames {
                        tracker.update(&film.frame(number).view(), number as f64 * film.step_secs);
                    }
                });
            }
        });
        let secs = begin.elapsed().as_secs_f64();
        Self { threads, frames_per_sec: three_digits((threads * frames) as f64 / secs) }
    }
}

/// This many threads for one run of a network.
///
/// # Errors
/// When the system does not give them.
pub fn pool(threads: usize) -> Result<Pool> {
    let others = rayon::ThreadPoolBuilder::new().num_threads(threads - 1);
    let others = others.build().context("--threads: cannot start them")?;
    Ok(Pool::new(threads, move |work| {
        others.in_place_scope(|scope| {
            (1..threads).for_each(|_| scope.spawn(|_| work()));
            work();
        });
    }))
}
