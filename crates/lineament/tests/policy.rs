//! Which faces are answered and with what score, with networks that are obvious by eye: a detector that finds bright
//! dots, and landmark networks that place the same points in every crop and score its brightness.

use std::f32::consts::FRAC_PI_2;

use lineament::topology::ibug68::POINTS;
use lineament::topology::{Definition, ObjectBox, Topology};
use lineament::{Crop, Detection, Face, ImageView, Lineament, Options, Point, Rect, TrackOptions, Tracker};
use lineament_nn::model::{Architecture, Metadata, Op, Role, Shape, key, write};

/// Side of the pictures; the detector sees them as they are.
const SIDE: usize = 320;

/// Side of the landmark network's input.
const INPUT: usize = 16;

/// A grey picture of one brightness, with rectangles (left, top, width, height) of others, the last in front.
fn picture(ground: u8, patches: &[([usize; 4], u8)]) -> Vec<u8> {
    let mut pixels = vec![ground; SIDE * SIDE];
    for &([left, top, width, height], brightness) in patches {
        for row in pixels.chunks_exact_mut(SIDE).skip(top).take(height) {
            row[left..left + width].fill(brightness);
        }
    }
    pixels
}

fn view(pixels: &[u8]) -> ImageView<'_> {
    ImageView::grey(pixels, SIDE, SIDE).unwrap()
}

/// A dot that fills one cell of the detector's finest grid; its centre is (x, y).
fn dot(x: usize, y: usize, brightness: u8) -> ([usize; 4], u8) {
    ([x - 4, y - 4, 8, 8], brightness)
}

/// Right eye, left eye, nose, mouth corners of an upright face, in cells from the middle: x and y of each.
const UPRIGHT: [f32; 10] = [-1.0, -1.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 1.0];

/// The same face, turned by a quarter clockwise.
const ON_ITS_SIDE: [f32; 10] = [1.0, -1.0, 1.0, 1.0, 0.0, 0.0, -1.0, -1.0, -1.0, 1.0];

/// Finds cells of 8 x 8 pixels by the brightness `b` of their brightest pixel, in standard deviations from the
/// picture's mean. Log-odds of a face: `gain * (b - least)`. Logarithm of the box's side in cells: `log_side.0 + b *
/// log_side.1`.
fn detector(gain: f32, least: f32, log_side: (f32, f32)) -> Vec<u8> {
    detector_of(gain, least, log_side, &UPRIGHT, None)
}

/// As [`detector`], with these five points, of objects of this topology.
fn detector_of(gain: f32, least: f32, log_side: (f32, f32), five: &[f32; 10], of: Option<&Topology>) -> Vec<u8> {
    const NUMBERS: usize = 15;
    let mut net = Architecture::new(Shape::hwc(64, 64, 1));
    let mut tensors = Vec::new();
    let mut value = 0;
    for grid in 1..=5 {
        value = net.push_from(value, Op::MaxPool);
        tensors.push(Vec::new());
        if grid < 3 {
            continue;
        }
        let head = net.push_from(value, Op::Conv { filters: NUMBERS, kernel: 1, stride: 1, padding: 0 });
        net.output(["grid8", "grid16", "grid32"][grid - 3], head);
        let (mut weights, mut bias) = ([0.0; NUMBERS], [0.0; NUMBERS]);
        // The other grids find nothing.
        bias[0] = -50.0;
        if grid == 3 {
            (weights[0], bias[0]) = (gain, -gain * least);
            (weights[3], bias[3], weights[4], bias[4]) = (log_side.1, log_side.0, log_side.1, log_side.0);
            bias[5..].copy_from_slice(five);
        }
        tensors.push(vec![(vec![NUMBERS, 1, 1, 1], weights.to_vec()), (vec![NUMBERS], bias.to_vec())]);
    }
    let mut metadata = Metadata::new(Role::Detector);
    metadata.set(key::INPUT, "grey");
    metadata.set(key::NORMALISATION, "standardise");
    if let Some(topology) = of {
        topology.describe(&mut metadata);
    }
    write(&net, &metadata, &tensors).unwrap()
}

