//! The checksum of a model file: one changed bit in the weights would move points, or hide every face, without a word.
//!
//! CRC-32, as in PNG and ZIP: it finds every change of up to 32 bits in a row, and takes less than a tenth of the time
//! of loading. It covers the whole file, metadata included, but for its own eight digits, which count as `0`.

use super::key;
use super::onnx::field;
use super::wire::Fields;
use crate::error::{Error, Result};

/// What stands in the file while the checksum is taken.
pub(super) const PLACEHOLDER: &str = "00000000";

/// Refuses a file whose checksum is another than it says. A file that says none is not checked.
pub(super) fn verify(bytes: &[u8]) -> Result<()> {
    let Some(at) = find(bytes) else { return Ok(()) };
    let said = &bytes[at..at + PLACEHOLDER.len()];
    let actual = checksum(bytes, at);
    if said != actual.as_bytes() {
        let said = String::from_utf8_lossy(said);
        return Err(Error::Damaged(format!("its checksum is {actual}, its metadata says {said}")));
    }
    Ok(())
}

/// Writes the checksum in place of the placeholder.
pub(super) fn fill_in(file: &mut [u8]) {
    if let Some(at) = find(file) {
        let checksum = checksum(file, at);
        file[at..at + PLACEHOLDER.len()].copy_from_slice(checksum.as_bytes());
    }
}

/// Of a file whose eight digits begin at `at`.
fn checksum(bytes: &[u8], at: usize) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..at]);
    hasher.update(PLACEHOLDER.as_bytes());
    hasher.update(&bytes[at + PLACEHOLDER.len()..]);
    format!("{:08x}", hasher.finalize())
}

/// Where in the file the digits begin; `None` where there are none, or the file breaks off before them.
fn find(bytes: &[u8]) -> Option<usize> {
    for item in Fields::new(bytes) {
        let (field::model::METADATA_PROPS, value) = item.ok()? else { continue };
        let (mut name, mut text) = (&[][..], &[][..]);
        for item in value.message().ok()? {
            match item.ok()? {
                (field::entry::KEY, value) => name = value.bytes().ok()?,
                (field::entry::VALUE, value) => text = value.bytes().ok()?,
                _ => {}
            }
        }
        if name == key::CHECKSUM.as_bytes() {
            // A text of this length was read from `bytes`; an entry without one leaves the empty slice from above.
            return (text.len() == PLACEHOLDER.len()).then(|| text.as_ptr().addr() - bytes.as_ptr().addr());
        }
    }
    None
}
