//! The paper's detector: boosted cascades of rectangle features after Viola and Jones, as OpenCV's files hold them.
//!
//! [`Cascade::parse`] reads the XML of both of OpenCV's formats, with Haar features (upright and turned by 45 degrees)
//! and local binary patterns, in stumps and deeper trees. [`Cascade::detect`] returns the boxes that OpenCV's
//! `detectMultiScale` returns with the same options, pixel for pixel. The picture is shrunk level by level, and a
//! window of the cascade's size slides over each level. Many overlapping windows that agree become one box.
//!
//! ```
//! use lineament::ImageView;
//! use lineament::cascade::{Cascade, CascadeOptions};
//!
//! // One stage with one stump: the left half of the window is brighter than the right one.
//! let cascade = Cascade::parse(
//!     r#"<opencv_storage><cascade type_id="opencv-cascade-classifier">
//!          <stageType>BOOST</stageType> <featureType>HAAR</featureType> <height>8</height> <width>8</width>
//!          <featureParams><maxCatCount>0</maxCatCount></featureParams>
//!          <stages><_>
//!            <stageThreshold>0.5</stageThreshold>
//!            <weakClassifiers><_>
//!              <internalNodes> 0 -1 0 0.5 </internalNodes> <leafValues> 0. 1. </leafValues>
//!            </_></weakClassifiers>
//!          </_></stages>
//!          <features><_><rects> <_> 0 0 4 8 1. </_> <_> 4 0 4 8 -1. </_> </rects><tilted>0</tilted></_></features>
//!        </cascade></opencv_storage>"#,
//! )?;
//! let pixels: Vec<u8> = (0..64 * 48).map(|k| if k % 64 < 32 { 200 } else { 20 }).collect();
//! let image = ImageView::grey(&pixels, 64, 48)?.to_grey();
//! let boxes = cascade.detect(&image, &CascadeOptions::default())?;
//! assert!(boxes.iter().all(|found| found.neighbors > 3 && found.rect.x < 32.0));
//! # assert!(!boxes.is_empty());
//! # Ok::<(), lineament::Error>(())
//! ```

mod features;
mod group;
mod integral;
mod read;
mod resize;
mod scan;
mod xml;

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::image::GreyImage;
use lineament_nn::simd::vectorized;

use features::{Feature, Haar, Lbp};
use group::{Window, group};
use integral::{Integrals, Layout};
use resize::Resizer;
use scan::{Scanner, Stage};

/// A cascade, ready to find the objects it was trained for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cascade {
    /// Width and height in pixels.
    window: (usize, usize),
    stages: Stages,
}

/// A cascade's stages; all of its features are of one kind.
#[derive(Debug, Clone, PartialEq)]
enum Stages {
    Haar(Vec<Stage<Haar>>),
    Lbp(Vec<Stage<Lbp>>),
}

/// The options of OpenCV's `detectMultiScale`, with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct CascadeOptions {
    /// Each level is smaller than the one before by this factor, from [`MIN_SCALE_FACTOR`] up. Half the distance from 1
    /// takes twice the time.
    pub scale_factor: f64,
    /// A box is kept if more windows than this agree on it. With 0, each window is a box of its own.
    pub min_neighbors: u32,
    /// Width and height in pixels of the smallest box. Leaving out small boxes saves most of the time.
    pub min_size: (u32, u32),
    /// Width and height in pixels of the largest box; `None` for those of the image.
    pub max_size: Option<(u32, u32)>,
}

impl Default for CascadeOptions {
    fn default() -> Self {
        Self { scale_factor: 1.1, min_neighbors: 3, min_size: (0, 0), max_size: None }
    }
}

/// The smallest [`CascadeOptions::scale_factor`]: levels that differ by less are practically equal.
pub const MIN_SCALE_FACTOR: f64 = 1.001;

/// A box that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CascadeDetection {
    /// The box, in whole pixels of the image.
    pub rect: Rect,
    /// How many windows agree on it. Clear faces have dozens.
    pub neighbors: u32,
}

impl CascadeDetection {
    /// A score from 0 to 1 that grows with the number of neighbours and is 0.5 at 10. It serves to sort and to compare,
    /// and is not a probability.
    pub fn score(&self) -> f32 {
        self.neighbors as f32 / (self.neighbors as f32 + 10.0)
    }
}

/// Most windows that are grouped, smallest first. Bounds time and memory for a cascade that accepts everything. A face
/// of 480 pixels has a few hundred windows.
const MAX_WINDOWS: usize = 1 << 16;

/// From this factor on, windows stand at every pixel of the level; below, at every second pixel.
const DENSE_FROM: f32 = 2.0;

impl Cascade {
    /// Reads a cascade file of either format.
    ///
    /// # Errors
    /// [`Error::Cascade`] names the line and what was expected there.
    pub fn parse(xml: &str) -> Result<Self> {
        read::parse(xml)
    }

    /// Width and height, in pixels, of the smallest object that can be found.
    pub fn window(&self) -> (usize, usize) {
        self.window
    }

    /// The boxes in `image`, in the order in which OpenCV gives them on one thread.
    ///
    /// # Errors
    /// [`Error::Option`] for a scale factor that is not a number from [`MIN_SCALE_FACTOR`] up.
    pub fn detect(&self, image: &GreyImage, options: &CascadeOptions) -> Result<Vec<CascadeDetection>> {
        // NaN is not within any range.
        if !(MIN_SCALE_FACTOR..).contains(&options.scale_factor) {
            return Err(Error::Option(format!(
                "a scale factor of {}, at least {MIN_SCALE_FACTOR} is needed",
                options.scale_factor
            )));
        }
        let scales = self.scales((image.width(), image.height()), options);
        let windows = match &self.stages {
            Stages::Haar(stages) => find(stages, self.window, image, &scales),
            Stages::Lbp(stages) => find(stages, self.window, image, &scales),
        };
        let boxes = group(&windows, options.min_neighbors).into_iter().filter_map(|(window, neighbors)| {
            let rect = clip(window, image)?;
            Some(CascadeDetection { rect, neighbors })
        });
        Ok(boxes.collect())
    }

