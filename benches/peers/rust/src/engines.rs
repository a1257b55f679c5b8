//! Other engines that are written in Rust.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rten::{NodeId, RunOptions, ThreadPool};
use rten_tensor::{AsView, NdTensor};
use serde_json::Value;
use tract_onnx::prelude::*;

use crate::Peer;
use crate::network::outputs;

/// rten.
pub struct Rten {
    model: rten::Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    options: RunOptions,
    pixels: NdTensor<f32, 4>,
    answers: Vec<rten::Value>,
}

impl Rten {
    pub fn load(path: &str, pixels: Vec<f32>, height: usize, width: usize) -> Result<Self> {
        let mut options = rten::ModelOptions::with_all_ops();
        let model = options.enable_optimization(true).prepack_weights(true).load_file(path)?;
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::new(ThreadPool::with_num_threads(1)));
        let pixels = NdTensor::from_data([1, 1, height, width], pixels);
        let (input, outputs) = (model.input_ids()[0], model.output_ids().to_vec());
        Ok(Self { model, input, outputs, options, pixels, answers: Vec::new() })
    }
}

impl Peer for Rten {
    fn run(&mut self) -> Result<()> {
        let input = vec![(self.input, self.pixels.view().into())];
        self.answers = self.model.run(input, &self.outputs, Some(self.options.clone()))?;
        Ok(())
    }

    fn answer(&mut self) -> Result<Value> {
        let mut named = Vec::new();
        for (id, value) in self.outputs.iter().zip(&self.answers) {
            let name = self.model.node_info(*id).and_then(|info| info.name()).context("a nameless output")?;
            let rten::Value::FloatTensor(tensor) = value else { bail!("{name} is not of f32") };
            named.push((name.to_owned(), tensor.to_vec()));
        }
        outputs(named.into_iter())
    }
}

/// tract.
pub struct Tract {
    model: Arc<TypedRunnableModel>,
    names: Vec<String>,
    pixels: Tensor,
    answers: TVec<TValue>,
}

impl Tract {
    pub fn load(path: &str, pixels: Vec<f32>, height: usize, width: usize) -> Result<Self> {
        let pixels = Tensor::from_shape(&[1, 1, height, width], &pixels)?;
        let mut model = tract_onnx::onnx().model_for_path(path)?;
        model.set_input_fact(0, f32::fact([1, 1, height, width]).into())?;
        let names = (model.output_outlets()?.iter().enumerate())
            .map(|(at, outlet)| model.outlet_label(*outlet).map_or_else(|| format!("output {at}"), str::to_owned))
            .collect();
        let model = model.into_optimized()?.into_runnable()?;
        Ok(Self { model, names, pixels, answers: TVec::new() })
    }
}

impl Peer for Tract {
    fn run(&mut self) -> Result<()> {
        self.answers = self.model.run(tvec!(self.pixels.clone().into()))?;
        Ok(())
    }

    fn answer(&mut self) -> Result<Value> {
        let mut named = Vec::new();
        for (name, value) in self.names.iter().zip(&self.answers) {
            named.push((name.clone(), value.to_plain_array_view::<f32>()?.iter().copied().collect()));
        }
        outputs(named.into_iter())
    }
}
