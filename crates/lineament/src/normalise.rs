//! How the brightness of pixels becomes a network's input.

use std::fmt;
use std::str::FromStr;

use lineament_nn::simd::vectorized;

use crate::error::Error;

/// How the brightness of pixels, from 0 to 255, becomes a network's input. As text it is what a model file's metadata
/// says under `normalisation`: `standardise` or `unit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Normalisation {
    /// Mean 0 and standard deviation 1, so that the light and the contrast of the photo do not matter. An image of one
    /// colour becomes all zeros.
    Standardise,
    /// From 0 to 1: brightness over 255.
    Unit,
}

impl Normalisation {
    /// Normalises brightness from 0 to 255, in place.
    pub fn apply(self, pixels: &mut [f32]) {
        match self {
            Self::Standardise => standardise(pixels),
            Self::Unit => pixels.iter_mut().for_each(|v| *v /= 255.0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Standardise => "standardise",
            Self::Unit => "unit",
        }
    }
}

impl fmt::Display for Normalisation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Normalisation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Standardise, Self::Unit]
            .into_iter()
            .find(|normalisation| normalisation.name() == text)
            .ok_or_else(|| Error::Option(format!("a normalisation is `standardise` or `unit`, not `{text}`")))
    }
}

/// A standard deviation below one grey level is only the rounding of the camera; it is not amplified.
const LEAST_DEVIATION: f32 = 1.0;

fn standardise(pixels: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let n = pixels.len().max(1) as f32;
            let mean = sum(pixels, |v| v) / n;
            let variance = sum(pixels, |v| (v - mean) * (v - mean)) / n;
            let scale = 1.0 / variance.sqrt().max(LEAST_DEVIATION);
            pixels.iter_mut().for_each(|v| *v = (*v - mean) * scale);
        },
    );
}

/// Partial sums, which are added to each other only at the end: they fill the vectors, and each rounds less than one
/// long sum.
const SUMS: usize = 64;

/// The sum of `of` over all of `pixels`.
#[inline(always)]
fn sum(pixels: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; SUMS];
    let (parts, rest) = pixels.as_chunks::<SUMS>();
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += of(*v));
    }
    sums.iter().sum::<f32>() + rest.iter().map(|v| of(*v)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_and_contrast_do_not_matter_when_standardised() {
        let mut pixels: Vec<f32> = (0..200).map(|i| (i % 7 * 30) as f32).collect();
        let mut paler: Vec<f32> = pixels.iter().map(|v| 90.0 + v / 4.0).collect();
        Normalisation::Standardise.apply(&mut pixels);
        Normalisation::Standardise.apply(&mut paler);
        assert!(pixels.iter().zip(&paler).all(|(a, b)| (a - b).abs() < 1e-4));
        let mean = pixels.iter().sum::<f32>() / 200.0;
        let variance = pixels.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 200.0;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{mean} {variance}");
    }

    #[test]
    fn one_colour_becomes_zeros_and_white_becomes_one() {
        let mut even = [77.0; 9];
        Normalisation::Standardise.apply(&mut even);
        assert_eq!(even, [0.0; 9]);
        let mut shades = [0.0, 51.0, 255.0];
        Normalisation::Unit.apply(&mut shades);
        assert_eq!(shades, [0.0, 0.2, 1.0]);
    }

    #[test]
    fn the_text_of_a_normalisation_is_read_back_and_other_text_is_refused() {
        for normalisation in [Normalisation::Standardise, Normalisation::Unit] {
            assert_eq!(normalisation.to_string().parse(), Ok(normalisation));
        }
        for text in ["", "Unit", "unit ", "imagenet"] {
            assert!(text.parse::<Normalisation>().is_err(), "{text}");
        }
    }
}
