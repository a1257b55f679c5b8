//! Colours of skin, hair and eyes.

use super::{Eyes, Gloss, Person};
use crate::assets::{Head, SKIN};
use crate::dice::Dice;
use crate::math::{Vec3, bell, exp, pow, smoothstep, vec3};

/// Light, middle and dark skin, linear RGB.
const TONES: [Vec3; 3] = [vec3(0.72, 0.50, 0.39), vec3(0.42, 0.245, 0.155), vec3(0.095, 0.052, 0.035)];
/// Black, dark brown, brown, blond, red, grey and white hair.
const HAIR: [Vec3; 7] = [
    vec3(0.012, 0.009, 0.007),
    vec3(0.05, 0.022, 0.01),
    vec3(0.12, 0.06, 0.025),
    vec3(0.33, 0.2, 0.09),
    vec3(0.22, 0.07, 0.025),
    vec3(0.38, 0.36, 0.34),
    vec3(0.65, 0.64, 0.62),
];
/// Brown, light brown, blue, green and grey.
const IRISES: [Vec3; 5] = [
    vec3(0.045, 0.02, 0.008),
    vec3(0.1, 0.05, 0.02),
    vec3(0.16, 0.24, 0.36),
    vec3(0.12, 0.17, 0.1),
    vec3(0.25, 0.27, 0.28),
];
/// Share of faces with a photographed skin; the others have a drawn one.
const PHOTOGRAPHED: f32 = 0.65;

/// Colours that belong together.
pub struct Colours {
    /// The skin's mean.
    pub tone: Vec3,
    /// Hair of the head.
    pub hair: Vec3,
    /// Brows.
    pub brows: Vec3,
    /// Beard.
    pub beard: Vec3,
}

/// The colour of each skin vertex, linear RGB, and those that go with it.
pub(super) fn colours(head: &Head, person: &Person, dice: &mut Dice) -> (Vec<Vec3>, Colours) {
    let t = 2.0 * person.tone;
    let base = if t < 1.0 { TONES[0].lerp(TONES[1], t) } else { TONES[1].lerp(TONES[2], t - 1.0) };
    let tone = base.times(vec3(0.056 * dice.normal(), 0.08 * dice.normal(), 0.096 * dice.normal()).map(exp));
    let mut skin = vec![tone; SKIN];
    let photographed = dice.chance(PHOTOGRAPHED);
    if photographed {
        let picture = &head.skins[dice.below(head.skins.len())];
        let contrast = dice.range(0.7, 1.6);
        let detail = |c: f32| pow(c, contrast).clamp(0.15, 3.0);
        skin.iter_mut().zip(picture).for_each(|(s, c)| *s = s.times(c.map(detail)));
    }
    blotches(head, &mut skin, dice);
    redness(head, &mut skin, dice);
    lips(head, person, &mut skin, photographed, dice);
    shade_eyes(head, person, &mut skin, dice);
    wrinkles(head, person, &mut skin);
    spots(head, &mut skin, dice);
    let hair = match dice.chance(0.35 + 0.6 * person.tone) {
        true => HAIR[0] * dice.range(0.5, 2.0),
        false => HAIR[1 + dice.weighted(&[0.34, 0.24, 0.14, 0.06, 0.13, 0.09])] * dice.range(0.6, 1.4),
    };
    let brows = if hair.y < 0.2 { hair * dice.range(0.6, 1.3) } else { hair * dice.range(0.25, 0.9) };
    skin.iter_mut().for_each(|c| *c = c.map(|v| v.clamp(0.01, 0.95)));
    let colours = Colours { tone, hair, brows, beard: hair * dice.range(0.8, 1.5) };
    (skin, colours)
}

pub(super) fn eyes(dice: &mut Dice) -> Eyes {
    Eyes {
        pupil: dice.range(0.17, 0.3),
        iris: dice.range(0.55, 0.62),
        iris_colour: IRISES[dice.weighted(&[0.5, 0.18, 0.16, 0.1, 0.06])] * dice.range(0.6, 1.4),
        white: vec3(0.72, 0.66, 0.62) * dice.range(0.75, 1.05),
    }
}

pub(super) fn gloss(dice: &mut Dice) -> Gloss {
    Gloss {
        roughness: dice.range(0.35, 0.65),
        specular: dice.range(0.02, 0.05),
        wrap: dice.range(0.0, 0.25),
        hair: dice.range(0.2, 1.2),
    }
}

/// A shirt: the shoulders are of its colour.
pub(super) fn shirt(head: &Head, skin: &mut [Vec3], dice: &mut Dice) {
    let cloth = super::worn::cloth(dice);
    let neck = -11.8 + 0.8 * dice.normal();
    for (i, (colour, p)) in skin.iter_mut().zip(&head.neutral).enumerate() {
        let edge = neck - 0.03 * p.x.abs() + 0.22 * p.z;
        *colour = colour.lerp(cloth(i, *p), smoothstep(edge - p.y, -0.1, 0.1));
    }
}

/// Darkens `colour` where `amount` is, by so much of each of red, green and blue.
fn darken(colour: &mut Vec3, amount: f32, by: Vec3) {
    *colour = colour.times((by * -amount).map(exp));
}

