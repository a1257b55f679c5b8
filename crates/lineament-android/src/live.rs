//! One frame of the camera: turned upright, followed, drawn.

use lineament::draw::DrawOptions;
use lineament::{ImageView, Options, PixelFormat, TrackOptions, TrackedFace, Tracker};

use crate::figures::Figures;
use crate::frame::{CameraFrame, Upright};
use crate::orientation::Turn;
use crate::page::{Area, Page};
use crate::platform::Clock;

/// Faces that are followed: each takes one more pass of the landmark network per frame.
const MAX_FACES: usize = 8;

/// Follows faces and draws them.
#[derive(Debug)]
pub struct Live {
    tracker: Tracker,
    upright: Upright,
    /// The faces of the last frame, as they lie in the picture that is shown.
    shown: Vec<TrackedFace>,
    /// What the frames took.
    pub figures: Figures,
}

/// How a frame is shown.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// What makes it upright.
    pub turn: Turn,
    /// Whether it is mirrored then.
    pub mirror: bool,
}

impl Live {
    /// With the models inside the library, on the thread that calls.
    ///
    /// # Errors
    /// As [`Tracker::new`].
    pub fn new() -> lineament::Result<Self> {
        let options = Options { max_faces: MAX_FACES, ..Options::default() };
        let tracker = Tracker::new(options, TrackOptions::default())?;
        Ok(Self { tracker, upright: Upright::default(), shown: Vec::new(), figures: Figures::default() })
    }

    /// Forgets all faces: another camera, or a pause.
    pub fn reset(&mut self) {
        self.tracker.reset();
        self.shown.clear();
        self.figures = Figures::default();
    }

    /// The size of an upright frame.
    pub fn upright_size(frame: &CameraFrame, turn: Turn) -> (usize, usize) {
        let (width, height) = (frame.width(), frame.height());
        if turn.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// Finds the faces of a frame. Points are those of the upright picture before it is mirrored: left and right stay
    /// the person's own.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn follow(&mut self, frame: &CameraFrame, view: View, clock: &dyn Clock) -> lineament::Result<()> {
        let begin = clock.secs();
        self.figures.frame(begin);
        self.upright.update(frame, view.turn);
        let turned = clock.secs();
        let (width, height) = (self.upright.width, self.upright.height);
        let (luma, stride) = self.upright.brightness(frame);
        let image = ImageView::new(luma, width, height, stride, PixelFormat::Grey)?;
        let faces = self.tracker.update(&image, begin);
        self.shown.truncate(faces.len());
        for (number, face) in faces.iter().enumerate() {
            match self.shown.get_mut(number) {
                Some(shown) => shown.clone_from(face),
                None => self.shown.push(face.clone()),
            }
        }
        if view.mirror {
            let points = self.shown.iter_mut().flat_map(|shown| &mut shown.face.landmarks.points);
            points.for_each(|point| point.x = width as f32 - point.x);
        }
        let (searched, count) = (self.tracker.searched(), self.shown.len());
        self.figures.tracked(clock.secs() - turned, searched, count);
        Ok(())
    }

    /// Draws the frame of the last [`Live::follow`] and its faces at `area`.
    pub fn draw(&mut self, frame: &CameraFrame, view: View, page: &mut Page, area: Area) {
        let stride = page.canvas.width();
        self.upright.paint(frame, view.mirror, page.canvas.pixels_mut(), stride, area.left, area.top);
        let options = DrawOptions { rect: false, ..DrawOptions::default() };
        for shown in &mut self.shown {
            shift(shown, area.left as f32, area.top as f32);
            page.canvas.draw_face(&shown.face, &options);
            shift(shown, -(area.left as f32), -(area.top as f32));
        }
    }

    /// The faces of the last frame, in pixels of the picture that is shown.
    pub fn shown(&self) -> &[TrackedFace] {
        &self.shown
    }
}

/// Moves a face to its place on the page.
fn shift(shown: &mut TrackedFace, x: f32, y: f32) {
    for point in &mut shown.face.landmarks.points {
        (point.x, point.y) = (point.x + x, point.y + y);
    }
}
