//! Numbers and layers in words, as several commands print them.

use indicatif::HumanCount;
use lineament_nn::model::{Activation, Op};

/// With commas between thousands: `1,234,567`.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A number of things, with their name in the plural unless there is one: `1 frame`, `2,000 frames`.
pub fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with this many decimals and its unit; a dash where there is none.
pub fn or_dash(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.decimals$}{unit}"))
}

/// A layer in a few words.
pub fn describe(op: &Op) -> String {
    let window = |kernel: usize, stride: usize, padding: usize| {
        let stride = if stride == 1 { String::new() } else { format!(", stride {stride}") };
        let padding = if padding == 0 { String::new() } else { format!(", padding {padding}") };
        format!("{kernel}x{kernel}{stride}{padding}")
    };
    match *op {
        Op::Conv { filters, kernel, stride, padding } => format!("conv {filters}, {}", window(kernel, stride, padding)),
        Op::Depthwise { kernel, stride, padding } => format!("depthwise {}", window(kernel, stride, padding)),
        Op::BatchNorm => "batch norm".into(),
        Op::Activation(Activation::Relu) => "relu".into(),
        Op::Activation(Activation::PRelu) => "prelu".into(),
        Op::Activation(Activation::HardSwish) => "hard-swish".into(),
        Op::MaxPool => "max pool 2x2".into(),
        Op::Add { .. } => "add".into(),
        Op::GlobalPool => "global pool".into(),
        Op::WeightedPool { .. } => "weighted pool".into(),
        Op::PositionBias => "position bias".into(),
        Op::Dense { units } => format!("dense {units}"),
        Op::Quantize => "quantize".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_thing_has_no_plural() {
        for (number, text) in [(0, "0 faces"), (1, "1 face"), (1200, "1,200 faces")] {
            assert_eq!(counted(number, "face"), text);
        }
    }
}
