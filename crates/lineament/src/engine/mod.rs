//! Our own engine: runs the layers of a model with kernels made for small networks. It is also what training runs
//! forward, so that both see the same numbers.
//!
//! All values are `[height, width, channels]`, channels innermost: convolutions then read and write whole vectors.

pub mod conv;
pub mod depthwise;
pub mod elementwise;
mod plan;
pub mod simd;

pub use plan::Plan;

use conv::PackedConv;

use crate::error::{Error, Result};
use crate::model::{Activation, Architecture, Model, Op, Shape, Tensor};

/// A model made ready to run.
#[derive(Debug, Clone)]
pub struct Engine {
    architecture: Architecture,
    weights: Vec<Weights>,
    plan: Plan,
    values: Vec<f32>,
    padded: Vec<f32>,
}

/// What a layer has learned, in the kernels' order.
#[derive(Debug, Clone)]
enum Weights {
    None,
    Conv(PackedConv),
    /// Depthwise `[k, k, c]` or dense `[inputs, units]`, with the bias.
    Matrix(Vec<f32>, Vec<f32>),
    Slopes(Vec<f32>),
    /// `[h, w, c]`.
    Bias(Vec<f32>),
}

impl Engine {
    /// Arranges the weights of `model` for this processor and plans its memory.
    ///
    /// # Errors
    /// [`Error::Model`] when a weight is not a finite number.
    pub fn new(model: &Model) -> Result<Self> {
        let architecture = model.architecture.clone();
        let plan = Plan::new(&architecture, architecture.input)?;
        let weights = architecture
            .layers
            .iter()
            .zip(&model.weights)
            .map(|(layer, tensors)| Weights::new(layer.op, plan.shapes[layer.input].channels, tensors))
            .collect::<Result<_>>()?;
        Ok(Self { architecture, weights, values: Vec::new(), padded: Vec::new(), plan })
    }

    /// Sets the size of the next inputs, for networks without layers that fix it. Cheap when it is the size already.
    ///
    /// # Errors
    /// [`Error::Model`] when the layers do not fit the size.
    pub fn set_input_size(&mut self, height: usize, width: usize) -> Result<()> {
        let input = Shape { height, width, channels: self.architecture.input.channels };
        if self.plan.shapes[0] != input {
            if self.architecture.layers.iter().any(|layer| layer.op.fixes_size()) {
                return Err(Error::Model(format!(
                    "its input is {:?}; {height}x{width} does not fit",
                    self.architecture.input
                )));
            }
            self.plan = Plan::new(&self.architecture, input)?;
        }
        Ok(())
    }

    /// The size of the input.
    pub fn input_shape(&self) -> Shape {
        self.plan.shapes[0]
    }

    /// Bytes of memory for the values between layers, at the present input size.
    pub fn peak_activation_bytes(&self) -> usize {
        self.plan.len * size_of::<f32>()
    }

    /// Runs the network; `fill` writes the input `[height, width, channels]`.
    pub fn run(&mut self, fill: impl FnOnce(&mut [f32])) {
        self.values.resize(self.plan.len, 0.0);
        fill(&mut self.values[self.plan.places[0].clone()]);
        for i in 0..self.architecture.layers.len() {
            self.run_layer(i);
        }
    }

    /// The output called `name` of the last run, with its shape; `None` when the model has no such output.
    pub fn output(&self, name: &str) -> Option<(&[f32], Shape)> {
        let output = self.architecture.outputs.iter().find(|o| o.name == name)?;
        let values = self.values.get(self.plan.places[output.value].clone())?;
        Some((values, self.plan.shapes[output.value]))
    }

    /// The shape of the output called `name` at the present input size; `None` when the model has no such output.
    pub fn output_shape(&self, name: &str) -> Option<Shape> {
        self.architecture.outputs.iter().find(|o| o.name == name).map(|o| self.plan.shapes[o.value])
    }

