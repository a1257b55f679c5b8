//! As much of HTTP as a browser needs to load files: GET and HEAD, one request per connection, this machine only.
//!
//! Why not tiny_http: it has had no release since 2022, brings four crates more, and would replace only `read_request`
//! and the status lines below. All that a request can do is to name one entry of a fixed list.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::files::Files;

/// Longest request; browsers send about 1,000 bytes.
const MOST_REQUEST_BYTES: u64 = 16 << 10;

/// How long a browser may take to send a request or to receive the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time before the next try after a failure such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// With the last two the browser gives the page a finer clock, which its figures are measured with.
const HEADERS: &str = "Connection: close\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n\
     Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n";

/// Answers requests for `files`. Each connection has a thread: browsers open some in advance and use them later.
pub fn serve(listener: &TcpListener, files: Files) -> ! {
    let files = Arc::new(files);
    loop {
        let begun = listener.accept().and_then(|(stream, _)| {
            let files = Arc::clone(&files);
            // A browser may hang up at any time: there is nobody to report that to.
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

/// The first line. The other lines are read too, because closing a connection with unread bytes resets it, and the
/// browser would lose the answer.
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
