//! The tables of the report.

use std::cmp::Ordering;

use super::markup::{Cell, Row, Table};
use crate::experiment::measure::{ACCURACY, LOSS, MAE, Measure, NME, places};
use crate::experiment::numbers::{self, NONE};
use crate::experiment::paper_values as paper;
use crate::experiment::results::{FRAME_SIZE, Network, Results};

/// Table 1: accuracy and loss beside the paper's, and the figures that it lacks.
pub fn figures(results: &Results) -> Table {
    let networks = &results.networks;
    let last = |m: &Measure, n: &Network| n.history.last().and_then(|epoch| m.of(&epoch.training));
    let places = places(results);
    let mut rows = vec![Row::ours("Max-pooling layers", networks.iter().map(|n| n.layers.pools.to_string()))];
    let blocks: [(&Measure, &str, Option<fn(&paper::PaperNetwork) -> f64>); 4] = [
        (&ACCURACY, "Accuracy: share of coordinates right to the whole pixel", Some(|p| p.accuracy)),
        (&LOSS, "Loss: RMSE, pixels of the 96x96 crop", Some(|p| p.loss)),
        (&MAE, "MAE: mean absolute error, pixels of the crop", None),
        (&NME, "NME: mean distance, % of that of the outer eye corners", None),
    ];
    for (measure, title, theirs) in blocks {
        rows.push(Row::Group(title.to_owned()));
        if let Some(theirs) = theirs {
            let value = |n: &Network| paper::of(&n.layers).map_or(NONE.to_owned(), |p| numbers::fixed(theirs(p), 2));
            let unit = if measure.unit.is_empty() { "" } else { ", its unit unknown" };
            rows.push(Row::paper(format!("the paper, MORPH{unit}"), networks.iter().map(value)));
        }
        let training = networks.iter().map(|n| last(measure, n)).collect();
        rows.push(values("training part, last epoch", measure, training));
        for (i, place) in places.iter().enumerate() {
            let name = if i == 0 { "validation part" } else { place.name.as_str() };
            let found = networks.iter().map(|n| measure.of(&(place.figures)(n))).collect();
            rows.push(values(name, measure, found));
        }
    }
    Table { caption: "Accuracy and loss, as in the paper's table 1".to_owned(), columns: columns(networks), rows }
}

/// Table 2: size of the file, size of the image before the fully connected layers, frames per second.
pub fn sizes(results: &Results) -> Table {
    let networks = &results.networks;
    // The last column is the detector's.
    let with_last = |cells: &dyn Fn(&Network) -> String, last: &str| -> Vec<String> {
        networks.iter().map(cells).chain([last.to_owned()]).collect()
    };
    let theirs = |text: &dyn Fn(&paper::PaperNetwork) -> String, last: &str| {
        with_last(&|n| paper::of(&n.layers).map_or(NONE.to_owned(), text), last)
    };
    let fits = |limit: u64| with_last(&|n| (if n.file_bytes <= limit { "yes" } else { "no" }).to_owned(), NONE);
    let (width, height) = FRAME_SIZE;
    let frame = format!("{width}×{height}");
    let mut rows = vec![
        Row::Group("File: structure and weights".to_owned()),
        Row::paper("the paper", theirs(&|p| p.file_size.to_owned(), paper::DETECTOR_FILE_SIZE)),
        Row::ours("here, 1 MB = 1,000,000 bytes", with_last(&|n| numbers::megabytes(n.file_bytes), NONE)),
        Row::ours("here, as the paper may count", with_last(&|n| numbers::binary_sizes(n.file_bytes), NONE)),
        Row::ours(
            "here ÷ the paper",
            with_last(
                &|n| {
                    let ratio = paper::of(&n.layers).map(|p| n.file_bytes as f64 / p.file_bytes);
                    ratio.map_or(NONE.to_owned(), |ratio| numbers::fixed(ratio, 3))
                },
                NONE,
            ),
        ),
        Row::ours("fits a compressed asset, 68 MB", fits(paper::ASSET_LIMIT)),
        Row::ours("fits an app package, 100 MB", fits(paper::PACKAGE_LIMIT)),
        Row::Group("Image before the fully connected layers".to_owned()),
        Row::paper("the paper, nominal", theirs(&|p| format!("{0}×{0}", p.image_side), &frame)),
        Row::ours("here", with_last(&|n| last_map(n), &frame)),
        Row::Group(format!("Frames per second, {frame}")),
        Row::paper(
            format!("the paper, {}", paper::PHONE),
            theirs(
                &|p| p.fps.map_or("N/A".to_owned(), |fps| numbers::fixed(fps, 0)),
                &numbers::fixed(paper::DETECTOR_FPS, 0),
            ),
        ),
    ];
    for detector in &results.detectors {
        let rate = |n: &Network| {
            let found = n.frame_rates.iter().find(|rate| rate.detector == detector.detector);
            found.map_or(NONE.to_owned(), |rate| numbers::frames_per_second(rate.frame_ms))
        };
        let name = format!("here, one thread, {}", detector.detector);
        rows.push(Row::ours(name, with_last(&rate, &numbers::frames_per_second(detector.frame_ms))));
    }
    rows.extend([
        Row::Group("To run it once".to_owned()),
        Row::ours("milliseconds on a crop, one thread", with_last(&|n| numbers::significant(n.run_ms, 3), NONE)),
        Row::ours("learned numbers", with_last(&|n| numbers::count(n.parameters as u64), NONE)),
        Row::ours("multiply-adds", with_last(&|n| numbers::large(n.multiply_adds), NONE)),
        Row::ours("outputs of all layers", with_last(&|n| numbers::megabytes(n.activation_bytes), NONE)),
    ]);
    let mut columns = columns(networks);
    columns.push(("detector only".to_owned(), "no network".to_owned()));
    Table { caption: "Size and speed, as in the paper's table 2".to_owned(), columns, rows }
}

