//! The paper's experiment (Kendrick et al.): the networks trained alike, measured, and set beside the paper's numbers.
//!
//! [`measure()`] takes networks that [`crate::training`] trained to [`Results`], [`conclusion()`] says what they show, and
//! [`html()`] draws all of it on one page.

mod conclusion;
mod live;
mod measure;
mod measuring;
mod numbers;
pub mod paper_values;
mod pictures;
mod report;
pub mod results;
pub mod training;

pub use conclusion::conclusion;
pub use measuring::{Plan, measure};
pub use report::html;
pub use results::Results;

#[cfg(test)]
mod made_up;
