//! Depthwise convolution: each channel by itself, a vector of channels at a time, row by row.

#![allow(unsafe_code)]

use std::ops::Range;

use super::finish::{Finish, Place, RawFinish, Sums, for_each_pixel};
use super::window::Window;
use crate::simd::{Kernel, Simd};

/// What a depthwise convolution has learned.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise<'a> {
    /// `[kernel, kernel, channels]`.
    pub weights: &'a [f32],
    /// One number per channel.
    pub bias: &'a [f32],
    /// The window.
    pub window: Window,
}

impl Depthwise<'_> {
    /// Convolves one sample `[height, width, channels]` into `[h, w, channels]`, with `(h, w)` as [`Window::over`]
    /// says.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run(self, input: &[f32], size: (usize, usize), finish: Finish, output: &mut [f32]) {
        let rows = 0..self.window.over(size).0;
        self.run_rows(input, size, rows, finish, output);
    }

    /// The output's `rows` only: `output` and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length, or the map is empty.
    pub fn run_rows(
        self,
        input: &[f32],
        (height, width): (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        output: &mut [f32],
    ) {
        let Self { weights, bias, window } = self;
        let ((h, w), channels) = (window.over((height, width)), bias.len());
        // Rows that lie off the map are replaced by one on it.
        assert!(height > 0 && width > 0, "an empty map of {height}x{width}");
        assert_eq!(input.len(), height * width * channels, "input of a depthwise convolution");
        assert_eq!(weights.len(), window.kernel * window.kernel * channels, "weights of a depthwise convolution");
        assert!(rows.end <= h, "rows of a depthwise convolution");
        assert_eq!(output.len(), rows.len() * w * channels, "output of a depthwise convolution");
        let raw = finish.raw(output.len(), channels);
        let run = Run { depthwise: self, input, height, width, rows, w, finish: raw, output };
        match (window.kernel, window.stride) {
            (3, 1) => finish.dispatch(Sized::<3, 1>(run)),
            (3, 2) => finish.dispatch(Sized::<3, 2>(run)),
            (5, 1) => finish.dispatch(Sized::<5, 1>(run)),
            (5, 2) => finish.dispatch(Sized::<5, 2>(run)),
            _ => finish.dispatch(Sized::<0, 0>(run)),
        }
    }
}

struct Run<'a> {
    depthwise: Depthwise<'a>,
    input: &'a [f32],
    height: usize,
    width: usize,
    rows: Range<usize>,
    w: usize,
    finish: RawFinish,
    output: &'a mut [f32],
}

/// With kernel and stride known to the compiler; 0 for sizes that have no kernel of their own.
struct Sized<'a, const K: usize, const STRIDE: usize>(Run<'a>);

/// Pixels whose sums are in registers at once.
const PIXELS: usize = 4;

/// Writes the body for each row (or column) of the largest window with a kernel of its own.
macro_rules! for_each_tap {
    (|$i:ident| $body:expr) => {
        for_each_pixel!(@ $i $body, 0 1 2 3 4)
    };
}

impl<const K: usize, const STRIDE: usize> Kernel for Sized<'_, K, STRIDE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let run = self.0;
        let (window, channels) = (run.depthwise.window, run.depthwise.bias.len());
        let inside = window.inside(run.w, run.width);
        let output = run.output.as_mut_ptr();
        for y in run.rows.clone() {
            let mut channel = 0;
            while channel < channels {
                // The last vector overlaps the one before, where there is one.
                if channels - channel < S::LANES {
                    channel = channels.saturating_sub(S::LANES);
                }
                let strip = Strip { run: &run, y, channel, channels: (channels - channel).min(S::LANES), output };
                // SAFETY: `Depthwise::run_rows` checked that the input holds the whole map and the output all rows;
                // windows of `inside` lie between the map's left and right end.
                unsafe {
                    if const { K == 0 } || strip.channels < S::LANES {
                        for x in 0..run.w {
                            strip.pixel(simd, x);
                        }
                    } else {
                        strip.run::<S, K, STRIDE>(simd, inside.clone());
                    }
                }
                channel += S::LANES;
            }
        }
    }
}

/// A vector of channels along one row of the output.
struct Strip<'a> {
    run: &'a Run<'a>,
    y: usize,
    channel: usize,
    channels: usize,
    output: *mut f32,
}

