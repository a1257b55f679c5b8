//! `lineament run`: photos in, points out; a video's frames in `video`.

mod recording;
mod video;
#[cfg(feature = "window")]
mod window;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lineament::{Crop, Detection, Face, ImageView, Lineament, Options, Rect};

use crate::failure::{exit_code_after, report, usage};
use crate::format::{Format, PhotoFaces};
use crate::in_order::in_order;
use crate::inputs::{Inputs, Source};
use crate::models::{ModelArgs, Models};
use crate::names::{face_suffix, output_names, with_suffix};
use crate::output::{Files, check_folder};
use crate::picture::{self, Drawing, Mark, Style};
use crate::progress::{Progress, say};
use crate::sink::{Destination, Sink};
use crate::text::counted;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament run photo.jpg                            the faces and their points, as text
  lineament run photo.jpg --draw points.png          and a picture of them
  lineament run photo.jpg --draw points.png --draw-style points,numbers
                                                     a picture of the numbered points alone
  lineament run holiday/ --format csv > faces.csv    all photos in a folder and in the folders below it
  lineament run holiday/ --format pts --out points   one .pts file per face
  curl -s URL | lineament run - --format json        a photo from another program
  lineament run photo.jpg --box 120,80,200,220       the points of a face whose place is known
  lineament run clip.mp4 --draw drawn.mp4            a video; each face keeps its number
  lineament run clip.mp4 --format csv > faces.csv    a row for each face in each frame
  ffmpeg -v error -i clip.webm -f yuv4mpegpipe -pix_fmt yuv420p - | lineament run -
                                                     any other video, or a camera: -f v4l2 -i /dev/video0

Coordinates are pixels of the photo, turned upright as its EXIF orientation says: x to the right, y down; (0.5, 0.5) \
is the centre of the first pixel. Next to each point stands its expected error, the distance to the true point in \
pixels. Roll, yaw and pitch are in degrees; roll is positive clockwise, yaw when the nose points to the right side of \
the picture, pitch when it points up. In a video, frames count from 0 and times are seconds from its start. Left and \
right are the person's own.

A photo or frame without faces is not a failure. For a file that cannot be read there is a line on standard error; the \
others are processed, and the exit code is 1. An invalid command line gives exit code 2.";

/// Finds the faces in photos or a video and places 68 points on each
///
/// Prints for every face its box, a score, the 68 iBUG points with their expected errors, and the angles of the head.
/// With other models (--model, --detector), the points and the objects are those that these were trained with.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RunArgs {
    /// Photos (JPEG, PNG, WebP, BMP), folders, patterns like '*.jpg', one video, or - for standard input
    ///
    /// Folders are searched for photos, with all folders below them; hidden files are skipped. A photo that is named
    /// twice is read once. A video must be the only input: MP4 with H.264, Y4M or MJPEG. Standard input holds one
    /// photo, or a video as Y4M or MJPEG; the program recognises which.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// How the results are written
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    format: Format,

    /// Write the results into this folder instead of printing them
    ///
    /// text: NAME.txt per photo or video. pts: NAME.pts for the first face of a photo, NAME.face2.pts and so on for
    /// more. json and csv: one file for all, faces.jsonl or faces.csv. NAME contains the folders below the one that
    /// holds all inputs, so that photos of the same name do not overwrite each other.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Draw the points and write the picture: a .png or .jpg file, a .mp4 or .y4m for a video, or a folder for many
    ///
    /// A name that ends in .png, .jpg or .jpeg is the file for one photo, one that ends in .mp4 or .y4m for a video;
    /// anything else is a folder, where JPEG photos become NAME.jpg, others NAME.png, and the frames of a video
    /// 000000.jpg and so on. Photos and videos are never overwritten.
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    draw: Option<PathBuf>,

    /// What --draw shows of each face [default: outlines,points,box, and in a video ids]
    ///
    /// Several may be named, with commas between them. A point that is probably hidden, or whose place is uncertain,
    /// is a ring: its radius is the expected error. Lines at such points are pale and dashed.
    #[arg(long, value_name = "MARK,...", value_enum, value_delimiter = ',', help_heading = "Output")]
    draw_style: Vec<Mark>,

    /// Place the points of a face in this box instead of searching for faces; may be given several times
    ///
    /// Left, top, width and height in pixels of the upright photo. The box reaches from the brows to the chin and from
    /// one side of the jaw to the other.
    #[arg(long = "box", value_name = "X,Y,W,H", value_parser = values::rect, allow_hyphen_values = true,
          conflicts_with_all = ["min_face", "max_faces", "detector"], help_heading = "Faces")]
    boxes: Vec<Rect>,

    /// Smallest face to find, in pixels of the photo [default: about 1/30 of its longer side]
    ///
    /// The longer side of its box is meant. Faces with a smaller box are left out; small values take longer.
    #[arg(long, value_name = "PIXELS", value_parser = values::pixels, allow_negative_numbers = true,
          help_heading = "Faces")]
    min_face: Option<f32>,

    /// Most faces per photo; the largest are kept
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true,
          default_value_t = Options::default().max_faces, help_heading = "Faces")]
    max_faces: usize,

    #[command(flatten)]
    video: VideoArgs,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads, allow_negative_numbers = true)]
    threads: Option<usize>,

    #[command(flatten)]
    models: ModelArgs,
}

