//! What the numbers say, in words. Every sentence follows from the results; figures within 2 % of each other
//! ([`ALIKE`]) are called alike.

mod cost;
mod learning;
mod pooling;

use std::cmp::Ordering;

use self::cost::{choice, costs, fits, frame_rates};
use self::learning::{learned_by_heart, scatter, training_part};
use self::pooling::{as_in_the_paper, order, pooling};
use super::metrics::{ACCURACY, ALIKE, LOSS, MAE, Metric, NME, Place, main_metric, places};
use super::numbers::{self, list};
use super::paper_values as paper;
use super::results::{Network, Results};

/// Sentences for [`Results::conclusion`]: whether less pooling helps, on which figures and by how much, on the
/// validation part and on each other table; what it costs; what fits a phone; which network one would choose. Fewer
/// where fewer than two networks were trained.
pub fn conclusion(results: &Results) -> Vec<String> {
    let mut networks: Vec<&Network> = results.networks.iter().collect();
    networks.sort_by_key(|network| std::cmp::Reverse(network.layers.pools));
    let places = places(results);
    let mut text = Vec::new();
    match networks[..] {
        [] => text.push("No network was trained.".to_owned()),
        [only] => {
            text.extend(places.iter().filter_map(|place| alone(only, place)));
            text.extend(scatter(&networks, places.len() > 1));
            text.extend(learned_by_heart(&networks));
            text.push(fits(&networks));
        }
        [first, .., last] => {
            if first.layers.pools > last.layers.pools {
                text.extend(places.iter().enumerate().filter_map(|(i, place)| pooling(&networks, place, i == 0)));
                text.extend(order(&networks, &places));
                text.extend(as_in_the_paper(&networks));
            }
            text.extend(scatter(&networks, places.len() > 1));
            text.extend(training_part(first, last));
            text.extend(learned_by_heart(&networks));
            text.extend(costs(first, last));
            text.extend(frame_rates(first, last, results));
            text.push(fits(&networks));
            text.extend(choice(&networks));
        }
    }
    text.extend(filters(results));
    if !networks.is_empty() {
        text.push(caveat(results));
    }
    text
}

/// The figures of a network that has no other beside it.
fn alone(network: &Network, place: &Place) -> Option<String> {
    let figures = (place.figures)(network);
    let phrase = |m: &Metric| m.of(&figures).map(|v| format!("{} {}", m.name, m.text(v)));
    let phrases: Vec<String> = [NME, MAE, LOSS, ACCURACY].iter().filter_map(phrase).collect();
    (!phrases.is_empty()).then(|| format!("On {}, {} reaches {}.", place.name, named(network), list(&phrases)))
}

/// What the study of filters adds.
fn filters(results: &Results) -> Option<String> {
    let main = main_metric(&results.filters);
    let value = |n: &Network| main.of(&n.settled());
    let best = results.filters.iter().filter(|n| value(n).is_some()).reduce(|a, b| {
        let (old, new) = (value(a).unwrap_or(f64::NAN), value(b).unwrap_or(f64::NAN));
        if main.better(old, new) == old { a } else { b }
    })?;
    let figure = main.text(value(best)?);
    let mut text = format!(
        "Of the filters and kernels that were tried, {} has the best {} on the validation part, {figure}",
        named(best),
        main.name
    );
    let basic = results.networks.iter().find(|n| paper::of(&n.layers).is_some_and(|p| p.name == "basic"));
    if let Some((basic, theirs)) = basic.and_then(|n| Some((n, value(n)?))) {
        let beside = match main.compare(value(best)?, theirs) {
            Ordering::Less => "better than",
            Ordering::Equal => "alike with",
            Ordering::Greater => "worse than",
        };
        let (size, own) = (numbers::megabytes(best.file_bytes), numbers::megabytes(basic.file_bytes));
        text += &format!(", {beside} {} with {} ({size} for {own})", named(basic), main.text(theirs));
    }
    Some(text + ".")
}

/// What stands between these numbers and a general truth.
fn caveat(results: &Results) -> String {
    let (epochs, faces) = (results.recipe.epochs, numbers::count(results.data.train as u64));
    let s = if epochs == 1 { "" } else { "s" };
    let paper = match epochs {
        paper::EPOCHS => String::new(),
        _ => format!("; the paper trained for {} epochs", paper::EPOCHS),
    };
    format!(
        "Each network was trained once, for {epochs} epoch{s} on {faces} faces{paper}: how much chance moves the \
         figures is not known, so those within {} % of each other are called alike.",
        numbers::fixed(100.0 * ALIKE, 0)
    )
}

/// In quotes: “one” is a name and a number.
fn named(network: &Network) -> String {
    format!("“{}”", network.name)
}

#[cfg(test)]
mod tests {
    use super::super::sample_results;
    use super::*;
    use crate::results::Figures;

