//! What became of the photos, for people.

use lineament_data::annotate::{Counts, Reason};

/// So far, on one line.
pub fn state(counts: &Counts) -> String {
    format!("{} kept, {} left out", counts.kept, counts.rejected_in_all())
}

/// At the end: a line each for the faces that were kept and for each reason to leave some out.
pub fn table(counts: &Counts) -> Vec<String> {
    let row = |count: usize, name: &str, words: &str| format!("{name:<24}{count:>8}  {words}").trim_end().to_owned();
    let rejected = |reason: Reason| Some((reason, *counts.rejected.get(&reason)?));
    let reasons = Reason::ALL.into_iter().filter_map(rejected);
    let reasons = reasons.map(|(reason, count)| row(count, reason.name(), reason.sentence()));
    let kept = row(counts.kept, "kept", "faces in the table");
    [row(counts.photos, "photos", ""), kept].into_iter().chain(reasons).collect()
}
