//! Counts of the photos of a run, known before the photos are read, and warnings about them.

use lineament_data::dataset;

use crate::config::{Config, Task};
use crate::error::Result;
use crate::task::nonface_paths;

/// With fewer photos a network memorises them. A rule of thumb: 300-W has 3,148.
const FEW_PHOTOS: usize = 300;
/// With fewer validation photos the figures jump from epoch to epoch.
const FEW_VALIDATION: usize = 30;

/// How many photos a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSummary {
    /// Photos to train on.
    pub photos: usize,
    /// Photos to validate on.
    pub validation: usize,
    /// Photos without faces to train on.
    pub nonfaces: usize,
}

impl DatasetSummary {
    /// Counts the photos in the folders of `config`.
    ///
    /// # Errors
    /// When a folder or a file of points cannot be read.
    pub fn new(config: &Config) -> Result<Self> {
        let topology = config.topology()?;
        let samples = dataset::read(&config.photos, &topology)?;
        let validation = samples.iter().filter(|s| dataset::is_validation(&s.name, config.validation_share)).count();
        let nonfaces = nonface_paths(config)?.len();
        Ok(Self { photos: samples.len() - validation, validation, nonfaces })
    }

    /// Why a run of `config` may be worth less than it could be, one sentence each.
    pub fn warnings(&self, config: &Config) -> Vec<String> {
        let Self { photos, validation, nonfaces } = *self;
        let steps = ((photos / config.batch).max(1) * config.epochs) as f64;
        let memory = (1.0 / f64::from(1.0 - config.ema)).round();
        let rules = [
            (photos < FEW_PHOTOS, format!("only {photos} photos to train on: the network will memorise them")),
            (photos < config.batch, format!("`batch` is {}: each step sees some photos twice", config.batch)),
            (validation == 0, "no validation photos: the run has no figures but its loss".to_owned()),
            (
                (1..FEW_VALIDATION).contains(&validation),
                format!("only {validation} validation photos: their figures say little"),
            ),
            (
                config.task == Task::Landmarks && nonfaces == 0 && config.nonface_share > 0.0,
                "no `nonfaces`: the face score learns only from parts of photos next to faces".to_owned(),
            ),
            (
                config.task == Task::Detector && nonfaces == 0,
                "no `nonfaces`: the detector learns only from parts of photos next to faces".to_owned(),
            ),
            (
                f64::from(config.warmup_epochs) >= config.epochs as f64,
                "`warmup_epochs` is the whole run: the step size never falls".to_owned(),
            ),
            (
                memory > steps / 2.0,
                format!("`ema` averages over {memory} steps of {steps}: the exported weights lag behind"),
            ),
        ];
        rules.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_run_is_not_warned_of_and_odd_ones_are() {
        let usual = DatasetSummary { photos: 2800, validation: 300, nonfaces: 1000 };
        let config = Config::default();
        assert_eq!(usual.warnings(&config), Vec::<String>::new());
        let cases = [
            ("only 40 photos", DatasetSummary { photos: 40, ..usual.clone() }, config.clone()),
            ("`batch` is 64", DatasetSummary { photos: 40, ..usual.clone() }, config.clone()),
            ("no validation", DatasetSummary { validation: 0, ..usual.clone() }, config.clone()),
            ("only 3 validation", DatasetSummary { validation: 3, ..usual.clone() }, config.clone()),
            ("no `nonfaces`", DatasetSummary { nonfaces: 0, ..usual.clone() }, config.clone()),
            (
                "no `nonfaces`: the detector",
                DatasetSummary { nonfaces: 0, ..usual.clone() },
                Config { task: Task::Detector, ..config.clone() },
            ),
            ("`warmup_epochs`", usual.clone(), Config { warmup_epochs: 300.0, ..config.clone() }),
            ("`ema`", usual.clone(), Config { epochs: 2, ..config.clone() }),
        ];
        for (start, summary, config) in cases {
            let warnings = summary.warnings(&config);
            assert!(warnings.iter().any(|w| w.starts_with(start)), "{start}: {warnings:?}");
        }
    }
}
