//! `lineament bench`: how long each step takes on this machine and how near that is to what it can do; how steady the
//! points are on video.

mod film;
mod machine;
mod networks;
mod report;
mod steadiness;
mod timing;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::PossibleValuesParser;
use lineament::detect::Detector;
use lineament::landmarks::LandmarkNetwork;
use lineament::{Options, Pool, TrackOptions, Tracker};
use lineament_data::Photo;
use lineament_nn::model::Model;
use lineament_nn::simd;

use crate::models::{ModelArgs, Models};
use crate::picture;
use crate::values;

use film::Film;
use machine::{Energy, Machine, Memory};
use networks::Subject;
use report::{CallersRow, PathRow, Report};
use timing::{Quartiles, ms_since, rounded, three_digits, time};

/// Rounds before the measured ones: caches and the processor's clock settle. Chosen by trial.
const WARM_UP_ROUNDS: usize = 5;

const EXAMPLES: &str = "\
Examples:
  lineament bench photo.jpg                                    a photo with a face, brought to 640x480
  lineament bench talk.mp4 --layers                            a video of a face; each step of the networks
  lineament bench photo.jpg --size 1920x1080 --rounds 200
  lineament bench photo.jpg --threads 4                        1, 2, 3 and 4 threads: on one run, and as callers at once
  lineament bench photo.jpg --level avx2                       as on a processor without AVX-512
  lineament bench photo.jpg --format json > bench.json
  lineament bench stability photo.jpg                          how much points shake and lag on video

What the lines mean:
  network    the networks alone. M: millions of multiply-adds; G/s: thousands of M a second; GB/s: weights read; limit: \
the least time that arithmetic or reading the weights takes on this machine (measured, first lines), over the median
  together   the same network on several threads, which share each run
  decode     a JPEG of the frame's size, from memory
  shrink     a frame to what the detector sees
  detect     the faces of a frame: shrinking it, the detector, joining what it finds
  crop       the part of a frame that the landmark network sees
  look       that, and the points in it
  landmarks  the points of a face in a photo: three looks, six where the score leaves a doubt
  photo      all of it for one JPEG
  track      a frame of a video: one look at the face it follows, now and then the detector
  callers    frames a second that so many threads follow together, each with a tracker of its own

Steps take turns, so that a busy moment of the machine hits all of them. Medians of a busy machine are still too long: \
measure on a calm one, and compare ratios. Of a video the first 60 frames are measured, forwards and backwards.";

/// Measures how long each step takes on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    other: Option<Other>,

    /// A photo or video with at least one face
    #[arg(required = true)]
    source: Option<PathBuf>,

    /// How often each step is measured
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true, default_value_t = 50)]
    rounds: usize,

    /// Size of the measured frames; the picture is scaled to fit, with black beside it
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = values::size, default_value = "640x480")]
    size: (u32, u32),

    /// Show the steps of each network
    #[arg(long)]
    layers: bool,

    /// Up to so many threads: together on one run of a network, and as callers at once
    #[arg(long, value_name = "COUNT", value_parser = values::threads, default_value_t = 1)]
    threads: usize,

    /// Leave out what only newer processors have, to see what older ones would do
    #[arg(long, value_name = "LEVEL", ignore_case = true, value_parser = PossibleValuesParser::new(simd::LEVELS))]
    level: Option<String>,

    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    Stability(steadiness::StabilityArgs),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one object on one line
    Json,
}

