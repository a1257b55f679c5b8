//! What the networks cost on a phone, and which one would take.

use std::cmp::Ordering;

use super::named;
use crate::metrics::main_metric;
use crate::numbers::{self, list};
use crate::paper_values as paper;
use crate::results::{FRAME_SIZE, FrameRate, Network, Results};

/// What less pooling costs.
pub(super) fn costs(first: &Network, last: &Network) -> Option<String> {
    let ratio = |from: f64, to: f64| (from > 0.0 && to.is_finite()).then(|| numbers::times(from, to));
    let mut parts = Vec::new();
    if let Some(times) = ratio(first.file_bytes as f64, last.file_bytes as f64) {
        let (from, to) = (numbers::megabytes(first.file_bytes), numbers::megabytes(last.file_bytes));
        parts.push(format!("the file is {times} as large ({to} for {from})"));
    }
    if let Some(times) = ratio(first.multiply_adds as f64, last.multiply_adds as f64) {
        parts.push(format!("running takes {times} the multiply-adds"));
    }
    if let Some(times) = ratio(first.run_ms, last.run_ms) {
        parts.push(format!("{times} the time on a crop"));
    }
    if let Some(times) = ratio(first.seconds_per_epoch, last.seconds_per_epoch) {
        parts.push(format!("an epoch of training takes {times} as long"));
    }
    (!parts.is_empty()).then(|| format!("What {} costs beside {}: {}.", named(last), named(first), list(&parts)))
}

/// Frame rates behind each detector.
pub(super) fn frame_rates(first: &Network, last: &Network, results: &Results) -> Option<String> {
    let phrase = |detector: &FrameRate| {
        let behind = |n: &Network| n.frame_rates.iter().find(|r| r.detector == detector.detector).map(|r| r.frame_ms);
        let frame_ms = [behind(first)?, behind(last)?, detector.frame_ms];
        let [from, to, without] = frame_ms.map(numbers::frames_per_second);
        let (name, first, last) = (&detector.detector, named(first), named(last));
        Some(format!(
            "with the detector “{name}” {from} a second with {first}, {to} with {last} and {without} without a network"
        ))
    };
    let phrases: Vec<String> = results.detectors.iter().filter_map(phrase).collect();
    let (width, height) = FRAME_SIZE;
    let phrases = (!phrases.is_empty()).then(|| phrases.join("; "))?;
    Some(format!("Frames of {width}x{height} on one thread: {phrases}."))
}

/// Which files stay below the limits.
pub(super) fn fits(networks: &[&Network]) -> String {
    let below = |limit: u64| {
        let names: Vec<String> = networks.iter().filter(|n| n.file_bytes <= limit).map(|n| named(n)).collect();
        match &names[..] {
            [] => "no network fits".to_owned(),
            [one] => format!("{one} fits"),
            all => format!("{} fit", list(all)),
        }
    };
    let (asset, package) = (below(paper::ASSET_LIMIT), below(paper::PACKAGE_LIMIT));
    let package = if asset == package { "the same goes for".to_owned() } else { package };
    format!("As a file of 32-bit weights, {asset} a compressed asset of 68 MB; {package} an app package of 100 MB.")
}

/// Which network one would take: the best by the main figure among those that fit an app package; of networks alike the
/// one with the smallest file.
pub(super) fn choice(networks: &[&Network]) -> Option<String> {
    let main = main_metric(networks.iter().copied());
    let value = |n: &Network| main.of(&n.settled());
    let pick = |limit: u64| {
        let fitting = || networks.iter().copied().filter(|n| n.file_bytes <= limit && value(n).is_some());
        let best = fitting().filter_map(value).reduce(|a, b| main.better(a, b))?;
        let alike = || fitting().filter(|n| value(n).is_some_and(|v| main.compare(v, best) == Ordering::Equal));
        let chosen = alike().min_by_key(|n| n.file_bytes)?;
        Some((chosen, alike().count(), fitting().count()))
    };
    let figure = |n: &Network| format!("{} {}", main.name, value(n).map_or(numbers::NONE.to_owned(), |v| main.text(v)));
    let limit = paper::PACKAGE_LIMIT;
    let fitting = match pick(limit) {
        None => format!("No network fits {} MB", limit / 1_000_000),
        Some((chosen, alike, fitting)) => {
            let why = match (alike, fitting) {
                (_, 1) => "the only one that fits",
                (1, _) => "the best of those that fit",
                _ => "the smallest of those that fit and are within 2 % of the best",
            };
            format!(
                "For an app of {} MB one would take {}: {why}, {} on the validation part",
                limit / 1_000_000,
                named(chosen),
                figure(chosen)
            )
        }
    };
    let (any, alike, _) = pick(u64::MAX)?;
    let whatever = match pick(limit) {
        Some((chosen, ..)) if std::ptr::eq(chosen, any) => "without that limit the same".to_owned(),
        _ if alike > 1 => {
            format!("without that limit {}, the smallest of those within 2 % of the best ({})", named(any), figure(any))
        }
        _ => format!("without that limit {} ({})", named(any), figure(any)),
    };
    Some(format!("{fitting}; {whatever}. {}", paper::RECOMMENDATION))
}
