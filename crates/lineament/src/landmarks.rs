//! The landmark network: the points of one face, how far off each may be, and whether it is a face at all.

use crate::crop::{Crop, CropRule};
use crate::error::{ModelError, Result};
use crate::expression::Expression;
use crate::geometry::{Point, Rect};
use crate::image::ImageView;
use crate::normalise::Normalisation;
use crate::pose::Pose;
use crate::sample::Sampler;
use crate::topology::Topology;
use crate::topology::ibug68::POINTS;
use lineament_nn::engine::{Engine, Pool};
use lineament_nn::math::logistic;
use lineament_nn::model::{Model, Role, Shape, key};

/// The points of one object, a face by default, and what is known about them, in pixels of the image.
#[derive(Debug, PartialEq)]
pub struct Landmarks {
    /// What the points are: that of the network, by default the iBUG 68 points.
    pub topology: Topology,
    /// The points, in the order of the topology.
    pub points: Vec<Point>,
    /// Expected distance of each point to the true one, in pixels.
    pub errors: Vec<f32>,
    /// How sure the network is that it sees a face, from 0 to 1. Where [`Lineament`](crate::Lineament) made several
    /// passes, it takes their expected errors into account, too: large ones speak against a face.
    pub score: f32,
    /// How the head is turned, from the points; `None` where the topology does not tell
    /// ([`Topology::has_pose`]).
    pub pose: Option<Pose>,
}

impl Clone for Landmarks {
    fn clone(&self) -> Self {
        let Self { topology, points, errors, score, pose } = self;
        Self { topology: topology.clone(), points: points.clone(), errors: errors.clone(), score: *score, pose: *pose }
    }

    /// Reuses the memory: a video's faces are copied in every frame.
    fn clone_from(&mut self, source: &Self) {
        let Self { topology, points, errors, score, pose } = source;
        self.topology.clone_from(topology);
        self.points.clone_from(points);
        self.errors.clone_from(errors);
        (self.score, self.pose) = (*score, *pose);
    }
}

impl Landmarks {
    /// Points of a topology with their expected errors, in pixels, and a face score; the pose follows from them.
    ///
    /// # Panics
    /// When points or errors are not as many as the topology's.
    pub fn new(topology: Topology, points: Vec<Point>, errors: Vec<f32>, score: f32) -> Self {
        assert_eq!((points.len(), errors.len()), (topology.len(), topology.len()), "points and errors of {topology:?}");
        let mut landmarks = Self { topology, points, errors, score, pose: None };
        landmarks.update_pose();
        landmarks
    }

    /// Computes the pose again after points or errors have changed.
    pub fn update_pose(&mut self) {
        self.pose = self.topology.head().map(|head| head.pose(&self.points, Some(&self.errors)));
    }

    /// The points as an array, where they are the iBUG 68 points: indices are checked at compile time.
    ///
    /// ```
    /// # use lineament::topology::Topology;
    /// # use lineament::{Landmarks, Point};
    /// # let landmarks = Landmarks::new(Topology::ibug68(), vec![Point::default(); 68], vec![1.0; 68], 1.0);
    /// if let Some(points) = landmarks.ibug68() {
    ///     println!("chin at {:.1?}", points[8]);
    /// }
    /// ```
    pub fn ibug68(&self) -> Option<&[Point; POINTS]> {
        if self.topology.is_ibug68() { self.points.as_slice().try_into().ok() } else { None }
    }

    /// Which points can be seen, by their expected errors: a point is hidden above its part's share of
    /// [`Topology::unit`]. For the iBUG 68 points this is 6 % of the distance between the outer eye corners, and 10 %
    /// for the jaw. A guess that is right for most points, not for each; the errors themselves say more.
    pub fn visible(&self) -> Vec<bool> {
        let unit = self.topology.unit(&self.points);
        let limit = |i: usize| self.topology.parts()[self.topology.part_of(i)].hidden_above * unit;
        self.errors.iter().enumerate().map(|(i, error)| *error <= limit(i)).collect() // NaN is hidden
    }

