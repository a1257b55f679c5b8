//! Picture filters on `[height, width]` brightness, row by row. Beyond an edge, its pixels are repeated.

/// A picture's size. Both sides are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// The mean of `pixels` shifted by each of `offsets` (right, down), weighted.
fn weighted_shifts(pixels: &[f32], size: Size, offsets: &[(isize, isize, f32)]) -> Vec<f32> {
    let Size { width, height } = size;
    let mut out = vec![0.0; pixels.len()];
    // One row with its edges repeated, so that the inner loop has no branches.
    let reach = offsets.iter().map(|o| o.0.unsigned_abs()).max().unwrap_or(0);
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let mut padded = Vec::new();
        let mut loaded = None;
        for &(dx, dy, weight) in offsets {
            let from_y = y.saturating_add_signed(dy).min(height - 1);
            if loaded != Some(from_y) {
                let row = &pixels[from_y * width..][..width];
                padded.clear();
                padded.resize(reach, row[0]);
                padded.extend_from_slice(row);
                padded.resize(width + 2 * reach, row[width - 1]);
                loaded = Some(from_y);
            }
            let from = &padded[reach.saturating_add_signed(dx)..][..width];
            out.iter_mut().zip(from).for_each(|(o, v)| *o += weight * v);
        }
    }
    out
}

