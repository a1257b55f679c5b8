//! Light: an environment as a few distant lamps, and often a lamp or the sun of its own.

use std::f32::consts::PI;

use crate::assets::Environment;
use crate::dice::Dice;
use crate::math::{Vec3, exp, vec3};
use crate::settings::Settings;

/// A distant lamp.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// The direction towards it, unit length.
    pub toward: Vec3,
    /// What a white surface that faces it sends back, linear RGB.
    pub colour: Vec3,
}

/// The main light: near enough, or small enough, to throw a shadow with an edge.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As of the others.
    pub light: Light,
    /// How blurred the edge of its shadow is, in radians: 0.005 is the sun.
    pub softness: f32,
}

/// An angle by its sine and cosine: every pixel of the background needs them.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    sin: f32,
    cos: f32,
}

impl Turn {
    fn by(angle_rad: f32) -> Self {
        Self { sin: libm::sinf(angle_rad), cos: libm::cosf(angle_rad) }
    }
}

/// All light of a scene.
pub struct Lights<'a> {
    /// The panorama around the head.
    pub environment: &'a Environment,
    /// How the panorama is turned about the vertical, and how it is tilted.
    pub turn: [Turn; 2],
    /// Whether left and right of the panorama are exchanged.
    pub mirrored: bool,
    /// The panorama as lamps.
    pub lamps: Vec<Light>,
    /// The main light, if there is one.
    pub key: Option<Key>,
    /// Light that comes from everywhere, linear RGB.
    pub ambient: Vec3,
}

/// No pixel of the panorama is brighter, in means of it, when lamps are drawn from it.
const BRIGHTEST: f32 = 200.0;

impl<'a> Lights<'a> {
    pub(super) fn draw(environments: &'a [Environment], settings: &Settings, dice: &mut Dice) -> Self {
        let environment = dice.pick(environments);
        let mut lights = Self {
            environment,
            turn: [Turn::by(dice.range(-PI, PI)), Turn::by(0.12 * dice.normal())],
            mirrored: dice.chance(0.5),
            lamps: Vec::new(),
            key: None,
            ambient: Vec3::default(),
        };
        let gain = 0.8 * exp(0.15 * dice.normal());
        let tint = match dice.chance(settings.coloured_light_share) {
            true => vec3(dice.range(0.3, 1.5), dice.range(0.3, 1.3), dice.range(0.3, 1.5)),
            false => Vec3::splat(1.0),
        };
        lights.lamps = lights.lamps(settings.lamps as usize, tint * gain, dice);
        let sum = lights.lamps.iter().fold(Vec3::default(), |sum, lamp| sum + lamp.colour);
        lights.ambient = sum * dice.range(0.02, 0.07);
        if dice.chance(settings.key_light_share) {
            let toward = match dice.chance(0.75) {
                true => vec3(0.8 * dice.normal(), (0.4 + 0.5 * dice.normal()).abs(), 1.0),
                false => dice.normal3().times(vec3(1.0, 0.7, 1.0)) + vec3(0.0, 0.5, 0.0),
            };
            let power = dice.log_range(0.15, 2.6);
            let warmth = vec3(0.12 * dice.normal(), 0.06 * dice.normal(), 0.12 * dice.normal()).map(exp);
            let softness = dice.log_range(0.005, 0.3);
            lights.key = Some(Key { light: Light { toward: toward.unit(), colour: warmth * power }, softness });
            if dice.chance(settings.harsh_share) {
                // Night or a dark room: little else.
                let dim = dice.range(0.05, 0.4);
                lights.lamps.iter_mut().for_each(|lamp| lamp.colour = lamp.colour * dim);
                lights.ambient = lights.ambient * dim;
            }
        }
        lights
    }

