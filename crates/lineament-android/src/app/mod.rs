//! The app without a phone: events come in, the camera and the window are used, and nothing is done in between.

mod measure;
mod screens;
mod source;

use std::time::Duration;

use lineament_bench::Plan;
use measure::Benchmark;
use source::{Source, sources};

use crate::live::{Live, View};
use crate::models::{self, ModelFile, Timing};
use crate::orientation::upright_turn;
use crate::page::{Area, GREY, Page, WHITE};
use crate::platform::{CameraInfo, CameraTrouble, Platform, Surface};
use crate::save;

/// What happens to the app.
#[allow(missing_debug_implementations)]
pub enum Event {
    /// The user sees and uses it.
    Resume,
    /// Something else is in front.
    Pause,
    /// There is a window.
    Window(Box<dyn Surface>),
    /// It goes away: it must not be used after [`App::handle`] returns.
    WindowLost,
    /// Its size, its turn, or what covers it may have changed.
    WindowChanged,
    /// A finger touches the window, at this place in its pixels.
    Down {
        /// From the left.
        x: f32,
        /// From the top.
        y: f32,
    },
    /// It leaves the window.
    Up {
        /// From the left.
        x: f32,
        /// From the top.
        y: f32,
    },
    /// The touch became something else.
    Cancel,
    /// The system's gesture to go back.
    Back,
}

/// How long the loop may sleep before it calls [`App::work`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until an event.
    UntilEvent,
    /// Until an event or a frame, or so long.
    AtMost(Duration),
    /// Not at all: a measurement runs.
    None,
}

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// The camera with faces.
    Camera,
    /// How fast the phone is.
    Benchmark,
    /// How fast other networks are.
    Models,
}

impl Screen {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Camera, "Camera"), (Self::Benchmark, "Benchmark"), (Self::Models, "Models")];
}

/// What the camera does.
#[derive(Debug, Clone, PartialEq)]
enum Stream {
    Closed,
    /// It runs; the last frame came at this time, or it was opened then.
    Running {
        last_secs: f64,
    },
    Trouble(CameraTrouble),
}

/// A touch that lasts as long as Android's own long press.
const LONG_PRESS_SECS: f64 = 0.5;
/// A touch that moves farther than this share of the window's shorter side is no tap.
const TAP_REACH: f32 = 0.05;
/// A camera that sends nothing for so long has failed.
const SILENCE_SECS: f64 = 4.0;
/// How often the loop looks whether a camera is silent.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for one frame, as the performance hint is told.
const TARGET_SECS: f64 = 1.0 / 30.0;
/// How long a message stays.
const MESSAGE_SECS: f64 = 3.0;

/// The whole app.
#[allow(missing_debug_implementations)]
pub struct App {
    platform: Platform,
    surface: Option<Box<dyn Surface>>,
    live: Live,
    page: Page,
    screen: Screen,
    resumed: bool,
    /// Whether the permission was asked for since the app came to the front by itself.
    asked: bool,
    granted: bool,
    stream: Stream,
    sources: Vec<Source>,
    source: usize,
    /// The size of the last upright frame: the layout before the first is that of an upright stream.
    upright: Option<(usize, usize)>,
    touch: Option<(f32, f32, f64)>,
    save_next: bool,
    message: Option<(String, f64)>,
    benchmark: Benchmark,
    plan: Plan,
    files: Vec<ModelFile>,
    /// What is known of each file.
    answers: Vec<String>,
    timing: Option<(usize, Box<Timing>)>,
    shown_secs: f64,
}

impl App {
    /// With the models inside the library.
    ///
    /// # Errors
    /// As [`lineament::Tracker::new`].
    pub fn new(platform: Platform) -> lineament::Result<Self> {
        Ok(Self {
            platform,
            surface: None,
            live: Live::new()?,
            page: Page::new(1, 1),
            screen: Screen::Camera,
            resumed: false,
            asked: false,
            granted: false,
            stream: Stream::Closed,
            sources: Vec::new(),
            source: 0,
            upright: None,
            touch: None,
            save_next: false,
            message: None,
            benchmark: Benchmark::Idle(Vec::new()),
            plan: Plan::default(),
            files: Vec::new(),
            answers: Vec::new(),
            timing: None,
            shown_secs: f64::NEG_INFINITY,
        })
    }

    /// Measures by another plan: tests have no two minutes.
    pub fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    /// What the window shows.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// How long the loop may sleep now.
    pub fn patience(&self) -> Patience {
        if !self.visible() {
            return Patience::UntilEvent;
        }
        let measuring = match self.screen {
            Screen::Camera => false,
            Screen::Benchmark => matches!(self.benchmark, Benchmark::Running { .. }),
            Screen::Models => self.timing.is_some(),
        };
        match self.stream {
            _ if measuring => Patience::None,
            Stream::Running { .. } => Patience::AtMost(LOOK_EVERY),
            _ => Patience::UntilEvent,
        }
    }

