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

/// Name of the number of steps taken.
const STEPS: &str = "steps";

/// Writes `trainer`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, trainer: &Trainer) -> Result<()> {
    let rows = [
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
    let metadata = HashMap::from([(STEPS.to_owned(), trainer.adam.steps.to_string())]);
    write_whole(path, &serialize(views, Some(metadata)).map_err(|e| Error::file(path, e))?)
}

/// Reads into `trainer`, whose network must be the one that was written.
///
/// # Errors
/// When the file cannot be read or belongs to another network; `trainer` is then unusable.
pub fn read(path: &Path, trainer: &mut Trainer) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| Error::file(path, format!("a damaged checkpoint: {e}")))?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| Error::file(path, e))?;
    let steps = metadata.metadata().as_ref().and_then(|m| m.get(STEPS)).and_then(|s| s.parse().ok());
    for (name, row) in rows(trainer) {
        let tensor = tensors.tensor(name).map_err(|e| Error::file(path, e))?;
        if tensor.dtype() != Dtype::F32 || tensor.data().len() != 4 * row.len() {
            return Err(Error::file(path, "the checkpoint of another network: start in another folder"));
        }
        row.iter_mut().zip(tensor.data().as_chunks::<4>().0).for_each(|(v, b)| *v = f32::from_le_bytes(*b));
    }
    trainer.adam.steps = steps.ok_or_else(|| Error::file(path, "the checkpoint lacks its number of steps"))?;
    Ok(())
}
