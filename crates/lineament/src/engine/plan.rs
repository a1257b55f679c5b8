//! Where each value lies in memory: planned once, so that running allocates nothing.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::model::{Architecture, Shape};

/// Most numbers between layers, 512 MB: far above any network for faces, below what makes a small hostile file ask for
/// all memory.
const MAX_LEN: usize = 1 << 27;

/// The place of every value in one block of memory.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Shapes of all values, input first.
    pub shapes: Vec<Shape>,
    /// Each value's place; values that are never alive together share places.
    pub places: Vec<Range<usize>>,
    /// Numbers in the block.
    pub len: usize,
}

impl Plan {
    /// Plans `architecture` for an input of this size.
    ///
    /// # Errors
    /// [`Error::Model`] when the layers do not fit the size, or would take more than 512 MB.
    pub fn new(architecture: &Architecture, input: Shape) -> Result<Self> {
        let shapes = architecture.shapes_for(input)?;
        let last_use = last_uses(architecture);
        let mut places: Vec<Range<usize>> = Vec::with_capacity(shapes.len());
        let mut len = 0;
        for (value, shape) in shapes.iter().enumerate() {
            // Alive now: made before, read now or later. A layer's inputs are read while its output is written.
            let mut alive: Vec<&Range<usize>> =
                places.iter().enumerate().filter(|&(v, _)| last_use[v] >= value).map(|(_, place)| place).collect();
            alive.sort_by_key(|place| place.start);
            let mut start = 0;
            for place in alive {
                if start + shape.len() <= place.start {
                    break;
                }
                start = start.max(place.end);
            }
            places.push(start..start + shape.len());
            len = len.max(start + shape.len());
        }
        if len > MAX_LEN {
            return Err(Error::Model(format!("its values take {len} numbers, more than {MAX_LEN}")));
        }
        Ok(Self { shapes, places, len })
    }
}

/// For each value the last value whose making reads it; outputs live to the end.
fn last_uses(architecture: &Architecture) -> Vec<usize> {
    let mut last: Vec<usize> = (0..=architecture.layers.len()).collect();
    for (i, layer) in architecture.layers.iter().enumerate() {
        last[layer.input] = i + 1;
        if let Some(second) = layer.op.second_input() {
            last[second] = i + 1;
        }
    }
    for output in &architecture.outputs {
        last[output.value] = usize::MAX;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Op;

    #[test]
    fn values_that_live_together_never_share_a_place() {
        let mut net = Architecture::new(Shape::hwc(8, 8, 4));
        let conv = Op::Conv { filters: 4, kernel: 3, stride: 1, padding: 1 };
        let first = net.push(conv);
        net.push(conv);
        let sum = net.push(Op::Add { with: first });
        net.push(conv);
        net.output("sum", sum);
        let last = net.push(conv);
        net.output("last", last);
        let plan = Plan::new(&net, net.input).unwrap();
        let last_use = last_uses(&net);
        for (a, place) in plan.places.iter().enumerate() {
            for (b, other) in plan.places.iter().enumerate().skip(a + 1) {
                let together = last_use[a] >= b;
                let apart = place.end <= other.start || other.end <= place.start;
                assert!(!together || apart, "values {a} and {b} at {place:?} and {other:?}");
            }
        }
        assert!(plan.len < plan.shapes.iter().map(Shape::len).sum(), "some memory is used twice");
    }

    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        let mut net = Architecture::new(Shape::hwc(1 << 15, 1 << 15, 1));
        net.push(Op::MaxPool);
        assert!(Plan::new(&net, net.input).is_err());
    }
}