    fn visible(&self) -> bool {
        self.resumed && self.surface.is_some()
    }

    /// Does what an event asks for. False for one that the system should answer itself: going back from the first
    /// screen.
    pub fn handle(&mut self, event: Event) -> bool {
        match event {
            Event::Resume => {
                self.resumed = true;
                self.clear_trouble();
                self.granted = self.platform.permission.granted();
                if !self.granted && !self.asked {
                    self.ask();
                }
            }
            Event::Pause => {
                self.resumed = false;
                self.touch = None;
                self.save_next = false;
                self.stop_measuring("Stopped, because the app was left.");
            }
            Event::Window(surface) => self.surface = Some(surface),
            Event::WindowLost => self.surface = None,
            Event::WindowChanged => (),
            Event::Down { x, y } => self.touch = Some((x, y, self.platform.clock.secs())),
            Event::Up { x, y } => {
                if let Some((from_x, from_y, secs)) = self.touch.take() {
                    self.touched((from_x, from_y), (x, y), self.platform.clock.secs() - secs);
                }
            }
            Event::Cancel => self.touch = None,
            Event::Back if self.screen == Screen::Camera => return false,
            Event::Back => self.show(Screen::Camera),
        }
        self.settle();
        self.draw_page();
        true
    }

    fn ask(&mut self) {
        self.asked = true;
        self.platform.permission.ask();
    }

    /// A trouble may have passed.
    fn clear_trouble(&mut self) {
        if matches!(self.stream, Stream::Trouble(_)) {
            self.stream = Stream::Closed;
        }
    }

    fn show(&mut self, screen: Screen) {
        if self.screen != screen {
            self.stop_measuring("Stopped.");
            self.screen = screen;
            self.message = None;
        }
        if screen == Screen::Models {
            self.files = self.platform.folder.as_ref().map_or(Vec::new(), |at| models::list(&at.join(models::FOLDER)));
            self.answers = vec![String::new(); self.files.len()];
            self.timing = None;
        }
    }

    /// A finger left the window.
    fn touched(&mut self, from: (f32, f32), to: (f32, f32), secs: f64) {
        let Some((layout, surface)) = self.layout().zip(self.surface.as_ref()) else { return };
        let (width, height) = surface.size();
        let reach = TAP_REACH * width.min(height) as f32;
        if (to.0 - from.0).abs() > reach || (to.1 - from.1).abs() > reach {
            return;
        }
        let (x, y) = layout.place(to.0, to.1);
        let mut numbers = 0..Screen::ALL.len();
        let chosen = numbers.find(|&number| layout.button(number, Screen::ALL.len()).contains(x, y));
        match (chosen, self.screen) {
            (Some(number), _) => self.show(Screen::ALL[number].0),
            (None, Screen::Camera) if secs >= LONG_PRESS_SECS => {
                self.save_next = matches!(self.stream, Stream::Running { .. });
            }
            (None, Screen::Camera) => self.tapped_camera(),
            (None, Screen::Benchmark) => self.start_benchmark(),
            (None, Screen::Models) => self.tapped_model(&layout, y),
        }
    }

    fn tapped_camera(&mut self) {
        if !self.granted || self.stream == Stream::Trouble(CameraTrouble::Denied) {
            self.clear_trouble();
            self.granted = self.platform.permission.granted();
            if !self.granted {
                self.ask();
            }
            return;
        }
        match self.stream {
            Stream::Trouble(_) => self.clear_trouble(),
            _ if self.sources.len() > 1 => {
                self.close();
                self.source = (self.source + 1) % self.sources.len();
            }
            _ => (),
        }
    }

    /// Opens or closes the camera, as the state of everything else asks for.
    fn settle(&mut self) {
        let wanted = self.visible() && self.screen == Screen::Camera && self.granted;
        match self.stream {
            Stream::Closed if wanted => self.open(),
            Stream::Running { .. } if !wanted => self.close(),
            _ => (),
        }
    }

    fn open(&mut self) {
        self.granted = self.platform.permission.granted();
        if !self.granted {
            return;
        }
        if self.sources.is_empty() {
            match self.platform.camera.list() {
                Ok(cameras) => self.sources = sources(&cameras),
                Err(trouble) => return self.trouble(trouble),
            }
        }
        let Some(Source { camera, size }) = self.sources.get(self.source).cloned() else {
            self.source = 0;
            return self.trouble(CameraTrouble::NoCamera);
        };
        self.live.reset();
        match self.platform.camera.open(&camera.id, size) {
            Ok(()) => self.stream = Stream::Running { last_secs: self.platform.clock.secs() },
            Err(trouble) => self.trouble(trouble),
        }
    }

