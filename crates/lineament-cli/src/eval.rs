//! `lineament eval`: how good models are on labelled photos.

mod conditions;
mod demographics;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lineament::draw::{Canvas, DrawOptions};
use lineament::topology::five_points;
use lineament::{Detection, Face, Landmarks, Options, Pose, Rect};
use lineament_data::evaluate::conditions::{CONDITIONS, Condition};
use lineament_data::evaluate::metrics::{Decile, FAILURE_PERCENT, TRUTHFUL_WITHIN};
use lineament_data::evaluate::rejection::{BoxScores, RANDOM_BOXES, on_random_boxes, on_true_boxes};
use lineament_data::evaluate::{evaluate, false_faces};
use lineament_data::{FalseFaces, Offset, Photo, PhotoResult, Protocol, Report, Sample, dataset};
use serde::Serialize;

use crate::failure::one_line;
use crate::inputs::Source;
use crate::models::{ModelArgs, Models};
use crate::output::{Files, check_folder};
use crate::picture::encode;
use crate::progress::Progress;
use crate::values;
use demographics::Groups;

const EXAMPLES: &str = "\
Examples:
  lineament eval faces/                                  the models inside the program
  lineament eval faces/ --model new.onnx --crop truth    another landmark network, by itself
  lineament eval faces/ --nonfaces landscapes/           and how often a face is seen where there is none
  lineament eval faces/ --worst 20 --draw worst/         the worst photos: lines are the model's, dots the true points
  lineament eval faces/ --stress                         turned, small, dark, blurred, covered and other bad photos
  lineament eval utkface/ --groups                       by age, gender and race, from the photos' names

Errors are mean distances in percent of the distance between the true outer eye corners, over the faces found.";

/// Measures models on photos with known points
///
/// Measures models on photos with known points: how many faces are found, how far off the points are, and whether the
/// expected errors tell the truth.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct EvalArgs {
    /// Folder of photos, each with its 68 points in a .pts file of the same name beside it
    dataset: PathBuf,

    /// Folder of photos without faces: counts those in which one is found
    #[arg(long, value_name = "DIR")]
    nonfaces: Option<PathBuf>,

    /// Also judge the face score on boxes: random ones in the photos of --nonfaces, and those of the true faces
    ///
    /// 120 random boxes with sides from a fifth of the photo's short side to all of it; of each true face one box,
    /// moved and scaled by chance as a detector's. Counted is what the landmark network takes for a face.
    #[arg(long, requires = "nonfaces")]
    boxes: bool,

    /// Instead, change every photo in many ways and tell how the whole path holds up
    ///
    /// Every photo is turned, mirrored, shrunk, darkened, made noisy, blurred, compressed, covered and cut, always
    /// alike; its true points move along.
    #[arg(long, conflicts_with_all = ["nonfaces", "worst", "crop"])]
    stress: bool,

    /// Only these conditions, with commas between, for example roll-90,mask
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = conditions::condition, requires = "stress")]
    conditions: Vec<Condition>,

    /// Instead, compare groups of people: photos named AGE_GENDER_RACE_DATE as UTKFace's, without .pts files
    ///
    /// Points are not known: told is how often a face is found, its mean score and its mean expected error.
    #[arg(long, conflicts_with_all = ["stress", "nonfaces", "worst", "crop", "validation"])]
    groups: bool,

    /// Only the photos of DATASET that training with this `validation_share` does not see
    #[arg(long, value_name = "SHARE", value_parser = values::share)]
    validation: Option<f64>,

    /// Only the photos of --nonfaces that training with this `nonface_holdout` does not see
    #[arg(long, value_name = "SHARE", value_parser = values::share, requires = "nonfaces")]
    holdout: Option<f64>,

    /// Where the landmark network looks
    #[arg(long, value_name = "CROP", default_value = "detector")]
    crop: CropSource,

    /// How the figures are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// List this many of the worst photos; those without the face first
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    worst: Option<usize>,

    /// Draw the worst photos into this folder
    #[arg(long, value_name = "DIR", requires = "worst")]
    draw: Option<PathBuf>,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,

    #[command(flatten)]
    models: ModelArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CropSource {
    /// Where the detector finds faces, as in use
    Detector,
    /// Where the true face is: judges the landmark network alone
    Truth,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one object
    Json,
}

/// Everything that is printed.
#[derive(Serialize)]
struct Evaluation {
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonfaces: Option<Nonfaces>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boxes: Option<Boxes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worst: Vec<Worst>,
}

