//! Topologies as text: the files of `topologies/`, and those that users write. `topologies/README.md` describes them.

use std::fs;
use std::path::Path;

use lineament::topology::{Definition, HIDDEN_ABOVE, ObjectBox, Outline, Part, Topology, parse_colour, parse_indices};
use lineament::{ModelError, Point};
use lineament_nn::model::{Model, Role, key};
use serde::Deserialize;

use crate::error::{Error, Result};

/// The topologies that are known by name, with the text of their files.
pub const SHIPPED: [(&str, &str); 8] = [
    ("ibug68", include_str!("../../../topologies/ibug68.toml")),
    ("ibug51", include_str!("../../../topologies/ibug51.toml")),
    ("five", include_str!("../../../topologies/five.toml")),
    ("kaggle15", include_str!("../../../topologies/kaggle15.toml")),
    ("wflw98", include_str!("../../../topologies/wflw98.toml")),
    ("jd106", include_str!("../../../topologies/jd106.toml")),
    ("cofw29", include_str!("../../../topologies/cofw29.toml")),
    ("aflw19", include_str!("../../../topologies/aflw19.toml")),
];

/// Longest file that is read, in bytes: ten times what the most points take.
const MAX_BYTES: u64 = 1 << 20;

/// A topology and what its file says besides.
#[derive(Debug, Clone, PartialEq)]
pub struct TopologyFile {
    /// The topology.
    pub topology: Topology,
    /// One line for people.
    pub about: String,
    /// Who published the points.
    pub source: String,
    /// Where the points lie in a drawing of the upright object, x right and y down, in the file's own unit.
    pub drawing: Vec<Point>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    chiral: bool,
    normaliser: Option<[String; 2]>,
    five: Option<[String; 5]>,
    points: Vec<FilePoint>,
    #[serde(default)]
    outlines: Vec<FileOutline>,
    #[serde(default)]
    parts: Vec<FilePart>,
    r#box: Option<FileBox>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePoint {
    name: String,
    at: [f32; 2],
    mirror: Option<usize>,
    ibug68: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOutline {
    name: String,
    points: String,
    #[serde(default)]
    closed: bool,
    colour: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePart {
    name: String,
    points: String,
    hidden_above: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBox {
    scale: f32,
    shift: [f32; 2],
}

/// The topology of this name in [`SHIPPED`], or that of a file.
///
/// # Errors
/// [`Error::Topology`] for a name that is neither, or a file that cannot be read as one; [`Error::File`] when it cannot
/// be opened.
pub fn open(name_or_path: &str) -> Result<TopologyFile> {
    if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
        return parse(text).map_err(|reason| Error::Topology { file: (*name).into(), reason });
    }
    let path = Path::new(name_or_path);
    if !path.exists() {
        let names = SHIPPED.map(|(name, _)| name).join(", ");
        let reason = format!("neither a topology file nor one of {names}");
        return Err(Error::Topology { file: name_or_path.into(), reason });
    }
    let length = fs::metadata(path).map_err(|e| Error::file(path, e))?.len();
    let fault = |reason| Error::Topology { file: name_or_path.into(), reason };
    if length > MAX_BYTES {
        return Err(fault(format!("larger than {} MiB, so not a topology", MAX_BYTES >> 20)));
    }
    let bytes = fs::read(path).map_err(|e| Error::file(path, e))?;
    let text = String::from_utf8(bytes).map_err(|_| fault("not text in UTF-8".into()))?;
    parse(&text).map_err(fault)
}

/// The name of a topology as it is, the path of a topology file from `folder` on: a configuration names files relative
/// to itself.
pub fn resolve(name_or_path: &str, folder: &Path) -> String {
    match SHIPPED.iter().any(|(name, _)| *name == name_or_path) {
        true => name_or_path.into(),
        false => folder.join(name_or_path).to_string_lossy().into_owned(),
    }
}

/// The topology of a model: a detector that names none finds faces with the iBUG 68 points.
///
/// # Errors
/// The library's where the model describes none that can be read.
pub fn of_model(model: &Model) -> lineament::Result<Topology> {
    if model.metadata.role == Role::Detector && model.metadata.get(key::TOPOLOGY).is_none() {
        return Ok(Topology::ibug68());
    }
    Topology::from_metadata(&model.metadata).map_err(|fault| ModelError::Model(fault.to_string()).into())
}

/// The topology that a text describes.
///
/// # Errors
/// What is wrong, with the line where TOML tells it.
pub fn parse(text: &str) -> Result<TopologyFile, String> {
    let file: File = toml::from_str(text).map_err(|e| match e.span() {
        Some(span) => format!("line {}: {}", text[..span.start].matches('\n').count() + 1, e.message()),
        None => e.message().to_owned(),
    })?;
    let list = |key: &str, text: &str| parse_indices(text).map_err(|what| format!("{key}: {what}"));
    let outline = |FileOutline { name, points, closed, colour }: FileOutline| {
        let colour = colour.map(|colour| parse_colour(&colour)).transpose();
        let colour = colour.map_err(|what| format!("outlines: `{name}`: {what}"))?;
        Ok(Outline { points: list("outlines", &points)?, name, closed, colour })
    };
    let part = |FilePart { name, points, hidden_above }: FilePart| {
        Ok(Part { points: list("parts", &points)?, name, hidden_above: hidden_above.unwrap_or(HIDDEN_ABOVE) })
    };
    let drawing: Vec<Point> = file.points.iter().map(|p| Point::new(p.at[0], p.at[1])).collect();
    if let Some(i) = drawing.iter().position(|p| !p.is_finite()) {
        return Err(format!("points: `at` of point {i} is not two finite numbers"));
    }
    let is_ibug68 = file.name == lineament::topology::ibug68::NAME;
    let source_of = |(i, p): (usize, &FilePoint)| match &p.ibug68 {
        None if is_ibug68 => Ok(vec![i]),
        None => Ok(Vec::new()),
        Some(set) => list("ibug68", set),
    };
    let normaliser = match file.normaliser {
        Some([a, b]) => Some([list("normaliser", &a)?, list("normaliser", &b)?]),
        None => None,
    };
    let five = match file.five {
        Some(sets) => {
            let sets = sets.iter().map(|set| list("five", set)).collect::<Result<Vec<_>, _>>()?;
            <[Vec<usize>; 5]>::try_from(sets).ok()
        }
        None => None,
    };
    let definition = Definition {
        mirror: file.points.iter().enumerate().map(|(i, p)| p.mirror.unwrap_or(i)).collect(),
        ibug68: file.points.iter().enumerate().map(source_of).collect::<Result<_, _>>()?,
        names: file.points.into_iter().map(|p| p.name).collect(),
        name: file.name,
        chiral: file.chiral,
        outlines: file.outlines.into_iter().map(outline).collect::<Result<_, String>>()?,
        parts: file.parts.into_iter().map(part).collect::<Result<_, String>>()?,
        normaliser,
        five,
        object_box: file
            .r#box
            .map_or(ObjectBox::default(), |b| ObjectBox { scale: b.scale, shift: (b.shift[0], b.shift[1]) }),
    };
    let topology = Topology::new(definition).map_err(|fault| fault.to_string())?;
    Ok(TopologyFile { topology, about: file.about, source: file.source, drawing })
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68;
    use proptest::prelude::*;

    use super::*;

    fn shipped() -> Vec<TopologyFile> {
        SHIPPED.iter().map(|(name, _)| open(name).unwrap()).collect()
    }

    #[test]
    fn the_shipped_topologies_have_their_points_and_ibug68_is_the_librarys() {
        let counts = [68, 51, 5, 15, 98, 106, 29, 19];
        for ((file, (name, _)), count) in shipped().iter().zip(SHIPPED).zip(counts) {
            let TopologyFile { topology, about, source, drawing } = file;
            assert_eq!((topology.name(), topology.len(), drawing.len()), (name, count, count));
            assert!(!about.is_empty() && !source.is_empty(), "{name}");
            assert_eq!(topology.is_ibug68(), name == "ibug68");
            assert!(topology.definition().five.is_some() && topology.has_pose(), "{name} is a face");
            let has_lids_and_lips = ["ibug68", "ibug51", "wflw98", "jd106"].contains(&name);
            assert_eq!(topology.has_expression(), has_lids_and_lips, "{name}");
            assert_eq!(topology.follows_ibug68(), ["ibug68", "ibug51", "five", "kaggle15"].contains(&name), "{name}");
        }
    }

    #[test]
    fn a_drawing_is_its_own_mirror_image_with_the_right_eye_on_its_left_and_closed_lines_clockwise() {
        for TopologyFile { topology, drawing, .. } in shipped() {
            let name = topology.name();
            for (i, &partner) in topology.mirror().iter().enumerate() {
                let (p, q) = (drawing[i], drawing[partner]);
                assert!((p.x + q.x).abs() < 0.05 && (p.y - q.y).abs() < 0.05, "{name}: points {i} and {partner}");
                assert_eq!(topology.mirror()[partner], i, "{name}: mirrored twice");
            }
            let [right_eye, left_eye, nose, right_mouth, left_mouth] = topology.five(&drawing).unwrap();
            assert!(right_eye.x < 0.0 && left_eye.x > 0.0 && right_mouth.x < 0.0 && left_mouth.x > 0.0, "{name}");
            assert!(right_eye.y < nose.y && nose.y < right_mouth.y, "{name}: y points down");
            for outline in topology.outlines().iter().filter(|outline| outline.closed) {
                let points: Vec<Point> = outline.points.iter().map(|&i| drawing[i]).collect();
                let next = points.iter().cycle().skip(1);
                let doubled_area: f32 = points.iter().zip(next).map(|(p, q)| p.x * q.y - q.x * p.y).sum();
                assert!(doubled_area > 0.0, "{name}: `{}` runs clockwise", outline.name);
            }
            assert!(topology.unit(&drawing) > 20.0, "{name}");
        }
    }

    #[test]
    fn points_that_are_ibug_points_lie_where_those_do() {
        let of_68 = open("ibug68").unwrap().drawing;
        for TopologyFile { topology, drawing, .. } in shipped() {
            for (i, set) in topology.definition().ibug68.iter().enumerate().filter(|(_, set)| !set.is_empty()) {
                let mean = Point::mean(&set.iter().map(|&j| of_68[j]).collect::<Vec<_>>());
                let off = mean.distance(drawing[i]);
                assert!(
                    off < 11.0,
                    "{}: point {i} is {off} mm from {set:?} on a head of {}",
                    topology.name(),
                    ibug68::NAME
                );
            }
        }
    }

    #[test]
    fn the_box_of_a_few_points_is_about_that_of_all_68() {
        let of_68 = open("ibug68").unwrap();
        let whole = of_68.topology.rect(&of_68.drawing);
        for TopologyFile { topology, drawing, .. } in shipped() {
            let iou = topology.rect(&drawing).iou(&whole);
            assert!(iou > 0.7, "{}: {iou}", topology.name());
        }
    }

    #[test]
    fn a_topology_survives_the_metadata_of_a_model() {
        for TopologyFile { topology, .. } in shipped() {
            let mut metadata = lineament_nn::model::Metadata::new(Role::Landmarks);
            topology.describe(&mut metadata);
            assert_eq!(Topology::from_metadata(&metadata).unwrap(), topology, "{topology:?}");
        }
    }

    #[test]
    fn faults_of_a_file_are_named() {
        let kite = include_str!("../examples/kites/kite.toml");
        assert_eq!(parse(kite).unwrap().topology.len(), 4);
        for (from, to, expected) in [
            ("mirror = 3", "mirror = 4", "topology: mirror: point 1 becomes 4"),
            ("about =", "chiral = true\nabout =", "topology: mirror: point 1 has a partner, but a chiral object"),
            ("name = \"tail\"", "name = \"top\"", "topology: points: two points are called `top`"),
            ("name = \"tail\"", "name = \"the tail\"", "lower-case letters, digits and underscores"),
            ("at = [0.0, 100.0]", "at = [nan, 100.0]", "`at` of point 2 is not two finite numbers"),
            ("at = [0.0, 100.0]", "at = [0.0]", "line 6: "),
            ("\"0-3, 0\"", "\"0-4, 0\"", "topology: outlines: `frame` has point 4, the last one is 3"),
            ("\"0-3, 0\"", "\"0 to 3\"", "outlines: `0 to 3` is not an index"),
            ("name = \"kite\"", "name = \"ibug68\"", "topology: ibug68: points 0 and 0 are not mirrored"),
            ("about =", "abuot =", "line 2: unknown field `abuot`"),
        ] {
            assert!(kite.contains(from), "{from}");
            let error = parse(&kite.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(expected), "{to}: {error}");
        }
        let error = open("wflw").unwrap_err().to_string();
        assert!(error.starts_with("wflw: neither a topology file nor one of ibug68, "), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_topology_or_a_fault(text in "(name|points|at|mirror|[a-z0-9=\\[\\]{}\", .\n-]){0,60}") {
            let _ = parse(&text);
        }
    }
}
