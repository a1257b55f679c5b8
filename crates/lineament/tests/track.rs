//! The tracker with the shipped models on films made of one portrait (`cascade/astronaut.pgm`): moved, turned, scaled,
//! twice in one frame, hidden, gone.
#![cfg(feature = "default-models")]

use std::path::Path;

use lineament::stages::{ImageFrame, PixelFrame, sample};
use lineament::topology::Topology;
use lineament::topology::ibug68::{POINTS, inter_ocular};
use lineament::{
    Crop, ImageView, Lineament, Options, PixelFormat, Point, Similarity, SmoothOptions, TrackOptions, TrackedFace,
    Tracker,
};
use lineament_nn::model::{Architecture, Metadata, Op, Role, Shape, key, write};
use proptest::prelude::*;

const WIDTH: usize = 480;
const HEIGHT: usize = 320;
const FPS: f64 = 30.0;

/// Where the portrait stands in the frame: its middle, how large and how turned.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: f32,
    y: f32,
    scale: f32,
    roll_rad: f32,
}

const MIDDLE: Place = Place { x: 240.0, y: 160.0, scale: 1.5, roll_rad: 0.0 };

impl Place {
    fn at(x: f32, y: f32, scale: f32) -> Self {
        Self { x, y, scale, roll_rad: 0.0 }
    }

    fn frame_from_portrait(self, width: usize, height: usize) -> Similarity<ImageFrame, ImageFrame> {
        let centre = Similarity::<ImageFrame, ImageFrame>::new(1.0, 0.0, -(width as f32) / 2.0, -(height as f32) / 2.0);
        Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(self.scale, self.roll_rad, self.x, self.y) * centre
    }
}

/// Width, height and grey pixels of the portrait.
fn portrait() -> (usize, usize, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cascade/astronaut.pgm");
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"P5\n180 150\n255\n"));
    (180, 150, bytes[bytes.len() - 180 * 150..].to_vec())
}

/// A frame of soft light with the portrait in some places, the last in front.
fn frame(places: &[Place]) -> Vec<u8> {
    frame_with(places, |_| true)
}

/// The same with the head alone, cut out as a disc.
fn heads(places: &[Place]) -> Vec<u8> {
    frame_with(places, |at| at.distance(Point::new(83.0, 53.0)) < 42.0)
}

fn frame_with(places: &[Place], shows: fn(Point) -> bool) -> Vec<u8> {
    let (width, height, pixels) = portrait();
    let grey = ImageView::grey(&pixels, width, height).unwrap();
    let mut frame: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| (120 + i % WIDTH / 12 + i / WIDTH / 16) as u8).collect();
    let mut seen = vec![0.0; WIDTH * HEIGHT];
    for place in places {
        let portrait_from_frame = place.frame_from_portrait(width, height).inverse();
        let Similarity { a, b, tx, ty, .. } = portrait_from_frame;
        sample(&grey, Similarity::<ImageFrame, PixelFrame>::new(a, b, tx, ty), WIDTH, HEIGHT, &mut seen);
        for (i, pixel) in frame.iter_mut().enumerate() {
            let at = portrait_from_frame * Point::new((i % WIDTH) as f32 + 0.5, (i / WIDTH) as f32 + 0.5);
            if (0.0..width as f32).contains(&at.x) && (0.0..height as f32).contains(&at.y) && shows(at) {
                *pixel = seen[i].round() as u8;
            }
        }
    }
    frame
}

fn tracker() -> Tracker {
    Tracker::new(Options::default(), TrackOptions::default()).unwrap()
}

/// The faces of each frame; the film begins at `start_secs`.
fn follow_from(tracker: &mut Tracker, start_secs: f64, film: &[Vec<u8>]) -> Vec<Vec<TrackedFace>> {
    let mut answers = Vec::new();
    for (number, pixels) in film.iter().enumerate() {
        let image = ImageView::grey(pixels, WIDTH, HEIGHT).unwrap();
        answers.push(tracker.update(&image, start_secs + number as f64 / FPS).to_vec());
    }
    answers
}

fn follow(film: &[Vec<u8>]) -> Vec<Vec<TrackedFace>> {
    follow_from(&mut tracker(), 0.0, film)
}

fn ids(answers: &[Vec<TrackedFace>]) -> Vec<Vec<u64>> {
    answers.iter().map(|faces| faces.iter().map(|face| face.id).collect()).collect()
}