    /// How far eyes and mouth are open; `None` where the topology does not tell ([`Topology::has_expression`]).
    pub fn expression(&self) -> Option<Expression> {
        let head = self.topology.head().filter(|_| self.topology.has_expression())?;
        let place = |i: usize| self.topology.own_of_68(i).map_or(Point::default(), |own| self.points[own]);
        Some(Expression::new(head.pose(&self.points, None), place))
    }

    /// The crop around the points, by [`CropRule::STANDARD`].
    pub fn crop(&self) -> Crop {
        Crop::from_points(&self.topology, &self.points)
    }

    /// The box of the object: the smallest upright rectangle around all points, or what the topology says
    /// ([`Topology::rect`]).
    pub fn rect(&self) -> Rect {
        self.topology.rect(&self.points)
    }

    /// The mean of two passes over one face; the lower score.
    pub(crate) fn mean(&self, other: &Self) -> Self {
        let points = self.points.iter().zip(&other.points).map(|(a, b)| a.midpoint(*b)).collect();
        let errors = self.errors.iter().zip(&other.errors).map(|(a, b)| (a + b) / 2.0).collect();
        Self::new(self.topology.clone(), points, errors, self.score.min(other.score))
    }
}

/// Places the points.
#[derive(Debug, Clone)]
pub struct LandmarkNetwork {
    engine: Engine,
    sampler: Sampler,
    side_px: usize,
    crop_rule: CropRule,
    normalisation: Normalisation,
    /// Expected errors in the crop frame, from the metadata of a network that has no outputs for errors and face score.
    fixed_errors: Option<Vec<f32>>,
    topology: Topology,
}

impl LandmarkNetwork {
    /// From a model file.
    ///
    /// # Errors
    /// [`ModelError::Role`] for another model's file, [`ModelError::Model`] for one whose input or outputs are not as
    /// [`lineament_nn::model`] describes.
    pub fn new(model: &Model) -> Result<Self> {
        model.expect_role(Role::Landmarks)?;
        model.expect(key::INPUT, "grey")?;
        let topology =
            Topology::from_metadata(&model.metadata).map_err(|fault| ModelError::Model(fault.to_string()))?;
        let value = |name: &str| model.metadata.get(name).unwrap_or_default();
        let unknown =
            |name: &str| ModelError::Model(format!("its metadata has {name} = `{}`, which is not known", value(name)));
        let normalisation = value(key::NORMALISATION).parse().map_err(|_| unknown(key::NORMALISATION))?;
        let crop_rule = value(key::CROP).parse().map_err(|_| unknown(key::CROP))?;
        let engine = Engine::new(model)?;
        let input = engine.input_shape();
        if input.height != input.width || input.channels != 1 {
            let what = format!("a landmark network's input is a grey square, not {input:?}");
            return Err(ModelError::Model(what).into());
        }
        let fixed_errors = match model.metadata.get(key::ERRORS) {
            Some(list) => Some(parse_errors(list, topology.len()).ok_or_else(|| unknown(key::ERRORS))?),
            None => None,
        };
        let outputs = [("points", 2 * topology.len()), ("log_errors", topology.len()), ("score", 1)];
        for &(name, len) in if fixed_errors.is_some() { &outputs[..1] } else { &outputs } {
            match engine.output_shape(name) {
                Some(shape) if shape == Shape::hwc(1, 1, len) => (),
                shape => {
                    let what = format!("the output `{name}` is [1, {len}] for {topology:?}, not {shape:?}");
                    return Err(ModelError::Model(what).into());
                }
            }
        }
        let sampler = Sampler::default();
        Ok(Self { engine, sampler, side_px: input.width, crop_rule, normalisation, fixed_errors, topology })
    }

