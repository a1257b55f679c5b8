//! Panoramas with the light of a place (OpenEXR, equirectangular).

use std::f32::consts::PI;
use std::path::Path;

use exr::prelude::read_first_rgba_layer_from_file;

use crate::error::{Error, Result};
use crate::math::{Vec3, vec3};

/// Largest width that is kept.
const WIDTH: usize = 1024;
/// Width of the small panorama from which lights are drawn.
const LIGHT_WIDTH: usize = 128;
/// A panorama: x from the back over the left, the front and the right to the back; y from the zenith down.
pub struct Environment {
    /// The file's name.
    pub name: String,
    /// Linear RGB with a mean luminance of 1, row by row.
    full: Panorama,
    /// The same, small.
    small: Panorama,
}

/// Pixels of a panorama.
pub struct Panorama {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Linear RGB.
    pub pixels: Vec<Vec3>,
}

impl Panorama {
    /// Averages of squares of `n` by `n` pixels.
    fn shrunk(&self, n: usize) -> Self {
        let (width, height) = (self.width / n, self.height / n);
        let mean = |i: usize| {
            let (x0, y0) = (i % width * n, i / width * n);
            let inside = (0..n * n).map(|k| self.pixels[(y0 + k / n) * self.width + x0 + k % n]);
            inside.fold(Vec3::default(), |sum, pixel| sum + pixel) * (1.0 / (n * n) as f32)
        };
        Self { width, height, pixels: (0..width * height).map(mean).collect() }
    }

    /// The solid angle of a pixel in this row.
    pub fn solid_angle(&self, row: usize) -> f32 {
        let theta = (row as f32 + 0.5) / self.height as f32 * PI;
        libm::sinf(theta) * (PI / self.height as f32) * (2.0 * PI / self.width as f32)
    }

    /// In a direction (unit length), the nearest pixel or a mean of four.
    pub fn look(&self, direction: Vec3, smooth: bool) -> Vec3 {
        let u = (atan2(direction.x, direction.z) / (2.0 * PI) + 0.5) * self.width as f32;
        let v = acos(direction.y) / PI * self.height as f32;
        let at = |x: isize, y: isize| {
            let y = y.clamp(0, self.height as isize - 1) as usize;
            self.pixels[y * self.width + x.rem_euclid(self.width as isize) as usize]
        };
        if !smooth {
            return at(u as isize, v as isize);
        }
        let (x, y) = ((u - 0.5).floor(), (v - 0.5).floor());
        let (fx, fy) = (u - 0.5 - x, v - 0.5 - y);
        let (x, y) = (x as isize, y as isize);
        at(x, y).lerp(at(x + 1, y), fx).lerp(at(x, y + 1).lerp(at(x + 1, y + 1), fx), fy)
    }
}

/// The angle of a vector, within 0.002.
fn atan2(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let t = ax.min(ay) / ax.max(ay).max(1e-12);
    let s = t * t;
    let angle = t * (0.999_866 + s * (-0.330_299_5 + s * (0.180_141 + s * (-0.085_133 + s * 0.020_835_1))));
    let angle = if ay > ax { PI / 2.0 - angle } else { angle };
    let angle = if x < 0.0 { PI - angle } else { angle };
    if y < 0.0 { -angle } else { angle }
}

fn acos(x: f32) -> f32 {
    let x = x.clamp(-1.0, 1.0);
    atan2((1.0 - x * x).max(0.0).sqrt(), x)
}

impl Environment {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let image = read_first_rgba_layer_from_file(
            path,
            |size, _| (size.width(), vec![Vec3::default(); size.area()]),
            |(width, pixels), at, (r, g, b, _): (f32, f32, f32, f32)| pixels[at.y() * *width + at.x()] = vec3(r, g, b),
        );
        let image = image.map_err(|e| Error::file(path, format!("not an OpenEXR picture: {e}")))?;
        let (width, pixels) = image.layer_data.channel_data.pixels;
        let height = pixels.len() / width.max(1);
        if width < LIGHT_WIDTH || height < LIGHT_WIDTH / 2 || height < width / 4 {
            let what = "a panorama is at least 128 pixels wide, and about half as high";
            return Err(Error::file(path, format!("{width}x{height} pixels: {what}")));
        }
        let mut full = Panorama { width, height, pixels };
        if width >= 2 * WIDTH {
            full = full.shrunk(width / WIDTH);
        }
        full.pixels.iter_mut().for_each(|p| *p = p.map(|c| if c.is_finite() { c.clamp(0.0, 1e4) } else { 0.0 }));
        let weigh = |sum: (f32, f32), (i, pixel): (usize, &Vec3)| {
            let weight = full.solid_angle(i / full.width);
            (sum.0 + weight * pixel.luminance(), sum.1 + weight)
        };
        let (light, weight) = full.pixels.iter().enumerate().fold((0.0, 0.0), weigh);
        let gain = weight / light.max(1e-6);
        full.pixels.iter_mut().for_each(|p| *p = *p * gain);
        let small = full.shrunk(full.width / LIGHT_WIDTH);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, full, small })
    }

    /// The same light from everywhere.
    #[cfg(test)]
    pub fn plain() -> Self {
        let even =
            |width: usize| Panorama { width, height: width / 2, pixels: vec![Vec3::splat(1.0); width * width / 2] };
        Self { name: "plain".into(), full: even(LIGHT_WIDTH), small: even(LIGHT_WIDTH) }
    }

    /// The panorama, for backgrounds.
    pub fn full(&self) -> &Panorama {
        &self.full
    }

    /// 128 pixels wide, for lights and reflections.
    pub fn small(&self) -> &Panorama {
        &self.small
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_those_of_the_standard_library() {
        for i in 1..720 {
            let angle = (i as f32 - 360.0) * PI / 360.0;
            assert!((atan2(angle.sin(), angle.cos()) - angle).abs() < 0.002, "{angle}");
        }
        for i in -100..=100 {
            assert!((acos(i as f32 / 100.0) - (i as f32 / 100.0).acos()).abs() < 0.004, "{i}");
        }
    }

    #[test]
    fn directions_meet_their_pixels() {
        let pixels = (0..32).map(|i| Vec3::splat(i as f32)).collect();
        let panorama = Panorama { width: 8, height: 4, pixels };
        // The front is the middle of the picture, up the first row.
        assert_eq!(panorama.look(vec3(0.1, -0.1, 1.0).unit(), false).x, 20.0);
        assert_eq!(panorama.look(vec3(0.02, 1.0, 0.2).unit(), false).x, 4.0);
        assert_eq!(panorama.look(vec3(1.0, 0.1, 0.1).unit(), false).x, 8.0 + 5.0);
    }
}
