//! `lineament calibrate`: expected errors that are as large as the measured ones.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use lineament::models::DETECTOR;
use lineament::topology::Topology;
use lineament::{Lineament, Options};
use lineament_data::evaluate::evaluate;
use lineament_data::{Protocol, Report, Sample, dataset, read_model_file, topologies};
use lineament_nn::model::Model;
use lineament_train::calibrate::scale_errors;
use serde::Serialize;

use crate::failure::one_line;
use crate::figures::Format;
use crate::inputs::Source;
use crate::output::Files;
use crate::progress::Progress;
use crate::text::or_dash;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament calibrate lite.int8.onnx --data faces/ --out calibrated.onnx
  lineament calibrate lite.int8.onnx --data faces/ --validation 0.05 --out calibrated.onnx
                                                             on the photos that training held back
  lineament calibrate lite.onnx --factor 0.97 --out calibrated.onnx
                                                             by the factor of another file of the same network

A model is calibrated when it is trained. It needs it again when it is used on other photos, or was quantised.";

/// Scales a landmark network's expected errors so that they are true in the mean
///
/// Finds the faces of labelled photos, compares the expected errors of their points with the measured ones, and
/// multiplies all expected errors by one factor. Points stay the same. The face score counts expected errors: a large
/// factor changes which doubtful faces are found. Use photos that the network was not trained on: on others its
/// errors are too small.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CalibrateArgs {
    /// The model file of a landmark network, in f32, f16 or int8
    model: PathBuf,

    /// Folder of photos, each with its points in a .pts file of the same name; or a label table (.csv or .parquet, see
    /// `data import`)
    #[arg(long, value_name = "DIR", required_unless_present = "factor")]
    data: Option<PathBuf>,

    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Measure only on those photos that training with this `validation_share` does not see
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    validation: Option<f64>,

    /// Multiply by this factor instead of measuring
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["data", "validation"])]
    factor: Option<f32>,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Outcome {
    /// The factor on the expected errors.
    factor: f32,
    /// Measured on labelled photos; `null` where the factor was given.
    measured: Option<Measured>,
    /// The new file.
    written: PathBuf,
}

#[derive(Serialize)]
struct Measured {
    photos: usize,
    before: Truth,
    after: Truth,
}

/// How true expected errors are.
#[derive(Serialize)]
struct Truth {
    /// Faces found.
    found: usize,
    /// Measured over expected error of all points.
    ratio: Option<f64>,
    /// The same for each tenth of the points, from the smallest expected errors to the largest.
    tenths: Vec<Option<f64>>,
}

impl Truth {
    fn new(report: &Report) -> Self {
        let tenths = report.calibration.deciles.iter().map(|tenth| tenth.ratio).collect();
        Self { found: report.found, ratio: report.calibration.all.ratio, tenths }
    }
}

/// Runs the command.
pub fn run(args: &CalibrateArgs) -> Result<ExitCode> {
    let bytes = read_model_file(&args.model)?;
    let named = || one_line(&args.model.display().to_string());
    let model = Model::parse(&bytes).with_context(named)?;
    scale_errors(&model, 1.0).with_context(named)?; // before the photos are read
    let files = Files::protecting(&[Source::File(args.model.clone())]);
    files.check(&args.out).context("--out")?;

    let (factor, new, measured) = match (args.factor, &args.data) {
        (Some(factor), _) => (factor, scale_errors(&model, factor).context("--factor")?.to_bytes()?, None),
        (None, data) => {
            let topology = topologies::of_model(&model).with_context(named)?;
            let data = data.as_ref().context("--data is missing")?;
            let samples = samples(data, &topology, args.validation).context("--data")?;
            // The detector inside the program finds faces only.
            let is_face = topology.definition().five.is_some();
            let protocol = if is_face { Protocol::Detector } else { Protocol::TruthCrop };
            let threads = args.threads.unwrap_or(0);
            let progress = Progress::of_photos(2 * samples.len());
            let truth = |file: &[u8]| -> Result<Truth> {
                let make = || Ok::<_, anyhow::Error>(Lineament::with_models(Options::default(), DETECTOR, file)?);
                let (report, _) = evaluate(&topology, &samples, protocol, make, threads, &|_, _| progress.advance())?;
                Ok(Truth::new(&report))
            };
            let before = truth(&bytes)?;
            let factor = before.ratio.context("--data: no face is found")? as f32;
            let new = scale_errors(&model, factor).with_context(named)?.to_bytes()?;
            let after = truth(&new)?;
            progress.finish();
            (factor, new, Some(Measured { photos: samples.len(), before, after }))
        }
    };
    files.write(&args.out, &new)?;
    let outcome = Outcome { factor, measured, written: args.out.clone() };
    args.format.print(&outcome, text)?;
    Ok(ExitCode::SUCCESS)
}

fn samples(data: &Path, topology: &Topology, validation: Option<f64>) -> Result<Vec<Sample>> {
    let mut samples = dataset::read(data, topology)?;
    samples.retain(|sample| validation.is_none_or(|share| dataset::is_validation(&sample.name, share)));
    ensure!(!samples.is_empty(), "{}: too few photos for --validation", data.display());
    Ok(samples)
}

fn text(Outcome { factor, measured, written }: &Outcome) -> String {
    let mut out = String::new();
    if let Some(Measured { photos, before, after }) = measured {
        let ratio = |ratio: Option<f64>| or_dash(ratio, 3, "");
        let mut row = |name: &str, cells: [String; 2]| {
            out += &format!("{name:<48}{:>8}{:>8}\n", cells[0], cells[1]);
        };
        row("", ["before", "after"].map(str::to_owned));
        row(&format!("faces found on {photos} photos"), [before, after].map(|truth| truth.found.to_string()));
        row("measured over expected error", [before, after].map(|truth| ratio(truth.ratio)));
        for (i, tenths) in before.tenths.iter().zip(&after.tenths).enumerate() {
            row(&format!("  tenth {} of the points, by expected error", i + 1), [*tenths.0, *tenths.1].map(ratio));
        }
        out += "\n";
    }
    out + &format!("expected errors times {factor:.4}\nwritten: {}\n", one_line(&written.display().to_string()))
}
