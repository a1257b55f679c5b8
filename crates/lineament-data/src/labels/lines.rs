//! The lines of a text of any size.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use super::Input;
use crate::error::{Error, Result};

/// Most bytes of a line: a hundred times the usual size. A file without line ends is refused before it fills the
/// memory.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Reads line by line.
pub struct Lines {
    path: PathBuf,
    reader: BufReader<Box<dyn Read + Send>>,
    length: u64,
    read: u64,
    line: u64,
    buffer: Vec<u8>,
}

impl Lines {
    pub fn new(input: Input) -> Self {
        let Input { path, bytes, length } = input;
        Self { path, reader: BufReader::new(bytes), length, read: 0, line: 0, buffer: Vec::new() }
    }

    /// Goes to the next line that is not blank; false at the end.
    pub fn advance(&mut self) -> Result<bool> {
        loop {
            self.buffer.clear();
            let mut limited = (&mut self.reader).take(MAX_LINE_BYTES);
            let count = limited.read_until(b'\n', &mut self.buffer).map_err(|e| Error::file(&self.path, e))?;
            if count == 0 {
                return Ok(false);
            }
            self.line += 1;
            self.read += count as u64;
            if count as u64 == MAX_LINE_BYTES && !self.buffer.ends_with(b"\n") {
                let reason = format!("a line longer than {} MiB, so not a list of labels", MAX_LINE_BYTES >> 20);
                return Err(Error::labels(self.place(), reason));
            }
            if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The line without blanks and line ends around it.
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(self.buffer.trim_ascii()).map_err(|_| "is not text in UTF-8".to_owned())
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path.display(), self.line)
    }

    pub fn share_read(&self) -> f64 {
        (self.read as f64 / self.length.max(1) as f64).min(1.0)
    }
}
