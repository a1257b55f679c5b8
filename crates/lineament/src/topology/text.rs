//! Topologies as the metadata of a model file.
//!
//! | key | text |
//! |---|---|
//! | `topology` | the name; `ibug68` needs nothing else |
//! | `topology.points` | the names of the points, separated by commas |
//! | `topology.mirror` | an index for each point |
//! | `topology.chiral` | `true` where the object must not be mirrored; else it is not there |
//! | `topology.outlines` | `right eye=0-5 closed #ffbe46;jaw=6-9` |
//! | `topology.parts` | `eyes=0-5 0.06;jaw=6-9 0.1` |
//! | `topology.normaliser` | two sets of indices: `0-5/6-11` |
//! | `topology.five` | five sets |
//! | `topology.ibug68` | a set for each point, `-` where it is empty |
//! | `topology.box` | `scale=1.9 shift=0,0.05` |
//!
//! A list of indices is `0-16,3,9-7`; ranges may run backwards.

use std::fmt;
use std::str::SplitWhitespace;

use lineament_nn::model::{Metadata, key};

use super::{Definition, MAX_LINES, MAX_POINTS, ObjectBox, Outline, Part, Topology, excerpt, ibug68};

/// What is wrong with a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field at fault, as a topology file names it.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl Fault {
    pub(super) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "topology: {}: {}", self.key, self.reason)
    }
}

impl std::error::Error for Fault {}

const POINTS: &str = "topology.points";
const MIRROR: &str = "topology.mirror";
const CHIRAL: &str = "topology.chiral";
const OUTLINES: &str = "topology.outlines";
const PARTS: &str = "topology.parts";
const NORMALISER: &str = "topology.normaliser";
const FIVE: &str = "topology.five";
const IBUG68: &str = "topology.ibug68";
const BOX: &str = "topology.box";

