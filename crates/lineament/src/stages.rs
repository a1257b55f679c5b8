//! The stages alone, for training, measuring and tools; apps do not need them.

pub use crate::detect::{CHANNELS, Detector, GRIDS, SAME_FACE_IOU, SMALLEST_FACE};
pub use crate::geometry::{CropFrame, ImageFrame};
pub use crate::image::{GreyImage, MAX_SIDE};
pub use crate::landmarks::LandmarkNetwork;
pub use crate::sample::{PixelFrame, sample};
pub use crate::smooth::Smoother;
