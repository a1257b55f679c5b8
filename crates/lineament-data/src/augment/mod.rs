//! Augmentation of training pictures: shifted, scaled and rotated crops, mirrored crops, and effects of light, lens and
//! camera.
//!
//! Order in training: [`Jitter::jitter`] moves the crop, [`lineament::Crop::sample_into`] samples it, [`mirror_rows`] and
//! [`mirror_points`] mirror it, [`Photometric::apply`] degrades it, [`lineament::Normalisation`] normalises it.

mod filters;
mod geometric;
mod photometric;

pub use geometric::{Jitter, mirror_points, mirror_rows};
pub use photometric::Photometric;

pub(crate) use filters::{Size, gaussian_blur, motion_blur};
pub(crate) use photometric::{add_noise, compress};

use crate::error::{Error, Result};

/// An error naming the first setting that is not within its range.
fn check_ranges(settings: &[(&str, f32, f32, f32)]) -> Result<()> {
    match settings.iter().find(|(_, value, low, high)| !(low..=high).contains(&value)) {
        Some((name, value, low, high)) => Err(Error::Setting(format!("{name} is {value}, expected {low} to {high}"))),
        None => Ok(()),
    }
}
