//! The head: a mesh, its shapes of identity and expression, and where on it are lips, ears and scalp.

use std::path::Path;

use super::npy::Archive;
use crate::dice::Dice;
use crate::error::{Error, Result};
use crate::math::{Vec3, smoothstep, vec3};

/// What a surface is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Material {
    /// Skin, and hair that is only painted on it.
    Skin,
    /// An eyeball.
    Eye,
    /// Teeth.
    Teeth,
    /// Gums and tongue.
    Gums,
    /// The inside of mouth and eye sockets.
    Socket,
    /// Plastic or metal.
    Hard,
    /// Cloth and paper.
    Cloth,
    /// Glass that one looks through.
    Lens,
}

/// Vertices below this index are skin of head, neck and shoulders.
pub const SKIN: usize = 11_248;
/// Skin vertices below this one are of the face; the rest is the back of the head, the neck and the shoulders.
const FACE: usize = 9_409;
/// The first vertices of ears and their surroundings.
const EARS: std::ops::Range<usize> = 6_706..9_409;
const EYEBALLS: [std::ops::Range<usize>; 2] = [21_451..23_021, 23_021..24_591];
/// The head has so many vertices.
const VERTICES: usize = 24_591;
/// Skins are scaled by the median of these vertices.
const INNER_FACE: usize = 6_706;

/// Waves of noise per octave, and octaves. The first has about 35 cm, each further one half of that.
const WAVES: usize = 12;
const OCTAVES: usize = 6;
const FIRST_OCTAVE: f32 = 0.18;

/// Expressions that faces are given, with a shape for each side (`_L`, `_R`) or one for both. The file may have others.
const PAIRED: [&str; 18] = [
    "browDown",
    "browInnerUp",
    "browOuterUp",
    "cheekSquint",
    "eyeBlink",
    "eyeLookDown",
    "eyeLookIn",
    "eyeLookOut",
    "eyeLookUp",
    "eyeSquint",
    "eyeWide",
    "mouthFrown",
    "mouthLowerDown",
    "mouthPress",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
];
const UNPAIRED: [&str; 9] = [
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
];

/// The mesh and its shapes. Lengths are centimetres.
pub struct Head {
    /// Vertices of the neutral mean face.
    pub neutral: Vec<Vec3>,
    /// Normals of the neutral face.
    pub normals: Vec<Vec3>,
    /// Triangles that are drawn, counter-clockwise from outside, and what they are made of.
    pub triangles: Vec<[u32; 3]>,
    /// Of each triangle.
    pub materials: Vec<Material>,
    /// The triangles of skin.
    pub skin: Vec<[u32; 3]>,
    /// The model's own vertices for 68 points.
    pub landmarks: Vec<usize>,
    /// Names of the expressions, in the order of their weights.
    pub expressions: Vec<String>,
    /// Number of identity shapes.
    pub identities: usize,
    /// Distance from the eyeball's axis, in front of its centre; large elsewhere. In centimetres.
    pub iris_distance: Vec<f32>,
    /// How much a skin vertex is of the lips, 0 to 1.
    pub lip: Vec<f32>,
    /// Whether a skin vertex is of an ear.
    pub ear: Vec<bool>,
    /// Skins: colour at each skin vertex over the median colour of the face.
    pub skins: Vec<Vec<Vec3>>,
    identity: Shapes,
    expression: Shapes,
    waves: Vec<Vec<f32>>,
}

/// Displacements of all vertices, as whole numbers times a scale.
struct Shapes {
    steps: Vec<i16>,
    scales: Vec<f32>,
}

impl Shapes {
    fn read(archive: &mut Archive, name: &str) -> Result<Self> {
        let steps = archive.read(name)?.i16(&[0, VERTICES, 3])?;
        let scales = archive.read(&format!("{name}_scale"))?.f32(&[steps.len() / (3 * VERTICES)])?;
        Ok(Self { steps, scales })
    }

    fn add(&self, weights: &[f32], positions: &mut [f32]) {
        let shapes = self.steps.chunks_exact(3 * VERTICES).zip(&self.scales).zip(weights);
        for ((steps, scale), weight) in shapes.filter(|(_, weight)| **weight != 0.0) {
            let factor = scale * weight;
            positions.iter_mut().zip(steps).for_each(|(p, s)| *p += factor * f32::from(*s));
        }
    }
}

