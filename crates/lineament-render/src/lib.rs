//! Rendered faces with exact labels, to train landmark networks on.
//!
//! ```text
//! seed --Scene::draw--> scene (who, where, light, camera) --raster--> light --photo--> pixels
//!                         `--Places--> labels
//! ```
//!
//! [`Renderer::render`] makes one picture from one seed, on any thread, the same on every processor.
#![forbid(unsafe_code)]

pub mod assets;
mod dice;
mod error;
mod math;
pub mod output;
mod photo;
pub mod points;
mod raster;
pub mod scene;
mod settings;

pub use assets::Assets;
pub use error::{Error, Result};
pub use math::{Vec3, vec3};
pub use photo::Photo;
pub use points::{Label, Places};
pub use settings::Settings;

use raster::SAMPLES;
use scene::Scene;

/// Least and largest size of a picture in pixels.
pub const SIZES: std::ops::RangeInclusive<usize> = 32..=2048;
/// A picture is drawn anew when hair hides more than this share of the points within the face: nothing can be learned
/// from it.
const MOST_UNDER_HAIR: f32 = 0.33;
/// A picture is drawn anew so often; then it is taken as it is.
const DRAWS: u64 = 8;

/// Makes pictures.
pub struct Renderer<'a> {
    assets: &'a Assets,
    places: Places,
    settings: Settings,
}

/// A picture with all that is known about it.
pub struct Rendered {
    /// The picture.
    pub photo: Photo,
    /// One label for each point of the topology.
    pub labels: Vec<Label>,
    /// How the head is turned against the camera, in radians: yaw, pitch, roll.
    pub turn_rad: [f32; 3],
    /// Weights of the expressions, in the order of [`assets::Head::expressions`].
    pub expression: Vec<f32>,
}

impl<'a> Renderer<'a> {
    /// Pictures with labels for the topology of `places`.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn new(assets: &'a Assets, places: Places, settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self { assets, places, settings })
    }

    /// The picture of `seed`, `size` by `size` pixels.
    ///
    /// # Panics
    /// When `size` is not among [`SIZES`].
    pub fn render(&self, seed: u64, size: usize) -> Rendered {
        assert!(SIZES.contains(&size), "{size} pixels");
        let mut draw = 0;
        loop {
            let seed = seed.wrapping_mul(DRAWS).wrapping_add(draw);
            let scene = Scene::draw(self.assets, &self.settings, seed, size);
            let picture = raster::render(&scene);
            let (head, positions) = (&self.assets.head, &scene.person.positions);
            let face: Vec<usize> = head.landmarks[17..]
                .iter()
                .filter_map(|i| {
                    let p = scene.camera.project(positions[*i]);
                    let inside = |c: f32| c >= 0.0 && c < size as f32;
                    (inside(p.x) && inside(p.y)).then(|| p.y as usize * size + p.x as usize)
                })
                .collect();
            draw += 1;
            let under_hair = face.iter().filter(|i| {
                let (x, y) = (*i % size * SAMPLES, *i / size * SAMPLES);
                matches!(picture.visible.shown(y * size * SAMPLES + x), Some(raster::Shown::Hair(..)))
            });
            let under_hair = under_hair.count() as f32 / face.len().max(1) as f32;
            if under_hair > MOST_UNDER_HAIR && draw < DRAWS {
                continue;
            }
            let labels = self.places.labels(head, positions, &scene.camera, &picture.visible);
            let photo = photo::develop(&scene, &picture, &face, &self.settings);
            let view = scene.camera.view;
            return Rendered {
                photo,
                labels,
                turn_rad: [view.yaw, view.pitch, view.roll],
                expression: scene.person.expression,
            };
        }
    }
}
