//! Follows the faces of a video. One thread reads, one follows the faces, one draws.

use std::io::stdin;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lineament::{Options, SmoothOptions, TrackOptions, Tracker};
use lineament_data::video::{Frame, Frames, Kind, Rate, Stream, VIDEO_EXTENSIONS};

use super::RunArgs;
use super::recording::Recording;
#[cfg(feature = "window")]
use super::window::Window;
use crate::failure::{exit_code_after, usage};
use crate::format::{Format, FrameFaces};
use crate::inputs::{Inputs, Source};
use crate::interrupt::{STOPPED, stop_on_ctrl_c};
use crate::models::Models;
use crate::names::{output_names, with_suffix};
use crate::output::Files;
use crate::picture::{Style, has_extension};
use crate::progress::{Progress, Unit, say};
use crate::sink::{Destination, Sink};
use crate::text::counted;

/// Frames that may wait for the tracker: enough to keep both threads busy.
const WAITING: usize = 4;

/// How long to wait for a frame before checking for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(100);

/// Opens the video, if the only input is one. A photo that standard input holds stays in `inputs`, read.
///
/// # Errors
/// When a video is named among others, or cannot be opened.
pub fn open(inputs: &mut Inputs, fps: f64) -> Result<Option<Frames>> {
    let is_named_so = |path: &Path| has_extension(path, &VIDEO_EXTENSIONS);
    let rate = Rate::from_hz(fps);
    match &inputs.photos[..] {
        // A file that cannot be read is reported where photos are, as any other.
        [Source::File(path)] => match Kind::of_file(path) {
            Ok(kind) if kind.is_some() || is_named_so(path) => Ok(Some(Frames::open(path, rate)?)),
            _ => Ok(None),
        },
        [Source::Stdin] => match Stream::open("-", stdin(), rate)? {
            Stream::Video(frames) => Ok(Some(frames)),
            Stream::Other(rest) => {
                inputs.photos = vec![Source::read_rest(rest)?];
                Ok(None)
            }
        },
        several => {
            let is_video = |source: &&Source| matches!(source, Source::File(path) if is_named_so(path));
            match several.iter().find(is_video) {
                Some(video) => Err(usage(format!("{}: a video is run alone, without other inputs", video.name()))),
                None => Ok(None),
            }
        }
    }
}

/// Follows the faces through `frames`, the only one of `inputs`.
///
/// # Errors
/// When the command line makes no sense for a video, or something cannot be read or written. What was done until then
/// is kept, in whole files.
pub fn run(args: RunArgs, frames: Frames, inputs: &Inputs) -> Result<ExitCode> {
    check(&args)?;
    let name = inputs.photos[0].name();
    let about = frames.about();
    let tracker = tracker(&args)?;
    let destination = destination(&args, inputs);
    let prints = matches!(destination, Destination::Print);
    let style = Style::new(&args.draw_style, true);
    let recording = args
        .draw
        .map(|path| Recording::start(path, about.rate, Files::protecting(&inputs.photos), style))
        .transpose()?;
    let mut work = Work {
        sink: Sink::open(&destination, &args.format.video_header(tracker.topology()))?,
        format: args.format,
        name,
        tracker,
        recording,
        #[cfg(feature = "window")]
        window: args.video.live.then(|| Window::new(style)),
        begin: Instant::now(),
        frames: 0,
        tracking: Duration::ZERO,
    };
    let stop = stop_on_ctrl_c()?;
    let mut progress = Progress::new(Unit::Things("frames"), about.frames);
    if prints {
        progress = progress.with_printed_results();
    }
    let ending = work.all(read_ahead(frames, &stop)?, &stop, &progress);
    progress.finish();
    // Files are completed in any case; the first failure is reported.
    let speed = work.speed();
    let finished = work.finish();
    if ending.is_ok() && finished.is_ok() {
        say(&speed);
    }
    if let Ok(Some(path)) = &finished {
        say(&format!("drawn: {}", path.display()));
    }
    if ending.and_then(|stopped| finished.map(|_| stopped))? {
        say("stopped; everything before that is written");
        return Ok(ExitCode::from(STOPPED));
    }
    Ok(exit_code_after(inputs.problems.len()))
}

