//! Geometric augmentation: shift, scale, rotation and mirror image of the crop.

use lineament::topology::Topology;
use lineament::{Crop, Point};
use rand::Rng;
use rand_distr::StandardNormal;

knobs! {
    /// How far a training crop deviates from the true one, in imitation of a detector's crops.
    Jitter {
        /// Standard deviation of the shift along each axis, in sides of the crop: about twice a good detector's error,
        /// so that tracking from the previous frame's points works, too.
        shift_sd: f32 = 0.05, 0.0 to 0.5;
        /// Standard deviation of the logarithm of the side: at 0.1, 95 of 100 crops have 0.82 to 1.22 of the true side.
        scale_sd: f32 = 0.1, 0.0 to 1.0;
        /// Share of crops with a small rotation; the others have a uniform one up to `roll_max_deg`. The detector's
        /// five points make most crops upright, but not those of new tracks and of bad detections.
        roll_small_share: f32 = 0.7, 0.0 to 1.0;
        /// Standard deviation of the small rotation, in degrees: the error that five detected points leave.
        roll_sd_deg: f32 = 8.0, 0.0 to 180.0;
        /// Largest uniform rotation, in degrees: beyond 45 even people confuse points.
        roll_max_deg: f32 = 45.0, 0.0 to 180.0;
        /// Share of crops that imitate crops from the points of an earlier pass, as in the second pass or in a video:
        /// they deviate about a third as far.
        close_share: f32 = 0.5, 0.0 to 1.0;
    }
}

/// Deviation of a crop from the points of an earlier pass, as a share of that of a crop from a detector. Such points
/// are off by 3 % of the crop or less, and their errors partly average out.
const CLOSE: f32 = 0.3;

/// Normal draws are limited to this many standard deviations: nothing can be learned from a face outside its crop.
const MAX_DEVIATIONS: f32 = 3.0;

impl Jitter {
    /// `crop` with a random shift, scale and rotation.
    pub fn jitter(&self, crop: &Crop, rng: &mut impl Rng) -> Crop {
        let close = rng.random::<f32>() < self.close_share;
        let reach = if close { CLOSE } else { 1.0 };
        let shift = reach * self.shift_sd * crop.side;
        let center = Point::new(crop.center.x + shift * normal(rng), crop.center.y + shift * normal(rng));
        let side = crop.side * (reach * self.scale_sd * normal(rng)).exp();
        let turn_deg = if close || rng.random::<f32>() < self.roll_small_share {
            reach * self.roll_sd_deg * normal(rng)
        } else {
            self.roll_max_deg * (2.0 * rng.random::<f32>() - 1.0)
        };
        Crop { center, side, roll_rad: crop.roll_rad + turn_deg.to_radians() }
    }
}

fn normal(rng: &mut impl Rng) -> f32 {
    rng.sample::<f32, _>(StandardNormal).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
}

/// The points of the picture mirrored left to right about the vertical line through `axis_x`: 0 in the frame of the
/// crop, half the width in an image. The right eye becomes the left one, with its numbers.
///
/// # Panics
/// When `points` are not as many as the topology's.
pub fn mirror_points<F>(topology: &Topology, points: &[Point<F>], axis_x: f32) -> Vec<Point<F>> {
    topology.mirror().iter().map(|&from| Point::new(2.0 * axis_x - points[from].x, points[from].y)).collect()
}

/// Mirrors a picture left to right in place: `[height, width]`, row by row.
///
/// # Panics
/// When `width` is 0.
pub fn mirror_rows<T>(pixels: &mut [T], width: usize) {
    pixels.chunks_exact_mut(width).for_each(<[T]>::reverse);
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament::stages::CropFrame;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    const CROP: Crop = Crop { center: Point::new(50.0, 60.0), side: 100.0, roll_rad: 0.2 };

    #[test]
    fn jitter_has_the_spread_it_says() {
        let mut rng = Pcg64::seed_from_u64(1);
        let wide = Jitter { close_share: 0.0, ..Jitter::default() };
        let crops: Vec<Crop> = (0..20_000).map(|_| wide.jitter(&CROP, &mut rng)).collect();
        let moments = |value: fn(&Crop) -> f32| {
            let mean = crops.iter().map(value).sum::<f32>() / crops.len() as f32;
            let variance = crops.iter().map(|c| (value(c) - mean).powi(2)).sum::<f32>() / crops.len() as f32;
            (mean, variance.sqrt())
        };
        // 0.7 normal with 8 degrees and 0.3 even within 45 degrees, whose variance is 45 squared over 3.
        let roll_sd = (0.7f32 * 64.0 + 0.3 * 675.0).sqrt().to_radians();
        for (what, (mean, sd), expected_mean, expected_sd) in [
            ("x", moments(|c| c.center.x), 50.0, 5.0),
            ("y", moments(|c| c.center.y), 60.0, 5.0),
            ("log side", moments(|c| (c.side / 100.0).ln()), 0.0, 0.1),
            ("roll", moments(|c| c.roll_rad), 0.2, roll_sd),
        ] {
            assert!((sd / expected_sd - 1.0).abs() < 0.03, "{what}: sd {sd}, expected {expected_sd}");
            assert!((mean - expected_mean).abs() < expected_sd * 0.04, "{what}: mean {mean}");
        }
    }

    #[test]
    fn a_jitter_of_nothing_changes_nothing() {
        let none = Jitter {
            shift_sd: 0.0,
            scale_sd: 0.0,
            roll_small_share: 1.0,
            roll_sd_deg: 0.0,
            roll_max_deg: 0.0,
            close_share: 0.0,
        };
        assert_eq!(none.jitter(&CROP, &mut Pcg64::seed_from_u64(2)), CROP);
    }

    #[test]
    fn settings_outside_their_range_are_named() {
        for jitter in
            [Jitter { scale_sd: f32::NAN, ..Jitter::default() }, Jitter { scale_sd: -0.1, ..Jitter::default() }]
        {
            assert!(jitter.check().unwrap_err().to_string().contains("scale_sd"));
        }
        assert!(Jitter::default().check().is_ok());
    }

    #[test]
    fn the_right_eye_becomes_the_left_one() {
        let topology = Topology::ibug68();
        let mut points = vec![Point::<CropFrame>::new(0.0, 0.0); topology.len()];
        points[36] = Point::new(-0.6, -0.3); // outer corner of the right eye
        let mirrored = mirror_points(&topology, &points, 0.0);
        assert_eq!(mirrored[45], Point::new(0.6, -0.3));
        assert_eq!(mirrored[36], Point::new(0.0, 0.0));
    }

    proptest! {
        #[test]
        fn mirroring_twice_returns_the_points(
            xy in prop::collection::vec(-2.0f32..500.0, 2 * 68), axis in -9.0f32..300.0,
        ) {
            let points: Vec<Point> = xy.chunks_exact(2).map(|xy| Point::new(xy[0], xy[1])).collect();
            let topology = Topology::ibug68();
            let back = mirror_points(&topology, &mirror_points(&topology, &points, axis), axis);
            for (a, b) in points.iter().zip(&back) {
                prop_assert!(a.distance(*b) < 1e-3);
            }
        }

        #[test]
        fn mirroring_rows_moves_each_pixel_to_the_other_side(
            width in 1usize..20, height in 1usize..9, x in 0usize..20, y in 0usize..9,
        ) {
            let (x, y) = (x % width, y % height);
            let mut pixels: Vec<usize> = (0..width * height).collect();
            mirror_rows(&mut pixels, width);
            prop_assert_eq!(pixels[y * width + width - 1 - x], y * width + x);
        }
    }
}
