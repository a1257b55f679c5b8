//! The settings of a run, from the command line and from an earlier run's folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lineament_data::topologies;
use lineament_train::Config;
use lineament_train::run_files::{self as files, check_folder};

use super::TrainArgs;
use crate::failure::usage;

/// The settings of a run.
#[derive(Debug)]
pub struct Settings {
    pub config: Config,
    pub dir: PathBuf,
    pub resume: bool,
    /// Notes for the user before the start.
    pub notes: Vec<String>,
}

impl Settings {
    /// # Errors
    /// When the configuration cannot be read, holds a value out of range, or is not the one that is resumed.
    pub fn new(args: &TrainArgs) -> Result<Self> {
        let dir = args.out.clone().context("--out is missing")?;
        let typed = args.config.as_deref().map(Config::read).transpose()?;
        let mut notes = Vec::new();
        let config = if args.resume {
            check_folder(&dir, true)?;
            let saved = Config::read(&dir.join(files::CONFIG))?;
            resumed(saved, typed, args, &mut notes)?
        } else {
            let mut config = typed.unwrap_or_default();
            apply(args, &mut config)?;
            config
        };
        if config.photos.as_os_str().is_empty() {
            return Err(usage(
                "no photos to train on: name their folder by --photos, or as `photos` in the configuration",
            ));
        }
        config.check()?;
        Ok(Self { config, dir, resume: args.resume, notes })
    }
}

/// The saved configuration, with the number of epochs that is asked for now; everything else must be the same.
fn resumed(saved: Config, typed: Option<Config>, args: &TrainArgs, notes: &mut Vec<String>) -> Result<Config> {
    let mut wanted = typed.unwrap_or_else(|| saved.clone());
    apply(args, &mut wanted)?;
    if let Some(key) = saved.differing_keys(&wanted).iter().find(|key| *key != "epochs") {
        return Err(usage(format!(
            "--resume: `{key}` is not what the run was started with; leave it as in {}, or start in another folder",
            files::CONFIG
        )));
    }
    if saved.epochs != wanted.epochs {
        notes.push(format!(
            "epochs: {} instead of {}; the step size follows the new schedule from here on, so the result is not that \
             of a run of {} epochs from the start",
            wanted.epochs, saved.epochs, wanted.epochs
        ));
    }
    Ok(wanted)
}

/// Options of the command line override the file.
fn apply(args: &TrainArgs, config: &mut Config) -> Result<()> {
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| path.display().to_string());
    config.task = args.task.map_or(config.task, |name| name.task());
    if let Some(topology) = &args.topology {
        let folder = absolute(Path::new(".")).context("--topology")?;
        config.topology = topologies::resolve(topology, &folder);
    }
    if let Some(path) = &args.photos {
        config.photos = absolute(path).context("--photos")?;
    }
    for (flag, path, knob) in [
        ("--boxes", &args.boxes, &mut config.boxes),
        ("--nonfaces", &args.nonfaces, &mut config.nonfaces),
        ("--detector", &args.detector, &mut config.detector),
        ("--verifier", &args.verifier, &mut config.verifier),
        ("--pseudo-labelled", &args.pseudo_labelled, &mut config.pseudo_labelled),
        ("--start", &args.start, &mut config.start),
    ] {
        if let Some(path) = path {
            *knob = Some(absolute(path).context(flag)?);
        }
    }
    config.epochs = args.epochs.unwrap_or(config.epochs);
    config.seed = args.seed.unwrap_or(config.seed);
    Ok(())
}
