//! Convolution over all channels: four numbers of a window's row at a time, a tile of pixels by up to two vectors of
//! output channels in registers. A row that is no multiple of four is read to the next one, with weights of 0. A
//! pointwise convolution is the same with a window of one pixel.

#![allow(unsafe_code)]

use std::ops::Range;

use super::super::conv::blocks;
use super::super::finish::{Place, Sums, for_each_pixel, load};
use super::super::window::Window;
use super::finish::Raw;
use super::{Finish, Learned, Packed, QUAD, Quantization, Target};
use crate::simd::{Kernel, Simd, dispatch, vectorized};

/// A convolution in integers.
#[derive(Debug, Clone)]
pub struct Conv {
    packed: Packed,
    window: Window,
    inputs: usize,
    quantization: Quantization,
}

impl Conv {
    /// Weights in the file's order, `[outputs, inputs, kernel, kernel]`; `quantization` is the input's.
    ///
    /// # Panics
    /// When sizes do not fit.
    pub fn new(learned: Learned, window: Window, inputs: usize, quantization: Quantization) -> Self {
        let (kernel, row) = (window.kernel, window.kernel * inputs);
        assert_eq!(learned.weights.len(), kernel * row * learned.bias.len(), "weights of an integer convolution");
        let filled = row.next_multiple_of(QUAD);
        // The window's rows, columns and channels, as they lie in the input.
        let weight = |output: usize, at: usize| {
            let (y, x, input) = (at / filled, at % filled / inputs, at % filled % inputs);
            if x < kernel { learned.weights[((output * inputs + input) * kernel + y) * kernel + x] } else { 0 }
        };
        Self { packed: Packed::new(learned, kernel * filled, quantization, weight), window, inputs, quantization }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.packed.outputs
    }

    /// Bytes of working memory for `rows` rows of output over a map of this width.
    pub fn workspace(&self, rows: usize, width: usize) -> usize {
        let padding = self.window.padding;
        match self.reads_on() {
            false if padding == 0 => 0,
            reads_on => self.seen(rows) * (width + 2 * padding) * self.inputs + usize::from(reads_on) * QUAD,
        }
    }

    /// The same of [`Conv::run_pooled_rows`].
    pub fn pooled_workspace(&self, rows: usize, width: usize) -> usize {
        let (_, w) = self.window.over((self.window.kernel, width));
        self.workspace(2 * rows, width) + 2 * w * self.packed.outputs
    }

    /// Rows of the framed map that the windows of `rows` rows cover.
    fn seen(&self, rows: usize) -> usize {
        (rows - 1) * self.window.stride + self.window.kernel
    }

    /// Whether more is read than a window's rows hold.
    fn reads_on(&self) -> bool {
        !(self.window.kernel * self.inputs).is_multiple_of(QUAD)
    }

    /// Convolves quantised values `[height, width, inputs]` into the `rows` of `[h, w, outputs]`, with `(h, w)` as
    /// [`Window::over`] says; the target and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run_rows(
        &self,
        input: &[u8],
        size: (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        workspace: &mut [u8],
        target: Target,
    ) {
        assert_eq!(input.len(), size.0 * size.1 * self.inputs, "input of a convolution");
        let (h, w) = self.window.over(size);
        assert!(rows.start < rows.end && rows.end <= h, "rows of a convolution");
        assert_eq!(target.len(), rows.len() * w * self.packed.outputs, "output of a convolution");
        let finish = self.packed.scaling.finish(finish, target);
        let (input, width) = self.framed(input, size, &rows, workspace);
        if self.window == Window::POINT {
            // Rows follow each other without a seam: one long row wastes nothing at its end.
            let pixels = rows.len() * w;
            dispatch(Run { conv: self, input, width: pixels, rows: 1, w: pixels, finish });
        } else {
            dispatch(Run { conv: self, input, width, rows: rows.len(), w, finish });
        }
    }

