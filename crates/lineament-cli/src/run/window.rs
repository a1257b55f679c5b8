//! `--live`: frames with their points in a window, as they come.

use std::time::Instant;

use anyhow::{Context, Result};
use lineament::TrackedFace;
use lineament_data::video::Frame;
use minifb::{Key, ScaleMode, WindowOptions};

use crate::picture::{Style, paint, tracked};

/// How much the newest frame counts in the speed that is shown.
const NEWEST: f64 = 0.1;

/// A window that opens with the first frame.
pub struct Window {
    style: Style,
    window: Option<minifb::Window>,
    pixels: Vec<u32>,
    last: Option<Instant>,
    frame_secs: f64,
}

impl Window {
    /// Faces are drawn in this style.
    pub fn new(style: Style) -> Self {
        Self { style, window: None, pixels: Vec::new(), last: None, frame_secs: 0.0 }
    }

    /// Shows a frame; `false` when the user closed the window.
    ///
    /// # Errors
    /// When there is no screen to open a window on.
    pub fn show(&mut self, frame: &Frame, faces: &[TrackedFace]) -> Result<bool> {
        let mut picture = frame.picture.clone();
        paint(&mut picture, tracked(faces), &self.style);
        self.pixels.clear();
        // 0RGB
        self.pixels.extend(picture.pixels.as_chunks::<3>().0.iter().map(|&[r, g, b]| u32::from_be_bytes([0, r, g, b])));
        if self.window.is_none() {
            let options =
                WindowOptions { resize: true, scale_mode: ScaleMode::AspectRatioStretch, ..Default::default() };
            let opened = minifb::Window::new("lineament", picture.width, picture.height, options);
            self.window = Some(opened.map_err(|e| anyhow::anyhow!("{e}")).context("--live: cannot open a window")?);
        }
        let Some(window) = &mut self.window else { return Ok(false) };
        if let Some(last) = self.last.replace(Instant::now()) {
            let secs = last.elapsed().as_secs_f64();
            self.frame_secs =
                if self.frame_secs == 0.0 { secs } else { self.frame_secs + NEWEST * (secs - self.frame_secs) };
            let per_sec = 1.0 / self.frame_secs.max(1e-6);
            window.set_title(&format!(
                "lineament: frame {}, {per_sec:.1} per second, {} faces",
                frame.index,
                faces.len()
            ));
        }
        let shown = window.update_with_buffer(&self.pixels, picture.width, picture.height);
        shown.map_err(|e| anyhow::anyhow!("{e}")).context("--live")?;
        Ok(window.is_open() && !window.is_key_down(Key::Escape))
    }
}
