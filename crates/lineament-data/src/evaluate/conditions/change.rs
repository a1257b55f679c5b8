//! Changes of photos, and where the true points move.

use image::GrayImage;
use image::imageops::{FilterType, resize};
use lineament::stages::{ImageFrame, PixelFrame, sample};
use lineament::topology::Topology;
use lineament::{Point, Rect, Similarity};
use rand::Rng;

use super::{Change, cover};
use crate::augment::{Size, add_noise, compress, gaussian_blur, mirror_points, mirror_rows, motion_blur};
use crate::dataset::Sample;
use crate::photo::GreyPhoto;

/// Blur and motion are in pixels of a face with this side, and scaled with the face, so that all faces lose the same
/// detail.
pub const BLUR_FACE_SIDE: f32 = 112.0;

/// Share of the light that is left in the dark.
const DARK_LIGHT: f32 = 0.12;

/// Standard deviation of the noise in the dark, in grey levels: a random value between these.
const DARK_NOISE: (f32, f32) = (2.0, 3.0);

/// Share of the face's box that the cut removes.
const CUT_SHARE: f32 = 0.25;

/// A changed photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Its brightness.
    pub photo: GreyPhoto,
    /// Where the true points are now.
    pub points: Vec<Point>,
    /// Where the object's box is now.
    pub rect: Rect,
    /// The points that count: those that have a label, and are inside the frame where it cuts the object.
    pub measured: Vec<bool>,
    /// The points that are hidden.
    pub covered: Vec<bool>,
}

/// `photo` changed, which shows the object `sample`.
pub fn apply(change: Change, photo: &GreyPhoto, topology: &Topology, sample: &Sample, rng: &mut impl Rng) -> Changed {
    let rect = sample.rect(topology);
    let face_side = rect.width.max(rect.height);
    let blurred = face_side / BLUR_FACE_SIDE;
    let truth = Truth { topology, sample, rect };
    // Changes that move no pixel.
    let in_place = |change: &mut dyn FnMut(&mut [f32], Size)| truth.moved(with_brightness(photo, change), &|p| p);
    let points = &sample.points;
    match change {
        Change::Nothing => truth.moved(photo.clone(), &|p| p),
        Change::Roll(degrees) => {
            let (photo, pixel_from_image) = rolled(photo, degrees.to_radians());
            truth.moved(photo, &|p| {
                let p = pixel_from_image * p;
                Point::new(p.x, p.y)
            })
        }
        Change::FaceSide(side) => {
            let (photo, (across, down)) = shrunk(photo, side / face_side);
            truth.moved(photo, &|p| Point::new(p.x * across, p.y * down))
        }
        Change::Mirror => {
            let mut mirrored = photo.clone();
            mirror_rows(&mut mirrored.pixels, photo.width);
            let width = photo.width as f32;
            truth.seen(mirrored, mirror_points(topology, points, width / 2.0), &|p| Point::new(width - p.x, p.y))
        }
        Change::Cut => {
            let (photo, (left, top)) = cut(photo, &rect, rng.random_range(0..4));
            let picture = Rect::from_xywh(0.0, 0.0, photo.width as f32, photo.height as f32);
            let seen = truth.moved(photo, &|p| Point::new(p.x - left, p.y - top));
            Changed { measured: seen.points.iter().map(|&p| picture.contains(p)).collect(), ..seen }
        }
        Change::Dark => in_place(&mut |pixels, _| {
            pixels.iter_mut().for_each(|v| *v *= DARK_LIGHT);
            add_noise(pixels, rng.random_range(DARK_NOISE.0..=DARK_NOISE.1), rng);
        }),
        Change::Noise(sd) => in_place(&mut |pixels, _| add_noise(pixels, sd, rng)),
        Change::Blur(sd) => in_place(&mut |pixels, size| gaussian_blur(pixels, size, sd * blurred)),
        Change::Motion(length) => in_place(&mut |pixels, size| {
            motion_blur(pixels, size, length * blurred, rng.random_range(0.0..std::f32::consts::PI));
        }),
        Change::Jpeg(quality) => in_place(&mut |pixels, size| compress(pixels, size, quality)),
        Change::Mask | Change::Half => {
            // What is in front of the object hides points.
            let mut covered = Vec::new();
            let seen = in_place(&mut |pixels, size| {
                covered = match (change, cover::mask_edge(topology)) {
                    (Change::Mask, Some(edge)) => cover::mask(pixels, size, points, &edge),
                    (Change::Mask, None) => vec![false; points.len()], // not offered
                    _ => cover::half(pixels, size, points, &sample.crop(topology), rng),
                };
            });
            Changed { covered, ..seen }
        }
    }
}

