//! Any bytes are a list of points or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = lineament_data::pts::parse(bytes);
});