/// Blurs with a Gaussian of standard deviation `sd` pixels.
pub fn gaussian_blur(pixels: &mut [f32], size: Size, sd: f32) {
    if sd < 0.1 {
        return; // the neighbours' weight would be below 1e-20
    }
    let radius = (2.5 * sd).ceil() as isize; // 1 in 80 of the weight is beyond that
    let weights: Vec<f32> = (-radius..=radius).map(|i| (-0.5 * (i as f32 / sd).powi(2)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    let taps = |make: fn(isize, f32) -> (isize, isize, f32)| -> Vec<_> {
        (-radius..=radius).zip(&weights).map(|(i, w)| make(i, w / sum)).collect()
    };
    let across = weighted_shifts(pixels, size, &taps(|i, w| (i, 0, w)));
    pixels.copy_from_slice(&weighted_shifts(&across, size, &taps(|i, w| (0, i, w))));
}

/// Blurs along a straight line of `length` pixels in the direction `angle_rad`.
pub fn motion_blur(pixels: &mut [f32], size: Size, length: f32, angle_rad: f32) {
    let taps = length.round().max(1.0) as usize;
    let (sin, cos) = angle_rad.sin_cos();
    let offsets: Vec<_> = (0..taps)
        .map(|i| {
            let along = i as f32 - (taps - 1) as f32 / 2.0;
            ((along * cos).round() as isize, (along * sin).round() as isize, 1.0 / taps as f32)
        })
        .collect();
    pixels.copy_from_slice(&weighted_shifts(pixels, size, &offsets));
}

/// Removes the detail that a picture `factor` times smaller does not have, at the same size.
pub fn shrink_and_enlarge(pixels: &mut [f32], size: Size, factor: f32) {
    let factor = factor.clamp(1.0, size.width.max(size.height) as f32);
    let shrink = |side: usize| ((side as f32 / factor).round() as usize).clamp(1, side);
    let small = Size { width: shrink(size.width), height: shrink(size.height) };
    // Against aliasing: 0.4 of a small pixel, less than the blur of a camera's optics.
    gaussian_blur(pixels, size, 0.4 * factor);
    let shrunk = resize(pixels, size, small);
    pixels.copy_from_slice(&resize(&shrunk, small, size));
}

/// Bilinear; the edges of both sizes coincide.
fn resize(pixels: &[f32], from: Size, to: Size) -> Vec<f32> {
    let columns = neighbours(from.width, to.width);
    let mut out = Vec::with_capacity(to.width * to.height);
    for (top, bottom, down) in neighbours(from.height, to.height) {
        let (top, bottom) = (&pixels[top * from.width..][..from.width], &pixels[bottom * from.width..][..from.width]);
        out.extend(columns.iter().map(|&(left, right, across)| {
            let upper = top[left] + across * (top[right] - top[left]);
            let lower = bottom[left] + across * (bottom[right] - bottom[left]);
            upper + down * (lower - upper)
        }));
    }
    out
}

/// For each of `to` pixels on a line of `from` pixels: the two nearest, and the weight of the second.
fn neighbours(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let step = from as f32 / to as f32;
    let place = |i: usize| {
        let at = ((i as f32 + 0.5) * step - 0.5).clamp(0.0, (from - 1) as f32);
        (at as usize, (at as usize + 1).min(from - 1), at.fract())
    };
    (0..to).map(place).collect()
}

/// Light that changes linearly across the picture: factor `1 - strength` at one end, `1 + strength` at the other.
pub fn slope_light(pixels: &mut [f32], size: Size, strength: f32, angle_rad: f32) {
    let (sin, cos) = angle_rad.sin_cos();
    // From -1 to 1 along the direction, at any angle.
    let reach = (cos.abs() * size.width as f32 + sin.abs() * size.height as f32) / 2.0;
    let (across, down) = (strength * cos / reach, strength * sin / reach);
    for (y, row) in pixels.chunks_exact_mut(size.width).enumerate() {
        let start = 1.0 + down * (y as f32 + 0.5 - size.height as f32 / 2.0);
        for (x, v) in row.iter_mut().enumerate() {
            *v *= start + across * (x as f32 + 0.5 - size.width as f32 / 2.0);
        }
    }
}

/// `255 (v / 255)^gamma`, by a table: a power for each pixel would take more time than everything else here.
pub fn gamma(pixels: &mut [f32], gamma: f32) {
    let table: Vec<f32> = (0..=256).map(|i| 255.0 * (i as f32 / 255.0).powf(gamma)).collect();
    for v in pixels {
        let at = v.clamp(0.0, 255.0);
        let (low, share) = (at as usize, at.fract());
        *v = table[low] + share * (table[low + 1] - table[low]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::{FRAC_PI_2, PI};

    const SIZE: Size = Size { width: 24, height: 16 };

    fn dot() -> Vec<f32> {
        let mut pixels = vec![0.0; 24 * 16];
        pixels[8 * 24 + 12] = 100.0;
        pixels
    }

    /// Sum, centre and variance along x and y.
    fn moments(pixels: &[f32]) -> (f32, [f32; 2], [f32; 2]) {
        let sum: f32 = pixels.iter().sum();
        let at = |i: usize| [(i % 24) as f32, (i / 24) as f32];
        let mean = [0, 1].map(|k| pixels.iter().enumerate().map(|(i, v)| v * at(i)[k]).sum::<f32>() / sum);
        let variance =
            [0, 1].map(|k| pixels.iter().enumerate().map(|(i, v)| v * (at(i)[k] - mean[k]).powi(2)).sum::<f32>() / sum);
        (sum, mean, variance)
    }

    type Filter = fn(&mut [f32], Size);

    #[test]
    fn blurs_spread_a_dot_without_moving_it() {
        let cases: [(&str, Filter, [f32; 2], f32); 4] = [
            ("gaussian", |p, s| gaussian_blur(p, s, 1.5), [2.25, 2.25], 0.25),
            ("motion across", |p, s| motion_blur(p, s, 7.0, 0.0), [4.0, 0.0], 1e-3),
            ("motion down", |p, s| motion_blur(p, s, 7.0, FRAC_PI_2), [0.0, 4.0], 1e-3),
            ("motion of nothing", |p, s| motion_blur(p, s, 0.0, 1.0), [0.0, 0.0], 1e-6),
        ];
        for (what, filter, expected, tolerance) in cases {
            let mut pixels = dot();
            filter(&mut pixels, SIZE);
            let (sum, mean, variance) = moments(&pixels);
            assert!((sum - 100.0).abs() < 0.01, "{what}: sum {sum}");
            assert!((mean[0] - 12.0).abs() < 0.01 && (mean[1] - 8.0).abs() < 0.01, "{what}: {mean:?}");
            for k in [0, 1] {
                assert!((variance[k] - expected[k]).abs() <= tolerance, "{what}: {variance:?}, expected {expected:?}");
            }
        }
    }

    #[test]
    fn filters_leave_one_colour_as_it_is() {
        let cases: [(&str, Filter); 5] = [
            ("gaussian", |p, s| gaussian_blur(p, s, 2.0)),
            ("motion", |p, s| motion_blur(p, s, 40.0, 0.7)),
            ("shrink", |p, s| shrink_and_enlarge(p, s, 2.3)),
            ("shrink to one pixel", |p, s| shrink_and_enlarge(p, s, 1e6)),
            ("gamma of 1", |p, _| gamma(p, 1.0)),
        ];
        for (what, filter) in cases {
            for (width, height) in [(24, 16), (1, 1), (1, 7), (5, 1)] {
                let mut pixels = vec![77.5; width * height];
                filter(&mut pixels, Size { width, height });
                assert!(pixels.iter().all(|v| (v - 77.5).abs() < 0.01), "{what} {width}x{height}: {}", pixels[0]);
            }
        }
    }

    #[test]
    fn shrinking_and_enlarging_keeps_a_ramp_in_its_place() {
        let ramp: Vec<f32> = (0..24 * 16).map(|i| 5.0 * (i % 24) as f32).collect();
        let mut pixels = ramp.clone();
        shrink_and_enlarge(&mut pixels, SIZE, 2.0);
        for i in (0..24 * 16).filter(|i| (4..20).contains(&(i % 24))) {
            assert!((pixels[i] - ramp[i]).abs() < 0.05, "{i}: {} {}", pixels[i], ramp[i]);
        }
    }

    #[test]
    fn sloped_light_keeps_the_middle_and_changes_the_ends() {
        for (angle, first, last) in [(0.0, 60.0, 140.0), (PI, 140.0, 60.0), (FRAC_PI_2, 100.0, 100.0)] {
            let mut pixels = vec![100.0; 25];
            slope_light(&mut pixels, Size { width: 25, height: 1 }, 0.4 * 25.0 / 24.0, angle);
            assert!((pixels[12] - 100.0).abs() < 1e-3, "{angle}");
            assert!((pixels[0] - first).abs() < 0.01 && (pixels[24] - last).abs() < 0.01, "{angle}: {pixels:?}");
        }
    }

    #[test]
    fn gamma_keeps_black_and_white_and_moves_the_middle() {
        for (g, middle) in [(0.5, 180.3), (1.0, 127.5), (2.0, 63.75)] {
            let mut pixels = [0.0, 127.5, 255.0, -3.0, 300.0];
            gamma(&mut pixels, g);
            assert_eq!([pixels[0], pixels[2], pixels[3], pixels[4]], [0.0, 255.0, 0.0, 255.0]);
            assert!((pixels[1] - middle).abs() < 0.1, "{g}: {}", pixels[1]);
        }
    }
}
