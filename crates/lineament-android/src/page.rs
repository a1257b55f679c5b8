//! What lies where on the screen, and how text and buttons are drawn on it.
//!
//! The window's buffer is as large as the camera's picture needs, one pixel for each of its pixels. The display
//! hardware scales it up. Nothing is resampled here, and a phone with four times the pixels costs no more time.

use lineament::ImageView;
use lineament::draw::Canvas;

use crate::font::{self, CELL_HEIGHT, CELL_WIDTH};
use crate::platform::Insets;

/// Screen pixels per dot of a letter, in the buffer: 480 columns hold 40 letters.
const DOT: usize = 2;
/// Size of a letter's cell in the buffer.
pub const LETTER: (usize, usize) = (DOT * CELL_WIDTH, DOT * CELL_HEIGHT);
/// Space around text.
const PADDING: usize = 8;
/// Height of the row of buttons: about 8 mm on a phone.
const BUTTON: usize = 56;
/// Shorter side of the buffer where there is no camera picture.
const PLAIN_SIDE: usize = 480;
/// Longest side of the buffer: windows that are more than eight times as wide as high are not worth more memory.
const MAX_SIDE: usize = 4096;

/// Colours.
pub const WHITE: [u8; 3] = [255, 255, 255];
pub const GREY: [u8; 3] = [170, 176, 186];
pub const AMBER: [u8; 3] = [255, 190, 70];
const NIGHT: [u8; 4] = [16, 18, 24, 255];
const BUTTON_FILL: [u8; 3] = [40, 46, 60];
const CHOSEN_FILL: [u8; 3] = [52, 92, 160];

/// A rectangle of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl Area {
    /// Whether a point lies in it.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        (self.left..self.left + self.width).contains(&x) && (self.top..self.top + self.height).contains(&y)
    }
}

/// Sizes and places for one window and one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    window: (usize, usize),
    /// Of the buffer.
    pub width: usize,
    /// Of the buffer.
    pub height: usize,
    /// Where the picture lies.
    pub picture: Area,
    /// Where text may stand.
    pub text: Area,
    /// The row of buttons.
    pub buttons: Area,
}

impl Layout {
    /// For a window and a picture of these sizes.
    pub fn new(window: (usize, usize), insets: Insets, picture: Option<(usize, usize)>) -> Self {
        let window = (window.0.max(1), window.1.max(1));
        let scale = match picture {
            Some(picture) => (window.0 as f64 / picture.0 as f64).min(window.1 as f64 / picture.1 as f64),
            None => window.0.min(window.1) as f64 / PLAIN_SIDE as f64,
        };
        let side = |length: usize| ((length as f64 / scale).round() as usize).clamp(1, MAX_SIDE);
        let (width, height) = (side(window.0), side(window.1));
        let (picture_width, picture_height) = picture.unwrap_or((0, 0));
        let picture = Area {
            left: width.saturating_sub(picture_width) / 2,
            top: height.saturating_sub(picture_height) / 2,
            width: picture_width.min(width),
            height: picture_height.min(height),
        };
        let inner = |length: usize, whole: usize| ((length as f64 / scale).ceil() as usize).min(whole / 2);
        let (left, right) = (inner(insets.left, width), inner(insets.right, width));
        let (top, bottom) = (inner(insets.top, height), inner(insets.bottom, height));
        let button = BUTTON.min(height / 3);
        let buttons =
            Area { left, width: width - left - right, top: height - bottom - button, height: button.min(height) };
        let text = Area {
            left: left + PADDING,
            top: top + PADDING,
            width: (width - left - right).saturating_sub(2 * PADDING),
            height: buttons.top.saturating_sub(top + 2 * PADDING),
        };
        Self { window, width, height, picture, text, buttons }
    }

    /// A place of the window as a place of the buffer.
    pub fn place(&self, x: f32, y: f32) -> (usize, usize) {
        let scaled = |v: f32, from: usize, to: usize| (v.max(0.0) as usize * to / from).min(to.saturating_sub(1));
        (scaled(x, self.window.0, self.width), scaled(y, self.window.1, self.height))
    }

    /// Letters per line of text.
    pub fn columns(&self) -> usize {
        self.text.width / LETTER.0
    }

    /// One of `count` buttons side by side.
    pub fn button(&self, number: usize, count: usize) -> Area {
        let Area { left, top, width, height } = self.buttons;
        let (from, to) = (width * number / count, width * (number + 1) / count);
        Area {
            left: left + from + 2,
            top: top + 2,
            width: (to - from).saturating_sub(4),
            height: height.saturating_sub(4),
        }
    }
}

/// The buffer that is drawn on.
#[derive(Debug)]
pub struct Page {
    pub canvas: Canvas,
}

impl Page {
    /// A dark page.
    pub fn new(width: usize, height: usize) -> Self {
        let grey = vec![0; width * height];
        let view = ImageView::grey(&grey, width, height).expect("sides from 1 to 4096");
        let mut page = Self { canvas: Canvas::from_view(&view) };
        page.clear();
        page
    }

