//! Reads the values of options. The error texts complete clap's "invalid value 'X' for '--flag': ".

use lineament::Rect;

/// Largest number of threads that is accepted: a larger one is a typing error.
const MAX_THREADS: usize = 1024;

/// `x,y,width,height` in pixels.
pub fn rect(text: &str) -> Result<Rect, String> {
    let numbers: Vec<f32> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [x, y, width, height] if text.split(',').count() == 4 => {
            if !numbers.iter().all(|n| n.is_finite()) || width <= 0.0 || height <= 0.0 {
                return Err("width and height must be above 0, and all four finite".into());
            }
            Ok(Rect::from_xywh(x, y, width, height))
        }
        _ => Err("give left, top, width and height in pixels, for example 120,80,200,220".into()),
    }
}

/// `WIDTHxHEIGHT` in pixels.
pub fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']).map(|(w, h)| (w.parse(), h.parse()));
    match sides {
        Some((Ok(width), Ok(height))) if (16..=8192).contains(&width) && (16..=8192).contains(&height) => {
            Ok((width, height))
        }
        _ => Err("give width and height from 16 to 8192 pixels, for example 640x480".into()),
    }
}

/// Pixels, at least 1.
pub fn pixels(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() && number >= 1.0 => Ok(number),
        _ => Err("give a number of pixels of at least 1, for example 40".into()),
    }
}

/// Seconds, at least 0.
pub fn secs(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if (0.0..=60.0).contains(&number) => Ok(number),
        _ => Err("give seconds from 0 to 60, for example 0.1".into()),
    }
}

/// Frames per second.
pub fn hz(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.01..=1000.0).contains(&number) => Ok(number),
        _ => Err("give frames per second from 0.01 to 1000, for example 29.97".into()),
    }
}

/// A whole number of at least 1.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("give a whole number of at least 1".into()),
    }
}

/// Three whole numbers of at least 1.
pub fn three(text: &str) -> Result<[usize; 3], String> {
    let numbers = text.split(',').map(|part| count(part.trim())).collect::<Result<Vec<_>, _>>();
    numbers.ok().and_then(|n| n.try_into().ok()).ok_or_else(|| "give three whole numbers, for example 32,32,64".into())
}

/// A score, from 0 to 1.
pub fn score(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("give a number from 0 to 1, for example 0.5".into()),
    }
}

/// A share of photos, above 0 and up to 1.
pub fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= 1.0 => Ok(number),
        _ => Err("give a number above 0 and up to 1, for example 0.1".into()),
    }
}

/// A number of threads.
pub fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MAX_THREADS).contains(&number) => Ok(number),
        _ => Err(format!("give a whole number from 1 to {MAX_THREADS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_four_numbers_with_a_size() {
        assert_eq!(rect("-1.5, 2,30,40"), Ok(Rect::from_xywh(-1.5, 2.0, 30.0, 40.0)));
        for bad in ["", "1,2,3", "1,2,3,4,5", "1,2,x,3,4", "1,2,0,4", "1,2,3,-4", "1,2,inf,4", "NaN,2,3,4", "1 2 3 4"] {
            assert!(rect(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_score_may_be_0_and_1_and_a_share_is_above_0() {
        assert_eq!((score("0"), score("1"), score("0.25")), (Ok(0.0), Ok(1.0), Ok(0.25)));
        assert_eq!((share("1"), share("0").is_err()), (Ok(1.0), true));
        for bad in ["", "-0.1", "1.01", "NaN", "high"] {
            assert!(score(bad).is_err() && share(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_is_two_whole_numbers() {
        assert_eq!(size("640x480"), Ok((640, 480)));
        for bad in ["", "640", "x", "640x", "0x0", "640x480x3", "-1x5", "99999x9"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
