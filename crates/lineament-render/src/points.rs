//! Labels: places on the head for the points of a topology, where they appear, and whether they can be seen.

use lineament::Point;
use lineament::topology::{Topology, ibug68};
use lineament_data::topologies;
use serde::Deserialize;

use crate::assets::{Head, SKIN};
use crate::error::{Error, Result};
use crate::math::{Vec3, vec3};
use crate::raster::{SAMPLES, Visible};
use crate::scene::Camera;

/// Places for the 68 points, and for the 98 of WFLW.
const FILES: [(&str, &str); 2] =
    [("ibug68", include_str!("../points/ibug68.toml")), ("wflw98", include_str!("../points/wflw98.toml"))];

/// Skin that faces away from the front by more than this is not where a point is, as the cosine.
const FACING: f32 = -0.35;
/// A point slides among vertices this near to the plane through it and the head's axis, in centimetres.
const SLICE: f32 = 0.28;
/// The axis of the slices: through this place, along z.
const AXIS: Vec3 = vec3(0.0, 1.0, 4.0);
/// A point slides forwards, or backwards by up to this, in centimetres.
const BACKWARDS: f32 = 0.6;
/// Between the lids there is no skin. A place there moves to the nearest vertex of the skin within this distance, in
/// centimetres.
const GAP: f32 = 0.4;
/// What lies this far before a point hides it, in centimetres.
const HIDES: f32 = 0.7;

/// A file of places.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacesFile {
    topology: String,
    point: Vec<PlaceText>,
}

/// One point of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceText {
    /// The topology's name for it.
    name: String,
    /// What it marks, for readers.
    #[serde(rename = "what")]
    _what: Option<String>,
    vertices: Vec<usize>,
    #[serde(default)]
    shift: [f32; 2],
    #[serde(default)]
    slides: bool,
}

/// A place on a triangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The triangle's vertices.
    pub corners: [u32; 3],
    /// Their weights, which sum to 1.
    pub weights: [f32; 3],
}

impl Place {
    /// Where it is on a head with these vertices.
    pub fn at(&self, positions: &[Vec3]) -> Vec3 {
        let parts = self.corners.iter().zip(self.weights).map(|(i, w)| positions[*i as usize] * w);
        parts.fold(Vec3::default(), |sum, part| sum + part)
    }
}

/// The places of all points of a topology.
pub struct Places {
    /// The topology.
    pub topology: Topology,
    /// Of each point, or of the 68 points from which they follow.
    pub places: Vec<Place>,
    /// Of each place, the vertices among which it slides; empty where it stays.
    slices: Vec<Vec<u32>>,
    /// Depth of each place on the neutral face.
    depths: Vec<f32>,
}

/// A label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// In pixels of the picture.
    pub point: Point,
    /// Whether nothing is before it.
    pub visible: bool,
}

