//! The 68 points of one face, how far off each may be, and whether it is a face at all.

use crate::crop::{Crop, MARGIN, normalise};
use crate::error::{Error, Result};
use crate::geometry::{Point, Rect};
use crate::image::ImageView;
use crate::pose::Pose;
use crate::sample::Sampler;
use crate::topology::{FIRST_INNER_POINT, MIRROR, POINTS, inter_ocular};
use lineament_nn::engine::{Engine, Pool};
use lineament_nn::math::logistic;
use lineament_nn::model::{Model, Role, Shape, key};

/// What the landmark network says about one crop, in pixels of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// The iBUG 68 points, in the order that [`topology`](crate::topology) lists and shows.
    pub points: [Point; POINTS],
    /// Expected distance of each point to the true one, in pixels.
    pub errors: [f32; POINTS],
    /// How sure the network is that it sees a face, from 0 to 1. [`Lineament`](crate::Lineament) takes the expected errors into
    /// account where it has looked three times: large ones speak against a face.
    pub score: f32,
    /// How the head is turned, from the points.
    pub pose: Pose,
}

/// Expected errors above this share of the distance of the outer eye corners found say that an inner point is hidden.
///
/// Chosen with the `lite` of 2026-11-24 on its validation photos: behind a mask 88 of 100 points are above it (behind something over half
/// of the face 71), of a plain photo's points 2, and of those that a mask leaves free 7. A larger share would miss more
/// of what is hidden: at 0.07 it is 70 and 0.5 of 100.
pub const HIDDEN_ABOVE: f32 = 0.06;

/// The same for the jaw, whose places along the cheek are uncertain in every photo: at 0.10, 73 of 100 points behind
/// something over half of the face are above it, and 2 of a plain photo's.
pub const HIDDEN_ABOVE_JAW: f32 = 0.10;

impl Landmarks {
    /// Which points can be seen, by their expected errors: [`HIDDEN_ABOVE`], [`HIDDEN_ABOVE_JAW`]. A guess that is right
    /// for most points, not for each; the errors themselves say more.
    pub fn visible(&self) -> [bool; POINTS] {
        let unit = inter_ocular(&self.points);
        std::array::from_fn(|i| {
            let limit = if i < FIRST_INNER_POINT { HIDDEN_ABOVE_JAW } else { HIDDEN_ABOVE };
            self.errors[i] <= limit * unit // NaN is hidden
        })
    }
}

impl Landmarks {
    /// The box of the points.
    pub(crate) fn rect(&self) -> Rect {
        Rect::bounding(&self.points).unwrap_or_default()
    }

    /// The mean of two looks at one face; the lower score.
    pub(crate) fn mean(&self, other: &Self) -> Self {
        let points = std::array::from_fn(|i| self.points[i].midpoint(other.points[i]));
        let errors = std::array::from_fn(|i| (self.errors[i] + other.errors[i]) / 2.0);
        let pose = Pose::from_points_and_errors(&points, &errors);
        Self { points, errors, score: self.score.min(other.score), pose }
    }
}

/// Places the points.
#[derive(Debug, Clone)]
pub struct LandmarkNetwork {
    engine: Engine,
    sampler: Sampler,
    side_px: usize,
    look: Look,
    normalisation: Normalisation,
    /// Expected errors in the crop frame, of a network that does not say them itself.
    usual_errors: Option<[f32; POINTS]>,
}