/// Options for videos only.
#[derive(Debug, clap::Args)]
struct VideoArgs {
    /// Time in which a point follows a small movement: more is steadier, less follows faster [default: 0.2]
    ///
    /// In this time a point that rested moves by about two thirds of a small change. It follows large movements at
    /// once.
    #[arg(long, value_name = "SECONDS", value_parser = values::secs, allow_negative_numbers = true,
          help_heading = "Video")]
    smooth: Option<f32>,

    /// Do not smooth: give the points as the network places them in each frame
    #[arg(long, conflicts_with = "smooth", help_heading = "Video")]
    no_smooth: bool,

    /// Frames per second of a stream that does not contain its rate (MJPEG)
    #[arg(long, value_name = "RATE", value_parser = values::hz, allow_negative_numbers = true, default_value = "25",
          help_heading = "Video")]
    fps: f64,

    /// Show the frames with their points in a window; Esc or closing the window ends
    #[cfg(feature = "window")]
    #[arg(long, help_heading = "Video")]
    live: bool,
}

impl RunArgs {
    /// Whether anything is drawn.
    fn draws(&self) -> bool {
        #[cfg(feature = "window")]
        if self.video.live {
            return true;
        }
        self.draw.is_some()
    }
}

/// What the command needs, from what the user typed.
struct Plan {
    jobs: Vec<Job>,
    models: Models,
    options: Options,
    boxes: Vec<Rect>,
    format: Format,
    destination: Destination,
    drawing: Option<Drawing>,
    style: Style,
    files: Files,
    threads: usize,
}

/// One photo and the name of its outputs, without extension.
struct Job {
    source: Source,
    name: PathBuf,
}

/// The result of a photo: text that is still to be written in order, and what went wrong.
#[derive(Default)]
struct Outcome {
    text: String,
    faces: usize,
    problems: Vec<anyhow::Error>,
    /// The drawn picture.
    drawn: Option<PathBuf>,
}

/// What became of all photos.
#[derive(Default)]
struct Totals {
    photos: u64,
    with_faces: u64,
    faces: u64,
    failed: u64,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        self.photos += 1;
        self.with_faces += u64::from(outcome.faces > 0);
        self.faces += outcome.faces as u64;
        self.failed += u64::from(!outcome.problems.is_empty());
    }

    /// The summary at the end.
    fn line(&self, secs: f64) -> String {
        let Self { photos, with_faces, faces, failed } = *self;
        let failed = if failed == 0 { String::new() } else { format!(", {} with errors", counted(failed, "photo")) };
        let (photos, faces) = (counted(photos, "photo"), counted(faces, "face"));
        format!("{photos} in {secs:.1} s: {faces} in {}{failed}", counted(with_faces, "photo"))
    }
}