    /// From the scene's directions to those of the panorama.
    pub fn panorama_from_scene(&self, d: Vec3) -> Vec3 {
        let [Turn { sin, cos }, Turn { sin: s, cos: c }] = self.turn;
        let tilted = vec3(d.x, c * d.y + s * d.z, c * d.z - s * d.y);
        let turned = vec3(cos * tilted.x - sin * tilted.z, tilted.y, sin * tilted.x + cos * tilted.z);
        if self.mirrored { vec3(-turned.x, turned.y, turned.z) } else { turned }
    }

    fn scene_from_panorama(&self, d: Vec3) -> Vec3 {
        let d = if self.mirrored { vec3(-d.x, d.y, d.z) } else { d };
        let [Turn { sin, cos }, Turn { sin: s, cos: c }] = self.turn;
        let d = vec3(cos * d.x + sin * d.z, d.y, cos * d.z - sin * d.x);
        vec3(d.x, c * d.y - s * d.z, c * d.z + s * d.y)
    }

    /// The panorama by `count` lamps: bright parts are drawn more often, and lamps there are the weaker for it.
    fn lamps(&self, count: usize, gain: Vec3, dice: &mut Dice) -> Vec<Light> {
        let panorama = self.environment.small();
        let (width, height) = (panorama.width, panorama.height);
        let mut sums = Vec::with_capacity(width * height);
        let mut total = 0.0f32;
        for (i, pixel) in panorama.pixels.iter().enumerate() {
            // The mean luminance is 1.
            let likely = 0.65 * pixel.luminance().min(BRIGHTEST) + 0.35;
            total += likely * panorama.solid_angle(i / width);
            sums.push(total);
        }
        let lamp = |k: usize| {
            let at = (k as f32 + dice.unit()) / count as f32 * total;
            let i = sums.partition_point(|sum| *sum < at).min(sums.len() - 1);
            let share = (sums[i] - if i > 0 { sums[i - 1] } else { 0.0 }) / total;
            let polar = ((i / width) as f32 + dice.unit()) / height as f32 * PI;
            let around = (((i % width) as f32 + dice.unit()) / width as f32 - 0.5) * 2.0 * PI;
            let ring = libm::sinf(polar);
            let d = vec3(ring * libm::sinf(around), libm::cosf(polar), ring * libm::cosf(around));
            let bright = panorama.pixels[i].map(|c| c.min(2.0 * BRIGHTEST));
            let weight = panorama.solid_angle(i / width) / (share.max(1e-9) * count as f32 * PI);
            Light { toward: self.scene_from_panorama(d), colour: bright.times(gain) * weight }
        };
        (0..count).map(lamp).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_of_the_panorama_come_back() {
        let environment = Environment::plain();
        for mirrored in [false, true] {
            let lights = Lights {
                environment: &environment,
                turn: [Turn::by(1.1), Turn::by(-0.3)],
                mirrored,
                lamps: vec![],
                key: None,
                ambient: Vec3::default(),
            };
            let d = vec3(0.3, -0.5, 0.81).unit();
            assert!((lights.scene_from_panorama(lights.panorama_from_scene(d)) - d).length() < 1e-5);
        }
    }

    #[test]
    fn lamps_of_an_even_panorama_light_a_surface_as_it_does() {
        let environment = Environment::plain();
        let mut lights = Lights {
            environment: &environment,
            turn: [Turn::by(0.2), Turn::by(0.1)],
            mirrored: false,
            lamps: vec![],
            key: None,
            ambient: Vec3::default(),
        };
        lights.lamps = lights.lamps(4000, Vec3::splat(1.0), &mut Dice::new(3));
        for normal in [vec3(0.0, 0.0, 1.0), vec3(0.6, 0.8, 0.0), vec3(0.0, -1.0, 0.0)] {
            let sum: f32 = lights.lamps.iter().map(|lamp| lamp.colour.y * lamp.toward.dot(normal).max(0.0)).sum();
            // White under white light from everywhere is white.
            assert!((sum - 1.0).abs() < 0.03, "{sum}");
        }
    }
}
