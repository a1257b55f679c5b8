//! The crop: the square that a network sees, its size and its rotation. It alone maps points both ways;
//! [`crate::stages::sample`] reads its pixels.

use std::f32::consts::FRAC_PI_2;
use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::geometry::{CropFrame, ImageFrame, Point, Rect, Similarity};
use crate::image::ImageView;
use crate::normalise::Normalisation;
use crate::sample::{PixelFrame, sample};
use crate::topology::{ObjectBox, Topology};

/// A rotated square in the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// Its centre.
    pub center: Point,
    /// Its side in pixels of the image.
    pub side: f32,
    /// How far it is turned clockwise on the screen, in radians; the roll of an upright face within it.
    pub roll_rad: f32,
}

impl Crop {
    /// The upright crop for the box of an object, by [`CropRule::STANDARD`]. The box of a face is that of its 68
    /// points: brows to chin, jaw to jaw.
    pub fn from_rect(rect: &Rect) -> Self {
        Self { center: rect.center(), side: CropRule::STANDARD.margin * rect.width.max(rect.height), roll_rad: 0.0 }
    }

    /// The crop for known points, by [`CropRule::STANDARD`]: turned with eyes and mouth where the topology has them,
    /// around the object's box along its own axes.
    ///
    /// # Panics
    /// When `points` are not as many as the topology's.
    pub fn from_points(topology: &Topology, points: &[Point]) -> Self {
        let roll_rad = topology.five(points).map_or(0.0, |five| roll_of(&five));
        let image_from_face = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(1.0, roll_rad, 0.0, 0.0);
        let face_from_image = image_from_face.inverse();
        let (mut x0, mut y0, mut x1, mut y1) = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
        for p in points.iter().map(|&p| face_from_image * p) {
            (x0, y0, x1, y1) = (x0.min(p.x), y0.min(p.y), x1.max(p.x), y1.max(p.y));
        }
        let ObjectBox { scale, shift: (right, down) } = topology.definition().object_box;
        let longer = (x1 - x0).max(y1 - y0);
        // The default object box changes no bit: 0 is added, and the product with 1 is exact.
        let center = image_from_face * Point::new((x0 + x1) / 2.0 + right * longer, (y0 + y1) / 2.0 + down * longer);
        Self { center, side: CropRule::STANDARD.margin * (scale * longer), roll_rad }
    }

    /// The same square turned clockwise by this many quarters, for a face that may be turned differently than a
    /// detector says.
    pub fn turned(&self, quarters: usize) -> Self {
        Self { roll_rad: self.roll_rad + quarters as f32 * FRAC_PI_2, ..*self }
    }

    /// From crop coordinates in [-1, 1] to pixels of the image.
    pub fn image_from_crop(&self) -> Similarity<ImageFrame, CropFrame> {
        Similarity::from_scale_angle_shift(self.side / 2.0, self.roll_rad, self.center.x, self.center.y)
    }

    /// From pixels of a network's input of `side_px` x `side_px` to pixels of the image.
    pub fn image_from_pixel(&self, side_px: usize) -> Similarity<ImageFrame, PixelFrame> {
        let crop_from_pixel =
            Similarity::<CropFrame, PixelFrame>::from_scale_angle_shift(2.0 / side_px as f32, 0.0, -1.0, -1.0);
        self.image_from_crop() * crop_from_pixel
    }

    /// Cuts `side_px` x `side_px` pixels into `out`, `[side_px, side_px]` row by row: brightness from 0 to 255, see
    /// [`crate::stages::sample`].
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn sample_into(&self, image: &ImageView, side_px: usize, out: &mut [f32]) {
        sample(image, self.image_from_pixel(side_px), side_px, side_px, out);
    }

    /// As [`Crop::sample_into`], then [`Normalisation::Standardise`].
    ///
    /// # Panics
    /// When `out` is not `side_px * side_px` long.
    pub fn cut_into(&self, image: &ImageView, side_px: usize, out: &mut [f32]) {
        self.sample_into(image, side_px, out);
        Normalisation::Standardise.apply(out);
    }
}

