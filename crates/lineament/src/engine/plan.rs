//! Where each value lies in memory: planned once, so that running allocates nothing.

use std::ops::Range;

use crate::error::Result;
use crate::model::{Architecture, Op, Shape};

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
    /// When the layers do not fit the size.
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
        Ok(Self { shapes, places, len })
    }
}

/// For each value the last value whose making reads it; outputs live to the end.
fn last_uses(architecture: &Architecture) -> Vec<usize> {
    let mut last: Vec<usize> = (0..=architecture.layers.len()).collect();
    for (i, layer) in architecture.layers.iter().enumerate() {
        last[layer.input] = i + 1;
        if let Op::Add { with } = layer.op {
            last[with] = i + 1;
        }
    }
    for output in &architecture.outputs {
        last[output.value] = usize::MAX;
    }
    last
}
