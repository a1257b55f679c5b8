//! The measurement, in slices of some milliseconds, so that an app can draw and answer in between.

use std::thread;
use std::time::Instant;

use lineament::{Options, Result, TrackOptions, Tracker};
use serde::Serialize;

use crate::device::{Device, Memory, temperature_celsius};
use crate::film::{Film, HEIGHT, STEP_SECS, WIDTH};

/// How long each part is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The first seconds, in which a device is cool.
    pub cool_secs: f64,
    /// From the start until the device counts as warm.
    pub warm_up_secs: f64,
    /// How long it is measured then.
    pub warm_secs: f64,
    /// Numbers of threads that follow a film each.
    pub callers: Vec<usize>,
    /// For each of them.
    pub callers_secs: f64,
}

impl Default for Plan {
    /// Two minutes and 11 seconds.
    fn default() -> Self {
        Self { cool_secs: 5.0, warm_up_secs: 120.0, warm_secs: 5.0, callers: vec![1, 2, 4], callers_secs: 2.0 }
    }
}

impl Plan {
    /// The default with another time until the device counts as warm.
    pub fn with_warm_up(secs: f64) -> Self {
        Self { warm_up_secs: secs, ..Self::default() }
    }

    /// All of it, in seconds.
    pub fn secs(&self) -> f64 {
        self.callers.len() as f64 * self.callers_secs + self.warm_up_secs.max(self.cool_secs) + self.warm_secs
    }
}

/// Frames of the film whose points make the checksum: to its end and back.
const CHECKED_FRAMES: u64 = 28;

/// Frames that each thread follows between two looks at the clock.
const CALLERS_FRAMES: u64 = 30;

/// Times are kept in steps of this share, in microseconds from [`LEAST_US`]: 1 % is less than what two runs differ by,
/// and two minutes take no more memory than a second.
const BIN: f64 = 1.01;
const LEAST_US: f64 = 1.0;
const BINS: usize = 2048;

/// How often which time was measured.
#[derive(Debug, Clone)]
struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    fn new() -> Self {
        Self { counts: vec![0; BINS], total: 0 }
    }

    fn add(&mut self, secs: f64) {
        let bin = (secs * 1e6 / LEAST_US).max(1.0).ln() / BIN.ln();
        self.counts[(bin as usize).min(BINS - 1)] += 1;
        self.total += 1;
    }

    /// The time below which `share` of them lie, in milliseconds to a thousandth.
    fn at(&self, share: f64) -> f64 {
        let wanted = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bin = self.counts.iter().position(|&count| {
            seen += count;
            seen >= wanted
        });
        let us = LEAST_US * BIN.powf(bin.unwrap_or(0) as f64 + 0.5);
        us.round() / 1e3
    }

    fn times(&self) -> Option<Times> {
        (self.total > 0).then(|| Times { frames: self.total, median_ms: self.at(0.5), p95_ms: self.at(0.95) })
    }
}

/// How long frames took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// How many were measured.
    pub frames: u64,
    /// Half of them took less.
    pub median_ms: f64,
    /// 95 % of them took less.
    pub p95_ms: f64,
}

/// Several threads at once, each with a tracker of its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CallersRow {
    /// How many.
    pub threads: usize,
    /// Of all threads together.
    pub frames_per_sec: f64,
    /// Of each frame.
    #[serde(flatten)]
    pub times: Times,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Of this crate.
    pub version: &'static str,
    /// The processor.
    pub device: Device,
    /// Pixels per row of the frames.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What was planned.
    pub plan: Plan,
    /// One thread, in the first seconds.
    pub cool: Option<Times>,
    /// One thread, when the device was warm.
    pub warm: Option<Times>,
    /// Several threads, while the device was cool.
    pub callers: Vec<CallersRow>,
    /// Of the hottest sensor, before and after.
    pub celsius: [Option<f64>; 2],
    /// Of this process, at the end.
    pub memory: Option<Memory>,
    /// Faces in the film.
    pub faces: usize,
    /// FNV-1a over the bits of the points of the film's first frames: the same number means the same points.
    pub points_checksum: String,
    /// Whether all of it was measured.
    pub complete: bool,
}

