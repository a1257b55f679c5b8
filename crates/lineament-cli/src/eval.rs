//! `lineament eval`: how good models are on labelled photos. Each kind of evaluation is a file below.

mod accuracy;
mod conditions;
mod demographics;
mod worst;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lineament::topology::Topology;
use lineament_data::evaluate::conditions::Condition;
use lineament_data::{Sample, dataset};

use crate::figures::Format;
use crate::models::ModelArgs;
use crate::values;
use accuracy::{Accuracy, CropSource};
use conditions::Conditions;
use demographics::Demographics;

const EXAMPLES: &str = "\
Examples:
  lineament eval faces/                                  the models inside the program
  lineament eval faces/ --model new.onnx --crop truth    another landmark network, without a detector
  lineament eval faces/ --nonfaces landscapes/           also counts faces found where there are none
  lineament eval faces/ --worst 20 --draw worst/         the worst photos: lines are the model's, dots the true points
  lineament eval faces/ --stress                         bad conditions: turned, small, dark, blurred, covered and more
  lineament eval utkface/ --groups                       by age, gender and race, which the photos' names tell

An error is the mean distance of points from the true ones, in percent of the distance between the true outer corners \
of the eyes, or of what the model's topology says. Means are over the faces that were found.";

/// Measures how accurate models are, on photos with known points
///
/// Tells how many faces are found, how far the points are from the true ones, and whether the expected errors are
/// right.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct EvalArgs {
    /// Folder of photos; each has its points in a .pts file of the same name. Or a label table (.csv, .parquet)
    #[arg(value_name = "FOLDER")]
    dataset: PathBuf,

    /// Folder of photos without faces: counts those in which a face is found
    #[arg(long, value_name = "DIR")]
    nonfaces: Option<PathBuf>,

    /// Also test the face score on given boxes: random ones in the photos of --nonfaces, and boxes of the true faces
    ///
    /// Draws 120 random boxes, with sides from a fifth of the photo's short side to all of it. Moves and scales the box
    /// of each true face at random, as a detector would. Counts the boxes whose face score reaches --face-threshold.
    #[arg(long, requires = "nonfaces")]
    boxes: bool,

    /// Measure bad conditions instead: change every photo in many ways
    ///
    /// Every photo is turned, mirrored, shrunk, darkened, made noisy, blurred, compressed, covered and cut. The changes
    /// are the same in every run, and the true points move along.
    #[arg(long, conflicts_with_all = ["nonfaces", "worst", "crop"])]
    stress: bool,

    /// Measure only these bad conditions, separated by commas, for example roll-90,mask
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = conditions::condition, requires = "stress")]
    conditions: Vec<Condition>,

    /// Compare groups of people instead, in photos named AGE_GENDER_RACE_DATE as those of UTKFace
    ///
    /// Such photos need no .pts files. For each group it tells how often a face is found, the mean face score and the
    /// mean expected error.
    #[arg(long, conflicts_with_all = ["stress", "nonfaces", "worst", "crop", "validation"])]
    groups: bool,

    /// Measure only the photos of FOLDER that training with this `validation_share` leaves out
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    validation: Option<f64>,

    /// Measure only the photos of --nonfaces that training with this `nonface_holdout` leaves out
    #[arg(long, value_name = "SHARE", value_parser = values::share, requires = "nonfaces")]
    holdout: Option<f64>,

    /// Where the crops of the landmark network come from
    #[arg(long, value_name = "CROP", default_value = "detector")]
    crop: CropSource,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// List this many of the worst photos; those in which the face was not found come first
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    worst: Option<usize>,

    /// Draw the worst photos into this folder
    #[arg(long, value_name = "DIR", requires = "worst")]
    draw: Option<PathBuf>,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,

    #[command(flatten)]
    models: ModelArgs,
}

/// Runs the command.
pub fn run(args: EvalArgs) -> Result<ExitCode> {
    if args.groups {
        args.format.print(&Demographics::measure(&args)?, Demographics::text)?;
    } else if args.stress {
        args.format.print(&Conditions::measure(&args)?, Conditions::text)?;
    } else {
        args.format.print(&Accuracy::measure(&args)?, Accuracy::text)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl EvalArgs {
    /// The photos of FOLDER that are asked for.
    fn samples(&self, topology: &Topology) -> Result<Vec<Sample>> {
        let mut samples = dataset::read(&self.dataset, topology)?;
        if let Some(share) = self.validation {
            samples.retain(|sample| dataset::is_validation(&sample.name, share));
        }
        Ok(samples)
    }

    /// As the library counts: 0 means all cores.
    fn threads(&self) -> usize {
        self.threads.unwrap_or(0)
    }
}

/// A number of percent, or a dash.
fn percent(value: Option<f64>) -> String {
    crate::text::or_dash(value, 2, " %")
}
