//! `lineament quantize`: a smaller, faster model file, and how much accuracy it loses.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lineament::topology::Topology;
use lineament_data::{Sample, dataset, read_model_file, topologies};
use lineament_nn::model::{Model, Role};
use lineament_train::quantize::compare::{Quality, quality};
use lineament_train::quantize::{self, Precision};
use serde::Serialize;

use crate::failure::one_line;
use crate::figures::Format;
use crate::inputs::Source;
use crate::names::with_suffix;
use crate::output::Files;
use crate::progress::{Progress, say};
use crate::text::grouped;
use crate::values;

/// Default of the largest loss of a landmark network, in percent of the distance between the outer eye corners: a
/// fifth of what one pass more or less changes.
const MAX_LOSS: f64 = 0.02;

/// The same for a detector, in percentage points of faces found and of overlap: one face of 200.
const MAX_DETECTOR_LOSS: f64 = 0.5;

/// Default of the least products in a sum of a landmark network's integer layer: a 5x5 window, but not the
/// convolutions over 16 channels, whose rounding makes the points jitter.
const LEAST_PRODUCTS: usize = 25;

/// The same for a detector, whose points are not used: its first convolution, over grey, is in integers, too.
const DETECTOR_LEAST_PRODUCTS: usize = 9;

const EXAMPLES: &str = "\
Examples:
  lineament quantize lite.onnx --data faces/ --to f16        half the size: writes lite.f16.onnx
  lineament quantize lite.onnx --data faces/ --to int8       a third of the size, and faster where processors have
                                                             integer products
  lineament quantize detector.onnx --data faces/ --to int8   the face detector
  lineament quantize lite.onnx --data faces/ --to int8 --validation 0.05
                                                             calibrated on other photos than it is measured on

The result is a model file like any other: standard ONNX, for `--model` and `--detector` of the other commands, and for
onnxruntime. `lineament inspect` shows how each layer is stored.";

/// Makes a model smaller and faster, and measures how much accuracy it loses
///
/// Stores the weights as f16, or quantises the network to int8. Both models are measured on labelled photos through
/// the library, as in use; when the new one is worse by more than --max-loss, nothing is written and the exit code is
/// 1. The scales of an int8 network follow from its values on some of the photos.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct QuantizeArgs {
    /// The model file, of a landmark network or a face detector, in f32
    model: PathBuf,

    /// Folder of photos, each with its points in a .pts file of the same name; or a label table (.csv or .parquet, see
    /// `data import`)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Precision of the new model
    #[arg(long, value_name = "PRECISION")]
    to: To,

    /// The new file [default: the model's name with .f16 or .int8 before its ending]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Photos that set the scales of an int8 network
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = values::count)]
    calibrate: usize,

    /// Layers whose sums have fewer products stay f32 in an int8 network [default: 25 for landmarks, 9 for a detector]
    ///
    /// A lower number is a little faster on processors with int8 dot products and slower on others, and points jitter
    /// more. Depthwise layers of 3x3 always stay f32.
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    least_products: Option<usize>,

    /// Measure on those photos that training with this `validation_share` does not see, and set scales on the others
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    validation: Option<f64>,

    /// Largest loss that is accepted [default: 0.02 for landmarks, 0.5 for a detector]
    ///
    /// For a landmark network: growth of the mean error of its points, in percent of the distance between the outer eye
    /// corners or of what its topology says. For a detector: loss of found faces, or of the boxes' overlap with the
    /// true ones, in percent of the photos, whichever is larger.
    #[arg(long, value_name = "LOSS", allow_negative_numbers = true)]
    max_loss: Option<f64>,

    /// Write the file even when the loss is larger
    #[arg(long)]
    force: bool,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// Weights in half precision; points hardly change
    F16,
    /// Weights, and the inputs of layers with long sums, in 8-bit integers
    Int8,
}

impl To {
    fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Int8 => "int8",
        }
    }
}

/// Everything that is printed.
#[derive(Serialize)]
struct Outcome {
    precision: &'static str,
    /// Photos that both were measured on.
    photos: usize,
    before: Side,
    after: Side,
    loss: f64,
    max_loss: f64,
    /// The new file; `null` when too much was lost.
    written: Option<PathBuf>,
}

#[derive(Serialize)]
struct Side {
    file_bytes: usize,
    quality: Quality,
}

