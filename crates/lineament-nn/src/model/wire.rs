//! Protobuf's wire format: the few rules by which ONNX files are written down as bytes.
//!
//! By hand and not through `prost` or `protobuf`: a model file needs four kinds of field in a dozen messages, which
//! is less code than a generated reader's glue. It also borrows: a generated reader copies every weight into a new
//! `Vec`, and fills lists as long as a hostile file claims. Here a message is walked field by field, nothing is
//! allocated, and every length is checked against the bytes that are left. There is no recursion; nesting is as deep
//! as the caller's own calls.

use crate::error::{Error, Result};

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;
const FIXED32: u8 = 5;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An integer, a boolean or an enum.
    Varint(u64),
    /// Four bytes: a float.
    Fixed32([u8; 4]),
    /// Eight bytes: a double. Nothing that we read has one; known so that it can be skipped.
    Fixed64,
    /// A string, a nested message, or a packed list.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// A signed integer, as protobuf's `int64` and `int32` are stored.
    pub fn int(self) -> Result<i64> {
        match self {
            Self::Varint(n) => Ok(n.cast_signed()),
            other => Err(fault(format!("expected an integer, found {}", other.kind()))),
        }
    }

    pub fn float(self) -> Result<f32> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            other => Err(fault(format!("expected a float, found {}", other.kind()))),
        }
    }

    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(fault(format!("expected bytes, found {}", other.kind()))),
        }
    }

    pub fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| fault("a text that is not UTF-8".into()))
    }

    /// The fields of a nested message.
    pub fn message(self) -> Result<Fields<'a>> {
        self.bytes().map(Fields::new)
    }

    /// Appends a repeated integer, which is stored either one by one or packed; `list` grows to `most` at most.
    pub fn append_ints(self, list: &mut Vec<i64>, most: usize) -> Result<()> {
        let mut packed = match self {
            Self::Bytes(bytes) => Fields::new(bytes),
            one => return push_limited(list, one.int()?, most, "integers"),
        };
        while !packed.rest.is_empty() {
            let n = packed.varint()?.cast_signed();
            push_limited(list, n, most, "integers")?;
        }
        Ok(())
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Varint(_) => "an integer",
            Self::Fixed32(_) => "four bytes",
            Self::Fixed64 => "eight bytes",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// Appends, unless the list has `most` already: no list of ours grows with what a file claims.
pub(super) fn push_limited<T>(list: &mut Vec<T>, item: T, most: usize, what: &str) -> Result<()> {
    if list.len() >= most {
        return Err(fault(format!("more than {most} {what}")));
    }
    list.push(item);
    Ok(())
}

/// Walks the fields of one message: field number and value. Stop at the first error.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(len).ok().and_then(|n| self.rest.split_at_checked(n));
        let (taken, rest) =
            split.ok_or_else(|| fault(format!("{len} bytes announced where {} are left", self.rest.len())))?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (i, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.rest = &self.rest[i + 1..];
                return Ok(value);
            }
        }
        Err(fault("an integer that does not end".into()))
    }

    fn field(&mut self) -> Result<(u32, Value<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|&n| n != 0);
        let number = number.ok_or_else(|| fault(format!("field number {}", tag >> 3)))?;
        let value = match (tag & 7) as u8 {
            VARINT => Value::Varint(self.varint()?),
            FIXED64 => self.take(8).map(|_| Value::Fixed64)?,
            FIXED32 => Value::Fixed32(self.take(4)?.try_into().expect("four bytes were taken")),
            LENGTH_DELIMITED => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            kind => return Err(fault(format!("field {number} is of the unknown kind {kind}"))),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.field())
    }
}

/// Writes messages into one buffer.
///
/// The length of a nested message always takes five bytes, so that it can be filled in afterwards and the place of
/// everything inside is known while it is written. That is valid protobuf, if a few bytes longer than need be.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub buffer: Vec<u8>,
}

/// Bytes in the length of a nested message: 35 bits, more than protobuf's limit of 2 GiB.
const LENGTH_BYTES: usize = 5;

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.buffer.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.push(value as u8);
    }

    fn tag(&mut self, number: u32, kind: u8) {
        self.varint(u64::from(number) << 3 | u64::from(kind));
    }

    pub fn int(&mut self, number: u32, value: i64) {
        self.tag(number, VARINT);
        self.varint(value.cast_unsigned());
    }

    pub fn text(&mut self, number: u32, text: &str) {
        self.tag(number, LENGTH_DELIMITED);
        self.varint(text.len() as u64);
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// A nested message, or any other bytes: what `fill` writes.
    pub fn message(&mut self, number: u32, fill: impl FnOnce(&mut Self)) {
        self.tag(number, LENGTH_DELIMITED);
        let start = self.buffer.len() + LENGTH_BYTES;
        self.buffer.resize(start, 0);
        fill(self);
        let len = self.buffer.len() - start;
        for (i, byte) in self.buffer[start - LENGTH_BYTES..start].iter_mut().enumerate() {
            let more = if i + 1 < LENGTH_BYTES { 0x80 } else { 0 };
            *byte = (len as u64 >> (7 * i)) as u8 & 0x7f | more;
        }
    }

    /// A text of spaces just long enough for a [`Writer::message`] that follows it, under a number below 16, to have
    /// its first byte at a multiple of `alignment`, which is 64 at most.
    pub fn align_next_message(&mut self, number: u32, alignment: usize) {
        let tags_and_length = 3;
        let next = self.buffer.len() + tags_and_length + LENGTH_BYTES;
        self.text(number, &" ".repeat(next.next_multiple_of(alignment) - next));
    }
}

fn fault(what: String) -> Error {
    Error::Damaged(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_written() {
        let mut writer = Writer::default();
        writer.int(1, -3);
        writer.text(200, "two");
        writer.align_next_message(3, 64);
        writer.message(9, |inner| inner.int(4, i64::MAX));
        let fields: Vec<_> = Fields::new(&writer.buffer).collect::<Result<_>>().unwrap();
        assert_eq!(fields[0].1.int().unwrap(), -3);
        assert_eq!((fields[1].0, fields[1].1.text().unwrap()), (200, "two"));
        let inner = fields[3].1.bytes().unwrap();
        assert_eq!((inner.as_ptr() as usize - writer.buffer.as_ptr() as usize) % 64, 0);
        let inner = fields[3].1.message().unwrap().next().unwrap().unwrap();
        assert_eq!((inner.0, inner.1.int().unwrap()), (4, i64::MAX));
    }

    #[test]
    fn broken_fields_are_errors() {
        let huge = [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]; // 2^60 bytes announced
        let cases: [&[u8]; 8] =
            [&huge, &[0x08], &[0x08, 0x80], &[0x0a, 2, 0], &[0x0d, 1, 2, 3], &[0x09, 1], &[0x0b], &[0x00, 0]];
        for bytes in cases {
            assert!(Fields::new(bytes).next().unwrap().is_err(), "{bytes:?}");
        }
        assert!(Fields::new(&[0xff; 40]).next().unwrap().is_err());
    }

    #[test]
    fn integers_are_read_packed_or_one_by_one_up_to_the_limit() {
        let mut list = Vec::new();
        Value::Varint(5).append_ints(&mut list, 3).unwrap();
        Value::Bytes(&[6, 0x80, 1]).append_ints(&mut list, 3).unwrap();
        assert_eq!(list, [5, 6, 128]);
        assert!(Value::Varint(5).append_ints(&mut list, 3).is_err());
        assert!(Value::Bytes(&[6, 0x80]).append_ints(&mut list, 9).is_err());
    }
}
