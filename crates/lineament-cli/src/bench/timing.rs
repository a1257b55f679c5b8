//! Times and what is told of them.

use std::time::Instant;

use serde::Serialize;

/// How long `step` takes, in milliseconds, and what it gives.
pub fn time<T>(step: impl FnOnce() -> T) -> (f64, T) {
    let begin = Instant::now();
    let result = std::hint::black_box(step());
    (ms_since(begin), result)
}

pub fn ms_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

/// To a microsecond: more is noise.
pub fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

/// To three digits.
pub fn three_digits(number: f64) -> f64 {
    if number <= 0.0 || !number.is_finite() {
        return number;
    }
    let unit = 10f64.powf(number.log10().floor() - 2.0);
    (number / unit).round() * unit
}

/// The middle half of some times, in milliseconds.
#[derive(Debug, Serialize, PartialEq)]
pub struct Quartiles {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Quartiles {
    /// Between two values the mean by distance, as NumPy does.
    ///
    /// # Panics
    /// When there are no times.
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (times.len() - 1) as f64;
            let (low, high) = (times[place.floor() as usize], times[place.ceil() as usize]);
            rounded(low + (high - low) * place.fract())
        };
        Self { median: at(0.5), lower: at(0.25), upper: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys() {
        assert_eq!(Quartiles::of(vec![4.0, 1.0, 3.0, 2.0]), Quartiles { median: 2.5, lower: 1.75, upper: 3.25 });
        assert_eq!(Quartiles::of(vec![7.0]), Quartiles { median: 7.0, lower: 7.0, upper: 7.0 });
    }

    #[test]
    fn three_digits_are_kept() {
        for (number, kept) in [(12_345.0, 12_300.0), (0.012_36, 0.0124), (0.0, 0.0), (999.6, 1000.0)] {
            assert!((three_digits(number) - kept).abs() <= 1e-9 * kept, "{number}");
        }
    }
}
