//! The paper's experiment (Kendrick et al.): the networks trained alike, measured, and set beside the paper's numbers.

mod conclusion;
mod measure;
mod numbers;
pub mod paper_values;
mod report;
pub mod results;

pub use conclusion::conclusion;
pub use report::html;
pub use results::Results;

#[cfg(test)]
mod made_up;