/// Where a network's crop lies around the object's box, which is measured along the object's own axes. As text it is
/// what a model file's metadata says under `crop`: `margin=1.35`, or `margin=1.1 shift=0,-0.05`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropRule {
    /// Side of the crop over the longer side of the box.
    pub margin: f32,
    /// From the box's centre to the crop's, right and down, over the longer side of the box.
    pub shift: (f32, f32),
}

impl CropRule {
    /// The rule of [`Crop::from_points`], [`Crop::from_rect`] and the library's own networks. Chosen by trial: enough
    /// room for a detector's error and for hair and chin, without wasting the network's pixels.
    pub const STANDARD: Self = Self { margin: 1.35, shift: (0.0, 0.0) };

    /// This rule's crop for the face that `crop` shows by [`CropRule::STANDARD`].
    pub fn of(&self, crop: &Crop) -> Crop {
        // The library's own networks get exactly the same crop, also when its numbers are not finite.
        if *self == Self::STANDARD {
            return *crop;
        }
        let (margin, (x, y)) = (Self::STANDARD.margin, self.shift);
        // A crop's own frame is from -1 to 1: two units are one side.
        let center = crop.image_from_crop() * Point::new(2.0 * x / margin, 2.0 * y / margin);
        Crop { center, side: self.margin * (crop.side / margin), ..*crop }
    }

    /// This rule's upright crop for the box of an object.
    pub fn around(&self, rect: &Rect) -> Crop {
        self.of(&Crop::from_rect(rect))
    }
}

impl fmt::Display for CropRule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { margin, shift: (x, y) } = self;
        write!(f, "margin={margin}")?;
        if self.shift == (0.0, 0.0) { Ok(()) } else { write!(f, " shift={x},{y}") }
    }
}

impl FromStr for CropRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let mut words = text.split(' ');
            let margin: f32 = words.next()?.strip_prefix("margin=")?.parse().ok()?;
            let shift = match words.next() {
                None => (0.0, 0.0),
                Some(word) => {
                    let (x, y) = word.strip_prefix("shift=")?.split_once(',')?;
                    (x.parse::<f32>().ok()?, y.parse::<f32>().ok()?)
                }
            };
            let in_range = (0.5..=4.0).contains(&margin) && shift.0.abs() <= 1.0 && shift.1.abs() <= 1.0;
            (in_range && words.next().is_none()).then_some(Self { margin, shift })
        };
        parse().ok_or_else(|| {
            let like = "`margin=1.1` or `margin=1.1 shift=0,-0.05` (margin 0.5 to 4, shift -1 to 1)";
            Error::Option(format!("a crop rule is like {like}, not `{text}`"))
        })
    }
}

