//! Training as the paper does it: for `lineament train --recipe paper` and for `lineament experiment`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use lineament_bench::Memory;
use lineament_paper::training::{Epoch, Event, Faces, Forecast, Run, Settings, files, probe};

use crate::progress::{Progress, Unit, say};

/// Trains in the folder `dir`; `true` when the training is complete, `false` when `stop` ended it.
///
/// # Errors
/// When the settings or the table cannot be used, memory does not suffice, or a file cannot be written.
pub fn train(settings: &Settings, dir: &Path, resume: bool, force: bool, stop: &AtomicBool) -> Result<bool> {
    settings.check()?;
    let faces = Faces::open(settings)?;
    check_memory_and_tell(settings, &faces, force)?;
    let mut run = Run::new(settings.clone(), faces, dir, resume)?;
    if !run.fits_a_file() {
        say(&format!(
            "warning: {}: a model file holds at most 2 GiB; there will be none of this network",
            settings.name
        ));
    }
    let progress = Progress::new(Unit::Unnamed, Some(run.total_steps()));
    while !stop.load(Ordering::Relaxed) {
        match run.advance()? {
            Some(Event::Step(loss)) => progress.set(run.steps(), || format!("{}: loss {loss:.3}", settings.name)),
            Some(Event::Epoch(epoch)) => progress.say(&line(settings, &epoch, &progress.left())),
            None => {
                progress.finish();
                let made = if run.fits_a_file() { dir.join(files::MODEL) } else { dir.join(files::CHECKPOINT) };
                say(&format!("complete: {}", made.display()));
                return Ok(true);
            }
        }
    }
    progress.finish();
    run.save()?;
    Ok(false)
}

/// What an epoch's end tells.
fn line(settings: &Settings, epoch: &Epoch, left: &str) -> String {
    let figures = epoch.training.iter().chain(&epoch.validation);
    let figures: String = figures.map(|(name, value)| format!(", {name} {value:.3}")).collect();
    let left = if left.is_empty() { String::new() } else { format!(", {left}") };
    format!("{}: epoch {} of {}{figures}{left}", settings.name, epoch.epoch, settings.epochs)
}

/// Prints what the training will take, and refuses one that memory does not suffice for unless `force` is given.
fn check_memory_and_tell(settings: &Settings, faces: &Faces, force: bool) -> Result<()> {
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
        bail!("none: the paper refuses a network without pooling: training takes {needed} of memory; --force tries it");
    }
    let speed = probe(settings.groups);
    let seconds = forecast.seconds(settings, speed.multiply_adds_per_s, speed.bytes_per_s);
    say(&format!(
        "{}: {} parameters, {} multiply-adds; {train} faces for training, {held_back} held back; {} steps; about \
         {needed} of memory{} and {} in all",
        settings.name,
        HumanCount(forecast.parameters as u64),
        HumanCount(forecast.multiply_adds),
        HumanCount(forecast.steps),
        free.map_or(String::new(), |free| format!(" ({} are free)", HumanBytes(free))),
        HumanDuration(std::time::Duration::from_secs_f64(seconds)),
    ));
    Ok(())
}

/// Bytes that a program can still have, where the system tells.
pub fn free_memory() -> Option<u64> {
    Memory::available_kib().map(|kib| 1024 * kib)
}
