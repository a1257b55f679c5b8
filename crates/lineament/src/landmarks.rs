//! The landmark network: the 68 points of one face, how far off each may be, and whether it is a face at all.

use crate::crop::{Crop, CropRule};
use crate::error::{ModelError, Result};
use crate::geometry::{Point, Rect};
use crate::image::ImageView;
use crate::normalise::Normalisation;
use crate::pose::Pose;
use crate::sample::Sampler;
use crate::topology::{FIRST_INNER_POINT, MIRROR, POINTS, inter_ocular};
use lineament_nn::engine::{Engine, Pool};
use lineament_nn::math::logistic;
use lineament_nn::model::{Model, Role, Shape, key};

/// The points of one face and what is known about them, in pixels of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// The iBUG 68 points, in the order that [`topology`](crate::topology) lists and shows.
    pub points: [Point; POINTS],
    /// Expected distance of each point to the true one, in pixels.
    pub errors: [f32; POINTS],
    /// How sure the network is that it sees a face, from 0 to 1. Where [`Lineament`](crate::Lineament) made several
    /// passes, it takes their expected errors into account, too: large ones speak against a face.
    pub score: f32,
    /// How the head is turned, from the points.
    pub pose: Pose,
}

/// An inner point is hidden if its expected error is above this share of the distance between the outer eye corners.
///
/// Chosen with the `lite` of 2026-11-24 on its validation photos. Above it are 88 of 100 points behind a mask, 71 of
/// 100 behind something over half of the face, 7 of 100 that a mask leaves free, and 2 of 100 points of plain photos.
/// With 0.07, it would be 70 of 100 behind a mask and 0.5 of 100 in plain photos.
const HIDDEN_ABOVE: f32 = 0.06;

/// The same for the jaw, whose positions along the cheek are uncertain in every photo. Above it are 73 of 100 points
/// behind something over half of the face, and 2 of 100 points of plain photos.
const HIDDEN_ABOVE_JAW: f32 = 0.10;

impl Landmarks {
    /// Which points can be seen, by their expected errors: an inner point is hidden above 6 % of the distance between
    /// the outer eye corners, a point of the jaw above 10 %. A guess that is right for most points, not for each; the
    /// errors themselves say more.
    pub fn visible(&self) -> [bool; POINTS] {
        let unit = inter_ocular(&self.points);
        std::array::from_fn(|i| {
            let limit = if i < FIRST_INNER_POINT { HIDDEN_ABOVE_JAW } else { HIDDEN_ABOVE };
            self.errors[i] <= limit * unit // NaN is hidden
        })
    }
}

impl Landmarks {
    /// The box of the points: the smallest upright rectangle around all 68.
    pub fn rect(&self) -> Rect {
        Rect::bounding(&self.points).unwrap_or_default()
    }

    /// The mean of two passes over one face; the lower score.
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
    crop_rule: CropRule,
    normalisation: Normalisation,
    /// Expected errors in the crop frame, from the metadata of a network that has no outputs for errors and face score.
    fixed_errors: Option<[f32; POINTS]>,
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
        model.expect(key::TOPOLOGY, "ibug68")?;
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
            Some(list) => Some(parse_errors(list).ok_or_else(|| unknown(key::ERRORS))?),
            None => None,
        };
        let outputs = [("points", 2 * POINTS), ("log_errors", POINTS), ("score", 1)];
        for &(name, len) in if fixed_errors.is_some() { &outputs[..1] } else { &outputs } {
            match engine.output_shape(name) {
                Some(shape) if shape == Shape::hwc(1, 1, len) => (),
                shape => {
                    let what = format!("the output `{name}` is [1, {len}], not {shape:?}");
                    return Err(ModelError::Model(what).into());
                }
            }
        }
        Ok(Self { engine, sampler: Sampler::default(), side_px: input.width, crop_rule, normalisation, fixed_errors })
    }

    /// Runs the network on the caller's threads from now on; `None`: on the thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        self.engine.set_pool(pool);
    }

    /// Whether the network has a face score: can tell faces from other things.
    pub fn has_face_score(&self) -> bool {
        self.fixed_errors.is_none()
    }

    /// The points of the face within `crop`, from one pass. A network that was trained with another
    /// [`CropRule`] gets its own crop of the same face. One without a face score answers a score of 1.
    pub fn place(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.run(image, crop, false)
    }

    /// As [`LandmarkNetwork::place`], from the mirrored crop. The errors there are partly independent of those in the
    /// crop itself, so the mean of both is more accurate than either.
    pub fn place_mirrored(&mut self, image: &ImageView, crop: &Crop) -> Landmarks {
        self.run(image, crop, true)
    }

    /// What the network sees of `crop`, `[side, side, 1]`: for quantisation and for debugging.
    pub fn input(&self, image: &ImageView, crop: &Crop) -> (Shape, Vec<f32>) {
        let mut input = vec![0.0; self.side_px * self.side_px];
        self.crop_rule.of(crop).sample_into(image, self.side_px, &mut input);
        self.normalisation.apply(&mut input);
        (Shape::hwc(self.side_px, self.side_px, 1), input)
    }

    fn run(&mut self, image: &ImageView, crop: &Crop, mirrored: bool) -> Landmarks {
        let (side_px, normalisation) = (self.side_px, self.normalisation);
        let crop = self.crop_rule.of(crop);
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
        let (errors, score) = match self.fixed_errors {
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
            // The weights overflow, or the crop is not finite: certainly no face.
            let (center, error) = (Point::new(finite(crop.center.x), finite(crop.center.y)), finite(crop.side));
            Landmarks { points: [center; POINTS], errors: [error; POINTS], score: 0.0, pose: Pose::default() }
        }
    }
}

/// One number for each point, separated by commas.
fn parse_errors(list: &str) -> Option<[f32; POINTS]> {
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
