//! The film that every device follows: a portrait that slides, comes nearer and turns a little.

use lineament::ImageView;

/// Pixels per row: those of the app's camera.
pub const WIDTH: usize = 640;
/// Rows.
pub const HEIGHT: usize = 480;

/// Frames in memory: 4.6 MB, more than most caches, as a camera's frames are new to the cache as well.
const FRAMES: usize = 15;

/// 256x256 grey pixels. `testdata/README.md` names its source.
const PORTRAIT: &[u8] = include_bytes!("../../../testdata/golden/portrait.pgm");
const SIDE: usize = 256;

/// Time from frame to frame.
pub(crate) const STEP_SECS: f64 = 1.0 / 30.0;

/// Grey frames of [`WIDTH`] x [`HEIGHT`] pixels.
#[derive(Debug, Clone)]
pub struct Film {
    frames: Vec<Vec<u8>>,
}

impl Film {
    /// Makes the frames: only whole numbers and the four operations, so that they have the same bytes everywhere.
    pub fn new() -> Self {
        Self { frames: (0..FRAMES).map(frame).collect() }
    }

    /// Frame `number` of a film that runs forwards, then backwards, and again.
    pub fn frame(&self, number: u64) -> ImageView<'_> {
        let pixels = &self.frames[forth_and_back(number, FRAMES)];
        ImageView::grey(pixels, WIDTH, HEIGHT).expect("the frames have this size")
    }
}

/// Which of `count` frames is number `number` of a film that runs forwards, then backwards, and again.
pub fn forth_and_back(number: u64, count: usize) -> usize {
    let turn = (2 * (count - 1)).max(1);
    let at = (number % turn as u64) as usize;
    at.min(turn - at) % count
}

impl Default for Film {
    fn default() -> Self {
        Self::new()
    }
}

/// The portrait enlarged, bilinear, its edge repeated outside.
fn frame(number: usize) -> Vec<u8> {
    let pixels = &PORTRAIT[PORTRAIT.len() - SIDE * SIDE..];
    let at = |x: usize, y: usize| f32::from(pixels[y * SIDE + x]);
    let hold = |v: f32| (v - 0.5).clamp(0.0, SIDE as f32 - 1.0);
    let t = number as f32;
    let (center, step) = ((118.0 + 1.5 * t, 122.0 + t), (0.75 - 0.006 * t, 0.004 * t));
    let (half_width, half_height) = (WIDTH as f32 / 2.0, HEIGHT as f32 / 2.0);
    let mut frame = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        let dy = y as f32 + 0.5 - half_height;
        for x in 0..WIDTH {
            let dx = x as f32 + 0.5 - half_width;
            let u = hold(center.0 + (dx * step.0 - dy * step.1));
            let v = hold(center.1 + (dx * step.1 + dy * step.0));
            let (left, top) = (u as usize, v as usize);
            let (right, bottom) = ((left + 1).min(SIDE - 1), (top + 1).min(SIDE - 1));
            let (fx, fy) = (u - left as f32, v - top as f32);
            let along = |y: usize| {
                let (a, b) = (at(left, y), at(right, y));
                a + fx * (b - a)
            };
            let (above, below) = (along(top), along(bottom));
            frame.push((above + fy * (below - above) + 0.5) as u8);
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portrait_has_the_size_that_is_assumed() {
        assert!(PORTRAIT.starts_with(b"P5\n256 256\n255\n") && PORTRAIT.len() == 15 + SIDE * SIDE);
    }

    #[test]
    fn the_film_runs_forwards_and_backwards() {
        let film = Film::new();
        let same = |a: u64, b: u64| film.frame(a).row(240) == film.frame(b).row(240);
        assert!(same(0, 28) && same(13, 15) && same(1, 27) && same(29, 1));
        assert!(!same(0, 1) && !same(13, 14));
    }
}