/// What the landmark network answers.
struct Answer {
    /// Side of the box of the points over that of the box that the crop was made for.
    size: f32,
    /// How far the points lie to the right of the crop's centre, in sides of the crop.
    shift: f32,
    /// Expected error of each point in half sides of the crop.
    error: f32,
    /// Log-odds of a face: `bias` and, for the mean brightness from 0 to 1 of the upper and the lower half, these
    /// weights.
    bias: f32,
    upper: f32,
    lower: f32,
}

/// Exactly the crop's own box, expected errors that do not change the score, a face wherever it is bright.
const BRIGHT: Answer = Answer { size: 1.0, shift: 0.0, error: 0.08, bias: -10.0, upper: 10.0, lower: 10.0 };

impl Answer {
    fn network(&self) -> Vec<u8> {
        let half = self.size / 1.35;
        let mut points = [(0.0, 0.0); POINTS];
        // The box: jaw, brows.
        (points[0], points[16], points[8]) = ((-half, 0.0), (half, 0.0), (0.0, half));
        (points[19], points[24]) = ((0.0, -half), (0.0, -half));
        points[36..42].fill((-0.3 * half, -0.3 * half));
        points[42..48].fill((0.3 * half, -0.3 * half));
        (points[48], points[54]) = ((-0.3 * half, 0.3 * half), (0.3 * half, 0.3 * half));
        self.network_of(&Topology::ibug68(), &points)
    }

    /// As [`Answer::network`], with other points. They stand where they are told, in the crop from -1 to 1, but for the
    /// shift.
    fn network_of(&self, topology: &Topology, points: &[(f32, f32)]) -> Vec<u8> {
        let count = topology.len();
        let points: Vec<f32> = points.iter().flat_map(|&(x, y)| [x + 2.0 * self.shift, y]).collect();

        const PIXELS: usize = INPUT * INPUT;
        let score: Vec<f32> =
            (0..PIXELS).map(|i| if i < PIXELS / 2 { self.upper } else { self.lower } / (PIXELS / 2) as f32).collect();
        let mut net = Architecture::new(Shape::hwc(INPUT, INPUT, 1));
        let mut tensors = Vec::new();
        for (name, weights, bias) in [
            ("points", vec![0.0; PIXELS * 2 * count], points),
            ("log_errors", vec![0.0; PIXELS * count], vec![self.error.ln(); count]),
            ("score", score, vec![self.bias]),
        ] {
            let units = bias.len();
            let value = net.push_from(0, Op::Dense { units });
            net.output(name, value);
            tensors.push(vec![(vec![PIXELS, units], weights), (vec![units], bias)]);
        }
        let mut metadata = Metadata::new(Role::Landmarks);
        for (key, value) in [(key::INPUT, "grey"), (key::NORMALISATION, "unit"), (key::CROP, "margin=1.35")] {
            metadata.set(key, value);
        }
        topology.describe(&mut metadata);
        write(&net, &metadata, &tensors).unwrap()
    }
}

/// The side of the boxes that the detector of [`usual`] finds.
const BOX: f32 = 40.0;

/// With a detector that finds the brightest dots of `pixels` alone.
fn usual(options: Options, answer: &Answer, pixels: &[u8]) -> Lineament {
    let detector = detector(20.0, least(pixels), (5f32.ln(), 0.0));
    Lineament::with_models(options, &detector, &answer.network()).unwrap()
}

/// From which brightness on a dot is one of the brightest of `pixels`, as [`detector`] measures it.
fn least(pixels: &[u8]) -> f32 {
    let count = pixels.len() as f32;
    let mean = pixels.iter().map(|&v| f32::from(v)).sum::<f32>() / count;
    let variance = pixels.iter().map(|&v| (f32::from(v) - mean).powi(2)).sum::<f32>() / count;
    let brightest = pixels.iter().max().map_or(0.0, |&v| (f32::from(v) - mean) / variance.sqrt().max(1.0));
    brightest - 0.15
}

fn one_pass() -> Options {
    Options { refine: false, ..Options::default() }
}

fn side(face: &Face) -> f32 {
    face.rect().width.max(face.rect().height)
}

