//! A phone made of files and slices: for the tests, and for whoever wants to see the app on a desktop.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::frame::{CameraFrame, Plane};
use crate::orientation::{Facing, Turn};
use crate::platform::{
    Camera, CameraInfo, CameraTrouble, Clock, Heat, Insets, Permission, Platform, Power, Surface, SurfaceLost,
};

/// What the phone's parts share, and what a test reads and changes.
#[derive(Debug)]
pub struct Desk {
    /// The time.
    pub now_secs: f64,
    /// The cameras that there are.
    pub cameras: Vec<CameraInfo>,
    /// The video of all cameras.
    pub film: Film,
    /// Frames that wait for the app.
    pub waiting: usize,
    /// Frames that were handed over, so the next one's number.
    pub taken: usize,
    /// The camera that runs.
    pub open: Option<(String, (usize, usize))>,
    /// How often one was opened.
    pub opened: usize,
    /// What the next call of the camera fails with.
    pub trouble: Option<CameraTrouble>,
    /// Whether the permission is given.
    pub granted: bool,
    /// How often it was asked for.
    pub asked: usize,
    /// How hot it is.
    pub heat: Option<Heat>,
    /// Windows that the app holds.
    pub windows: usize,
    /// How the screen is turned.
    pub turn: Turn,
    /// Of the window.
    pub size: (usize, usize),
    /// What is covered of it.
    pub insets: Insets,
    /// What it shows: red, green, blue, alpha, with width and height.
    pub shown: (Vec<u8>, usize, usize),
    /// How often something was shown.
    pub shows: usize,
}

/// The desk, for all of its parts.
pub type Shared = Rc<RefCell<Desk>>;

impl Desk {
    /// A phone in portrait with a front camera, whose sensor lies on its side as usual, and a back camera.
    pub fn new(film: Film) -> Shared {
        let camera = |id: &str, facing, sensor| CameraInfo {
            id: id.into(),
            facing,
            sensor: Turn::from_degrees(sensor),
            sizes: vec![(film.width, film.height)],
        };
        Rc::new(RefCell::new(Self {
            now_secs: 0.0,
            cameras: vec![camera("0", Facing::Back, 90), camera("1", Facing::Front, 270)],
            film,
            waiting: 0,
            taken: 0,
            open: None,
            opened: 0,
            trouble: None,
            granted: true,
            asked: 0,
            heat: None,
            windows: 0,
            turn: Turn::None,
            size: (1080, 2340),
            insets: Insets { top: 80, bottom: 60, ..Insets::default() },
            shown: (Vec::new(), 0, 0),
            shows: 0,
        }))
    }
}

/// The parts for an app.
pub fn platform(desk: &Shared, folder: Option<std::path::PathBuf>) -> Platform {
    let part = || Box::new(Part(desk.clone()));
    Platform { camera: part(), clock: part(), permission: part(), power: part(), folder }
}

/// A window for an app.
pub fn window(desk: &Shared) -> Box<dyn Surface> {
    desk.borrow_mut().windows += 1;
    Box::new(Window(desk.clone()))
}

struct Part(Shared);

impl Camera for Part {
    fn list(&mut self) -> Result<Vec<CameraInfo>, CameraTrouble> {
        Ok(self.0.borrow().cameras.clone())
    }

    fn open(&mut self, id: &str, size: (usize, usize)) -> Result<(), CameraTrouble> {
        let mut desk = self.0.borrow_mut();
        if let Some(trouble) = desk.trouble.take() {
            return Err(trouble);
        }
        assert!(desk.open.is_none(), "two cameras at once");
        assert!(desk.granted, "a camera without permission");
        desk.open = Some((id.to_owned(), size));
        desk.opened += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.0.borrow_mut().open = None;
    }

    fn newest(&mut self, take: &mut dyn FnMut(&CameraFrame)) -> Result<bool, CameraTrouble> {
        let (film, number) = {
            let mut desk = self.0.borrow_mut();
            if let Some(trouble) = desk.trouble.take() {
                return Err(trouble);
            }
            if desk.open.is_none() || desk.waiting == 0 {
                return Ok(false);
            }
            // Older ones are dropped.
            desk.taken += std::mem::take(&mut desk.waiting);
            (desk.film.clone(), desk.taken - 1)
        };
        let frame = film.frame(number).ok_or(CameraTrouble::Damaged)?;
        take(&frame);
        Ok(true)
    }
}

