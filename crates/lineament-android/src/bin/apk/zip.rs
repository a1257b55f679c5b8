//! A zip file as Android wants it: what is stored uncompressed begins at multiples of a page, and no byte depends on
//! time or machine. Debian's zipalign knows pages of 4 KB only; phones from 2025 on have 16.

use anyhow::{Context, Result, ensure};

/// Libraries begin at multiples of this, other stored files at multiples of 4.
pub const PAGE: usize = 16_384;
const WORD: usize = 4;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
/// 1980-01-01, the first day that the format knows.
const DATE: u16 = 0x21;
/// The extra field by which Android's signer knows the alignment: its number, its length, the alignment, zeros.
const ALIGNMENT_FIELD: u16 = 0xd935;
const ALIGNMENT_LEN: usize = 6;
const STORED: u16 = 0;

/// A file inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// 0 is stored, 8 is deflated.
    pub method: u16,
    pub crc: u32,
    /// As it lies in the file.
    pub bytes: Vec<u8>,
    /// Its length before it was compressed.
    pub len: u32,
    /// Where the bytes begin; written by [`write`], found by [`read`].
    pub at: usize,
}

impl Entry {
    /// A file that is stored as it is.
    pub fn stored(name: &str, bytes: Vec<u8>) -> Result<Self> {
        let len = u32::try_from(bytes.len()).context("larger than 4 GB")?;
        Ok(Self { name: name.to_owned(), method: STORED, crc: crc32(&bytes), bytes, len, at: 0 })
    }

    /// Whether this is a library that is loaded where it lies.
    pub fn is_library(&self) -> bool {
        self.name.starts_with("lib/") && self.name.ends_with(".so")
    }

    fn alignment(&self) -> usize {
        match self.method {
            STORED if self.is_library() => PAGE,
            STORED => WORD,
            _ => 1,
        }
    }
}

/// The checksum of zip files, bit by bit: a package has some megabytes.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// The files in the order of the directory at the end.
pub fn read(zip: &[u8]) -> Result<Vec<Entry>> {
    let end = (0..=zip.len().saturating_sub(END_LEN)).rev().find(|&at| u32_at(zip, at).is_ok_and(|mark| mark == END));
    let end = end.context("no directory: not a zip file")?;
    let count = u16_at(zip, end + 10)?;
    let mut at = u32_at(zip, end + 16)? as usize;
    let mut entries = Vec::new();
    for _ in 0..count {
        ensure!(u32_at(zip, at)? == CENTRAL, "a damaged directory");
        let (name_len, extra_len) = (u16_at(zip, at + 28)? as usize, u16_at(zip, at + 30)? as usize);
        let comment_len = u16_at(zip, at + 32)? as usize;
        let name = zip.get(at + CENTRAL_LEN..at + CENTRAL_LEN + name_len).context("a name that is cut off")?;
        let local = u32_at(zip, at + 42)? as usize;
        ensure!(u32_at(zip, local)? == LOCAL, "a damaged entry");
        // The extra field there may be another one.
        let start = local + LOCAL_LEN + u16_at(zip, local + 26)? as usize + u16_at(zip, local + 28)? as usize;
        let bytes = zip.get(start..start + u32_at(zip, at + 20)? as usize).context("a file that is cut off")?;
        entries.push(Entry {
            name: String::from_utf8(name.to_vec())?,
            method: u16_at(zip, at + 10)?,
            crc: u32_at(zip, at + 16)?,
            bytes: bytes.to_vec(),
            len: u32_at(zip, at + 24)?,
            at: start,
        });
        at += CENTRAL_LEN + name_len + extra_len + comment_len;
    }
    Ok(entries)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).context("cut off")?;
    Ok(u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk()).context("cut off")?;
    Ok(u32::from_le_bytes(*field))
}

/// The same files give the same bytes.
pub fn write(entries: &[Entry]) -> Result<Vec<u8>> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let (at, name_len) = (u32::try_from(zip.len())?, u16::try_from(entry.name.len())?);
        let alignment = entry.alignment();
        let extra = match alignment {
            1 => Vec::new(),
            alignment => {
                let start = zip.len() + LOCAL_LEN + entry.name.len() + ALIGNMENT_LEN;
                let padding = start.next_multiple_of(alignment) - start;
                let fields = [ALIGNMENT_FIELD, u16::try_from(2 + padding)?, u16::try_from(alignment)?];
                let mut extra: Vec<u8> = fields.into_iter().flat_map(u16::to_le_bytes).collect();
                extra.resize(ALIGNMENT_LEN + padding, 0);
                extra
            }
        };
        let packed = u32::try_from(entry.bytes.len())?;
        // Version 2.0, no flags, then what both headers share.
        let mut shared = Vec::new();
        [20, 0, entry.method, 0, DATE].iter().for_each(|field: &u16| shared.extend(field.to_le_bytes()));
        [entry.crc, packed, entry.len].iter().for_each(|field| shared.extend(field.to_le_bytes()));
        shared.extend(name_len.to_le_bytes());

        zip.extend(LOCAL.to_le_bytes());
        zip.extend(&shared);
        zip.extend(u16::try_from(extra.len())?.to_le_bytes());
        zip.extend(entry.name.as_bytes());
        zip.extend(extra);
        zip.extend(&entry.bytes);

        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(20u16.to_le_bytes());
        directory.extend(&shared);
        // No extra field, no comment, disk 0, no attributes.
        directory.extend([0; 12]);
        directory.extend(at.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let (start, count) = (u32::try_from(zip.len())?, u16::try_from(entries.len())?);
    zip.extend(&directory);
    zip.extend(END.to_le_bytes());
    zip.extend([0; 4]);
    [count, count].iter().for_each(|field| zip.extend(field.to_le_bytes()));
    zip.extend(u32::try_from(directory.len())?.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0; 2]);
    Ok(zip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_begin_at_pages_and_all_is_read_back() {
        let deflated = Entry { method: 8, len: 900, ..Entry::stored("res/a.xml", vec![7; 33]).unwrap() };
        let entries = [
            deflated,
            Entry::stored("resources.arsc", vec![1; 1001]).unwrap(),
            Entry::stored("lib/arm64-v8a/liba.so", vec![2; 70_001]).unwrap(),
            Entry::stored("lib/x86_64/liba.so", vec![3; 5]).unwrap(),
        ];
        let zip = write(&entries).unwrap();
        assert_eq!(zip, write(&entries).unwrap());
        let back = read(&zip).unwrap();
        for (entry, back) in entries.iter().zip(&back) {
            assert_eq!(&Entry { at: back.at, ..entry.clone() }, back);
            assert_eq!(back.at % entry.alignment(), 0, "{}", entry.name);
            assert_eq!(zip[back.at..][..back.bytes.len()], back.bytes);
        }
        assert_eq!(back.len(), 4);
    }

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn damaged_files_are_refused() {
        let zip = write(&[Entry::stored("a", vec![1; 50]).unwrap()]).unwrap();
        for len in 0..zip.len() {
            assert!(read(&zip[..len]).is_err(), "{len} bytes");
        }
        let mut huge = zip.clone();
        let at = huge.len() - END_LEN - CENTRAL_LEN - 1 + 20;
        huge[at..at + 4].fill(0xff);
        assert!(read(&huge).is_err());
    }
}
