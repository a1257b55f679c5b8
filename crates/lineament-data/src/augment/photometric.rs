//! Photometric augmentation: effects of light, lens, camera, and of things in front of the face.

use std::f32::consts::TAU;
use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;
use rand::Rng;
use rand_distr::StandardNormal;

use super::filters::{Size, gamma, gaussian_blur, motion_blur, shrink_and_enlarge, slope_light};

knobs! {
    /// Which effects are applied to a training picture, how often and how strongly. Each is drawn independently.
    /// Strengths are upper limits: weaker effects are as frequent or more frequent. Lengths are in pixels of the crop;
    /// the defaults suit faces of about 80 pixels.
    Photometric {
        /// Share with light from one side, which is common indoors near a window.
        uneven_light_share: f32 = 0.3, 0.0 to 1.0;
        /// Largest change of that light from the centre to the edge, as a factor: at 0.7 one side is nearly black.
        uneven_light_max: f32 = 0.7, 0.0 to 1.0;
        /// Share with occluding objects, in place of hands, hair, glasses and cups: the network must not rely on any
        /// single part.
        occlusion_share: f32 = 0.3, 0.0 to 1.0;
        /// Longest side of such an object, in sides of the picture: 0.4 is half a face.
        occlusion_max: f32 = 0.4, 0.0 to 1.0;
        /// Share with a different tone: gamma, contrast and brightness together. Normalisation removes differences of
        /// contrast and brightness, but not clipping at black or white.
        tone_share: f32 = 0.7, 0.0 to 1.0;
        /// Standard deviation of the logarithm of gamma: at 0.35, 95 of 100 are from 0.5 to 2.
        gamma_sd: f32 = 0.35, 0.0 to 2.0;
        /// Largest change of contrast, as a factor more or less.
        contrast_max: f32 = 0.5, 0.0 to 1.0;
        /// Largest change of brightness, in grey levels.
        brightness_max: f32 = 50.0, 0.0 to 255.0;
        /// Share with motion blur, as in video of moving heads.
        motion_blur_share: f32 = 0.15, 0.0 to 1.0;
        /// Longest motion, in pixels: beyond 9 points cannot be placed by eye.
        motion_blur_max: f32 = 9.0, 0.0 to 64.0;
        /// Share out of focus.
        blur_share: f32 = 0.2, 0.0 to 1.0;
        /// Largest standard deviation of that blur, in pixels.
        blur_max: f32 = 2.0, 0.0 to 32.0;
        /// Share of reduced and enlarged pictures: distant faces are enlarged to the network's size.
        shrink_share: f32 = 0.25, 0.0 to 1.0;
        /// Largest factor of that: 4 leaves a face of about 20 pixels, the smallest that the detector finds.
        shrink_max: f32 = 4.0, 1.0 to 32.0;
        /// Share in the dark: little light, noise, rounded to whole grey levels, as phones at night.
        dark_share: f32 = 0.15, 0.0 to 1.0;
        /// Least light, as a factor: 0.12 leaves about 15 grey levels of an average face.
        dark_min: f32 = 0.12, 0.0 to 1.0;
        /// Share with sensor noise.
        noise_share: f32 = 0.3, 0.0 to 1.0;
        /// Largest standard deviation of the noise, in grey levels; small values are more frequent.
        noise_max: f32 = 15.0, 0.0 to 255.0;
        /// Share compressed once more as JPEG. It costs more time than all other augmentation, and the photos carry one
        /// compression already.
        jpeg_share: f32 = 0.25, 0.0 to 1.0;
        /// Lowest JPEG quality; the highest is 90. At 20 blocks are visible.
        jpeg_quality_min: u8 = 20, 1 to JPEG_QUALITY_MAX;
    }
}

/// Highest JPEG quality that is drawn; above it the losses do not matter.
const JPEG_QUALITY_MAX: u8 = 90;

/// Noise of dark pictures, in grey levels: that of a small sensor at high gain.
const DARK_NOISE: (f32, f32) = (0.5, 3.0);

impl Photometric {
    /// Leaves every picture unchanged.
    pub fn none() -> Self {
        Self {
            uneven_light_share: 0.0,
            occlusion_share: 0.0,
            tone_share: 0.0,
            motion_blur_share: 0.0,
            blur_share: 0.0,
            shrink_share: 0.0,
            dark_share: 0.0,
            noise_share: 0.0,
            jpeg_share: 0.0,
            ..Self::default()
        }
    }

