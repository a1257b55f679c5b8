//! The only way to hand over pixels: a checked, borrowed view of grey, RGB, RGBA or BGRA bytes.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Error, Result};
use lineament_nn::simd::vectorized;

/// How the bytes of one pixel are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// One byte of brightness. The Y plane of NV21, NV12 or I420 camera frames is exactly this.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha (alpha is ignored).
    Rgba,
    /// Blue, green, red, alpha (alpha is ignored).
    Bgra,
}

impl PixelFormat {
    /// Bytes of one pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba | Self::Bgra => 4,
        }
    }
}

/// Borrowed pixels with their size, stride and format, checked once.
#[derive(Debug, Clone, Copy)]
pub struct ImageView<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
    format: PixelFormat,
}

/// Longest side that is accepted, in pixels: 65,535, the limit of common image formats.
pub const MAX_SIDE: usize = u16::MAX as usize;

impl<'a> ImageView<'a> {
    /// A view of `height` rows of `width` pixels, each row `stride` bytes after the one before.
    ///
    /// # Errors
    /// [`Error::Image`] when a side is 0 or above [`MAX_SIDE`], the stride is shorter than a row, or `pixels` ends
    /// before the last pixel of the last row.
    pub fn new(pixels: &'a [u8], width: usize, height: usize, stride: usize, format: PixelFormat) -> Result<Self> {
        if width == 0 || height == 0 {
            return Err(Error::Image(format!("{width}x{height} has no pixels")));
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(Error::Image(format!("{width}x{height} is larger than {MAX_SIDE} on a side")));
        }
        let row = width * format.bytes();
        if stride < row {
            return Err(Error::Image(format!("a stride of {stride} bytes is shorter than a row of {row} bytes")));
        }
        let needed = stride.checked_mul(height - 1).and_then(|n| n.checked_add(row));
        match needed {
            Some(needed) if pixels.len() >= needed => Ok(Self { pixels, width, height, stride, format }),
            _ => Err(Error::Image(format!(
                "{width}x{height} {format:?} with a stride of {stride} does not fit in {} bytes",
                pixels.len()
            ))),
        }
    }

    /// Grey pixels without gaps between rows.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn grey(pixels: &'a [u8], width: usize, height: usize) -> Result<Self> {
        Self::new(pixels, width, height, width, PixelFormat::Grey)
    }

    /// RGB pixels without gaps between rows.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn rgb(pixels: &'a [u8], width: usize, height: usize) -> Result<Self> {
        Self::new(pixels, width, height, width.saturating_mul(3), PixelFormat::Rgb)
    }

    /// Pixels per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The order of bytes in a pixel.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The bytes of row `y`, without the padding that the stride adds.
    ///
    /// # Panics
    /// When `y` is not below the height.
    pub fn row(&self, y: usize) -> &'a [u8] {
        assert!(y < self.height, "row {y} of an image with {} rows", self.height);
        &self.pixels[y * self.stride..][..self.width * self.format.bytes()]
    }

    /// The grey version: borrowed if the pixels are grey without gaps already, else converted.
    ///
    /// Grey is `(77 R + 150 G + 29 B + 128) / 256`, the BT.601 luma that a camera's Y plane holds.
    pub fn to_grey(&self) -> GreyImage<'a> {
        let (width, height) = (self.width, self.height);
        if self.format == PixelFormat::Grey && self.stride == width {
            return GreyImage { pixels: Cow::Borrowed(&self.pixels[..width * height]), width, height };
        }
        let mut pixels = vec![0; width * height];
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            self.write_grey(self.row(y), row);
        }
        GreyImage { pixels: Cow::Owned(pixels), width, height }
    }

    /// The grey version of `columns` of row `y`: borrowed if the pixels are grey, else converted into `memory`.
    pub(crate) fn grey_part<'b>(&self, y: usize, columns: Range<usize>, memory: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        let bytes = self.format.bytes();
        let part = &self.row(y)[columns.start * bytes..columns.end * bytes];
        if self.format == PixelFormat::Grey {
            return part;
        }
        memory.resize(columns.len(), 0);
        self.write_grey(part, memory);
        memory
    }

    /// Converts `pixels`, which have the format of this image, to grey.
    fn write_grey(&self, pixels: &[u8], grey: &mut [u8]) {
        vectorized(
            #[inline(always)]
            || match self.format {
                PixelFormat::Grey => grey.copy_from_slice(pixels),
                PixelFormat::Rgb => {
                    let pixels = pixels.as_chunks::<3>().0;
                    grey.iter_mut().zip(pixels).for_each(|(to, &[r, g, b])| *to = luma(r, g, b));
                }
                PixelFormat::Rgba => {
                    let pixels = pixels.as_chunks::<4>().0;
                    grey.iter_mut().zip(pixels).for_each(|(to, &[r, g, b, _])| *to = luma(r, g, b));
                }
                PixelFormat::Bgra => {
                    let pixels = pixels.as_chunks::<4>().0;
                    grey.iter_mut().zip(pixels).for_each(|(to, &[b, g, r, _])| *to = luma(r, g, b));
                }
            },
        );
    }
}

