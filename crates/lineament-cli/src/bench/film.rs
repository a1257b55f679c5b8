//! The frames that are measured: of a video, or one photo again and again.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use image::imageops::{self, FilterType};
use lineament_bench::forth_and_back;
use lineament_data::Photo;
use lineament_data::video::{Frames, Kind, Rate};

/// Frames of a video that are kept, from its start: two seconds, 55 MB at 640x480.
const FRAMES: usize = 60;

/// Pictures of one size, and how far apart they are.
pub struct Film {
    pub frames: Vec<Photo>,
    pub step_secs: f64,
}

impl Film {
    /// The video or photo at `path`, brought to `size`.
    pub fn open(path: &Path, size: (u32, u32)) -> Result<Self> {
        if Kind::of_file(path)?.is_none() {
            return Ok(Self { frames: vec![sized(&Photo::open(path)?, size)?], step_secs: 1.0 / 30.0 });
        }
        let frames = Frames::open(path, Rate::ASSUMED)?;
        let step_secs = 1.0 / frames.about().rate.hz();
        let frames = frames.take(FRAMES).map(|frame| sized(&frame?.picture, size)).collect::<Result<Vec<_>>>()?;
        ensure!(!frames.is_empty(), "{}: a video without frames", path.display());
        Ok(Self { frames, step_secs })
    }

    /// Frame `number` of a film that runs forwards, then backwards, and again.
    pub fn frame(&self, number: usize) -> &Photo {
        &self.frames[forth_and_back(number as u64, self.frames.len())]
    }
}

/// The photo scaled into `size`, with black borders.
pub fn sized(photo: &Photo, (to_width, to_height): (u32, u32)) -> Result<Photo> {
    let Photo { pixels, width, height } = photo;
    let source = RgbImage::from_raw(u32::try_from(*width)?, u32::try_from(*height)?, pixels.clone())
        .context("pixels fit the size")?;
    let scale = (to_width as f32 / *width as f32).min(to_height as f32 / *height as f32);
    let side = |from: usize, most: u32| ((from as f32 * scale).round() as u32).clamp(1, most);
    let (inner_width, inner_height) = (side(*width, to_width), side(*height, to_height));
    let inner = imageops::resize(&source, inner_width, inner_height, FilterType::Triangle);
    let mut frame = RgbImage::new(to_width, to_height);
    let (left, top) = ((to_width - inner_width) / 2, (to_height - inner_height) / 2);
    imageops::replace(&mut frame, &inner, left.into(), top.into());
    Ok(Photo { pixels: frame.into_raw(), width: to_width as usize, height: to_height as usize })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_runs_forwards_and_backwards() {
        let frame = |value| Photo { pixels: vec![value; 3], width: 1, height: 1 };
        let shown = |count: u8| {
            let film = Film { frames: (0..count).map(frame).collect(), step_secs: 0.1 };
            (0..7).map(|number| film.frame(number).pixels[0]).collect::<Vec<_>>()
        };
        assert_eq!(shown(1), [0; 7]);
        assert_eq!(shown(2), [0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(shown(4), [0, 1, 2, 3, 2, 1, 0]);
    }
}
