//! Calibration of a landmark network: one factor on its expected errors, so that they are as large as the measured
//! errors in the mean.
//!
//! The factor belongs to the way photos are processed. The library averages two passes, and the mean is more accurate
//! than a single pass: measure through the public [`Lineament`](lineament::Lineament).

use lineament_nn::model::{Element, Model, Role, Tensor, key};

use crate::error::{Error, Result};
use crate::networks::LANDMARK_OUTPUTS;

/// `model` with expected errors that are `factor` times as large, whatever its numbers are stored as. Its points and
/// its face score stay the same, to the bit.
///
/// # Errors
/// [`Error::Calibrate`] for another model's file, or for a factor that is not above 0.
pub fn scale_errors<'a>(model: &Model<'a>, factor: f32) -> Result<Model<'a>> {
    if model.metadata.role != Role::Landmarks {
        return Err(Error::Calibrate("only a landmark network has expected errors, and this is a detector".into()));
    }
    if !(factor.is_finite() && factor > 0.0) {
        return Err(Error::Calibrate(format!("expected errors cannot be multiplied by {factor}")));
    }
    let mut scaled = model.clone();
    // A network without an output for them has one list for all crops.
    if let Some(list) = model.metadata.get(key::ERRORS) {
        let errors = list.split(',').map(|error| error.parse::<f32>().map(|error| (error * factor).to_string()));
        let errors = errors.collect::<Result<Vec<_>, _>>();
        let errors =
            errors.map_err(|e| Error::Calibrate(format!("its metadata says {} = `{list}`: {e}", key::ERRORS)))?;
        scaled.metadata.set(key::ERRORS, errors.join(","));
        return Ok(scaled);
    }
    let [_, log_errors, _] = LANDMARK_OUTPUTS;
    let head = model.architecture.head(log_errors).and_then(|layer| scaled.weights.get_mut(layer));
    let Some([_, bias]) = head.map(Vec::as_mut_slice) else {
        return Err(Error::Calibrate(format!("no layer's bias shifts its output `{log_errors}`")));
    };
    *bias = shifted(bias, factor.ln());
    Ok(scaled)
}

/// `tensor` with `by` added to each number. Quantised values keep their scales.
fn shifted(tensor: &Tensor, by: f32) -> Tensor<'static> {
    match (tensor.element, &tensor.scales) {
        (Element::I32, Some(scales)) => {
            let factors = scales.to_vec();
            let values = tensor.bytes.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes));
            let shift = |i: usize| (f64::from(by) / f64::from(factors[i % factors.len()])).round() as i32;
            let values: Vec<i32> = values.enumerate().map(|(i, value)| value.saturating_add(shift(i))).collect();
            Tensor::from_i32(&tensor.dims, &values, scales.axis, &factors)
        }
        _ => Tensor::from_f32(&tensor.dims, &tensor.to_vec().iter().map(|number| number + by).collect::<Vec<_>>()),
    }
}

#[cfg(test)]
mod tests {
    use lineament::models::{DETECTOR, LITE};
    use lineament::{Crop, Landmarks, Lineament, Options, Point};
    use lineament_data::Photo;
    use std::path::Path;

    use super::*;

    #[test]
    fn errors_are_scaled_and_nothing_else_changes_in_int8_and_f16() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let photo = Photo::open(&root.join("testdata/astronaut.jpg")).unwrap().grey();
        let place = |file: &[u8]| -> Landmarks {
            // One pass: the score of several depends on the expected errors.
            let options = Options { refine: false, ..Options::default() };
            let mut lineament = Lineament::with_models(options, DETECTOR, file).unwrap();
            let crop = Crop { center: Point::new(224.0, 114.0), side: 130.0, roll_rad: 0.0 };
            lineament.landmarks(&photo.view(), &crop)
        };
        let f16 = std::fs::read(root.join("models/lite/lite.onnx")).unwrap();
        for (name, file) in [("int8", LITE), ("f16", f16.as_slice())] {
            let before = place(file);
            for factor in [0.5, 0.93, 3.0] {
                let scaled = scale_errors(&Model::parse(file).unwrap(), factor).unwrap().to_bytes().unwrap();
                let after = place(&scaled);
                assert_eq!((&after.points, after.score), (&before.points, before.score), "{name}");
                for (after, before) in after.errors.iter().zip(&before.errors) {
                    assert!((after / before / factor - 1.0).abs() < 1e-4, "{name}: {before} became {after}");
                }
            }
        }
    }

    #[test]
    fn a_list_of_errors_in_the_metadata_is_scaled() {
        let mut model = Model::parse(LITE).unwrap();
        model.metadata.set(key::ERRORS, "0.5,0.25");
        assert_eq!(scale_errors(&model, 2.0).unwrap().metadata.get(key::ERRORS), Some("1,0.5"));
        model.metadata.set(key::ERRORS, "0.5,many");
        assert!(scale_errors(&model, 2.0).unwrap_err().to_string().contains("many"));
    }

    #[test]
    fn a_detector_and_odd_factors_are_refused() {
        let detector = Model::parse(DETECTOR).unwrap();
        assert!(scale_errors(&detector, 1.0).unwrap_err().to_string().contains("detector"));
        let lite = Model::parse(LITE).unwrap();
        for factor in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(scale_errors(&lite, factor).is_err(), "{factor}");
        }
    }
}
