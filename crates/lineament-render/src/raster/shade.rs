//! The light that a surface or a hair sends to the camera.

use super::shadow::ShadowMap;
use super::visible::{Shown, Visible};
use crate::assets::Material;
use crate::math::{Vec3, fifth, pow, scramble_unit, vec3};
use crate::scene::{Key, Lights, Scene};

/// Distance over which the main light's shadow is blurred: from the nose to the cheek, in centimetres.
const SHADOW_THROW: f32 = 3.0;
/// What is inside mouth and sockets sees this much of the light from everywhere.
const INSIDE: f32 = 0.15;
/// No highlight is brighter than this many times the light.
const BRIGHTEST_HIGHLIGHT: f32 = 4.0;
/// Exponent of the highlight of hair (Kajiya and Kay 1989).
const HAIR_HIGHLIGHT: f32 = 20.0;

/// Surfaces and light, ready for shading.
pub struct Shader<'a> {
    scene: &'a Scene<'a>,
    lamps: &'a [ShadowMap],
    key: Option<(Key, &'a ShadowMap)>,
    /// Light of the lamps at each vertex: what a white surface sends back, and highlights.
    diffuse: Vec<Vec3>,
    highlights: Vec<Vec3>,
}

/// Roughness (GGX) and reflection at normal incidence.
#[derive(Clone, Copy)]
struct Surface {
    roughness: f32,
    specular: f32,
    wrap: f32,
}

impl<'a> Shader<'a> {
    pub fn new(scene: &'a Scene<'a>, lamps: &'a [ShadowMap], key: Option<&'a ShadowMap>) -> Self {
        let key = scene.lights.key.zip(key);
        let mut shader = Self { scene, lamps, key, diffuse: Vec::new(), highlights: Vec::new() };
        let count = scene.mesh.positions.len();
        (shader.diffuse, shader.highlights) = (vec![Vec3::default(); count], vec![Vec3::default(); count]);
        let mut done = vec![false; count];
        for (corners, material) in scene.mesh.triangles.iter().zip(&scene.mesh.materials) {
            for i in corners.map(|i| i as usize) {
                if !std::mem::replace(&mut done[i], true) {
                    (shader.diffuse[i], shader.highlights[i]) = shader.lamps_on(i, *material);
                }
            }
        }
        shader
    }

    fn surface(&self, material: Material) -> Surface {
        let gloss = &self.scene.gloss;
        let (roughness, specular, wrap) = match material {
            Material::Skin => (gloss.roughness, gloss.specular, gloss.wrap),
            Material::Eye => (0.1, 0.03, 0.0),
            Material::Teeth => (0.3, 0.04, 0.0),
            Material::Gums => (0.35, 0.04, 0.0),
            Material::Socket => (0.5, 0.01, 0.0),
            Material::Hard | Material::Lens => (0.3, 0.06, 0.0),
            Material::Cloth => (0.9, 0.01, 0.1),
        };
        Surface { roughness, specular, wrap }
    }

    /// Light of all lamps at a vertex.
    fn lamps_on(&self, i: usize, material: Material) -> (Vec3, Vec3) {
        let mesh = &self.scene.mesh;
        let (p, mut normal) = (mesh.positions[i], mesh.normals[i]);
        let view = (self.scene.camera.position - p).unit();
        let facing = normal.dot(view);
        match material {
            // Both sides are seen.
            Material::Hard | Material::Cloth if facing < 0.0 => normal = -normal,
            // Never seen.
            _ if facing < -0.3 => return Default::default(),
            _ => (),
        }
        let surface = self.surface(material);
        let (mut diffuse, mut highlights) = (Vec3::default(), Vec3::default());
        for (lamp, map) in self.scene.lights.lamps.iter().zip(self.lamps) {
            let (d, h) = reflected(&surface, normal, view, lamp.toward);
            if d <= 0.0 {
                continue;
            }
            let seen = map.light_on_surface(p, normal, 0.0);
            diffuse += lamp.colour * (d * seen);
            highlights += lamp.colour * (h * seen);
        }
        let inside = matches!(material, Material::Teeth | Material::Gums | Material::Socket);
        let ambient = self.scene.lights.ambient * if inside { INSIDE } else { 1.0 };
        (diffuse + ambient, highlights)
    }

    /// Linear RGB of what a sample shows.
    pub fn shade(&self, visible: &Visible, sample: usize) -> Vec3 {
        match visible.shown(sample) {
            None => Vec3::default(),
            Some(Shown::Triangle(index, b, c)) => self.surface_light(index, [1.0 - b - c, b, c], sample),
            Some(Shown::Hair(index, t)) => self.hair_light(index, t),
        }
    }

