//! Figures on standard output, for people or for programs.

use anyhow::Result;
use serde::Serialize;

use crate::output::print;

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one object on one line
    Json,
}

impl Format {
    /// `figures` as text, which `text` makes of them, or as JSON.
    ///
    /// # Errors
    /// When the figures cannot be JSON.
    pub fn write<T: Serialize>(self, figures: &T, text: impl FnOnce(&T) -> String) -> Result<String> {
        Ok(match self {
            Self::Text => text(figures),
            Self::Json => serde_json::to_string(figures)? + "\n",
        })
    }

    /// Prints them.
    ///
    /// # Errors
    /// As [`Format::write`] and [`print`].
    pub fn print<T: Serialize>(self, figures: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        print(&self.write(figures, text)?)
    }
}