impl Report {
    /// As one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers are always JSON")
    }

    /// As lines for people, at most 40 characters wide, as the app shows them.
    pub fn lines(&self) -> Vec<String> {
        let times = |what: &str, times: &Option<Times>| match times {
            Some(t) => format!("{what:<10}{:>8.2} ms {:>8.2} ms 95%", t.median_ms, t.p95_ms),
            None => format!("{what:<10} not measured"),
        };
        let mut lines = vec![times("cool", &self.cool), times("warm", &self.warm)];
        for row in &self.callers {
            let plural = if row.threads == 1 { "" } else { "s" };
            lines.push(format!("{} thread{plural:<2}{:>8.0} frames/s", row.threads, row.frames_per_sec));
        }
        if let [before, Some(after)] = self.celsius {
            let before = before.map_or("?".into(), |celsius| format!("{celsius:.0}"));
            lines.push(format!("heat      {before} to {after:.0} C"));
        }
        if let Some(memory) = self.memory {
            lines.push(format!("memory    {:.1} MiB at most", memory.peak_kib as f64 / 1024.0));
        }
        lines.push(format!("points    {}", self.points_checksum));
        lines
    }
}

/// A measurement that goes on when [`Run::advance`] is called.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    film: Film,
    tracker: Tracker,
    frame: u64,
    begin: Instant,
    /// When the one thread began.
    alone: Option<Instant>,
    cool: Histogram,
    warm: Histogram,
    callers: Vec<CallersRow>,
    celsius: [Option<f64>; 2],
    faces: usize,
    checksum: u64,
    complete: bool,
}

impl Run {
    /// Loads the models and follows the first frames, for the checksum and to warm up caches.
    ///
    /// # Errors
    /// As [`Tracker::new`].
    pub fn new(plan: Plan) -> Result<Self> {
        let film = Film::new();
        let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
        let (faces, checksum) = check(&mut tracker, &film);
        Ok(Self {
            film,
            tracker,
            frame: 0,
            begin: Instant::now(),
            alone: None,
            cool: Histogram::new(),
            warm: Histogram::new(),
            callers: Vec::new(),
            celsius: [temperature_celsius(), None],
            faces,
            checksum,
            complete: false,
            plan,
        })
    }

    /// Measures a little more: a frame, or a fraction of a second with several threads. `None` when all is measured,
    /// else the share that is done, from 0 to 1.
    pub fn advance(&mut self) -> Option<f64> {
        if self.complete {
            return None;
        }
        if let Some(&threads) = self.plan.callers.get(self.callers.len()) {
            self.callers.push(callers(&self.tracker, &self.film, threads, self.plan.callers_secs));
            return Some(self.share());
        }
        let alone = *self.alone.get_or_insert_with(Instant::now);
        let (before, started) = (Instant::now(), alone.elapsed().as_secs_f64());
        let (film, tracker) = (&self.film, &mut self.tracker);
        self.faces = tracker.update(&film.frame(self.frame), self.frame as f64 * STEP_SECS).len();
        self.frame += 1;
        let (took, since) = (before.elapsed().as_secs_f64(), alone.elapsed().as_secs_f64());
        let warm_from = self.plan.warm_up_secs.max(self.plan.cool_secs);
        if started <= self.plan.cool_secs {
            self.cool.add(took);
        } else if since > warm_from {
            self.warm.add(took);
        }
        if since >= warm_from + self.plan.warm_secs {
            self.celsius[1] = temperature_celsius();
            self.complete = true;
            return None;
        }
        Some(self.share())
    }

    fn share(&self) -> f64 {
        (self.begin.elapsed().as_secs_f64() / self.plan.secs()).min(0.99)
    }

