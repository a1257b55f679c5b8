//! Some objects of a label table, spread over it by chance.

use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Labelled;
use super::table::Reader;
use crate::error::Result;

/// Up to `count` objects of a table with their row, from 1, sorted by row. Every choice of rows is equally likely; the
/// same seed chooses the same ones.
///
/// # Errors
/// As [`Reader::open`] and for the first row that cannot be read.
pub fn sample(table: &Path, count: usize, seed: u64) -> Result<Vec<(u64, Labelled)>> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut chosen: Vec<(u64, Labelled)> = Vec::new();
    for (row, labelled) in (1..).zip(Reader::open(table)?) {
        let labelled = labelled?;
        if chosen.len() < count {
            chosen.push((row, labelled));
        } else {
            // Algorithm R (Vitter 1985): row n takes the place of a chosen one with probability count / n.
            let at = random.random_range(0..row);
            if let Some(place) = usize::try_from(at).ok().and_then(|at| chosen.get_mut(at)) {
                *place = (row, labelled);
            }
        }
    }
    chosen.sort_by_key(|(row, _)| *row);
    Ok(chosen)
}