#[test]
fn a_bright_dot_is_a_face_and_its_box_is_that_of_the_points() {
    let pixels = picture(60, &[([140, 140, 48, 48], 200), dot(164, 164, 255)]);
    let answer = Answer { size: 0.5, ..BRIGHT };
    let faces = usual(Options { face_threshold: 0.0, ..one_pass() }, &answer, &pixels).faces(&view(&pixels));
    assert_eq!(faces.len(), 1);
    let Face { detection, landmarks } = &faces[0];
    let near = |rect: Rect, side: f32| {
        rect.center().distance(Point::new(164.0, 164.0)) < 0.1 && (rect.width - side).abs() < 0.1
    };
    assert!(near(detection.rect, BOX), "{:?}", detection.rect);
    assert!(near(faces[0].rect(), BOX / 2.0) && faces[0].rect() == landmarks.rect(), "{:?}", faces[0].rect());
}

#[test]
fn what_faces_drops_landmarks_gives_a_score_that_is_too_low() {
    // A dot in a dark field in a bright picture. The points lie one crop to the right, so later passes see the bright.
    let pixels = picture(128, &[([129, 129, 70, 70], 0), dot(164, 164, 255)]);
    let answer = Answer { shift: 1.0, error: 0.01, bias: -4.5, upper: 20.0, lower: 20.0, ..BRIGHT };
    for face_threshold in [0.0, 0.01, 0.5, 0.9] {
        let mut lineament = usual(Options { face_threshold, ..Options::default() }, &answer, &pixels);
        let detections = lineament.detect(&view(&pixels));
        assert_eq!(detections.len(), 1);
        let score = lineament.landmarks(&view(&pixels), &detections[0].crop()).score;
        assert!(score > 0.01 && score < 0.05, "the first pass sees nearly no light: {score}");
        let found = lineament.faces(&view(&pixels)).len();
        assert_eq!(found, usize::from(score >= face_threshold), "threshold {face_threshold}, score {score}");
    }
}

#[test]
fn the_faces_are_what_landmarks_answers_on_their_crops() {
    let pixels =
        picture(90, &[([60, 60, 90, 90], 240), dot(100, 100, 255), ([200, 200, 90, 90], 180), dot(244, 244, 255)]);
    for options in [Options::default(), one_pass()] {
        for answer in [BRIGHT, Answer { size: 0.9, shift: 0.05, ..BRIGHT }, Answer { error: 0.03, ..BRIGHT }] {
            let mut lineament = usual(Options { face_threshold: 0.5, ..options.clone() }, &answer, &pixels);
            let detections = lineament.detect(&view(&pixels));
            assert_eq!(detections.len(), 2);
            let mut expected = Vec::new();
            for detection in detections {
                let landmarks = lineament.landmarks(&view(&pixels), &detection.crop());
                if landmarks.score >= 0.5 {
                    expected.push(Face { detection, landmarks });
                }
            }
            let mut faces = lineament.faces(&view(&pixels));
            faces.sort_by(|a, b| a.detection.rect.x.total_cmp(&b.detection.rect.x));
            expected.sort_by(|a, b| a.detection.rect.x.total_cmp(&b.detection.rect.x));
            assert_eq!(faces, expected);
        }
    }
}

#[test]
fn what_is_certainly_no_face_is_none_even_at_a_threshold_of_0() {
    // Expected errors that are not finite: weights that overflow.
    let answer = Answer { error: f32::MAX, ..BRIGHT };
    let pixels = picture(60, &[dot(164, 164, 255)]);
    for refine in [true, false] {
        let options = Options { face_threshold: 0.0, refine, ..Options::default() };
        let mut lineament = usual(options, &answer, &pixels);
        assert_eq!(
            lineament.landmarks(&view(&pixels), &Crop::from_rect(&Rect::from_xywh(140.0, 140.0, 48.0, 48.0))).score,
            0.0
        );
        assert_eq!(lineament.faces(&view(&pixels)), []);
        let mut tracker = Tracker::with_lineament(lineament, TrackOptions::default()).unwrap();
        assert_eq!(tracker.update(&view(&pixels), 0.0), []);
    }
}

