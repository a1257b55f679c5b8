//! Where a network's time goes: `cargo run --release -p lineament-nn --example engine_time -- MODEL.onnx [HEIGHT
//! WIDTH]`. Each step's shortest time in a second of runs, and how much of the processor's measured peak that is.

use std::cell::Cell;
use std::env::args;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use lineament_nn::engine::Engine;
use lineament_nn::model::Model;
use lineament_nn::simd::{Kernel, Simd, dispatch, level_name};

/// Multiply-adds a second where nothing but sums in registers is touched.
struct Peak;

/// Enough that no sum waits for itself.
const SUMS: usize = 10;

impl Kernel for Peak {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let rounds = 200_000;
        let (a, b) = (simd.splat(black_box(0.999)), simd.splat(black_box(1e-3)));
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7, mut s8, mut s9] =
                [simd.splat(black_box(1.0)); SUMS];
            let start = Instant::now();
            for _ in 0..rounds {
                for sum in [&mut s0, &mut s1, &mut s2, &mut s3, &mut s4, &mut s5, &mut s6, &mut s7, &mut s8, &mut s9] {
                    *sum = simd.mul_add(*sum, a, b);
                }
            }
            best = best.min(start.elapsed().as_secs_f64());
            let mut out = [0.0; 16];
            for sum in [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9] {
                simd.store(sum, &mut out);
                black_box(out);
            }
        }
        (SUMS * rounds * S::LANES) as f64 / best
    }
}

/// How long a network is run, and how often at least.
const SPAN: Duration = Duration::from_secs(1);
const MIN_RUNS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = args().skip(1).collect();
    let bytes = fs::read(args.first().ok_or("give a model file")?)?;
    let mut engine = Engine::new(&Model::parse(&bytes)?)?;
    if let [_, height, width] = args.as_slice() {
        engine.set_input_size(height.parse()?, width.parse()?)?;
    }
    let peak = dispatch(Peak);
    let multiply_adds = engine.op_multiply_adds();
    let mut best = vec![f64::INFINITY; multiply_adds.len()];
    let mut whole: Vec<f64> = Vec::new();
    let begin = Instant::now();
    while whole.len() < MIN_RUNS || begin.elapsed() < SPAN {
        let start = Instant::now();
        let last = Cell::new(start);
        engine.run_watched(
            |input| {
                input.fill(0.5);
                last.set(Instant::now());
            },
            |step| {
                let now = Instant::now();
                best[step] = best[step].min((now - last.get()).as_secs_f64());
                last.set(now);
            },
        );
        whole.push((Instant::now() - start).as_secs_f64());
    }
    whole.sort_by(f64::total_cmp);
    println!("{}, peak {:.1} G multiply-adds a second", level_name(), peak / 1e9);
    let row = |what: &str, m: u64, time: f64| {
        let rate = m as f64 / time;
        println!(
            "{:>9.1} us {:>6.2} M {:>6.1} G/s {:>4.0} %  {what}",
            time * 1e6,
            m as f64 / 1e6,
            rate / 1e9,
            100.0 * rate / peak
        );
    };
    for ((step, &m), &time) in engine.network().ops().iter().zip(&multiply_adds).zip(&best) {
        row(&format!("{:?} -> {}", step.work, step.output), m, time);
    }
    let total: u64 = multiply_adds.iter().sum();
    row("sum of the steps", total, best.iter().sum());
    row("whole, shortest", total, whole[0]);
    row("whole, median", total, whole[whole.len() / 2]);
    Ok(())
}
