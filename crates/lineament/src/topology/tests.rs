//! Topologies: what is refused, and how the measures follow an object.

use proptest::prelude::*;

use super::*;
use crate::geometry::{ImageFrame, Similarity};

/// Three points of an object that looks the same from the right and from the left.
pub fn three() -> Definition {
    Definition {
        name: "three".into(),
        names: ["right", "left", "middle"].map(Into::into).into(),
        mirror: vec![1, 0, 2],
        ..Definition::default()
    }
}

/// Five points of a face, with everything that a definition may have.
pub fn five() -> Definition {
    let part =
        |name: &str, points: &[usize], hidden_above| Part { name: name.into(), points: points.into(), hidden_above };
    let outline = |name: &str, points: &[usize], closed, colour| Outline {
        name: name.into(),
        points: points.into(),
        closed,
        colour,
    };
    Definition {
        name: "five".into(),
        names: ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"].map(Into::into).into(),
        mirror: vec![1, 0, 2, 4, 3],
        chiral: false,
        outlines: vec![
            outline("mouth", &[3, 4], false, None),
            outline("all around", &[0, 1, 4, 3], true, Some([255, 190, 70])),
        ],
        parts: vec![part("eyes", &[0, 1], 0.06), part("nose", &[2], 0.1), part("mouth", &[4, 3], 0.07)],
        normaliser: Some([vec![0], vec![1]]),
        five: Some([0, 1, 2, 3, 4].map(|i| vec![i])),
        ibug68: vec![(36..42).collect(), (42..48).collect(), vec![30], vec![48], vec![54]],
        object_box: ObjectBox { scale: 1.9, shift: (0.0, 0.05) },
    }
}

/// The 51 points of the iBUG 68 that are not on the jaw.
pub fn inner() -> Definition {
    let first = ibug68::FIRST_INNER_POINT;
    Definition {
        name: "inner51".into(),
        names: Topology::ibug68().names()[first..].into(),
        mirror: ibug68::MIRROR[first..].iter().map(|i| i - first).collect(),
        ibug68: (first..ibug68::POINTS).map(|i| vec![i]).collect(),
        ..Definition::default()
    }
}

/// The same points of an object that differs from its mirror image.
pub fn chiral(definition: Definition) -> Definition {
    Definition { chiral: true, mirror: Vec::new(), ..definition }
}

/// As many points as asked for, with nothing but names.
pub fn plain(count: usize) -> Definition {
    Definition { name: "plain".into(), names: (0..count).map(|i| format!("p{i}")).collect(), ..Definition::default() }
}

/// An upright face of the topology [`five`], about 100 pixels wide.
const FACE: [(f32, f32); 5] = [(60.0, 80.0), (140.0, 82.0), (101.0, 120.0), (70.0, 160.0), (128.0, 161.0)];

