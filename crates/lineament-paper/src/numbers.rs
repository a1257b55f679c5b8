//! Numbers as people read them. What is not finite is a dash.

/// Stands where there is no number.
pub const NONE: &str = "–";

/// With commas between thousands.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With `decimals` places, or as a power of ten where that would be long.
pub fn fixed(value: f64, decimals: usize) -> String {
    match value.abs() {
        size if !size.is_finite() => NONE.to_owned(),
        size if size >= 1e7 => format!("{value:.1e}"),
        _ => format!("{value:.decimals$}"),
    }
}

/// With `digits` significant digits.
pub fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    // Rounded first: 9.99 to two digits is 10, not 10.0.
    let magnitude = |v: f64| if v == 0.0 { 0 } else { v.abs().log10().floor() as i32 };
    let unit = 10f64.powi(magnitude(value) + 1 - digits);
    let rounded = (value / unit).round() * unit;
    match rounded.abs() {
        size if (999.5..1e15).contains(&size) => {
            let sign = if rounded < 0.0 { "-" } else { "" };
            sign.to_owned() + &count(size.round() as u64)
        }
        _ => fixed(rounded, (digits - 1 - magnitude(rounded)).max(0) as usize),
    }
}

/// Millions or billions of something.
pub fn large(value: u64) -> String {
    match value as f64 {
        v if v >= 999.5e6 => format!("{} billion", significant(v / 1e9, 3)),
        v if v >= 1e5 => format!("{} million", significant(v / 1e6, 3)),
        _ => count(value),
    }
}

/// Bytes in MB of 10^6.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", significant(bytes as f64 / 1e6, 3))
}

/// Seconds, minutes or hours.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => NONE.to_owned(),
        s if s < 120.0 => format!("{} s", significant(s, 3)),
        s if s < 7200.0 => format!("{} min", significant(s / 60.0, 3)),
        s => format!("{} h", significant(s / 3600.0, 3)),
    }
}

/// How many times `from` goes into `to`.
pub fn times(from: f64, to: f64) -> String {
    let ratio = to / from;
    format!("{} times", significant(ratio, if (0.95..9.95).contains(&ratio) { 2 } else { 3 }))
}

/// Frames per second from milliseconds per frame.
pub fn frames_per_second(frame_ms: f64) -> String {
    if frame_ms > 0.0 { significant(1000.0 / frame_ms, 3) } else { NONE.to_owned() }
}

/// `one`, `one and two`, `one, two and three`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let cases = [
            (count(0), "0"),
            (count(999), "999"),
            (count(8_326_340), "8,326,340"),
            (significant(9.99, 2), "10"),
            (significant(0.012345, 3), "0.0123"),
            (significant(33.305_36, 3), "33.3"),
            (significant(12_345.0, 3), "12,300"),
            (significant(1_234.0, 3), "1,230"),
            (significant(-12_345.0, 3), "-12,300"),
            (significant(0.0, 3), "0.00"),
            (significant(1e300, 3), "1.0e300"),
            (significant(f64::NAN, 3), NONE),
            (fixed(f64::INFINITY, 2), NONE),
            (fixed(1.0 / 3.0, 3), "0.333"),
            (large(142_000_000), "142 million"),
            (large(1_420_000_000), "1.42 billion"),
            (large(99), "99"),
            (megabytes(33_305_360), "33.3 MB"),
            (megabytes(3_080_123_456), "3,080 MB"),
            (duration(3.21), "3.21 s"),
            (duration(5400.0), "90.0 min"),
            (duration(36_000.0), "10.0 h"),
            (duration(f64::NAN), NONE),
            (times(2.0, 3.0), "1.5 times"),
            (times(33.3, 544.0), "16.3 times"),
            (times(0.0, 1.0), "– times"),
            (frames_per_second(16.0), "62.5"),
            (frames_per_second(0.0), NONE),
            (list(&["a", "b", "c"]), "a, b and c"),
            (list::<&str>(&[]), ""),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}
