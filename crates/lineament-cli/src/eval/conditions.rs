//! `lineament eval --stress`: bad conditions, one row each.

use std::fmt::Write as _;

use anyhow::Result;
use lineament::Options;
use lineament::topology::ibug68;
use lineament_data::evaluate::conditions::{CONDITIONS, Condition, ConditionReport, under_conditions};
use lineament_data::evaluate::metrics::FAILURE_PERCENT;
use serde::Serialize;

use super::{EvalArgs, percent};
use crate::models::Models;
use crate::progress::{Progress, say};
use crate::text::or_dash;

/// All that is measured.
#[derive(Serialize)]
pub struct Conditions {
    topology: String,
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
        let models = Models::read(&args.models)?;
        let topology = models.topology()?;
        let samples = args.samples(&topology)?;
        let named = if args.conditions.is_empty() { &CONDITIONS[..] } else { &args.conditions };
        let mut conditions = Vec::new();
        for condition in named {
            match condition.refusal(&topology) {
                None => conditions.push(*condition),
                Some(why) => say(&format!("`{}` is left out: `{}` {why}", condition.name, topology.name())),
            }
        }
        let make = || models.lineament(Options::default());
        let progress = Progress::of_photos(samples.len());
        let hear = |_, _| progress.advance();
        let conditions = under_conditions(&topology, &samples, &conditions, make, args.threads(), &hear)?;
        Ok(Self { topology: topology.name().into(), conditions })
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let failures = format!("> {FAILURE_PERCENT:.0} %");
        let is_68 = self.topology == ibug68::NAME;
        let (points, inner, times) = if is_68 { ("68 points", "  51 inner", "x 51") } else { ("points", "", "x") };
        let mut text = format!(
            "{:<12}{:>7}{:>9}{points:>10}{inner}{failures:>9}{times:>7}{:>7}{:>9}\n",
            "condition", "photos", "found", "score", "covered"
        );
        for r in &self.conditions {
            let inner = if is_68 { format!("{:>10}", percent(r.nme51)) } else { String::new() };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:<12}{:>7}{:>7.1} %{:>10}{inner}{:>7.1} %{:>7}{:>7}{:>9}",
                r.condition,
                r.photos,
                r.found_percent,
                percent(r.nme),
                r.failures_percent,
                or_dash(if is_68 { r.ratio51 } else { r.ratio }, 2, ""),
                or_dash(r.score, 3, ""),
                or_dash(r.covered_rise, 2, ""),
            );
        }
        let inner = if is_68 { "51 inner points" } else { "points" };
        let _ = write!(
            text,
            "\n{failures}   share of all photos whose error is larger, with those in which nothing is found\n\
             {times:<9}error of the {inner}, as a multiple of that in the unchanged photos\n\
             covered  expected error of the points that something covers, as such a multiple\n\
             `cut` counts only the points inside the picture.\n"
        );
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
            nme: Some(5.126),
            ratio: Some(1.3),
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
            nme: None,
            ratio: None,
            nme68: None,
            nme51: None,
            ratio51: None,
            score: None,
            covered_rise: None,
            ..row.clone()
        };
        let text = Conditions { topology: "ibug68".into(), conditions: vec![row.clone(), nothing] }.text();
        for line in [
            "condition    photos    found 68 points  51 inner   > 10 %   x 51  score  covered",
            "mask             97   92.8 %    5.13 %    4.50 %    8.2 %   1.23  0.999     2.00",
            "dark             97    0.0 %         -         -    8.2 %      -      -        -",
        ] {
            assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
        }
        let text = Conditions { topology: "kite".into(), conditions: vec![row] }.text();
        let expected = "condition    photos    found    points   > 10 %      x  score  covered\n\
                        mask             97   92.8 %    5.13 %    8.2 %   1.30  0.999     2.00\n";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn an_unknown_condition_is_answered_with_the_known_ones() {
        assert_eq!(condition(" roll-90").unwrap().name, "roll-90");
        let message = condition("fog").unwrap_err();
        assert!(message.contains("unchanged,roll-30") && message.contains("half,cut"), "{message}");
    }
}
