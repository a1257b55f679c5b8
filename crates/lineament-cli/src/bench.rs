//! `lineament bench`: how long each part takes on this machine, how near that is to what the machine can do, and how
//! steady the points are on video.

mod callers;
mod film;
mod machine;
mod networks;
mod path;
mod report;
mod steadiness;
mod sustained;
mod timing;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::builder::PossibleValuesParser;
use lineament_bench::Memory;
use lineament_nn::model::Shape;
use lineament_nn::simd;

use crate::figures::Format;
use crate::models::{ModelArgs, Models};
use crate::progress::{Progress, Unit};
use crate::values;

use callers::{CallersRow, pool};
use film::Film;
use machine::{Energy, Machine};
use networks::Subject;
use path::Path;
use report::Report;
use timing::three_digits;

/// Rounds before the measured ones: caches and the processor's clock settle. Chosen by trial.
const WARM_UP_ROUNDS: usize = 5;

const EXAMPLES: &str = "\
Examples:
  lineament bench photo.jpg                                    a photo with a face, scaled to 640x480
  lineament bench talk.mp4 --layers                            a video of a face; each operation of the networks
  lineament bench photo.jpg --size 1920x1080 --rounds 200
  lineament bench photo.jpg --threads 4                        1, 2, 3 and 4 threads: on one run, and as callers at once
  lineament bench photo.jpg --level avx2                       as on a processor without AVX-512
  lineament bench photo.jpg --format json > bench.json
  lineament bench steadiness photo.jpg                         how much points jitter and lag on video
  lineament bench sustained                                    this device when it is cool and when it is warm

What the lines mean:
  network    the networks alone. M: millions of multiply-adds; G/s: billions of them per second; GB/s: weights read; \
limit: the least time that arithmetic or reading the weights takes on this machine, as a share of the median. \
The first lines tell what the machine reaches at best, for f32 and for int8
  together   the same network on several threads, which share each run
  decode     a JPEG of the frame's size, from memory
  shrink     a frame scaled down to the detector's input
  detect     the faces of a frame: shrink, the detector, joining its overlapping answers
  crop       the square of a frame that the landmark network reads
  pass       crop, and one pass of the landmark network
  landmarks  the points of a face in a photo: three passes, six where the score leaves a doubt
  photo      all of it for one JPEG
  track      a frame of a video: one pass for the face that is followed, now and then the detector
  callers    frames per second that this many threads follow together, each with a tracker of its own

The parts are measured interleaved, so that a busy moment of the machine affects all of them. On a busy machine the \
medians are too long: measure on an idle one, and compare ratios. Of a video the first 60 frames are measured, \
forwards and backwards.

Fields of the JSON object: source, width, height, frames, faces and rounds tell what was measured; `machine` what \
this machine reaches at best on one thread; `networks` has a row per network with `ms` (median, lower and upper \
quartile), `multiply_adds`, `int8_multiply_adds`, `weights_bytes`, `share_of_limit`, its operations in `fused_ops`, \
and `together` for more threads; `path` and `callers` are the lines above; then `load_models_ms`, `memory_kib` and \
`joules_per_frame`. Names end in their units.";

/// Measures how long each part takes on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    other: Option<Other>,

    /// A photo or video with at least one face
    #[arg(required = true)]
    source: Option<PathBuf>,

    /// How often each part is measured
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true,
          default_value_t = 50)]
    rounds: usize,

    /// Size of the measured frames; the picture is scaled to fit, with black borders
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = values::size, default_value = "640x480")]
    size: (u32, u32),

    /// Show each operation of the networks
    #[arg(long)]
    layers: bool,

    /// Measure up to this many threads: together on one run of a network, and as callers at once
    #[arg(long, value_name = "COUNT", value_parser = values::threads, default_value_t = 1)]
    threads: usize,

    /// Leave out what only newer processors have, to see how fast older ones would be
    #[arg(long, value_name = "LEVEL", ignore_case = true, value_parser = PossibleValuesParser::new(simd::LEVELS))]
    level: Option<String>,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    // The first name of the command.
    #[command(alias = "stability")]
    Steadiness(steadiness::SteadinessArgs),
    Sustained(sustained::SustainedArgs),
}

/// Runs the command.
pub fn run(args: BenchArgs) -> Result<ExitCode> {
    match args.other {
        Some(Other::Steadiness(args)) => return steadiness::run(args),
        Some(Other::Sustained(args)) => return sustained::run(args),
        None => (),
    }
    let place = |level: &String| simd::LEVELS.iter().position(|name| name.eq_ignore_ascii_case(level));
    if let Some(level) = args.level.as_ref().and_then(place) {
        ensure!(simd::limit_level(level), "--level comes too late: something was computed already");
    }
    args.format.print(&measure(&args)?, Report::text)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &BenchArgs) -> Result<Report> {
    let source = args.source.as_ref().context("give a photo or a video")?; // clap asks for it
    let models = Models::read(&args.models)?;
    let film = Film::open(source, args.size)?;
    let machine = Machine::measure();
    let rounds = WARM_UP_ROUNDS + args.rounds;
    let progress = Progress::new(Unit::Percent, Some(2 * rounds as u64));

    Memory::forget_peak();
    let before = Memory::read();
    let mut path = Path::new(&models, &film).with_context(|| source.display().to_string())?;
    let faces = path.faces(&film);
    for round in 0..rounds {
        path.round(&film, round);
        progress.advance();
    }
    let memory_kib = before.zip(Memory::read()).map(|(before, after)| after.peak_kib.saturating_sub(before.now_kib));

    let (width, height) = args.size;
    let Shape { height: input_height, width: input_width, .. } = path.detector_input(&film);
    let pools = (2..=args.threads).map(pool).collect::<Result<Vec<_>>>()?;
    let (detector, landmarks) = models.bytes();
    let mut networks = [
        Subject::new("detector", detector, Some((input_height, input_width)), &pools)?,
        Subject::new("landmarks", landmarks, None, &pools)?,
    ];
    for _ in 0..rounds {
        networks.iter_mut().for_each(Subject::round);
        progress.advance();
    }

    let energy = Energy::start();
    let mut callers = vec![CallersRow::measure(1, &path.tracker, &film, rounds)];
    let joules = energy.and_then(|energy| energy.joules());
    callers.extend((2..=args.threads).map(|threads| CallersRow::measure(threads, &path.tracker, &film, rounds)));
    progress.finish();

    Ok(Report {
        source: source.display().to_string(),
        width,
        height,
        frames: film.frames.len(),
        faces,
        rounds: args.rounds,
        networks: networks.into_iter().map(|network| network.row(WARM_UP_ROUNDS, &machine)).collect(),
        machine,
        path: path.rows(WARM_UP_ROUNDS),
        callers,
        load_models_ms: path.load_models_ms,
        memory_kib,
        joules_per_frame: joules.map(|joules| three_digits(joules / rounds as f64)),
        show_layers: args.layers,
    })
}
