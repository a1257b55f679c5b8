//! Shadow maps: what a distant lamp sees.

use super::triangle::each_sample;
use crate::assets::Material;
use crate::math::{Vec3, exp, vec3};
use crate::scene::{Mesh, Strands};

/// The maps reach so far from the middle of the head, in centimetres.
const REACH: f32 = 22.0;
/// A surface is moved out of its own shadow along its normal by this many texels.
const LIFT_TEXELS: f32 = 1.1;
/// Light falls off to 1/e within this depth of hair, in centimetres.
const HAIR_DEPTH: f32 = 0.8;
/// A hair's own neighbours within this distance, in centimetres, throw no shadow on it.
const HAIR_SLACK: f32 = 0.35;

/// Distances towards a lamp of the nearest surfaces.
pub struct ShadowMap {
    texels: usize,
    right: Vec3,
    up: Vec3,
    toward: Vec3,
    scale: f32,
    depth: Vec<f32>,
}

impl ShadowMap {
    /// Of every `hairs`th hair only.
    pub fn draw(mesh: &Mesh, strands: &Strands, toward: Vec3, texels: usize, hairs: usize) -> Self {
        let helper = if toward.y.abs() > 0.9 { vec3(1.0, 0.0, 0.0) } else { vec3(0.0, 1.0, 0.0) };
        let right = helper.cross(toward).unit();
        let up = toward.cross(right);
        let scale = texels as f32 / (2.0 * REACH);
        let mut map = Self { texels, right, up, toward, scale, depth: vec![-1e9; texels * texels] };
        map.add_mesh(mesh);
        for segment in &strands.segments {
            let strand = segment.strand as usize;
            if !strand.is_multiple_of(hairs) {
                continue;
            }
            let [from, to] = [0, 1].map(|k| map.place(strands.points[segment.first as usize + k]));
            let d = to - from;
            let steps = d.x.abs().max(d.y.abs()) as usize + 1;
            for step in 0..steps {
                let p = from + d * (step as f32 / steps as f32);
                if p.x >= 0.0 && p.y >= 0.0 && p.x < texels as f32 && p.y < texels as f32 {
                    let depth = &mut map.depth[p.y as usize * texels + p.x as usize];
                    *depth = depth.max(p.z);
                }
            }
        }
        map
    }

    fn add_mesh(&mut self, mesh: &Mesh) {
        let places: Vec<Vec3> = mesh.positions.iter().map(|p| self.place(*p)).collect();
        for (corners, material) in mesh.triangles.iter().zip(&mesh.materials) {
            // What lies inside the head throws no shadow that is not the skin's already.
            let outside = matches!(material, Material::Skin | Material::Hard | Material::Cloth);
            if !outside {
                continue;
            }
            let [a, b, c] = corners.map(|i| places[i as usize]);
            // The back of skin is hidden behind its front.
            let faces = |area: f32| *material != Material::Skin || area > 0.0;
            each_sample([a, b, c], self.texels, faces, |at, [wa, wb, wc]| {
                let depth = &mut self.depth[at];
                *depth = depth.max(wa * a.z + wb * b.z + wc * c.z);
            });
        }
    }

    /// Texels to the right and up, and the distance towards the lamp in centimetres.
    #[inline(always)]
    fn place(&self, p: Vec3) -> Vec3 {
        let centre = 0.5 * self.texels as f32;
        vec3(centre + self.scale * p.dot(self.right), centre + self.scale * p.dot(self.up), p.dot(self.toward))
    }

    /// The four texels around a place and how far along it lies between them; none outside the map.
    #[inline(always)]
    fn around(&self, p: Vec3) -> Option<([f32; 4], f32, f32)> {
        let (x, y) = (p.x - 0.5, p.y - 0.5);
        let most = (self.texels - 1) as f32;
        // Written so that NaN is outside.
        if !(x >= 0.0 && y >= 0.0 && x < most && y < most) {
            return None;
        }
        let (i, j) = (x as usize, y as usize);
        let at = j * self.texels + i;
        let d = &self.depth;
        Some(([d[at], d[at + 1], d[at + self.texels], d[at + self.texels + 1]], x - i as f32, y - j as f32))
    }