/// Runs the command.
pub fn run(args: RunArgs) -> Result<ExitCode> {
    args.draw.as_deref().map_or(Ok(()), picture::check_ending)?;
    if !args.draw_style.is_empty() && !args.draws() {
        return Err(usage("--draw-style says what --draw shows: add --draw with the name of a file or folder"));
    }
    let mut inputs = Inputs::from_paths(&args.paths)?;
    inputs.problems.iter().for_each(report);
    match video::open(&mut inputs, args.video.fps)? {
        Some(frames) => video::run(args, frames, &inputs),
        None => photos(args, inputs),
    }
}

fn photos(args: RunArgs, inputs: Inputs) -> Result<ExitCode> {
    let listing_problems = inputs.problems.len();
    let plan = Plan::from_args(args, inputs)?;
    let (mut totals, mut drawn, begin) = (Totals::default(), Vec::new(), Instant::now());
    // The models are loaded before anything is written; the first thread takes these.
    let load = || plan.models.lineament(plan.options.clone());
    let first = Mutex::new(if plan.jobs.is_empty() { None } else { Some(load()?) });
    let start = || first.lock().unwrap_or_else(PoisonError::into_inner).take().map_or_else(load, Ok);
    let mut sink = Sink::open(&plan.destination, &plan.format.header(&plan.models.topology()?))?;
    let mut progress = Progress::of_photos(plan.jobs.len());
    if matches!(plan.destination, Destination::Print) {
        progress = progress.with_printed_results();
    }
    in_order(
        &plan.jobs,
        plan.threads,
        start,
        |lineament, job| plan.work(lineament, job),
        |job, outcome| {
            let outcome = outcome.unwrap_or_else(|fault| Outcome::failed(fault.context(job.source.name())));
            sink.add(&outcome.text)?;
            totals.add(&outcome);
            outcome.problems.iter().for_each(|problem| progress.report(problem));
            drawn.extend(outcome.drawn);
            progress.advance();
            Ok(())
        },
    )?;
    progress.finish();
    sink.finish()?;
    match (&drawn[..], &plan.drawing) {
        ([], _) => {}
        (several, Some(Drawing::Folder(folder))) if several.len() > 1 => {
            say(&format!("drawn: {} pictures in {}", several.len(), folder.display()));
        }
        (pictures, _) => pictures.iter().for_each(|path| say(&format!("drawn: {}", path.display()))),
    }
    if plan.jobs.len() > 1 {
        say(&totals.line(begin.elapsed().as_secs_f64()));
    }
    Ok(exit_code_after(listing_problems + totals.failed as usize))
}

impl Plan {
    fn from_args(args: RunArgs, inputs: Inputs) -> Result<Self> {
        let many = inputs.photos.len() > 1;
        if args.format == Format::Pts && args.out.is_none() && many {
            return Err(usage("--format pts prints one face only: add --out DIR for a file per face"));
        }
        // A video that could not be opened has been reported.
        if let Some(path) = args.draw.as_deref().filter(|path| recording::is_video(path) && !inputs.photos.is_empty()) {
            let path = path.display();
            return Err(usage(format!("--draw {path}: photos make no video: give a .png or .jpg file, or a folder")));
        }
        let drawing = args.draw.map(Drawing::from_path);
        if let (Some(Drawing::File(path)), true) = (&drawing, many) {
            return Err(usage(format!(
                "--draw {}: one picture cannot show {} photos: give a folder",
                path.display(),
                inputs.photos.len()
            )));
        }
        let destination = match (args.out, args.format.table_name()) {
            (None, _) => Destination::Print,
            (Some(folder), Some(name)) => Destination::OneFile(folder.join(name)),
            (Some(folder), None) => Destination::FilePerPhoto(folder),
        };
        if let Destination::FilePerPhoto(folder) = &destination {
            check_folder(folder).context("--out")?;
        }
        if let Some(Drawing::Folder(folder)) = &drawing {
            check_folder(folder).context("--draw")?;
        }
        let names = output_names(&inputs);
        let files = Files::protecting(&inputs.photos);
        let jobs = inputs.photos.into_iter().zip(names).map(|(source, name)| Job { source, name }).collect();
        Ok(Self {
            jobs,
            models: Models::read(&args.models)?,
            options: Options { min_face: args.min_face, max_faces: args.max_faces, ..Options::default() },
            boxes: args.boxes,
            format: args.format,
            destination,
            drawing,
            style: Style::new(&args.draw_style, false),
            files,
            threads: args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
        })
    }

