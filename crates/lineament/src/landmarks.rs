//! The 68 points of one face, how far off each may be, and whether it is a face at all.

use crate::geometry::Point;
use crate::pose::Pose;
use crate::topology::POINTS;

/// What the landmark network says about one crop, in pixels of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// The iBUG 68 points.
    pub points: [Point; POINTS],
    /// Expected distance of each point to the true one, in pixels.
    pub errors: [f32; POINTS],
    /// How sure the network is that it sees a face, from 0 to 1.
    pub score: f32,
    /// How the head is turned, from the points.
    pub pose: Pose,
}
