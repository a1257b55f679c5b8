//! Pictures of kites, with the places of their corners: objects that are not faces.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use image::GrayImage;

/// The topology of a kite, and how its points and a detector are trained: the files that go with the pictures.
pub const TEXTS: [(&str, &str); 3] = [
    ("kite.toml", include_str!("kite.toml")),
    ("points.toml", include_str!("points.toml")),
    ("detector.toml", include_str!("detector.toml")),
];

/// Width and height of a picture, in pixels.
const SIZE: (u32, u32) = (160, 128);

/// The same of a picture of a group.
const GROUP_SIZE: (u32, u32) = (320, 256);

/// From the middle of a kite to its top, in pixels.
const SIDES: (f32, f32) = (16.0, 38.0);

/// Top, left wing, tail, right wing of a kite of side 1 around (0, 0); y points down. Left is the kite's own.
const CORNERS: [(f32, f32); 4] = [(0.0, -1.0), (0.62, -0.25), (0.0, 1.0), (-0.62, -0.25)];

/// Writes `count` pictures into `folder`, and `kites.csv`, the label table of the kites in them. The same seed gives
/// the same pictures.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, count: usize, seed: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut random = Random(seed.wrapping_mul(2) + 1);
    let mut table = String::from("photo,x,y,w,h");
    for name in ["top", "left_wing", "tail", "right_wing"] {
        let _ = write!(table, ",{name}_x,{name}_y"); // writing to a String cannot fail, here and below
    }
    table.push('\n');
    for number in 0..count {
        let name = format!("kite{number:04}.png");
        let (picture, kites) = picture(&mut random);
        picture.save(folder.join(&name)).map_err(io::Error::other)?;
        for kite in kites {
            let _ = write!(table, "{name},,,,");
            for (x, y) in kite {
                let _ = write!(table, ",{x:.2},{y:.2}");
            }
            table.push('\n');
        }
    }
    fs::write(folder.join("kites.csv"), table)
}

/// Writes a picture of a group of kites.
///
/// # Errors
/// When the file cannot be written.
pub fn write_group(path: &Path, kites: usize, seed: u64) -> io::Result<()> {
    let mut random = Random(seed.wrapping_mul(2) + 1);
    let mut picture = background(&mut random, GROUP_SIZE);
    for kite in place(&mut random, GROUP_SIZE, kites) {
        kite.draw(&mut picture);
    }
    picture.save(path).map_err(io::Error::other)
}

/// Writes a film of two kites in the wind, 30 frames a second, as Y4M.
///
/// # Errors
/// When the file cannot be written.
pub fn write_film(path: &Path, frames: usize, seed: u64) -> io::Result<()> {
    let mut random = Random(seed.wrapping_mul(2) + 1);
    let sky = background(&mut random, SIZE);
    let kites = place(&mut random, SIZE, 2);
    let mut film = format!("YUV4MPEG2 W{} H{} F30:1 Ip A1:1 Cmono\n", SIZE.0, SIZE.1).into_bytes();
    for number in 0..frames {
        let mut picture = sky.clone();
        for kite in &kites {
            let (slow, fast) = ((number as f32 / 15.0).sin(), (number as f32 / 6.0).sin());
            Kite { x: kite.x + 8.0 * slow, y: kite.y + 4.0 * fast, angle: kite.angle + 0.1 * slow, ..*kite }
                .draw(&mut picture);
        }
        picture.pixels_mut().for_each(|pixel| pixel.0[0] = (f32::from(pixel.0[0]) + random.within(-4.0, 4.0)) as u8);
        film.extend_from_slice(b"FRAME\n");
        film.extend_from_slice(&picture);
    }
    fs::write(path, film)
}

