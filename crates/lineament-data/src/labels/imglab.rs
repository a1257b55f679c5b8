//! The XML of dlib's imglab: `<image file><box left top width height><part name x y/></box></image>`.
//!
//! The file is read twice: the names of all parts, which a box may lack, then the boxes one by one.

use std::collections::{BTreeMap, BTreeSet};

use lineament::{Point, Rect};

use super::xml::{Element, Tag, Xml};
use super::{AHEAD, BadRow, Input, Labelled, Origin, Row, Source, numbers};
use crate::error::{Error, Result};
use crate::pts::MAX_POINTS;
use crate::text::excerpt;

/// Reads boxes with parts.
pub struct Imglab {
    /// The first reading, until it is done, and the names of parts that it has found.
    ahead: Option<(Xml, BTreeSet<String>)>,
    xml: Xml,
    origin: Origin,
    /// The order of the parts by name.
    order: BTreeMap<String, usize>,
    /// In order; empty where they are numbers.
    names: Vec<String>,
    image: Option<Image>,
    object: Option<Object>,
}

struct Image {
    photo: Result<String, String>,
    boxes: u64,
}

/// The box that is being read.
struct Object {
    place: String,
    rect: Result<Rect, String>,
    ignored: bool,
    points: Vec<Option<Point>>,
    /// The first fault of a part.
    fault: Option<(String, String)>,
}

impl Imglab {
    /// `first` and `second` are the same file.
    pub fn new(first: Input, second: Input, origin: Origin) -> Self {
        Self {
            ahead: Some((Xml::new(first), BTreeSet::new())),
            xml: Xml::new(second),
            origin,
            order: BTreeMap::new(),
            names: Vec::new(),
            image: None,
            object: None,
        }
    }

    /// The names of all parts are known: their order.
    fn sort(&mut self, found: BTreeSet<String>) {
        let mut names: Vec<String> = found.into_iter().collect();
        let numbered = names.iter().all(|name| name.parse::<u32>().is_ok());
        if numbered {
            names.sort_by_key(|name| name.parse::<u32>().unwrap_or_default());
        }
        self.order = names.iter().cloned().zip(0..).collect();
        self.names = if numbered { Vec::new() } else { names };
    }

    fn start(&mut self, element: &Element) {
        let place = self.xml.place();
        match element.name.as_str() {
            "image" => {
                let photo = element.get("file").filter(|file| !file.is_empty()).map(str::to_owned);
                self.image = Some(Image { photo: photo.ok_or("<image> without a `file`".into()), boxes: 0 });
            }
            "box" => {
                let rect = ["left", "top", "width", "height"].map(|name| attribute(element, name));
                let rect = (|| {
                    let [x, y, w, h] = rect;
                    numbers::rect([x?, y?, w?, h?], self.origin.edge_shift())
                })();
                let ignored = element.get("ignore").is_some_and(|value| !matches!(value, "0" | "false" | ""));
                let points = vec![None; self.order.len()];
                self.object = Some(Object { place, rect, ignored, points, fault: None });
                self.image.iter_mut().for_each(|image| image.boxes += 1);
            }
            "part" => {
                let Some(object) = &mut self.object else { return };
                let read = || {
                    let name = element.get("name").ok_or("<part> without a `name`")?;
                    let index = *self.order.get(name).ok_or("the file has changed while it was read")?;
                    let point = numbers::point(attribute(element, "x")?, attribute(element, "y")?, self.origin)?;
                    match object.points[index].replace(point) {
                        None => Ok(()),
                        Some(_) => Err(format!("two parts `{}` in one box", excerpt(name))),
                    }
                };
                let mut read = read;
                if let Err(reason) = read() {
                    object.fault.get_or_insert((place, reason));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) -> Option<Row> {
        match name {
            "image" => self.image.take().filter(|image| image.boxes == 0).map(|_| Row::LeftOut("images without a box")),
            "box" => self.object.take().map(|object| self.row(object)),
            _ => None,
        }
    }

    fn row(&self, object: Object) -> Row {
        let Object { place, rect, ignored, points, fault } = object;
        if ignored {
            return Row::LeftOut("boxes with ignore='1'");
        }
        if fault.is_none() && points.iter().all(Option::is_none) {
            return Row::LeftOut("boxes without parts");
        }
        let photo = self.image.as_ref().map_or(Err("<box> outside of an <image>".into()), |image| image.photo.clone());
        let bad = |reason| BadRow::unreadable(place.clone(), reason);
        let labelled = || {
            if let Some((place, reason)) = fault {
                return Err(BadRow::unreadable(place, reason));
            }
            let (photo, rect) = (photo.map_err(bad)?, Some(rect.map_err(bad)?));
            Ok(Labelled { photo, place: place.clone(), points, rect, size: None, pixels: None })
        };
        labelled().map_or_else(Row::Bad, |labelled| Row::Object(Box::new(labelled)))
    }
}

fn attribute(element: &Element, name: &str) -> Result<f64, String> {
    let tag = &element.name;
    let value = element.get(name).ok_or_else(|| format!("<{tag}> without `{name}`"))?;
    numbers::number(value.trim()).map_err(|reason| format!("`{name}` of <{tag}>: {reason}"))
}

impl Source for Imglab {
    fn prepare(&mut self) -> Result<bool> {
        let Some((xml, found)) = &mut self.ahead else { return Ok(false) };
        for _ in 0..AHEAD {
            let Some(tag) = xml.next_tag()? else {
                let found = std::mem::take(found);
                self.ahead = None;
                self.sort(found);
                return Ok(false);
            };
            if let Tag::Start(element) = tag
                && element.name == "part"
                && let Some(name) = element.get("name")
                && !found.contains(name)
            {
                if found.len() == MAX_POINTS {
                    return Err(Error::labels(xml.place(), format!("more than {MAX_POINTS} names of parts")));
                }
                found.insert(name.to_owned());
            }
        }
        Ok(true)
    }

    fn next_row(&mut self) -> Result<Option<Row>> {
        while self.prepare()? {}
        while let Some(tag) = self.xml.next_tag()? {
            let row = match tag {
                Tag::Start(element) => {
                    self.start(&element);
                    None
                }
                Tag::End(name) => self.end(&name),
            };
            if row.is_some() {
                return Ok(row);
            }
        }
        Ok(None)
    }

    fn names(&self) -> Option<&[String]> {
        Some(&self.names[..]).filter(|names| !names.is_empty())
    }

    fn share_read(&self) -> f64 {
        let ahead = self.ahead.as_ref().map_or(1.0, |(xml, _)| xml.share_read());
        (ahead + self.xml.share_read()) / 2.0
    }
}
