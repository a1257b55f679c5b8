//! What is held before a face: a hand, a phone, a microphone, a cup.

use super::Person;
use super::mesh::{Mesh, Surface};
use super::skin::Colours;
use super::worn::cloth;
use crate::assets::{Head, Material};
use crate::dice::Dice;
use crate::math::{Vec3, vec3};
use crate::settings::Settings;

pub(super) fn add(
    head: &Head,
    person: &Person,
    colours: &Colours,
    settings: &Settings,
    mesh: &mut Mesh,
    dice: &mut Dice,
) {
    if !dice.chance(settings.occluder_share) {
        return;
    }
    let landmark = |i: usize| person.positions[head.landmarks[i]];
    let (mouth, chin, nose) = (landmark(57), landmark(8), landmark(30));
    let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
    match dice.weighted(&[0.55, 0.15, 0.15, 0.15]) {
        0 => {
            // At the mouth, the chin, the cheek or an eye.
            let at = match dice.below(4) {
                0 => mouth + vec3(0.0, 0.0, 1.5),
                1 => chin + vec3(side * dice.range(0.0, 2.0), -0.5, 1.5),
                2 => vec3(side * dice.range(4.5, 6.5), dice.range(-4.0, 1.0), 9.0),
                _ => vec3(side * 3.5, dice.range(2.0, 6.0), nose.z - 0.5),
            };
            hand(at, side, colours, mesh, dice);
        }
        1 => {
            // Held beside or before the face.
            let colour = dice.colour();
            let centre = vec3(side * dice.range(3.0, 7.5), dice.range(-6.0, 4.0), nose.z + dice.range(0.5, 6.0));
            let [right, up, forward] = frame(dice, 0.3);
            let surface = Surface::cuboid(centre, [right * 3.6, up * 7.4, forward * 0.4]);
            mesh.add(surface, Material::Hard, |_, _| colour);
            hand(centre - up * 2.0 + forward * 0.6, side, colours, mesh, dice);
        }
        2 => {
            let (dark, head_colour) = (dice.colour() * 0.3, dice.colour());
            let tip = mouth + vec3(side * dice.range(0.0, 2.0), dice.range(-2.5, 0.0), dice.range(2.5, 5.0));
            let along = vec3(side * dice.range(0.1, 0.8), -1.0, dice.range(0.0, 0.6)).unit();
            let radius = dice.range(1.4, 2.6);
            let axes = [vec3(radius, 0.0, 0.0), vec3(0.0, radius, 0.0), vec3(0.0, 0.0, radius)];
            mesh.add(Surface::ellipsoid(tip, axes), Material::Cloth, |_, _| head_colour);
            let stem: Vec<Vec3> = (0..5).map(|k| tip + along * (4.0 * k as f32)).collect();
            mesh.add(Surface::tube(&stem, |_| 1.0, false), Material::Hard, |_, _| dark);
            hand(tip + along * 9.0 + vec3(0.0, 0.0, 1.0), side, colours, mesh, dice);
        }
        _ => {
            let colour = cloth(dice);
            let rim = mouth + vec3(0.0, dice.range(-1.5, 0.2), dice.range(1.0, 3.0));
            let along = vec3(0.1 * dice.normal(), -1.0, dice.range(0.2, 1.4)).unit();
            let radius = dice.range(2.8, 4.2);
            let wall: Vec<Vec3> = (0..5).map(|k| rim + vec3(0.0, 0.0, radius) + along * (2.4 * k as f32)).collect();
            mesh.add(Surface::tube(&wall, |_| radius, false), Material::Hard, colour);
            hand(rim + along * 5.0 + vec3(side * 2.0, 0.0, 2.2 * radius), side, colours, mesh, dice);
        }
    }
}

/// Three directions at right angles, the third roughly forward.
fn frame(dice: &mut Dice, spread: f32) -> [Vec3; 3] {
    let forward = (vec3(0.0, 0.0, 1.0) + dice.normal3() * spread).unit();
    let right = (vec3(0.0, 1.0, 0.0) + dice.normal3() * spread).cross(forward).unit();
    [right, forward.cross(right), forward]
}

/// A hand with four fingers and a thumb, seen from its back; `at` is where the fingers begin.
fn hand(at: Vec3, side: f32, colours: &Colours, mesh: &mut Mesh, dice: &mut Dice) {
    let turn = side * dice.range(-0.3, 1.9);
    let (s, c) = (libm::sinf(turn), libm::cosf(turn));
    // Fingers point up, or towards the other side.
    let along = vec3(-s, c, 0.25 * dice.normal()).unit();
    let forward = vec3(0.0, 0.0, 1.0);
    let across = along.cross(forward).unit();
    let out = across.cross(along).unit();
    let colour = colours.tone * dice.range(0.85, 1.1);
    let skin = |_: usize, p: Vec3| colour * (1.0 + 0.06 * libm::sinf(3.0 * p.y) * libm::sinf(2.0 * p.x));
    let (bend, spread) = (dice.range(0.0, 0.5), dice.range(0.0, 0.25));
    for (k, length) in [6.4, 7.2, 6.8, 5.4].into_iter().enumerate() {
        let offset = k as f32 - 1.5;
        let root = at + across * (1.75 * offset);
        let direction = (along + across * (spread * offset * 0.4)).unit();
        let path: Vec<Vec3> = (0..6)
            .map(|i| {
                let t = i as f32 / 5.0;
                root + direction * (length * t) - out * (bend * length * t * t * 0.5)
            })
            .collect();
        let radius = |i: usize| [0.85, 0.9, 0.84, 0.8, 0.72, 0.35][i];
        mesh.add(Surface::tube(&path, radius, false), Material::Skin, skin);
    }
    let thumb = at - along * 3.0 + across * (3.2 * side);
    let path: Vec<Vec3> =
        (0..5).map(|i| thumb + (along * 0.8 + across * (0.7 * side)).unit() * (1.3 * i as f32)).collect();
    mesh.add(Surface::tube(&path, |i| [1.1, 1.05, 0.95, 0.85, 0.4][i], false), Material::Skin, skin);
    let palm = at - along * 4.2 - out * 0.2;
    mesh.add(Surface::ellipsoid(palm, [across * 4.0, along * 5.2, out * 1.4]), Material::Skin, skin);
    let wrist: Vec<Vec3> = (0..5).map(|i| palm - along * (3.0 + 4.0 * i as f32)).collect();
    mesh.add(Surface::tube(&wrist, |_| 2.6, false), Material::Skin, skin);
}
