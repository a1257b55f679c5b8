//! Model files in the app's folder: what is there, whether it fits the memory, how fast it runs. With the networks of
//! the paper (`basic`, `two`, `one`) this repeats its table 2 on any phone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lineament_bench::Memory;
use lineament_nn::engine::{Engine, Plan};
use lineament_nn::model::Model;

/// The folder inside the app's own.
pub const FOLDER: &str = "models";

/// Memory that is left to everything else: below this Android begins to end other apps. Chosen with room to spare.
const RESERVE_BYTES: u64 = 64 << 20;
/// Files that are listed: more would not fit on the screen.
const MOST_FILES: usize = 32;
/// Time for which a network is measured, and how often at least.
const MEASURE_SECS: f64 = 2.0;
const LEAST_RUNS: usize = 10;
/// Runs before the measured ones: caches and the processor's clock settle.
const WARM_UP_RUNS: usize = 3;

/// A model file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name without folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Why a model is not run. The text is what the screen says.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It is no model, or one that the engine cannot run.
    #[error("{0}")]
    NoModel(String),
    /// It would not fit.
    #[error("does not fit: it needs {} MB of memory, and {} MB are free", mb(*.needed), mb(*.free))]
    TooLarge {
        /// Of weights and activations, in bytes.
        needed: u64,
        /// What the system can give, in bytes.
        free: u64,
    },
}

fn mb(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// The files that end in `.onnx`, by name. A folder that is not there has none.
pub fn list(folder: &Path) -> Vec<ModelFile> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: fs::DirEntry| {
        let (path, meta) = (entry.path(), entry.metadata().ok()?);
        let is_model = meta.is_file() && path.extension().is_some_and(|extension| extension == "onnx");
        let name = path.file_name()?.to_string_lossy().into_owned();
        is_model.then_some(ModelFile { path, name, bytes: meta.len() })
    };
    let mut files: Vec<_> = entries.flatten().filter_map(file).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.truncate(MOST_FILES);
    files
}

/// Refuses what needs more than is free.
fn check(needed: u64, free: Option<u64>) -> Result<(), Refusal> {
    match free {
        Some(free) if needed.saturating_add(RESERVE_BYTES) > free => Err(Refusal::TooLarge { needed, free }),
        _ => Ok(()),
    }
}

/// A network that is measured, a run at a time.
#[derive(Debug)]
pub struct Timing {
    engine: Engine,
    begin: Instant,
    times: Vec<f64>,
    warm_up: usize,
}

impl Timing {
    /// Loads the model, after each look at what it needs.
    ///
    /// # Errors
    /// When it does not fit, or is none.
    pub fn load(file: &ModelFile) -> Result<Self, Refusal> {
        Self::load_within(file, Memory::available_kib().map(|kib| kib << 10))
    }

    /// As [`Timing::load`], with this much memory.
    fn load_within(file: &ModelFile, free: Option<u64>) -> Result<Self, Refusal> {
        // The file and the weights as the engine lays them out.
        check(file.bytes.saturating_mul(2), free)?;
        let bytes = fs::read(&file.path)?;
        let refused = |error: lineament_nn::Error| Refusal::NoModel(error.to_string());
        let model = Model::parse(&bytes).map_err(refused)?;
        let plan = Plan::new(&model.architecture, model.architecture.input).map_err(refused)?;
        let numbers = (model.parameters() as u64).saturating_mul(4).max(model.weight_bytes() as u64);
        let needed =
            (bytes.len() as u64).saturating_add(numbers).saturating_add((plan.len() * size_of::<f32>()) as u64);
        check(needed, free)?;
        let engine = Engine::new(&model).map_err(refused)?;
        Ok(Self { engine, begin: Instant::now(), times: Vec::new(), warm_up: WARM_UP_RUNS })
    }

    /// Runs it once more; the answer when it is measured, in milliseconds: the median.
    pub fn advance(&mut self) -> Option<f64> {
        let begin = Instant::now();
        // Numbers as in use, with a mean of 0 and a standard deviation of about 1.
        let fill = |input: &mut [f32]| input.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 19) as f32 / 6.0 - 1.5);
        self.engine.run(fill);
        if self.warm_up > 0 {
            self.warm_up -= 1;
            self.begin = Instant::now();
            return None;
        }
        self.times.push(begin.elapsed().as_secs_f64());
        if self.times.len() < LEAST_RUNS || self.begin.elapsed().as_secs_f64() < MEASURE_SECS {
            return None;
        }
        self.times.sort_by(f64::total_cmp);
        Some(1e3 * self.times[self.times.len() / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> ModelFile {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/lite/lite.int8.onnx");
        let bytes = fs::metadata(&path).unwrap().len();
        ModelFile { path, name: "lite".into(), bytes }
    }

    #[test]
    fn a_model_that_fits_is_measured_and_one_that_does_not_is_refused_in_words() {
        let file = shipped();
        let mut timing = Timing::load(&file).unwrap();
        let ms = (0..1_000_000).find_map(|_| timing.advance()).unwrap();
        assert!(ms > 0.0 && timing.times.len() >= LEAST_RUNS);
        let refusal = Timing::load_within(&file, Some(RESERVE_BYTES + file.bytes)).unwrap_err().to_string();
        assert!(refusal.starts_with("does not fit: it needs 2 MB") && refusal.ends_with("are free"), "{refusal}");
        // The whole network needs more than its file.
        let refusal = Timing::load_within(&file, Some(RESERVE_BYTES + 2 * file.bytes)).unwrap_err();
        assert!(matches!(refusal, Refusal::TooLarge { .. }), "{refusal}");
    }

    #[test]
    fn other_files_are_refused_in_words() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let file = ModelFile { path: path.clone(), name: String::new(), bytes: 1 };
        assert!(matches!(Timing::load(&file), Err(Refusal::NoModel(words)) if !words.is_empty()));
        let gone = ModelFile { path: path.join("no"), ..file };
        assert!(matches!(Timing::load(&gone), Err(Refusal::Unreadable(_))));
    }

    #[test]
    fn only_model_files_are_listed() {
        let names = |folder: &str| {
            let files = list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder));
            files.into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names("models/lite"), ["lite.int8.onnx", "lite.onnx"]);
        assert!(names("models").is_empty() && names("nowhere").is_empty());
    }
}
