//! Topologies: which points an object has, as data.
//!
//! A [`Topology`] says how many points there are and how they are called, which of them swap sides when the picture is
//! mirrored, which lines are drawn, which parts errors are reported by, and what errors are divided by. A model file
//! carries the topology that its network was trained with. [`ibug68`] holds what only the default topology has: indices
//! for those who know at compile time that their points are these 68.
//!
//! ```
//! use lineament::topology::{Topology, ibug68};
//!
//! let topology = Topology::ibug68();
//! assert_eq!((topology.len(), topology.name()), (68, "ibug68"));
//! assert_eq!(topology.names()[30], "nose_bridge_3"); // the tip of the nose
//! assert_eq!(topology.mirror()[36], ibug68::OUTER_EYE_CORNERS.1);
//! ```

pub mod ibug68;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::geometry::{Point, Rect};
use crate::pose::Head;

pub use text::{Fault, parse_colour, parse_indices};

/// Most points of a topology: twice the largest face mesh in use. Bounds the memory that a hostile model file asks for.
pub const MAX_POINTS: usize = 1000;

/// Longest name of a topology, a point, a part or an outline, in bytes.
const MAX_NAME: usize = 64;

/// Most outlines and most parts: bounds the time of drawing, as [`MAX_POINTS`] does.
const MAX_LINES: usize = 1000;

/// A part's limit unless its topology says another; see [`Part::hidden_above`].
pub const HIDDEN_ABOVE: f32 = 0.06;

/// A line through points, as drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// What the line follows.
    pub name: String,
    /// Indices of its points in drawing order.
    pub points: Vec<usize>,
    /// The last point is joined to the first.
    pub closed: bool,
    /// Red, green, blue; `None`: a colour by the part of its first point.
    pub colour: Option<[u8; 3]>,
}

/// A named part of the object and its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Lower-case name, as printed in reports.
    pub name: String,
    /// Indices of its points.
    pub points: Vec<usize>,
    /// A point counts as hidden when its expected error is above this share of [`Topology::unit`].
    pub hidden_above: f32,
}

/// How the box of the whole object, which a detector finds, lies around the box of the points. Both are measured along
/// the object's own axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObjectBox {
    /// Side of the object's box, a square, over the longer side of the box of the points.
    pub scale: f32,
    /// From the centre of the box of the points to that of the object's box, right and down, over that longer side.
    pub shift: (f32, f32),
}

impl Default for ObjectBox {
    /// The object's box is the box of the points.
    fn default() -> Self {
        Self { scale: 1.0, shift: (0.0, 0.0) }
    }
}

/// What a [`Topology`] is made of. Indices count the points from 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// The topology's name: lower-case letters, digits and underscores.
    pub name: String,
    /// The name of each point: unique, of lower-case letters, digits and underscores, so that it can head a column.
    pub names: Vec<String>,
    /// For each point, the point that it becomes when the picture is mirrored left to right. Empty: each is its own.
    pub mirror: Vec<usize>,
    /// Whether the object differs from its mirror image: letters, a left hand. Its pictures are never mirrored, neither
    /// in training nor to place points, and `mirror` says nothing.
    pub chiral: bool,
    /// The lines that are drawn.
    pub outlines: Vec<Outline>,
    /// The parts; every point belongs to one. Empty: one part of all points.
    pub parts: Vec<Part>,
    /// Errors are divided by the distance between the means of these two sets of points. `None`: by the square root of
    /// the area of the object's box.
    pub normaliser: Option<[Vec<usize>; 2]>,
    /// Sets of points whose means are right eye, left eye, nose tip, right and left mouth corner (the person's own
    /// sides): they say how far a face is turned. `None`: objects are taken to be upright.
    pub five: Option<[Vec<usize>; 5]>,
    /// For each point the iBUG 68 points whose mean it is, an empty set where there are none. Head pose and expression
    /// are computed from them, and labels of 68 points can be used. Empty: no point has any.
    pub ibug68: Vec<Vec<usize>>,
    /// How the object's box lies around the points.
    pub object_box: ObjectBox,
}

/// Which points an object has. Cheap to clone.
#[derive(Clone)]
pub struct Topology(Arc<Inner>);

struct Inner {
    definition: Definition,
    /// For each point, the number of its part.
    part_of: Vec<usize>,
    /// For each of the iBUG 68 points, the point that is the same.
    own_of_68: Vec<Option<usize>>,
    head: Option<Head>,
}

