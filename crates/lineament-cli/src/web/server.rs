//! As much of HTTP as a browser needs to load files: GET and HEAD, one request a connection.
//!
//! The alternative is a crate such as tiny_http: four crates more for what fits here. A request is used for one look-up
//! in a list, so there is little to get wrong.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::files::Files;

/// Longest request; browsers send about 1,000 bytes.
const MOST_REQUEST_BYTES: u64 = 16 << 10;

/// How long a browser may take to ask or to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Until it is tried again to listen, after a failure such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// The last two make the browser's clock finer, which the page's figures are measured with.
const HEADERS: &str = "Connection: close\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n\
     Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n";

/// Answers requests for `files`, each connection on a thread of its own: browsers open some that they use later.
pub fn serve(listener: &TcpListener, files: Files) -> ! {
    let files = Arc::new(files);
    loop {
        let begun = listener.accept().and_then(|(stream, _)| {
            let files = Arc::clone(&files);
            // A browser that hangs up is no failure of ours.
            thread::Builder::new().spawn(move || drop(answer(&stream, &files)))
        });
        if begun.is_err() {
            thread::sleep(PAUSE);
        }
    }
}

fn answer(mut stream: &TcpStream, files: &Files) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = read_request(&mut BufReader::new(stream.take(MOST_REQUEST_BYTES)))?;
    let (head, body) = response(&request, files);
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

/// The first line. The others are read as well: closing a connection with unread bytes takes back what was sent.
fn read_request(stream: &mut impl BufRead) -> io::Result<String> {
    let mut first = String::new();
    stream.read_line(&mut first)?;
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line)? > 2 {
        line.clear();
    }
    Ok(first)
}

/// Head and body of the answer to a request's first line.
fn response<'a>(request: &str, files: &'a Files) -> (String, &'a [u8]) {
    let mut words = request.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, (body, kind)) = match (method, files.get(path)) {
        ("GET" | "HEAD", Some(file)) => ("200 OK", file),
        ("GET" | "HEAD", None) => ("404 Not Found", (&b"not here\n"[..], "text/plain")),
        _ => ("405 Method Not Allowed", (&b"only GET and HEAD\n"[..], "text/plain")),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{HEADERS}\r\n");
    (head, if method == "HEAD" { &[] } else { body })
}
