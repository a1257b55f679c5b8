//! Pictures with points, as the paper's figures 7 to 9 show them: in the dark, with glasses, with expressions.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::Topology;
use lineament::{Crop, CropRule, Detection, Face, ImageView, Landmarks, Lineament, Options, Point, Rect};
use lineament_data::record::{RecordFrame, SIDE, image_from_record};
use lineament_data::{Photo, dataset};

use super::results::Picture;
use crate::training::Faces;
use lineament_train::error::Result;

/// Side of a drawn picture.
const TILE: usize = 288;
/// Side of a tile over that of the square that the networks see: shows hair and chin.
const AROUND: f32 = 1.25;
/// Faces of the table for each kind of picture.
const OF_A_KIND: usize = 2;

/// A square grey picture and where in it the networks look.
pub struct Tile {
    group: String,
    name: String,
    /// `[TILE, TILE]`.
    pixels: Vec<u8>,
    /// What the networks see, in pixels of the tile.
    crop: Rect,
}

/// The photos below `folder`, in groups by the folder they are in, cut as the table's faces usually are; those where no
/// face is found are left out.
///
/// # Errors
/// [`lineament_train::Error::Data`] when there are no photos or one cannot be read.
pub fn of_folder(folder: &Path, rule: CropRule) -> Result<Vec<Tile>> {
    let mut lineament = Lineament::new(Options::default())?;
    let mut tiles = Vec::new();
    for path in dataset::photos_in(folder)? {
        let photo = Photo::open(&path)?;
        let Some(face) = lineament.faces(&photo.view()).into_iter().next() else { continue };
        let Some(tight) = Rect::bounding(&face.landmarks.points) else { continue };
        let name =
            |path: Option<&std::ffi::OsStr>| path.map_or(String::new(), |name| name.to_string_lossy().into_owned());
        let group = path.parent().filter(|parent| *parent != folder).and_then(Path::file_name);
        let seen = rule.around(&tight);
        let around = Crop { side: AROUND * seen.side, ..seen };
        let mut pixels = vec![0.0; TILE * TILE];
        around.sample_into(&photo.view(), TILE, &mut pixels);
        let inner = TILE as f32 / AROUND;
        let edge = (TILE as f32 - inner) / 2.0;
        tiles.push(Tile {
            group: name(group),
            name: name(path.file_stem()),
            pixels: bytes(&pixels),
            crop: Rect::from_xywh(edge, edge, inner, inner),
        });
    }
    Ok(tiles)
}

/// Held back faces of 68 points that stand out: the darkest, the mouths that are most open, and widest.
pub fn of_faces(faces: &Faces) -> Vec<Tile> {
    let point = |face: usize, i: usize| {
        let c = faces.coordinates(face);
        Point::<RecordFrame>::new(c[2 * i], c[2 * i + 1])
    };
    let over_eyes = |face: usize, a, b| {
        point(face, a).distance(point(face, b)) / point(face, 36).distance(point(face, 45)).max(1.0)
    };
    let brightness = |face: usize| faces.pixels(face).iter().map(|p| f32::from(*p)).sum::<f32>();
    let kinds: [(&str, &dyn Fn(usize) -> f32); 3] = [
        ("dark", &|face| -brightness(face)),
        ("mouth open", &|face| over_eyes(face, 62, 66)),
        ("mouth wide", &|face| over_eyes(face, 48, 54)),
    ];
    let mut tiles = Vec::new();
    for (group, most) in kinds {
        let mut order = faces.validation().to_vec();
        order.sort_by(|a, b| most(*b).total_cmp(&most(*a)).then(a.cmp(b)));
        for &face in order.iter().take(OF_A_KIND) {
            let whole = ImageView::grey(faces.pixels(face), SIDE, SIDE).expect("a face is a square");
            let middle = SIDE as f32 / 2.0;
            let mut pixels = vec![0.0; TILE * TILE];
            let crop = Crop { center: Point::new(middle, middle), side: SIDE as f32, roll_rad: 0.0 };
            crop.sample_into(&whole, TILE, &mut pixels);
            let crop = Rect::from_xywh(0.0, 0.0, TILE as f32, TILE as f32);
            tiles.push(Tile { group: group.into(), name: format!("row {}", face + 1), pixels: bytes(&pixels), crop });
        }
    }
    tiles
}

impl Tile {
    /// What a network sees: brightness from 0 to 1, `[SIDE, SIDE]`.
    pub fn input(&self, input: &mut [f32]) {
        Crop { side: self.crop.width, ..Crop::from_rect(&self.crop) }.sample_into(&self.view(), SIDE, input);
        input.iter_mut().for_each(|v| *v /= 255.0);
    }

    /// From pixels of what the network sees to pixels of the picture.
    pub fn place(&self, point: Point<RecordFrame>) -> Point {
        image_from_record(&self.crop, point)
    }

    /// The picture with the points of each network drawn on a copy of it.
    pub fn finish(self, points: Vec<Vec<Point>>) -> Picture {
        let drawn = points.iter().map(|points| self.drawn(points)).collect();
        let flat = |points: Vec<Point>| points.iter().flat_map(|p| [p.x, p.y]).collect();
        Picture { group: self.group, name: self.name, points: points.into_iter().map(flat).collect(), drawn }
    }

    /// As a PNG.
    fn drawn(&self, points: &[Point]) -> Vec<u8> {
        let mut canvas = Canvas::from_view(&self.view());
        let topology = Topology::ibug68();
        if points.len() == topology.len() {
            let detection = Detection { rect: self.crop, points: topology.five(points), score: 1.0 };
            let landmarks = Landmarks::new(topology, points.to_vec(), vec![0.0; points.len()], 1.0);
            let options = DrawOptions { rect: false, score: false, ..DrawOptions::default() };
            canvas.draw_face(&Face { detection, landmarks }, &options);
        }
        let rgb: Vec<u8> = canvas.pixels().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        let mut png = Vec::new();
        let encoded = PngEncoder::new(&mut png).write_image(&rgb, TILE as u32, TILE as u32, ExtendedColorType::Rgb8);
        encoded.expect("a square of pixels can be encoded");
        png
    }

    fn view(&self) -> ImageView<'_> {
        ImageView::grey(&self.pixels, TILE, TILE).expect("a tile is a square")
    }
}

fn bytes(pixels: &[f32]) -> Vec<u8> {
    pixels.iter().map(|v| v.round() as u8).collect()
}