    /// Does everything for one photo except what must be written in order.
    fn work(&self, lineament: &mut Lineament, job: &Job) -> Outcome {
        let (photo, fault) = match job.source.read() {
            Ok(read) => read,
            Err(error) => return Outcome::failed(error),
        };
        let begin = Instant::now();
        let faces = match self.faces(lineament, &photo.view()) {
            Ok(faces) => faces,
            Err(error) => return Outcome::failed(error.context(job.source.name())),
        };
        let found = PhotoFaces {
            image: job.source.name(),
            width: photo.width,
            height: photo.height,
            time_ms: begin.elapsed().as_secs_f64() * 1e3,
            faces,
        };
        let mut outcome = Outcome { faces: found.faces.len(), problems: Vec::from_iter(fault), ..Outcome::default() };
        if let Some(drawing) = &self.drawing {
            let path = drawing.path_for(&job.source, &job.name);
            let drawn = picture::draw(photo, &found.faces, &self.style, &path);
            match drawn.and_then(|bytes| self.files.write(&path, &bytes)) {
                Ok(()) => outcome.drawn = Some(path),
                Err(error) => outcome.problems.push(error.context("--draw")),
            }
        }
        match self.write(&job.name, &found) {
            Ok(text) => outcome.text = text,
            Err(error) => outcome.problems.push(error),
        }
        outcome
    }

    fn faces(&self, lineament: &mut Lineament, image: &ImageView) -> Result<Vec<Face>> {
        if self.boxes.is_empty() {
            return Ok(lineament.faces(image));
        }
        let whole = Rect::from_xywh(0.0, 0.0, image.width() as f32, image.height() as f32);
        let place = |&rect: &Rect| {
            ensure!(
                whole.intersection(&rect).area() > 0.0,
                "--box {},{},{},{} lies outside this photo of {} x {} pixels",
                rect.x,
                rect.y,
                rect.width,
                rect.height,
                image.width(),
                image.height()
            );
            let landmarks = lineament.landmarks(image, &Crop::from_rect(&rect));
            // The given box takes the place of the detector's; points and score of that detection are from the network.
            let points = landmarks.topology.five(&landmarks.points);
            Ok(Face { detection: Detection { rect, points, score: landmarks.score }, landmarks })
        };
        self.boxes.iter().map(place).collect()
    }

    /// Writes the files of a photo, or returns the text for the one place where all photos go.
    fn write(&self, name: &Path, found: &PhotoFaces) -> Result<String> {
        let Destination::FilePerPhoto(folder) = &self.destination else {
            let faces = found.faces.len();
            ensure!(
                self.format != Format::Pts || faces <= 1,
                "{}: has {faces} faces, and --format pts prints one: add --out DIR or --max-faces 1",
                found.image
            );
            return Ok(self.format.photo(found));
        };
        for (i, text) in self.format.files(found).iter().enumerate() {
            let name = with_suffix(name, &(face_suffix(i) + self.format.extension()));
            self.files.write(&folder.join(name), text.as_bytes()).context("--out")?;
        }
        Ok(String::new())
    }
}

impl Outcome {
    fn failed(error: anyhow::Error) -> Self {
        Self { problems: vec![error], ..Self::default() }
    }
}