impl Topology {
    /// The topology that the metadata of a model file describes.
    ///
    /// # Errors
    /// A [`Fault`] for metadata without a topology, for text that is not as described above, and as
    /// [`Topology::new`].
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, Fault> {
        let Some(name) = metadata.get(key::TOPOLOGY) else { return Err(Fault::new("name", "there is none")) };
        if name == ibug68::NAME {
            return Ok(Self::ibug68());
        }
        let Some(names) = metadata.get(POINTS) else {
            return Err(Fault::new(
                "points",
                format!("`{}` is not known, and its points are not described", excerpt(name)),
            ));
        };
        // One more than there may be, so that `Topology::new` sees that there are too many.
        let entries = |key: &'static str| {
            let text = metadata.get(key).unwrap_or_default();
            text.split(';').filter(|entry| !entry.is_empty()).take(MAX_LINES + 1)
        };
        let sets = |key: &'static str, field: &'static str| {
            metadata.get(key).map(|text| parse_sets(text).map_err(|what| Fault::new(field, what))).transpose()
        };
        let one_each = |key, field: &'static str| match sets(key, field)? {
            None => Ok(Vec::new()),
            Some(sets) => Ok(sets),
        };
        let array = |field: &'static str, wanted: usize, found: usize| {
            Fault::new(field, format!("{found} sets of points, expected {wanted}"))
        };
        let normaliser = match sets(NORMALISER, "normaliser")? {
            None => None,
            Some(sets) => Some(<[_; 2]>::try_from(sets).map_err(|sets| array("normaliser", 2, sets.len()))?),
        };
        let five = match sets(FIVE, "five")? {
            None => None,
            Some(sets) => Some(<[_; 5]>::try_from(sets).map_err(|sets| array("five", 5, sets.len()))?),
        };
        let chiral = match metadata.get(CHIRAL) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(Fault::new("chiral", format!("`{}` is neither true nor false", excerpt(other)))),
        };
        let mirror = metadata.get(MIRROR).map_or(Ok(Vec::new()), parse_indices);
        Self::new(Definition {
            name: name.into(),
            names: names.split(',').take(MAX_POINTS + 1).map(Into::into).collect(),
            mirror: mirror.map_err(|what| Fault::new("mirror", what))?,
            chiral,
            outlines: entries(OUTLINES).map(parse_outline).collect::<Result<_, _>>()?,
            parts: entries(PARTS).map(parse_part).collect::<Result<_, _>>()?,
            normaliser,
            five,
            ibug68: one_each(IBUG68, "ibug68")?,
            object_box: metadata.get(BOX).map_or(Ok(ObjectBox::default()), parse_box)?,
        })
    }

    /// Describes the topology in the metadata of a model file.
    pub fn describe(&self, metadata: &mut Metadata) {
        metadata.set(key::TOPOLOGY, self.name());
        if self.is_ibug68() {
            return;
        }
        let Definition { names, mirror, chiral, outlines, parts, normaliser, five, ibug68, object_box, .. } =
            self.definition();
        let outline = |Outline { name, points, closed, colour }: &Outline| {
            let closed = if *closed { " closed" } else { "" };
            let colour = colour.map_or(String::new(), |[r, g, b]| format!(" #{r:02x}{g:02x}{b:02x}"));
            format!("{name}={}{closed}{colour}", list(points))
        };
        let part = |Part { name, points, hidden_above }: &Part| format!("{name}={} {hidden_above}", list(points));
        let sets = |sets: &[Vec<usize>]| sets.iter().map(|set| list(set)).collect::<Vec<_>>().join("/");
        metadata.set(POINTS, names.join(","));
        match chiral {
            true => metadata.set(CHIRAL, "true"),
            false => metadata.set(MIRROR, list(mirror)),
        }
        metadata.set(PARTS, parts.iter().map(part).collect::<Vec<_>>().join(";"));
        if !outlines.is_empty() {
            metadata.set(OUTLINES, outlines.iter().map(outline).collect::<Vec<_>>().join(";"));
        }
        if let Some(pair) = normaliser {
            metadata.set(NORMALISER, sets(pair));
        }
        if let Some(five) = five {
            metadata.set(FIVE, sets(five));
        }
        if ibug68.iter().any(|set| !set.is_empty()) {
            metadata.set(IBUG68, sets(ibug68));
        }
        if *object_box != ObjectBox::default() {
            let ObjectBox { scale, shift: (x, y) } = object_box;
            metadata.set(BOX, format!("scale={scale} shift={x},{y}"));
        }
    }
}

/// The indices of a list such as `0-16, 3, 9-7`, in its order.
///
/// # Errors
/// A sentence without a place for text that is no such list, for an index of [`MAX_POINTS`] or more, and for
/// more indices than that.
pub fn parse_indices(text: &str) -> Result<Vec<usize>, String> {
    let index = |text: &str| {
        // 64 bits on every platform, so that the messages are the same.
        let index: u64 = text.trim().parse().map_err(|_| format!("`{}` is not an index", excerpt(text)))?;
        if index < MAX_POINTS as u64 {
            Ok(index as usize)
        } else {
            Err(format!("{index} is above the last index, {}", MAX_POINTS - 1))
        }
    };
    let mut indices = Vec::new();
    for item in text.split(',') {
        match item.split_once('-') {
            None => indices.push(index(item)?),
            Some((first, last)) => {
                let (first, last) = (index(first)?, index(last)?);
                if first <= last { indices.extend(first..=last) } else { indices.extend((last..=first).rev()) }
            }
        }
        if indices.len() > MAX_POINTS {
            return Err(format!("more than {MAX_POINTS} indices"));
        }
    }
    Ok(indices)
}

fn parse_sets(text: &str) -> Result<Vec<Vec<usize>>, String> {
    text.split('/')
        .take(MAX_POINTS + 1)
        .map(|set| if set == "-" { Ok(Vec::new()) } else { parse_indices(set) })
        .collect()
}

/// `name=indices` and the words after it.
fn parse_line<'a>(key: &'static str, line: &'a str) -> Result<(String, Vec<usize>, SplitWhitespace<'a>), Fault> {
    let fault = |what: String| Fault::new(key, what);
    let (name, rest) =
        line.split_once('=').ok_or_else(|| fault(format!("`{}` is not a name and points", excerpt(line))))?;
    let mut words = rest.split_whitespace();
    let points = parse_indices(words.next().unwrap_or_default()).map_err(fault)?;
    Ok((name.into(), points, words))
}