#[test]
fn each_law_is_enforced_and_the_fault_names_the_field() {
    type Change = fn(&mut Definition);
    let title = "is not letters, digits and spaces";
    let name = "is not lower-case letters, digits and underscores";
    let cases: [(&str, &str, Change); 51] = [
        ("name", name, |d| d.name.clear()),
        ("name", "`Five` is not lower-case", |d| d.name = "Five".into()),
        ("name", name, |d| d.name = "a-b".into()),
        ("name", name, |d| d.name = "a".repeat(65)),
        ("name", "`ibug68` is the library's own topology", |d| d.name = "ibug68".into()),
        ("points", "0 points, expected 1 to 1000", |d| d.names.clear()),
        ("points", "1001 points, expected 1 to 1000", |d| d.names = plain(1001).names),
        ("points", "the name of point 2, `Nose`, is not lower-case", |d| d.names[2] = "Nose".into()),
        ("points", "the name of point 0, ``, is not lower-case", |d| d.names[0].clear()),
        ("points", "the name of point 1, `a,b`, is not lower-case", |d| d.names[1] = "a,b".into()),
        ("points", "the name of point 4", |d| d.names[4] = "a".repeat(65)),
        ("points", "two points are called `right_eye`", |d| d.names[3] = "right_eye".into()),
        ("mirror", "4 partners for 5 points", |d| d.mirror.truncate(4)),
        ("mirror", "point 3 becomes 4, but 4 does not become 3", |d| d.mirror[4] = 4),
        ("mirror", "point 2 becomes 9, but 9 does not become 2", |d| d.mirror[2] = 9),
        ("mirror", "point 0 has a partner, but a chiral object has no mirror image", |d| d.chiral = true),
        ("outlines", title, |d| d.outlines[0].name.clear()),
        ("outlines", title, |d| d.outlines[0].name = "  ".into()),
        ("outlines", "`a;b` is not letters", |d| d.outlines[0].name = "a;b".into()),
        ("outlines", title, |d| d.outlines[1].name = "a=b".into()),
        ("outlines", title, |d| d.outlines[1].name = "\u{1b}[31m".into()),
        ("outlines", title, |d| d.outlines[0].name = "a".repeat(65)),
        ("outlines", "`mouth` has no points", |d| d.outlines[0].points.clear()),
        ("outlines", "`mouth` has point 5, the last one is 4", |d| d.outlines[0].points[0] = 5),
        ("outlines", "`mouth` has more than 1000 points", |d| d.outlines[0].points = vec![0; 1001]),
        ("outlines", "more than 1000", |d| d.outlines = vec![d.outlines[0].clone(); 1001]),
        ("parts", title, |d| d.parts[0].name.clear()),
        ("parts", title, |d| d.parts[0].name = "a/b".into()),
        ("parts", "`eyes` has no points", |d| d.parts[0].points.clear()),
        ("parts", "`nose` has point 7, the last one is 4", |d| d.parts[1].points.push(7)),
        ("parts", "`eyes`: hidden_above is above 0, not 0", |d| d.parts[0].hidden_above = 0.0),
        ("parts", "`mouth`: hidden_above is above 0, not -1", |d| d.parts[2].hidden_above = -1.0),
        ("parts", "not NaN", |d| d.parts[0].hidden_above = f32::NAN),
        ("parts", "not inf", |d| d.parts[0].hidden_above = f32::INFINITY),
        ("parts", "point 0 is in two parts or twice in one, the last is `nose`", |d| d.parts[1].points.push(0)),
        ("parts", "point 2 is in two parts or twice in one", |d| d.parts[1].points.push(2)),
        ("parts", "point 4 is in no part", |d| d.parts[2].points = vec![3]),
        ("parts", "more than 1000", |d| d.parts = vec![d.parts[0].clone(); 1001]),
        ("normaliser", "its first set has no points", |d| d.normaliser = Some([vec![], vec![1]])),
        ("normaliser", "its second set has point 5", |d| d.normaliser = Some([vec![0], vec![1, 5]])),
        ("normaliser", "mirrored it is another distance", |d| d.normaliser = Some([vec![0], vec![4]])),
        ("normaliser", "its two sets are the same", |d| d.normaliser = Some([vec![0, 1], vec![1, 0]])),
        ("five", "a set has no points", |d| d.five.as_mut().unwrap()[2].clear()),
        ("five", "a set has point 8, the last one is 4", |d| d.five.as_mut().unwrap()[0].push(8)),
        ("five", "swap sides in the mirror", |d| d.five.as_mut().unwrap().swap(1, 2)),
        ("ibug68", "4 sets for 5 points", |d| d.ibug68.truncate(4)),
        ("ibug68", "point 2 has 68, the last one is 67", |d| d.ibug68[2] = vec![68]),
        ("ibug68", "points 3 and 4 are not mirrored to each other", |d| d.ibug68[3] = vec![49]),
        ("box", "scale is from 0.25 to 8", |d| d.object_box.scale = 0.2),
        ("box", "shift from -4 to 4", |d| d.object_box.shift.1 = 4.1),
        ("box", "would go the other way in the mirror", |d| d.object_box.shift.0 = 0.1),
    ];
    let mut wrong = Vec::new();
    for (number, (key, text, change)) in cases.into_iter().enumerate() {
        let mut definition = five();
        change(&mut definition);
        match Topology::new(definition) {
            Err(fault) if fault.key == key && fault.reason.contains(text) => {
                assert_eq!(fault.to_string(), format!("topology: {key}: {}", fault.reason));
            }
            other => wrong.push(format!("row {number}, {key}: {text}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 9.0, -9.0] {
        for (scale, shift) in [(number, (0.0, 0.0)), (1.0, (number, 0.0)), (1.0, (0.0, number))] {
            let found = Topology::new(Definition { object_box: ObjectBox { scale, shift }, ..five() });
            assert_eq!(found.expect_err("a box beyond its range").key, "box", "{scale} {shift:?}");
        }
    }
}

#[test]
fn what_is_just_within_the_laws_is_accepted() {
    type Change = fn(&mut Definition);
    let cases: [Change; 12] = [
        |_| {},
        |d| *d = plain(1),
        |d| *d = plain(MAX_POINTS),
        |d| d.name = "a".repeat(64),
        |d| d.outlines = vec![d.outlines[1].clone(); MAX_LINES],
        |d| d.outlines[0].points = vec![2],
        |d| d.outlines[0].name = "Mund_2 - außen".into(),
        |d| d.normaliser = Some([vec![0, 1], vec![3, 4]]), // from the eyes to the mouth
        |d| d.ibug68[2].clear(),
        |d| d.object_box = ObjectBox { scale: 0.25, shift: (0.0, 4.0) },
        // Of what is never mirrored, all may lie on one side.
        |d| *d = Definition { normaliser: Some([vec![0], vec![4]]), ..chiral(five()) },
        |d| *d = Definition { object_box: ObjectBox { scale: 8.0, shift: (-4.0, 4.0) }, ..chiral(five()) },
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let mut definition = five();
        change(&mut definition);
        let topology = Topology::new(definition.clone()).unwrap_or_else(|fault| panic!("row {number}: {fault}"));
        assert_eq!((topology.len(), topology.name()), (definition.names.len(), definition.name.as_str()));
    }
}

proptest! {
    /// Whatever may be mirrored has its box, its normaliser and its crop at the mirrored place.
    #[test]
    fn what_a_topology_says_is_mirrored_with_its_points(
        numbers in prop::collection::vec(-50.0f32..50.0, 10), shift in -0.5f32..0.5, down in -0.5f32..0.5,
        sets in prop::collection::vec(0usize..5, 2), mirrorless: bool,
    ) {
        let mut definition = five();
        definition.object_box = ObjectBox { scale: 1.5, shift: (shift, down) };
        definition.normaliser = Some([vec![sets[0]], vec![sets[1]]]);
        if mirrorless {
            definition.mirror = (0..5).collect();
            (definition.five, definition.ibug68) = (None, Vec::new());
        }
        let (x, mirror) = (definition.object_box.shift.0, definition.mirror.clone());
        definition.object_box.shift.0 = if x.abs() < 0.25 { 0.0 } else { x };
        let Ok(topology) = Topology::new(definition) else { return Ok(()) };
        let points: Vec<Point> = numbers.as_chunks::<2>().0.iter().map(|&[x, y]| Point::new(x, y)).collect();
        let mirrored: Vec<Point> = mirror.iter().map(|&i| Point::new(-points[i].x, points[i].y)).collect();
        let (before, after) = (topology.rect(&points).center(), topology.rect(&mirrored).center());
        prop_assert!((before.x + after.x).abs() < 1e-2 && (before.y - after.y).abs() < 1e-2);
        prop_assert!((topology.unit(&points) - topology.unit(&mirrored)).abs() < 1e-3);
    }
}

#[test]
fn what_is_left_out_is_filled_in() {
    let topology = Topology::new(plain(4)).unwrap();
    assert_eq!(topology.mirror(), [0, 1, 2, 3]);
    let all = Part { name: "points".into(), points: vec![0, 1, 2, 3], hidden_above: HIDDEN_ABOVE };
    assert_eq!(topology.parts(), [all]);
    assert!(!topology.follows_ibug68() && !topology.has_pose() && !topology.has_expression());
    assert_eq!(topology.from_ibug68(&[Point::<ImageFrame>::default(); 68]), None);
    let points = [(10.0, 10.0), (50.0, 20.0), (30.0, 100.0), (20.0, 40.0)].map(|(x, y)| Point::new(x, y));
    assert_eq!(topology.five(&points), None);
    assert_eq!(topology.rect(&points), Rect::from_xywh(10.0, 10.0, 40.0, 90.0));
    assert_eq!(topology.unit(&points), 60.0, "the square root of 40 x 90");
    assert!(topology.unit_name().contains("box"), "{}", topology.unit_name());
    // Filled in or left out, it is the same topology.
    assert_eq!(Topology::new(topology.definition().clone()).unwrap(), topology);
    assert_ne!(Topology::new(plain(5)).unwrap(), topology);
}

#[test]
fn a_points_part_is_the_one_that_holds_it() {
    let topology = Topology::new(five()).unwrap();
    for (number, part) in topology.parts().iter().enumerate() {
        assert!(part.points.iter().all(|&i| topology.part_of(i) == number), "{}", part.name);
    }
}

#[test]
fn the_librarys_own_topology_obeys_the_laws_and_is_one() {
    let own = Topology::new(ibug68::definition()).unwrap();
    assert!(own.is_ibug68() && own == Topology::ibug68());
    assert!(own.follows_ibug68() && own.has_pose() && own.has_expression());
    assert_eq!(own.unit_name(), "distance between the outer eye corners");
    // The same points under another name are another topology with the same measures.
    let copy = Topology::new(Definition { name: "copy".into(), ..ibug68::definition() }).unwrap();
    assert!(!copy.is_ibug68() && copy != own && copy.has_expression());
}

#[test]
fn points_of_68_are_taken_over_or_averaged() {
    let face: [Point; 68] = std::array::from_fn(|i| Point::new(i as f32, (i * i) as f32));
    assert_eq!(Topology::ibug68().from_ibug68(&face).unwrap(), face);
    assert_eq!(Topology::new(inner()).unwrap().from_ibug68(&face).unwrap(), face[17..]);
    let five = Topology::new(five()).unwrap().from_ibug68(&face).unwrap();
    let eyes = [ibug68::RIGHT_EYE, ibug68::LEFT_EYE].map(|eye| Point::mean(&face[eye]));
    assert_eq!(five, [eyes[0], eyes[1], face[30], face[48], face[54]]);
    assert_eq!(five[0].x, 38.5, "the mean of 36 to 41");
    // One point without any is enough for labels of 68 not to do.
    let mut partly = self::five();
    partly.ibug68[2].clear();
    let partly = Topology::new(partly).unwrap();
    assert!(!partly.follows_ibug68());
    assert_eq!(partly.from_ibug68(&face), None);
}

#[test]
fn the_box_of_the_object_lies_around_the_points_as_the_topology_says() {
    // The points are 40 wide and 20 high around (30, 20).
    let points = [Point::new(10.0, 10.0), Point::new(50.0, 30.0), Point::new(30.0, 20.0)];
    for (scale, shift, expected) in [
        (1.0, (0.0, 0.0), Rect::from_xywh(10.0, 10.0, 40.0, 20.0)), // not a square: the box of the points
        (2.0, (0.0, 0.0), Rect::from_xywh(-10.0, -20.0, 80.0, 80.0)),
        (0.5, (0.0, 0.25), Rect::from_xywh(20.0, 20.0, 20.0, 20.0)),
        (1.0, (-0.5, 0.0), Rect::from_xywh(-10.0, 0.0, 40.0, 40.0)),
    ] {
        let topology = Topology::new(Definition { object_box: ObjectBox { scale, shift }, ..chiral(three()) }).unwrap();
        let rect = topology.rect(&points);
        let corners = |r: Rect| -> [Point; 2] { [Point::new(r.x, r.y), Point::new(r.x + r.width, r.y + r.height)] };
        let off = corners(rect).iter().zip(corners(expected)).map(|(a, b)| a.distance(b)).fold(0.0, f32::max);
        assert!(off < 1e-4, "{scale} {shift:?}: {rect:?}");
        // What a detector of such boxes leads to, too.
        let (found, from_box) = (crate::Crop::from_points(&topology, &points), crate::Crop::from_rect(&rect));
        assert!(
            found.center.distance(from_box.center) < 1e-4 && (found.side - from_box.side).abs() < 1e-4,
            "{found:?}"
        );
    }
}

#[test]
fn points_that_are_not_finite_have_a_box_that_is_not() {
    for definition in [five(), three(), plain(1)] {
        let topology = Topology::new(definition).unwrap();
        for v in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let points = vec![Point::new(v, v); topology.len()];
            let Rect { x, y, width, height } = topology.rect(&points);
            assert!(![x, y, width, height].iter().all(|v| v.is_finite()), "{topology:?} {v}");
            assert!(!topology.unit(&points).is_normal(), "{topology:?} {v}: {}", topology.unit(&points));
        }
    }
}

proptest! {
    #[test]
    fn measures_follow_a_face_that_is_moved_turned_and_scaled(
        noise in prop::collection::vec(-5.0f32..5.0, 2 * FACE.len()), scale in 0.2f32..5.0, angle in -3.0f32..3.0,
        x in -50.0f32..50.0, y in -50.0f32..50.0,
    ) {
        let topology = Topology::new(five()).unwrap();
        let points: Vec<Point> = FACE.iter().zip(noise.as_chunks::<2>().0)
            .map(|(&(x, y), noise)| Point::new(x + noise[0], y + noise[1])).collect();
        let moving = Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(scale, angle, x, y);
        let moved: Vec<Point> = points.iter().map(|&p| moving * p).collect();

        prop_assert!((topology.unit(&moved) - scale * topology.unit(&points)).abs() < 0.02);
        let (before, after) = (topology.five(&points).unwrap(), topology.five(&moved).unwrap());
        prop_assert_eq!(&before[..], &points[..], "each set is one point");
        prop_assert!(before.iter().zip(after).all(|(&p, q)| (moving * p).distance(q) < 0.02));
        let (before, after) = (topology.rect(&points), topology.rect(&moved));
        prop_assert!((moving * before.center()).distance(after.center()) < 0.1, "{:?} {:?}", before, after);
        prop_assert!((after.width - scale * before.width).abs() < 0.1 && after.width == after.height);
    }

    #[test]
    fn an_object_without_five_points_is_followed_as_it_moves_and_grows(
        numbers in prop::collection::vec(-50.0f32..50.0, 6), scale in 0.2f32..5.0,
        x in -50.0f32..50.0, y in -50.0f32..50.0, side in 0.5f32..3.0, down in -1.0f32..1.0,
    ) {
        let object_box = ObjectBox { scale: side, shift: (0.0, down) };
        let topology = Topology::new(Definition { object_box, ..three() }).unwrap();
        let points: [Point; 3] = std::array::from_fn(|i| Point::new(numbers[2 * i], numbers[2 * i + 1]));
        let moved = points.map(|p| Point::new(scale * p.x + x, scale * p.y + y));
        let (before, after) = (topology.rect(&points), topology.rect(&moved));
        let center = Point::new(scale * before.center().x + x, scale * before.center().y + y);
        prop_assert!(center.distance(after.center()) < 0.05, "{:?} {:?}", before, after);
        prop_assert!((after.width - scale * before.width).abs() < 0.05);
        prop_assert!((topology.unit(&moved) - scale * topology.unit(&points)).abs() < 0.05);
        // And mirrored, since a right side becomes a left one.
        let mirrored: Vec<Point> = topology.mirror().iter().map(|&i| Point::new(-points[i].x, points[i].y)).collect();
        let rect = topology.rect(&mirrored);
        prop_assert!((rect.center().x + before.center().x).abs() < 1e-3 && (rect.width - before.width).abs() < 1e-3);
        prop_assert!((topology.unit(&mirrored) - topology.unit(&points)).abs() < 1e-3);
    }

    #[test]
    fn the_librarys_own_topology_measures_as_its_functions_do(
        numbers in prop::collection::vec(-50.0f32..50.0, 2 * ibug68::POINTS),
    ) {
        let face: [Point; 68] = std::array::from_fn(|i| Point::new(numbers[2 * i], numbers[2 * i + 1]));
        let topology = Topology::ibug68();
        let eyes = [ibug68::RIGHT_EYE, ibug68::LEFT_EYE].map(|eye| Point::mean(&face[eye]));
        let five = [eyes[0], eyes[1], face[30], face[48], face[54]];
        prop_assert_eq!(topology.five(&face).unwrap(), five, "to the last bit");
        prop_assert_eq!(topology.unit(&face), ibug68::inter_ocular(&face));
        prop_assert_eq!(topology.rect(&face), Rect::bounding(&face).unwrap());
    }
}