/// Runs the command.
pub fn run(args: BenchArgs) -> Result<ExitCode> {
    if let Some(Other::Stability(args)) = args.other {
        return steadiness::run(args);
    }
    let place = |level: &String| simd::LEVELS.iter().position(|name| name.eq_ignore_ascii_case(level));
    if let Some(level) = args.level.as_ref().and_then(place) {
        ensure!(simd::limit_level(level), "--level comes too late: something was computed already");
    }
    let report = measure(&args)?;
    let text = match args.format {
        Format::Text => report.text(),
        Format::Json => serde_json::to_string(&report)? + "\n",
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &BenchArgs) -> Result<Report> {
    let path = args.source.as_ref().context("give a photo or a video")?; // clap asks for it
    let models = Models::read(&args.models)?;
    let (width, height) = args.size;
    let film = Film::open(path, args.size)?;
    let first = film.frame(0);
    let jpeg = picture::encode(first, true)?;
    let machine = Machine::measure();
    let (detector, landmarks) = models.bytes();
    let (shrinking, cropping) =
        (Detector::new(&Model::parse(detector)?)?, LandmarkNetwork::new(&Model::parse(landmarks)?)?);

    Memory::forget_peak();
    let before = Memory::read();
    let begin = Instant::now();
    let mut lineament = models.lineament(Options::default())?;
    let load_models_ms = rounded(ms_since(begin));
    let Some(detection) = lineament.detect(&first.view()).into_iter().next() else {
        bail!("{}: no face is found at {width}x{height}: give another photo", path.display());
    };
    let crop = detection.crop();
    let mut one_look = models.lineament(Options { refine: false, ..Options::default() })?;
    let mut tracker = Tracker::with_lineament(models.lineament(Options::default())?, TrackOptions::default())?;
    let faces = lineament.faces(&first.view()).len();

    let names = ["decode", "shrink", "detect", "crop", "look", "landmarks", "photo", "track"];
    let mut times = names.map(|_| Vec::new());
    for round in 0..WARM_UP_ROUNDS + args.rounds {
        let frame = film.frame(round);
        let of_each = [
            time(|| drop(Photo::decode(&jpeg))).0,
            time(|| drop(shrinking.input(&frame.view(), None))).0,
            time(|| drop(lineament.detect(&frame.view()))).0,
            time(|| drop(cropping.input(&first.view(), &crop))).0,
            time(|| one_look.landmarks(&first.view(), &crop)).0,
            time(|| lineament.landmarks(&first.view(), &crop)).0,
            time(|| drop(Photo::decode(&jpeg).map(|photo| lineament.faces(&photo.view())))).0,
            time(|| tracker.update(&frame.view(), round as f64 * film.step_secs).len()).0,
        ];
        times.iter_mut().zip(of_each).for_each(|(times, ms)| times.push(ms));
    }
    let memory_kib = before.zip(Memory::read()).map(|(before, after)| after.peak_kib.saturating_sub(before.now_kib));
    let path_row = |(what, times): (_, Vec<f64>)| PathRow { what, ms: Quartiles::of(times[WARM_UP_ROUNDS..].to_vec()) };

    let detector_input = shrinking.input(&first.view(), None).0;
    let pools = (2..=args.threads).map(pool).collect::<Result<Vec<_>>>()?;
    let mut networks = [
        Subject::new("detector", detector, Some((detector_input.height, detector_input.width)), &pools)?,
        Subject::new("landmarks", landmarks, None, &pools)?,
    ];
    for _ in 0..WARM_UP_ROUNDS + args.rounds {
        networks.iter_mut().for_each(Subject::round);
    }

    let energy = Energy::start();
    let frames = WARM_UP_ROUNDS + args.rounds;
    let alone = callers(1, &tracker, &film, frames);
    let joules = energy.and_then(|energy| energy.joules());
    let more = (2..=args.threads).map(|threads| callers(threads, &tracker, &film, frames));
    let callers = [alone].into_iter().chain(more).collect();

    Ok(Report {
        source: path.display().to_string(),
        width,
        height,
        frames: film.frames.len(),
        faces,
        rounds: args.rounds,
        networks: networks.into_iter().map(|network| network.row(WARM_UP_ROUNDS, &machine)).collect(),
        machine,
        path: names.into_iter().zip(times).map(path_row).collect(),
        callers,
        load_models_ms,
        memory_kib,
        joules_per_frame: joules.map(|joules| three_digits(joules / frames as f64)),
        show_layers: args.layers,
    })
}

/// So many threads for one run.
fn pool(threads: usize) -> Result<Pool> {
    let others = rayon::ThreadPoolBuilder::new().num_threads(threads - 1);
    let others = others.build().context("--threads: cannot start them")?;
    Ok(Pool::new(threads, move |work| {
        others.in_place_scope(|scope| {
            (1..threads).for_each(|_| scope.spawn(|_| work()));
            work();
        });
    }))
}

/// So many threads at once follow `frames` frames each.
fn callers(threads: usize, tracker: &Tracker, film: &Film, frames: usize) -> CallersRow {
    let trackers = vec![tracker.clone(); threads];
    let begin = Instant::now();
    thread::scope(|scope| {
        for mut tracker in trackers {
            scope.spawn(move || {
                tracker.reset();
                for number in 0..frames {
                    tracker.update(&film.frame(number).view(), number as f64 * film.step_secs);
                }
            });
        }
    });
    let secs = begin.elapsed().as_secs_f64();
    CallersRow { threads, frames_per_sec: three_digits((threads * frames) as f64 / secs) }
}
