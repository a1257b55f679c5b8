//! `lineament bench sustained`: how fast this device follows a face when it is cool and when it is warm.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use lineament_bench::{Device, Plan, Report, Run};

use crate::figures::Format;
use crate::progress::{Progress, Unit, WHOLE};

const EXAMPLES: &str = "\
Examples:
  lineament bench sustained                           two minutes and 11 seconds
  lineament bench sustained --warm-up 0               without waiting until the device is warm
  lineament bench sustained --format json > phone.json

A film inside the program is followed: first by 1, 2 and 4 threads with a tracker each, then by one thread without a \
pause. `cool` are its first 5 seconds, `warm` are 5 seconds after the time of --warm-up: median, and what 95 % of the \
frames stay below. Devices that find the same points have the same checksum. The Android app's benchmark does the \
same. Fields that the system hides are null.";

/// Measures how fast this device follows a face, cool and warm
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct SustainedArgs {
    /// Seconds until the device counts as warm
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(0..=3600), default_value_t = 120)]
    warm_up: u32,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "json")]
    format: Format,

    /// Short for --format json
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: SustainedArgs) -> Result<ExitCode> {
    let mut run = Run::new(Plan::with_warm_up(args.warm_up.into()))?;
    let progress = Progress::new(Unit::Percent, Some(WHOLE));
    while let Some(share) = run.advance() {
        progress.set_share(share);
    }
    progress.finish();
    let format = if args.json { Format::Json } else { args.format };
    format.print(&run.report(), text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(report: &Report) -> String {
    let Device { architecture, processor, cores, features, kernels, .. } = &report.device;
    let mut text = format!(
        "{}, {architecture}, {} cores, {} kernels, features {}\n",
        processor.as_deref().unwrap_or("processor not known"),
        cores.len(),
        kernels,
        features.join(" ")
    );
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for core in cores {
        let clock = core.max_mhz.map(|mhz| format!(" at {mhz} MHz")).unwrap_or_default();
        let name = format!("{}{clock}", core.kind.as_deref().unwrap_or("core"));
        match kinds.last_mut().filter(|(last, _)| *last == name) {
            Some((_, count)) => *count += 1,
            None => kinds.push((name, 1)),
        }
    }
    for (name, count) in kinds {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {count} x {name}");
    }
    text + "\n" + &report.lines().join("\n") + "\n"
}
