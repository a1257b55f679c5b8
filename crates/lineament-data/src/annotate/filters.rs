//! The filters for finished faces: light, contrast and focus of the crop, then the points.

use lineament::Point;

use super::rejection::Reason;
use super::settings::Filters;
use crate::record::{RecordFrame, SIDE, is_inside};

/// Light, contrast and focus of a crop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Mean brightness, from 0 to 255.
    pub brightness: f32,
    /// Standard deviation of the brightness.
    pub contrast: f32,
    /// Variance of the Laplacian: the sum of each pixel's four neighbours minus four times the pixel. A usual measure
    /// of focus (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000). It is measured on the
    /// crop and not on the photo, because the crop is what networks get: a small face enlarged is as soft as one out of
    /// focus.
    pub sharpness: f32,
}

impl Measures {
    /// Measures `[SIDE, SIDE]` pixels.
    pub fn of(pixels: &[u8]) -> Self {
        let at = |x: usize, y: usize| f64::from(pixels[y * SIDE + x]);
        let inner = || (1..SIDE - 1).flat_map(|y| (1..SIDE - 1).map(move |x| (x, y)));
        let laplacian =
            |(x, y): (usize, usize)| at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
        let (brightness, variance) = mean_and_variance(pixels.iter().map(|&p| f64::from(p)));
        let (_, sharpness) = mean_and_variance(inner().map(laplacian));
        Self { brightness: brightness as f32, contrast: variance.sqrt() as f32, sharpness: sharpness as f32 }
    }
}

fn mean_and_variance(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (n, sum, squares) = values.fold((0.0, 0.0, 0.0), |(n, sum, squares), v| (n + 1.0, sum + v, squares + v * v));
    let mean = sum / n;
    (mean, (squares / n - mean * mean).max(0.0))
}

/// Why a face is left out, and the figures.
pub type Objection = (Reason, String);

impl Filters {
    /// Checks the crop alone.
    ///
    /// # Errors
    /// Why it is left out.
    pub fn check_crop(&self, pixels: &[u8]) -> Result<(), Objection> {
        let Measures { brightness, contrast, sharpness } = Measures::of(pixels);
        let fault = |reason, what: &str, value: f32, limit: f32| {
            Err((reason, format!("{what} is {value:.1}, the limit is {limit}")))
        };
        if let Some(range) = &self.brightness {
            if brightness < *range.start() {
                return fault(Reason::TooDark, "mean brightness", brightness, *range.start());
            }
            if brightness > *range.end() {
                return fault(Reason::TooBright, "mean brightness", brightness, *range.end());
            }
        }
        if let Some(limit) = self.min_contrast.filter(|limit| contrast < *limit) {
            return fault(Reason::LowContrast, "contrast", contrast, limit);
        }
        if let Some(limit) = self.min_sharpness.filter(|limit| sharpness < *limit) {
            return fault(Reason::Blurred, "sharpness", sharpness, limit);
        }
        Ok(())
    }

    /// Checks the points, and our network's answer: `score` from 0 to 1, `expected_error` in percent.
    ///
    /// # Errors
    /// Why the face is left out.
    pub fn check_points(
        &self,
        points: &[Point<RecordFrame>],
        score: f32,
        expected_error: Option<f32>,
    ) -> Result<(), Objection> {
        if points.iter().any(|p| !p.is_finite()) {
            return Err((Reason::PointsOutside, "points are not numbers".into()));
        }
        let outside = points.iter().filter(|p| !is_inside(**p)).count();
        if let Some(limit) = self.max_outside.filter(|limit| outside > *limit) {
            return Err((Reason::PointsOutside, format!("{outside} points are outside, the limit is {limit}")));
        }
        if let Some(limit) = self.min_score.filter(|limit| score < *limit) {
            return Err((Reason::LowScore, format!("score is {score:.3}, the limit is {limit}")));
        }
        match (self.max_expected_error, expected_error) {
            (Some(limit), Some(error)) if error > limit => {
                Err((Reason::LargeExpectedError, format!("expected error is {error:.1} %, the limit is {limit} %")))
            }
            (Some(_), None) => Err((Reason::LargeExpectedError, "the outer eye corners coincide".into())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(pixel: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..SIDE * SIDE).map(|i| pixel(i % SIDE, i / SIDE)).collect()
    }

    #[test]
    fn measures_are_computed_by_hand() {
        let even = Measures::of(&picture(|_, _| 77));
        assert_eq!(even, Measures { brightness: 77.0, contrast: 0.0, sharpness: 0.0 });
        // Columns of 0 and 200: mean and deviation 100, Laplacian 400 or -400.
        let stripes = Measures::of(&picture(|x, _| if x % 2 == 0 { 0 } else { 200 }));
        assert_eq!(stripes, Measures { brightness: 100.0, contrast: 100.0, sharpness: 160_000.0 });
        let slope = Measures::of(&picture(|x, y| (x + y) as u8));
        assert!(slope.sharpness == 0.0 && slope.contrast > 30.0, "a slope has no detail: {slope:?}");
    }

    #[test]
    fn each_filter_has_its_reason_and_can_be_off() {
        let filters = Filters {
            brightness: Some(50.0..=200.0),
            min_contrast: Some(10.0),
            min_sharpness: Some(100.0),
            ..Filters::OFF
        };
        for (pixels, reason) in [
            (picture(|x, _| if x % 2 == 0 { 0 } else { 90 }), Reason::TooDark),
            (picture(|x, _| if x % 2 == 0 { 255 } else { 190 }), Reason::TooBright),
            (picture(|_, _| 128), Reason::LowContrast),
            (picture(|x, y| 60 + (x + y) as u8 / 2), Reason::Blurred),
        ] {
            assert_eq!(filters.check_crop(&pixels).unwrap_err().0, reason);
            assert_eq!(Filters::OFF.check_crop(&pixels), Ok(()));
        }
        assert_eq!(filters.check_crop(&picture(|x, _| if x % 2 == 0 { 60 } else { 190 })), Ok(()));
    }

    #[test]
    fn points_are_checked_by_place_score_and_expected_error() {
        let filters =
            Filters { max_outside: Some(1), min_score: Some(0.5), max_expected_error: Some(6.0), ..Filters::OFF };
        let points = |outside: usize| {
            let x = |i: usize| if i < outside { 95.5 } else { -0.5 };
            (0..5).map(|i| Point::new(x(i), 0.0)).collect::<Vec<_>>()
        };
        for (outside, score, error, reason) in [
            (1, 0.5, Some(6.0), None),
            (2, 0.5, Some(6.0), Some(Reason::PointsOutside)),
            (0, 0.49, Some(1.0), Some(Reason::LowScore)),
            (0, 0.9, Some(6.1), Some(Reason::LargeExpectedError)),
            (0, 0.9, None, Some(Reason::LargeExpectedError)),
        ] {
            let verdict = filters.check_points(&points(outside), score, error);
            assert_eq!(verdict.err().map(|(reason, _)| reason), reason);
            assert_eq!(Filters::OFF.check_points(&points(outside), score, error), Ok(()));
        }
        let torn = [Point::new(f32::NAN, 0.0)];
        assert_eq!(Filters::OFF.check_points(&torn, 1.0, None).unwrap_err().0, Reason::PointsOutside);
    }
}