#[inline(always)]
fn luma(r: u8, g: u8, b: u8) -> u8 {
    // At most 255 * 256 + 128, which fits 16 bits; a vector holds twice as many of these as of 32 bits.
    ((77 * u16::from(r) + 150 * u16::from(g) + 29 * u16::from(b) + 128) >> 8) as u8
}

/// Grey pixels without gaps between rows: what crops are cut from. Made by [`ImageView::to_grey`].
#[derive(Debug, Clone)]
pub struct GreyImage<'a> {
    pixels: Cow<'a, [u8]>,
    width: usize,
    height: usize,
}

impl GreyImage<'_> {
    /// Pixels per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// A view of it, like that of any other picture.
    pub fn view(&self) -> ImageView<'_> {
        let format = PixelFormat::Grey;
        ImageView { pixels: &self.pixels, width: self.width, height: self.height, stride: self.width, format }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A face, for the models inside the library.
    #[cfg(feature = "default-models")]
    pub(crate) fn portrait() -> ImageView<'static> {
        let file = include_bytes!("../tests/fixtures/cascade/astronaut.pgm");
        let (width, height) = (180, 150);
        ImageView::grey(&file[file.len() - width * height..], width, height).unwrap()
    }

    #[test]
    fn luma_keeps_black_white_and_grey() {
        for v in [0u8, 1, 127, 128, 255] {
            assert_eq!(luma(v, v, v), v);
        }
    }

    #[test]
    fn formats_agree_on_the_same_colour() {
        let rgb = [10u8, 200, 90];
        let rgba = [10u8, 200, 90, 7];
        let bgra = [90u8, 200, 10, 7];
        let grey = |p: &[u8], f| ImageView::new(p, 1, 1, f, fmt(f)).unwrap().to_grey().pixels()[0];
        fn fmt(bytes: usize) -> PixelFormat {
            if bytes == 3 { PixelFormat::Rgb } else { PixelFormat::Rgba }
        }
        let from_bgra = ImageView::new(&bgra, 1, 1, 4, PixelFormat::Bgra).unwrap().to_grey().pixels()[0];
        assert_eq!(grey(&rgb, 3), grey(&rgba, 4));
        assert_eq!(grey(&rgb, 3), from_bgra);
    }

    #[test]
    fn a_stride_skips_the_gap_between_rows() {
        let pixels = [1, 2, 99, 3, 4];
        let view = ImageView::new(&pixels, 2, 2, 3, PixelFormat::Grey).unwrap();
        assert_eq!(view.to_grey().pixels(), &[1, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn any_description_is_accepted_or_refused_but_never_panics(
            len in 0usize..64, width in any::<usize>(), height in any::<usize>(), stride in any::<usize>(),
            small in any::<bool>(), channels in 0usize..4,
        ) {
            let pixels = vec![7u8; len];
            let format = [PixelFormat::Grey, PixelFormat::Rgb, PixelFormat::Rgba, PixelFormat::Bgra][channels];
            let (w, h, s) = if small { (width % 9, height % 9, stride % 40) } else { (width, height, stride) };
            if let Ok(view) = ImageView::new(&pixels, w, h, s, format) {
                prop_assert_eq!(view.to_grey().pixels().len(), w * h);
            }
        }
    }
}
