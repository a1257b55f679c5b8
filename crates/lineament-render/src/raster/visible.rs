//! Which surface each sample shows: a depth buffer that remembers triangles and hairs.

use super::SAMPLES;
use super::triangle::each_sample;
use crate::assets::Material;
use crate::math::{Vec3, scramble_unit};
use crate::scene::{Camera, Mesh, Strands};

/// What no sample shows.
const NOTHING: u32 = u32::MAX;
/// Farther than anything.
const FAR: f32 = 1e9;
/// A hair that lies on the skin is in front of it by this, in centimetres.
const HAIR_LIFT: f32 = 0.03;
/// The longest piece of hair, in samples.
const LONGEST: usize = 400;
/// Samples of one material farther apart than this are of different surfaces, in centimetres.
const APART: f32 = 0.6;

/// What a sample shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    /// A triangle of the mesh, and the weights of its second and third corner.
    Triangle(usize, f32, f32),
    /// A piece of hair, and where on it from 0 to 1.
    Hair(usize, f32),
}

/// The samples of a picture.
pub struct Visible {
    /// Samples in a row.
    pub width: usize,
    /// Distance along the camera's axis, in centimetres; 1e9 where nothing is.
    pub depth: Vec<f32>,
    ids: Vec<u32>,
    weights: Vec<[f32; 2]>,
    triangles: u32,
}

/// Samples of a pixel that show the same surface.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// One of them.
    pub sample: usize,
    /// How many they are.
    pub samples: u32,
    kind: u32,
    depth: f32,
}

impl Visible {
    pub(super) fn draw(mesh: &Mesh, strands: &Strands, camera: &Camera) -> Self {
        let width = camera.size;
        let mut visible = Self {
            width,
            depth: vec![FAR; width * width],
            ids: vec![NOTHING; width * width],
            weights: vec![[0.0; 2]; width * width],
            triangles: mesh.triangles.len() as u32,
        };
        let places: Vec<Vec3> = mesh.positions.iter().map(|p| camera.project(*p)).collect();
        for (i, (corners, material)) in mesh.triangles.iter().zip(&mesh.materials).enumerate() {
            if *material != Material::Lens {
                let closed = !matches!(material, Material::Hard | Material::Cloth);
                visible.add_triangle(i as u32, corners.map(|c| places[c as usize]), closed);
            }
        }
        visible.add_hair(strands, camera);
        visible
    }

    /// `closed` surfaces are not seen from behind.
    fn add_triangle(&mut self, id: u32, corners: [Vec3; 3], closed: bool) {
        let [za, zb, zc] = corners.map(|p| 1.0 / p.z);
        // Counter-clockwise from outside is clockwise where y points down.
        let faces = |area: f32| !closed || area < 0.0;
        each_sample(corners, self.width, faces, |at, [wa, wb, wc]| {
            let z = 1.0 / (wa * za + wb * zb + wc * zc);
            if z < self.depth[at] {
                self.depth[at] = z;
                self.ids[at] = id;
                self.weights[at] = [wb * zb * z, wc * zc * z];
            }
        });
    }

    fn add_hair(&mut self, strands: &Strands, camera: &Camera) {
        let places: Vec<Vec3> = strands.points.iter().map(|p| camera.project(*p)).collect();
        for (index, segment) in strands.segments.iter().enumerate() {
            let (from, to) = (places[segment.first as usize], places[segment.first as usize + 1]);
            let (dx, dy) = (to.x - from.x, to.y - from.y);
            let steps = (dx.abs().max(dy.abs()) as usize + 1).min(LONGEST);
            let thickness = 2.0 * segment.radius * camera.focal_px / to.z;
            let flat = dx.abs() > dy.abs();
            for step in 0..steps {
                let t = (step as f32 + 0.5) / steps as f32;
                let (x, y, z) = (from.x + dx * t, from.y + dy * t, from.z + (to.z - from.z) * t);
                // A hair thinner than a sample covers some samples and not others.
                let chance = scramble_unit((index as u32).wrapping_mul(7919) ^ (step as u32).wrapping_mul(0x9e37_79b9));
                let count = (thickness + chance) as isize;
                for k in 0..count {
                    let offset = k - count / 2;
                    let (x, y) = match flat {
                        true => (x.floor() as isize, y.floor() as isize + offset),
                        false => (x.floor() as isize + offset, y.floor() as isize),
                    };
                    if x < 0 || y < 0 || x >= self.width as isize || y >= self.width as isize {
                        continue;
                    }
                    let at = y as usize * self.width + x as usize;
                    if z - HAIR_LIFT < self.depth[at] {
                        self.depth[at] = z;
                        self.ids[at] = self.triangles + index as u32;
                        self.weights[at] = [t, 0.0];
                    }
                }
            }
        }
    }

    /// What a sample shows, if anything.
    pub fn shown(&self, sample: usize) -> Option<Shown> {
        let (id, [b, c]) = (self.ids[sample], self.weights[sample]);
        match id {
            NOTHING => None,
            id if id < self.triangles => Some(Shown::Triangle(id as usize, b, c)),
            id => Some(Shown::Hair((id - self.triangles) as usize, b)),
        }
    }

