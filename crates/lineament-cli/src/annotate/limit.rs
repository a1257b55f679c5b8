//! Limits of filters on the command line: a number, a range, or `off`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A number or `off`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit<T>(pub Option<T>);

/// `MIN..MAX` or `off`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range(pub Option<RangeInclusive<f32>>);

impl<T: FromStr> FromStr for Limit<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            _ => text.parse().map(|value| Self(Some(value))).map_err(|_| "give a number of at least 0, or off".into()),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("off"),
        }
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let ends = text.split_once("..").and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
        ends.map(|(min, max)| Self(Some(min..=max))).ok_or("give MIN..MAX such as 40..220, or off".into())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.0 {
            Some(range) => write!(f, "{}..{}", range.start(), range.end()),
            None => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_written() {
        for text in ["off", "40..220", "0.5..1"] {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), text);
        }
        for text in ["off", "12.5", "0"] {
            assert_eq!(text.parse::<Limit<f32>>().unwrap().to_string(), text);
        }
        for text in ["", "on", "40", "40..", "..", "a..b"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert!("-1".parse::<Limit<usize>>().is_err() && "x".parse::<Limit<f32>>().is_err());
    }
}
