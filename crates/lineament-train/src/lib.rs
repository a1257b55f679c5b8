//! Training of small landmark networks and face detectors, on our own kernels.
//!
//! A network is text, of which [`networks`] makes a list of layers. [`graph::Graph`] arranges it for training,
//! [`trainer::Trainer`] takes steps, a [`task::Task`] ([`landmarks`], [`detector`]) gives samples and losses,
//! [`train::Run`] is the loop with its files, and [`export`] makes the model file that the library `lineament` runs.
//!
//! ```
//! use lineament_train::{graph::Graph, networks};
//!
//! let lite = networks::by_name("lite", 68).expect("one of the names");
//! let graph = Graph::new(lite)?;
//! assert!(graph.layout.len < 1_000_000, "the default network stays below a million learned numbers");
//! # Ok::<(), lineament::Error>(())
//! ```

pub mod adam;
pub mod calibrate;
pub mod checkpoint;
pub mod config;
pub mod curves;
pub mod dataset_summary;
pub mod detector;
pub mod error;
pub mod export;
pub mod graph;
mod hard_negatives;
pub mod import;
pub mod landmarks;
pub mod network_summary;
pub mod networks;
pub mod params;
pub mod quantize;
pub mod run_files;
pub mod task;
pub mod train;
pub mod trainer;

pub use config::Config;
pub use error::{Error, Result};
