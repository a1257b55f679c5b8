//! Slides the window over one level. Cheap stages reject most windows, so that few reach the expensive stages: that is
//! the idea of the paper. Here [`LANES`] windows are evaluated at once, as long as enough of them remain.

use std::ops::ControlFlow;

use super::features::{Block, Corners, Feature, Placed, each, sum};
use super::integral::{Integrals, LANES, Layout};

/// A stage: trees whose leaf values are added up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage<T> {
    /// Windows with a smaller sum are rejected.
    pub(super) threshold: f32,
    /// Number of nodes of each tree.
    pub(super) trees: Vec<usize>,
    /// The nodes of all trees; the first of a tree is its root.
    pub(super) nodes: Vec<Node<T>>,
}

/// A node of a tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<T> {
    pub(super) feature: T,
    pub(super) left: Child,
    pub(super) right: Child,
}

/// Where a node leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Child {
    /// To a node of the same tree, further on.
    Node(usize),
    /// To the value of the tree.
    Leaf(f32),
}

impl Child {
    #[inline(always)]
    fn answer(self, answers: &[Lanes]) -> Lanes {
        match self {
            Self::Leaf(value) => [value; LANES],
            Self::Node(next) => answers[next],
        }
    }
}

impl<T: Feature> Stage<T> {
    fn place(&self, layout: &Layout) -> Stage<T::Placed> {
        let place = |node: &Node<T>| Node { feature: node.feature.place(layout), left: node.left, right: node.right };
        Stage { threshold: self.threshold, trees: self.trees.clone(), nodes: self.nodes.iter().map(place).collect() }
    }
}

impl<P: Placed> Stage<P> {
    fn trees(&self) -> impl Iterator<Item = &[Node<P>]> {
        let mut rest = &self.nodes[..];
        self.trees.iter().map(move |&len| {
            let (tree, next) = rest.split_at(len);
            rest = next;
            tree
        })
    }

    /// Whether the window in each of [`LANES`] lanes passes. Trees are evaluated from their leaves up; `answers` has
    /// the value of each node.
    #[inline(always)]
    fn passes_lanes(&self, sums: &[u32], at: usize, norms: &Lanes, answers: &mut [Lanes]) -> [bool; LANES] {
        let mut total = [0f64; LANES];
        for tree in self.trees() {
            for (k, node) in tree.iter().enumerate().rev() {
                let (left, right) = (node.left.answer(answers), node.right.answer(answers));
                let answer = node.feature.choose(sums, at, norms, &left, &right);
                if k == 0 {
                    total = each(|lane| total[lane] + f64::from(answer[lane]));
                } else {
                    answers[k] = answer;
                }
            }
        }
        each(|lane| total[lane] >= f64::from(self.threshold))
    }

    /// Whether one window passes.
    #[inline(always)]
    fn passes(&self, sums: &[u32], at: usize, norm: f32) -> bool {
        let mut total = 0f64;
        for tree in self.trees() {
            let mut k = 0;
            total += loop {
                let node = &tree[k];
                let [left] = node.feature.choose(sums, at, &[norm], &[1.0], &[0.0]);
                match if left == 1.0 { node.left } else { node.right } {
                    Child::Leaf(value) => break f64::from(value),
                    Child::Node(next) => k = next,
                }
            };
        }
        total >= f64::from(self.threshold)
    }
}

/// One number for each of the windows that are evaluated together.
type Lanes = [f32; LANES];

/// With fewer windows left in the lanes, each continues alone. Chosen by trial: 1 and 3 are up to a fifth slower.
const FEWEST_LANES: u32 = 2;

/// The area times the factor for contrast is one over the standard deviation. A window whose standard deviation is
/// below ten grey levels is flat and not a face. The value is that of OpenCV.
const FLAT: f64 = 0.1;

/// A cascade placed for one layout.
pub(super) struct Scanner<P> {
    stages: Vec<Stage<P>>,
    /// The rectangle in which contrast is measured: the window without its outermost pixels.
    inner: Option<(Corners, f64)>,
    answers: Vec<Lanes>,
    /// For the windows of a row: the result of the first stage, and the factors for contrast.
    fates: Vec<Fate>,
    norms: Vec<f32>,
}

/// The result of the first stage for a window.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Fails,
    Passes,
    Flat,
}

