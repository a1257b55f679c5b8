//! Digits as strokes, so that a score can be written without a font.

/// The seven strokes of a digit, each from (x, y) to (x, y) in a cell 1 wide and 2 high, y down.
const STROKES: [[(f32, f32); 2]; 7] = [
    [(0.0, 0.0), (1.0, 0.0)], // top
    [(1.0, 0.0), (1.0, 1.0)], // right, upper
    [(1.0, 1.0), (1.0, 2.0)], // right, lower
    [(0.0, 2.0), (1.0, 2.0)], // bottom
    [(0.0, 1.0), (0.0, 2.0)], // left, lower
    [(0.0, 0.0), (0.0, 1.0)], // left, upper
    [(0.0, 1.0), (1.0, 1.0)], // middle
];

/// Which strokes each digit has: bit `i` is `STROKES[i]`.
const DIGITS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

/// From one digit's left edge to the next one's, in cell widths.
const ADVANCE: f32 = 1.7;

/// The strokes of a whole number, from (0, 0) to the right, in cells.
pub fn strokes(number: u32) -> Vec<[(f32, f32); 2]> {
    let mut strokes = Vec::new();
    for (i, digit) in number.to_string().bytes().enumerate() {
        let (lit, left) = (DIGITS[usize::from(digit - b'0')], i as f32 * ADVANCE);
        let of_digit = STROKES.iter().enumerate().filter(|(bit, _)| lit >> bit & 1 == 1);
        strokes.extend(of_digit.map(|(_, stroke)| stroke.map(|(x, y)| (left + x, y))));
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_the_strokes_of_a_pocket_calculator() {
        let counts: Vec<usize> = (0..10).map(|d| strokes(d).len()).collect();
        assert_eq!(counts, [6, 2, 5, 5, 4, 5, 6, 3, 7, 6]);
        assert_eq!(strokes(98).len(), 6 + 7);
    }
}