    fn run_layer(&mut self, i: usize) {
        let layer = self.architecture.layers[i];
        let Plan { shapes, places, .. } = &self.plan;
        let (from, to) = (shapes[layer.input], shapes[i + 1]);
        let [input, output] = self
            .values
            .get_disjoint_mut([places[layer.input].clone(), places[i + 1].clone()])
            .expect("the plan keeps a layer's input and output apart");
        let input = &*input;
        match (layer.op, &self.weights[i]) {
            (Op::Conv { padding, .. }, Weights::Conv(conv)) => {
                let (input, height, width) = elementwise::padded(&mut self.padded, input, from, padding);
                conv.run(input, height, width, output);
            }
            (Op::Depthwise { kernel, stride, padding }, Weights::Matrix(weights, bias)) => {
                let (input, height, width) = elementwise::padded(&mut self.padded, input, from, padding);
                depthwise::depthwise(input, (height, width), weights, bias, kernel, stride, output);
            }
            (Op::Activation(activation), weights) => {
                output.copy_from_slice(input);
                let slopes = if let Weights::Slopes(slopes) = weights { slopes.as_slice() } else { &[] };
                elementwise::activate(activation, slopes, output);
            }
            (Op::MaxPool, _) => elementwise::max_pool(input, from, output),
            (Op::Add { with }, _) => {
                output.copy_from_slice(input);
                let [other, output] = self
                    .values
                    .get_disjoint_mut([places[with].clone(), places[i + 1].clone()])
                    .expect("the plan keeps a layer's input and output apart");
                elementwise::add(output, other);
            }
            (Op::GlobalPool, _) => elementwise::global_pool(input, output),
            (Op::WeightedPool { weights }, _) => {
                let [input, weights, output] = self
                    .values
                    .get_disjoint_mut([layer.input, weights, i + 1].map(|value| places[value].clone()))
                    .expect("the plan keeps a layer's inputs and output apart");
                elementwise::weighted_pool(input, weights, output);
            }
            (Op::PositionBias, Weights::Bias(bias)) => {
                output.copy_from_slice(input);
                elementwise::add(output, bias);
            }
            (Op::Dense { .. }, Weights::Matrix(weights, bias)) => elementwise::dense(input, weights, bias, output),
            (op, weights) => unreachable!("{op:?} with {weights:?} is refused at load, {to:?}"),
        }
    }
}

impl Weights {
    fn new(op: Op, inputs: usize, tensors: &[Tensor]) -> Result<Self> {
        let mut values = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            let numbers = tensor.to_vec();
            if numbers.iter().any(|v| !v.is_finite()) {
                return Err(Error::Model(format!("a weight of {op:?} is not a finite number")));
            }
            values.push(numbers);
        }
        Ok(match (op, values.as_slice()) {
            (Op::Conv { filters, kernel, stride, .. }, [weight, bias]) => {
                let weight = transposed(weight, filters);
                Self::Conv(PackedConv::new(
                    &hwio_from_io_hw(&weight, inputs, kernel, filters),
                    bias,
                    kernel,
                    stride,
                    inputs,
                ))
            }
            (Op::Depthwise { .. }, [weight, bias]) => Self::Matrix(transposed(weight, inputs), bias.clone()),
            (Op::Dense { .. }, [weight, bias]) => Self::Matrix(weight.clone(), bias.clone()),
            (Op::PositionBias, [bias]) => Self::Bias(transposed(bias, inputs)),
            (Op::Activation(Activation::PRelu), [slopes]) => Self::Slopes(slopes.clone()),
            (Op::BatchNorm, _) => return Err(Error::Model("batch normalisation is for training only".into())),
            (_, []) => Self::None,
            _ => return Err(Error::Model(format!("{op:?} has {} tensors", tensors.len()))),
        })
    }
}

/// `[rows, n] -> [n, rows]`.
fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
}

