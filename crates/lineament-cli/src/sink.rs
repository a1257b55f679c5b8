//! The one place where the results of all photos go, in order.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use lineament_data::PartFile;

use crate::output::cannot_write;

/// Where results go.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Print,
    /// One file for all photos.
    OneFile(PathBuf),
    /// A folder with a file or more for each photo.
    FilePerPhoto(PathBuf),
}

/// Takes the texts in order.
pub enum Sink {
    /// Standard output, flushed after each photo.
    Stdout(io::StdoutLock<'static>),
    /// One file for all photos.
    File(PartFile),
    /// Each photo is written where it is worked on.
    Nothing,
}

impl Sink {
    /// Opens the destination and writes `header`.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn open(destination: &Destination, header: &str) -> Result<Self> {
        let mut sink = match destination {
            Destination::Print => Self::Stdout(io::stdout().lock()),
            Destination::OneFile(path) => {
                Self::File(PartFile::create(path).with_context(|| cannot_write(path)).context("--out")?)
            }
            Destination::FilePerPhoto(_) => Self::Nothing,
        };
        sink.add(header)?;
        Ok(sink)
    }

    /// Writes the text of one photo. Standard output is flushed each time: whoever reads it need not wait.
    ///
    /// # Errors
    /// When it cannot be written; a closed pipe keeps its kind.
    pub fn add(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Stdout(out) => Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?),
            Self::File(file) => {
                let written = file.write_all(text.as_bytes());
                written.with_context(|| cannot_write(file.path())).context("--out")
            }
            Self::Nothing => Ok(()),
        }
    }

    /// Gives a file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::File(file) => {
                let path = file.path().to_owned();
                file.finish().with_context(|| cannot_write(&path)).context("--out")
            }
            Self::Stdout(_) | Self::Nothing => Ok(()),
        }
    }
}
