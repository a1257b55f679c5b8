//! Faces drawn over a picture: anti-aliased outlines and points, with uncertain ones looking uncertain.
//!
//! ```
//! # fn main() -> Result<(), lineament::Error> {
//! use lineament::ImageView;
//! use lineament::draw::{Canvas, DrawOptions};
//!
//! let pixels = [128; 64 * 48];
//! let image = ImageView::grey(&pixels, 64, 48)?;
//! let mut canvas = Canvas::from_view(&image);
//! # let faces: [lineament::Face; 0] = [];
//! for face in &faces {
//!     canvas.draw_face(face, &DrawOptions::default());
//! }
//! assert_eq!(canvas.pixels().len(), 64 * 48 * 4); // RGBA, ready for any image encoder
//! # Ok(())
//! # }
//! ```

mod curve;
mod digits;

use tiny_skia::{
    FillRule, IntSize, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};

use crate::geometry::{Point, Rect};
use crate::image::{ImageView, PixelFormat};
use crate::lineament::Face;
use crate::topology::{OUTLINES, POINTS};

/// What is drawn of a face.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawOptions {
    /// Smooth lines along jaw, brows, nose, eyes and lips. Dashed and pale where a point is uncertain.
    pub outlines: bool,
    /// A dot on each point, or a ring as wide as the expected error where the point is uncertain. No dots over the
    /// outlines of small faces, which they would hide.
    pub points: bool,
    /// The detector's box.
    pub rect: bool,
    /// The face score in percent, above the box.
    pub score: bool,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self { outlines: true, points: true, rect: true, score: false }
    }
}

// Looks, all chosen by eye on photos with faces from 30 to 400 pixels. "Face size" is the longer side of the box of
// the points.

/// Colours of `OUTLINES`: pale blue jaw, amber brows, green nose, cyan eyes, rose lips.
const COLOURS: [[u8; 3]; OUTLINES.len()] = [
    [200, 215, 255],
    [255, 190, 70],
    [255, 190, 70],
    [130, 230, 120],
    [130, 230, 120],
    [70, 220, 255],
    [70, 220, 255],
    [255, 105, 135],
    [255, 155, 170],
];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

/// Line width in face sizes, and its least value in pixels.
const LINE: f32 = 0.009;
const MIN_LINE: f32 = 0.7;
/// Width of the dark rim on each side of a line, in line widths: light lines show on light skin too.
const HALO: f32 = 0.6;
const HALO_ALPHA: f32 = 0.45;
/// Radius of a dot, in line widths.
const DOT: f32 = 1.0;
/// On faces smaller than this many pixels dots would hide the outlines: only rings are drawn over them.
const MIN_DOTTED: f32 = 64.0;
/// A point is uncertain when its expected error is above this share of the face size: about 9 % of the distance of the
/// outer eye corners, twice what a good photo gives.
const UNCERTAIN: f32 = 0.04;
/// The ring of an uncertain point grows no larger than this, in face sizes.
const MAX_RING: f32 = 0.25;
/// Width of its line, in line widths.
const RING: f32 = 0.7;
/// Opacity of what is uncertain.
const UNCERTAIN_ALPHA: f32 = 0.7;
/// Dash and gap, in line widths. Round caps lengthen the dash by one width.
const DASH: [f32; 2] = [1.5, 3.5];
/// Corner radius of the box, in its shorter sides.
const CORNER: f32 = 0.08;
/// Height of the score's digits, in box widths.
const DIGITS: f32 = 0.06;

/// What lies farther than this many picture sides from the origin is not drawn: nothing of it would be seen, and the
/// rasteriser's numbers stay small.
const FARTHEST: f32 = 4.0;