static IBUG68: LazyLock<Topology> = LazyLock::new(|| Topology::from_checked(ibug68::definition()));

impl Topology {
    /// The iBUG 68 points, see [`ibug68`].
    pub fn ibug68() -> Self {
        IBUG68.clone()
    }

    /// A topology of one's own.
    ///
    /// # Errors
    /// A [`Fault`] that names the field that contradicts itself:
    ///
    /// - an index out of range, or a set without points;
    /// - a mirror partner that is not mutual, or a normaliser or `five` that is another one in the mirror;
    /// - a box beside the points, which in the mirror would lie on their other side, where the object is not chiral;
    /// - a chiral object with mirror partners;
    /// - a point in no part or in two;
    /// - the name of [`Topology::ibug68`] on points that differ from it.
    pub fn new(mut definition: Definition) -> Result<Self, Fault> {
        let count = definition.names.len();
        if definition.mirror.is_empty() {
            definition.mirror = (0..count).collect();
        }
        if definition.parts.is_empty() {
            let points = (0..count).collect();
            definition.parts = vec![Part { name: "points".into(), points, hidden_above: HIDDEN_ABOVE }];
        }
        if definition.ibug68.is_empty() {
            definition.ibug68 = vec![Vec::new(); count];
        }
        definition.check()?;
        if definition.name == ibug68::NAME {
            return match definition == *Self::ibug68().definition() {
                true => Ok(Self::ibug68()),
                false => Err(Fault::new("name", "`ibug68` is the library's own topology and differs from this one")),
            };
        }
        Ok(Self::from_checked(definition))
    }

    fn from_checked(definition: Definition) -> Self {
        let mut part_of = vec![0; definition.names.len()];
        for (number, part) in definition.parts.iter().enumerate() {
            part.points.iter().for_each(|&i| part_of[i] = number);
        }
        let own = |j: usize| definition.ibug68.iter().position(|set| *set == [j]);
        let own_of_68 = (0..ibug68::POINTS).map(own).collect();
        let head = Head::of(&definition.ibug68);
        Self(Arc::new(Inner { definition, part_of, own_of_68, head }))
    }

    /// What it is made of, with everything that was left out filled in.
    pub fn definition(&self) -> &Definition {
        &self.0.definition
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.definition.name
    }

    /// Number of points, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a point")]
    pub fn len(&self) -> usize {
        self.0.definition.names.len()
    }

    /// The names of the points.
    pub fn names(&self) -> &[String] {
        &self.0.definition.names
    }

    /// For each point, the point that it becomes when the picture is mirrored left to right.
    pub fn mirror(&self) -> &[usize] {
        &self.0.definition.mirror
    }

    /// Whether the object differs from its mirror image, so that its pictures must not be mirrored.
    pub fn is_chiral(&self) -> bool {
        self.0.definition.chiral
    }

    /// The lines that are drawn.
    pub fn outlines(&self) -> &[Outline] {
        &self.0.definition.outlines
    }

    /// The parts, which together hold every point once.
    pub fn parts(&self) -> &[Part] {
        &self.0.definition.parts
    }

    /// The number of a point's part.
    ///
    /// # Panics
    /// When there is no such point.
    pub fn part_of(&self, point: usize) -> usize {
        self.0.part_of[point]
    }

    /// Whether these are the iBUG 68 points.
    pub fn is_ibug68(&self) -> bool {
        Arc::ptr_eq(&self.0, &IBUG68.0)
    }

    /// Whether every point is one of the iBUG 68 points or a mean of some, so that labels of 68 points can be used.
    pub fn follows_ibug68(&self) -> bool {
        self.0.definition.ibug68.iter().all(|set| !set.is_empty())
    }

    /// This topology's points from the iBUG 68 points of the same face; `None` where
    /// [`Topology::follows_ibug68`] is false.
    pub fn from_ibug68<F>(&self, points: &[Point<F>; ibug68::POINTS]) -> Option<Vec<Point<F>>> {
        let sets = self.follows_ibug68().then_some(&self.0.definition.ibug68)?;
        Some(sets.iter().map(|set| mean_of(points, set)).collect())
    }

    /// Whether a head pose can be computed from its points.
    pub fn has_pose(&self) -> bool {
        self.0.head.is_some()
    }

    /// Whether openings of eyes and mouth can be computed from its points.
    pub fn has_expression(&self) -> bool {
        self.has_pose() && crate::expression::NEEDED.iter().all(|&i| self.0.own_of_68[i].is_some())
    }

