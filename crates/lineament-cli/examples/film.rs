//! `film SOURCE OUT.y4m FRAMES`: the first frames of a video, or as many copies of a photo in the middle of a camera's
//! frame, as browsers take them for a camera (`--use-file-for-fake-video-capture`).

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use lineament_data::photo::Photo;
use lineament_data::video::{Frames, Kind, Rate, y4m};

/// What cameras give; browsers crop other sizes to it.
const CAMERA: (usize, usize) = (640, 480);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [source, out, frames] = &args[..] else { return Err("film SOURCE OUT.y4m FRAMES".into()) };
    let (source, frames) = (Path::new(source), frames.parse()?);
    let bytes = BufWriter::new(File::create(out)?);
    if Kind::of_file(source)?.is_some() {
        let video = Frames::open(source, Rate::ASSUMED)?;
        let mut film = y4m::Writer::new(bytes, video.about().rate);
        for frame in video.take(frames) {
            film.add(&frame?.picture)?;
        }
        film.finish()?;
    } else {
        let photo = in_the_middle(&Photo::open(source)?);
        let mut film = y4m::Writer::new(bytes, Rate::from_hz(30.0));
        for _ in 0..frames {
            film.add(&photo)?;
        }
        film.finish()?;
    }
    Ok(())
}

/// On grey; what sticks out is cut off.
fn in_the_middle(photo: &Photo) -> Photo {
    let (width, height) = CAMERA;
    let mut pixels = vec![110; width * height * 3];
    for (y, row) in pixels.chunks_exact_mut(3 * width).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let (x, y) = ((x + photo.width / 2).checked_sub(width / 2), (y + photo.height / 2).checked_sub(height / 2));
            if let (Some(x), Some(y)) = (x.filter(|&x| x < photo.width), y.filter(|&y| y < photo.height)) {
                let at = 3 * (y * photo.width + x);
                pixel.copy_from_slice(&photo.pixels[at..at + 3]);
            }
        }
    }
    Photo { pixels, width, height }
}