#[test]
fn the_largest_box_is_first_also_where_a_detection_slipped_to_a_known_face() {
    // The brighter, the smaller and the more certain. All points lie one crop to the right: from the left dot, and from
    // the smaller box of the one in the middle, in the same place.
    let pixels = picture(0, &[dot(100, 164, 150), dot(156, 164, 250), dot(60, 276, 200)]);
    let answer = Answer { shift: 1.0, bias: 9.0, upper: 0.0, lower: 0.0, ..BRIGHT };
    let detector = detector(1.0, 14.0, (10f32.ln() + 1.04, -0.0612));
    let mut lineament = Lineament::with_models(one_pass(), &detector, &answer.network()).unwrap();
    let detections = lineament.detect(&view(&pixels));
    let scores: Vec<f32> = detections.iter().map(|found| found.score).collect();
    assert!(detections.len() == 3 && scores.is_sorted(), "{detections:?}");
    let faces = lineament.faces(&view(&pixels));
    let sides: Vec<f32> = faces.iter().map(side).collect();
    assert_eq!(faces.len(), 2, "{sides:?}");
    assert_eq!(faces[1].detection, detections[2], "the most certain of the two in one place");
    assert!(sides[0] > 50.0 && sides[1] < 45.0, "{sides:?}");
}

#[test]
fn a_face_that_lies_on_its_side_is_found_by_the_quarter_turns_alone() {
    // A face is bright above and dark below; here the bright half is on the right, or on the left.
    for (bright_left, roll_rad) in [(164, FRAC_PI_2), (0, -FRAC_PI_2)] {
        let pixels =
            picture(20, &[([bright_left, 0, if bright_left == 0 { 164 } else { 156 }, SIDE], 200), dot(164, 164, 255)]);
        let answer = Answer { bias: -16.0, upper: 40.0, lower: -40.0, ..BRIGHT };
        let mut lineament = usual(Options::default(), &answer, &pixels);
        let faces = lineament.faces(&view(&pixels));
        let rolls: Vec<f32> = faces.iter().map(|face| face.landmarks.crop().roll_rad).collect();
        assert!(rolls.len() == 1 && (rolls[0] - roll_rad).abs() < 0.1, "{rolls:?}");
    }
}

#[test]
fn a_doubtful_face_is_one_only_if_varied_crops_show_it_too() {
    let answer = Answer { bias: -45.0, upper: 25.0, lower: 25.0, ..BRIGHT };
    // The bright square is as large as the crop, or much larger: turned and shifted crops see the dark around it, or
    // not.
    for (half, found) in [(28, 0), (80, 1)] {
        let pixels = picture(0, &[([164 - half, 164 - half, 2 * half, 2 * half], 255)]);
        let mut lineament = usual(Options::default(), &answer, &pixels);
        let crop = Crop::from_rect(&Rect::from_xywh(144.0, 144.0, BOX, BOX));
        let score = lineament.landmarks(&view(&pixels), &crop).score;
        assert_eq!(usize::from(score >= 0.9), found, "half a side of {half}: {score}");
    }
}

#[test]
fn large_expected_errors_speak_against_a_face() {
    let pixels = picture(255, &[]);
    let crop = Crop::from_rect(&Rect::from_xywh(144.0, 144.0, BOX, BOX));
    let score = |error: f32| {
        usual(Options::default(), &Answer { error, bias: 0.0, upper: 2.0, lower: 2.0, ..BRIGHT }, &pixels)
            .landmarks(&view(&pixels), &crop)
            .score
    };
    let scores = [0.01, 0.08, 0.2].map(score);
    assert!(scores[0] > 0.999 && scores[2] < 0.001, "{scores:?}");
    assert!(scores[1] > 0.8 && scores[1] < 0.95, "log-odds of 4, less 1.8 for the doubt: {scores:?}");
}

#[test]
fn min_face_means_the_box_of_the_points_in_faces_and_the_detectors_in_detect() {
    let pixels = picture(200, &[dot(164, 164, 255)]);
    for (size, min_face, detected, found) in
        [(1.0, 39.0, 1, 1), (1.0, 42.0, 0, 0), (0.7, 39.0, 1, 0), (1.3, 48.0, 0, 1), (1.3, 54.0, 0, 0)]
    {
        let options = Options { min_face: Some(min_face), ..one_pass() };
        let mut lineament = usual(options, &Answer { size, bias: 9.0, ..BRIGHT }, &pixels);
        let counts = (lineament.detect(&view(&pixels)).len(), lineament.faces(&view(&pixels)).len());
        assert_eq!(counts, (detected, found), "points {size} times as large, min_face {min_face}");
    }
}

