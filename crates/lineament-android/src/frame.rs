//! A frame as the camera gives it, and the same frame upright: brightness for the tracker, colours for the screen.
//!
//! Colours are made on the processor, by loops that the compiler vectorises for the best instruction set there is. This
//! is a small part of a frame's time: a frame has 640x480 pixels, and the display hardware scales the result to the
//! screen. Unlike with OpenGL, nothing is lost at a pause, and each byte is the same on every device.

use lineament_nn::simd::vectorized;

use crate::orientation::Turn;

/// One plane of a frame: rows of bytes with gaps.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes; the last row may end early, as cameras' last rows do.
    pub bytes: &'a [u8],
    /// From the first byte of a row to that of the next.
    pub row_stride: usize,
    /// From a value to the next in a row: 1, or 2 where two planes share their rows.
    pub pixel_stride: usize,
}

impl<'a> Plane<'a> {
    /// Whether `width` x `height` values lie inside.
    fn holds(&self, width: usize, height: usize) -> bool {
        let row = (width - 1).checked_mul(self.pixel_stride).and_then(|row| row.checked_add(1));
        let rows = (height - 1).checked_mul(self.row_stride);
        let fits = |row: usize| self.row_stride >= row || height == 1;
        let end = row.filter(|&row| fits(row)).zip(rows).and_then(|(row, rows)| rows.checked_add(row));
        self.pixel_stride > 0 && end.is_some_and(|end| end <= self.bytes.len())
    }

    fn row(&self, y: usize) -> &'a [u8] {
        &self.bytes[y * self.row_stride..]
    }
}

/// A frame in YUV 4:2:0: full brightness, and colours at half width and height.
#[derive(Debug, Clone, Copy)]
pub struct CameraFrame<'a> {
    width: usize,
    height: usize,
    planes: [Plane<'a>; 3],
}

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the camera's picture of {width}x{height} is damaged: plane {plane} is too short")]
pub struct FrameError {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 0 is brightness, 1 and 2 are the colours.
    pub plane: usize,
}

/// Longest side that is accepted: no camera stream of a phone is larger.
const MAX_SIDE: usize = 1 << 14;

impl<'a> CameraFrame<'a> {
    /// A frame of `width` x `height` pixels from its planes Y, U (blue) and V (red).
    ///
    /// # Errors
    /// When a side is 0 or absurd, or a plane is shorter than that.
    pub fn new(width: usize, height: usize, planes: [Plane<'a>; 3]) -> Result<Self, FrameError> {
        let error = |plane| FrameError { width, height, plane };
        if width == 0 || height == 0 || width.max(height) > MAX_SIDE {
            return Err(error(0));
        }
        let colours = (width.div_ceil(2), height.div_ceil(2));
        for (plane, (width, height)) in [(width, height), colours, colours].into_iter().enumerate() {
            // The tracker reads brightness in place, value by value.
            let apart = plane == 0 && planes[0].pixel_stride != 1;
            if apart || !planes[plane].holds(width, height) {
                return Err(error(plane));
            }
        }
        Ok(Self { width, height, planes })
    }

    /// Pixels per row, as the sensor has them.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows, as the sensor has them.
    pub fn height(&self) -> usize {
        self.height
    }
}

/// The planes of a frame, turned upright and without gaps.
#[derive(Debug, Default, Clone)]
pub struct Upright {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Brightness; empty where the frame stood upright already, because then its own is used.
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// Rows and columns that are turned together: a block of both planes stays in the first cache. Chosen by trial.
const BLOCK: usize = 32;

/// Turns `width` x `height` values of `plane` into `out`, row by row without gaps.
fn turn_into(plane: &Plane, width: usize, height: usize, turn: Turn, out: &mut Vec<u8>) {
    out.resize(width * height, 0);
    let step = plane.pixel_stride;
    match turn {
        Turn::None | Turn::Half => {
            for y in 0..height {
                let row = plane.row(if turn == Turn::None { y } else { height - 1 - y });
                let to = out[y * width..][..width].iter_mut();
                let from = row.iter().step_by(step).take(width);
                match turn {
                    Turn::None => to.zip(from).for_each(|(to, &from)| *to = from),
                    _ => to.rev().zip(from).for_each(|(to, &from)| *to = from),
                }
            }
        }
        Turn::Quarter | Turn::ThreeQuarters => {
            // The turned picture has `height` columns and `width` rows.
            for top in (0..width).step_by(BLOCK) {
                for left in (0..height).step_by(BLOCK) {
                    for y in top..(top + BLOCK).min(width) {
                        let to = &mut out[y * height..][..height];
                        for (x, to) in to.iter_mut().enumerate().take(left + BLOCK).skip(left) {
                            let (column, row) = match turn {
                                Turn::Quarter => (y, height - 1 - x),
                                _ => (width - 1 - y, x),
                            };
                            *to = plane.bytes[row * plane.row_stride + column * step];
                        }
                    }
                }
            }
        }
    }
}

impl Upright {
    /// Turns a frame. The memory of the frame before is used again.
    pub fn update(&mut self, frame: &CameraFrame, turn: Turn) {
        let [y, u, v] = &frame.planes;
        let (width, height) = (frame.width, frame.height);
        match turn {
            Turn::None => self.y.clear(),
            _ => turn_into(y, width, height, turn, &mut self.y),
        }
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        turn_into(u, half_width, half_height, turn, &mut self.u);
        turn_into(v, half_width, half_height, turn, &mut self.v);
        (self.width, self.height) = if turn.swaps_sides() { (height, width) } else { (width, height) };
    }

