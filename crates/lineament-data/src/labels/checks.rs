//! What in labels looks wrong although it can be read.

use std::fmt;

use lineament::Point;
use serde::Serialize;

use super::{Labelled, Origin};
use crate::photo::Size;
use crate::stable_hash::StableHash;

/// Something that looks wrong. The object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Points are outside of the photo.
    Outside,
    /// Left and right look swapped.
    Mirrored,
    /// An object before it has the same photo and points.
    Duplicate,
    /// A coordinate is exactly 0 where the first pixel should be 1.
    ZeroBased,
    /// The photo's EXIF orientation turns it. Labels are of the upright photo, unless their program ignored that.
    Turned,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside => "have points outside of their photo",
            Self::Mirrored => "look mirrored: left and right are the person's own, and seem to be swapped",
            Self::Duplicate => "are the same as an object before them: same photo, same points",
            Self::ZeroBased => "have a coordinate of exactly 0: if the source counts pixels from 0, use --zero-based",
            Self::Turned => "have a photo that EXIF turns: their points must be those of the upright photo",
        })
    }
}

/// The points by which a face is known to be mirrored: right eye, left eye, nose tip, right and left corner of the
/// mouth, each as the mean of some points.
pub type FivePoints = [Vec<usize>; 5];

/// Names the points outside of a photo.
pub fn outside(labelled: &Labelled, size: Size) -> Option<String> {
    let (width, height) = (size.width as f32, size.height as f32);
    let inside = |p: Point| (0.0..=width).contains(&p.x) && (0.0..=height).contains(&p.y);
    let mut outside = labelled.points.iter().enumerate().filter_map(|(i, p)| p.filter(|&p| !inside(p)).map(|p| (i, p)));
    let (index, point) = outside.next()?;
    let others = outside.count();
    let others = if others > 0 { format!(" and {others} others") } else { String::new() };
    Some(format!("point {index} at {point:.1?}{others}, the photo is {}x{}", size.width, size.height))
}

/// Whether the person's right eye is on the left side where the face's own up is up: the turn from the eyes to the
/// mouth tells, at any roll. Profiles, whose eyes are nearly in one place, tell nothing.
pub fn is_mirrored(points: &[Option<Point>], five: &FivePoints) -> bool {
    let mean = |indices: &Vec<usize>| {
        let found: Option<Vec<Point>> = indices.iter().map(|&i| points.get(i).copied().flatten()).collect();
        found.filter(|found| !found.is_empty()).map(|found| Point::mean(&found))
    };
    let [right_eye, left_eye, _, right_mouth, left_mouth] = five.each_ref().map(mean);
    let (Some(right_eye), Some(left_eye), Some(right_mouth), Some(left_mouth)) =
        (right_eye, left_eye, right_mouth, left_mouth)
    else {
        return false;
    };
    let (eyes, mouth) = (right_eye.midpoint(left_eye), right_mouth.midpoint(left_mouth));
    let (across_x, across_y) = (left_eye.x - right_eye.x, left_eye.y - right_eye.y);
    let (down_x, down_y) = (mouth.x - eyes.x, mouth.y - eyes.y);
    let turn = across_x * down_y - across_y * down_x;
    // The eyes of a frontal face are about as far apart as from the mouth. A third of that is chosen by trial.
    turn < -0.3 * (down_x * down_x + down_y * down_y)
}

/// Whether all coordinates, as the source writes them, are from 0 to 1 in a photo that is larger than that.
pub fn are_shares(points: &[Option<Point>], origin: Origin, size: Size) -> bool {
    let shift = origin.shift() as f32;
    let mut labelled = points.iter().flatten();
    let unit = |v: f32| (0.0..=1.0).contains(&(v - shift));
    size.width.min(size.height) > 2 && labelled.clone().count() > 1 && labelled.all(|p| unit(p.x) && unit(p.y))
}

/// Whether a source that should count from 1 has a coordinate of 0 and none below.
pub fn looks_zero_based(points: &[Option<Point>], origin: Origin) -> bool {
    let least = points.iter().flatten().map(|p| p.x.min(p.y)).fold(f32::INFINITY, f32::min);
    origin == Origin::One && least == Origin::One.shift() as f32
}

/// A hash of photo and points.
pub fn fingerprint(photo: &str, points: &[Option<Point>]) -> u64 {
    let mut hash = StableHash::new();
    hash.write(photo.as_bytes());
    for point in points {
        let [x, y] = point.map_or([u32::MAX; 2], |p| [p.x.to_bits(), p.y.to_bits()]);
        hash.write(&x.to_le_bytes());
        hash.write(&y.to_le_bytes());
    }
    hash.finish()
}
