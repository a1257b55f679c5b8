//! Any bytes are records of the promised shape or an error. A row of `lineament data convert` makes a good first
//! corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_data::record::SIDE;
use lineament_data::table::{ReadOptions, Reader};

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { skip_incomplete: bytes.len().is_multiple_of(2) };
    // Parquet has its own target.
    if bytes.starts_with(b"PAR1") {
        return;
    }
    let Ok(reader) = Reader::from_bytes("t.csv".as_ref(), bytes.to_vec(), options) else { return };
    let points = reader.points();
    assert_eq!(reader.columns().len(), 2 * points);
    for record in reader.map_while(Result::ok) {
        assert_eq!((record.points.len(), record.pixels.len()), (points, SIDE * SIDE));
        assert!(record.points.iter().all(|p| p.is_finite()));
    }
});