/// Time and memory of training.
pub fn training(results: &Results) -> Table {
    let networks = &results.networks;
    let first = networks.first().map_or(f64::NAN, |n| n.seconds_per_epoch);
    let whole = |n: &Network| numbers::duration(n.seconds_per_epoch * n.history.len() as f64);
    let rows = vec![
        Row::ours("an epoch, median", networks.iter().map(|n| numbers::duration(n.seconds_per_epoch))),
        Row::ours(
            "times that of the first",
            networks.iter().map(|n| numbers::significant(n.seconds_per_epoch / first, 3)),
        ),
        Row::ours("all epochs", networks.iter().map(whole)),
        Row::ours("multiply-adds to run once", networks.iter().map(|n| numbers::large(n.multiply_adds))),
        Row::ours("memory, forecast", networks.iter().map(|n| numbers::megabytes(n.training_bytes))),
    ];
    Table { caption: "Training time against pooling".to_owned(), columns: columns(networks), rows }
}

/// The study of filters: a row for each variant, the network of the paper with the same pooling first.
pub fn filters(results: &Results) -> Table {
    let heads = [
        ("filters", ""),
        ("kernels", ""),
        ("learned numbers", ""),
        ("file", ""),
        ("multiply-adds", ""),
        ("epoch", "median"),
        ("crop", "ms"),
        ("accuracy", "validation"),
        ("loss", "px"),
        ("MAE", "px"),
        ("NME", "%"),
    ];
    let row = |n: &Network| {
        let sides = |sides: [usize; 3], by: &str| sides.map(|s| s.to_string()).join(by);
        let figures = [ACCURACY, LOSS, MAE, NME].map(|m| m.of(&n.validation).map_or(NONE.to_owned(), |v| m.number(v)));
        let cells = [
            sides(n.layers.filters, ", "),
            sides(n.layers.kernels, ", "),
            numbers::count(n.parameters as u64),
            numbers::megabytes(n.file_bytes),
            numbers::large(n.multiply_adds),
            numbers::duration(n.seconds_per_epoch),
            numbers::significant(n.run_ms, 3),
        ];
        Row::ours(n.name.clone(), cells.into_iter().chain(figures))
    };
    Table {
        caption: "Filters and kernels".to_owned(),
        columns: heads.map(|(name, note)| (name.to_owned(), note.to_owned())).into(),
        rows: studied(results).map(row).collect(),
    }
}

/// The variants of the study of filters, after the paper's basic network that they vary.
pub fn studied(results: &Results) -> impl Iterator<Item = &Network> {
    let basic = results.networks.iter().find(|n| paper::of(&n.layers).is_some_and(|p| p.pools == 3));
    basic.into_iter().chain(&results.filters)
}

fn columns(networks: &[Network]) -> Vec<(String, String)> {
    let title = |n: &Network| paper::of(&n.layers).map_or("not in the paper", |p| p.title).to_owned();
    networks.iter().map(|n| (n.name.clone(), title(n))).collect()
}

fn last_map(network: &Network) -> String {
    network.feature_maps.last().map_or(NONE.to_owned(), |[height, width, _]| format!("{width}×{height}"))
}

/// A row of figures: bold is the best and all within 2 % of it, unless that is all of them.
fn values(name: &str, measure: &Measure, values: Vec<Option<f64>>) -> Row {
    let best = values.iter().flatten().copied().reduce(|a, b| measure.better(a, b));
    let near = |v: f64| best.is_some_and(|best| measure.compare(v, best) == Ordering::Equal);
    let some_are_worse = values.iter().flatten().any(|v| !near(*v));
    let cell = |value: Option<f64>| match value {
        Some(v) => Cell { text: measure.number(v), best: some_are_worse && near(v) },
        None => Cell { text: NONE.to_owned(), best: false },
    };
    Row::Cells { name: name.to_owned(), paper: false, cells: values.into_iter().map(cell).collect() }
}
