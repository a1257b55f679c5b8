//! Drawing: golden pictures, among them the map of the points in `docs`, and input that must not crash it.
//!
//! `REGENERATE=1 cargo test -p lineament --features draw --test draw` rewrites the pictures; look at them before
//! committing.
#![cfg(feature = "draw")]

mod schematic;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::ibug68::POINTS;
use lineament::topology::{Definition, Outline, Part, Topology};
use lineament::{Detection, Face, ImageView, Landmarks, PixelFormat, Point, Rect};
use schematic::FACE_MM;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/drawn_face.ppm");

/// The map of the points, which `docs/points.md` shows, and the same for the documentation of `topology`.
const MAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/points68.png");
const MAP_IN_RUSTDOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/topology/points68.html");

const ALL: DrawOptions = DrawOptions {
    outlines: true,
    points: true,
    point_numbers: true,
    rect: true,
    score: true,
    face_number: Some(1234567890),
};
const NONE: DrawOptions =
    DrawOptions { outlines: false, points: false, point_numbers: false, rect: false, score: false, face_number: None };

/// The schematic face from its left and top edges on, 100 pixels wide with a `scale` of 1.
fn face(left: f32, top: f32, scale: f32, error: f32) -> Face {
    let points = FACE_MM.map(|(x, y)| Point::new(left + (x + 73.0) / 1.46 * scale, top + (y + 25.0) / 1.46 * scale));
    let five = Topology::ibug68().five(&points);
    let detection = Detection { rect: Rect::bounding(&points).unwrap(), points: five, score: 0.9 };
    let landmarks = Landmarks::new(Topology::ibug68(), points.to_vec(), vec![error; POINTS], 0.98);
    Face { detection, landmarks }
}

/// Red, green, blue of all pixels.
fn rgb(canvas: &Canvas) -> Vec<u8> {
    canvas.pixels().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
}

/// Other processors round a little differently along the edges.
fn assert_alike(golden: &[u8], drawn: &[u8], path: &str) {
    assert_eq!(golden.len(), drawn.len(), "size of {path}");
    let differences = golden.iter().zip(drawn).map(|(a, b)| a.abs_diff(*b));
    let (worst, sum) = differences.fold((0, 0), |(worst, sum), d| (d.max(worst), sum + u64::from(d)));
    assert!(worst <= 16 && sum <= drawn.len() as u64 / 20, "{path}: worst difference {worst}, sum {sum}");
}

fn regenerates() -> bool {
    std::env::var_os("REGENERATE").is_some()
}

#[test]
fn a_drawn_face_looks_as_it_did() {
    const SIDE: usize = 96;
    let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(|i| [(i % SIDE) as u8 * 2, 110, (i / SIDE) as u8 * 2]).collect();
    let mut canvas = Canvas::from_view(&ImageView::rgb(&pixels, SIDE, SIDE).unwrap());
    let mut face = face(8.0, 14.0, 0.8, 1.0);
    face.landmarks.errors[11..17].fill(5.0); // the jaw on the right is hidden
    face.landmarks.errors[22..27].fill(4.0); // and the brow above it
    canvas.draw_face(&face, &DrawOptions { score: true, face_number: Some(3), ..DrawOptions::default() });

    let drawn = rgb(&canvas);
    let header = format!("P6\n{SIDE} {SIDE}\n255\n").into_bytes();
    if regenerates() {
        std::fs::write(GOLDEN, [&header[..], &drawn].concat()).unwrap();
    }
    assert_alike(&std::fs::read(GOLDEN).unwrap()[header.len()..], &drawn, GOLDEN);
}

#[test]
fn the_map_of_the_points_is_the_one_in_the_documentation() {
    // Parts have the colours of their outlines, on a dark ground, so that it shows on white pages as on dark ones.
    let (width, height, ground) = (780u32, 770u32, [24, 28, 36]);
    let pixels = ground.repeat((width * height) as usize);
    let mut canvas = Canvas::from_view(&ImageView::rgb(&pixels, width as usize, height as usize).unwrap());
    let options = DrawOptions { outlines: true, points: true, point_numbers: true, ..NONE };
    canvas.draw_face(&face(57.0, 57.0, 6.66, 1.0), &options);

    let drawn = rgb(&canvas);
    if regenerates() {
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
        encoder.write_image(&drawn, width, height, ExtendedColorType::Rgb8).unwrap();
        std::fs::write(MAP, &png).unwrap();
        std::fs::write(MAP_IN_RUSTDOC, inline(&png)).unwrap();
    }
    assert_alike(&image::open(MAP).unwrap().into_rgb8().into_raw(), &drawn, MAP);
    let html = std::fs::read_to_string(MAP_IN_RUSTDOC).unwrap();
    assert!(html == inline(&std::fs::read(MAP).unwrap()), "{MAP_IN_RUSTDOC} has another picture than {MAP}");
}