    /// What is known so far.
    pub fn report(&self) -> Report {
        Report {
            version: env!("CARGO_PKG_VERSION"),
            device: Device::read(),
            width: WIDTH,
            height: HEIGHT,
            plan: self.plan.clone(),
            cool: self.cool.times(),
            warm: self.warm.times(),
            callers: self.callers.clone(),
            celsius: self.celsius,
            memory: Memory::read(),
            faces: self.faces,
            points_checksum: format!("{:016x}", self.checksum),
            complete: self.complete,
        }
    }
}

/// Follows the film's first frames; the faces in the last of them, and FNV-1a over the bits of all points.
fn check(tracker: &mut Tracker, film: &Film) -> (usize, u64) {
    let (mut hash, mut faces) = (0xcbf2_9ce4_8422_2325_u64, 0);
    for number in 0..CHECKED_FRAMES {
        let found = tracker.update(&film.frame(number), number as f64 * STEP_SECS);
        faces = found.len();
        let points = found.iter().flat_map(|tracked| &tracked.face.landmarks.points);
        for byte in points.flat_map(|p| [p.x, p.y]).flat_map(|v| v.to_bits().to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    tracker.reset();
    (faces, hash)
}

/// Lets each of `threads` threads follow the film for `secs`.
fn callers(tracker: &Tracker, film: &Film, threads: usize, secs: f64) -> CallersRow {
    let begin = Instant::now();
    let follow = |mut tracker: Tracker| {
        let mut times = Histogram::new();
        let mut number = 0;
        while begin.elapsed().as_secs_f64() < secs || number == 0 {
            for _ in 0..CALLERS_FRAMES {
                let before = Instant::now();
                tracker.update(&film.frame(number), number as f64 * STEP_SECS);
                times.add(before.elapsed().as_secs_f64());
                number += 1;
            }
        }
        times
    };
    let mut all = Histogram::new();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| follow(tracker.clone()))).collect();
        for times in running.into_iter().filter_map(|thread| thread.join().ok()) {
            all.counts.iter_mut().zip(&times.counts).for_each(|(sum, count)| *sum += count);
            all.total += times.total;
        }
    });
    let frames_per_sec = (all.total as f64 / begin.elapsed().as_secs_f64()).round();
    let times = all.times().unwrap_or(Times { frames: 0, median_ms: 0.0, p95_ms: 0.0 });
    CallersRow { threads, frames_per_sec, times }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_knows_median_and_tail() {
        let mut times = Histogram::new();
        assert_eq!(times.times(), None);
        (1..=1000).for_each(|us| times.add(f64::from(us) * 1e-6));
        let Times { frames, median_ms, p95_ms } = times.times().unwrap();
        assert_eq!(frames, 1000);
        assert!((median_ms - 0.5).abs() < 0.01 && (p95_ms - 0.95).abs() < 0.015, "{median_ms} {p95_ms}");
        times.add(1e9);
        times.add(0.0);
        assert!(times.at(1.0) > 1e5, "absurd times are in the last bin");
    }

    #[test]
    fn a_run_ends_and_reports_what_it_measured() {
        let plan = Plan { cool_secs: 0.1, warm_up_secs: 0.2, warm_secs: 0.1, callers_secs: 0.0, callers: vec![1, 2] };
        let mut run = Run::new(plan).unwrap();
        let mut last = 0.0;
        while let Some(share) = run.advance() {
            assert!(share >= last && share < 1.0, "{last} {share}");
            last = share;
        }
        let report = run.report();
        assert!(report.complete && report.faces == 1 && report.callers.len() == 2, "{report:#?}");
        assert!(report.cool.is_some() && report.warm.is_some(), "{report:#?}");
        assert!(report.lines().iter().all(|line| line.len() <= 40), "{:#?}", report.lines());
        assert!(report.to_json().contains("\"points_checksum\": \""));
    }

    #[test]
    fn every_run_finds_the_points_of_this_version() {
        let run = Run::new(Plan::default()).unwrap();
        // Changes with the models; docs/phones.md quotes it.
        assert_eq!(run.report().points_checksum, "14cb441b1be92b04");
    }
}