fn mean_distance(a: &[Point], b: &[Point]) -> f32 {
    assert_eq!((a.len(), b.len()), (POINTS, POINTS));
    a.iter().zip(b).map(|(a, b)| a.distance(*b)).sum::<f32>() / POINTS as f32
}

#[test]
fn a_face_that_moves_grows_and_turns_keeps_its_number_and_its_points_stay_on_it() {
    let places: Vec<Place> = (0..60)
        .map(|k| {
            let t = k as f32 / 60.0;
            Place { x: 200.0 + 90.0 * t, y: 160.0 - 20.0 * t, scale: 1.2 + 0.7 * t, roll_rad: -0.3 + 0.8 * t }
        })
        .collect();
    let film: Vec<_> = places.iter().map(|place| frame(&[*place])).collect();
    let answers = follow(&film);
    let (width, height, _) = portrait();
    let on_portrait = |k: usize| {
        let portrait_from_frame = places[k].frame_from_portrait(width, height).inverse();
        answers[k][0].face.landmarks.ibug68().unwrap().map(|p| portrait_from_frame * p)
    };
    assert_eq!(ids(&answers), vec![vec![1]; 60]);
    for k in 1..60 {
        let off = mean_distance(&on_portrait(k), &on_portrait(30)) / inter_ocular(&on_portrait(30));
        assert!(off < 0.05, "frame {k}: {off}");
    }
}

#[test]
fn fast_faces_are_kept() {
    // Pixels a frame; the face is about 70 wide.
    for speed in [5.0, 12.0, 20.0] {
        let film: Vec<_> = (0..14).map(|k| frame(&[Place::at(100.0 + speed * k as f32, 160.0, 1.5)])).collect();
        assert_eq!(ids(&follow(&film)), vec![vec![1]; 14], "{speed} pixels a frame");
    }
}

#[test]
fn two_faces_keep_their_numbers_and_stand_in_their_order() {
    let film: Vec<_> = (0..40)
        .map(|k| {
            let y = 160.0 + 10.0 * (k as f32 / 6.0).sin();
            frame(&[Place::at(110.0 + k as f32, y, 1.3), Place::at(370.0, 320.0 - y, 1.0)])
        })
        .collect();
    let answers = follow(&film);
    assert_eq!(ids(&answers), vec![vec![1, 2]; 40]);
    for faces in &answers {
        let [left, right] = [0, 1].map(|i| faces[i].face.detection.rect.center().x);
        assert!(left < 200.0 && right > 300.0, "{left} {right}");
    }
}

#[test]
fn a_face_that_was_hidden_gets_its_number_back_only_within_a_second() {
    for (hidden, id) in [(1, 1), (10, 1), (24, 1), (45, 2)] {
        let film: Vec<_> =
            (0..hidden + 30).map(|k| frame(if (10..10 + hidden).contains(&k) { &[] } else { &[MIDDLE] })).collect();
        let answers = ids(&follow(&film));
        assert!(answers[10..10 + hidden].iter().all(Vec::is_empty), "hidden for {hidden}: {answers:?}");
        let back = (10 + hidden..answers.len()).find(|&k| !answers[k].is_empty()).expect("it comes back");
        assert!(back <= 10 + hidden + 6, "hidden for {hidden}, back in frame {back}");
        assert!(answers[back..].iter().all(|ids| *ids == [id]), "hidden for {hidden}: {answers:?}");
    }
}

#[test]
fn a_face_that_comes_back_elsewhere_or_in_another_size_is_another() {
    let before = Place { x: 180.0, ..MIDDLE };
    for other in [Place { x: 400.0, ..MIDDLE }, Place { scale: 0.85, ..before }] {
        let film: Vec<_> = (0..30)
            .map(|k| match k {
                0..10 => frame(&[before]),
                10..15 => frame(&[]),
                _ => frame(&[other]),
            })
            .collect();
        assert_eq!(ids(&follow(&film)).last(), Some(&vec![2]), "{other:?}");
    }
}

#[test]
fn a_cut_ends_a_track_in_that_frame_and_shows_the_new_face_in_it() {
    let film: Vec<_> = (0..20).map(|k| frame(&[Place { x: if k < 10 { 110.0 } else { 380.0 }, ..MIDDLE }])).collect();
    let answers = ids(&follow(&film));
    assert_eq!(answers[..10], vec![vec![1]; 10]);
    assert_eq!(answers[10..], vec![vec![2]; 10]);
}

