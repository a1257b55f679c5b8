//! A table of records in memory. Pixels are bytes: the paper's 49,828 faces take half a gigabyte.

use std::path::Path;

use lineament::topology::ibug68::{self, POINTS};
use lineament::{CropRule, Normalisation, Point, Rect};
use lineament_data::record::SIDE;
use lineament_data::table::{ReadOptions, Reader, split};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::Settings;
use lineament_train::error::{Error, Result};

/// Pixels of one face.
pub(crate) const PIXELS: usize = SIDE * SIDE;

/// Records in memory, split.
#[derive(Debug, Clone)]
pub struct Faces {
    points: usize,
    pixels: Vec<u8>,
    coordinates: Vec<f32>,
    /// Rows to train on, then rows held back.
    rows: Vec<usize>,
    train: usize,
}

impl Faces {
    /// Reads the table of `settings` and splits it.
    ///
    /// # Errors
    /// When a row is at fault, or too few are left to train on.
    pub fn open(settings: &Settings) -> Result<Self> {
        let mut faces = Self::read(&settings.table)?;
        let mut rows: Vec<usize> = (0..faces.rows.len()).collect();
        if settings.shuffle || settings.rows.is_some_and(|n| n < rows.len()) {
            rows.shuffle(&mut Pcg64::seed_from_u64(settings.seed));
            rows.truncate(settings.rows.unwrap_or(usize::MAX));
            if !settings.shuffle {
                rows.sort_unstable();
            }
        }
        faces.train = split::first_of_last(rows.len() as u64, settings.validation_share) as usize;
        faces.rows = rows;
        if faces.train == 0 {
            let reason = format!("{} rows are too few to train on", faces.rows.len());
            return Err(Error::file(&settings.table, reason));
        }
        Ok(faces)
    }

    /// Reads a whole table; all of its faces are held back, to measure on.
    ///
    /// # Errors
    /// When a row is at fault or there is none.
    pub fn read(table: &Path) -> Result<Self> {
        let reader = Reader::open(table, ReadOptions::default())?;
        let points = reader.points();
        let (mut pixels, mut coordinates) = (Vec::new(), Vec::new());
        for record in reader {
            let record = record?;
            pixels.extend_from_slice(&record.pixels);
            coordinates.extend(record.points.iter().flat_map(|p| [p.x, p.y]));
        }
        let rows: Vec<usize> = (0..pixels.len() / PIXELS).collect();
        match rows.is_empty() {
            true => Err(Error::file(table, "the table has no rows")),
            false => Ok(Self { points, pixels, coordinates, rows, train: 0 }),
        }
    }

    /// Points of each face.
    pub fn points(&self) -> usize {
        self.points
    }

    /// Faces to train on.
    pub fn train(&self) -> &[usize] {
        &self.rows[..self.train]
    }

    /// Faces that are held back.
    pub fn validation(&self) -> &[usize] {
        &self.rows[self.train..]
    }

    /// The true coordinates of a face, `[x0, y0, ...]`.
    pub fn coordinates(&self, face: usize) -> &[f32] {
        &self.coordinates[face * 2 * self.points..][..2 * self.points]
    }

    /// Brightness of a face, `[SIDE, SIDE]`.
    pub fn pixels(&self, face: usize) -> &[u8] {
        &self.pixels[face * PIXELS..][..PIXELS]
    }

    /// How the crops lie around the box of the 68 points, on average over the training part; `None` for other points.
    /// Rounded, as a model file says it.
    pub fn crop_rule(&self) -> Option<CropRule> {
        if self.points != POINTS {
            return None;
        }
        let (mut margin, mut x, mut y) = (0.0, 0.0, 0.0);
        for face in self.train() {
            let points: Vec<Point> = self.coordinates(*face).chunks_exact(2).map(|p| Point::new(p[0], p[1])).collect();
            let tight = Rect::bounding(&points)?;
            let (longer, center) = (tight.width.max(tight.height).max(1.0), tight.center());
            let middle = (SIDE - 1) as f32 / 2.0;
            margin += SIDE as f32 / longer;
            x += (middle - center.x) / longer;
            y += (middle - center.y) / longer;
        }
        let n = self.train.max(1) as f32;
        let mean = |sum: f32| (1000.0 * sum / n).round() / 1000.0;
        Some(CropRule { margin: mean(margin), shift: (mean(x), mean(y)) })
    }

    /// Writes a face's brightness from 0 to 1.
    pub fn input(&self, face: usize, input: &mut [f32]) {
        input.iter_mut().zip(self.pixels(face)).for_each(|(i, p)| *i = f32::from(*p));
        Normalisation::Unit.apply(input);
    }
}

/// Distance of the outer eye corners; `None` where the points are not the 68.
pub(crate) fn inter_ocular(coordinates: &[f32]) -> Option<f32> {
    let points: Vec<Point> = coordinates.chunks_exact(2).map(|p| Point::new(p[0], p[1])).collect();
    <[Point; POINTS]>::try_from(points).ok().map(|points| ibug68::inter_ocular(&points))
}