/// What is known of the object in the photo.
struct Truth<'a> {
    topology: &'a Topology,
    sample: &'a Sample,
    rect: Rect,
}

impl Truth<'_> {
    /// The object in a photo whose pixels have moved.
    fn moved(&self, photo: GreyPhoto, to: &dyn Fn(Point) -> Point) -> Changed {
        self.seen(photo, self.sample.points.iter().map(|&p| to(p)).collect(), to)
    }

    /// The object whose points are now these, and whose box has moved.
    fn seen(&self, photo: GreyPhoto, points: Vec<Point>, to: &dyn Fn(Point) -> Point) -> Changed {
        let measured: Vec<bool> = points.iter().map(|p| p.is_finite()).collect();
        let Rect { x, y, width, height } = self.rect;
        let corners =
            [(x, y), (x + width, y), (x, y + height), (x + width, y + height)].map(|(x, y)| to(Point::new(x, y)));
        let rect = match measured.iter().all(|&is| is) {
            true => self.topology.rect(&points),
            false => Rect::bounding(&corners).unwrap_or_default(),
        };
        Changed { photo, covered: vec![false; points.len()], points, rect, measured }
    }
}

/// Changes the brightness as numbers from 0 to 255, rounded afterwards.
fn with_brightness(photo: &GreyPhoto, work: &mut dyn FnMut(&mut [f32], Size)) -> GreyPhoto {
    let mut pixels: Vec<f32> = photo.pixels.iter().map(|&v| f32::from(v)).collect();
    work(&mut pixels, Size { width: photo.width, height: photo.height });
    from_floats(&pixels, photo.width, photo.height)
}

fn from_floats(pixels: &[f32], width: usize, height: usize) -> GreyPhoto {
    GreyPhoto { pixels: pixels.iter().map(|v| v.round() as u8).collect(), width, height } // `as` clamps to 0..=255
}

/// Turned clockwise on a canvas that holds all of it; outside the photo its edge pixels are repeated.
fn rolled(photo: &GreyPhoto, angle_rad: f32) -> (GreyPhoto, Similarity<PixelFrame, ImageFrame>) {
    let (w, h) = (photo.width as f32, photo.height as f32);
    let turn = |x, y| Similarity::<PixelFrame, ImageFrame>::from_scale_angle_shift(1.0, angle_rad, x, y);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)].map(|(x, y)| turn(0.0, 0.0) * Point::new(x, y));
    let left = corners.iter().map(|p| p.x).fold(f32::MAX, f32::min);
    let top = corners.iter().map(|p| p.y).fold(f32::MAX, f32::min);
    // The photo's corners may stick out by a hundredth of a pixel: a quarter turn must not grow by rounding.
    let side = |end: f32, start: f32| ((end - start - 0.01).ceil() as usize).max(1);
    let width = side(corners.iter().map(|p| p.x).fold(f32::MIN, f32::max), left);
    let height = side(corners.iter().map(|p| p.y).fold(f32::MIN, f32::max), top);
    let pixel_from_image = turn(-left, -top);
    let mut pixels = vec![0.0; width * height];
    sample(&photo.view(), pixel_from_image.inverse(), width, height, &mut pixels);
    (from_floats(&pixels, width, height), pixel_from_image)
}

