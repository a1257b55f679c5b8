//! The app: the phone's camera on the screen, the faces' outlines over it, and how long everything takes.
//!
//! ```text
//! Camera --CameraFrame--> Upright (turned planes) --Y--> Tracker --faces--> Canvas --> Surface
//!                                                 --RGBA picture-----------^
//! events (pause, window, tap, permission, trouble) --> App --> which screen, whether the camera runs, words
//! ```
//!
//! [`App`] knows the phone only through the traits in [`platform`], so that everything but the module `android` is
//! compiled and tested on a desktop: a video file is the camera there, and a slice is the screen ([`desk`]). One thread
//! does everything. It takes the newest frame, and it sleeps when there is nothing to do.

#[cfg(target_os = "android")]
mod android;
mod app;
#[cfg(not(target_os = "android"))]
pub mod desk;
mod figures;
mod font;
pub mod frame;
mod live;
mod models;
pub mod orientation;
mod page;
pub mod platform;
mod save;

pub use app::{App, Event, Patience, Screen};
