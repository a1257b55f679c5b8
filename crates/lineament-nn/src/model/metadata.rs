//! What a model file says about itself.

use super::key;
use crate::error::{Error, Result};

/// The version of the metadata's meaning that this library reads and writes.
pub const FORMAT_VERSION: &str = "1";

/// Most metadata entries in one file.
pub(super) const MAX_ENTRIES: usize = 256;

/// Keys that the reader and the writer own; they never stand in [`Metadata::entries`].
pub(super) const OWNED_KEYS: [&str; 4] = [key::FORMAT_VERSION, key::ROLE, key::INPUT_SIZE, key::CHECKSUM];

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Finds faces in a frame.
    Detector,
    /// Places the points in a crop.
    Landmarks,
}

impl Role {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Landmarks => "landmarks",
        }
    }

    /// The role of that [`Role::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Detector, Self::Landmarks].into_iter().find(|role| role.name() == name)
    }
}

/// What the file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What the model is for.
    pub role: Role,
    /// Everything else the file says, in the file's order: key, value. Keys are unique; the role, the format's
    /// version and the input's size are not among them.
    pub entries: Vec<(String, String)>,
}

impl Metadata {
    /// A role and nothing more.
    pub fn new(role: Role) -> Self {
        Self { role, entries: Vec::new() }
    }

    /// What the file says under `key`; the keys that this library knows are in [`key`].
    pub fn get(&self, key: &str) -> Option<&str> {
        match key {
            key::ROLE => Some(self.role.name()),
            key::FORMAT_VERSION => Some(FORMAT_VERSION),
            _ => self.entries.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str()),
        }
    }

    /// Adds an entry, or replaces the value it had.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        match self.entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value.into(),
            None => self.entries.push((key.to_owned(), value.into())),
        }
    }

    /// Takes the owned keys out of a file's entries: the rest, and the input's size (height, width) if it is there.
    pub(super) fn from_file(mut entries: Vec<(String, String)>) -> Result<(Self, Option<(usize, usize)>)> {
        if let Some(key) = repeated_key(&entries) {
            return Err(Error::Damaged(format!("the metadata has `{key}` twice")));
        }
        let mut take = |key: &str| entries.iter().position(|(k, _)| k == key).map(|i| entries.remove(i).1);
        match take(key::FORMAT_VERSION).as_deref() {
            Some(FORMAT_VERSION) => {}
            Some(other) => {
                return Err(Error::Unsupported(format!("format version `{other}`, this library reads 1; update it")));
            }
            None => {
                return Err(Error::Unsupported("its metadata has no `format_version`: another program made it".into()));
            }
        }
        let role = take(key::ROLE).ok_or_else(|| Error::Unsupported("its metadata has no `role`".into()))?;
        let role = Role::from_name(&role).ok_or_else(|| Error::Unsupported(format!("unknown role `{role}`")))?;
        let size = match take(key::INPUT_SIZE) {
            None => None,
            Some(text) => {
                let sides = text.split_once('x').and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
                Some(sides.ok_or_else(|| Error::Damaged(format!("input size `{text}`, expected `HEIGHTxWIDTH`")))?)
            }
        };
        Ok((Self { role, entries }, size))
    }

    /// Refuses what [`Metadata::from_file`] would not give back.
    pub(super) fn check(&self) -> Result<()> {
        let owned = self.entries.iter().find(|(k, _)| k.is_empty() || OWNED_KEYS.contains(&k.as_str()));
        match (owned, repeated_key(&self.entries)) {
            (Some((key, _)), _) => Err(Error::Model(format!("the metadata key `{key}` is written by this library"))),
            (_, Some(key)) => Err(Error::Model(format!("the metadata has `{key}` twice"))),
            _ if self.entries.len() > MAX_ENTRIES - OWNED_KEYS.len() => {
                Err(Error::Model(format!("{} metadata entries are too many", self.entries.len())))
            }
            _ => Ok(()),
        }
    }
}

fn repeated_key(entries: &[(String, String)]) -> Option<&str> {
    let repeated = |(i, (key, _)): &(usize, &(String, String))| entries[..*i].iter().any(|(k, _)| k == key);
    entries.iter().enumerate().find(repeated).map(|(_, (key, _))| key.as_str())
}
