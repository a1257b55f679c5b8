//! Augmentation of training pictures: shifted, scaled and rotated crops, mirrored crops, and effects of light, lens and
//! camera.
//!
//! Order in training: [`Jitter::jitter`] moves the crop, [`lineament::Crop::sample_into`] samples it, [`mirror_rows`]
//! and [`mirror_points`] mirror it, [`Photometric::apply`] degrades it, [`lineament::Normalisation`] normalises it.

/// Makes a struct of knobs, its `Default`, the table `KNOBS` and `check` from one list: a knob's reason, default and
/// range stand once, for readers of the code and of a printed configuration alike.
#[macro_export]
#[doc(hidden)]
macro_rules! knobs {
    ($(#[$meta:meta])* $name:ident {
        $($(#[doc = $line:literal])+ $knob:ident: $kind:ty = $default:literal, $least:literal to $most:expr;)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $line])+
                #[doc = concat!(" Default ", stringify!($default), ", at least ", stringify!($least), ".")]
                pub $knob: $kind,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($knob: $default,)+ }
            }
        }

        impl $name {
            /// Each knob, in the order of the fields.
            pub const KNOBS: &[$crate::augment::Knob] = &[$($crate::augment::Knob {
                name: stringify!($knob),
                reason: &[$($line),+],
                default: $default as f32,
                range: ($least as f32, $most as f32),
            },)+];

            /// # Errors
            /// `lineament_data::Error::Setting` naming the first knob outside its range.
            pub fn check(&self) -> $crate::Result<()> {
                let values = [$(f32::from(self.$knob),)+];
                Self::KNOBS.iter().zip(values).try_for_each(|(knob, value)| knob.check(value))
            }
        }
    };
}

mod filters;
mod geometric;
mod photometric;

pub use geometric::{Jitter, mirror_points, mirror_rows};
pub use photometric::Photometric;

pub use filters::{Size, gaussian_blur, motion_blur};
pub(crate) use photometric::{add_noise, compress};

use crate::error::{Error, Result};

/// A knob of augmentation, for people who read or write a configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knob {
    /// Its name, which is its key.
    pub name: &'static str,
    /// Lines that explain it.
    pub reason: &'static [&'static str],
    /// What it is unless something else is asked for.
    pub default: f32,
    /// Least and largest value.
    pub range: (f32, f32),
}

/// The lines of TOML that set these knobs, each below its reason, default and range. `text` may set others, too, which
/// are left out.
pub fn commented(text: &str, knobs: &[Knob]) -> String {
    let explained = |knob: &Knob| {
        let (value, (least, most)) = (format!("{} = ", knob.name), knob.range);
        let line = text.lines().find(|line| line.starts_with(&value))?;
        let reason: String = knob.reason.iter().flat_map(|line| ["#", line, "\n"]).collect();
        Some(format!("{reason}# Default {}, from {least} to {most}.\n{line}\n\n", knob.default))
    };
    knobs.iter().filter_map(explained).collect()
}

impl Knob {
    /// # Errors
    /// [`Error::Setting`] when the value is outside the knob's range.
    pub fn check(&self, value: f32) -> Result<()> {
        let (least, most) = self.range;
        match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(Error::Setting(format!("{} is {value}, expected {least} to {most}", self.name))),
        }
    }
}
