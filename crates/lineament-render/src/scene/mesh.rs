//! Surfaces and hairs, and shapes to make them from.

use std::f32::consts::PI;

use super::Person;
use crate::assets::{Head, Material, SKIN, normals};
use crate::dice::Dice;
use crate::math::{Vec3, vec3};

/// Surfaces.
#[derive(Default)]
pub struct Mesh {
    /// Vertices.
    pub positions: Vec<Vec3>,
    /// Of each vertex, unit length.
    pub normals: Vec<Vec3>,
    /// Of each vertex, linear RGB of the light that comes back.
    pub colours: Vec<Vec3>,
    /// Corners.
    pub triangles: Vec<[u32; 3]>,
    /// Of each triangle.
    pub materials: Vec<Material>,
}

/// Of gums and tongue, and of the inside of the mouth.
const GUMS: Vec3 = vec3(0.35, 0.09, 0.08);
const SOCKET: Vec3 = vec3(0.10, 0.02, 0.02);
const TEETH: Vec3 = vec3(0.78, 0.72, 0.6);
/// Vertices of gums and tongue, then of teeth, then of the eyeballs.
const GUMS_FROM: usize = 14_062;
const TEETH_FROM: usize = 17_039;
const EYES_FROM: usize = 21_451;

impl Mesh {
    /// The head, whose vertices stay in their order; `skin` are the colours of its first vertices.
    pub(super) fn add_head(&mut self, head: &Head, person: &Person, skin: Vec<Vec3>, dice: &mut Dice) {
        let teeth = TEETH * dice.range(0.6, 1.05);
        let parts = [(GUMS_FROM, SOCKET), (TEETH_FROM, GUMS), (EYES_FROM, teeth)];
        let of_part = |i: usize| parts.iter().find(|(end, _)| i < *end).map_or(Vec3::splat(0.5), |(_, colour)| *colour);
        let inside = (SKIN..person.positions.len()).map(of_part);
        self.colours = skin.into_iter().chain(inside).collect();
        self.normals.clone_from(&person.normals);
        // Pores and bumps, coarse ones: the mesh is no finer.
        let strength = dice.range(0.0, 0.12);
        if strength > 0.03 {
            for axis in 0..3 {
                let noise = head.noise(3, 3, dice);
                self.normals.iter_mut().zip(&noise).for_each(|(n, bump)| n[axis] += 0.25 * strength * bump);
            }
            self.normals[..SKIN].iter_mut().for_each(|n| *n = n.unit());
        }
        self.positions.clone_from(&person.positions);
        self.triangles.clone_from(&head.triangles);
        self.materials.clone_from(&head.materials);
    }

    /// Another surface, with a colour for each vertex.
    pub fn add(&mut self, part: Surface, material: Material, colour: impl Fn(usize, Vec3) -> Vec3) {
        let first = self.positions.len() as u32;
        self.normals.extend(normals(&part.positions, &part.triangles));
        self.colours.extend(part.positions.iter().enumerate().map(|(i, p)| colour(i, *p)));
        self.positions.extend(part.positions);
        self.materials.extend(part.triangles.iter().map(|_| material));
        self.triangles.extend(part.triangles.into_iter().map(|t| t.map(|i| i + first)));
    }
}

/// A surface without colour.
#[derive(Default)]
pub struct Surface {
    /// Vertices.
    pub positions: Vec<Vec3>,
    /// Corners.
    pub triangles: Vec<[u32; 3]>,
}

impl Surface {
    /// Rows of points, each as long as the first; `closed` joins the ends of each row.
    pub fn grid(positions: Vec<Vec3>, columns: usize, closed: bool) -> Self {
        let rows = positions.len() / columns;
        let mut triangles = Vec::new();
        for row in 0..rows.saturating_sub(1) {
            for i in 0..if closed { columns } else { columns - 1 } {
                let [a, b] = [row * columns + i, row * columns + (i + 1) % columns].map(|k| k as u32);
                let (c, d) = (b + columns as u32, a + columns as u32);
                triangles.extend([[a, b, c], [a, c, d]]);
            }
        }
        Self { positions, triangles }
    }

    /// A tube along `path` with a radius at each of its points.
    pub fn tube(path: &[Vec3], radius: impl Fn(usize) -> f32, closed: bool) -> Self {
        const SIDES: usize = 8;
        let count = path.len();
        let mut positions = Vec::with_capacity(SIDES * (count + usize::from(closed)));
        for k in 0..count + usize::from(closed) {
            let i = k % count;
            let (before, after) = match closed {
                true => ((i + count - 1) % count, (i + 1) % count),
                false => (i.saturating_sub(1), (i + 1).min(count - 1)),
            };
            let along = (path[after] - path[before]).unit();
            let u = along.cross(vec3(0.13, 0.2, 0.97)).unit();
            let v = along.cross(u);
            positions.extend((0..SIDES).map(|s| {
                let angle = s as f32 / SIDES as f32 * 2.0 * PI;
                path[i] + (u * libm::cosf(angle) + v * libm::sinf(angle)) * radius(i)
            }));
        }
        Self::grid(positions, SIDES, true)
    }

    /// A ball stretched along three axes, whose lengths are its half diameters.
    pub fn ellipsoid(centre: Vec3, axes: [Vec3; 3]) -> Self {
        const ROWS: usize = 9;
        const COLUMNS: usize = 16;
        let place = |k: usize| {
            let polar = (k / COLUMNS) as f32 / (ROWS - 1) as f32 * PI;
            let around = (k % COLUMNS) as f32 / COLUMNS as f32 * 2.0 * PI;
            let ring = libm::sinf(polar);
            centre
                + axes[0] * (ring * libm::cosf(around))
                + axes[1] * libm::cosf(polar)
                + axes[2] * (ring * libm::sinf(around))
        };
        Self::grid((0..ROWS * COLUMNS).map(place).collect(), COLUMNS, true)
    }

    /// A box with these half edges.
    pub fn cuboid(centre: Vec3, half: [Vec3; 3]) -> Self {
        let mut surface = Self::default();
        for axis in 0..3 {
            let (u, v) = (half[(axis + 1) % 3], half[(axis + 2) % 3]);
            for side in [-1.0, 1.0] {
                let middle = centre + half[axis] * side;
                let first = surface.positions.len() as u32;
                surface.positions.extend([middle - u - v, middle + u - v, middle + u + v, middle - u + v]);
                surface.triangles.extend([[0, 1, 2], [0, 2, 3]].map(|t: [u32; 3]| t.map(|i| i + first)));
            }
        }
        surface
    }
}

/// Hairs: polylines that get thinner.
#[derive(Default)]
pub struct Strands {
    /// All points, hair by hair from the root.
    pub points: Vec<Vec3>,
    /// Pieces between two points.
    pub segments: Vec<Segment>,
    /// Colour of each hair, linear RGB.
    pub colours: Vec<Vec3>,
}

/// A piece of a hair.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Its first point; the second follows it.
    pub first: u32,
    /// Which hair.
    pub strand: u32,
    /// In the middle, in centimetres.
    pub radius: f32,
}

impl Strands {
    /// A hair with a radius at its root.
    pub fn add(&mut self, points: &[Vec3], radius: f32, colour: Vec3) {
        let (first, strand) = (self.points.len() as u32, self.colours.len() as u32);
        let pieces = points.len().saturating_sub(1);
        self.segments.extend((0..pieces).map(|k| {
            let thinner = 1.0 - 0.75 * (k as f32 + 0.5) / pieces as f32;
            Segment { first: first + k as u32, strand, radius: radius * thinner }
        }));
        self.points.extend(points);
        self.colours.push(colour);
    }
}
