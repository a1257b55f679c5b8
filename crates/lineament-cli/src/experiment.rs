//! `lineament experiment`: a paper's whole experiment from one command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lineament_paper::training::{Settings, files};
use lineament_paper::{Plan, conclusion, html};
use lineament_train::networks::{self, Paper};

use crate::failure::usage;
use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::output::{Files, check_folder};
use crate::progress::say;
use crate::recipe;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament experiment paper faces.csv --out paper                     the paper's three networks, 300 epochs each
  lineament experiment paper faces.csv --out paper --test other.csv    and measured on other faces, too
  lineament experiment paper faces.csv --out quick --epochs 20 --rows 2000 --shuffle
  lineament experiment paper faces.csv --out paper --filters           and other numbers of filters, other kernels

The table is made by `lineament annotate`. In DIR lie report.html, results.json and a folder for each network. The same
command goes on after Ctrl-C, and only draws the report anew once all networks are trained.";

/// Repeats a paper's experiment, from a table of faces to a report
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExperimentArgs {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    Paper(PaperArgs),
}

/// Kendrick et al.: what pooling costs a landmark network
///
/// Trains the paper's networks in the same way, measures them, and writes a report that compares them with the paper.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
struct PaperArgs {
    /// The table of faces: the paper's CSV, or Parquet
    table: PathBuf,

    /// Folder for the report and the networks
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The networks: basic has 3 pooling layers, two 2, one 1
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "basic,two,one",
          value_parser = ["basic", "two", "one"])]
    networks: Vec<String>,

    /// Also train basic with other numbers of filters and other kernels
    #[arg(long)]
    filters: bool,

    /// Another table to measure on; repeatable
    #[arg(long, value_name = "TABLE")]
    test: Vec<PathBuf>,

    /// Passes over the faces
    #[arg(long, value_name = "COUNT", value_parser = values::count, default_value = "300")]
    epochs: usize,

    /// Take this many rows of the table, drawn by the seed
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    rows: Option<usize>,

    /// Shuffle the rows by the seed before the last 10 % are held back; the paper keeps their order
    #[arg(long)]
    shuffle: bool,

    /// Seed of all random numbers
    #[arg(long, value_name = "NUMBER", default_value = "7")]
    seed: u64,

    /// Training data, for the metadata of the model files
    #[arg(long, value_name = "TEXT", default_value = "")]
    training_data: String,

    /// Draw points on these photos instead of faces that were held back; its folders name what the photos show
    #[arg(long, value_name = "DIR", help_heading = "Report")]
    pictures: Option<PathBuf>,

    /// Time the detectors on this photo instead of a face that was held back
    #[arg(long, value_name = "PHOTO", help_heading = "Report")]
    frame: Option<PathBuf>,

    /// A cascade file of OpenCV, the paper's detector, to time as well; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    cascade: Vec<PathBuf>,

    /// Threads to train with; does not change the result [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,

    /// Train even if memory seems too small
    #[arg(long)]
    force: bool,
}

/// Filters and kernels of the study that the paper names as future work (section 7), around its own 32,32,64 and 3,2,2.
const STUDY: [([usize; 3], [usize; 3]); 4] =
    [([16, 16, 32], [3, 2, 2]), ([64, 64, 128], [3, 2, 2]), ([32, 32, 64], [3, 3, 3]), ([32, 32, 64], [5, 3, 3])];

/// Runs the command.
pub fn run(args: ExperimentArgs) -> Result<ExitCode> {
    let Which::Paper(args) = args.which;
    check_folder(&args.out).context("--out")?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)); // 0: every core
    let pool = pool.build().context("--threads: cannot start them")?;
    let plan = plan(&args)?;
    let stop = stop_on_ctrl_c()?;
    pool.install(|| {
        for (settings, dir) in plan.networks.iter().chain(&plan.filters) {
            if !is_trained(settings, dir)? && !recipe::train(settings, dir, is_begun(dir), args.force, &stop)? {
                say("stopped; the same command goes on");
                return Ok(ExitCode::from(STOPPED));
            }
        }
        let mut results = lineament_paper::measure(&plan, say)?;
        results.conclusion = conclusion(&results);
        let files = Files::protecting(&[]);
        let (json, report) = (args.out.join("results.json"), args.out.join("report.html"));
        files.write(&json, (serde_json::to_string_pretty(&results)? + "\n").as_bytes())?;
        files.write(&report, html(&results).as_bytes())?;
        results.conclusion.iter().for_each(|sentence| say(sentence));
        say(&format!("written: {}, {}", report.display(), json.display()));
        Ok(ExitCode::SUCCESS)
    })
}

fn plan(args: &PaperArgs) -> Result<Plan> {
    let table = std::path::absolute(&args.table).with_context(|| args.table.display().to_string())?;
    let settings = |name: &str, network: Paper| -> Result<Settings> {
        Ok(Settings {
            name: name.to_owned(),
            network,
            epochs: args.epochs,
            seed: args.seed,
            rows: args.rows,
            shuffle: args.shuffle,
            training_data: args.training_data.clone(),
            ..Settings::paper(networks::PAPER[0].0, table.clone()).context("the paper has a basic network")?
        })
    };
    let known = networks::PAPER.iter().map(|(name, _)| *name); // most pooling first, in any order of names
    let networks = known.filter(|known| args.networks.iter().any(|name| name == known)).map(|name| {
        let network = Paper::by_name(name).context("--networks: there is none of this name")?;
        Ok((settings(name, network)?, args.out.join(name)))
    });
    let studied = STUDY.iter().filter(|_| args.filters).map(|&(filters, kernels)| {
        let list = |numbers: [usize; 3]| numbers.map(|n| n.to_string()).join("-");
        let name = format!("filters {} kernels {}", list(filters), list(kernels));
        let dir = args.out.join("filters").join(name.replace(' ', "_"));
        Ok((settings(&name, Paper { filters, kernels, ..Paper::new(3) })?, dir))
    });
    Ok(Plan {
        networks: networks.collect::<Result<_>>()?,
        filters: studied.collect::<Result<_>>()?,
        tests: args.test.clone(),
        cascades: args.cascade.clone(),
        pictures: args.pictures.clone(),
        frame: args.frame.clone(),
    })
}

/// The folder holds a run that was begun.
fn is_begun(dir: &Path) -> bool {
    dir.join(files::CHECKPOINT).exists()
}

/// The network was trained by an earlier start of the same command.
fn is_trained(settings: &Settings, dir: &Path) -> Result<bool> {
    if !is_begun(dir) {
        return Ok(false);
    }
    if Settings::read(&dir.join(files::CONFIG))? != *settings {
        return Err(usage(format!(
            "{}: a run with other settings is here; repeat its command (see {}), or choose another --out",
            dir.display(),
            files::CONFIG
        )));
    }
    Ok(fs::exists(dir.join(files::MODEL))?)
}
