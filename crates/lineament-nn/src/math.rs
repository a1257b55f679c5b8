//! Small functions with the same bits on every platform: the logistic function, log-odds, and half precision (IEEE 754
//! binary16) as bits, as Rust's own `f16` is not stable yet.

/// `1 / (1 + exp(-x))` to about 7 digits, without branches, so that a loop over it becomes vectors. Never 0.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    // exp(-x) is 2 to the whole part of t times 2 to the rest, which is within half of 0.
    let t = x.clamp(-80.0, 80.0) * -std::f32::consts::LOG2_E;
    // Added to 1.5 * 2^23, a number is rounded to whole, and that stands in its lowest bits.
    let magic = 12_582_912.0;
    let whole = t + magic;
    let rest = (t - (whole - magic)) * std::f32::consts::LN_2;
    let series = 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = series * rest + 1.0;
    let series = series * rest + 1.0;
    let power = f32::from_bits(whole.to_bits().wrapping_add(127) << 23);
    1.0 / (1.0 + series * power)
}

/// The log-odds of a probability, within what a probability in f32 can tell: from -20 to 20.
pub fn logit(p: f32) -> f32 {
    (libm::logf(p) - libm::log1pf(-p)).clamp(-20.0, 20.0)
}

/// The number that the bits stand for; exact.
#[inline(always)]
pub fn f32_from_f16(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // Both formats keep exponent and mantissa side by side; only the exponent's origin differs, by 112. Multiplying
    // also sets subnormal numbers right.
    let finite = f32::from_bits(magnitude) * f32::from_bits((112 + 127) << 23);
    let special = f32::from_bits(magnitude | 0x7f80_0000); // infinite or NaN
    let value = if magnitude < 0x7c00 << 13 { finite } else { special };
    f32::from_bits(value.to_bits() | u32::from(bits & 0x8000) << 16)
}

/// The nearest f16 value, ties to even; infinite where `value` is past the largest, 65504.
pub fn f16_from_f32(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.to_bits() & 0x7fff_ffff;
    const INFINITE: u32 = 0x7f80_0000;
    const SMALLEST_NORMAL: u32 = (127 - 14) << 23;
    const PAST_LARGEST: u32 = (127 + 16) << 23;
    sign | match magnitude {
        m if m > INFINITE => 0x7e00,
        m if m >= PAST_LARGEST => 0x7c00,
        // In steps of 2^-24; rounding up to the smallest normal number gives just its bits.
        m if m < SMALLEST_NORMAL => (f32::from_bits(m) * (1 << 24) as f32).round_ties_even() as u16,
        m => ((m - (112 << 23) + 0xfff + (m >> 13 & 1)) >> 13) as u16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_comes_back_from_f32() {
        for bits in 0..=u16::MAX {
            let value = f32_from_f16(bits);
            match bits & 0x7fff {
                0x7c01.. => assert!(value.is_nan() && f16_from_f32(value) & 0x7fff == 0x7e00, "{bits:#x}"),
                _ => assert_eq!(f16_from_f32(value), bits, "{value}"),
            }
        }
    }

    #[test]
    fn known_numbers_have_their_bits() {
        for (value, bits) in [
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (65519.0, 0x7bff),
            (65520.0, 0x7c00),
            (1e9, 0x7c00),
            (6.103_515_6e-5, 0x0400),
            (5.960_464_5e-8, 0x0001),
            (2.9e-8, 0x0000),
            (1.0 / 3.0, 0x3555),
            (f32::NEG_INFINITY, 0xfc00),
        ] {
            assert_eq!(f16_from_f32(value), bits, "{value}");
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_half_and_ties_to_even() {
        for bits in (0..0x7bff_u16).step_by(7) {
            let (low, high) = (f32_from_f16(bits), f32_from_f16(bits + 1));
            let middle = low.midpoint(high);
            assert_eq!(f16_from_f32(middle), bits + bits % 2, "{middle} is between {low} and {high}");
            assert_eq!(f16_from_f32(f32::from_bits(middle.to_bits() - 1)), bits);
            assert_eq!(f16_from_f32(f32::from_bits(middle.to_bits() + 1)), bits + 1);
        }
    }
}
