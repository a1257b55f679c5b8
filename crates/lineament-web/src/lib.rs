//! The library for JavaScript: pixels into this memory, numbers out of it.
//!
//! The npm package (`apps/web/package`) turns a video frame into bytes here and the numbers into objects. Nothing in
//! between knows about faces: each method calls the library's own of the same name.

mod numbers;

use lineament::models::{DETECTOR, LITE};
use lineament::topology::{OUTLINES, TRIANGLES};
use lineament::{
    Crop, Detection, ImageView, Lineament, Options, PixelFormat, Point, Rect, SmoothOptions, TrackOptions, Tracker,
};
use wasm_bindgen::prelude::*;

use numbers::Numbers;

/// Detector, landmark network and tracker, with the memory through which JavaScript talks to them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Core {
    tracker: Tracker,
    image: Image,
    numbers: Numbers,
}

#[wasm_bindgen]
impl Core {
    /// With the bytes of two model files, or the models inside where there are none. `smoothing_secs` is
    /// [`SmoothOptions::settle_secs`]; `None` leaves points as the network places them.
    ///
    /// # Errors
    /// What [`Lineament::with_models`] and [`Tracker::with_lineament`] refuse.
    #[wasm_bindgen(constructor)]
    pub fn new(
        detector: Option<Box<[u8]>>,
        model: Option<Box<[u8]>>,
        max_faces: Option<usize>,
        smoothing_secs: Option<f32>,
    ) -> Result<Core, JsError> {
        let mut options = Options::default();
        options.max_faces = max_faces.unwrap_or(options.max_faces);
        let lineament =
            Lineament::with_models(options, detector.as_deref().unwrap_or(DETECTOR), model.as_deref().unwrap_or(LITE))?;
        let tracker = Tracker::with_lineament(lineament, track_options(smoothing_secs))?;
        Ok(Self { tracker, image: Image::EMPTY, numbers: Numbers::default() })
    }

    /// Where JavaScript puts the next image: the address of `bytes` bytes. They stay in place until the next call.
    pub fn pixels(&mut self, bytes: usize) -> *mut u8 {
        self.image.pixels.resize(bytes, 0);
        self.image.pixels.as_mut_ptr()
    }

    /// Says what the bytes are: rows of `width` pixels, each row `stride` bytes after the one before.
    pub fn describe(&mut self, width: usize, height: usize, stride: usize, format: Format) {
        let format = match format {
            Format::Grey => PixelFormat::Grey,
            Format::Rgb => PixelFormat::Rgb,
            Format::Rgba => PixelFormat::Rgba,
            Format::Bgra => PixelFormat::Bgra,
        };
        self.image = Image { pixels: std::mem::take(&mut self.image.pixels), width, height, stride, format };
    }

    /// Follows the faces; the number of faces.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn track(&mut self, time_secs: f64) -> Result<usize, JsError> {
        let view = self.image.view()?;
        let faces = self.tracker.update(&view, time_secs);
        self.numbers.clear();
        faces.iter().for_each(|face| self.numbers.tracked(face));
        Ok(faces.len())
    }

    /// The faces of a photo; their number.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn faces(&mut self) -> Result<usize, JsError> {
        let faces = self.tracker.lineament().faces(&self.image.view()?);
        self.numbers.clear();
        faces.iter().for_each(|face| self.numbers.face(face));
        Ok(faces.len())
    }

    /// The faces of a photo without points; their number.
    ///
    /// # Errors
    /// As [`ImageView::new`].
    pub fn detect(&mut self) -> Result<usize, JsError> {
        let detections = self.tracker.lineament().detect(&self.image.view()?);
        self.numbers.clear();
        detections.iter().for_each(|detection| self.numbers.detection(detection));
        Ok(detections.len())
    }

    /// The points within a box: left, top, width, height; and where the box came from a detection, also x and y of
    /// its five points.
    ///
    /// # Errors
    /// As [`ImageView::new`], and when `place` has neither 4 nor 14 numbers.
    pub fn landmarks(&mut self, place: &[f32]) -> Result<usize, JsError> {
        let landmarks = self.tracker.lineament().landmarks(&self.image.view()?, &crop(place)?);
        self.numbers.clear();
        self.numbers.landmarks(&landmarks);
        Ok(1)
    }

    /// Forgets the faces that are followed.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Whether the last frame was searched by the detector.
    pub fn searched(&self) -> bool {
        self.tracker.searched()
    }

    /// Smooths otherwise from the next frame on; `None` does not smooth.
    ///
    /// # Errors
    /// For a time that is not a number or below 0.
    pub fn smooth(&mut self, smoothing_secs: Option<f32>) -> Result<(), JsError> {
        Ok(self.tracker.set_options(track_options(smoothing_secs))?)
    }

    /// The address of what the last call answered, one record after another.
    pub fn numbers(&self) -> *const f64 {
        self.numbers.as_slice().as_ptr()
    }

    /// How many numbers lie there.
    #[wasm_bindgen(js_name = numbersLength)]
    pub fn numbers_length(&self) -> usize {
        self.numbers.as_slice().len()
    }
}

/// The order of bytes in a pixel, as [`PixelFormat`].
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum Format {
    /// One byte of brightness.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
    /// Blue, green, red, alpha.
    Bgra,
}

/// The image that JavaScript has put here.
#[derive(Debug)]
struct Image {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
    stride: usize,
    format: PixelFormat,
}

impl Image {
    const EMPTY: Self = Self { pixels: Vec::new(), width: 0, height: 0, stride: 0, format: PixelFormat::Grey };

    fn view(&self) -> lineament::Result<ImageView<'_>> {
        ImageView::new(&self.pixels, self.width, self.height, self.stride, self.format)
    }
}

/// The outlines as first point, point after the last, and 1 where it is closed.
#[wasm_bindgen]
pub fn outlines() -> Vec<u8> {
    OUTLINES.iter().flat_map(|line| [line.points.start as u8, line.points.end as u8, u8::from(line.closed)]).collect()
}

/// The triangles, three points each.
#[wasm_bindgen]
pub fn triangles() -> Vec<u8> {
    TRIANGLES.as_flattened().iter().map(|&point| point as u8).collect()
}

fn track_options(smoothing_secs: Option<f32>) -> TrackOptions {
    let smooth = smoothing_secs.map(|settle_secs| SmoothOptions { settle_secs, ..SmoothOptions::default() });
    TrackOptions { smooth, ..TrackOptions::default() }
}

fn crop(place: &[f32]) -> Result<Crop, JsError> {
    let Some((&[x, y, width, height], points)) = place.split_first_chunk() else {
        return Err(JsError::new("a box has x, y, width and height"));
    };
    let rect = Rect::from_xywh(x, y, width, height);
    match points.as_chunks::<2>().0 {
        [] => Ok(Crop::from_rect(&rect)),
        pairs => match <[[f32; 2]; 5]>::try_from(pairs) {
            Ok(pairs) => {
                let points = pairs.map(|[x, y]| Point::new(x, y));
                Ok(Detection { rect, points, score: 1.0 }.crop())
            }
            Err(_) => Err(JsError::new("a detection has five points")),
        },
    }
}
