//! How a failure reaches the user: one line with its causes, and an exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Exit code when something could not be read or written.
const FAILED: u8 = 1;

/// Exit code when the command line makes no sense; the same that clap uses.
const USAGE: u8 = 2;

/// A command line that cannot be obeyed. Its text names the option and the remedy.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Makes a [`Usage`] error.
pub fn usage(text: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(text.into()))
}

/// Prints one line on standard error. That nobody may be listening there is no further failure.
pub fn report(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "{}", line(error));
}

/// The line that [`report`] prints.
pub fn line(error: &anyhow::Error) -> String {
    format!("error: {}", one_line(&format!("{error:#}")))
}

/// 2 for a command line that makes no sense, 1 for everything else.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED })
}

/// 1 when anything failed, else 0.
pub fn exit_code_after(failures: usize) -> ExitCode {
    ExitCode::from(if failures > 0 { FAILED } else { 0 })
}

/// The reader of our output has left, as `head` does: nothing went wrong.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}

/// Names and metadata come from outside: line breaks and terminal codes in them are shown escaped.
pub fn one_line(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.trim().chars().map(escape).collect()
}
