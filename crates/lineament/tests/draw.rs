//! Drawing: one golden picture, and input that must not crash it.
//!
//! `REGENERATE=1 cargo test -p lineament --features draw --test draw` rewrites the golden picture; look at it before
//! committing.
#![cfg(feature = "draw")]

use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::POINTS;
use lineament::{Detection, Face, ImageView, Landmarks, PixelFormat, Point, Pose, Rect};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/drawn_face.ppm");

/// A face drawn by hand on a grid of 100 by 100, chin down.
#[rustfmt::skip]
const FACE: [(f32, f32); POINTS] = [
    (8.0, 38.0), (9.0, 48.0), (11.0, 58.0), (14.0, 68.0), (19.0, 77.0), (26.0, 85.0), (34.0, 91.0), (42.0, 95.0), (50.0, 96.0),
    (58.0, 95.0), (66.0, 91.0), (74.0, 85.0), (81.0, 77.0), (86.0, 68.0), (89.0, 58.0), (91.0, 48.0), (92.0, 38.0), // jaw
    (15.0, 30.0), (20.0, 25.0), (27.0, 24.0), (34.0, 25.0), (41.0, 28.0), // right brow
    (59.0, 28.0), (66.0, 25.0), (73.0, 24.0), (80.0, 25.0), (85.0, 30.0), // left brow
    (50.0, 37.0), (50.0, 44.0), (50.0, 50.0), (50.0, 57.0), // nose bridge
    (42.0, 62.0), (46.0, 63.5), (50.0, 65.0), (54.0, 63.5), (58.0, 62.0), // nostrils
    (23.0, 38.0), (28.0, 35.0), (34.0, 35.0), (39.0, 39.0), (34.0, 41.0), (28.0, 41.0), // right eye
    (61.0, 39.0), (66.0, 35.0), (72.0, 35.0), (77.0, 38.0), (72.0, 41.0), (66.0, 41.0), // left eye
    (33.0, 75.0), (39.0, 72.0), (46.0, 70.5), (50.0, 71.5), (54.0, 70.5), (61.0, 72.0), (67.0, 75.0),
    (61.0, 80.0), (55.0, 83.0), (50.0, 83.5), (45.0, 83.0), (39.0, 80.0), // outer lips
    (36.0, 75.5), (46.0, 75.0), (50.0, 75.5), (54.0, 75.0), (64.0, 75.5), (54.0, 77.0), (50.0, 77.5), (46.0, 77.0), // inner lips
];

fn face(left: f32, top: f32, scale: f32, error: f32) -> Face {
    let points = FACE.map(|(x, y)| Point::new(left + x * scale, top + y * scale));
    let detection = Detection {
        rect: Rect::bounding(&points).unwrap(),
        points: lineament::topology::five_points(&points),
        score: 0.9,
    };
    let landmarks = Landmarks { points, errors: [error; POINTS], score: 0.98, pose: Pose::default() };
    Face { detection, landmarks }
}

const ALL: DrawOptions = DrawOptions { outlines: true, points: true, rect: true, score: true };

#[test]
fn a_drawn_face_looks_as_it_did() {
    const SIDE: usize = 96;
    let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(|i| [(i % SIDE) as u8 * 2, 110, (i / SIDE) as u8 * 2]).collect();
    let mut canvas = Canvas::from_view(&ImageView::rgb(&pixels, SIDE, SIDE).unwrap());
    let mut face = face(8.0, 8.0, 0.8, 1.0);
    face.landmarks.errors[11..17].fill(5.0); // the jaw on the right is uncertain
    face.landmarks.errors[22..27].fill(4.0); // and the brow above it
    canvas.draw_face(&face, &ALL);

    let drawn: Vec<u8> = canvas.pixels().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut file = format!("P6\n{SIDE} {SIDE}\n255\n").into_bytes();
    let header = file.len();
    file.extend(&drawn);
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(GOLDEN, &file).unwrap();
    }
    let golden = std::fs::read(GOLDEN).unwrap();
    assert_eq!(golden.len(), file.len(), "size of {GOLDEN}");
    // Other processors round a little differently along the edges.
    let differences: Vec<u8> = golden[header..].iter().zip(&drawn).map(|(a, b)| a.abs_diff(*b)).collect();
    let (worst, sum) = (differences.iter().max().unwrap(), differences.iter().map(|&d| u64::from(d)).sum::<u64>());
    assert!(*worst <= 16 && sum <= drawn.len() as u64 / 20, "worst difference {worst}, sum {sum}");
}

#[test]
fn nothing_is_drawn_without_options_and_far_away() {
    let pixels = [77; 40 * 30];
    let image = ImageView::grey(&pixels, 40, 30).unwrap();
    let none = DrawOptions { outlines: false, points: false, rect: false, score: false };
    for (face, options) in [(face(5.0, 5.0, 0.2, 1.0), &none), (face(4000.0, -3000.0, 1.0, 1.0), &ALL)] {
        let mut canvas = Canvas::from_view(&image);
        canvas.draw_face(&face, options);
        assert!(canvas.pixels().chunks_exact(4).all(|p| p == [77, 77, 77, 255]));
    }
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
