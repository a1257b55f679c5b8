//! From planes of brightness and colour to RGB and back, in whole numbers.

use crate::photo::{GreyPhoto, Photo};

/// Borrowed planes of one frame. `u` and `v` may be smaller by `shift`, or absent in a grey frame.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// Brightness, `[height, y_stride]`.
    pub y: &'a [u8],
    /// Blue and red difference, `[rows, uv_stride]` each.
    pub uv: Option<[&'a [u8]; 2]>,
    /// Bytes per row of `y`.
    pub y_stride: usize,
    /// Bytes per row of `u` and `v`.
    pub uv_stride: usize,
    /// Powers of two by which the colour planes are smaller, across and down.
    pub shift: [u32; 2],
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// How the numbers in the planes encode colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    /// BT.709 (high definition) and not BT.601.
    pub bt709: bool,
    /// Black is 0 and white is 255, and not 16 and 235.
    pub full_range: bool,
}

impl Colours {
    /// Assumed where the video does not say.
    pub const USUAL: Self = Self { bt709: false, full_range: false };

    /// Factors in 1/65536: of Y above black, of V in red, of U and V in green, of U in blue.
    fn factors(self) -> [i32; 5] {
        let (kr, kb) = if self.bt709 { (0.2126, 0.0722) } else { (0.299, 0.114) };
        let kg = 1.0 - kr - kb;
        let (luma, chroma) = if self.full_range { (1.0, 1.0) } else { (255.0 / 219.0, 255.0 / 224.0) };
        let [rv, bu] = [2.0 - 2.0 * kr, 2.0 - 2.0 * kb];
        [luma, rv * chroma, bu * kb / kg * chroma, rv * kr / kg * chroma, bu * chroma]
            .map(|factor: f64| (factor * 65536.0).round() as i32)
    }
}

impl Planes<'_> {
    /// Whether the planes have every pixel.
    fn fit(&self) -> bool {
        let holds = |plane: &[u8], stride: usize, width: usize, height: usize| {
            stride >= width && plane.len() >= stride * (height - 1) + width
        };
        let smaller = |side: usize, shift: u32| side.div_ceil(1 << shift);
        let [across, down] = self.shift;
        self.width > 0
            && self.height > 0
            && holds(self.y, self.y_stride, self.width, self.height)
            && self.uv.is_none_or(|planes| {
                planes
                    .iter()
                    .all(|plane| holds(plane, self.uv_stride, smaller(self.width, across), smaller(self.height, down)))
            })
    }

    /// The brightness alone; `None` when the planes are smaller than their size says.
    pub fn luma(&self) -> Option<GreyPhoto> {
        let rows = self.y.chunks(self.y_stride.max(1)).take(self.height);
        let pixels = || rows.flat_map(|row| &row[..self.width]).copied().collect();
        self.fit().then(|| GreyPhoto { pixels: pixels(), width: self.width, height: self.height })
    }

    /// The picture; `None` when the planes are smaller than their size says.
    pub fn to_photo(self, colours: Colours) -> Option<Photo> {
        if !self.fit() {
            return None;
        }
        let (width, height) = (self.width, self.height);
        let mut pixels = vec![0; width * height * 3];
        let factors = colours.factors();
        let black = if colours.full_range { 0 } else { 16 };
        for (y, row) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let luma = &self.y[y * self.y_stride..][..width];
            let Some([u, v]) = self.uv else {
                for (rgb, &l) in row.as_chunks_mut::<3>().0.iter_mut().zip(luma) {
                    *rgb = rgb_of(l, 128, 128, black, factors);
                }
                continue;
            };
            let start = (y >> self.shift[1]) * self.uv_stride;
            let (u, v) = (&u[start..], &v[start..]);
            let step = 1 << self.shift[0];
            for (x, (rgbs, ls)) in row.chunks_mut(3 * step).zip(luma.chunks(step)).enumerate() {
                for (rgb, &l) in rgbs.as_chunks_mut::<3>().0.iter_mut().zip(ls) {
                    *rgb = rgb_of(l, u[x], v[x], black, factors);
                }
            }
        }
        Some(Photo { pixels, width, height })
    }
}

#[inline(always)]
fn rgb_of(l: u8, u: u8, v: u8, black: i32, [luma, rv, gu, gv, bu]: [i32; 5]) -> [u8; 3] {
    let l = (i32::from(l) - black) * luma + (1 << 15);
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [l + rv * v, l - gu * u - gv * v, l + bu * u].map(|value| (value >> 16).clamp(0, 255) as u8)
}

