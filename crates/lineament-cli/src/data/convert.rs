//! `lineament data convert`: writes a table in another format.

use std::path::PathBuf;

use anyhow::Result;
use lineament_data::table::Writer;

use super::rows::{Rows, TableArgs, Totals, refuse_same};
use crate::output::print;
use crate::progress::say;
use crate::text::{counted, grouped};

const EXAMPLES: &str = "\
Examples:
  lineament data convert faces.csv faces.parquet                       smaller, and faster to read
  lineament data convert faces.parquet faces.csv                       for other people's scripts
  lineament data convert training.csv k.parquet --skip-incomplete      Kaggle's table, its complete rows

CSV keeps only points and pixels: photo, box, score and pose of a Parquet table are left out, with a warning. Points \
and pixels stay the same to the last bit in both directions.";

/// Writes a table in another format: CSV or Parquet
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ConvertArgs {
    #[command(flatten)]
    table: TableArgs,

    /// The new table, .csv or .parquet
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
        say(&format!(
            "warning: photo, box, score and pose of {} rows are left out: CSV has no place for them",
            grouped(lost)
        ));
    }
    let Totals { rows, left_out } = totals;
    let text = format!("{}: {}{}\n", args.out.display(), counted(rows, "row"), left_out_text(left_out));
    print(&text)
}

/// Tells that incomplete rows were left out, if any were.
pub fn left_out_text(left_out: u64) -> String {
    if left_out == 0 { String::new() } else { format!("; {} incomplete left out", grouped(left_out)) }
}
