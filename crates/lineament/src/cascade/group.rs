//! Joins the many windows around one face into one box, as OpenCV's `groupRectangles` does.

/// An upright rectangle in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// How far the edges of two windows of one face may be apart, as a share of their size.
const SIMILARITY: f64 = 0.2;

impl Window {
    fn right(&self) -> i32 {
        self.x + self.width
    }

    fn bottom(&self) -> i32 {
        self.y + self.height
    }

    fn is_similar(&self, other: &Self) -> bool {
        let size = self.width.min(other.width) + self.height.min(other.height);
        let most = SIMILARITY * f64::from(size) * 0.5;
        let near = |a: i32, b: i32| f64::from((a - b).abs()) <= most;
        near(self.x, other.x)
            && near(self.y, other.y)
            && near(self.right(), other.right())
            && near(self.bottom(), other.bottom())
    }

    /// Lies within `other`, enlarged by [`SIMILARITY`] on each side.
    fn is_within(&self, other: &Self) -> bool {
        let grow = |side: i32| (f64::from(side) * SIMILARITY).round_ties_even() as i32;
        let (dx, dy) = (grow(other.width), grow(other.height));
        self.x >= other.x - dx
            && self.y >= other.y - dy
            && self.right() <= other.right() + dx
            && self.bottom() <= other.bottom() + dy
    }
}

/// The mean of each set of similar windows and the size of the set, for sets of more than `min_neighbors` windows. A
/// mean that lies within the mean of a clearly larger set is dropped. With `min_neighbors` 0, returns all windows as
/// they are.
pub(super) fn group(windows: &[Window], min_neighbors: u32) -> Vec<(Window, u32)> {
    if min_neighbors == 0 {
        return windows.iter().map(|&window| (window, 1)).collect();
    }
    let (mut sums, mut counts) = (Vec::<[i64; 4]>::new(), Vec::<u32>::new());
    for (window, set) in windows.iter().zip(partition(windows)) {
        if set == sums.len() {
            sums.push([0; 4]);
            counts.push(0);
        }
        for (sum, side) in sums[set].iter_mut().zip([window.x, window.y, window.width, window.height]) {
            *sum += i64::from(side);
        }
        counts[set] += 1;
    }
    let means = sums.iter().zip(&counts).map(|(&sum, &count)| (mean(sum, count), count));
    let means: Vec<(Window, u32)> = means.filter(|&(_, count)| count > min_neighbors).collect();
    let hidden = |(at, &(window, count)): (usize, &(Window, u32))| {
        means.iter().enumerate().any(|(other_at, &(other, other_count))| {
            at != other_at && (other_count > count.max(3) || count < 3) && window.is_within(&other)
        })
    };
    means.iter().enumerate().filter(|&(at, mean)| !hidden((at, mean))).map(|(_, &mean)| mean).collect()
}

fn mean(sum: [i64; 4], count: u32) -> Window {
    // In f32, as OpenCV does it, so that a mean of .5 is rounded as it is there.
    let part = 1.0 / count as f32;
    let [x, y, width, height] = sum.map(|sum| (sum as f32 * part).round_ties_even() as i32);
    Window { x, y, width, height }
}

/// The set of each window; sets are numbered in the order of their first windows. Similar windows belong to one set,
/// and so do windows that other windows link.
fn partition(windows: &[Window]) -> Vec<usize> {
    // Sorted by the left edge, so that only windows within reach are compared.
    let mut by_x: Vec<usize> = (0..windows.len()).collect();
    by_x.sort_by_key(|&at| windows[at].x);
    let mut parents: Vec<usize> = (0..windows.len()).collect();
    for (k, &at) in by_x.iter().enumerate() {
        let window = &windows[at];
        let reach = window.x + (SIMILARITY * 0.5 * f64::from(window.width + window.height)).ceil() as i32;
        for &other in by_x[k + 1..].iter().take_while(|&&other| windows[other].x <= reach) {
            if window.is_similar(&windows[other]) {
                let (a, b) = (root(&mut parents, at), root(&mut parents, other));
                // The root of a set is its first window.
                parents[a.max(b)] = a.min(b);
            }
        }
    }
    let mut sets = vec![0; windows.len()];
    let mut count = 0;
    for at in 0..windows.len() {
        let root = root(&mut parents, at);
        sets[at] = if root == at {
            count += 1;
            count - 1
        } else {
            sets[root]
        };
    }
    sets
}

/// The root of a set; halves the path to it.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn square(x: i32, y: i32, width: i32) -> Window {
        Window { x, y, width, height: width }
    }

    #[test]
    fn sets_become_their_means_and_small_ones_within_larger_ones_go() {
        let mut windows = vec![square(300, 300, 40)];
        windows.extend((0..6).map(|k| square(100 + k, 50, 41 - k % 2)));
        windows.extend([square(105, 55, 24), square(105, 55, 24)]);
        // Ties round to even: 102.5 becomes 102, 40.5 becomes 40.
        assert_eq!(group(&windows, 1), [(square(102, 50, 40), 6)]);
        assert_eq!(group(&windows, 0).len(), windows.len());
        assert_eq!(group(&windows, 6), []);
        // A set of three or more windows is not dropped for another set.
        windows.push(square(106, 55, 24));
        assert_eq!(group(&windows, 1), [(square(102, 50, 40), 6)]);
        windows[1..7].iter_mut().for_each(|window| window.x += 500);
        assert_eq!(group(&windows, 1), [(square(602, 50, 40), 6), (square(105, 55, 24), 3)]);
    }

    proptest! {
        #[test]
        fn sets_are_what_comparing_all_with_all_gives(
            places in proptest::collection::vec((0i32..60, 0i32..60, 10i32..60), 0..40),
        ) {
            let windows: Vec<Window> = places.iter().map(|&(x, y, width)| square(x, y, width)).collect();
            // Each window takes the lowest number among the windows similar to it, until nothing changes.
            let mut lowest: Vec<usize> = (0..windows.len()).collect();
            for _ in 0..windows.len() {
                for (a, first) in windows.iter().enumerate() {
                    for (b, second) in windows.iter().enumerate() {
                        if first.is_similar(second) {
                            lowest[a] = lowest[a].min(lowest[b]);
                        }
                    }
                }
            }
            let mut roots: Vec<usize> = lowest.clone();
            roots.sort_unstable();
            roots.dedup();
            let expected: Vec<usize> = lowest.iter().map(|low| roots.binary_search(low).unwrap()).collect();
            prop_assert_eq!(partition(&windows), expected);
        }
    }
}
