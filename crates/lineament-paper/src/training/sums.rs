//! Sums over coordinates, from which the paper's figures follow.

use super::faces::inter_ocular;
use lineament_train::task::Figures;

/// Sums over coordinates and faces; they add up over batches and groups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// Of squared differences.
    pub squares: f64,
    /// Of absolute differences.
    pub absolutes: f64,
    /// Coordinates whose rounded prediction is the rounded truth (equation 2).
    pub hits: f64,
    /// Coordinates.
    pub coordinates: f64,
    /// Of the mean distances of a face's points, over the distance of its outer eye corners.
    pub nme: f64,
    /// Faces that have such a distance.
    pub faces: f64,
}

impl Sums {
    /// Adds a face: predicted and true coordinates in pixels of the crop.
    pub fn add(&mut self, predicted: &[f32], truth: &[f32]) {
        for (p, t) in predicted.iter().zip(truth) {
            let difference = f64::from(p - t);
            self.squares += difference * difference;
            self.absolutes += difference.abs();
            self.hits += f64::from(u8::from(p.round_ties_even() == t.round_ties_even()));
        }
        self.coordinates += predicted.len() as f64;
        if let Some(eyes) = inter_ocular(truth).filter(|eyes| *eyes > 0.0) {
            let pairs = predicted.chunks_exact(2).zip(truth.chunks_exact(2));
            let distances: f32 = pairs.map(|(p, t)| (p[0] - t[0]).hypot(p[1] - t[1])).sum();
            self.nme += f64::from(distances / eyes) / (truth.len() / 2) as f64;
            self.faces += 1.0;
        }
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        self.squares += other.squares;
        self.absolutes += other.absolutes;
        self.hits += other.hits;
        self.coordinates += other.coordinates;
        self.nme += other.nme;
        self.faces += other.faces;
    }

    /// The root of the mean square (equation 1, with the square that its print lost).
    pub fn rmse(&self) -> f64 {
        (self.squares / self.coordinates).sqrt()
    }

    /// Loss (RMSE) and MAE in pixels of the crop, accuracy from 0 to 1, NME in percent, named for the training part or
    /// for the validation part.
    pub fn figures(&self, validation: bool) -> Figures {
        let names = match validation {
            false => ["loss", "mae", "accuracy", "nme"],
            true => ["val_loss", "val_mae", "val_accuracy", "val_nme"],
        };
        let mean = |sum: f64| sum / self.coordinates;
        let values = [self.rmse(), mean(self.absolutes), mean(self.hits), 100.0 * self.nme / self.faces];
        let named = names.into_iter().zip(values.map(|v| v as f32));
        named.filter(|(name, _)| !name.ends_with("nme") || self.faces > 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_the_papers() {
        let mut sums = Sums::default();
        sums.add(&[1.4, 2.0, 3.6, 0.0], &[1.0, 2.0, 3.0, 3.0]);
        let figures = sums.figures(false);
        assert_eq!(
            figures.iter().map(|f| f.0).collect::<Vec<_>>(),
            ["loss", "mae", "accuracy"],
            "two points have no eyes"
        );
        let expected = [((0.16f32 + 0.36 + 9.0) / 4.0).sqrt(), 1.0, 0.5];
        figures.iter().zip(expected).for_each(|(f, e)| assert!((f.1 - e).abs() < 1e-6, "{f:?} {e}"));
    }

    #[test]
    fn nme_is_over_the_outer_eye_corners() {
        let mut truth = [0.0f32; 136];
        truth[2 * 36] = 20.0;
        truth[2 * 45] = 70.0;
        let mut sums = Sums::default();
        sums.add(&truth.map(|v| v + 3.0), &truth);
        let nme = sums.figures(true)[3];
        assert!(nme.0 == "val_nme" && (nme.1 - 100.0 * 18f32.sqrt() / 50.0).abs() < 1e-4, "{nme:?}");
    }
}
