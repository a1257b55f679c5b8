//! The networks we train.
//!
//! `lite` and the detector are text (`networks/*.toml` of this crate), in the language of a training configuration's
//! section `[network]`: `text` reads and writes it, `build` makes the list of layers. The paper's networks are
//! Rust, as its experiment varies them.

mod blocks;
mod build;
mod fit;
mod paper;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use lineament_nn::model::Architecture;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

pub use paper::{PAPER, Paper};
pub use text::NetworkText;

/// Names that [`by_name`] knows.
pub const NAMES: [&str; 6] = ["lite", "detector", "basic", "two", "one", "none"];

/// Names of the landmark networks' outputs, in order.
pub const LANDMARK_OUTPUTS: [&str; 3] = ["points", "log_errors", "score"];

const LITE: &str = include_str!("../../networks/lite.toml");
const DETECTOR: &str = include_str!("../../networks/detector.toml");

/// The network called `name` for `points` points; `None` for a name that is not in [`NAMES`].
pub fn by_name(name: &str, points: usize) -> Option<Architecture> {
    match Paper::by_name(name) {
        Some(paper) => Some(paper.architecture(points)),
        None => NetworkText::by_name(name)?.architecture(points).ok(),
    }
}

/// The text of the network called `name`, as a section `[network]` of a training configuration, with comments; `None`
/// for a name that is not in [`NAMES`].
pub fn text_by_name(name: &str) -> Option<String> {
    match name {
        "lite" => Some(LITE.to_owned()),
        "detector" => Some(DETECTOR.to_owned()),
        name => Some(Paper::by_name(name)?.text(name).to_toml()),
    }
}

impl NetworkText {
    /// The network called `name`; `None` for a name that is not in [`NAMES`].
    pub fn by_name(name: &str) -> Option<Self> {
        let parse = |text| Self::parse(text).expect("a test reads the texts in this crate");
        match name {
            "lite" => Some(parse(LITE)),
            "detector" => Some(parse(DETECTOR)),
            name => Some(Paper::by_name(name)?.text(name)),
        }
    }
}

/// What a configuration's key `network` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Network {
    /// A name in [`NAMES`]; empty for the task's default.
    Name(String),
    /// Layers of its own.
    Own(NetworkText),
}

impl Default for Network {
    fn default() -> Self {
        Self::Name(String::new())
    }
}

impl From<&str> for Network {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrSection;
        impl<'de> Visitor<'de> for NameOrSection {
            type Value = Network;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a network's name, or its layers as a section [network]")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Network, E> {
                Ok(name.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Network, A::Error> {
                NetworkText::read_map(map).map(Network::Own)
            }
        }
        deserializer.deserialize_any(NameOrSection)
    }
}