    /// The brightness and its row stride: of `frame` itself, which must be the frame of the last update, where that
    /// needed no turn.
    pub fn brightness<'a>(&'a self, frame: &CameraFrame<'a>) -> (&'a [u8], usize) {
        if self.y.is_empty() { (frame.planes[0].bytes, frame.planes[0].row_stride) } else { (&self.y, self.width) }
    }

    /// Writes the picture as red, green, blue, 255. `out` has rows of `stride` pixels; the picture lies in it at
    /// `left`, `top`, mirrored if asked, and what does not fit is cut.
    pub fn paint(&self, frame: &CameraFrame, mirror: bool, out: &mut [u8], stride: usize, left: usize, top: usize) {
        let (luma, luma_stride) = self.brightness(frame);
        let colours = self.width.div_ceil(2);
        let (width, rows) = (self.width.min(stride.saturating_sub(left)), out.len() / (4 * stride));
        for y in 0..self.height.min(rows.saturating_sub(top)) {
            let to = &mut out[4 * ((top + y) * stride + left)..][..4 * width].as_chunks_mut::<4>().0;
            let [u, v] = [&self.u, &self.v].map(|plane| &plane[y / 2 * colours..][..colours]);
            let mut row = &luma[y * luma_stride..][..self.width];
            let skip = if mirror { self.width - width } else { 0 };
            row = &row[skip..][..width];
            vectorized(
                #[inline(always)]
                || to_rgba(row, &u[skip / 2..], &v[skip / 2..], skip % 2, to),
            );
            if mirror {
                to.reverse();
            }
        }
    }
}

/// One row. `odd` is 1 where the row begins with the second pixel of a pair.
#[inline(always)]
fn to_rgba(row: &[u8], u: &[u8], v: &[u8], odd: usize, out: &mut [[u8; 4]]) {
    if odd == 0 {
        let (pairs, last) = row.as_chunks::<2>();
        let (out_pairs, out_last) = out.as_chunks_mut::<2>();
        for (((out, &[a, b]), &u), &v) in out_pairs.iter_mut().zip(pairs).zip(u).zip(v) {
            let tint = tint(u, v);
            *out = [pixel(a, tint), pixel(b, tint)];
        }
        if let ([y], [out]) = (last, out_last) {
            *out = pixel(*y, tint(u[pairs.len()], v[pairs.len()]));
        }
    } else {
        for (x, (out, &y)) in out.iter_mut().zip(row).enumerate() {
            *out = pixel(y, tint(u[x.div_ceil(2)], v[x.div_ceil(2)]));
        }
    }
}

/// What the colours add to red, green and blue: BT.601 over the full range, as cameras encode YUV_420_888, in 256ths.
#[inline(always)]
fn tint(u: u8, v: u8) -> [i32; 3] {
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [(359 * v + 128) >> 8, -((88 * u + 183 * v + 128) >> 8), (454 * u + 128) >> 8]
}

#[inline(always)]
fn pixel(y: u8, tint: [i32; 3]) -> [u8; 4] {
    let [r, g, b] = tint.map(|tint| (i32::from(y) + tint).clamp(0, 255) as u8);
    [r, g, b, 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3x2 pixels: brightness 1 to 6 with a gap of one byte, colours in shared rows as NV21 has them.
    const Y: [u8; 7] = [1, 2, 3, 99, 4, 5, 6];
    const VU: [u8; 4] = [128, 128, 128, 128];

    fn small() -> CameraFrame<'static> {
        let plane = |bytes, row_stride, pixel_stride| Plane { bytes, row_stride, pixel_stride };
        CameraFrame::new(3, 2, [plane(&Y, 4, 1), plane(&VU[1..], 4, 2), plane(&VU, 4, 2)]).unwrap()
    }

    #[test]
    fn brightness_is_turned_byte_by_byte() {
        let frame = small();
        for (turn, size, expected) in [
            (Turn::Quarter, (2, 3), [4, 1, 5, 2, 6, 3]),
            (Turn::Half, (3, 2), [6, 5, 4, 3, 2, 1]),
            (Turn::ThreeQuarters, (2, 3), [3, 6, 2, 5, 1, 4]),
        ] {
            let mut upright = Upright::default();
            upright.update(&frame, turn);
            assert_eq!((upright.width, upright.height), size, "{turn:?}");
            assert_eq!(upright.brightness(&frame), (&expected[..], size.0), "{turn:?}");
        }
        let mut upright = Upright::default();
        upright.update(&frame, Turn::None);
        assert_eq!(upright.brightness(&frame), (&Y[..], 4), "in place");
    }

    #[test]
    fn a_large_plane_is_turned_like_a_small_one() {
        let (width, height) = (75, 67);
        let bytes: Vec<u8> = (0..width * height).map(|i| (i * 7 % 251) as u8).collect();
        let plane = Plane { bytes: &bytes, row_stride: width, pixel_stride: 1 };
        let (mut once, mut twice, mut half) = (Vec::new(), Vec::new(), Vec::new());
        turn_into(&plane, width, height, Turn::Quarter, &mut once);
        assert_eq!(once[0], bytes[(height - 1) * width]);
        let turned = Plane { bytes: &once, row_stride: height, pixel_stride: 1 };
        turn_into(&turned, height, width, Turn::Quarter, &mut twice);
        turn_into(&plane, width, height, Turn::Half, &mut half);
        assert_eq!(twice, half);
        let mut back = Vec::new();
        turn_into(&turned, height, width, Turn::ThreeQuarters, &mut back);
        assert_eq!(back, bytes);
    }

    #[test]
    fn colours_are_those_of_the_standard() {
        // From the formulas of BT.601 with full range (JFIF), rounded.
        for (yuv, rgb) in [
            ([0, 128, 128], [0, 0, 0]),
            ([255, 128, 128], [255, 255, 255]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
            ([128, 100, 160], [173, 115, 78]),
        ] {
            let [y, u, v] = yuv;
            let [r, g, b, alpha] = pixel(y, tint(u, v));
            let near = [r, g, b].iter().zip(rgb).all(|(&a, b)| (i32::from(a) - b).abs() <= 1);
            assert!(near && alpha == 255, "{yuv:?} became {r} {g} {b}, not {rgb:?}");
        }
    }

    #[test]
    fn painting_mirrors_places_and_cuts() {
        let frame = small();
        let mut upright = Upright::default();
        upright.update(&frame, Turn::None);
        let shades = |mirror, stride: usize, rows: usize, left, top| {
            let mut out = vec![0; 4 * stride * rows];
            upright.paint(&frame, mirror, &mut out, stride, left, top);
            out.chunks(4).map(|pixel| pixel[0]).collect::<Vec<_>>()
        };
        assert_eq!(shades(false, 3, 2, 0, 0), [1, 2, 3, 4, 5, 6]);
        assert_eq!(shades(true, 3, 2, 0, 0), [3, 2, 1, 6, 5, 4]);
        assert_eq!(shades(false, 5, 3, 1, 1), [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0]);
        assert_eq!(shades(false, 2, 1, 0, 0), [1, 2]);
        assert_eq!(shades(true, 2, 1, 0, 0), [3, 2]);
        assert_eq!(shades(false, 2, 1, 5, 5), [0, 0]);
    }

    #[test]
    fn a_frame_that_is_too_short_is_refused() {
        let plane = |len: usize| Plane { bytes: &[7; 64][..len], row_stride: 4, pixel_stride: 1 };
        for (sizes, refused) in
            [([16, 6, 6], None), ([15, 6, 6], Some(0)), ([16, 5, 6], Some(1)), ([16, 6, 0], Some(2))]
        {
            let frame = CameraFrame::new(4, 4, sizes.map(plane));
            assert_eq!(frame.err().map(|error| error.plane), refused, "{sizes:?}");
        }
        assert!(CameraFrame::new(0, 4, [plane(16); 3]).is_err());
        assert!(CameraFrame::new(usize::MAX, 4, [plane(16); 3]).is_err());
    }
}