    fn close(&mut self) {
        self.platform.camera.close();
        self.stream = Stream::Closed;
        self.upright = None;
    }

    fn trouble(&mut self, trouble: CameraTrouble) {
        self.close();
        // Cameras may have been plugged in or out.
        self.sources.clear();
        self.stream = Stream::Trouble(trouble);
    }

    /// Draws the newest frame, or measures a little more.
    pub fn work(&mut self) {
        if !self.visible() {
            return;
        }
        match self.screen {
            Screen::Camera => self.work_camera(),
            Screen::Benchmark => self.work_benchmark(),
            Screen::Models => self.work_models(),
        }
    }

    fn work_camera(&mut self) {
        let Stream::Running { last_secs } = self.stream else { return };
        let begin = self.platform.clock.secs();
        // The frame borrows the camera, and drawing it borrows the app: the camera leaves the app meanwhile.
        let mut camera = std::mem::replace(&mut self.platform.camera, Box::new(Nothing));
        let mut drawn = Ok(());
        let came = camera.newest(&mut |frame| drawn = self.show_frame(frame));
        self.platform.camera = camera;
        match came.and_then(|came| drawn.map(|()| came)) {
            Ok(true) => {
                let end = self.platform.clock.secs();
                self.stream = Stream::Running { last_secs: end };
                self.platform.power.worked(end - begin, TARGET_SECS);
            }
            Ok(false) if begin - last_secs > SILENCE_SECS => self.failed(CameraTrouble::Silent),
            Ok(false) => (),
            Err(trouble) => self.failed(trouble),
        }
    }

    fn failed(&mut self, trouble: CameraTrouble) {
        self.trouble(trouble);
        self.draw_page();
    }

    fn show_frame(&mut self, frame: &crate::frame::CameraFrame) -> Result<(), CameraTrouble> {
        let (Some(surface), Some(source)) = (&mut self.surface, self.sources.get(self.source)) else { return Ok(()) };
        let camera = &source.camera;
        let turn = upright_turn(camera.sensor, surface.turn(), camera.facing);
        let view = View { turn, mirror: camera.facing.mirrored() };
        self.upright = Some(Live::upright_size(frame, turn));
        let clock = &*self.platform.clock;
        self.live.follow(frame, view, clock).map_err(|_| CameraTrouble::Damaged)?;
        let begin = clock.secs();
        let Some(layout) = self.layout() else { return Ok(()) };
        self.page.fit(layout.width, layout.height);
        self.page.clear();
        self.live.draw(frame, view, &mut self.page, layout.picture);
        if std::mem::take(&mut self.save_next) {
            self.save(layout.picture);
        }
        let now = self.platform.clock.secs();
        let Source { camera, size: (width, height) } = &self.sources[self.source];
        let stream = format!("{} {width}x{height}", format!("{:?}", camera.facing).to_lowercase());
        let faces = self.live.shown().len();
        let lines = self.live.figures.lines(faces, &stream, self.platform.power.heat());
        let colours = |line| (line, if faces > 0 { WHITE } else { GREY });
        self.page.lines(lines.iter().map(String::as_str).map(colours), layout.text);
        self.message.take_if(|(_, until)| *until < now);
        if let Some((words, _)) = &self.message {
            let low = Area {
                top: layout.text.top + layout.text.height * 2 / 3,
                height: layout.text.height / 3,
                ..layout.text
            };
            self.page.notice(words, low);
        }
        self.draw_buttons(&layout);
        self.post();
        self.live.figures.drawn(self.platform.clock.secs() - begin);
        Ok(())
    }

    fn save(&mut self, area: Area) {
        let clock = &self.platform.clock;
        let saved = match &self.platform.folder {
            Some(folder) => save::save(folder, clock.unix_secs(), &self.page, area, self.live.shown()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        };
        let words = match saved {
            Ok(path) => format!("Saved as {}", path.display()),
            Err(error) => format!("Not saved: {error}"),
        };
        self.message = Some((words, clock.secs() + MESSAGE_SECS));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.platform.camera.close();
    }
}

/// In the camera's place while its frame is borrowed.
struct Nothing;

impl crate::platform::Camera for Nothing {
    fn list(&mut self) -> Result<Vec<CameraInfo>, CameraTrouble> {
        Ok(Vec::new())
    }
    fn open(&mut self, _: &str, _: (usize, usize)) -> Result<(), CameraTrouble> {
        Err(CameraTrouble::NoCamera)
    }
    fn close(&mut self) {}
    fn newest(&mut self, _: &mut dyn FnMut(&crate::frame::CameraFrame)) -> Result<bool, CameraTrouble> {
        Ok(false)
    }
}