impl LandmarkNetwork {
    /// From a model file.
    ///
    /// # Errors
    /// [`Error::Role`] for another model's file, [`Error::Model`] for one whose input or outputs are not as
    /// [`lineament_nn::model`] describes.
    pub fn new(model: &Model) -> Result<Self> {
        model.expect_role(Role::Landmarks)?;
        model.expect(key::INPUT, "grey")?;
        model.expect(key::TOPOLOGY, "ibug68")?;
        let says = |name: &str| model.metadata.get(name).unwrap_or_default();
        let unknown =
            |name: &str| Error::Model(format!("its metadata says {name} = `{}`, which is not known", says(name)));
        let normalisation = match says(key::NORMALISATION) {
            "standardise" => Normalisation::Standardise,
            "unit" => Normalisation::Unit,
            _ => return Err(unknown(key::NORMALISATION)),
        };
        let look = Look::parse(says(key::CROP)).ok_or_else(|| unknown(key::CROP))?;
        let engine = Engine::new(model)?;
        let input = engine.input_shape();
        if input.height != input.width || input.channels != 1 {
            return Err(Error::Model(format!("a landmark network's input is a grey square, not {input:?}")));
        }
        let usual_errors = match model.metadata.get(key::ERRORS) {
            Some(list) => Some(usual_errors(list).ok_or_else(|| unknown(key::ERRORS))?),
            None => None,
        };
        let judged = [("points", 2 * POINTS), ("log_errors", POINTS), ("score", 1)];
        for &(name, len) in if usual_errors.is_some() { &judged[..1] } else { &judged } {
            match engine.output_shape(name) {
                Some(shape) if shape == Shape::hwc(1, 1, len) => (),
                shape => return Err(Error::Model(format!("the output `{name}` is [1, {len}], not {shape:?}"))),
            }
        }
        Ok(Self { engine, sampler: Sampler::default(), side_px: input.width, look, normalisation, usual_errors })
    }

    /// As [`Engine::set_pool`].
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.engine.set_pool(pool);
    }

    /// Whether the network can tell faces from other things.
    pub fn judges(&self) -> bool {
        self.usual_errors.is_none()
    }

    /// The points of the face within `crop`. A network that was trained on other crops looks where it was trained to.
    /// One that cannot tell faces from other things answers a score of 1.
    pub fn place(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.run(image, crop, false)
    }

    /// As [`LandmarkNetwork::place`], from the mirrored crop: what the network errs there is partly other than what it
    /// errs in the crop itself, so that the mean of both is better than each.
    pub fn place_mirrored(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.run(image, crop, true)
    }

    /// What the network sees of `crop`: for [quantising](lineament_nn::model#how-numbers-are-stored) and for looking inside.
    pub fn input(&self, image: &ImageView, crop: &Crop) -> (Shape, Vec<f32>) {
        let mut input = vec![0.0; self.side_px * self.side_px];
        self.look.of_standard(crop).sample_into(image, self.side_px, &mut input);
        self.normalisation.apply(&mut input);
        (Shape::hwc(self.side_px, self.side_px, 1), input)
    }

    fn run(&mut self, image: &ImageView, crop: &Crop, mirrored: bool) -> Landmarks {
        let (side_px, normalisation) = (self.side_px, self.normalisation);
        let crop = self.look.of_standard(crop);
        self.engine.run(|input| {
            self.sampler.sample(image, crop.image_from_pixel(side_px), side_px, side_px, input);
            if mirrored {
                input.chunks_exact_mut(side_px).for_each(<[f32]>::reverse);
            }
            normalisation.apply(input);
        });
        let output = |name| self.engine.output(name).map_or(&[][..], |(values, _)| values);
        let points = output("points");
        let image_from_crop = crop.image_from_crop();
        // Which of the network's points is ours, and on which side.
        let (from, sign): (fn(usize) -> usize, f32) = if mirrored { (|i| MIRROR[i], -1.0) } else { (|i| i, 1.0) };
        let point = |i: usize| Point::new(sign * points[2 * i], points[2 * i + 1]);
        let points = std::array::from_fn(|i| image_from_crop * point(from(i)));
        let (errors, score) = match self.usual_errors {
            Some(errors) => (errors, 1.0),
            None => {
                let (log_errors, score) = (output("log_errors"), output("score"));
                (std::array::from_fn(|i| libm::expf(log_errors[from(i)])), logistic(score[0]))
            }
        };
        let errors = errors.map(|e| e * image_from_crop.scale());
        if points.iter().all(|p| p.is_finite()) && errors.iter().all(|e: &f32| e.is_finite()) && score.is_finite() {
            Landmarks { points, errors, score, pose: Pose::from_points_and_errors(&points, &errors) }
        } else {
            // Weights that overflow, or a crop that is nowhere: certainly no face.
            let (center, error) = (Point::new(finite(crop.center.x), finite(crop.center.y)), finite(crop.side));
            Landmarks { points: [center; POINTS], errors: [error; POINTS], score: 0.0, pose: Pose::default() }
        }
    }
}