/// `[inputs, k * k, outputs] -> [k * k, inputs, outputs]`.
fn hwio_from_io_hw(values: &[f32], inputs: usize, kernel: usize, outputs: usize) -> Vec<f32> {
    let taps = kernel * kernel;
    let mut out = Vec::with_capacity(values.len());
    for tap in 0..taps {
        for input in 0..inputs {
            out.extend_from_slice(&values[(input * taps + tap) * outputs..][..outputs]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::conv::PackedConv;
    use super::depthwise::depthwise;
    use super::elementwise;
    use super::simd::tests::at_every_level;
    use crate::model::Shape;

    /// Numbers from -1 to 1 that look random.
    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| next()).collect()
    }

    /// Largest difference from `expected` over all levels.
    fn worst(expected: &[f32], answers: &[Vec<f32>]) -> f32 {
        let differences = answers.iter().flat_map(|a| a.iter().zip(expected).map(|(a, e)| (a - e).abs()));
        assert!(answers.iter().all(|a| a.len() == expected.len()));
        differences.fold(0.0, f32::max)
    }

    #[test]
    fn convolutions_agree_with_sums_by_hand_at_every_level() {
        struct Case {
            size: (usize, usize),
            kernel: usize,
            stride: usize,
            inputs: usize,
            outputs: usize,
        }
        let case = |size, kernel, stride, inputs, outputs| Case { size, kernel, stride, inputs, outputs };
        let cases = [
            case((1, 1), 1, 1, 1, 1),
            case((5, 3), 1, 1, 7, 15),
            case((4, 13), 1, 1, 16, 33),
            case((6, 6), 1, 2, 3, 8),
            case((9, 20), 3, 1, 4, 16),
            case((7, 8), 3, 2, 1, 17),
            case((6, 31), 2, 1, 5, 48),
            case((5, 9), 5, 1, 2, 31),
        ];
        for Case { size: (height, width), kernel, stride, inputs, outputs } in cases {
            let input = numbers(height * width * inputs, 1);
            let weights = numbers(kernel * kernel * inputs * outputs, 2);
            let bias = numbers(outputs, 3);
            let (h, w) = ((height - kernel) / stride + 1, (width - kernel) / stride + 1);
            let by_hand = |at: usize| {
                let (y, x, o) = (at / (w * outputs), at / outputs % w, at % outputs);
                let taps = (0..kernel * kernel * inputs).map(|tap| {
                    let (ky, kx, i) = (tap / (kernel * inputs), tap / inputs % kernel, tap % inputs);
                    input[((y * stride + ky) * width + x * stride + kx) * inputs + i] * weights[tap * outputs + o]
                });
                bias[o] + taps.sum::<f32>()
            };
            let expected: Vec<f32> = (0..h * w * outputs).map(by_hand).collect();
            let answers = at_every_level(|| {
                let mut output = vec![f32::NAN; expected.len()];
                PackedConv::new(&weights, &bias, kernel, stride, inputs).run(&input, height, width, &mut output);
                output
            });
            let off = worst(&expected, &answers);
            assert!(off < 1e-4, "{height}x{width}x{inputs}, kernel {kernel}/{stride}, {outputs} outputs: off by {off}");
        }
    }

    #[test]
    fn depthwise_convolutions_agree_with_sums_by_hand_at_every_level() {
        for (kernel, stride, channels) in [(3, 1, 16), (3, 2, 33), (5, 1, 7), (2, 1, 20), (1, 2, 3)] {
            let (height, width) = (9, 11);
            let input = numbers(height * width * channels, 4);
            let weights = numbers(kernel * kernel * channels, 5);
            let bias = numbers(channels, 6);
            let (h, w) = ((height - kernel) / stride + 1, (width - kernel) / stride + 1);
            let by_hand = |at: usize| {
                let (y, x, c) = (at / (w * channels), at / channels % w, at % channels);
                let taps = (0..kernel * kernel).map(|tap| {
                    let (y, x) = (y * stride + tap / kernel, x * stride + tap % kernel);
                    input[(y * width + x) * channels + c] * weights[tap * channels + c]
                });
                bias[c] + taps.sum::<f32>()
            };
            let expected: Vec<f32> = (0..h * w * channels).map(by_hand).collect();
            let answers = at_every_level(|| {
                let mut output = vec![f32::NAN; expected.len()];
                depthwise(&input, (height, width), &weights, &bias, kernel, stride, &mut output);
                output
            });
            let off = worst(&expected, &answers);
            assert!(off < 1e-4, "kernel {kernel}/{stride}, {channels} channels: off by {off}");
        }
    }

    #[test]
    fn pooling_and_dense_layers_agree_with_sums_by_hand_at_every_level() {
        let from = Shape::hwc(5, 7, 9);
        let input = numbers(from.len(), 7);
        let pixel = |y: usize, x: usize, c: usize| input[(y * from.width + x) * from.channels + c];
        let pooled: Vec<f32> = (0..2 * 3 * 9)
            .map(|at| {
                let (y, x, c) = (2 * (at / 27), 2 * (at / 9 % 3), at % 9);
                pixel(y, x, c).max(pixel(y, x + 1, c)).max(pixel(y + 1, x, c)).max(pixel(y + 1, x + 1, c))
            })
            .collect();
        let answers = at_every_level(|| {
            let mut output = vec![f32::NAN; pooled.len()];
            elementwise::max_pool(&input, from, &mut output);
            output
        });
        assert_eq!(worst(&pooled, &answers), 0.0);

        let weights = numbers(from.len(), 10).into_iter().map(|w| 9.0 * w).collect::<Vec<_>>();
        let by_hand = |c: usize| {
            let shares = weights.iter().skip(c).step_by(9).map(|w| 1.0 / (1.0 + (-f64::from(*w)).exp()));
            let votes = shares.clone().zip(input.iter().skip(c).step_by(9)).map(|(s, v)| s * f64::from(*v));
            (votes.sum::<f64>() / shares.sum::<f64>()) as f32
        };
        let means: Vec<f32> = (0..9).map(by_hand).collect();
        let answers = at_every_level(|| {
            let mut output = vec![f32::NAN; 9];
            elementwise::weighted_pool(&input, &weights, &mut output);
            output
        });
        assert!(worst(&means, &answers) < 1e-5);

        for units in [1, 5, 136] {
            let (weights, bias) = (numbers(input.len() * units, 8), numbers(units, 9));
            let by_hand =
                |u: usize| bias[u] + input.iter().enumerate().map(|(k, x)| x * weights[k * units + u]).sum::<f32>();
            let expected: Vec<f32> = (0..units).map(by_hand).collect();
            let answers = at_every_level(|| {
                let mut output = vec![f32::NAN; units];
                elementwise::dense(&input, &weights, &bias, &mut output);
                output
            });
            assert!(worst(&expected, &answers) < 1e-3, "{units} units");
        }
    }
}