/// Runs the command.
pub fn run(args: QuantizeArgs) -> Result<ExitCode> {
    let bytes = read_model_file(&args.model)?;
    let named = || one_line(&args.model.display().to_string());
    let model = Model::parse(&bytes).with_context(named)?;
    let (usual_loss, usual_products) = match model.metadata.role {
        Role::Landmarks => (MAX_LOSS, LEAST_PRODUCTS),
        Role::Detector => (MAX_DETECTOR_LOSS, DETECTOR_LEAST_PRODUCTS),
    };
    let max_loss = args.max_loss.unwrap_or(usual_loss);
    if max_loss.is_nan() {
        bail!("--max-loss: not a number");
    }
    let out = args.out.clone().unwrap_or_else(|| next_to(&args.model, args.to.name()));
    let files = Files::protecting(&[Source::File(args.model.clone())]);
    files.check(&out).context("--out")?;
    let (calibrating, measured) = parts(&args, &topologies::of_model(&model).with_context(named)?).context("--data")?;

    let threads = args.threads.unwrap_or(0);
    let passes = if args.to == To::Int8 { 2 * calibrating.len() } else { 0 };
    let progress = Progress::of_photos(2 * measured.len() + passes);
    let advance = || progress.advance();
    let precision = match args.to {
        To::F16 => Precision::F16,
        To::Int8 => Precision::Int8 { least_products: args.least_products.unwrap_or(usual_products) },
    };
    let smaller = quantize::quantize(&model, precision, &calibrating, advance).with_context(named)?.to_bytes()?;
    let before = Side { file_bytes: bytes.len(), quality: quality(&bytes, &measured, threads, &advance)? };
    let after = Side { file_bytes: smaller.len(), quality: quality(&smaller, &measured, threads, &advance)? };
    progress.finish();

    let loss = before.quality.loss_of(&after.quality);
    let fits = loss <= max_loss; // NaN does not
    if fits || args.force {
        files.write(&out, &smaller)?;
    }
    let written = (fits || args.force).then_some(out);
    let outcome = Outcome { precision: args.to.name(), photos: measured.len(), before, after, loss, max_loss, written };
    args.format.print(&outcome, text)?;
    if fits {
        return Ok(ExitCode::SUCCESS);
    }
    if args.force {
        say(&format!("warning: the loss is larger than {max_loss}; written because of --force"));
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "error: {} loses {loss:.3}, more than {max_loss}; nothing is written. Try {}a larger --max-loss, or --force",
        args.to.name(),
        if args.to == To::Int8 { "--to f16, more photos (--calibrate), " } else { "" },
    ));
    Ok(ExitCode::FAILURE)
}

/// The photos that set the scales, evenly from all, and those that the models are measured on.
fn parts(args: &QuantizeArgs, topology: &Topology) -> Result<(Vec<Sample>, Vec<Sample>)> {
    let all = dataset::read(&args.data, topology)?;
    let (measured, others): (Vec<Sample>, Vec<Sample>) = match args.validation {
        Some(share) => all.into_iter().partition(|sample| dataset::is_validation(&sample.name, share)),
        None => (all.clone(), all),
    };
    if measured.is_empty() || others.is_empty() {
        bail!("{}: too few photos for --validation", args.data.display());
    }
    let count = args.calibrate.min(others.len());
    let calibrating = (0..count).map(|i| others[i * others.len() / count].clone()).collect();
    Ok((calibrating, measured))
}

/// `faces/lite.onnx` to `faces/lite.int8.onnx`.
fn next_to(model: &Path, precision: &str) -> PathBuf {
    with_suffix(&model.with_extension(""), &format!(".{precision}.onnx"))
}

fn text(outcome: &Outcome) -> String {
    let Outcome { precision, photos, before, after, loss, max_loss, written } = outcome;
    let mut out = String::new();
    let mut row = |name: &str, cells: [String; 2]| {
        let _ = writeln!(out, "{name:<28}{:>14}{:>14}", cells[0], cells[1]); // writing to a String cannot fail
    };
    row("", ["before".into(), (*precision).into()]);
    row("bytes", [before, after].map(|side| grouped(side.file_bytes as u64)));
    let percent = |value: f64| format!("{value:.3} %");
    match (before.quality, after.quality) {
        (
            Quality::Landmarks { nme, nme51, failures, .. },
            Quality::Landmarks { nme: after, nme51: after51, failures: after_failures, .. },
        ) => {
            let inner = nme51.zip(after51);
            row(if inner.is_some() { "error of 68 points" } else { "error of the points" }, [nme, after].map(percent));
            if let Some((nme51, after51)) = inner {
                row("error of 51 inner points", [nme51, after51].map(percent));
            }
            row("photos worse than 10 %", [failures, after_failures].map(percent));
        }
        (Quality::Detector { found, overlap }, Quality::Detector { found: after_found, overlap: after_overlap }) => {
            row("faces found", [found, after_found].map(percent));
            row("overlap with the true box", [overlap, after_overlap].map(percent));
        }
        _ => {}
    }
    let _ = writeln!(out, "\nloss on {photos} photos {loss:.3}, at most {max_loss} is accepted");
    if let Some(path) = written {
        let _ = writeln!(out, "written: {}", one_line(&path.display().to_string()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_lies_next_to_the_model() {
        for (model, out) in
            [("a/lite.onnx", "a/lite.int8.onnx"), ("lite", "lite.int8.onnx"), ("a.b.onnx", "a.b.int8.onnx")]
        {
            assert_eq!(next_to(Path::new(model), "int8"), Path::new(out));
        }
    }
}