/// A noisy background with discs, one or two kites on it, and their corners in pixels.
fn picture(random: &mut Random) -> (GrayImage, Vec<[(f32, f32); 4]>) {
    let mut picture = background(random, SIZE);
    let wanted = 1 + random.below(2);
    let kites = place(random, SIZE, wanted);
    kites.iter().for_each(|kite| kite.draw(&mut picture));
    (picture, kites.iter().map(Kite::corners).collect())
}

/// Noise and up to four discs.
fn background(random: &mut Random, (across, down): (u32, u32)) -> GrayImage {
    let (width, height) = (across as f32, down as f32);
    let (base, slope_x, slope_y) = (random.within(20.0, 120.0), random.within(-0.3, 0.3), random.within(-0.3, 0.3));
    let mut picture = GrayImage::from_fn(across, down, |x, y| {
        [(base + slope_x * x as f32 + slope_y * y as f32 + random.within(-10.0, 10.0)) as u8].into()
    });
    for _ in 0..random.below(5) {
        let (x, y, radius) = (random.within(0.0, width), random.within(0.0, height), random.within(4.0, 15.0));
        let shade = random.within(0.0, 255.0) as u8;
        fill(&mut picture, shade, |px, py| (px - x).hypot(py - y) < radius);
    }
    picture
}

/// Up to `wanted` kites that do not touch each other.
fn place(random: &mut Random, (across, down): (u32, u32), wanted: usize) -> Vec<Kite> {
    let (width, height) = (across as f32, down as f32);
    let mut kites: Vec<Kite> = Vec::new();
    for _ in 0..25 * wanted.max(2) {
        if kites.len() == wanted {
            break;
        }
        let side = random.within(SIDES.0, SIDES.1);
        let (x, y) = (random.within(side, width - side), random.within(side, height - side));
        if kites.iter().any(|other| (x - other.x).abs().max((y - other.y).abs()) < side + other.side) {
            continue;
        }
        let angle = random.within(-0.25, 0.25);
        let shades = [random.within(170.0, 255.0) as u8, random.within(120.0, 165.0) as u8];
        kites.push(Kite { x, y, side, angle, shades });
    }
    kites
}

/// A kite: its middle, from there to its top, how far it is turned, and the two shades of its quarters.
struct Kite {
    x: f32,
    y: f32,
    side: f32,
    angle: f32,
    shades: [u8; 2],
}

impl Kite {
    fn corners(&self) -> [(f32, f32); 4] {
        let (Self { x, y, side, .. }, (sin, cos)) = (self, self.angle.sin_cos());
        CORNERS.map(|(u, v)| (x + side * (cos * u - sin * v), y + side * (sin * u + cos * v)))
    }

    fn draw(&self, picture: &mut GrayImage) {
        let [top, left, tail, right] = self.corners();
        let middle = ((left.0 + right.0) / 2.0, (left.1 + right.1) / 2.0);
        for (triangle, shade) in [
            ([top, left, middle], self.shades[0]),
            ([left, tail, middle], self.shades[1]),
            ([tail, right, middle], self.shades[0]),
            ([right, top, middle], self.shades[1]),
        ] {
            fill(picture, shade, |px, py| is_inside(&triangle, px, py));
        }
    }
}

fn fill(picture: &mut GrayImage, shade: u8, is_inside: impl Fn(f32, f32) -> bool) {
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if is_inside(x as f32 + 0.5, y as f32 + 0.5) {
            pixel.0 = [shade];
        }
    }
}

/// Whether a point lies in a triangle whose corners run clockwise on the screen.
fn is_inside(corners: &[(f32, f32); 3], x: f32, y: f32) -> bool {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).all(|(a, b)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) >= 0.0)
}

/// Even random numbers (Knuth's linear congruences).
struct Random(u64);

impl Random {
    fn within(&mut self, low: f32, high: f32) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (self.0 >> 40) as f32 / (1u32 << 24) as f32
    }

    fn below(&mut self, end: usize) -> usize {
        (self.within(0.0, end as f32) as usize).min(end - 1)
    }
}