/// A picture to draw on: RGBA, opaque.
#[derive(Debug, Clone)]
pub struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// A copy of `image`.
    pub fn from_view(image: &ImageView) -> Self {
        let mut pixels = Vec::with_capacity(image.width() * image.height() * 4);
        for y in 0..image.height() {
            let row = image.row(y);
            match image.format() {
                PixelFormat::Grey => pixels.extend(row.iter().flat_map(|&v| [v, v, v, 255])),
                PixelFormat::Rgb => pixels.extend(row.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, 255])),
                PixelFormat::Rgba => {
                    pixels.extend(row.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b, 255]))
                }
                PixelFormat::Bgra => {
                    pixels.extend(row.as_chunks::<4>().0.iter().flat_map(|&[b, g, r, _]| [r, g, b, 255]))
                }
            }
        }
        // Sides are 1 to MAX_SIDE in every view, which is all that the two steps below ask for.
        let size = IntSize::from_wh(image.width() as u32, image.height() as u32);
        let pixmap = size.and_then(|size| Pixmap::from_vec(pixels, size)).expect("a view has pixels");
        Self { pixmap }
    }

    /// Pixels per row.
    pub fn width(&self) -> usize {
        self.pixmap.width() as usize
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.pixmap.height() as usize
    }

    /// Red, green, blue, 255 for each pixel, row by row.
    pub fn pixels(&self) -> &[u8] {
        // Premultiplied and plain colours are the same thing where everything is opaque.
        self.pixmap.data()
    }

    /// Draws one face. Points outside the picture or without a number are left out.
    pub fn draw_face(&mut self, face: &Face, options: &DrawOptions) {
        let (points, errors) = (&face.landmarks.points, &face.landmarks.errors);
        let drawable: Vec<Point> = points.iter().copied().filter(|&p| self.reaches(p)).collect();
        let size = Rect::bounding(&drawable).map_or(0.0, |r| r.width.max(r.height));
        let line = (LINE * size).max(MIN_LINE);
        let sure: [bool; POINTS] = std::array::from_fn(|i| errors[i] <= UNCERTAIN * size); // NaN is not sure
        if options.rect {
            self.draw_rect(&face.rect(), line);
        }
        if options.outlines {
            self.draw_outlines(points, &sure, line);
        }
        if options.points {
            let dotted = size >= MIN_DOTTED || !options.outlines;
            for i in (0..POINTS).filter(|&i| dotted || !sure[i]) {
                let ring = if sure[i] { None } else { Some(errors[i].min(MAX_RING * size)) };
                self.draw_point(points[i], ring, line);
            }
        }
        if options.score {
            self.draw_score(face.landmarks.score, &face.rect(), line);
        }
    }

    /// First the dark rims of all lines, then the lines: no rim covers a neighbouring line.
    fn draw_outlines(&mut self, points: &[Point; POINTS], sure: &[bool; POINTS], line: f32) {
        let mut strokes: Vec<(Path, bool, [u8; 3])> = Vec::new();
        for (outline, colour) in OUTLINES.iter().zip(COLOURS) {
            let pieces = curve::pieces(&points[outline.points.clone()], outline.closed);
            let seen = |p: &curve::Piece| p.points.iter().all(|&p| self.reaches(p));
            let is_sure =
                |p: &curve::Piece| sure[outline.points.start + p.ends.0] && sure[outline.points.start + p.ends.1];
            for run in pieces.chunk_by(|a, b| seen(a) == seen(b) && is_sure(a) == is_sure(b)) {
                if !seen(&run[0]) {
                    continue;
                }
                let mut path = PathBuilder::new();
                path.move_to(run[0].points[0].x, run[0].points[0].y);
                for [_, p, q, end] in run.iter().map(|piece| piece.points) {
                    path.cubic_to(p.x, p.y, q.x, q.y, end.x, end.y);
                }
                if outline.closed && run.len() == outline.points.len() {
                    path.close();
                }
                strokes.extend(path.finish().map(|path| (path, is_sure(&run[0]), colour)));
            }
        }
        for (path, sure, _) in &strokes {
            self.stroke(path, line * (1.0 + 2.0 * HALO), BLACK, HALO_ALPHA * opacity(*sure), dash(*sure, line));
        }
        for (path, sure, colour) in &strokes {
            self.stroke(path, line, *colour, opacity(*sure), dash(*sure, line));
        }
    }

    /// A dot, or a ring of the given radius.
    fn draw_point(&mut self, p: Point, ring: Option<f32>, line: f32) {
        if !self.reaches(p) {
            return;
        }
        let dot = DOT * line;
        match ring {
            None => {
                self.fill_circle(p, dot + HALO * line, BLACK, HALO_ALPHA);
                self.fill_circle(p, dot, WHITE, 1.0);
            }
            Some(radius) => {
                // `max` turns NaN into the dot's radius.
                let Some(ring) = PathBuilder::from_circle(p.x, p.y, radius.max(dot)) else { return };
                self.stroke(&ring, line * (RING + HALO), BLACK, HALO_ALPHA * UNCERTAIN_ALPHA, None);
                self.stroke(&ring, line * RING, WHITE, UNCERTAIN_ALPHA, None);
            }
        }
    }

    fn draw_rect(&mut self, rect: &Rect, line: f32) {
        let corners = [Point::new(rect.x, rect.y), Point::new(rect.x + rect.width, rect.y + rect.height)];
        if rect.width > 0.0 && rect.height > 0.0 && corners.iter().all(|&p| self.reaches(p)) {
            let Some(path) = rounded(rect, CORNER * rect.width.min(rect.height)) else { return };
            self.stroke(&path, line * (1.0 + HALO), BLACK, HALO_ALPHA, None);
            self.stroke(&path, line * 0.8, WHITE, 0.9, None);
        }
    }

    /// Above the box's left end, or inside it where the picture ends.
    fn draw_score(&mut self, score: f32, rect: &Rect, line: f32) {
        let percent = (score.clamp(0.0, 1.0) * 100.0).round() as u32; // NaN becomes 0
        let height = (DIGITS * rect.width).max(8.0);
        let gap = 2.0 * line + height / 3.0;
        let top = if rect.y - gap - height >= 0.0 { rect.y - gap - height } else { rect.y + gap };
        let (left, cell) = (rect.x + CORNER * rect.width, height / 2.0);
        if !self.reaches(Point::new(left, top)) || !self.reaches(Point::new(left, top + height)) {
            return;
        }
        let mut path = PathBuilder::new();
        for [from, to] in digits::strokes(percent) {
            path.move_to(left + cell * from.0, top + cell * from.1);
            path.line_to(left + cell * to.0, top + cell * to.1);
        }
        let Some(path) = path.finish() else { return };
        let width = height / 7.0;
        self.stroke(&path, width * (1.0 + 2.0 * HALO), BLACK, HALO_ALPHA, None);
        self.stroke(&path, width, WHITE, 1.0, None);
    }

    /// Whether a point lies on the picture or near enough that its lines may cross it. False for NaN.
    fn reaches(&self, p: Point) -> bool {
        let side = self.pixmap.width().max(self.pixmap.height()) as f32;
        p.x.abs() <= FARTHEST * side && p.y.abs() <= FARTHEST * side
    }

    fn stroke(&mut self, path: &Path, width: f32, colour: [u8; 3], alpha: f32, dash: Option<StrokeDash>) {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, dash, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint(colour, alpha), &stroke, Transform::identity(), None);
    }

    fn fill_circle(&mut self, center: Point, radius: f32, colour: [u8; 3], alpha: f32) {
        if let Some(circle) = PathBuilder::from_circle(center.x, center.y, radius) {
            self.pixmap.fill_path(&circle, &paint(colour, alpha), FillRule::Winding, Transform::identity(), None);
        }
    }
}

