//! `lineament web`: serves the live page to the browsers of this machine.

mod files;
mod server;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use files::Files;

const EXAMPLES: &str = "\
Examples:
  lineament web                            the page, at http://localhost:8080
  lineament web --port 9000                at another port
  lineament web --folder apps/web/dist     the page as `make web` has just built it

Pictures stay in the browser, which runs the networks itself. Browsers give a camera to pages from localhost and from \
https, so only this machine is served. A phone on a USB cable sees this machine's port as its own after \
`adb reverse tcp:8080 tcp:8080`; for everybody else put the folder on any server with https.";

/// Serves the live page: a browser's camera, and the landmarks in it
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct WebArgs {
    /// Where the page is found: http://localhost:PORT; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Serve the files of this folder
    ///
    /// Without it, the page is the one inside the program if it was built with the feature `page`, and else the one that
    /// `make web` has built: apps/web/dist, in the current folder, the program's own, or one above them.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Runs the command, until it is stopped.
pub fn run(args: WebArgs) -> Result<ExitCode> {
    let files = match &args.folder {
        Some(folder) => Files::of_folder(folder)?,
        None => Files::usual()?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .with_context(|| format!("cannot listen at port {}; --port chooses another", args.port))?;
    let port = listener.local_addr()?.port();
    writeln!(io::stdout().lock(), "http://localhost:{port}/ shows the page; Ctrl-C ends")?;
    server::serve(&listener, files)
}