    pub(crate) fn head(&self) -> Option<&Head> {
        self.0.head.as_ref()
    }

    /// This topology's point that is point `i` of the iBUG 68.
    pub(crate) fn own_of_68(&self, i: usize) -> Option<usize> {
        self.0.own_of_68[i]
    }

    /// The five points of a detection: right eye, left eye, nose tip, right and left mouth corner. `None` for an object
    /// that has none.
    ///
    /// # Panics
    /// When `points` are not as many as the topology's.
    pub fn five<F>(&self, points: &[Point<F>]) -> Option<[Point<F>; 5]> {
        self.0.definition.five.as_ref().map(|sets| sets.each_ref().map(|set| mean_of(points, set)))
    }

    /// What errors are divided by, in the units of the points: the distance between the two sets of
    /// [`Definition::normaliser`], or the square root of the area of the object's box.
    ///
    /// # Panics
    /// When `points` are not as many as the topology's.
    pub fn unit(&self, points: &[Point]) -> f32 {
        match &self.0.definition.normaliser {
            Some([a, b]) => mean_of(points, a).distance(mean_of(points, b)),
            None => self.rect(points).area().sqrt(),
        }
    }

    /// What [`Topology::unit`] is, for reports.
    pub fn unit_name(&self) -> String {
        let Some([a, b]) = &self.0.definition.normaliser else { return "square root of the box's area".into() };
        if self.is_ibug68() { "distance between the outer eye corners".into() } else { self.distance_name(a, b) }
    }

    fn distance_name(&self, a: &[usize], b: &[usize]) -> String {
        let names = |set: &[usize]| set.iter().map(|&i| self.names()[i].as_str()).collect::<Vec<_>>().join(", ");
        format!("distance between {} and {}", names(a), names(b))
    }

    /// The box of the object: that of the points, or the square around it that [`Definition::object_box`] says. Not
    /// finite where no point is.
    ///
    /// # Panics
    /// When `points` are not as many as the topology's.
    pub fn rect(&self, points: &[Point]) -> Rect {
        if self.0.definition.object_box == ObjectBox::default() {
            return Rect::bounding(points).unwrap_or_default();
        }
        let crop = crate::Crop::from_points(self, points);
        let side = crop.side / crate::CropRule::STANDARD.margin;
        Rect::from_center_size(crop.center, side, side)
    }
}

impl PartialEq for Topology {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.definition() == other.definition()
    }
}

impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Topology({}, {} points)", self.name(), self.len())
    }
}

/// The mean of some of the points; the point itself where it is one.
fn mean_of<F>(points: &[Point<F>], set: &[usize]) -> Point<F> {
    if let [only] = set {
        return points[*only];
    }
    let (x, y) = set.iter().fold((0.0, 0.0), |(x, y), &i| (x + points[i].x, y + points[i].y));
    Point::new(x / set.len() as f32, y / set.len() as f32)
}