#[test]
fn a_followed_face_has_the_box_of_its_points_and_the_detection_of_the_last_search() {
    let frames = [0, 2, 4].map(|x| picture(60, &[([100 + x, 100, 130, 130], 220), dot(164 + x, 164, 255)]));
    let lineament = usual(Options::default(), &Answer { bias: 9.0, size: 0.9, ..BRIGHT }, &frames[0]);
    let mut tracker = Tracker::with_lineament(lineament, TrackOptions::default()).unwrap();
    let mut found: Option<Detection> = None;
    for (number, frame) in frames.iter().enumerate() {
        let face = tracker.update(&view(frame), number as f64 / 30.0)[0].face.clone();
        assert_eq!(face.rect(), face.landmarks.rect());
        assert_eq!(face.detection, *found.get_or_insert(face.detection), "frame {number} was not searched");
    }
    // A fifth of a second later the frame is searched.
    let face = tracker.update(&view(&frames[2]), 0.3)[0].face.clone();
    assert!(tracker.searched());
    assert_ne!(Some(face.detection), found);
}

/// An object whose right and left side look alike: three points and no eyes.
fn three() -> Definition {
    Definition {
        name: "three".into(),
        names: ["right", "left", "below"].map(Into::into).into(),
        mirror: vec![1, 0, 2],
        ..Definition::default()
    }
}

/// Five points of a face, which say how it is turned.
fn five() -> Definition {
    Definition {
        name: "five".into(),
        names: ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"].map(Into::into).into(),
        mirror: vec![1, 0, 2, 4, 3],
        five: Some([0, 1, 2, 3, 4].map(|i| vec![i])),
        ..Definition::default()
    }
}

/// Points of [`three`] and [`five`] in the crop from -1 to 1, with the box that the crop was made for.
const HALF: f32 = 1.0 / 1.35;
const THREE: [(f32, f32); 3] = [(-HALF, -HALF), (HALF, -HALF), (0.0, HALF)];
const FIVE: [(f32, f32); 5] = [(-HALF, -HALF), (HALF, -HALF), (0.0, 0.0), (-HALF, HALF), (HALF, HALF)];

/// A picture with one bright dot in the middle, and a detector of objects without five points that finds it.
fn one_object() -> (Vec<u8>, Vec<u8>) {
    let pixels = picture(60, &[([140, 140, 48, 48], 200), dot(164, 164, 255)]);
    let topology = Topology::new(three()).unwrap();
    let detector = detector_of(20.0, least(&pixels), (5f32.ln(), 0.0), &ON_ITS_SIDE, Some(&topology));
    (pixels, detector)
}

#[test]
fn a_detector_of_objects_without_five_points_leads_to_upright_crops() {
    let (pixels, _) = one_object();
    let [three, five] = [three(), five()].map(|definition| Topology::new(definition).unwrap());
    for (topology, roll_rad) in
        [(None, FRAC_PI_2), (Some(&Topology::ibug68()), FRAC_PI_2), (Some(&five), FRAC_PI_2), (Some(&three), 0.0)]
    {
        let detector = detector_of(20.0, least(&pixels), (5f32.ln(), 0.0), &ON_ITS_SIDE, topology);
        let mut lineament = Lineament::with_models(one_pass(), &detector, &BRIGHT.network()).unwrap();
        let found = lineament.detect(&view(&pixels));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].points.is_some(), roll_rad > 0.0, "{topology:?}");
        let crop = found[0].crop();
        assert!((crop.roll_rad - roll_rad).abs() < 2e-3, "{crop:?}");
        assert!(crop.center.distance(Point::new(164.0, 164.0)) < 0.1 && (crop.side - 1.35 * BOX).abs() < 0.1);
    }
}

#[test]
fn the_passes_after_the_first_see_the_objects_own_box_whatever_its_points_span() {
    // The points span a third of the detector's box, in its upper part; the topology says so.
    let (pixels, detector) = one_object();
    let third = 1.0 / 1.35 / 3.0;
    let up = -0.5 / 1.35;
    let points = [(-third, up - third), (third, up - third), (0.0, up + third)];
    let around = ObjectBox { scale: 3.0, shift: (0.0, 0.75) };
    // The mirrored pass sees a little less, so the mean of both is a little smaller. Where the topology does not say
    // so, each crop is a third of the one before and further up.
    let shrunk = (BOX / 9.0 + 0.91 * BOX / 27.0) / 2.0;
    for (object_box, side, up_px) in [(around, (1.0 + 0.91) / 2.0 * BOX, 0.0), (ObjectBox::default(), shrunk, 13.84)] {
        let topology = Topology::new(Definition { object_box, ..three() }).unwrap();
        let network = Answer { bias: 9.0, ..BRIGHT }.network_of(&topology, &points);
        let mut lineament = Lineament::with_models(Options::default(), &detector, &network).unwrap();
        assert_eq!(lineament.topology(), &topology);
        let faces = lineament.faces(&view(&pixels));
        assert_eq!(faces.len(), 1, "{object_box:?}");
        let landmarks = &faces[0].landmarks;
        assert_eq!((landmarks.points.len(), landmarks.pose), (3, None));
        let rect = faces[0].rect();
        assert!((rect.width - side).abs() < 0.1 && rect.width == rect.height, "{object_box:?}: {rect:?}");
        assert!(rect.center().distance(Point::new(164.0, 164.0 - up_px)) < 0.1, "{object_box:?}: {rect:?}");
    }
}

