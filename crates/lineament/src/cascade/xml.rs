//! Elements of a cascade file: children by name, numbers between tags, and errors that name the line.

use std::ops::RangeInclusive;

use roxmltree::{Document, Node};

use crate::error::{Error, Result};

/// Most characters of a message, which may quote the whole file.
const MESSAGE: usize = 300;

fn error(message: String) -> Error {
    Error::Cascade(message.chars().take(MESSAGE).collect())
}

/// Most attributes in a file; files of OpenCV have two. The XML reader compares each attribute with all others of its
/// element, and namespaces with those of all enclosing elements. With many attributes that would take minutes and
/// gigabytes.
const ATTRIBUTES: usize = 64;

/// The document of a text.
pub(super) fn document(text: &str) -> Result<Document<'_>> {
    // From one `<` to the next there are one tag and numbers. Only comments contain other equals signs.
    let tags = text.split('<').filter(|tag| !tag.starts_with('!'));
    if tags.map(|tag| tag.matches('=').count()).sum::<usize>() > ATTRIBUTES {
        return Err(error(format!("a cascade is expected, which has at most {ATTRIBUTES} attributes")));
    }
    Document::parse(text).map_err(|fault| error(format!("XML is expected, {fault}")))
}

/// An element of the file.
#[derive(Clone, Copy)]
pub(super) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    /// The cascade: the first element within the outermost element.
    pub(super) fn cascade(document: &'a Document<'a>) -> Result<Self> {
        let storage = document.root_element();
        let cascade = storage.first_element_child();
        cascade.map(Self).ok_or_else(|| Self(storage).fail("a cascade is expected in this element"))
    }

    /// An error about this element.
    pub(super) fn fail(self, what: &str) -> Error {
        let line = self.0.document().text_pos_at(self.0.range().start).row;
        error(format!("line {line}, <{}>: {what}", self.0.tag_name().name()))
    }

    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.0.attribute(name)
    }

    /// The first child of that name, if there is one.
    pub(super) fn optional(self, name: &str) -> Option<Self> {
        self.0.children().find(|child| child.has_tag_name(name)).map(Self)
    }

    /// The first child of that name.
    pub(super) fn child(self, name: &str) -> Result<Self> {
        self.optional(name).ok_or_else(|| self.fail(&format!("<{name}> is expected in this element")))
    }

    /// The elements of a list.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(|child| child.has_tag_name("_")).map(Self)
    }

    fn words(self) -> impl Iterator<Item = &'a str> {
        self.0.children().filter(Node::is_text).filter_map(|node| node.text()).flat_map(str::split_ascii_whitespace)
    }

    /// The only word in it, which must be one of `known`.
    pub(super) fn word(self, known: &[&'static str]) -> Result<&'static str> {
        let word = self.words().collect::<Vec<_>>().join(" ");
        let found = known.iter().find(|&&known| known == word);
        found.copied().ok_or_else(|| self.fail(&format!("`{word}` is not read here, only {}", known.join(" and "))))
    }

    /// All numbers in it. Each is finite.
    pub(super) fn numbers(self) -> Result<Vec<f64>> {
        let number = |word: &str| match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.fail(&format!("`{word}` is no number"))),
        };
        self.words().map(number).collect()
    }

    /// The first number.
    pub(super) fn number(self) -> Result<f64> {
        self.numbers()?.first().copied().ok_or_else(|| self.fail("a number is expected in this element"))
    }

    /// `number` as f32, still finite.
    pub(super) fn narrow(self, number: f64) -> Result<f32> {
        let narrow = number as f32;
        if narrow.is_finite() { Ok(narrow) } else { Err(self.fail(&format!("{number} is too large"))) }
    }

    /// `number`, which must be whole and within `range`.
    pub(super) fn whole(self, number: f64, range: RangeInclusive<i64>) -> Result<i64> {
        let whole = number as i64;
        if whole as f64 == number && range.contains(&whole) {
            return Ok(whole);
        }
        Err(self.fail(&format!("{number} is not a whole number from {} to {}", range.start(), range.end())))
    }
}
