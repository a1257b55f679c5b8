//! The lists of a large JSON object, element by element, so that the file need not fit into memory.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::Input;
use crate::error::{Error, Result};
use crate::text::{excerpt, one_line};

/// Most bytes of one element: a mask with a million corners is smaller.
const MAX_ELEMENT_BYTES: usize = 16 << 20;

const MAX_KEY_BYTES: usize = 1 << 10;

/// As deep as serde_json goes.
const MAX_DEPTH: usize = 127;

/// An element of a list of the outermost object.
pub struct Element<'a> {
    /// The list's key.
    pub list: &'static str,
    /// From 0.
    pub index: u64,
    pub json: &'a [u8],
}

/// Reads the elements of the lists with certain keys. The elements themselves are JSON only as far as brackets and
/// strings fit; whoever parses them finds the rest. What is skipped is checked that far, too.
pub struct JsonLists {
    path: PathBuf,
    reader: BufReader<Box<dyn Read + Send>>,
    wanted: &'static [&'static str],
    length: u64,
    at: u64,
    state: State,
    json: Vec<u8>,
}

#[derive(Clone, Copy)]
enum State {
    Start,
    /// After a member of the object.
    Member,
    /// In a list, before the element of this index.
    List(&'static str, u64),
    End,
}

impl JsonLists {
    pub fn new(input: Input, wanted: &'static [&'static str]) -> Self {
        let Input { path, bytes, length } = input;
        Self { path, reader: BufReader::new(bytes), wanted, length, at: 0, state: State::Start, json: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn share_read(&self) -> f64 {
        (self.at as f64 / self.length.max(1) as f64).min(1.0)
    }

    /// The place of an element, for messages.
    pub fn place(&self, list: &str, index: u64) -> String {
        format!("{}: {list}[{index}]", self.path.display())
    }

    pub fn fault<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::labels(format!("{}: byte {}", self.path.display(), self.at), reason))
    }

    /// The next element; `None` at the end of the file.
    pub fn next_element(&mut self) -> Result<Option<Element<'_>>> {
        loop {
            self.state = match self.state {
                State::Start => {
                    if self.peek()? == Some(0xef) {
                        (0..3).try_for_each(|_| self.take().map(drop))?; // a byte order mark, or the next line fails
                    }
                    match self.after_blanks()? {
                        Some(b'{') => self.take()?,
                        _ => return self.fault("no JSON object"),
                    };
                    match self.after_blanks()? {
                        Some(b'}') => self.take().map(|_| State::End)?,
                        _ => self.key()?,
                    }
                }
                State::Member => match self.after_blanks()? {
                    Some(b',') => {
                        self.take()?;
                        self.key()?
                    }
                    Some(b'}') => self.take().map(|_| State::End)?,
                    _ => return self.unexpected("`,` or `}`"),
                },
                State::List(list, index) => match (self.after_blanks()?, index) {
                    (Some(b']'), _) => self.take().map(|_| State::Member)?,
                    (Some(b','), 1..) => {
                        self.take()?;
                        self.after_blanks()?;
                        return self.element(list, index);
                    }
                    (_, 0) => return self.element(list, index),
                    _ => return self.unexpected("`,` or `]`"),
                },
                State::End => match self.after_blanks()? {
                    None => return Ok(None),
                    Some(_) => return self.fault("text after the end of the object"),
                },
            };
        }
    }

    fn element(&mut self, list: &'static str, index: u64) -> Result<Option<Element<'_>>> {
        self.json.clear();
        self.value(true)?;
        self.state = State::List(list, index + 1);
        Ok(Some(Element { list, index, json: &self.json }))
    }

    /// Reads a key, and its value unless that is a list that is wanted.
    fn key(&mut self) -> Result<State> {
        self.after_blanks()?;
        if self.peek()? != Some(b'"') {
            return self.unexpected("the name of a member");
        }
        self.json.clear();
        self.string(true, MAX_KEY_BYTES)?;
        let key: String = match serde_json::from_slice(&self.json) {
            Ok(key) => key,
            Err(e) => return self.fault(one_line(&e.to_string())),
        };
        if self.after_blanks()? != Some(b':') {
            return self.unexpected("`:`");
        }
        self.take()?;
        let first = self.after_blanks()?;
        match self.wanted.iter().find(|wanted| **wanted == key) {
            Some(&list) if first == Some(b'[') => {
                self.take()?;
                Ok(State::List(list, 0))
            }
            Some(_) => self.fault(format!("`{}` is not a list", excerpt(&key))),
            None => self.value(false).map(|()| State::Member),
        }
    }

    /// Reads a value up to its last byte.
    fn value(&mut self, keep: bool) -> Result<()> {
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                Some(b'"') => self.string(keep, MAX_ELEMENT_BYTES)?,
                Some(byte @ (b'{' | b'[')) => {
                    if open.len() == MAX_DEPTH {
                        return self.fault(format!("nested deeper than {MAX_DEPTH} levels"));
                    }
                    open.push(byte);
                    self.push(keep, MAX_ELEMENT_BYTES)?;
                    continue;
                }
                Some(byte @ (b'}' | b']')) => {
                    if open.pop() != Some(if byte == b'}' { b'{' } else { b'[' }) {
                        return self.unexpected("a value");
                    }
                    self.push(keep, MAX_ELEMENT_BYTES)?;
                }
                Some(b',' | b':') if open.is_empty() => return self.unexpected("a value"),
                Some(byte) if open.is_empty() && is_blank(byte) => return self.unexpected("a value"),
                Some(_) if open.is_empty() => {
                    // A number, true, false or null.
                    while self.peek()?.is_some_and(|b| !is_blank(b) && !b"{}[],:\"".contains(&b)) {
                        self.push(keep, MAX_ELEMENT_BYTES)?;
                    }
                }
                Some(_) => {
                    self.push(keep, MAX_ELEMENT_BYTES)?;
                    continue;
                }
                None => return self.cut_off(),
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// Reads a string with its quotes.
    fn string(&mut self, keep: bool, limit: usize) -> Result<()> {
        self.push(keep, limit)?;
        loop {
            match self.peek()? {
                Some(b'"') => return self.push(keep, limit),
                Some(b'\\') => {
                    self.push(keep, limit)?;
                    self.push(keep, limit)?;
                }
                Some(_) => self.push(keep, limit)?,
                None => return self.cut_off(),
            }
        }
    }

    /// Passes a byte on.
    fn push(&mut self, keep: bool, limit: usize) -> Result<()> {
        let byte = self.take()?;
        if keep {
            if self.json.len() == limit {
                return self.fault(format!("an element longer than {} kB", limit >> 10));
            }
            self.json.push(byte);
        }
        Ok(())
    }

    fn after_blanks(&mut self) -> Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if is_blank(byte) => self.take()?,
                other => return Ok(other),
            };
        }
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        let bytes = self.reader.fill_buf().map_err(|e| Error::file(&self.path, e))?;
        Ok(bytes.first().copied())
    }

    fn take(&mut self) -> Result<u8> {
        let Some(byte) = self.peek()? else { return self.cut_off() };
        self.reader.consume(1);
        self.at += 1;
        Ok(byte)
    }

    fn cut_off<T>(&self) -> Result<T> {
        self.fault("the file ends within the JSON: it was cut off")
    }

    fn unexpected<T>(&mut self, expected: &str) -> Result<T> {
        match self.peek()? {
            None => self.cut_off(),
            Some(byte) => self.fault(format!("`{}`, expected {expected}", char::from(byte).escape_debug())),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
