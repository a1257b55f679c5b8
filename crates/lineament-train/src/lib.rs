//! Training of small landmark networks.

pub mod adam;
pub mod checkpoint;
pub mod config;
pub mod curves;
pub mod detector;
pub mod error;
pub mod export;
pub mod graph;
pub mod landmarks;
pub mod networks;
pub mod params;
pub mod survey;
pub mod task;
pub mod train;
pub mod trainer;

pub use config::Config;
pub use error::{Error, Result};