/// How far a face is turned, from right eye, left eye, nose tip and mouth corners. The line between the eyes and the
/// line from eyes to mouth count alike, since one of them is short when the head turns or nods.
pub(crate) fn roll_of(p: &[Point; 5]) -> f32 {
    let (eyes, mouth) = (p[0].midpoint(p[1]), p[3].midpoint(p[4]));
    let (across, down) = ((p[1].x - p[0].x, p[1].y - p[0].y), (mouth.x - eyes.x, mouth.y - eyes.y));
    // Down, turned back by a quarter, is across.
    libm::atan2f(across.1 - down.0, across.0 + down.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..height).flat_map(|y| (0..width).map(move |x| (2 * x + y) as u8)).collect()
    }

    #[test]
    fn an_upright_crop_of_the_whole_image_is_the_image() {
        let pixels = ramp(32, 32);
        let image = ImageView::grey(&pixels, 32, 32).unwrap();
        let crop = Crop { center: Point::new(16.0, 16.0), side: 32.0, roll_rad: 0.0 };
        let mut out = vec![0.0; 32 * 32];
        crop.sample_into(&image, 32, &mut out);
        for (a, b) in out.iter().zip(&pixels) {
            assert!((a - f32::from(*b)).abs() < 1e-3, "{a} {b}");
        }
    }

    #[test]
    fn shrinking_keeps_the_mean_and_does_not_alias() {
        let pixels: Vec<u8> = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 255 } else { 0 }).collect();
        let image = ImageView::grey(&pixels, 64, 64).unwrap();
        let mut out = vec![0.0; 16 * 16];
        Crop { center: Point::new(32.0, 32.0), side: 64.0, roll_rad: 0.0 }.sample_into(&image, 16, &mut out);
        assert!(out.iter().all(|v| (v - 127.5).abs() < 1.0), "a checkerboard shrinks to even grey");
    }

    #[test]
    fn a_one_pixel_image_and_wild_crops_give_finite_numbers() {
        let image = ImageView::grey(&[200], 1, 1).unwrap();
        for side in [0.0, 1e-9, 1.0, 1e9, f32::INFINITY, f32::NAN] {
            let mut out = vec![0.0; 64];
            Crop { center: Point::new(side, -side), side, roll_rad: side }.cut_into(&image, 8, &mut out);
            assert!(out.iter().all(|v| v.is_finite()), "side {side}");
        }
    }

    #[test]
    fn a_crop_rule_moves_and_scales_along_the_axes_of_the_face() {
        let rule = CropRule { margin: 1.5, shift: (0.1, -0.2) };
        // A box of 40x30 around (50, 50): the crop is 60 wide, its centre 4 to the right and 8 up.
        let upright = rule.around(&Rect::from_xywh(30.0, 35.0, 40.0, 30.0));
        assert!((upright.side - 60.0).abs() < 1e-4 && upright.center.distance(Point::new(54.0, 42.0)) < 1e-4);
        // Turned by a quarter clockwise, right is down and up is right.
        let crop = Crop::from_rect(&Rect::from_xywh(30.0, 35.0, 40.0, 30.0)).turned(1);
        let turned = rule.of(&crop);
        assert!(turned.center.distance(Point::new(58.0, 54.0)) < 1e-4, "{turned:?}");
        assert_eq!(turned.roll_rad, crop.roll_rad);
        let wild = Crop { center: Point::new(f32::INFINITY, 1.0), side: f32::INFINITY, roll_rad: 0.0 };
        assert_eq!(CropRule::STANDARD.of(&wild), wild);
    }

    #[test]
    fn the_text_of_a_crop_rule_is_read_back_and_other_text_is_refused() {
        for (rule, text) in [
            (CropRule::STANDARD, "margin=1.35"),
            (CropRule { margin: 1.1, shift: (0.0, -0.05) }, "margin=1.1 shift=0,-0.05"),
        ] {
            assert_eq!(rule.to_string(), text);
            assert_eq!(text.parse(), Ok(rule));
        }
        for text in
            ["", "margin=", "margin=nan", "margin=9", "margin=1 shift=0", "margin=1 shift=0,2", "margin=1 shift=0,0 x"]
        {
            assert!(text.parse::<CropRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_turned_crop_sees_an_upright_face() {
        // Five points of a face turned by 30 degrees: the crop turns with them.
        let upright = [(-1.0, -1.0), (1.0, -1.0), (0.0, 0.0), (-0.8, 1.0), (0.8, 1.0)];
        let turn = Similarity::<ImageFrame, CropFrame>::from_scale_angle_shift(20.0, 0.5, 100.0, 90.0);
        let roll_rad = roll_of(&upright.map(|(x, y)| turn * Point::new(x, y)));
        assert!((roll_rad - 0.5).abs() < 1e-3, "{roll_rad}");
    }

    proptest! {
        #[test]
        fn crop_then_back_returns_within_a_hundredth_of_a_pixel(
            x in 0.0f32..640.0, y in 0.0f32..480.0, side in 20.0f32..500.0, roll in -3.0f32..3.0,
            u in -1.0f32..1.0, v in -1.0f32..1.0,
        ) {
            let image_from_crop = Crop { center: Point::new(x, y), side, roll_rad: roll }.image_from_crop();
            let p = image_from_crop * Point::new(u, v);
            prop_assert!((image_from_crop * (image_from_crop.inverse() * p)).distance(p) < 0.01);
        }
    }
}
