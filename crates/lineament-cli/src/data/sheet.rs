//! A contact sheet: crops of a table at twice their size, with their points and row numbers.

use std::path::Path;

use anyhow::{Context, Result};
use lineament_data::record::SIDE;
use lineament_data::{Photo, Record};

use crate::failure::usage;
use crate::picture::{Drawing, encode, is_jpeg};

/// Most crops: a picture of 9,800 pixels on a side.
pub const MAX_COUNT: usize = 2500;

/// Pixels of the sheet per pixel of a crop.
const SCALE: usize = 2;
const TILE: usize = SIDE * SCALE;
const GAP: usize = 4;

// Colours and sizes, chosen by eye.
const BACKGROUND: u8 = 24;
const DOT: [u8; 3] = [130, 255, 90];
const DOT_RADIUS: f32 = 1.5;
const RIM_RADIUS: f32 = 2.6;
const RIM_ALPHA: f32 = 0.6;
const DIGIT: [u8; 3] = [255, 220, 120];

/// Checks the name before the work.
///
/// # Errors
/// When the name is not that of a picture.
pub fn check(path: &Path) -> Result<()> {
    match Drawing::from_path(path.to_owned()) {
        Drawing::File(_) => Ok(()),
        Drawing::Folder(_) => Err(usage("--sheet: give the name of a picture, for example sheet.png")),
    }
}

/// Chooses some rows of a table whose length is not known in advance.
pub struct Choice {
    count: usize,
    seed: Option<u64>,
    /// Of every this many rows one is kept; 1 at random.
    step: u64,
    offered: u64,
    /// Rank, row, record. At random: those of the lowest ranks. Evenly: all whose rank is a multiple of `step`.
    kept: Vec<(u64, u64, Record)>,
}

impl Choice {
    /// Chooses `count` rows, evenly or at random.
    pub fn new(count: usize, seed: Option<u64>) -> Self {
        Self { count, seed, step: 1, offered: 0, kept: Vec::new() }
    }

    /// Offers the next row.
    pub fn offer(&mut self, row: u64, record: &Record) {
        let number = self.offered;
        self.offered += 1;
        match self.seed {
            Some(seed) => {
                let rank = mix(seed ^ mix(number));
                let at = self.kept.partition_point(|kept| kept.0 <= rank);
                if at < self.count {
                    self.kept.insert(at, (rank, row, record.clone()));
                    self.kept.truncate(self.count);
                }
            }
            None if number.is_multiple_of(self.step) => {
                self.kept.push((number, row, record.clone()));
                if self.kept.len() > 2 * self.count {
                    self.step *= 2;
                    self.kept.retain(|kept| kept.0.is_multiple_of(self.step));
                }
            }
            None => {}
        }
    }

    /// The chosen rows, sorted.
    pub fn chosen(mut self) -> Vec<(u64, Record)> {
        let have = self.kept.len();
        if have > self.count {
            let mut number = 0;
            self.kept.retain(|_| {
                number += 1;
                // True for `count` of `have` numbers.
                number * self.count / have > (number - 1) * self.count / have
            });
        }
        self.kept.sort_by_key(|kept| kept.1);
        self.kept.into_iter().map(|(_, row, record)| (row, record)).collect()
    }
}

/// SplitMix64: maps similar numbers to very different ones.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The sheet's bytes, as the ending of `path` says.
///
/// # Errors
/// When it cannot be encoded.
pub fn draw(chosen: Vec<(u64, Record)>, path: &Path) -> Result<Vec<u8>> {
    let columns = (chosen.len() as f64).sqrt().ceil().max(1.0) as usize;
    let rows = chosen.len().div_ceil(columns);
    let side = |tiles: usize| GAP + tiles * (TILE + GAP);
    let (width, height) = (side(columns), side(rows));
    let mut sheet = Photo { pixels: vec![BACKGROUND; width * height * 3], width, height };
    for (i, (row, record)) in chosen.iter().enumerate() {
        let mut tile = Tile { sheet: &mut sheet, left: side(i % columns), top: side(i / columns) };
        tile.draw_crop(&record.pixels);
        record.points.iter().for_each(|p| tile.draw_dot(on_tile(p.x), on_tile(p.y)));
        tile.draw_number(*row);
    }
    encode(&sheet, is_jpeg(path)).with_context(|| format!("{}: cannot encode the picture", path.display()))
}

/// From a record's pixels to a tile's; both have whole numbers at pixel centres.
fn on_tile(coordinate: f32) -> f32 {
    (coordinate + 0.5) * SCALE as f32 - 0.5
}

/// One crop's place on the sheet.
struct Tile<'a> {
    sheet: &'a mut Photo,
    left: usize,
    top: usize,
}

