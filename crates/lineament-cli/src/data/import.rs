//! `lineament data import`: a label table from the labels of other programs and data sets.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use lineament::{Crop, Point, Rect};
use lineament_data::labels::import::{Found, Import, Options, Summary};
use lineament_data::labels::{self, Format, Labelled, Origin, ReadOptions};
use lineament_data::record::{SIDE, record_from_image};
use lineament_data::{Photo, Record, topologies};

use super::rows::{Stopped, stop};
use super::sheet;
use crate::failure::{OrTry as _, one_line};
use crate::figures::Format as Figures;
use crate::inputs::Source;
use crate::output::Files;
use crate::progress::{Progress, Unit, WHOLE, say};
use crate::text::{counted, grouped};

const EXAMPLES: &str = "\
Examples:
  lineament data import pts 300w/ 300w.csv                                   every .pts file and its photo
  lineament data import coco cats.json cats.csv --photos images/ --skip-bad  what cannot be used is left out and counted
  lineament data import coco animals.json dogs.csv --category dog            one of several kinds of object
  lineament data import wflw list_98pt_rect_attr_train.txt wflw.csv --photos WFLW_images/
  lineament data import pts mine/ mine.csv --zero-based                      .pts files that count pixels from 0
  lineament data import kaggle training.csv kaggle.csv                       writes the pictures to kaggle-photos/, too
  lineament data import records faces.parquet labels.csv --photos photos/    what `annotate` wrote
  lineament data import table cats.csv cats.parquet                          another format for a label table

The table has a row per object: photo,x,y,w,h and NAME_x,NAME_y for each point, in pixels of the photo, where the \
first pixel covers 0 to 1. A point without a label is empty, in Parquet null. Photos stay where they are; the table \
has their paths relative to its own folder. Every object is checked against its photo: a photo that is missing or \
damaged, another number of points, and coordinates from 0 to 1 cannot be used, and stop the import unless \
--skip-bad is given. Points outside of the photo and objects that are there twice are kept, with a warning. \
docs/labels.md describes each format, and how COFW's and AFLW's files become the CSV that is read.";

/// Makes a label table from the labels of other programs and data sets
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ImportArgs {
    /// What SRC is
    #[arg(value_name = "FORMAT", value_parser = formats())]
    format: Format,

    /// The labels: a file, or for pts, ljson and jd106 a folder
    src: PathBuf,

    /// The new table, .csv or .parquet; a file that is there is not replaced
    out: PathBuf,

    /// Folder that the photos' names are relative to; by default that of SRC
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,

    /// The first pixel of the source is 0, as in OpenCV; by default the format decides
    #[arg(long, conflicts_with = "one_based")]
    zero_based: bool,

    /// The first pixel of the source is 1, as in Matlab; by default the format decides
    #[arg(long)]
    one_based: bool,

    /// Which points these are: a name or a topology file, see `lineament topology`
    ///
    /// The points get its names, in the order of the source; another number of points is refused, and mirrored faces
    /// are noticed. The default is what the format says: wflw98, cofw29, jd106, kaggle15, and for .pts files and
    /// others the source's own names, or numbers.
    #[arg(long, value_name = "NAME|FILE")]
    topology: Option<String>,

    /// Draw some of the objects with their points: a .png or .jpg file
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,

    /// The category (coco) or group (ljson) to read, where there are several
    #[arg(long, value_name = "NAME")]
    category: Option<String>,

    /// Leave out what cannot be used, and count it, instead of stopping
    #[arg(long)]
    skip_bad: bool,

    /// How the summary is written
    #[arg(long, value_name = "AS", default_value = "text")]
    summary: Figures,
}

/// The formats by name, each with its line of help.
fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.about()));
    PossibleValuesParser::new(values).try_map(|name| name.parse())
}

