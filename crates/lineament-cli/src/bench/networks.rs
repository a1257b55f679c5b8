//! The networks by themselves, as a whole and step by step.

use std::cell::Cell;
use std::time::Instant;

use anyhow::Result;
use lineament::Pool;
use lineament_nn::engine::Engine;
use lineament_nn::model::Model;
use serde::Serialize;

use super::machine::Machine;
use super::timing::{Quartiles, ms_since, rounded, three_digits};
use crate::inspect::describe;

/// A network on one thread.
#[derive(Debug, Serialize)]
pub struct NetworkRow {
    pub name: &'static str,
    /// Height and width.
    pub input: [usize; 2],
    pub ms: Quartiles,
    pub multiply_adds: u64,
    pub weights_bytes: usize,
    pub multiply_adds_per_sec: f64,
    /// Of weights.
    pub read_bytes_per_sec: f64,
    /// The least time that arithmetic or reading the weights could take here, over the median.
    pub share_of_limit: f64,
    pub steps: Vec<StepRow>,
    /// One run on several threads.
    pub together: Vec<TogetherRow>,
}

/// A run on so many threads.
#[derive(Debug, Serialize)]
pub struct TogetherRow {
    pub threads: usize,
    pub ms: Quartiles,
}

/// Layers that run as one.
#[derive(Debug, Serialize)]
pub struct StepRow {
    pub what: String,
    pub median_ms: f64,
    pub multiply_adds: u64,
    pub multiply_adds_per_sec: f64,
    /// Of the machine's arithmetic.
    pub share_of_limit: f64,
}

/// A network that is measured.
pub struct Subject {
    name: &'static str,
    engine: Engine,
    multiply_adds: u64,
    weights_bytes: usize,
    whole: Vec<f64>,
    steps: Vec<Vec<f64>>,
    together: Vec<Together>,
}

/// The same network on several threads.
struct Together {
    threads: usize,
    engine: Engine,
    times: Vec<f64>,
}

impl Subject {
    /// The network in `bytes`, for an input of `size` (height, width) where it is free, also on each of `pools`.
    pub fn new(name: &'static str, bytes: &[u8], size: Option<(usize, usize)>, pools: &[Pool]) -> Result<Self> {
        let model = Model::parse(bytes)?;
        let mut engine = Engine::new(&model)?;
        if let Some((height, width)) = size {
            engine.set_input_size(height, width)?;
        }
        let steps = engine.op_multiply_adds();
        let together = pools.iter().map(|pool| {
            let mut engine = engine.clone();
            engine.set_pool(Some(pool.clone()));
            Together { threads: pool.threads(), engine, times: Vec::new() }
        });
        Ok(Self {
            together: together.collect(),
            name,
            engine,
            multiply_adds: steps.iter().sum(),
            weights_bytes: model.weight_bytes(),
            whole: Vec::new(),
            steps: vec![Vec::new(); steps.len()],
        })
    }

    /// Measures it once more.
    pub fn round(&mut self) {
        let Self { engine, whole, steps, together, .. } = self;
        // Numbers as in use: of a mean of 0 and a spread of about 1.
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
            |step| {
                steps[step].push(ms_since(last.get()));
                last.set(Instant::now());
            },
        );
    }

    /// What was measured after the first `warm_up` rounds.
    pub fn row(self, warm_up: usize, machine: &Machine) -> NetworkRow {
        let Self { name, engine, multiply_adds, weights_bytes, whole, steps, together } = self;
        let ms = Quartiles::of(whole[warm_up..].to_vec());
        let secs = (ms.median * 1e-3).max(f64::MIN_POSITIVE);
        let counts = engine.op_multiply_adds();
        let layers = &engine.network().architecture().layers;
        let steps = engine.network().ops().iter().zip(steps).zip(counts).map(|((step, times), multiply_adds)| {
            let median_ms = Quartiles::of(times[warm_up..].to_vec()).median;
            let secs = (median_ms * 1e-3).max(1e-9);
            let what: Vec<String> = step.layers.iter().map(|&layer| describe(&layers[layer].op)).collect();
            StepRow {
                what: what.join(" + "),
                median_ms,
                multiply_adds,
                multiply_adds_per_sec: three_digits(multiply_adds as f64 / secs),
                share_of_limit: rounded(machine.share_of_limit(secs, multiply_adds, 0)),
            }
        });
        let input = engine.input_shape();
        NetworkRow {
            name,
            input: [input.height, input.width],
            multiply_adds,
            weights_bytes,
            multiply_adds_per_sec: three_digits(multiply_adds as f64 / secs),
            read_bytes_per_sec: three_digits(weights_bytes as f64 / secs),
            share_of_limit: rounded(machine.share_of_limit(secs, multiply_adds, weights_bytes as u64)),
            steps: steps.collect(),
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