#[test]
fn options_that_change_keep_the_faces_and_say_whether_frames_are_searched() {
    let film: Vec<_> = (0..3).map(|k| frame(&[Place { x: 240.0 + 0.3 * k as f32, ..MIDDLE }])).collect();
    let mut tracker = tracker();
    let answers = follow_from(&mut tracker, 0.0, &film);
    assert!(!tracker.searched(), "a fifth of a second has not passed");
    let last = &answers[2][0];
    assert_ne!(last.face.landmarks.points, last.raw.points, "smoothed");

    let wrong = TrackOptions { search_every_secs: -1.0, ..TrackOptions::default() };
    assert!(tracker.set_options(wrong).is_err());
    assert_eq!(*tracker.options(), TrackOptions::default());

    let smooth = Some(SmoothOptions { settle_secs: 0.0, ..SmoothOptions::default() });
    tracker.set_options(TrackOptions { smooth, search_every_secs: 0.0, ..TrackOptions::default() }).unwrap();
    let answers = follow_from(&mut tracker, 0.2, &film);
    assert!(tracker.searched());
    assert_eq!(ids(&answers), vec![vec![1]; 3]);
    assert!(mean_distance(&answers[2][0].face.landmarks.points, &answers[2][0].raw.points) < 1e-3);

    tracker.set_options(TrackOptions { smooth: None, ..TrackOptions::default() }).unwrap();
    let answers = follow_from(&mut tracker, 0.4, &film);
    assert_eq!(ids(&answers), vec![vec![1]; 3]);
    assert_eq!(answers[2][0].face.landmarks.points, answers[2][0].raw.points);
}

#[test]
fn a_newcomer_waits_a_fifth_of_a_second_at_most() {
    let first = Place::at(110.0, 160.0, 1.3);
    let second = Place::at(370.0, 160.0, 1.2);
    for before in [vec![], vec![first]] {
        let after: Vec<Place> = before.iter().copied().chain([second]).collect();
        for arrival in 7..13 {
            let film: Vec<_> = (0..25).map(|k| frame(if k < arrival { &before } else { &after })).collect();
            let answers = ids(&follow(&film));
            let seen = answers.iter().position(|ids| ids.len() == after.len()).expect("it is found");
            assert!((arrival..=arrival + 6).contains(&seen), "arrives in frame {arrival}, seen in {seen}");
        }
    }
}

#[test]
fn the_frame_is_searched_no_more_often_than_asked_for() {
    let (first, second) = (Place::at(110.0, 160.0, 1.3), Place::at(370.0, 160.0, 1.2));
    let film: Vec<_> = (0..40).map(|k| if k < 2 { frame(&[first]) } else { frame(&[first, second]) }).collect();
    let options = TrackOptions { search_every_secs: 1.0, ..TrackOptions::default() };
    let mut tracker = Tracker::new(Options::default(), options).unwrap();
    let answers = ids(&follow_from(&mut tracker, 0.0, &film));
    assert_eq!(answers.iter().position(|ids| ids.len() == 2), Some(30), "{answers:?}");
}

#[test]
fn no_more_faces_are_followed_than_asked_for() {
    let film = vec![frame(&[Place::at(110.0, 160.0, 1.3), Place::at(370.0, 160.0, 1.0)]); 15];
    for (max_faces, expected) in [(0, vec![]), (1, vec![1]), (2, vec![1, 2])] {
        let options = Options { max_faces, ..Options::default() };
        let mut tracker = Tracker::new(options, TrackOptions::default()).unwrap();
        assert_eq!(ids(&follow_from(&mut tracker, 0.0, &film)), vec![expected; 15]);
    }
}

#[test]
fn a_face_that_goes_behind_another_ends_and_the_other_keeps_its_number() {
    // The right head slides in front of the left one, or behind it, until they are one.
    for (in_front, stays) in [(true, 2), (false, 1)] {
        let film: Vec<_> = (0..60)
            .map(|k| {
                let right = Place::at((370.0 - 5.0 * k as f32).max(110.0), 160.0, 1.3);
                let left = Place::at(110.0, 160.0, 1.3);
                heads(&if in_front { [left, right] } else { [right, left] })
            })
            .collect();
        let answers = ids(&follow(&film));
        let alone = answers.iter().position(|ids| *ids == [stays]).unwrap_or_else(|| panic!("{stays}: {answers:?}"));
        assert!(answers[..alone].iter().all(|ids| *ids == [1, 2]), "{answers:?}");
        assert!(answers[alone..].iter().all(|ids| *ids == [stays]), "{answers:?}");
    }
}

