//! One network on one input of one channel.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use lineament_nn::engine::Engine;
use lineament_nn::model::Model;
use serde_json::Value;

use crate::Peer;
#[cfg(feature = "engines")]
use crate::engines::{Rten, Tract};

/// The network of `model`, an ONNX file, in the engine `system`.
pub fn load(system: &str, model: &str, pixels: Vec<f32>, height: usize, width: usize) -> Result<Box<dyn Peer>> {
    if pixels.len() != height * width {
        bail!("the input holds {} numbers, not {height}x{width}", pixels.len());
    }
    Ok(match system {
        "ours" => Box::new(Ours::load(model, pixels, height, width)?),
        #[cfg(feature = "engines")]
        "rten" => Box::new(Rten::load(model, pixels, height, width)?),
        #[cfg(feature = "engines")]
        "tract" => Box::new(Tract::load(model, pixels, height, width)?),
        _ => bail!("{system} runs no networks here"),
    })
}

/// Outputs by name, in ONNX's order of numbers.
pub fn outputs(named: impl Iterator<Item = (String, Vec<f32>)>) -> Result<Value> {
    Ok(serde_json::to_value(named.collect::<BTreeMap<_, _>>())?)
}

struct Ours {
    engine: Engine,
    outputs: Vec<String>,
    pixels: Vec<f32>,
}

impl Ours {
    fn load(path: &str, pixels: Vec<f32>, height: usize, width: usize) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| path.to_owned())?;
        let model = Model::parse(&bytes)?;
        let mut engine = Engine::new(&model)?;
        engine.set_input_size(height, width)?;
        let outputs = model.architecture.outputs.iter().map(|output| output.name.clone()).collect();
        Ok(Self { engine, outputs, pixels })
    }
}

impl Peer for Ours {
    fn run(&mut self) -> Result<()> {
        self.engine.run(|input| input.copy_from_slice(&self.pixels));
        Ok(())
    }

    fn answer(&mut self) -> Result<Value> {
        outputs(self.outputs.iter().map(|name| {
            let (values, shape) = self.engine.output(name).expect("an output of the model");
            let channels = (0..shape.channels).flat_map(|c| values.iter().skip(c).step_by(shape.channels));
            (name.clone(), channels.copied().collect())
        }))
    }
}
