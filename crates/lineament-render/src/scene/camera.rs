//! Where the picture is taken from.

use crate::assets::Head;
use crate::dice::Dice;
use crate::math::{Vec3, vec3};
use crate::settings::Settings;

/// How the head is turned against the camera, in radians. Positive yaw shows more of the person's left side,
/// positive pitch looks from above, and positive roll is clockwise in the picture.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// About the vertical axis.
    pub yaw: f32,
    /// About the axis through the ears.
    pub pitch: f32,
    /// About the axis of the camera.
    pub roll: f32,
}

impl View {
    pub(super) fn draw(settings: &Settings, dice: &mut Dice) -> Self {
        let wide = dice.chance(settings.turned_share);
        let yaw = match wide {
            true => dice.range(-settings.yaw_max, settings.yaw_max),
            false => (dice.normal() * settings.yaw_sd).clamp(-settings.yaw_max, settings.yaw_max),
        };
        let pitch = (dice.normal() * settings.pitch_sd).clamp(-settings.pitch_max, settings.pitch_max);
        let roll = (dice.normal() * settings.roll_sd).clamp(-60.0, 60.0);
        Self { yaw: yaw.to_radians(), pitch: pitch.to_radians(), roll: roll.to_radians() }
    }
}

/// A pinhole.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Where it is.
    pub position: Vec3,
    /// To the right in the picture; unit length, as the next two.
    pub right: Vec3,
    /// Up in the picture.
    pub up: Vec3,
    /// Into the picture.
    pub forward: Vec3,
    /// Focal length in pixels.
    pub focal_px: f32,
    /// Width and height of the picture in pixels.
    pub size: usize,
    /// How the head is turned against it.
    pub view: View,
}

impl Camera {
    pub(super) fn draw(
        settings: &Settings,
        view: &View,
        head: &Head,
        positions: &[Vec3],
        size: usize,
        dice: &mut Dice,
    ) -> Self {
        let distance = dice.log_range(settings.distance_min, settings.distance_max);
        let mean = head.landmarks.iter().fold(Vec3::default(), |sum, i| sum + positions[*i]) * (1.0 / 68.0);
        let target = vec3(mean.x + 0.8 * dice.normal(), mean.y + 0.8 * dice.normal(), 0.6 * mean.z);
        let field = dice.range(settings.field_min, settings.field_max);
        Self::looking_at(target, view, distance, field, size)
    }

    /// From `distance` on `target`, whose surroundings of `field` centimetres fill the picture.
    pub fn looking_at(target: Vec3, view: &View, distance: f32, field: f32, size: usize) -> Self {
        let [(sy, cy), (sp, cp), (sr, cr)] = [view.yaw, view.pitch, view.roll].map(|a| (libm::sinf(a), libm::cosf(a)));
        let forward = -vec3(sy * cp, sp, cy * cp);
        let right = forward.cross(vec3(0.0, 1.0, 0.0)).unit();
        let up = right.cross(forward);
        Self {
            position: target - forward * distance,
            right: right * cr + up * sr,
            up: up * cr - right * sr,
            forward,
            focal_px: size as f32 * distance / field,
            size,
            view: *view,
        }
    }

    /// Where a place appears: x and y in pixels, y down, and its distance along the camera's axis.
    #[inline(always)]
    pub fn project(&self, place: Vec3) -> Vec3 {
        let d = place - self.position;
        let z = d.dot(self.forward).max(1.0);
        let (centre, scale) = (0.5 * self.size as f32, self.focal_px / z);
        vec3(centre + scale * d.dot(self.right), centre - scale * d.dot(self.up), z)
    }

    /// The same camera with a picture of `factor` times the width.
    pub fn enlarged(&self, factor: usize) -> Self {
        Self { focal_px: self.focal_px * factor as f32, size: self.size * factor, ..*self }
    }
}