    /// Applies random effects to `pixels`, `[height, width]` brightness from 0 to 255, in the order of a real camera:
    /// light, occlusion, exposure, motion, focus, distance, darkness, noise, compression. The result is within 0 to
    /// 255.
    ///
    /// # Panics
    /// When `pixels` is empty or not `width * height` long.
    pub fn apply(&self, pixels: &mut [f32], width: usize, height: usize, rng: &mut impl Rng) {
        assert!(!pixels.is_empty() && pixels.len() == width * height, "{width}x{height} in {} pixels", pixels.len());
        let size = Size { width, height };
        if happens(self.uneven_light_share, rng) {
            slope_light(pixels, size, between(0.1, self.uneven_light_max, rng), between(0.0, TAU, rng));
        }
        if happens(self.occlusion_share, rng) {
            for _ in 0..rng.random_range(1..=3) {
                occlude(pixels, size, self.occlusion_max, rng);
            }
        }
        if happens(self.tone_share, rng) {
            self.tone(pixels, rng);
        }
        if happens(self.motion_blur_share, rng) {
            motion_blur(pixels, size, between(3.0, self.motion_blur_max, rng), between(0.0, TAU, rng));
        }
        if happens(self.blur_share, rng) {
            gaussian_blur(pixels, size, between(0.3, self.blur_max, rng));
        }
        if happens(self.shrink_share, rng) {
            shrink_and_enlarge(pixels, size, between(1.2, self.shrink_max, rng));
        }
        if happens(self.dark_share, rng) {
            let light = between(self.dark_min, 0.6, rng);
            pixels.iter_mut().for_each(|v| *v *= light);
            add_noise(pixels, between(DARK_NOISE.0, DARK_NOISE.1, rng), rng);
            pixels.iter_mut().for_each(|v| *v = v.clamp(0.0, 255.0).round());
        }
        if happens(self.noise_share, rng) {
            let strength: f32 = rng.random();
            add_noise(pixels, self.noise_max * strength * strength, rng);
        }
        if happens(self.jpeg_share, rng) {
            let low = self.jpeg_quality_min.clamp(1, JPEG_QUALITY_MAX);
            compress(pixels, size, rng.random_range(low..=JPEG_QUALITY_MAX));
        }
        pixels.iter_mut().for_each(|v| *v = v.clamp(0.0, 255.0));
    }

    fn tone(&self, pixels: &mut [f32], rng: &mut impl Rng) {
        gamma(pixels, (self.gamma_sd * rng.sample::<f32, _>(StandardNormal)).exp());
        let mean = pixels.iter().sum::<f32>() / pixels.len() as f32;
        let contrast = 1.0 + between(-self.contrast_max, self.contrast_max, rng);
        let target = mean + between(-self.brightness_max, self.brightness_max, rng);
        pixels.iter_mut().for_each(|v| *v = (target + contrast * (*v - mean)).clamp(0.0, 255.0));
    }
}

fn happens(share: f32, rng: &mut impl Rng) -> bool {
    rng.random::<f32>() < share
}