impl<P: Placed> Scanner<P> {
    /// Places `stages` for windows of `window` (width, height).
    pub(super) fn new<T: Feature<Placed = P>>(stages: &[Stage<T>], window: (usize, usize), layout: &Layout) -> Self {
        let inner = Block { x: 1, y: 1, width: window.0 - 2, height: window.1 - 2 };
        let longest = stages.iter().flat_map(|stage| &stage.trees).max().copied().unwrap_or(0);
        Self {
            stages: stages.iter().map(|stage| stage.place(layout)).collect(),
            inner: T::NORMALISED.then(|| (inner.corners(layout), (inner.width * inner.height) as f64)),
            answers: vec![[0.0; LANES]; longest],
            fates: Vec::new(),
            norms: Vec::new(),
        }
    }

    /// Calls `found` with the index of each of the `count` windows on row `y` that passes all stages, from the left.
    #[inline(always)]
    pub(super) fn scan_row(
        &mut self,
        integrals: &Integrals,
        y: usize,
        count: usize,
        mut found: impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let row = integrals.layout.offset(0, y);
        self.first_stage(integrals, row, count);
        self.skip_after_failures(count);
        for first in (0..count).step_by(LANES) {
            let fates = &self.fates[first..first + LANES];
            let mut alive = (0..LANES).filter(|&k| fates[k] == Fate::Passes).fold(0u32, |alive, k| alive | 1 << k);
            if alive == 0 {
                continue;
            }
            let norms: &Lanes = self.norms[first..].first_chunk().unwrap_or(&[0.0; LANES]);
            let mut stages = &self.stages[1..];
            while let Some((stage, rest)) = stages.split_first().filter(|_| alive.count_ones() >= FEWEST_LANES) {
                let passes = stage.passes_lanes(&integrals.sums, row + first, norms, &mut self.answers);
                alive &= bits(&passes);
                stages = rest;
            }
            while alive != 0 {
                let k = alive.trailing_zeros() as usize;
                alive &= alive - 1;
                let mut passes = true;
                // A loop, because the inside of `all` is not compiled with the instructions of this function.
                for stage in stages {
                    passes = stage.passes(&integrals.sums, row + first + k, norms[k]);
                    if !passes {
                        break;
                    }
                }
                if passes {
                    found(first + k)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Contrast and first stage of all windows of a row.
    #[inline(always)]
    fn first_stage(&mut self, integrals: &Integrals, row: usize, count: usize) {
        let padded = count.next_multiple_of(LANES);
        self.fates.resize(padded, Fate::Fails);
        self.norms.resize(padded, 0.0);
        for first in (0..count).step_by(LANES) {
            let (norms, contrasty) = match &self.inner {
                Some((corners, area)) => {
                    let sums = sum::<LANES>(&integrals.sums, row + first, corners);
                    let squares = sum::<LANES>(&integrals.squares, row + first, corners);
                    contrast(&sums, &squares, *area)
                }
                None => ([1.0; LANES], [true; LANES]),
            };
            let passes = self.stages[0].passes_lanes(&integrals.sums, row + first, &norms, &mut self.answers);
            self.norms[first..first + LANES].copy_from_slice(&norms);
            for (k, fate) in self.fates[first..first + LANES].iter_mut().enumerate() {
                *fate = match (contrasty[k], passes[k]) {
                    (false, _) => Fate::Flat,
                    (_, true) => Fate::Passes,
                    (_, false) => Fate::Fails,
                };
            }
        }
        self.fates[count..].fill(Fate::Fails);
    }

    /// The window to the right of one that fails in the first stage is skipped.
    fn skip_after_failures(&mut self, count: usize) {
        let mut k = 0;
        while k < count {
            if self.fates[k] == Fate::Fails {
                k += 1;
                if k < count {
                    self.fates[k] = Fate::Flat;
                }
            }
            k += 1;
        }
    }
}

#[inline(always)]
fn bits(lanes: &[bool; LANES]) -> u32 {
    lanes.iter().enumerate().fold(0, |bits, (k, &lane)| bits | u32::from(lane) << k)
}

/// The factors that bring sums of windows to the same contrast, and whether there is any contrast.
#[inline(always)]
fn contrast(sums: &[u32; LANES], squares: &[u32; LANES], area: f64) -> (Lanes, [bool; LANES]) {
    let norms: Lanes = each(|k| {
        let sum = f64::from(sums[k] as i32);
        let spread = area * f64::from(squares[k]) - sum * sum;
        if spread > 0.0 { (1.0 / spread.sqrt()) as f32 } else { f32::INFINITY }
    });
    let contrasty = each(|k| area * f64::from(norms[k]) < FLAT);
    (norms, contrasty)
}
