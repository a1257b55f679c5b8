//! A hash that is the same on every computer and with every compiler, unlike the standard library's: files on disk, the
//! split of photos, and random changes of photos depend on it.

/// FNV-1a over bytes that come piece by piece, then MurmurHash3's last step: FNV alone barely moves the upper bits for
/// names that differ at the end.
#[derive(Debug, Clone, Copy)]
pub struct StableHash(u64);

impl StableHash {
    /// Of no bytes yet.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes; how they are cut into pieces does not matter.
    pub fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    }

    /// The hash of all bytes so far.
    pub fn finish(self) -> u64 {
        let h = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }
}

/// The hash of `bytes`.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hash = StableHash::new();
    hash.write(bytes);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_never_changes() {
        // A changed hash would mix training photos into the validation part of models that exist already.
        assert_eq!(hash(b"helen_12345"), 0xfd4d_6974_f253_3cd7);
    }

    #[test]
    fn pieces_make_the_hash_of_the_whole() {
        let mut pieces = StableHash::new();
        [&b"helen"[..], b"", b"_12345"].iter().for_each(|piece| pieces.write(piece));
        assert_eq!(pieces.finish(), hash(b"helen_12345"));
    }
}