fn opacity(sure: bool) -> f32 {
    if sure { 1.0 } else { UNCERTAIN_ALPHA }
}

fn dash(sure: bool, line: f32) -> Option<StrokeDash> {
    if sure { None } else { StrokeDash::new(DASH.map(|d| d * line).to_vec(), 0.0) }
}

fn paint([r, g, b]: [u8; 3], alpha: f32) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (alpha * 255.0).round() as u8);
    paint
}

/// A rectangle with round corners.
fn rounded(rect: &Rect, radius: f32) -> Option<Path> {
    // The handle length that makes a cubic curve follow a quarter of a circle.
    let handle = radius * (1.0 - 0.552_284_8);
    let (x0, y0, x1, y1) = (rect.x, rect.y, rect.x + rect.width, rect.y + rect.height);
    let mut path = PathBuilder::new();
    path.move_to(x0 + radius, y0);
    path.line_to(x1 - radius, y0);
    path.cubic_to(x1 - handle, y0, x1, y0 + handle, x1, y0 + radius);
    path.line_to(x1, y1 - radius);
    path.cubic_to(x1, y1 - handle, x1 - handle, y1, x1 - radius, y1);
    path.line_to(x0 + radius, y1);
    path.cubic_to(x0 + handle, y1, x0, y1 - handle, x0, y1 - radius);
    path.line_to(x0, y0 + radius);
    path.cubic_to(x0, y0 + handle, x0 + handle, y0, x0 + radius, y0);
    path.close();
    path.finish()
}