/// The whole photo scaled by `factor`, but never enlarged, and how much smaller it is across and down.
fn shrunk(photo: &GreyPhoto, factor: f32) -> (GreyPhoto, (f32, f32)) {
    let side = |side: usize| ((side as f32 * factor.min(1.0)).round() as usize).clamp(1, side);
    let (width, height) = (side(photo.width), side(photo.height));
    let Some(image) = GrayImage::from_raw(photo.width as u32, photo.height as u32, photo.pixels.clone()) else {
        return (photo.clone(), (1.0, 1.0)); // impossible: a photo's pixels fit its size
    };
    let small = resize(&image, width as u32, height as u32, FilterType::Lanczos3);
    let (across, down) = (width as f32 / photo.width as f32, height as f32 / photo.height as f32);
    (GreyPhoto { pixels: small.into_raw(), width, height }, (across, down))
}

/// The photo without the part beyond a line through the face, and how many pixels are missing on the left and above:
/// `side` 0 to 3 is left, right, top, bottom.
fn cut(photo: &GreyPhoto, rect: &Rect, side: usize) -> (GreyPhoto, (f32, f32)) {
    let near = |start: f32, length: f32, end: usize| (start + CUT_SHARE * length).round().clamp(0.0, end as f32 - 1.0);
    let far = |start: f32, length: f32, end: usize| (start + (1.0 - CUT_SHARE) * length).round().clamp(1.0, end as f32);
    let (mut x0, mut y0, mut x1, mut y1) = (0, 0, photo.width, photo.height);
    match side {
        0 => x0 = near(rect.x, rect.width, x1) as usize,
        1 => x1 = far(rect.x, rect.width, x1) as usize,
        2 => y0 = near(rect.y, rect.height, y1) as usize,
        _ => y1 = far(rect.y, rect.height, y1) as usize,
    }
    let rows = photo.pixels.chunks_exact(photo.width).take(y1).skip(y0);
    let pixels = rows.flat_map(|row| &row[x0..x1]).copied().collect();
    (GreyPhoto { pixels, width: x1 - x0, height: y1 - y0 }, (x0 as f32, y0 as f32))
}

#[cfg(test)]
mod tests {
    use lineament::topology::ibug68::POINTS;

    use super::super::{CONDITIONS, Condition};
    use super::*;
    use crate::photo::Photo;
    use crate::testing::upright_face;

    const WIDTH: usize = 320; // the face is left of the centre
    const HEIGHT: usize = 260;

    /// Points that are far enough from each other and from every cover to be found again as dots.
    const DOTS: [usize; 5] = [0, 16, 19, 24, 8];

    /// A soft bright dot at some points of a face, on dark grey.
    fn dotted() -> (Photo, [Point; POINTS]) {
        let points = upright_face();
        let pixel = |i: usize| {
            let p = Point::new((i % WIDTH) as f32 + 0.5, (i / WIDTH) as f32 + 0.5);
            let dots = DOTS.map(|d| (-(p.distance(points[d]) / 5.0).powi(2) / 2.0).exp());
            (50.0 + 180.0 * dots.iter().sum::<f32>()) as u8
        };
        let pixels = (0..WIDTH * HEIGHT).flat_map(|i| [pixel(i); 3]).collect();
        let photo = Photo { pixels, width: WIDTH, height: HEIGHT };
        (photo, points)
    }

    fn changed(condition: &Condition, name: &str) -> Changed {
        let (photo, points) = dotted();
        condition.apply(&photo, &Topology::ibug68(), &face(name, points))
    }

    fn face(name: &str, points: [Point; POINTS]) -> Sample {
        Sample { name: name.into(), photo_path: name.into(), points: points.into(), rect: None }
    }

