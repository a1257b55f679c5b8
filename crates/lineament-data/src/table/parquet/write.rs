//! Writes records as Parquet.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::{NUMBERS, SIZES, VERSION, key, name};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::record::{Origin, Record, SIDE};

/// Rows of a group: about 10 MB, which a reader may hold at once.
const GROUP_ROWS: usize = 1000;

/// Bytes of a page, as in other writers of Parquet.
const PAGE_BYTES: usize = 1 << 20;

/// Writes groups of rows.
pub struct ParquetWriter {
    writer: SerializedFileWriter<PartFile>,
    path: std::path::PathBuf,
    /// The rows of the group that is not yet full.
    rows: Vec<Record>,
}

impl ParquetWriter {
    pub fn new(part: PartFile, columns: &[String]) -> Result<Self> {
        let path = part.path().to_owned();
        let writer = schema().and_then(|schema| SerializedFileWriter::new(part, schema, properties(columns).into()));
        let writer = writer.map_err(|e| Error::records(&path, format!("cannot write: {e}")))?;
        Ok(Self { writer, path, rows: Vec::new() })
    }

    pub fn write(&mut self, record: &Record) -> Result<()> {
        self.rows.push(record.clone());
        if self.rows.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<()> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        let part = self.writer.into_inner();
        let part = part.map_err(|e| Error::records(&self.path, format!("cannot write: {e}")))?;
        part.finish().map_err(|e| Error::file(&self.path, e))
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.writer.next_row_group().and_then(|group| write_group(group, &self.rows));
        self.rows.clear();
        written.map_err(|e| Error::records(&self.path, format!("cannot write: {e}")))
    }
}

fn properties(columns: &[String]) -> WriterProperties {
    let text = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let metadata = vec![
        text(key::VERSION, VERSION.into()),
        text(key::SIDE, SIDE.to_string()),
        text(key::POINTS, (columns.len() / 2).to_string()),
        text(key::COLUMNS, columns.join(",")),
    ];
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(64) // rows after which the size of a page is checked: 600 kB of pixels
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(ColumnPath::from(name::PHOTO), true)
        .set_statistics_enabled(EnabledStatistics::None) // a lowest and highest picture mean nothing
        .set_created_by(concat!("lineament ", env!("CARGO_PKG_VERSION")).into())
        .set_key_value_metadata(Some(metadata))
        .build()
}

/// The schema, as described in `docs/tables.md`.
fn schema() -> ParquetResult<TypePtr> {
    let optional = |name, physical, logical| {
        let column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        column.with_logical_type(logical).build().map(Arc::new)
    };
    let required = |name, physical| {
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    };
    let group = |name, repetition, field, logical| {
        let group = Type::group_type_builder(name).with_repetition(repetition).with_fields(vec![field]);
        group.with_logical_type(logical).build().map(Arc::new)
    };
    let mut fields = vec![optional(name::PHOTO, Physical::BYTE_ARRAY, Some(LogicalType::String))?];
    for name in SIZES {
        fields.push(optional(name, Physical::INT64, None)?);
    }
    for number in &NUMBERS {
        fields.push(optional(number.name, Physical::FLOAT, None)?);
    }
    let element = required("element", Physical::FLOAT)?;
    let list = group("list", Repetition::REPEATED, element, None)?;
    fields.push(group(name::POINTS, Repetition::REQUIRED, list, Some(LogicalType::List))?);
    fields.push(required(name::PIXELS, Physical::BYTE_ARRAY)?);
    Type::group_type_builder("faces").with_fields(fields).build().map(Arc::new)
}

fn write_group(mut group: SerializedRowGroupWriter<'_, PartFile>, rows: &[Record]) -> ParquetResult<()> {
    let origins = || rows.iter().map(|row| row.origin.as_ref());
    let photo = |o: &Origin| ByteArray::from(o.photo.as_str());
    write_optional::<ByteArrayType>(&mut group, origins().map(|o| o.map(photo)))?;
    write_optional::<Int64Type>(&mut group, origins().map(|o| o.map(|o| o.photo_size.0.into())))?;
    write_optional::<Int64Type>(&mut group, origins().map(|o| o.map(|o| o.photo_size.1.into())))?;
    for number in &NUMBERS {
        write_optional::<FloatType>(&mut group, origins().map(|o| o.and_then(number.value)))?;
    }
    let points: Vec<f32> = rows.iter().flat_map(|row| &row.points).flat_map(|p| [p.x, p.y]).collect();
    let starts: Vec<i16> = rows.iter().flat_map(|row| (0..2 * row.points.len()).map(|i| (i > 0).into())).collect();
    write_column::<FloatType>(&mut group, &points, Some(&vec![1; points.len()]), Some(&starts))?;
    let pixels: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.pixels.clone())).collect();
    write_column::<ByteArrayType>(&mut group, &pixels, None, None)?;
    group.close().map(|_| ())
}

pub fn write_optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, PartFile>,
    values: impl Iterator<Item = Option<T::T>>,
) -> ParquetResult<()> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(value.is_some().into());
        present.extend(value);
    }
    write_column::<T>(group, &present, Some(&levels), None)
}

/// Writes the next column of the group.
pub fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, PartFile>,
    values: &[T::T],
    definition: Option<&[i16]>,
    repetition: Option<&[i16]>,
) -> ParquetResult<()> {
    let mut column = group.next_column()?.expect("the schema has a column for each that is written");
    column.typed::<T>().write_batch(values, definition, repetition)?;
    column.close()
}