    /// How much smaller each level is than the image.
    fn scales(&self, image: (usize, usize), options: &CascadeOptions) -> Vec<f32> {
        let (min, max) = (options.min_size, options.max_size.filter(|max| max.0 > 0 && max.1 > 0));
        let max = max.map_or(image, |max| (image.0.min(max.0 as usize), image.1.min(max.1 as usize)));
        let mut scales = Vec::new();
        let mut factor = 1.0;
        loop {
            let side = |side: usize| (side as f64 * factor).round_ties_even() as usize;
            let (width, height) = (side(self.window.0), side(self.window.1));
            if width > max.0 || height > max.1 {
                return scales;
            }
            if width >= min.0 as usize && height >= min.1 as usize {
                scales.push(factor as f32);
            }
            factor *= options.scale_factor;
        }
    }
}

/// A level of the picture, shrunk by `scale`.
struct Level {
    scale: f32,
    width: usize,
    height: usize,
    /// Pixels from a window to the next, both ways.
    step: usize,
    /// Number of positions for the left top corner of the window.
    places: (usize, usize),
}

impl Level {
    fn new(scale: f32, image: &GreyImage, window: (usize, usize)) -> Self {
        let side = |side: usize| (side as f32 / scale).round_ties_even() as usize;
        let (width, height) = (side(image.width()), side(image.height()));
        Self {
            scale,
            width,
            height,
            step: if scale >= DENSE_FROM { 1 } else { 2 },
            places: ((width + 1).saturating_sub(window.0), (height + 1).saturating_sub(window.1)),
        }
    }
}

/// All windows that pass all stages.
fn find<T: Feature>(stages: &[Stage<T>], window: (usize, usize), image: &GreyImage, scales: &[f32]) -> Vec<Window> {
    let tilted = stages.iter().flat_map(|stage| &stage.nodes).any(|node| node.feature.tilted());
    let levels: Vec<Level> = scales.iter().map(|&scale| Level::new(scale, image, window)).collect();
    let mut windows = Vec::new();
    let Some(first) = levels.first() else { return windows };
    // OpenCV cuts each level into this many stripes. The rows that remain after the division are not scanned.
    let stripes = first.places.0.div_ceil(32);
    let (mut resizer, mut pixels) = (Resizer::default(), Vec::new());
    for levels in levels.chunk_by(|a, b| a.step == b.step) {
        let layout = Layout::new(levels[0].width, levels[0].height, levels[0].step);
        let (mut integrals, mut scanner) = (Integrals::new(layout, tilted), Scanner::new(stages, window, &layout));
        for level in levels {
            let size = (image.width(), image.height());
            let full = vectorized(
                #[inline(always)]
                || {
                    resizer.resize(image.pixels(), size, &mut pixels, (level.width, level.height));
                    integrals.sum_up(&pixels, level.width);
                    scan_level(&mut scanner, &integrals, level, stripes, window, &mut windows)
                },
            );
            if full.is_break() {
                return windows;
            }
        }
    }
    windows
}

#[inline(always)]
fn scan_level<P: features::Placed>(
    scanner: &mut Scanner<P>,
    integrals: &Integrals,
    level: &Level,
    stripes: usize,
    window: (usize, usize),
    windows: &mut Vec<Window>,
) -> ControlFlow<()> {
    let &Level { scale, step, places, .. } = level;
    let scaled = |side: usize| (side as f32 * scale).round_ties_even() as i32;
    let stripe = (places.1 / step).div_ceil(stripes.max(1)).max(1) * step;
    for y in (0..places.1.min(stripes * stripe)).step_by(step) {
        scanner.scan_row(integrals, y, places.0.div_ceil(step), |k| {
            let (width, height) = (scaled(window.0), scaled(window.1));
            windows.push(Window { x: scaled(k * step), y: scaled(y), width, height });
            if windows.len() < MAX_WINDOWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    ControlFlow::Continue(())
}

/// The part of the box within the image, if any.
fn clip(window: Window, image: &GreyImage) -> Option<Rect> {
    let (x0, y0) = (window.x.max(0), window.y.max(0));
    let (x1, y1) =
        ((window.x + window.width).min(image.width() as i32), (window.y + window.height).min(image.height() as i32));
    (x1 > x0 && y1 > y0).then(|| Rect::from_xywh(x0 as f32, y0 as f32, (x1 - x0) as f32, (y1 - y0) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageView;
    use lineament_nn::simd::testing::at_every_level;

    #[test]
    fn boxes_are_the_same_at_every_level_of_the_processor() {
        let pixels = include_bytes!("../../tests/fixtures/cascade/astronaut.pgm");
        let (width, height) = (180, 150);
        let pixels = &pixels[pixels.len() - width * height..];
        let image = ImageView::grey(pixels, width, height).unwrap().to_grey();
        for text in [
            include_str!("../../tests/fixtures/cascade/haar_tilted_trees.xml"),
            include_str!("../../tests/fixtures/cascade/lbp_stumps.xml"),
        ] {
            let cascade = Cascade::parse(text).unwrap();
            let answers = at_every_level(|| cascade.detect(&image, &CascadeOptions::default()).unwrap());
            assert!(answers[0].len() > 5 && answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
        }
    }
}
