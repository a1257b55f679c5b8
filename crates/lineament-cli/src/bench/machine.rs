//! What this machine can do at best, with which measured times are compared; its energy.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use lineament_nn::simd::{Kernel, MAX_LANES, Simd, dispatch, level_name, vectorized};
use serde::Serialize;

use super::timing::three_digits;

/// The machine's limits for one thread, measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The instruction set of the kernels.
    pub kernels: &'static str,
    pub cores: usize,
    /// Multiply-adds of f32 per second, with everything in registers.
    pub multiply_adds_per_sec: f64,
    /// Multiply-adds of int8 per second, with the sums in registers.
    pub int8_multiply_adds_per_sec: f64,
    /// Bytes per second that are read from memory, past all caches.
    pub read_bytes_per_sec: f64,
}

/// More than any cache holds.
const READ_BYTES: usize = 128 << 20;

/// The best of this many tries counts: a limit is reached when nothing disturbs.
const TRIES: usize = 12;

impl Machine {
    /// Measures for about a third of a second.
    pub fn measure() -> Self {
        let numbers = vec![1.0f32; READ_BYTES / size_of::<f32>()];
        let reading = (0..TRIES).map(|_| {
            let begin = Instant::now();
            black_box(vectorized(
                #[inline(always)]
                || sum(&numbers),
            ));
            READ_BYTES as f64 / begin.elapsed().as_secs_f64()
        });
        Self {
            kernels: level_name(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            multiply_adds_per_sec: three_digits(dispatch(MultiplyAdds)),
            int8_multiply_adds_per_sec: three_digits(dispatch(Dots)),
            read_bytes_per_sec: three_digits(reading.fold(0.0, f64::max)),
        }
    }

    /// The share of `secs` that the machine needs at best to do this work and to read this many bytes, whichever takes
    /// longer.
    pub fn share_of_limit(&self, secs: f64, work: MultiplyAddCount, bytes: u64) -> f64 {
        let arithmetic =
            work.f32 as f64 / self.multiply_adds_per_sec + work.int8 as f64 / self.int8_multiply_adds_per_sec;
        let reading = bytes as f64 / self.read_bytes_per_sec;
        arithmetic.max(reading) / secs
    }
}

/// Multiply-adds by the type of their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MultiplyAddCount {
    pub f32: u64,
    pub int8: u64,
}

impl MultiplyAddCount {
    /// Of both types.
    pub fn total(self) -> u64 {
        self.f32 + self.int8
    }
}

impl std::iter::Sum for MultiplyAddCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |a, b| Self { f32: a.f32 + b.f32, int8: a.int8 + b.int8 })
    }
}

#[inline(always)]
fn sum(numbers: &[f32]) -> f32 {
    let mut sums = [0.0f32; 128];
    for part in numbers.as_chunks::<128>().0 {
        sums.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
    }
    sums.iter().sum()
}

/// Multiply-adds of f32 per second where only sums in registers are touched.
struct MultiplyAdds;

/// Multiply-adds of int8 per second, by [`Simd::dot`]: one instruction on newer processors, several on others.
struct Dots;

/// Enough that no sum waits for itself.
const SUMS: usize = 10;

const ROUNDS: usize = 100_000;

impl Kernel for MultiplyAdds {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (a, b) = (simd.splat(black_box(0.999)), simd.splat(black_box(1e-3)));
        let mut best = f64::INFINITY;
        for _ in 0..TRIES {
            // By name, so that no compiler keeps them in memory.
            let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7, mut s8, mut s9] =
                [simd.splat(black_box(1.0)); SUMS];
            let begin = Instant::now();
            for _ in 0..ROUNDS {
                for sum in [&mut s0, &mut s1, &mut s2, &mut s3, &mut s4, &mut s5, &mut s6, &mut s7, &mut s8, &mut s9] {
                    *sum = simd.mul_add(*sum, a, b);
                }
            }
            best = best.min(begin.elapsed().as_secs_f64());
            keep(simd, [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9]);
        }
        (SUMS * ROUNDS * S::LANES) as f64 / best
    }
}

