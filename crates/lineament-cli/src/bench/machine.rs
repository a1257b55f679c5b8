//! What this machine can do at best, so that a time can be told as a share of it; its memory and energy.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use lineament_nn::simd::{Kernel, Simd, dispatch, level_name, vectorized};
use serde::Serialize;

use super::timing::three_digits;

/// The machine's limits for one thread, measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The instruction set of the kernels.
    pub kernels: &'static str,
    pub cores: usize,
    /// Multiply-adds of f32 a second, with everything in registers.
    pub multiply_adds_per_sec: f64,
    /// Bytes a second that are read from memory, past all caches.
    pub read_bytes_per_sec: f64,
}

/// More than any cache holds.
const READ_BYTES: usize = 128 << 20;

/// The best of so many tries counts: a limit is what is reached when nothing disturbs.
const TRIES: usize = 12;

impl Machine {
    /// Measures for about a quarter of a second.
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
            read_bytes_per_sec: three_digits(reading.fold(0.0, f64::max)),
        }
    }

    /// What share of `secs` the machine would need at best to do so many multiply-adds and to read so many bytes,
    /// whichever takes longer.
    pub fn share_of_limit(&self, secs: f64, multiply_adds: u64, bytes: u64) -> f64 {
        let arithmetic = multiply_adds as f64 / self.multiply_adds_per_sec;
        let reading = bytes as f64 / self.read_bytes_per_sec;
        arithmetic.max(reading) / secs
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

/// Multiply-adds a second where only sums in registers are touched.
struct MultiplyAdds;

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
            for sum in [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9] {
                let mut lanes = [0.0; 16];
                simd.store(sum, &mut lanes);
                black_box(lanes);
            }
        }
        (SUMS * ROUNDS * S::LANES) as f64 / best
    }
}

/// Memory that the process holds and the most it has held, in KiB; Linux only.
pub struct Memory {
    pub now_kib: u64,
    pub peak_kib: u64,
}

impl Memory {
    pub fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        };
        Some(Self { now_kib: value("VmRSS:")?, peak_kib: value("VmHWM:")? })
    }

    /// Lets the peak start anew. Where that is refused it stays what it was.
    pub fn forget_peak() {
        let _ = fs::write("/proc/self/clear_refs", "5");
    }
}

/// Counts the energy of the whole processor, other programs' included, where the system tells it (Intel's and AMD's
/// counters on Linux, which often only root may read).
pub struct Energy {
    counters: Vec<(PathBuf, u64)>,
}

impl Energy {
    /// Starts counting; `None` where nothing is told.
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

    /// Joules since the start; `None` where a counter began anew.
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
        let machine = Machine { kernels: "plain", cores: 1, multiply_adds_per_sec: 1e9, read_bytes_per_sec: 1e9 };
        assert!((machine.share_of_limit(2.0, 1_000_000_000, 5) - 0.5).abs() < 1e-9);
        assert!((machine.share_of_limit(2.0, 7, 1_600_000_000) - 0.8).abs() < 1e-9);
    }

    #[test]
    fn limits_are_measured() {
        let machine = Machine::measure();
        assert!(machine.multiply_adds_per_sec > 1e6 && machine.read_bytes_per_sec > 1e6, "{machine:?}");
    }
}
