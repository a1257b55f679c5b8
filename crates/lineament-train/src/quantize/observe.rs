//! The range of a network's values over photos, from which their scales and zero points follow.

use lineament_nn::engine::Engine;
use lineament_nn::engine::int8::Quantization;
use lineament_nn::model::{Architecture, Model, Shape, ValueId};

use crate::error::Result;

/// Quantised values are 0 to 255.
const MAX_QUANTISED: f32 = 255.0;

/// Bins of a histogram; a quantised value covers several, so that it hardly matters where they end.
const BINS: usize = 1024;

/// Ends of the range that are tried, in percent of the largest number seen.
const SHARES: std::ops::RangeInclusive<usize> = 20..=100;

/// Quantile of the ends that are best for each picture, which becomes the end for all: a few odd pictures have
/// numbers ten times as large as all others, and would make the scale ten times as coarse. Chosen by trial.
const END_QUANTILE: f64 = 0.95;

/// How often each size of number occurred in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Bins from `-reach` to `reach`.
    counts: Vec<u64>,
    reach: f32,
    least: f32,
    most: f32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BINS], reach: 1.0, least: 0.0, most: 0.0 }
    }
}

impl Histogram {
    /// Counts `values`; those that are not finite are left out.
    pub fn add(&mut self, values: &[f32]) {
        for value in values.iter().filter(|value| value.is_finite()) {
            (self.least, self.most) = (self.least.min(*value), self.most.max(*value));
        }
        while self.reach < self.most.max(-self.least) {
            self.double();
        }
        let scale = BINS as f32 / (2.0 * self.reach);
        for value in values.iter().filter(|value| value.is_finite()) {
            let bin = ((value + self.reach) * scale) as usize;
            self.counts[bin.min(BINS - 1)] += 1;
        }
    }

    /// Twice the reach: two bins become one, in the middle half.
    fn double(&mut self) {
        let mut wider = vec![0; BINS];
        for (bin, pair) in self.counts.chunks_exact(2).enumerate() {
            wider[BINS / 4 + bin] = pair[0] + pair[1];
        }
        self.counts = wider;
        self.reach *= 2.0;
    }

    /// The ends of the range with the least mean squared error: clipping a few outliers makes the scale finer for all
    /// other numbers.
    pub fn ends(&self) -> (f32, f32) {
        let share = |share: usize| share as f32 / *SHARES.end() as f32;
        let best = |candidates: &mut dyn Iterator<Item = (f32, f32)>| {
            let errors = candidates.map(|ends| (self.error(ends), ends));
            errors.min_by(|a, b| a.0.total_cmp(&b.0)).map_or((self.least, self.most), |(_, ends)| ends)
        };
        let (_, most) = best(&mut SHARES.map(|s| (self.least, self.most * share(s))));
        best(&mut SHARES.map(|s| (self.least * share(s), most)))
    }

    /// Squared error of quantisation with these ends.
    fn error(&self, ends: (f32, f32)) -> f64 {
        let quantization = quantization_of(ends);
        let (scale, (low, high)) = (quantization.scale, range_of(quantization));
        let rounding = f64::from(scale).powi(2) / 12.0;
        let width = 2.0 * self.reach / BINS as f32;
        let bins = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        bins.map(|(bin, &count)| {
            let value = (bin as f32 + 0.5) * width - self.reach;
            let beyond = f64::from((value - value.clamp(low, high)).abs());
            count as f64 * if beyond > 0.0 { beyond * beyond } else { rounding }
        })
        .sum()
    }
}

/// The quantisation of a range of numbers, shifted by less than one scale so that 0 is represented exactly.
fn quantization_of((least, most): (f32, f32)) -> Quantization {
    let (least, most) = (least.min(0.0), most.max(0.0));
    let scale = ((most - least) / MAX_QUANTISED).max(f32::MIN_POSITIVE / f32::EPSILON);
    Quantization { scale, zero_point: (-least / scale).round() as u8 }
}

/// The least and the largest number.
fn range_of(Quantization { scale, zero_point }: Quantization) -> (f32, f32) {
    let zero_point = f32::from(zero_point);
    (-zero_point * scale, (MAX_QUANTISED - zero_point) * scale)
}

/// The numbers of one value over all pictures.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// For each picture the ends that are best for it.
    pub ends: Vec<(f32, f32)>,
    /// The mean of each channel.
    pub means: Vec<f64>,
}

impl Observed {
    /// Covers the range that is best for nearly all pictures. 0 is always represented exactly: convolutions pad with
    /// it.
    pub fn quantization(&self) -> Quantization {
        let reach = |end: &dyn Fn(&(f32, f32)) -> f32| {
            let mut ends: Vec<f32> = self.ends.iter().map(end).collect();
            ends.sort_by(f32::total_cmp);
            let last = ends.len().saturating_sub(1);
            ends.get((last as f64 * END_QUANTILE).round() as usize).copied().unwrap_or(0.0)
        };
        quantization_of((-reach(&|(least, _)| -least), reach(&|(_, most)| *most)))
    }
}

/// An input of a network: height, width and channels, and the numbers.
pub type Input = (Shape, Vec<f32>);