impl Kernel for Dots {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        // Each lane holds four bytes of 1.
        let ones = || simd.splat(f32::from_bits(black_box(0x0101_0101)));
        // A pair of its own for each sum: where a product takes several instructions, those of equal pairs would be
        // shared.
        let (xs, ws) = ([(); SUMS / 2].map(|()| ones()), [(); 2].map(|()| ones()));
        let mut best = f64::INFINITY;
        for _ in 0..TRIES {
            let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7, mut s8, mut s9] =
                [simd.splat(black_box(0.0)); SUMS];
            let begin = Instant::now();
            for _ in 0..ROUNDS {
                // Read again in each round, as kernels do, so that no product is kept from the round before.
                let [x0, x1, x2, x3, x4] = *black_box(&xs);
                let [w0, w1] = ws;
                s0 = simd.dot(s0, x0, w0);
                s1 = simd.dot(s1, x0, w1);
                s2 = simd.dot(s2, x1, w0);
                s3 = simd.dot(s3, x1, w1);
                s4 = simd.dot(s4, x2, w0);
                s5 = simd.dot(s5, x2, w1);
                s6 = simd.dot(s6, x3, w0);
                s7 = simd.dot(s7, x3, w1);
                s8 = simd.dot(s8, x4, w0);
                s9 = simd.dot(s9, x4, w1);
            }
            best = best.min(begin.elapsed().as_secs_f64());
            keep(simd, [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9]);
        }
        (4 * SUMS * ROUNDS * S::LANES) as f64 / best
    }
}

/// Makes the compiler compute all sums.
#[inline(always)]
fn keep<S: Simd>(simd: S, sums: [S::V; SUMS]) {
    for sum in sums {
        let mut lanes = [0.0; MAX_LANES];
        simd.store(sum, &mut lanes);
        black_box(lanes);
    }
}

/// Counts the energy of the whole processor, including that of other programs, where the system tells it (Intel's and
/// AMD's counters on Linux, which often only root may read).
pub struct Energy {
    counters: Vec<(PathBuf, u64)>,
}

impl Energy {
    /// Starts counting; `None` where there are no counters.
    pub fn start() -> Option<Self> {
        let packages = fs::read_dir("/sys/class/powercap").ok()?;
        let counters: Vec<_> = packages
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                // Parts of a package, as `intel-rapl:0:1`, are in its own count.
                let name = path.file_name()?.to_str()?;
                let counter = path.join("energy_uj");
                (name.matches(':').count() == 1).then(|| microjoules(&counter).map(|from| (counter, from)))?
            })
            .collect();
        (!counters.is_empty()).then_some(Self { counters })
    }

    /// Joules since the start; `None` where a counter wrapped around.
    pub fn joules(&self) -> Option<f64> {
        let spent = self.counters.iter().map(|(path, from)| microjoules(path)?.checked_sub(*from));
        Some(spent.sum::<Option<u64>>()? as f64 * 1e-6)
    }
}

fn microjoules(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_arithmetic_and_reading_is_the_limit() {
        let (multiply_adds_per_sec, int8_multiply_adds_per_sec, read_bytes_per_sec) = (1e9, 4e9, 1e9);
        let machine = Machine {
            kernels: "plain",
            cores: 1,
            multiply_adds_per_sec,
            int8_multiply_adds_per_sec,
            read_bytes_per_sec,
        };
        for (f32, int8, bytes, share) in [
            (1_000_000_000, 0, 5, 0.5),
            (0, 1_000_000_000, 5, 0.125),
            (1_000_000_000, 2_000_000_000, 5, 0.75),
            (7, 0, 1_600_000_000, 0.8),
        ] {
            assert!((machine.share_of_limit(2.0, MultiplyAddCount { f32, int8 }, bytes) - share).abs() < 1e-6);
        }
    }

    #[test]
    fn limits_are_measured() {
        let machine = Machine::measure();
        let Machine { multiply_adds_per_sec: f32, int8_multiply_adds_per_sec: int8, read_bytes_per_sec: read, .. } =
            machine;
        assert!(f32 > 1e6 && int8 > 1e6 && read > 1e6, "{machine:?}");
        // No processor multiplies bytes more than 16 times as fast; a larger ratio shows that products were left out.
        assert!(int8 < 16.0 * f32, "{machine:?}");
    }
}
