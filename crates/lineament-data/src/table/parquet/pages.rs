//! A few bytes can claim more values than fit into memory; such pages are refused before they are decoded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// Most values of a page. Writers end a page at about 1 MB, which holds 262,144 coordinates.
const MAX_PAGE_VALUES: usize = 4 << 20;

/// Values that the pages of a column may still hold, until the next call of [`Allowance::renew`].
#[derive(Clone, Default)]
pub struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// Allows `values`, and the rest of the page that contains the last of them.
    pub fn renew(&self, values: usize) {
        self.0.store(values, Ordering::Relaxed);
    }
}

/// Passes pages on until the allowance is used up.
pub struct BoundedPages {
    pub pages: Box<dyn PageReader>,
    pub allowance: Allowance,
}

impl PageReader for BoundedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.pages.get_next_page()? else { return Ok(None) };
        let (values, left) = (page.num_values() as usize, self.allowance.0.load(Ordering::Relaxed));
        let counted = if page.is_data_page() { values } else { 0 };
        if values > MAX_PAGE_VALUES || (counted > 0 && left == 0) {
            return Err(ParquetError::General("more values than such a table has".into()));
        }
        self.allowance.0.store(left.saturating_sub(counted), Ordering::Relaxed);
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

impl Iterator for BoundedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
