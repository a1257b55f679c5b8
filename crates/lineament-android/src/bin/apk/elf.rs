//! What a 64-bit little-endian library needs: how its parts are aligned, and which symbols it takes from whom.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

const HEADER: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
const LOAD: u32 = 1;
const DYNAMIC: u32 = 6;
const DYNAMIC_SYMBOLS: u32 = 11;
const NEEDED: u64 = 1;
const UNDEFINED: u16 = 0;
const WEAK: u8 = 2;

/// A library.
#[derive(Debug)]
pub struct Library {
    /// Alignment of each part that is loaded.
    pub alignments: Vec<u64>,
    /// The names of the libraries that it needs.
    pub needed: Vec<String>,
    /// Symbols that somebody else must have. Weak ones may be missing.
    pub undefined: BTreeSet<String>,
    /// Symbols that it has.
    pub defined: BTreeSet<String>,
}

impl Library {
    /// Reads its headers.
    pub fn parse(elf: &[u8]) -> Result<Self> {
        ensure!(elf.starts_with(&HEADER), "not a library for 64 bits");
        let (programs, sections) = (u64_at(elf, 32)?, u64_at(elf, 40)?);
        let (program_len, program_count) = (u16_at(elf, 54)?, u16_at(elf, 56)?);
        let (section_len, section_count) = (u16_at(elf, 58)?, u16_at(elf, 60)?);
        let program = |i: u16| programs + u64::from(i) * u64::from(program_len);
        let section = |i: u64| sections + i * u64::from(section_len);

        let mut alignments = Vec::new();
        for i in 0..program_count {
            if u32_at(elf, program(i))? == LOAD {
                alignments.push(u64_at(elf, program(i) + 48)?);
            }
        }
        let (mut needed, mut undefined, mut defined) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for i in 0..u64::from(section_count) {
            let at = section(i);
            let kind = u32_at(elf, at + 4)?;
            if kind != DYNAMIC && kind != DYNAMIC_SYMBOLS {
                continue;
            }
            let (start, len) = (u64_at(elf, at + 24)?, u64_at(elf, at + 32)?);
            let names = u64_at(elf, section(u32_at(elf, at + 40)?.into()) + 24)?;
            let entry_len = if kind == DYNAMIC { 16 } else { 24 };
            for entry in (start..start.saturating_add(len)).step_by(entry_len) {
                if kind == DYNAMIC {
                    if u64_at(elf, entry)? == NEEDED {
                        needed.push(text(elf, names + u64_at(elf, entry + 8)?)?);
                    }
                    continue;
                }
                let name = text(elf, names + u64::from(u32_at(elf, entry)?))?;
                let binding = elf.get(entry as usize + 4).context("cut off")? >> 4;
                match u16_at(elf, entry + 6)? {
                    _ if name.is_empty() => (),
                    UNDEFINED if binding == WEAK => (),
                    UNDEFINED => drop(undefined.insert(name)),
                    _ => drop(defined.insert(name)),
                }
            }
        }
        Ok(Self { alignments, needed, undefined, defined })
    }
}

fn field<const N: usize>(elf: &[u8], at: u64) -> Result<[u8; N]> {
    let rest = usize::try_from(at).ok().and_then(|at| elf.get(at..));
    Ok(*rest.and_then(|rest| rest.first_chunk()).context("cut off")?)
}

fn u16_at(elf: &[u8], at: u64) -> Result<u16> {
    Ok(u16::from_le_bytes(field(elf, at)?))
}

fn u32_at(elf: &[u8], at: u64) -> Result<u32> {
    Ok(u32::from_le_bytes(field(elf, at)?))
}

fn u64_at(elf: &[u8], at: u64) -> Result<u64> {
    Ok(u64::from_le_bytes(field(elf, at)?))
}

fn text(elf: &[u8], at: u64) -> Result<String> {
    let rest = usize::try_from(at).ok().and_then(|at| elf.get(at..)).context("cut off")?;
    let len = rest.iter().position(|&byte| byte == 0).context("a name without end")?;
    Ok(String::from_utf8_lossy(&rest[..len]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn this_program_needs_a_c_library() {
        let elf = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let library = Library::parse(&elf).unwrap();
        assert!(library.needed.iter().any(|name| name.starts_with("libc.so")), "{:?}", library.needed);
        assert!(library.undefined.iter().any(|name| name == "memcpy"), "{:?}", library.undefined);
        assert!(library.alignments.iter().all(|alignment| alignment.is_power_of_two()));
    }

    #[test]
    fn damaged_files_are_refused() {
        assert!(Library::parse(b"").is_err());
        let mut elf = vec![0xff; 64];
        elf[..6].copy_from_slice(&HEADER);
        assert!(Library::parse(&elf).is_err());
    }
}
