//! Boxes: a length, a name of four letters, content. Numbers are big-endian. Nothing is read beyond what is there.

/// Reads numbers from a box's content.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a> {
    rest: &'a [u8],
}

/// A box in memory.
pub type Box<'a> = ([u8; 4], Bytes<'a>);

impl<'a> Bytes<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that are not read yet.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("the index (moov) is damaged: a box ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        Ok(std::array::from_fn(|i| taken[i]))
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, String> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, String> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_be_bytes)
    }

    /// Four bytes with a sign.
    pub fn i32(&mut self) -> Result<i32, String> {
        self.array().map(i32::from_be_bytes)
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_be_bytes)
    }

    /// Version and flags at the start of a full box.
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), String> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0xff_ffff))
    }

    /// Four bytes in version 0 of a box, eight in version 1.
    pub fn long(&mut self, version: u8) -> Result<u64, String> {
        if version == 0 { self.u32().map(u64::from) } else { self.u64() }
    }

    /// The boxes within, until one does not fit.
    pub fn boxes(self) -> impl Iterator<Item = Box<'a>> {
        let mut bytes = self;
        std::iter::from_fn(move || {
            let length = bytes.u32().ok()?;
            let name = bytes.array().ok()?;
            let content = match length {
                0 => bytes.rest.len(),
                1 => usize::try_from(bytes.u64().ok()?).ok()?.checked_sub(16)?,
                length => (length as usize).checked_sub(8)?,
            };
            Some((name, Self::new(bytes.take(content).ok()?)))
        })
    }

    /// The first box of a name.
    pub fn find(self, name: &[u8; 4]) -> Option<Self> {
        self.boxes().find(|(found, _)| found == name).map(|(_, content)| content)
    }

    /// A box that must be there.
    pub fn need(self, name: &[u8; 4]) -> Result<Self, String> {
        let missing = || format!("the index (moov) is damaged: it has no {}", String::from_utf8_lossy(name));
        self.find(name).ok_or_else(missing)
    }
}

/// A box's bytes from its parts.
pub fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(content + 8).expect("an index is far below 4 GiB");
    [&length.to_be_bytes()[..], name].into_iter().chain(parts.iter().copied()).flatten().copied().collect()
}
