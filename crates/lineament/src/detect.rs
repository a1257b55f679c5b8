//! Where faces are: boxes, five points each and a score, in one pass over a shrunk frame.

use crate::geometry::{Point, Rect};

/// One detected face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The box around the 68 points (brows to chin, jaw to jaw).
    pub rect: Rect,
    /// Right eye, left eye, nose tip, right mouth corner, left mouth corner (the person's own sides).
    pub points: [Point; 5],
    /// How sure the detector is, from 0 to 1.
    pub score: f32,
}
