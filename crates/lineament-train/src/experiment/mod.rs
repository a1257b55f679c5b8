//! The paper's experiment (Kendrick et al.): the networks trained alike, measured, and set beside the paper's numbers.
//!
//! [`measure()`](measure::measure) takes networks that [`crate::paper`] trained to [`Results`].

mod conclusion;
mod live;
pub mod measure;
mod pictures;
mod report;
pub mod results;

pub use measure::{Plan, measure};
pub use results::Results;
pub use {conclusion::conclusion, report::html};