/// Runs the command.
pub fn run(args: &ImportArgs) -> Result<()> {
    let origin = match (args.zero_based, args.one_based) {
        (true, _) => Some(Origin::Zero),
        (_, true) => Some(Origin::One),
        _ => None,
    };
    let read = ReadOptions { origin, category: args.category.clone(), photos: args.photos.clone() };
    args.sheet.as_deref().map_or(Ok(()), sheet::check)?;
    let topology = args.topology.as_deref().or(args.format.topology()).map(topologies::open).transpose()?;
    let topology = topology.map(|file| file.topology);
    let options = Options {
        read,
        skip_bad: args.skip_bad,
        names: topology.as_ref().map(|topology| topology.names().to_vec()),
        five: topology.and_then(|topology| topology.definition().five.clone()),
    };
    let stop = stop()?;
    let progress = Progress::new(Unit::Percent, Some(WHOLE));
    let mut import = Import::new(args.format, &args.src, &args.out, options)?;
    loop {
        match import.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if import.is_refused() => {
                return Err(error).or_try("--skip-bad leaves out and counts what cannot be used");
            }
            Err(error) => return Err(error.into()),
        }
        progress.set_share(import.share_read());
        if stop.load(Ordering::Relaxed) {
            return Err(Stopped.into());
        }
    }
    let summary = import.finish()?;
    progress.finish();
    for (warning, found) in &summary.warnings {
        let (count, first) = (grouped(found.count), examples(found));
        say(&format!("warning: {count} of {} objects {warning}: {first}", grouped(summary.objects)));
    }
    if let Some(path) = &args.sheet {
        let drawn = sheet::draw(crops(&args.out)?, path)?;
        Files::protecting(&[Source::File(args.out.clone())]).write(path, &drawn).context("--sheet")?;
        say(&format!("drawn: {}", path.display()));
    }
    args.summary.print(&summary, |summary| text(args, summary))
}

/// Objects on the contact sheet, and the seed that chooses them.
const SHEET: (usize, u64) = (64, 7);

/// Some objects of the table as crops, each with its row.
fn crops(table: &Path) -> Result<Vec<(u64, Record)>> {
    let folder = table.parent().unwrap_or(Path::new(""));
    let (count, seed) = SHEET;
    let crop = |(row, object): (u64, Labelled)| {
        let photo = Photo::open(&folder.join(&object.photo))?.grey();
        let points: Vec<Point> = object.points.into_iter().flatten().collect();
        let rect = object.rect.or(Rect::bounding(&points)).context("an object has neither a box nor a point")?;
        let square = Crop::from_rect(&rect);
        let mut pixels = vec![0.0; SIDE * SIDE];
        square.sample_into(&photo.view(), SIDE, &mut pixels);
        let square = Rect::from_center_size(square.center, square.side, square.side);
        let points = points.iter().map(|&point| record_from_image(&square, point)).collect();
        let pixels = pixels.iter().map(|v| v.round() as u8).collect(); // `as` clamps
        Ok((row, Record { points, pixels, origin: None }))
    };
    labels::sample(table, count, seed)?.into_iter().map(crop).collect()
}

fn text(args: &ImportArgs, summary: &Summary) -> String {
    let (objects, photos) = (counted(summary.objects, "object"), counted(summary.photos, "photo"));
    let points = counted(summary.names.len() as u64, "point");
    let mut text = format!("{}: {objects} of {points} in {photos}\n", one_line(&args.out.display().to_string()));
    // Writing to a String cannot fail, here and below.
    if let Some(folder) = &summary.written_photos {
        let _ = writeln!(text, "  photos were written to {}", one_line(&folder.display().to_string()));
    }
    if summary.missing_points > 0 {
        let all = summary.objects * summary.names.len() as u64;
        let _ = writeln!(text, "  {} of {} points have no label", grouped(summary.missing_points), grouped(all));
    }
    for (what, count) in &summary.left_out {
        let _ = writeln!(text, "  left out: {} {what}", grouped(*count));
    }
    for (reason, found) in &summary.rejects {
        let _ = writeln!(text, "  not used: {} {reason}", grouped(found.count));
        for example in &found.first {
            let _ = writeln!(text, "    {}", one_line(example));
        }
    }
    text
}

/// The first example, and whether there are more.
fn examples(found: &Found) -> String {
    let first = found.first.first().map(|first| one_line(first)).unwrap_or_default();
    if found.count > 1 { format!("the first is {first}") } else { first }
}
