//! All knobs of a training run, each with a default and a reason, in one TOML file that is saved beside the weights.

use std::path::{Path, PathBuf};

use lineament_data::{Jitter, Photometric};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::networks;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// A network that places the points within a crop.
    #[default]
    Landmarks,
    /// A network that finds faces in a frame.
    Detector,
}

/// One training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What is trained: `landmarks` or `detector`.
    pub task: Task,
    /// The network: `lite` for landmarks, `detector` for the detector. Empty takes the task's default.
    pub network: String,
    /// Folder of photos with a `.pts` file of 68 points beside each.
    pub photos: PathBuf,
    /// Table `file,x,y,w,h,score` with a box for every face in the photos, also those without points: the detector
    /// must not learn them as background.
    pub boxes: Option<PathBuf>,
    /// Folder of photos without faces: they teach the face score. Without it, only parts of photos beside the face do.
    pub nonfaces: Option<PathBuf>,
    /// Share of the photos kept for validation, chosen by a stable hash of the photo's name. A tenth is enough to
    /// compare epochs; 0 trains on everything once the recipe is fixed.
    pub validation_share: f64,
    /// Everything random follows from it. The paper's is 7.
    pub seed: u64,
    /// Passes over the photos. Small networks on few photos go on improving for hundreds.
    pub epochs: usize,
    /// Samples per step. 64 is a compromise of steady gradients and many steps.
    pub batch: usize,
    /// Parts of a batch that run side by side and have their own batch statistics. The result depends on it, not on
    /// the number of threads; more than `groups` threads are of no use.
    pub groups: usize,
    /// Step size of Adam at its highest.
    pub rate: f32,
    /// Epochs in which the step size rises from 0: early steps of Adam are large and badly directed.
    pub warmup_epochs: f32,
    /// Pull of the weights towards 0. Small networks need little.
    pub decay: f32,
    /// How slowly the average of the weights follows, per step; the average is what is exported. 0.999 averages about
    /// the last 1,000 steps, which is worth as much as the end of a long decay of the step size.
    pub average: f32,
    /// Share of samples without a face, for the face score.
    pub nonface_share: f64,
    /// What the model file says of its training data.
    pub training_data: String,
    /// What the model file says of the licence of its weights.
    pub licence: String,
    /// What the model file says of the code that trained it.
    pub commit: String,
    /// Epochs between validations; each also writes a checkpoint and the curves.
    pub validate_every: usize,
    /// How crops are moved, scaled and turned (landmarks).
    pub jitter: Jitter,
    /// What is done to the brightness.
    pub photometric: Photometric,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            task: Task::Landmarks,
            network: String::new(),
            photos: PathBuf::new(),
            boxes: None,
            nonfaces: None,
            validation_share: 0.1,
            seed: 7,
            epochs: 300,
            batch: 64,
            groups: 4,
            rate: 2e-3,
            warmup_epochs: 3.0,
            decay: 1e-2,
            average: 0.999,
            nonface_share: 0.15,
            training_data: String::new(),
            licence: String::new(),
            commit: String::new(),
            validate_every: 10,
            jitter: Jitter::default(),
            photometric: Photometric::default(),
        }
    }
}

impl Config {
    /// Reads a TOML file; what it does not name has its default.
    ///
    /// # Errors
    /// [`Error::File`] naming the line at fault, [`Error::Config`] as [`Config::check`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let config: Self = toml::from_str(&text).map_err(|e| Error::file(path, e))?;
        config.check()?;
        Ok(config)
    }

    /// As TOML, every knob named.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration holds numbers, strings and tables only")
    }

    /// The network's name, the task's default when none is given.
    pub fn network_name(&self) -> &str {
        match (self.network.as_str(), self.task) {
            ("", Task::Landmarks) => "lite",
            ("", Task::Detector) => "detector",
            (name, _) => name,
        }
    }

    /// # Errors
    /// [`Error::Config`] naming the knob and its range.
    pub fn check(&self) -> Result<()> {
        let rules = [
            (networks::NAMES.contains(&self.network_name()), "network: one of lite, detector"),
            ((0.0..0.9).contains(&self.validation_share), "validation_share: from 0 to 0.9"),
            (self.epochs > 0, "epochs: at least 1"),
            (self.groups > 0 && self.batch >= self.groups, "groups: at least 1, at most `batch`"),
            (self.groups > 0 && self.batch.is_multiple_of(self.groups), "batch: a multiple of `groups`"),
            (self.rate > 0.0 && self.rate < 1.0, "rate: above 0, below 1"),
            (self.warmup_epochs >= 0.0, "warmup_epochs: 0 or more"),
            ((0.0..1.0).contains(&self.decay), "decay: from 0 to 1"),
            ((0.0..1.0).contains(&self.average), "average: from 0, below 1"),
            ((0.0..1.0).contains(&self.nonface_share), "nonface_share: from 0, below 1"),
            (self.validate_every > 0, "validate_every: at least 1"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Error::Config((*rule).into())),
            None => {
                self.jitter.check()?;
                Ok(self.photometric.check()?)
            }
        }
    }
}
