//! Who is in the picture: shape, expression, and what follows from age and tone.

use super::camera::View;
use super::expression;
use crate::assets::{Head, SKIN, normals};
use crate::dice::Dice;
use crate::math::{Vec3, smoothstep, vec3};
use crate::settings::Settings;

/// Identity shapes are cut off here, in standard deviations: beyond it faces are caricatures.
const MOST_IDENTITY: f32 = 2.6;
/// The head turns against the shoulders within these heights, in centimetres.
const NECK: (f32, f32) = (-8.0, -14.0);
/// Share of the yaw that the shoulders do not follow.
const HEAD_TURN: f32 = 0.55;
/// Height below which a child's face is shorter, in centimetres: the eyes.
const EYES: f32 = 3.4;

/// A person.
pub struct Person {
    /// As hair and make-up go; the shapes do not depend on it.
    pub female: bool,
    /// How much of a child it is: 0 for an adult, 1 for a small child.
    pub child: f32,
    /// How wrinkled the skin is, 0 to 1.
    pub wrinkles: f32,
    /// How dark the skin is, 0 to 1.
    pub tone: f32,
    /// Whether there is a beard.
    pub bearded: bool,
    /// Weights of the expressions, 0 to about 1.
    pub expression: Vec<f32>,
    /// The head's vertices.
    pub positions: Vec<Vec3>,
    /// Their normals.
    pub normals: Vec<Vec3>,
}

impl Person {
    pub(super) fn draw(head: &Head, settings: &Settings, view: &View, dice: &mut Dice) -> Self {
        let female = dice.chance(0.5);
        let child = if dice.chance(settings.child_share) { dice.range(0.4, 1.0) } else { 0.0 };
        let wrinkled = child == 0.0 && dice.chance(settings.wrinkled_share);
        let wrinkles = if wrinkled { dice.range(0.2, 1.0) } else { 0.0 };
        // More often light than dark, as it is in no place, but neither is ever rare.
        let tone = libm::sqrtf(dice.unit()) * dice.range(0.25, 1.0);
        let bearded = !female && child == 0.0 && dice.chance(settings.beard_share);
        let draw = |_| (settings.identity * dice.normal()).clamp(-MOST_IDENTITY, MOST_IDENTITY);
        let identity: Vec<f32> = (0..head.identities).map(draw).collect();
        let expression = expression::draw(head, settings, dice);
        let mut positions = head.shape(&identity, &expression);
        if child > 0.0 {
            positions.iter_mut().for_each(|p| *p = of_a_child(*p, child));
        }
        let turn = HEAD_TURN * view.yaw * dice.range(0.3, 1.3);
        positions[..SKIN].iter_mut().for_each(|p| *p = below_the_neck(*p, turn));
        let normals = normals(&positions, &head.triangles);
        Self { female, child, wrinkles, tone, bearded, expression, positions, normals }
    }
}

/// Shorter and narrower below the eyes.
fn of_a_child(p: Vec3, child: f32) -> Vec3 {
    let below = smoothstep(EYES - p.y, 0.0, 9.0);
    let y = if p.y < EYES { EYES + (p.y - EYES) * (1.0 - 0.16 * child) } else { p.y };
    vec3(p.x * (1.0 - 0.07 * child * below), y, p.z * (1.0 - 0.06 * child * below))
}

/// Turned against the head about the vertical.
fn below_the_neck(p: Vec3, turn: f32) -> Vec3 {
    let share = smoothstep(-p.y, -NECK.0, -NECK.1);
    let (s, c) = (libm::sinf(turn * share), libm::cosf(turn * share));
    vec3(c * p.x + s * p.z, p.y, c * p.z - s * p.x)
}
