//! WFLW's lists of labels (Wu et al., "Look at Boundary", 2018): one face per line.

use lineament::{Point, Rect};

use super::lines::Lines;
use super::{BadRow, Input, Labelled, Origin, Row, Source, numbers};
use crate::error::Result;
use crate::text::excerpt;

const POINTS: usize = 98;
/// x and y of the points, two corners of the box, six attributes of 0 or 1.
const WITH_BOX: usize = 2 * POINTS + 4 + 6;
/// The lists without boxes.
const WITHOUT_BOX: usize = 2 * POINTS;

/// Reads `list_98pt_rect_attr_*.txt` and `list_98pt_*.txt`.
pub struct Wflw {
    lines: Lines,
    origin: Origin,
}

impl Wflw {
    pub fn new(input: Input, origin: Origin) -> Self {
        Self { lines: Lines::new(input), origin }
    }
}

impl Source for Wflw {
    fn next_row(&mut self) -> Result<Option<Row>> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        let place = self.lines.place();
        Ok(Some(match self.lines.text().and_then(|text| parse(text, self.origin)) {
            Ok((photo, points, rect)) => {
                Row::Object(Box::new(Labelled { photo: photo.into(), place, points, rect, size: None, pixels: None }))
            }
            Err(reason) => Row::Bad(BadRow::unreadable(place, reason)),
        }))
    }

    fn share_read(&self) -> f64 {
        self.lines.share_read()
    }
}

type Parsed<'a> = (&'a str, Vec<Option<Point>>, Option<Rect>);

fn parse(text: &str, origin: Origin) -> Result<Parsed<'_>, String> {
    let mut values = Vec::with_capacity(WITH_BOX);
    let mut rest = text;
    while values.len() < WITH_BOX
        && let (token, after) = rest.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((rest, ""))
        && let Ok(value) = token.parse::<f64>()
    {
        values.push(numbers::checked(value)?);
        rest = after.trim_ascii_start();
    }
    let count = values.len();
    if count != WITH_BOX && count != WITHOUT_BOX {
        let after = if rest.is_empty() { String::new() } else { format!(" before `{}`", excerpt(rest)) };
        return Err(format!(
            "{count} numbers{after}, expected {WITH_BOX}: {POINTS} points, a box of 4 numbers, 6 attributes; then the \
             photo's path"
        ));
    }
    if rest.is_empty() {
        return Err(format!("no path of a photo after the {count} numbers"));
    }
    let points = values[..2 * POINTS].as_chunks::<2>().0.iter();
    let points = points.map(|&[x, y]| numbers::point(x, y, origin).map(Some)).collect::<Result<_, _>>()?;
    let corners = values.get(2 * POINTS..).and_then(<[f64]>::first_chunk::<4>);
    let rect = corners.map(|&corners| numbers::rect_from_corners(corners, origin.shift())).transpose()?;
    Ok((rest, points, rect))
}
