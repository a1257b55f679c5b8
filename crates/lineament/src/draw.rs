//! Faces drawn over a picture: anti-aliased outlines and points, numbers on demand. Hidden points look hidden.
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
mod labels;

use tiny_skia::{
    FillRule, IntSize, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};

use crate::geometry::{Point, Rect};
use crate::image::{ImageView, PixelFormat};
use crate::landmarks::Landmarks;
use crate::lineament::Face;
use crate::topology::{Outline, Topology};

/// What is drawn of a face. Widths of lines and sizes of dots follow the sizes of the face and of the picture, so that
/// the whole picture can be read on a screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawOptions {
    /// Smooth lines along the outlines of the topology: for a face jaw, brows, nose, eyes and lips. Dashed and pale
    /// between points of which one is hidden.
    pub outlines: bool,
    /// A dot on each point, or a ring where the point is hidden: so by
    /// [`Landmarks::visible`](crate::Landmarks::visible). The radius of the ring is the expected error. Small faces
    /// with outlines have no dots, which would hide the outlines.
    pub points: bool,
    /// The index of each point next to it. They overlap on faces below about 200 pixels.
    pub point_numbers: bool,
    /// The box of the points.
    pub rect: bool,
    /// The face score in percent, above the right end of the box.
    pub score: bool,
    /// The number of the face, above the left end of the box: [`TrackedFace::id`](crate::TrackedFace::id), or its place
    /// in a list.
    pub face_number: Option<u64>,
}

impl Default for DrawOptions {
    /// Outlines, points and box.
    fn default() -> Self {
        Self { outlines: true, points: true, point_numbers: false, rect: true, score: false, face_number: None }
    }
}

// Sizes and colours are all chosen by eye, on photos with faces from 12 to 3,000 pixels. "Face size" is the longer side
// of the box of the points.

/// Colours of the parts of a topology, in their order: of a face, pale blue jaw, amber brows, green nose, cyan eyes,
/// rose lips; then violet, lime and sand, and from the start again.
const COLOURS: [[u8; 3]; 8] = [
    [200, 215, 255],
    [255, 190, 70],
    [130, 230, 120],
    [70, 220, 255],
    [255, 105, 135],
    [190, 150, 255],
    [210, 240, 90],
    [240, 210, 170],
];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

/// Longer side of a window on a screen that shows the whole picture, in pixels. Pictures are shown smaller to fit,
/// never larger.
const SCREEN: f32 = 1600.0;
/// Line width in face sizes.
const LINE: f32 = 0.010;
/// Least line width, in pixels of the screen; but no wider than this share of the face size, or it would hide the face.
const MIN_LINE: f32 = 1.0;
const MAX_LINE: f32 = 0.025;
/// Least width of the box's line, in pixels of the screen.
const MIN_BOX_LINE: f32 = 1.0;
/// No line is thinner than this, in pixels of the picture.
const THINNEST: f32 = 0.7;
/// Width of the dark rim on each side of a line, in line widths: light lines show on light skin too.
const HALO: f32 = 0.6;
const HALO_ALPHA: f32 = 0.45;
/// Radius of a dot, in line widths: with outlines, and alone.
const DOT: f32 = 1.0;
const LONE_DOT: f32 = 1.3;
/// On faces smaller than this many pixels of the screen dots would hide the outlines: only rings are drawn over them.
const MIN_DOTTED: f32 = 64.0;
/// The ring of a hidden point grows no larger than this, in face sizes.
const MAX_RING: f32 = 0.25;
/// Width of its line, in line widths.
const RING: f32 = 0.7;
/// Opacity of lines and rings of hidden points.
const HIDDEN_ALPHA: f32 = 0.7;
/// Dash and gap, in line widths. Round caps lengthen the dash by one width.
const DASH: [f32; 2] = [1.5, 3.5];
/// Corner radius of the box, in its shorter sides.
const CORNER: f32 = 0.08;

/// What lies farther than this many picture sides from the origin is not drawn: nothing of it would be seen, and the
/// rasteriser's numbers stay small.
const FARTHEST: f32 = 4.0;

/// Lengths for one face on one picture, in pixels.
struct Sizes {
    /// Longer side of the box of the points.
    face: f32,
    /// Pixels of the picture per pixel of a screen that shows all of it, at least 1.
    zoom: f32,
    line: f32,
    box_line: f32,
    /// Radius of a dot; 0 where only rings are drawn.
    dot: f32,
}

