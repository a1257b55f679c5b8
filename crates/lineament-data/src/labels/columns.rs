//! COFW (Burgos-Artizzu et al., 2013) and AFLW (Koestinger et al., 2011; AFLW-19: Zhu et al., 2016) as the CSV that
//! `docs/labels.md` makes of their files: `photo,x,y,w,h`, then coordinates in columns of known names.

use lineament::Rect;

use super::cells::Cells;
use super::{BadRow, Input, Labelled, Origin, Row, Source, numbers};
use crate::error::Result;
use crate::text::excerpt;

/// The first columns of every such table.
pub const START: [&str; 5] = ["photo", "x", "y", "w", "h"];

/// Reads rows with a certain header.
pub struct Columns {
    cells: Cells,
    header: Vec<String>,
    /// The columns of each point's x and y.
    points: Vec<[usize; 2]>,
    /// Whether a point may lack its label.
    gaps: bool,
    origin: Origin,
}

impl Columns {
    /// 29 points, all x, then all y, then whether each is hidden, which is not kept.
    pub fn cofw(input: Input, origin: Origin) -> Result<Self> {
        const POINTS: usize = 29;
        let numbered = |letter: &str| (1..=POINTS).map(|i| format!("{letter}{i}")).collect::<Vec<_>>();
        let header = [START.map(str::to_owned).to_vec(), numbered("x"), numbered("y"), numbered("o")].concat();
        let points = (0..POINTS).map(|i| [START.len() + i, START.len() + POINTS + i]).collect();
        let (cells, found) = Cells::new(input)?;
        let columns = Self { cells, header, points, gaps: false, origin };
        columns.check(&found, "COFW's 29 points")?;
        Ok(columns)
    }

    /// 21 or 19 points, x and y of each; both are empty where a point is not visible.
    pub fn aflw(input: Input, origin: Origin) -> Result<Self> {
        let (cells, found) = Cells::new(input)?;
        let points = if found.len() == START.len() + 2 * 19 { 19 } else { 21 };
        let pairs = (1..=points).flat_map(|i| [format!("x{i}"), format!("y{i}")]);
        let header = START.map(str::to_owned).into_iter().chain(pairs).collect();
        let points = (0..points).map(|i| START.len() + 2 * i).map(|at| [at, at + 1]).collect();
        let columns = Self { cells, header, points, gaps: true, origin };
        columns.check(&found, "AFLW's 21 or 19 points")?;
        Ok(columns)
    }

    fn check(&self, found: &[String], what: &str) -> Result<()> {
        let (header, count) = (&self.header, self.header.len());
        let wrong = header.iter().zip(found).position(|(expected, found)| expected != found);
        let reason = match wrong {
            Some(i) => format!("column {} is called `{}`, expected `{}`", i + 1, excerpt(&found[i]), header[i]),
            None if found.len() != count => format!("{} columns, expected {count}", found.len()),
            None => return Ok(()),
        };
        let last = &header[count - 1];
        self.cells.fault(format!("{reason}; the CSV of {what} begins photo,x,y,w,h,x1 and ends {last}: docs/labels.md"))
    }

    fn labels(&self, place: &str) -> Result<Option<Labelled>, String> {
        let cells = &self.cells;
        if cells.len() != self.header.len() {
            return Err(format!("{} cells, expected {}", cells.len(), self.header.len()));
        }
        let photo = photo(cells)?;
        let named = |column: usize, reason: String| format!("column `{}`: {reason}", self.header[column]);
        let value = |column: usize| {
            let text = cells.text(column).map_err(|reason| named(column, reason))?;
            numbers::number(text).map_err(|reason| named(column, reason))
        };
        let mut points = Vec::with_capacity(self.points.len());
        for &[x, y] in &self.points {
            let missing = self.gaps && cells.bytes(x).is_empty() && cells.bytes(y).is_empty();
            points.push(if missing { None } else { Some(numbers::point(value(x)?, value(y)?, self.origin)?) });
        }
        let rect = rect(cells, value, self.origin.shift())?;
        if points.iter().all(Option::is_none) {
            return Ok(None);
        }
        Ok(Some(Labelled { photo, place: place.to_owned(), points, rect, size: None, pixels: None }))
    }
}

/// The first cell: the path of a photo.
pub fn photo(cells: &Cells) -> Result<String, String> {
    match cells.text(0)? {
        "" => Err("column `photo` is empty".into()),
        photo => Ok(photo.to_owned()),
    }
}

/// The box in the cells after the first; `None` where all four are empty.
pub fn rect(cells: &Cells, value: impl Fn(usize) -> Result<f64, String>, shift: f64) -> Result<Option<Rect>, String> {
    if (1..START.len()).all(|column| cells.bytes(column).is_empty()) {
        return Ok(None);
    }
    numbers::rect([value(1)?, value(2)?, value(3)?, value(4)?], shift).map(Some)
}

impl Source for Columns {
    fn next_row(&mut self) -> Result<Option<Row>> {
        if !self.cells.advance()? {
            return Ok(None);
        }
        let place = self.cells.place();
        Ok(Some(match self.labels(&place) {
            Ok(Some(labelled)) => Row::Object(Box::new(labelled)),
            Ok(None) => Row::LeftOut("objects without a point"),
            Err(reason) => Row::Bad(BadRow::unreadable(place, reason)),
        }))
    }

    fn share_read(&self) -> f64 {
        self.cells.share_read()
    }
}
