//! Depthwise convolution 5x5; smaller windows are as fast in f32.
//!
//! The map's rows are brought together four by four: each lane holds a byte of each of four rows. One instruction then
//! multiplies a column of four, and a column is read once for all outputs that need it. A window always spans two of
//! these quads. Its weights are stored for each row of a quad that it can begin at.

#![allow(unsafe_code)]

use std::ops::Range;

use super::super::aligned::Aligned;
use super::super::finish::{Place, Sums, for_each_pixel};
use super::super::window::Window;
use super::finish::{Raw, Scaling};
use super::{Finish, Learned, QUAD, Quantization, Target, aligned_bytes};
use crate::simd::{Kernel, MAX_LANES, Simd, dispatch};

/// Rows and columns of the window.
const SIDE: usize = 5;
/// Quads of rows that it spans.
const SPAN: usize = 2;

/// A depthwise convolution in integers.
#[derive(Debug, Clone)]
pub struct Depthwise {
    /// For each row of a quad that a window can begin at: of each quad, column of the window and channel four bytes.
    weights: [Aligned; QUAD],
    scaling: Scaling,
    window: Window,
    quantization: Quantization,
}

impl Depthwise {
    /// Whether there is a kernel for windows of this side.
    pub fn takes(kernel: usize) -> bool {
        kernel == SIDE
    }

    /// Weights in the file's order, `[channels, 1, kernel, kernel]`; `quantization` is the input's.
    ///
    /// # Panics
    /// When sizes do not fit, or there is no kernel for the window.
    pub fn new(learned: Learned, window: Window, quantization: Quantization) -> Self {
        let channels = learned.bias.len();
        assert!(Self::takes(window.kernel), "window of an integer depthwise convolution");
        assert_eq!(learned.weights.len(), SIDE * SIDE * channels, "weights of a depthwise convolution");
        let room = channels.next_multiple_of(MAX_LANES);
        let beginning_at = |first: usize| {
            let mut bytes = vec![0; SPAN * SIDE * room * QUAD];
            for (at, weight) in learned.weights.iter().enumerate() {
                let (channel, row, column) = (at / (SIDE * SIDE), first + at / SIDE % SIDE, at % SIDE);
                bytes[(((row / QUAD) * SIDE + column) * room + channel) * QUAD + row % QUAD] = weight.cast_unsigned();
            }
            aligned_bytes(&bytes)
        };
        let windows = learned.weights.chunks_exact(SIDE * SIDE);
        let totals = windows.map(|window| window.iter().map(|&w| i32::from(w)).sum());
        let scaling = Scaling::new(learned.scales, learned.bias, quantization, totals);
        Self { weights: std::array::from_fn(beginning_at), scaling, window, quantization }
    }

    /// Numbers of working memory for a map of this width.
    pub fn workspace(&self, width: usize) -> usize {
        SPAN * self.quad(width)
    }

    /// Numbers of memory that a quad of rows takes, each a column's four bytes: with the frame, and filled up.
    fn quad(&self, width: usize) -> usize {
        (width + 2 * self.window.padding) * self.scaling.channels() + MAX_LANES
    }

    /// Convolves quantised values `[height, width, channels]` into the `rows` of `[h, w, channels]`, with `(h, w)` as
    /// [`Window::over`] says; the target and what is added begin with the first of them.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run_rows(
        &self,
        input: &[u8],
        (height, width): (usize, usize),
        rows: Range<usize>,
        finish: Finish,
        workspace: &mut [f32],
        target: Target,
    ) {
        let channels = self.scaling.channels();
        assert_eq!(input.len(), height * width * channels, "input of a depthwise convolution");
        let (h, w) = self.window.over((height, width));
        assert!(rows.end <= h, "rows of a depthwise convolution");
        assert_eq!(target.len(), rows.len() * w * channels, "output of a depthwise convolution");
        let workspace = &mut workspace[..self.workspace(width)];
        let finish = self.scaling.finish(finish, target);
        dispatch(Run { depthwise: self, input, height, width, rows, w, finish, workspace });
    }
}

struct Run<'a> {
    depthwise: &'a Depthwise,
    input: &'a [u8],
    height: usize,
    width: usize,
    rows: Range<usize>,
    w: usize,
    finish: Raw,
    workspace: &'a mut [f32],
}

