//! Things in front of a face, as polygons in pixels of the photo.

use lineament::topology::Topology;
use lineament::{Crop, CropRule, Point};
use rand::Rng;

use crate::augment::{Size, add_noise};
use crate::evaluate::own_points;

/// A light medical mask, in grey levels.
const MASK_LEVEL: f32 = 215.0;

/// The mask's edge in iBUG points: along the jaw from one cheek to the other, and over the bridge of the nose.
const MASK_EDGE: [usize; 14] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 28];

/// How far the cover over half a face extends from its centre, in half sides of the face's box.
const HALF_REACH: f32 = 1.15;

/// Half wavelength of a textured cover, as a share of the side of the face.
const TEXTURE_WAVE: f32 = 0.03;

/// The topology's points along the mask's edge; `None` where it lacks one.
pub fn mask_edge(topology: &Topology) -> Option<Vec<usize>> {
    own_points(topology, &MASK_EDGE)
}

/// Draws a light mask and returns which points it hides. The points on its own edge count as visible.
pub fn mask(pixels: &mut [f32], size: Size, points: &[Point], edge: &[usize]) -> Vec<bool> {
    let polygon: Vec<Point> = edge.iter().map(|&i| points[i]).collect();
    fill(pixels, size, &polygon, |_, _| MASK_LEVEL);
    points.iter().enumerate().map(|(i, &p)| !edge.contains(&i) && contains(&polygon, p)).collect()
}

/// Covers one half of the object in `crop` and returns which points are hidden. Chance decides which half, and whether
/// the cover is plain grey or has waves and noise.
pub fn half(pixels: &mut [f32], size: Size, points: &[Point], crop: &Crop, rng: &mut impl Rng) -> Vec<bool> {
    let image_from_crop = crop.image_from_crop();
    let (side, reach) = (if rng.random() { 1.0 } else { -1.0 }, HALF_REACH / CropRule::STANDARD.margin);
    let corners = [(0.0, -reach), (side * reach, -reach), (side * reach, reach), (0.0, reach)];
    let corners = corners.map(|(x, y)| image_from_crop * Point::new(x, y));
    let level = 40.0 + 170.0 * rng.random::<f32>();
    if rng.random() {
        fill(pixels, size, &corners, |_, _| level);
    } else {
        let mut noise = vec![0.0; pixels.len()];
        add_noise(&mut noise, 10.0, rng);
        let wave = std::f32::consts::PI / (TEXTURE_WAVE * crop.side).max(1.0);
        fill(pixels, size, &corners, |x, y| {
            let waves = (wave * x as f32).sin() + (wave * (0.3 * x as f32 + y as f32)).sin();
            level + 25.0 * waves + noise[y * size.width + x]
        });
    }
    points.iter().map(|&p| contains(&corners, p)).collect()
}

/// Paints the pixels whose centres are inside the polygon.
fn fill(pixels: &mut [f32], size: Size, polygon: &[Point], level: impl Fn(usize, usize) -> f32) {
    for (y, row) in pixels.chunks_exact_mut(size.width).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            if contains(polygon, Point::new(x as f32 + 0.5, y as f32 + 0.5)) {
                *pixel = level(x, y);
            }
        }
    }
}

/// Whether a ray to the right crosses the polygon's edge an odd number of times.
fn contains(polygon: &[Point], p: Point) -> bool {
    let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
    let crossed =
        edges.filter(|(a, b)| (a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x));
    crossed.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_contains_what_is_within() {
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 4.0), (0.0, 10.0)];
        let polygon = corners.map(|(x, y)| Point::new(x, y));
        for (x, y, inside) in
            [(5.0, 2.0, true), (5.0, 6.0, false), (1.0, 8.0, true), (11.0, 5.0, false), (-1.0, 0.5, false)]
        {
            assert_eq!(contains(&polygon, Point::new(x, y)), inside, "{x}, {y}");
        }
    }
}
