//! Any bytes are records of the promised shape or an error. A small table of `lineament data convert` makes a good
//! first corpus: without one nothing gets past the footer.
//!
//! The parquet crate answers some damage by a panic, which our reader catches. The fuzzer would stop at each, so panics
//! inside that crate are let through to the reader here; all others end the run as usual.
#![no_main]

use std::panic;

use libfuzzer_sys::fuzz_target;
use lineament_data::record::SIDE;
use lineament_data::table::{ReadOptions, Reader};

fuzz_target!(init: {
    let fuzzers = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|place| place.file().contains("parquet-")) {
            fuzzers(panic);
        }
    }));
}, |bytes: &[u8]| {
    let options = ReadOptions { skip_incomplete: bytes.len().is_multiple_of(2) };
    let Ok(reader) = Reader::from_bytes("t.parquet".as_ref(), bytes.to_vec(), options) else { return };
    let points = reader.points();
    for record in reader.map_while(Result::ok) {
        assert_eq!((record.points.len(), record.pixels.len()), (points, SIDE * SIDE));
        assert!(record.points.iter().all(|p| p.is_finite()));
        assert!(record.origin.is_none_or(|o| o.crop.width == o.crop.height));
    }
});
