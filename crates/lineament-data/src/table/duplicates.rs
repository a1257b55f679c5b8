//! Finds the same or nearly the same pictures among many, one at a time and without comparing all pairs.

use std::collections::HashMap;

use super::hash::{PictureHash, content};

/// Bits in which nearly the same pictures may differ; [`PictureHash`] says what was measured.
pub const DEFAULT_THRESHOLD: u32 = 16;

/// Highest threshold: above it, different faces count as the same.
pub const MAX_THRESHOLD: u32 = 40;

/// Chains of each index: as many as a table of a million rows fills without long chains.
const CHAINS: usize = 1 << 16;

const NONE: u32 = u32::MAX;

/// An earlier picture that is the same or nearly so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Its number: how many pictures were given before it.
    pub first: u64,
    /// Bits in which the two hashes differ.
    pub distance: u32,
    /// Every pixel is the same.
    pub same: bool,
}

/// The pictures so far. Takes about 150 bytes for each that differs from those before it.
///
/// A picture is compared only with the first ones of their groups: a chain of gradual changes is not one group, and the
/// pictures that are left when the copies are removed all differ from each other.
///
/// Two hashes that differ in up to `n` bits agree in at least one of `n + 1` groups of bits. Each group of bits has an
/// index, and only pictures that agree in one are compared (multi-index hashing).
pub struct Duplicates {
    threshold: u32,
    count: u64,
    /// The first pictures of their groups: their numbers and hashes.
    firsts: Vec<(u64, PictureHash)>,
    /// For every different content, its group.
    contents: HashMap<u64, u32>,
    indices: Vec<Index>,
}

/// Lists of groups that agree in some bits; each list is linked from its last member to its first.
struct Index {
    last: Vec<u32>,
    /// For each group the one before it in its list.
    previous: Vec<u32>,
}

impl Duplicates {
    /// Pictures whose hashes differ in up to `threshold` bits are nearly the same.
    ///
    /// # Panics
    /// When `threshold` is above [`MAX_THRESHOLD`].
    pub fn new(threshold: u32) -> Self {
        assert!(threshold <= MAX_THRESHOLD, "a threshold of {threshold} bits, at most {MAX_THRESHOLD}");
        // At least 4, so that a group of bits fits into 64.
        let indices = (threshold as usize + 1).max(4);
        let index = || Index { last: vec![NONE; CHAINS], previous: Vec::new() };
        Self {
            threshold,
            count: 0,
            firsts: Vec::new(),
            contents: HashMap::new(),
            indices: (0..indices).map(|_| index()).collect(),
        }
    }

    /// The most similar earlier picture that is the same or nearly the same, the first one of several; `None` when this
    /// picture is new.
    ///
    /// # Panics
    /// When `pixels` has the wrong length, or after 4 billion different pictures.
    pub fn add(&mut self, pixels: &[u8]) -> Option<Match> {
        let number = self.count;
        self.count += 1;
        let content = content(pixels);
        let hash = PictureHash::new(pixels);
        if let Some(&group) = self.contents.get(&content) {
            let (first, of_first) = self.firsts[group as usize];
            return Some(Match { first, distance: hash.distance(&of_first), same: true });
        }
        let nearest = self.nearest(&hash);
        let group = nearest.map_or(self.firsts.len() as u32, |(_, group)| group);
        self.contents.insert(content, group);
        if let Some((distance, group)) = nearest {
            return Some(Match { first: self.firsts[group as usize].0, distance, same: false });
        }
        assert!(group < NONE, "too many pictures");
        self.firsts.push((number, hash));
        let count = self.indices.len();
        for (i, index) in self.indices.iter_mut().enumerate() {
            let last = &mut index.last[chain(hash.every(i, count))];
            index.previous.push(*last);
            *last = group;
        }
        None
    }

    /// Distance and group of the nearest first picture within the threshold.
    fn nearest(&self, hash: &PictureHash) -> Option<(u32, u32)> {
        let mut nearest = None;
        for (i, index) in self.indices.iter().enumerate() {
            let mut group = index.last[chain(hash.every(i, self.indices.len()))];
            while group != NONE {
                let distance = hash.distance(&self.firsts[group as usize].1);
                if distance <= self.threshold && nearest.is_none_or(|n| (distance, group) < n) {
                    nearest = Some((distance, group));
                }
                group = index.previous[group as usize];
            }
        }
        nearest
    }
}

/// The chain of a key; keys that share a chain are distinguished by their distance.
fn chain(key: u64) -> usize {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CHAINS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SIDE;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg32;

    /// Cells of random brightness.
    fn picture(seed: u64) -> Vec<u8> {
        let mut rng = Pcg32::seed_from_u64(seed);
        let cells: Vec<u8> = (0..24 * 24).map(|_| rng.random_range(20..230)).collect();
        (0..SIDE * SIDE).map(|i| cells[i / SIDE / 4 * 24 + i % SIDE / 4]).collect()
    }

    /// The same with noise of a few grey values.
    fn copy(seed: u64, noise: u64) -> Vec<u8> {
        let mut rng = Pcg32::seed_from_u64(noise);
        picture(seed).iter().map(|v| v + rng.random_range(0..5)).collect()
    }

    #[test]
    fn copies_are_found_and_name_the_first() {
        let mut duplicates = Duplicates::new(DEFAULT_THRESHOLD);
        for i in 0..200 {
            assert_eq!(duplicates.add(&picture(i)), None, "{i}");
        }
        for i in 0..200 {
            let same = duplicates.add(&picture(i)).unwrap();
            assert_eq!(same, Match { first: i, distance: 0, same: true });
            let near = duplicates.add(&copy(i, 1)).unwrap();
            assert!((near.first, near.same) == (i, false) && near.distance <= DEFAULT_THRESHOLD, "{near:?}");
            let same = duplicates.add(&copy(i, 1)).unwrap();
            assert_eq!(same, Match { same: true, ..near }, "the same as a copy");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_index_finds_what_all_pairs_find(threshold in 0..=MAX_THRESHOLD, seed in any::<u64>()) {
            let mut rng = Pcg32::seed_from_u64(seed);
            let mut duplicates = Duplicates::new(threshold);
            let mut firsts: Vec<(u64, PictureHash)> = Vec::new();
            for number in 0..60 {
                let pixels = copy(rng.random_range(0..12), rng.random_range(0..4));
                let hash = PictureHash::new(&pixels);
                let by_pairs = firsts.iter().map(|(n, h)| (h.distance(&hash), *n)).filter(|p| p.0 <= threshold).min();
                let found = duplicates.add(&pixels);
                // The content of a copy may be in the group of a picture that is not its nearest.
                if found.is_none_or(|f| !f.same) {
                    prop_assert_eq!(found.map(|f| (f.distance, f.first)), by_pairs);
                }
                if found.is_none() {
                    firsts.push((number, hash));
                }
            }
        }
    }
}
