//! How the networks learned: the scatter of their last epochs, and what they learned by heart.

use std::cmp::Ordering;

use super::named;
use crate::metrics::{MAE, main_metric};
use crate::numbers::{self, list};
use crate::results::{Epoch, Figures, Network, SETTLED};

/// Whether the part that is learned from gains where the validation part does not.
pub(super) fn training_part(first: &Network, last: &Network) -> Option<String> {
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
pub(super) fn scatter(networks: &[&Network], has_tests: bool) -> Option<String> {
    let main = main_metric(networks.iter().copied());
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
pub(super) fn learned_by_heart(networks: &[&Network]) -> Option<String> {
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
