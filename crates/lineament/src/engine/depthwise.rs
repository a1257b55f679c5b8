//! Depthwise convolution: each channel by itself, a vector of channels at a time, row by row.

#![allow(unsafe_code)]

use std::ops::Range;

use super::finish::{Finish, MAX_PIXELS, Place, RawFinish, for_each_pixel};
use super::simd::{Kernel, Simd, dispatch};
use super::window::Window;

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
    /// Convolves one sample `[height, width, channels]` into `[h, w, channels]`, with `(h, w)` as [`Window::over`] says.
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
    /// When a slice has another length.
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
        assert_eq!(input.len(), height * width * channels, "input of a depthwise convolution");
        assert_eq!(weights.len(), window.kernel * window.kernel * channels, "weights of a depthwise convolution");
        assert!(rows.end <= h, "rows of a depthwise convolution");
        assert_eq!(output.len(), rows.len() * w * channels, "output of a depthwise convolution");
        let finish = finish.raw(output.len(), channels);
        let run = Run { depthwise: self, input, height, width, rows, w, finish, output };
        match (window.kernel, window.stride) {
            (3, 1) => dispatch(Sized::<3, 1>(run)),
            (3, 2) => dispatch(Sized::<3, 2>(run)),
            (5, 1) => dispatch(Sized::<5, 1>(run)),
            (5, 2) => dispatch(Sized::<5, 2>(run)),
            _ => dispatch(Sized::<0, 0>(run)),
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

impl<const K: usize, const STRIDE: usize> Kernel for Sized<'_, K, STRIDE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let run = self.0;
        let (window, channels) = (run.depthwise.window, run.depthwise.bias.len());
        let inside = if K > 0 { window.inside(run.w, run.width) } else { 0..0 };
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
                // windows of `inside` lie on the map, and the others are cut.
                unsafe {
                    let mut x = inside.start;
                    while x + PIXELS <= inside.end && strip.channels == S::LANES {
                        strip.tile::<S, K, STRIDE>(simd, x);
                        x += PIXELS;
                    }
                    (0..inside.start).chain(x..run.w).for_each(|x| strip.pixel(simd, x));
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

impl Strip<'_> {
    /// Rows of the window that lie on the map.
    #[inline(always)]
    fn tall(&self) -> Range<usize> {
        self.run.depthwise.window.on_map(self.y, self.run.height)
    }

    /// # Safety
    /// The place must be on the map.
    #[inline(always)]
    unsafe fn input(&self, row: usize, column: usize) -> *const f32 {
        let (width, channels) = (self.run.width, self.run.depthwise.bias.len());
        // SAFETY: the caller's promise.
        unsafe { self.run.input.as_ptr().add((row * width + column) * channels + self.channel) }
    }

    fn place(&self, x: usize) -> Place {
        let channels = self.run.depthwise.bias.len();
        let at = ((self.y - self.run.rows.start) * self.run.w + x) * channels + self.channel;
        Place { at, step: channels, channel: self.channel, channels: self.channels }
    }

    /// [`PIXELS`] pixels from `x` on.
    ///
    /// # Safety
    /// Their windows must lie on the map, but for rows above and below; there must be a whole vector of channels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const K: usize, const STRIDE: usize>(&self, simd: S, x: usize) {
        let Depthwise { weights, bias, window } = self.run.depthwise;
        let channels = bias.len();
        let zero = simd.splat(0.0);
        unsafe {
            let mut sums = [[simd.load_ptr(bias.as_ptr().add(self.channel)), zero]; MAX_PIXELS];
            for ky in self.tall() {
                let from = self.input(window.place(self.y, ky), window.place(x, 0));
                let weights = weights.as_ptr().add(ky * K * channels + self.channel);
                let mut taps = [zero; MAX_PIXELS];
                for_each_pixel!(|KX| if KX < K {
                    taps[KX] = simd.load_ptr(weights.add(KX * channels));
                });
                for_each_pixel!(|COLUMN| if COLUMN < (PIXELS - 1) * STRIDE + K {
                    let value = simd.load_ptr(from.add(COLUMN * channels));
                    // Each pixel whose window has this column, which is its window's column `COLUMN - pixel * STRIDE`.
                    let mut column = |pixel: usize| {
                        let kx = COLUMN.wrapping_sub(pixel * STRIDE);
                        if kx < K {
                            sums[pixel][0] = simd.mul_add(value, taps[kx], sums[pixel][0]);
                        }
                    };
                    column(0);
                    column(1);
                    column(2);
                    column(3);
                });
            }
            self.run.finish.store::<S, PIXELS, 1>(simd, sums, self.place(x), self.output);
        }
    }

    /// One pixel, any window, cut where the map ends.
    ///
    /// # Safety
    /// As the strip's own.
    #[inline(always)]
    unsafe fn pixel<S: Simd>(&self, simd: S, x: usize) {
        let Depthwise { weights, bias, window } = self.run.depthwise;
        let channels = bias.len();
        let wide = window.on_map(x, self.run.width);
        // SAFETY: the strip's channels are there.
        let load = |from: *const f32| unsafe {
            match self.channels == S::LANES {
                true => simd.load_ptr(from),
                false => simd.load_first(from, self.channels),
            }
        };
        unsafe {
            let mut sum = load(bias.as_ptr().add(self.channel));
            for ky in self.tall() {
                for kx in wide.clone() {
                    let from = self.input(window.place(self.y, ky), window.place(x, kx));
                    let tap = weights.as_ptr().add((ky * window.kernel + kx) * channels + self.channel);
                    sum = simd.mul_add(load(from), load(tap), sum);
                }
            }
            self.run.finish.store::<S, 1, 1>(simd, [[sum, simd.splat(0.0)]; MAX_PIXELS], self.place(x), self.output);
        }
    }
}
