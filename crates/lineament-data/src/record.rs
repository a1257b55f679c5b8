//! One annotated face as in the paper (Kendrick et al., section 3): a small grey square and the points in it.

use lineament::{Point, Rect};

/// Side of the paper's crops, in pixels.
pub const SIDE: usize = 96;

/// The frame of a record: pixels of its crop, where whole numbers are pixel **centres**, as in OpenCV, dlib and
/// therefore the paper's table. The centre of the first pixel is (0, 0), not (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RecordFrame {}

/// One annotated face.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The landmarks: 68 in the paper's table, 15 in Kaggle's.
    pub points: Vec<Point<RecordFrame>>,
    /// Brightness, `[SIDE, SIDE]` row by row.
    pub pixels: Vec<u8>,
    /// Where the face comes from; the paper's table does not say.
    pub origin: Option<Origin>,
}

/// Where a record comes from, in pixels of its photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The photo's path below the folder that was annotated, with `/`.
    pub photo: String,
    /// The photo's size: width, height.
    pub photo_size: (u32, u32),
    /// The detector's box.
    pub face: Rect,
    /// The upright square that became the pixels.
    pub crop: Rect,
    /// Face score of the annotator, from 0 to 1; 1 where it has none.
    pub score: f32,
    /// Mean expected error of the points, in percent of the distance between the outer eye corners, where the annotator
    /// gives it.
    pub expected_error: Option<f32>,
    /// Roll, yaw and pitch of the head in radians.
    pub pose: Option<[f32; 3]>,
}

/// Whether a point lies on one of the crop's pixels, which cover [-0.5, 95.5): as for every rectangle here, left and
/// top edges belong to it, right and bottom edges do not.
pub fn is_inside(p: Point<RecordFrame>) -> bool {
    let pixels = -0.5..SIDE as f32 - 0.5;
    pixels.contains(&p.x) && pixels.contains(&p.y)
}

/// Maps a point from a record's pixels to the photo's.
pub fn image_from_record(crop: &Rect, point: Point<RecordFrame>) -> Point {
    let scale = crop.width / SIDE as f32;
    Point::new(crop.x + (point.x + 0.5) * scale, crop.y + (point.y + 0.5) * scale)
}

/// Maps a point from the photo's pixels to a record's.
pub fn record_from_image(crop: &Rect, point: Point) -> Point<RecordFrame> {
    let scale = SIDE as f32 / crop.width;
    Point::new((point.x - crop.x) * scale - 0.5, (point.y - crop.y) * scale - 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_left_and_top_edges_are_inside_and_the_others_are_not() {
        for (x, y, expected) in [(-0.5, 0.0, true), (0.0, -0.5, true), (95.4, 95.4, true), (95.5, 0.0, false)] {
            assert_eq!(is_inside(Point::new(x, y)), expected, "{x}, {y}");
        }
        assert!(!is_inside(Point::new(0.0, 95.5)) && !is_inside(Point::new(f32::NAN, 0.0)));
    }

    #[test]
    fn the_two_frames_are_inverse_to_each_other_and_count_centres() {
        let crop = Rect::from_xywh(10.0, 20.0, 192.0, 192.0);
        assert_eq!(record_from_image(&crop, Point::new(11.0, 21.0)), Point::new(0.0, 0.0));
        let there = record_from_image(&crop, image_from_record(&crop, Point::new(3.25, 90.5)));
        assert!(there.distance(Point::new(3.25, 90.5)) < 1e-4, "{there:?}");
    }
}
