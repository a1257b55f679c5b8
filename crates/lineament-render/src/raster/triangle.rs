//! The samples that a triangle covers.

use std::ops::Range;

use crate::math::Vec3;

/// Calls `visit` for each sample whose centre lies in a triangle, with its index and the weights of the corners. The
/// picture has `width` by `width` samples, and x and y of a corner are counted in them.
///
/// `faces` decides by twice the signed area whether the triangle is drawn; triangles without an area are not.
#[inline(always)]
pub fn each_sample(
    [a, b, c]: [Vec3; 3],
    width: usize,
    faces: impl Fn(f32) -> bool,
    mut visit: impl FnMut(usize, [f32; 3]),
) {
    /// Smaller than any triangle that meets a sample's centre other than by chance.
    const LEAST_AREA: f32 = 1e-6;
    let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if area.abs() < LEAST_AREA || !faces(area) {
        return;
    }
    let (columns, rows) = (covered(a.x, b.x, c.x, width), covered(a.y, b.y, c.y, width));
    let inverse = 1.0 / area;
    for y in rows {
        let py = y as f32 + 0.5;
        for x in columns.clone() {
            let px = x as f32 + 0.5;
            let wa = ((b.x - px) * (c.y - py) - (b.y - py) * (c.x - px)) * inverse;
            let wb = ((c.x - px) * (a.y - py) - (c.y - py) * (a.x - px)) * inverse;
            let wc = 1.0 - wa - wb;
            if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                visit(y * width + x, [wa, wb, wc]);
            }
        }
    }
}

/// The columns or rows whose centres may lie between three corners.
#[inline(always)]
fn covered(a: f32, b: f32, c: f32, width: usize) -> Range<usize> {
    let (low, high) = (a.min(b).min(c) - 0.5, a.max(b).max(c) - 0.5);
    // Rounded up by hand: the function is a call on older processors.
    let first = if low <= 0.0 { 0 } else { low as usize + usize::from(low > (low as usize) as f32) };
    let past = if high < 0.0 { 0 } else { (high as usize + 1).min(width) };
    first..past
}
