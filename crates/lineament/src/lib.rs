//! Facial landmarks on the device: pixels in, 68 points with an expected error each out.
//!
//! [`Lineament`] finds the faces of a photo, [`Tracker`] follows them through a video. Both borrow an app's pixels as
//! an [`ImageView`] and run the same stages: a detector finds faces in the shrunk image, a [`Crop`] of each is turned
//! upright, and a landmark network places the points and says whether there is a face at all. The crate opens no files,
//! prints nothing and starts no threads.
//!
//! Most apps need the items of this page and [`topology`], which says what the 68 points are; [`stages`] is for tools.
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

mod crop;
mod detect;
mod error;
mod expression;
mod geometry;
#[cfg(all(test, feature = "default-models"))]
mod golden;
mod head;
mod image;
mod landmarks;
mod lineament;
mod normalise;
mod pose;
mod sample;
mod smooth;
mod track;
mod verify;

#[cfg(feature = "cascade")]
pub mod cascade;
#[cfg(feature = "draw")]
pub mod draw;
#[cfg(feature = "default-models")]
pub mod models;
pub mod stages;
pub mod topology;

pub use crate::lineament::{Face, Lineament, Options};
pub use crop::{Crop, CropRule};
#[doc(inline)]
pub use detect::Detection;
#[doc(inline)]
pub use error::{Error, ModelError, Result};
pub use expression::Expression;
#[doc(inline)]
pub use geometry::{Point, Rect, Similarity};
#[doc(inline)]
pub use image::{ImageView, PixelFormat};
#[doc(inline)]
pub use landmarks::Landmarks;
#[doc(inline)]
pub use lineament_nn::engine::Pool;
pub use normalise::Normalisation;
pub use pose::Pose;
#[doc(inline)]
pub use smooth::SmoothOptions;
pub use track::{TrackOptions, TrackedFace, Tracker};