/// Outputs that are made at once: what is wide is a multiple of the first or the second in our networks.
const TILE: usize = 7;
const OTHER_TILE: usize = 5;

impl Kernel for Run<'_> {
    type Output = ();
    const USES_DOT: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Run { depthwise, input, height, width, rows: outputs, w, finish, workspace } = self;
        let Window { stride, padding, .. } = depthwise.window;
        let channels = depthwise.scaling.channels();
        let rows =
            Rows { input, height, width, channels, padding, outside: [depthwise.quantization.zero_point; MAX_LANES] };
        rows.frame(workspace);
        let (memory, quad) = (workspace.as_mut_ptr(), depthwise.quad(width));
        let mut made = outputs.start * stride / QUAD;
        for y in outputs.clone() {
            let (first, begin) = (y * stride / QUAD, y * stride % QUAD);
            while made < first + SPAN {
                // SAFETY: `workspace` holds `SPAN` quads, of which only the last are needed.
                unsafe { rows.interleave(simd, made, memory.add(made % SPAN * quad)) };
                made += 1;
            }
            // SAFETY: as above.
            let quads = [first, first + 1].map(|at| unsafe { memory.add(at % SPAN * quad).cast_const() });
            let weights = &depthwise.weights[begin];
            for channel in (0..channels).step_by(S::LANES) {
                let at = (y - outputs.start) * w * channels + channel;
                let here = (channels - channel).min(S::LANES);
                let place = Place { at, step: channels, channel, channels: here };
                let row = Row { quads, channels, stride, finish, place };
                // SAFETY: the target holds all pixels of the rows, the quads their windows; weights are filled up to
                // whole vectors.
                unsafe {
                    row.run::<S>(simd, weights.as_ptr().add(channel), w);
                }
            }
        }
    }
}

/// The map with a frame of zero points, which stand for 0.
struct Rows<'a> {
    input: &'a [u8],
    height: usize,
    width: usize,
    channels: usize,
    padding: usize,
    outside: [u8; MAX_LANES],
}

impl Rows<'_> {
    /// Fills the memory of quads with the zero point, which stands for 0.
    fn frame(&self, memory: &mut [f32]) {
        memory.fill(f32::from_bits(u32::from_le_bytes([self.outside[0]; QUAD])));
    }

    /// Writes the framed map's rows from `QUAD * quad` on between the left and the right frame that are there.
    ///
    /// # Safety
    /// `to` must be valid for writing a quad.
    #[inline(always)]
    unsafe fn interleave<S: Simd>(&self, simd: S, quad: usize, to: *mut f32) {
        let len = self.width * self.channels;
        // Where a row begins, and 1 if it is a row of the map: rows off the map are one vector, read again and again.
        let row = |i: usize| {
            let row = (quad * QUAD + i).checked_sub(self.padding).filter(|row| *row < self.height);
            row.map_or((self.outside.as_ptr(), 0), |row| (self.input[row * len..].as_ptr(), 1))
        };
        let rows = [row(0), row(1), row(2), row(3)];
        // SAFETY: rows on the map have `len` quantised values, the one that stands for rows off the map a vector; the
        // caller vouches for `to`.
        unsafe {
            let to = to.add(self.padding * self.channels);
            let mut at = 0;
            while at + S::LANES <= len {
                let here = |i: usize| rows[i].0.add(at * rows[i].1);
                simd.store_ptr(simd.load_quad_ptr([here(0), here(1), here(2), here(3)]), to.add(at));
                at += S::LANES;
            }
            if at < len {
                let last = rows.map(|(row, goes_on)| {
                    let mut whole = [0; MAX_LANES];
                    whole.as_mut_ptr().copy_from_nonoverlapping(row.add(at * goes_on), len - at);
                    whole
                });
                let quad = simd.load_quad_ptr([0, 1, 2, 3].map(|i: usize| last[i].as_ptr()));
                simd.store_first(quad, to.add(at), len - at);
            }
        }
    }
}

/// One row of output pixels in one vector of channels.
#[derive(Clone, Copy)]
struct Row {
    quads: [*const f32; SPAN],
    channels: usize,
    stride: usize,
    finish: Raw,
    /// Of the row's first pixel.
    place: Place,
}