impl Sizes {
    fn new(canvas: &Canvas, face: f32, options: &DrawOptions) -> Self {
        let zoom = (canvas.width().max(canvas.height()) as f32 / SCREEN).max(1.0);
        let line = (LINE * face).max((MIN_LINE * zoom).min(MAX_LINE * face)).max(THINNEST);
        let dotted = options.points && (!options.outlines || face >= MIN_DOTTED * zoom);
        let dot = if options.outlines { DOT } else { LONE_DOT } * line;
        Self { face, zoom, line, box_line: (LINE * face).max(MIN_BOX_LINE * zoom), dot: if dotted { dot } else { 0.0 } }
    }
}

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

    /// The same bytes to write over, so that a live picture uses one canvas for all frames. Alpha stays 255: what is
    /// drawn later assumes that.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        self.pixmap.data_mut()
    }

    /// Draws one face. Points outside the picture or without a number are left out.
    pub fn draw_face(&mut self, face: &Face, options: &DrawOptions) {
        let (landmarks, rect) = (&face.landmarks, face.rect());
        let Landmarks { topology, points, errors, .. } = landmarks;
        let drawable: Vec<Point> = points.iter().copied().filter(|&p| self.reaches(p)).collect();
        let size = Rect::bounding(&drawable).map_or(0.0, |r| r.width.max(r.height));
        let sizes = Sizes::new(self, size, options);
        let visible = landmarks.visible();
        if options.rect {
            self.draw_rect(&rect, sizes.box_line);
        }
        if options.outlines {
            self.draw_outlines(landmarks, &visible, sizes.line);
        }
        for i in 0..points.len() {
            if options.points && !visible[i] {
                self.draw_ring(points[i], errors[i].min(MAX_RING * size), sizes.line);
            } else if sizes.dot > 0.0 {
                self.draw_dot(points[i], &sizes);
            }
        }
        if options.point_numbers {
            self.draw_point_numbers(topology, points, &sizes);
        }
        if options.score {
            self.draw_score(landmarks.score, &rect, &sizes);
        }
        if let Some(number) = options.face_number {
            self.draw_face_number(number, &rect, &sizes);
        }
    }

    /// First the dark rims of all lines, then the lines: no rim covers a neighbouring line.
    fn draw_outlines(&mut self, landmarks: &Landmarks, visible: &[bool], line: f32) {
        let mut strokes: Vec<(Path, bool, [u8; 3])> = Vec::new();
        for outline in landmarks.topology.outlines() {
            let colour = colour(&landmarks.topology, outline);
            let points: Vec<Point> = outline.points.iter().map(|&i| landmarks.points[i]).collect();
            let pieces = curve::pieces(&points, outline.closed);
            let drawn = |p: &curve::Piece| p.points.iter().all(|&p| self.reaches(p));
            let visible = |p: &curve::Piece| {
                let [from, to] = [p.ends.0, p.ends.1].map(|end| visible[outline.points[end]]);
                from && to
            };
            for run in pieces.chunk_by(|a, b| drawn(a) == drawn(b) && visible(a) == visible(b)) {
                if !drawn(&run[0]) {
                    continue;
                }
                let mut path = PathBuilder::new();
                add_pieces(&mut path, run);
                if outline.closed && run.len() == outline.points.len() {
                    path.close();
                }
                strokes.extend(path.finish().map(|path| (path, visible(&run[0]), colour)));
            }
        }
        for (path, visible, _) in &strokes {
            self.stroke(path, line * (1.0 + 2.0 * HALO), BLACK, HALO_ALPHA * opacity(*visible), dash(*visible, line));
        }
        for (path, visible, colour) in &strokes {
            self.stroke(path, line, *colour, opacity(*visible), dash(*visible, line));
        }
    }

    fn draw_dot(&mut self, p: Point, sizes: &Sizes) {
        if self.reaches(p) {
            self.fill_circle(p, sizes.dot + HALO * sizes.line, BLACK, HALO_ALPHA);
            self.fill_circle(p, sizes.dot, WHITE, 1.0);
        }
    }

    /// A ring around a hidden point, at least as large as a dot.
    fn draw_ring(&mut self, p: Point, radius: f32, line: f32) {
        if !self.reaches(p) {
            return;
        }
        // `max` turns NaN into the dot's radius.
        let Some(ring) = PathBuilder::from_circle(p.x, p.y, radius.max(DOT * line)) else { return };
        self.stroke(&ring, line * (RING + HALO), BLACK, HALO_ALPHA * HIDDEN_ALPHA, None);
        self.stroke(&ring, line * RING, WHITE, HIDDEN_ALPHA, None);
    }

    fn draw_rect(&mut self, rect: &Rect, line: f32) {
        let corners = [Point::new(rect.x, rect.y), Point::new(rect.x + rect.width, rect.y + rect.height)];
        if rect.width > 0.0 && rect.height > 0.0 && corners.iter().all(|&p| self.reaches(p)) {
            let Some(path) = rounded(rect, CORNER * rect.width.min(rect.height)) else { return };
            self.stroke(&path, line * (1.0 + HALO), BLACK, HALO_ALPHA, None);
            self.stroke(&path, line * 0.8, WHITE, 0.9, None);
        }
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

    fn fill_rounded(&mut self, rect: &Rect, radius: f32, colour: [u8; 3], alpha: f32) {
        if let Some(path) = rounded(rect, radius) {
            self.pixmap.fill_path(&path, &paint(colour, alpha), FillRule::Winding, Transform::identity(), None);
        }
    }

    fn fill_circle(&mut self, center: Point, radius: f32, colour: [u8; 3], alpha: f32) {
        if let Some(circle) = PathBuilder::from_circle(center.x, center.y, radius) {
            self.pixmap.fill_path(&circle, &paint(colour, alpha), FillRule::Winding, Transform::identity(), None);
        }
    }
}

/// Continues a path with pieces that join.
fn add_pieces(path: &mut PathBuilder, pieces: &[curve::Piece]) {
    for (k, [start, p, q, end]) in pieces.iter().map(|piece| piece.points).enumerate() {
        if k == 0 {
            path.move_to(start.x, start.y);
        }
        path.cubic_to(p.x, p.y, q.x, q.y, end.x, end.y);
    }
}

/// The colour of an outline: its own, or that of the part of its first point.
fn colour(topology: &Topology, outline: &Outline) -> [u8; 3] {
    outline.colour.unwrap_or_else(|| part_colour(topology, outline.points[0]))
}

/// The colour of a point's part.
fn part_colour(topology: &Topology, point: usize) -> [u8; 3] {
    COLOURS[topology.part_of(point) % COLOURS.len()]
}

fn opacity(visible: bool) -> f32 {
    if visible { 1.0 } else { HIDDEN_ALPHA }
}

fn dash(visible: bool, line: f32) -> Option<StrokeDash> {
    if visible { None } else { StrokeDash::new(DASH.map(|d| d * line).to_vec(), 0.0) }
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
