//! Lines short enough to read: Rust, comments included, up to 120 characters; prose in Markdown up to 100.

use crate::files;

const RUST: usize = 120; // `max_width` in rustfmt.toml, which does not wrap comments.
const PROSE: usize = 100;

/// Files that still have longer lines. Names may only be taken out of this list.
const NOT_YET: &[&str] = &[
    "CHANGELOG.md",
    "apps/web/package/README.md",
    "crates/lineament-cli/build.rs",
    "crates/lineament-cli/src/bench.rs",
    "crates/lineament-cli/src/bench/report.rs",
    "crates/lineament-cli/src/bench/steadiness.rs",
    "crates/lineament-cli/src/eval/conditions.rs",
    "crates/lineament-cli/src/experiment.rs",
    "crates/lineament-cli/src/format/json.rs",
    "crates/lineament-cli/src/quantize.rs",
    "crates/lineament-cli/src/train.rs",
    "crates/lineament-cli/src/train/network.rs",
    "crates/lineament-cli/src/train/settings.rs",
    "crates/lineament-cli/src/web/files.rs",
    "crates/lineament-cli/tests/cli/data.rs",
    "crates/lineament-nn/src/engine/depthwise.rs",
    "crates/lineament-nn/src/engine/int8/tests.rs",
    "crates/lineament-nn/src/engine/integers.rs",
    "crates/lineament-nn/src/engine/mod.rs",
    "crates/lineament-nn/src/engine/network.rs",
    "crates/lineament-nn/src/engine/running.rs",
    "crates/lineament-nn/src/model/mod.rs",
    "crates/lineament-nn/src/model/write.rs",
    "crates/lineament-nn/src/simd/mod.rs",
    "crates/lineament-nn/src/simd/x86.rs",
    "crates/lineament-paper/src/lib.rs",
    "crates/lineament-paper/src/report/mod.rs",
    "crates/lineament-paper/src/training/forecast.rs",
    "crates/lineament-paper/src/training/run.rs",
    "crates/lineament-paper/src/training/settings.rs",
    "crates/lineament-train/examples/speed.rs",
    "crates/lineament-train/src/checkpoint.rs",
    "crates/lineament-train/src/config.rs",
    "crates/lineament-train/src/detector/mod.rs",
    "crates/lineament-train/src/import.rs",
    "crates/lineament-train/src/landmarks.rs",
    "crates/lineament-train/src/lib.rs",
    "crates/lineament-train/src/quantize/equalise.rs",
    "crates/lineament-train/src/quantize/int8.rs",
    "crates/lineament-train/src/quantize/observe.rs",
    "crates/lineament-train/tests/torch_step.rs",
    "crates/lineament/src/crop.rs",
    "crates/lineament/src/detect.rs",
    "crates/lineament/src/expression.rs",
    "crates/lineament/src/landmarks.rs",
    "crates/lineament/src/lib.rs",
    "crates/lineament/src/lineament.rs",
    "crates/lineament/src/track.rs",
    "crates/lineament/src/verify.rs",
    "crates/lineament/tests/policy.rs",
    "docs/paper.md",
    "docs/quantize.md",
    "docs/web.md",
    "models/detector/CARD.md",
    "models/lite/CARD.md",
];

#[test]
fn no_line_of_rust_is_wider_than_120_characters() {
    let mut wide = Vec::new();
    for (name, text) in files::with_extension("rs") {
        for (index, line) in text.lines().enumerate() {
            let width = line.chars().count();
            // A row of a table cannot be wrapped, in documentation either.
            let is_row = line
                .trim_start()
                .strip_prefix("//")
                .is_some_and(|rest| rest.trim_start_matches(['/', '!', ' ']).starts_with('|'));
            if width > RUST && !is_row {
                wide.push(Wide::new(&name, index + 1, width));
            }
        }
    }
    report(wide, RUST, "rs");
}

#[test]
fn no_prose_in_markdown_is_wider_than_100_characters() {
    let mut wide = Vec::new();
    for (name, text) in files::with_extension("md") {
        let lines = files::prose(&text).into_iter().map(|(line, text)| (line, without_targets(text).chars().count()));
        wide.extend(lines.filter(|&(_, width)| width > PROSE).map(|(line, width)| Wide::new(&name, line, width)));
    }
    report(wide, PROSE, "md");
}

struct Wide {
    file: String,
    line: usize,
    width: usize,
}

impl Wide {
    fn new(file: &str, line: usize, width: usize) -> Self {
        Self { file: file.to_owned(), line, width }
    }
}

/// A line without the targets of its links and without comments, which cannot be wrapped: `[text](target)` is `[text]`.
fn without_targets(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    loop {
        let link = rest.find("](").map(|at| (at + 1, ")"));
        let comment = rest.find("<!--").map(|at| (at, "-->"));
        let Some((start, end)) = [link, comment].into_iter().flatten().min() else { break };
        let Some(length) = rest[start..].find(end) else { break };
        text.push_str(&rest[..start]);
        rest = &rest[start + length + end.len()..];
    }
    text.push_str(rest);
    // An address on a line of its own cannot be wrapped either.
    if text.trim_start().starts_with("http") { String::new() } else { text }
}

fn report(wide: Vec<Wide>, limit: usize, extension: &str) {
    let (known, new): (Vec<_>, Vec<_>) = wide.into_iter().partition(|wide| NOT_YET.contains(&wide.file.as_str()));
    let new: Vec<_> = new.iter().map(|wide| format!("{}:{}: {}", wide.file, wide.line, wide.width)).collect();
    assert!(new.is_empty(), "wider than {limit} characters:\n{}", new.join("\n"));
    let done: Vec<_> = NOT_YET
        .iter()
        .filter(|name| name.ends_with(extension) && !known.iter().any(|wide| wide.file == **name))
        .collect();
    assert!(done.is_empty(), "no longer too wide, take them out of NOT_YET: {done:?}");
}

#[test]
fn a_line_counts_without_the_targets_of_its_links() {
    let cases = [
        ("plain text", "plain text"),
        ("see [the page](docs/web.md#building) for more", "see [the page] for more"),
        ("found <!-- eval.found -->100 %<!-- / --> of all", "found 100 % of all"),
        ("an open ](link", "an open ](link"),
        ("https://example.org/a/long/address", ""),
    ];
    for (line, counted) in cases {
        assert_eq!(without_targets(line), counted, "{line}");
    }
}
