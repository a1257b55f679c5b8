//! All knobs of a training run, each with a default and a reason, in one TOML file that is saved next to the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lineament::topology::Topology;
use lineament_data::augment::commented;
use lineament_data::{Jitter, Knob, Photometric, topologies};
use lineament_nn::model::Architecture;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network_summary::training_bytes;
use crate::networks::{Network, NetworkText};

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

/// More passes than anyone waits for: a slip of the finger.
const MAX_EPOCHS: usize = 1_000_000;
/// More samples per step than memory holds: a slip of the finger.
const MAX_BATCH: usize = 65_536;
/// Most learned numbers: a model file, in f32, holds 2 GiB.
const MAX_PARAMETERS: usize = (1 << 29) - (1 << 20);
/// More memory than a machine for such training has: a slip of the finger.
const MAX_TRAINING_BYTES: u64 = 1 << 40;
/// The knob that can be a section.
const NETWORK: &str = "network";

/// Makes [`Config`], its defaults and [`REASONS`] from one list: a knob's reason stands once, for readers of the code
/// and of the file alike.
macro_rules! knobs {
    ($($(#[doc = $line:literal])+ $name:ident: $kind:ty = $default:expr,)+) => {
        /// One training run.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $line])+ pub $name: $kind,)+
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// Each knob's key with the lines that explain it, in the order of [`Config`].
        pub const REASONS: &[(&str, &[&str])] = &[$((stringify!($name), &[$($line),+]),)+];
    };
}

knobs! {
    /// What is trained: `landmarks` or `detector`.
    task: Task = Task::Landmarks,
    /// The network: `lite` for landmarks, `detector` for the detector. Empty takes the task's default. A section
    /// `[network]` at the end of the file has layers of its own instead, see docs/training.md.
    network: Network = Network::default(),
    /// Which points an object has: `ibug68`, `ibug51`, `five`, `kaggle15`, `wflw98`, `jd106`, `cofw29`, `aflw19`, or a
    /// topology file of your own (`topologies/README.md`). Labels of the 68 points also train `ibug51`, `five` and
    /// `kaggle15`.
    topology: String = "ibug68".into(),
    /// Folder of photos, each with a `.pts` file of the same name, or a label table (`lineament data import`).
    photos: PathBuf = PathBuf::new(),
    /// Table `file,x,y,w,h,score` with a box for every face in the photos, also those without points: no network must
    /// learn them as background. A label table names every object itself. With it, hard negatives are mined from these
    /// photos, too (landmarks).
    boxes: Option<PathBuf> = None,
    /// Folder of photos without faces, for the face score. Without it, it learns only from parts of photos next to
    /// faces.
    nonfaces: Option<PathBuf> = None,
    /// Model file of a detector that mines hard negatives: its detections in photos without faces become half of the
    /// samples without a face. A face score is worth most where the detector errs (landmarks).
    detector: Option<PathBuf> = None,
    /// Model file of an earlier landmark network: only detections of `detector` that this network takes for faces, too,
    /// become hard negatives. Nothing is learned from most of the others (landmarks).
    verifier: Option<PathBuf> = None,
    /// Folder of photos whose `.pts` files a larger network wrote: many more faces than people can label. Points are
    /// learned from them, expected errors are not (landmarks).
    pseudo_labelled: Option<PathBuf> = None,
    /// Share of the samples with a face that are from `pseudo_labelled` (landmarks).
    pseudo_labelled_share: f64 = 0.5,
    /// First weights: the checkpoint of an earlier run of the same network, or its model file in f32 or f16.
    start: Option<PathBuf> = None,
    /// Share of the photos kept for validation, chosen by a stable hash of the photo's name. A tenth is enough to
    /// compare epochs; 0 trains on everything once the recipe is fixed.
    validation_share: f64 = 0.1,
    /// Everything random follows from it. The paper's is 7.
    seed: u64 = 7,
    /// Passes over the photos. Small networks on few photos improve for hundreds.
    epochs: usize = 300,
    /// Samples per step. 64 is a compromise between steady gradients and many steps.
    batch: usize = 64,
    /// Parts of a batch that run in parallel, each with its own batch statistics. The result depends on it, not on the
    /// number of threads; more than `groups` threads are of no use.
    groups: usize = 4,
    /// Step size of Adam at its highest.
    rate: f32 = 2e-3,
    /// Epochs in which the step size rises from 0: early steps of Adam are large and badly directed.
    warmup_epochs: f32 = 3.0,
    /// Weight decay. Small networks need little.
    decay: f32 = 1e-2,
    /// Share of the exponential moving average (EMA) of the weights that stays at each step; the average is exported.
    /// 0.999 averages about the last 1,000 steps, which is worth as much as the end of a long decay of the step size.
    ema: f32 = 0.999,
    /// Share of samples without a face, for the face score.
    nonface_share: f64 = 0.15,
    /// Share of a scene's tiles that are turned by any angle, as phones are; the others stay within 45 degrees
    /// (detector).
    turned_share: f64 = 0.4,
    /// Training data, for the metadata of the model file.
    training_data: String = String::new(),
    /// Licence of the weights, for the metadata.
    licence: String = String::new(),
    /// Commit of the code that trains, for the metadata.
    commit: String = String::new(),
    /// Share of the photos without faces that no training sees, chosen as `validation_share` is: false faces are
    /// counted on them.
    nonface_holdout: f64 = 0.25,
    /// Epochs between validations; each also writes a checkpoint and the curves.
    validate_every: usize = 10,
    /// Augmentation: how crops are moved, scaled and turned (landmarks).
    jitter: Jitter = Jitter::default(),
    /// Augmentation: light, lens, occluding objects and camera.
    photometric: Photometric = Photometric::default(),
}

impl Config {
    /// Reads a TOML file; what it does not name has its default. Paths in it are relative to its folder and come back
    /// absolute, so that the configuration saved next to the weights names the same files.
    ///
    /// # Errors
    /// [`Error::File`] naming the line at fault, or the knob as [`Config::check`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let at_fault = |e: toml::de::Error| match e.span() {
            Some(span) => {
                let line = text[..span.start].matches('\n').count() + 1;
                Error::file(path, format!("line {line}: {}", e.message()))
            }
            None => Error::file(path, e.message()),
        };
        if let Some((line, old, new)) = renamed_key(&text) {
            return Err(Error::file(path, format!("line {line}: `{old}` is called `{new}` now")));
        }
        let mut config: Self = toml::from_str(&text).map_err(at_fault)?;
        let path = std::path::absolute(path).map_err(|e| Error::file(path, e))?;
        let folder = path.parent().unwrap_or(&path);
        config.topology = topologies::resolve(&config.topology, folder);
        let Self { boxes, nonfaces, detector, verifier, pseudo_labelled, start, photos, .. } = &mut config;
        let optional = [boxes, nonfaces, detector, verifier, pseudo_labelled, start];
        for file in optional.into_iter().flatten().chain([photos]) {
            if !file.as_os_str().is_empty() {
                *file = folder.join(&file);
            }
        }
        config.check().map_err(|e| Error::file(&path, e))?;
        Ok(config)
    }

    /// As TOML, every knob named that has a value; layers of its own come last.
    pub fn to_toml(&self) -> String {
        let text = |config| toml::to_string(config).expect("a configuration holds numbers, strings and tables only");
        let Network::Own(own) = &self.network else { return text(self) };
        let named = text(&Self { network: Network::default(), ..self.clone() });
        named.replacen("network = \"\"\n", "", 1) + "\n" + &own.to_toml()
    }

    /// As [`Config::to_toml`], with [`REASONS`] as comments and the knobs without a value commented out. The knobs of
    /// augmentation come last, each with its reason, default and range.
    pub fn to_commented_toml(&self) -> String {
        let plain = self.to_toml();
        let mut text = String::new();
        for (key, reason) in REASONS {
            reason.iter().for_each(|line| text.extend(["#", line, "\n"]));
            let (value, section) = (format!("{key} = "), format!("[{key}]\n"));
            if *key == NETWORK && matches!(self.network, Network::Own(_)) {
                text.push_str("# Here: the section [network] at the end.\n\n");
            } else if let Some(line) = plain.lines().find(|line| line.starts_with(&value)) {
                text.extend([line, "\n\n"]);
            } else if let Some(start) = plain.find(&section) {
                text.extend([section.as_str(), "\n"]);
                text.push_str(&commented(&plain[start..], knobs_of(key)));
            } else {
                text.extend(["# ", key, " = \"...\"\n\n"]);
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        if let Network::Own(own) = &self.network {
            text.extend(["\n", &own.to_toml()]);
        }
        text
    }

    /// Keys of the knobs that differ in `other`, `section.key` for those in sections, sorted.
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let [ours, theirs] = [self, other].map(|config| {
            let table = toml::Table::try_from(config).expect("a configuration is a table");
            let mut flat = BTreeMap::new();
            for (key, value) in table {
                match value {
                    toml::Value::Table(section) => {
                        flat.extend(section.into_iter().map(|(k, value)| (format!("{key}.{k}"), value)));
                    }
                    value => {
                        flat.insert(key, value);
                    }
                }
            }
            flat
        });
        let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        keys.into_iter().filter(|key| ours.get(*key) != theirs.get(*key)).cloned().collect()
    }

    /// The network's name, the task's default when none is given.
    pub fn network_name(&self) -> &str {
        match (&self.network, self.task) {
            (Network::Own(text), _) => text.name(),
            (Network::Name(name), _) if !name.is_empty() => name,
            (_, Task::Landmarks) => "lite",
            (_, Task::Detector) => "detector",
        }
    }

    /// The network's text.
    ///
    /// # Errors
    /// [`Error::Config`] when no network has the name.
    pub fn network_text(&self) -> Result<NetworkText> {
        match &self.network {
            Network::Own(text) => Ok(text.clone()),
            Network::Name(_) => NetworkText::by_name(self.network_name()).ok_or_else(|| {
                let what = "`lite` for landmarks, `detector` for the detector, or a section [network]";
                Error::Config(format!("network: {what}, not `{}`", self.network_name().escape_debug()))
            }),
        }
    }

    /// Which points an object has.
    ///
    /// # Errors
    /// When there is no such topology, or its file cannot be read.
    pub fn topology(&self) -> Result<Topology> {
        Ok(topologies::open(&self.topology)?.topology)
    }

    /// The network's layers for the points of the topology, with the outputs that the task trains.
    ///
    /// # Errors
    /// [`Error::Config`] naming the layer at fault, or as [`Config::network_text`] and [`Config::topology`]; also when
    /// the network is too large for a model file, or training it for any machine.
    pub fn architecture(&self) -> Result<Architecture> {
        let net = self.network_text()?.architecture_for(self.task, self.topology()?.len())?;
        let parameters: usize = net.layer_parameters()?.iter().sum();
        if parameters > MAX_PARAMETERS {
            let what = format!("it learns {parameters} numbers, and a model file holds at most {MAX_PARAMETERS}");
            return Err(Error::Config(format!("network: {what}")));
        }
        let bytes = training_bytes(&net, self.batch, self.groups)?;
        if bytes > MAX_TRAINING_BYTES {
            let what = format!("training takes {} GiB of memory", bytes >> 30);
            return Err(Error::Config(format!("network: {what}: choose fewer filters or a smaller input or `batch`")));
        }
        Ok(net)
    }

    /// # Errors
    /// [`Error::Config`] naming the knob and its range.
    pub fn check(&self) -> Result<()> {
        let rules = [
            ((0.0..0.9).contains(&self.validation_share), "validation_share: from 0 to 0.9"),
            ((0.0..1.0).contains(&self.nonface_holdout), "nonface_holdout: from 0, below 1"),
            (self.seed <= i64::MAX as u64, "seed: below 2^63, which is all that TOML holds"),
            ((1..=MAX_EPOCHS).contains(&self.epochs), "epochs: from 1 to 1,000,000"),
            (self.batch <= MAX_BATCH, "batch: at most 65,536"),
            (self.groups > 0 && self.batch >= self.groups, "groups: at least 1, at most `batch`"),
            (self.groups > 0 && self.batch.is_multiple_of(self.groups), "batch: a multiple of `groups`"),
            (self.rate > 0.0 && self.rate < 1.0, "rate: above 0, below 1"),
            (self.warmup_epochs >= 0.0 && self.warmup_epochs.is_finite(), "warmup_epochs: 0 or more"),
            ((0.0..1.0).contains(&self.decay), "decay: from 0 to 1"),
            ((0.0..1.0).contains(&self.ema), "ema: from 0, below 1"),
            ((0.0..1.0).contains(&self.nonface_share), "nonface_share: from 0, below 1"),
            ((0.0..=1.0).contains(&self.pseudo_labelled_share), "pseudo_labelled_share: from 0 to 1"),
            ((0.0..=1.0).contains(&self.turned_share), "turned_share: from 0 to 1"),
            (
                self.verifier.is_none() || self.detector.is_some(),
                "verifier: needs `detector`, whose detections it verifies",
            ),
            (self.validate_every > 0, "validate_every: at least 1"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Error::Config((*rule).into())),
            None => {
                self.architecture()?;
                self.jitter.check()?;
                Ok(self.photometric.check()?)
            }
        }
    }
}

/// Knobs that had another name.
const RENAMED: [(&str, &str); 4] = [
    ("judge", "verifier"),
    ("taught", "pseudo_labelled"),
    ("taught_share", "pseudo_labelled_share"),
    ("average", "ema"),
];

/// The first line of a configuration that sets a knob by its old name, counted from 1, with both names.
fn renamed_key(text: &str) -> Option<(usize, &'static str, &'static str)> {
    // All of them stand above the sections.
    let top = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    top.enumerate().find_map(|(i, line)| {
        let key = line.split('=').next().unwrap_or_default().trim();
        RENAMED.iter().find(|(old, _)| *old == key).map(|&(old, new)| (i + 1, old, new))
    })
}

/// The knobs of a section.
fn knobs_of(section: &str) -> &'static [Knob] {
    match section {
        "jitter" => Jitter::KNOBS,
        "photometric" => Photometric::KNOBS,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_explains_every_knob_and_reads_back_as_the_defaults() {
        for task in [Task::Landmarks, Task::Detector] {
            let config = Config { task, ..Config::default() };
            let text = config.to_commented_toml();
            assert_eq!(toml::from_str::<Config>(&text).unwrap(), config, "{text}");
            for (key, reason) in REASONS {
                let at = text.find(&format!("#{}\n", reason[0])).unwrap_or_else(|| panic!("no reason for {key}"));
                assert!(text[at..].contains(key), "{key} does not follow its reason");
            }
            let knobs = [Jitter::KNOBS, Photometric::KNOBS].concat();
            assert_eq!(knobs.len(), 26);
            for knob in knobs {
                let (least, most) = knob.range;
                let range = format!("# Default {}, from {least} to {most}.\n{} = ", knob.default, knob.name);
                let at = text.find(&range).unwrap_or_else(|| panic!("no range of {}", knob.name));
                let reason = format!("#{}\n", knob.reason[knob.reason.len() - 1]);
                assert!(text[..at].ends_with(&reason), "no reason for {}", knob.name);
            }
        }
    }

    #[test]
    fn a_configuration_with_layers_of_its_own_reads_back_from_either_file() {
        let lite = NetworkText::by_name("lite").unwrap();
        let config = Config { epochs: 5, network: Network::Own(lite.clone()), ..Config::default() };
        for text in [config.to_toml(), config.to_commented_toml()] {
            assert_eq!(toml::from_str::<Config>(&text).unwrap(), config, "{text}");
            assert!(!text.contains("\nnetwork = "), "{text}");
        }
        assert_eq!(config.network_name(), "lite");
        let wider = lite.to_toml().replace("filters = 16", "filters = 24");
        let other = Config { network: Network::Own(NetworkText::parse(&wider).unwrap()), ..config.clone() };
        assert_eq!(config.differing_keys(&other), ["network.layers"]);
        assert_eq!(Config::default().differing_keys(&config)[..2], ["epochs", "network"]);
    }

    #[test]
    fn differing_keys_are_named_with_their_section() {
        let mut other = Config { epochs: 5, nonfaces: Some("n".into()), ..Config::default() };
        other.jitter.shift_sd = 0.5;
        assert_eq!(Config::default().differing_keys(&other), ["epochs", "jitter.shift_sd", "nonfaces"]);
        assert!(other.differing_keys(&other).is_empty());
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let default = Config::default;
        let cases = [
            ("network", Config { network: "basic".into(), ..default() }),
            ("network", Config { network: "lite".into(), task: Task::Detector, ..default() }),
            ("network", Config { network: "nobody".into(), ..default() }),
            ("validation_share", Config { validation_share: f64::NAN, ..default() }),
            ("nonface_holdout", Config { nonface_holdout: 1.0, ..default() }),
            ("seed", Config { seed: u64::MAX, ..default() }),
            ("epochs", Config { epochs: 0, ..default() }),
            ("batch", Config { batch: usize::MAX, ..default() }),
            ("batch", Config { batch: 65, ..default() }),
            ("groups", Config { groups: 0, ..default() }),
            ("rate", Config { rate: 0.0, ..default() }),
            ("warmup_epochs", Config { warmup_epochs: f32::INFINITY, ..default() }),
            ("ema", Config { ema: 1.0, ..default() }),
            ("pseudo_labelled_share", Config { pseudo_labelled_share: 1.5, ..default() }),
            ("turned_share", Config { turned_share: -0.5, ..default() }),
            ("validate_every", Config { validate_every: 0, ..default() }),
        ];
        for (key, config) in cases {
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("configuration: {key}: ")), "{key}: {error}");
        }
        Config::default().check().unwrap();
    }
}