/// A picture as an element of HTML that needs no other file.
fn inline(png: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::new();
    for bytes in png.chunks(3) {
        let number = (0..3).fold(0, |number, i| number << 8 | u32::from(*bytes.get(i).unwrap_or(&0)));
        let digit = |i: usize| char::from(DIGITS[(number >> (18 - 6 * i) & 63) as usize]);
        base64.extend((0..4).map(|i| if i <= bytes.len() { digit(i) } else { '=' }));
    }
    format!("<img alt=\"A schematic face with 68 numbered points\" src=\"data:image/png;base64,{base64}\">\n")
}

#[test]
fn nothing_is_drawn_without_options_and_far_away() {
    let pixels = [77; 40 * 30];
    let image = ImageView::grey(&pixels, 40, 30).unwrap();
    for (face, options) in [(face(5.0, 5.0, 0.2, 1.0), &NONE), (face(4000.0, -3000.0, 1.0, 1.0), &ALL)] {
        let mut canvas = Canvas::from_view(&image);
        canvas.draw_face(&face, options);
        assert!(canvas.pixels().chunks_exact(4).all(|p| p == [77, 77, 77, 255]));
    }
}

/// Which pixels of an even picture are touched, as the smallest rectangle around them and their number.
fn touched(width: usize, height: usize, face: &Face, options: &DrawOptions) -> (Rect, usize) {
    let pixels = vec![77; width * height];
    let mut canvas = Canvas::from_view(&ImageView::grey(&pixels, width, height).unwrap());
    canvas.draw_face(face, options);
    let touched = canvas.pixels().chunks_exact(4).enumerate().filter(|(_, p)| *p != [77, 77, 77, 255]);
    let points: Vec<Point> = touched.map(|(i, _)| Point::new((i % width) as f32, (i / width) as f32)).collect();
    (Rect::bounding(&points).unwrap_or_default(), points.len())
}

#[test]
fn each_option_draws_something_of_its_own() {
    let face = face(60.0, 60.0, 2.4, 1.0);
    let options = [
        ("outlines", DrawOptions { outlines: true, ..NONE }),
        ("points", DrawOptions { points: true, ..NONE }),
        ("point_numbers", DrawOptions { point_numbers: true, ..NONE }),
        ("rect", DrawOptions { rect: true, ..NONE }),
        ("score", DrawOptions { score: true, ..NONE }),
        ("face_number", DrawOptions { face_number: Some(12), ..NONE }),
    ];
    for (name, options) in &options {
        assert!(touched(400, 400, &face, options).1 > 100, "{name}");
    }
    let numbered = touched(400, 400, &face, &options[5].1).0;
    assert!(numbered.y + numbered.height < 60.0 && numbered.x < 80.0, "above the box's left end: {numbered:?}");
    let scored = touched(400, 400, &face, &options[4].1).0;
    assert!(scored.y + scored.height < 60.0 && scored.x > 250.0, "above the right end: {scored:?}");
}

#[test]
fn lines_are_wider_on_a_picture_that_a_screen_shows_smaller() {
    // One face in pictures of up to 24 megapixels: as many pixels wide, and a line grows with what the screen shrinks.
    for options in [DrawOptions { outlines: true, ..NONE }, DrawOptions { rect: true, ..NONE }] {
        let areas = [400, 1600, 6000].map(|width| touched(width, 160, &face(20.0, 20.0, 1.0, 1.0), &options).1);
        assert_eq!(areas[0], areas[1], "a screen shows both as they are");
        assert!(areas[2] as f32 > 1.5 * areas[1] as f32, "{areas:?}");
    }
    // But never so wide that they hide a small face.
    let small = face(20.0, 20.0, 0.3, 1.0);
    let (_, area) = touched(6000, 100, &small, &DrawOptions { rect: false, ..DrawOptions::default() });
    assert!(area < 30 * 30 * 2 / 3, "{area}");
}

#[test]
fn the_number_of_a_face_at_the_edge_is_inside_the_picture() {
    let options = DrawOptions { face_number: Some(888), ..NONE };
    let whole = touched(300, 300, &face(100.0, 150.0, 1.0, 1.0), &options);
    for (left, top) in [(-60.0, 100.0), (100.0, -60.0), (270.0, 100.0), (-40.0, -40.0), (100.0, 280.0)] {
        let (rect, area) = touched(300, 300, &face(left, top, 1.0, 1.0), &options);
        assert!(area.abs_diff(whole.1) < whole.1 / 10, "{left}, {top}: {rect:?}, {area} of {}", whole.1);
    }
}