    /// Runs the network on the caller's threads from now on; `None`: on the thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.engine.set_pool(pool);
    }

    /// Which points it places.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Whether the network has a face score: can tell faces from other things.
    pub fn has_face_score(&self) -> bool {
        self.fixed_errors.is_none()
    }

    /// The points of the face within `crop`, from one pass. A network that was trained with another
    /// [`CropRule`] gets its own crop of the same face. One without a face score answers a score of 1.
    pub fn place(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        let mut landmarks = self.nothing();
        self.run(image, crop, false, &mut landmarks);
        landmarks
    }

    /// As [`LandmarkNetwork::place`], into the memory of earlier landmarks.
    pub fn place_into(&mut self, image: &ImageView, crop: &Crop, landmarks: &mut Landmarks) {
        self.run(image, crop, false, landmarks);
    }

    /// As [`LandmarkNetwork::place`], from the mirrored crop. The errors there are partly independent of those in the
    /// crop itself, so the mean of both is more accurate than either. Not for a chiral object: its network has seen no
    /// mirrored one.
    pub fn place_mirrored(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        let mut landmarks = self.nothing();
        self.run(image, crop, true, &mut landmarks);
        landmarks
    }

    /// Landmarks to write into.
    pub(crate) fn nothing(&self) -> Landmarks {
        Landmarks { topology: self.topology.clone(), points: Vec::new(), errors: Vec::new(), score: 0.0, pose: None }
    }

    /// What the network sees of `crop`, `[side, side, 1]`: for quantisation and for debugging.
    pub fn input(&self, image: &ImageView, crop: &Crop) -> (Shape, Vec<f32>) {
        let mut input = vec![0.0; self.side_px * self.side_px];
        self.crop_rule.of(crop).sample_into(image, self.side_px, &mut input);
        self.normalisation.apply(&mut input);
        (Shape::hwc(self.side_px, self.side_px, 1), input)
    }

    fn run(&mut self, image: &ImageView, crop: &Crop, mirrored: bool, landmarks: &mut Landmarks) {
        let (side_px, normalisation, count) = (self.side_px, self.normalisation, self.topology.len());
        let crop = self.crop_rule.of(crop);
        self.engine.run(|input| {
            self.sampler.sample(image, crop.image_from_pixel(side_px), side_px, side_px, input);
            if mirrored {
                input.chunks_exact_mut(side_px).for_each(<[f32]>::reverse);
            }
            normalisation.apply(input);
        });
        let output = |name| self.engine.output(name).map_or(&[][..], |(values, _)| values);
        let (values, log_errors) = (output("points"), output("log_errors"));
        let (image_from_crop, mirror) = (crop.image_from_crop(), self.topology.mirror());
        // Which of the network's points is ours, and on which side.
        let (from, sign) = (|i: usize| if mirrored { mirror[i] } else { i }, if mirrored { -1.0 } else { 1.0 });
        let point = |i: usize| image_from_crop * Point::new(sign * values[2 * i], values[2 * i + 1]);
        let error = |i: usize| match &self.fixed_errors {
            Some(errors) => errors[i],
            None => libm::expf(log_errors[from(i)]),
        };
        let score = self.fixed_errors.as_ref().map_or_else(|| logistic(output("score")[0]), |_| 1.0);
        landmarks.topology.clone_from(&self.topology);
        let Landmarks { points, errors, .. } = landmarks;
        points.clear();
        points.extend((0..count).map(|i| point(from(i))));
        errors.clear();
        errors.extend((0..count).map(|i| error(i) * image_from_crop.scale()));
        if points.iter().all(|p| p.is_finite()) && errors.iter().all(|e| e.is_finite()) && score.is_finite() {
            landmarks.score = score;
            landmarks.update_pose();
        } else {
            // The weights overflow, or the crop is not finite: certainly no face.
            points.fill(Point::new(finite(crop.center.x), finite(crop.center.y)));
            errors.fill(finite(crop.side));
            (landmarks.score, landmarks.pose) = (0.0, self.topology.has_pose().then(Pose::default));
        }
    }
}

/// One number for each point, separated by commas.
fn parse_errors(list: &str, count: usize) -> Option<Vec<f32>> {
    let errors = list.split(',').map(|e| e.parse().ok().filter(|e: &f32| e.is_finite() && *e >= 0.0));
    errors.collect::<Option<Vec<f32>>>().filter(|errors| errors.len() == count)
}

