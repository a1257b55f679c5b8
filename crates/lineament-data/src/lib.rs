//! Photos, labels, augmentation and evaluation for Lineament's models.
//!
//! Training: [`dataset::read`] lists photos with their `.pts` points, [`photo::Photo`] decodes them, and [`augment`]
//! changes the pixels of the library's own [`lineament::Crop`]. Evaluation: [`evaluate()`](evaluate::evaluate) runs
//! exported models through the public [`lineament::Lineament`], [`evaluate::metrics`] computes figures from the points,
//! and [`evaluate::report`] holds them.
//!
//! ```
//! use lineament_data::dataset::is_validation;
//!
//! // All faces of one photo are in the same part of a split.
//! assert_eq!(is_validation("helen_12345_1", 0.1), is_validation("helen_12345_2", 0.1));
//! ```
#![forbid(unsafe_code)]

pub mod annotate;
pub mod augment;
pub mod boxes;
pub mod dataset;
pub mod dlib;
pub mod error;
pub mod evaluate;
pub mod folder;
pub mod labels;
pub mod model_file;
pub mod part_file;
pub mod photo;
pub mod pts;
pub mod record;
mod stable_hash;
pub mod table;
#[cfg(test)]
mod testing;
mod text;
pub mod topologies;
pub mod video;
pub mod workers;

pub use augment::{Jitter, Knob, Photometric};
pub use boxes::BoxRow;
pub use dataset::Sample;
pub use error::{Error, Result};
pub use evaluate::report::{Offset, Report};
pub use evaluate::{FalseFaces, PhotoResult, Protocol};
pub use model_file::read_model_file;
pub use part_file::PartFile;
pub use photo::{GreyPhoto, Photo};
pub use record::Record;