#[test]
fn a_hidden_point_is_a_ring_as_wide_as_its_error() {
    let options = DrawOptions { points: true, ..NONE };
    let mut face = face(60.0, 60.0, 2.4, 1.0);
    let before = touched(400, 400, &face, &options).0;
    face.landmarks.errors[8] = 30.0; // the chin: of 147 pixels between the eye corners that is more than a tenth
    assert!(!face.landmarks.visible()[8]);
    let (rect, _) = touched(400, 400, &face, &options);
    let lower = rect.y + rect.height - (before.y + before.height);
    assert!((lower - 27.0).abs() < 4.0, "{lower}");
}

#[test]
fn every_pixel_format_keeps_its_colours() {
    let cases: [(PixelFormat, &[u8], [u8; 4]); 4] = [
        (PixelFormat::Grey, &[9], [9, 9, 9, 255]),
        (PixelFormat::Rgb, &[1, 2, 3], [1, 2, 3, 255]),
        (PixelFormat::Rgba, &[1, 2, 3, 4], [1, 2, 3, 255]),
        (PixelFormat::Bgra, &[3, 2, 1, 4], [1, 2, 3, 255]),
    ];
    for (format, pixel, expected) in cases {
        let canvas = Canvas::from_view(&ImageView::new(pixel, 1, 1, pixel.len(), format).unwrap());
        assert_eq!(canvas.pixels(), expected, "{format:?}");
        assert_eq!((canvas.width(), canvas.height()), (1, 1));
    }
}

#[test]
fn wild_numbers_and_tiny_pictures_do_not_crash() {
    let wild = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        0.0,
        -1.0,
        1e9,
        -250.0,
        4e4,
    ];
    let pixels = [50; 64 * 3];
    for (width, height) in [(1, 1), (1, 64), (64, 1), (2, 3), (64, 3)] {
        let image = ImageView::grey(&pixels, width, height).unwrap();
        for a in wild {
            for b in wild {
                let mut canvas = Canvas::from_view(&image);
                canvas.draw_face(&face(a, b, 0.1, 1.0), &ALL); // all points moved
                canvas.draw_face(&face(0.0, 0.0, a, b), &ALL); // scaled, with that error
                let mut torn = face(-5.0, -5.0, 1.0, 1.0);
                for i in (0..POINTS).step_by(3) {
                    torn.landmarks.points[i] = Point::new(a, b);
                    torn.landmarks.errors[i] = a;
                }
                torn.landmarks.score = a;
                torn.detection.rect = Rect::from_xywh(a, b, b, a);
                canvas.draw_face(&torn, &ALL);
                assert!(canvas.pixels().chunks_exact(4).all(|p| p[3] == 255), "opaque");
            }
        }
    }
}

/// A topology of some points with these outlines and nothing more.
fn topology(count: usize, outlines: Vec<Outline>) -> Topology {
    let names = (0..count).map(|i| format!("p{i}")).collect();
    Topology::new(Definition { name: "own".into(), names, outlines, ..Definition::default() }).unwrap()
}

fn outline(points: &[usize], closed: bool, colour: Option<[u8; 3]>) -> Outline {
    Outline { name: "line".into(), points: points.into(), closed, colour }
}

fn object(topology: &Topology, points: Vec<Point>, error: f32) -> Face {
    let detection = Detection { rect: Rect::bounding(&points).unwrap(), points: None, score: 0.9 };
    let errors = vec![error; points.len()];
    Face { detection, landmarks: Landmarks::new(topology.clone(), points, errors, 0.98) }
}

/// The pixels of an even picture on which this is drawn, `[height, width]`: red, green, blue.
fn drawn(width: usize, height: usize, face: &Face, options: &DrawOptions) -> Vec<[u8; 3]> {
    let pixels = vec![77; width * height];
    let mut canvas = Canvas::from_view(&ImageView::grey(&pixels, width, height).unwrap());
    canvas.draw_face(face, options);
    rgb(&canvas).as_chunks::<3>().0.to_vec()
}

