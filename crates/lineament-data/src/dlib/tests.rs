//! A predictor that is simple enough to run by hand, and wrong numbers in its file.

use lineament::ImageView;
use proptest::prelude::*;

use super::*;
use Number::{Float, Int};

#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Float(f32),
    Infinite,
}

/// The numbers of a file, part by part.
struct Parts {
    version: Vec<Number>,
    mean: Vec<Number>,
    /// Cascades, trees.
    counts: Vec<Number>,
    splits: Vec<Number>,
    leaves: Vec<Number>,
    anchors: Vec<Number>,
    deltas: Vec<Number>,
    behind: Vec<Number>,
}

/// Two points and one tree: when the pixel under the first point is brighter than that under the second by more than
/// 10, the first moves to the right by a quarter of the box, else the second moves down.
fn by_hand() -> Parts {
    let leaf = |[a, b, c, d]: [f32; 4]| [Int(-4), Int(-1), Float(a), Float(b), Float(c), Float(d)];
    Parts {
        version: vec![Int(1)],
        mean: leaf([0.25, 0.5, 0.75, 0.5]).to_vec(),
        counts: vec![Int(1), Int(1)],
        splits: vec![Int(1), Int(0), Int(1), Float(10.0)],
        leaves: [&[Int(2)][..], &leaf([0.25, 0.0, 0.0, 0.0]), &leaf([0.0, 0.0, 0.0, 0.25])].concat(),
        anchors: vec![Int(1), Int(2), Int(0), Int(1)],
        deltas: vec![Int(1), Int(2), Float(0.0), Float(0.0), Float(0.0), Float(0.0)],
        behind: vec![],
    }
}

impl Parts {
    fn bytes(&self) -> Vec<u8> {
        let Self { version, mean, counts, splits, leaves, anchors, deltas, behind } = self;
        let numbers = [version, mean, counts, splits, leaves, anchors, deltas, behind];
        numbers.into_iter().flatten().flat_map(bytes).collect()
    }
}

fn bytes(number: &Number) -> Vec<u8> {
    match *number {
        Int(n) => {
            let len = (8 - n.unsigned_abs().leading_zeros() as usize / 8).max(1);
            let control = len as u8 | if n < 0 { 0x80 } else { 0 };
            [&[control][..], &n.unsigned_abs().to_le_bytes()[..len]].concat()
        }
        Float(x) => [Int((f64::from(x) * 1024.0) as i64), Int(-10)].iter().flat_map(bytes).collect(),
        Number::Infinite => [Int(0), Int(32_000)].iter().flat_map(bytes).collect(),
    }
}

/// Where the two points go for a box over 5x5 pixels with this brightness under them.
fn placed(first: u8, second: u8) -> [Point; 2] {
    let mut pixels = [0; 25];
    (pixels[2 * 5 + 1], pixels[2 * 5 + 3]) = (first, second);
    let image = ImageView::grey(&pixels, 5, 5).unwrap().to_grey();
    let predictor = ShapePredictor::parse(&by_hand().bytes()).unwrap();
    predictor.place(&image, &Rect::from_xywh(0.0, 0.0, 5.0, 5.0)).try_into().unwrap()
}

#[test]
fn a_tree_moves_the_points_by_the_pixels_under_them() {
    let (right, down) = ([Point::new(2.5, 2.5), Point::new(3.5, 2.5)], [Point::new(1.5, 2.5), Point::new(3.5, 3.5)]);
    for (first, second, expected) in [(200, 0, right), (0, 200, down), (110, 100, down), (111, 100, right)] {
        assert_eq!(placed(first, second), expected, "{first} and {second}");
    }
}

#[test]
fn pixels_beyond_the_image_are_black() {
    let predictor = ShapePredictor::parse(&by_hand().bytes()).unwrap();
    let image = ImageView::grey(&[200; 25], 5, 5).unwrap().to_grey();
    for (x, first_moves) in [(0.0, false), (-2.0, false), (2.0, true), (f32::MAX, false)] {
        let points = predictor.place(&image, &Rect::from_xywh(x, 0.0, 5.0, 5.0));
        assert_eq!(points[0].y, 2.5, "at {x}");
        assert_eq!(points[1].y == 2.5, first_moves, "at {x}");
    }
}

#[test]
fn one_feature_turns_with_the_shape() {
    let upright = [0.0, 0.0, 1.0, 0.0, 0.5, 1.0];
    let quarter_turn = [0.0, 0.0, 0.0, 2.0, -2.0, 1.0]; // clockwise on the screen, twice as large
    assert_eq!(turn_and_scale(&upright, &quarter_turn), [0.0, 2.0]);
    assert_eq!(turn_and_scale(&upright, &upright), [1.0, 0.0]);
    assert_eq!(turn_and_scale(&[0.3, 0.4], &[0.7, 0.1]), [1.0, 0.0]);
}

