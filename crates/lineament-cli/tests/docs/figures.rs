//! The figures that documents quote, computed from what `benches/figures.sh` has measured.
//!
//! In a document a figure stands between two comments: `<!-- figure: error-68 -->3.40 %<!-- / -->`. The test fails when
//! the text is another; `REGENERATE=1 cargo test -p lineament-cli --test docs` rewrites every document. A figure that
//! is a table begins and ends with a line of its own. Code blocks are left alone.

use std::collections::BTreeMap;
use std::env;
use std::fs;

use serde_json::Value;

use crate::files;

const BEGIN: &str = "<!-- figure: ";
const END: &str = "<!-- / -->";

#[test]
fn figures_in_documents_are_those_that_were_measured() {
    let figures = figures();
    let regenerate = env::var_os("REGENERATE").is_some();
    let mut wrong = Vec::new();
    for (name, text) in files::with_extension("md") {
        let (filled, mut differences) = fill(&text, &figures);
        if regenerate && filled != text {
            fs::write(files::root().join(&name), filled).expect("a document can be written");
            differences.retain(|difference| difference.contains(NO_FIGURE));
        }
        wrong.extend(differences.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(
        wrong.is_empty(),
        "run `REGENERATE=1 cargo test -p lineament-cli --test docs`, and look at what changed:\n{}",
        wrong.join("\n")
    );
}

const NO_FIGURE: &str = "there is no such figure";

/// A text with every figure in its place, and what was different.
fn fill(text: &str, figures: &BTreeMap<String, String>) -> (String, Vec<String>) {
    let (mut filled, mut differences) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let in_code = filled.lines().filter(|line| line.trim_start().starts_with("```")).count() % 2 == 1;
        let parts =
            from[BEGIN.len()..].split_once(" -->").and_then(|(name, after)| Some((name, after.split_once(END)?)));
        let Some((name, (found, after))) = parts.filter(|_| !in_code) else {
            if !in_code {
                differences.push(format!("a figure has no end: {}", from.lines().next().unwrap_or("")));
            }
            filled.push_str(BEGIN);
            rest = &from[BEGIN.len()..];
            continue;
        };
        let figure = figures.get(name).map(String::as_str);
        match figure {
            None => differences.push(format!("{name}: {NO_FIGURE}")),
            Some(figure) if figure != found => differences.push(format!("{name}: {found:?} should be {figure:?}")),
            Some(_) => {}
        }
        filled.push_str(&format!("{BEGIN}{name} -->{}{END}", figure.unwrap_or(found)));
        rest = after;
    }
    filled.push_str(rest);
    (filled, differences)
}

/// Every figure by its name.
fn figures() -> BTreeMap<String, String> {
    let mut figures = Figures(BTreeMap::new());
    type Take = fn(&mut Figures, &Value);
    let sources: [(&str, Take); 7] = [
        ("eval", Figures::evaluation),
        ("truth", Figures::truth_crops),
        ("conditions", Figures::conditions),
        ("groups", Figures::groups),
        ("steadiness", Figures::steadiness),
        ("program", Figures::program),
        ("training", Figures::training),
    ];
    for (name, take) in sources {
        take(&mut figures, &read(&format!("docs/figures/{name}.json")));
    }
    figures.peers(&read("benches/peers/results.json"));
    figures.0
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(files::root().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}; benches/figures.sh writes it"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

struct Figures(BTreeMap<String, String>);

impl Figures {
    fn set(&mut self, name: impl Into<String>, figure: impl ToString) {
        let name = name.into();
        let before = self.0.insert(name.clone(), figure.to_string());
        assert!(before.is_none(), "two figures have the name {name}");
    }

    /// `lineament eval faces68/test --nonfaces nonfaces --holdout 0.25 --boxes --format json`.
    fn evaluation(&mut self, json: &Value) {
        let report = &json["report"];
        let found = number(report, "found");
        self.set("photos", number(report, "photos"));
        self.set("found", format!("{found} ({})", share(number(report, "found_percent"))));
        self.set("error-68", percent(number(report, "nme68")));
        self.set("error-68-median", percent(number(report, "median68")));
        self.set("error-51", percent(number(report, "nme51")));
        self.set("failures", number(report, "failures"));
        self.set("auc", format!("{:.3}", number(report, "auc")));
        for part in list(&report["parts"]) {
            self.set(format!("error-{}", text(part, "name")), percent(number(part, "nme")));
        }
        self.set("error-68-without-offset", percent(number(&report["offset"], "nme68")));

        let calibration = &report["calibration"];
        let ratios: Vec<f64> = list(&calibration["deciles"]).iter().map(|decile| number(decile, "ratio")).collect();
        let worst = ratios.iter().copied().max_by(|a, b| (a - 1.0).abs().total_cmp(&(b - 1.0).abs()));
        self.set("rank-correlation", format!("{:.3}", number(calibration, "spearman")));
        self.set("calibration", format!("{:.2}", number(&calibration["all"], "ratio")));
        self.set("calibration-worst", format!("{:.2}", worst.expect("there are points")));

        let nonfaces = &json["nonfaces"];
        self.set("nonfaces", number(nonfaces, "photos"));
        self.set("false-faces", list(&nonfaces["with_faces"]).len());
        let boxes = |name: &str| (number(&json["boxes"][name], "boxes"), number(&json["boxes"][name], "accepted"));
        let (random, accepted) = boxes("random");
        self.set("random-boxes-rejected", format!("{} of {random}", random - accepted));
        let (of_faces, kept) = boxes("of_faces");
        self.set("true-boxes-kept", format!("{kept} of {of_faces}"));
    }

    /// `lineament eval faces68/test --crop truth --format json`.
    fn truth_crops(&mut self, json: &Value) {
        self.set("error-68-truth", percent(number(&json["report"], "nme68")));
    }

    /// `lineament eval faces68/test --stress --format json`.
    fn conditions(&mut self, json: &Value) {
        let rows = list(&json["conditions"]);
        for row in rows {
            let name = text(row, "condition");
            self.set(format!("{name}-found"), share(number(row, "found_percent")));
            self.set(format!("{name}-error-68"), percent(number(row, "nme68")));
            self.set(format!("{name}-error-51"), percent(number(row, "nme51")));
            if !row["covered_rise"].is_null() {
                self.set(format!("{name}-expected"), format!("{:.2}", number(row, "covered_rise")));
            }
        }
        let turned: Vec<_> = rows.iter().filter(|row| text(row, "condition").starts_with("roll-")).collect();
        self.set("turned-found", range(turned.iter().map(|row| number(row, "found_percent")), bare_share));
        self.set(
            "turned-error-51",
            range(turned.iter().map(|row| number(row, "nme51")), |value| format!("{value:.2}")),
        );
        let mean = rows.iter().map(|row| number(row, "found_percent")).sum::<f64>() / rows.len() as f64;
        self.set("conditions-found", format!("{mean:.1} %"));

        let head =
            ["condition", "found", "68 points", "51 points", "worse than 10 %", "expected error of covered points"];
        let cells = |row: &Value| {
            let covered = row["covered_rise"].as_f64().map_or(String::new(), |rise| format!("{rise:.2} times"));
            let name = text(row, "condition").to_owned();
            let errors = ["nme68", "nme51"].map(|name| percent(number(row, name)));
            let [all, inner] = errors;
            [name, share(number(row, "found_percent")), all, inner, share(number(row, "failures_percent")), covered]
        };
        self.set("conditions", table(head, rows.iter().map(cells)));
    }

    /// `lineament eval chips --groups --format json`.
    fn groups(&mut self, json: &Value) {
        let groups = list(&json["groups"]);
        let head = ["by", "group", "photos", "found", "expected error"];
        let cells = |group: &Value| {
            let expected = group["expected"].as_f64().map_or(String::new(), percent);
            let found = format!("{:.2} %", number(group, "found_percent"));
            let (by, name) = (text(group, "by").to_owned(), text(group, "name").to_owned());
            [by, name, thousands(number(group, "photos")), found, expected]
        };
        self.set("groups", table(head, groups.iter().map(cells)));
    }

    /// `lineament bench steadiness testdata/astronaut.jpg --format json`.
    fn steadiness(&mut self, json: &Value) {
        for (name, key) in [("jitter", "jitter"), ("sliding-jitter", "sliding_jitter")] {
            for side in ["raw", "smooth"] {
                self.set(format!("{name}-{side}"), format!("{:.2} %", number(&json[key], side)));
            }
        }
        for side in ["raw", "smooth"] {
            let lag = number(&json["lag_frames"], side);
            let figure = if lag.abs() < 0.01 { "less than 0.01".to_owned() } else { format!("{lag:.2}") };
            self.set(format!("lag-{side}"), figure);
        }
        self.set("lids-late", format!("{:.2}", number(json, "lids_late_frames")));
        self.set("mouth-late", format!("{:.2}", number(json, "mouth_late_frames")));
    }

    /// Sizes and the time of one photo.
    fn program(&mut self, json: &Value) {
        self.set("program-size", megabytes(number(json, "program_bytes")));
        self.set("library-size", megabytes(number(json, "library_bytes")));
        self.set("run-time", format!("{:.0} ms", number(json, "run_ms")));
        self.set("run-memory", format!("{:.0} MB", number(json, "run_kib") * 1024.0 / 1e6));
    }

    /// `benches/training_speed.sh --json`.
    fn training(&mut self, json: &Value) {
        for (network, speed) in json.as_object().expect("networks by name") {
            let [ours, torch, tuned] = ["ours", "torch", "tuned"].map(|side| number(speed, side));
            for (side, value) in [("ours", ours), ("torch", torch), ("tuned", tuned)] {
                self.set(format!("training-{network}-{side}"), format!("{} samples/s", thousands(value.round())));
            }
            self.set(format!("training-{network}-over-torch"), format!("{:.1}", ours / torch));
            self.set(format!("training-{network}-over-tuned"), format!("{:.1}", ours / tuned));
        }
    }

    /// `benches/peers/run.py --write`: medians in milliseconds, and each system's time over that of our own in f32 and,
    /// for what is in the library, in int8.
    fn peers(&mut self, json: &Value) {
        for (section, measured) in json.as_object().expect("sections by name") {
            let rows = list(&measured["rows"]);
            let median = |system: &str| {
                rows.iter().find(|row| text(row, "system") == system).map(|row| {
                    let quartiles = list(&row["ms"]);
                    quartiles[1].as_f64().expect("a median")
                })
            };
            for row in rows {
                let system = text(row, "system");
                let value = median(system).expect("it is there");
                let name = format!("{section}-{}", system.replace(' ', "-"));
                if let Some(mebibytes) = row["memory_mib"].as_f64() {
                    self.set(format!("{name}-memory"), format!("{mebibytes:.0} MiB"));
                }
                self.set(name, milliseconds(value));
                for (ours, label) in [("ours".to_owned(), "ours"), (format!("ours {section}-int8"), "int8")] {
                    if let Some(time) = median(&ours).filter(|_| !system.starts_with("ours")) {
                        self.set(format!("{section}-{label}-over-{system}"), format!("{:.2}", time / value));
                        self.set(format!("{section}-{system}-over-{label}"), format!("{:.1}", value / time));
                    }
                }
            }
        }
    }
}

fn number(json: &Value, key: &str) -> f64 {
    json[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {json}"))
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_else(|| panic!("no text {key} in {json}"))
}

fn list(json: &Value) -> &[Value] {
    json.as_array().unwrap_or_else(|| panic!("no list: {json}"))
}

fn percent(value: f64) -> String {
    format!("{value:.2} %")
}

/// A share in percent: `100`, or with one digit behind the point.
fn bare_share(value: f64) -> String {
    let rounded = format!("{value:.1}");
    rounded.strip_suffix(".0").map_or(rounded.clone(), str::to_owned)
}

fn share(value: f64) -> String {
    bare_share(value) + " %"
}

/// From the lowest to the highest, in percent.
fn range(values: impl Iterator<Item = f64>, format: impl Fn(f64) -> String) -> String {
    let values: Vec<f64> = values.collect();
    let lowest = format(values.iter().copied().fold(f64::INFINITY, f64::min));
    let highest = format(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    if lowest == highest { format!("{lowest} %") } else { format!("{lowest} to {highest} %") }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}

/// Three digits that count.
fn milliseconds(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} ms")
}

/// A Markdown table on lines of its own.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut out = format!("\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        out += &format!("| {} |\n", row.join(" | "));
    }
    out
}

#[test]
fn a_figure_is_filled_in_and_what_differed_is_told() {
    let figures = BTreeMap::from([("a".to_owned(), "3.40 %".to_owned()), ("t".to_owned(), "\n| x |\n".to_owned())]);
    let cases = [
        ("no figure", "no figure", 0),
        ("<!-- figure: a -->3.40 %<!-- / --> of", "<!-- figure: a -->3.40 %<!-- / --> of", 0),
        ("<!-- figure: a -->3.41 %<!-- / --> of", "<!-- figure: a -->3.40 %<!-- / --> of", 1),
        ("<!-- figure: t -->\n<!-- / -->", "<!-- figure: t -->\n| x |\n<!-- / -->", 1),
        ("<!-- figure: b -->1<!-- / -->", "<!-- figure: b -->1<!-- / -->", 1),
        ("<!-- figure: a -->3.40 %", "<!-- figure: a -->3.40 %", 1),
        ("```\n<!-- figure: a -->1<!-- / -->\n```\n", "```\n<!-- figure: a -->1<!-- / -->\n```\n", 0),
    ];
    for (text, filled, differences) in cases {
        let (found, told) = fill(text, &figures);
        assert_eq!((found.as_str(), told.len()), (filled, differences), "{text}: {told:?}");
    }
}

#[test]
fn figures_are_written_as_people_write_them() {
    assert_eq!([100.0, 98.66].map(share), ["100 %", "98.7 %"]);
    assert_eq!([7.0, 999.0, 1349.0, 1234567.0].map(thousands), ["7", "999", "1,349", "1,234,567"]);
    assert_eq!([0.3808, 12.31, 569.48].map(milliseconds), ["0.38 ms", "12.3 ms", "569 ms"]);
    assert_eq!(range([98.66, 100.0].into_iter(), bare_share), "98.7 to 100 %");
    assert_eq!(range([2.0, 2.0].into_iter(), bare_share), "2 %");
}
