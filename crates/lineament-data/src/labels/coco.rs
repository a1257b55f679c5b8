//! COCO's JSON with keypoints (Lin et al., "Microsoft COCO", 2014, and its description of the data format).
//!
//! The file is read twice: images and categories, which are kept, then annotations one by one.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::json_lists::{Element, JsonLists};
use super::{AHEAD, BadRow, Input, Labelled, Origin, Row, Source, numbers};
use crate::error::{Error, Result};
use crate::pts::MAX_POINTS;
use crate::text::{excerpt, one_line};

/// Reads annotations with keypoints.
pub struct Coco {
    /// The first reading, until it is done.
    ahead: Option<Ahead>,
    lists: JsonLists,
    origin: Origin,
    images: HashMap<Id, Image>,
    wanted: Option<String>,
    /// The category that is read; `None` reads annotations of any, where the file has no categories.
    category: Option<Category>,
}

/// What the first reading has found so far besides images.
struct Ahead {
    lists: JsonLists,
    categories: Vec<Category>,
    has_annotations: bool,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq, Hash)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "`{}`", excerpt(text)),
        }
    }
}

#[derive(Deserialize)]
struct Image {
    id: Id,
    file_name: String,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Deserialize)]
struct Category {
    id: Id,
    name: Option<String>,
    #[serde(default)]
    keypoints: Vec<String>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: Id,
    category_id: Option<Id>,
    keypoints: Option<Vec<f64>>,
    bbox: Option<Vec<f64>>,
    #[serde(default)]
    iscrowd: Value,
}

const LISTS: &[&str] = &["images", "categories", "annotations"];

impl Coco {
    /// `first` and `second` are the same file.
    pub fn new(first: Input, second: Input, origin: Origin, wanted: Option<&str>) -> Self {
        let ahead = Ahead { lists: JsonLists::new(first, LISTS), categories: Vec::new(), has_annotations: false };
        Self {
            ahead: Some(ahead),
            lists: JsonLists::new(second, LISTS),
            origin,
            images: HashMap::new(),
            wanted: wanted.map(str::to_owned),
            category: None,
        }
    }

    fn row(&self, annotation: Annotation, place: String) -> Row {
        let Annotation { image_id, category_id, keypoints, bbox, iscrowd } = annotation;
        let other = |category: &Category| category_id.as_ref().is_some_and(|id| *id != category.id);
        if self.category.as_ref().is_some_and(other) {
            return Row::LeftOut("annotations of other categories");
        }
        if !matches!(&iscrowd, Value::Null | Value::Bool(false)) && iscrowd.as_f64() != Some(0.0) {
            return Row::LeftOut("annotations of crowds");
        }
        let Some(keypoints) = keypoints else { return Row::LeftOut("annotations without keypoints") };
        if keypoints.chunks(3).all(|point| point.get(2) == Some(&0.0)) {
            return Row::LeftOut("annotations without a labelled keypoint");
        }
        let labelled = || {
            let Some(image) = self.images.get(&image_id) else {
                return Err(format!("no image has the id {image_id}"));
            };
            let expected = self.category.as_ref().map(|category| category.keypoints.len()).filter(|&count| count > 0);
            let expected = expected.unwrap_or((keypoints.len() / 3).min(MAX_POINTS));
            if keypoints.len() != 3 * expected {
                return Err(format!("{} numbers in `keypoints`, expected {}", keypoints.len(), 3 * expected));
            }
            let point = |(i, &[x, y, v]): (usize, &[f64; 3])| match v {
                0.0 => Ok(None),
                _ => numbers::point(x, y, self.origin).map(Some).map_err(|reason| format!("keypoint {i}: {reason}")),
            };
            let points = keypoints.as_chunks::<3>().0.iter().enumerate().map(point).collect::<Result<_, _>>()?;
            let rect = bbox.map(|bbox| match <[f64; 4]>::try_from(bbox) {
                Ok(xywh) => numbers::rect(xywh, self.origin.edge_shift()),
                Err(bbox) => Err(format!("`bbox` has {} numbers, expected x, y, width and height", bbox.len())),
            });
            let size = image.width.zip(image.height).map(|(w, h)| (w as usize, h as usize));
            let (photo, place) = (image.file_name.clone(), place.clone());
            Ok(Labelled { photo, place, points, rect: rect.transpose()?, size, pixels: None })
        };
        match labelled() {
            Ok(labelled) => Row::Object(Box::new(labelled)),
            Err(reason) => Row::Bad(BadRow::unreadable(place, reason)),
        }
    }
}

