//! `lineament data`: shows, checks, splits and converts tables of faces, and imports labels of other programs.

mod convert;
mod duplicates;
mod import;
mod rows;
mod sheet;
mod show;
mod split;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::failure;
use crate::interrupt::STOPPED;

const EXAMPLES: &str = "\
Examples:
  lineament data show faces.csv --sheet faces.png        figures, and a picture of 100 crops with their points
  lineament data duplicates faces.csv --out once.csv     lists copies of faces, and writes a table without them
  lineament data split once.csv --out-dir parts          training.csv and validation.csv, with no photo in both
  lineament data convert faces.csv faces.parquet         a third of the size, and 7 times as fast to read
  lineament data import coco people.json people.csv      labels of another program, as a table of photos and points

`lineament annotate` makes such tables. They are CSV as in the paper (x0,y0,...,x67,y67,Image with 96x96 grey \
values), CSV of Kaggle's facial keypoints (training.csv), or Parquet, which also keeps the photo and the place of \
each face; docs/tables.md describes them. `lineament data import` makes another kind, a label table, which has points \
but no pixels; docs/labels.md describes it. A table may be larger than the memory. `lineament data COMMAND --help` \
shows more examples.";

/// Shows, checks, splits and converts tables of annotated faces, and imports labels
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DataArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::ShowArgs),
    Duplicates(duplicates::DuplicatesArgs),
    Split(split::SplitArgs),
    Convert(convert::ConvertArgs),
    Import(import::ImportArgs),
}

/// Runs the command.
pub fn run(args: DataArgs) -> Result<ExitCode> {
    let outcome = match args.command {
        Command::Show(args) => show::run(&args),
        Command::Duplicates(args) => duplicates::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Import(args) => import::run(&args),
    };
    match outcome {
        Err(error) if error.is::<rows::Stopped>() => {
            failure::report(&error);
            Ok(ExitCode::from(STOPPED))
        }
        outcome => outcome.map(|()| ExitCode::SUCCESS),
    }
}
