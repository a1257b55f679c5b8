//! Errors of the points, faces not found, faces found where there are none, and whether expected errors are right.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use lineament::Options;
use lineament::topology::ibug68;
use lineament_data::evaluate::metrics::{Decile, FAILURE_PERCENT, TRUTHFUL_WITHIN};
use lineament_data::evaluate::rejection::{BoxScores, RANDOM_BOXES, on_random_boxes, on_true_boxes};
use lineament_data::evaluate::{evaluate, false_faces};
use lineament_data::{FalseFaces, Offset, Protocol, Report, dataset};
use serde::Serialize;

use super::worst::{Worst, draw_all, worst_first};
use super::{EvalArgs, percent};
use crate::failure::one_line;
use crate::models::Models;
use crate::output::check_folder;
use crate::progress::Progress;
use crate::text::{counted, or_dash};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CropSource {
    /// Where the detector finds faces, as in use
    Detector,
    /// Where the true face is: measures the landmark network alone
    Truth,
}

/// All that is measured.
#[derive(Serialize)]
pub struct Accuracy {
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonfaces: Option<Nonfaces>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boxes: Option<Boxes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worst: Vec<Worst>,
}

/// Photos without faces.
#[derive(Serialize)]
struct Nonfaces {
    photos: usize,
    with_faces: Vec<FalseFaces>,
}

/// The face score on boxes that are given.
#[derive(Serialize)]
struct Boxes {
    random: BoxScores,
    of_faces: BoxScores,
}

impl Accuracy {
    /// Measures what is asked for.
    ///
    /// # Errors
    /// When something cannot be read or drawn.
    pub fn measure(args: &EvalArgs) -> Result<Self> {
        let models = Models::read(&args.models)?;
        let topology = models.topology()?;
        let samples = args.samples(&topology)?;
        let empty = photos_without_faces(args).context("--nonfaces")?;
        if let Some(folder) = &args.draw {
            check_folder(folder).context("--draw")?;
        }
        let make = || models.lineament(Options::default());
        let threads = args.threads();
        let protocol = match args.crop {
            CropSource::Detector => Protocol::Detector,
            CropSource::Truth => Protocol::TruthCrop,
        };
        let boxes = if args.boxes { RANDOM_BOXES + samples.len() } else { 0 };
        let progress = Progress::of_photos(samples.len() + empty.as_ref().map_or(0, Vec::len) + boxes);
        let advance = |_, _| progress.advance();
        let (report, mut results) = evaluate(&topology, &samples, protocol, make, threads, &advance)?;
        let (mut nonfaces, mut boxes) = (None, None);
        if let Some(photos) = &empty {
            let with_faces = false_faces(photos, make, threads, &advance)?;
            nonfaces = Some(Nonfaces { photos: photos.len(), with_faces });
            if args.boxes {
                let threshold = models.face_threshold();
                let random = on_random_boxes(photos, threshold, make, threads, &advance)?;
                boxes = Some(Boxes { random, of_faces: on_true_boxes(&samples, threshold, make, threads, &advance)? });
            }
        }
        progress.finish();
        worst_first(&mut results);
        results.truncate(args.worst.unwrap_or(0));
        if let Some(folder) = &args.draw {
            draw_all(&topology, &results, folder)?;
        }
        Ok(Self { report, nonfaces, boxes, worst: results.into_iter().map(|r| Worst::new(&topology, r)).collect() })
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let mut text = summary(&self.report) + &calibration(&self.report);
        // Writing to a String cannot fail, here and below.
        if let Some(Nonfaces { photos, with_faces }) = &self.nonfaces {
            let _ = writeln!(text, "\nphotos without faces     {photos}; a face is found in {}", with_faces.len());
            for FalseFaces { path, faces, best_score } in with_faces {
                let (faces, path) = (counted(*faces as u64, "face"), one_line(&path.display().to_string()));
                let _ = writeln!(text, "  {faces:<9}  score {best_score:.2}  {path}");
            }
        }
        if let Some(Boxes { random, of_faces }) = &self.boxes {
            let kept = 100.0 * of_faces.accepted as f64 / of_faces.boxes.max(1) as f64;
            let _ = writeln!(text, "\nboxes, face score {:.2}", random.threshold);
            let _ = writeln!(
                text,
                "  random                 {} of {} rejected",
                random.boxes - random.accepted,
                random.boxes
            );
            let _ = writeln!(
                text,
                "  of true faces          {} of {} kept ({kept:.1} %)",
                of_faces.accepted, of_faces.boxes
            );
        }
        if !self.worst.is_empty() {
            let inner = if is_ibug68(&self.report) { "     inner" } else { "" };
            let _ = writeln!(
                text,
                "\nworst photos             {:>9}{inner}",
                if is_ibug68(&self.report) { "68 points" } else { "points" }
            );
        }
        for Worst { name, nme, nme51, .. } in &self.worst {
            let error = |e: Option<f64>| if nme.is_none() { "not found".into() } else { percent(e) };
            let inner = nme51.filter(|_| is_ibug68(&self.report));
            let inner = inner.map_or(String::new(), |e| format!(" {:>9}", error(e)));
            let _ = writeln!(text, "  {:<22} {:>9}{inner}", one_line(name), error(*nme));
        }
        text
    }
}

