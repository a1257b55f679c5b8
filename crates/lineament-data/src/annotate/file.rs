//! Model files as bytes, and marks by which a changed file is known.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
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

/// A file's name and a mark of its content, so that work begun with one file does not go on with another.
pub(super) fn name_and_mark(path: &Path) -> Result<String> {
    let fault = |e| Error::file(path, e);
    let mut file = File::open(path).map_err(fault)?;
    let (mut hasher, mut block) = (DefaultHasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block).map_err(fault)? {
            0 => break,
            n => hasher.write(&block[..n]),
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name} with the content {:016x}", hasher.finish()))
}
