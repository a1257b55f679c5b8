use crate::helpers::Folder;

const COMMANDS: [&str; 11] =
    ["run", "web", "bench", "eval", "train", "annotate", "data", "quantize", "calibrate", "inspect", "experiment"];

#[test]
fn help_lists_what_a_newcomer_needs_first() {
    let outcome = Folder::new().run(&["--help"]);
    assert_eq!(outcome.code, Some(0));
    let (first, others) = outcome.stdout.split_once("Other commands:\n").expect(&outcome.stdout);
    assert!(first.starts_with("Finds faces in photos and videos and places 68 landmarks on each\n"), "{first}");
    for (i, command) in COMMANDS.iter().enumerate() {
        let list = if i < 5 { first } else { others };
        assert!(
            list.contains(&format!("\n  {command} ")) || list.starts_with(&format!("  {command} ")),
            "{command}: {list}"
        );
    }
    assert!(others.contains("First steps:\n  lineament run photo.jpg"), "{others}");
}

#[test]
fn every_command_teaches_by_examples() {
    for command in COMMANDS {
        let outcome = Folder::new().run(&[command, "--help"]);
        assert_eq!(outcome.code, Some(0));
        assert!(outcome.stdout.contains(&format!("Examples:\n  lineament {command}")), "{}", outcome.stdout);
    }
}

#[test]
fn commands_below_a_command_teach_by_examples() {
    for (command, below) in [
        ("data", "show"),
        ("data", "duplicates"),
        ("data", "split"),
        ("data", "convert"),
        ("data", "import"),
        ("bench", "steadiness"),
        ("experiment", "paper"),
    ] {
        let outcome = Folder::new().run(&[command, below, "--help"]);
        assert!(outcome.stdout.contains(&format!("Examples:\n  lineament {command} {below}")), "{}", outcome.stdout);
    }
}

#[test]
fn help_is_in_plain_words() {
    let of = |args: &[&str]| Folder::new().run(args).stdout;
    let below = ["show", "duplicates", "split", "convert", "import"].map(|below| ["data", below]).into_iter();
    let all = COMMANDS.map(|command| of(&[command, "--help"])).into_iter();
    let all = all.chain(below.chain([["bench", "steadiness"]]).map(|[command, below]| of(&[command, below, "--help"])));
    for text in all.chain([of(&["--help"])]) {
        for word in
            ["looked at", " looks", "halves", "beside", "in turns", "so many", "is none", "otherwise", "teaches"]
        {
            assert!(!text.contains(word), "`{word}` in\n{text}");
        }
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