    fn surface_light(&self, index: usize, weights: [f32; 3], sample: usize) -> Vec3 {
        let mesh = &self.scene.mesh;
        let corners = mesh.triangles[index].map(|i| i as usize);
        let material = mesh.materials[index];
        let mix = |values: &[Vec3]| {
            values[corners[0]] * weights[0] + values[corners[1]] * weights[1] + values[corners[2]] * weights[2]
        };
        let p = mix(&mesh.positions);
        let mut normal = mix(&mesh.normals).unit();
        let view = (self.scene.camera.position - p).unit();
        if matches!(material, Material::Hard | Material::Cloth) && normal.dot(view) < 0.0 {
            normal = -normal;
        }
        let colour = match material {
            Material::Eye => self.eye_colour(corners, weights),
            _ => mix(&mesh.colours),
        };
        let mut light = mix(&self.diffuse).times(colour) + mix(&self.highlights);
        let mut seen = 1.0;
        if let Some((key, map)) = self.key {
            let (diffuse, highlight) = reflected(&self.surface(material), normal, view, key.light.toward);
            if diffuse > 0.0 {
                let turn = 2.0 * scramble_unit(sample as u32) - 1.0;
                seen = map.soft_light_on_surface(p, normal, key.softness * SHADOW_THROW, turn);
                light += key.light.colour.times(colour * diffuse + Vec3::splat(highlight)) * seen;
            }
        }
        if material == Material::Eye {
            light += reflection(&self.scene.lights, normal, view) * 0.8;
            light += self.key.map_or(Vec3::default(), |(key, _)| glint(&key, normal, view)) * seen;
        }
        light
    }

    fn eye_colour(&self, corners: [usize; 3], weights: [f32; 3]) -> Vec3 {
        let eyes = &self.scene.eyes;
        let r: f32 = corners.iter().zip(weights).map(|(i, w)| self.scene.head.iris_distance[*i] * w).sum();
        let rim = eyes.iris_colour * 0.35;
        if r < eyes.pupil {
            Vec3::splat(0.004)
        } else if r < eyes.iris - 0.1 {
            eyes.iris_colour * (1.2 - 0.4 * (r - eyes.pupil) / (eyes.iris - eyes.pupil))
        } else if r < eyes.iris {
            rim
        } else {
            // Redder towards the corners.
            let far = ((r - 0.8) / 0.7).clamp(0.0, 1.0);
            let white = eyes.white.times(vec3(1.0 - 0.25 * far, 1.0 - 0.5 * far, 1.0 - 0.5 * far));
            rim.lerp(white, ((r - eyes.iris) / 0.08).min(1.0))
        }
    }

    fn hair_light(&self, index: usize, t: f32) -> Vec3 {
        let strands = &self.scene.strands;
        let segment = strands.segments[index];
        let [from, to] = [0, 1].map(|k| strands.points[segment.first as usize + k]);
        let (p, along) = (from.lerp(to, t), (to - from).unit());
        let colour = strands.colours[segment.strand as usize];
        let across = |d: f32| (1.0 - d * d).max(0.0).sqrt();
        let mut light = self.scene.lights.ambient;
        for (lamp, map) in self.scene.lights.lamps.iter().zip(self.lamps) {
            light += lamp.colour * (0.55 * across(along.dot(lamp.toward)) * map.light_in_hair(p));
        }
        let mut light = light.times(colour);
        if let Some((key, map)) = self.key {
            let view = (self.scene.camera.position - p).unit();
            let (to_light, to_view) = (along.dot(key.light.toward), along.dot(view));
            let lit = across(to_light);
            let cosine = (lit * across(to_view) - to_light * to_view).max(0.0);
            let highlight = pow(cosine, HAIR_HIGHLIGHT) * self.scene.gloss.hair;
            let returned = colour * (0.55 * lit) + (Vec3::splat(0.03) + colour * 0.5) * highlight;
            light += key.light.colour.times(returned) * map.light_in_hair(p);
        }
        light
    }
}

/// How much of a lamp's light a surface sends back: as a white one does, and as a highlight (GGX, with Schlick's
/// reflection and shadowing).
#[inline(always)]
fn reflected(surface: &Surface, normal: Vec3, view: Vec3, toward: Vec3) -> (f32, f32) {
    let cosine = normal.dot(toward);
    let diffuse = (cosine + surface.wrap) / (1.0 + surface.wrap);
    if diffuse <= 0.0 {
        return (0.0, 0.0);
    }
    let lit = cosine.max(0.0);
    let half = (toward + view).unit();
    let (nh, vh) = (normal.dot(half).max(0.0), view.dot(half).max(0.0));
    let nv = normal.dot(view).max(0.05);
    let a2 = surface.roughness * surface.roughness * surface.roughness * surface.roughness;
    let spread = nh * nh * (a2 - 1.0) + 1.0;
    let k = (surface.roughness + 1.0) * (surface.roughness + 1.0) * 0.125;
    let shadowing = 4.0 * (lit * (1.0 - k) + k) * (nv * (1.0 - k) + k);
    let fresnel = surface.specular + (1.0 - surface.specular) * fifth(1.0 - vh);
    (diffuse, (a2 / (spread * spread * shadowing) * fresnel).min(BRIGHTEST_HIGHLIGHT) * lit)
}

/// What an eye or a lens mirrors of the surroundings.
pub(super) fn reflection(lights: &Lights, normal: Vec3, view: Vec3) -> Vec3 {
    let cosine = normal.dot(view);
    let mirrored = normal * (2.0 * cosine) - view;
    let share = (0.03 + 0.97 * fifth(1.0 - cosine.max(0.0))).min(0.35);
    lights.environment.small().look(lights.panorama_from_scene(mirrored), false).map(|c| c.min(30.0)) * share
}

/// The main light, mirrored in an eye.
fn glint(key: &Key, normal: Vec3, view: Vec3) -> Vec3 {
    let mirrored = normal * (2.0 * normal.dot(view)) - view;
    if mirrored.dot(key.light.toward) > 0.985 { key.light.colour * 1.2 } else { Vec3::default() }
}