#[derive(Serialize)]
struct Nonfaces {
    photos: usize,
    with_faces: Vec<FalseFaces>,
}

#[derive(Serialize)]
struct Boxes {
    random: BoxScores,
    of_faces: BoxScores,
}

#[derive(Serialize)]
struct Worst {
    name: String,
    path: PathBuf,
    nme68: Option<f64>,
    nme51: Option<f64>,
}

/// Runs the command.
pub fn run(args: EvalArgs) -> Result<ExitCode> {
    let text = if args.groups {
        groups(&args)?
    } else if args.stress {
        stress(&args)?
    } else {
        figures(&args)?
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The photos of DATASET that are asked for.
fn samples(args: &EvalArgs) -> Result<Vec<Sample>> {
    let mut samples = dataset::read(&args.dataset)?;
    if let Some(share) = args.validation {
        samples.retain(|sample| dataset::is_validation(&sample.name, share));
    }
    Ok(samples)
}

fn groups(args: &EvalArgs) -> Result<String> {
    let (people, left_out) = demographics::read(&args.dataset)?;
    let models = Models::read(&args.models)?;
    let progress = Progress::new(people.len(), false);
    let make = || models.lineament(Options::default());
    let groups = lineament_data::evaluate::demographics::by_demographic_group(
        &people,
        make,
        args.threads.unwrap_or(0),
        &|_, _| progress.advance(),
    )?;
    progress.finish();
    let groups = Groups { left_out, groups };
    Ok(match args.format {
        Format::Text => demographics::text(&groups),
        Format::Json => serde_json::to_string(&groups)? + "\n",
    })
}

fn stress(args: &EvalArgs) -> Result<String> {
    let samples = samples(args)?;
    let conditions = if args.conditions.is_empty() { &CONDITIONS[..] } else { &args.conditions };
    let models = Models::read(&args.models)?;
    let progress = Progress::new(samples.len(), false);
    let make = || models.lineament(Options::default());
    let threads = args.threads.unwrap_or(0);
    let rows = lineament_data::evaluate::conditions::under_conditions(&samples, conditions, make, threads, &|_, _| {
        progress.advance()
    })?;
    progress.finish();
    Ok(match args.format {
        Format::Text => conditions::text(&rows),
        Format::Json => serde_json::to_string(&serde_json::json!({ "conditions": rows }))? + "\n",
    })
}

fn figures(args: &EvalArgs) -> Result<String> {
    let samples = samples(args)?;
    let mut empty = args.nonfaces.as_deref().map(dataset::photos_in).transpose().context("--nonfaces")?;
    if let (Some(photos), Some(share)) = (&mut empty, args.holdout) {
        photos.retain(|photo| dataset::is_validation(&photo.to_string_lossy(), share));
    }
    if let Some(folder) = &args.draw {
        check_folder(folder).context("--draw")?;
    }
    let models = Models::read(&args.models)?;
    let make = || models.lineament(Options::default());
    let threads = args.threads.unwrap_or(0); // 0: every core
    let protocol = match args.crop {
        CropSource::Detector => Protocol::Detector,
        CropSource::Truth => Protocol::TruthCrop,
    };
    let boxes = if args.boxes { RANDOM_BOXES + samples.len() } else { 0 };
    let progress = Progress::new(samples.len() + empty.as_ref().map_or(0, Vec::len) + boxes, false);
    let advance = |_, _| progress.advance();
    let (report, mut results) = evaluate(&samples, protocol, make, threads, &advance)?;
    let nonfaces = match &empty {
        Some(photos) => {
            Some(Nonfaces { photos: photos.len(), with_faces: false_faces(photos, make, threads, &advance)? })
        }
        None => None,
    };
    let threshold = Options::default().face_threshold;
    let boxes = match &empty {
        Some(photos) if args.boxes => Some(Boxes {
            random: on_random_boxes(photos, threshold, make, threads, &advance)?,
            of_faces: on_true_boxes(&samples, threshold, make, threads, &advance)?,
        }),
        _ => None,
    };
    progress.finish();
    worst_first(&mut results);
    results.truncate(args.worst.unwrap_or(0));
    if let Some(folder) = &args.draw {
        draw_all(&results, folder)?;
    }
    let worst = results.into_iter().map(|r| Worst { name: r.name, path: r.path, nme68: r.nme68, nme51: r.nme51 });
    let evaluation = Evaluation { report, nonfaces, boxes, worst: worst.collect() };
    Ok(match args.format {
        Format::Text => text(&evaluation),
        Format::Json => serde_json::to_string(&evaluation)? + "\n",
    })
}

/// Photos without the face first, then the largest errors; names decide between equals.
fn worst_first(results: &mut [PhotoResult]) {
    let error = |r: &PhotoResult| r.nme68.unwrap_or(f64::INFINITY);
    results.sort_by(|a, b| error(b).total_cmp(&error(a)).then_with(|| a.name.cmp(&b.name)));
}

/// `001_NAME.jpg` and so on in the order of `results`.
fn draw_all(results: &[PhotoResult], folder: &Path) -> Result<()> {
    let photos: Vec<Source> = results.iter().map(|r| Source::File(r.path.clone())).collect();
    let files = Files::protecting(&photos);
    for (i, result) in results.iter().enumerate() {
        let path = folder.join(format!("{:03}_{}.jpg", i + 1, result.name.replace('/', "_")));
        let picture = draw(result).with_context(|| format!("{}: cannot draw", result.path.display()))?;
        files.write(&path, &picture)?;
    }
    Ok(())
}

/// The photo with the model's lines and the true points as dots, as JPEG.
fn draw(result: &PhotoResult) -> Result<Vec<u8>> {
    let mut photo = Photo::open(&result.path)?;
    let mut canvas = Canvas::from_view(&photo.view());
    if let Some(face) = &result.face {
        canvas.draw_face(face, &DrawOptions { points: false, rect: false, ..DrawOptions::default() });
    }
    let (points, rect) = (result.truth, Rect::bounding(&result.truth).unwrap_or_default());
    let landmarks = Landmarks { points, errors: [0.0; _], score: 1.0, pose: Pose::default() };
    let truth = Face { detection: Detection { rect, points: five_points(&points), score: 1.0 }, landmarks };
    canvas.draw_face(&truth, &DrawOptions { outlines: false, points: true, rect: false, ..DrawOptions::default() });
    // [h, w, RGBA] -> [h, w, RGB]
    for (rgb, rgba) in photo.pixels.chunks_exact_mut(3).zip(canvas.pixels().chunks_exact(4)) {
        rgb.copy_from_slice(&rgba[..3]);
    }
    encode(&photo, true)
}

fn text(evaluation: &Evaluation) -> String {
    let r = &evaluation.report;
    let mut out = String::new();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<25}{value}"); // writing to a String cannot fail
    };
    row("photos", r.photos.to_string());
    match r.protocol {
        Protocol::Detector => row("faces found", format!("{} ({:.1} %)", r.found, r.found_percent)),
        Protocol::TruthCrop => row("faces found", "not looked for: crops come from the true points".into()),
    }
    row("error of 68 points", format!("{}, median {}", percent(r.nme68), percent(r.median68)));
    row("error of 51 inner points", percent(r.nme51));
    row(
        &format!("worse than {FAILURE_PERCENT:.0} %"),
        format!("{} ({:.1} %), faces not found included", r.failures, r.failures_percent),
    );
    row(&format!("area under curve, {FAILURE_PERCENT:.0} %"), format!("{:.4}", r.auc));
    for part in &r.parts {
        row(&format!("  {}", part.name), percent(part.nme));
    }
    if let Some(Offset { right, down, nme68 }) = r.offset {
        row("all beside the labels", format!("{right:+.2} % right, {down:+.2} % down; without that {nme68:.2} %"));
    }
    out += &calibration(r);
    if let Some(nonfaces) = &evaluation.nonfaces {
        let _ = writeln!(
            out,
            "\nphotos without a face    {} of {} with one found",
            nonfaces.with_faces.len(),
            nonfaces.photos
        );
        for f in &nonfaces.with_faces {
            let faces = if f.faces == 1 { "face" } else { "faces" };
            let path = one_line(&f.path.display().to_string());
            let _ = writeln!(out, "  {:>3} {faces:<5}  score {:.2}  {path}", f.faces, f.best_score);
        }
    }
    if let Some(Boxes { random, of_faces }) = &evaluation.boxes {
        let kept = 100.0 * of_faces.accepted as f64 / of_faces.boxes.max(1) as f64;
        let _ = writeln!(
            out,
            "\nboxes, face score {:.2}    random: {} of {} rejected; of true faces: {} of {} kept ({kept:.1} %)",
            random.threshold,
            random.boxes - random.accepted,
            random.boxes,
            of_faces.accepted,
            of_faces.boxes,
        );
    }
    if !evaluation.worst.is_empty() {
        out += "\nworst photos             68 points     inner\n";
    }
    for w in &evaluation.worst {
        let error = |e| if w.nme68.is_none() { "not found".into() } else { percent(e) };
        let _ = writeln!(out, "  {:<22} {:>9} {:>9}", one_line(&w.name), error(w.nme68), error(w.nme51));
    }
    out
}

