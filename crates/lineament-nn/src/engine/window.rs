//! How the square window of a convolution slides over a map.

use std::ops::Range;

/// A square window over a map that has a frame of zeros around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Side.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros on each of the four sides.
    pub padding: usize,
}

impl Window {
    /// A single pixel.
    pub const POINT: Self = Self { kernel: 1, stride: 1, padding: 0 };

    /// Rows and columns that come out of a map of `(height, width)`.
    ///
    /// # Panics
    /// When the window does not fit into the padded map.
    pub fn over(self, (height, width): (usize, usize)) -> (usize, usize) {
        let places = |len: usize| {
            let room = (len + 2 * self.padding).checked_sub(self.kernel);
            room.unwrap_or_else(|| panic!("{self:?} does not fit into a map of {height}x{width}")) / self.stride + 1
        };
        (places(height), places(width))
    }

    /// The rows (or columns) of the window that lie on the map, not on its frame, at the output's row `at`, where the
    /// map has `len` of them.
    #[inline(always)]
    pub(super) fn on_map(self, at: usize, len: usize) -> Range<usize> {
        let first = at * self.stride;
        let end = (len + self.padding).saturating_sub(first).min(self.kernel);
        self.padding.saturating_sub(first).min(end)..end
    }

    /// Where on the map the window's row (or column) `tap` lies at the output's row `at`; it must lie on the map.
    #[inline(always)]
    pub(super) fn place(self, at: usize, tap: usize) -> usize {
        at * self.stride + tap - self.padding
    }

    /// The output's columns (or rows), of `places`, whose windows lie on the map wholly, where it has `len` of them.
    pub(super) fn inside(self, places: usize, len: usize) -> Range<usize> {
        let end = (len + self.padding).checked_sub(self.kernel).map_or(0, |last| last / self.stride + 1).min(places);
        self.padding.div_ceil(self.stride).min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "does not fit into a map of 2x5")]
    fn a_window_larger_than_the_padded_map_is_refused() {
        Window { kernel: 5, stride: 1, padding: 1 }.over((2, 5));
    }

    #[test]
    fn windows_are_cut_where_the_map_ends() {
        for kernel in 1..6 {
            for (stride, padding, len) in (1..4).flat_map(|s| (0..7).flat_map(move |p| (1..9).map(move |l| (s, p, l))))
            {
                if len + 2 * padding < kernel {
                    continue;
                }
                let window = Window { kernel, stride, padding };
                let (places, _) = window.over((len, len));
                let inside = window.inside(places, len);
                for at in 0..places {
                    let on_map = |tap: &usize| (padding..len + padding).contains(&(at * stride + tap));
                    let taps: Vec<usize> = (0..kernel).filter(on_map).collect();
                    let ours: Vec<usize> = window.on_map(at, len).collect();
                    assert_eq!(ours, taps, "{window:?} over {len} at {at}");
                    assert!(taps.iter().all(|&tap| window.place(at, tap) < len));
                    assert_eq!(inside.contains(&at), taps.len() == kernel, "{window:?} over {len} at {at}");
                }
            }
        }
    }
}
