//! Ctrl-C, a closed terminal and SIGTERM: the work stops where it can be resumed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Exit code of work that was stopped, as in shells after Ctrl-C.
pub const STOPPED: u8 = 130;

/// A flag that becomes true at the first Ctrl-C; the second one ends the program.
///
/// # Errors
/// When the system refuses the handler.
pub fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(STOPPED.into());
        }
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
