//! Arrays of numpy (`.npy`, in `.npz` archives), as `numpy.lib.format` describes version 1.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// More than any array of a head model needs: a hostile length is refused before memory is taken.
const MAX_BYTES: u64 = 256 << 20;

/// An archive of arrays.
pub struct Archive {
    path: PathBuf,
    zip: zip::ZipArchive<BufReader<File>>,
}

/// One array: its type as numpy writes it (`<f4`), its shape, its bytes.
pub struct Array {
    path: PathBuf,
    name: String,
    kind: String,
    /// Sizes, the slowest index first.
    pub shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Archive {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::file(path, e))?;
        let zip = zip::ZipArchive::new(BufReader::new(file))
            .map_err(|e| Error::file(path, format!("not an .npz archive: {e}")))?;
        Ok(Self { path: path.into(), zip })
    }

    /// Names of the arrays, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    pub fn read(&mut self, name: &str) -> Result<Array> {
        let mut bytes = Vec::new();
        let file = self.zip.by_name(&format!("{name}.npy")).map_err(|e| at(&self.path, name, e))?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| at(&self.path, name, e))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(at(&self.path, name, "too large for a head model"));
        }
        parse(&bytes)
            .map(|(kind, shape, data)| Array {
                path: self.path.clone(),
                name: name.into(),
                kind,
                shape,
                bytes: data.to_vec(),
            })
            .map_err(|what| at(&self.path, name, what))
    }
}

fn at(path: &Path, name: &str, what: impl std::fmt::Display) -> Error {
    Error::file(path, format!("array `{name}`: {what}"))
}

/// Type, shape and data of the bytes of an array.
fn parse(bytes: &[u8]) -> Result<(String, Vec<usize>, &[u8]), &'static str> {
    let length = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => usize::from(*low) + 256 * usize::from(*high),
        _ => return Err("not a numpy array of version 1"),
    };
    let header = bytes.get(10..10 + length).ok_or("its header is cut off")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let value = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    let kind = value("descr").and_then(|v| v.split('\'').nth(1)).ok_or("its header names no type")?;
    if !value("fortran_order").is_some_and(|v| v.starts_with("False")) {
        return Err("its order is not C's");
    }
    let shape = value("shape").and_then(|v| v.strip_prefix('(')?.split_once(')')).ok_or("its header names no shape")?.0;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Vec<usize> = sizes.map(str::parse).collect::<Result<_, _>>().map_err(|_| "its shape is no list")?;
    Ok((kind.into(), shape, &bytes[10 + length..]))
}

impl Array {
    /// Its numbers of `N` bytes each, if it has this type and `shape` (0 for any size).
    fn numbers<const N: usize, T>(self, kind: &str, shape: &[usize], read: fn([u8; N]) -> T) -> Result<Vec<T>> {
        let fits = self.shape.len() == shape.len() && self.shape.iter().zip(shape).all(|(a, b)| *b == 0 || a == b);
        let count = self.shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
        if self.kind != kind || !fits || count.and_then(|n| n.checked_mul(N)) != Some(self.bytes.len()) {
            let what = format!("expected {kind} {shape:?}, found {} {:?}", self.kind, self.shape);
            return Err(at(&self.path, &self.name, format!("{what} in {} bytes", self.bytes.len())));
        }
        let number = |bytes: &[u8]| read(bytes.try_into().expect("chunks have N bytes"));
        Ok(self.bytes.chunks_exact(N).map(number).collect())
    }

    pub fn f32(self, shape: &[usize]) -> Result<Vec<f32>> {
        self.numbers("<f4", shape, f32::from_le_bytes)
    }

    pub fn i32(self, shape: &[usize]) -> Result<Vec<i32>> {
        self.numbers("<i4", shape, i32::from_le_bytes)
    }

    pub fn i16(self, shape: &[usize]) -> Result<Vec<i16>> {
        self.numbers("<i2", shape, i16::from_le_bytes)
    }

    pub fn i64(self, shape: &[usize]) -> Result<Vec<i64>> {
        self.numbers("<i8", shape, i64::from_le_bytes)
    }

    pub fn u8(self, shape: &[usize]) -> Result<Vec<u8>> {
        self.numbers("|u1", shape, |[byte]: [u8; 1]| byte)
    }

    /// Its texts, of a type as `<U16`.
    pub fn texts(self) -> Result<Vec<String>> {
        let width = self.kind.strip_prefix("<U").and_then(|w| w.parse::<usize>().ok()).filter(|w| *w > 0);
        let Some(width) = width else { return Err(at(&self.path, &self.name, "expected texts")) };
        let text = |bytes: &[u8]| {
            let letters = bytes.chunks_exact(4).map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]));
            letters.take_while(|c| *c != 0).filter_map(char::from_u32).collect()
        };
        Ok(self.bytes.chunks_exact(4 * width).map(text).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_gives_type_and_shape_and_hostile_ones_are_errors() {
        let file =
            |header: &str| [b"\x93NUMPY\x01\x00".as_slice(), &[header.len() as u8, 0], header.as_bytes()].concat();
        let good = file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
        let (kind, shape, rest) = parse(&good).unwrap();
        assert_eq!((kind.as_str(), shape, rest.len()), ("<f4", vec![2, 3], 0));
        for bad in [
            b"PK".to_vec(),
            good[..20].to_vec(),
            file("{}"),
            file("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }"),
            file("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"),
            file("{'descr': '<f4', 'fortran_order': False, 'shape': 2"),
        ] {
            assert!(parse(&bad).is_err());
        }
        let array = |shape: Vec<usize>| Array {
            path: "a".into(),
            name: "b".into(),
            kind: "<f4".into(),
            shape,
            bytes: vec![0; 8],
        };
        assert_eq!(array(vec![2, 1]).f32(&[0, 1]).unwrap(), [0.0, 0.0]);
        assert!(array(vec![2, 1]).f32(&[3, 1]).is_err());
        assert!(array(vec![usize::MAX, 3]).f32(&[0, 3]).is_err());
        assert!(
            array(vec![2]).i32(&[2]).unwrap_err().to_string().contains("array `b`: expected <i4 [2], found <f4 [2]")
        );
    }
}