    /// The centre of the pixels above half the range of brightness, within `reach` of `near`.
    fn dot(photo: &GreyPhoto, near: Point, reach: f32) -> Point {
        let around = || {
            (0..photo.pixels.len()).filter_map(|i| {
                let p = Point::<ImageFrame>::new((i % photo.width) as f32 + 0.5, (i / photo.width) as f32 + 0.5);
                (p.distance(near) <= reach).then_some((p, f32::from(photo.pixels[i])))
            })
        };
        let most = around().map(|(_, v)| v).fold(0.0, f32::max);
        let least = around().map(|(_, v)| v).fold(255.0, f32::min);
        let weight = |v: f32| (v - (most + least) / 2.0).max(0.0);
        let total: f32 = around().map(|(_, v)| weight(v)).sum();
        let mean = |axis: fn(Point) -> f32| around().map(|(p, v)| weight(v) * axis(p)).sum::<f32>() / total;
        Point::new(mean(|p| p.x), mean(|p| p.y))
    }

    #[test]
    fn the_points_move_with_the_pixels() {
        let mut failures = Vec::new();
        let original = Rect::bounding(&upright_face()).unwrap();
        for condition in &CONDITIONS {
            let Changed { photo, points, measured, covered, .. } = changed(condition, "a");
            let now = Rect::bounding(&points).unwrap();
            let scale = match condition.change {
                Change::FaceSide(side) => side / original.width.max(original.height),
                _ => 1.0,
            };
            assert!(
                scale == 1.0
                    || (now.width.max(now.height) / original.width.max(original.height) / scale - 1.0).abs() < 0.03
            );
            for i in DOTS.into_iter().filter(|&i| measured[i] && !covered[i]) {
                // The cover ends at these points and hides half of each dot.
                if (condition.name == "mask" && i < 17) || (condition.name == "half" && i == 8) {
                    continue;
                }
                let found = dot(&photo, points[i], 14.0 * scale);
                let inside = (12.0..=photo.width as f32 - 12.0).contains(&points[i].x);
                let tolerance = if scale < 1.0 { 0.3 } else { 1.0 };
                if inside && found.distance(points[i]) > tolerance {
                    failures.push(format!("{}: point {i} at {:?}, its dot at {found:?}", condition.name, points[i]));
                }
            }
        }
        assert!(failures.is_empty(), "{failures:#?}");
    }

    #[test]
    fn each_condition_changes_the_picture_and_always_in_the_same_way() {
        let nothing = changed(&CONDITIONS[0], "a");
        for condition in &CONDITIONS[1..] {
            let first = changed(condition, "a");
            assert!(first.photo != nothing.photo, "{}", condition.name);
            assert!(first == changed(condition, "a"), "{} differs from itself", condition.name);
            assert_eq!(Condition::named(condition.name), Some(*condition));
        }
        for name in ["noise-15", "dark", "motion", "half"] {
            let condition = Condition::named(name).unwrap();
            let all = ["a", "b", "c", "d"].map(|photo| changed(&condition, photo).photo);
            assert!(all.iter().any(|other| *other != all[0]), "{name} is the same for every photo");
        }
        assert_eq!(Condition::named("fog"), None);
    }

