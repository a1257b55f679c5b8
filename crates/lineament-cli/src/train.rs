//! `lineament train`: from a folder of photos to a model file.

mod network;
mod paper;
mod settings;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use indicatif::HumanBytes;
use lineament_train::config::{self, Config};
use lineament_train::dataset_summary::DatasetSummary;
use lineament_train::detector::DetectorTask;
use lineament_train::graph::Graph;
use lineament_train::landmarks::Landmarks;
use lineament_train::network_summary::NetworkSummary;
use lineament_train::run_files::{self as files, check_folder};
use lineament_train::task::Task;
use lineament_train::train::{Event, Run};

use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::output::print;
use crate::progress::say;
use crate::recipe::free_memory;
use crate::text::grouped;
use crate::values;
use settings::Settings;
use watch::Watch;

const EXAMPLES: &str = "\
Examples:
  lineament train --print-config landmarks > lite.toml      every knob with its reason and default
  lineament train lite.toml --out lite --photos faces/      trains; the model is lite/model.onnx
  lineament train --out lite --resume                       goes on after Ctrl-C or a power cut
  lineament train --out lite --resume --epochs 400          and trains longer than planned
  lineament train --photos faces/ --topology five --out five
                                                            five points, with the default of every other knob
  lineament train --photos cats.csv --topology cat.toml --out cat
                                                            your own points, from a label table
  lineament train --print-network lite >> lite.toml         layers to change, in place of `network`

Ctrl-C saves a checkpoint and stops; a second one ends at once. In DIR lie config.toml, checkpoint.safetensors,
model.onnx, curves.csv and curves.png.";

