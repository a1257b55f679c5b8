//! `lineament annotate`: makes a table of faces and their points from photos.

mod limit;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use lineament_data::Error;
use lineament_data::annotate::{
    Annotator, Counts, DetectorChoice, Faces, Filters, Input, Job, Outcome, PointsChoice, PointsOn, Settings,
    USUAL_SHARD, shards,
};

use crate::failure::{exit_code_after, report, usage};
use crate::inputs::{Inputs, Source, normal};
use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::names::name_below;
use crate::progress::{Progress, say};
use crate::values;
use limit::{Limit, Range};

const EXAMPLES: &str = "\
Examples:
  lineament annotate photos/ --out faces.csv                our detector, our points
  lineament annotate photos/ --out a.csv --out a.parquet    both kinds of table
  lineament annotate photos/ --out faces.csv \\
      --detector cascade:haarcascade_frontalface_default.xml \\
      --detector boxes:dlib_boxes.csv --points dlib:shape_predictor_68_face_landmarks.dat
                                                            as in the paper
  lineament annotate labelled/ --out a.csv --points pts     points placed by people, from the .pts files
  lineament annotate labelled/ --out a.csv --points pts:jd106
                                                            106 points in each .pts file

A .csv is the paper's table: x and y of 68 points, then the 96x96 grey values of the crop. A .parquet also keeps \
photo, box, crop, score, expected error and pose of each face. NAME.rejects.csv, next to the first table, lists \
everything that was left out: photo, face, reason and figures.

The work is saved in NAME.csv.parts as it goes. After Ctrl-C (exit code 130) everything that is done is saved; after \
a power cut, all but the last photos. The same command then resumes the work. Tables get their names when they are \
complete, and replace earlier ones. A photo that cannot be read is a row in the rejects, not a failure. When no face \
is kept, no table is written and the exit code is 1.";

/// Makes a table of faces and their points from photos, to train on
///
/// Finds the face in each photo, cuts it out as 96x96 grey pixels and places 68 points on it, by our models, a cascade
/// of OpenCV, dlib's shape predictor, or people's labels. Dark, bright, flat and blurred crops and non-faces are left
/// out, with a reason.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct AnnotateArgs {
    /// Photos (JPEG, PNG, WebP, BMP), folders, or patterns like '*.jpg'
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// The table to write, .csv or .parquet; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    out: Vec<PathBuf>,

    /// What finds the faces: ours, FILE.onnx, cascade:FILE.xml or boxes:FILE.csv; may be given several times
    ///
    /// The next one is tried where the one before finds no face; boxes that our network rejects (see --min-score) do
    /// not count. A table of boxes has the columns file,x,y,w,h,score; `file` is a photo's path below the annotated
    /// folder, or its file name.
    #[arg(long, value_name = "DETECTOR", default_value = "ours", help_heading = "Annotator")]
    detector: Vec<DetectorChoice>,

    /// What places the points: ours, FILE.onnx, dlib:FILE.dat, or pts for the .pts file next to each photo
    ///
    /// pts are the iBUG 68 points; pts:TOPOLOGY are those of a topology, a name or a file (`lineament topology`). With
    /// pts and several boxes, the one on the labelled face is used. A file of dlib may have the usual 68 points,
    /// five, or others; the table has as many.
    #[arg(long, value_name = "POINTS", default_value = "ours", help_heading = "Annotator")]
    points: PointsChoice,

    /// Where points are placed: photo (better), or crop (exactly as in the paper)
    #[arg(long, value_name = "WHERE", default_value_t = PointsOn::Photo, help_heading = "Annotator")]
    points_on: PointsOn,

    /// Side of the crop divided by the longer side of the face's box [default: 1 for cascades and boxes, 1.2 for ours]
    ///
    /// The paper cuts out the detector's box itself. Our detector's box is tight around the points.
    #[arg(long, value_name = "FACTOR", help_heading = "Annotator")]
    margin: Option<f32>,

    /// Which faces of a photo: largest, all, or one, which leaves out photos with several
    #[arg(long, value_name = "WHICH", default_value_t = Faces::Largest, help_heading = "Filters")]
    faces: Faces,

    /// Lowest and highest mean brightness of the crop, from 0 to 255, or off
    #[arg(
        long,
        value_name = "MIN..MAX",
        default_value_t = Range(Filters::default().brightness),
        help_heading = "Filters"
    )]
    brightness: Range,

    /// Lowest standard deviation of the crop's brightness, or off
    #[arg(
        long,
        value_name = "LEVELS",
        default_value_t = Limit(Filters::default().min_contrast),
        help_heading = "Filters"
    )]
    min_contrast: Limit<f32>,

    /// Lowest focus of the crop, or off
    ///
    /// Variance of the Laplacian of the 96x96 pixels. A small face enlarged counts as out of focus.
    #[arg(
        long,
        value_name = "VARIANCE",
        default_value_t = Limit(Filters::default().min_sharpness),
        help_heading = "Filters"
    )]
    min_sharpness: Limit<f32>,

    /// Lowest face score of our landmark network, whatever places the points, or off
    #[arg(long, value_name = "SCORE", default_value_t = Limit(Filters::default().min_score), help_heading = "Filters")]
    min_score: Limit<f32>,

    /// Most points outside the crop, or off
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = Limit(Filters::default().max_outside),
        help_heading = "Filters"
    )]
    max_outside: Limit<usize>,

    /// Highest mean expected error of our landmark network, in percent of the distance between the eye corners, or off
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = Limit(Filters::default().max_expected_error),
        help_heading = "Filters"
    )]
    max_expected_error: Limit<f32>,

    /// Discard the unfinished work of an earlier call
    #[arg(long)]
    restart: bool,

    /// Save the work after this many photos
    #[arg(long, value_name = "COUNT", value_parser = values::count, default_value_t = USUAL_SHARD)]
    save_every: usize,

    /// Photos processed at the same time; does not change the result [default: all cores]
    #[arg(long, value_name = "COUNT", value_parser = values::threads)]
    threads: Option<usize>,
}