impl Places {
    /// The places of a topology that comes with the renderer (`ibug68`, `wflw98`, and those whose points are all among
    /// the 68), or of a file of places (docs/render.md).
    ///
    /// # Errors
    /// [`Error::Points`] when there are none for this topology, or the file is wrong.
    pub fn open(head: &Head, name_or_path: &str) -> Result<Self> {
        if let Some((_, text)) = FILES.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(head, text);
        }
        if name_or_path.ends_with(".toml") {
            let text =
                std::fs::read_to_string(name_or_path).map_err(|e| Error::Points(format!("{name_or_path}: {e}")))?;
            if text.contains("[[point]]") {
                return Self::parse(head, &text).map_err(|e| Error::Points(format!("{name_or_path}: {e}")));
            }
        }
        let topology = topologies::open(name_or_path)?.topology;
        let whole = Self::parse(head, FILES[0].1)?;
        if topology.from_ibug68(&[Point::<()>::new(0.0, 0.0); ibug68::POINTS]).is_none() {
            let known = "the 68 points, those that follow from them, `wflw98`, and files of places (docs/render.md)";
            return Err(Error::Points(format!("`{}` has no places on the head: there are {known}", topology.name())));
        }
        Ok(Self { topology, ..whole })
    }

    fn parse(head: &Head, text: &str) -> Result<Self> {
        let wrong = |what: String| Error::Points(what);
        let file: PlacesFile = toml::from_str(text).map_err(|e| wrong(e.message().into()))?;
        let topology = topologies::open(&file.topology)?.topology;
        let mut texts: Vec<Option<&PlaceText>> = vec![None; topology.len()];
        for place in &file.point {
            let index = topology.names().iter().position(|name| *name == place.name);
            let Some(index) = index else {
                return Err(wrong(format!("`{}` has no point `{}`", topology.name(), place.name)));
            };
            if place.vertices.is_empty() || place.vertices.iter().any(|i| *i >= head.neutral.len()) {
                return Err(wrong(format!("point `{}`: vertices from 0 to {}", place.name, head.neutral.len() - 1)));
            }
            texts[index] = Some(place);
        }
        let (mut places, mut slices, mut depths) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..topology.len() {
            let (text, mirrored) = match (texts[index], texts[topology.mirror()[index]]) {
                (Some(text), _) => (text, false),
                (None, Some(text)) => (text, true),
                (None, None) => return Err(wrong(format!("point `{}` has no place", topology.names()[index]))),
            };
            let place = place(head, text, mirrored);
            let place = place.ok_or_else(|| wrong(format!("point `{}` lies beside the face", text.name)))?;
            let at = place.at(&head.neutral);
            slices.push(if text.slides { slice(head, at) } else { Vec::new() });
            depths.push(at.z);
            places.push(place);
        }
        Ok(Self { topology, places, slices, depths })
    }

    /// Where the points of a head appear, with the depth of each place.
    pub fn project(&self, head: &Head, positions: &[Vec3], camera: &Camera) -> Vec<Vec3> {
        let mut points: Vec<Vec3> = self.places.iter().map(|place| camera.project(place.at(positions))).collect();
        // Outwards in the picture: away from the line from the root of the nose towards the chin.
        let [root, chin] = [27, 8].map(|i| camera.project(positions[head.landmarks[i]]));
        let centre = chin * 0.25 + root * 0.75;
        for (i, slice) in self.slices.iter().enumerate().filter(|(_, slice)| !slice.is_empty()) {
            let point = points[i];
            let outward = vec3(point.x - centre.x, point.y - centre.y, 0.0).unit();
            let reach = |j: u32| {
                let p = camera.project(positions[j as usize]);
                (vec3(p.x - point.x, p.y - point.y, 0.0).dot(outward), p)
            };
            let forward = slice.iter().filter(|j| head.neutral[**j as usize].z > self.depths[i] - BACKWARDS);
            let farthest = forward.map(|j| reach(*j)).fold((0.0, point), |a, b| if b.0 > a.0 { b } else { a });
            points[i] = farthest.1;
        }
        if self.topology.len() == points.len() {
            return points;
        }
        // Of a topology whose points are among the 68, or means of them.
        let of_68 = |value: fn(Vec3) -> Point<()>| {
            let all: [Point<()>; ibug68::POINTS] = std::array::from_fn(|i| value(points[i]));
            self.topology.from_ibug68(&all).expect("a topology without points of its own follows from the 68")
        };
        let (places, depths) = (of_68(|p| Point::new(p.x, p.y)), of_68(|p| Point::new(p.z, 0.0)));
        places.iter().zip(depths).map(|(p, depth)| vec3(p.x, p.y, depth.x)).collect()
    }

    /// The labels of a picture.
    pub fn labels(&self, head: &Head, positions: &[Vec3], camera: &Camera, visible: &Visible) -> Vec<Label> {
        let points = self.project(head, positions, camera).into_iter();
        points.map(|p| Label { point: Point::new(p.x, p.y), visible: is_visible(p, visible) }).collect()
    }
}

