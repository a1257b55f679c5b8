//! The whole path on frames of a film: only ours; the peers that find faces have Python interfaces.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, Result, bail};
use lineament::{ImageView, Lineament, Options, PixelFormat, TrackOptions, Tracker};
use serde_json::{Value, json};

use crate::Peer;

/// Frames of the film are this far apart.
const FRAME_SECS: f64 = 1.0 / 30.0;

/// Finds (`detect`) or follows (`track`) faces in the RGB frames of the file `frames`; `ours-grey` gets them as a
/// camera's Y plane. `models` are files of a detector and a landmark network; without them, those in the library.
pub fn load(
    system: &str,
    work: &str,
    frames: &str,
    (height, width): (usize, usize),
    models: Option<[&str; 2]>,
) -> Result<Box<dyn Peer>> {
    let grey = match system {
        "ours" => false,
        "ours-grey" => true,
        _ => bail!("{system} finds no faces"),
    };
    let options = Options { max_faces: 1, ..Options::default() };
    let lineament = match models {
        None => Lineament::new(options)?,
        Some(files) => {
            let [detector, landmarks] = files.map(|file| fs::read(file).with_context(|| file.to_owned()));
            Lineament::with_models(options, &detector?, &landmarks?)?
        }
    };
    let tracker = match work {
        "track" => Finder::Tracker(Box::new(Tracker::with_lineament(lineament, TrackOptions::default())?)),
        _ => Finder::Detector(Box::new(lineament)),
    };
    let film = Film::open(frames, height, width)?;
    Ok(Box::new(Ours { film, grey, y_plane: Vec::new(), finder: tracker, time_secs: 0.0, frames: 0, faces: 0 }))
}

struct Ours {
    film: Film,
    grey: bool,
    y_plane: Vec<u8>,
    finder: Finder,
    time_secs: f64,
    frames: usize,
    faces: usize,
}

enum Finder {
    Detector(Box<Lineament>),
    Tracker(Box<Tracker>),
}

impl Peer for Ours {
    fn prepare(&mut self) -> Result<()> {
        self.film.next()?;
        if self.grey {
            let rgb = ImageView::rgb(&self.film.frame, self.film.width, self.film.height)?;
            self.y_plane.clear();
            self.y_plane.extend_from_slice(rgb.to_grey().pixels());
        }
        self.time_secs += FRAME_SECS;
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let Film { frame, width, height, .. } = &self.film;
        let image = if self.grey {
            ImageView::new(&self.y_plane, *width, *height, *width, PixelFormat::Grey)?
        } else {
            ImageView::rgb(frame, *width, *height)?
        };
        self.frames += 1;
        self.faces += match &mut self.finder {
            Finder::Detector(lineament) => lineament.detect(&image).len(),
            Finder::Tracker(tracker) => tracker.update(&image, self.time_secs).len(),
        };
        Ok(())
    }

    fn answer(&mut self) -> Result<Value> {
        Ok(json!({ "frames": self.frames, "faces": self.faces }))
    }
}

/// Frames from a file, one in memory: forwards, then backwards, and again.
struct Film {
    file: File,
    count: usize,
    shown: usize,
    frame: Vec<u8>,
    width: usize,
    height: usize,
}

impl Film {
    fn open(path: &str, height: usize, width: usize) -> Result<Self> {
        let file = File::open(path).with_context(|| path.to_owned())?;
        let frame = vec![0; width * height * 3];
        let count = usize::try_from(file.metadata()?.len())? / frame.len();
        if count < 2 {
            bail!("{path} holds fewer than two frames of {width}x{height}");
        }
        Ok(Self { file, count, shown: 0, frame, width, height })
    }

    fn next(&mut self) -> Result<()> {
        let turn = 2 * (self.count - 1);
        let at = self.shown % turn;
        let at = at.min(turn - at);
        self.shown += 1;
        self.file.seek(SeekFrom::Start((at * self.frame.len()) as u64))?;
        Ok(self.file.read_exact(&mut self.frame)?)
    }
}
