//! Follows faces in raw frames from a camera or a video, which come as YUV4MPEG2 on standard input.
//!
//!     ffmpeg -v error -i testdata/video/face.mp4 -f yuv4mpegpipe -pix_fmt yuv420p - \
//!         | cargo run --release -p lineament --example camera_loop
//!
//! For a camera, `-f v4l2 -i /dev/video0` on Linux or `-f avfoundation -i 0` on a Mac instead of the file. An app gets
//! the same planes from its camera: the Y plane of NV12, NV21 or I420 is a grey picture, and colours are not needed.

use std::error::Error;
use std::io::{BufRead, stdin};
use std::time::{Duration, Instant};

use lineament::{ImageView, Options, TrackOptions, Tracker};

fn main() -> Result<(), Box<dyn Error>> {
    follow(stdin().lock()).map(drop)
}

/// Prints a line per face and frame, and the speed at the end; answers the number of faces in all frames.
fn follow(mut stream: impl BufRead) -> Result<usize, Box<dyn Error>> {
    let header = read_line(&mut stream)?.ok_or("no frames on standard input")?;
    let Header { width, height, frames_per_sec } =
        Header::parse(&header).ok_or_else(|| format!("{header}: is not read here; give ffmpeg -pix_fmt yuv420p"))?;
    let mut planes = vec![0; width * height + 2 * width.div_ceil(2) * height.div_ceil(2)];

    let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
    let (mut frames, mut found, mut time) = (0, 0, Duration::ZERO);
    while read_line(&mut stream)?.is_some_and(|line| line.starts_with("FRAME")) {
        stream.read_exact(&mut planes)?;
        let image = ImageView::grey(&planes[..width * height], width, height)?;
        let begin = Instant::now();
        let faces = tracker.update(&image, f64::from(frames) / frames_per_sec);
        time += begin.elapsed();
        for tracked in faces {
            println!("frame {frames}: face {} with its nose at {:.1?}", tracked.id, tracked.face.landmarks.points[30]);
        }
        (frames, found) = (frames + 1, found + faces.len());
    }
    println!("{frames} frames, {:.1} ms each", 1e3 * time.as_secs_f64() / f64::from(frames.max(1)));
    Ok(found)
}

/// What the first line of a stream says: `YUV4MPEG2 W160 H120 F25:1 C420mpeg2`.
struct Header {
    width: usize,
    height: usize,
    frames_per_sec: f64,
}

impl Header {
    fn parse(line: &str) -> Option<Self> {
        let value = |tag| line.split(' ').skip(1).find_map(|word| word.strip_prefix(tag));
        let (frames, secs) = value('F')?.split_once(':')?;
        let frames_per_sec = frames.parse::<f64>().ok()? / secs.parse::<f64>().ok()?;
        let is_420 = matches!(value('C'), None | Some("420" | "420jpeg" | "420mpeg2" | "420paldv"));
        is_420.then_some(Self { width: value('W')?.parse().ok()?, height: value('H')?.parse().ok()?, frames_per_sec })
    }
}

/// A line without its break; `None` at the end of the stream.
fn read_line(stream: &mut impl BufRead) -> Result<Option<String>, Box<dyn Error>> {
    let mut line = String::new();
    let length = stream.read_line(&mut line)?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

#[test]
fn a_face_is_followed_through_a_stream() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/astronaut_grey.png");
    let portrait = image::open(path).unwrap().into_luma8();
    let (width, height) = portrait.dimensions();
    let mut stream = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n").into_bytes();
    for _ in 0..5 {
        stream.extend(b"FRAME\n");
        stream.extend(portrait.as_raw());
        stream.extend(vec![128; portrait.len() / 2]);
    }
    assert_eq!(follow(&stream[..]).unwrap(), 5);
    assert!(follow(&b"YUV4MPEG2 W8 H8 F30:1 C444\n"[..]).is_err());
}