    /// The same memory if it has this size already.
    pub fn fit(&mut self, width: usize, height: usize) {
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            *self = Self::new(width, height);
        }
    }

    /// Makes all of it dark.
    pub fn clear(&mut self) {
        self.canvas.pixels_mut().as_chunks_mut::<4>().0.fill(NIGHT);
    }

    /// Darkens or colours an area.
    pub fn shade(&mut self, area: Area, [r, g, b]: [u8; 3], opacity: u16) {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let right = (area.left + area.width).min(width);
        for y in area.top..(area.top + area.height).min(height) {
            let row = self.canvas.pixels_mut()[4 * y * width..][..4 * width].as_chunks_mut::<4>().0;
            for pixel in &mut row[area.left.min(right)..right] {
                for (value, to) in pixel.iter_mut().zip([r, g, b]) {
                    *value = ((u16::from(*value) * (256 - opacity) + u16::from(to) * opacity) >> 8) as u8;
                }
            }
        }
    }

    /// One line of text; what does not fit is cut.
    pub fn line(&mut self, text: &str, left: usize, top: usize, [r, g, b]: [u8; 3]) {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let pixels = self.canvas.pixels_mut().as_chunks_mut::<4>().0;
        for (number, letter) in text.chars().enumerate() {
            font::dots(letter, |column, row| {
                let (x, y) = (left + DOT * (number * CELL_WIDTH + column), top + DOT * row);
                for y in y..(y + DOT).min(height) {
                    for x in x..(x + DOT).min(width) {
                        pixels[y * width + x] = [r, g, b, 255];
                    }
                }
            });
        }
    }

    /// Lines of text from the top of `area`, on a dark plate that makes them readable over a picture. Those that do
    /// not fit are left out.
    pub fn lines<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, [u8; 3])>, area: Area) {
        let lines: Vec<_> = lines.into_iter().take(area.height / LETTER.1).collect();
        let longest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
        if longest == 0 {
            return;
        }
        let plate = Area {
            left: area.left.saturating_sub(PADDING),
            top: area.top.saturating_sub(PADDING),
            width: (longest * LETTER.0 + 2 * PADDING).min(area.width + 2 * PADDING),
            height: lines.len() * LETTER.1 + 2 * PADDING,
        };
        self.shade(plate, [0, 0, 0], 160);
        for (number, (line, colour)) in lines.into_iter().enumerate() {
            self.line(line, area.left, area.top + number * LETTER.1, colour);
        }
    }

    /// A text in the middle of `area`, wrapped.
    pub fn notice(&mut self, text: &str, area: Area) {
        let lines = font::wrap(text, area.width / LETTER.0);
        let height = lines.len() * LETTER.1;
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) * LETTER.0;
        let place = Area {
            left: area.left + area.width.saturating_sub(longest) / 2,
            top: area.top + area.height.saturating_sub(height) / 2,
            width: longest,
            height: area.height,
        };
        self.lines(lines.iter().map(|line| (line.as_str(), WHITE)), place);
    }

    /// A button with its name in the middle.
    pub fn button(&mut self, name: &str, area: Area, chosen: bool) {
        self.shade(area, if chosen { CHOSEN_FILL } else { BUTTON_FILL }, 230);
        let (width, height) = (name.chars().count() * LETTER.0, LETTER.1);
        let left = area.left + area.width.saturating_sub(width) / 2;
        self.line(name, left, area.top + area.height.saturating_sub(height) / 2 + DOT, WHITE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_fills_every_window_one_to_one() {
        for (window, picture, buffer, place) in [
            ((1080, 2400), (480, 640), (480, 1067), (0, 213)),
            ((2400, 1080), (640, 480), (1067, 480), (213, 0)),
            ((480, 640), (480, 640), (480, 640), (0, 0)),
            ((1600, 2560), (480, 864), (540, 864), (30, 0)),
        ] {
            let layout = Layout::new(window, Insets::default(), Some(picture));
            assert_eq!((layout.width, layout.height), buffer, "{window:?}");
            assert_eq!((layout.picture.left, layout.picture.top), place, "{window:?}");
            assert_eq!((layout.picture.width, layout.picture.height), picture, "{window:?}");
        }
    }

    #[test]
    fn no_window_is_too_small_or_too_odd() {
        for window in [(0, 0), (1, 1), (1, 5000), (5000, 1), (3, 700), (100_000, 20)] {
            let insets = Insets { left: 50, top: 3000, right: 50, bottom: 70 };
            for picture in [None, Some((480, 640)), Some((1, 1)), Some((864, 480))] {
                let layout = Layout::new(window, insets, picture);
                let mut page = Page::new(layout.width, layout.height);
                page.notice("Words that do not fit anywhere, and more of them", layout.text);
                page.button("A name", layout.button(2, 3), true);
                page.lines([("figures", WHITE)], layout.text);
                assert!(layout.width <= MAX_SIDE && layout.height <= MAX_SIDE, "{window:?} {picture:?}");
                let (x, y) = layout.place(1e9, -5.0);
                assert!(x < layout.width && y == 0, "{window:?} {picture:?}");
            }
        }
    }

    #[test]
    fn buttons_share_their_row_and_taps_find_them() {
        let insets = Insets { bottom: 120, ..Insets::default() };
        let layout = Layout::new((1080, 2400), insets, Some((480, 640)));
        for number in 0..3 {
            let area = layout.button(number, 3);
            let (x, y) = layout.place(180.0 + 360.0 * number as f32, 2400.0 - 120.0 - 60.0);
            assert!(area.contains(x, y), "{number}: {area:?} at {x} {y}");
        }
        assert!(!layout.button(0, 3).contains(0, 0));
    }
}
