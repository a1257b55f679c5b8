//! How a scene becomes a picture: which surface each sample shows, what shadow falls on it, what light it sends back.
//!
//! Light of the environment is computed at the vertices, where it is soft enough for it, and the main light at the
//! pixels. A surface is shaded once per pixel, not once per sample; its edges have [`SAMPLES`] by [`SAMPLES`] samples.

mod lens;
mod shade;
mod shadow;
mod triangle;
mod visible;

use crate::math::Vec3;
use crate::scene::Scene;
use shade::Shader;
use shadow::ShadowMap;
pub use visible::{Shown, Visible};

/// Samples along each side of a pixel.
pub const SAMPLES: usize = 2;

/// Edge of the shadow maps of the environment's lamps and of the main light, in texels.
const LAMP_TEXELS: usize = 112;
const KEY_TEXELS: usize = 448;
/// Every so many hairs throw a shadow into the maps of the lamps, and of the main light.
const LAMP_HAIRS: usize = 5;
const KEY_HAIRS: usize = 2;

/// What a scene looks like to a sensor.
pub struct Picture {
    /// Linear RGB of each pixel, row by row, without the background.
    pub pixels: Vec<Vec3>,
    /// How much of each pixel the scene covers, 0 to 1.
    pub coverage: Vec<f32>,
    /// What each sample shows.
    pub visible: Visible,
}

/// Draws the scene.
pub fn render(scene: &Scene) -> Picture {
    let camera = scene.camera.enlarged(SAMPLES);
    let visible = Visible::draw(&scene.mesh, &scene.strands, &camera);
    let map = |toward, texels, hairs| ShadowMap::draw(&scene.mesh, &scene.strands, toward, texels, hairs);
    let lamps = scene.lights.lamps.iter().map(|lamp| map(lamp.toward, LAMP_TEXELS, LAMP_HAIRS));
    let lamps: Vec<ShadowMap> = lamps.collect();
    let key = scene.lights.key.map(|key| map(key.light.toward, KEY_TEXELS, KEY_HAIRS));
    let shader = Shader::new(scene, &lamps, key.as_ref());
    let size = scene.camera.size;
    let lens = lens::Lenses::draw(scene, &camera, &visible);
    let mut pixels = vec![Vec3::default(); size * size];
    let mut coverage = vec![0.0; size * size];
    let mut groups = Vec::with_capacity(SAMPLES * SAMPLES);
    for i in 0..size * size {
        visible.groups(&scene.mesh, i % size, i / size, &mut groups);
        for group in &groups {
            let share = group.samples as f32 / (SAMPLES * SAMPLES) as f32;
            pixels[i] += shader.shade(&visible, group.sample) * share;
            coverage[i] += share;
        }
        if let Some(lens) = &lens {
            lens.apply(scene, i, &mut pixels[i], &mut coverage[i]);
        }
    }
    Picture { pixels, coverage, visible }
}
