//! Where each value lies in memory: planned once, so that running allocates nothing.

use std::ops::Range;

use super::aligned::LINE;
use super::fuse::{FusedOp, Work};
use super::integers::Integers;
use crate::error::{Error, Result};
use crate::model::{Architecture, Shape, ValueId};

/// Most numbers between layers, 512 MB: far above any network for faces, below what makes a small hostile file ask for
/// all memory.
const MAX_LEN: usize = 1 << 27;

/// Numbers that are made at once before something else is made of them, as between a depthwise convolution and the
/// pointwise one behind it: they stay in the near caches until then. Chosen by trial: a quarter of it costs 2 %, all at
/// once nothing on small maps.
const BAND: usize = 1 << 14;

/// The place of every value in one block of memory.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Shapes of all values, input first.
    pub shapes: Vec<Shape>,
    /// Each value's place; values that are never alive together share places. Empty for a value within a fused op.
    pub places: Vec<Range<usize>>,
    /// Memory for what lies within a fused op, behind all places.
    pub workspace: Range<usize>,
}

impl Plan {
    /// Plans `architecture` for an input of this size.
    ///
    /// # Errors
    /// [`Error::Model`] when the layers do not fit the size, or would take more than 512 MB.
    pub fn new(architecture: &Architecture, input: Shape) -> Result<Self> {
        Self::of_ops(&FusedOp::all(architecture), architecture, input, &Integers::default(), |_, _| 0)
    }

    /// As [`Plan::new`], where the fused ops are known, which values are stored quantised, and what memory each fused
    /// op needs for that besides the usual.
    pub(super) fn of_ops(
        ops: &[FusedOp],
        architecture: &Architecture,
        input: Shape,
        integers: &Integers,
        staging: impl Fn(usize, &[Shape]) -> usize,
    ) -> Result<Self> {
        let shapes = architecture.shapes_for(input)?;
        let last_use = last_uses(ops, architecture);
        let mut places = vec![0..0; shapes.len()];
        // Values in the order of their making, with the fused op that reads them last.
        let mut made: Vec<(ValueId, usize)> = Vec::new();
        let mut len = 0;
        for time in 0..=ops.len() {
            let value = time.checked_sub(1).map_or(0, |fused| ops[fused].output);
            let is_plain = |s: &&FusedOp| s.in_place() && integers.is_plain(s.input) && integers.is_plain(s.output);
            let replaced = time.checked_sub(1).map(|fused| &ops[fused]).filter(is_plain).map(|s| s.input);
            let numbers = integers.numbers(value, shapes[value]);
            places[value] = match replaced.filter(|&input| last_use[input] == time) {
                Some(input) => places[input].clone(),
                None => {
                    let alive = made.iter().filter(|&&(_, last)| last >= time).map(|&(v, _)| &places[v]);
                    first_gap(alive, numbers.next_multiple_of(LINE), numbers)
                }
            };
            if let Some(input) = replaced.filter(|&input| last_use[input] == time) {
                made.retain(|&(v, _)| v != input);
            }
            made.push((value, last_use[value].max(time)));
            len = len.max(places[value].end.next_multiple_of(LINE));
        }
        let room = |(i, fused)| workspace(fused, &shapes).saturating_add(staging(i, &shapes));
        let workspace = ops.iter().enumerate().map(room).max().unwrap_or(0);
        let workspace = len..len.saturating_add(workspace);
        if workspace.end > MAX_LEN {
            let len = workspace.end;
            return Err(Error::Model(format!("its values take {len} numbers, more than {MAX_LEN}")));
        }
        Ok(Self { shapes, places, workspace })
    }

    /// Numbers in the block.
    pub fn len(&self) -> usize {
        self.workspace.end
    }

    /// Always false, as there is an input.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Of `len` numbers that are made by the `grain` how many are made at once.
pub(super) fn band(grain: usize, len: usize) -> usize {
    ((BAND / grain).max(1) * grain).min(len)
}

/// Numbers that `fused` needs besides its input and output.
fn workspace(fused: &FusedOp, shapes: &[Shape]) -> usize {
    match fused.work {
        Work::Separable { depthwise, .. } => {
            let shape = shapes[depthwise + 1];
            band(shape.width * shape.channels, shape.len())
        }
        _ => 0,
    }
}

/// The first place of `len` numbers between those that are `alive`, where `room` is free.
fn first_gap<'a>(alive: impl Iterator<Item = &'a Range<usize>>, room: usize, len: usize) -> Range<usize> {
    let mut alive: Vec<&Range<usize>> = alive.collect();
    alive.sort_by_key(|place| place.start);
    let mut start = 0;
    for place in alive {
        if start + room <= place.start {
            break;
        }
        start = start.max(place.end.next_multiple_of(LINE));
    }
    start..start + len
}

/// For each value when it is read last: 1 for the first fused op; outputs live to the end.
fn last_uses(ops: &[FusedOp], architecture: &Architecture) -> Vec<usize> {
    let mut last = vec![0; architecture.layers.len() + 1];
    for (i, fused) in ops.iter().enumerate() {
        fused.inputs().for_each(|value| last[value] = i + 1);
    }
    for output in &architecture.outputs {
        last[output.value] = usize::MAX;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Op};

    #[test]
    fn values_that_live_together_never_share_a_place() {
        let mut net = Architecture::new(Shape::hwc(8, 8, 5));
        let conv = Op::Conv { filters: 5, kernel: 3, stride: 1, padding: 1 };
        let first = net.push(conv);
        net.push(conv);
        let sum = net.push(Op::Add { with: first });
        net.push(conv);
        net.output("sum", sum);
        net.push(Op::Activation(Activation::Relu));
        net.push(Op::Activation(Activation::Relu));
        let last = net.push(conv);
        net.output("last", last);
        let ops = FusedOp::all(&net);
        let plan = Plan::of_ops(&ops, &net, net.input, &Integers::default(), |_, _| 0).unwrap();
        let last_use = last_uses(&ops, &net);
        for (i, fused) in ops.iter().enumerate() {
            let place = &plan.places[fused.output];
            assert!(place.start.is_multiple_of(LINE) && place.len() == plan.shapes[fused.output].len());
            let before = ops[..i].iter().map(|s| s.output).chain([0]);
            for other in before.filter(|&v| last_use[v] > i) {
                let apart = place.end <= plan.places[other].start || plan.places[other].end <= place.start;
                let replaced = fused.in_place() && other == fused.input && last_use[other] == i + 1;
                assert!(apart != replaced, "values {other} and {} of {plan:?}", fused.output);
            }
        }
        assert!(plan.len() < plan.shapes.iter().map(Shape::len).sum(), "some memory is used twice");
    }

    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        let mut net = Architecture::new(Shape::hwc(1 << 15, 1 << 15, 1));
        net.push(Op::MaxPool);
        assert!(Plan::new(&net, net.input).is_err());
    }
}
