//! Label tables as Parquet: the columns of the CSV, with null where a cell is empty there.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::super::columns::START;
use super::super::{BadRow, Labelled, numbers};
use super::{header, labelled, names_of};
use crate::error::{Error, Result};
use crate::part_file::PartFile;
use crate::table::parquet::groups::Groups;
use crate::table::parquet::write::{write_column, write_optional};

/// Values of a group of rows: 4 MB, which a reader may hold at once.
const GROUP_VALUES: usize = 1 << 20;

/// Reads rows.
pub struct ParquetRows {
    groups: Groups,
    path: PathBuf,
    /// Of all columns.
    columns: Vec<String>,
    names: Vec<String>,
    /// Decoded rows that are not returned yet.
    batch: VecDeque<Result<Labelled, BadRow>>,
    /// Rows that were decoded.
    decoded: u64,
}

impl ParquetRows {
    pub fn new(path: &Path, source: impl ChunkReader + 'static) -> Result<Self> {
        let fault = |reason: String| Error::labels(path.display().to_string(), reason);
        let groups = Groups::open(source).map_err(fault)?;
        let columns: Vec<String> = groups.names().map(str::to_owned).collect();
        let names = names_of(&columns).map_err(fault)?;
        Ok(Self { groups, path: path.to_owned(), columns, names, batch: VecDeque::new(), decoded: 0 })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn share_read(&self) -> f64 {
        let read = self.decoded - self.batch.len() as u64;
        (read as f64 / self.groups.rows().max(1) as f64).min(1.0)
    }

    pub fn next_labelled(&mut self) -> Result<Option<Result<Labelled, BadRow>>> {
        if self.batch.is_empty() {
            let first = self.decoded + 1;
            self.decode()
                .map_err(|reason| Error::labels(format!("{}: rows from {first}", self.path.display()), reason))?;
        }
        Ok(self.batch.pop_front())
    }

    /// Decodes the next rows; none at the end.
    fn decode(&mut self) -> Result<(), String> {
        let rows = self.groups.advance(self.columns.iter().map(String::as_str))?;
        if rows == 0 {
            return Ok(());
        }
        let missing = |name: &str| format!("no column `{name}`");
        let photos = self.groups.column(START[0], |column| column.bytes(rows))?.ok_or_else(|| missing(START[0]))?;
        let mut values = Vec::with_capacity(self.columns.len() - 1);
        for name in &self.columns[1..] {
            values.push(self.groups.column(name, |column| column.numbers(rows))?.ok_or_else(|| missing(name))?);
        }
        for (i, photo) in photos.iter().enumerate() {
            self.decoded += 1;
            let place = format!("{}: row {}", self.path.display(), self.decoded);
            let labelled = text(photo.as_ref()).and_then(|photo| {
                let value = |column: usize| values[column - 1][i].map(numbers::checked).transpose();
                labelled(&self.names, photo, &place, value)
            });
            self.batch.push_back(labelled.map_err(|reason| BadRow::unreadable(place, reason)));
        }
        Ok(())
    }
}

/// The path of a photo.
fn text(photo: Option<&ByteArray>) -> Result<String, String> {
    let text = photo.map_or(Ok(""), |bytes| bytes.as_utf8().map_err(|_| "column `photo`: not text in UTF-8"))?;
    match text.trim() {
        "" => Err("column `photo` is empty".into()),
        photo => Ok(photo.to_owned()),
    }
}

/// Writes rows.
pub struct ParquetSink {
    writer: SerializedFileWriter<PartFile>,
    path: PathBuf,
    /// The rows of the group that is not yet full: their photos, and the values of each other column.
    photos: Vec<String>,
    values: Vec<Vec<Option<f32>>>,
}

impl ParquetSink {
    pub fn new(part: PartFile, names: &[String]) -> Result<Self> {
        let path = part.path().to_owned();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_created_by(concat!("lineament ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let values = vec![Vec::new(); header(names).count() - 1];
        let writer = schema(names).and_then(|schema| SerializedFileWriter::new(part, schema, properties.into()));
        let writer = writer.map_err(|e| fault(&path, &e))?;
        Ok(Self { writer, path, photos: Vec::new(), values })
    }

    pub fn write(&mut self, photo: &str, numbers: impl Iterator<Item = Option<f32>>) -> Result<()> {
        self.photos.push(photo.to_owned());
        self.values.iter_mut().zip(numbers).for_each(|(column, number)| column.push(number));
        if self.photos.len() * self.values.len() >= GROUP_VALUES { self.flush() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<()> {
        if !self.photos.is_empty() {
            self.flush()?;
        }
        let part = self.writer.into_inner().map_err(|e| fault(&self.path, &e))?;
        part.finish().map_err(|e| Error::file(&self.path, e))
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.write_group();
        self.photos.clear();
        self.values.iter_mut().for_each(Vec::clear);
        written.map_err(|e| fault(&self.path, &e))
    }

    fn write_group(&mut self) -> ParquetResult<()> {
        let mut group = self.writer.next_row_group()?;
        let photos: Vec<ByteArray> = self.photos.iter().map(|photo| ByteArray::from(photo.as_str())).collect();
        write_column::<ByteArrayType>(&mut group, &photos, None, None)?;
        for column in &self.values {
            write_optional::<FloatType>(&mut group, column.iter().copied())?;
        }
        group.close().map(drop)
    }
}

fn fault(path: &Path, error: &ParquetError) -> Error {
    Error::labels(path.display().to_string(), format!("cannot write: {error}"))
}

/// A text for the photo and an optional f32 for each other column.
fn schema(names: &[String]) -> ParquetResult<TypePtr> {
    let photo = Type::primitive_type_builder(START[0], Physical::BYTE_ARRAY).with_repetition(Repetition::REQUIRED);
    let mut fields = vec![Arc::new(photo.with_logical_type(Some(LogicalType::String)).build()?)];
    for name in header(names).skip(1) {
        let number = Type::primitive_type_builder(&name, Physical::FLOAT).with_repetition(Repetition::OPTIONAL);
        fields.push(Arc::new(number.build()?));
    }
    Type::group_type_builder("objects").with_fields(fields).build().map(Arc::new)
}