impl Head {
    pub(super) fn read(path: &Path, skins: &Path) -> Result<Self> {
        let mut archive = Archive::open(path)?;
        let numbers = archive.read("neutral")?.f32(&[VERTICES, 3])?;
        let neutral: Vec<Vec3> = numbers.chunks_exact(3).map(|p| vec3(p[0], p[1], p[2])).collect();
        let faces = archive.read("faces")?.i32(&[0, 4])?;
        let material = archive.read("material")?.u8(&[faces.len() / 4])?;
        let names = archive.read("materials")?.texts()?;
        if faces.iter().any(|i| !(-1..VERTICES as i32).contains(i)) {
            return Err(Error::file(path, "array `faces`: a vertex that does not exist"));
        }
        let (mut triangles, mut materials) = (Vec::new(), Vec::new());
        for (face, kind) in faces.chunks_exact(4).zip(&material) {
            let name = names.get(usize::from(*kind)).map_or("", String::as_str);
            let corners: Vec<u32> = face.iter().filter(|i| **i >= 0).map(|i| *i as u32).collect();
            if corners.len() < 3 {
                return Err(Error::file(path, "array `faces`: a face of fewer than 3 corners"));
            }
            let Some(material) = material_of(name, &corners) else { continue };
            for k in 1..corners.len() - 1 {
                triangles.push([corners[0], corners[k], corners[k + 1]]);
                materials.push(material);
            }
        }
        let skin: Vec<_> =
            triangles.iter().zip(&materials).filter(|(_, m)| **m == Material::Skin).map(|(t, _)| *t).collect();
        let landmarks = archive.read("landmarks68")?.i64(&[68])?;
        let landmarks: Vec<usize> = landmarks.into_iter().map(|i| i as usize).collect();
        if landmarks.iter().any(|i| *i >= FACE) {
            return Err(Error::file(path, "array `landmarks68`: a vertex outside the face"));
        }
        let normals = normals(&neutral, &triangles);
        let identity = Shapes::read(&mut archive, "identity")?;
        let expression = Shapes::read(&mut archive, "expression")?;
        let expressions = archive.read("expression_names")?.texts()?;
        if expressions.len() != expression.scales.len() {
            return Err(Error::file(path, "array `expression_names`: not one name for each expression"));
        }
        let sided = PAIRED.iter().flat_map(|name| ["L", "R"].map(|side| format!("{name}_{side}")));
        let mut needed = sided.chain(UNPAIRED.map(String::from));
        if let Some(missing) = needed.find(|name| !expressions.contains(name)) {
            return Err(Error::file(path, format!("array `expression_names`: `{missing}` is missing")));
        }
        let ear = (0..SKIN).map(|i| {
            let p = neutral[i];
            EARS.contains(&i) && p.x.abs() > 7.45 && p.y < 4.9 && p.z < 2.6
        });
        Ok(Self {
            lip: lips(&neutral, &landmarks),
            ear: ear.collect(),
            iris_distance: iris_distances(&neutral),
            skins: read_skins(skins)?,
            waves: waves(&neutral[..SKIN]),
            identities: identity.scales.len(),
            neutral,
            normals,
            triangles,
            materials,
            skin,
            landmarks,
            expressions,
            identity,
            expression,
        })
    }

    /// The vertices of a face with these weights.
    pub fn shape(&self, identity: &[f32], expression: &[f32]) -> Vec<Vec3> {
        let mut flat: Vec<f32> = self.neutral.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
        self.identity.add(identity, &mut flat);
        self.expression.add(expression, &mut flat);
        flat.chunks_exact(3).map(|p| vec3(p[0], p[1], p[2])).collect()
    }

    /// The index of an expression's weight; every expression that faces are given has one.
    ///
    /// # Panics
    /// For another name.
    pub fn expression(&self, name: &str) -> usize {
        self.expressions.iter().position(|n| n == name).unwrap_or_else(|| panic!("no expression `{name}`"))
    }

    /// Smooth noise at each skin vertex, with a standard deviation of about 1. Octave 0 has bumps of 35 cm, octave 5 of
    /// 1 cm. Half as strong in each further octave.
    pub fn noise(&self, octave: usize, octaves: usize, dice: &mut Dice) -> Vec<f32> {
        let mut sum = vec![0.0; SKIN];
        let mut strength = 1.0 / (WAVES as f32).sqrt();
        for o in octave..(octave + octaves).min(OCTAVES) {
            for wave in &self.waves[o * WAVES..(o + 1) * WAVES] {
                let factor = strength * dice.normal() * std::f32::consts::SQRT_2;
                sum.iter_mut().zip(wave).for_each(|(s, w)| *s += factor * w);
            }
            strength *= 0.6;
        }
        sum
    }
}