/// Runs the command.
pub fn run(args: AnnotateArgs) -> Result<ExitCode> {
    let settings = args.settings();
    settings.check().map_err(refusal)?;
    args.check_outputs()?;
    let inputs = Inputs::from_paths(&args.paths)?;
    inputs.problems.iter().for_each(report);
    if inputs.photos.is_empty() {
        return Ok(exit_code_after(inputs.problems.len()));
    }
    let job = Job {
        photos: photos(&inputs)?,
        outputs: args.out.clone(),
        shard: args.save_every,
        threads: args.threads.unwrap_or(0),
        restart: args.restart,
    };
    let annotator = Annotator::new(&settings)?;
    let stop = stop_on_ctrl_c()?;
    let progress = Progress::of_photos(job.photos.len());
    let hear = |counts: &Counts| progress.set(counts.photos as u64, || summary::state(counts));
    let outcome = shards::run(&annotator, job, &hear, &stop);
    progress.finish();
    match outcome.map_err(refusal)? {
        Outcome::Stopped(counts) => {
            let parts = shards::parts_path(&args.out[0]);
            say(&format!(
                "stopped; {} of {} photos are saved in {}; the same command resumes from there",
                counts.photos,
                inputs.photos.len(),
                parts.display()
            ));
            Ok(ExitCode::from(STOPPED))
        }
        Outcome::Complete(counts) => {
            let rejects = shards::rejects_path(&args.out[0]);
            summary::table(&counts).iter().for_each(|line| say(line));
            if counts.kept == 0 {
                bail!("no face was kept and no table is written; {} tells why", rejects.display());
            }
            let written = args.out.iter().chain([&rejects]).map(|path| path.display().to_string());
            say(&format!("written: {}", written.collect::<Vec<_>>().join(", ")));
            Ok(exit_code_after(inputs.problems.len()))
        }
    }
}

impl AnnotateArgs {
    fn settings(&self) -> Settings {
        Settings {
            detectors: self.detector.clone(),
            points: self.points.clone(),
            points_on: self.points_on,
            margin: self.margin,
            faces: self.faces,
            filters: Filters {
                brightness: self.brightness.0.clone(),
                min_contrast: self.min_contrast.0,
                min_sharpness: self.min_sharpness.0,
                min_score: self.min_score.0,
                max_outside: self.max_outside.0,
                max_expected_error: self.max_expected_error.0,
            },
        }
    }

    /// Checks that tables have known extensions, and that none is the table of boxes that is read.
    fn check_outputs(&self) -> Result<()> {
        let rejects = shards::rejects_path(&self.out[0]);
        for out in &self.out {
            let ending = out.extension().unwrap_or_default();
            if !["csv", "parquet"].iter().any(|known| ending.eq_ignore_ascii_case(known)) {
                return Err(usage(format!("--out {}: a table's name ends in .csv or .parquet", out.display())));
            }
        }
        for detector in &self.detector {
            if let DetectorChoice::Boxes(table) = detector
                && self.out.iter().chain([&rejects]).any(|out| normal(out) == normal(table))
            {
                let table = table.display();
                return Err(usage(format!("--out: {table} is read by --detector and would be overwritten")));
            }
        }
        Ok(())
    }
}

/// An error in the command line, with the names of its options.
fn refusal(error: Error) -> anyhow::Error {
    match error {
        Error::Setting(text) => usage(format!("--{text}")),
        Error::Unfinished { .. } => usage(error.to_string()),
        other => anyhow!(other),
    }
}

fn photos(inputs: &Inputs) -> Result<Vec<Input>> {
    let input = |source: &Source| match source {
        Source::Stdin | Source::Bytes(_) => Err(usage("`-`: annotate reads files and folders only")),
        Source::File(path) => Ok(Input { name: name_below(path, &inputs.base), path: path.clone() }),
    };
    inputs.photos.iter().map(input).collect()
}
