//! The rows of a table, one after the other, with progress and a stop at Ctrl-C.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Result, bail};
use lineament_data::Record;
use lineament_data::table::{ReadOptions, Reader};

use crate::failure::usage;
use crate::interrupt::stop_on_ctrl_c;
use crate::progress::{Progress, Unit, WHOLE};

/// Rows after which the progress is shown and Ctrl-C is noticed.
const STRIDE: u64 = 64;

/// The table that is read.
#[derive(Debug, clap::Args)]
pub struct TableArgs {
    /// The table: .csv or .parquet
    #[arg(value_name = "TABLE")]
    pub path: PathBuf,

    /// Leave out rows with missing values, which Kaggle's table has
    #[arg(long)]
    pub skip_incomplete: bool,
}

/// Ctrl-C was pressed.
#[derive(Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("stopped; nothing was written")
    }
}

impl std::error::Error for Stopped {}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// Complete rows, at least one.
    pub rows: u64,
    /// Rows with missing values that were left out.
    pub left_out: u64,
}

/// An open table.
pub struct Rows {
    pub reader: Reader,
    path: PathBuf,
    progress: Progress,
    stop: Arc<AtomicBool>,
}

impl Rows {
    /// Opens the table.
    ///
    /// # Errors
    /// When it cannot be read or is not a table.
    pub fn open(args: &TableArgs) -> Result<Self> {
        let reader = Reader::open(&args.path, ReadOptions { skip_incomplete: args.skip_incomplete })?;
        Ok(Self { reader, path: args.path.clone(), progress: Progress::new(Unit::Percent, Some(WHOLE)), stop: stop()? })
    }

    /// Hands each record on with its row in the table, from 1.
    ///
    /// # Errors
    /// The first error of the table or of `take`; [`Stopped`] after Ctrl-C; when there is no row.
    pub fn each(mut self, take: impl FnMut(u64, Record) -> Result<()>) -> Result<Totals> {
        let rows = self.read(take);
        self.progress.finish();
        match (rows?, self.reader.left_out()) {
            (0, 0) => bail!("{}: no rows", self.path.display()),
            (0, n) => bail!("{}: no complete row, and {n} with missing values", self.path.display()),
            (rows, left_out) => Ok(Totals { rows, left_out }),
        }
    }

    /// The number of complete rows.
    fn read(&mut self, mut take: impl FnMut(u64, Record) -> Result<()>) -> Result<u64> {
        let mut rows = 0;
        while let Some(record) = self.reader.next() {
            rows += 1;
            take(rows + self.reader.left_out(), record?)?;
            if rows % STRIDE == 0 {
                self.progress.set_share(self.reader.share_read());
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Stopped.into());
                }
            }
        }
        Ok(rows)
    }
}

/// A program can set one handler for Ctrl-C, and a command may read its table twice.
///
/// # Errors
/// When the system refuses the handler.
pub fn stop() -> Result<Arc<AtomicBool>> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if STOP.get().is_none() {
        let _ = STOP.set(stop_on_ctrl_c()?); // no other thread can have set it
    }
    Ok(STOP.get().cloned().unwrap_or_default())
}

/// Fails when `out` is the table that is read.
///
/// # Errors
/// Names the option and the remedy.
pub fn refuse_same(option: &str, table: &Path, out: &Path) -> Result<()> {
    if out.canonicalize().is_ok_and(|out| table.canonicalize().is_ok_and(|table| table == out)) {
        return Err(usage(format!("{option}: {} is the table itself; choose another name", out.display())));
    }
    Ok(())
}