    /// How much of the lamp a surface sees, 0 to 1.
    #[inline(always)]
    pub fn light_on_surface(&self, p: Vec3, normal: Vec3, slack: f32) -> f32 {
        let place = self.place(p + normal * (LIFT_TEXELS / self.scale));
        let Some((depths, fx, fy)) = self.around(place) else { return 1.0 };
        let limit = place.z + slack + 0.6 / self.scale;
        let [a, b, c, d] = depths.map(|depth| if depth <= limit { 1.0 } else { 0.0 });
        (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy
    }

    /// The mean of [`ShadowMap::light_on_surface`] over a disk of this radius in centimetres.
    pub fn soft_light_on_surface(&self, p: Vec3, normal: Vec3, radius: f32, turn: f32) -> f32 {
        const TAPS: usize = 8;
        /// The sine and cosine of the golden angle: taps in this spiral are spread evenly.
        const GOLDEN: (f32, f32) = (0.675_490_3, -0.737_368_9);
        let (mut s, mut c) = (turn, (1.0 - turn * turn).max(0.0).sqrt());
        let mut sum = 0.0;
        for tap in 0..TAPS {
            let r = radius * ((tap as f32 + 0.5) / TAPS as f32).sqrt();
            sum += self.light_on_surface(p + self.right * (r * c) + self.up * (r * s), normal, 0.5 * r);
            (s, c) = (s * GOLDEN.1 + c * GOLDEN.0, c * GOLDEN.1 - s * GOLDEN.0);
        }
        sum / TAPS as f32
    }

    /// How much light reaches a hair through the hair above it, 0 to 1.
    #[inline(always)]
    pub fn light_in_hair(&self, p: Vec3) -> f32 {
        let place = self.place(p);
        let Some((depths, ..)) = self.around(place) else { return 1.0 };
        let through = |depth: f32| {
            let above = depth - place.z - HAIR_SLACK;
            if above <= 0.0 { 1.0 } else { 0.6 * exp(-above / HAIR_DEPTH) }
        };
        0.5 * (through(depths[0]) + through(depths[3]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of this half edge at a height, facing up.
    fn roof(height: f32, half: f32) -> Mesh {
        let corner = |x: f32, z: f32| vec3(half * x, height, half * z);
        let positions = vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
        Mesh {
            normals: vec![vec3(0.0, 1.0, 0.0); 4],
            colours: vec![Vec3::splat(0.5); 4],
            positions,
            triangles: vec![[0, 2, 1], [0, 3, 2]],
            materials: vec![Material::Cloth; 2],
        }
    }

    #[test]
    fn a_roof_shades_what_is_below_it_and_nothing_else() {
        let up = vec3(0.0, 1.0, 0.0);
        let map = ShadowMap::draw(&roof(5.0, 4.0), &Strands::default(), up, 112, 1);
        let lit = |x: f32, y: f32| map.light_on_surface(vec3(x, y, 0.0), up, 0.0);
        assert_eq!(
            [lit(0.0, 0.0), lit(3.0, 0.0), lit(5.5, 0.0), lit(0.0, 9.0), lit(0.0, 5.0)],
            [0.0, 0.0, 1.0, 1.0, 1.0]
        );
        let at_the_edge = map.soft_light_on_surface(vec3(4.0, 0.0, 0.0), up, 1.0, 0.3);
        assert!(at_the_edge > 0.2 && at_the_edge < 0.8, "{at_the_edge}");
        assert_eq!(lit(1000.0, 0.0), 1.0, "outside the map there is light");
    }

    #[test]
    fn hair_lets_less_light_through_the_deeper_a_strand_lies() {
        let mut strands = Strands::default();
        for k in 0..400 {
            let z = -4.0 + 0.02 * k as f32;
            strands.add(&[vec3(-4.0, 5.0, z), vec3(4.0, 5.0, z)], 0.05, Vec3::splat(0.1));
        }
        let map = ShadowMap::draw(&Mesh::default(), &strands, vec3(0.0, 1.0, 0.0), 112, 1);
        let light = [5.0, 4.0, 3.0, 1.0].map(|y| map.light_in_hair(vec3(0.0, y, 0.0)));
        assert_eq!(light[0], 1.0);
        assert!(light.windows(2).all(|pair| pair[0] > pair[1]), "{light:?}");
    }
}
