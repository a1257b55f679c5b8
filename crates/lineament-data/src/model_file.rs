//! Model files as bytes, with a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// Most bytes of a model file. The largest network of the paper takes 544 MB.
pub const MAX_MODEL_BYTES: u64 = 1 << 30;

/// Reads a whole model file.
///
/// # Errors
/// [`Error::File`] when it cannot be read, or is larger than [`MAX_MODEL_BYTES`].
pub fn read_model_file(path: &Path) -> Result<Vec<u8>> {
    read_within(path, MAX_MODEL_BYTES).map_err(|e| Error::file(path, e))
}

fn read_within(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Its length first, so that a huge file is refused without reading it; pipes have none.
    let mut is_too_large = file.metadata()?.len() > limit;
    let mut bytes = Vec::new();
    if !is_too_large {
        file.take(limit + 1).read_to_end(&mut bytes)?;
        is_too_large = bytes.len() as u64 > limit;
    }
    if is_too_large {
        let reason = format!("larger than {} MiB, so not a model", limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_limit_is_read_and_a_larger_one_is_refused_with_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.onnx");
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        assert_eq!(read_within(&path, 1 << 20).unwrap().len(), 1 << 20);
        let error = read_within(&path, (1 << 20) - 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        // A sparse file: it takes no room on the disk, and no memory because it is measured first.
        File::create(&path).unwrap().set_len(MAX_MODEL_BYTES + 1).unwrap();
        let error = read_model_file(&path).unwrap_err().to_string();
        assert!(error.ends_with("a.onnx: larger than 1024 MiB, so not a model"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_model_file(Path::new("/nonexistent/a.onnx")).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/a.onnx: "), "{error}");
    }
}
