//! From light to a photo: exposure, tone curve, and the faults of cameras.

use std::f32::consts::PI;

use lineament_data::augment::{Size, gaussian_blur, motion_blur};

use crate::dice::Dice;
use crate::math::{Vec3, exp, pow, vec3};
use crate::raster::Picture;
use crate::scene::Scene;
use crate::settings::Settings;

/// Brightness of the face that an automatic exposure aims at, linear, for skin of middle tone.
const AIM: f32 = 0.2;
/// Share of the aim that does not depend on the skin's tone.
const TONELESS: f32 = 0.35;

/// A finished picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// Pixels along each side.
    pub size: usize,
    /// RGB, row by row.
    pub rgb: Vec<u8>,
}

impl Photo {
    /// The file of a JPEG of this quality, 1 to 100.
    pub fn jpeg(&self, quality: u8) -> Vec<u8> {
        let mut file = Vec::with_capacity(self.rgb.len() / 8);
        let side = u16::try_from(self.size).expect("pictures have at most 2048 pixels along each side");
        let encoder = jpeg_encoder::Encoder::new(&mut file, quality.clamp(1, 100));
        let encoded = encoder.encode(&self.rgb, side, side, jpeg_encoder::ColorType::Rgb);
        encoded.expect("a picture in memory goes into a JPEG in memory");
        file
    }
}

/// Takes the photo; `face` is the part of the picture that the exposure is for, as pixels in it.
pub fn develop(scene: &Scene, picture: &Picture, face: &[usize], settings: &Settings) -> Photo {
    let dice = &mut scene.dice.clone();
    let size = scene.camera.size;
    let brightness = |i: &usize| picture.pixels[*i].luminance();
    let mean = face.iter().map(brightness).sum::<f32>() / face.len().max(1) as f32;
    let aim = AIM * (TONELESS + (1.0 - TONELESS) * (1.4 - 1.1 * scene.person.tone));
    let exposure = (aim / mean.max(1e-3)).clamp(0.02, 60.0) * exp(0.33 * dice.normal());
    let behind = scene.background.brightness * aim;
    let balance = vec3(0.05 * dice.normal(), 0.0, 0.06 * dice.normal()).map(exp);
    let filmic = dice.chance(0.6);
    let tone = |v: f32| {
        let v = v.max(0.0);
        let v = if filmic { v * (1.0 + v / 9.0) / (1.0 + v) * 1.25 } else { v };
        let v = v.min(1.0);
        if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * pow(v, 1.0 / 2.4) - 0.055 }
    };
    let (contrast, lift) = (dice.range(0.88, 1.25), 0.03 * dice.normal());
    let finish = |i: usize| {
        let light = picture.pixels[i] * exposure;
        let background = scene.background.pixels[i] * (behind * (1.0 - picture.coverage[i]));
        (light + background).times(balance).map(|v| 255.0 * ((tone(v) - 0.5) * contrast + 0.5 + lift))
    };
    let finished: Vec<Vec3> = (0..size * size).map(finish).collect();
    let mut planes: [Vec<f32>; 3] = std::array::from_fn(|axis| finished.iter().map(|v| v[axis]).collect());
    spoil(&mut planes, size, settings, dice);
    let byte = |v: f32| v.clamp(0.0, 255.0).round() as u8;
    let rgb = (0..size * size).flat_map(|i| [0, 1, 2].map(|k| byte(planes[k][i]))).collect();
    Photo { size, rgb }
}

/// Blur of the lens, of focus and of motion, sharpening, noise.
fn spoil(planes: &mut [Vec<f32>; 3], size: usize, settings: &Settings, dice: &mut Dice) {
    let bad = dice.chance(settings.bad_camera_share);
    let area = Size { width: size, height: size };
    let scale = size as f32 / 224.0;
    let softness = scale * if bad { dice.range(0.4, 2.2) } else { dice.range(0.0, 0.6) };
    let moved = (bad && dice.chance(0.3)).then(|| (scale * dice.range(2.0, 7.0), dice.range(0.0, PI)));
    let sharpened = if dice.chance(0.3) { dice.range(0.2, 1.0) } else { 0.0 };
    let noise = if bad { dice.range(0.0, 14.0) } else { dice.range(0.0, 3.0) };
    for plane in planes {
        gaussian_blur(plane, area, softness);
        if let Some((length, angle)) = moved {
            motion_blur(plane, area, length, angle);
        }
        if sharpened > 0.0 {
            let mut blurred = plane.clone();
            gaussian_blur(&mut blurred, area, 1.0);
            plane.iter_mut().zip(blurred).for_each(|(v, b)| *v += sharpened * (*v - b));
        }
        if noise > 0.5 {
            // The sum of four even draws is nearly normal.
            let draw = |dice: &mut Dice| dice.unit() + dice.unit() + dice.unit() + dice.unit() - 2.0;
            plane.iter_mut().for_each(|v| *v += noise * 1.7 * draw(dice));
        }
    }
}
