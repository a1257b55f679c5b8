//! `lineament render`: faces with exact points, drawn by the program.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use lineament_data::workers;
use lineament_render::{Assets, Places, Renderer, SIZES, Settings, output};

use crate::failure::{OrTry as _, usage};
use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::output::{check_folder, print};
use crate::progress::{Progress, say};
use crate::text::counted;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament render faces/ --assets assets/ --count 20000               photos with the 68 points
  lineament render faces/ --assets assets/ --count 20000 --points wflw98  the same photos with 98 points
  lineament render --print-config > my.toml                            what occurs how often, to change it
  lineament render faces/ --assets assets/ --config my.toml

Each photo is made from its number alone: the same number gives the same photo on every machine. Photos that are there \
already are left as they are, so that a run that was stopped goes on where it ended. `lineament train --photos faces/` \
learns from them. docs/render.md says where the assets come from, and what the renderer cannot do.";

/// Renders faces with exact points, to train on
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RenderArgs {
    /// Folder for NUMBER.jpg and NUMBER.pts
    #[arg(required_unless_present = "print_config")]
    out: Option<PathBuf>,

    /// Folder with the head, the skins and the environments
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    assets: Option<PathBuf>,

    /// Number of photos
    #[arg(long, default_value = "1000", value_parser = values::count)]
    count: usize,

    /// Number of the first photo
    #[arg(long, default_value = "0")]
    first: u64,

    /// Width and height of each photo in pixels, from 32 to 2048
    #[arg(long, value_name = "PIXELS", default_value = "224")]
    size: usize,

    /// Which points: a topology whose places on the head are known (ibug68, ibug51, five, wflw98), or a file of places
    #[arg(long, value_name = "NAME|FILE", default_value = "ibug68")]
    points: String,

    /// What occurs how often and within which ranges (TOML); see --print-config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the settings, each with its reason and range
    #[arg(long)]
    print_config: bool,

    /// Photos rendered at the same time; does not change them [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,
}

/// Runs the command.
pub fn run(args: &RenderArgs) -> Result<ExitCode> {
    let settings = args.config.as_deref().map_or(Ok(Settings::default()), Settings::read)?;
    if args.print_config {
        print(&settings.to_commented_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = args.out.as_ref().expect("clap asks for it unless --print-config is given");
    let assets = args.assets.as_ref().expect("clap asks for it unless --print-config is given");
    if !SIZES.contains(&args.size) {
        return Err(usage(format!("--size: from {} to {} pixels", SIZES.start(), SIZES.end())));
    }
    let last = args.first.checked_add(args.count as u64).filter(|last| *last <= u64::MAX / 16);
    let Some(last) = last else { return Err(usage("--first: too large a number")) };
    let assets = Assets::open(assets).or_try("docs/render.md says where the assets come from")?;
    let places = Places::open(&assets.head, &args.points).context("--points")?;
    let renderer = Renderer::new(&assets, places, settings)?;
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot make the folder", folder.display()))?;
    check_folder(folder)?;
    let wanted: Vec<u64> = (args.first..last).filter(|number| !output::exists(folder, *number)).collect();
    let there = args.count - wanted.len();
    if there > 0 {
        say(&format!("already there: {}", counted(there as u64, "photo")));
    }
    let stop = stop_on_ctrl_c()?;
    let progress = Progress::of_photos(wanted.len());
    let mut states = vec![(); workers::count(args.threads.unwrap_or(0), wanted.len())];
    let render = |(): &mut (), number: &u64| -> Result<(), lineament_render::Error> {
        output::write(&renderer, folder, *number, args.size)?;
        progress.advance();
        Ok(())
    };
    let done = workers::in_order(&wanted, &mut states, &stop, render)?.len();
    progress.finish();
    print(&format!("{}: {} rendered\n", folder.display(), counted(done as u64, "photo")))?;
    if stop.load(Ordering::Relaxed) {
        say("stopped; the same command goes on");
        return Ok(ExitCode::from(STOPPED));
    }
    Ok(ExitCode::SUCCESS)
}
