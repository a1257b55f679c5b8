//! What is behind the head.

use super::{Camera, Lights};
use crate::dice::Dice;
use crate::math::Vec3;
use crate::settings::Settings;

/// A picture behind the scene, linear RGB, of the camera's size.
pub struct Background {
    /// Pixels, row by row, with a mean luminance of about 1.
    pub pixels: Vec<Vec3>,
    /// Brightness against the face: 1 is as bright.
    pub brightness: f32,
}

impl Background {
    pub(super) fn draw(lights: &Lights, camera: &Camera, settings: &Settings, dice: &mut Dice) -> Self {
        let size = camera.size;
        let brightness = dice.log_range(0.25, 2.5);
        let mut pixels = match dice.chance(settings.plain_background_share) {
            true => wall(size, dice),
            false => panorama(lights, camera, dice),
        };
        let mean = pixels.iter().map(|p| p.luminance().min(4.0)).sum::<f32>() / pixels.len() as f32;
        pixels.iter_mut().for_each(|p| *p = *p * (1.0 / mean.max(1e-3)));
        Self { pixels, brightness }
    }
}

/// A wall of one colour, brighter on one side.
fn wall(size: usize, dice: &mut Dice) -> Vec<Vec3> {
    let colour = dice.colour();
    let (across, down) = (dice.range(-0.6, 0.6), dice.range(-0.6, 0.6));
    let at = |i: usize| {
        let (x, y) = ((i % size) as f32 / size as f32 - 0.5, (i / size) as f32 / size as f32 - 0.5);
        colour * (1.0 + across * x + down * y)
    };
    (0..size * size).map(at).collect()
}

/// The panorama in the camera's direction, through a lens of any angle, sharp or not.
fn panorama(lights: &Lights, camera: &Camera, dice: &mut Dice) -> Vec<Vec3> {
    let (size, half) = (camera.size, libm::tanf(dice.range(12.0, 40.0).to_radians()));
    let blurred = dice.chance(0.5);
    // A blurred background is drawn at a fraction of the size.
    let step = if blurred { 1 << (1 + dice.below(3)) } else { 1 };
    let few = size.div_ceil(step) + 1;
    let full = lights.environment.full();
    let look = |i: usize| {
        let [x, y] = [i % few, i / few].map(|k| ((k * step) as f32 + 0.5) / size as f32 * 2.0 - 1.0);
        let d = (camera.forward + camera.right * (half * x) - camera.up * (half * y)).unit();
        full.look(lights.panorama_from_scene(d), true).map(|c| c.min(40.0))
    };
    let coarse: Vec<Vec3> = (0..few * few).map(look).collect();
    if step == 1 {
        return (0..size * size).map(|i| coarse[i / size * few + i % size]).collect();
    }
    let at = |i: usize| {
        let [x, y] = [i % size, i / size];
        let (fx, fy) = ((x % step) as f32 / step as f32, (y % step) as f32 / step as f32);
        let k = y / step * few + x / step;
        coarse[k].lerp(coarse[k + 1], fx).lerp(coarse[k + few].lerp(coarse[k + few + 1], fx), fy)
    };
    (0..size * size).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::vec3;

    #[test]
    fn a_wall_has_one_hue() {
        let pixels = wall(8, &mut Dice::new(1));
        let hue = |p: Vec3| vec3(p.x / p.y, 1.0, p.z / p.y);
        assert!(pixels.iter().all(|p| (hue(*p) - hue(pixels[0])).length() < 1e-4));
    }
}
