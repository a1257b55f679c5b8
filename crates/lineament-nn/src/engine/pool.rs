//! Several threads, which the caller lends, run one network together.
//!
//! Each op is cut into parts, and a thread that is free takes the next part. A part waits until all parts of earlier
//! ops are done. Parts are taken in order, so the first unfinished one never waits, however few threads there are.

#![allow(unsafe_code)]

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{hint, thread};

use super::aligned::LINE;
use super::network::Network;
use super::plan::Plan;
use super::running::Values;

/// Multiply-adds below which a part is not worth being made by another thread: about a microsecond. Chosen by trial;
/// half and twice as many are a little slower.
const MIN_MULTIPLY_ADDS: u64 = 1 << 16;

/// Spins before a waiting thread yields its core to others.
const SPINS: usize = 100;

/// Threads that the caller lends, so that one network runs faster: this library starts none. For several faces or
/// videos at once, give each its own object and thread instead; clones share the loaded weights.
///
/// ```
/// # #[cfg(feature = "default-models")]
/// # fn main() -> lineament::Result<()> {
/// use lineament::{Lineament, Options, Pool};
///
/// let mut lineament = Lineament::new(Options::default())?;
/// // With rayon, whose threads are there already: starting one takes longer than a small network does.
/// let threads = rayon::current_num_threads();
/// lineament.set_pool(Some(Pool::new(threads, move |work| {
///     rayon::in_place_scope(|scope| {
///         (1..threads).for_each(|_| scope.spawn(|_| work()));
///         work();
///     });
/// })));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "default-models"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Pool {
    threads: NonZeroUsize,
    run: Arc<dyn Fn(&Job) + Send + Sync>,
}

/// What each thread is given to do.
type Job<'a> = dyn Fn() + Sync + 'a;

