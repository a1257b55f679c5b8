//! Facial landmarks on the device.

pub mod crop;
pub mod detect;
#[cfg(feature = "draw")]
pub mod draw;
pub mod engine;
pub mod error;
pub mod geometry;
pub mod image;
pub mod landmarks;
mod lineament;
pub mod model;
#[cfg(feature = "default-models")]
pub mod models;
pub mod pose;
pub mod topology;

pub use crate::lineament::{Face, Lineament, Options};
pub use crop::Crop;
pub use detect::Detection;
pub use error::{Error, Result};
pub use geometry::{Point, Rect, Similarity};
pub use image::{ImageView, PixelFormat};
pub use landmarks::Landmarks;
pub use pose::Pose;
