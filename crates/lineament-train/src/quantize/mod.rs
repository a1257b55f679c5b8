//! Smaller and faster models: weights as f16, or whole networks in int8.
//!
//! f16 halves the file and does not change the points measurably. int8 makes it a quarter, and processors compute
//! with four times as many numbers at once. Its scales are calibrated on photos ([`observe`]), and its points move a
//! little; [`compare`] measures by how much, through the public library.

pub mod compare;
mod equalise;
mod int8;
pub mod observe;

use lineament::stages::{Detector, LandmarkNetwork};
use lineament_data::{Jitter, Photo, Sample};
use lineament_nn::model::{Model, Op, Role, Tensor};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::error::{Error, Result};
use observe::Input;

/// How the numbers of a model are stored, and with int8 computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Half precision.
    F16,
    /// Integers of 8 bits.
    Int8 {
        /// Layers whose sums have fewer products stay in f32: they gain little, and their rounding errors reach all
        /// later layers.
        least_products: usize,
    },
}

/// `model` in that precision. Only int8 runs it on `samples`, twice on each; `progress` is called each time.
///
/// # Errors
/// When the model is quantised already, a weight does not fit the precision, or a photo cannot be read.
pub fn quantize(
    model: &Model,
    precision: Precision,
    samples: &[Sample],
    progress: impl Fn(),
) -> Result<Model<'static>> {
    if model.architecture.layers.iter().any(|layer| layer.op == Op::Quantize) {
        return Err(Error::Quantize("the model is quantised already: start from the file it was made from".into()));
    }
    match precision {
        Precision::F16 => to_f16(model),
        Precision::Int8 { least_products } => {
            let source = Source::new(model)?;
            let inputs = |sample| {
                progress();
                source.inputs(sample)
            };
            to_int8(model, least_products, || samples.iter().map(inputs))
        }
    }
}

/// The model with f16 weights of convolutions and dense layers.
fn to_f16(model: &Model) -> Result<Model<'static>> {
    let layers = model.architecture.layers.iter().zip(&model.weights);
    Ok(Model {
        metadata: model.metadata.clone(),
        architecture: model.architecture.clone(),
        weights: layers.map(|(layer, tensors)| f16_weights(layer.op, tensors)).collect::<Result<_>>()?,
    })
}

/// A layer's tensors with its weights in f16; biases and other tensors are small and stay in f32.
fn f16_weights(op: Op, tensors: &[Tensor]) -> Result<Vec<Tensor<'static>>> {
    let store = |(k, tensor): (usize, &Tensor)| {
        let numbers = tensor.to_vec();
        let is_weight = k == 0 && matches!(op, Op::Conv { .. } | Op::Depthwise { .. } | Op::Dense { .. });
        if !is_weight {
            return Ok(Tensor::from_f32(&tensor.dims, &numbers));
        }
        let f16 = Tensor::f16_from_f32(&tensor.dims, &numbers);
        match f16.to_vec().iter().zip(&numbers).find(|(f16, number)| f16.is_infinite() && number.is_finite()) {
            Some((_, number)) => Err(Error::Quantize(format!("a weight of {number} does not fit f16"))),
            None => Ok(f16),
        }
    };
    tensors.iter().enumerate().map(store).collect()
}

/// The network in int8, calibrated on `inputs`, which gives those of one photo at a time.
fn to_int8<I: Iterator<Item = Result<Vec<Input>>>>(
    model: &Model,
    least_products: usize,
    inputs: impl Fn() -> I,
) -> Result<Model<'static>> {
    let layers = int8::layers(model, least_products)?;
    let values = int8::values(model, &layers);
    let model = equalise::equalised(model, &values, &observe::widths(model, &values, inputs())?)?;
    int8::quantized(&model, &layers, &observe::observe(&model, &values, inputs())?)
}

/// The network whose inputs photos become.
enum Source {
    Detector(Box<Detector>),
    Landmarks(Box<LandmarkNetwork>),
}

impl Source {
    fn new(model: &Model) -> Result<Self> {
        Ok(match model.metadata.role {
            Role::Detector => Self::Detector(Box::new(Detector::new(model)?)),
            Role::Landmarks => Self::Landmarks(Box::new(LandmarkNetwork::new(model)?)),
        })
    }

    /// The network's inputs in use, of a photo with a face: for landmarks a crop as the points of the last frame give
    /// it, and two as a detector's box gives them; for a detector the frame.
    fn inputs(&self, sample: &Sample) -> Result<Vec<Input>> {
        let photo = Photo::open(&sample.photo_path)?.grey();
        let view = photo.view();
        Ok(match self {
            Self::Detector(detector) => vec![detector.input(&view, None)],
            Self::Landmarks(network) => {
                let mut rng = Pcg64::seed_from_u64(0);
                let jitter = Jitter { close_share: 0.0, ..Jitter::default() };
                let crop = sample.crop(network.topology());
                let crops = [crop, jitter.jitter(&crop, &mut rng), jitter.jitter(&crop, &mut rng)];
                crops.iter().map(|crop| network.input(&view, crop)).collect()
            }
        })
    }
}

#[cfg(test)]
mod tests;
