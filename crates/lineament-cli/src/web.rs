//! `lineament web`: serves the live page to browsers on this machine.

mod files;
mod server;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::failure::OrTry as _;
use crate::output::print;
use files::Files;

const EXAMPLES: &str = "\
Examples:
  lineament web                            the page, at http://localhost:8080
  lineament web --port 9000                at another port
  lineament web --folder apps/web/dist     the page that `make web` has just built

The networks run in the browser, and pictures never leave it. Browsers give a camera only to pages from localhost or \
https, so the page is served to this machine only. A phone on a USB cable can open it after \
`adb reverse tcp:8080 tcp:8080`. For other devices put the folder on a server with https.";

/// Shows the landmarks in your camera's picture, in the browser
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct WebArgs {
    /// Serve the page at http://localhost:PORT; 0 takes any free port
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Serve the files of this folder
    ///
    /// Without it, the page is the one inside the program if it was built with the feature `page`, and else the one
    /// that `make web` has built: apps/web/dist, in the current folder, the program's own, or one above them.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Runs the command until it is stopped.
pub fn run(args: WebArgs) -> Result<ExitCode> {
    let files = match &args.folder {
        Some(folder) => Files::of_folder(folder)?,
        None => Files::usual()?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .with_context(|| format!("cannot listen at port {}", args.port))
        .or_try("--port chooses another")?;
    let port = listener.local_addr()?.port();
    print(&format!("http://localhost:{port}/ shows the page; Ctrl-C ends\n"))?;
    server::serve(&listener, files)
}
