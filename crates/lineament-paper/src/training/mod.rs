//! Training exactly as the paper does it (Kendrick et al., section 3), from a table of records.
//!
//! Pixels are brightness over 255; targets are the table's coordinates, pixels of the 96x96 crop. Adam with its usual
//! settings, RMSE over the batch, batch 120, 300 epochs, Glorot weights of seed 7, no augmentation, the last 10 % of
//! the table as validation. Figures of every epoch are those of the paper (loss, MAE, accuracy), and the NME that it
//! lacks.
//!
//! The recipe is not [`lineament_train::train`]'s: nothing is varied, averaged, warmed up or cut from photos here.

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
