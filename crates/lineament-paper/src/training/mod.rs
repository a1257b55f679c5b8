//! The paper's training recipe (Kendrick et al., section 3), from a table of records.
//!
//! Inputs are brightness over 255; targets are the table's coordinates, in pixels of the 96x96 crop. Adam with its
//! usual settings, RMSE over the batch, batch 120, 300 epochs, Glorot weights of seed 7, no augmentation; the last 10
//! % of the table are held back for validation. The figures of each epoch are those of the paper (loss, MAE,
//! accuracy), and the NME, which it lacks.
//!
//! [`lineament_train::train`] has another recipe, with augmentation, EMA, warm-up and crops from photos.

mod faces;
mod forecast;
mod run;
mod settings;
mod sums;

pub use faces::Faces;
pub use forecast::{Forecast, Speed, probe};
pub use run::{Epoch, Event, Run, files};
pub use settings::Settings;
pub use sums::Sums;