/// What a strip's pixels share: the window's rows on the map, and its weights, in registers. A row that lies off the
/// map is replaced by one on it, with weights of 0.
struct Shared<V, const K: usize> {
    rows: [*const f32; K],
    taps: [[V; K]; K],
    bias: V,
    channels: usize,
}

impl Strip<'_> {
    /// All pixels, of which the windows of `inside` end neither left nor right of the map.
    ///
    /// # Safety
    /// There must be a whole vector of channels.
    #[inline(always)]
    unsafe fn run<S: Simd, const K: usize, const STRIDE: usize>(&self, simd: S, inside: Range<usize>) {
        let &Run { depthwise: Depthwise { weights, bias, window }, input, height, width, w, .. } = self.run;
        let channels = bias.len();
        let tall = window.on_map(self.y, height);
        let zero = simd.splat(0.0);
        // SAFETY: rows are on the map, and there is a vector of channels from `channel` on.
        let shared = unsafe {
            let bias = simd.load_ptr(bias.as_ptr().add(self.channel));
            let mut shared = Shared { rows: [input.as_ptr(); K], taps: [[zero; K]; K], bias, channels };
            for_each_tap!(|KY| if const { KY < K } {
                let row = (self.y * STRIDE + KY).saturating_sub(window.padding).min(height - 1);
                shared.rows[KY] = input.as_ptr().add(row * width * channels + self.channel);
                if tall.contains(&KY) {
                    let weights = weights.as_ptr().add(KY * K * channels + self.channel);
                    for_each_tap!(|KX| if const { KX < K } {
                        shared.taps[KY][KX] = simd.load_ptr(weights.add(KX * channels));
                    });
                }
            });
            shared
        };
        // SAFETY: the caller's promise.
        unsafe {
            // Windows that reach one column over the map's end share a tile with their neighbours.
            let (padding, tiled) = (window.padding, inside.len() >= PIXELS);
            let left = tiled && inside.start == 1 && padding == 1 && (PIXELS - 1) * STRIDE + K <= width;
            let right = tiled
                && inside.end + 1 == w
                && (w - PIXELS) * STRIDE >= padding
                && (w - 1) * STRIDE + K == padding + width + 1;
            let (mut start, mut end) = (inside.start, inside.end);
            if left {
                self.tile::<S, K, STRIDE, 1, 0>(simd, &shared, 0);
                start = PIXELS;
            }
            if right {
                self.tile::<S, K, STRIDE, 0, 1>(simd, &shared, w - PIXELS);
                end = w - PIXELS;
            }
            while tiled && start < end {
                // The last tile overlaps what is there.
                let x = start.min(inside.end - PIXELS);
                self.tile::<S, K, STRIDE, 0, 0>(simd, &shared, x);
                start = x + PIXELS;
            }
            let (first, last) = (if left { 0 } else { inside.start }, if right { w } else { start });
            for x in (0..first).chain(last..w) {
                let sum = shared.single(simd, x * STRIDE, window.on_map(x, width), padding);
                self.run.finish.store::<S, 1, 1>(simd, [[sum]], self.place(x), self.output);
            }
        }
    }

    /// [`PIXELS`] pixels from `x` on, whose windows reach `LEFT` and `RIGHT` columns over the map's ends.
    ///
    /// # Safety
    /// They must reach over the ends exactly so far.
    #[inline(always)]
    unsafe fn tile<S: Simd, const K: usize, const STRIDE: usize, const LEFT: usize, const RIGHT: usize>(
        &self,
        simd: S,
        shared: &Shared<S::V, K>,
        x: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let column = (x * STRIDE).wrapping_sub(self.run.depthwise.window.padding);
            let sums = shared.sums::<S, STRIDE, LEFT, RIGHT>(simd, column);
            self.run.finish.store::<S, PIXELS, 1>(simd, sums, self.place(x), self.output);
        }
    }

    #[inline(always)]
    fn place(&self, x: usize) -> Place {
        let channels = self.run.depthwise.bias.len();
        let at = ((self.y - self.run.rows.start) * self.run.w + x) * channels + self.channel;
        Place { at, step: channels, channel: self.channel, channels: self.channels }
    }

    /// One pixel, any window, any number of channels.
    ///
    /// # Safety
    /// As the strip's own.
    #[inline(always)]
    unsafe fn pixel<S: Simd>(&self, simd: S, x: usize) {
        let &Run { depthwise: Depthwise { weights, bias, window }, input, height, width, .. } = self.run;
        let channels = bias.len();
        // SAFETY: the window is cut to what lies on the map.
        unsafe {
            let mut sum = some(simd, bias.as_ptr().add(self.channel), self.channels);
            for ky in window.on_map(self.y, height) {
                for kx in window.on_map(x, width) {
                    let pixel = window.place(self.y, ky) * width + window.place(x, kx);
                    let from = input.as_ptr().add(pixel * channels + self.channel);
                    let tap = weights.as_ptr().add((ky * window.kernel + kx) * channels + self.channel);
                    sum = simd.mul_add(some(simd, from, self.channels), some(simd, tap, self.channels), sum);
                }
            }
            self.run.finish.store::<S, 1, 1>(simd, [[sum]], self.place(x), self.output);
        }
    }
}

