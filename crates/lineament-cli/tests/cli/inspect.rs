use std::path::Path;

use crate::helpers::Folder;

#[test]
fn a_file_that_is_no_model_is_one_clear_line() {
    let folder = Folder::new();
    folder.write("words.onnx", "hello");
    folder.write("empty.onnx", "");
    for name in ["words.onnx", "empty.onnx", "none.onnx"] {
        let outcome = folder.run(&["inspect", name]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
        assert!(outcome.stderr.starts_with(&format!("error: {name}: ")), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn a_model_file_is_described() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lineament/tests/fixtures/tiny.onnx");
    if !fixture.exists() {
        return;
    }
    let outcome = Folder::new().run(&["inspect", fixture.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for label in ["role ", "input ", "parameters ", "multiply-adds ", "weights ", "activations ", "licence ", "layer "]
    {
        assert!(
            outcome.stdout.lines().any(|line| line.trim_start().starts_with(label)),
            "{label} in\n{}",
            outcome.stdout
        );
    }
    let outcome = Folder::new().run(&["inspect", fixture.to_str().unwrap(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("one JSON object");
    let sum =
        |key: &str| report["layers"].as_array().unwrap().iter().map(|layer| layer[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(report["parameters"], sum("parameters"));
    assert_eq!(report["weights_bytes"], 4 * sum("parameters"));
}

#[test]
fn without_a_file_both_models_inside_the_program_are_described() {
    let outcome = Folder::new().run(&["inspect", "--format", "json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let roles: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["role"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(roles, ["detector", "landmarks"]);
}
