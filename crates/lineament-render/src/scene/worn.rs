//! What people wear on head and neck: glasses, hats, hoods, collars.

use std::f32::consts::PI;

use super::mesh::{Mesh, Surface};
use super::{Lens, Person};
use crate::assets::{Head, Material, SKIN};
use crate::dice::Dice;
use crate::math::{Vec3, exp, smoothstep, vec3};
use crate::settings::Settings;

/// What covers the hair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hat {
    /// A knitted cap.
    Beanie,
    /// A cap with a peak.
    Cap,
    /// A hat with a brim all around.
    Brimmed,
    /// A hood or a scarf that leaves only the face.
    Hood,
}

/// What covers mouth and nose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Pleated, with loops around the ears.
    Surgical,
    /// Cloth of any colour, along the face.
    Cloth,
    /// Stiff, with a ridge or a cup (FFP2, KN95).
    Respirator,
    /// A scarf or a bandana that hangs over the chin.
    Scarf,
}

/// What a person wears.
#[derive(Debug, Clone, Copy)]
pub struct Outfit {
    /// Whether the person wears glasses, and whether these are dark.
    pub glasses: Option<bool>,
    /// What covers the hair.
    pub hat: Option<Hat>,
    /// How high the hat's edge lies above the hairline, in centimetres.
    pub hat_line: f32,
    /// What covers mouth and nose.
    pub mask: Option<Mask>,
    /// Whether there is a collar or a scarf.
    pub collar: bool,
    /// Whether hair can be seen at all.
    pub hair_shows: bool,
    /// Hair with roots higher above the hairline than this is hidden.
    pub hair_below: f32,
    /// Whether hair is pressed to the head.
    pub flattens_hair: bool,
}

impl Outfit {
    pub(super) fn draw(settings: &Settings, person: &Person, dice: &mut Dice) -> Self {
        let glasses = dice.chance(settings.glasses_share * if person.child > 0.0 { 0.5 } else { 1.0 });
        let hat = dice.chance(settings.hat_share);
        let kinds = [Hat::Beanie, Hat::Cap, Hat::Brimmed, Hat::Hood];
        let hat = hat.then(|| kinds[dice.weighted(&[0.3, 0.3, 0.12, 0.28])]);
        let kinds = [Mask::Surgical, Mask::Cloth, Mask::Respirator, Mask::Scarf];
        let mask = dice.chance(settings.mask_share).then(|| kinds[dice.weighted(&[0.42, 0.28, 0.2, 0.1])]);
        let hat_line = dice.range(0.4, 2.6);
        Self {
            glasses: glasses.then(|| dice.chance(settings.sunglasses_share)),
            hat,
            hat_line,
            mask,
            collar: dice.chance(settings.collar_share),
            hair_shows: match hat {
                Some(Hat::Hood) => dice.chance(0.2),
                _ => true,
            },
            hair_below: if hat.is_some() { hat_line } else { f32::INFINITY },
            flattens_hair: hat.is_some(),
        }
    }
}

pub(super) fn add(head: &Head, person: &Person, outfit: &Outfit, mesh: &mut Mesh, dice: &mut Dice) -> Lens {
    if let Some(hat) = outfit.hat {
        add_hat(head, person, hat, outfit.hat_line, mesh, dice);
    }
    if outfit.collar {
        add_collar(mesh, dice);
    }
    match outfit.glasses {
        Some(dark) => add_glasses(head, person, dark, mesh, dice),
        None => Lens { tint: 1.0, reflection: 0.0 },
    }
}

/// Cloth of one colour that is lighter and darker in places, or striped.
pub(super) fn cloth(dice: &mut Dice) -> impl Fn(usize, Vec3) -> Vec3 + use<> {
    let (colour, other) = (dice.colour(), dice.colour());
    let waves: Vec<(Vec3, f32, f32)> =
        (0..8).map(|_| (dice.normal3() * dice.range(0.3, 2.0), dice.range(0.0, 6.3), dice.range(0.0, 0.1))).collect();
    let pattern = dice.weighted(&[0.65, 0.2, 0.15]);
    let along = dice.direction() * dice.range(1.5, 6.0);
    let across = dice.direction() * dice.range(1.5, 6.0);
    move |_, p| {
        let folds: f32 = waves.iter().map(|(k, phase, strength)| strength * libm::sinf(p.dot(*k) + phase)).sum();
        let printed = match pattern {
            1 => libm::sinf(p.dot(along)) > 0.3,
            2 => libm::sinf(p.dot(along)) * libm::sinf(p.dot(across)) > 0.2,
            _ => false,
        };
        (if printed { other } else { colour }) * exp(2.0 * folds)
    }
}

