//! `lineament eval --stress`: bad conditions, one row each.

use std::fmt::Write as _;

use anyhow::Result;
use lineament::Options;
use lineament_data::evaluate::conditions::{CONDITIONS, Condition, ConditionReport, under_conditions};
use lineament_data::evaluate::metrics::FAILURE_PERCENT;
use serde::Serialize;

use super::{EvalArgs, percent};
use crate::models::Models;
use crate::progress::Progress;
use crate::text::or_dash;

/// All that is measured.
#[derive(Serialize)]
pub struct Conditions {
    conditions: Vec<ConditionReport>,
}

/// The condition that the user named.
pub fn condition(name: &str) -> Result<Condition, String> {
    Condition::named(name.trim()).ok_or_else(|| {
        let names = CONDITIONS.map(|condition| condition.name);
        format!("give some of {}", names.join(","))
    })
}

impl Conditions {
    /// Measures the conditions that are asked for.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn measure(args: &EvalArgs) -> Result<Self> {
        let samples = args.samples(&Models::read(&args.models)?.topology()?)?;
        let conditions = if args.conditions.is_empty() { &CONDITIONS[..] } else { &args.conditions };
        let models = Models::read(&args.models)?;
        let make = || models.lineament(Options::default());
        let progress = Progress::of_photos(samples.len());
        let rows = under_conditions(&samples, conditions, make, args.threads(), &|_, _| progress.advance())?;
        Ok(Self { conditions: rows })
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let failures = format!("> {FAILURE_PERCENT:.0} %");
        let mut text = format!(
            "{:<12}{:>7}{:>9}{:>10}{:>10}{:>9}{:>7}{:>7}{:>9}\n",
            "condition", "photos", "found", "68 points", "51 inner", failures, "x 51", "score", "covered"
        );
        for r in &self.conditions {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<12}{:>7}{:>7.1} %{:>10}{:>10}{:>7.1} %{:>7}{:>7}{:>9}",
                r.condition,
                r.photos,
                r.found_percent,
                percent(r.nme68),
                percent(r.nme51),
                r.failures_percent,
                or_dash(r.ratio51, 2, ""),
                or_dash(r.score, 3, ""),
                or_dash(r.covered_rise, 2, ""),
            );
        }
        text += "\n> 10 %   share of all photos whose error is larger, with the faces not found\n\
                 x 51     error of the 51 inner points, as a multiple of that in the unchanged photos\n\
                 covered  expected error of the points that something covers, as such a multiple\n\
                 `cut` counts only the points inside the picture.\n";
        text
    }
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
        let text = Conditions { conditions: vec![row, nothing] }.text();
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
