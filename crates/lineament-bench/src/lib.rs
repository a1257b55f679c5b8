//! How fast a device follows a face, when it is cool and when it is warm. The program's `bench sustained` and the app's
//! benchmark screen run this, so that their figures can be compared.
//!
//! The frames are made from one picture inside the crate, by arithmetic that every processor rounds alike. Every device
//! therefore follows the same film, and [`Report::points_checksum`] says whether it found the same points.
//!
//! ```
//! use lineament_bench::{Plan, Run};
//!
//! let plan = Plan { cool_secs: 0.1, warm_up_secs: 0.0, warm_secs: 0.1, callers_secs: 0.05, callers: vec![1, 2] };
//! let mut run = Run::new(plan)?;
//! while run.advance().is_some() {} // each call takes some milliseconds
//! assert_eq!(run.report().faces, 1);
//! # Ok::<(), lineament::Error>(())
//! ```

mod device;
mod film;
mod run;

pub use device::{Core, Device, Memory, temperature_celsius};
pub use film::{Film, HEIGHT, WIDTH, forth_and_back};
pub use run::{CallersRow, Plan, Report, Run, Times};
