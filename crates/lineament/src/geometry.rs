//! Points, rectangles and similarity transforms; each knows its frame. Angles are in radians and turn clockwise on the
//! screen, because y points down.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Mul;

/// The frame of the source image: pixels, x right, y down. Pixel (0, 0) covers [0, 1) x [0, 1), and its centre is
/// (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ImageFrame {}

/// The frame of a network's square input: from -1 to 1 on both axes, centre (0, 0), y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CropFrame {}

/// A position in frame `F`. Points of different frames do not mix.
///
/// `{:?}` prints `(224.7, 128.5)`, with all the digits that the numbers have; `{:.1?}` rounds them to one decimal.
#[derive(PartialEq)]
pub struct Point<F = ImageFrame> {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
    frame: PhantomData<F>,
}

impl<F> Clone for Point<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Point<F> {}

impl<F> fmt::Debug for Point<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pair(f, self.x, ", ", self.y)
    }
}

/// `(a, b)`, with the formatter's precision, on one line also in `{:#?}`.
fn pair(f: &mut fmt::Formatter<'_>, a: f32, between: &str, b: f32) -> fmt::Result {
    f.write_str("(")?;
    fmt::Debug::fmt(&a, f)?;
    f.write_str(between)?;
    fmt::Debug::fmt(&b, f)?;
    f.write_str(")")
}

impl<F> Default for Point<F> {
    fn default() -> Self {
        Self::new(0.0, 0.0)
    }
}

impl<F> Point<F> {
    /// A point at `x`, `y`.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y, frame: PhantomData }
    }

    /// Euclidean distance to `other`.
    pub fn distance(self, other: Self) -> f32 {
        libm::hypotf(self.x - other.x, self.y - other.y)
    }

    /// The point halfway to `other`.
    pub fn midpoint(self, other: Self) -> Self {
        Self::new((self.x + other.x) / 2.0, (self.y + other.y) / 2.0)
    }

    /// The mean of several points; the origin for none.
    pub fn mean(points: &[Self]) -> Self {
        let n = points.len().max(1) as f32;
        let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
        Self::new(x / n, y / n)
    }

    /// Both coordinates are finite numbers.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

/// An upright rectangle in the image: left, top, width, height in pixels.
///
/// `{:?}` prints the left top corner and the size, `(20.5, 31.0) + (64.0 x 80.0)`.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl fmt::Debug for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pair(f, self.x, ", ", self.y)?;
        f.write_str(" + ")?;
        pair(f, self.width, " x ", self.height)
    }
}

impl Rect {
    /// From the left top corner and the size.
    pub const fn from_xywh(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// From the centre and the size.
    pub fn from_center_size(center: Point, width: f32, height: f32) -> Self {
        Self { x: center.x - width / 2.0, y: center.y - height / 2.0, width, height }
    }

    /// The smallest rectangle that holds all `points`; `None` for an empty list.
    pub fn bounding(points: &[Point]) -> Option<Self> {
        let first = points.first()?;
        let (mut x0, mut y0, mut x1, mut y1) = (first.x, first.y, first.x, first.y);
        for p in points {
            (x0, y0, x1, y1) = (x0.min(p.x), y0.min(p.y), x1.max(p.x), y1.max(p.y));
        }
        Some(Self { x: x0, y: y0, width: x1 - x0, height: y1 - y0 })
    }

    /// The centre.
    pub fn center(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Width times height; 0 when either is negative.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The common part of both; its size is 0 where they do not touch.
    pub fn intersection(&self, other: &Self) -> Self {
        let (x0, y0) = (self.x.max(other.x), self.y.max(other.y));
        let x1 = (self.x + self.width).min(other.x + other.width);
        let y1 = (self.y + self.height).min(other.y + other.height);
        Self { x: x0, y: y0, width: (x1 - x0).max(0.0), height: (y1 - y0).max(0.0) }
    }

    /// Intersection over union, in [0, 1]; 0 when both are empty.
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersection(other).area();
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// `point` lies inside (left and top edges belong to the rectangle, right and bottom do not).
    pub fn contains(&self, point: Point) -> bool {
        point.x >= self.x && point.x < self.x + self.width && point.y >= self.y && point.y < self.y + self.height
    }
}

/// Scale, turn and shift from frame `From` to frame `To`: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
///
/// Named `to_from`: `image_from_crop * point_in_crop` is a point in the image.
#[derive(PartialEq)]
pub struct Similarity<To, From> {
    /// Scale times the cosine of the turn.
    pub a: f32,
    /// Scale times the sine of the turn (clockwise on the screen).
    pub b: f32,
    /// Shift to the right.
    pub tx: f32,
    /// Shift downwards.
    pub ty: f32,
    frames: PhantomData<(To, From)>,
}

impl<To, From> fmt::Debug for Similarity<To, From> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { a, b, tx, ty, .. } = self;
        f.debug_struct("Similarity").field("a", a).field("b", b).field("tx", tx).field("ty", ty).finish()
    }
}

impl<To, From> Clone for Similarity<To, From> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<To, From> Copy for Similarity<To, From> {}