#[test]
fn useless_times_do_no_harm() {
    let film = vec![frame(&[MIDDLE]); 12];
    for times in [
        [0.0; 12],
        [f64::NAN; 12],
        [f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e308, -1e308, 1e308, f64::NAN, 5.0, 4.0, 4.0, 3.0, 1e-300],
        std::array::from_fn(|k| -(k as f64)),
        std::array::from_fn(|k| if k % 2 == 0 { 1e9 } else { 0.0 }),
    ] {
        let mut tracker = tracker();
        let mut first = None;
        for (pixels, time_secs) in film.iter().zip(times) {
            let image = ImageView::grey(pixels, WIDTH, HEIGHT).unwrap();
            let faces = tracker.update(&image, time_secs);
            assert_eq!(faces.len(), 1, "{time_secs} of {times:?}");
            assert_eq!(faces[0].id, 1, "{time_secs} of {times:?}");
            let points = &faces[0].face.landmarks.points;
            assert!(
                mean_distance(points, first.get_or_insert_with(|| points.clone())) < 1.0,
                "{time_secs} of {times:?}"
            );
        }
        // It still searches.
        let two = frame(&[Place::at(90.0, 160.0, 1.0), Place::at(370.0, 160.0, 1.0)]);
        let two = ImageView::grey(&two, WIDTH, HEIGHT).unwrap();
        let found = (0..8).map(|k| tracker.update(&two, 2e9 + f64::from(k) / FPS).len()).last();
        assert_eq!(found, Some(2), "{times:?}");
    }
}

#[test]
fn the_same_film_gives_the_same_faces_again_after_a_reset_and_at_another_time() {
    let film: Vec<_> =
        (0..20).map(|k| frame(&[Place::at(150.0 + k as f32, 160.0, 1.3), Place::at(390.0, 160.0, 1.0)])).collect();
    let mut tracker = tracker();
    let first = follow_from(&mut tracker, 0.0, &film);
    assert_eq!(first, follow(&film));
    tracker.reset();
    assert_eq!(first, follow_from(&mut tracker, 0.0, &film));
    tracker.reset();
    let later = follow_from(&mut tracker, 86_400.0, &film);
    for (a, b) in first.iter().flatten().zip(later.iter().flatten()) {
        assert_eq!(a.id, b.id);
        assert!(mean_distance(&a.face.landmarks.points, &b.face.landmarks.points) < 0.01);
    }
}

#[test]
fn a_still_film_comes_to_rest_near_what_the_network_says_about_the_photo() {
    let film = vec![frame(&[MIDDLE]); 60];
    let answers = follow(&film);
    let points = |k: usize| answers[k][0].face.landmarks.ibug68().unwrap();
    assert!(mean_distance(points(58), points(59)) < 0.01);
    let mut lineament = Lineament::new(Options::default()).unwrap();
    let alone = lineament.faces(&ImageView::grey(&film[0], WIDTH, HEIGHT).unwrap());
    let off = mean_distance(points(59), &alone[0].landmarks.points) / inter_ocular(points(59));
    assert!(off < 0.02, "{off}");
    assert_eq!(answers[0][0].face.landmarks, alone[0].landmarks, "the first frame is a photo like any other");
}

#[test]
fn without_smoothing_the_answer_is_the_networks() {
    let film: Vec<_> = (0..5).map(|k| frame(&[Place { x: 200.0 + 3.0 * k as f32, ..MIDDLE }])).collect();
    let options = TrackOptions { smooth: None, ..TrackOptions::default() };
    let mut raw = Tracker::new(Options::default(), options).unwrap();
    for face in follow_from(&mut raw, 0.0, &film).into_iter().flatten() {
        assert_eq!(face.face.landmarks, face.raw);
    }
    let smooth = follow(&film);
    assert!(smooth[4][0].face.landmarks.points != smooth[4][0].raw.points);
    assert_eq!(smooth[4][0].face.landmarks.errors, smooth[4][0].raw.errors);
}

