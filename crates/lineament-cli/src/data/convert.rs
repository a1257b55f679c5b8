//! `lineament data convert`: one format into another.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use lineament_data::table::Writer;

use super::rows::{Rows, TableArgs, Totals, refuse_same};
use crate::inspect::grouped;

const EXAMPLES: &str = "\
Examples:
  lineament data convert faces.csv faces.parquet                       smaller, and faster to read
  lineament data convert faces.parquet faces.csv                       for other people's scripts
  lineament data convert training.csv k.parquet --skip-incomplete      Kaggle's table, its complete rows

CSV keeps points and pixels alone: photo, box, score and pose of a Parquet table are left out, with a warning. Numbers
and pixels stay the same to the last bit in both directions.";

/// Writes a table in another format
///
/// Writes a table in another format; the ending of OUT decides: .csv or .parquet.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ConvertArgs {
    #[command(flatten)]
    table: TableArgs,

    /// The new table
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &ConvertArgs) -> Result<()> {
    refuse_same("OUT", &args.table.path, &args.out)?;
    let rows = Rows::open(&args.table)?;
    let mut writer = Writer::create(&args.out, rows.reader.columns())?;
    let mut lost = 0u64;
    let totals = rows.each(|_, record| {
        lost += u64::from(record.origin.is_some() && !writer.keeps_origin());
        Ok(writer.write(&record)?)
    })?;
    writer.finish()?;
    if lost > 0 {
        let _ = writeln!(io::stderr(), "warning: {} origins left out: CSV has no place for them", grouped(lost));
    }
    let Totals { rows, left_out } = totals;
    let text = format!("{}: {} rows{}\n", args.out.display(), grouped(rows), left_out_text(left_out));
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// What follows the number of rows.
pub fn left_out_text(left_out: u64) -> String {
    if left_out == 0 { String::new() } else { format!("; {} incomplete left out", grouped(left_out)) }
}
