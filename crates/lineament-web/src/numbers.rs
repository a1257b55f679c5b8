//! Results as one list of numbers, which JavaScript reads in the same order (`apps/web/package/records.js`).

use lineament::{Detection, Expression, Face, Landmarks, Point, Rect, TrackedFace};

/// One result after another; each in the order in which its Rust type lists its fields.
///
/// | type | numbers |
/// |---|---|
/// | `Point` | x, y |
/// | `Rect` | left, top, width, height |
/// | `Detection` | rect; number of points, 5 or 0; the points; score |
/// | `Landmarks` | number of points; the points; their errors; score; roll, yaw, pitch, NaN without a pose |
/// | `Expression` | openings of the left eye, the right eye and the mouth; width of the mouth; NaN where there is none |
/// | `Face` | rect of the points, detection, landmarks, expression |
/// | `TrackedFace` | id, face, raw landmarks |
#[derive(Debug, Default)]
pub struct Numbers(Vec<f64>);

impl Numbers {
    /// For the next results; the memory stays.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All numbers.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Adds a face of a video.
    pub fn tracked(&mut self, tracked: &TrackedFace) {
        self.0.push(tracked.id as f64);
        self.face(&tracked.face);
        self.landmarks(&tracked.raw);
    }

    /// Adds a face of a photo.
    pub fn face(&mut self, face: &Face) {
        let Face { detection, landmarks } = face;
        self.rect(&face.rect());
        self.detection(detection);
        self.landmarks(landmarks);
        self.floats(landmarks.expression().map_or([f32::NAN; 4], |expression| {
            let Expression { left_eye_open, right_eye_open, mouth_open, mouth_width } = expression;
            [left_eye_open, right_eye_open, mouth_open, mouth_width]
        }));
    }

    /// Adds a face without points.
    pub fn detection(&mut self, Detection { rect, points, score }: &Detection) {
        self.rect(rect);
        self.points(points.as_ref().map_or(&[], |points| points));
        self.floats([*score]);
    }

    /// Adds the points of a face.
    pub fn landmarks(&mut self, Landmarks { points, errors, score, pose, .. }: &Landmarks) {
        self.points(points);
        self.floats(errors.iter().copied());
        let angles = pose.map_or([f32::NAN; 3], |pose| [pose.roll_rad, pose.yaw_rad, pose.pitch_rad]);
        self.floats([*score].into_iter().chain(angles));
    }

    fn rect(&mut self, &Rect { x, y, width, height }: &Rect) {
        self.floats([x, y, width, height]);
    }

    /// Their number, then x and y of each.
    fn points(&mut self, points: &[Point]) {
        self.0.push(points.len() as f64);
        self.floats(points.iter().flat_map(|p| [p.x, p.y]));
    }

    fn floats(&mut self, values: impl IntoIterator<Item = f32>) {
        self.0.extend(values.into_iter().map(f64::from));
    }
}