/// The only category with keypoints, or the one that is wanted.
fn choose(categories: Vec<Category>, wanted: Option<&str>) -> Result<Option<Category>, String> {
    let names = |found: &[Category]| {
        let name = |category: &Category| excerpt(category.name.as_deref().unwrap_or("without a name"));
        found.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let mut found = categories;
    if let Some(wanted) = wanted {
        let all = names(&found);
        found.retain(|category| category.name.as_deref() == Some(wanted));
        return match found.pop() {
            Some(category) => Ok(Some(category)),
            None => Err(format!("no category `{}`; there are {all}", excerpt(wanted))),
        };
    }
    if found.len() > 1 {
        found.retain(|category| !category.keypoints.is_empty());
    }
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(format!("several categories have keypoints ({}); choose one: --category NAME", names(&found))),
    }
}

impl Ahead {
    /// Reads the next image or category, or passes an annotation; false at the end.
    fn advance(&mut self, images: &mut HashMap<Id, Image>) -> Result<bool> {
        let Some(Element { list, index, json }) = self.lists.next_element()? else { return Ok(false) };
        let parsed = match list {
            "images" => serde_json::from_slice::<Image>(json).map_err(|e| one_line(&e.to_string())).and_then(|i| {
                let id = i.id.clone();
                match images.insert(id, i) {
                    None => Ok(()),
                    Some(_) => Err("an image before it has the same id".into()),
                }
            }),
            "categories" => match serde_json::from_slice::<Category>(json) {
                Ok(category) if category.keypoints.len() > MAX_POINTS => {
                    Err(format!("more than {MAX_POINTS} keypoints"))
                }
                Ok(category) => {
                    self.categories.push(category);
                    Ok(())
                }
                Err(e) => Err(one_line(&e.to_string())),
            },
            _ => {
                self.has_annotations = true;
                Ok(())
            }
        };
        parsed.map(|()| true).map_err(|reason| Error::labels(self.lists.place(list, index), reason))
    }
}

impl Source for Coco {
    fn prepare(&mut self) -> Result<bool> {
        let Some(ahead) = &mut self.ahead else { return Ok(false) };
        for _ in 0..AHEAD {
            if ahead.advance(&mut self.images)? {
                continue;
            }
            let path = ahead.lists.path().display().to_string();
            if !ahead.has_annotations || self.images.is_empty() {
                return Err(Error::labels(path, "no COCO labels: expected the lists `images` and `annotations`"));
            }
            let categories = std::mem::take(&mut ahead.categories);
            self.category = choose(categories, self.wanted.as_deref()).map_err(|reason| Error::labels(path, reason))?;
            self.ahead = None;
            return Ok(false);
        }
        Ok(true)
    }

    fn next_row(&mut self) -> Result<Option<Row>> {
        while self.prepare()? {}
        while let Some(Element { list, index, json }) = self.lists.next_element()? {
            if list == "annotations" {
                let annotation = serde_json::from_slice::<Annotation>(json);
                let place = self.lists.place(list, index);
                return Ok(Some(match annotation {
                    Ok(annotation) => self.row(annotation, place),
                    Err(e) => Row::Bad(BadRow::unreadable(place, one_line(&e.to_string()))),
                }));
            }
        }
        Ok(None)
    }

    fn names(&self) -> Option<&[String]> {
        self.category.as_ref().map(|category| &category.keypoints[..]).filter(|names| !names.is_empty())
    }

    fn share_read(&self) -> f64 {
        let ahead = self.ahead.as_ref().map_or(1.0, |ahead| ahead.lists.share_read());
        (ahead + self.lists.share_read()) / 2.0
    }
}
