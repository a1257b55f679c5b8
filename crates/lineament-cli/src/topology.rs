//! `lineament topology`: which points an object has, checked, described and drawn.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use lineament::draw::{Canvas, DrawOptions};
use lineament::{Detection, Face, ImageView, Landmarks, Point, Rect};
use lineament_data::Photo;
use lineament_data::topologies::{self, SHIPPED, TopologyFile};
use lineament_nn::model::Model;

use crate::failure::usage;
use crate::inputs::Source;
use crate::output::{Files, print};
use crate::picture::{encode, has_extension, is_jpeg};
use crate::progress::say;
use crate::text::counted;

const EXAMPLES: &str = "\
Examples:
  lineament topology                              those that are known by name
  lineament topology wflw98 --draw wflw98.png     one of them, with a numbered picture
  lineament topology my.toml --draw my.png        checks a file of your own
  lineament topology five --print > my.toml       a file to begin with
  lineament topology model.onnx                   that of a trained model

A topology says how many points an object has, their names, which swap sides in a mirror, which lines are drawn, and \
what errors are divided by. `lineament train` takes its name or its file as `topology`.";

/// Shows a topology: which points an object has
///
/// Checks a topology file and says what it offers: a numbered picture, errors by part, head pose, expression.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TopologyArgs {
    /// A name, a topology file (.toml) or a model file (.onnx); without one, the names are listed
    topology: Option<String>,

    /// Draw its points with their numbers: a .png or .jpg file
    #[arg(long, value_name = "FILE", requires = "topology")]
    draw: Option<PathBuf>,

    /// Print the file of a topology that is known by name, to write one's own from
    #[arg(long, requires = "topology", conflicts_with = "draw")]
    print: bool,
}

/// Runs the command.
pub fn run(args: TopologyArgs) -> Result<ExitCode> {
    let Some(name) = &args.topology else {
        let line = |(name, _): &(&str, &str)| Ok(format!("{name:<10}{}\n", topologies::open(name)?.about));
        print(&SHIPPED.iter().map(line).collect::<Result<String>>()?)?;
        return Ok(ExitCode::SUCCESS);
    };
    if args.print {
        let Some((_, text)) = SHIPPED.iter().find(|(known, _)| known == name) else {
            return Err(usage(format!("--print: `{name}` is not a topology that is known by name")));
        };
        print(text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = open(name)?;
    if let Some(path) = &args.draw {
        ensure!(
            has_extension(path, &["png", "jpg", "jpeg"]),
            usage(format!("--draw {}: the picture is a .png or .jpg file", path.display()))
        );
        ensure!(
            !file.drawing.is_empty(),
            usage(format!("--draw: a model does not say where points lie: give `{name}`'s file"))
        );
        let files = Files::protecting(&[Source::File(name.into())]);
        files.write(path, &encode(&picture(&file)?, is_jpeg(path))?)?;
    }
    print(&text(&file))?;
    if let Some(path) = &args.draw {
        say(&format!("drawn: {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// By name, from a topology file, or from a model file, which has no drawing.
fn open(name: &str) -> Result<TopologyFile> {
    if !has_extension(Path::new(name), &["onnx"]) {
        return Ok(topologies::open(name)?);
    }
    let bytes = lineament_data::read_model_file(Path::new(name))?;
    let model = Model::parse(&bytes).with_context(|| name.to_owned())?;
    let topology = topologies::of_model(&model).with_context(|| name.to_owned())?;
    let known = SHIPPED.iter().any(|(known, _)| *known == topology.name());
    match known.then(|| topologies::open(topology.name())).transpose()? {
        Some(file) if file.topology == topology => Ok(file),
        _ => Ok(TopologyFile { topology, about: String::new(), source: String::new(), drawing: Vec::new() }),
    }
}

fn text(file: &TopologyFile) -> String {
    let TopologyFile { topology, about, source, .. } = file;
    let mut out = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<16}{value}"); // writing to a String cannot fail
    };
    row("name", topology.name());
    for (name, value) in [("about", about), ("source", source)] {
        if !value.is_empty() {
            row(name, value);
        }
    }
    row("points", &topology.len().to_string());
    row("errors", &format!("in percent of the {}", topology.unit_name()));
    let five =
        if topology.definition().five.is_some() { "from eyes, nose and mouth" } else { "objects are taken as upright" };
    row("roll", five);
    let pairs = (0..topology.len()).filter(|&i| topology.mirror()[i] > i).count();
    let mirror = match topology.is_chiral() {
        true => "pictures are never mirrored: it is another object in the mirror (`chiral`)".into(),
        false => format!("pictures may be mirrored; {} of points swap sides", counted(pairs as u64, "pair")),
    };
    row("mirror", &mirror);
    let offered = |is: bool| if is { "offered" } else { "not offered: too few points are iBUG points (`ibug68`)" };
    row("head pose", offered(topology.has_pose()));
    row("expression", offered(topology.has_expression()));
    let from_68 =
        if topology.follows_ibug68() { "can be used" } else { "cannot be used: not every point follows from them" };
    row("68-point labels", from_68);
    let outlines: Vec<&str> = topology.outlines().iter().map(|outline| outline.name.as_str()).collect();
    row("outlines", &if outlines.is_empty() { "none".into() } else { outlines.join(", ") });
    let width = topology.names().iter().map(String::len).max().unwrap_or(0).max(4);
    let _ = writeln!(out, "\npoint  {:<width$}  part", "name");
    for (i, name) in topology.names().iter().enumerate() {
        let (part, mirror) = (&topology.parts()[topology.part_of(i)].name, topology.mirror()[i]);
        let mirror = if mirror == i { String::new() } else { format!(", mirrored {mirror}") };
        let _ = writeln!(out, "{i:>5}  {name:<width$}  {part}{mirror}");
    }
    out
}

/// Side of the picture in pixels, and the share of it that the points fill.
const SIDE: usize = 1200;
const SHARE: f32 = 0.86;
/// Its brightness.
const GREY: u8 = 45;

/// The drawing, with the number of each point.
fn picture(file: &TopologyFile) -> Result<Photo> {
    let bounds = Rect::bounding(&file.drawing).context("the topology has no points")?;
    let scale = SHARE * SIDE as f32 / bounds.width.max(bounds.height).max(f32::MIN_POSITIVE);
    let (middle, center) = (SIDE as f32 / 2.0, bounds.center());
    let place = |p: &Point| Point::new(middle + scale * (p.x - center.x), middle + scale * (p.y - center.y));
    let points: Vec<Point> = file.drawing.iter().map(place).collect();
    let errors = vec![0.0; points.len()];
    let detection = Detection { rect: Rect::default(), points: None, score: 1.0 };
    let face = Face { detection, landmarks: Landmarks::new(file.topology.clone(), points, errors, 1.0) };
    let pixels = vec![GREY; SIDE * SIDE];
    let mut canvas = Canvas::from_view(&ImageView::grey(&pixels, SIDE, SIDE)?);
    canvas.draw_face(&face, &DrawOptions { point_numbers: true, rect: false, ..DrawOptions::default() });
    let rgb = canvas.pixels().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect();
    Ok(Photo { pixels: rgb, width: SIDE, height: SIDE })
}
