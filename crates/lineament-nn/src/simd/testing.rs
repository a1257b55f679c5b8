//! Runs a test at every level that the processor has. Always compiled: behind a feature, programs and tests would each
//! compile the kernels anew.

use std::cell::Cell;

use super::{LEVELS, level_name};

thread_local! {
    /// The highest level that this thread may use; tests run side by side.
    pub(super) static HIGHEST: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Whether this number of multiply-adds takes little time; under Miri, which is slow, only a few do.
pub fn is_quick(multiply_adds: usize) -> bool {
    !cfg!(miri) || multiply_adds < 5_000
}

/// The answers of `work` at each of [`LEVELS`] that the processor has. It must do everything on the thread that calls.
pub fn at_every_level<R>(work: impl Fn() -> R) -> Vec<R> {
    let at = |level| {
        HIGHEST.set(level);
        let is_there = level_name() == LEVELS[level];
        if !is_there {
            println!("skipped: {}, which this processor lacks", LEVELS[level]);
        }
        is_there.then(&work)
    };
    let answers = (0..LEVELS.len()).filter_map(at).collect();
    HIGHEST.set(usize::MAX);
    answers
}
