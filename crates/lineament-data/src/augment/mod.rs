//! Variations of training pictures: where the crop lies, which way round it is, and what light, lens and camera do.
//!
//! Order in training: [`Jitter::jitter`] moves the crop, [`lineament::Crop::sample_into`] cuts it, [`mirror_rows`] and
//! [`mirror_points`] turn it round, [`Photometric::apply`] spoils it, [`lineament::Normalisation`] evens it out.

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