/// Columns under the widest tile: `TILE - 1 + SIDE`.
macro_rules! for_each_column {
    (|$i:ident| $body:expr) => {
        for_each_pixel!(@ $i $body, 0 1 2 3 4 5 6 7 8 9 10)
    };
}

/// Pixels of the widest tile.
macro_rules! for_each_output {
    (|$i:ident| $body:expr) => {
        for_each_pixel!(@ $i $body, 0 1 2 3 4 5 6)
    };
}

impl Row {
    /// All `w` outputs.
    ///
    /// # Safety
    /// They must exist in the target, their windows in the quads; `weights` are those of the first channel.
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, weights: *const f32, w: usize) {
        let room = self.channels.next_multiple_of(MAX_LANES);
        let mut taps = [[simd.splat(0.0); SIDE]; SPAN];
        // SAFETY: the caller's promise.
        unsafe {
            for_each_pixel!(@ QUAD_AT {
                for_each_pixel!(@ KX {
                    taps[QUAD_AT][KX] = simd.load_ptr(weights.add((QUAD_AT * SIDE + KX) * room));
                }, 0 1 2 3 4);
            }, 0 1);
            if const { !S::HAS_DOT } {
                match (w, self.stride) {
                    (..4, _) => self.tiles::<S, 1, false>(simd, &taps, w),
                    (_, 1) => self.tiles::<S, 4, true>(simd, &taps, w),
                    _ => self.tiles::<S, 4, false>(simd, &taps, w),
                }
            } else {
                match (w, self.stride) {
                    (..OTHER_TILE, _) => self.tiles::<S, 1, false>(simd, &taps, w),
                    (TILE.., 1) if !w.is_multiple_of(OTHER_TILE) => self.tiles::<S, TILE, true>(simd, &taps, w),
                    (_, 1) => self.tiles::<S, OTHER_TILE, true>(simd, &taps, w),
                    _ => self.tiles::<S, OTHER_TILE, false>(simd, &taps, w),
                }
            }
        }
    }

    /// All `w` outputs, at least `P`, in tiles of `P`; the last tile overlaps the one before. Windows that `SHARE`
    /// columns are one column apart.
    ///
    /// # Safety
    /// As [`Row::run`].
    #[inline(always)]
    unsafe fn tiles<S: Simd, const P: usize, const SHARE: bool>(&self, simd: S, taps: &[[S::V; SIDE]; SPAN], w: usize) {
        let mut x = 0;
        loop {
            // See `conv`.
            while x + P <= w {
                // SAFETY: the caller's promise.
                unsafe { self.tile::<S, P, SHARE>(simd, taps, x) };
                x += P;
            }
            if x == w {
                return;
            }
            x = w - P;
        }
    }

    /// `P` outputs from `x` on.
    ///
    /// # Safety
    /// They must exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const SHARE: bool>(&self, simd: S, taps: &[[S::V; SIDE]; SPAN], x: usize) {
        let first = x * self.stride * self.channels + self.place.channel;
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums: Sums<S::V, P, 1> = [self.finish.zero_point_correction::<S, 1>(simd, self.place.channel); P];
            for_each_pixel!(@ QUAD_AT {
                let from = self.quads[QUAD_AT].add(first);
                if const { SHARE } {
                    for_each_column!(|COLUMN| if const { COLUMN < P - 1 + SIDE } {
                        let column = simd.load_ptr(from.wrapping_add(COLUMN.wrapping_mul(self.channels)));
                        // Each output whose window has this column, which is its window's column `COLUMN - I`.
                        for_each_output!(|I| if const { I < P && COLUMN.wrapping_sub(I) < SIDE } {
                            sums[I][0] = simd.dot(sums[I][0], column, taps[QUAD_AT][COLUMN.wrapping_sub(I) % SIDE]);
                        });
                    });
                } else {
                    for_each_pixel!(@ KX {
                        for_each_output!(|I| if const { I < P } {
                            let at = I.wrapping_mul(self.stride).wrapping_add(KX).wrapping_mul(self.channels);
                            let column = simd.load_ptr(from.wrapping_add(at));
                            sums[I][0] = simd.dot(sums[I][0], column, taps[QUAD_AT][KX]);
                        });
                    }, 0 1 2 3 4);
                }
            }, 0 1);
            let place = Place { at: self.place.at + x * self.place.step, ..self.place };
            self.finish.store::<S, P, 1>(simd, sums, place);
        }
    }
}
