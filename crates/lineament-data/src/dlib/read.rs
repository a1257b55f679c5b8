//! Parses the file of a shape predictor: version, mean shape, forests, and the pixels that each cascade reads.
//!
//! Every length is checked against the remaining bytes before memory is allocated, and every index against its range,
//! so that nothing can fail once a predictor is read.

use super::wire::{FLOAT_BYTES, Fault, INT_BYTES, Reader};
use super::{Cascade, Feature, ShapePredictor, Split};

/// The only version that dlib writes.
const VERSION: i64 = 1;
/// First bytes of a download from dlib's site.
const BZIP2: &[u8] = b"BZh";
/// More points than any face model has; the limit keeps a leaf's size far from overflow.
const MAX_POINTS: usize = 10_000;

const SPLIT_BYTES: usize = 2 * INT_BYTES + FLOAT_BYTES;

/// The trees of one cascade, without the pixels that they read.
struct Forest {
    splits: Vec<Split>,
    leaves: Vec<f32>,
    /// One more than the highest feature that a split names.
    features: usize,
}

pub(super) fn predictor(bytes: &[u8]) -> Result<ShapePredictor, Fault> {
    let reader = &mut Reader::new(bytes);
    if bytes.starts_with(BZIP2) {
        return Err(reader.fault("compressed with bzip2; unpack it first (bunzip2 FILE)"));
    }
    let expected = "expected a shape predictor of dlib, such as shape_predictor_68_face_landmarks.dat";
    reader
        .expect(VERSION, "the version")
        .map_err(|Fault { at, reason }| Fault { at, reason: format!("{reason}; {expected}") })?;
    let mean = mean_shape(reader)?;
    let mut depth = None;
    let forests = reader.length(INT_BYTES, "cascades")?;
    let forests = (0..forests).map(|_| forest(reader, mean.len(), &mut depth)).collect::<Result<Vec<_>, _>>()?;
    let Some(depth) = depth else { return Err(reader.fault("no cascades")) };
    let anchors = each_cascade(reader, &forests, "lists of anchors", |r, forest| anchors(r, forest, mean.len() / 2))?;
    let deltas = each_cascade(reader, &anchors, "lists of deltas", |r, anchors| deltas(r, anchors.len()))?;
    if reader.left() > 0 {
        return Err(reader.fault(format!("{} bytes follow the end of the predictor", reader.left())));
    }
    let cascades = forests.into_iter().zip(anchors).zip(deltas).map(|((forest, anchors), deltas)| {
        let features = anchors.into_iter().zip(deltas).map(|(anchor, delta)| Feature { anchor, delta }).collect();
        Cascade { features, splits: forest.splits, leaves: forest.leaves }
    });
    Ok(ShapePredictor { cascades: cascades.collect(), mean, depth })
}

/// A column of coordinates: x and y of each point. Sizes of matrices are written with a minus.
fn mean_shape(reader: &mut Reader) -> Result<Vec<f32>, Fault> {
    let rows = reader.int()?;
    let len = usize::try_from(-rows).unwrap_or(0);
    if len == 0 || len % 2 == 1 || len / 2 > MAX_POINTS {
        return Err(reader.fault(format!("a mean shape of {} coordinates, expected two for each point", -rows)));
    }
    reader.expect(-1, "the mean shape's number of columns (with a minus)")?;
    (0..len).map(|_| reader.float()).collect()
}

fn forest(reader: &mut Reader, shape_len: usize, depth: &mut Option<u32>) -> Result<Forest, Fault> {
    let leaf_bytes = 2 * INT_BYTES + shape_len * FLOAT_BYTES;
    let trees = reader.length(2 * INT_BYTES + SPLIT_BYTES + 2 * leaf_bytes, "trees")?;
    if trees == 0 {
        return Err(reader.fault("a cascade without trees"));
    }
    let mut forest = Forest { splits: Vec::new(), leaves: Vec::new(), features: 0 };
    for tree in 0..trees {
        let splits = reader.length(SPLIT_BYTES, "splits")?;
        let tree_depth = (splits + 1).ilog2();
        if splits == 0 || !(splits + 1).is_power_of_two() || *depth.get_or_insert(tree_depth) != tree_depth {
            return Err(reader.fault(format!("a tree of {splits} splits, expected full trees of one depth")));
        }
        // Every tree is as large as the first: one allocation each, never beyond what the file has room for.
        if tree == 0 {
            forest.splits.reserve_exact(splits * trees.min(reader.left() / (splits * SPLIT_BYTES)));
        }
        for _ in 0..splits {
            let mut feature = || reader.index(u32::MAX as usize, "feature");
            let (first, second) = (feature()?, feature()?);
            forest.features = forest.features.max(first + 1).max(second + 1);
            forest.splits.push(Split { first: first as u32, second: second as u32, threshold: reader.float()? });
        }
        reader.expect(splits as i64 + 1, "the number of leaves")?;
        if tree == 0 {
            let values = (splits + 1) * shape_len;
            forest.leaves.reserve_exact(values * trees.min(reader.left() / (values * FLOAT_BYTES)));
        }
        for _ in 0..=splits {
            reader.expect(-(shape_len as i64), "a leaf's number of coordinates (with a minus)")?;
            reader.expect(-1, "a leaf's number of columns (with a minus)")?;
            for _ in 0..shape_len {
                forest.leaves.push(reader.float()?);
            }
        }
    }
    Ok(forest)
}

/// A list with one item for each cascade.
fn each_cascade<C, T>(
    reader: &mut Reader,
    cascades: &[C],
    what: &str,
    mut item: impl FnMut(&mut Reader, &C) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    reader.expect(cascades.len() as i64, &format!("the number of {what}"))?;
    cascades.iter().map(|cascade| item(reader, cascade)).collect()
}

/// The point that each feature is attached to.
fn anchors(reader: &mut Reader, forest: &Forest, points: usize) -> Result<Vec<usize>, Fault> {
    let features = reader.length(INT_BYTES, "anchors")?;
    if features < forest.features {
        return Err(reader.fault(format!("{features} anchors, but a tree names feature {}", forest.features - 1)));
    }
    (0..features).map(|_| reader.index(points, "anchor")).collect()
}

/// The distance of each feature from its point.
fn deltas(reader: &mut Reader, features: usize) -> Result<Vec<[f32; 2]>, Fault> {
    reader.expect(features as i64, "the number of deltas")?;
    (0..features).map(|_| Ok([reader.float()?, reader.float()?])).collect()
}