fn blotches(head: &Head, skin: &mut [Vec3], dice: &mut Dice) {
    let strength = dice.range(0.03, 0.12);
    let noise = head.noise(0, 4, dice);
    skin.iter_mut().zip(noise).for_each(|(c, n)| darken(c, n * strength, vec3(0.6, 1.0, 1.2)));
}

/// Cheeks and nose.
fn redness(head: &Head, skin: &mut [Vec3], dice: &mut Dice) {
    let (cheeks, nose) = (dice.range(0.0, 0.35), dice.range(0.0, 0.3));
    for (colour, p) in skin.iter_mut().zip(&head.neutral) {
        let (x, y) = ((p.x.abs() - 4.6) / 2.2, (p.y + 0.6) / 2.2);
        let (nx, ny) = (p.x / 1.4, (p.y - 0.2) / 1.4);
        let nose = if p.z > 11.0 { nose * exp(-(nx * nx + ny * ny)) } else { 0.0 };
        darken(colour, cheeks * exp(-(x * x + y * y)) + nose, vec3(0.05, 0.45, 0.4));
    }
}

fn lips(head: &Head, person: &Person, skin: &mut [Vec3], photographed: bool, dice: &mut Dice) {
    let made_up = person.female && person.child == 0.0 && dice.chance(0.3);
    let tint = match made_up {
        true => vec3(dice.range(0.6, 1.2), dice.range(0.1, 0.4), dice.range(0.15, 0.5)),
        false => vec3(1.0, 0.55, 0.55),
    };
    let strength = match (made_up, photographed) {
        (true, _) => dice.range(0.6, 1.0),
        // The photograph has lips already.
        (false, true) => dice.range(0.0, 0.4),
        (false, false) => dice.range(0.15, 0.75),
    };
    for (colour, lip) in skin.iter_mut().zip(&head.lip) {
        *colour = colour.lerp(colour.times(tint), lip * strength);
    }
}

/// Rings below the eyes, and make-up above them.
fn shade_eyes(head: &Head, person: &Person, skin: &mut [Vec3], dice: &mut Dice) {
    let rings = dice.range(0.0, 0.5);
    let made_up = person.female && dice.chance(0.5);
    let make_up = if made_up { dice.range(0.2, 1.1) } else { 0.0 };
    let hue = vec3(dice.range(0.2, 1.2), dice.range(0.2, 1.2), dice.range(0.2, 1.2));
    for (colour, p) in skin.iter_mut().zip(&head.neutral).filter(|(_, p)| p.z > 7.0) {
        let blob = |x: f32, y: f32, w: f32, h: f32| bell((p.x.abs() - x) / w) * bell((p.y - y) / h);
        darken(colour, rings * blob(3.1, 2.5, 1.7, 0.8), vec3(0.5, 0.7, 0.6));
        darken(colour, make_up * blob(3.2, 4.1, 1.6, 0.6), hue);
    }
}

/// Lines on the forehead, beside the eyes and from the nose to the mouth, dark as they are in shade.
fn wrinkles(head: &Head, person: &Person, skin: &mut [Vec3]) {
    if person.wrinkles == 0.0 {
        return;
    }
    let line = |x: f32| pow(0.5 + 0.5 * libm::cosf(x), 6.0);
    for (colour, p) in skin.iter_mut().zip(&head.neutral).filter(|(_, p)| p.z > 3.0) {
        let x = p.x.abs();
        let forehead = line((p.y + 0.03 * x * x) * 5.2) * smoothstep(p.y, 6.6, 7.4) * smoothstep(-x, -5.5, -3.5);
        let crow = line((p.y - 3.4) / (x - 3.6).max(0.4) * 9.0) * smoothstep(x, 4.9, 5.3) * smoothstep(-x, -6.8, -6.0);
        let crow = crow * smoothstep(-(p.y - 3.4).abs(), -1.6, -0.6);
        let fold =
            bell((x - 2.2 - 0.33 * (-0.6 - p.y)) / 0.22) * smoothstep(p.y, -4.6, -3.6) * smoothstep(-p.y, -0.2, 0.8);
        let frown = bell((x - 0.55) / 0.16) * smoothstep(p.y, 4.2, 4.8) * smoothstep(-p.y, -6.6, -5.8);
        let amount = 0.5 * forehead + 0.6 * crow + 0.7 * fold + 0.5 * frown;
        darken(colour, person.wrinkles * amount, vec3(0.5, 0.6, 0.6));
    }
}

/// Freckles and moles.
fn spots(head: &Head, skin: &mut [Vec3], dice: &mut Dice) {
    if !dice.chance(0.3) {
        return;
    }
    for _ in 0..dice.range(10.0, 120.0) as usize {
        let at = dice.pick(&head.neutral[..SKIN]);
        let (radius, dark) = (dice.range(0.08, 0.2), dice.range(0.1, 0.5));
        for (colour, p) in skin.iter_mut().zip(&head.neutral) {
            let d = *p - *at;
            if d.x.abs() < radius && d.y.abs() < radius && d.length() < radius {
                darken(colour, dark, vec3(0.6, 0.9, 1.0));
            }
        }
    }
}