impl Pool {
    /// `run` calls the work that it is given on several threads, best once on each of `threads` (at least 1), and comes
    /// back when these calls have. With fewer calls, or one after the other, the same is done more slowly.
    pub fn new(threads: usize, run: impl Fn(&Job) + Send + Sync + 'static) -> Self {
        Self { threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN), run: Arc::new(run) }
    }

    /// Threads that work at once.
    pub fn threads(&self) -> usize {
        self.threads.get()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// A pool with what its threads do to run a network over a plan.
#[derive(Debug, Clone)]
pub(super) struct Team {
    pool: Pool,
    parts: Vec<Part>,
}

/// Some of a fused op's output.
#[derive(Debug, Clone)]
struct Part {
    fused: usize,
    numbers: Range<usize>,
    /// How many others must have been made before, the input among them.
    after: usize,
}

impl Team {
    /// `multiply_adds` are those of each fused op.
    pub fn new(pool: Pool, network: &Network, plan: &Plan, multiply_adds: &[u64]) -> Self {
        let mut parts = Vec::new();
        for (i, fused) in network.ops().iter().enumerate() {
            let (len, grain, after) =
                (plan.shapes[fused.output].len(), network.grain(i, &plan.shapes), 1 + parts.len());
            let worth = usize::try_from(multiply_adds[i] / MIN_MULTIPLY_ADDS).unwrap_or(usize::MAX);
            let most = worth.clamp(1, pool.threads());
            let size = len.div_ceil(grain).div_ceil(most) * grain;
            parts.extend((0..len).step_by(size).map(|start| {
                let numbers = start..(start + size).min(len);
                Part { fused: i, numbers, after }
            }));
        }
        Self { pool, parts }
    }

    /// The pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Numbers that a plan's values and each thread's workspace take.
    pub fn len(&self, plan: &Plan) -> usize {
        plan.workspace.start + self.pool.threads() * room(plan)
    }

    /// Runs the network; `fill` writes the input, while the others wake up.
    pub fn run(&self, network: &Network, plan: &Plan, memory: &mut [f32], fill: impl FnOnce(&mut [f32]) + Send) {
        let (values, workspaces) = memory.split_at_mut(plan.workspace.start);
        let (values, workspaces) = (Values::new(values), Mutex::new(workspaces.chunks_exact_mut(room(plan))));
        let fill = Mutex::new(Some(fill));
        let (taken, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let Some(workspace) = locked(&workspaces).next() else { return };
            let fill = locked(&fill).take();
            if let Some(fill) = fill {
                let _made = AddOnDrop(&made);
                // SAFETY: nothing else is done before the input is made.
                fill(unsafe { values.numbers_mut(plan.places[0].clone()) });
            }
            while let Some(part) = self.parts.get(taken.fetch_add(1, Ordering::Relaxed)) {
                wait_for(|| made.load(Ordering::Acquire) >= part.after);
                // On drop, as a panic must not leave the others waiting.
                let _made = AddOnDrop(&made);
                // SAFETY: the fused ops before are made, and no fused op that might write over what this one reads
                // begins before this part is; parts of a fused op do not overlap, and each is taken once.
                unsafe { network.run_part(part.fused, plan, values, part.numbers.clone(), workspace) };
            }
        };
        (self.pool.run)(&work);
        work(); // In case the pool did not.
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers of one thread's workspace: none shares a cache line with another.
fn room(plan: &Plan) -> usize {
    plan.workspace.len().next_multiple_of(LINE).max(LINE)
}

fn wait_for(is_so: impl Fn() -> bool) {
    let mut spins = 0;
    while !is_so() {
        spins += 1;
        if spins < SPINS {
            hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

struct AddOnDrop<'a>(&'a AtomicUsize);

impl Drop for AddOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Engine;
    use super::*;
    use crate::model::Model;
    use crate::simd::testing::at_every_level;

    /// Each thread in turn: all parts are made by this one.
    fn nobody(threads: usize) -> Pool {
        Pool::new(threads, |_| ())
    }

    fn plain_threads(threads: usize) -> Pool {
        Pool::new(threads, move |work| {
            thread::scope(|scope| (1..threads).for_each(|_| _ = scope.spawn(work)));
        })
    }

    /// Small networks with every operator, stored in every way, and those that are shipped. Under Miri, which is slow,
    /// one in f32 and one in integers.
    fn networks() -> Vec<&'static [u8]> {
        let small: [&[u8]; 4] = [
            include_bytes!("../../tests/fixtures/tiny.onnx"),
            include_bytes!("../../tests/fixtures/tinyconv.onnx"),
            include_bytes!("../../tests/fixtures/tinymixed.onnx"),
            include_bytes!("../../tests/fixtures/tinyint8.onnx"),
        ];
        let shipped: [&[u8]; 4] = [
            include_bytes!("../../../../models/lite/lite.onnx"),
            include_bytes!("../../../../models/lite/lite.int8.onnx"),
            include_bytes!("../../../../models/detector/detector.onnx"),
            include_bytes!("../../../../models/detector/detector.int8.onnx"),
        ];
        if cfg!(miri) { vec![small[0], small[3]] } else { [small, shipped].concat() }
    }

    /// Every fused op in as many parts as there can be for the pool.
    fn cut(engine: &mut Engine, pool: Pool) {
        let all_are_long = vec![u64::MAX; engine.network.ops().len()];
        let team = Team::new(pool, &engine.network, &engine.plan, &all_are_long);
        engine.memory.resize(team.len(&engine.plan));
        engine.team = Some(team);
    }

    /// All outputs, of a run after another: nothing of the first may be left in the second. Under Miri of one.
    fn outputs(engine: &mut Engine) -> Vec<Vec<f32>> {
        if !cfg!(miri) {
            engine.run(|input| input.fill(9.0));
        }
        engine.run(|input| input.iter_mut().enumerate().for_each(|(i, v)| *v = (i * i % 31) as f32 / 9.0 - 1.6));
        let names = engine.network().architecture().outputs.iter();
        names.map(|output| engine.output(&output.name).unwrap().0.to_vec()).collect()
    }

    #[test]
    fn parts_come_to_the_bits_of_the_whole_at_every_level() {
        let counts: &[usize] = if cfg!(miri) { &[3] } else { &[1, 2, 7] };
        for (file, &threads) in networks().into_iter().flat_map(|file| counts.iter().map(move |count| (file, count))) {
            let model = Model::parse(file).unwrap();
            at_every_level(|| {
                let mut engine = Engine::new(&model).unwrap();
                let whole = outputs(&mut engine);
                cut(&mut engine, nobody(threads));
                assert!(threads == 1 || engine.team.as_ref().unwrap().parts.len() > engine.network.ops().len());
                assert!(outputs(&mut engine) == whole, "{threads} threads");
                engine.set_pool(None);
                assert!(outputs(&mut engine) == whole, "again without");
            });
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", ignore = "WebAssembly has no threads here")]
    fn threads_come_to_the_bits_of_one() {
        for file in networks() {
            let mut engine = Engine::new(&Model::parse(file).unwrap()).unwrap();
            let alone = outputs(&mut engine);
            let (counts, times): (&[usize], _) = if cfg!(miri) { (&[2], 1) } else { (&[2, 5], 3) };
            for &threads in counts {
                cut(&mut engine, plain_threads(threads));
                for _ in 0..times {
                    assert!(outputs(&mut engine) == alone, "{threads} threads");
                }
            }
        }
    }

    #[test]
    fn more_calls_than_threads_do_nothing_more() {
        let mut engine = Engine::new(&Model::parse(networks()[0]).unwrap()).unwrap();
        let alone = outputs(&mut engine);
        engine.set_pool(Some(Pool::new(0, |work| (0..5).for_each(|_| work()))));
        assert_eq!(outputs(&mut engine), alone);
    }
}
