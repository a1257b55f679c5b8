//! Reads cascade files in the current format of OpenCV and in the one before it. Both become the same stages.
//!
//! Whatever the text contains, the result is sound: features lie within the window, trees lead forward and end in
//! leaves, and numbers are finite. Memory is proportional to the length of the text.

use crate::error::Result;

use super::features::{Block, Haar, Lbp};
use super::scan::{Child, Node, Stage};
use super::xml::{Element, document};
use super::{Cascade, Stages};

/// Shortest and longest side of the window in pixels. A smaller window has nothing inside its outermost pixels; in a
/// larger one, sums of squares do not fit in 32 bits. OpenCV's cascades have 14 to 64.
const WINDOW_SIDE: (i64, i64) = (3, 256);

/// Most nodes of a tree. Trees of OpenCV's files have up to 9.
const MAX_NODES: usize = 255;

/// What the threshold of a stage may have lost when it was printed; the value that OpenCV uses.
const THRESHOLD_SLACK: f32 = 1e-5;

/// Words of 32 bits with one bit for each local binary pattern.
const PATTERN_WORDS: usize = 8;

/// A cascade from the text of its file.
pub(super) fn parse(text: &str) -> Result<Cascade> {
    let document = document(text)?;
    let root = Element::cascade(&document)?;
    if root.attribute("type_id") == Some("opencv-haar-classifier") { parse_old(root) } else { parse_new(root) }
}

fn parse_new(root: Element) -> Result<Cascade> {
    root.child("stageType")?.word(&["BOOST"])?;
    let kind = root.child("featureType")?.word(&["HAAR", "LBP"])?;
    let side = |name| root.child(name).and_then(|side| window_side(side, side.number()?));
    let window = (side("width")?, side("height")?);
    let categories = root.child("featureParams")?.optional("maxCatCount");
    if let Some(element) = categories {
        let expected = if kind == "LBP" { 32 * PATTERN_WORDS as i64 } else { 0 };
        element.whole(element.number()?, expected..=expected)?;
    }
    let features = root.child("features")?;
    let stages = if kind == "LBP" {
        let blocks = features.items().map(|item| lbp_block(item, window)).collect::<Result<Vec<_>>>()?;
        Stages::Lbp(new_stages::<Lbp>(root, 3 + PATTERN_WORDS, |element, node| {
            let mut patterns = [0; PATTERN_WORDS];
            for (pattern, &word) in patterns.iter_mut().zip(&node[3..]) {
                // The file has signed numbers; only their bits matter.
                *pattern = element.whole(word, i64::from(i32::MIN)..=i64::from(u32::MAX))? as u32;
            }
            Ok(Lbp { block: blocks[index(element, node[2], blocks.len())?], patterns })
        })?)
    } else {
        let haars = features.items().map(|item| haar(item, window)).collect::<Result<Vec<_>>>()?;
        Stages::Haar(new_stages::<Haar>(root, 3 + 1, |element, node| {
            let haar = haars[index(element, node[2], haars.len())?].clone();
            Ok(Haar { threshold: element.narrow(node[3])?, ..haar })
        })?)
    };
    Ok(Cascade { window, stages })
}

/// The stages of the current format. A node has `length` numbers: left and right child, the index of the feature, and
/// the rest, from which `make` makes the feature.
fn new_stages<T>(root: Element, length: usize, make: impl Fn(Element, &[f64]) -> Result<T>) -> Result<Vec<Stage<T>>> {
    stages(root, |stage| {
        let threshold = stage.child("stageThreshold")?;
        let trees = stage.child("weakClassifiers")?.items().map(|tree| {
            let (element, leaves) = (tree.child("internalNodes")?, tree.child("leafValues")?);
            let numbers = element.numbers()?;
            let (nodes, []) = (numbers.chunks_exact(length), numbers.chunks_exact(length).remainder()) else {
                return Err(element.fail(&format!("{} numbers are not so many nodes of {length}", numbers.len())));
            };
            let leaf_values = leaves.numbers()?;
            let (node_count, leaf_count) = (nodes.len(), leaf_values.len());
            if leaf_count != node_count + 1 {
                return Err(leaves.fail(&format!("{leaf_count} leaves for {node_count} nodes, which have one more")));
            }
            let child = |at: usize, link: f64| {
                // Above 0: the index of a node. From 0 downwards: the index of a leaf.
                match element.whole(link, -(node_count as i64)..=node_count as i64 - 1)? {
                    link @ ..=0 => Ok(Child::Leaf(leaves.narrow(leaf_values[-link as usize])?)),
                    link => later_node(element, at, link),
                }
            };
            let node = |(at, node): (usize, &[f64])| {
                Ok(Node { left: child(at, node[0])?, right: child(at, node[1])?, feature: make(element, node)? })
            };
            nodes.enumerate().map(node).collect()
        });
        Ok((threshold.number()?, trees.collect::<Result<_>>()?))
    })
}

