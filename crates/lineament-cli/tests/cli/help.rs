use crate::helpers::Folder;

#[test]
fn help_lists_the_commands() {
    let outcome = Folder::new().run(&["--help"]);
    assert_eq!(outcome.code, Some(0));
    for command in
        ["run ", "annotate ", "data ", "train ", "eval ", "quantize ", "calibrate ", "inspect ", "bench ", "web "]
    {
        assert!(outcome.stdout.contains(&format!("\n  {command}")), "{}", outcome.stdout);
    }
}

#[test]
fn every_command_teaches_by_examples() {
    for command in ["run", "annotate", "data", "train", "eval", "quantize", "calibrate", "inspect", "bench", "web"] {
        let outcome = Folder::new().run(&[command, "--help"]);
        assert_eq!(outcome.code, Some(0));
        assert!(outcome.stdout.contains(&format!("Examples:\n  lineament {command}")), "{}", outcome.stdout);
    }
}

#[test]
fn the_version_is_one_line() {
    let outcome = Folder::new().run(&["--version"]);
    assert_eq!(outcome.stdout, format!("lineament {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_is_shown_and_the_exit_code_is_2() {
    let outcome = Folder::new().run(&[]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage: lineament"), "{}", outcome.stderr);
}
