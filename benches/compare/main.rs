//! One side of `benches/compare.sh`: the golden frames through the library that this program was built with.
//!
//! `bits` prints a checksum of the raw bits of boxes, points, errors and scores for each frame, and of all of them.
//! `time COUNT` prints microseconds: of a followed face per frame, and of a photo, each the mean of COUNT passes.

#[path = "../../crates/lineament/src/golden/frames.rs"]
mod frames;

use std::time::Instant;

use frames::Picture;
use lineament::{Face, ImageView, Lineament, Options, TrackOptions, Tracker};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn view(picture: &Picture) -> Outcome<ImageView<'_>> {
    let Picture { pixels, width, height, channels } = picture;
    Ok(if *channels == 1 { ImageView::grey(pixels, *width, *height)? } else { ImageView::rgb(pixels, *width, *height)? })
}

/// FNV-1a.
struct Checksum(u64);

impl Checksum {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);

    fn add(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    fn add_face(&mut self, face: &Face) {
        let (rect, landmarks) = (&face.detection.rect, &face.landmarks);
        let sides = [rect.x, rect.y, rect.width, rect.height, face.detection.score, landmarks.score];
        let points = landmarks.points.iter().flat_map(|p| [p.x, p.y]).chain(landmarks.errors.iter().copied());
        sides.into_iter().chain(points).for_each(|number| self.add(&number.to_bits().to_le_bytes()));
    }
}

fn bits() -> Outcome<()> {
    let mut all = Checksum::START;
    let mut tell = |name: &str, faces: &[&Face]| {
        let mut one = Checksum::START;
        faces.iter().for_each(|face| one.add_face(face));
        all.add(&one.0.to_le_bytes());
        println!("{:016x}  {} faces  {name}", one.0, faces.len());
    };
    let mut lineament = Lineament::new(Options::default())?;
    for (name, picture) in frames::frames() {
        let faces = lineament.faces(&view(&picture)?);
        tell(&name, &faces.iter().collect::<Vec<_>>());
    }
    let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
    for (number, (name, picture)) in frames::film().iter().enumerate() {
        let faces = tracker.update(&view(picture)?, number as f64 / 30.0);
        tell(name, &faces.iter().map(|tracked| &tracked.face).collect::<Vec<_>>());
    }
    println!("{:016x}  all", all.0);
    Ok(())
}

fn time(count: usize) -> Outcome<()> {
    let film = frames::film();
    let mut tracker = Tracker::new(Options::default(), TrackOptions::default())?;
    let mut micros = |first: usize, passes: usize| -> Outcome<f64> {
        let begin = Instant::now();
        for pass in first..first + passes {
            for (number, (_, picture)) in film.iter().enumerate() {
                // Forwards, then backwards, so that the face does not jump.
                let at = if pass % 2 == 0 { number } else { film.len() - 1 - number };
                let picture = if at == number { picture } else { &film[at].1 };
                tracker.update(&view(picture)?, (pass * film.len() + number) as f64 / 30.0);
            }
        }
        Ok(begin.elapsed().as_secs_f64() * 1e6 / (passes * film.len()) as f64)
    };
    micros(0, 2)?;
    println!("followed {:.1}", micros(2, count)?);
    let mut lineament = Lineament::new(Options::default())?;
    let (_, portrait) = frames::frames().swap_remove(0);
    lineament.faces(&view(&portrait)?);
    let begin = Instant::now();
    for _ in 0..count {
        lineament.faces(&view(&portrait)?);
    }
    println!("photo {:.1}", begin.elapsed().as_secs_f64() * 1e6 / count as f64);
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bits"] => bits(),
        ["time", count] => time(count.parse()?),
        _ => Err("bits, or time COUNT".into()),
    }
}