#[test]
fn a_network_of_other_points_finds_follows_and_scores() {
    let smaller = FIVE.map(|(x, y)| (x / 1.6, y / 1.6 - 0.2 / 1.35 / 1.6));
    let cases = [
        (three(), &THREE[..]),
        (five(), &FIVE[..]),
        (Definition { object_box: ObjectBox { scale: 1.6, shift: (0.0, 0.1) }, ..five() }, &smaller),
        (Definition { name: "one".into(), names: vec!["only".into()], ..Definition::default() }, &FIVE[2..3]),
    ];
    for (definition, points) in cases {
        let topology = Topology::new(definition).unwrap();
        for refine in [true, false] {
            let (pixels, detector) = one_object();
            let network = Answer { bias: 9.0, ..BRIGHT }.network_of(&topology, points);
            let options = Options { refine, ..Options::default() };
            let mut lineament = Lineament::with_models(options, &detector, &network).unwrap();
            let faces = lineament.faces(&view(&pixels));
            assert_eq!(faces.len(), 1, "{topology:?}");
            let Face { detection, landmarks } = &faces[0];
            assert_eq!((landmarks.points.len(), landmarks.errors.len()), (points.len(), points.len()));
            assert!(landmarks.score > 0.99, "expected errors do not change the score: {}", landmarks.score);
            let again = lineament.landmarks(&view(&pixels), &detection.crop());
            assert_eq!(&again, landmarks);
            // The same points with a low score are no face.
            let network = Answer { bias: -40.0, ..BRIGHT }.network_of(&topology, points);
            let mut strict = Lineament::with_models(Options::default(), &detector, &network).unwrap();
            assert_eq!(strict.faces(&view(&pixels)), []);

            let mut tracker = Tracker::with_lineament(lineament, TrackOptions::default()).unwrap();
            for frame in 0..20 {
                let tracked = tracker.update(&view(&pixels), f64::from(frame) / 30.0);
                assert_eq!(tracked.iter().map(|face| face.id).collect::<Vec<_>>(), [1], "{topology:?}, frame {frame}");
                let landmarks = &tracked[0].face.landmarks;
                assert_eq!((&landmarks.topology, landmarks.points.len()), (&topology, points.len()));
                assert_eq!((landmarks.pose, tracked[0].raw.points.len()), (None, points.len()));
                assert!(landmarks.points.iter().all(|p| p.is_finite()));
            }
        }
    }
}

#[test]
fn a_tracker_whose_network_is_replaced_goes_on_with_the_new_points() {
    let (pixels, detector) = one_object();
    let lineament = |count: usize| {
        let (definition, points) = if count == 3 { (three(), &THREE[..]) } else { (five(), &FIVE[..]) };
        let network = Answer { bias: 9.0, ..BRIGHT }.network_of(&Topology::new(definition).unwrap(), points);
        Lineament::with_models(Options::default(), &detector, &network).unwrap()
    };
    let mut tracker = Tracker::with_lineament(lineament(5), TrackOptions::default()).unwrap();
    for (second, count) in [5, 3, 5].into_iter().enumerate() {
        *tracker.lineament() = lineament(count);
        for frame in 0..15 {
            let faces = tracker.update(&view(&pixels), second as f64 + f64::from(frame) / 30.0);
            assert_eq!(faces.len(), 1);
            for landmarks in [&faces[0].face.landmarks, &faces[0].raw] {
                assert_eq!((landmarks.points.len(), landmarks.topology.len()), (count, count));
            }
        }
    }
}