/// The photos of --nonfaces that are asked for.
fn photos_without_faces(args: &EvalArgs) -> Result<Option<Vec<PathBuf>>> {
    let Some(folder) = &args.nonfaces else { return Ok(None) };
    let mut photos = dataset::photos_in(folder)?;
    if let Some(share) = args.holdout {
        photos.retain(|photo| dataset::is_validation(&photo.to_string_lossy(), share));
    }
    Ok(Some(photos))
}

fn is_ibug68(report: &Report) -> bool {
    report.topology == ibug68::NAME
}

/// What the mean error is over.
fn all_points(report: &Report) -> String {
    if is_ibug68(report) { "68 points".into() } else { format!("`{}` points", report.topology) }
}

fn summary(r: &Report) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<25}{value}"); // writing to a String cannot fail
    };
    row("photos", r.photos.to_string());
    match r.protocol {
        Protocol::Detector => row("faces found", format!("{} ({:.1} %)", r.found, r.found_percent)),
        Protocol::TruthCrop => row("faces found", "not searched for: the crops come from the true points".into()),
    }
    row(&format!("error of {}", all_points(r)), format!("{}, median {}", percent(r.nme), percent(r.median)));
    match is_ibug68(r) {
        true => row("error of 51 inner points", percent(r.nme51)),
        false => row("errors in percent of", format!("the {}", r.unit)),
    }
    let failures = format!("{} ({:.1} %), with the faces not found", r.failures, r.failures_percent);
    row(&format!("worse than {FAILURE_PERCENT:.0} %"), failures);
    row(&format!("area under curve, {FAILURE_PERCENT:.0} %"), format!("{:.4}", r.auc));
    for part in &r.parts {
        row(&format!("  {}", part.name), percent(part.nme));
    }
    if let Some(Offset { right, down, nme, .. }) = r.offset {
        let offset = format!("{right:+.2} % to the right, {down:+.2} % down; without it the error is {nme:.2} %");
        row("mean offset", offset);
    }
    text
}

fn calibration(report: &Report) -> String {
    let c = &report.calibration;
    let rank = or_dash(c.spearman, 3, "");
    let mut out = format!("\nexpected errors          {} points, rank correlation {rank}\n", c.points);
    out += "                          expected  measured  ratio\n";
    let mut row = |name: String, d: &Decile| {
        let ratio = or_dash(d.ratio, 2, "");
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

#[cfg(test)]
mod tests {
    use super::super::worst::tests::result;
    use super::*;
    use lineament::topology::Topology;
    use lineament_data::evaluate::metrics::Calibration;

    #[test]
    fn the_text_is_a_table() {
        let pairs = (1..=4).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let mut report =
            Report::new(&Topology::ibug68(), Protocol::Detector, &[result("a", Some(4.0)), result("b", None)]);
        report.calibration = Calibration::from_pairs(pairs);
        report.offset = Some(Offset { right: -0.8, down: 0.04, nme: 3.9, nme68: Some(3.9) });
        let nonfaces = Nonfaces {
            photos: 200,
            with_faces: vec![FalseFaces { path: "sea.jpg".into(), faces: 2, best_score: 0.75 }],
        };
        let worst = vec![
            Worst { name: "b".into(), path: "b.jpg".into(), nme: None, nme68: Some(None), nme51: Some(None) },
            Worst {
                name: "a".into(),
                path: "a.jpg".into(),
                nme: Some(4.0),
                nme68: Some(Some(4.0)),
                nme51: Some(Some(3.5)),
            },
        ];
        let scores = |boxes, accepted| BoxScores { boxes, accepted, threshold: 0.98 };
        let boxes = Some(Boxes { random: scores(120, 1), of_faces: scores(8, 7) });
        let text = Accuracy { report, nonfaces: Some(nonfaces), boxes, worst }.text();
        for line in [
            "photos                   2",
            "faces found              1 (50.0 %)",
            "error of 68 points       4.00 %, median 4.00 %",
            "worse than 10 %          1 (50.0 %), with the faces not found",
            "area under curve, 10 %   0.3000",
            "  jaw                    -",
            "mean offset              -0.80 % to the right, +0.04 % down; without it the error is 3.90 %",
            "expected errors          4 points, rank correlation 1.000",
            "  all                       2.50 %    5.00 %   2.00",
            "  every tenth within 25 %  no, the largest deviation is 100 %",
            "boxes, face score 0.98",
            "  random                 119 of 120 rejected",
            "  of true faces          7 of 8 kept (87.5 %)",
            "photos without faces     200; a face is found in 1",
            "  2 faces    score 0.75  sea.jpg",
            "  b                      not found not found",
            "  a                         4.00 %    3.50 %",
        ] {
            assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
        }
    }
}
