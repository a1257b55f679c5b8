//! How a number is spread over a table.

use serde::Serialize;

/// Counts of values between edges, with those beyond the ends apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// What is counted.
    pub name: &'static str,
    /// Its unit; empty for a share.
    pub unit: &'static str,
    /// Bounds of the counts, from low to high; a value on a bound is counted above it, on the last one below it.
    pub edges: Vec<f64>,
    /// Values below the first edge, between one edge and the next, and above the last: one more than edges.
    pub counts: Vec<u64>,
    /// Rows without the value.
    pub missing: u64,
    /// Lowest value; `None` when there is none, like the others.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Mean value.
    pub mean: Option<f64>,
    #[serde(skip)]
    sum: f64,
}

impl Histogram {
    /// A histogram without values.
    pub fn new(name: &'static str, unit: &'static str, edges: impl IntoIterator<Item = f64>) -> Self {
        let edges: Vec<f64> = edges.into_iter().collect();
        let counts = vec![0; edges.len() + 1];
        Self { name, unit, edges, counts, missing: 0, min: None, max: None, mean: None, sum: 0.0 }
    }

    /// Counts a value.
    pub fn add(&mut self, value: Option<f64>) {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            self.missing += 1;
            return;
        };
        let above = self.edges.partition_point(|&edge| edge <= value);
        let on_last = self.edges.last() == Some(&value);
        self.counts[above - usize::from(on_last)] += 1;
        self.sum += value;
        self.min = Some(self.min.map_or(value, |min| min.min(value)));
        self.max = Some(self.max.map_or(value, |max| max.max(value)));
        self.mean = Some(self.sum / self.values() as f64);
    }

    /// Number of values.
    pub fn values(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_counted_above_it_but_for_the_last() {
        let mut histogram = Histogram::new("a", "px", [0.0, 10.0, 20.0]);
        for value in [-1.0, 0.0, 9.9, 10.0, 20.0, 500.0, f64::NAN] {
            histogram.add(Some(value));
        }
        histogram.add(None);
        assert_eq!(histogram.counts, [1, 2, 2, 1]);
        assert_eq!((histogram.values(), histogram.missing), (6, 2));
        assert_eq!((histogram.min, histogram.max), (Some(-1.0), Some(500.0)));
        assert!((histogram.mean.unwrap() - 538.9 / 6.0).abs() < 1e-9);
    }
}
