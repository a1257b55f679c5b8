//! Menpo's and landmarker.io's `.ljson`, versions 1 to 3, after landmarker.io's specification: JSON next to each photo,
//! with points as `[y, x]` and null where a point is missing.

use std::path::Path;

use lineament::Point;
use serde_json::{Map, Value};

use super::beside::Beside;
use super::{BadRow, Labelled, Origin, Row, Source, numbers, read_small};
use crate::error::Result;
use crate::folder::has_extension;
use crate::pts::MAX_POINTS;
use crate::text::{excerpt, one_line};

const MAX_BYTES: u64 = 4 << 20;

/// Reads a folder of them, or one.
pub struct Ljson {
    files: Beside,
    origin: Origin,
    group: Option<String>,
}

impl Ljson {
    pub fn new(path: &Path, photos: &Path, origin: Origin, group: Option<&str>) -> Result<Self> {
        let files = Beside::new(path, photos, ".ljson files", |file| has_extension(file, "ljson"))?;
        Ok(Self { files, origin, group: group.map(str::to_owned) })
    }
}

/// The labels in one file.
fn labels(files: &Beside, group: Option<&str>, origin: Origin, path: &Path) -> Result<Row, BadRow> {
    let photo = files.photo_of(path)?;
    let bytes = read_small(path, MAX_BYTES)?;
    let place = path.display().to_string();
    let points = parse(&bytes, group, origin).map_err(|(at, reason)| {
        let at = if at.is_empty() { String::new() } else { format!(": {at}") };
        BadRow::unreadable(format!("{place}{at}"), reason)
    })?;
    Ok(Row::Object(Box::new(Labelled { photo, place, points, rect: None, size: None, pixels: None })))
}

impl Source for Ljson {
    fn next_row(&mut self) -> Result<Option<Row>> {
        let (group, origin) = (self.group.as_deref(), self.origin);
        let read = |files: &Beside, path: &Path| labels(files, group, origin, path);
        Ok(self.files.next_row("ljson", "photos without an .ljson file", read))
    }

    fn share_read(&self) -> f64 {
        self.files.share_read()
    }
}

/// Path in the JSON, and what is wrong there.
type Fault = (String, String);

fn fault<T>(at: impl Into<String>, reason: impl Into<String>) -> Result<T, Fault> {
    Err((at.into(), reason.into()))
}

pub fn parse(bytes: &[u8], group: Option<&str>, origin: Origin) -> Result<Vec<Option<Point>>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: Value = serde_json::from_slice(bytes).or_else(|e| fault("", one_line(&e.to_string())))?;
    let Some(file) = file.as_object() else { return fault("", "is not an .ljson file: expected an object") };
    let mut points = Vec::new();
    match file.get("version").and_then(Value::as_u64) {
        Some(1) => {
            for (i, group) in list(file, "groups", "groups")?.iter().enumerate() {
                let at = format!("groups[{i}].landmarks");
                let Some(group) = group.as_object() else { return fault(at, "is missing") };
                for (k, landmark) in list(group, "landmarks", &at)?.iter().enumerate() {
                    let pair = landmark.get("point").unwrap_or(&Value::Null);
                    push(&mut points, pair, &format!("{at}[{k}].point"), origin)?;
                }
            }
        }
        Some(2) => set(file, "", &mut points, origin)?,
        Some(3) => {
            let Some(Value::Object(groups)) = file.get("groups") else {
                return fault("groups", "is missing, expected an object of groups");
            };
            let names = || groups.keys().map(|name| excerpt(name)).collect::<Vec<_>>().join(", ");
            let (name, group) = match group {
                Some(wanted) => match groups.get_key_value(wanted) {
                    Some(found) => found,
                    None => return fault("groups", format!("no group `{}`; there are {}", excerpt(wanted), names())),
                },
                None if groups.len() > 1 => {
                    return fault("groups", format!("several groups ({}); choose one: --category NAME", names()));
                }
                None => match groups.iter().next() {
                    Some(only) => only,
                    None => return fault("groups", "no group"),
                },
            };
            let at = format!("groups.{}.", excerpt(name));
            let Some(group) = group.as_object() else { return fault(at.trim_end_matches('.'), "is not an object") };
            set(group, &at, &mut points, origin)?;
        }
        _ => {
            let found = file.get("version").map_or("missing".into(), |version| excerpt(&version.to_string()));
            return fault("version", format!("is {found}, expected 1, 2 or 3"));
        }
    }
    match points.iter().any(Option::is_some) {
        true => Ok(points),
        false => fault("", "no point has a label"),
    }
}

/// `landmarks.points` of version 2, and of a group of version 3.
fn set(of: &Map<String, Value>, at: &str, points: &mut Vec<Option<Point>>, origin: Origin) -> Result<(), Fault> {
    let at = format!("{at}landmarks");
    let Some(Value::Object(landmarks)) = of.get("landmarks") else { return fault(at, "is missing") };
    let at = format!("{at}.points");
    let pairs = list(landmarks, "points", &at)?;
    pairs.iter().enumerate().try_for_each(|(i, pair)| push(points, pair, &format!("{at}[{i}]"), origin))
}

fn list<'a>(of: &'a Map<String, Value>, key: &str, at: &str) -> Result<&'a [Value], Fault> {
    match of.get(key) {
        Some(Value::Array(list)) => Ok(list),
        _ => fault(at, "is missing, expected a list"),
    }
}

/// A point from `[y, x]`; null, or a null in it, is a point without a label.
fn push(points: &mut Vec<Option<Point>>, pair: &Value, at: &str, origin: Origin) -> Result<(), Fault> {
    if points.len() == MAX_POINTS {
        return fault(at, format!("more than {MAX_POINTS} points"));
    }
    let point = match pair {
        Value::Null => None,
        Value::Array(pair) => match &pair[..] {
            [y, x] if y.is_null() || x.is_null() => None,
            [y, x] => match (x.as_f64(), y.as_f64()) {
                (Some(x), Some(y)) => Some(numbers::point(x, y, origin).or_else(|reason| fault(at, reason))?),
                _ => return fault(at, "is not two numbers: y, x"),
            },
            other => return fault(at, format!("has {} numbers, expected two: y, x", other.len())),
        },
        _ => return fault(at, "is not a pair of numbers: [y, x]"),
    };
    points.push(point);
    Ok(())
}
