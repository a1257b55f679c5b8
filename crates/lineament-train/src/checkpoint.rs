//! Checkpoints: everything a run needs to go on, as one safetensors file.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::error::{Error, Result};
use crate::train::write_whole;
use crate::trainer::Trainer;

/// The rows of numbers that make a trainer, by name.
fn rows(trainer: &mut Trainer) -> [(&'static str, &mut Vec<f32>); 6] {
    [
        ("values", &mut trainer.params.values),
        ("statistics", &mut trainer.params.statistics),
        ("average.values", &mut trainer.average.values),
        ("average.statistics", &mut trainer.average.statistics),
        ("adam.mean", &mut trainer.adam.mean),
        ("adam.square", &mut trainer.adam.square),
    ]
}

/// Where a run stands, beside what its trainer holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Sums of the losses over the steps of an epoch that is not finished; empty at the start of one.
    pub losses: Vec<(String, f32)>,
    /// Seconds that the run has taken.
    pub seconds: f64,
}

/// Name of the number of steps taken.
const STEPS: &str = "steps";
/// Name of the losses' values, and of their names with commas between.
const LOSSES: &str = "losses";
/// Name of [`Progress::seconds`].
const SECONDS: &str = "seconds";

/// Writes `trainer` and `progress`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, trainer: &Trainer, progress: &Progress) -> Result<()> {
    let (names, losses): (Vec<&str>, Vec<f32>) = progress.losses.iter().map(|(n, v)| (n.as_str(), *v)).unzip();
    let rows = [
        (LOSSES, &losses),
        ("values", &trainer.params.values),
        ("statistics", &trainer.params.statistics),
        ("average.values", &trainer.average.values),
        ("average.statistics", &trainer.average.statistics),
        ("adam.mean", &trainer.adam.mean),
        ("adam.square", &trainer.adam.square),
    ];
    let bytes = rows.map(|(name, row)| (name, row.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
    let views = bytes.iter().map(|(name, bytes)| {
        let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map_err(|e| Error::file(path, e))?;
        Ok((*name, view))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = HashMap::from([
        (STEPS.to_owned(), trainer.adam.steps.to_string()),
        (LOSSES.to_owned(), names.join(",")),
        (SECONDS.to_owned(), progress.seconds.to_string()),
    ]);
    write_whole(path, &serialize(views, Some(metadata)).map_err(|e| Error::file(path, e))?)
}

/// Reads into `trainer`, whose network must be the one that was written.
///
/// # Errors
/// When the file cannot be read or belongs to another network; `trainer` is then unusable.
pub fn read(path: &Path, trainer: &mut Trainer) -> Result<Progress> {
    let damaged = |reason: &dyn std::fmt::Display| Error::file(path, format!("a damaged checkpoint: {reason}"));
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(&e))?;
    let numbers = |name: &str| {
        let tensor = tensors.tensor(name).map_err(|e| damaged(&e))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(damaged(&format!("`{name}` is not of 32-bit floats")));
        }
        Ok(tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>())
    };
    for (name, row) in rows(trainer) {
        let values = numbers(name)?;
        if values.len() != row.len() {
            let reason =
                format!("the checkpoint of another network (`{name}` has {} numbers, not {})", values.len(), row.len());
            return Err(Error::file(path, reason + ": start in another folder"));
        }
        *row = values;
    }
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&e))?;
    let text = |name: &str| metadata.metadata().as_ref().and_then(|m| m.get(name)).map_or("", String::as_str);
    trainer.adam.steps = text(STEPS).parse().map_err(|_| damaged(&"it lacks its number of steps"))?;
    let names = text(LOSSES).split(',').map(str::to_owned);
    let losses = names.zip(numbers(LOSSES)?).collect();
    let seconds = text(SECONDS).parse().map_err(|_| damaged(&"it lacks its seconds"))?;
    Ok(Progress { losses, seconds })
}
