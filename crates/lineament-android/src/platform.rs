//! What the app asks of the device, as traits: camera, surface, clock, permission, power.

use std::path::PathBuf;

use crate::frame::CameraFrame;
use crate::orientation::{Facing, Turn};

/// Why there is no picture. The text is what the screen says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CameraTrouble {
    /// The device has none.
    #[error("This device has no camera.")]
    NoCamera,
    /// Another app has it, or too many are open.
    #[error("Another app uses the camera. Close it, then tap to try again.")]
    InUse,
    /// It went away while it ran: another app took it, or a cable was pulled.
    #[error("The camera was taken away. Tap to try again.")]
    Disconnected,
    /// The owner or an administrator has switched it off.
    #[error("The camera is switched off for this device.")]
    Disabled,
    /// The permission went away while the app ran.
    #[error("The permission for the camera was taken away. Tap to ask again.")]
    Denied,
    /// It offers no stream of YUV 4:2:0 that the app knows.
    #[error("This camera offers no picture that can be read.")]
    NoFormat,
    /// It runs, but no frame came for a while.
    #[error("The camera sends no pictures. Tap to try again.")]
    Silent,
    /// A frame did not hold what it says.
    #[error("The camera sends damaged pictures. Tap to try again.")]
    Damaged,
    /// Anything else.
    #[error("The camera failed (error {code}). Tap to try again.")]
    Failed {
        /// `camera_status_t` or `media_status_t`.
        code: i32,
    },
}

/// A camera that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// The system's name for it.
    pub id: String,
    /// Where it looks.
    pub facing: Facing,
    /// By how much its pictures must be turned while the device is held in its natural way.
    pub sensor: Turn,
    /// Widths and heights of its YUV 4:2:0 streams.
    pub sizes: Vec<(usize, usize)>,
}

/// The cameras of the device, of which one runs at a time.
pub trait Camera {
    /// What there is.
    ///
    /// # Errors
    /// When the system does not say.
    fn list(&mut self) -> Result<Vec<CameraInfo>, CameraTrouble>;

    /// Starts the stream of this size. Frames wake the loop that calls [`App::work`](crate::App::work).
    ///
    /// # Errors
    /// When it does not start.
    fn open(&mut self, id: &str, size: (usize, usize)) -> Result<(), CameraTrouble>;

    /// Ends the stream and gives back all that belongs to it. Nothing happens where none runs.
    fn close(&mut self);

    /// Hands over the newest frame and drops older ones. False where none has come since the last call.
    ///
    /// # Errors
    /// When the stream has ended or the frame is damaged.
    fn newest(&mut self, take: &mut dyn FnMut(&CameraFrame)) -> Result<bool, CameraTrouble>;
}

/// The part of a window that no bar, notch or gesture area covers, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Insets {
    /// Pixels to keep free at the left.
    pub left: usize,
    /// At the top.
    pub top: usize,
    /// At the right.
    pub right: usize,
    /// At the bottom.
    pub bottom: usize,
}

/// The window was lost while it was written; the system will say so in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the window cannot be written")]
pub struct SurfaceLost;

/// A window.
pub trait Surface {
    /// Width and height on the screen, in pixels.
    fn size(&self) -> (usize, usize);

    /// What to keep free of text.
    fn insets(&self) -> Insets;

    /// By how much the screen's content is turned against the device's natural way.
    fn turn(&mut self) -> Turn;

    /// Shows a picture of red, green, blue and alpha, scaled to the window.
    ///
    /// # Errors
    /// When the window is gone.
    fn show(&mut self, pixels: &[u8], width: usize, height: usize) -> Result<(), SurfaceLost>;
}

/// The time.
pub trait Clock {
    /// Seconds that never run backwards.
    fn secs(&self) -> f64;

    /// Seconds since 1970, for names of files.
    fn unix_secs(&self) -> u64;
}

/// The permission to use the camera.
pub trait Permission {
    /// Whether it is given now.
    fn granted(&mut self) -> bool;

    /// Shows the system's question. The answer is seen when the app resumes.
    fn ask(&mut self);
}

/// How hot the device is, in the system's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heat {
    /// Nothing is slowed down.
    None,
    /// Not noticed by the user.
    Light,
    /// Noticed a little.
    Moderate,
    /// The device slows down.
    Severe,
    /// All that can be done is done; or worse.
    Critical,
}

/// What the system knows of heat and of work.
pub trait Power {
    /// `None` where the system does not say.
    fn heat(&mut self) -> Option<Heat>;

    /// Says how long the work on a frame took, and how long it may take.
    fn worked(&mut self, secs: f64, target_secs: f64);
}

/// All of it.
#[allow(missing_debug_implementations)]
pub struct Platform {
    /// The cameras.
    pub camera: Box<dyn Camera>,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// The permission.
    pub permission: Box<dyn Permission>,
    /// Heat and work.
    pub power: Box<dyn Power>,
    /// Where the app may write, and where its users put model files.
    pub folder: Option<PathBuf>,
}
