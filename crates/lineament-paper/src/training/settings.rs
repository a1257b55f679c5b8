//! The knobs of the paper's recipe, with its values as defaults.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use lineament_train::error::{Error, Result};
use lineament_train::networks::Paper;

/// One training run of one network. Written as TOML next to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The network's name, for people and the model file.
    pub name: String,
    /// The table of records.
    pub table: PathBuf,
    /// Passes over the training part.
    pub epochs: usize,
    /// Samples per step; the last step of an epoch takes what is left.
    pub batch: usize,
    /// Seed of the initial weights and of the order of the samples.
    pub seed: u64,
    /// Step size of Adam.
    pub rate: f32,
    /// Share of the table that is held back: its last rows, as Keras takes them.
    pub validation_share: f64,
    /// Takes this many rows, drawn by the seed; `None`: all.
    pub rows: Option<usize>,
    /// Shuffles the rows by the seed before the last are held back: the files of a folder are sorted by name, and
    /// names may mean something (those of UTKFace begin with the age). The paper keeps the table's order.
    pub shuffle: bool,
    /// Parts of a batch that run in parallel; the last digits of the result depend on it, not on the number of threads.
    pub groups: usize,
    /// What the model file says of its training data.
    pub training_data: String,
    /// The layers.
    pub network: Paper,
}

impl Settings {
    /// The paper's settings for its network `name`; `None` for a name that is not in
    /// [`lineament_train::networks::PAPER`].
    pub fn paper(name: &str, table: PathBuf) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            table,
            epochs: 300,
            batch: 120,
            seed: 7,
            rate: 1e-3,
            validation_share: 0.1,
            rows: None,
            shuffle: false,
            groups: 2,
            training_data: String::new(),
            network: Paper::by_name(name)?,
        })
    }

    /// Reads what [`Settings::to_toml`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] with what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let settings: Self = toml::from_str(&text).map_err(|e| Error::file(path, e.message()))?;
        settings.check().map_err(|e| Error::file(path, e))?;
        Ok(settings)
    }

    /// As TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings hold numbers, strings and tables only")
    }

    /// # Errors
    /// [`Error::Config`] naming the knob and its range.
    pub fn check(&self) -> Result<()> {
        let Paper { pools, filters, kernels } = self.network;
        let rules = [
            ((1..=1_000_000).contains(&self.epochs), "epochs: from 1 to 1,000,000"),
            ((1..=65_536).contains(&self.batch), "batch: from 1 to 65,536"),
            ((1..=64).contains(&self.groups), "groups: from 1 to 64"),
            (self.seed <= i64::MAX as u64, "seed: below 2^63"),
            (self.rate > 0.0 && self.rate < 1.0, "rate: above 0, below 1"),
            ((0.0..0.9).contains(&self.validation_share), "validation share: from 0 to 0.9"),
            (pools <= 3, "pools: from 0 to 3"),
            (filters.iter().all(|f| (1..=1024).contains(f)), "filters: from 1 to 1,024 each"),
            (kernels.iter().all(|k| (1..=11).contains(k)), "kernels: from 1 to 11 each"),
            (self.rows.is_none_or(|rows| rows >= 2), "rows: at least 2"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Error::Config((*rule).into())),
            None => Ok(()),
        }
    }
}