/// Owned planes: colours at half the size in both directions, limited range, BT.601.
#[derive(Debug, Default)]
pub struct I420 {
    /// Brightness, `[height, width]`.
    pub y: Vec<u8>,
    /// Blue difference, `[height / 2, width / 2]`, rounded up.
    pub u: Vec<u8>,
    /// Red difference, like `u`.
    pub v: Vec<u8>,
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl I420 {
    /// Converts `photo`, extended to sides that are multiples of `multiple` and at least `least` by repeating its last
    /// row and column.
    pub fn fill(&mut self, photo: &Photo, multiple: usize, least: usize) {
        let grown = |side: usize| side.next_multiple_of(multiple).max(least);
        (self.width, self.height) = (grown(photo.width), grown(photo.height));
        let (uv_width, uv_height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        self.y.resize(self.width * self.height, 0);
        self.u.resize(uv_width * uv_height, 0);
        self.v.resize(uv_width * uv_height, 0);
        let pixels = photo.pixels.as_chunks::<3>().0;
        let row_of = |y: usize| &pixels[y.min(photo.height - 1) * photo.width..][..photo.width];
        for (y, lumas) in self.y.chunks_exact_mut(self.width).enumerate() {
            let row = row_of(y);
            for (luma, rgb) in lumas.iter_mut().zip(row) {
                *luma = luma_of(*rgb);
            }
            let last = lumas[photo.width - 1];
            lumas[photo.width..].fill(last);
        }
        for y in 0..uv_height {
            let (above, below) = (row_of(2 * y), row_of(2 * y + 1));
            for x in 0..uv_width {
                let (left, right) = ((2 * x).min(photo.width - 1), (2 * x + 1).min(photo.width - 1));
                let sum = |c: usize| {
                    [above[left], above[right], below[left], below[right]].iter().map(|rgb| i32::from(rgb[c])).sum()
                };
                let [u, v] = chroma_of([sum(0), sum(1), sum(2)]);
                self.u[y * uv_width + x] = u;
                self.v[y * uv_width + x] = v;
            }
        }
    }

    #[cfg(test)]
    pub fn planes(&self) -> Planes<'_> {
        let uv_stride = self.width.div_ceil(2);
        let (width, height) = (self.width, self.height);
        Planes { y: &self.y, uv: Some([&self.u, &self.v]), y_stride: width, uv_stride, shift: [1, 1], width, height }
    }
}

/// 16 to 235, with the weights of BT.601 in 1/65536.
fn luma_of([r, g, b]: [u8; 3]) -> u8 {
    let sum = 16_829 * i32::from(r) + 33_039 * i32::from(g) + 6_416 * i32::from(b);
    ((sum + (1 << 15)) >> 16) as u8 + 16
}

/// 16 to 240 each, from the sums of four pixels.
fn chroma_of([r, g, b]: [i32; 3]) -> [u8; 2] {
    let u = -9_714 * r - 19_071 * g + 28_784 * b;
    let v = 28_784 * r - 24_103 * g - 4_681 * b;
    [u, v].map(|sum: i32| (((sum + (1 << 17)) >> 18) + 128).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Colours; 4] = [
        Colours { bt709: false, full_range: false },
        Colours { bt709: false, full_range: true },
        Colours { bt709: true, full_range: false },
        Colours { bt709: true, full_range: true },
    ];

    fn one_pixel(y: u8, u: u8, v: u8, colours: Colours) -> [u8; 3] {
        let planes =
            Planes { y: &[y], uv: Some([&[u], &[v]]), y_stride: 1, uv_stride: 1, shift: [1, 1], width: 1, height: 1 };
        planes.to_photo(colours).unwrap().pixels.try_into().unwrap()
    }

    #[test]
    fn black_white_and_red_are_what_the_standards_say() {
        let [bt601, bt601_full, bt709, bt709_full] = ALL;
        for (colours, yuv, rgb) in [
            (bt601, (16, 128, 128), [0, 0, 0]),
            (bt601, (235, 128, 128), [255, 255, 255]),
            (bt601, (81, 90, 240), [254, 0, 0]),
            (bt709, (63, 102, 240), [255, 1, 0]),
            (bt601_full, (0, 128, 128), [0, 0, 0]),
            (bt709_full, (255, 128, 128), [255, 255, 255]),
            (bt601_full, (76, 85, 255), [254, 0, 0]),
            (bt601, (0, 0, 0), [0, 136, 0]),
            (bt601, (255, 255, 255), [255, 125, 255]),
        ] {
            assert_eq!(one_pixel(yuv.0, yuv.1, yuv.2, colours), rgb, "{colours:?} {yuv:?}");
        }
    }

    #[test]
    fn planes_that_are_too_small_are_not_a_picture() {
        let fine = Planes {
            y: &[0; 12],
            uv: Some([&[0; 4], &[0; 4]]),
            y_stride: 4,
            uv_stride: 2,
            shift: [1, 1],
            width: 3,
            height: 3,
        };
        assert!(fine.to_photo(Colours::USUAL).is_some() && fine.luma().is_some());
        for bad in [
            Planes { y: &[0; 10], ..fine },
            Planes { uv: Some([&[0; 3], &[0; 4]]), ..fine },
            Planes { y_stride: 2, ..fine },
            Planes { uv_stride: 1, ..fine },
            Planes { width: 0, ..fine },
            Planes { shift: [0, 1], ..fine },
        ] {
            assert!(bad.to_photo(Colours::USUAL).is_none() && bad.luma().is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn an_even_colour_comes_back(rgb in any::<[u8; 3]>(), width in 1usize..6, height in 1usize..6) {
            let photo = Photo { pixels: rgb.repeat(width * height), width, height };
            let mut planes = I420::default();
            planes.fill(&photo, 2, 4);
            prop_assert!(planes.width % 2 == 0 && planes.width >= 4 && planes.height >= height);
            let back = planes.planes().to_photo(Colours::USUAL).unwrap();
            for pixel in back.pixels.chunks(3) {
                for (a, b) in pixel.iter().zip(rgb) {
                    prop_assert!(a.abs_diff(b) <= 3, "{:?} {:?}", pixel, rgb);
                }
            }
        }
    }
}