#[test]
fn the_numbers_of_any_topology_are_all_drawn_beside_their_points() {
    let grid: Vec<Point> =
        (0..12).map(|i| Point::new(60.0 + 90.0 * (i % 4) as f32, 60.0 + 110.0 * (i / 4) as f32)).collect();
    let options = DrawOptions { point_numbers: true, ..NONE };
    for outlines in [
        vec![],
        vec![outline(&[0, 1, 2, 3], false, None)],
        // A point of two lines has one number.
        vec![outline(&[0, 5, 10], true, None), outline(&[10, 5, 0, 5], false, None), outline(&[11], true, None)],
    ] {
        let pixels = drawn(400, 350, &object(&topology(12, outlines), grid.clone(), 1.0), &options);
        let touched = |p: &Point, reach: isize| {
            let (x, y) = (p.x as isize, p.y as isize);
            let around = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (x + dx, y + dy)));
            around.filter(|&(x, y)| pixels[(y * 400 + x) as usize] != [77; 3]).count()
        };
        for (i, p) in grid.iter().enumerate() {
            assert!(touched(p, 24) > 15, "point {i}: {} pixels", touched(p, 24));
            assert!(touched(p, 1) == 0, "point {i} is covered");
        }
        let all: usize = grid.iter().map(|p| touched(p, 24)).sum();
        assert_eq!(all, pixels.iter().filter(|pixel| **pixel != [77; 3]).count(), "there are no others");
    }
}

#[test]
fn numbers_of_points_that_stand_close_do_not_stand_on_each_other() {
    // Two of them side by side: the numbers stand apart.
    let points = vec![Point::new(100.0, 100.0), Point::new(103.0, 100.0), Point::new(300.0, 250.0)];
    let options = DrawOptions { point_numbers: true, ..NONE };
    let count = |points: &[Point]| {
        let pixels = drawn(400, 350, &object(&topology(points.len(), vec![]), points.to_vec(), 1.0), &options);
        pixels.iter().filter(|pixel| **pixel != [77; 3]).count()
    };
    let apart = [points[0], Point::new(200.0, 100.0), points[2]];
    assert!(count(&points).abs_diff(count(&apart)) < 12, "{} {}", count(&points), count(&apart));
}

#[test]
fn an_outline_has_its_own_colour_or_that_of_its_part() {
    let points =
        vec![Point::new(50.0, 50.0), Point::new(250.0, 50.0), Point::new(250.0, 250.0), Point::new(50.0, 250.0)];
    let options = DrawOptions { outlines: true, ..NONE };
    let part = |name: &str, points: &[usize]| Part { name: name.into(), points: points.into(), hidden_above: 0.06 };
    let colour_of = |colour: Option<[u8; 3]>, parts: Vec<Part>| {
        let names = (0..4).map(|i| format!("p{i}")).collect();
        let outlines = vec![outline(&[3, 2, 1, 0], true, colour)];
        let definition = Definition { name: "own".into(), names, outlines, parts, ..Definition::default() };
        let pixels = drawn(300, 300, &object(&Topology::new(definition).unwrap(), points.clone(), 1.0), &options);
        pixels[250 * 300 + 250 - 1]
    };
    assert_eq!(colour_of(Some([1, 200, 3]), vec![]), [1, 200, 3]);
    let [first, second] = [vec![], vec![part("a", &[0, 1, 2]), part("b", &[3])]].map(|parts| colour_of(None, parts));
    assert!(first != second && first != [77; 3] && second != [77; 3], "{first:?} {second:?}");
}

#[test]
fn topologies_of_any_shape_do_not_crash() {
    let one = topology(1, vec![outline(&[0], true, None), outline(&[0, 0], true, None), outline(&[0], false, None)]);
    let crossing = vec![
        outline(&[4, 4, 4], true, Some([255; 3])),
        outline(&[2, 1, 0, 4, 3, 2, 2, 0], false, None),
        outline(&[0, 1], true, None),
    ];
    let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e9, -1.0, 0.0, 20.0];
    for topology in [one, topology(5, crossing), topology(1, vec![]), topology(200, vec![])] {
        let count = topology.len();
        let spread: Vec<Point> = (0..count).map(|i| Point::new((7 * i % 60) as f32, (i / 5) as f32)).collect();
        for v in wild {
            let mut torn = spread.clone();
            torn[0] = Point::new(v, 3.0);
            let equal = vec![Point::new(v, v); count];
            let line = (0..count).map(|i| Point::new(v, i as f32)).collect();
            for points in [torn, equal, line] {
                for error in [v, 1.0] {
                    for (width, height) in [(64, 48), (1, 1)] {
                        drawn(width, height, &object(&topology, points.clone(), error), &ALL);
                    }
                }
            }
        }
        // One point without a place takes nothing from the others.
        let mut torn = spread.clone();
        torn[0] = Point::new(f32::NAN, f32::NAN);
        let options = DrawOptions { points: true, point_numbers: true, ..NONE };
        let pixels = drawn(64, 48, &object(&topology, torn, 1.0), &options);
        assert_eq!(pixels.iter().any(|pixel| *pixel != [77; 3]), count > 1, "{topology:?}");
    }
}