/// What a face of the model is made of; none where it is not drawn (corneas, tear ducts and lashes, which are drawn
/// otherwise).
fn material_of(name: &str, corners: &[u32]) -> Option<Material> {
    let within = |range: &std::ops::Range<usize>| corners.iter().all(|i| range.contains(&(*i as usize)));
    match name {
        "M_Face" | "M_BackHead" if within(&(0..SKIN)) => Some(Material::Skin),
        "M_Face" | "M_BackHead" => Some(Material::Socket),
        "M_ScleraLeft" | "M_ScleraRight" => Some(Material::Eye),
        "M_Teeth" => Some(Material::Teeth),
        "M_GumsTongue" => Some(Material::Gums),
        _ => None,
    }
}

/// Unit normals of the vertices, weighted by the area of the triangles around them.
pub fn normals(positions: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let mut sums = vec![Vec3::default(); positions.len()];
    for corners in triangles {
        let [a, b, c] = corners.map(|i| positions[i as usize]);
        let normal = (b - a).cross(c - a);
        corners.iter().for_each(|i| sums[*i as usize] += normal);
    }
    sums.into_iter().map(Vec3::unit).collect()
}

fn lips(neutral: &[Vec3], landmarks: &[usize]) -> Vec<f32> {
    let outline: Vec<Vec3> = landmarks[48..60].iter().map(|i| neutral[*i]).collect();
    let edges = || outline.iter().zip(outline.iter().cycle().skip(1));
    let inside = |p: Vec3| {
        let crossed =
            |(a, b): &(&Vec3, &Vec3)| (a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y);
        edges().filter(crossed).count() % 2 == 1
    };
    let distance = |p: Vec3| {
        let to = |(a, b): (&Vec3, &Vec3)| {
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let t = (((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
            let (ex, ey) = (p.x - a.x - t * dx, p.y - a.y - t * dy);
            (ex * ex + ey * ey).sqrt()
        };
        edges().map(to).fold(9.0, f32::min)
    };
    let lip = |(i, p): (usize, &Vec3)| match i < FACE && p.z > 9.0 {
        true if inside(*p) => 1.0,
        true => smoothstep(-distance(*p), -0.22, 0.0),
        false => 0.0,
    };
    neutral[..SKIN].iter().enumerate().map(lip).collect()
}

fn iris_distances(neutral: &[Vec3]) -> Vec<f32> {
    let mut distances = vec![9.0; neutral.len()];
    for ball in EYEBALLS {
        let points = &neutral[ball.clone()];
        let (mut low, mut high) = (points[0], points[0]);
        for p in points {
            for axis in 0..3 {
                low[axis] = low[axis].min(p[axis]);
                high[axis] = high[axis].max(p[axis]);
            }
        }
        let centre = (low + high) * 0.5;
        let front = points.iter().copied().fold(points[0], |a, b| if b.z > a.z { b } else { a });
        let axis = (front - centre).unit();
        for (distance, p) in distances[ball].iter_mut().zip(points) {
            let along = (*p - centre).dot(axis);
            *distance = if along < 0.0 { 2.0 } else { (*p - centre - axis * along).length() };
        }
    }
    distances
}

fn read_skins(path: &Path) -> Result<Vec<Vec<Vec3>>> {
    let mut archive = Archive::open(path)?;
    let names = archive.names();
    if names.is_empty() {
        return Err(Error::file(path, "no arrays"));
    }
    let read = |name: &String| {
        let numbers = archive.read(name)?.f32(&[SKIN, 3])?;
        let colours: Vec<Vec3> = numbers.chunks_exact(3).map(|p| vec3(p[0], p[1], p[2])).collect();
        let mut median = Vec3::default();
        for axis in 0..3 {
            let mut sorted: Vec<f32> = colours[..INNER_FACE].iter().map(|c| c[axis]).collect();
            sorted.sort_by(f32::total_cmp);
            median[axis] = sorted[sorted.len() / 2].max(1e-3);
        }
        Ok(colours.iter().map(|c| vec3(c.x / median.x, c.y / median.y, c.z / median.z)).collect())
    };
    names.iter().map(read).collect()
}

/// Waves through the head in fixed random directions: sums of them are noise.
fn waves(skin: &[Vec3]) -> Vec<Vec<f32>> {
    let mut dice = Dice::new(1);
    let wave = |k: usize| {
        let along = dice.normal3() * (FIRST_OCTAVE * (1 << (k / WAVES)) as f32);
        let phase = dice.range(0.0, 6.3);
        skin.iter().map(|p| libm::sinf(p.dot(along) + phase)).collect()
    };
    (0..WAVES * OCTAVES).map(wave).collect()
}