fn between(low: f32, high: f32, rng: &mut impl Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// Adds noise of standard deviation `sd`.
pub fn add_noise(pixels: &mut [f32], sd: f32, rng: &mut impl Rng) {
    pixels.iter_mut().for_each(|v| *v += sd * rng.sample::<f32, _>(StandardNormal));
}

/// Covers a rectangle or ellipse with plain grey, with noise, or with another part of the same picture.
fn occlude(pixels: &mut [f32], size: Size, longest: f32, rng: &mut impl Rng) {
    let Size { width, height } = size;
    // Half sizes and centre in pixels; the smallest is a fifth of the longest.
    let half = |side: usize, rng: &mut _| between(0.2 * longest, longest, rng) * side as f32 / 2.0;
    let (half_w, half_h) = (half(width, rng), half(height, rng));
    let (cx, cy) = (between(0.0, width as f32, rng), between(0.0, height as f32, rng));
    let round = rng.random::<bool>();
    let (fill, level) = (rng.random_range(0..3), between(0.0, 255.0, rng));
    let (from_x, from_y) = (rng.random_range(0..width), rng.random_range(0..height));
    let source = if fill == 2 { pixels.to_vec() } else { Vec::new() };
    let rows = (cy - half_h).max(0.0) as usize..((cy + half_h) as usize).min(height);
    for y in rows {
        let down = (y as f32 + 0.5 - cy) / half_h;
        let reach = if round { half_w * (1.0 - down * down).max(0.0).sqrt() } else { half_w };
        let columns = (cx - reach).max(0.0) as usize..((cx + reach) as usize).min(width);
        for x in columns {
            pixels[y * width + x] = match fill {
                0 => level,
                1 => between(0.0, 255.0, rng),
                _ => source[(y + from_y) % height * width + (x + from_x) % width],
            };
        }
    }
}

/// Compresses as JPEG and decodes again. A picture too large for JPEG (a side above 65,535) stays unchanged.
pub fn compress(pixels: &mut [f32], size: Size, quality: u8) {
    let (Ok(width), Ok(height)) = (u16::try_from(size.width), u16::try_from(size.height)) else { return };
    let mut bytes: Vec<u8> = pixels.iter().map(|v| v.round() as u8).collect(); // `as` clamps to 0..=255
    let mut file = Vec::with_capacity(bytes.len() / 2);
    let encoded =
        jpeg_encoder::Encoder::new(&mut file, quality).encode(&bytes, width, height, jpeg_encoder::ColorType::Luma);
    encoded.expect("a grey picture of 16 bit sides goes into a JPEG in memory");
    let decoder = JpegDecoder::new(Cursor::new(&file)).expect("our own JPEG has a header");
    decoder.read_image(&mut bytes).expect("our own JPEG has the size we gave it");
    pixels.iter_mut().zip(bytes).for_each(|(v, b)| *v = f32::from(b));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    /// Waves of several widths around middle grey.
    fn picture(width: usize, height: usize) -> Vec<f32> {
        let wave = |x: f32, y: f32| 128.0 + 40.0 * (x / 9.0).sin() + 40.0 * (y / 5.0 + x / 20.0).cos();
        (0..width * height).map(|i| wave((i % width) as f32, (i / width) as f32)).collect()
    }

    fn applied(config: &Photometric, seed: u64) -> Vec<f32> {
        let mut pixels = picture(112, 112);
        config.apply(&mut pixels, 112, 112, &mut Pcg64::seed_from_u64(seed));
        pixels
    }

    #[test]
    fn none_changes_nothing_and_each_effect_changes_something() {
        let original = picture(112, 112);
        assert!(applied(&Photometric::none(), 5) == original);
        let none = Photometric::none;
        for (what, config) in [
            ("light", Photometric { uneven_light_share: 1.0, ..none() }),
            ("occlusion", Photometric { occlusion_share: 1.0, ..none() }),
            ("tone", Photometric { tone_share: 1.0, ..none() }),
            ("motion", Photometric { motion_blur_share: 1.0, ..none() }),
            ("blur", Photometric { blur_share: 1.0, ..none() }),
            ("shrink", Photometric { shrink_share: 1.0, ..none() }),
            ("dark", Photometric { dark_share: 1.0, ..none() }),
            ("noise", Photometric { noise_share: 1.0, ..none() }),
            ("jpeg", Photometric { jpeg_share: 1.0, ..none() }),
        ] {
            for seed in 0..20 {
                let pixels = applied(&config, seed);
                assert!(pixels != original, "{what} {seed} changed nothing");
                // Each effect alone leaves most of the picture recognisable.
                let r = correlation(&pixels, &original);
                assert!(r > 0.4, "{what} {seed}: {r}");
            }
        }
    }

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        lineament::Normalisation::Standardise.apply(&mut a);
        lineament::Normalisation::Standardise.apply(&mut b);
        a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>() / a.len() as f32
    }

    #[test]
    fn jpeg_at_good_quality_is_close_and_in_place() {
        for (width, height) in [(112, 112), (37, 50), (1, 1), (8, 3)] {
            let original = picture(width, height);
            let mut pixels = original.clone();
            compress(&mut pixels, Size { width, height }, 90);
            let worst = pixels.iter().zip(&original).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 12.0, "{width}x{height}: {worst}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_picture() {
        let applied = |seed| applied(&Photometric::default(), seed);
        assert!(applied(7) == applied(7));
        assert!(applied(7) != applied(8));
    }

    #[test]
    fn settings_are_read_by_name_and_unknown_ones_refused() {
        let config: Photometric = serde_json::from_str(r#"{"noise_max": 3.5}"#).unwrap();
        assert_eq!(config, Photometric { noise_max: 3.5, ..Photometric::default() });
        assert!(serde_json::from_str::<Photometric>(r#"{"noise_maximum": 3.5}"#).is_err());
        assert!(config.check().is_ok());
        let message = Photometric { jpeg_share: 1.5, ..config }.check().unwrap_err().to_string();
        assert!(message.contains("jpeg_share is 1.5, expected 0 to 1"), "{message}");
    }

    proptest! {
        #[test]
        fn any_size_stays_within_grey_levels(width in 1usize..40, height in 1usize..40, seed in any::<u64>()) {
            let mut pixels = picture(width, height);
            Photometric::default().apply(&mut pixels, width, height, &mut Pcg64::seed_from_u64(seed));
            prop_assert!(pixels.iter().all(|v| (0.0..=255.0).contains(v)));
        }
    }

    /// `cargo test --release -p lineament-data speed -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement, not a check"]
    fn speed_for_112_pixels() {
        let original = picture(112, 112);
        let mut rng = Pcg64::seed_from_u64(3);
        let mut pixels = original.clone();
        let start = std::time::Instant::now();
        for _ in 0..2000 {
            pixels.copy_from_slice(&original);
            Photometric::default().apply(&mut pixels, 112, 112, &mut rng);
        }
        println!("{:.3} ms for one picture of 112x112", start.elapsed().as_secs_f64() * 1e3 / 2000.0);
    }
}
