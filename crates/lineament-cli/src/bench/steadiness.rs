//! `lineament bench steadiness`: how much points jitter and how far they lag behind on video, raw and smoothed.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use lineament::topology::ibug68;
use lineament::{Options, TrackOptions, Tracker};
use lineament_data::Photo;
use lineament_data::evaluate::steadiness::{self, Settings, Stability};
use serde::Serialize;

use super::film::sized;
use crate::figures::Format;
use crate::models::{ModelArgs, Models};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament bench steadiness photo.jpg                       a photo with a face, scaled to 640x480
  lineament bench steadiness photo.jpg --rounds 20
  lineament bench steadiness photo.jpg --format json > steadiness.json

The photo becomes two videos of 30 frames per second, with new noise of 4 grey levels on each frame. In the first it \
rests, in the second it slides by 0.76 pixels per frame. Jitter is the mean movement of a point from one frame to the \
next, in percent of the distance between the outer corners of the eyes, or of what the model's topology says. Lag is \
how many frames the sliding points are late. The last lines tell how late smoothing shows a jump of lids or mouth by \
5 % of that distance; a topology without these points has none. The noise is the same in every run.";

/// Measures how much points jitter and lag on video
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct SteadinessArgs {
    /// A photo with a face, or the object of the models
    photo: PathBuf,

    /// How often both videos are followed, each time with different noise
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true, default_value_t = 5)]
    rounds: usize,

    /// Size of the frames; the photo is scaled to fit, with black borders
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = values::size, default_value = "640x480")]
    size: (u32, u32),

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    photo: String,
    width: u32,
    height: u32,
    threads: usize,
    topology: String,
    unit: String,
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    steadiness: Stability,
}

/// Runs the command.
pub fn run(args: SteadinessArgs) -> Result<ExitCode> {
    let lineament = Models::read(&args.models)?.lineament(Options::default())?;
    let photo = sized(&Photo::open(&args.photo)?, args.size)?.grey();
    let mut tracker = Tracker::with_lineament(lineament, TrackOptions::default())?;
    let (topology, unit) = (tracker.topology().name().to_owned(), tracker.topology().unit_name());
    let settings = Settings { rounds: args.rounds, ..Settings::default() };
    let (width, height) = args.size;
    let measured = steadiness::measure(&mut tracker, &photo, &settings);
    let steadiness = measured.with_context(|| {
        format!("{}: no face is found in every frame at {width}x{height}: give another photo", args.photo.display())
    })?;
    let photo = args.photo.display().to_string();
    let report = Report { photo, width, height, threads: 1, topology, unit, settings, steadiness };
    args.format.print(&report, Report::text)?;
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn text(&self) -> String {
        let Settings { rounds, frames, fps, noise, slide_px, .. } = &self.settings;
        let found = &self.steadiness;
        let mut text = format!(
            "{} as {}x{} video, {frames} frames at {fps} fps, noise of {noise} grey levels, {rounds} rounds, \
             1 thread\n\n\
             {:<48}{:>8}{:>10}\n",
            self.photo, self.width, self.height, "", "raw", "smoothed"
        );
        let size = if self.topology == ibug68::NAME { "eye distance" } else { "unit" };
        for (what, figure) in [
            (&format!("still: jitter, % of {size} per frame"), &found.jitter),
            (&format!("sliding {slide_px} px per frame: jitter, the same"), &found.sliding_jitter),
            (&format!("sliding {slide_px} px per frame: lag, frames"), &found.lag_frames),
        ] {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(text, "{what:<48}{:>8.3}{:>10.3}", figure.raw, figure.smooth);
        }
        for (part, late) in [("lids", found.lids_late_frames), ("lower lip and chin", found.mouth_late_frames)] {
            if let Some(late) = late {
                let _ = writeln!(text, "{:<48}{:>8.3}{late:>10.3}", format!("{part} jump by 5 %: lag, frames"), 0.0);
            }
        }
        if self.topology != ibug68::NAME {
            let _ = writeln!(text, "\nunit           {:>8.2} px: {}", found.unit_px, self.unit);
        }
        let _ = writeln!(text, "\ntime per frame {:>8.2} ms, median", found.frame_ms);
        text
    }
}
