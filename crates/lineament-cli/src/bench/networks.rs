//! The networks alone: the whole run, and each of its operations.

use std::cell::Cell;
use std::time::Instant;

use anyhow::Result;
use lineament::Pool;
use lineament_nn::engine::Engine;
use lineament_nn::model::Model;
use serde::Serialize;

use super::machine::{Machine, MultiplyAddCount};
use super::timing::{Quartiles, ms_since, rounded, three_digits};
use crate::text::describe;

/// A network on one thread.
#[derive(Debug, Serialize)]
pub struct NetworkRow {
    pub name: &'static str,
    /// Height and width.
    pub input: [usize; 2],
    pub ms: Quartiles,
    /// Of f32 and int8.
    pub multiply_adds: u64,
    /// Those of int8.
    pub int8_multiply_adds: u64,
    pub weights_bytes: usize,
    pub multiply_adds_per_sec: f64,
    /// Of weights.
    pub read_bytes_per_sec: f64,
    /// The least time that arithmetic or reading the weights could take here, over the median. Multiply-adds of int8
    /// count against the machine's limit for int8.
    pub share_of_limit: f64,
    pub fused_ops: Vec<FusedOpRow>,
    /// One run on several threads.
    pub together: Vec<TogetherRow>,
}

/// A run on several threads.
#[derive(Debug, Serialize)]
pub struct TogetherRow {
    pub threads: usize,
    pub ms: Quartiles,
}

/// Layers that the engine runs as one.
#[derive(Debug, Serialize)]
pub struct FusedOpRow {
    pub what: String,
    pub median_ms: f64,
    pub multiply_adds: u64,
    /// Whether it multiplies integers.
    pub int8: bool,
    pub multiply_adds_per_sec: f64,
    /// The least time of its multiply-adds over the median.
    pub share_of_limit: f64,
}

/// A network that is measured.
pub struct Subject {
    name: &'static str,
    engine: Engine,
    weights_bytes: usize,
    whole: Vec<f64>,
    /// Of each fused operation.
    fused_ops: Vec<Vec<f64>>,
    together: Vec<Together>,
}

/// The same network on several threads.
struct Together {
    threads: usize,
    engine: Engine,
    times: Vec<f64>,
}

impl Subject {
    /// The network in `bytes`, for an input of `size` (height, width) where the network leaves it open; also on each of
    /// `pools`.
    pub fn new(name: &'static str, bytes: &[u8], size: Option<(usize, usize)>, pools: &[Pool]) -> Result<Self> {
        let model = Model::parse(bytes)?;
        let mut engine = Engine::new(&model)?;
        if let Some((height, width)) = size {
            engine.set_input_size(height, width)?;
        }
        let fused_ops = engine.network().ops().len();
        let together = pools.iter().map(|pool| {
            let mut engine = engine.clone();
            engine.set_pool(Some(pool.clone()));
            Together { threads: pool.threads(), engine, times: Vec::new() }
        });
        Ok(Self {
            together: together.collect(),
            name,
            engine,
            weights_bytes: model.weight_bytes(),
            whole: Vec::new(),
            fused_ops: vec![Vec::new(); fused_ops],
        })
    }

    /// Measures it once more.
    pub fn round(&mut self) {
        let Self { engine, whole, fused_ops, together, .. } = self;
        // Numbers as in use, with a mean of 0 and a standard deviation of about 1.
        let fill = |input: &mut [f32]| input.iter_mut().enumerate().for_each(|(i, v)| *v = (i % 19) as f32 / 6.0 - 1.5);
        let time = |engine: &mut Engine| {
            let mut filled = Instant::now();
            engine.run(|input| {
                fill(input);
                filled = Instant::now();
            });
            ms_since(filled)
        };
        whole.push(time(engine));
        together.iter_mut().for_each(|together| together.times.push(time(&mut together.engine)));
        let last = Cell::new(Instant::now());
        engine.run_watched(
            |input| {
                fill(input);
                last.set(Instant::now());
            },
            |op| {
                fused_ops[op].push(ms_since(last.get()));
                last.set(Instant::now());
            },
        );
    }

    /// What was measured after the first `warm_up` rounds.
    pub fn row(self, warm_up: usize, machine: &Machine) -> NetworkRow {
        let Self { name, engine, weights_bytes, whole, fused_ops, together } = self;
        let ms = Quartiles::of(whole[warm_up..].to_vec());
        let secs = (ms.median * 1e-3).max(f64::MIN_POSITIVE);
        let network = engine.network();
        let counts = network.runs_in_integers().iter().zip(engine.op_multiply_adds());
        let count = |(&int8, count)| match int8 {
            true => MultiplyAddCount { f32: 0, int8: count },
            false => MultiplyAddCount { f32: count, int8: 0 },
        };
        let counts: Vec<MultiplyAddCount> = counts.map(count).collect();
        let work: MultiplyAddCount = counts.iter().copied().sum();
        let layers = &network.architecture().layers;
        let fused_ops = network.ops().iter().zip(fused_ops).zip(counts).map(|((op, times), work)| {
            let median_ms = Quartiles::of(times[warm_up..].to_vec()).median;
            let secs = (median_ms * 1e-3).max(1e-9);
            let what: Vec<String> = op.layers.iter().map(|&layer| describe(&layers[layer].op)).collect();
            FusedOpRow {
                what: what.join(" + "),
                median_ms,
                multiply_adds: work.total(),
                int8: work.int8 > 0,
                multiply_adds_per_sec: three_digits(work.total() as f64 / secs),
                share_of_limit: rounded(machine.share_of_limit(secs, work, 0)),
            }
        });
        let input = engine.input_shape();
        NetworkRow {
            name,
            input: [input.height, input.width],
            multiply_adds: work.total(),
            int8_multiply_adds: work.int8,
            weights_bytes,
            multiply_adds_per_sec: three_digits(work.total() as f64 / secs),
            read_bytes_per_sec: three_digits(weights_bytes as f64 / secs),
            share_of_limit: rounded(machine.share_of_limit(secs, work, weights_bytes as u64)),
            fused_ops: fused_ops.collect(),
            together: together
                .into_iter()
                .map(|Together { threads, times, .. }| TogetherRow {
                    threads,
                    ms: Quartiles::of(times[warm_up..].to_vec()),
                })
                .collect(),
            ms,
        }
    }
}