fn parse_outline(line: &str) -> Result<Outline, Fault> {
    let (name, points, words) = parse_line("outlines", line)?;
    let mut outline = Outline { name, points, closed: false, colour: None };
    for word in words {
        match word {
            "closed" => outline.closed = true,
            colour => outline.colour = Some(parse_colour(colour).map_err(|what| Fault::new("outlines", what))?),
        }
    }
    Ok(outline)
}

fn parse_part(line: &str) -> Result<Part, Fault> {
    let (name, points, mut words) = parse_line("parts", line)?;
    let hidden_above = match (words.next(), words.next()) {
        (None, _) => super::HIDDEN_ABOVE,
        (Some(limit), None) => {
            limit.parse().map_err(|_| Fault::new("parts", format!("`{}` is no limit", excerpt(limit))))?
        }
        _ => return Err(Fault::new("parts", format!("`{}` has more than points and a limit", excerpt(line)))),
    };
    Ok(Part { name, points, hidden_above })
}

/// A colour such as `#ffbe46`.
///
/// # Errors
/// A sentence for other text.
pub fn parse_colour(text: &str) -> Result<[u8; 3], String> {
    let digits =
        text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let [_, r, g, b] = number.ok_or_else(|| format!("`{}` is no colour such as #ffbe46", excerpt(text)))?.to_be_bytes();
    Ok([r, g, b])
}

fn parse_box(text: &str) -> Result<ObjectBox, Fault> {
    let parse = || {
        let (scale, shift) = text.strip_prefix("scale=")?.split_once(" shift=")?;
        let (x, y) = shift.split_once(',')?;
        Some(ObjectBox { scale: scale.parse().ok()?, shift: (x.parse().ok()?, y.parse().ok()?) })
    };
    parse().ok_or_else(|| Fault::new("box", format!("`{}` is not like `scale=1.9 shift=0,0.05`", excerpt(text))))
}

