//! Coordinates and boxes of other programs, checked and moved into our frame.

use lineament::{Point, Rect};

use super::Origin;
use crate::pts::MAX_COORDINATE;
use crate::text::excerpt;

/// A coordinate as text.
///
/// # Errors
/// A sentence for what is not a finite number of the size of a photo.
pub fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) => checked(value),
        Err(_) => Err(format!("`{}` is not a number", excerpt(text))),
    }
}

/// Refuses what no photo has.
///
/// # Errors
/// A sentence that shows the number.
pub fn checked(value: f64) -> Result<f64, String> {
    match value.abs() <= MAX_COORDINATE {
        true => Ok(value),
        false => Err(format!("{value} is not a coordinate in a photo")), // NaN comes here, too
    }
}

/// A point in our frame.
///
/// # Errors
/// As [`checked`].
pub fn point(x: f64, y: f64, origin: Origin) -> Result<Point, String> {
    let shift = origin.shift();
    Ok(Point::new((checked(x)? + shift) as f32, (checked(y)? + shift) as f32))
}

/// A box in our frame from its left top corner and its size; `shift` moves the corner.
///
/// # Errors
/// A sentence for a box without an area, or as [`checked`].
pub fn rect(xywh: [f64; 4], shift: f64) -> Result<Rect, String> {
    for value in xywh {
        checked(value)?;
    }
    let [x, y, w, h] = xywh;
    let rect = Rect::from_xywh((x + shift) as f32, (y + shift) as f32, w as f32, h as f32);
    match rect.width > 0.0 && rect.height > 0.0 {
        true => Ok(rect),
        false => Err(format!("the box is {w} wide and {h} high, expected more than 0")),
    }
}

/// As [`rect`], from two opposite corners.
///
/// # Errors
/// As [`rect`].
pub fn rect_from_corners([x0, y0, x1, y1]: [f64; 4], shift: f64) -> Result<Rect, String> {
    rect([x0, y0, x1 - x0, y1 - y0], shift)
}
