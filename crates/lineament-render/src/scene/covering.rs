//! Masks over mouth and nose: sheets that lie on the face as it is.

use super::Person;
use super::mesh::{Mesh, Surface};
use super::worn::{Mask, Outfit, arc, cloth};
use crate::assets::{Head, Material, SKIN};
use crate::dice::Dice;
use crate::math::{Vec3, bell, smoothstep, vec3};

/// Depth of the face over a grid of places, seen from the front.
struct Relief {
    depth: Vec<f32>,
}

/// The grid: cells of half a centimetre from -9 to 9 across and from -15 to 9 up.
const CELL: f32 = 0.5;
const WIDE: usize = 36;
const HIGH: usize = 48;
const LEFT: f32 = -9.0;
const LOW: f32 = -15.0;
/// Depth where there is no face.
const NOWHERE: f32 = -20.0;

impl Relief {
    fn of(positions: &[Vec3]) -> Self {
        let mut depth = vec![NOWHERE; WIDE * HIGH];
        for p in &positions[..SKIN] {
            let (x, y) = ((p.x - LEFT) / CELL, (p.y - LOW) / CELL);
            if x >= 0.0 && y >= 0.0 && x < WIDE as f32 && y < HIGH as f32 {
                let cell = &mut depth[y as usize * WIDE + x as usize];
                *cell = cell.max(p.z);
            }
        }
        Self { depth }
    }

    /// Cloth does not follow every hollow: each cell is at least the mean of its neighbours.
    fn tighten(&mut self, rounds: usize) {
        for _ in 0..rounds {
            let before = self.depth.clone();
            for y in 1..HIGH - 1 {
                for x in 1..WIDE - 1 {
                    let i = y * WIDE + x;
                    let sides = 0.5 * (before[i - 1] + before[i + 1]);
                    let rows = 0.5 * (before[i - WIDE] + before[i + WIDE]);
                    self.depth[i] = before[i].max(sides).max(rows);
                }
            }
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let u = ((x - LEFT) / CELL - 0.5).clamp(0.0, WIDE as f32 - 1.001);
        let v = ((y - LOW) / CELL - 0.5).clamp(0.0, HIGH as f32 - 1.001);
        let (i, j, fx, fy) = (u as usize, v as usize, u.fract(), v.fract());
        let d = |i: usize, j: usize| self.depth[j * WIDE + i];
        (d(i, j) * (1.0 - fx) + d(i + 1, j) * fx) * (1.0 - fy) + (d(i, j + 1) * (1.0 - fx) + d(i + 1, j + 1) * fx) * fy
    }
}

pub(super) fn add(head: &Head, person: &Person, outfit: &Outfit, mesh: &mut Mesh, dice: &mut Dice) {
    const COLUMNS: usize = 33;
    const ROWS: usize = 21;
    let Some(mask) = outfit.mask else { return };
    let landmark = |i: usize| person.positions[head.landmarks[i]];
    let (bridge, below_nose, mouth, chin) = (landmark(28), landmark(33), landmark(57), landmark(8));
    let mut relief = Relief::of(&person.positions);
    relief.tighten(if mask == Mask::Respirator { 12 } else { 5 });
    // Worn under the nose, or even the chin, as some do.
    let middle_top = match dice.weighted(&[0.84, 0.12, 0.04]) {
        0 => bridge.y + dice.range(-1.2, 0.5),
        1 => below_nose.y + dice.range(-0.5, 0.2),
        _ => mouth.y - dice.range(0.3, 1.0),
    };
    let side_top = middle_top - dice.range(0.6, 2.2);
    let bottom = match mask {
        Mask::Scarf => chin.y - dice.range(2.5, 6.0),
        _ => chin.y - dice.range(0.0, 1.0),
    };
    let half = match mask {
        Mask::Surgical => dice.range(5.6, 6.8),
        Mask::Respirator => dice.range(5.2, 6.2),
        Mask::Cloth => dice.range(5.8, 7.0),
        Mask::Scarf => dice.range(6.8, 7.6),
    };
    let lift = dice.range(0.15, 0.4);
    let bulge = match mask {
        Mask::Respirator => dice.range(0.8, 2.0),
        _ => dice.range(0.0, 0.6),
    };
    let pleats = if mask == Mask::Surgical { dice.range(0.02, 0.12) } else { 0.0 };
    let ridge = mask == Mask::Respirator && dice.chance(0.6);
    let creases = dice.range(0.0, 0.12);
    let phase = dice.range(0.0, 6.3);
    let place = |k: usize| {
        // u from -1 at the person's right to 1, v from 0 at the top to 1.
        let u = (k % COLUMNS) as f32 / (COLUMNS - 1) as f32 * 2.0 - 1.0;
        let v = (k / COLUMNS) as f32 / (ROWS - 1) as f32;
        let narrow = match mask {
            Mask::Scarf => 1.0,
            _ => 1.0 - 0.16 * smoothstep((v - 0.5).abs(), 0.2, 0.5),
        };
        let x = half * u * narrow;
        let top = middle_top + (side_top - middle_top) * smoothstep(u.abs(), 0.0, 0.8);
        let low = bottom + 1.8 * u * u * if mask == Mask::Scarf { 0.3 } else { 1.0 };
        let y = top + (low - top) * v;
        let middle = bell((v - 0.5) / 0.45) * bell(u / 0.7);
        let ridge = if ridge { 0.8 * bulge * (1.0 - u.abs() * 3.0).max(0.0) * bell((v - 0.45) / 0.5) } else { 0.0 };
        let fold = pleats * libm::sinf(v * 19.0) + creases * libm::sinf(9.0 * u + 7.0 * v + phase) * u.abs();
        // Below the chin cloth hangs; it does not go back to the neck.
        let face = relief.at(x, y.max(chin.y + 0.2));
        let z = face.max(relief.at(x * 0.9, y.max(chin.y)) - 1.2) + lift + bulge * middle + ridge + fold;
        vec3(x, y, z - if y < chin.y { 0.35 * (chin.y - y) } else { 0.0 })
    };
    let positions: Vec<Vec3> = (0..COLUMNS * ROWS).map(place).collect();
    let corners = [0, COLUMNS - 1, (ROWS - 1) * COLUMNS, ROWS * COLUMNS - 1].map(|k| positions[k]);
    let plain = match mask {
        Mask::Surgical | Mask::Respirator => dice.chance(0.75),
        _ => dice.chance(0.25),
    };
    let usual = [
        vec3(0.75, 0.76, 0.76),
        vec3(0.28, 0.55, 0.72),
        vec3(0.35, 0.62, 0.6),
        vec3(0.02, 0.02, 0.022),
        vec3(0.5, 0.45, 0.42),
    ];
    let usual = usual[dice.weighted(&[0.35, 0.3, 0.08, 0.22, 0.05])] * dice.range(0.8, 1.1);
    let printed = cloth(dice);
    let colour = |i: usize, p: Vec3| if plain { usual } else { printed(i, p) };
    let band = if dice.chance(0.7) { Vec3::splat(0.75) } else { Vec3::splat(0.03) };
    mesh.add(Surface::grid(positions, COLUMNS, false), Material::Cloth, colour);
    if mask == Mask::Scarf {
        return;
    }
    for (corner, side) in corners.into_iter().zip([-1.0, 1.0, -1.0, 1.0]) {
        let ear = vec3(side * 7.9, if corner.y > mouth.y { 3.6 } else { -0.2 }, 0.6);
        mesh.add(arc(corner, ear, vec3(0.35 * side, 0.0, 0.0), 0.12), Material::Cloth, |_, _| band);
    }
}