    #[test]
    fn turning_keeps_the_whole_photo_and_quarters_its_size() {
        for (name, size) in [("roll-90", (HEIGHT, WIDTH)), ("roll-180", (WIDTH, HEIGHT)), ("roll-30", (408, 386))] {
            let photo = changed(&Condition::named(name).unwrap(), "a").photo;
            assert_eq!((photo.width, photo.height), size, "{name}");
        }
        let turned = changed(&Condition::named("roll-180").unwrap(), "a").photo;
        let mut back: Vec<u8> = turned.pixels;
        back.reverse();
        let original = dotted().0.grey().pixels;
        let worst = back.iter().zip(&original).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 1, "turned twice by half a turn, a pixel differs by {worst}");
    }

    #[test]
    fn a_mask_hides_nose_and_mouth_and_nothing_above() {
        let Changed { photo, points, covered, .. } = changed(&Condition::named("mask").unwrap(), "a");
        for i in (30..36).chain(48..68) {
            let at = points[i].y as usize * photo.width + points[i].x as usize;
            assert!(covered[i] && photo.pixels[at] == 215, "point {i}");
        }
        assert!((0..28).chain(36..48).all(|i| !covered[i]), "{covered:?}");
    }

    #[test]
    fn a_cover_over_half_a_face_hides_one_eye_and_leaves_the_other() {
        let original = dotted().0.grey();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let Changed { photo, points, covered, .. } = changed(&Condition::named("half").unwrap(), name);
            assert!(covered[36] != covered[45] && covered[0] != covered[16], "{name}: {covered:?}");
            for i in (0..POINTS).filter(|&i| !covered[i] && (points[i].x - 150.0).abs() > 2.0) {
                let at = points[i].y as usize * photo.width + points[i].x as usize;
                assert_eq!(photo.pixels[at], original.pixels[at], "{name}: point {i} is not hidden");
            }
        }
    }

    #[test]
    fn a_cut_leaves_three_quarters_of_the_face() {
        for name in ["a", "b", "c", "d", "e", "f"] {
            let Changed { photo, points, measured, .. } = changed(&Condition::named("cut").unwrap(), name);
            let picture = Rect::from_xywh(0.0, 0.0, photo.width as f32, photo.height as f32);
            let rect = Rect::bounding(&points).unwrap();
            let inside = rect.intersection(&picture).area() / rect.area();
            assert!((inside - 0.75).abs() < 0.01, "{name}: {inside}");
            assert!((0..POINTS).all(|i| measured[i] == picture.contains(points[i])));
        }
    }

    #[test]
    fn faces_are_never_enlarged_and_tiny_photos_are_no_trouble() {
        let photo = Photo { pixels: vec![90; 3], width: 1, height: 1 };
        for condition in &CONDITIONS {
            let changed = condition.apply(&photo, &Topology::ibug68(), &face("a", upright_face()));
            assert!(changed.photo.width >= 1 && changed.photo.height >= 1, "{}", condition.name);
        }
        let small = upright_face().map(|p| Point::new(p.x / 10.0, p.y / 10.0));
        let changed = Condition::named("face-80").unwrap();
        let changed = changed.apply(&dotted().0, &Topology::ibug68(), &face("a", small));
        assert_eq!((changed.photo.width, &changed.points[..]), (WIDTH, &small[..]));
    }

    #[test]
    fn objects_of_any_topology_are_changed_where_it_has_what_is_needed() {
        let topology = |name: &str| crate::topologies::open(name).unwrap().topology;
        let offered = |topology: &Topology| -> Vec<&str> {
            CONDITIONS.iter().filter(|c| c.refusal(topology).is_none()).map(|c| c.name).collect()
        };
        let without = |name: &str| CONDITIONS.iter().map(|c| c.name).filter(|n| *n != name).collect::<Vec<_>>();
        assert_eq!(offered(&Topology::ibug68()).len(), CONDITIONS.len());
        let five = topology("five");
        assert_eq!(offered(&five), without("mask"));
        let definition = lineament::topology::Definition {
            name: "letter".into(),
            chiral: true,
            ..Topology::ibug68().definition().clone()
        };
        let definition = lineament::topology::Definition { mirror: Vec::new(), ..definition };
        assert_eq!(offered(&Topology::new(definition).unwrap()), without("mirror"));
        // One point has no label, so that the labelled box moves along.
        let (photo, points) = dotted();
        let mut points = five.from_ibug68(&points).unwrap();
        points[3] = Point::new(f32::NAN, f32::NAN);
        let rect = Rect::from_xywh(100.0, 60.0, 100.0, 120.0);
        let sample = Sample { rect: Some(rect), points, ..face("a", upright_face()) };
        for condition in CONDITIONS.iter().filter(|c| c.refusal(&five).is_none()) {
            let changed = condition.apply(&photo, &five, &sample);
            let lost = if condition.name == "mirror" { 4 } else { 3 };
            assert!(!changed.measured[lost] && changed.points[lost].x.is_nan(), "{}", condition.name);
            let center = changed.rect.center();
            assert!(center.is_finite() && changed.rect.area() > 100.0, "{}: {:?}", condition.name, changed.rect);
            if condition.name == "mirror" {
                assert_eq!((center.x, changed.points[0].x), (WIDTH as f32 - 150.0, WIDTH as f32 - sample.points[1].x));
            }
        }
    }
}
