mod any_text;

use lineament::topology::ibug68::POINTS;
use lineament_nn::model::{Architecture, Shape};

use super::*;
use crate::config::Task;

/// The layers and outputs, a line each.
fn listing(net: &Architecture) -> String {
    let mut text = format!("input {:?}\n", net.input);
    net.layers.iter().enumerate().for_each(|(i, layer)| text += &format!("{i}: {:?} of {}\n", layer.op, layer.input));
    net.outputs.iter().for_each(|output| text += &format!("output {} = {}\n", output.name, output.value));
    text
}

/// A text with these layers on an input of 16x16.
fn text(layers: &str) -> String {
    format!("[network]\ninput = [16, 16]\nlayers = [\n{layers}\n]\n")
}

/// A landmark network of `filters` filters for as many points as asked for, small enough to run in a test.
fn tiny(filters: &str) -> String {
    text(&format!(
        "{{ block = \"conv\", filters = {filters}, stride = 2 }},\n{{ block = \"residual\", name = \"map\" }},\n\
         {{ block = \"vote\", filters = \"2 * points\", position_bias = true, output = \"points\" }},\n\
         {{ block = \"vote\", from = \"map\", filters = \"points\", output = \"log_errors\" }},\n\
         {{ block = \"dense\", from = \"map\", units = 1, output = \"score\" }},"
    ))
}

/// The error of a text, when it is read or when its layers are made.
fn error_of(text: &str) -> String {
    let made = NetworkText::parse(text).and_then(|text| text.architecture_for(Task::Landmarks, 5));
    made.err().map_or_else(|| "no error".to_owned(), |e| e.to_string())
}

/// Weights are drawn layer by layer, so that equal lists train to equal bits. With `REGENERATE` in the environment the
/// stored lists are written anew.
#[test]
fn the_texts_make_the_stored_lists_of_layers() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/networks");
    for name in NAMES {
        let path = folder.join(format!("{name}.txt"));
        let listed = listing(&by_name(name, POINTS).unwrap());
        if std::env::var_os("REGENERATE").is_some() {
            std::fs::write(&path, &listed).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap();
        assert!(listed == stored, "{name}: run with REGENERATE=1, and look at what changed:\n{listed}");
        // What is printed, to start from, makes the same.
        let printed = NetworkText::parse(&text_by_name(name).unwrap()).unwrap();
        assert_eq!(listing(&printed.architecture(POINTS).unwrap()), stored, "{name}");
        assert_eq!(printed.name(), name);
        let again = NetworkText::parse(&printed.to_toml()).unwrap();
        assert!(again == printed, "{name}:\n{}", printed.to_toml());
    }
}

#[test]
fn single_operations_say_what_blocks_say() {
    for name in NAMES {
        let net = by_name(name, 5).unwrap();
        let plain = NetworkText::plain(name, &net).to_toml();
        let again = NetworkText::parse(&plain).unwrap_or_else(|e| panic!("{name}: {e}\n{plain}"));
        assert_eq!(listing(&again.architecture(5).unwrap()), listing(&net), "{name}:\n{plain}");
    }
}

#[test]
fn the_networks_keep_to_their_budgets() {
    struct Case {
        name: &'static str,
        input: Shape,
        parameters: usize,
        multiply_adds: u64,
    }
    let cases = [
        Case { name: "lite", input: Shape::hwc(112, 112, 1), parameters: 1_200_000, multiply_adds: 45_000_000 },
        Case { name: "detector", input: Shape::hwc(256, 320, 1), parameters: 150_000, multiply_adds: 60_000_000 },
    ];
    for Case { name, input, parameters, multiply_adds } in cases {
        let net = by_name(name, POINTS).unwrap();
        let (p, m) = (net.layer_parameters().unwrap(), net.layer_multiply_adds(input).unwrap());
        let (p, m) = (p.iter().sum::<usize>(), m.iter().sum::<u64>());
        assert!(p <= parameters && m <= multiply_adds, "{name}: {p} parameters, {m} multiply-adds");
    }
}

