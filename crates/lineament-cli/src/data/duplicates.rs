//! `lineament data duplicates`: faces that are in a table more than once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use lineament_data::table::Writer;
use lineament_data::table::duplicates::{DEFAULT_THRESHOLD, Duplicates, MAX_THRESHOLD};
use lineament_data::table::hash::PictureHash;
use serde::Serialize;

use super::convert::left_out_text;
use super::rows::{Rows, TableArgs, refuse_same};
use crate::failure::one_line;
use crate::figures::Format;
use crate::progress::say;
use crate::text::grouped;

const EXAMPLES: &str = "\
Examples:
  lineament data duplicates faces.csv                           groups of equal and nearly equal faces
  lineament data duplicates faces.csv --threshold 0             only those with equal hashes
  lineament data duplicates faces.csv --out once.csv            also writes a table with the first face of each group
  lineament data duplicates faces.csv --format json | jq        for programs

Each picture has a hash of 256 bits, each of which tells whether one place is brighter than its neighbour. Two \
pictures are nearly equal when at most --threshold bits differ. Among 7,000 crops of faces all pairs that differed in \
up to 25 bits were copies: recompressed, brightened or scaled. The closest pair of different people differed in 26.";

/// Finds faces that are in a table more than once
///
/// Finds copies even when they were recompressed or brightened. Every row is compared with the first of each group; a
/// million rows take some minutes and about 400 MB of memory.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DuplicatesArgs {
    #[command(flatten)]
    table: TableArgs,

    /// Bits of 256 in which the hashes of two copies may differ, from 0 to 40
    #[arg(long, value_name = "BITS", default_value_t = DEFAULT_THRESHOLD,
          value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_THRESHOLD)))]
    threshold: u32,

    /// Write the table with only the first face of each group
    #[arg(long, value_name = "TABLE")]
    out: Option<PathBuf>,

    /// How the groups are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Found {
    rows: u64,
    left_out: u64,
    threshold: u32,
    bits: u32,
    /// Later rows that are equal to an earlier one.
    same: u64,
    /// Later rows that are nearly equal to an earlier one.
    nearly_same: u64,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<Box<str>>,
    copies: Vec<Copied>,
}

#[derive(Serialize)]
struct Copied {
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<Box<str>>,
    /// Bits in which its hash differs from that of the group's first.
    distance: u32,
    /// Whether all pixels are those of an earlier row of the group.
    same: bool,
}

/// Runs the command.
pub fn run(args: &DuplicatesArgs) -> Result<()> {
    if let Some(out) = &args.out {
        refuse_same("--out", &args.table.path, out)?;
    }
    let rows = Rows::open(&args.table)?;
    let mut writer = args.out.as_ref().map(|out| Writer::create(out, rows.reader.columns())).transpose()?;
    let mut duplicates = Duplicates::new(args.threshold);
    // Row and photo of every picture: a later one may be its copy.
    let mut seen: Vec<(u64, Option<Box<str>>)> = Vec::new();
    let mut groups = BTreeMap::<u64, Vec<Copied>>::new();
    let totals = rows.each(|row, record| {
        let photo = record.origin.as_ref().map(|origin| origin.photo.as_str().into());
        match duplicates.add(&record.pixels) {
            Some(found) => {
                let copied = Copied { row, photo, distance: found.distance, same: found.same };
                groups.entry(found.first).or_default().push(copied);
                seen.push((row, None));
            }
            None => {
                seen.push((row, photo));
                writer.as_mut().map_or(Ok(()), |writer| writer.write(&record))?;
            }
        }
        Ok(())
    })?;
    let group = |(first, copies): (u64, Vec<Copied>)| {
        let (row, photo) = usize::try_from(first).ok().and_then(|i| seen.get(i).cloned()).unwrap_or_default();
        Group { row, photo, copies }
    };
    let groups: Vec<Group> = groups.into_iter().map(group).collect();
    let count = |same| groups.iter().flat_map(|g| &g.copies).filter(|c| c.same == same).count() as u64;
    let found = Found {
        rows: totals.rows,
        left_out: totals.left_out,
        threshold: args.threshold,
        bits: PictureHash::BITS,
        same: count(true),
        nearly_same: count(false),
        groups,
    };
    if let (Some(writer), Some(out)) = (writer, &args.out) {
        writer.finish()?;
        let kept = grouped(found.rows - found.same - found.nearly_same);
        say(&format!("{}: {kept} rows", out.display()));
    }
    args.format.print(&found, text)
}

fn text(found: &Found) -> String {
    let mut text = String::new();
    let named = |row: u64, photo: &Option<Box<str>>| {
        let photo = photo.as_ref().map(|photo| format!("  {}", one_line(photo))).unwrap_or_default();
        format!("row {}{photo}", grouped(row))
    };
    for group in &found.groups {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "{}", named(group.row, &group.photo));
        for copy in &group.copies {
            let how = if copy.same { "equal".into() } else { format!("{} bits", copy.distance) };
            let _ = writeln!(text, "  {how:<10}{}", named(copy.row, &copy.photo));
        }
    }
    let _ = writeln!(
        text,
        "{} groups; of {} rows {} equal an earlier one and {} nearly do (up to {} of {} bits differ){}",
        grouped(found.groups.len() as u64),
        grouped(found.rows),
        grouped(found.same),
        grouped(found.nearly_same),
        found.threshold,
        found.bits,
        left_out_text(found.left_out),
    );
    text
}
