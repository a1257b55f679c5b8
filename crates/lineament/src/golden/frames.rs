//! The golden frames: two pictures of `testdata/golden` and what arithmetic makes of them. Only whole numbers and the
//! four operations, which every processor rounds alike: a sine would make other pictures on other systems.

/// A picture, row by row without gaps.
#[derive(Clone)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// 1 is grey; 3 is red, green, blue.
    pub channels: usize,
    pub pixels: Vec<u8>,
}

const PORTRAIT: &[u8] = include_bytes!("../../../../testdata/golden/portrait.pgm");
const TWO_FACES: &[u8] = include_bytes!("../../../../testdata/golden/two_faces.ppm");

/// The frames with their names.
pub fn frames() -> Vec<(String, Picture)> {
    let (portrait, pair) = (Picture::parse(PORTRAIT), Picture::parse(TWO_FACES));
    let mut frames = Vec::new();
    for (name, picture) in [("portrait", &portrait), ("two faces", &pair)] {
        let (w, h) = (picture.width, picture.height);
        let center = (w as f32 / 2.0, h as f32 / 2.0);
        let versions = [
            ("as it is", picture.clone()),
            ("mirrored", picture.mirrored()),
            ("turned by 90 degrees", picture.quarter_turn()),
            ("turned by 180 degrees", picture.quarter_turn().quarter_turn()),
            ("turned by 270 degrees", picture.quarter_turn().quarter_turn().quarter_turn()),
            ("turned by 37 degrees", picture.seen((w, h), center, (0.8, 0.6))),
            ("turned back by 23 degrees", picture.seen((w, h), center, (12.0 / 13.0, -5.0 / 13.0))),
            ("at half size", picture.seen((w / 2, h / 2), center, (2.0, 0.0))),
            ("enlarged by half", picture.seen((w * 3 / 2, h * 3 / 2), center, (2.0 / 3.0, 0.0))),
            ("far away in a large frame", picture.seen((640, 480), (140.0, 110.0), (1.25, 0.0))),
            ("cut at the left", picture.seen((w - w / 4, h), (center.0 + w as f32 / 8.0, center.1), (1.0, 0.0))),
            ("dark with noise", picture.map(|v| v * 31 / 255).noisy(3)),
            ("pale", picture.map(|v| 150 + v / 4)),
            ("overexposed", picture.map(|v| v * 2)),
            ("with noise", picture.noisy(20)),
        ];
        frames.extend(versions.map(|(version, picture)| (format!("{name} {version}"), picture)));
    }
    frames
}

/// A film of a portrait that slides and comes nearer, at 30 frames a second.
pub fn film() -> Vec<(String, Picture)> {
    let portrait = Picture::parse(PORTRAIT);
    let frame = |i: u8| {
        let t = f32::from(i);
        portrait.seen((240, 180), (100.0 + 3.0 * t, 110.0 - t), (1.25 - 0.02 * t, 0.002 * t))
    };
    (0..10).map(|i| (format!("film frame {i}"), frame(i))).collect()
}

impl Picture {
    /// From the bytes of a binary PGM or PPM file.
    fn parse(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut word = || {
            let end = rest.iter().position(u8::is_ascii_whitespace).expect("a header of four words");
            let word = std::str::from_utf8(&rest[..end]).expect("a header of text");
            rest = &rest[end + 1..];
            word
        };
        let channels = if word() == "P5" { 1 } else { 3 };
        let [width, height, _] = [(); 3].map(|()| word().parse().expect("a number"));
        assert_eq!(rest.len(), width * height * channels, "pixels of a picture");
        Self { width, height, channels, pixels: rest.to_vec() }
    }

    fn from_fn(size: (usize, usize), channels: usize, at: impl Fn(usize, usize, usize) -> u8) -> Self {
        let (width, height) = size;
        let pixels = (0..width * height * channels)
            .map(|i| at(i / channels % width, i / channels / width, i % channels))
            .collect();
        Self { width, height, channels, pixels }
    }

    fn at(&self, x: usize, y: usize, channel: usize) -> u8 {
        self.pixels[(y * self.width + x) * self.channels + channel]
    }

    fn mirrored(&self) -> Self {
        Self::from_fn((self.width, self.height), self.channels, |x, y, c| self.at(self.width - 1 - x, y, c))
    }

    /// Clockwise.
    fn quarter_turn(&self) -> Self {
        Self::from_fn((self.height, self.width), self.channels, |x, y, c| self.at(y, self.height - 1 - x, c))
    }

    /// Changes each byte; above 255 is white.
    fn map(&self, change: impl Fn(u32) -> u32) -> Self {
        let pixels = self.pixels.iter().map(|&v| change(u32::from(v)).min(255) as u8).collect();
        Self { pixels, ..*self }
    }

    /// Up to `most` added to or taken from each byte.
    fn noisy(&self, most: i32) -> Self {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i32 % (2 * most + 1) - most
        };
        let pixels = self.pixels.iter().map(|&v| (i32::from(v) + noise()).clamp(0, 255) as u8).collect();
        Self { pixels, ..*self }
    }

    /// A window of this size around `center`, bilinear. `step` is how far one pixel of the window to the right leads,
    /// to the right and down. The nearest pixel is repeated outside.
    fn seen(&self, size: (usize, usize), center: (f32, f32), step: (f32, f32)) -> Self {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let hold = |v: f32, size: usize| (v - 0.5).max(0.0).min(size as f32 - 1.0);
        Self::from_fn(size, self.channels, |x, y, c| {
            let (x, y) = (x as f32 + 0.5 - width / 2.0, y as f32 + 0.5 - height / 2.0);
            let u = hold(center.0 + (x * step.0 - y * step.1), self.width);
            let v = hold(center.1 + (x * step.1 + y * step.0), self.height);
            let (left, top) = (u as usize, v as usize);
            let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
            let (fx, fy) = (u - left as f32, v - top as f32);
            let along = |y: usize| {
                let (a, b) = (f32::from(self.at(left, y, c)), f32::from(self.at(right, y, c)));
                a + fx * (b - a)
            };
            (along(top) + fy * (along(bottom) - along(top)) + 0.5) as u8
        })
    }
}
