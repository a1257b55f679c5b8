//! `lineament run`: photos in, points out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lineament::topology::five_points;
use lineament::{Crop, Detection, Face, ImageView, Lineament, Options, Rect};

use crate::failure::{exit_code_after, report, usage};
use crate::format::{Format, PhotoFaces};
use crate::in_order::in_order;
use crate::inputs::{Inputs, Source};
use crate::models::{ModelArgs, Models};
use crate::names::{face_suffix, output_names, with_suffix};
use crate::output::{Files, check_folder};
use crate::picture::{self, Drawing};
use crate::progress::Progress;
use crate::sink::{Destination, Sink};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  lineament run photo.jpg                            the faces and their points, as text
  lineament run photo.jpg --draw points.png          and a picture of them
  lineament run holiday/ --format csv > faces.csv    a folder with all folders below it
  lineament run holiday/ --format pts --out points   one .pts file per face
  curl -s URL | lineament run - --format json        a photo from another program
  lineament run photo.jpg --box 120,80,200,220       points for a face whose place is known

Coordinates are pixels of the upright photo (as its EXIF orientation says): x right, y down, (0.5, 0.5) is the centre \
of the first pixel. Roll, yaw and pitch are in degrees; roll is positive clockwise, yaw when the nose points to the \
right side of the picture, pitch when it points up. The number beside each point is its expected distance to the \
true one, in pixels. Left and right are the person's own.

A photo without faces is not a failure. A file that cannot be read is one line on standard error, the others go on, \
and the exit code is 1. A command line that makes no sense is exit code 2.";

/// Finds the faces in photos and places 68 points on each
///
/// Prints for every face its box, a score, the 68 iBUG points with their expected errors, and how the head is turned.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RunArgs {
    /// Photos (JPEG, PNG, WebP, BMP), folders, patterns like '*.jpg', or - for standard input
    ///
    /// Folders are searched with all folders below them; hidden files are skipped. A photo that is named twice is read
    /// once. Standard input holds one photo.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// How the results are written
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Output")]
    format: Format,

    /// Write the results into this folder instead of printing them
    ///
    /// text: NAME.txt per photo. pts: NAME.pts per photo,
    /// NAME.face2.pts and so on for more faces. json and csv: one file for all, faces.jsonl or faces.csv. NAME keeps
    /// the folders below the one that holds everything you named, so that photos of the same name do not meet.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,

    /// Draw the points and write the picture: a .png or .jpg file, or a folder for many
    ///
    /// A name that ends in .png, .jpg or .jpeg is the file for one photo;
    /// anything else is a folder, where JPEG photos become NAME.jpg and others NAME.png. Photos are never overwritten.
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    draw: Option<PathBuf>,

    /// Place points within this box instead of looking for faces; may be given several times
    ///
    /// Left, top, width and height in pixels of the upright photo: from the brows to the chin and from one side of the
    /// jaw to the other.
    #[arg(long = "box", value_name = "X,Y,W,H", value_parser = values::rect, allow_hyphen_values = true,
          conflicts_with_all = ["min_face", "max_faces", "detector"], help_heading = "Faces")]
    boxes: Vec<Rect>,

    /// Smallest face to look for, in pixels of the photo [default: about 1/30 of its longer side]
    ///
    /// The longer side of its box is meant. Larger values are faster.
    #[arg(long, value_name = "PIXELS", value_parser = values::pixels, allow_negative_numbers = true, help_heading = "Faces")]
    min_face: Option<f32>,

    /// Most faces per photo; the largest are kept
    #[arg(long, value_name = "COUNT", value_parser = values::count, allow_negative_numbers = true, default_value_t = Options::default().max_faces,
          help_heading = "Faces")]
    max_faces: usize,

    /// Photos worked on at the same time [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads, allow_negative_numbers = true)]
    threads: Option<usize>,

    #[command(flatten)]
    models: ModelArgs,
}

/// What the program needs to know.
struct Plan {
    jobs: Vec<Job>,
    models: Models,
    options: Options,
    boxes: Vec<Rect>,
    format: Format,
    destination: Destination,
    drawing: Option<Drawing>,
    files: Files,
    threads: usize,
}

/// One photo and the name of its outputs, without extension.
struct Job {
    source: Source,
    name: PathBuf,
}

/// What remains of a photo: text that is still to be written in order, and what went wrong.
#[derive(Default)]
struct Outcome {
    text: String,
    problems: Vec<anyhow::Error>,
}

/// Runs the command.
pub fn run(args: RunArgs) -> Result<ExitCode> {
    let (plan, listing_problems) = Plan::from_args(args)?;
    listing_problems.iter().for_each(report);
    let mut failures = listing_problems.len();
    // The models are loaded before anything is written; the first thread takes these.
    let load = || plan.models.lineament(plan.options.clone());
    let first = Mutex::new(if plan.jobs.is_empty() { None } else { Some(load()?) });
    let start = || first.lock().unwrap_or_else(PoisonError::into_inner).take().map_or_else(load, Ok);
    let mut sink = Sink::open(&plan.destination, &plan.format.header())?;
    let progress = Progress::new(plan.jobs.len(), matches!(plan.destination, Destination::Print));
    in_order(
        &plan.jobs,
        plan.threads,
        start,
        |lineament, job| plan.work(lineament, job),
        |job, outcome| {
            let outcome = outcome.unwrap_or_else(|fault| Outcome::failed(fault.context(job.source.name())));
            sink.add(&outcome.text)?;
            failures += usize::from(!outcome.problems.is_empty());
            outcome.problems.iter().for_each(|problem| progress.report(problem));
            progress.advance();
            Ok(())
        },
    )?;
    progress.finish();
    sink.finish()?;
    Ok(exit_code_after(failures))
}

impl Plan {
    /// The plan, and what could not be listed.
    fn from_args(args: RunArgs) -> Result<(Self, Vec<anyhow::Error>)> {
        let inputs = Inputs::from_paths(&args.paths)?;
        let many = inputs.photos.len() > 1;
        if args.format == Format::Pts && args.out.is_none() && many {
            return Err(usage("--format pts prints one face only: add --out DIR for a file per face"));
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
        let plan = Self {
            jobs,
            models: Models::read(&args.models)?,
            options: Options { min_face: args.min_face, max_faces: args.max_faces, ..Options::default() },
            boxes: args.boxes,
            format: args.format,
            destination,
            drawing,
            files,
            threads: args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
        };
        Ok((plan, inputs.problems))
    }

    /// Everything for one photo but what must be written in order.
    fn work(&self, lineament: &mut Lineament, job: &Job) -> Outcome {
        let photo = match job.source.read() {
            Ok(photo) => photo,
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
        let mut outcome = Outcome::default();
        if let Some(drawing) = &self.drawing {
            let path = drawing.path_for(&job.source, &job.name);
            let drawn = picture::draw(photo, &found.faces, &path).and_then(|bytes| self.files.write(&path, &bytes));
            outcome.problems.extend(drawn.err().map(|e| e.context("--draw")));
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
            // The box stands for the detector's; what else a detector would say comes from the points.
            let points = five_points(&landmarks.points);
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
        Self { text: String::new(), problems: vec![error] }
    }
}
