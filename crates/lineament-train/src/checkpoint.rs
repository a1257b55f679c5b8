//! Checkpoints: everything a run needs to go on, as one safetensors file.

use std::collections::HashMap;
use std::path::Path;

use lineament_data::PartFile;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};

use crate::error::{Error, Result};
use crate::trainer::Trainer;

/// A trainer's rows of numbers with their names in the file, borrowed to read, or to write with `mut`. `average` is the
/// EMA: files of earlier versions have this name.
macro_rules! rows {
    ($trainer:ident $(, $mutable:tt)?) => {{
        let mut rows = vec![
            ("values", &$($mutable)? $trainer.params.values),
            ("statistics", &$($mutable)? $trainer.params.statistics),
            ("adam.mean", &$($mutable)? $trainer.adam.mean),
            ("adam.square", &$($mutable)? $trainer.adam.square),
        ];
        if let Some(ema) = &$($mutable)? $trainer.ema {
            rows.push(("average.values", &$($mutable)? ema.params.values));
            rows.push(("average.statistics", &$($mutable)? ema.params.statistics));
        }
        rows
    }};
}

/// Where a run stands, apart from what its trainer holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Sums of the losses, or of other reported numbers, over the steps of an unfinished epoch; empty at the start of
    /// one.
    pub losses: Vec<(String, f64)>,
    /// Seconds that the run has taken.
    pub seconds: f64,
}

/// Name of the number of steps taken.
const STEPS: &str = "steps";
/// Name of the losses: name=value, commas between.
const LOSSES: &str = "losses";
/// Name of [`Progress::seconds`].
const SECONDS: &str = "seconds";

/// Writes `trainer` and `progress`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, trainer: &Trainer, progress: &Progress) -> Result<()> {
    let losses: Vec<String> = progress.losses.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let views = rows!(trainer).into_iter().map(|(name, row)| {
        let view = TensorView::new(Dtype::F32, vec![row.len()], bytemuck::cast_slice(row));
        Ok((name, view.map_err(|e| Error::file(path, e))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = HashMap::from([
        (STEPS.to_owned(), trainer.adam.steps.to_string()),
        (LOSSES.to_owned(), losses.join(",")),
        (SECONDS.to_owned(), progress.seconds.to_string()),
    ]);
    let part = PartFile::create(path).map_err(|e| Error::file(path, e))?;
    serialize_to_file(views, Some(metadata), part.temporary_path()).map_err(|e| Error::file(path, e))?;
    part.finish().map_err(|e| Error::file(path, e))
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
    for (name, row) in rows!(trainer, mut) {
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
    let loss =
        |entry: &str| entry.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    let entries = text(LOSSES).split(',').filter(|entry| !entry.is_empty());
    let losses = entries.map(|entry| loss(entry).ok_or_else(|| damaged(&"its losses"))).collect::<Result<_>>()?;
    let seconds = text(SECONDS).parse().map_err(|_| damaged(&"it lacks its seconds"))?;
    Ok(Progress { losses, seconds })
}
