//! Everything that an experiment finds, as it is written to `results.json` and drawn into the report.

use lineament_data::evaluate::metrics::median;
use serde::{Deserialize, Serialize};

use lineament_train::networks::Paper;

/// The whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of the program.
    pub version: String,
    /// What was trained on.
    pub data: Data,
    /// How: the same for all networks.
    pub recipe: Recipe,
    /// What it ran on.
    pub machine: Machine,
    /// The networks, most pooling first.
    pub networks: Vec<Network>,
    /// The study of filters and kernels: `basic` with other numbers of them; empty where it was not asked for.
    pub filters: Vec<Network>,
    /// Frame rate of each detector without a network.
    pub detectors: Vec<FrameRate>,
    /// Pictures with each network's points, in the order they are shown.
    pub pictures: Vec<Picture>,
    /// What the numbers say, a sentence each.
    pub conclusion: Vec<String>,
}

/// The data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// The table's file name.
    pub table: String,
    /// Points of each face.
    pub points: usize,
    /// Faces learned from.
    pub train: usize,
    /// Faces held back.
    pub validation: usize,
    /// Other tables that the networks were measured on: name, faces.
    pub tests: Vec<(String, usize)>,
}

/// What all networks have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training part.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// Of the weights and of the order.
    pub seed: u64,
    /// Step size of Adam.
    pub rate: f32,
    /// Share of the rows that is held back.
    pub validation_share: f64,
    /// Rows drawn from the table, where not all were taken.
    pub rows: Option<usize>,
    /// The rows were shuffled before the last were held back.
    pub shuffle: bool,
    /// Parts of a batch that ran side by side.
    pub groups: usize,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, where the system says.
    pub processor: String,
    /// Threads that trained.
    pub threads: usize,
    /// Instructions that the kernels use.
    pub level: String,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Its name: `basic`, `two`, `one`, or what was varied.
    pub name: String,
    /// Its pools, filters and kernels.
    pub layers: Paper,
    /// Learned numbers.
    pub parameters: usize,
    /// Bytes of the model file.
    pub file_bytes: u64,
    /// Height, width and channels behind each convolution and its pooling.
    pub feature_maps: Vec<[usize; 3]>,
    /// Multiply-adds to run it once.
    pub multiply_adds: u64,
    /// Bytes of all layers' outputs when it runs once.
    pub activation_bytes: u64,
    /// Bytes that training it takes, as forecast.
    pub training_bytes: u64,
    /// Every epoch.
    pub history: Vec<Epoch>,
    /// Seconds of the training steps of the fastest epoch: what else a machine does only makes epochs slower.
    pub seconds_per_epoch: f64,
    /// Of the exported file on the validation part.
    pub validation: Figures,
    /// Of the exported file on the other tables, in the order of [`Data::tests`].
    pub tests: Vec<Figures>,
    /// Median milliseconds to run it on one crop, one thread.
    pub run_ms: f64,
    /// With each detector in front of it, in the order of [`Results::detectors`].
    pub frame_rates: Vec<FrameRate>,
}

/// Last epochs that [`Network::settled`] looks at.
pub const SETTLED: usize = 10;

impl Network {
    /// The medians of each figure over the last [`SETTLED`] epochs of the validation part. With a step size that does
    /// not fall, one epoch says little: the next may be a tenth better or worse. With fewer than twice as many
    /// epochs, when figures still fall, those of the exported file.
    pub fn settled(&self) -> Figures {
        self.last_epochs().map_or(self.validation, |last| Figures::medians(last.iter().map(|e| &e.validation)))
    }

    /// As [`Network::settled`], of the training part; `None` without a history.
    pub fn settled_training(&self) -> Option<Figures> {
        let medians = |last: &[Epoch]| Figures::medians(last.iter().map(|e| &e.training));
        self.last_epochs().map(medians).or_else(|| self.history.last().map(|e| e.training))
    }

    /// The last [`SETTLED`] epochs of a history that is long enough.
    pub fn last_epochs(&self) -> Option<&[Epoch]> {
        let start = self.history.len().checked_sub(2 * SETTLED)? + SETTLED;
        self.history.get(start..)
    }
}

impl Figures {
    fn medians<'a>(figures: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let of = |get: fn(&Self) -> f64| median(&figures.clone().map(get).collect::<Vec<_>>());
        let nme: Option<Vec<f64>> = figures.clone().map(|f| f.nme).collect();
        Self { loss: of(|f| f.loss), mae: of(|f| f.mae), accuracy: of(|f| f.accuracy), nme: nme.map(|n| median(&n)) }
    }
}

/// One epoch: of the training part while it was learned from, of the validation part afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Of the training part.
    pub training: Figures,
    /// Of the validation part.
    pub validation: Figures,
}

/// What is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// RMSE in pixels of the crop.
    pub loss: f64,
    /// Mean absolute error in pixels of the crop.
    pub mae: f64,
    /// Share of coordinates that are right when rounded to whole pixels, 0 to 1 (equation 2).
    pub accuracy: f64,
    /// Mean distance in percent of that of the outer eye corners; none where the points are not the 68.
    pub nme: Option<f64>,
}

/// The live path on frames of [`FRAME_SIZE`], one thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameRate {
    /// The detector.
    pub detector: String,
    /// Median milliseconds of a frame: RGBA in, boxes (and points) out.
    pub frame_ms: f64,
}

/// Runs whose median time is reported.
pub(crate) const RUNS: usize = 21;

/// Width and height of the frames that frame rates are measured on: the paper's.
pub const FRAME_SIZE: (usize, usize) = (864, 480);

/// A picture with points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// What it shows: `dark`, `glasses`, the name of its folder.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The points of each network, in the order of [`Results::networks`]: x0, y0, ... in pixels of the picture.
    pub points: Vec<Vec<f32>>,
    /// A PNG or JPEG for each network, drawn; not in `results.json`.
    #[serde(skip)]
    pub drawn: Vec<Vec<u8>>,
}