impl Clock for Part {
    fn secs(&self) -> f64 {
        self.0.borrow().now_secs
    }

    fn unix_secs(&self) -> u64 {
        1_800_000_000 + self.secs() as u64
    }
}

impl Permission for Part {
    fn granted(&mut self) -> bool {
        self.0.borrow().granted
    }

    fn ask(&mut self) {
        self.0.borrow_mut().asked += 1;
    }
}

impl Power for Part {
    fn heat(&mut self) -> Option<Heat> {
        self.0.borrow().heat
    }

    fn worked(&mut self, _: f64, _: f64) {}
}

struct Window(Shared);

impl Surface for Window {
    fn size(&self) -> (usize, usize) {
        self.0.borrow().size
    }

    fn insets(&self) -> Insets {
        self.0.borrow().insets
    }

    fn turn(&mut self) -> Turn {
        self.0.borrow().turn
    }

    fn show(&mut self, pixels: &[u8], width: usize, height: usize) -> Result<(), SurfaceLost> {
        let mut desk = self.0.borrow_mut();
        assert_eq!(pixels.len(), 4 * width * height, "a whole picture");
        desk.shown = (pixels.to_vec(), width, height);
        desk.shows += 1;
        Ok(())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.0.borrow_mut().windows -= 1;
    }
}

/// The frames of an uncompressed video file (YUV4MPEG2 with 4:2:0), as a camera would give them.
#[derive(Debug, Clone)]
pub struct Film {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    bytes: Rc<Vec<u8>>,
}

const MARK: &[u8] = b"FRAME";

impl Film {
    /// Reads a whole file.
    ///
    /// # Errors
    /// When it cannot be read, or is another kind of file.
    pub fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| bad("no header"))?;
        let header = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut words = header.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(bad("no YUV4MPEG2 file"));
        }
        let (mut width, mut height) = (0, 0);
        for word in words {
            match word.split_at_checked(1) {
                Some(("W", number)) => width = number.parse().unwrap_or(0),
                Some(("H", number)) => height = number.parse().unwrap_or(0),
                Some(("C", colours)) if !colours.starts_with("420") => return Err(bad("colours are not 4:2:0")),
                _ => (),
            }
        }
        if !(1..=4096).contains(&width) || !(1..=4096).contains(&height) {
            return Err(bad("no size"));
        }
        Ok(Self::new(width, height, bytes.split_off(end + 1)))
    }

    /// From frames that each begin with a line that says so.
    fn new(width: usize, height: usize, bytes: Vec<u8>) -> Self {
        Self { width, height, bytes: Rc::new(bytes) }
    }

    /// From planes that a function fills: brightness, blue, red, without gaps.
    pub fn from_planes(width: usize, height: usize, frames: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let bytes = frames.into_iter().flat_map(|frame| [MARK, b"\n", &frame].concat()).collect();
        Self::new(width, height, bytes)
    }

    /// Frame `number`, from the start again after the last.
    pub fn frame(&self, number: usize) -> Option<CameraFrame<'_>> {
        let (wide, high) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let (luma, colour) = (self.width * self.height, wide * high);
        // Lines of frames have no words in the files that are used here.
        let step = MARK.len() + 1 + luma + 2 * colour;
        let count = self.bytes.len() / step;
        let start = number.checked_rem(count)? * step;
        let frame = self.bytes[start..start + step].strip_prefix(MARK)?.strip_prefix(b"\n")?;
        let (y, colours) = frame.split_at(luma);
        let (u, v) = colours.split_at(colour);
        let plane = |bytes, row_stride| Plane { bytes, row_stride, pixel_stride: 1 };
        CameraFrame::new(self.width, self.height, [plane(y, self.width), plane(u, wide), plane(v, wide)]).ok()
    }
}
