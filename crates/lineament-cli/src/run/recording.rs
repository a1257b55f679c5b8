//! Drawn frames on their way out: a video or a folder of pictures, on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};
use lineament::TrackedFace;
use lineament_data::PartFile;
#[cfg(feature = "h264")]
use lineament_data::video::h264::Mp4Video;
use lineament_data::video::{Frame, Rate, y4m};

use crate::failure::usage;
use crate::output::{Files, cannot_write, check_folder};
use crate::picture::{Style, encode, has_extension, paint, tracked};

/// Frames that may wait to be drawn: enough to keep both threads busy.
const WAITING: usize = 4;

/// Takes frames with their faces.
pub struct Recording {
    path: PathBuf,
    sender: SyncSender<(Frame, Vec<TrackedFace>)>,
    thread: JoinHandle<Result<()>>,
}

/// Where drawn frames go.
enum Target {
    #[cfg(feature = "h264")]
    Mp4(Box<Mp4Video<PartFile>>),
    Y4m(Box<y4m::Writer<PartFile>>),
    Folder(PathBuf, Files),
}

/// Whether `--draw` names a video.
pub fn is_video(path: &Path) -> bool {
    has_extension(path, &["mp4", "y4m"])
}

impl Recording {
    /// Starts to draw into `path`, as its ending says.
    ///
    /// # Errors
    /// When it names a picture or the video that is read, or cannot be written.
    pub fn start(path: PathBuf, rate: Rate, files: Files, style: Style) -> Result<Self> {
        let mut target = Target::open(&path, rate, files).context("--draw")?;
        let (sender, receiver): (_, Receiver<(Frame, Vec<TrackedFace>)>) = sync_channel(WAITING);
        let name = path.clone();
        let work = move || {
            for (mut frame, faces) in receiver {
                paint(&mut frame.picture, tracked(&faces), &style);
                target.add(&frame).with_context(|| format!("--draw {}: frame {}", name.display(), frame.index))?;
            }
            target.finish().with_context(|| format!("--draw {}: cannot write", name.display()))
        };
        let thread = thread::Builder::new().spawn(work).context("cannot start a thread")?;
        Ok(Self { path, sender, thread })
    }

    /// Hands over a frame; `false` when the other side has failed, which [`Recording::finish`] explains.
    pub fn add(&self, frame: Frame, faces: Vec<TrackedFace>) -> bool {
        self.sender.send((frame, faces)).is_ok()
    }

    /// Waits for what is still to be drawn, gives the file its name, and answers where it is.
    ///
    /// # Errors
    /// What went wrong while frames were drawn and written.
    pub fn finish(self) -> Result<PathBuf> {
        drop(self.sender);
        let fault = |_| Err(anyhow!("--draw: a fault of this program; please report it"));
        self.thread.join().unwrap_or_else(fault).map(|()| self.path)
    }
}

impl Target {
    fn open(path: &Path, rate: Rate, files: Files) -> Result<Self> {
        files.check(path)?;
        if has_extension(path, &["png", "jpg", "jpeg"]) && !path.is_dir() {
            let path = path.display();
            return Err(usage(format!("{path}: one picture cannot show a video: give a .mp4, a .y4m or a folder")));
        }
        let new = |path| PartFile::create(path).with_context(|| cannot_write(path));
        if has_extension(path, &["y4m"]) {
            return Ok(Self::Y4m(Box::new(y4m::Writer::new(new(path)?, rate))));
        }
        #[cfg(feature = "h264")]
        if has_extension(path, &["mp4"]) {
            return Ok(Self::Mp4(Box::new(Mp4Video::new(new(path)?, rate)?)));
        }
        #[cfg(not(feature = "h264"))]
        if has_extension(path, &["mp4"]) {
            let path = path.display();
            return Err(usage(format!("{path}: this program was built without H.264: give a .y4m or a folder")));
        }
        check_folder(path)?;
        Ok(Self::Folder(path.to_owned(), files))
    }

    fn add(&mut self, frame: &Frame) -> Result<()> {
        match self {
            #[cfg(feature = "h264")]
            Self::Mp4(video) => Ok(video.add(&frame.picture, frame.time_secs)?),
            Self::Y4m(video) => Ok(video.add(&frame.picture)?),
            Self::Folder(folder, files) => {
                let bytes = encode(&frame.picture, true)?;
                files.write(&folder.join(format!("{:06}.jpg", frame.index)), &bytes)
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            #[cfg(feature = "h264")]
            Self::Mp4(video) => Ok(video.finish()?.finish()?),
            Self::Y4m(video) => Ok(video.finish()?.finish()?),
            Self::Folder(..) => Ok(()),
        }
    }
}
