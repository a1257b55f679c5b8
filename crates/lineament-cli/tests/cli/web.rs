//! `lineament web`: what it serves, and what it says where it cannot.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;

use crate::helpers::Folder;

/// A running server, ended with its test.
struct Server(Child, String);

impl Server {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut child = folder.command(&[&["web", "--port", "0"], args].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect(&line);
        Self(child, address.to_owned())
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        stream.write_all(format!("{request}\r\nHost: {}\r\n\r\n", self.1).as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_files_of_the_folder_are_served_and_no_others() {
    let folder = Folder::new();
    folder.write("page/index.html", "<title>page</title>");
    folder.write("page/lineament/code.js", "export {};");
    folder.write("secret.txt", "secret");
    let server = Server::start(&folder, &["--folder", "page"]);
    let idle = TcpStream::connect(&server.1).unwrap(); // As browsers keep some ready.
    for (request, status, last) in [
        ("GET / HTTP/1.1", "200 OK", "<title>page</title>"),
        ("GET /index.html?start HTTP/1.1", "200 OK", "<title>page</title>"),
        ("GET /lineament/code.js HTTP/1.1", "200 OK", "export {};"),
        ("HEAD / HTTP/1.1", "200 OK", ""),
        ("GET /missing.js HTTP/1.1", "404 Not Found", "not here\n"),
        ("GET /../secret.txt HTTP/1.1", "404 Not Found", "not here\n"),
        ("GET /%2e%2e/secret.txt HTTP/1.1", "404 Not Found", "not here\n"),
        ("GET", "404 Not Found", "not here\n"),
        ("POST / HTTP/1.1", "405 Method Not Allowed", "only GET and HEAD\n"),
    ] {
        let answer = server.ask(request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!((head.lines().next(), body), (Some(format!("HTTP/1.1 {status}").as_str()), last), "{request}");
    }
    let answer = server.ask("GET /lineament/code.js HTTP/1.1");
    assert!(answer.contains("Content-Type: text/javascript; charset=utf-8\r\nContent-Length: 10\r\n"), "{answer}");
    drop(idle);
}

#[test]
fn what_cannot_be_served_is_explained() {
    let folder = Folder::new();
    folder.write("empty/readme.txt", "");
    folder.write("page/index.html", "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (args, words) in [
        (vec!["--folder", "empty"], "empty: there is no index.html; `make web` builds apps/web/dist"),
        (vec!["--folder", "missing"], "missing: "),
        (vec!["--folder", "page", "--port", &port], "--port chooses another"),
    ] {
        let outcome = folder.run(&[&["web"], &args[..]].concat());
        assert_eq!(outcome.code, Some(1), "{args:?}");
        assert!(outcome.stderr.contains(words) && outcome.stderr.lines().count() == 1, "{}", outcome.stderr);
    }
}

#[test]
#[cfg(not(feature = "page"))]
fn the_page_that_was_built_is_served_in_its_repository() {
    let folder = Folder::new();
    folder.write("apps/web/dist/index.html", "<title>built</title>");
    let server = Server::start(&folder, &[]);
    assert!(server.ask("GET / HTTP/1.1").ends_with("<title>built</title>"));
}
