//! `.pts`: the points of one face, in 300-W's frame.

use lineament::Face;

/// The text of the file of one face.
pub fn face(face: &Face) -> String {
    lineament_data::pts::format(&face.landmarks.points)
}
