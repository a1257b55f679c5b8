//! The 68 points of one face, how far off each may be, and whether it is a face at all.

use crate::crop::{Crop, MARGIN};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::geometry::Point;
use crate::image::GreyImage;
use crate::model::{Model, Role, Shape, key};
use crate::pose::Pose;
use crate::topology::POINTS;

/// What the landmark network says about one crop, in pixels of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// The iBUG 68 points.
    pub points: [Point; POINTS],
    /// Expected distance of each point to the true one, in pixels.
    pub errors: [f32; POINTS],
    /// How sure the network is that it sees a face, from 0 to 1.
    pub score: f32,
    /// How the head is turned, from the points.
    pub pose: Pose,
}

/// Places the points.
#[derive(Debug, Clone)]
pub struct LandmarkNetwork {
    engine: Engine,
    side_px: usize,
}

impl LandmarkNetwork {
    /// From a model file.
    ///
    /// # Errors
    /// [`Error::Role`] for another model's file, [`Error::Model`] for one whose input or outputs are not as
    /// [`crate::model`] describes.
    pub fn new(model: &Model) -> Result<Self> {
        model.expect_role(Role::Landmarks)?;
        let margin = format!("margin={MARGIN}");
        for (name, value) in [
            (key::INPUT, "grey"),
            (key::NORMALISATION, "standardise"),
            (key::TOPOLOGY, "ibug68"),
            (key::CROP, margin.as_str()),
        ] {
            model.expect(name, value)?;
        }
        let engine = Engine::new(model)?;
        let input = engine.input_shape();
        if input.height != input.width || input.channels != 1 {
            return Err(Error::Model(format!("a landmark network's input is a grey square, not {input:?}")));
        }
        for (name, len) in [("points", 2 * POINTS), ("log_errors", POINTS), ("score", 1)] {
            match engine.output_shape(name) {
                Some(shape) if shape == Shape::hwc(1, 1, len) => (),
                shape => return Err(Error::Model(format!("the output `{name}` is [1, {len}], not {shape:?}"))),
            }
        }
        Ok(Self { engine, side_px: input.width })
    }

    /// The points of the face within `crop`.
    pub fn place(&mut self, image: &GreyImage, crop: &Crop) -> Landmarks {
        let side_px = self.side_px;
        self.engine.run(|input| crop.cut_into(image, side_px, input));
        let output = |name| self.engine.output(name).map_or(&[][..], |(values, _)| values);
        let (points, log_errors, score) = (output("points"), output("log_errors"), output("score"));
        let image_from_crop = crop.image_from_crop();
        let points = std::array::from_fn(|i| image_from_crop * Point::new(points[2 * i], points[2 * i + 1]));
        let errors = std::array::from_fn(|i| log_errors[i].exp() * image_from_crop.scale());
        let score = 1.0 / (1.0 + (-score[0]).exp());
        if points.iter().all(|p| p.is_finite()) && errors.iter().all(|e: &f32| e.is_finite()) && score.is_finite() {
            Landmarks { points, errors, score, pose: Pose::from_points(&points) }
        } else {
            // Weights that overflow, or a crop that is nowhere: certainly no face.
            let (center, error) = (Point::new(finite(crop.center.x), finite(crop.center.y)), finite(crop.side));
            Landmarks { points: [center; POINTS], errors: [error; POINTS], score: 0.0, pose: Pose::default() }
        }
    }
}

fn finite(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}
