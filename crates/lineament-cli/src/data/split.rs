//! `lineament data split`: a table for training and one for validation.

use std::path::PathBuf;

use anyhow::{Result, bail};
use lineament_data::table::{Writer, split};

use super::convert::left_out_text;
use super::rows::{Rows, TableArgs, refuse_same};
use crate::output::print;
use crate::text::{counted, grouped};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament data split faces.parquet --out-dir parts                  about 10 % of the photos for validation
  lineament data split faces.csv --out-dir parts --share 0.2          about 20 %
  lineament data split faces.csv --out-dir parts --last               the last 10 % of the rows, as in the paper

The names of the photos decide which of them are held back: a larger --share contains all photos of a smaller one, \
and new photos do not move the others. All faces of a photo are in the same table (`helen_1_2.jpg` is the second face \
of helen_1). Where the table does not name the photos, a hash of the pixels decides: then only equal pictures are \
sure to be in the same table, so run `lineament data duplicates` first. With --last only the order counts, and faces \
of one photo may be in both tables.";

/// Splits a table into one for training and one for validation
///
/// Writes DIR/training and DIR/validation in the format of TABLE, with no photo in both.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct SplitArgs {
    #[command(flatten)]
    table: TableArgs,

    /// Folder for the two tables
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,

    /// Share of the photos that is held back for validation
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = values::share)]
    share: f64,

    /// Hold back the last rows instead, as Keras and the paper do
    #[arg(long)]
    last: bool,
}

/// Runs the command.
pub fn run(args: &SplitArgs) -> Result<()> {
    // Keras counts the rows that it is given, and incomplete ones are left out before.
    let first_of_last = match args.last {
        true => Some(split::first_of_last(Rows::open(&args.table)?.each(|_, _| Ok(()))?.rows, args.share)),
        false => None,
    };
    let rows = Rows::open(&args.table)?;
    let paths = ["training", "validation"].map(|name| args.out_dir.join(name).with_extension(rows.reader.extension()));
    for path in &paths {
        refuse_same("--out-dir", &args.table.path, path)?;
    }
    let create = |path: &PathBuf| Writer::create(path, rows.reader.columns());
    let mut sides = [create(&paths[0])?, create(&paths[1])?];
    let mut counts = [0u64; 2];
    let totals = rows.each(|_, record| {
        let held_back = match first_of_last {
            Some(first) => counts[0] + counts[1] >= first,
            None => split::is_validation(&record, args.share),
        };
        counts[usize::from(held_back)] += 1;
        Ok(sides[usize::from(held_back)].write(&record)?)
    })?;
    if let Some(empty) = counts.iter().position(|&count| count == 0) {
        let (side, other) = [("training", "smaller"), ("validation", "larger")][empty];
        bail!("none of the {} rows is left for {side}; choose a {other} --share", grouped(totals.rows));
    }
    let mut text = String::new();
    for ((writer, path), count) in sides.into_iter().zip(&paths).zip(counts) {
        writer.finish()?;
        let percent = 100.0 * count as f64 / totals.rows as f64;
        text += &format!("{}: {} ({percent:.1} %)\n", path.display(), counted(count, "row"));
    }
    if totals.left_out > 0 {
        text += &format!("{} rows{}\n", grouped(totals.rows), left_out_text(totals.left_out));
    }
    print(&text)
}