fn calibration(report: &Report) -> String {
    let c = &report.calibration;
    let rank = c.spearman.map_or("-".to_owned(), |r| format!("{r:.3}"));
    let mut out = format!("\nexpected errors          {} points, rank correlation {rank}\n", c.points);
    out += "                          expected  measured  ratio\n";
    let mut row = |name: String, d: &Decile| {
        let ratio = d.ratio.map_or("-".to_owned(), |r| format!("{r:.2}"));
        let (expected, measured) = (percent(Some(d.expected)), percent(Some(d.measured)));
        let _ = writeln!(out, "  {name:<22} {expected:>9} {measured:>9} {ratio:>6}");
    };
    for (i, decile) in c.deciles.iter().enumerate() {
        row(format!("tenth {} of the points", i + 1), decile);
    }
    row("all".into(), &c.all);
    if let (Some(truthful), Some(deviation)) = (c.is_truthful(), c.largest_deviation) {
        let (within, answer) = (100.0 * TRUTHFUL_WITHIN, if truthful { "yes" } else { "no" });
        let _ = writeln!(
            out,
            "  every tenth within {within:.0} %  {answer}, the largest deviation is {:.0} %",
            100.0 * deviation
        );
    }
    out
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.2} %"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament_data::evaluate::metrics::Calibration;

    fn missing(name: &str, nme68: Option<f64>) -> PhotoResult {
        PhotoResult {
            name: name.into(),
            path: format!("{name}.jpg").into(),
            found: nme68.is_some(),
            nme68,
            nme51: nme68,
            face: None,
            truth: [lineament::Point::new(1.0, 2.0); 68],
        }
    }

    #[test]
    fn the_worst_are_those_not_found_then_the_largest_errors() {
        let mut results =
            vec![missing("c", Some(3.0)), missing("b", None), missing("d", Some(9.0)), missing("a", None)];
        worst_first(&mut results);
        assert_eq!(results.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["a", "b", "d", "c"]);
    }

    #[test]
    fn the_text_is_a_table() {
        let pairs = (1..=4).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let mut report = Report::new(Protocol::Detector, &[missing("a", Some(4.0)), missing("b", None)]);
        report.calibration = Calibration::from_pairs(pairs);
        report.offset = Some(Offset { right: -0.8, down: 0.04, nme68: 3.9 });
        let nonfaces = Nonfaces {
            photos: 200,
            with_faces: vec![FalseFaces { path: "sea.jpg".into(), faces: 2, best_score: 0.75 }],
        };
        let worst = vec![
            Worst { name: "b".into(), path: "b.jpg".into(), nme68: None, nme51: None },
            Worst { name: "a".into(), path: "a.jpg".into(), nme68: Some(4.0), nme51: Some(3.5) },
        ];
        let scores = |boxes, accepted| BoxScores { boxes, accepted, threshold: 0.98 };
        let boxes = Some(Boxes { random: scores(120, 1), of_faces: scores(8, 7) });
        let text = text(&Evaluation { report, nonfaces: Some(nonfaces), boxes, worst });
        for line in [
            "photos                   2",
            "faces found              1 (50.0 %)",
            "error of 68 points       4.00 %, median 4.00 %",
            "worse than 10 %          1 (50.0 %), faces not found included",
            "area under curve, 10 %   0.3000",
            "  jaw                    -",
            "all beside the labels    -0.80 % right, +0.04 % down; without that 3.90 %",
            "expected errors          4 points, rank correlation 1.000",
            "  all                       2.50 %    5.00 %   2.00",
            "  every tenth within 25 %  no, the largest deviation is 100 %",
            "boxes, face score 0.98    random: 119 of 120 rejected; of true faces: 7 of 8 kept (87.5 %)",
            "photos without a face    1 of 200 with one found",
            "    2 faces  score 0.75  sea.jpg",
            "  b                      not found not found",
            "  a                         4.00 %    3.50 %",
        ] {
            assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
        }
    }
}
