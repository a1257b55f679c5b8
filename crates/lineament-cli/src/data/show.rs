//! `lineament data show`: what is in a table.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use lineament_data::table::duplicates::DEFAULT_THRESHOLD;
use lineament_data::table::histogram::Histogram;
use lineament_data::table::survey::Survey;
use serde::Serialize;

use super::rows::{Rows, TableArgs, Totals, refuse_same};
use super::sheet::{self, Choice};
use crate::failure::usage;
use crate::figures::Format;
use crate::output::Files;
use crate::text::grouped;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament data show faces.csv                                        figures and histograms
  lineament data show faces.csv --sheet faces.png                      and 100 crops with their points, spread evenly
  lineament data show faces.csv --sheet b.png --count 25 --seed 2      25 at random; another seed gives others
  lineament data show training.csv --skip-incomplete                   Kaggle's table, its complete rows
  lineament data show faces.csv --format json | jq .rows               for programs

Pose, size, score and expected error are known only in Parquet tables, which keep the place of each face in its photo.";

/// Shows what is in a table: counts, histograms, a sheet of crops
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ShowArgs {
    #[command(flatten)]
    table: TableArgs,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Draw crops with their points and row numbers into this picture (.png or .jpg)
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,

    /// Crops on the sheet
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = values::count, requires = "sheet")]
    count: usize,

    /// Take the crops at random instead of evenly; the same seed takes the same ones
    #[arg(long, value_name = "NUMBER", requires = "sheet")]
    seed: Option<u64>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Shown<'a> {
    table: &'a str,
    left_out: u64,
    #[serde(flatten)]
    survey: &'a Survey,
}

/// Runs the command.
pub fn run(args: &ShowArgs) -> Result<()> {
    if let Some(path) = &args.sheet {
        sheet::check(path)?;
        refuse_same("--sheet", &args.table.path, path)?;
    }
    if args.count > sheet::MAX_COUNT {
        return Err(usage(format!("--count: at most {} crops fit on a sheet", sheet::MAX_COUNT)));
    }
    let rows = Rows::open(&args.table)?;
    let mut survey = Survey::new(rows.reader.points(), DEFAULT_THRESHOLD);
    let mut choice = Choice::new(args.count, args.seed);
    let totals = rows.each(|row, record| {
        survey.add(&record);
        if args.sheet.is_some() {
            choice.offer(row, &record);
        }
        Ok(())
    })?;
    if let Some(path) = &args.sheet {
        Files::protecting(&[]).write(path, &sheet::draw(choice.chosen(), path)?)?;
    }
    let table = args.table.path.display().to_string();
    let shown = Shown { table: &table, left_out: totals.left_out, survey: &survey };
    args.format.print(&shown, |_| text(&table, &survey, totals))
}

fn text(table: &str, survey: &Survey, totals: Totals) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<25}{value}"); // writing to a String cannot fail
    };
    let rows = |n: u64| format!("{} ({:.1} %)", grouped(n), 100.0 * n as f64 / survey.rows as f64);
    line("table", crate::failure::one_line(table));
    line("rows", grouped(survey.rows));
    if totals.left_out > 0 {
        line("incomplete rows left out", grouped(totals.left_out));
    }
    line("points", survey.points.to_string());
    line("photos", if survey.photos == 0 { "not known".into() } else { grouped(survey.photos) });
    line("rows without a photo", rows(survey.without_origin));
    line("copies of earlier rows", rows(survey.same));
    line("near copies", format!("{}; `lineament data duplicates` lists both", rows(survey.nearly_same)));
    line(
        "points outside the crop",
        format!("{} in {} rows", grouped(survey.points_outside), grouped(survey.rows_outside)),
    );
    line("all points in one place", rows(survey.rows_collapsed));
    line("mean points lie in", mean_box(&survey.mean_points));
    for histogram in &survey.histograms {
        text += &bars(histogram);
    }
    text
}

/// The box of the mean points.
fn mean_box(points: &[[f64; 2]]) -> String {
    let range = |axis: usize| {
        let values = points.iter().map(|p| p[axis]);
        let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (min.min(v), max.max(v)));
        format!("{min:.1} to {max:.1}")
    };
    format!("x {}, y {} of 96", range(0), range(1))
}

/// Characters of the longest bar.
const BAR: usize = 40;

/// A histogram, from its first to its last count that is not 0.
fn bars(histogram: &Histogram) -> String {
    let unit = if histogram.unit.is_empty() { String::new() } else { format!(" ({})", histogram.unit) };
    let (Some(min), Some(max), Some(mean)) = (histogram.min, histogram.max, histogram.mean) else {
        return format!("\n{}{unit}: not known\n", histogram.name);
    };
    let missing =
        if histogram.missing == 0 { String::new() } else { format!(", {} not known", grouped(histogram.missing)) };
    let mut text = format!("\n{}{unit}: mean {mean:.2}, from {min:.2} to {max:.2}{missing}\n", histogram.name);
    let counts = &histogram.counts;
    let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
    let last = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    for (i, &count) in counts.iter().enumerate().take(last + 1).skip(first) {
        let edges = &histogram.edges;
        let range = match (i.checked_sub(1).and_then(|i| edges.get(i)), edges.get(i)) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (None, Some(high)) => format!("below {high}"),
            (Some(low), None) => format!("above {low}"),
            (None, None) => String::new(),
        };
        let bar = "#".repeat((count as f64 / most as f64 * BAR as f64).ceil() as usize);
        let _ = writeln!(text, "{}", format!("  {range:<14}{:>11}  {bar}", grouped(count)).trim_end());
    }
    text
}