    #[test]
    fn the_conclusion_turns_with_the_numbers() {
        let helps = sample_results::results();
        let mut hurts = helps.clone();
        let figures: Vec<_> =
            helps.networks.iter().map(|n| (n.validation, n.tests.clone(), n.history.clone())).collect();
        for (network, (validation, tests, history)) in hurts.networks.iter_mut().zip(figures.into_iter().rev()) {
            (network.validation, network.tests, network.history) = (validation, tests, history);
        }
        let (helps, hurts) = (conclusion(&helps).join("\n"), conclusion(&hurts).join("\n"));
        for (text, expected) in [
            (&helps, "on the validation part: from “basic” (3 pooling layers) to “one” (1 pooling layer) NME falls"),
            (&helps, "Less pooling helps on 300W"),
            (&helps, "here it goes the same way"),
            (&helps, "For an app of 100 MB one would take “basic”: the only one that fits"),
            (&helps, "without that limit “one” ("),
            (&helps, "“basic” fits a compressed asset of 68 MB; the same goes for an app package of 100 MB"),
            (&helps, "the paper trained for 300 epochs"),
            (&hurts, "Less pooling hurts on the validation part"),
            (&hurts, "here it goes the other way"),
            (&hurts, "without that limit the same"),
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }

    #[test]
    fn the_median_of_the_last_epochs_counts() {
        let mut results = sample_results::results();
        let worst = results.networks[0].history[0].validation;
        let last = results.networks[2].history.last_mut().unwrap();
        last.validation = worst;
        results.networks[2].validation = worst;
        let text = conclusion(&results).join("\n");
        assert!(text.contains("Less pooling helps on the validation part"), "{text}");
        assert!(text.contains("medians of the last 10 epochs, in which NME went from “basic” 2."), "{text}");
    }

    #[test]
    fn small_differences_are_not_called_any() {
        let mut results = sample_results::results();
        let first = results.networks[0].validation;
        for (i, network) in results.networks.iter_mut().enumerate() {
            let near = |v: f64| v * (1.0 - 0.005 * i as f64);
            let (loss, mae) = (near(first.loss), near(first.mae));
            network.validation = Figures { loss, mae, accuracy: first.accuracy, nme: first.nme.map(near) };
            network.history.iter_mut().for_each(|epoch| epoch.validation = network.validation);
        }
        let text = conclusion(&results).join("\n");
        assert!(text.contains("Less pooling changes nothing that counts on the validation part"), "{text}");
        assert!(text.contains("NME stays within 2 %"), "{text}");
        assert!(text.contains("without that limit the same"), "{text}");
        assert!(text.contains("more is learned by heart"), "{text}");
    }

    #[test]
    fn tables_that_disagree_are_named() {
        let mut results = sample_results::results();
        let turned: Vec<_> = results.networks.iter().rev().map(|n| n.tests.clone()).collect();
        for (network, tests) in results.networks.iter_mut().zip(turned) {
            network.tests = tests;
        }
        let text = conclusion(&results).join("\n");
        let wanted =
            "the order is not the same everywhere: “two” is better than “basic” on the validation part, worse on 300W";
        assert!(text.contains(wanted), "{text}");
    }

    #[test]
    fn a_curve_that_turns_up_is_overfitting() {
        let mut results = sample_results::results();
        for epoch in &mut results.networks[2].history {
            epoch.validation.mae = 1.0 + 0.002 * (epoch.epoch as f64 - 20.0).powi(2);
        }
        let text = conclusion(&results).join("\n");
        assert!(text.contains("(“one”: validation MAE was lowest about epoch 20, 1.00"), "{text}");
    }

    #[test]
    fn odd_results_have_a_conclusion_too() {
        let mut none = sample_results::results();
        none.networks.clear();
        assert_eq!(conclusion(&none), ["No network was trained."]);
        let mut single = sample_results::results();
        single.networks.truncate(1);
        let text = conclusion(&single).join("\n");
        assert!(text.contains("On the validation part, “basic” reaches NME"), "{text}");
        assert!(!text.contains("pooling"), "{text}");
        let mut broken = sample_results::results();
        for network in &mut broken.networks {
            let nan = f64::NAN;
            network.validation = Figures { loss: nan, mae: nan, accuracy: nan, nme: None };
            (network.run_ms, network.seconds_per_epoch) = (nan, 0.0);
            network.tests.clear();
            network.history.clear();
        }
        let text = conclusion(&broken).join("\n");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn the_study_of_filters_is_set_beside_basic() {
        let mut results = sample_results::results();
        results.filters = sample_results::filters();
        let text = conclusion(&results).join("\n");
        assert!(text.contains("“64-64-128 filters” has the best NME on the validation part"), "{text}");
        assert!(text.contains("better than “basic” with"), "{text}");
    }
}