    /// The surfaces that pixel (x, y) shows, each with its number of samples.
    pub(super) fn groups(&self, mesh: &Mesh, x: usize, y: usize, groups: &mut Vec<Group>) {
        groups.clear();
        for k in 0..SAMPLES * SAMPLES {
            let sample = (SAMPLES * y + k / SAMPLES) * self.width + SAMPLES * x + k % SAMPLES;
            let id = self.ids[sample];
            if id == NOTHING {
                continue;
            }
            let kind = if id < self.triangles { mesh.materials[id as usize] as u32 } else { NOTHING };
            let depth = self.depth[sample];
            match groups.iter_mut().find(|g| g.kind == kind && (g.depth - depth).abs() < APART) {
                Some(group) => group.samples += 1,
                None => groups.push(Group { sample, samples: 1, kind, depth }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::vec3;
    use crate::scene::View;

    /// A camera at 100 cm that sees 20 cm in 40 samples.
    fn camera() -> Camera {
        Camera::looking_at(Vec3::default(), &View { yaw: 0.0, pitch: 0.0, roll: 0.0 }, 100.0, 20.0, 40)
    }

    fn triangles(corners: &[[Vec3; 3]], material: Material) -> Mesh {
        let positions: Vec<Vec3> = corners.iter().flatten().copied().collect();
        Mesh {
            normals: vec![vec3(0.0, 0.0, 1.0); positions.len()],
            colours: vec![Vec3::splat(0.5); positions.len()],
            triangles: (0..corners.len() as u32).map(|k| [3 * k, 3 * k + 1, 3 * k + 2]).collect(),
            materials: vec![material; corners.len()],
            positions,
        }
    }

    const AT_0: [Vec3; 3] = [vec3(-5.0, -5.0, 0.0), vec3(5.0, -5.0, 0.0), vec3(0.0, 5.0, 0.0)];
    const AT_3: [Vec3; 3] = [vec3(-2.0, -5.0, 3.0), vec3(8.0, -5.0, 3.0), vec3(3.0, 5.0, 3.0)];

    #[test]
    fn the_nearer_triangle_is_seen_and_its_weights_give_the_place() {
        let (mesh, camera) = (triangles(&[AT_0, AT_3], Material::Skin), camera());
        let visible = Visible::draw(&mesh, &Strands::default(), &camera);
        let mut seen = [0, 0];
        for sample in 0..40 * 40 {
            let Some(Shown::Triangle(index, b, c)) = visible.shown(sample) else { continue };
            seen[index] += 1;
            let [p, q, r] = [AT_0, AT_3][index];
            let place = camera.project(p * (1.0 - b - c) + q * b + r * c);
            let (x, y) = ((sample % 40) as f32 + 0.5, (sample / 40) as f32 + 0.5);
            assert!((place.x - x).abs() < 1e-3 && (place.y - y).abs() < 1e-3, "{place:?} at {x}, {y}");
            assert!((place.z - visible.depth[sample]).abs() < 1e-3);
        }
        // The second is whole (a little larger, as it is nearer); of the first the left part is left.
        assert!(seen[1] > 200 && seen[0] > 60 && seen[0] < 130, "{seen:?}");
    }

    #[test]
    fn skin_is_not_seen_from_behind_and_cloth_is() {
        let [a, b, c] = AT_0;
        for (material, expected) in [(Material::Skin, 0), (Material::Cloth, 200)] {
            let visible = Visible::draw(&triangles(&[[a, c, b]], material), &Strands::default(), &camera());
            assert_eq!((0..1600).filter(|s| visible.shown(*s).is_some()).count().min(200), expected);
        }
    }

    #[test]
    fn a_mirrored_scene_is_seen_mirrored() {
        let flip = |[a, b, c]: [Vec3; 3]| [a, c, b].map(|p| vec3(-p.x, p.y, p.z));
        let depths = |corners: &[[Vec3; 3]]| {
            Visible::draw(&triangles(corners, Material::Skin), &Strands::default(), &camera()).depth
        };
        let (plain, mirrored) = (depths(&[AT_0, AT_3]), depths(&[flip(AT_0), flip(AT_3)]));
        let apart = (0..1600).filter(|i| (plain[*i] - mirrored[i / 40 * 40 + 39 - i % 40]).abs() > 1e-3).count();
        assert!(apart <= 4, "{apart} samples, other than those that an edge meets");
    }

    #[test]
    fn hair_in_front_is_seen_and_hair_behind_is_not() {
        let mesh = triangles(&[AT_0], Material::Skin);
        for (z, expected) in [(1.0, true), (-1.0, false)] {
            let mut strands = Strands::default();
            strands.add(&[vec3(-1.0, -2.0, z), vec3(1.0, -2.0, z)], 0.3, Vec3::splat(0.1));
            let visible = Visible::draw(&mesh, &strands, &camera());
            assert_eq!((0..1600).any(|s| matches!(visible.shown(s), Some(Shown::Hair(..)))), expected);
        }
    }
}
