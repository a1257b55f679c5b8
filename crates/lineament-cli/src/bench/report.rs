//! What `lineament bench` prints, as a table or JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::callers::CallersRow;
use super::machine::Machine;
use super::networks::NetworkRow;
use super::path::PathRow;
use super::timing::Quartiles;
use crate::text::counted;

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub source: String,
    pub width: u32,
    pub height: u32,
    pub frames: usize,
    /// In the first frame.
    pub faces: usize,
    pub rounds: usize,
    pub machine: Machine,
    pub networks: Vec<NetworkRow>,
    pub path: Vec<PathRow>,
    /// Several callers at once, each with a tracker of its own.
    pub callers: Vec<CallersRow>,
    pub load_models_ms: f64,
    /// The most memory that models and work took, without the frames; where the system tells it.
    pub memory_kib: Option<u64>,
    /// Energy of the whole processor per followed frame, where the system tells it.
    pub joules_per_frame: Option<f64>,
    /// Whether the table shows each operation of the networks.
    #[serde(skip)]
    pub show_layers: bool,
}

impl Report {
    pub fn text(&self) -> String {
        let count = |n: usize, what: &str| counted(n as u64, what);
        let Machine { kernels, cores, .. } = self.machine;
        let mut text = format!(
            "{} at {}x{}, {}, {}, {}, 1 thread\n\
             {kernels} kernels, {}; one thread reaches at best, per second:\n\
             {:.1} G multiply-adds of f32, {:.1} G of int8, {:.1} GB read from memory\n",
            self.source,
            self.width,
            self.height,
            count(self.frames, "frame"),
            count(self.faces, "face"),
            count(self.rounds, "round"),
            count(cores, "core"),
            self.machine.multiply_adds_per_sec / 1e9,
            self.machine.int8_multiply_adds_per_sec / 1e9,
            self.machine.read_bytes_per_sec / 1e9,
        );
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "\n{:<12}{:>9}{:>10}   {:<16}{:>8}{:>8}{:>8}{:>7}",
            "network", "input", "median ms", "quartiles", "M", "G/s", "GB/s", "limit"
        );
        for row in &self.networks {
            let _ = writeln!(
                text,
                "{:<12}{:>9}{}{:>8.1}{:>8.1}{:>8.1}{:>6.0}%",
                row.name,
                format!("{}x{}", row.input[1], row.input[0]),
                quartiles(&row.ms),
                row.multiply_adds as f64 / 1e6,
                row.multiply_adds_per_sec / 1e9,
                row.read_bytes_per_sec / 1e9,
                100.0 * row.share_of_limit,
            );
            for together in &row.together {
                let _ = writeln!(
                    text,
                    "{:<21}{}{:>8.2} times as fast",
                    format!("  {} together", count(together.threads, "thread")),
                    quartiles(&together.ms),
                    row.ms.median / together.ms.median,
                );
            }
        }
        if self.show_layers {
            self.layers(&mut text);
        }
        let _ = writeln!(text, "\n{:<21}{:>10}   quartiles", "path", "median ms");
        for row in &self.path {
            let _ = writeln!(text, "{:<21}{}", row.what, quartiles(&row.ms).trim_end());
        }
        let _ = writeln!(text, "\n{:<21}{:>10}", "callers at once", "frames/s");
        for row in &self.callers {
            let _ = writeln!(text, "{:<21}{:>10.0}", count(row.threads, "thread"), row.frames_per_sec);
        }
        let _ = writeln!(text, "\n{:<21}{:>10.2} ms, once", "load models", self.load_models_ms);
        if let Some(kib) = self.memory_kib {
            let _ = writeln!(text, "{:<21}{:>10.1} MiB at most, without the frames", "memory", kib as f64 / 1024.0);
        }
        let _ = match self.joules_per_frame {
            Some(joules) => {
                writeln!(text, "{:<21}{:>10.2} mJ per followed frame, of the whole processor", "energy", 1e3 * joules)
            }
            None => writeln!(text, "{:<21}{:>10}", "energy", "not known on this system"),
        };
        text
    }

    fn layers(&self, text: &mut String) {
        for network in &self.networks {
            let _ = writeln!(
                text,
                "\n{:>10}{:>9}{:>8}{:>7}  {:<6} {}, each operation",
                "median ms", "M", "G/s", "limit", "type", network.name
            );
            for op in &network.fused_ops {
                let _ = writeln!(
                    text,
                    "{:>10.4}{:>9.3}{:>8.1}{:>6.0}%  {:<6} {}",
                    op.median_ms,
                    op.multiply_adds as f64 / 1e6,
                    op.multiply_adds_per_sec / 1e9,
                    100.0 * op.share_of_limit,
                    if op.int8 { "int8" } else { "f32" },
                    op.what
                );
            }
        }
    }
}

fn quartiles(q: &Quartiles) -> String {
    format!("{:>10.3}   {:<16}", q.median, format!("{:.3} to {:.3}", q.lower, q.upper))
}
