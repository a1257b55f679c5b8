//! Reads some rows of a column at once, whatever its type of numbers or bytes: files that went through pandas or a
//! database have doubles and long integers where ours have floats.

use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::pages::{Allowance, BoundedPages};

/// Most coordinates of a row: 14 times as many as in the paper.
const MAX_LIST: usize = 2000;

/// A column of a group of rows.
pub struct Column {
    reader: ColumnReader,
    descriptor: ColumnDescPtr,
    allowance: Allowance,
}

impl Column {
    pub fn new(descriptor: ColumnDescPtr, pages: Box<dyn PageReader>) -> Self {
        let allowance = Allowance::default();
        let pages = Box::new(BoundedPages { pages, allowance: allowance.clone() });
        Self { reader: get_column_reader(descriptor.clone(), pages), descriptor, allowance }
    }

    /// A number or nothing for each of the next rows. NaN is nothing, as pandas writes it.
    pub fn numbers(&mut self, rows: usize) -> Result<Vec<Option<f64>>> {
        self.allowance.renew(rows);
        let numbers = match &mut self.reader {
            ColumnReader::Int32ColumnReader(r) => flat(r, &self.descriptor, rows, |&v| f64::from(v)),
            ColumnReader::Int64ColumnReader(r) => flat(r, &self.descriptor, rows, |&v| v as f64),
            ColumnReader::FloatColumnReader(r) => flat(r, &self.descriptor, rows, |&v| f64::from(v)),
            ColumnReader::DoubleColumnReader(r) => flat(r, &self.descriptor, rows, |&v| v),
            _ => Err(mismatch("numbers")),
        }?;
        Ok(numbers.into_iter().map(|v| v.filter(|v| !v.is_nan())).collect())
    }

    /// Bytes or nothing for each of the next rows.
    pub fn bytes(&mut self, rows: usize) -> Result<Vec<Option<ByteArray>>> {
        self.allowance.renew(rows);
        match &mut self.reader {
            ColumnReader::ByteArrayColumnReader(r) => flat(r, &self.descriptor, rows, ByteArray::clone),
            ColumnReader::FixedLenByteArrayColumnReader(r) => flat(r, &self.descriptor, rows, |v| (**v).clone()),
            _ => Err(mismatch("text or bytes")),
        }
    }

    /// The numbers of each of the next rows; `None` in them where one is missing.
    pub fn lists(&mut self, rows: usize) -> Result<Vec<Vec<Option<f32>>>> {
        self.allowance.renew(rows * MAX_LIST);
        match &mut self.reader {
            ColumnReader::FloatColumnReader(r) => lists(r, &self.descriptor, rows, |&v| v),
            ColumnReader::DoubleColumnReader(r) => lists(r, &self.descriptor, rows, |&v| v as f32),
            _ => Err(mismatch("lists of numbers")),
        }
    }
}

fn flat<T: DataType, V>(
    reader: &mut ColumnReaderImpl<T>,
    descriptor: &ColumnDescPtr,
    rows: usize,
    convert: impl Fn(&T::T) -> V,
) -> Result<Vec<Option<V>>> {
    let levels = (descriptor.max_def_level(), descriptor.max_rep_level());
    if levels.0 > 1 || levels.1 > 0 {
        return Err(mismatch("one value in each row"));
    }
    let (mut present, mut values) = (Vec::new(), Vec::new());
    let (found, ..) = reader.read_records(rows, Some(&mut present), None, &mut values)?;
    if found != rows {
        return Err(ends(found, rows));
    }
    let mut values = values.iter().map(convert);
    if levels.0 == 0 {
        return Ok(values.map(Some).collect());
    }
    Ok(present.iter().map(|&level| if level == 1 { values.next() } else { None }).collect())
}

fn lists<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    descriptor: &ColumnDescPtr,
    rows: usize,
    convert: impl Fn(&T::T) -> f32,
) -> Result<Vec<Vec<Option<f32>>>> {
    if descriptor.max_rep_level() != 1 {
        return Err(mismatch("lists of numbers"));
    }
    let (mut present, mut repeated, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (found, ..) = reader.read_records(rows, Some(&mut present), Some(&mut repeated), &mut values)?;
    if found != rows {
        return Err(ends(found, rows));
    }
    let mut values = values.iter().map(convert);
    let mut lists: Vec<Vec<Option<f32>>> = Vec::with_capacity(rows);
    for (&present, &repeated) in present.iter().zip(&repeated) {
        if repeated == 0 {
            lists.push(Vec::new());
        }
        let value = if present == descriptor.max_def_level() { values.next() } else { None };
        lists.last_mut().ok_or_else(|| mismatch("lists of numbers"))?.push(value);
    }
    if lists.len() != rows {
        return Err(ends(lists.len(), rows));
    }
    Ok(lists)
}

fn mismatch(expected: &str) -> ParquetError {
    ParquetError::General(format!("expected {expected}"))
}

fn ends(found: usize, rows: usize) -> ParquetError {
    ParquetError::General(format!("ends {} rows early", rows - found.min(rows)))
}
