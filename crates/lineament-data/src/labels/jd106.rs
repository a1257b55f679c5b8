//! JD-landmark (Liu et al., "Grand Challenge of 106-Point Facial Landmark Localization", 2019): `PHOTO.txt` per photo.

use std::path::{Path, PathBuf};

use lineament::{Point, Rect};

use super::beside::Beside;
use super::{BadRow, Labelled, Origin, Reason, Row, Source, numbers, read_small};
use crate::error::Result;
use crate::folder::{has_extension, is_photo};
use crate::pts::Fault;
use crate::text::excerpt;

const POINTS: usize = 106;
const MAX_BYTES: u64 = 1 << 20;

/// The challenge keeps photos, points and boxes in these folders.
const LANDMARK: &str = "landmark";
const PICTURE: &str = "picture";
const RECT: &str = "rect";

/// Reads a folder of them, or one.
pub struct Jd106 {
    files: Beside,
    photos: PathBuf,
    origin: Origin,
}

/// `a.jpg.txt`.
fn is_label(path: &Path) -> bool {
    has_extension(path, "txt") && is_photo(&path.with_extension(""))
}

impl Jd106 {
    pub fn new(path: &Path, photos: &Path, origin: Origin) -> Result<Self> {
        let files = Beside::new(path, photos, "label files called PHOTO.txt, for example a.jpg.txt", is_label)?;
        Ok(Self { files, photos: photos.to_owned(), origin })
    }

    fn labels(&self, path: &Path) -> Result<Row, BadRow> {
        let place = path.display().to_string();
        let photo = self.photo_of(path)?;
        let text = read_small(path, MAX_BYTES)?;
        let points = parse(&String::from_utf8_lossy(&text), self.origin)
            .map_err(|Fault { line, reason }| BadRow::unreadable(format!("{place}:{line}"), reason))?;
        let rect = self.rect_of(path)?;
        Ok(Row::Object(Box::new(Labelled { photo, place, points, rect, size: None, pixels: None })))
    }

    /// Next to the label file, or in the folder `picture` next to `landmark`.
    fn photo_of(&self, path: &Path) -> Result<String, BadRow> {
        let name = self.files.below(&path.with_extension(""))?;
        let moved = sibling(&name, PICTURE);
        let found = [Some(&name), moved.as_ref()].into_iter().flatten().find(|name| self.photos.join(name).is_file());
        found.cloned().ok_or_else(|| {
            let moved = moved.map(|moved| format!(" or {moved}")).unwrap_or_default();
            BadRow {
                reason: Reason::PhotoMissing,
                place: path.display().to_string(),
                detail: format!("no photo {name}{moved} in {}", self.photos.display()),
            }
        })
    }

    /// `a.jpg.rect` next to the label file or in the folder `rect`: left, top, right, bottom.
    fn rect_of(&self, path: &Path) -> Result<Option<Rect>, BadRow> {
        let beside = path.with_extension("rect");
        let moved = beside.to_str().and_then(|name| sibling(name, RECT)).map(PathBuf::from);
        let Some(path) = [Some(beside), moved].into_iter().flatten().find(|path| path.is_file()) else {
            return Ok(None);
        };
        let bad = |reason: String| BadRow::unreadable(path.display().to_string(), reason);
        let text = read_small(&path, MAX_BYTES)?;
        let text = String::from_utf8_lossy(&text);
        let corners = text.split_whitespace().map(numbers::number).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        let corners = <[f64; 4]>::try_from(corners.as_slice());
        let corners = corners.map_err(|_| bad("expected left, top, right and bottom of a box".into()))?;
        numbers::rect_from_corners(corners, self.origin.shift()).map(Some).map_err(bad)
    }
}

/// The path with another folder in the place of the last `landmark`.
fn sibling(name: &str, folder: &str) -> Option<String> {
    let mut parts: Vec<&str> = name.split(['/', '\\']).collect();
    let last = parts.len() - 1;
    let at = parts[..last].iter().rposition(|part| part.eq_ignore_ascii_case(LANDMARK))?;
    parts[at] = folder;
    Some(parts.join("/"))
}

/// The numbers of each line with the line, from 1, after a first line with their count.
fn parse(text: &str, origin: Origin) -> Result<Vec<Option<Point>>, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
    let fault = |line, reason: String| Fault { line, reason };
    let (line, count) = lines.next().ok_or_else(|| fault(1, "empty file".into()))?;
    if count.parse() != Ok(POINTS) {
        let count = excerpt(count);
        return Err(fault(line, format!("the first line is `{count}`, expected the number of points: {POINTS}")));
    }
    let mut points = Vec::with_capacity(POINTS);
    let mut end = line;
    for (line, text) in lines {
        end = line;
        if points.len() == POINTS {
            return Err(fault(line, format!("more than {POINTS} points")));
        }
        let values = text.split_whitespace().map(numbers::number).collect::<Result<Vec<_>, _>>();
        let point = values.and_then(|values| match values[..] {
            [x, y] => numbers::point(x, y, origin),
            _ => Err(format!("`{}` is not two numbers", excerpt(text))),
        });
        points.push(Some(point.map_err(|reason| fault(line, reason))?));
    }
    match points.len() {
        POINTS => Ok(points),
        count => Err(fault(end, format!("{count} points, but the first line says {POINTS}"))),
    }
}

impl Source for Jd106 {
    fn next_row(&mut self) -> Result<Option<Row>> {
        // Which photo has no labels is not told: photos may lie in another folder.
        while let Some(file) = self.files.next_file() {
            if is_label(&file) {
                return Ok(Some(self.labels(&file).unwrap_or_else(Row::Bad)));
            }
        }
        Ok(None)
    }

    fn share_read(&self) -> f64 {
        self.files.share_read()
    }
}
