//! The window: pixels are copied into its buffer, and the display hardware scales that to the screen.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use android_activity::AndroidApp;
use ndk::hardware_buffer_format::HardwareBufferFormat;
use ndk::native_window::NativeWindow;

use super::java;
use crate::orientation::Turn;
use crate::platform::{Insets, Surface, SurfaceLost};

const FORMAT: HardwareBufferFormat = HardwareBufferFormat::R8G8B8X8_UNORM;

/// How often the screen's turn is asked for. From one landscape to the other there is no event.
const TURN_EVERY: Duration = Duration::from_millis(500);

pub struct SystemWindow {
    window: NativeWindow,
    app: AndroidApp,
    turn: Option<(Turn, Instant)>,
}

impl SystemWindow {
    pub fn new(window: NativeWindow, app: AndroidApp) -> Self {
        Self { window, app, turn: None }
    }
}

impl Surface for SystemWindow {
    fn size(&self) -> (usize, usize) {
        // Else it would answer the size of the buffer that was asked for last. Nothing is sent to the system.
        let _ = self.window.set_buffers_geometry(0, 0, Some(FORMAT));
        let side = |length: i32| usize::try_from(length).unwrap_or(0);
        (side(self.window.width()), side(self.window.height()))
    }

    fn insets(&self) -> Insets {
        let (width, height) = self.size();
        let free = self.app.content_rect();
        let side = |length: i32| usize::try_from(length).unwrap_or(0);
        let (right, bottom) = (side(free.right), side(free.bottom));
        if right == 0 || bottom == 0 {
            return Insets::default(); // Not known yet.
        }
        Insets {
            left: side(free.left),
            top: side(free.top),
            right: width.saturating_sub(right),
            bottom: height.saturating_sub(bottom),
        }
    }

    fn turn(&mut self) -> Turn {
        match self.turn {
            Some((turn, asked)) if asked.elapsed() < TURN_EVERY => turn,
            _ => {
                let turn = java::display_turn(&self.app);
                self.turn = Some((turn, Instant::now()));
                turn
            }
        }
    }

    fn show(&mut self, pixels: &[u8], width: usize, height: usize) -> Result<(), SurfaceLost> {
        let side = |length: usize| i32::try_from(length).map_err(|_| SurfaceLost);
        let geometry = self.window.set_buffers_geometry(side(width)?, side(height)?, Some(FORMAT));
        geometry.map_err(|_| SurfaceLost)?;
        let mut buffer = self.window.lock(None).map_err(|_| SurfaceLost)?;
        let rows = pixels.chunks_exact(4 * width);
        for (to, from) in buffer.lines().ok_or(SurfaceLost)?.zip(rows) {
            let length = to.len().min(from.len());
            // SAFETY: initialised bytes may be read as such that may be not.
            let from: &[MaybeUninit<u8>] = unsafe { std::slice::from_raw_parts(from.as_ptr().cast(), length) };
            to[..length].copy_from_slice(from);
        }
        Ok(())
    }
}
