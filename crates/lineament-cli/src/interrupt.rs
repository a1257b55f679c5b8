//! Ctrl-C, a closed terminal and a polite end: the work stops where it can go on later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Exit code of work that was stopped, as shells have it for Ctrl-C.
pub const STOPPED: u8 = 130;

/// Becomes true at the first Ctrl-C; the second ends the program.
///
/// # Errors
/// When the system does not let us listen.
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