#[test]
fn a_narrower_a_deeper_and_a_smaller_lite_have_the_shapes_that_their_text_says() {
    let half = LITE.replace("filters = 16", "filters = 8").replace("filters = 48", "filters = 24");
    let half = half.replace("filters = 128", "filters = 64").replace("filters = 192", "filters = 96");
    let cases = [
        // Text, points, last map, layers more than those of lite.
        (half, 68, Shape::hwc(7, 7, 96), 0),
        (LITE.replace("repeat = 6", "repeat = 8"), 68, Shape::hwc(7, 7, 192), 2 * 7),
        (LITE.replace("[112, 112]", "[64, 64]"), 5, Shape::hwc(4, 4, 192), 0),
        (LITE.replace("units = 1", "units = 1, activation = \"none\""), 98, Shape::hwc(7, 7, 192), 0),
    ];
    let lite = by_name("lite", POINTS).unwrap();
    for (text, points, map, more) in cases {
        let net = NetworkText::parse(&text).unwrap().architecture_for(Task::Landmarks, points).unwrap();
        let shapes = net.shapes().unwrap();
        assert!(shapes.contains(&map), "{text}");
        assert_eq!(net.layers.len(), lite.layers.len() + more, "{text}");
        let made: Vec<_> = net.outputs.iter().map(|o| (o.name.as_str(), shapes[o.value].len())).collect();
        assert_eq!(made, [("points", 2 * points), ("log_errors", points), ("score", 1)]);
    }
    let learned = |filters: &str| {
        let net = NetworkText::parse(&tiny(filters)).unwrap().architecture(5).unwrap();
        net.layer_parameters().unwrap().iter().sum::<usize>()
    };
    // Convolution and batch norm 9 + 1 + 2, depthwise and batch norm 9 + 1 + 2 for each filter; pointwise and batch
    // norm n (n + 1) + 2 n; votes 2 (10 + 5) (n + 1), their places 10 * 64; the score 64 n + 1.
    for n in [4, 8] {
        assert_eq!(learned(&n.to_string()), 24 * n + n * (n + 3) + 30 * (n + 1) + 640 + 64 * n + 1, "{n} filters");
    }
}

/// `docs/training.md`.
const DOCUMENT: &str = include_str!("../../../../../docs/training.md");

#[test]
fn the_document_shows_lite_half_as_wide_and_every_key_of_every_block() {
    let example = DOCUMENT.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let numbers = [("\"lite\"", "\"narrow\""), ("= 16", "= 8"), ("= 48", "= 24"), ("= 128", "= 64"), ("= 192", "= 96")];
    let half = numbers.iter().fold(LITE.to_owned(), |text, (part, other)| text.replace(part, other));
    assert_eq!(NetworkText::parse(example).unwrap(), NetworkText::parse(&half).unwrap());
    let rows: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect();
    for spec in blocks::SPECS {
        let Some(row) = rows.iter().find(|row| row.starts_with(&format!("| `{}` |", spec.name))) else {
            panic!("`{}` has no row", spec.name);
        };
        let keys = spec.needs.iter().chain(spec.takes);
        let missing: Vec<_> = keys.filter(|key| !row.contains(&format!("`{key}"))).collect();
        assert!(missing.is_empty() || row.contains("as `conv`, without `filters`"), "`{}`: {missing:?}", spec.name);
    }
    for key in blocks::COMMON {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| `{key}` |"))), "`{key}` has no row");
    }
}

#[test]
fn a_tables_lines_can_also_be_sections_and_outputs_come_in_any_order() {
    let sections = "[network]\ninput = [16, 16]\n[[network.layers]]\nblock = \"head\"\nfilters = 3\nname = \"a\"\n\
                    [[network.layers]]\nblock = \"dense\"\nunits = 1\noutput = \"score\"\n\
                    [[network.layers]]\nfrom = \"a\"\nblock = \"vote\"\nfilters = \"points\"\noutput = \"log_errors\"\n\
                    [[network.layers]]\nfrom = \"a\"\nblock = \"vote\"\nfilters = \"2*points\"\noutput = \"points\"\n";
    let network = NetworkText::parse(sections).unwrap();
    let net = network.architecture_for(Task::Landmarks, 3).unwrap();
    assert_eq!(net.outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), LANDMARK_OUTPUTS);
    assert_eq!(NetworkText::parse(&network.to_toml()).unwrap(), network);
}

