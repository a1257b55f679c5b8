//! Any bytes are labels of any format or an error. The first byte chooses the format; the files in
//! `crates/lineament-data/tests/fixtures/labels` make good first inputs behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_data::labels::{Format, ReadOptions, Reader};

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let format = Format::ALL[usize::from(first) % Format::ALL.len()];
    let folder = std::env::temp_dir().join(format!("lineament-fuzz-labels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let label = folder.join(match format {
        Format::Pts => "a.pts",
        Format::Ljson => "a.ljson",
        Format::Jd106 => "a.jpg.txt",
        _ => "labels",
    });
    std::fs::write(folder.join("a.jpg"), b"").expect("a file");
    std::fs::write(&label, bytes).expect("a file");
    if let Ok(reader) = Reader::open(format, &label, &ReadOptions::default()) {
        reader.for_each(drop);
    }
});
