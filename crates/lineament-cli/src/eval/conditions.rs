//! `lineament eval --stress`: the table of conditions.

use std::fmt::Write as _;

use lineament_data::evaluate::conditions::{CONDITIONS, Condition, ConditionReport};
use lineament_data::evaluate::metrics::FAILURE_PERCENT;

/// The condition that the user named.
pub fn condition(name: &str) -> Result<Condition, String> {
    Condition::named(name.trim()).ok_or_else(|| {
        let names = CONDITIONS.map(|condition| condition.name);
        format!("give some of {}", names.join(","))
    })
}

/// The table for people.
pub fn text(rows: &[ConditionReport]) -> String {
    let failures = format!("> {FAILURE_PERCENT:.0} %");
    let mut out = format!(
        "{:<12}{:>7}{:>9}{:>10}{:>10}{:>9}{:>7}{:>7}{:>9}\n",
        "condition", "photos", "found", "68 points", "51 inner", failures, "x 51", "score", "covered"
    );
    let percent = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2} %"));
    let times = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
    for r in rows {
        let score = r.score.map_or("-".to_owned(), |s| format!("{s:.3}"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:<12}{:>7}{:>7.1} %{:>10}{:>10}{:>7.1} %{:>7}{:>7}{:>9}",
            r.condition,
            r.photos,
            r.found_percent,
            percent(r.nme68),
            percent(r.nme51),
            r.failures_percent,
            times(r.ratio51),
            score,
            times(r.covered_rise),
        );
    }
    out += "\n> 10 %: of all photos, faces not found included. x 51: error of the 51 inner points over that of the same \
            points unchanged.\ncovered: expected error of the points that something hides, over theirs unchanged. cut: \
            the points inside the picture.\n";
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_is_a_line_and_what_is_not_defined_a_dash() {
        let row = ConditionReport {
            condition: "mask",
            photos: 97,
            found: 90,
            found_percent: 92.78,
            nme68: Some(5.126),
            nme51: Some(4.5),
            failures: 8,
            failures_percent: 8.25,
            ratio51: Some(1.2345),
            score: Some(0.99876),
            covered_rise: Some(2.0),
        };
        let nothing = ConditionReport {
            condition: "dark",
            found: 0,
            found_percent: 0.0,
            nme68: None,
            nme51: None,
            ratio51: None,
            score: None,
            covered_rise: None,
            ..row.clone()
        };
        let text = text(&[row, nothing]);
        for line in [
            "condition    photos    found 68 points  51 inner   > 10 %   x 51  score  covered",
            "mask             97   92.8 %    5.13 %    4.50 %    8.2 %   1.23  0.999     2.00",
            "dark             97    0.0 %         -         -    8.2 %      -      -        -",
        ] {
            assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
        }
    }

    #[test]
    fn an_unknown_condition_is_answered_with_the_known_ones() {
        assert_eq!(condition(" roll-90").unwrap().name, "roll-90");
        let message = condition("fog").unwrap_err();
        assert!(message.contains("unchanged,roll-30") && message.contains("half,cut"), "{message}");
    }
}
