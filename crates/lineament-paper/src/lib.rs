//! The experiment of one paper, repeated: Kendrick, Tan, Walker and Yap, *The Application of Neural Networks for
//! Facial Landmarking on Mobile Devices*. Its three networks, which differ in their max-pooling layers, are trained
//! by its recipe, measured, and compared with the numbers that it prints.
//!
//! The flow: [`training::Run`] trains a network from a table of faces and leaves a model file. [`measure()`] runs the
//! model files of a [`Plan`] and makes [`Results`]. [`conclusion()`] puts these into sentences, and [`html()`] draws
//! a page of tables and charts, with the paper's numbers of [`paper_values`] next to ours.

mod conclusion;
mod frame_rates;
mod measure;
mod metrics;
mod numbers;
pub mod paper_values;
mod pictures;
mod report;
pub mod results;
pub mod training;

pub use conclusion::conclusion;
pub use measure::{Plan, measure};
pub use report::html;
pub use results::Results;

#[cfg(test)]
mod sample_results;