    /// As [`Conv::run_rows`], and of each 2x2 block of what comes out the largest; an odd last row or column is
    /// dropped. What follows the sums must not turn larger into smaller, and adds nothing.
    ///
    /// # Panics
    /// When a slice has another length, or something is added.
    pub fn run_pooled_rows(
        &self,
        input: &[u8],
        size: (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        workspace: &mut [u8],
        (output, quantization): (&mut [u8], Quantization),
    ) {
        assert_eq!(input.len(), size.0 * size.1 * self.inputs, "input of a convolution");
        assert!(finish.add.is_none(), "nothing is added before a pooling");
        let (h, w) = self.window.over(size);
        let channels = self.packed.outputs;
        assert!(rows.start < rows.end && rows.end <= h / 2, "rows of a pooled convolution");
        assert_eq!(output.len(), rows.len() * (w / 2) * channels, "output of a pooled convolution");
        let (pair, workspace) = workspace.split_at_mut(2 * w * channels);
        let (input, width) = self.framed(input, size, &(2 * rows.start..2 * rows.end), workspace);
        for (y, output) in output.chunks_exact_mut(w / 2 * channels).enumerate() {
            let finish = self.packed.scaling.finish(finish, Target::Quantised(pair, quantization));
            let row = &input[2 * y * self.window.stride * width * self.inputs..];
            dispatch(Run { conv: self, input: row, width, rows: 2, w, finish });
            let (top, bottom) = pair.split_at(w * channels);
            vectorized(
                #[inline(always)]
                || {
                    let pairs = top.chunks_exact(2 * channels).zip(bottom.chunks_exact(2 * channels));
                    for ((top, bottom), to) in pairs.zip(output.chunks_exact_mut(channels)) {
                        let ((a, b), (c, d)) = (top.split_at(channels), bottom.split_at(channels));
                        largest([a, b, c, d], to);
                    }
                },
            );
        }
    }

    /// Of the input with its frame the rows that the output's `rows` see, and the width of that.
    fn framed<'a>(
        &self,
        input: &'a [u8],
        (height, width): (usize, usize),
        rows: &Range<usize>,
        workspace: &'a mut [u8],
    ) -> (&'a [u8], usize) {
        let (padding, pixel, first) = (self.window.padding, self.inputs, rows.start * self.window.stride);
        let len = self.workspace(rows.len(), width);
        if len == 0 {
            return (&input[first * width * pixel..][..self.seen(rows.len()) * width * pixel], width);
        }
        let (memory, wide) = (&mut workspace[..len], width + 2 * padding);
        // The frame is the zero point, which stands for 0.
        memory.fill(self.quantization.zero_point);
        for (row, to) in memory.chunks_exact_mut(wide * pixel).take(self.seen(rows.len())).enumerate() {
            if let Some(row) = (first + row).checked_sub(padding).filter(|row| *row < height) {
                let from = &input[row * width * pixel..][..width * pixel];
                to[padding * pixel..][..from.len()].copy_from_slice(from);
            }
        }
        (memory, wide)
    }
}

/// The largest of four, byte by byte; all are equally long.
#[inline(always)]
fn largest([a, b, c, d]: [&[u8]; 4], to: &mut [u8]) {
    /// Compilers turn a loop over this many bytes into one vector operation; a loop over few channels stays scalar.
    const AT_ONCE: usize = 16;
    let (whole, rest) = to.as_chunks_mut::<AT_ONCE>();
    let done = whole.len() * AT_ONCE;
    let [a16, b16, c16, d16] = [a, b, c, d].map(|of| of.as_chunks::<AT_ONCE>().0);
    for ((((to, a), b), c), d) in whole.iter_mut().zip(a16).zip(b16).zip(c16).zip(d16) {
        let (mut largest, b, c, d) = (*a, *b, *c, *d);
        for i in 0..AT_ONCE {
            largest[i] = largest[i].max(b[i]).max(c[i].max(d[i]));
        }
        *to = largest;
    }
    for (to, i) in rest.iter_mut().zip(done..) {
        *to = a[i].max(b[i]).max(c[i].max(d[i]));
    }
}

struct Run<'a> {
    conv: &'a Conv,
    /// From the first row's windows on.
    input: &'a [u8],
    width: usize,
    rows: usize,
    w: usize,
    finish: Raw,
}