/// Whether most samples around a point are not before it.
fn is_visible(p: Vec3, visible: &Visible) -> bool {
    let size = visible.width as isize;
    let [x, y] = [p.x, p.y].map(|c| (c * SAMPLES as f32) as isize);
    let around = (-2..=2).flat_map(|dy| (-2..=2).map(move |dx| (x + dx, y + dy)));
    let mut inside = 0;
    let mut hidden = 0;
    for (x, y) in around.filter(|(x, y)| (0..size).contains(x) && (0..size).contains(y)) {
        inside += 1;
        hidden += usize::from(visible.depth[(y * size + x) as usize] < p.z - HIDES);
    }
    2 * hidden < inside
}

/// The place that a text describes, on this side or the other.
fn place(head: &Head, text: &PlaceText, mirrored: bool) -> Option<Place> {
    let count = text.vertices.len() as f32;
    let mean = text.vertices.iter().fold(Vec3::default(), |sum, i| sum + head.neutral[*i]) * (1.0 / count);
    let side = if mirrored { -1.0 } else { 1.0 };
    let at = vec3(side * (mean.x + text.shift[0]), mean.y + text.shift[1], mean.z);
    // A vertex that is not of the skin, as of an eyeball, is itself the place, or its mirror image.
    if text.vertices.iter().any(|i| *i >= SKIN) {
        let inside = (SKIN..head.neutral.len()).filter(|i| head.neutral[*i].z > at.z - 1.0);
        let nearest = inside.min_by(|a, b| {
            let [a, b] = [a, b].map(|i| (head.neutral[*i] - at).length());
            a.total_cmp(&b)
        })?;
        return Some(Place { corners: [nearest as u32; 3], weights: [1.0, 0.0, 0.0] });
    }
    let mut best: Option<(f32, Place)> = None;
    for corners in &head.skin {
        let [a, b, c] = corners.map(|i| head.neutral[i as usize]);
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        let facing = corners.iter().map(|i| head.normals[*i as usize].z).sum::<f32>() / 3.0;
        if facing < FACING || area.abs() < 1e-9 {
            continue;
        }
        let wa = ((b.x - at.x) * (c.y - at.y) - (b.y - at.y) * (c.x - at.x)) / area;
        let wb = ((c.x - at.x) * (a.y - at.y) - (c.y - at.y) * (a.x - at.x)) / area;
        let weights = [wa, wb, 1.0 - wa - wb];
        if weights.iter().all(|w| *w > -1e-5) {
            let depth = (a.z * weights[0] + b.z * weights[1] + c.z * weights[2] - at.z).abs();
            if best.is_none_or(|(least, _)| depth < least) {
                best = Some((depth, Place { corners: *corners, weights }));
            }
        }
    }
    if let Some((_, place)) = best {
        return Some(place);
    }
    // In a gap of the skin, as between the lids: the nearest vertex beside it.
    let beside = |i: &u32| {
        let d = head.neutral[*i as usize] - at;
        vec3(d.x, d.y, 0.3 * d.z).length()
    };
    let nearest = (0..SKIN as u32).filter(|i| head.normals[*i as usize].z > FACING);
    let nearest = nearest.min_by(|i, j| beside(i).total_cmp(&beside(j)))?;
    (beside(&nearest) < GAP).then_some(Place { corners: [nearest; 3], weights: [1.0, 0.0, 0.0] })
}

/// The skin vertices near the plane through a place and the head's axis, on its side.
fn slice(head: &Head, at: Vec3) -> Vec<u32> {
    let d = at - AXIS;
    let outward = vec3(d.x, d.y, 0.0).unit();
    let across = vec3(-outward.y, outward.x, 0.0);
    let reach = d.dot(outward);
    let near = |i: &u32| {
        let p = head.neutral[*i as usize];
        let r = p - AXIS;
        !head.ear[*i as usize]
            && r.dot(across).abs() < SLICE
            && r.dot(outward) > (0.55 * reach).max(1.5)
            && p.z > -1.0
            && p.y > -9.0
    };
    (0..SKIN as u32).filter(near).collect()
}