/// Trains a network from labelled photos
///
/// Trains a landmark network or a detector from a folder of photos with a .pts file next to each, or from a label
/// table: of faces, or of objects with points of your own (docs/your-own-points.md). One TOML file says how; it is
/// saved next to the weights. The same configuration gives the same weights, with any number of threads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TrainArgs {
    /// The configuration; paths in it are relative to its folder. Not needed with --resume, and where --photos and the
    /// default of every other knob are enough
    #[arg(required_unless_present_any = ["resume", "print_config", "print_network", "network_json", "recipe",
          "photos"])]
    config: Option<PathBuf>,

    /// Folder for the model, its configuration, checkpoint and curves
    #[arg(long, value_name = "DIR", required_unless_present_any = ["print_config", "print_network", "network_json"])]
    out: Option<PathBuf>,

    /// Go on from the checkpoint in DIR, with the configuration saved there
    #[arg(long)]
    resume: bool,

    /// Print a configuration with every knob, its reason, default and range, and do nothing else
    #[arg(long, value_name = "TASK", exclusive = true)]
    print_config: Option<TaskName>,

    /// Print a network's layers, by its name or a configuration's, as text to change, and do nothing else
    #[arg(long, value_name = "NETWORK", exclusive = true)]
    print_network: Option<String>,

    /// Print a network's layers and how it is trained as JSON, for training elsewhere, and do nothing else
    #[arg(long, value_name = "NETWORK", exclusive = true)]
    network_json: Option<String>,

    /// What is trained, instead of the configuration's `task`
    #[arg(long, value_name = "TASK")]
    task: Option<TaskName>,

    /// Which points an object has: a name or a topology file, instead of the configuration's; see `lineament topology`
    #[arg(long, value_name = "NAME|FILE")]
    topology: Option<String>,

    /// Folder of photos with .pts files, or a label table (.csv or .parquet), instead of the configuration's
    #[arg(long, value_name = "DIR|TABLE")]
    photos: Option<PathBuf>,

    /// Table of all faces in the photos, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    boxes: Option<PathBuf>,

    /// Folder of photos without faces, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    nonfaces: Option<PathBuf>,

    /// Model file of a detector that mines hard negatives, instead of the configuration's `detector`
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    detector: Option<PathBuf>,

    /// Model file of a landmark network that verifies hard negatives, instead of the configuration's `verifier`
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    verifier: Option<PathBuf>,

    /// Folder of photos with .pts files by a larger network, instead of the configuration's `pseudo_labelled`
    #[arg(long, value_name = "DIR", help_heading = "Data")]
    pseudo_labelled: Option<PathBuf>,

    /// Checkpoint or model file (f32 or f16) with the first weights, instead of the configuration's `start`
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    start: Option<PathBuf>,

    /// Passes over the photos, instead of the configuration's
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    epochs: Option<usize>,

    /// Seed of all random numbers, instead of the configuration's
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Train by another recipe instead, see below
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "task", "topology", "photos", "boxes", "nonfaces",
          "detector", "verifier", "pseudo_labelled", "start"])]
    recipe: Option<Recipe>,

    /// Threads to train with; does not change the result [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,

    #[command(flatten)]
    paper: paper::PaperArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Recipe {
    /// Kendrick et al.: one of the three networks with few pooling layers, from a table of 96x96 faces
    Paper,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum TaskName {
    /// The network that places the points
    Landmarks,
    /// The network that finds faces
    Detector,
}

impl TaskName {
    fn task(self) -> config::Task {
        match self {
            Self::Landmarks => config::Task::Landmarks,
            Self::Detector => config::Task::Detector,
        }
    }
}

/// Runs the command.
pub fn run(args: TrainArgs) -> Result<ExitCode> {
    if let Some(name) = args.print_config {
        let text = Config { task: name.task(), ..Config::default() }.to_commented_toml();
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = args.print_network {
        print(&network::text(&name, "--print-network")?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = args.network_json {
        print(&format!("{}\n", network::json(&network::layers(&name, "--network-json")?)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(Recipe::Paper) = args.recipe {
        return paper::run(&args);
    }
    let settings = Settings::new(&args)?;
    check_folder(&settings.dir, settings.resume)?;
    let summary = DatasetSummary::new(&settings.config)?;
    let mut notes = settings.notes.clone();
    notes.extend(summary.warnings(&settings.config).into_iter().map(|w| format!("warning: {w}")));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)); // 0: every core
    let pool = pool.build().context("--threads: cannot start them")?;
    if args.threads.is_some_and(|n| n > settings.config.groups) {
        let groups = settings.config.groups;
        notes.push(format!(
            "warning: --threads is more than `groups`, which is {groups}: the other threads have nothing to do"
        ));
    }
    if settings.config.detector.is_some() && settings.config.task == config::Task::Landmarks {
        notes.push("mining hard negatives with earlier models: some minutes".to_owned());
    }
    let config = settings.config.clone();
    let graph = Graph::new(config.architecture()?)?;
    tell_cost(&config, &NetworkSummary::measure(&config, &graph)?);
    notes.iter().for_each(|note| say(note));
    let side = graph.shapes[0].width;
    pool.install(|| match config.task {
        config::Task::Landmarks => drive(Landmarks::new(&config, side)?, graph, settings, &summary),
        config::Task::Detector => drive(DetectorTask::new(&config, side)?, graph, settings, &summary),
    })
}

/// Prints what the network costs in training and in use.
fn tell_cost(config: &Config, summary: &NetworkSummary) {
    let NetworkSummary { input, layers, parameters, multiply_adds, .. } = *summary;
    let (parameters, multiply_adds) = (grouped(parameters as u64), grouped(multiply_adds));
    say(&format!(
        "{}: input {} x {}, {layers} layers, {parameters} parameters, {multiply_adds} multiply-adds",
        config.network_name(),
        input.height,
        input.width,
    ));
    let [f32_bytes, f16_bytes] = [summary.f32_bytes, summary.f16_bytes].map(|bytes| HumanBytes(bytes as u64));
    let (pass_ms, training) = (1e3 * summary.pass.as_secs_f64(), HumanBytes(summary.training_bytes));
    say(&format!(
        "its file: {f32_bytes} in f32, {f16_bytes} in f16; a pass on one core: {pass_ms:.2} ms; memory to train it: \
         about {training} and the photos"
    ));
    if let Some(free) = free_memory().filter(|free| *free < summary.training_bytes) {
        say(&format!("warning: only {} of memory are free: choose a smaller `batch` or network", HumanBytes(free)));
    }
}

/// Pulls the run to its end, or to Ctrl-C.
fn drive<T: Task>(task: T, graph: Graph, settings: Settings, summary: &DatasetSummary) -> Result<ExitCode> {
    let Settings { config, dir, resume, .. } = settings;
    let mut run = Run::new(config.clone(), &dir, task, graph, resume)?;
    say(&format!(
        "{} photos, {} for validation, {} without faces; {} steps of {}, {} threads",
        summary.photos,
        summary.validation,
        summary.nonfaces,
        run.total_steps(),
        config.batch,
        rayon::current_num_threads(),
    ));
    let stop = stop_on_ctrl_c()?;
    let mut watch = Watch::new(&run, config.epochs);
    while !stop.load(Ordering::Relaxed) {
        match run.advance()? {
            Some(Event::Step { losses, .. }) => watch.step(&run, losses[0].1),
            Some(Event::Epoch(epoch)) => watch.epoch(&epoch),
            None => {
                watch.finish();
                let model = dir.join(files::MODEL);
                say(&format!("complete: {}{}", model.display(), watch.last_figures()));
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    watch.finish();
    run.save()?;
    let dir = dir.display();
    say(&format!("stopped after step {}; go on with: lineament train --out {dir} --resume", run.steps()));
    Ok(ExitCode::from(STOPPED))
}
