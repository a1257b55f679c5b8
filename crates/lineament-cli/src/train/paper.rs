//! `lineament train --recipe paper`: the paper's training, from a table of faces.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use lineament_paper::training::{Epoch, Event, Faces, Forecast, Run, Settings, files, probe};
use lineament_train::networks;
use lineament_train::run_files::check_folder;

use super::TrainArgs;
use crate::failure::usage;
use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::progress::{Progress, say};
use crate::values;

/// Options of the paper's recipe only.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The paper's recipe")]
pub struct PaperArgs {
    /// The table of faces to learn from: the paper's CSV, Kaggle's, or Parquet
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,

    /// The network: basic has 3 pooling layers, two 2, one 1, none 0
    #[arg(long, value_name = "NAME", value_parser = networks::PAPER.map(|(name, _)| name))]
    pub network: Option<String>,

    #[command(flatten)]
    pub variation: Variation,

    /// Train even if memory seems too small
    #[arg(long)]
    pub force: bool,
}

/// Where a run differs from the paper's.
#[derive(Debug, Clone, clap::Args)]
pub struct Variation {
    /// Filters of the three convolutions
    #[arg(long, value_name = "A,B,C", value_parser = values::three)]
    pub filters: Option<[usize; 3]>,

    /// Sides of the three convolutions' kernels
    #[arg(long, value_name = "A,B,C", value_parser = values::three)]
    pub kernels: Option<[usize; 3]>,

    /// Take this many rows of the table, drawn by the seed
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub rows: Option<usize>,

    /// Shuffle the rows by the seed before the last 10 % are held back; the paper keeps their order
    #[arg(long)]
    pub shuffle: bool,
}

impl Variation {
    /// Applies the options that were given.
    pub fn apply(&self, settings: &mut Settings) {
        settings.network.filters = self.filters.unwrap_or(settings.network.filters);
        settings.network.kernels = self.kernels.unwrap_or(settings.network.kernels);
        settings.rows = self.rows.or(settings.rows);
        settings.shuffle |= self.shuffle;
    }
}

/// Runs `lineament train --recipe paper`.
pub fn run(args: &TrainArgs) -> Result<ExitCode> {
    let dir = args.out.clone().context("--out is missing")?;
    check_folder(&dir, args.resume)?;
    let settings = match args.resume {
        true => resumed(Settings::read(&dir.join(files::CONFIG))?, args)?,
        false => started(args)?,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)); // 0: every core
    let pool = pool.build().context("--threads: cannot start them")?;
    let stop = stop_on_ctrl_c()?;
    pool.install(|| match drive(&settings, &dir, args.resume, args.paper.force, &stop)? {
        true => Ok(ExitCode::SUCCESS),
        false => {
            say(&format!("stopped; go on with: lineament train --recipe paper --out {} --resume", dir.display()));
            Ok(ExitCode::from(STOPPED))
        }
    })
}

fn started(args: &TrainArgs) -> Result<Settings> {
    let table = args.paper.table.as_ref().ok_or_else(|| usage("--recipe paper: name the table of faces by --table"))?;
    let table = std::path::absolute(table).with_context(|| table.display().to_string())?;
    let name = args.paper.network.as_deref().unwrap_or("basic");
    let mut settings = Settings::paper(name, table).context("--network: there is none of this name")?;
    args.paper.variation.apply(&mut settings);
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.seed = args.seed.unwrap_or(settings.seed);
    Ok(settings)
}

/// The saved settings; only the number of epochs may differ.
fn resumed(saved: Settings, args: &TrainArgs) -> Result<Settings> {
    let mut wanted = saved.clone();
    args.paper.variation.apply(&mut wanted);
    wanted.seed = args.seed.unwrap_or(wanted.seed);
    if wanted != saved || args.paper.network.as_ref().is_some_and(|name| *name != saved.name) {
        return Err(usage(format!(
            "--resume: an option differs from what the run was started with; leave it as in {}, or start in another folder",
            files::CONFIG
        )));
    }
    wanted.epochs = args.epochs.unwrap_or(saved.epochs);
    Ok(wanted)
}

/// Trains in the folder `dir` until the end (`true`) or until `stop`.
pub fn drive(settings: &Settings, dir: &Path, resume: bool, force: bool, stop: &AtomicBool) -> Result<bool> {
    settings.check()?;
    let faces = Faces::open(settings)?;
    let architecture = settings.network.architecture(faces.points());
    let (train, held_back) = (faces.train().len(), faces.validation().len());
    let forecast = Forecast::new(&architecture, settings, train, held_back)?;
    let needed = HumanBytes(forecast.training_bytes);
    let free = free_memory();
    if let Some(free) = free.filter(|free| *free < forecast.training_bytes && !force) {
        let name = &settings.name;
        bail!("{name}: training takes {needed} of memory and {} are free; --force tries it", HumanBytes(free));
    }
    if settings.network.pools == 0 && !force {
        bail!(
            "none: the paper refuses a network without pooling for its memory; training takes {needed}; --force tries it"
        );
    }
    let speed = probe(settings.groups);
    let seconds = forecast.seconds(settings, speed.multiply_adds_per_s, speed.bytes_per_s);
    say(&format!(
        "{}: {} parameters, {} multiply-adds; {train} faces to learn from, {held_back} held back; {} steps; about {needed} \
         of memory{} and {} in all",
        settings.name,
        HumanCount(forecast.parameters as u64),
        HumanCount(forecast.multiply_adds),
        HumanCount(forecast.steps),
        free.map_or(String::new(), |free| format!(" ({} are free)", HumanBytes(free))),
        HumanDuration(std::time::Duration::from_secs_f64(seconds)),
    ));
    let mut run = Run::new(settings.clone(), faces, dir, resume)?;
    if !run.fits_a_file() {
        say(&format!(
            "warning: {}: a model file holds at most 2 GiB, so none will be written for this network",
            settings.name
        ));
    }
    let bar = Progress::of_steps(run.total_steps(), run.steps());
    let started = (Instant::now(), run.steps());
    while !stop.load(Ordering::Relaxed) {
        match run.advance()? {
            Some(Event::Step(loss)) => bar.set(run.steps(), || format!("{}: loss {loss:.3}", settings.name)),
            Some(Event::Epoch(epoch)) => bar.say(&line(settings, &epoch, left(&run, started))),
            None => {
                bar.finish();
                let made = if run.fits_a_file() { dir.join(files::MODEL) } else { dir.join(files::CHECKPOINT) };
                say(&format!("complete: {}", made.display()));
                return Ok(true);
            }
        }
    }
    bar.finish();
    run.save()?;
    Ok(false)
}

fn line(settings: &Settings, epoch: &Epoch, left: String) -> String {
    let figures = epoch.training.iter().chain(&epoch.validation);
    let figures: String = figures.map(|(name, value)| format!(", {name} {value:.3}")).collect();
    format!("{}: epoch {} of {}{figures}{left}", settings.name, epoch.epoch, settings.epochs)
}

fn left(run: &Run, (since, first): (Instant, u64)) -> String {
    let (done, left) = (run.steps() - first, run.total_steps().saturating_sub(run.steps()));
    if done == 0 || left == 0 {
        return String::new();
    }
    format!(", {} left", HumanDuration(since.elapsed().mul_f64(left as f64 / done as f64)))
}

/// Memory that is free, where the system tells it.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
