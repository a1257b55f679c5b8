//! `lineament bench`: how long each step takes on this machine, and how steady the points are on video.

mod stability;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use image::RgbImage;
use image::imageops::{self, FilterType};
use lineament::{Crop, Options};
use lineament_data::Photo;
use serde::Serialize;

use crate::models::{ModelArgs, Models};
use crate::picture;
use crate::values;

/// Rounds before the measured ones: caches and the processor's clock settle. Chosen by trial.
const WARM_UP_ROUNDS: usize = 5;

const EXAMPLES: &str = "\
Examples:
  lineament bench photo.jpg                                    a photo with a face, brought to 640x480
  lineament bench photo.jpg --size 1920x1080 --rounds 200
  lineament bench photo.jpg --format json > bench.json
  lineament bench stability photo.jpg                          how much points shake and lag on video

Everything runs on one thread. `decode` reads a JPEG of that size from memory, `detector` finds the faces, \
`landmarks` places the points of one face, `whole` is all of it for one photo.";

/// Measures how long each step takes on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    other: Option<Other>,

    /// A photo with at least one face
    #[arg(required = true)]
    photo: Option<PathBuf>,

    /// How often each step is measured
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true, default_value_t = 50)]
    rounds: usize,

    /// Size of the measured photo; it is scaled to fit, with black beside it
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = values::size, default_value = "640x480")]
    size: (u32, u32),

    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    Stability(stability::StabilityArgs),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one object on one line
    Json,
}

#[derive(Debug, Serialize)]
struct Report {
    photo: String,
    width: u32,
    height: u32,
    faces: usize,
    threads: usize,
    rounds: usize,
    load_models_ms: f64,
    decode_ms: Quartiles,
    detector_ms: Quartiles,
    landmarks_ms: Quartiles,
    whole_ms: Quartiles,
    /// Largest resident memory of the measured part, where the system tells it.
    peak_memory_kib: Option<u64>,
}

/// Runs the command.
pub fn run(args: BenchArgs) -> Result<ExitCode> {
    if let Some(Other::Stability(args)) = args.other {
        return stability::run(args);
    }
    let path = args.photo.context("give a photo")?; // clap asks for it
    let models = Models::read(&args.models)?;
    let jpeg = picture::encode(&sized(&path, args.size)?, true)?;
    forget_peak_memory();
    let begin = Instant::now();
    let mut lineament = models.lineament(Options::default())?;
    let load_models_ms = ms_since(begin);
    let photo = Photo::decode(&jpeg)?;
    let Some(detection) = lineament.detect(&photo.view()).into_iter().next() else {
        bail!("{}: no face is found at {}x{}: give another photo", path.display(), args.size.0, args.size.1);
    };
    let crop = Crop::from_detection(&detection);
    let (mut decode, mut detector, mut landmarks, mut whole) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut faces = 0;
    for _ in 0..WARM_UP_ROUNDS + args.rounds {
        // The steps take turns, so that a busy moment of the machine hits all of them.
        decode.push(time(|| Photo::decode(&jpeg)).0);
        detector.push(time(|| lineament.detect(&photo.view())).0);
        landmarks.push(time(|| lineament.landmarks(&photo.view(), &crop)).0);
        let (ms, found) = time(|| Photo::decode(&jpeg).map(|photo| lineament.faces(&photo.view()).len()));
        whole.push(ms);
        faces = found?;
    }
    let quartiles = |times: Vec<f64>| Quartiles::of(times[WARM_UP_ROUNDS..].to_vec());
    let report = Report {
        photo: path.display().to_string(),
        width: args.size.0,
        height: args.size.1,
        faces,
        threads: 1,
        rounds: args.rounds,
        load_models_ms: rounded(load_models_ms),
        decode_ms: quartiles(decode),
        detector_ms: quartiles(detector),
        landmarks_ms: quartiles(landmarks),
        whole_ms: quartiles(whole),
        peak_memory_kib: peak_memory_kib(),
    };
    let text = match args.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string(&report)? + "\n",
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn text(&self) -> String {
        let faces = if self.faces == 1 { "1 face".to_owned() } else { format!("{} faces", self.faces) };
        let mut text = format!(
            "{} as {}x{} JPEG, {faces}, {} rounds, 1 thread\n\n{:<12}{:>10}   quartiles, ms\n",
            self.photo, self.width, self.height, self.rounds, "step", "median, ms"
        );
        for (step, q) in [
            ("decode", &self.decode_ms),
            ("detector", &self.detector_ms),
            ("landmarks", &self.landmarks_ms),
            ("whole", &self.whole_ms),
        ] {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "{step:<12}{:>10.2}   {:.2} to {:.2}", q.median, q.lower, q.upper);
        }
        let _ = writeln!(text, "\nload models {:>10.2} ms, once", self.load_models_ms);
        if let Some(kib) = self.peak_memory_kib {
            let _ = writeln!(text, "peak memory {:>10.1} MiB", kib as f64 / 1024.0);
        }
        text
    }
}

/// The photo scaled into the size that is measured.
fn sized(path: &Path, (to_width, to_height): (u32, u32)) -> Result<Photo> {
    let Photo { pixels, width, height } = Photo::open(path)?;
    let source =
        RgbImage::from_raw(u32::try_from(width)?, u32::try_from(height)?, pixels).context("pixels fit the size")?;
    let scale = (to_width as f32 / width as f32).min(to_height as f32 / height as f32);
    let side = |from: usize, most: u32| ((from as f32 * scale).round() as u32).clamp(1, most);
    let (inner_width, inner_height) = (side(width, to_width), side(height, to_height));
    let inner = imageops::resize(&source, inner_width, inner_height, FilterType::Triangle);
    let mut frame = RgbImage::new(to_width, to_height);
    let (left, top) = ((to_width - inner_width) / 2, (to_height - inner_height) / 2);
    imageops::replace(&mut frame, &inner, left.into(), top.into());
    Ok(Photo { pixels: frame.into_raw(), width: to_width as usize, height: to_height as usize })
}

fn time<T>(step: impl FnOnce() -> T) -> (f64, T) {
    let begin = Instant::now();
    let result = std::hint::black_box(step());
    (ms_since(begin), result)
}

fn ms_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

/// The middle half of some times, in milliseconds.
#[derive(Debug, Serialize, PartialEq)]
struct Quartiles {
    median: f64,
    lower: f64,
    upper: f64,
}

impl Quartiles {
    /// Between two values the mean by distance, as NumPy does.
    ///
    /// # Panics
    /// When there are no times.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (times.len() - 1) as f64;
            let (low, high) = (times[place.floor() as usize], times[place.ceil() as usize]);
            rounded(low + (high - low) * place.fract())
        };
        Self { median: at(0.5), lower: at(0.25), upper: at(0.75) }
    }
}

/// Linux: lets the peak start anew, so that reading and scaling a large photo does not count. Where that is refused
/// the peak includes them.
fn forget_peak_memory() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Linux only.
fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys() {
        assert_eq!(Quartiles::of(vec![4.0, 1.0, 3.0, 2.0]), Quartiles { median: 2.5, lower: 1.75, upper: 3.25 });
        assert_eq!(Quartiles::of(vec![7.0]), Quartiles { median: 7.0, lower: 7.0, upper: 7.0 });
    }
}