impl Tile<'_> {
    /// Puts a colour over a pixel of the tile.
    fn blend(&mut self, x: usize, y: usize, colour: [u8; 3], alpha: f32) {
        let at = 3 * ((self.top + y) * self.sheet.width + self.left + x);
        for (pixel, colour) in self.sheet.pixels[at..at + 3].iter_mut().zip(colour) {
            *pixel = (f32::from(*pixel) * (1.0 - alpha) + f32::from(colour) * alpha).round() as u8;
        }
    }

    /// The crop, smoothly enlarged.
    fn draw_crop(&mut self, pixels: &[u8]) {
        let place = |at: usize| {
            let source = ((at as f32 + 0.5) / SCALE as f32 - 0.5).clamp(0.0, (SIDE - 1) as f32);
            let low = source as usize;
            (low, (low + 1).min(SIDE - 1), source.fract())
        };
        for y in 0..TILE {
            let (y0, y1, v) = place(y);
            for x in 0..TILE {
                let (x0, x1, u) = place(x);
                let row =
                    |y: usize| f32::from(pixels[y * SIDE + x0]) * (1.0 - u) + f32::from(pixels[y * SIDE + x1]) * u;
                let grey = (row(y0) * (1.0 - v) + row(y1) * v).round() as u8;
                self.blend(x, y, [grey; 3], 1.0);
            }
        }
    }

    /// A bright dot with a dark rim; nothing outside the tile.
    fn draw_dot(&mut self, x: f32, y: f32) {
        let reach = |center: f32| {
            let from = (center - RIM_RADIUS - 1.0).max(0.0) as usize;
            from..((center + RIM_RADIUS + 2.0).max(0.0) as usize).min(TILE)
        };
        for py in reach(y) {
            for px in reach(x) {
                let distance = (px as f32 - x).hypot(py as f32 - y);
                let cover = |radius: f32| (radius - distance + 0.5).clamp(0.0, 1.0);
                self.blend(px, py, [0; 3], cover(RIM_RADIUS) * RIM_ALPHA);
                self.blend(px, py, DOT, cover(DOT_RADIUS));
            }
        }
    }

    /// The row's number in the lower left corner.
    fn draw_number(&mut self, number: u64) {
        let digits = number.to_string();
        let (height, width) = (5 * SCALE + 4, (digits.len() * 4 * SCALE + 2).min(TILE));
        for y in TILE - height..TILE {
            (0..width).for_each(|x| self.blend(x, y, [0; 3], 0.7));
        }
        for (i, digit) in digits.bytes().enumerate() {
            for dot in (0..15).filter(|dot| DIGITS[usize::from(digit - b'0')] >> (14 - dot) & 1 == 1) {
                for (dx, dy) in (0..SCALE).flat_map(|dy| (0..SCALE).map(move |dx| (dx, dy))) {
                    let x = 2 + (4 * i + dot % 3) * SCALE + dx;
                    if x < TILE {
                        self.blend(x, TILE - height + 2 + dot / 3 * SCALE + dy, DIGIT, 1.0);
                    }
                }
            }
        }
    }
}

/// 0 to 9 as 3 x 5 dots, row by row from the highest bit.
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rows: u64, count: usize, seed: Option<u64>) -> Vec<u64> {
        let mut choice = Choice::new(count, seed);
        let record = Record { points: Vec::new(), pixels: Vec::new(), origin: None };
        (1..=rows).for_each(|row| choice.offer(row, &record));
        choice.chosen().into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn rows_are_spread_over_the_table() {
        for (rows, count) in [(1, 5), (5, 5), (6, 5), (11, 5), (1000, 7), (12_345, 100)] {
            let even = chosen(rows, count, None);
            assert_eq!(even.len(), count.min(rows as usize), "{rows} {count}");
            let gaps = even.windows(2).map(|pair| pair[1] - pair[0]);
            let widest = 3 * rows / count as u64 + 2;
            assert!(gaps.chain([even[0], rows - even[even.len() - 1]]).all(|gap| gap <= widest), "{even:?}");
            let by_chance = chosen(rows, count, Some(1));
            assert!(by_chance.len() == even.len() && by_chance.is_sorted_by(|a, b| a < b), "{by_chance:?}");
            assert_eq!(by_chance, chosen(rows, count, Some(1)));
            assert!(rows < 1000 || by_chance != chosen(rows, count, Some(2)));
        }
    }

    #[test]
    fn a_point_is_drawn_where_its_pixel_is() {
        let mut sheet = Photo { pixels: vec![0; TILE * TILE * 3], width: TILE, height: TILE };
        let mut tile = Tile { sheet: &mut sheet, left: 0, top: 0 };
        let mut pixels = vec![0; SIDE * SIDE];
        pixels[20 * SIDE + 10] = 255;
        tile.draw_crop(&pixels);
        let at = |sheet: &Photo, x: usize, y: usize| sheet.pixels[3 * (y * TILE + x)];
        let bright: Vec<_> = (0..TILE * TILE).filter(|i| at(&sheet, i % TILE, i / TILE) > 140).collect();
        // Pixel 10, 20 covers 20 to 21, 40 to 41.
        assert_eq!(bright, [40 * TILE + 20, 40 * TILE + 21, 41 * TILE + 20, 41 * TILE + 21]);
        let mut tile = Tile { sheet: &mut sheet, left: 0, top: 0 };
        for (x, y) in [(10.0, 20.0), (-50.0, 1e9), (f32::NAN, 3.0), (95.4, 96.2)] {
            tile.draw_dot(on_tile(x), on_tile(y));
        }
        assert!((20..22).all(|x| (40..42).all(|y| sheet.pixels[3 * (y * TILE + x)..][..3] == DOT)));
    }
}
