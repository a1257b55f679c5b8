//! What the numbers say, in words. Every sentence follows from the results; figures within 2 % of each other
//! ([`ALIKE`]) are called alike.

use std::cmp::Ordering;

use super::measure::{ACCURACY, ALIKE, LOSS, MAE, Measure, NME, Place, main_measure, places};
use super::numbers::{self, list};
use super::paper_values as paper;
use super::results::{Epoch, FRAME_SIZE, Figures, FrameRate, Network, Results, SETTLED};

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
    let phrase = |m: &Measure| m.of(&figures).map(|v| format!("{} {}", m.name, m.text(v)));
    let phrases: Vec<String> = [NME, MAE, LOSS, ACCURACY].iter().filter_map(phrase).collect();
    (!phrases.is_empty()).then(|| format!("On {}, {} reaches {}.", place.name, named(network), list(&phrases)))
}

/// Whether less pooling helps in one place: from the network with most pooling to that with least. In full on the
/// validation part, by the main figure and the accuracy elsewhere.
fn pooling(networks: &[&Network], place: &Place, full: bool) -> Option<String> {
    let (first, last) = (networks[0], networks[networks.len() - 1]);
    let (from, to) = ((place.figures)(first), (place.figures)(last));
    let main = main_measure(networks.iter().copied());
    let measures = if full { vec![&NME, &MAE, &LOSS, &ACCURACY] } else { vec![main, &ACCURACY] };
    let both = |m: &&'static Measure| Some((*m, m.of(&from)?, m.of(&to)?));
    let found: Vec<(&Measure, f64, f64)> = measures.iter().filter_map(both).collect();
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
fn steps(networks: &[&Network], place: &Place, main: &Measure) -> Option<String> {
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
fn order(networks: &[&Network], places: &[Place]) -> Option<String> {
    let (validation, tests) = places.split_first()?;
    if tests.is_empty() {
        return None;
    }
    let main = main_measure(networks.iter().copied());
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
fn as_in_the_paper(networks: &[&Network]) -> Option<String> {
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

/// Whether the part that is learned from gains where the validation part does not.
fn training_part(first: &Network, last: &Network) -> Option<String> {
    let training = |n: &Network| n.settled_training().and_then(|figures| MAE.of(&figures));
    let (from, to) = (training(first)?, training(last)?);
    let (held_from, held_to) = (MAE.of(&first.settled())?, MAE.of(&last.settled())?);
    let gains = |from, to| MAE.compare(to, from) == Ordering::Less;
    if gains(from, to) && !gains(held_from, held_to) {
        let change = MAE.change(from, to);
        return Some(format!(
            "On the part that is learned from {change}, on the validation part it does not: with less pooling more is \
             learned by heart."
        ));
    }
    let (gap_from, gap_to) = (held_from / from, held_to / to);
    let more = match MAE.compare(gap_from, gap_to) {
        Ordering::Less => "more",
        Ordering::Greater => "less",
        Ordering::Equal => return None,
    };
    let [a, b] = [gap_from, gap_to].map(|gap| numbers::fixed(gap, 2));
    Some(format!(
        "The validation MAE is {a} times that of the training part with {}, {b} times with {}: with less pooling \
         {more} is learned by heart.",
        named(first),
        named(last)
    ))
}

/// How much the last epochs differ, which is why their median is taken.
fn scatter(networks: &[&Network], has_tests: bool) -> Option<String> {
    let main = main_measure(networks.iter().copied());
    let range = |n: &&Network| {
        let values: Option<Vec<f64>> = n.last_epochs()?.iter().map(|e| main.of(&e.validation)).collect();
        let values = values?;
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        Some(format!("{} {} to {}", named(n), main.number(low), main.text(high)))
    };
    let ranges: Vec<String> = networks.iter().filter_map(range).collect();
    let tests =
        if has_tests { " Other tables were measured with the last epoch’s file and scatter as much." } else { "" };
    (!ranges.is_empty()).then(|| {
        format!(
            "Figures of the validation part are medians of the last {SETTLED} epochs, in which {} went from {}.{tests}",
            main.name,
            list(&ranges)
        )
    })
}

/// Which networks overfit: the validation part grows worse while the training part still improves. Over means of a
/// tenth of the epochs, as single epochs jump; none with fewer than 20 epochs.
fn learned_by_heart(networks: &[&Network]) -> Option<String> {
    let found: Vec<String> =
        networks.iter().filter_map(|n| overfits(&n.history).map(|t| format!("{}: {t}", named(n)))).collect();
    (!found.is_empty()).then(|| format!("Training longer does not help any more ({}).", found.join("; ")))
}

fn overfits(history: &[Epoch]) -> Option<String> {
    if history.len() < 20 {
        return None;
    }
    let window = history.len() / 10;
    let means = |part: fn(&Epoch) -> &Figures| -> Option<Vec<f64>> {
        let values: Option<Vec<f64>> = history.iter().map(|epoch| MAE.of(part(epoch))).collect();
        Some(values?.windows(window).map(|w| w.iter().sum::<f64>() / window as f64).collect())
    };
    let (training, validation) = (means(|e| &e.training)?, means(|e| &e.validation)?);
    let best = validation.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?.0;
    let end = validation.len() - 1;
    let (worse, better) = (
        MAE.compare(validation[best], validation[end]) == Ordering::Less,
        MAE.compare(training[end], training[best]) == Ordering::Less,
    );
    (worse && better).then(|| {
        format!(
            "validation MAE was lowest about epoch {}, {} px, and ends at {} px, while that of the training part fell \
             on",
            history[best + window / 2].epoch,
            MAE.number(validation[best]),
            MAE.number(validation[end])
        )
    })
}

/// What less pooling costs.
fn costs(first: &Network, last: &Network) -> Option<String> {
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
fn frame_rates(first: &Network, last: &Network, results: &Results) -> Option<String> {
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
fn fits(networks: &[&Network]) -> String {
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
fn choice(networks: &[&Network]) -> Option<String> {
    let main = main_measure(networks.iter().copied());
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

/// What the study of filters adds.
fn filters(results: &Results) -> Option<String> {
    let main = main_measure(&results.filters);
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

fn pools(network: &Network) -> String {
    match network.layers.pools {
        0 => "no pooling layers".to_owned(),
        1 => "1 pooling layer".to_owned(),
        n => format!("{n} pooling layers"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;

    #[test]
    fn the_conclusion_turns_with_the_numbers() {
        let helps = made_up::results();
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
        let mut results = made_up::results();
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
        let mut results = made_up::results();
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
        let mut results = made_up::results();
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
        let mut results = made_up::results();
        for epoch in &mut results.networks[2].history {
            epoch.validation.mae = 1.0 + 0.002 * (epoch.epoch as f64 - 20.0).powi(2);
        }
        let text = conclusion(&results).join("\n");
        assert!(text.contains("(“one”: validation MAE was lowest about epoch 20, 1.00"), "{text}");
    }

    #[test]
    fn odd_results_have_a_conclusion_too() {
        let mut none = made_up::results();
        none.networks.clear();
        assert_eq!(conclusion(&none), ["No network was trained."]);
        let mut single = made_up::results();
        single.networks.truncate(1);
        let text = conclusion(&single).join("\n");
        assert!(text.contains("On the validation part, “basic” reaches NME"), "{text}");
        assert!(!text.contains("pooling"), "{text}");
        let mut broken = made_up::results();
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
        let mut results = made_up::results();
        results.filters = made_up::filters();
        let text = conclusion(&results).join("\n");
        assert!(text.contains("“64-64-128 filters” has the best NME on the validation part"), "{text}");
        assert!(text.contains("better than “basic” with"), "{text}");
    }
}
