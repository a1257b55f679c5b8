//! Whether less pooling helps, where, and whether as in the paper.

use std::cmp::Ordering;

use super::named;
use crate::metrics::{ACCURACY, LOSS, MAE, Metric, NME, Place, main_metric};
use crate::numbers::{self, list};
use crate::paper_values as paper;
use crate::results::Network;

/// Whether less pooling helps in one place: from the network with most pooling to that with least. In full on the
/// validation part, by the main figure and the accuracy elsewhere.
pub(super) fn pooling(networks: &[&Network], place: &Place, full: bool) -> Option<String> {
    let (first, last) = (networks[0], networks[networks.len() - 1]);
    let (from, to) = ((place.figures)(first), (place.figures)(last));
    let main = main_metric(networks.iter().copied());
    let measures = if full { vec![&NME, &MAE, &LOSS, &ACCURACY] } else { vec![main, &ACCURACY] };
    let both = |m: &&'static Metric| Some((*m, m.of(&from)?, m.of(&to)?));
    let found: Vec<(&Metric, f64, f64)> = measures.iter().filter_map(both).collect();
    if found.is_empty() {
        return None;
    }
    let any = |wanted: Ordering| found.iter().any(|(m, from, to)| m.compare(*to, *from) == wanted);
    let verdict = match (any(Ordering::Less), any(Ordering::Greater)) {
        (true, false) => "Less pooling helps",
        (false, true) => "Less pooling hurts",
        (true, true) => "Less pooling helps some figures and hurts others",
        (false, false) => "Less pooling changes nothing that counts",
    };
    let between = match full {
        true => format!(" from {} ({}) to {} ({})", named(first), pools(first), named(last), pools(last)),
        false => String::new(),
    };
    let changes: Vec<String> = found.iter().map(|(m, from, to)| m.change(*from, *to)).collect();
    let step = if full { steps(networks, place, main) } else { None };
    let step = step.map_or(String::new(), |step| format!(" {step}"));
    Some(format!("{verdict} on {}:{between} {}.{step}", place.name, list(&changes)))
}

/// Which step of removing a pooling layer brings most, or that a network between the ends is best.
fn steps(networks: &[&Network], place: &Place, main: &Metric) -> Option<String> {
    let values: Option<Vec<f64>> = networks.iter().map(|n| main.of(&(place.figures)(n))).collect();
    let values = values.filter(|v| v.len() > 2)?;
    let (from, to) = (values[0], values[values.len() - 1]);
    let best = values[1..values.len() - 1].iter().copied().reduce(|a, b| main.better(a, b))?;
    if main.compare(best, from) == Ordering::Less && main.compare(best, to) == Ordering::Less {
        let network = networks[values.iter().position(|v| *v == best)?];
        return Some(format!("Best there is {} between the two: {} {}.", named(network), main.name, main.text(best)));
    }
    let shares: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]) / (to - from)).collect();
    if main.compare(from, to) == Ordering::Equal || shares.iter().any(|share| *share < 0.0) {
        return None;
    }
    let (step, share) = shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (a, b, percent) = (named(networks[step]), named(networks[step + 1]), numbers::fixed(100.0 * share, 0));
    Some(format!("The step from {a} to {b} brings {percent} % of that change in {}.", main.name))
}

/// Whether the networks come in the same order everywhere.
pub(super) fn order(networks: &[&Network], places: &[Place]) -> Option<String> {
    let (validation, tests) = places.split_first()?;
    if tests.is_empty() {
        return None;
    }
    let main = main_metric(networks.iter().copied());
    let compare = |place: &Place, a: &Network, b: &Network| {
        let value = |network| main.of(&(place.figures)(network));
        Some(main.compare(value(a)?, value(b)?))
    };
    let mut conflicts = Vec::new();
    let mut same = true;
    for (i, a) in networks.iter().enumerate() {
        for b in &networks[i + 1..] {
            let here = compare(validation, a, b)?;
            for place in tests {
                let there = compare(place, a, b)?;
                same &= here == there;
                if here != Ordering::Equal && here == there.reverse() {
                    let (better, worse) = if here == Ordering::Less { (a, b) } else { (b, a) };
                    conflicts.push(format!(
                        "{} is better than {} on {}, worse on {}",
                        named(better),
                        named(worse),
                        validation.name,
                        place.name
                    ));
                }
            }
        }
    }
    let measure = main.name;
    Some(match (same, &conflicts[..]) {
        (true, _) => format!("By {measure} the networks come in the same order on every table."),
        (false, []) => {
            format!(
                "By {measure} no table turns the order around, though differences that count on one do not on another."
            )
        }
        (false, conflicts) => format!("By {measure} the order is not the same everywhere: {}.", conflicts.join("; ")),
    })
}

/// Whether the accuracy moves with pooling as in the paper's table 1.
pub(super) fn as_in_the_paper(networks: &[&Network]) -> Option<String> {
    let known = |n: &&Network| Some((paper::of(&n.layers)?, ACCURACY.of(&n.settled())?));
    let known: Vec<(&paper::PaperNetwork, f64)> = networks.iter().filter_map(known).collect();
    let [(first, from), .., (last, to)] = known[..] else { return None };
    // Directions only: the paper's own step from `basic` to `two` is within what counts as alike here.
    let theirs = first.accuracy.total_cmp(&last.accuracy);
    let paper = format!(
        "In the paper accuracy goes from {} (“{}”) to {} (“{}”)",
        first.accuracy, first.name, last.accuracy, last.name
    );
    let ours = match ACCURACY.compare(to, from) {
        ours if ours == theirs => "here it goes the same way",
        Ordering::Equal => "here it does not move by more than 2 %",
        Ordering::Less | Ordering::Greater => "here it goes the other way",
    };
    Some(format!("{paper}; {ours}, from {} to {}.", ACCURACY.text(from), ACCURACY.text(to)))
}

fn pools(network: &Network) -> String {
    match network.layers.pools {
        0 => "no pooling layers".to_owned(),
        1 => "1 pooling layer".to_owned(),
        n => format!("{n} pooling layers"),
    }
}
