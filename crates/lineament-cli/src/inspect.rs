//! `lineament inspect`: describes a model file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lineament::models::{DETECTOR, LITE};
use lineament_data::read_model_file;
use lineament_nn::engine::Plan;
use lineament_nn::model::{Layer, Model, Op, Shape, Tensor, key};
use serde::Serialize;

use crate::failure::one_line;
use crate::figures::Format;
use crate::output::print;
use crate::text::{describe, grouped};

const EXAMPLES: &str = "\
Examples:
  lineament inspect                            the two models inside the program
  lineament inspect lite.onnx                  a file
  lineament inspect lite.onnx --format json    the same for programs

Multiply-adds count one run of the network at the input size shown. Activations are the memory that its values take \
then. `stored` tells the type of a layer's weights: f32, f16 or int8.";

/// Describes a model file: role, input, layers, size, licence
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct InspectArgs {
    /// The model file; without one, the two models inside the program
    file: Option<PathBuf>,

    /// How the description is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Runs the command.
pub fn run(args: InspectArgs) -> Result<ExitCode> {
    let files = match &args.file {
        Some(path) => vec![(path.display().to_string(), read_model_file(path)?)],
        None => vec![
            ("the face detector inside this program".to_owned(), DETECTOR.to_vec()),
            ("the landmark network inside this program".to_owned(), LITE.to_vec()),
        ],
    };
    let mut texts = Vec::new();
    for (name, bytes) in &files {
        let report = Model::parse(bytes)
            .map_err(lineament::Error::from)
            .and_then(|model| Report::new(name, bytes.len(), &model));
        let report = report.with_context(|| one_line(name))?;
        texts.push(args.format.write(&report, Report::text)?);
    }
    let separator = if args.format == Format::Text { "\n" } else { "" };
    print(&texts.join(separator))?;
    Ok(ExitCode::SUCCESS)
}

/// The description of a model.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    file_bytes: usize,
    role: String,
    name: Option<String>,
    /// Height, width, channels.
    input: [usize; 3],
    outputs: Vec<OutputRow>,
    parameters: usize,
    multiply_adds: u64,
    weights_bytes: usize,
    peak_activation_bytes: usize,
    licence: Option<String>,
    layers: Vec<LayerRow>,
    /// Key and value, in the file's order.
    metadata: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct OutputRow {
    name: String,
    /// Number of the layer that makes it; 0 is the input.
    layer: usize,
    shape: [usize; 3],
}

#[derive(Debug, Serialize)]
struct LayerRow {
    number: usize,
    what: String,
    /// Numbers of the layers that it reads; 0 is the input.
    reads: Vec<usize>,
    shape: [usize; 3],
    parameters: usize,
    multiply_adds: u64,
    weights_bytes: usize,
    /// How the weights are stored; `null` where there are none.
    stored: Option<&'static str>,
}

impl Report {
    fn new(file: &str, file_bytes: usize, model: &Model) -> lineament::Result<Self> {
        let net = &model.architecture;
        let plan = Plan::new(net, net.input)?;
        let (parameters, multiply_adds) = (net.layer_parameters()?, net.layer_multiply_adds(net.input)?);
        let row = |(i, layer): (usize, &Layer)| LayerRow {
            number: i + 1,
            what: describe(&layer.op),
            reads: reads(layer),
            shape: sides(plan.shapes[i + 1]),
            parameters: parameters[i],
            multiply_adds: multiply_adds[i],
            weights_bytes: model.weights[i].iter().map(Tensor::stored_bytes).sum(),
            stored: model.weights[i].first().filter(|_| layer.op != Op::Quantize).map(|weight| weight.element.name()),
        };
        let layers: Vec<LayerRow> = net.layers.iter().enumerate().map(row).collect();
        let output = |o: &lineament_nn::model::Output| OutputRow {
            name: o.name.clone(),
            layer: o.value,
            shape: sides(plan.shapes[o.value]),
        };
        let metadata = model.metadata.entries.clone();
        let entry = |key| model.metadata.get(key).map(str::to_owned);
        Ok(Self {
            file: file.to_owned(),
            file_bytes,
            role: model.metadata.role.name().to_owned(),
            name: entry(key::NAME),
            input: sides(net.input),
            outputs: net.outputs.iter().map(output).collect(),
            parameters: parameters.iter().sum(),
            multiply_adds: multiply_adds.iter().sum(),
            weights_bytes: model.weight_bytes(),
            peak_activation_bytes: plan.len() * size_of::<f32>(),
            licence: entry(key::LICENCE),
            layers,
            metadata,
        })
    }

    fn text(&self) -> String {
        let unknown = || "the file does not say".to_owned();
        let outputs: Vec<String> =
            self.outputs.iter().map(|o| format!("{} {} (layer {})", one_line(&o.name), by(o.shape), o.layer)).collect();
        let mut text = String::new();
        for (label, value) in [
            ("file", format!("{}, {} bytes", one_line(&self.file), grouped(self.file_bytes as u64))),
            ("role", self.role.clone()),
            ("name", self.name.as_deref().map_or_else(unknown, one_line)),
            ("input", format!("{} (height x width x channels)", by(self.input))),
            ("outputs", outputs.join(", ")),
            ("parameters", grouped(self.parameters as u64)),
            ("multiply-adds", grouped(self.multiply_adds)),
            ("weights", format!("{} bytes", grouped(self.weights_bytes as u64))),
            ("activations", format!("{} bytes at the peak", grouped(self.peak_activation_bytes as u64))),
            ("licence", self.licence.as_deref().map_or_else(unknown, one_line)),
        ] {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "{label:<15}{value}");
        }
        let _ = writeln!(
            text,
            "\n{:>5}  {:<30}{:>7}{:>17}{:>12}{:>15}{:>8}",
            "layer", "what", "reads", "makes", "parameters", "multiply-adds", "stored"
        );
        for row in &self.layers {
            let reads: Vec<String> = row.reads.iter().map(usize::to_string).collect();
            let _ = writeln!(
                text,
                "{:>5}  {:<30}{:>7}{:>17}{:>12}{:>15}{:>8}",
                row.number,
                row.what,
                reads.join(", "),
                by(row.shape),
                grouped(row.parameters as u64),
                grouped(row.multiply_adds),
                row.stored.unwrap_or_default()
            );
        }
        if !self.metadata.is_empty() {
            text.push_str("\nmetadata\n");
        }
        for (key, value) in &self.metadata {
            let _ = writeln!(text, "  {}: {}", one_line(key), one_line(value));
        }
        text
    }
}

fn reads(layer: &Layer) -> Vec<usize> {
    std::iter::once(layer.input).chain(layer.op.second_input()).collect()
}

fn sides(shape: Shape) -> [usize; 3] {
    [shape.height, shape.width, shape.channels]
}

fn by(sides: [usize; 3]) -> String {
    sides.map(|n| n.to_string()).join(" x ")
}
