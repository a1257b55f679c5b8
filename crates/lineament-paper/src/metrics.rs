//! The four metrics of the paper, how their values are printed, and when two values count as different.

use std::cmp::Ordering;

use super::numbers;
use super::results::{Figures, Network, Results};

/// Figures closer than this, relative to the larger, count as alike: 2 %. A network is trained once, so its scatter
/// from seed to seed is not known; the share is about what the median of ten epochs leaves of their scatter.
pub const ALIKE: f64 = 0.02;

/// One of the metrics.
#[derive(Debug)]
pub struct Metric {
    /// What it is called in a sentence.
    pub name: &'static str,
    /// Its unit; empty where it has none.
    pub unit: &'static str,
    decimals: usize,
    higher_is_better: bool,
    get: fn(&Figures) -> Option<f64>,
}

/// Mean distance of the points.
pub const NME: Metric = Metric { name: "NME", unit: "%", decimals: 2, higher_is_better: false, get: |f| f.nme };
/// Mean absolute error.
pub const MAE: Metric = Metric { name: "MAE", unit: "px", decimals: 3, higher_is_better: false, get: |f| Some(f.mae) };
/// Root mean square error.
pub const LOSS: Metric =
    Metric { name: "loss", unit: "px", decimals: 3, higher_is_better: false, get: |f| Some(f.loss) };
/// Equation 2.
pub const ACCURACY: Metric =
    Metric { name: "accuracy", unit: "", decimals: 3, higher_is_better: true, get: |f| Some(f.accuracy) };

impl Metric {
    /// The figure, where it is there and finite.
    pub fn of(&self, figures: &Figures) -> Option<f64> {
        (self.get)(figures).filter(|value| value.is_finite())
    }

    /// Without its unit.
    pub fn number(&self, value: f64) -> String {
        numbers::fixed(value, self.decimals)
    }

    /// With its unit.
    pub fn text(&self, value: f64) -> String {
        let number = self.number(value);
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }

    /// `Less` where `a` is better than `b`, `Equal` where they are [`ALIKE`]; both finite.
    pub fn compare(&self, a: f64, b: f64) -> Ordering {
        if (a - b).abs() <= ALIKE * a.abs().max(b.abs()) {
            return Ordering::Equal;
        }
        let (a, b) = if self.higher_is_better { (b, a) } else { (a, b) };
        a.total_cmp(&b)
    }

    /// The better of two, whether they are alike or not.
    pub fn better(&self, a: f64, b: f64) -> f64 {
        if self.higher_is_better { a.max(b) } else { a.min(b) }
    }

    /// `falls from 5.12 to 4.60 % (10 % less)`.
    pub fn change(&self, from: f64, to: f64) -> String {
        let (name, first, last) = (self.name, self.number(from), self.text(to));
        let percent = numbers::significant(100.0 * (to - from).abs() / from.abs(), 2);
        match self.compare(from, to) {
            Ordering::Equal => {
                format!("{name} stays within {} % ({first} and {last})", numbers::fixed(100.0 * ALIKE, 0))
            }
            _ if to < from => format!("{name} falls from {first} to {last} ({percent} % less)"),
            _ => format!("{name} rises from {first} to {last} ({percent} % more)"),
        }
    }
}

/// The metric that networks are compared by: NME, or MAE where a network has no NME.
pub fn main_metric<'a>(networks: impl IntoIterator<Item = &'a Network>) -> &'static Metric {
    if networks.into_iter().all(|network| NME.of(&network.settled()).is_some()) { &NME } else { &MAE }
}

/// Where networks were measured: the validation part, over its last epochs, then every other table.
pub struct Place<'a> {
    /// Its name in a sentence.
    pub name: String,
    /// The figures of a network there.
    pub figures: Box<dyn Fn(&Network) -> Figures + 'a>,
}

/// All places of `results`, the validation part first.
pub fn places(results: &Results) -> Vec<Place<'_>> {
    let validation = Place { name: "the validation part".to_owned(), figures: Box::new(Network::settled) };
    let missing = Figures { loss: f64::NAN, mae: f64::NAN, accuracy: f64::NAN, nme: None };
    let tests = results.data.tests.iter().enumerate().map(|(i, (name, _))| Place {
        name: name.clone(),
        figures: Box::new(move |n| n.tests.get(i).copied().unwrap_or(missing)),
    });
    [validation].into_iter().chain(tests).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_below_the_threshold_are_none() {
        assert_eq!(NME.compare(5.0, 5.09), Ordering::Equal);
        assert_eq!(NME.compare(5.0, 5.2), Ordering::Less, "a smaller error is better");
        assert_eq!(ACCURACY.compare(0.3, 0.4), Ordering::Greater, "a larger accuracy is better");
        assert_eq!(NME.change(5.0, 4.0), "NME falls from 5.00 to 4.00 % (20 % less)");
        assert_eq!(ACCURACY.change(0.2, 0.3), "accuracy rises from 0.200 to 0.300 (50 % more)");
        assert_eq!(MAE.change(1.0, 1.01), "MAE stays within 2 % (1.000 and 1.010 px)");
        let figures = Figures { nme: Some(f64::NAN), ..Figures::default() };
        assert_eq!(NME.of(&figures), None);
    }
}
