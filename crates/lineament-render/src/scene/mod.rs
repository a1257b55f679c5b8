//! What is in a picture: who, where, in what light, seen from where. How it is drawn is another matter, see
//! `raster`.

mod background;
mod camera;
mod covering;
mod expression;
mod hair;
mod held;
mod light;
mod mesh;
mod person;
mod skin;
mod worn;

pub use background::Background;
pub use camera::{Camera, View};
pub use light::{Key, Light, Lights};
pub use mesh::{Mesh, Strands};
pub use person::Person;

use crate::assets::{Assets, Head};
use crate::dice::Dice;
use crate::math::Vec3;
use crate::settings::Settings;

/// How eyes look.
#[derive(Debug, Clone, Copy)]
pub struct Eyes {
    /// Radius of the pupil, in centimetres.
    pub pupil: f32,
    /// Radius of the iris, in centimetres.
    pub iris: f32,
    /// Linear RGB.
    pub iris_colour: Vec3,
    /// Linear RGB of the white.
    pub white: Vec3,
}

/// How skin and hair throw light back.
#[derive(Debug, Clone, Copy)]
pub struct Gloss {
    /// Roughness of skin (GGX).
    pub roughness: f32,
    /// Reflection of skin at normal incidence.
    pub specular: f32,
    /// How far light wraps around skin, which it enters: 0 is none.
    pub wrap: f32,
    /// Strength of the highlight of hair.
    pub hair: f32,
}

/// How lenses of glasses look.
#[derive(Debug, Clone, Copy)]
pub struct Lens {
    /// Share of the light that comes through.
    pub tint: f32,
    /// Strength of the reflection.
    pub reflection: f32,
}

/// A picture before it is drawn.
pub struct Scene<'a> {
    /// The head that all faces are shapes of.
    pub head: &'a Head,
    /// Everything with a surface; the head's vertices come first, in its order.
    pub mesh: Mesh,
    /// Hair, brows, lashes, beard.
    pub strands: Strands,
    /// Where it is seen from.
    pub camera: Camera,
    /// What lights it.
    pub lights: Lights<'a>,
    /// What is behind it.
    pub background: Background,
    /// The eyes.
    pub eyes: Eyes,
    /// Skin and hair.
    pub gloss: Gloss,
    /// The lenses, if there are glasses.
    pub lens: Lens,
    /// Who it is.
    pub person: Person,
    /// Random numbers for what happens in the camera.
    pub dice: Dice,
}

impl<'a> Scene<'a> {
    /// The scene that follows from `seed`, for a picture of `size` by `size` pixels.
    pub fn draw(assets: &'a Assets, settings: &Settings, seed: u64, size: usize) -> Self {
        let mut dice = Dice::new(seed);
        let [mut who, mut looks, mut wears, mut where_from, mut light, mut holds, camera_dice] =
            std::array::from_fn(|_| dice.split());
        let head = &assets.head;
        let view = View::draw(settings, &mut where_from);
        let person = Person::draw(head, settings, &view, &mut who);
        let (mut skin, colours) = skin::colours(head, &person, &mut looks);
        let mut mesh = Mesh::default();
        let outfit = worn::Outfit::draw(settings, &person, &mut wears);
        let mut strands = Strands::default();
        hair::add(head, &person, &colours, &outfit, &mut skin, &mut strands, &mut looks);
        skin::shirt(head, &mut skin, &mut looks);
        mesh.add_head(head, &person, skin, &mut looks);
        let lens = worn::add(head, &person, &outfit, &mut mesh, &mut wears);
        covering::add(head, &person, &outfit, &mut mesh, &mut wears);
        held::add(head, &person, &colours, settings, &mut mesh, &mut holds);
        let camera = Camera::draw(settings, &view, head, &person.positions, size, &mut where_from);
        let lights = Lights::draw(&assets.environments, settings, &mut light);
        let background = Background::draw(&lights, &camera, settings, &mut light);
        let eyes = skin::eyes(&mut looks);
        let gloss = skin::gloss(&mut looks);
        Self { head, mesh, strands, camera, lights, background, eyes, gloss, lens, person, dice: camera_dice }
    }
}
