//! Times a cascade on a grey picture (binary PGM) on one thread. `benches/cascade_speed.py` interleaves it with OpenCV.
//!
//!     cargo run --release -p lineament --features cascade --example cascade_time -- CASCADE.xml PICTURE.pgm RUNS
//!
//! Prints the milliseconds of each run, one on a line, then the number of boxes.

use std::time::Instant;

use lineament::ImageView;
use lineament::cascade::{Cascade, CascadeOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cascade, picture, runs] = &arguments[..] else { return Err("CASCADE.xml PICTURE.pgm RUNS".into()) };
    let cascade = Cascade::parse(&std::fs::read_to_string(cascade)?)?;
    let bytes = std::fs::read(picture)?;
    let header = String::from_utf8_lossy(&bytes[..bytes.len().min(32)]).into_owned();
    let mut words = header.split_ascii_whitespace().skip(1).map(str::parse::<usize>);
    let (Some(width), Some(height)) = (words.next().transpose()?, words.next().transpose()?) else {
        return Err("no size in the picture's first line".into());
    };
    let pixels = bytes.len().checked_sub(width * height).ok_or("the picture is cut off")?;
    let image = ImageView::grey(&bytes[pixels..], width, height)?.to_grey();
    let mut found = 0;
    for _ in 0..runs.parse()? {
        let start = Instant::now();
        found = cascade.detect(&image, &CascadeOptions::default())?.len();
        println!("{:.3}", start.elapsed().as_secs_f64() * 1e3);
    }
    println!("{found} boxes");
    Ok(())
}
