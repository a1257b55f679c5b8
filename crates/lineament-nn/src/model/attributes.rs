//! A node's attributes: what may stand there, what is assumed where nothing does.

use super::onnx::Attribute;
use crate::error::{Error, Result};

/// A node's attributes, with the defaults of ONNX.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'n>(&'n [Attribute<'n>]);

impl<'n> Attributes<'n> {
    pub fn new(list: &'n [Attribute<'n>]) -> Self {
        Self(list)
    }

    /// An attribute that we do not know may change what the node computes: an error.
    pub fn allow(&self, names: &[&str]) -> Result<()> {
        match self.0.iter().find(|a| !names.contains(&a.name)) {
            Some(a) => Err(fault(format!("attribute `{}` is not supported", a.name))),
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&Attribute<'_>> {
        self.0.iter().find(|a| a.name == name)
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.find(name).map_or(default, |a| a.int.unwrap_or(0))
    }

    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.find(name).map(|a| a.ints.as_slice())
    }

    /// The one number that a list of `len` repeats.
    pub fn same(&self, name: &str, len: usize, default: i64) -> Result<i64> {
        match self.ints(name) {
            None => Ok(default),
            Some(list) if list.len() == len && list.iter().all(|n| *n == list[0]) => Ok(list[0]),
            Some(list) => Err(fault(format!("`{name}` of {list:?} is not supported"))),
        }
    }

    pub fn expect_same(&self, name: &str, len: usize, expected: i64) -> Result<()> {
        match self.same(name, len, expected)? {
            n if n == expected => Ok(()),
            n => Err(fault(format!("`{name}` of {n}, expected {expected}"))),
        }
    }

    pub fn expect_int(&self, name: &str, expected: i64, default: i64) -> Result<()> {
        match self.int(name, default) {
            n if n == expected => Ok(()),
            n => Err(fault(format!("`{name}` of {n}, expected {expected}"))),
        }
    }

    pub fn expect_one(&self, name: &str) -> Result<()> {
        match self.find(name).map_or(Some(1.0), |a| a.float) {
            Some(1.0) => Ok(()),
            other => Err(fault(format!("`{name}` of {other:?}, expected 1"))),
        }
    }

    pub fn expect_explicit_padding(&self) -> Result<()> {
        match self.find("auto_pad").map_or(Some("NOTSET"), |a| a.text) {
            Some("NOTSET") => Ok(()),
            other => Err(fault(format!("`auto_pad` of {other:?} is not supported"))),
        }
    }
}

fn fault(what: String) -> Error {
    Error::Unsupported(what)
}