#[test]
fn a_wrong_number_is_named() {
    type Change = fn(&mut Parts);
    let cases: &[(&str, Change)] = &[
        ("the version is 2, expected 1", |p| p.version[0] = Int(2)),
        ("such as shape_predictor_68", |p| p.version[0] = Int(2)),
        ("mean shape of 3 coordinates", |p| p.mean[0] = Int(-3)),
        ("mean shape of -4 coordinates", |p| p.mean[0] = Int(4)),
        ("mean shape of 0 coordinates", |p| p.mean[0] = Int(0)),
        ("mean shape of 9223372036854775807 coordinates", |p| p.mean[0] = Int(-i64::MAX)),
        ("columns", |p| p.mean[1] = Int(-2)),
        ("infinite", |p| p.mean[2] = Number::Infinite),
        ("no cascades", |p| p.counts[0] = Int(0)),
        ("cascades, with room for", |p| p.counts[0] = Int(i64::MAX)),
        ("-1 cascades", |p| p.counts[0] = Int(-1)),
        ("without trees", |p| p.counts[1] = Int(0)),
        ("9999 trees, with room for 1;", |p| p.counts[1] = Int(9999)),
        ("a tree of 0 splits", |p| p.splits[0] = Int(0)),
        ("a tree of 2 splits", |p| p.splits[0] = Int(2)),
        ("splits, with room for", |p| p.splits[0] = Int(1 << 40)),
        ("feature -1", |p| p.splits[1] = Int(-1)),
        ("2 anchors, but a tree names feature 7", |p| p.splits[2] = Int(7)),
        ("infinite", |p| p.splits[3] = Number::Infinite),
        ("the number of leaves is 3, expected 2", |p| p.leaves[0] = Int(3)),
        ("a leaf's number of coordinates (with a minus) is -6, expected -4", |p| p.leaves[1] = Int(-6)),
        ("the number of lists of anchors is 2, expected 1", |p| p.anchors[0] = Int(2)),
        ("anchors, with room for", |p| p.anchors[1] = Int(100)),
        ("anchor 2, expected one from 0 to 1", |p| p.anchors[2] = Int(2)),
        ("anchor -1", |p| p.anchors[2] = Int(-1)),
        ("the number of lists of deltas is 0", |p| p.deltas[0] = Int(0)),
        ("the number of deltas is 3, expected 2", |p| p.deltas[1] = Int(3)),
        ("2 bytes follow the end", |p| p.behind.push(Int(1))),
    ];
    for (words, change) in cases {
        let mut parts = by_hand();
        change(&mut parts);
        let fault = ShapePredictor::parse(&parts.bytes()).unwrap_err();
        assert!(fault.reason.contains(words), "expected {words:?}, got {fault}");
    }
}

#[test]
fn other_files_are_refused_with_a_remedy() {
    for (bytes, words) in [
        (&b""[..], "byte 0: the file ends here; it is not whole"),
        (b"BZh91AY&SY", "byte 0: compressed with bzip2; unpack it first (bunzip2 FILE)"),
        (b"<?xml version=\"1.0\"?>", "expected a shape predictor of dlib"),
        (&[0x08, 1, 2, 3], "ends within a number"),
        (&[0x88, 0, 0, 0, 0, 0, 0, 0, 0x80], "beyond 63 bits"),
    ] {
        let fault = ShapePredictor::parse(bytes).unwrap_err().to_string();
        assert!(fault.contains(words), "expected {words:?}, got {fault}");
    }
}

#[test]
fn numbers_of_every_size_are_read() {
    for n in [0, 1, -1, 255, 256, -65_536, i64::MAX, -i64::MAX] {
        assert_eq!(wire::Reader::new(&bytes(&Int(n))).int(), Ok(n));
    }
    for (mantissa, exponent, value) in
        [(3, -1, Some(1.5)), (-5, 3, Some(-40.0)), (1, -149, Some(1e-45)), (7, -9999, Some(0.0)), (1, 128, None)]
    {
        let bytes = [bytes(&Int(mantissa)), bytes(&Int(exponent))].concat();
        assert_eq!(wire::Reader::new(&bytes).float().ok(), value, "{mantissa} * 2^{exponent}");
    }
}

proptest! {
    #[test]
    fn any_numbers_are_a_predictor_or_a_fault(
        at in 0usize..80, with in prop::collection::vec(any::<u8>(), 0..4), rest in any::<bool>(),
    ) {
        let mut bytes = by_hand().bytes();
        let at = at.min(bytes.len());
        let end = if rest { (at + with.len()).min(bytes.len()) } else { bytes.len() };
        bytes.splice(at..end, with);
        if let Ok(predictor) = ShapePredictor::parse(&bytes) {
            let image = ImageView::grey(&[7; 25], 5, 5).unwrap().to_grey();
            prop_assert_eq!(predictor.place(&image, &Rect::from_xywh(0.0, 0.0, 5.0, 5.0)).len(), predictor.points());
        }
    }
}
