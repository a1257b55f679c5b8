//! Where the results of all photos go, in order.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use lineament_data::PartFile;

use crate::output::{cannot_write, print};

/// Where results go.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Print,
    /// One file for all photos.
    OneFile(PathBuf),
    /// A folder with one or more files for each photo.
    FilePerPhoto(PathBuf),
}

/// Takes the results in order.
pub enum Sink {
    /// Standard output.
    Stdout,
    /// One file for all photos.
    File(PartFile),
    /// The thread that works on a photo writes its files.
    Nothing,
}

impl Sink {
    /// Opens the destination and writes `header`.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn open(destination: &Destination, header: &str) -> Result<Self> {
        let mut sink = match destination {
            Destination::Print => Self::Stdout,
            Destination::OneFile(path) => {
                Self::File(PartFile::create(path).with_context(|| cannot_write(path)).context("--out")?)
            }
            Destination::FilePerPhoto(_) => Self::Nothing,
        };
        sink.add(header)?;
        Ok(sink)
    }

    /// Writes the text of one photo.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Stdout => print(text),
            Self::File(file) => {
                let written = file.write_all(text.as_bytes());
                written.with_context(|| cannot_write(file.path())).context("--out")
            }
            Self::Nothing => Ok(()),
        }
    }

    /// Completes a file and gives it its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::File(file) => {
                let path = file.path().to_owned();
                file.finish().with_context(|| cannot_write(&path)).context("--out")
            }
            Self::Stdout | Self::Nothing => Ok(()),
        }
    }
}