fn add_glasses(head: &Head, person: &Person, dark: bool, mesh: &mut Mesh, dice: &mut Dice) -> Lens {
    const POINTS: usize = 40;
    let landmark = |i: usize| person.positions[head.landmarks[i]];
    let mean = |from: usize| (from..from + 6).fold(Vec3::default(), |sum, i| sum + landmark(i)) * (1.0 / 6.0);
    let eyes = [mean(36), mean(42)];
    let front = eyes[0].z.max(eyes[1].z).max(landmark(27).z - 0.4) + dice.range(0.9, 1.5);
    let (wide, high) = (dice.range(2.1, 2.9), dice.range(1.3, if dark { 2.6 } else { 2.4 }));
    // Of a superellipse: from round to square.
    let corners = 2.0 / dice.range(2.0, 4.5);
    let (lower, bend) = (dice.range(-0.7, 0.1), dice.range(0.5, 1.0));
    let radius = if dark { dice.range(0.08, 0.22) } else { dice.range(0.04, 0.16) };
    let colour = if dice.chance(0.5) { dice.colour() } else { Vec3::splat(0.02) };
    let rimless = !dark && dice.chance(0.15);
    let metal = |_, _| colour;
    let mut bridge = Vec::new();
    for (eye, side) in eyes.into_iter().zip([-1.0, 1.0]) {
        let power = |c: f32| c.signum() * crate::math::pow(c.abs(), corners);
        let rim: Vec<Vec3> = (0..POINTS)
            .map(|k| {
                let angle = k as f32 / POINTS as f32 * 2.0 * PI;
                let x = eye.x * 1.03 + wide * power(libm::cosf(angle));
                vec3(x, eye.y + lower + high * power(libm::sinf(angle)), front - 0.02 * bend * x * x)
            })
            .collect();
        if !rimless {
            mesh.add(Surface::tube(&rim, |_| radius, true), Material::Hard, metal);
        }
        let inner = rim.iter().copied().fold(rim[0], |a, b| if b.x.abs() < a.x.abs() { b } else { a });
        let outer = rim.iter().copied().fold(rim[0], |a, b| if b.x.abs() > a.x.abs() { b } else { a });
        bridge.push(inner);
        let middle = rim.iter().fold(Vec3::default(), |sum, p| sum + *p) * (1.0 / POINTS as f32);
        let triangles = (0..POINTS as u32).map(|k| [k, (k + 1) % POINTS as u32, POINTS as u32]).collect();
        let positions = rim.into_iter().chain([middle]).collect();
        mesh.add(Surface { positions, triangles }, Material::Lens, metal);
        let ear = vec3(side * 8.0, eye.y + 0.4, 1.0);
        mesh.add(arc(outer, ear, vec3(0.5 * side, 0.0, 0.0), radius), Material::Hard, metal);
    }
    mesh.add(arc(bridge[0], bridge[1], vec3(0.0, 0.35, 0.25), radius), Material::Hard, metal);
    Lens { tint: if dark { dice.range(0.03, 0.3) } else { dice.range(0.85, 0.97) }, reflection: dice.range(0.3, 1.2) }
}

/// A tube from one place to another, bent by `bend` in its middle.
pub(super) fn arc(from: Vec3, to: Vec3, bend: Vec3, radius: f32) -> Surface {
    let place = |k: usize| {
        let t = k as f32 / 7.0;
        from.lerp(to, t) + bend * libm::sinf(PI * t)
    };
    Surface::tube(&(0..8).map(place).collect::<Vec<_>>(), |_| radius, false)
}

/// How far above the hat's edge a skin vertex lies, in centimetres.
fn above_edge(head: &Head, i: usize, hat: Hat, line: f32) -> f32 {
    let p = head.neutral[i];
    let height = p.y - 0.93 * p.z - line;
    match hat {
        // The face is left: an oval before the ears.
        Hat::Hood => {
            let oval = libm::sqrtf(p.x * p.x * 1.15 + (p.y - 0.8) * (p.y - 0.8) * 0.62) - 7.2;
            (if p.z > 0.0 { oval } else { oval.max(1.0) }).min(p.y + 15.0)
        }
        _ if head.ear[i] => -1.0,
        _ => height,
    }
}

