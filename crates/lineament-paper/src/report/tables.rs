//! The tables of the report.

use std::cmp::Ordering;

use super::markup::{Cell, Row, Table};
use crate::metrics::{ACCURACY, LOSS, MAE, Metric, NME, places};
use crate::numbers::{self, NONE};
use crate::paper_values as paper;
use crate::results::{FRAME_SIZE, Network, Results};

/// Table 1: accuracy and loss beside the paper's, and the figures that it lacks.
pub fn figures(results: &Results) -> Table {
    let networks = &results.networks;
    let last = |m: &Metric, n: &Network| n.history.last().and_then(|epoch| m.of(&epoch.training));
    let places = places(results);
    let mut rows = vec![Row::ours("Max-pooling layers", networks.iter().map(|n| n.layers.pools.to_string()))];
    type Theirs = fn(&paper::PaperNetwork) -> f64;
    let blocks: [(&Metric, &str, Option<Theirs>); 4] = [
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
            let name = if i == 0 { "validation part, median of the last epochs" } else { place.name.as_str() };
            let found = networks.iter().map(|n| measure.of(&(place.figures)(n))).collect();
            rows.push(values(name, measure, found));
            if i == 0 {
                let file = networks.iter().map(|n| measure.of(&n.validation)).collect();
                rows.push(values("validation part, last epoch", measure, file));
            }
        }
    }
    Table { caption: "Table 1 of the paper, and ours".to_owned(), columns: columns(networks), rows }
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
        Row::ours("here, KiB", with_last(&|n| numbers::count(n.file_bytes.div_ceil(1024)), NONE)),
        Row::ours("here, MiB", with_last(&|n| numbers::significant(n.file_bytes as f64 / 1_048_576.0, 3), NONE)),
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
        Row::ours("here, behind each convolution", with_last(&|n| maps(n), NONE)),
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
    Table { caption: "Table 2 of the paper, and ours".to_owned(), columns, rows }
}

/// Time and memory of training.
pub fn training(results: &Results) -> Table {
    let networks = &results.networks;
    let first = networks.first().map_or(f64::NAN, |n| n.seconds_per_epoch);
    let whole = |n: &Network| numbers::duration(n.seconds_per_epoch * n.history.len() as f64);
    let rows = vec![
        Row::ours("the fastest epoch", networks.iter().map(|n| numbers::duration(n.seconds_per_epoch))),
        Row::ours(
            "times that of the first",
            networks.iter().map(|n| numbers::significant(n.seconds_per_epoch / first, 3)),
        ),
        Row::ours("all epochs at that pace", networks.iter().map(whole)),
        Row::ours("multiply-adds to run once", networks.iter().map(|n| numbers::large(n.multiply_adds))),
        Row::ours("memory, forecast", networks.iter().map(|n| numbers::megabytes(n.training_bytes))),
    ];
    Table { caption: "Time and memory of training".to_owned(), columns: columns(networks), rows }
}

/// The study of filters, the network of the paper that they vary first.
pub fn filters(results: &Results) -> Table {
    let networks: Vec<&Network> = studied(results).collect();
    let three = |sides: [usize; 3]| sides.map(|side| side.to_string()).join(", ");
    let row = |name: &str, cell: &dyn Fn(&Network) -> String| Row::ours(name, networks.iter().map(|n| cell(n)));
    let mut rows = vec![
        row("filters", &|n| three(n.layers.filters)),
        row("sides of the kernels", &|n| three(n.layers.kernels)),
        row("learned numbers", &|n| numbers::count(n.parameters as u64)),
        row("file", &|n| numbers::megabytes(n.file_bytes)),
        row("multiply-adds", &|n| numbers::large(n.multiply_adds)),
        row("milliseconds on a crop, one thread", &|n| numbers::significant(n.run_ms, 3)),
        row("the fastest epoch of training", &|n| numbers::duration(n.seconds_per_epoch)),
        Row::Group("On the validation part".to_owned()),
    ];
    for measure in [&ACCURACY, &LOSS, &MAE, &NME] {
        let name = if measure.unit.is_empty() {
            measure.name.to_owned()
        } else {
            format!("{}, {}", measure.name, measure.unit)
        };
        rows.push(values(&name, measure, networks.iter().map(|n| measure.of(&n.settled())).collect()));
    }
    let columns = networks.iter().map(|n| (n.name.clone(), String::new())).collect();
    Table { caption: "Networks with other filters and kernels".to_owned(), columns, rows }
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
    network.feature_maps.last().map_or(NONE.to_owned(), side_by_side)
}

fn maps(network: &Network) -> String {
    let maps: Vec<String> = network.feature_maps.iter().map(side_by_side).collect();
    if maps.is_empty() { NONE.to_owned() } else { maps.join(", ") }
}

fn side_by_side([height, width, _]: &[usize; 3]) -> String {
    format!("{width}×{height}")
}

/// A row of figures: bold is the best and all within 2 % of it, unless that is all of them.
fn values(name: &str, measure: &Metric, values: Vec<Option<f64>>) -> Row {
    let best = values.iter().flatten().copied().reduce(|a, b| measure.better(a, b));
    let near = |v: f64| best.is_some_and(|best| measure.compare(v, best) == Ordering::Equal);
    let some_are_worse = values.iter().flatten().any(|v| !near(*v));
    let cell = |value: Option<f64>| match value {
        Some(v) => Cell { text: measure.number(v), best: some_are_worse && near(v) },
        None => Cell { text: NONE.to_owned(), best: false },
    };
    Row::Cells { name: name.to_owned(), paper: false, cells: values.into_iter().map(cell).collect() }
}
