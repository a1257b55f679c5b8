//! What a run is made of, known before its photos are read: counts, and what is odd about them.

use lineament_data::dataset;

use crate::config::{Config, Task};
use crate::error::Result;
use crate::task::nonface_paths;

/// Photos below which a network learns the photos rather than faces. A rule of thumb: 300-W has 3,148.
const FEW_PHOTOS: usize = 300;
/// Validation photos below which figures jump from epoch to epoch.
const FEW_VALIDATION: usize = 30;

/// Counts of what a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Photos to train on.
    pub photos: usize,
    /// Photos to validate on.
    pub validation: usize,
    /// Photos without faces to train on.
    pub nonfaces: usize,
}

impl Survey {
    /// Looks through the folders.
    ///
    /// # Errors
    /// When a folder or a file of points cannot be read.
    pub fn new(config: &Config) -> Result<Self> {
        let samples = dataset::read(&config.photos)?;
        let validation = samples.iter().filter(|s| dataset::is_validation(&s.name, config.validation_share)).count();
        let nonfaces = nonface_paths(config)?.len();
        Ok(Self { photos: samples.len() - validation, validation, nonfaces })
    }

    /// What makes a run of `config` worth less than it could be, one sentence each.
    pub fn warnings(&self, config: &Config) -> Vec<String> {
        let Self { photos, validation, nonfaces } = *self;
        let steps = ((photos / config.batch).max(1) * config.epochs) as f64;
        let memory = (1.0 / f64::from(1.0 - config.average)).round();
        let rules = [
            (photos < FEW_PHOTOS, format!("only {photos} photos to train on: the network will know them by heart")),
            (photos < config.batch, format!("`batch` is {}: each step sees some photos twice", config.batch)),
            (validation == 0, "no validation photos: the run has no figures but its loss".to_owned()),
            (
                (1..FEW_VALIDATION).contains(&validation),
                format!("only {validation} validation photos: their figures say little"),
            ),
            (
                config.task == Task::Landmarks && nonfaces == 0 && config.nonface_share > 0.0,
                "no `nonfaces`: the face score learns only from what lies beside faces".to_owned(),
            ),
            (
                config.task == Task::Detector && nonfaces == 0,
                "no `nonfaces`: the detector learns only from what lies beside faces".to_owned(),
            ),
            (
                f64::from(config.warmup_epochs) >= config.epochs as f64,
                "`warmup_epochs` is the whole run: the step size never falls".to_owned(),
            ),
            (
                memory > steps / 2.0,
                format!("`average` looks back over {memory} steps of {steps}: what is exported lags behind"),
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
        let usual = Survey { photos: 2800, validation: 300, nonfaces: 1000 };
        let config = Config::default();
        assert_eq!(usual.warnings(&config), Vec::<String>::new());
        let cases = [
            ("only 40 photos", Survey { photos: 40, ..usual.clone() }, config.clone()),
            ("`batch` is 64", Survey { photos: 40, ..usual.clone() }, config.clone()),
            ("no validation", Survey { validation: 0, ..usual.clone() }, config.clone()),
            ("only 3 validation", Survey { validation: 3, ..usual.clone() }, config.clone()),
            ("no `nonfaces`", Survey { nonfaces: 0, ..usual.clone() }, config.clone()),
            (
                "no `nonfaces`: the detector",
                Survey { nonfaces: 0, ..usual.clone() },
                Config { task: Task::Detector, ..config.clone() },
            ),
            ("`warmup_epochs`", usual.clone(), Config { warmup_epochs: 300.0, ..config.clone() }),
            ("`average`", usual.clone(), Config { epochs: 2, ..config.clone() }),
        ];
        for (start, survey, config) in cases {
            let warnings = survey.warnings(&config);
            assert!(warnings.iter().any(|w| w.starts_with(start)), "{start}: {warnings:?}");
        }
    }
}