/// The older format, whose nodes contain features and leaves. The links between stages are not read: as in OpenCV,
/// stages follow each other in the order of the file.
fn parse_old(root: Element) -> Result<Cascade> {
    let size = root.child("size")?;
    let &[width, height] = &size.numbers()?[..] else { return Err(size.fail("width and height are expected here")) };
    let window = (window_side(size, width)?, window_side(size, height)?);
    let stages = stages(root, |stage| {
        let threshold = stage.child("stage_threshold")?;
        let trees = stage.child("trees")?.items().map(|tree| {
            let count = tree.items().count() as i64;
            let child = |node: Element, at: usize, value: &str, link: &str| match node.optional(value) {
                Some(value) => Ok(Child::Leaf(value.narrow(value.number()?)?)),
                None => {
                    let link = node.child(link)?;
                    later_node(link, at, link.whole(link.number()?, 0..=count - 1)?)
                }
            };
            let node = |(at, node): (usize, Element)| {
                let threshold = node.child("threshold")?;
                Ok(Node {
                    left: child(node, at, "left_val", "left_node")?,
                    right: child(node, at, "right_val", "right_node")?,
                    feature: Haar {
                        threshold: threshold.narrow(threshold.number()?)?,
                        ..haar(node.child("feature")?, window)?
                    },
                })
            };
            tree.items().enumerate().map(node).collect()
        });
        Ok((threshold.number()?, trees.collect::<Result<_>>()?))
    })?;
    Ok(Cascade { window, stages: Stages::Haar(stages) })
}

/// The stages of either format; `read` reads the threshold and the trees of one stage.
fn stages<T>(root: Element, read: impl Fn(Element) -> Result<(f64, Vec<Vec<Node<T>>>)>) -> Result<Vec<Stage<T>>> {
    let list = root.child("stages")?;
    let stage = |element: Element| {
        let (threshold, trees) = read(element)?;
        if trees.is_empty() {
            return Err(element.fail("a stage without trees"));
        }
        if let Some(tree) = trees.iter().find(|tree| tree.is_empty() || tree.len() > MAX_NODES) {
            return Err(element.fail(&format!("a tree of {} nodes; from 1 to {MAX_NODES} are read", tree.len())));
        }
        Ok(Stage {
            threshold: element.narrow(threshold)? - THRESHOLD_SLACK,
            trees: trees.iter().map(Vec::len).collect(),
            nodes: trees.into_iter().flatten().collect(),
        })
    };
    let stages = list.items().map(stage).collect::<Result<Vec<_>>>()?;
    if stages.is_empty() { Err(list.fail("a cascade without stages")) } else { Ok(stages) }
}

/// A link that must lead forward, so that no tree has a cycle.
fn later_node(element: Element, at: usize, link: i64) -> Result<Child> {
    match usize::try_from(link) {
        Ok(link) if link > at => Ok(Child::Node(link)),
        _ => Err(element.fail(&format!("node {at} leads back to {link}"))),
    }
}

fn window_side(element: Element, side: f64) -> Result<usize> {
    Ok(element.whole(side, WINDOW_SIDE.0..=WINDOW_SIDE.1)? as usize)
}

fn index(element: Element, number: f64, count: usize) -> Result<usize> {
    Ok(element.whole(number, 0..=count as i64 - 1)? as usize)
}

/// Two or three weighted rectangles within the window. The threshold comes from the node and is not set yet.
fn haar(element: Element, window: (usize, usize)) -> Result<Haar> {
    let tilted = match element.optional("tilted") {
        Some(tilted) => tilted.number()? != 0.0,
        None => false,
    };
    let mut haar = Haar { blocks: [Block::default(); 3], weights: [0.0; 3], tilted, threshold: 0.0 };
    let mut count = 0;
    for item in element.child("rects")?.items() {
        let &[x, y, width, height, weight] = &item.numbers()?[..] else {
            return Err(item.fail("x, y, width, height and weight are expected here"));
        };
        if count == haar.blocks.len() {
            return Err(item.fail("a feature has at most three rectangles"));
        }
        let block = block(item, [x, y, width, height])?;
        let Block { x, y, width, height } = block;
        let inside = if tilted {
            x >= height && x + width <= window.0 && y + width + height <= window.1
        } else {
            x + width <= window.0 && y + height <= window.1
        };
        if !inside {
            return Err(item.fail("the rectangle is not within the window"));
        }
        (haar.blocks[count], haar.weights[count]) = (block, item.narrow(weight)?);
        count += 1;
    }
    if count == 0 { Err(element.fail("a feature without rectangles")) } else { Ok(haar) }
}

/// The first of the nine blocks of a pattern, all of which lie within the window.
fn lbp_block(element: Element, window: (usize, usize)) -> Result<Block> {
    let rect = element.child("rect")?;
    let numbers = rect.numbers()?;
    let Ok(sides) = <[f64; 4]>::try_from(numbers) else {
        return Err(rect.fail("x, y, width and height are expected here"));
    };
    let block = block(rect, sides)?;
    if block.x + 3 * block.width > window.0 || block.y + 3 * block.height > window.1 {
        return Err(rect.fail("three by three blocks are not within the window"));
    }
    Ok(block)
}

fn block(element: Element, sides: [f64; 4]) -> Result<Block> {
    let side = |at: usize, least: i64| Ok::<_, crate::Error>(element.whole(sides[at], least..=WINDOW_SIDE.1)? as usize);
    Ok(Block { x: side(0, 0)?, y: side(1, 0)?, width: side(2, 1)?, height: side(3, 1)? })
}
