//! Depthwise convolution 3x3: three rows of a column lie in one lane, so that three products at once make a column's
//! part of a sum, and a column that is read serves the three outputs that it is under.

#![allow(unsafe_code)]

use super::super::aligned::Aligned;
use super::super::finish::{MAX_PIXELS, Place, Sums, for_each_pixel};
use super::super::simd::{Kernel, MAX_LANES, Simd, dispatch};
use super::super::window::Window;
use super::finish::{Raw, Scaling};
use super::{Finish, Learned, Steps, Target, aligned_bytes};

/// The window's side.
pub const KERNEL: usize = 3;

/// A depthwise convolution in integers.
#[derive(Debug, Clone)]
pub struct Depthwise {
    /// For each column of the window and each channel three bytes, its rows, and a 0; filled up.
    weights: [Aligned; KERNEL],
    scaling: Scaling,
    window: Window,
    steps: Steps,
}

impl Depthwise {
    /// Weights in the file's order, `[channels, 1, 3, 3]`; `steps` are the input's.
    ///
    /// # Panics
    /// When sizes do not fit, or the window is not 3x3.
    pub fn new(learned: Learned, window: Window, steps: Steps) -> Self {
        let channels = learned.bias.len();
        assert_eq!(window.kernel, KERNEL, "window of an integer depthwise convolution");
        assert_eq!(learned.weights.len(), KERNEL * KERNEL * channels, "weights of a depthwise convolution");
        let windows = learned.weights.as_chunks::<{ KERNEL * KERNEL }>().0;
        let column = |x: usize| {
            let byte = |window: &[i8; KERNEL * KERNEL], y: usize| window[y * KERNEL + x].cast_unsigned();
            let mut bytes: Vec<u8> =
                windows.iter().flat_map(|window| [byte(window, 0), byte(window, 1), byte(window, 2), 0]).collect();
            bytes.resize((channels + MAX_LANES) * size_of::<f32>(), 0);
            aligned_bytes(&bytes)
        };
        let totals = windows.iter().map(|window| window.iter().map(|&w| i32::from(w)).sum());
        let scaling = Scaling::new(learned.scales, learned.bias, steps, totals);
        Self { weights: std::array::from_fn(column), scaling, window, steps }
    }

    /// Convolves codes `[height, width, channels]` into `[h, w, channels]`, with `(h, w)` as [`Window::over`] says.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn run(&self, input: &[u8], (height, width): (usize, usize), finish: Finish, target: Target) {
        let channels = self.scaling.channels();
        assert_eq!(input.len(), height * width * channels, "input of a depthwise convolution");
        let (h, w) = self.window.over((height, width));
        assert_eq!(target.len(), h * w * channels, "output of a depthwise convolution");
        let finish = self.scaling.finish(finish, target);
        dispatch(Run { depthwise: self, input, height, width, h, w, finish });
    }
}

struct Run<'a> {
    depthwise: &'a Depthwise,
    input: &'a [u8],
    height: usize,
    width: usize,
    h: usize,
    w: usize,
    finish: Raw,
}

/// Outputs that are made at once.
const TILE: usize = 8;

impl Kernel for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Depthwise { weights, scaling, window: Window { stride, padding, .. }, steps } = self.depthwise;
        let (stride, padding, channels) = (*stride, *padding, scaling.channels());
        let outside = [steps.offset; MAX_LANES];
        for channel in (0..channels).step_by(S::LANES) {
            let taps = [0, 1, 2].map(|x: usize| simd.load(&weights[x][channel..]));
            for y in 0..self.h {
                // The rows' first pixels, where they lie on the map.
                let row = |ky: usize| {
                    let row = (y * stride + ky).checked_sub(padding).filter(|row| *row < self.height)?;
                    // SAFETY: the row exists, and the channel in its first pixel.
                    Some(unsafe { self.input.as_ptr().add(row * self.width * channels + channel) })
                };
                let row = Row {
                    rows: [row(0), row(1), row(2)],
                    outside: outside.as_ptr(),
                    width: self.width,
                    channels,
                    stride,
                    padding,
                    taps,
                    finish: self.finish,
                    place: Place {
                        at: y * self.w * channels + channel,
                        step: channels,
                        channel,
                        channels: (channels - channel).min(S::LANES),
                    },
                };
                // SAFETY: `Depthwise::run` checked that the target holds `h * w` pixels.
                unsafe {
                    let mut x = 0;
                    while x + TILE <= self.w {
                        row.tile::<S, TILE>(simd, x);
                        x += TILE;
                    }
                    if x < self.w && self.w >= TILE {
                        row.tile::<S, TILE>(simd, self.w - TILE);
                    } else {
                        while x < self.w {
                            row.tile::<S, 1>(simd, x);
                            x += 1;
                        }
                    }
                }
            }
        }
    }
}

/// One row of output pixels in one vector of channels.
struct Row<V> {
    rows: [Option<*const u8>; KERNEL],
    /// A vector of codes that stand for 0.
    outside: *const u8,
    width: usize,
    channels: usize,
    stride: usize,
    padding: usize,
    taps: [V; KERNEL],
    finish: Raw,
    /// Of the row's first pixel.
    place: Place,
}

impl<V: Copy> Row<V> {
    /// `P` outputs from `x` on.
    ///
    /// # Safety
    /// They must exist in the target.
    #[inline(always)]
    unsafe fn tile<S: Simd<V = V>, const P: usize>(&self, simd: S, x: usize) {
        let zero = simd.splat(0.0);
        let mut sums: Sums<V> = [[zero; 2]; MAX_PIXELS];
        let [left, middle, right] = self.taps;
        // SAFETY: columns are looked up only where they are on the map.
        unsafe {
            if self.stride == 1 {
                let mut columns = [zero, self.column(simd, x), self.column(simd, x + 1)];
                for_each_pixel!(|I| if I < P {
                    columns = [columns[1], columns[2], self.column(simd, x + I + 2)];
                    let sum = simd.dot(zero, columns[0], left);
                    sums[I][0] = simd.dot(simd.dot(sum, columns[1], middle), columns[2], right);
                });
            } else {
                for_each_pixel!(|I| if I < P {
                    let first = (x + I) * self.stride;
                    let sum = simd.dot(zero, self.column(simd, first), left);
                    let sum = simd.dot(sum, self.column(simd, first + 1), middle);
                    sums[I][0] = simd.dot(sum, self.column(simd, first + 2), right);
                });
            }
            let place = Place { at: self.place.at + x * self.place.step, ..self.place };
            self.finish.store::<S, P, 1>(simd, sums, place);
        }
    }

    /// The three rows of a column of the framed map.
    #[inline(always)]
    fn column<S: Simd<V = V>>(&self, simd: S, framed_x: usize) -> V {
        let x = framed_x.wrapping_sub(self.padding);
        // SAFETY: what is read lies on the map, or is the vector beside it.
        unsafe {
            let mut rows = [self.outside; KERNEL];
            if x < self.width {
                for (to, row) in rows.iter_mut().zip(self.rows) {
                    if let Some(row) = row {
                        *to = row.add(x * self.channels);
                    }
                }
            }
            if self.place.channels == S::LANES {
                return simd.load_column_ptr(rows);
            }
            let mut whole = [[0; MAX_LANES]; KERNEL];
            for (to, row) in whole.iter_mut().zip(rows) {
                to.as_mut_ptr().copy_from_nonoverlapping(row, self.place.channels);
            }
            simd.load_column_ptr([whole[0].as_ptr(), whole[1].as_ptr(), whole[2].as_ptr()])
        }
    }
}