/// How pixels become a network's numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Normalisation {
    /// [`normalise`].
    Standardise,
    /// Brightness from 0 to 1.
    Unit,
}

impl Normalisation {
    /// From brightness 0 to 255, in place.
    fn apply(self, pixels: &mut [f32]) {
        match self {
            Self::Standardise => normalise(pixels),
            Self::Unit => pixels.iter_mut().for_each(|v| *v /= 255.0),
        }
    }
}

/// The crop that a network was trained on, relative to the box of the 68 points along the face's axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    /// Side of the crop over the longer side of the box.
    margin: f32,
    /// From the box's centre to the crop's, right and down, over the longer side of the box.
    shift: (f32, f32),
}

impl Look {
    /// `margin=1.35`, or `margin=1.1 shift=0,-0.05`.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let margin: f32 = words.next()?.strip_prefix("margin=")?.parse().ok()?;
        let shift = match words.next() {
            None => (0.0, 0.0),
            Some(word) => {
                let (x, y) = word.strip_prefix("shift=")?.split_once(',')?;
                (x.parse::<f32>().ok()?, y.parse::<f32>().ok()?)
            }
        };
        let sane = (0.5..=4.0).contains(&margin) && shift.0.abs() <= 1.0 && shift.1.abs() <= 1.0;
        (sane && words.next().is_none()).then_some(Self { margin, shift })
    }

    /// The network's crop for the face that the library's own `crop` is around.
    fn of_standard(&self, crop: &Crop) -> Crop {
        // Exactly the same for the library's own networks, also where the numbers are wild.
        if *self == (Self { margin: MARGIN, shift: (0.0, 0.0) }) {
            return *crop;
        }
        let longer_side = crop.side / MARGIN;
        // A crop's own frame is from -1 to 1.
        let center = crop.image_from_crop() * Point::new(2.0 * self.shift.0 / MARGIN, 2.0 * self.shift.1 / MARGIN);
        Crop { center, side: self.margin * longer_side, ..*crop }
    }
}

/// One number for each point, with commas between.
fn usual_errors(list: &str) -> Option<[f32; POINTS]> {
    let errors = list.split(',').map(|e| e.parse().ok().filter(|e: &f32| e.is_finite() && *e >= 0.0));
    errors.collect::<Option<Vec<f32>>>()?.try_into().ok()
}

fn finite(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament_nn::model::{Architecture, Metadata, Op, write};

    /// A network that answers the same points to every picture of 4x4 pixels.
    fn fixed_network(points: &[f32], crop: &str, errors: Option<&str>) -> Vec<u8> {
        let mut net = Architecture::new(Shape::hwc(4, 4, 1));
        let value = net.push(Op::Dense { units: 2 * POINTS });
        net.output("points", value);
        let mut metadata = Metadata::new(Role::Landmarks);
        for (key, value) in
            [(key::INPUT, "grey"), (key::TOPOLOGY, "ibug68"), (key::NORMALISATION, "unit"), (key::CROP, crop)]
        {
            metadata.set(key, value);
        }
        if let Some(errors) = errors {
            metadata.set(key::ERRORS, errors);
        }
        let weights = vec![(vec![16, 2 * POINTS], vec![0.0; 32 * POINTS]), (vec![2 * POINTS], points.to_vec())];
        write(&net, &metadata, &[weights]).unwrap()
    }

    #[test]
    fn points_that_expect_large_errors_are_hidden_and_the_jaw_may_expect_larger_ones() {
        let mut points = [Point::default(); POINTS];
        (points[36], points[45]) = (Point::new(100.0, 100.0), Point::new(180.0, 160.0)); // 100 apart
        let mut errors = [5.9; POINTS];
        (errors[2], errors[3], errors[30], errors[31]) = (9.9, 10.1, 6.1, f32::NAN);
        let visible = Landmarks { points, errors, score: 1.0, pose: Pose::default() }.visible();
        let hidden: Vec<usize> = (0..POINTS).filter(|&i| !visible[i]).collect();
        assert_eq!(hidden, [3, 30, 31]);
    }

    #[test]
    fn a_network_without_errors_of_its_own_has_usual_ones_and_looks_where_it_was_trained_to() {
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
