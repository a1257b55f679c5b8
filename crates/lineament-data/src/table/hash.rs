//! Hashes of pictures: one that changes with any pixel, and one that nearly stays the same for copies.

use crate::record::SIDE;
use crate::stable_hash;

/// Rows of the grid. It has one column more, because neighbours are compared.
const GRID: usize = 16;

const WORDS: usize = GRID * GRID / 64;

/// A difference hash of 256 bits: for each pair of horizontal neighbours in a grid of 17 x 16 mean brightnesses, which
/// one is brighter.
///
/// 256 bits rather than the usual 64, because aligned faces are similar: among 7,000 face chips, 3,300 pairs differ in
/// at most 4 of 64 bits. Of 256 bits, 117 pairs differ in at most 25, and all of those are copies; the most similar
/// pair of different people differs in 26. 99 of 100 recompressed copies (JPEG 60) differ in at most 13 bits, copies
/// brightened by 20 in at most 14; copies shifted by a pixel have a median of 18. `docs/tables.md` has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureHash([u64; WORDS]);

impl PictureHash {
    /// Bits of a hash.
    pub const BITS: u32 = 64 * WORDS as u32;

    /// The hash of `[SIDE, SIDE]` pixels, row by row.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn new(pixels: &[u8]) -> Self {
        const { assert!(SIDE.is_multiple_of(GRID)) };
        let mut words = [0; WORDS];
        let bands = pixels[..SIDE * SIDE].chunks_exact(SIDE * SIDE / GRID);
        for (y, band) in bands.enumerate() {
            let mut columns = [0u32; SIDE];
            for row in band.chunks_exact(SIDE) {
                columns.iter_mut().zip(row).for_each(|(sum, &v)| *sum += u32::from(v));
            }
            let cells: [u32; GRID + 1] = std::array::from_fn(|cell| cell_sum(&columns, cell));
            for x in 0..GRID {
                let bit = y * GRID + x;
                words[bit / 64] |= u64::from(cells[x + 1] > cells[x]) << (bit % 64);
            }
        }
        Self(words)
    }

    /// Number of bits in which two hashes differ.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Every `count`-th bit from `first` on, at most 64: unlike neighbouring bits, these are hardly correlated.
    pub(super) fn every(&self, first: usize, count: usize) -> u64 {
        let bits = (first..64 * WORDS).step_by(count).take(64);
        bits.fold(0, |key, bit| key << 1 | (self.0[bit / 64] >> (bit % 64) & 1))
    }
}

/// The brightness of a cell, which is `SIDE / (GRID + 1)` columns wide: the columns at its ends count partly.
fn cell_sum(columns: &[u32; SIDE], cell: usize) -> u32 {
    const WIDTH: usize = GRID + 1; // in units in which a cell is `SIDE` wide
    let (start, end) = (cell * SIDE, (cell + 1) * SIDE);
    let overlap = |x: usize| (end.min((x + 1) * WIDTH) - start.max(x * WIDTH)) as u32;
    (start / WIDTH..end.div_ceil(WIDTH)).map(|x| columns[x] * overlap(x)).sum()
}

/// A hash of every pixel.
pub fn content(pixels: &[u8]) -> u64 {
    stable_hash::hash(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soft picture that `phase` moves.
    fn picture(phase: f32) -> Vec<u8> {
        let value = |i: usize| {
            let (x, y) = ((i % SIDE) as f32 + phase, (i / SIDE) as f32);
            128.0 + 50.0 * (x / 9.0).sin() * (y / 7.0).cos() + 30.0 * (x * y / 300.0).sin()
        };
        (0..SIDE * SIDE).map(|i| value(i) as u8).collect()
    }

    #[test]
    fn a_ramp_to_the_right_is_all_ones_and_its_mirror_all_zeros() {
        let ramp: Vec<u8> = (0..SIDE * SIDE).map(|i| (i % SIDE) as u8).collect();
        let mirrored: Vec<u8> = (0..SIDE * SIDE).map(|i| (SIDE - i % SIDE) as u8).collect();
        let (up, down) = (PictureHash::new(&ramp), PictureHash::new(&mirrored));
        assert_eq!(up.0, [u64::MAX; WORDS]);
        assert_eq!((down.0, up.distance(&down)), ([0; WORDS], PictureHash::BITS));
        assert_eq!(PictureHash::new(&[7; SIDE * SIDE]).0, [0; WORDS], "nothing is brighter in a plain picture");
    }

    #[test]
    fn copies_are_near_and_others_far() {
        let original = PictureHash::new(&picture(0.0));
        let brighter: Vec<u8> = picture(0.0).iter().map(|v| v + 20).collect();
        let coarse: Vec<u8> = picture(0.0).iter().map(|v| v / 8 * 8).collect();
        for (what, copy) in [("brighter", brighter), ("coarse", coarse), ("moved", picture(0.3))] {
            let distance = original.distance(&PictureHash::new(&copy));
            assert!(distance <= 16, "{what}: {distance}");
        }
        assert!(original.distance(&PictureHash::new(&picture(20.0))) > 60);
    }

    #[test]
    fn every_bit_is_in_one_key() {
        for count in [4, 5, 17, 65, 256] {
            for bit in 0..256 {
                let mut words = [0; WORDS];
                words[bit / 64] = 1 << (bit % 64);
                let set = |first: &usize| PictureHash(words).every(*first, count) != 0;
                assert_eq!((0..count).filter(set).collect::<Vec<_>>(), [bit % count], "bit {bit} of {count}");
            }
        }
    }
}