fn add_hat(head: &Head, person: &Person, hat: Hat, line: f32, mesh: &mut Mesh, dice: &mut Dice) {
    let heights: Vec<f32> = (0..SKIN).map(|i| above_edge(head, i, hat, line)).collect();
    let thick = dice.range(0.2, 0.5);
    let loose = match hat {
        Hat::Hood => dice.range(0.4, 1.6),
        Hat::Beanie => dice.range(0.3, 1.6),
        Hat::Cap | Hat::Brimmed => dice.range(0.5, 1.2),
    };
    let folds = head.noise(2, 3, dice);
    let mut new = vec![u32::MAX; SKIN];
    let mut surface = Surface::default();
    for corners in &head.skin {
        if corners.iter().any(|i| heights[*i as usize] <= 0.0) {
            continue;
        }
        surface.triangles.push(corners.map(|i| {
            let i = i as usize;
            if new[i] == u32::MAX {
                new[i] = surface.positions.len() as u32;
                let lift = thick + loose * smoothstep(heights[i], 0.0, 2.5) + 0.12 * folds[i];
                surface.positions.push(person.positions[i] + person.normals[i] * lift.max(0.1));
            }
            new[i]
        }));
    }
    let colour = cloth(dice);
    mesh.add(surface, Material::Cloth, &colour);
    let reach = match hat {
        Hat::Cap => dice.range(4.0, 7.0),
        Hat::Brimmed => dice.range(3.0, 7.0),
        Hat::Beanie | Hat::Hood => return,
    };
    // The edge of the hat in each direction about the vertical, from the vertices next to it.
    const COLUMNS: usize = 36;
    let mut edge = [None::<Vec3>; COLUMNS];
    for (i, p) in person.positions[..SKIN].iter().enumerate() {
        if heights[i].abs() < 0.5 && !head.ear[i] {
            let around = libm::atan2f(p.x, p.z) / (2.0 * PI) + 0.5;
            edge[((around * COLUMNS as f32) as usize).min(COLUMNS - 1)].get_or_insert(*p + person.normals[i] * thick);
        }
    }
    let front = hat == Hat::Cap;
    let kept: Vec<Vec3> = edge.into_iter().flatten().filter(|p| !front || (p.z > 3.5 && p.x.abs() < 6.8)).collect();
    if kept.len() < 4 {
        return;
    }
    let droop = dice.range(0.0, 0.35);
    const ROWS: usize = 6;
    let place = |k: usize| {
        let (p, t) = (kept[k % kept.len()], (k / kept.len()) as f32 / (ROWS - 1) as f32);
        let outward = match front {
            true => vec3(0.0, 0.05, libm::cosf(p.x / 6.8 * 1.4)),
            false => vec3(p.x, 0.0, p.z).unit(),
        };
        p + outward * (reach * t) - vec3(0.0, droop * reach * t * t, 0.0)
    };
    let positions = (0..ROWS * kept.len()).map(place).collect();
    mesh.add(Surface::grid(positions, kept.len(), !front), Material::Cloth, |i, p| colour(i, p) * 0.8);
}

/// A ring of cloth around the neck.
fn add_collar(mesh: &mut Mesh, dice: &mut Dice) {
    const COLUMNS: usize = 48;
    const ROWS: usize = 6;
    let (height, rise) = (dice.range(-14.5, -10.5), dice.range(1.0, 3.5));
    let (wide, deep) = (dice.range(6.3, 8.0), dice.range(6.0, 7.5));
    let (folds, phase) = (dice.range(3.0, 9.0).floor(), dice.range(0.0, 6.0));
    let place = |k: usize| {
        let q = (k / COLUMNS) as f32 / (ROWS - 1) as f32;
        let angle = (k % COLUMNS) as f32 / COLUMNS as f32 * 2.0 * PI;
        let radius = 1.0 + 0.28 * (1.0 - q) + 0.06 * libm::sinf(angle * folds + phase);
        let (s, c) = (libm::sinf(angle), libm::cosf(angle));
        let y = height + 2.0 * rise * (q - 0.5) - c * (1.2 * (1.0 - q) + 0.8);
        vec3(wide * radius * s, y, 1.0 + deep * radius * c)
    };
    let positions = (0..COLUMNS * ROWS).map(place).collect();
    mesh.add(Surface::grid(positions, COLUMNS, true), Material::Cloth, cloth(dice));
}
