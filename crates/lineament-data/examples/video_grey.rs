//! Prints the frames of a video as grey bytes, for comparison with other decoders (`tools/check_video.py`).
//!
//! Per frame: a line `index time_secs width height`, then width x height bytes.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use lineament_data::video::{Frames, Rate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give a video")?;
    let mut out = BufWriter::new(io::stdout().lock());
    for frame in Frames::open(Path::new(&path), Rate::ASSUMED)? {
        let frame = frame?;
        let grey = frame.picture.grey();
        writeln!(out, "{} {:.6} {} {}", frame.index, frame.time_secs, grey.width, grey.height)?;
        out.write_all(&grey.pixels)?;
    }
    Ok(out.flush()?)
}