impl Kernel for Run<'_> {
    type Output = ();
    const USES_DOT: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv: Conv { packed, window, inputs, .. }, input, width, rows, w, finish } = self;
        let window_quads = (window.kernel * inputs).div_ceil(QUAD);
        let mut weights = packed.weights.as_ptr();
        for (channel, vectors) in blocks(packed.outputs, S::LANES) {
            for y in 0..rows {
                // SAFETY of the pointers: the callers checked that the input holds a window for every output pixel and
                // the target these pixels; packing made the weights of each block.
                unsafe {
                    let row = Row {
                        input: input.as_ptr().add(y * window.stride * width * inputs),
                        pixel_step: window.stride * inputs,
                        window_rows: window.kernel,
                        window_quads,
                        row_step: width * inputs,
                        weights,
                        finish,
                        place: Place {
                            at: y * w * packed.outputs + channel,
                            step: packed.outputs,
                            channel,
                            channels: (vectors * S::LANES).min(packed.outputs - channel),
                        },
                    };
                    // Without a product of bytes, registers are needed for the even and odd bytes of both factors.
                    if vectors == 1 {
                        if const { S::REGISTERS > 8 } {
                            row.run::<S, 8, 1>(simd, w)
                        } else {
                            row.run::<S, 4, 1>(simd, w)
                        }
                    } else if const { !S::HAS_DOT } {
                        row.run::<S, 4, 2>(simd, w);
                    } else if const { S::REGISTERS >= 32 } {
                        row.run::<S, 7, 2>(simd, w);
                    } else {
                        row.run::<S, 6, 2>(simd, w);
                    }
                }
            }
            // SAFETY: at most one past the end.
            weights = unsafe { weights.add(packed.inputs / QUAD * vectors * S::LANES) };
        }
    }
}

/// One row of output pixels in one block of channels.
struct Row {
    input: *const u8,
    pixel_step: usize,
    window_rows: usize,
    window_quads: usize,
    row_step: usize,
    weights: *const f32,
    finish: Raw,
    /// Of the row's first pixel.
    place: Place,
}

impl Row {
    /// All `w` pixels in tiles of `P`, or of 4 or 1 where there are fewer.
    ///
    /// # Safety
    /// The pointers must cover `w` output pixels and their windows.
    #[inline(always)]
    unsafe fn run<S: Simd, const P: usize, const NV: usize>(&self, simd: S, w: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if w >= P {
                self.tiles::<S, P, NV>(simd, w);
            } else if const { P > 4 } && w >= 4 {
                self.tiles::<S, 4, NV>(simd, w);
            } else {
                self.tiles::<S, 1, NV>(simd, w);
            }
        }
    }

    /// All `w` pixels, at least `P`, in tiles of `P`; the last tile overlaps the one before.
    ///
    /// # Safety
    /// As [`Row::run`].
    #[inline(always)]
    unsafe fn tiles<S: Simd, const P: usize, const NV: usize>(&self, simd: S, w: usize) {
        let mut x = 0;
        loop {
            // A loop of equal steps, whose pointers the compiler moves on instead of computing them anew.
            while x + P <= w {
                // SAFETY: the caller's promise.
                unsafe { self.tile::<S, P, NV>(simd, x) };
                x += P;
            }
            if x == w {
                return;
            }
            x = w - P;
        }
    }

    /// `P` pixels from `x` on by `NV` vectors of channels.
    ///
    /// # Safety
    /// As [`Row::run`], for these pixels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const NV: usize>(&self, simd: S, x: usize) {
        unsafe {
            let mut sums: Sums<S::V, P, NV> = [self.finish.zero_point_correction::<S, NV>(simd, self.place.channel); P];
            let mut weights = self.weights;
            let first = self.input.add(x * self.pixel_step);
            for ky in 0..self.window_rows {
                let mut row = first.add(ky * self.row_step);
                for _ in 0..self.window_quads {
                    let w = load::<S, NV>(simd, weights);
                    weights = weights.add(NV * S::LANES);
                    for_each_pixel!(|I| if const { I < P } {
                        let four = row.wrapping_add(I.wrapping_mul(self.pixel_step)).cast::<f32>().read_unaligned();
                        let four = simd.splat(four);
                        sums[I][0] = simd.dot(sums[I][0], four, w[0]);
                        if const { NV > 1 } {
                            sums[I][1] = simd.dot(sums[I][1], four, w[1]);
                        }
                    });
                    row = row.wrapping_add(QUAD);
                }
            }
            let place = Place { at: self.place.at + x * self.place.step, ..self.place };
            self.finish.store::<S, P, NV>(simd, sums, place);
        }
    }
}
