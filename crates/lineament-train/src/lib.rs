//! Training.

pub mod adam;
pub mod graph;
pub mod params;
pub mod trainer;
