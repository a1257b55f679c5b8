//! One engine, one kind of work: loads it, says `ready`, then answers lines. `run.py` speaks the other side and
//! `peer.py` is the same for engines with a Python interface.
//!
//!     peer ours|tract|rten network MODEL INPUT HEIGHT WIDTH      INPUT: f32, little-endian, one channel
//!     peer ours|ours-grey detect|track FRAMES HEIGHT WIDTH [DETECTOR LANDMARKS]
//!                                                                FRAMES: RGB bytes, frame after frame
//!     peer ours basic MODEL                                      writes the paper's network with random weights
//!
//! Lines: `run N` answers N pairs `[wall, cpu]` in milliseconds as JSON, `answer` what the last run gave, `memory` the
//! largest resident memory in KiB.

mod basic;
#[cfg(feature = "engines")]
mod engines;
mod frames;
mod network;

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use serde_json::{Value, json};

/// Work that is timed, with what belongs to it but not to its time.
trait Peer {
    /// Before each run, outside the clock.
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }
    /// What the clock sees.
    fn run(&mut self) -> Result<()>;
    /// What the last run gave, so that peers can be compared.
    fn answer(&mut self) -> Result<Value>;
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut peer: Box<dyn Peer> = match *args {
        ["ours", "basic", model] => return Ok(fs::write(model, basic::file()?)?),
        [system, "network", model, input, height, width] => {
            let (height, width) = (height.parse()?, width.parse()?);
            let bytes = fs::read(input).with_context(|| input.to_owned())?;
            let pixels = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            network::load(system, model, pixels, height, width)?
        }
        [system, work @ ("detect" | "track"), frames, height, width, ref models @ ..] => {
            let models = match *models {
                [] => None,
                [detector, landmarks] => Some([detector, landmarks]),
                _ => bail!("two model files: a detector and a landmark network"),
            };
            frames::load(system, work, frames, (height.parse()?, width.parse()?), models)?
        }
        _ => bail!("peer SYSTEM WORK FILE...; see src/main.rs"),
    };
    say(&json!("ready"))?;
    for line in stdin().lock().lines() {
        let line = line?;
        match *line.split_whitespace().collect::<Vec<_>>() {
            ["run", times] => {
                let mut pairs = Vec::new();
                for _ in 0..times.parse::<usize>()? {
                    peer.prepare()?;
                    let (wall, cpu) = (Instant::now(), ProcessTime::now());
                    peer.run()?;
                    let (cpu, wall) = (cpu.elapsed(), wall.elapsed());
                    pairs.push([wall, cpu].map(|time| 1e3 * time.as_secs_f64()));
                }
                say(&json!(pairs))?;
            }
            ["answer"] => say(&peer.answer()?)?,
            ["memory"] => say(&json!(peak_memory_kib()))?,
            _ => bail!("unknown line `{line}`"),
        }
    }
    Ok(())
}

fn say(value: &Value) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

/// Linux only.
fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