/// Observes `values` while `model` runs on every input; `inputs` gives those of one photo at a time.
///
/// # Errors
/// When the model cannot run, an input does not fit it, or `inputs` has an error.
pub fn observe(
    model: &Model,
    values: &[ValueId],
    inputs: impl Iterator<Item = Result<Vec<Input>>>,
) -> Result<Vec<Observed>> {
    let mut observed = vec![Observed::default(); values.len()];
    watch(model, values, inputs, |value, numbers, channels| {
        let observed: &mut Observed = &mut observed[value];
        let mut histogram = Histogram::default();
        histogram.add(numbers);
        observed.ends.push(histogram.ends());
        observed.means.resize(channels, 0.0);
        let places = numbers.len() / channels;
        for pixel in numbers.chunks_exact(channels) {
            observed.means.iter_mut().zip(pixel).for_each(|(mean, v)| *mean += f64::from(*v) / places as f64);
        }
    })?;
    for Observed { ends, means } in &mut observed {
        means.iter_mut().for_each(|mean| *mean /= ends.len() as f64);
    }
    Ok(observed)
}

/// For each of `values` the range of each channel, from its least to its largest number, with 0 in it: the median
/// over all inputs.
///
/// # Errors
/// As [`observe`].
pub fn widths(
    model: &Model,
    values: &[ValueId],
    inputs: impl Iterator<Item = Result<Vec<Input>>>,
) -> Result<Vec<Vec<f32>>> {
    let mut seen: Vec<Vec<Vec<f32>>> = vec![Vec::new(); values.len()];
    watch(model, values, inputs, |value, numbers, channels| {
        let mut ends = vec![(0.0f32, 0.0f32); channels];
        for pixel in numbers.chunks_exact(channels) {
            ends.iter_mut().zip(pixel).for_each(|(end, v)| *end = (end.0.min(*v), end.1.max(*v)));
        }
        let seen = &mut seen[value];
        seen.resize(channels, Vec::new());
        seen.iter_mut().zip(ends).for_each(|(widths, (least, most))| widths.push(most - least));
    })?;
    let median = |mut widths: Vec<f32>| {
        widths.sort_by(f32::total_cmp);
        widths[widths.len() / 2]
    };
    Ok(seen.into_iter().map(|channels| channels.into_iter().map(median).collect()).collect())
}

/// Runs `model` on every input and calls `show` for each of `values`: its index there, its numbers, its channels.
fn watch(
    model: &Model,
    values: &[ValueId],
    inputs: impl Iterator<Item = Result<Vec<Input>>>,
    mut show: impl FnMut(usize, &[f32], usize),
) -> Result<()> {
    let name = |value: ValueId| format!("observed {value}");
    let mut architecture = Architecture { outputs: Vec::new(), ..model.architecture.clone() };
    values.iter().for_each(|&value| architecture.output(&name(value), value));
    let mut engine = Engine::new(&Model { architecture, ..model.clone() })?;
    for inputs in inputs {
        for (Shape { height, width, .. }, pixels) in inputs? {
            engine.set_input_size(height, width)?;
            engine.run(|to| to.copy_from_slice(&pixels));
            for (at, &value) in values.iter().enumerate() {
                if let Some((numbers, shape)) = engine.output(&name(value)) {
                    show(at, numbers, shape.channels);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantisation_represents_zero_and_the_ends() {
        for (ends, expected) in [((0.0, 5.1), 0), ((-5.1, 0.0), 255), ((-1.0, 4.1), 50), ((2.0, 5.1), 0)] {
            let found = quantization_of(ends);
            assert_eq!(found.zero_point, expected, "{ends:?}");
            assert!((found.scale * 255.0 / 5.1 - 1.0).abs() < 1e-5, "{ends:?}: {found:?}");
        }
        let nothing = quantization_of((0.0, 0.0));
        assert!(nothing.scale > 0.0 && nothing.scale.is_finite() && nothing.scale.recip().is_finite());
    }

    #[test]
    fn a_quantisation_reaches_as_far_as_is_best_for_nearly_all_pictures() {
        let mut observed = Observed::default();
        assert!(observed.quantization().scale > 0.0, "of no picture");
        observed.ends = (1..=100).map(|i| (i as f32 * -0.01, if i == 7 { 90.0 } else { 4.0 })).collect();
        let (least, most) = range_of(observed.quantization());
        assert!((least + 0.95).abs() < 0.03 && (most - 4.0).abs() < 0.03, "{least} to {most}");
    }

    #[test]
    fn a_histogram_grows_with_what_it_sees() {
        let mut histogram = Histogram::default();
        histogram.add(&[0.1, f32::NAN, 0.3]);
        histogram.add(&[-9.0, 3.0, f32::INFINITY]);
        assert_eq!((histogram.least, histogram.most, histogram.reach), (-9.0, 3.0, 16.0));
        assert_eq!(histogram.counts.iter().sum::<u64>(), 4);
        let at = |value: f32| histogram.counts[((value + 16.0) / 32.0 * BINS as f32) as usize];
        assert_eq!((at(-9.0), at(3.0), at(0.1) + at(0.3)), (1, 1, if at(0.1) == 2 { 4 } else { 2 }));
    }

    #[test]
    fn lonely_outliers_are_clipped_and_common_large_numbers_are_not() {
        let even: Vec<f32> = (0..100_000).map(|i| i as f32 / 100_000.0).collect();
        let mut histogram = Histogram::default();
        histogram.add(&even);
        assert!((histogram.ends().1 - 1.0).abs() < 0.03, "{:?}", histogram.ends());
        // One number in four millions costs less when it is clipped than a finer scale saves for all others.
        (1..40).for_each(|_| histogram.add(&even));
        histogram.add(&[4.0]);
        let (_, most) = histogram.ends();
        assert!((0.95..1.5).contains(&most), "the end is {most}");
    }
}
