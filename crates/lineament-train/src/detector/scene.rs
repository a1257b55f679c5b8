//! Scenes for the detector: photos scaled, turned and laid side by side, so that faces of every size occur, each with
//! its labels.

use std::f32::consts::PI;

use lineament::Similarity;
use lineament::stages::{ImageFrame, PixelFrame};
use lineament::{Point, Rect};
use lineament_data::augment;
use rand::Rng;
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64;

use super::pyramid::Pyramid;

/// A photo and all its faces.
pub struct Photo {
    /// Its pixels.
    pub pixels: Pyramid,
    /// All faces; those with labelled points come first.
    pub faces: Vec<Known>,
}

/// What is known of a face, in pixels of a photo or a scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The box of the 68 points, or an estimate of it.
    pub rect: Rect,
    /// The five points, where people marked them.
    pub points: Option<[Point; 5]>,
    /// Neither a face to find nor background: too small, or cut off.
    pub ignored: bool,
}

/// Scenes are cut into `n * n` tiles, each with a photo of its own; small tiles have small faces. How often each `n`
/// occurs decides how often faces of each size do; chosen so that the sizes are about evenly spread on a log scale.
const TILES: [usize; 8] = [1, 1, 1, 2, 2, 3, 4, 6];

/// Longer side of a face's box over the side of its tile: less would show mostly what is outside the photo.
const FACE_IN_TILE: (f32, f32) = (0.25, 0.95);

/// Smaller faces, in pixels of the scene, are not to be found.
const SMALLEST: f32 = 8.0;

/// Share of a face's box that must be within its tile to be found, and share below which it may count as background.
const VISIBLE: f32 = 0.6;
const HIDDEN: f32 = 0.1;

/// What a scene is made from.
pub struct Sources<'a> {
    /// Photos with faces.
    pub photos: &'a [Photo],
    /// Photos without.
    pub nonfaces: &'a [Pyramid],
    /// Share of tiles without a face.
    pub nonface_share: f64,
    /// Share of tiles turned by any angle.
    pub turned_share: f64,
    /// Whether no scene may be mirrored.
    pub chiral: bool,
}

/// Fills `pixels` (`side * side`, brightness 0 to 255) with a scene around photo `index`; returns its faces.
pub fn draw(sources: &Sources, index: usize, side: usize, rng: &mut Pcg64, pixels: &mut [f32]) -> Vec<Known> {
    let n = TILES[rng.random_range(0..TILES.len())];
    let mut faces = Vec::new();
    let mut tile_pixels = Vec::new();
    for tile in 0..n * n {
        let edge = |k: usize| k * side / n;
        let (x0, y0) = (edge(tile % n), edge(tile / n));
        let (width, height) = (edge(tile % n + 1) - x0, edge(tile / n + 1) - y0);
        tile_pixels.resize(width * height, 0.0);
        let area = Rect::from_xywh(0.0, 0.0, width as f32, height as f32);
        if !sources.nonfaces.is_empty() && rng.random_bool(sources.nonface_share) {
            let pixels = &sources.nonfaces[rng.random_range(0..sources.nonfaces.len())];
            let photo = pixels.photo();
            let shorter = photo.width.min(photo.height) as f32;
            let zoom = rng.random_range(0.3f32..1.0) * shorter / width as f32;
            let center = Point::new(
                rng.random_range(0.3..0.7) * photo.width as f32,
                rng.random_range(0.3..0.7) * photo.height as f32,
            );
            let image_from_pixel = about(center, area.center(), zoom, roll(sources.turned_share, rng));
            pixels.sample(image_from_pixel, width, height, &mut tile_pixels);
        } else {
            let chosen = if tile == 0 { index } else { rng.random_range(0..sources.photos.len()) };
            let photo = &sources.photos[chosen];
            let image_from_pixel = place(photo, &area, roll(sources.turned_share, rng), rng);
            photo.pixels.sample(image_from_pixel, width, height, &mut tile_pixels);
            faces.extend(seen(photo, image_from_pixel.inverse(), &area).map(|face| moved(face, x0 as f32, y0 as f32)));
        }
        for (y, row) in tile_pixels.chunks_exact(width).enumerate() {
            pixels[(y0 + y) * side + x0..][..width].copy_from_slice(row);
        }
    }
    if rng.random_bool(0.5) && !sources.chiral {
        augment::mirror_rows(pixels, side);
        faces.iter_mut().for_each(|face| *face = mirrored(*face, side as f32));
    }
    faces
}

/// How a tile is turned, in radians: mostly little, but for a share of any angle.
fn roll(turned_share: f64, rng: &mut Pcg64) -> f32 {
    if rng.random_bool(turned_share) {
        rng.random_range(-PI..PI)
    } else if rng.random_bool(0.8) {
        Normal::new(0.0, 0.2f32).map_or(0.0, |n| n.sample(rng))
    } else {
        rng.random_range(-0.8..0.8)
    }
}

/// Where a photo lies in a tile: its labelled face of a random size, turned, somewhere within.
fn place(photo: &Photo, tile: &Rect, roll_rad: f32, rng: &mut Pcg64) -> Similarity<ImageFrame, PixelFrame> {
    let face = photo.faces[0].rect;
    let longer = face.width.max(face.height);
    let (low, high) = (FACE_IN_TILE.0.ln(), FACE_IN_TILE.1.ln());
    let target = tile.width * rng.random_range(low..high).exp();
    // Most of the face stays within the tile.
    let room = (tile.width - 0.8 * target).max(0.1 * tile.width) / 2.0;
    let center = tile.center();
    let at = Point::new(center.x + rng.random_range(-room..room), center.y + rng.random_range(-room..room));
    about(face.center(), at, longer / target, roll_rad)
}

