//! Shrinks a grey picture as OpenCV's `INTER_LINEAR_EXACT` does, bit for bit: bilinear between the centres of the four
//! nearest pixels, with weights in steps of 1/256 and one rounding at the end.

/// The weight 1, in fixed point.
const ONE: u32 = 256;

/// The pixel before a position, and the weight of the pixel after it.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    weight: u32,
}

/// For each of `to` pixels, the position of its centre among `from` pixels.
fn taps(from: usize, to: usize) -> impl Iterator<Item = Tap> {
    // Two divisions, because OpenCV inverts the inverse: the last bit decides some weights.
    let scale = 1.0 / (to as f64 / from as f64);
    (0..to).map(move |k| {
        let at = scale * (k as f64 + 0.5) - 0.5;
        if at < 0.0 {
            return Tap { first: 0, weight: 0 };
        }
        let first = at as usize;
        if first + 1 >= from {
            return Tap { first: from - 1, weight: 0 };
        }
        Tap { first, weight: ((at - first as f64) * f64::from(ONE)).round_ties_even() as u32 }
    })
}

/// Resizes to one size after another and keeps its memory.
#[derive(Default)]
pub(super) struct Resizer {
    across: Vec<Tap>,
    /// One row between two rows of the source, in 1/256 of a grey level. The last number is stored twice.
    between: Vec<u16>,
}

impl Resizer {
    /// Fills `to` with `to_size` (width, height) pixels of `from`. No side may be 0.
    #[inline(always)]
    pub(super) fn resize(&mut self, from: &[u8], size: (usize, usize), to: &mut Vec<u8>, to_size: (usize, usize)) {
        to.clear();
        if size == to_size {
            to.extend_from_slice(from);
            return;
        }
        let width = size.0;
        self.across.clear();
        self.across.extend(taps(width, to_size.0));
        self.between.resize(width + 1, 0);
        for Tap { first, weight } in taps(size.1, to_size.1) {
            // Columns first: products of weights are exact, so the order does not matter, and rows are contiguous.
            let above = &from[first * width..][..width];
            let below = if weight == 0 { above } else { &from[(first + 1) * width..][..width] };
            self.blend(above, below, weight as u16);
            to.extend(self.across.iter().map(|tap| {
                let pair = &self.between[tap.first..tap.first + 2];
                let sum = u32::from(pair[0]) * (ONE - tap.weight) + u32::from(pair[1]) * tap.weight;
                ((sum + ONE * ONE / 2) / (ONE * ONE)) as u8
            }));
        }
    }

    #[inline(always)]
    fn blend(&mut self, above: &[u8], below: &[u8], weight: u16) {
        for ((to, &a), &b) in self.between.iter_mut().zip(above).zip(below) {
            // At most 255 * 256, which fits.
            *to = u16::from(a) * (ONE as u16 - weight) + u16::from(b) * weight;
        }
        self.between[above.len()] = self.between[above.len() - 1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_opencvs() {
        let from: Vec<u8> = (0..7 * 5).map(|k| (k * 37 % 256) as u8).collect();
        let cases: [((usize, usize), &[u8]); 4] = [
            ((7, 5), &from),
            (
                (6, 4),
                &[
                    3, 47, 90, 133, 176, 219, 7, 50, 94, 137, 180, 223, 11, 54, 97, 140, 184, 227, 15, 58, 101, 144,
                    187, 231,
                ],
            ),
            ((3, 2), &[27, 113, 200, 34, 121, 207]),
            ((1, 1), &[117]),
        ];
        let (mut resizer, mut to) = (Resizer::default(), Vec::new());
        for (size, expected) in cases {
            resizer.resize(&from, (7, 5), &mut to, size);
            assert_eq!(to, expected, "{size:?}");
        }
        resizer.resize(&[9], (1, 1), &mut to, (1, 1));
        assert_eq!(to, [9]);
    }
}
