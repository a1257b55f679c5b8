//! Small neural networks on the processor: a model file and the engine that runs it.
//!
//! [`model`] reads and writes the file, ONNX with a short list of operators. [`engine`] runs it on kernels for f32, f16
//! and int8, one version for each instruction set, chosen at run time through [`simd`]. The crate opens no files,
//! prints nothing and starts no threads.
//!
//! ```
//! use lineament_nn::engine::Engine;
//! use lineament_nn::model::Model;
//!
//! # fn main() -> lineament_nn::Result<()> {
//! # let bytes = include_bytes!("../tests/fixtures/tiny.onnx");
//! let mut engine = Engine::new(&Model::parse(bytes)?)?;
//! engine.run(|input| input.fill(0.5)); // [height, width, channels]
//! for output in &engine.network().architecture().outputs {
//!     let (values, shape) = engine.output(&output.name).expect("each output has values");
//!     assert_eq!(values.len(), shape.len());
//! }
//! # Ok(())
//! # }
//! ```

pub mod engine;
mod error;
pub mod math;
pub mod model;
pub mod simd;

pub use error::{Error, Result};