/// Scale and turn about `in_image`, which lands on `in_scene`.
fn about(in_image: Point, in_scene: Point, scale: f32, roll_rad: f32) -> Similarity<ImageFrame, PixelFrame> {
    let turn = Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(scale, roll_rad, 0.0, 0.0);
    let shifted = turn * in_scene;
    Similarity::from_scale_angle_shift(scale, roll_rad, in_image.x - shifted.x, in_image.y - shifted.y)
}

/// The photo's faces as seen in the tile.
fn seen<'a>(
    photo: &'a Photo,
    pixel_from_image: Similarity<PixelFrame, ImageFrame>,
    tile: &'a Rect,
) -> impl Iterator<Item = Known> + 'a {
    let map = move |p: Point| {
        let p = pixel_from_image * p;
        Point::new(p.x, p.y)
    };
    photo.faces.iter().filter_map(move |face| {
        let center = map(face.rect.center());
        // The box of the turned ellipse within the box.
        let (sin, cos) = pixel_from_image.angle_rad().sin_cos();
        let scale = pixel_from_image.scale();
        let (w, h) = (face.rect.width * scale, face.rect.height * scale);
        let rect = Rect::from_center_size(center, (w * cos).hypot(h * sin), (w * sin).hypot(h * cos));
        let visible = rect.intersection(tile).area() / rect.area().max(1e-6);
        let ignored = face.ignored || visible < VISIBLE || rect.width.max(rect.height) < SMALLEST;
        (visible > HIDDEN).then(|| Known { rect, points: face.points.map(|p| p.map(map)), ignored })
    })
}

fn moved(face: Known, x: f32, y: f32) -> Known {
    let shift = |p: Point| Point::new(p.x + x, p.y + y);
    let rect = Rect { x: face.rect.x + x, y: face.rect.y + y, ..face.rect };
    Known { rect, points: face.points.map(|p| p.map(shift)), ..face }
}

fn mirrored(face: Known, width: f32) -> Known {
    let flip = |p: Point| Point::new(width - p.x, p.y);
    let rect = Rect { x: width - face.rect.x - face.rect.width, ..face.rect };
    // The right eye becomes the left one, the right corner of the mouth the left one.
    let points = face.points.map(|[re, le, nose, rm, lm]| [le, re, nose, lm, rm].map(flip));
    Known { rect, points, ..face }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament_data::GreyPhoto;
    use rand::SeedableRng;

    /// A grey photo with a white square as the face.
    fn photo() -> Photo {
        let (width, height) = (120, 100);
        let mut pixels = vec![60; width * height];
        (40..60).for_each(|y| pixels[y * width + 50..][..20].fill(255));
        let rect = Rect::from_xywh(50.0, 40.0, 20.0, 20.0);
        let points = [(53., 44.), (67., 44.), (60., 50.), (55., 56.), (65., 56.)].map(|(x, y)| Point::new(x, y));
        Photo {
            pixels: Pyramid::new(GreyPhoto { pixels, width, height }),
            faces: vec![Known { rect, points: Some(points), ignored: false }],
        }
    }

    #[test]
    fn labels_lie_on_their_faces() {
        let photos = [photo()];
        let sources = Sources { photos: &photos, nonfaces: &[], nonface_share: 0.0, turned_share: 0.0, chiral: false };
        let mut rng = Pcg64::seed_from_u64(1);
        let side = 192;
        let mut checked = 0;
        for _ in 0..60 {
            let mut pixels = vec![0.0; side * side];
            for face in draw(&sources, 0, side, &mut rng, &mut pixels).iter().filter(|f| !f.ignored) {
                let points = face.points.unwrap();
                assert!(points[0].distance(points[1]) > 0.0 && face.rect.contains(points[2]));
                let across = points[1].x - points[0].x;
                assert!(across > 0.0, "the right eye stays on the left side of the picture");
                let center = face.rect.center();
                if face.rect.width > 20.0 && face.rect.intersection(&Rect::from_xywh(0., 0., 192., 192.)) == face.rect {
                    let value = pixels[center.y as usize * side + center.x as usize];
                    assert!(value > 200.0, "the middle of a face is white: {value}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 30, "{checked}");
    }

    #[test]
    fn half_of_the_scenes_are_mirrored_and_none_of_a_chiral_object() {
        // Of a photo that is dark on the left and bright on the right, upright in one tile.
        let mut photos = [photo()];
        let pixels = (0..120 * 100).map(|i| 2 * (i % 120) as u8).collect();
        photos[0].pixels = Pyramid::new(GreyPhoto { pixels, width: 120, height: 100 });
        for (chiral, expected) in [(false, 20..=44), (true, 64..=64)] {
            let sources = Sources { photos: &photos, nonfaces: &[], nonface_share: 0.0, turned_share: 0.0, chiral };
            let mut rng = Pcg64::seed_from_u64(2);
            let side = 64;
            let brighter_to_the_right = |_: &usize| {
                let mut pixels = vec![0.0; side * side];
                draw(&sources, 0, side, &mut rng, &mut pixels);
                let pairs = || pixels.chunks_exact(side).flat_map(|row| row.windows(2));
                pairs().filter(|pair| pair[1] > pair[0]).count() > pairs().filter(|pair| pair[1] < pair[0]).count()
            };
            let count = (0..64).filter(brighter_to_the_right).count();
            assert!(expected.contains(&count), "{chiral}: {count}");
        }
    }
}