#[test]
fn a_faulty_text_is_refused_with_the_layer_and_the_reason() {
    let conv = "{ block = \"conv\", filters = 8 },\n";
    let map = "{ block = \"conv\", filters = 8, name = \"a\" },\n";
    let narrow = "{ block = \"conv\", filters = 8, stride = 2, name = \"b\" },\n";
    let with = |rest: &str| text(&format!("{conv}{rest}"));
    let cases = [
        // While it is read: with the line.
        (String::new(), "missing field `network`"),
        ("[network]\ninput = [16, 16]".into(), "line 1: network: `layers` is missing"),
        ("[network]\nlayers = []".into(), "line 1: network: `input` is missing"),
        (text("") + "width = 3", "line 1: network: unknown key \"width\": it takes name, input, activation, layers"),
        (text("").replace("16", "7"), "line 2: network: input: a whole number from 8 to 4096, not 7"),
        (text("").replace("16, 16", "16"), "line 2: network: input: rows and columns, such as [112, 112], not a list"),
        (text("").replace("[16, 16]", "\"16\""), "line 2: network: input: rows and columns"),
        (text("").replace("input", "activation = \"tanh\"\ninput"), "line 2: network: activation: one of relu, prelu,"),
        (with("3"), "line 5: network: layer 2: expected a table such as { block = \"conv\", filters = 16 }, not 3"),
        (with("{ filters = 3 }"), "line 5: network: layer 2: `block` is missing: one of conv, depthwise"),
        (with("{ block = \"lstm\" }"), "line 5: network: layer 2: there is no block \"lstm\": one of conv, depthwise"),
        (with("{ block = 3 }"), "layer 2: block: one of conv,"),
        (
            with("{ block = \"conv\", filter = 3 }"),
            "layer 2 (`conv`): unknown key \"filter\": it takes filters, kernel, stride, padding, batch_norm, \
             activation, from, name, output, repeat",
        ),
        (
            with("{ block = \"residual\", stride = 2 }"),
            "layer 2 (`residual`): unknown key \"stride\": it takes kernel,",
        ),
        (with("{ block = \"conv\" }"), "layer 2 (`conv`): `filters` is missing"),
        (
            with("{ block = \"head\", filters = 0 }"),
            "layer 2 (`head`): filters: a whole number from 1 to 1048576, \"po",
        ),
        (with("{ block = \"head\", filters = -1 }"), "such as \"2 * points\", not -1"),
        (with("{ block = \"head\", filters = 1e3 }"), "(`head`): filters: a whole number"),
        (with("{ block = \"head\", filters = \"point\" }"), "such as \"2 * points\", not \"point\""),
        (with("{ block = \"head\", filters = \"2 * x\" }"), "such as \"2 * points\", not \"2 * x\""),
        (with("{ block = \"conv\", filters = 1, kernel = 65 }"), "kernel: a whole number from 1 to 64, not 65"),
        (with("{ block = \"conv\", filters = 1, stride = 0 }"), "stride: a whole number from 1 to 64, not 0"),
        (with("{ block = \"conv\", filters = 1, repeat = 0 }"), "repeat: a whole number from 1 to 1024, not 0"),
        (
            with("{ block = \"conv\", filters = 1, repeat = 9999999999 }"),
            "repeat: a whole number from 1 to 1024, not 9",
        ),
        (with("{ block = \"conv\", filters = 1, batch_norm = 1 }"), "batch_norm: true or false, not 1"),
        (with("{ block = \"max_pool\", name = \"a b\" }"), "layer 2 (`max_pool`): name: a name of up to 64 letters"),
        (with("{ block = \"max_pool\", output = \"\" }"), "layer 2 (`max_pool`): output: a name of up to 64 letters"),
        (text(&format!("{},", vec!["{ block = \"max_pool\" }"; 1025].join(","))), "network: more than 1024 layers"),
        // When its layers are made: with the shapes.
        (text(""), "network: no layer has an `output`"),
        (text(conv), "network: no layer has an `output`"),
        (
            with("{ block = \"max_pool\", from = \"a\" }"),
            "layer 2 (`max_pool`): no layer before it has the name `a`; there",
        ),
        (text(&format!("{map}{map}")), "layer 2 (`conv`): name: `a` is taken"),
        (with("{ block = \"max_pool\", name = \"input\" }"), "layer 2 (`max_pool`): name: `input` is taken"),
        (
            text(&format!("{map}{narrow}{{ block = \"add\", with = \"a\" }}")),
            "layer 3 (`add`): its input is [8, 8, 8], but [8, 8, 8] cannot be added to [16, 16, 8]",
        ),
        (
            with("{ block = \"add\", with = \"b\" }"),
            "layer 2 (`add`): its input is [16, 16, 8], but no layer before it",
        ),
        (
            text(&format!("{map}{narrow}{{ block = \"weighted_pool\", weights = \"a\" }}")),
            "layer 3 (`weighted_pool`): its input is [8, 8, 8], but [16, 16, 8] cannot weigh [8, 8, 8]",
        ),
        (text(&format!("{map}{{ block = \"weighted_pool\", weights = \"a\" }}")), "a value cannot weigh itself"),
        (
            with("{ block = \"residual\", kernel = 4 }"),
            "layer 2 (`residual`): its input is [16, 16, 8], but a kernel of 4 makes it larger",
        ),
        (
            with("{ block = \"conv\", filters = 4, kernel = 17, padding = 0 }"),
            "layer 2 (`conv`): its input is [16, 16, 8], but a kernel of 17 does not fit into [16, 16, 8]",
        ),
        (
            text("{ block = \"separable\", filters = 4 }"),
            "layer 1 (`separable`): its input is [16, 16, 1], but a depthwise",
        ),
        (with("{ block = \"conv\", filters = 4, padding = 3 }"), "but a padding of 3 is not below its kernel, 3"),
        (
            with("{ block = \"max_pool\", repeat = 5 }"),
            "layer 2 (`max_pool`): its input is [1, 1, 8], but [0, 0, 8] is",
        ),
        (with("{ block = \"conv\", filters = 4, repeat = 1000 }"), "but the network has 1024 operations already"),
        (
            with("{ block = \"dense\", units = 4 }, { block = \"residual\" }"),
            "layer 3 (`residual`): its input is [1, 1, 4], but only `dense`, `activation` and `add` can read what",
        ),
        (
            with("{ block = \"batch_norm\" }"),
            "layer 2 (`batch_norm`): its input is [16, 16, 8], but batch normalisation",
        ),
        (with("{ block = \"activation\", activation = \"none\" }"), "but an `activation` of none does nothing"),
        (
            text(
                "{ block = \"head\", filters = 4, name = \"a\" }, { block = \"batch_norm\" },\n\
                 { block = \"add\", with = \"a\", output = \"points\" }",
            ),
            "layer 1 (`head`): only the batch normalisation behind it can read what it makes",
        ),
        (
            with(&format!("{conv}{{ block = \"head\", from = \"input\", filters = 4, output = \"x\" }}")),
            "layer 2 (`conv`): nothing reads",
        ),
        (
            with("{ block = \"head\", filters = 4, output = \"image\" }"),
            "output: a model file has something called `image`",
        ),
        (tiny("4").replace("\"score\"", "\"points\""), "layer 5 (`dense`): output: a model file has something called"),
        // Sizes.
        (
            with("{ block = \"dense\", units = 1048576 }"),
            "layer 2 (`dense`): its input is [16, 16, 8], but [1048576, 2048] is larger",
        ),
        (
            text(
                "{ block = \"conv\", filters = 4096, repeat = 40 }, { block = \"head\", filters = 1, output = \"x\" }",
            ),
            "layer 1 (`conv`): the largest part of ",
        ),
        (
            tiny("4").replace("2 * points", "1048576 * points"),
            "1048576 * points\" for 5 points is outside 1 to 1048576",
        ),
        // For the task.
        (tiny("4").replace("16, 16", "16, 20"), "network: input: 16 rows and 20 columns, but training needs a square"),
        (tiny("4").replace(", output = \"score\"", ""), "layer 5 (`dense`): nothing reads what it makes"),
        (
            tiny("4").replace("\"score\"", "\"face\""),
            "layer 5 (`dense`): the outputs of a landmark network are points,",
        ),
        (
            text("{ block = \"vote\", filters = 10, output = \"points\" }"),
            "network: no layer has output = \"log_errors\": a landmark network has points, log_errors, score",
        ),
        (
            tiny("4").replace("2 * points", "3 * points"),
            "layer 3 (`vote`): it makes [1, 1, 15], but the output `points` is [1, 1, 10] for 5 points",
        ),
        (
            tiny("4").replace("units = 1", "units = 1, activation = \"relu\""),
            "layer 5 (`dense`): the output `score` is made",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (expected, error_of(text)))
        .filter(|(expected, error)| !error.starts_with("configuration: ") || !error.contains(**expected))
        .map(|(expected, error)| format!("expected {expected}\n   found {error}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(error_of(&tiny("4")), "no error");
}

#[test]
fn a_detector_is_refused_that_does_not_see_all_sizes() {
    let cases = [
        ("[256, 256]", "[250, 250]", "input: a detector's is a multiple of 32, at least 128, not 250"),
        ("[256, 256]", "[96, 96]", "input: a detector's is a multiple of 32, at least 128, not 96"),
        (
            "filters = 15, output = \"grid16\"",
            "filters = 14, output = \"grid16\"",
            "layer 13 (`head`): it makes [16, 16, 14], but",
        ),
        (
            "\"depthwise\", from = \"last\" }",
            "\"position_bias\", from = \"last\" }",
            "layer 14 (`position_bias`): it learns for one",
        ),
        (
            "from = \"eighth\"",
            "from = \"last\"",
            "layer 11 (`head`): it makes [8, 8, 15], but the output `grid8` is [32, 32, 15]",
        ),
    ];
    for (part, other, expected) in cases {
        let text = DETECTOR.replace(part, other);
        assert!(text != DETECTOR, "{part}");
        let text = NetworkText::parse(&text).unwrap();
        let error = text.architecture_for(Task::Detector, POINTS).unwrap_err().to_string();
        assert!(error.contains(expected), "expected {expected}\n   found {error}");
    }
    let lite = NetworkText::by_name("lite").unwrap();
    let error = lite.architecture_for(Task::Detector, POINTS).unwrap_err().to_string();
    assert!(error.contains("input: a detector's is a multiple of 32"), "{error}");
}