impl<To, From> Similarity<To, From> {
    /// From its four numbers.
    pub const fn new(a: f32, b: f32, tx: f32, ty: f32) -> Self {
        Self { a, b, tx, ty, frames: PhantomData }
    }

    /// Scales by `scale`, turns by `angle_rad`, then moves the origin of `From` to (`tx`, `ty`).
    pub fn from_scale_angle_shift(scale: f32, angle_rad: f32, tx: f32, ty: f32) -> Self {
        Self { a: scale * libm::cosf(angle_rad), b: scale * libm::sinf(angle_rad), tx, ty, frames: PhantomData }
    }

    /// The factor by which lengths grow.
    pub fn scale(&self) -> f32 {
        libm::hypotf(self.a, self.b)
    }

    /// The turn, in (-pi, pi].
    pub fn angle_rad(&self) -> f32 {
        libm::atan2f(self.b, self.a)
    }

    /// The transform back, from `To` to `From`. Not finite when the scale is 0.
    pub fn inverse(&self) -> Similarity<From, To> {
        let d = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / d, -self.b / d);
        Similarity { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty), frames: PhantomData }
    }
}

impl<To, From> Mul<Point<From>> for Similarity<To, From> {
    type Output = Point<To>;

    fn mul(self, p: Point<From>) -> Point<To> {
        Point::new(self.a * p.x - self.b * p.y + self.tx, self.b * p.x + self.a * p.y + self.ty)
    }
}

impl<To, Mid, From> Mul<Similarity<Mid, From>> for Similarity<To, Mid> {
    type Output = Similarity<To, From>;

    fn mul(self, r: Similarity<Mid, From>) -> Similarity<To, From> {
        Similarity {
            a: self.a * r.a - self.b * r.b,
            b: self.b * r.a + self.a * r.b,
            tx: self.a * r.tx - self.b * r.ty + self.tx,
            ty: self.b * r.tx + self.a * r.ty + self.ty,
            frames: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inverse_undoes_a_similarity_both_ways(
            scale in 0.1f32..10.0, angle in -3.0f32..3.0, tx in -100.0f32..100.0, ty in -100.0f32..100.0,
            x in -100.0f32..100.0, y in -100.0f32..100.0,
        ) {
            let t = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(scale, angle, tx, ty);
            let p = Point::<CropFrame>::new(x, y);
            prop_assert!((t.inverse() * (t * p)).distance(p) < 0.01);
            let q = Point::<ImageFrame>::new(x, y);
            prop_assert!((t * (t.inverse() * q)).distance(q) < 0.01);
        }

        #[test]
        fn composition_is_one_after_the_other(
            s in 0.5f32..2.0, angle in -3.0f32..3.0, x in -9.0f32..9.0, y in -9.0f32..9.0,
        ) {
            let t = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(s, angle, 3.0, -2.0);
            let u = Similarity::<CropFrame, ImageFrame>::from_scale_angle_shift(1.5, 0.3, 1.0, 4.0);
            let p = Point::<CropFrame>::new(x, y);
            prop_assert!(((u * t) * p).distance(u * (t * p)) < 1e-3);
        }

        #[test]
        fn iou_is_symmetric_and_in_range(x in -9.0f32..9.0, y in -9.0f32..9.0, w in 0.0f32..9.0, h in 0.0f32..9.0) {
            let (a, b) = (Rect::from_xywh(x, y, w, h), Rect::from_xywh(0.0, 0.0, 5.0, 5.0));
            prop_assert_eq!(a.iou(&b), b.iou(&a));
            prop_assert!((0.0..=1.0).contains(&a.iou(&b)));
        }
    }

    #[test]
    fn points_and_rectangles_print_as_they_are_written_by_hand() {
        let p: Point = Point::new(224.7, 128.5);
        assert_eq!(format!("{p:?}"), "(224.7, 128.5)");
        assert_eq!(format!("{:#?}", Some(p)), "Some(\n    (224.7, 128.5),\n)");
        assert_eq!(format!("{:.2?}", Point::<CropFrame>::new(-1.0 / 3.0, f32::NAN)), "(-0.33, NaN)");
        assert_eq!(format!("{:?}", Rect::from_xywh(20.5, 31.0, 64.0, 80.25)), "(20.5, 31.0) + (64.0 x 80.25)");
        assert_eq!(format!("{:.0?}", Rect::from_xywh(20.4, 31.0, 64.0, 80.3)), "(20, 31) + (64 x 80)");
        let t = Similarity::<ImageFrame, CropFrame>::new(1.0, 0.0, 2.0, -3.5);
        assert_eq!(format!("{t:?}"), "Similarity { a: 1.0, b: 0.0, tx: 2.0, ty: -3.5 }");
    }

    #[test]
    fn a_quarter_turn_clockwise_takes_right_to_down() {
        let t =
            Similarity::<ImageFrame, ImageFrame>::from_scale_angle_shift(2.0, std::f32::consts::FRAC_PI_2, 0.0, 0.0);
        let p = t * Point::new(1.0, 0.0);
        assert!(p.distance(Point::new(0.0, 2.0)) < 1e-6, "{p:?}");
    }
}