impl Definition {
    fn check(&self) -> Result<(), Fault> {
        let Self { name, names, mirror, chiral, outlines, parts, normaliser, five, ibug68, object_box } = self;
        let count = names.len();
        let fault = |key: &'static str, what: String| Err(Fault::new(key, what));
        if !is_name(name) {
            return fault("name", format!("`{}` is not lower-case letters, digits and underscores", excerpt(name)));
        }
        if !(1..=MAX_POINTS).contains(&count) {
            return fault("points", format!("{count} points, expected 1 to {MAX_POINTS}"));
        }
        let mut known = std::collections::BTreeSet::new();
        for (i, name) in names.iter().enumerate() {
            if !is_name(name) {
                let name = excerpt(name);
                let what =
                    format!("the name of point {i}, `{name}`, is not lower-case letters, digits and underscores");
                return fault("points", what);
            }
            if !known.insert(name) {
                return fault("points", format!("two points are called `{name}`"));
            }
        }
        if mirror.len() != count {
            return fault("mirror", format!("{} partners for {count} points", mirror.len()));
        }
        for (i, &partner) in mirror.iter().enumerate() {
            if mirror.get(partner) != Some(&i) {
                return fault("mirror", format!("point {i} becomes {partner}, but {partner} does not become {i}"));
            }
        }
        if *chiral && let Some(i) = (0..count).find(|&i| mirror[i] != i) {
            return fault("mirror", format!("point {i} has a partner, but a chiral object has no mirror image"));
        }
        let in_range = |key: &'static str, what: &str, points: &[usize]| match points.iter().find(|&&i| i >= count) {
            _ if points.is_empty() => fault(key, format!("{what} has no points")),
            Some(i) => fault(key, format!("{what} has point {i}, the last one is {}", count - 1)),
            None => Ok(()),
        };
        for (key, number) in [("outlines", outlines.len()), ("parts", parts.len())] {
            if number > MAX_LINES {
                return fault(key, format!("more than {MAX_LINES}"));
            }
        }
        for Outline { name, points, .. } in outlines {
            is_title(name).map_err(|what| Fault::new("outlines", what))?;
            in_range("outlines", &format!("`{name}`"), points)?;
            if points.len() > MAX_POINTS {
                return fault("outlines", format!("`{name}` has more than {MAX_POINTS} points"));
            }
        }
        let mut seen = vec![false; count];
        for Part { name, points, hidden_above } in parts {
            is_title(name).map_err(|what| Fault::new("parts", what))?;
            in_range("parts", &format!("`{name}`"), points)?;
            if !(*hidden_above > 0.0 && hidden_above.is_finite()) {
                return fault("parts", format!("`{name}`: hidden_above is above 0, not {hidden_above}"));
            }
            for &i in points {
                if std::mem::replace(&mut seen[i], true) {
                    return fault("parts", format!("point {i} is in two parts or twice in one, the last is `{name}`"));
                }
            }
        }
        if let Some(i) = seen.iter().position(|seen| !seen) {
            return fault("parts", format!("point {i} is in no part"));
        }
        let mirrored = |set: &[usize]| sorted(set.iter().map(|&i| mirror[i]));
        let same = |a: &[usize], b: &[usize]| mirrored(a) == sorted(b.iter().copied());
        if let Some([a, b]) = normaliser {
            in_range("normaliser", "its first set", a)?;
            in_range("normaliser", "its second set", b)?;
            if !(*chiral || same(a, b) || same(a, a) && same(b, b)) {
                return fault("normaliser", "mirrored it is another distance".into());
            }
            if sorted(a.iter().copied()) == sorted(b.iter().copied()) {
                return fault("normaliser", "its two sets are the same: their distance is always 0".into());
            }
        }
        if let Some(five) = five {
            for (set, partner) in five.iter().zip([1, 0, 2, 4, 3]) {
                in_range("five", "a set", set)?;
                if !(*chiral || same(set, &five[partner])) {
                    return fault(
                        "five",
                        "right eye, left eye, nose tip, right and left mouth corner swap sides in the mirror".into(),
                    );
                }
            }
        }
        if ibug68.len() != count {
            return fault("ibug68", format!("{} sets for {count} points", ibug68.len()));
        }
        for (i, set) in ibug68.iter().enumerate() {
            if let Some(j) = set.iter().find(|&&j| j >= self::ibug68::POINTS) {
                return fault("ibug68", format!("point {i} has {j}, the last one is 67"));
            }
            let in_mirror = sorted(set.iter().map(|&j| self::ibug68::MIRROR[j]));
            if !chiral && in_mirror != sorted(ibug68[mirror[i]].iter().copied()) {
                return fault("ibug68", format!("points {i} and {} are not mirrored to each other", mirror[i]));
            }
        }
        let ObjectBox { scale, shift: (x, y) } = object_box;
        if !((0.25..=8.0).contains(scale) && x.abs() <= 4.0 && y.abs() <= 4.0) {
            return fault("box", "scale is from 0.25 to 8, shift from -4 to 4".into());
        }
        if *x != 0.0 && !chiral {
            let what = "a shift to the right or left would go the other way in the mirror: make it 0, or say that the \
                        object is chiral";
            return fault("box", what.into());
        }
        Ok(())
    }
}

/// The start of a text, for messages: that of a hostile file may be long.
fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

fn sorted(points: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut points: Vec<usize> = points.collect();
    points.sort_unstable();
    points
}

fn is_name(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(known)
}

/// The name of an outline or a part: words of letters and digits.
fn is_title(name: &str) -> Result<(), String> {
    let known = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-');
    match !name.trim().is_empty() && name.len() <= MAX_NAME && name.chars().all(known) {
        true => Ok(()),
        false => Err(format!("the name `{}` is not letters, digits and spaces", excerpt(name))),
    }
}
