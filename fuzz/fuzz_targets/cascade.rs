//! Any text is a cascade or an error, and what was read runs. `crates/lineament/tests/fixtures/cascade/*.xml` make a
//! good first corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament::ImageView;
use lineament::cascade::{Cascade, CascadeOptions};

fuzz_target!(|text: &str| {
    let Ok(cascade) = Cascade::parse(text) else { return };
    let pixels: Vec<u8> = (0..48 * 40).map(|k| (k * k % 251) as u8).collect();
    let image = ImageView::grey(&pixels, 48, 40).expect("forty rows of 48").to_grey();
    let options = CascadeOptions { scale_factor: 1.3, min_neighbors: 1, ..CascadeOptions::default() };
    for found in cascade.detect(&image, &options).expect("a fair scale factor") {
        let rect = found.rect;
        assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.width >= 1.0 && rect.height >= 1.0);
        assert!(rect.x + rect.width <= 48.0 && rect.y + rect.height <= 40.0);
    }
});