fn finite(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::tests::three;
    use lineament_nn::model::{Architecture, Metadata, Op, write};

    /// A network that answers the same numbers to every picture of 4x4 pixels: outputs with their values.
    fn network_of(outputs: &[(&str, &[f32])], entries: &[(&str, &str)]) -> Vec<u8> {
        let mut net = Architecture::new(Shape::hwc(4, 4, 1));
        let mut weights = Vec::new();
        for (name, values) in outputs {
            let units = values.len();
            let value = net.push_from(0, Op::Dense { units });
            net.output(name, value);
            weights.push(vec![(vec![16, units], vec![0.0; 16 * units]), (vec![units], values.to_vec())]);
        }
        let mut metadata = Metadata::new(Role::Landmarks);
        for (key, value) in [(key::INPUT, "grey"), (key::NORMALISATION, "unit"), (key::CROP, "margin=1.35")] {
            metadata.set(key, value);
        }
        entries.iter().for_each(|(key, value)| metadata.set(key, *value));
        write(&net, &metadata, &weights).unwrap()
    }

    /// As [`network_of`], with the points alone.
    fn fixed_network(points: &[f32], crop: &str, errors: Option<&str>) -> Vec<u8> {
        let entries = [(key::TOPOLOGY, "ibug68"), (key::CROP, crop), (key::ERRORS, errors.unwrap_or_default())];
        network_of(&[("points", points)], &entries[..if errors.is_some() { 3 } else { 2 }])
    }

    /// A network of the points of [`three`], with the log-odds 2 of a face.
    fn three_points(log_errors: &[f32], more: &[(&str, &str)]) -> Vec<u8> {
        let entries =
            [(key::TOPOLOGY, "three"), ("topology.points", "right,left,middle"), ("topology.mirror", "1,0,2")];
        let points = [-0.5, -0.2, 0.6, -0.3, 0.1, 0.4];
        network_of(&[("points", &points), ("log_errors", log_errors), ("score", &[2.0])], &[&entries, more].concat())
    }

    fn parsed(bytes: &[u8]) -> Result<LandmarkNetwork> {
        LandmarkNetwork::new(&Model::parse(bytes).unwrap())
    }

    /// An upright crop with its centre at (50, 60): half of its side is 20.
    const CROP: Crop = Crop { center: Point::new(50.0, 60.0), side: 40.0, roll_rad: 0.0 };

    #[test]
    fn a_network_of_other_points_places_them_and_swaps_the_sides_of_a_mirrored_crop() {
        let mut network = parsed(&three_points(&[0.1f32.ln(), 0.2f32.ln(), 0.3f32.ln()], &[])).unwrap();
        assert_eq!(network.topology(), &Topology::new(three()).unwrap());
        let grey = [9; 100 * 100];
        let image = ImageView::grey(&grey, 100, 100).unwrap();
        let plain = network.place(&image, &CROP);
        let mirrored = network.place_mirrored(&image, &CROP);
        for (landmarks, points, errors) in [
            (&plain, [(40.0, 56.0), (62.0, 54.0), (52.0, 68.0)], [2.0, 4.0, 6.0]),
            // The right point is the left one of the mirrored crop.
            (&mirrored, [(38.0, 54.0), (60.0, 56.0), (48.0, 68.0)], [4.0, 2.0, 6.0]),
        ] {
            let off = landmarks.points.iter().zip(points).map(|(p, (x, y))| p.distance(Point::new(x, y)));
            assert!(off.fold(0.0, f32::max) < 1e-4, "{landmarks:?}");
            assert!(landmarks.errors.iter().zip(errors).all(|(a, b)| (a - b).abs() < 1e-4), "{landmarks:?}");
            assert_eq!((landmarks.points.len(), landmarks.errors.len(), landmarks.visible().len()), (3, 3, 3));
            assert!((landmarks.score - logistic(2.0)).abs() < 1e-6);
            assert_eq!(&landmarks.topology, network.topology());
            assert_eq!((landmarks.pose, landmarks.expression(), landmarks.ibug68()), (None, None, None));
        }
        let mean = plain.mean(&mirrored);
        assert!(mean.points[0].distance(Point::new(39.0, 55.0)) < 1e-4, "{mean:?}");
        assert!((mean.errors[0] - 3.0).abs() < 1e-4 && mean.points.len() == 3);
    }

    #[test]
    fn landmarks_are_written_into_those_of_another_topology() {
        let [mut three, mut all] = [
            three_points(&[0.0; 3], &[]),
            fixed_network(&[0.5; 136], "margin=1.35", Some(&vec!["0.1"; POINTS].join(","))),
        ]
        .map(|bytes| parsed(&bytes).unwrap());
        let grey = [9; 100 * 100];
        let image = ImageView::grey(&grey, 100, 100).unwrap();
        let mut landmarks = all.place(&image, &CROP);
        three.place_into(&image, &CROP, &mut landmarks);
        assert_eq!(landmarks, three.place(&image, &CROP));
        let memory = landmarks.points.as_ptr();
        three.place_into(&image, &CROP, &mut landmarks);
        assert_eq!(landmarks.points.as_ptr(), memory, "nothing is allocated");
        all.place_into(&image, &CROP, &mut landmarks);
        assert_eq!(landmarks, all.place(&image, &CROP));
        let copied = landmarks.clone();
        assert_eq!(copied, landmarks);
        landmarks.clone_from(&three.place(&image, &CROP));
        assert_eq!(landmarks, three.place(&image, &CROP));
    }

    #[test]
    fn wild_numbers_of_a_network_of_any_topology_are_certainly_no_face() {
        let grey = [9; 100 * 100];
        let image = ImageView::grey(&grey, 100, 100).unwrap();
        for log_error in [1e9, 200.0] {
            let mut network = parsed(&three_points(&[0.0, 0.0, log_error], &[])).unwrap();
            let landmarks = network.place(&image, &CROP);
            assert_eq!((landmarks.score, landmarks.pose), (0.0, None));
            assert_eq!(landmarks.points, [CROP.center; 3]);
        }
        let mut network = parsed(&three_points(&[0.0; 3], &[])).unwrap();
        let nowhere = Crop { center: Point::new(f32::NAN, 1.0), side: f32::INFINITY, roll_rad: 0.0 };
        let landmarks = network.place(&image, &nowhere);
        assert_eq!((landmarks.score, landmarks.points.len()), (0.0, 3));
        assert!(landmarks.points.iter().all(|p| p.is_finite()) && landmarks.errors.iter().all(|e| e.is_finite()));
    }

    #[test]
    fn a_model_that_does_not_fit_its_topology_is_refused_with_what_was_expected() {
        let none: &[(&str, &str)] = &[];
        let (points, outputs) = ([0.0; 6], [("log_errors", &[0.0; 3][..]), ("score", &[0.0])]);
        let with = |points: &[f32], entries: &[(&str, &str)]| {
            network_of(&[&[("points", points)], &outputs[..]].concat(), entries)
        };
        let of =
            |mirror: &'static str| [(key::TOPOLOGY, "own"), ("topology.points", "a,b,c"), ("topology.mirror", mirror)];
        let good = of("1,0,2");
        let cases = [
            (with(&points, none), "topology: name: there is none"),
            (
                with(&points, &[(key::TOPOLOGY, "hand21")]),
                "topology: points: `hand21` is not known, and its points are not",
            ),
            (
                with(&points, &[(key::TOPOLOGY, "ibug68")]),
                "the output `points` is [1, 136] for Topology(ibug68, 68 points)",
            ),
            (with(&[0.0; 8], &good), "the output `points` is [1, 6] for Topology(own, 3 points)"),
            (
                network_of(&[("points", &points), ("log_errors", &[0.0; 4]), ("score", &[0.0])], &good),
                "`log_errors` is [1, 3]",
            ),
            (network_of(&[("points", &points), ("score", &[0.0])], &good), "`log_errors` is [1, 3]"),
            (network_of(&[("log_errors", &[0.0; 3]), ("score", &[0.0])], &good), "`points` is [1, 6]"),
            (three_points(&[0.0; 3], &[(key::ERRORS, "0.1,0.2")]), "errors = `0.1,0.2`"),
            (three_points(&[0.0; 3], &[(key::ERRORS, "0.1,0.2,0.3,0.4")]), "errors = `0.1,0.2,0.3,0.4`"),
            (three_points(&[0.0; 3], &[(key::ERRORS, "0.1,0.2,-0.3")]), "errors = `0.1,0.2,-0.3`"),
            (with(&points, &of("1,2,0")), "topology: mirror: point 0 becomes 1, but 1 does not become 0"),
            (with(&points, &of("4294967296,0,2")), "topology: mirror: 4294967296 is above the last index"),
            (with(&points, &of("")), "topology: mirror: `` is not an index"),
            (
                with(&points, &[&good[..], &[("topology.parts", "a=0-1")]].concat()),
                "topology: parts: point 2 is in no part",
            ),
            (
                with(&points, &[&good[..], &[("topology.box", "scale=1e9 shift=0,0")]].concat()),
                "topology: box: scale is from",
            ),
            (
                with(&points, &[&good[..], &[("topology.five", "9/1/2/0/1")]].concat()),
                "topology: five: a set has point 9",
            ),
        ];
        for (bytes, text) in cases {
            match parsed(&bytes) {
                Err(crate::Error::Model(ModelError::Model(what))) => assert!(what.contains(text), "{what}\nnot {text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        let fixed = network_of(&[("points", &points)], &[&good[..], &[(key::ERRORS, "0.1,0.2,0.3")]].concat());
        let network = parsed(&fixed).unwrap();
        assert!(!network.has_face_score() && network.topology().len() == 3);
    }

    #[test]
    fn points_that_expect_large_errors_are_hidden_and_the_jaw_may_expect_larger_ones() {
        let mut points = vec![Point::default(); POINTS];
        (points[36], points[45]) = (Point::new(100.0, 100.0), Point::new(180.0, 160.0)); // 100 apart
        let mut errors = vec![5.9; POINTS];
        (errors[2], errors[3], errors[30], errors[31]) = (9.9, 10.1, 6.1, f32::NAN);
        let visible = Landmarks::new(Topology::ibug68(), points, errors, 1.0).visible();
        let hidden: Vec<usize> = (0..POINTS).filter(|&i| !visible[i]).collect();
        assert_eq!(hidden, [3, 30, 31]);
    }

    #[test]
    fn a_network_without_outputs_for_errors_has_those_of_its_metadata_and_gets_the_crop_it_was_trained_with() {
        let errors = vec!["0.1"; POINTS].join(",");
        let points = vec![0.5; 2 * POINTS];
        let bytes = fixed_network(&points, "margin=1.5 shift=0.1,-0.2", Some(&errors));
        let mut network = LandmarkNetwork::new(&Model::parse(&bytes).unwrap()).unwrap();
        let pixels = [9; 100 * 100];
        let grey = ImageView::grey(&pixels, 100, 100).unwrap();
        // A box of 40x30 around (50, 50): the crop is 60 wide, its centre 4 to the right and 8 up.
        let crop = Crop::from_rect(&Rect::from_xywh(30.0, 35.0, 40.0, 30.0));
        let landmarks = network.place(&grey, &crop);
        let expected = Point::new(54.0 + 0.5 * 30.0, 42.0 + 0.5 * 30.0);
        assert!(landmarks.points.iter().all(|p| p.distance(expected) < 1e-3), "{:?}", landmarks.points[0]);
        assert!(landmarks.errors.iter().all(|e| (e - 3.0).abs() < 1e-4) && landmarks.score == 1.0);
    }

    #[test]
    fn metadata_that_says_something_unknown_is_refused() {
        let errors = vec!["0.1"; POINTS].join(",");
        let points = [0.0; 2 * POINTS];
        for (crop, errors) in [
            ("margin=nan", Some(errors.as_str())),
            ("margin=1.2 shift=0", Some(&errors)),
            ("margin=1.2 shift=0,0 more", Some(&errors)),
            ("side=2", Some(&errors)),
            ("margin=1.2", Some("0.1,0.2")),
            ("margin=1.2", Some("-1")),
            ("margin=1.2", None),
        ] {
            let bytes = fixed_network(&points, crop, errors);
            assert!(LandmarkNetwork::new(&Model::parse(&bytes).unwrap()).is_err(), "{crop} {errors:?}");
        }
    }

    #[test]
    fn errors_beyond_the_crop_are_read_as_an_untrained_network_has_them() {
        let bytes = fixed_network(&[0.0; 2 * POINTS], "margin=1.2", Some(&vec!["2.5"; POINTS].join(",")));
        assert!(LandmarkNetwork::new(&Model::parse(&bytes).unwrap()).is_ok());
    }
}
