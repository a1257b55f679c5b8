//! The tags of an XML file, one after the other: as much XML as imglab writes. Text between tags is skipped.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use super::Input;
use crate::error::{Error, Result};
use crate::text::{excerpt, excerpt_of_bytes};

/// Most bytes of a tag: hundreds of times the usual size.
const MAX_TAG_BYTES: usize = 1 << 16;

/// imglab's files are five levels deep.
const MAX_DEPTH: usize = 64;

/// A tag.
#[derive(Debug, PartialEq, Eq)]
pub enum Tag {
    Start(Element),
    /// Of this name; it also follows `<name/>`.
    End(String),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Reads tags, and checks that they fit each other.
pub struct Xml {
    path: PathBuf,
    reader: BufReader<Box<dyn Read + Send>>,
    length: u64,
    read: u64,
    line: u64,
    open: Vec<String>,
    /// The last tag was `<name/>`.
    closes: bool,
    seen: bool,
    tag: Vec<u8>,
}

impl Xml {
    pub fn new(input: Input) -> Self {
        let Input { path, bytes, length } = input;
        let (open, tag) = (Vec::new(), Vec::new());
        let reader = BufReader::new(bytes);
        Self { path, reader, length, read: 0, line: 1, open, closes: false, seen: false, tag }
    }

    pub fn share_read(&self) -> f64 {
        (self.read as f64 / self.length.max(1) as f64).min(1.0)
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path.display(), self.line)
    }

    fn fault<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::labels(self.place(), reason))
    }

    /// The next tag; `None` at the end of a whole document.
    pub fn next_tag(&mut self) -> Result<Option<Tag>> {
        if self.closes {
            self.closes = false;
            return Ok(self.open.pop().map(Tag::End));
        }
        loop {
            if !self.skip_text()? {
                return match self.open.last() {
                    Some(open) => self.fault(format!("the file ends within <{}>: it was cut off", excerpt(open))),
                    None if !self.seen => self.fault("no XML: no tags"),
                    None => Ok(None),
                };
            }
            self.tag.clear();
            self.push()?;
            match self.tag.as_slice() {
                b"!" => self.skip_declaration()?,
                b"?" => self.skip_to(b"?>")?,
                b"/" => {
                    self.read_tag()?;
                    return self.end_tag().map(Some);
                }
                _ => {
                    if self.tag != b">" {
                        self.read_tag()?;
                    }
                    return self.start_tag().map(Some);
                }
            }
        }
    }

    fn end_tag(&mut self) -> Result<Tag> {
        let name = &self.tag[1..self.tag.len() - 1];
        match self.open.pop() {
            Some(open) if open.as_bytes() == name.trim_ascii_end() => Ok(Tag::End(open)),
            open => {
                let expected = open.map_or("no end tag".into(), |open| format!("</{}>", excerpt(&open)));
                self.fault(format!("</{}>, expected {expected}", excerpt_of_bytes(name)))
            }
        }
    }

    fn start_tag(&mut self) -> Result<Tag> {
        let tag = &self.tag[..self.tag.len() - 1];
        let (tag, closes) = tag.strip_suffix(b"/").map_or((tag, false), |tag| (tag, true));
        let element = match parse(tag) {
            Ok(element) => element,
            Err(reason) => return self.fault(reason),
        };
        if self.open.is_empty() && self.seen {
            return self.fault("a second element after the end of the first");
        }
        if self.open.len() == MAX_DEPTH {
            return self.fault(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(element.name.clone());
        (self.closes, self.seen) = (closes, true);
        Ok(Tag::Start(element))
    }

    /// After `<!`: a comment, character data or a document type.
    fn skip_declaration(&mut self) -> Result<()> {
        self.push()?;
        match self.tag.as_slice() {
            b"!-" => {
                self.push()?;
                match self.tag.as_slice() {
                    b"!--" => self.skip_to(b"-->"),
                    _ => self.fault("a damaged comment"),
                }
            }
            b"![" => self.skip_to(b"]]>"),
            _ => {
                self.read_tag()?;
                match self.tag.contains(&b'[') {
                    true => self.fault("a document type with entities of its own is not read"),
                    false => Ok(()),
                }
            }
        }
    }

    /// Reads into `tag` up to a `>` that is not in quotes.
    fn read_tag(&mut self) -> Result<()> {
        let mut quote = None;
        loop {
            self.push()?;
            let byte = self.tag[self.tag.len() - 1];
            match quote {
                None if byte == b'>' => return Ok(()),
                None if byte == b'<' => return self.fault("`<` within a tag"),
                None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                Some(open) if byte == open => quote = None,
                _ => {}
            }
        }
    }

    fn skip_to(&mut self, end: &[u8]) -> Result<()> {
        let mut last = [0; 3];
        while !last.ends_with(end) {
            last = [last[1], last[2], self.take()?];
        }
        Ok(())
    }

    /// Goes behind the next `<`; false at the end of the file.
    fn skip_text(&mut self) -> Result<bool> {
        loop {
            let bytes = self.reader.fill_buf().map_err(|e| Error::file(&self.path, e))?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = bytes.iter().position(|&b| b == b'<');
            let count = end.map_or(bytes.len(), |end| end + 1);
            self.line += bytes[..count].iter().filter(|&&b| b == b'\n').count() as u64;
            self.read += count as u64;
            self.reader.consume(count);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn push(&mut self) -> Result<()> {
        if self.tag.len() == MAX_TAG_BYTES {
            return self.fault(format!("a tag longer than {} kB", MAX_TAG_BYTES >> 10));
        }
        let byte = self.take()?;
        self.tag.push(byte);
        Ok(())
    }

    fn take(&mut self) -> Result<u8> {
        let bytes = self.reader.fill_buf().map_err(|e| Error::file(&self.path, e))?;
        let Some(&byte) = bytes.first() else { return self.fault("the file ends within a tag: it was cut off") };
        self.reader.consume(1);
        self.read += 1;
        self.line += u64::from(byte == b'\n');
        Ok(byte)
    }
}

/// A start tag without its angle brackets.
fn parse(tag: &[u8]) -> Result<Element, String> {
    let tag = decode(tag);
    let (name, mut rest) = split_name(&tag);
    if name.is_empty() {
        return Err(format!("`<{}` is not a tag", excerpt(&tag)));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(Element { name: name.to_owned(), attributes });
        }
        let (key, after) = split_name(rest);
        let value = after.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start);
        let quoted = value.and_then(|value| {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            value[1..].split_once(quote)
        });
        let Some((value, after)) = quoted.filter(|_| !key.is_empty()) else {
            return Err(format!("`{}` in <{}>, expected name=\"value\"", excerpt(rest), excerpt(name)));
        };
        if attributes.iter().any(|(found, _)| found == key) {
            return Err(format!("two attributes `{}` in <{}>", excerpt(key), excerpt(name)));
        }
        attributes.push((key.to_owned(), unescape(value)?));
        rest = after;
    }
}

fn split_name(text: &str) -> (&str, &str) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// UTF-8, or else Latin-1, which imglab's files claim to be.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
    }
}

fn unescape(value: &str) -> Result<String, String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let (entity, after) = after.split_once(';').unwrap_or((after, ""));
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match entity.strip_prefix('#') {
                Some(digits) => digits.strip_prefix('x').map_or_else(|| number(digits, 10), |hex| number(hex, 16)),
                None => None,
            },
        };
        text.push(character.ok_or_else(|| format!("`&{};` is not known", excerpt(entity)))?);
        rest = after;
    }
    Ok(text + rest)
}
