//! Glass in front of the eyes: it dims what is behind it and mirrors what is around.

use super::SAMPLES;
use super::shade::reflection;
use super::triangle::each_sample;
use super::visible::Visible;
use crate::assets::Material;
use crate::math::Vec3;
use crate::scene::{Camera, Scene};

/// No mirrored light is brighter than this.
const BRIGHTEST: f32 = 3.0;

/// The glass in front of each pixel.
pub struct Lenses {
    /// Share of the pixel that it covers, and a triangle of it.
    shares: Vec<(f32, u32)>,
}

impl Lenses {
    /// None when there is no glass.
    pub fn draw(scene: &Scene, camera: &Camera, visible: &Visible) -> Option<Self> {
        let mesh = &scene.mesh;
        if !mesh.materials.contains(&Material::Lens) {
            return None;
        }
        let size = camera.size / SAMPLES;
        let mut in_front = vec![u32::MAX; camera.size * camera.size];
        for (index, corners) in mesh.triangles.iter().enumerate() {
            if mesh.materials[index] != Material::Lens {
                continue;
            }
            let [a, b, c] = corners.map(|i| camera.project(mesh.positions[i as usize]));
            each_sample(
                [a, b, c],
                camera.size,
                |_| true,
                |at, [wa, wb, wc]| {
                    if wa * a.z + wb * b.z + wc * c.z < visible.depth[at] {
                        in_front[at] = index as u32;
                    }
                },
            );
        }
        let of_pixel = |i: usize| {
            let samples = (0..SAMPLES * SAMPLES)
                .map(|k| (SAMPLES * (i / size) + k / SAMPLES) * camera.size + SAMPLES * (i % size) + k % SAMPLES);
            let glass = samples.map(|at| in_front[at]).filter(|index| *index != u32::MAX);
            let (count, last) = glass.fold((0, 0), |(count, _), index| (count + 1, index));
            (count as f32 / (SAMPLES * SAMPLES) as f32, last)
        };
        Some(Self { shares: (0..size * size).map(of_pixel).collect() })
    }

    /// Puts the glass in front of a pixel.
    pub fn apply(&self, scene: &Scene, pixel: usize, light: &mut Vec3, coverage: &mut f32) {
        let (share, triangle) = self.shares[pixel];
        if share == 0.0 {
            return;
        }
        let mesh = &scene.mesh;
        let corner = mesh.triangles[triangle as usize][0] as usize;
        let view = (scene.camera.position - mesh.positions[corner]).unit();
        let normal = mesh.normals[corner];
        let normal = if normal.dot(view) < 0.0 { -normal } else { normal };
        let mirrored = reflection(&scene.lights, normal, view).map(|c| c.min(BRIGHTEST)) * scene.lens.reflection;
        let behind = 1.0 - share + share * scene.lens.tint;
        *light = *light * behind + mirrored * share;
        // The background is dimmed, too.
        *coverage = coverage.max(1.0 - (1.0 - *coverage) * behind);
    }
}
