//! The one call into the gemm crates: `c = a b` or `c += a b` with checked strides.

#![allow(unsafe_code)]

/// A matrix in a slice: its element (row, column) lies at `row * row_step + column * column_step`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// The numbers.
    pub values: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The other way round: stored column by column.
    pub transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `rows` rows of `columns` numbers, row by row.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix of {rows} by {columns}");
        Self { values, rows, columns, transposed: false }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Steps from row to row and from column to column.
    fn steps(&self) -> (isize, isize) {
        if self.transposed { (1, self.rows as isize) } else { (self.columns as isize, 1) }
    }
}

/// `c = a b`, or `c += a b` when `accumulate`; `c` is `[a.rows, b.columns]` row by row.
///
/// # Panics
/// When the sizes do not fit.
pub fn multiply(c: &mut [f32], a: Matrix, b: Matrix, accumulate: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes of a matrix product");
    assert_eq!(c.len(), a.rows * b.columns, "size of a matrix product");
    let ((a_row, a_column), (b_row, b_column)) = (a.steps(), b.steps());
    if a.columns == 0 && !accumulate {
        c.fill(0.0);
    }
    if c.is_empty() || a.columns == 0 {
        return;
    }
    let multiply = gemm_f32::gemm::f32::get_gemm_fn();
    // The kernels write columns: our rows, when all three matrices are taken as transposed, `c' = b' a'`.
    // SAFETY: `Matrix::new` and the assertions above made each slice as long as its sizes and steps say.
    unsafe {
        multiply(
            b.columns,
            a.rows,
            a.columns,
            c.as_mut_ptr(),
            b.columns as isize,
            1,
            accumulate,
            b.values.as_ptr(),
            b_row,
            b_column,
            a.values.as_ptr(),
            a_row,
            a_column,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_turned_matrices_agree_with_sums_by_hand() {
        let a: Vec<f32> = (0..6).map(|v| v as f32).collect(); // [2, 3]
        let b: Vec<f32> = (0..12).map(|v| (v % 5) as f32).collect(); // [3, 4]
        let mut c = vec![1.0; 8];
        let sum = |i: usize, j: usize| (0..3).map(|k| a[i * 3 + k] * b[k * 4 + j]).sum::<f32>();
        multiply(&mut c, Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 4), true);
        for (at, &value) in c.iter().enumerate() {
            assert_eq!(value, 1.0 + sum(at / 4, at % 4));
        }
        let mut ct = vec![0.0; 8];
        multiply(&mut ct, Matrix::new(&b, 3, 4).t(), Matrix::new(&a, 2, 3).t(), false);
        for (at, &value) in ct.iter().enumerate() {
            assert_eq!(value, sum(at % 2, at / 2));
        }
    }
}
