//! How a failure reaches the user: one line with its causes, and an exit code.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::anyhow;

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

/// Adds what the user can try.
pub trait OrTry<T> {
    /// Puts `remedy` behind the causes of an error.
    ///
    /// # Errors
    /// The same one.
    fn or_try(self, remedy: impl fmt::Display) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrTry<T> for Result<T, E> {
    fn or_try(self, remedy: impl fmt::Display) -> anyhow::Result<T> {
        self.map_err(|error| anyhow!("{:#}; {remedy}", error.into()))
    }
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

/// The reader of our standard output has left, as `head` does.
#[derive(Debug)]
struct ClosedPipe;

impl fmt::Display for ClosedPipe {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

impl std::error::Error for ClosedPipe {}

/// What a failure to write to standard output means.
pub fn printing(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => anyhow::Error::new(ClosedPipe),
        _ => anyhow::Error::new(error).context("cannot write to standard output"),
    }
}

/// Whether the program ends because nobody reads its standard output any more: then nothing went wrong. Any other
/// broken pipe is a failure.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.is::<ClosedPipe>()
}

/// Names and metadata come from outside: line breaks and terminal codes in them are shown escaped.
pub fn one_line(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.trim().chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closed_pipe_of_standard_output_is_success() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&printing(broken())));
        assert!(is_closed_pipe(&printing(broken()).context("photo.jpg")));
        assert!(!is_closed_pipe(&printing(io::Error::from(io::ErrorKind::StorageFull))));
        assert!(!is_closed_pipe(&anyhow::Error::new(broken()).context("out/faces.csv: cannot write").context("--out")));
    }
}
