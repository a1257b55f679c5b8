//! The cell of a CSV that holds a picture: whole numbers from 0 to 255, separated by one or more spaces.

use crate::text::excerpt_of_bytes;

/// Reads `count` values. Spaces before the first and after the last are accepted; all else must be digits and spaces.
///
/// # Errors
/// A sentence that names the first wrong value, or the wrong number of values.
pub fn parse(cell: &[u8], count: usize) -> Result<Vec<u8>, String> {
    let mut pixels = Vec::with_capacity(count);
    let mut rest = cell;
    loop {
        // Three digits at most: well-predicted branches take half the time of slices and `str::parse`.
        let value = match *rest {
            [b' ', ..] => {
                rest = &rest[1..];
                continue;
            }
            [a @ b'0'..=b'9', b' ', ..] => (digit(a), 2),
            [a @ b'0'..=b'9', b @ b'0'..=b'9', b' ', ..] => (10 * digit(a) + digit(b), 3),
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
                (100 * digit(a) + 10 * digit(b) + digit(c), 4)
            }
            [] => break,
            _ => last_or_fault(rest, pixels.len())?,
        };
        let (value, length) = value;
        let Ok(value) = u8::try_from(value) else { return Err(fault(rest, pixels.len())) };
        if pixels.len() == count {
            return Err(format!("more than {count} pixels"));
        }
        pixels.push(value);
        rest = &rest[length..];
    }
    if pixels.len() < count {
        return Err(format!("{} pixels, expected {count}", pixels.len()));
    }
    Ok(pixels)
}

/// The value that ends the cell, and its length.
fn last_or_fault(rest: &[u8], index: usize) -> Result<(u16, usize), String> {
    if rest.len() > 3 || !rest.iter().all(u8::is_ascii_digit) {
        return Err(fault(rest, index));
    }
    Ok((rest.iter().fold(0, |value, &b| 10 * value + digit(b)), rest.len()))
}

fn fault(rest: &[u8], index: usize) -> String {
    let value = rest.split(|&b| b == b' ').next().unwrap_or_default();
    format!("pixel {index} is `{}`, expected a whole number from 0 to 255", excerpt_of_bytes(value))
}

fn digit(byte: u8) -> u16 {
    u16::from(byte - b'0')
}

/// Appends the values, separated by a space.
pub fn format_into(pixels: &[u8], cell: &mut Vec<u8>) {
    for (i, &value) in pixels.iter().enumerate() {
        if i > 0 {
            cell.push(b' ');
        }
        if value >= 100 {
            cell.push(b'0' + value / 100);
        }
        if value >= 10 {
            cell.push(b'0' + value / 10 % 10);
        }
        cell.push(b'0' + value % 10);
    }
}
