//! The library for JavaScript: pixels into this memory, numbers out of it.
//!
//! The npm package (`apps/web/package`) turns a video frame into bytes here and the numbers into objects. Nothing in
//! between knows about faces: each method calls the library's own of the same name.

#[cfg(test)]
mod fixtures;
mod numbers;
mod settings;

use lineament::models::{DETECTOR, LITE};
use lineament::topology::Outline;
use lineament::topology::ibug68::TRIANGLES;
use lineament::{Crop, Detection, ImageView, Lineament, PixelFormat, Point, Rect, Tracker};
use wasm_bindgen::prelude::*;

use numbers::Numbers;
pub use settings::Settings;
use settings::js_error;

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
    /// With the bytes of two model files, or the models inside where there are none.
    ///
    /// # Errors
    /// What [`Lineament::with_models`] and [`Tracker::with_lineament`] refuse.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &Settings, detector: Option<Box<[u8]>>, model: Option<Box<[u8]>>) -> Result<Core, JsError> {
        let (detector, model) = (detector.as_deref().unwrap_or(DETECTOR), model.as_deref().unwrap_or(LITE));
        let lineament = Lineament::with_models(settings.find(), detector, model).map_err(js_error)?;
        let tracker = Tracker::with_lineament(lineament, settings.track()).map_err(js_error)?;
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
        let crop = crop(place).map_err(|text| JsError::new(&text))?;
        let landmarks = self.tracker.lineament().landmarks(&self.image.view()?, &crop);
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

    /// Follows faces by other settings from the next frame on: how often to search, how to smooth.
    ///
    /// # Errors
    /// What [`Tracker::set_options`] refuses.
    pub fn follow(&mut self, settings: &Settings) -> Result<(), JsError> {
        self.tracker.set_options(settings.track()).map_err(js_error)
    }

    /// The names of the points, with a line break between them.
    #[wasm_bindgen(js_name = pointNames)]
    pub fn point_names(&self) -> String {
        self.tracker.topology().names().join("\n")
    }

    /// The name of the topology.
    pub fn topology(&self) -> String {
        self.tracker.topology().name().into()
    }

    /// The lines that are drawn, one after another: number of points, the points, 1 where it is closed, then red, green
    /// and blue of its colour, or three times 256 where it has none of its own, and the number of its part.
    pub fn outlines(&self) -> Vec<u16> {
        let topology = self.tracker.topology();
        let line = |line: &Outline| {
            let colour = line.colour.map_or([256; 3], |colour| colour.map(u16::from));
            let points = line.points.iter().map(|&i| i as u16);
            let numbers = [u16::from(line.closed)].into_iter().chain(colour);
            let part = topology.part_of(line.points[0]) as u16;
            [line.points.len() as u16].into_iter().chain(points).chain(numbers).chain([part]).collect::<Vec<_>>()
        };
        topology.outlines().iter().flat_map(line).collect()
    }

    /// The names of those lines, with a line break between them.
    #[wasm_bindgen(js_name = outlineNames)]
    pub fn outline_names(&self) -> String {
        let names = self.tracker.topology().outlines().iter().map(|line| line.name.as_str());
        names.collect::<Vec<_>>().join("\n")
    }

    /// For each point, the point that it becomes when the picture is mirrored.
    pub fn mirror(&self) -> Vec<u16> {
        self.tracker.topology().mirror().iter().map(|&i| i as u16).collect()
    }

    /// The triangles of a mesh, three points each; none for other points than the iBUG 68.
    pub fn triangles(&self) -> Vec<u16> {
        let has_mesh = self.tracker.topology().is_ibug68();
        let triangles = if has_mesh { TRIANGLES.as_flattened() } else { &[] };
        triangles.iter().map(|&point| point as u16).collect()
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

/// The crop that a box says, or a detection: `place` is as [`Core::landmarks`] takes it.
fn crop(place: &[f32]) -> Result<Crop, String> {
    let rect = |&[x, y, width, height]: &[f32; 4]| Rect::from_xywh(x, y, width, height);
    if let Ok(numbers) = place.try_into() {
        return Ok(Crop::from_rect(&rect(numbers)));
    }
    if let Some((numbers, points)) = place.split_first_chunk()
        && let (pairs, []) = points.as_chunks()
        && let Ok(pairs) = <[[f32; 2]; 5]>::try_from(pairs)
    {
        let points = Some(pairs.map(|[x, y]| Point::new(x, y)));
        return Ok(Detection { rect: rect(numbers), points, score: 1.0 }.crop());
    }
    let count = place.len();
    Err(format!("a box has 4 numbers, and with the five points of a detection 14, not {count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_the_numbers_of_a_box_or_of_a_detection_and_no_others() {
        let place = [10.0, 20.0, 40.0, 50.0, 20.0, 35.0, 40.0, 35.0, 30.0, 45.0, 22.0, 58.0, 38.0, 58.0, 0.0];
        for count in 0..=place.len() {
            assert_eq!(crop(&place[..count]).is_ok(), [4, 14].contains(&count), "{count} numbers");
        }
    }
}
