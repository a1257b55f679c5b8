//! Model files as bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// Most bytes of a model file: what the program accepts elsewhere.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a whole model file.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|e| Error::file(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::dataset(path, "larger than 1 GiB, which no model is"));
    }
    Ok(bytes)
}
