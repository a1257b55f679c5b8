//! Facial landmarks on the device: pixels in, 68 points with an expected error each out.
//!
//! [`ImageView`] borrows an app's pixels. [`detect::Detector`] finds faces in a shrunk frame; [`Crop`] cuts each out,
//! turned upright; [`landmarks::LandmarkNetwork`] places the points and says whether it is a face at all.
//! [`Lineament`] is these stages in order. The crate opens no files, prints nothing and starts no threads.
//!
//! ```
//! # #[cfg(feature = "default-models")]
//! # fn main() -> lineament::Result<()> {
//! use lineament::{ImageView, Lineament, Options};
//!
//! let (width, height) = (640, 480);
//! let frame = vec![128; width * height]; // the Y plane of a camera, or RGB with `ImageView::rgb`
//! let mut lineament = Lineament::new(Options::default())?;
//! for face in lineament.faces(&ImageView::grey(&frame, width, height)?) {
//!     let nose = face.landmarks.points[30];
//!     println!("nose at {:.1}, {:.1}, within {:.1} pixels", nose.x, nose.y, face.landmarks.errors[30]);
//! }
//! # assert!(lineament.faces(&ImageView::grey(&frame, width, height)?).is_empty(), "an even grey is no face");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "default-models"))]
//! # fn main() {}
//! ```

#[cfg(feature = "cascade")]
pub mod cascade;
pub mod crop;
pub mod detect;
#[cfg(feature = "draw")]
pub mod draw;
pub mod error;
pub mod expression;
pub mod geometry;
#[cfg(all(test, feature = "default-models"))]
mod golden;
pub mod image;
pub mod landmarks;
mod lineament;
#[cfg(feature = "default-models")]
pub mod models;
pub mod pose;
pub mod sample;
pub mod smooth;
pub mod topology;
pub mod track;

pub use crate::lineament::{Face, Lineament, Options};
pub use crop::Crop;
pub use detect::Detection;
pub use error::{Error, Result};
pub use expression::Expression;
pub use geometry::{Point, Rect, Similarity};
pub use image::{ImageView, PixelFormat};
pub use landmarks::Landmarks;
pub use lineament_nn::engine::Pool;
pub use pose::Pose;
pub use smooth::SmoothOptions;
pub use track::{TrackOptions, TrackedFace, Tracker};
