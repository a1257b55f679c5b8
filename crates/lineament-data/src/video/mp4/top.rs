//! The top-level boxes of a file.

use std::io::{Read, Seek, SeekFrom};

use super::boxes::Bytes;

/// Most bytes of an index: a day of video takes 50 MB.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// The top-level boxes. Only those of the index are read into memory.
#[derive(Default)]
pub struct TopLevel {
    /// The index.
    pub moov: Option<Vec<u8>>,
    /// The position and content of each fragment's index.
    pub moofs: Vec<(u64, Vec<u8>)>,
    /// A box is longer than the rest of the file.
    pub is_cut_off: bool,
}

impl TopLevel {
    /// Walks over a file of `file_bytes`.
    pub fn read(file: &mut (impl Read + Seek), file_bytes: u64) -> Result<Self, String> {
        let mut found = Self::default();
        let mut at = 0;
        let mut index_bytes = 0;
        while at + 8 <= file_bytes {
            let mut header = [0; 16];
            let header_bytes = header.len().min((file_bytes - at) as usize);
            file.seek(SeekFrom::Start(at)).map_err(|e| e.to_string())?;
            file.read_exact(&mut header[..header_bytes]).map_err(|e| e.to_string())?;
            let mut numbers = Bytes::new(&header[..header_bytes]);
            let (length, name) = (numbers.u32()?, numbers.array()?);
            let (before, length) = match length {
                0 => (8, file_bytes - at),
                1 => (16, numbers.u64().unwrap_or(0)),
                length => (8, u64::from(length)),
            };
            if length < before {
                return Err("not a usable MP4: a box is shorter than its own header".into());
            }
            if length > file_bytes - at {
                found.is_cut_off = true;
                break;
            }
            if matches!(&name, b"moov" | b"moof") {
                index_bytes += length;
                if index_bytes > MAX_INDEX_BYTES {
                    return Err(format!("its index is larger than {} MiB", MAX_INDEX_BYTES >> 20));
                }
                let mut content = vec![0; (length - before) as usize];
                file.seek(SeekFrom::Start(at + before)).map_err(|e| e.to_string())?;
                file.read_exact(&mut content).map_err(|e| e.to_string())?;
                match &name {
                    b"moov" => found.moov = Some(content),
                    _ => found.moofs.push((at, content)),
                }
            }
            at += length;
        }
        Ok(found)
    }
}
