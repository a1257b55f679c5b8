//! Head pose from points.

/// How a head is turned, in radians.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// In the plane of the picture: positive is clockwise on the screen.
    pub roll_rad: f32,
    /// Left or right: positive when the nose points to the right side of the picture.
    pub yaw_rad: f32,
    /// Up or down: positive when the nose points up.
    pub pitch_rad: f32,
}
