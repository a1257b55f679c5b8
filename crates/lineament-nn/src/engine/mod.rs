//! Our own engine: runs the layers of a model with kernels made for small networks. It is also what training runs
//! forward, so that both see the same numbers.
//!
//! All values are `[height, width, channels]`, channels innermost: convolutions then read and write whole vectors.
//!
//! A [`Network`] is a model made ready: layers that can run as one are one [`FusedOp`], weights are arranged for the
//! processor. An [`Engine`] is what one caller needs to run it: a [`Plan`] for the size of the input and one block of
//! memory.

pub mod aligned;
pub mod compact_dense;
pub mod conv;
pub mod dense;
pub mod depthwise;
pub mod elementwise;
pub mod finish;
mod fuse;
pub mod int8;
mod integers;
mod network;
mod plan;
mod pool;
mod running;
mod separable;
pub mod window;

#[cfg(test)]
mod tests;

pub use fuse::{FusedOp, Summand, Work};
pub use network::Network;
pub use plan::Plan;
pub use pool::Pool;

use std::sync::Arc;

use aligned::Aligned;
use pool::Team;

use crate::error::Result;
use crate::model::{Model, Shape};

/// A network with the memory to run it. A clone shares the network and has memory of its own.
#[derive(Debug, Clone)]
pub struct Engine {
    network: Arc<Network>,
    plan: Plan,
    memory: Aligned,
    /// The threads that help, if the caller lends some.
    team: Option<Team>,
}

impl Engine {
    /// Makes `model` ready to run.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) when a weight is not a finite number,
    /// [`Error::Model`](crate::Error::Model) when the values would take absurd memory.
    pub fn new(model: &Model) -> Result<Self> {
        Self::over(Arc::new(Network::new(model)?))
    }

    /// Runs `network`, which others may run too, at its nominal size.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the values would take absurd memory.
    pub fn over(network: Arc<Network>) -> Result<Self> {
        let input = network.architecture().input;
        let plan = network.plan(input.height, input.width)?;
        Ok(Self { memory: Aligned::zeros(plan.len()), network, plan, team: None })
    }

    /// Sets the size of the next inputs, for networks without layers that fix it. Cheap when it is the size already.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the layers do not fit the size.
    pub fn set_input_size(&mut self, height: usize, width: usize) -> Result<()> {
        let input = self.input_shape();
        if (input.height, input.width) != (height, width) {
            self.plan = self.network.plan(height, width)?;
            let pool = self.team.as_ref().map(|team| team.pool().clone());
            self.set_pool(pool);
        }
        Ok(())
    }

    /// From now on runs on the threads of `pool`, with the same bits; with `None` on the thread that calls.
    pub fn set_pool(&mut self, pool: Option<Pool>) {
        let multiply_adds = self.op_multiply_adds();
        self.team = pool.map(|pool| Team::new(pool, &self.network, &self.plan, &multiply_adds));
        self.memory.resize(self.team.as_ref().map_or(self.plan.len(), |team| team.len(&self.plan)));
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The size of the input.
    pub fn input_shape(&self) -> Shape {
        self.plan.shapes[0]
    }

    /// Bytes of memory for the values between fused ops, at the present input size.
    pub fn peak_activation_bytes(&self) -> usize {
        self.memory.len() * size_of::<f32>()
    }

    /// Runs the network; `fill` writes the input `[height, width, channels]`. Asks for no memory.
    pub fn run(&mut self, fill: impl FnOnce(&mut [f32]) + Send) {
        match &self.team {
            Some(team) => team.run(&self.network, &self.plan, &mut self.memory, fill),
            None => self.run_watched(fill, |_| ()),
        }
    }

    /// As [`Engine::run`], on this thread alone; `watch` is called after each fused op with its place in
    /// [`Network::ops`], to measure it.
    pub fn run_watched(&mut self, fill: impl FnOnce(&mut [f32]), mut watch: impl FnMut(usize)) {
        fill(&mut self.memory[self.plan.places[0].clone()]);
        for i in 0..self.network.ops().len() {
            self.network.run_op(i, &self.plan, &mut self.memory);
            watch(i);
        }
    }

    /// Multiply-adds of each fused op at the present input size, counting convolutions and dense layers.
    pub fn op_multiply_adds(&self) -> Vec<u64> {
        let architecture = self.network.architecture();
        let layers = architecture.layer_multiply_adds(self.input_shape()).unwrap_or_default();
        let ops = self.network.ops().iter();
        ops.map(|fused| fused.layers.iter().filter_map(|&layer| layers.get(layer)).sum()).collect()
    }

    /// The output called `name` of the last run, with its shape; `None` when the model has no such output.
    pub fn output(&self, name: &str) -> Option<(&[f32], Shape)> {
        let output = self.network.architecture().outputs.iter().find(|o| o.name == name)?;
        let values = self.memory.get(self.plan.places[output.value].clone())?;
        Some((values, self.plan.shapes[output.value]))
    }

    /// The shape of the output called `name` at the present input size; `None` when the model has no such output.
    pub fn output_shape(&self, name: &str) -> Option<Shape> {
        let outputs = &self.network.architecture().outputs;
        outputs.iter().find(|o| o.name == name).map(|o| self.plan.shapes[o.value])
    }
}