impl<V: Copy, const K: usize> Shared<V, K> {
    /// The sum of one pixel, whose window begins at the padded map's column `first` and has only its columns `wide` on
    /// the map.
    ///
    /// # Safety
    /// These columns must be on the map.
    #[inline(always)]
    unsafe fn single<S: Simd<V = V>>(&self, simd: S, first: usize, wide: Range<usize>, padding: usize) -> V {
        let mut sum = self.bias;
        for_each_tap!(|KX| if const { KX < K } && wide.contains(&KX) {
            let column = (first + KX - padding) * self.channels;
            for_each_tap!(|KY| if const { KY < K } {
                // SAFETY: the caller's promise.
                let value = unsafe { simd.load_ptr(self.rows[KY].add(column)) };
                sum = simd.mul_add(value, self.taps[KY][KX], sum);
            });
        });
        sum
    }

    /// The sums of [`PIXELS`] pixels whose windows begin at `column` of the map, `LEFT` columns before it where it
    /// wraps, and end `RIGHT` columns behind it.
    ///
    /// # Safety
    /// That must be so.
    #[inline(always)]
    unsafe fn sums<S: Simd<V = V>, const STRIDE: usize, const LEFT: usize, const RIGHT: usize>(
        &self,
        simd: S,
        column: usize,
    ) -> Sums<V, PIXELS, 1> {
        let mut sums = [[self.bias]; PIXELS];
        for_each_tap!(|KY| if const { KY < K } {
            let from = self.rows[KY].wrapping_add(column.wrapping_mul(self.channels));
            for_each_pixel!(|COLUMN| if const { COLUMN + 1 > LEFT && COLUMN + RIGHT < (PIXELS - 1) * STRIDE + K } {
                // SAFETY: the caller's promise; columns off the map are left out.
                let value = unsafe { simd.load_ptr(from.wrapping_add(COLUMN.wrapping_mul(self.channels))) };
                // Each pixel whose window has this column, which is its window's column `COLUMN - pixel * STRIDE`.
                macro_rules! pixel {
                    ($pixel:literal) => {
                        if const { COLUMN.wrapping_sub($pixel * STRIDE) < K } {
                            let tap = self.taps[KY][COLUMN - $pixel * STRIDE];
                            sums[$pixel][0] = simd.mul_add(value, tap, sums[$pixel][0]);
                        }
                    };
                }
                pixel!(0);
                pixel!(1);
                pixel!(2);
                pixel!(3);
            });
        });
        sums
    }
}

/// The first `count` numbers, at most a vector.
///
/// # Safety
/// `from` must be valid for reading them.
#[inline(always)]
unsafe fn some<S: Simd>(simd: S, from: *const f32, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { if count == S::LANES { simd.load_ptr(from) } else { simd.load_first(from, count) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "an empty map of 0x5")]
    fn an_empty_map_is_refused() {
        let window = Window { kernel: 3, stride: 1, padding: 2 };
        let depthwise = Depthwise { weights: &[0.0; 9 * 16], bias: &[0.0; 16], window };
        let (h, w) = window.over((0, 5));
        depthwise.run(&[], (0, 5), Finish::default(), &mut vec![0.0; h * w * 16]);
    }
}