#[test]
fn a_frame_of_another_size_starts_anew() {
    let mut tracker = tracker();
    let pixels = frame(&[MIDDLE]);
    assert_eq!(tracker.update(&ImageView::grey(&pixels, WIDTH, HEIGHT).unwrap(), 0.0)[0].id, 1);
    let upper = ImageView::new(&pixels, WIDTH, HEIGHT - 20, WIDTH, PixelFormat::Grey).unwrap();
    assert_eq!(tracker.update(&upper, 0.1)[0].id, 2);
}

#[test]
fn options_out_of_range_are_refused() {
    let good = TrackOptions::default();
    for bad in [
        TrackOptions { search_every_secs: -0.1, ..good.clone() },
        TrackOptions { search_every_secs: f64::NAN, ..good.clone() },
        TrackOptions { remember_secs: f64::INFINITY, ..good.clone() },
        TrackOptions { smooth: Some(SmoothOptions { tolerance: 0.0, ..SmoothOptions::default() }), ..good.clone() },
    ] {
        assert!(Tracker::new(Options::default(), bad.clone()).is_err(), "{bad:?}");
    }
}

/// A network that places the points of one face in every crop and cannot tell faces from other things.
fn network_that_sees_a_face_everywhere() -> Vec<u8> {
    let pixels = frame(&[MIDDLE]);
    let mut lineament = Lineament::new(Options::default()).unwrap();
    let points = lineament.faces(&ImageView::grey(&pixels, WIDTH, HEIGHT).unwrap()).remove(0).landmarks.points;
    let crop_from_image = Crop::from_points(&Topology::ibug68(), &points).image_from_crop().inverse();
    let points: Vec<f32> = points.iter().map(|&p| crop_from_image * p).flat_map(|p| [p.x, p.y]).collect();
    let mut net = Architecture::new(Shape::hwc(4, 4, 1));
    let value = net.push(Op::Dense { units: 2 * POINTS });
    net.output("points", value);
    let mut metadata = Metadata::new(Role::Landmarks);
    metadata.set(key::INPUT, "grey");
    metadata.set(key::TOPOLOGY, "ibug68");
    metadata.set(key::NORMALISATION, "unit");
    metadata.set(key::CROP, "margin=1.35");
    metadata.set(key::ERRORS, vec!["0.05"; POINTS].join(","));
    let weights = vec![(vec![16, 2 * POINTS], vec![0.0; 32 * POINTS]), (vec![2 * POINTS], points)];
    write(&net, &metadata, &[weights]).unwrap()
}

#[test]
fn with_a_network_that_cannot_judge_the_detector_ends_a_track() {
    let network = network_that_sees_a_face_everywhere();
    for max_faces in [1, 64] {
        let options = Options { max_faces, ..Options::default() };
        let lineament = Lineament::with_models(options, lineament::models::DETECTOR, &network).unwrap();
        let mut tracker = Tracker::with_lineament(lineament, TrackOptions::default()).unwrap();
        let film: Vec<_> = (0..30).map(|k| frame(if k < 15 { &[MIDDLE] } else { &[] })).collect();
        let answers = ids(&follow_from(&mut tracker, 0.0, &film));
        assert_eq!(answers[..15], vec![vec![1]; 15]);
        assert!(answers[21..].iter().all(Vec::is_empty), "{answers:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_unique_and_new_ones_are_higher(
        cuts in proptest::collection::vec((0usize..4, 0.6f32..1.6, 1usize..9, 0.0f64..0.6), 1..8),
    ) {
        let mut tracker = tracker();
        let (mut time, mut highest) = (0.0, 0);
        for (faces, scale, frames, pause) in cuts {
            time += pause;
            let places: Vec<Place> = (0..faces).map(|i| Place::at(80.0 + 160.0 * i as f32, 160.0, scale)).collect();
            let pixels = frame(&places);
            for _ in 0..frames {
                time += 1.0 / FPS;
                let image = ImageView::grey(&pixels, WIDTH, HEIGHT).unwrap();
                let ids: Vec<u64> = tracker.update(&image, time).iter().map(|face| face.id).collect();
                prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ids);
                for id in ids {
                    prop_assert!(id <= highest + faces as u64);
                    highest = highest.max(id);
                }
            }
        }
    }
}