/// Refuses options that have no meaning for a video.
fn check(args: &RunArgs) -> Result<()> {
    if !args.boxes.is_empty() {
        return Err(usage("--box is for photos only: the faces of a video move"));
    }
    if args.format == Format::Pts {
        return Err(usage("--format pts has no place for frames: give json or csv for a video"));
    }
    Ok(())
}

fn tracker(args: &RunArgs) -> Result<Tracker> {
    let options = Options { min_face: args.min_face, max_faces: args.max_faces, ..Options::default() };
    let smooth = SmoothOptions::default();
    let settle_secs = args.video.smooth.unwrap_or(smooth.settle_secs);
    let smooth = (!args.video.no_smooth).then_some(SmoothOptions { settle_secs, ..smooth });
    let track = TrackOptions { smooth, ..TrackOptions::default() };
    Ok(Tracker::with_lineament(Models::read(&args.models)?.lineament(options)?, track)?)
}

fn destination(args: &RunArgs, inputs: &Inputs) -> Destination {
    let Some(folder) = &args.out else { return Destination::Print };
    let text =
        || output_names(inputs).pop().map_or_else(PathBuf::new, |name| with_suffix(&name, args.format.extension()));
    Destination::OneFile(folder.join(args.format.table_name().map_or_else(text, PathBuf::from)))
}

/// Reads frames on a thread of its own. It ends with the program: a stream may keep it waiting for ever.
fn read_ahead(frames: Frames, stop: &Arc<AtomicBool>) -> Result<Receiver<lineament_data::Result<Frame>>> {
    let (sender, receiver) = sync_channel(WAITING);
    let stop = Arc::clone(stop);
    let read = move || {
        for frame in frames {
            if stop.load(Ordering::Relaxed) || sender.send(frame).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().spawn(read).context("cannot start a thread")?;
    Ok(receiver)
}

/// What happens to each frame.
struct Work {
    name: String,
    format: Format,
    tracker: Tracker,
    sink: Sink,
    recording: Option<Recording>,
    #[cfg(feature = "window")]
    window: Option<Window>,
    begin: Instant,
    frames: u64,
    /// Spent on finding and following faces.
    tracking: Duration,
}

impl Work {
    /// Works on all frames; `true` when the user stopped it.
    fn all(
        &mut self,
        frames: Receiver<lineament_data::Result<Frame>>,
        stop: &AtomicBool,
        progress: &Progress,
    ) -> Result<bool> {
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            match frames.recv_timeout(PATIENCE) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Ok(frame) => {
                    if !self.frame(frame?)? {
                        return Ok(false);
                    }
                    progress.set(self.frames, || format!("{:.1} per second", self.per_sec(self.begin.elapsed())));
                }
            }
        }
    }

    /// Works on one frame; `false` when nobody wants another.
    fn frame(&mut self, frame: Frame) -> Result<bool> {
        let begin = Instant::now();
        let faces = self.tracker.update(&frame.view(), frame.time_secs);
        let time = begin.elapsed();
        self.tracking += time;
        self.frames += 1;
        let found = FrameFaces {
            video: &self.name,
            frame: frame.index,
            time_secs: frame.time_secs,
            width: frame.picture.width,
            height: frame.picture.height,
            time_ms: time.as_secs_f64() * 1e3,
            faces,
        };
        self.sink.add(&self.format.frame(&found))?;
        #[cfg(feature = "window")]
        if let Some(window) = &mut self.window
            && !window.show(&frame, faces)?
        {
            return Ok(false);
        }
        match &self.recording {
            None => Ok(true),
            Some(recording) => Ok(recording.add(frame, faces.to_vec())),
        }
    }

    /// Frames per second of the time given.
    fn per_sec(&self, time: Duration) -> f64 {
        self.frames as f64 / time.as_secs_f64().max(1e-9)
    }

    /// The summary at the end.
    fn speed(&self) -> String {
        let elapsed = self.begin.elapsed();
        format!(
            "{}: {} in {:.1} s, {:.1} per second; finding and following faces alone {:.1} per second",
            self.name,
            counted(self.frames, "frame"),
            elapsed.as_secs_f64(),
            self.per_sec(elapsed),
            self.per_sec(self.tracking)
        )
    }

    /// Makes all files whole; answers where the drawn one is.
    fn finish(self) -> Result<Option<PathBuf>> {
        let drawn = self.recording.map(Recording::finish).transpose();
        self.sink.finish().and(drawn)
    }
}
