//! A depthwise convolution and the pointwise one that follows it: some rows of the first, then the same rows of the
//! second, so that the values between them stay in a near cache.

use std::ops::Range;

use super::conv::PackedConv;
use super::depthwise::Depthwise;
use super::finish::Finish;

/// The two, with what follows each. What is added between the two is nothing.
#[derive(Debug, Clone, Copy)]
pub struct Separable<'a> {
    /// The first.
    pub depthwise: Depthwise<'a>,
    /// What follows it: activations only.
    pub between: Finish<'a>,
    /// The second, with a window of one pixel.
    pub pointwise: &'a PackedConv,
    /// What follows that.
    pub finish: Finish<'a>,
}

impl Separable<'_> {
    /// Of one sample `[height, width, channels]` the output's `rows` only: `output` and what is added begin with the
    /// first of them. `band` is memory for some rows between the two.
    ///
    /// # Panics
    /// When a slice has another length, or `band` not room for one row.
    pub fn run_rows(
        self,
        input: &[f32],
        size: (usize, usize),
        rows: Range<usize>,
        band: &mut [f32],
        output: &mut [f32],
    ) {
        assert!(self.between.add.is_none(), "nothing is added between the two");
        let (_, w) = self.depthwise.window.over(size);
        let (row, out_row) = (w * self.depthwise.bias.len(), w * self.pointwise.outputs());
        assert_eq!(output.len(), rows.len() * out_row, "output of a separable convolution");
        let most = band.len() / row;
        assert!(most > 0, "band of a separable convolution");
        for start in rows.clone().step_by(most) {
            let some = start..(start + most).min(rows.end);
            let (band, pixels) = (&mut band[..some.len() * row], (some.len(), w));
            let out = (some.start - rows.start) * out_row..(some.end - rows.start) * out_row;
            let finish = self.finish.of(out.clone());
            self.depthwise.run_rows(input, size, some, self.between, band);
            self.pointwise.run(band, pixels, finish, &mut output[out]);
        }
    }
}
