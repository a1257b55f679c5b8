//! The rows of a Parquet file, group by group and some rows at a time, so that a file larger than the memory works.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

use super::columns::Column;
use crate::text::one_line;

/// Rows that are decoded at once, so that groups of any size take little memory.
const BATCH_ROWS: usize = 128;

/// An open file and the group that is being read. Errors are sentences without the name of the file.
pub struct Groups {
    file: Box<dyn FileReader>,
    /// The group that is read next.
    group: usize,
    /// The columns of the group that is being read, by name.
    columns: HashMap<String, Column>,
    /// Its rows that are not yet decoded.
    rows_left: usize,
}

impl Groups {
    /// Reads the schema.
    pub fn open(source: impl ChunkReader + 'static) -> Result<Self, String> {
        let file = guarded(|| SerializedFileReader::new(source).map_err(|e| fault("", &e)))?;
        Ok(Self { file: Box::new(file), group: 0, columns: HashMap::new(), rows_left: 0 })
    }

    /// Rows of the file.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.file.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// What the file says about itself under this key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        let pairs = self.file.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// The names of the columns: of a list that of the whole list.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let columns = self.file.metadata().file_metadata().schema_descr().columns();
        columns.iter().map(|column| column.path().parts().first().map_or("", String::as_str))
    }

    /// Goes to the next rows; tells how many there are, none at the end. Each of the columns `wanted` that the file has
    /// must be read as many rows on before the next call.
    pub fn advance<'a>(&mut self, wanted: impl Iterator<Item = &'a str> + Clone) -> Result<usize, String> {
        while self.rows_left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(0);
            }
            guarded(|| self.open_group(wanted.clone()))?;
        }
        let rows = self.rows_left.min(BATCH_ROWS);
        self.rows_left -= rows;
        Ok(rows)
    }

    fn open_group<'a>(&mut self, wanted: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let group = self.file.get_row_group(self.group).map_err(|e| fault("", &e))?;
        let schema = self.file.metadata().file_metadata().schema_descr();
        // From the last on, so that the first of several columns of a name counts.
        let leaves: HashMap<&str, usize> = self.names().zip(0..).collect::<Vec<_>>().into_iter().rev().collect();
        let mut columns = HashMap::new();
        for name in wanted {
            let Some(&leaf) = leaves.get(name) else { continue };
            let pages = group.get_column_page_reader(leaf).map_err(|e| fault(name, &e))?;
            columns.insert(name.to_owned(), Column::new(schema.column(leaf), pages));
        }
        self.rows_left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        self.columns = columns;
        self.group += 1;
        Ok(())
    }

    /// What `read` finds in the column; `None` where the file has none of this name.
    pub fn column<V>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Column) -> parquet::errors::Result<V>,
    ) -> Result<Option<V>, String> {
        let column = self.columns.get_mut(name);
        guarded(|| column.map(read).transpose().map_err(|e| fault(name, &e)))
    }
}

/// The Parquet library reports most damage as an error, but some as a panic, which must not end a user's program. The
/// reader is not used again afterwards.
fn guarded<V>(read: impl FnOnce() -> Result<V, String>) -> Result<V, String> {
    let caught = catch_unwind(AssertUnwindSafe(read));
    caught.unwrap_or_else(|_| Err("damaged Parquet: its metadata contradict its content".into()))
}

/// What the Parquet library says about a file or one of its columns.
fn fault(column: &str, error: &ParquetError) -> String {
    let place = if column.is_empty() { String::new() } else { format!("column `{column}`: ") };
    let reason = match error {
        ParquetError::General(text) | ParquetError::NYI(text) | ParquetError::EOF(text) => text.clone(),
        other => other.to_string(),
    };
    let reason = one_line(&reason);
    let remedy = if reason.contains("Disabled feature") { "; write it with snappy or no compression" } else { "" };
    format!("damaged or foreign Parquet: {place}{reason}{remedy}")
}