/// A list of indices, with runs as ranges.
fn list(points: &[usize]) -> String {
    if points.is_empty() {
        return "-".into();
    }
    let mut items: Vec<String> = Vec::new();
    let mut rest = points;
    while let [first, ..] = *rest {
        let run = |step: isize| 1 + rest.windows(2).take_while(|w| w[0].checked_add_signed(step) == Some(w[1])).count();
        let (up, down) = (run(1), run(-1));
        let len = up.max(down);
        if len > 2 {
            items.push(format!("{first}-{}", rest[len - 1]));
            rest = &rest[len..];
        } else {
            items.push(first.to_string());
            rest = &rest[1..];
        }
    }
    items.join(",")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{five, inner, plain, three};
    use super::*;
    use lineament_nn::model::Role;
    use proptest::prelude::*;

    fn described(definition: Definition) -> Metadata {
        let mut metadata = Metadata::new(Role::Landmarks);
        Topology::new(definition).unwrap().describe(&mut metadata);
        metadata
    }

    /// The metadata of a model with three points and one more entry, or another value of one.
    fn with(key: &str, value: &str) -> Metadata {
        let mut metadata = described(three());
        metadata.set(key, value);
        metadata
    }

    #[test]
    fn a_topology_is_read_back_as_it_was_described() {
        let one = |points: &[usize], closed, colour| Outline {
            name: "Kante 2_b - außen".into(),
            points: points.into(),
            closed,
            colour,
        };
        let outlines = vec![
            one(&[9, 8, 7, 6], true, Some([0, 7, 255])), // a range that runs backwards
            one(&[0], false, None),
            one(&[3, 3, 4, 2, 1, 0, 5, 7, 9], false, Some([255, 255, 255])),
            one(&[5, 6], true, None),
        ];
        let limit = |hidden_above| Part { name: "all".into(), points: (0..10).rev().collect(), hidden_above };
        let definitions = [
            ibug68::definition(),
            Definition { name: "copy".into(), ..ibug68::definition() },
            five(),
            inner(),
            three(),
            plain(1),
            plain(MAX_POINTS),
            Definition { five: None, outlines: Vec::new(), ..five() },
            Definition { normaliser: None, object_box: ObjectBox::default(), ..five() },
            Definition { outlines, ..plain(10) },
            Definition { parts: vec![limit(1.0 / 3.0)], ..plain(10) },
            Definition { parts: vec![limit(f32::MIN_POSITIVE)], ..plain(10) },
            Definition { object_box: ObjectBox { scale: 1.0 / 3.0, shift: (0.0, 1e-7) }, ..plain(10) },
            Definition { object_box: ObjectBox { scale: 1.0, shift: (-0.1, 0.0) }, chiral: true, ..plain(10) },
            Definition { normaliser: Some([vec![9, 8, 7, 0], vec![1, 3]]), ..plain(10) },
        ];
        for definition in definitions {
            let topology = Topology::new(definition).unwrap();
            let mut metadata = Metadata::new(Role::Landmarks);
            topology.describe(&mut metadata);
            assert_eq!(Topology::from_metadata(&metadata), Ok(topology.clone()), "{metadata:?}");
            // The second time nothing is added.
            let mut again = metadata.clone();
            topology.describe(&mut again);
            assert_eq!(again, metadata);
        }
    }

    #[test]
    fn the_text_is_as_documented() {
        let metadata = described(five());
        for (key, text) in [
            (key::TOPOLOGY, "five"),
            (POINTS, "right_eye,left_eye,nose,right_mouth,left_mouth"),
            (MIRROR, "1,0,2,4,3"),
            (OUTLINES, "mouth=3,4;all around=0,1,4,3 closed #ffbe46"),
            (PARTS, "eyes=0,1 0.06;nose=2 0.1;mouth=4,3 0.07"),
            (NORMALISER, "0/1"),
            (FIVE, "0/1/2/3/4"),
            (IBUG68, "36-41/42-47/30/48/54"),
            (BOX, "scale=1.9 shift=0,0.05"),
        ] {
            assert_eq!(metadata.get(key), Some(text), "{key}");
        }
        let plain = described(plain(4));
        let said: Vec<&str> = plain.entries.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(said, [key::TOPOLOGY, POINTS, MIRROR, PARTS], "nothing about what it does not have");
        assert_eq!(described(ibug68::definition()).entries, [(key::TOPOLOGY.to_owned(), "ibug68".to_owned())]);
    }

    #[test]
    fn what_a_file_leaves_out_is_filled_in() {
        let mut metadata = Metadata::new(Role::Landmarks);
        metadata.set(key::TOPOLOGY, "plain");
        metadata.set(POINTS, "p0,p1,p2");
        assert_eq!(Topology::from_metadata(&metadata), Ok(Topology::new(plain(3)).unwrap()));
        let parts = with(PARTS, "a=0-1;b=2 0.5;"); // with the usual limit, and a semicolon at the end
        let topology = Topology::from_metadata(&parts).unwrap();
        assert_eq!(topology.parts().iter().map(|part| part.hidden_above).collect::<Vec<_>>(), [0.06, 0.5]);
    }

    #[test]
    fn text_that_is_wrong_names_its_field() {
        let many = |entry: &str, separator: &str| vec![entry; 2000].join(separator);
        let all = |count: usize| plain(count).names.join(",");
        let cases = [
            (key::TOPOLOGY, "Three".into(), "name", "`Three` is not lower-case"),
            (key::TOPOLOGY, String::new(), "name", "`` is not lower-case"),
            (POINTS, String::new(), "points", "the name of point 0"),
            (POINTS, "a,b,".into(), "points", "the name of point 2"),
            (POINTS, "a, b,c".into(), "points", "` b`"),
            (POINTS, "a,b,a".into(), "points", "two points are called `a`"),
            (POINTS, all(1001), "points", "1001 points"),
            (POINTS, all(5000), "points", "1001 points"), // it stops counting
            (POINTS, "x".repeat(100_000), "points", "`xxxxxxxx"),
            (MIRROR, "0,1".into(), "mirror", "2 partners for 3 points"),
            (MIRROR, "1,2,0".into(), "mirror", "point 0 becomes 1"),
            (MIRROR, "a".into(), "mirror", "`a` is not an index"),
            (MIRROR, many("0-999", ","), "mirror", "more than 1000 indices"),
            (OUTLINES, "mouth".into(), "outlines", "`mouth` is not a name and points"),
            (OUTLINES, "mouth=".into(), "outlines", "`` is not an index"),
            (OUTLINES, "mouth=3".into(), "outlines", "`mouth` has point 3, the last one is 2"),
            (OUTLINES, "mouth=0-2 open".into(), "outlines", "`open` is no colour such as #ffbe46"),
            (OUTLINES, "mouth=0-2 #ffbe4".into(), "outlines", "`#ffbe4` is no colour"),
            (OUTLINES, "=0-2".into(), "outlines", "the name ``"),
            (OUTLINES, many("a=0-2", ";"), "outlines", "more than 1000"),
            (PARTS, "a=0-1".into(), "parts", "point 2 is in no part"),
            (PARTS, "a=0-2 x".into(), "parts", "`x` is no limit"),
            (PARTS, "a=0-2 nan".into(), "parts", "not NaN"),
            (PARTS, "a=0-2 0.1 closed".into(), "parts", "`a=0-2 0.1 closed` has more than points and a limit"),
            (PARTS, many("a=0-2", ";"), "parts", "more than 1000"),
            (NORMALISER, "0".into(), "normaliser", "1 sets of points, expected 2"),
            (NORMALISER, "0/1/2".into(), "normaliser", "3 sets of points, expected 2"),
            (NORMALISER, "-/1".into(), "normaliser", "its first set has no points"),
            (NORMALISER, "0/2".into(), "normaliser", "mirrored it is another distance"),
            (FIVE, "0/1/2".into(), "five", "3 sets of points, expected 5"),
            (FIVE, "0/1/2/0/x".into(), "five", "`x` is not an index"),
            (FIVE, "0/1/2/0/0".into(), "five", "swap sides"),
            (FIVE, many("0-999", "/"), "five", "1001 sets of points, expected 5"),
            (IBUG68, "-".into(), "ibug68", "1 sets for 3 points"),
            (IBUG68, "-/-/68".into(), "ibug68", "point 2 has 68"),
            (IBUG68, "36/42/-".into(), "ibug68", "points 0 and 1 are not mirrored"),
            (IBUG68, many("0-999", "/"), "ibug68", "1001 sets for 3 points"),
            (CHIRAL, "yes".into(), "chiral", "`yes` is neither true nor false"),
            (BOX, "scale=2 shift=0.1,0".into(), "box", "a shift to the right or left would go the other way"),
            (BOX, String::new(), "box", "`` is not like `scale=1.9 shift=0,0.05`"),
            (BOX, "scale=2".into(), "box", "is not like"),
            (BOX, "scale=2 shift=0".into(), "box", "is not like"),
            (BOX, "scale=x shift=0,0".into(), "box", "is not like"),
            (BOX, "scale=nan shift=0,0".into(), "box", "scale is from 0.25 to 8"),
            (BOX, "scale=2 shift=0,inf".into(), "box", "shift from -4 to 4"),
        ];
        let mut wrong = Vec::new();
        for (key, value, field, text) in cases {
            match Topology::from_metadata(&with(key, &value)) {
                Err(fault) if fault.key == field && fault.reason.contains(text) && fault.reason.len() < 250 => (),
                other => wrong.push(format!("{key} = `{}`: {other:?}", excerpt(&value))),
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_file_that_does_not_describe_its_points_is_refused() {
        let mut metadata = Metadata::new(Role::Landmarks);
        let fault = Topology::from_metadata(&metadata).expect_err("no topology");
        assert_eq!((fault.key, fault.reason.as_str()), ("name", "there is none"));
        metadata.set(key::TOPOLOGY, "hand21");
        let fault = Topology::from_metadata(&metadata).expect_err("no points");
        assert_eq!(fault.to_string(), "topology: points: `hand21` is not known, and its points are not described");
        metadata.set(key::TOPOLOGY, "x".repeat(100_000));
        assert!(Topology::from_metadata(&metadata).expect_err("no points").reason.len() < 250);
    }

    #[test]
    fn lists_of_indices_are_read_in_their_order() {
        let good: [(&str, &[usize]); 9] = [
            ("0", &[0]),
            ("0-3", &[0, 1, 2, 3]),
            ("3-0", &[3, 2, 1, 0]),
            ("5-5", &[5]),
            ("3, 5, 9-7", &[3, 5, 9, 8, 7]),
            (" 1 - 3 ,0", &[1, 2, 3, 0]),
            ("7,7", &[7, 7]),
            ("007", &[7]),
            ("999", &[999]),
        ];
        for (text, expected) in good {
            assert_eq!(parse_indices(text).as_deref(), Ok(expected), "`{text}`");
        }
        assert_eq!(parse_indices("0-999").map(|indices| indices.len()), Ok(MAX_POINTS));
        for (text, part) in [
            ("", "`` is not an index"),
            (",", "`` is not an index"),
            ("1,", "`` is not an index"),
            ("a", "`a` is not an index"),
            ("1.5", "`1.5` is not an index"),
            ("-", "`` is not an index"),
            ("-3", "`` is not an index"),
            ("3-", "`` is not an index"),
            ("1-2-3", "`2-3` is not an index"),
            ("1 2", "`1 2` is not an index"),
            ("1000", "1000 is above the last index, 999"),
            ("0-1000", "1000 is above the last index, 999"),
            ("0-999,0", "more than 1000 indices"),
            ("0-18446744073709551615", "18446744073709551615 is above the last index"),
            ("0-18446744073709551616", "is not an index"),
        ] {
            assert!(parse_indices(text).is_err_and(|what| what.contains(part)), "`{text}`: {:?}", parse_indices(text));
        }
    }

    #[test]
    fn colours_are_six_digits_after_a_hash() {
        for (text, expected) in [("#ffbe46", [255, 190, 70]), ("#000000", [0, 0, 0]), ("#FFffFE", [255, 255, 254])] {
            assert_eq!(parse_colour(text), Ok(expected));
        }
        for text in ["", "#", "ffbe46", "#ffbe4", "#ffbe466", "#ffbeg6", "#+fbe46", "#éabcd", "# ffbe4"] {
            assert!(parse_colour(text).is_err(), "{text}");
        }
    }

    const KEYS: [&str; 10] = [key::TOPOLOGY, POINTS, MIRROR, CHIRAL, OUTLINES, PARTS, NORMALISER, FIVE, IBUG68, BOX];

    fn value() -> impl Strategy<Value = String> {
        // Anything, and what is nearly right.
        prop_oneof![
            ".{0,40}",
            "[0-9a-c ,;/=#-]{0,40}",
            "([a-c]=[0-9](-[0-9]{1,4})?( closed)?( 0.1)?;){0,5}",
            "([0-9](-[0-9])?[,/]){0,6}[0-9]"
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_a_topology_or_a_fault(
            changes in prop::collection::vec((0..KEYS.len(), value()), 0..4), full: bool,
        ) {
            let mut metadata = described(if full { five() } else { three() });
            changes.iter().for_each(|(k, text)| metadata.set(KEYS[*k], text));
            match Topology::from_metadata(&metadata) {
                Ok(topology) => {
                    let mut again = Metadata::new(Role::Landmarks);
                    topology.describe(&mut again);
                    prop_assert_eq!(Topology::from_metadata(&again), Ok(topology));
                }
                Err(fault) => prop_assert!(fault.reason.len() < 500, "{}", fault),
            }
        }

        #[test]
        fn a_list_of_indices_is_written_and_read_back(indices in prop::collection::vec(0..12usize, 1..40)) {
            prop_assert_eq!(parse_indices(&list(&indices)), Ok(indices));
        }
    }
}
