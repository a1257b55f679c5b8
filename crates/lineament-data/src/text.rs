//! Excerpts of foreign text for error messages.

/// Characters of an excerpt.
const EXCERPT_CHARS: usize = 24;

/// The first characters, so that a binary file does not flood the terminal.
pub fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect()
}

/// As [`excerpt`] of bytes that may not be text.
pub fn excerpt_of_bytes(bytes: &[u8]) -> String {
    // A character takes up to 4 bytes.
    excerpt(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT_CHARS)]))
}

/// What another library says, on one line of moderate length.
pub fn one_line(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt("x\ty"), "x\\ty");
        assert_eq!(excerpt(&"ä".repeat(99)), "ä".repeat(24));
        assert_eq!(excerpt_of_bytes(b"a\xff\n"), "a\u{fffd}\\n");
        assert_eq!(excerpt_of_bytes("😀".repeat(99).as_bytes()), "😀".repeat(24));
        assert_eq!(one_line(&("a\nb".to_owned() + &"c".repeat(300))).len(), 200);
    }
}
