//! The paper's experiment (Kendrick et al.): the networks trained alike, measured, and set beside the paper's numbers.

pub mod results;

pub use results::Results;
