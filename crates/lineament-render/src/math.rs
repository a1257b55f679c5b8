//! Vectors and functions with the same bits on every processor.

use std::ops::{Add, AddAssign, Index, IndexMut, Mul, Neg, Sub};

/// Three numbers: a place or direction (x to the person's left, y up, z forward, in centimetres) or linear RGB.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Vec3 {
    /// To the picture's right, or red.
    pub x: f32,
    /// Up, or green.
    pub y: f32,
    /// Out of the face, or blue.
    pub z: f32,
}

/// A [`Vec3`] of three numbers.
pub const fn vec3(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    /// The same number three times.
    pub const fn splat(v: f32) -> Self {
        vec3(v, v, v)
    }

    #[inline(always)]
    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    #[inline(always)]
    pub(crate) fn cross(self, o: Self) -> Self {
        vec3(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }

    #[inline(always)]
    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// In this direction with length 1; 0 stays 0.
    #[inline(always)]
    pub(crate) fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-12))
    }

    /// Component by component.
    #[inline(always)]
    pub(crate) fn times(self, other: Self) -> Self {
        vec3(self.x * other.x, self.y * other.y, self.z * other.z)
    }

    pub(crate) fn map(self, f: impl Fn(f32) -> f32) -> Self {
        vec3(f(self.x), f(self.y), f(self.z))
    }

    #[inline(always)]
    pub(crate) fn lerp(self, other: Self, t: f32) -> Self {
        self * (1.0 - t) + other * t
    }

    /// Of linear RGB.
    pub(crate) fn luminance(self) -> f32 {
        self.dot(vec3(0.2126, 0.7152, 0.0722))
    }
}

impl Add for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        vec3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl Sub for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        vec3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: f32) -> Self {
        vec3(self.x * s, self.y * s, self.z * s)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self * -1.0
    }
}

impl AddAssign for Vec3 {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl Index<usize> for Vec3 {
    type Output = f32;
    fn index(&self, axis: usize) -> &f32 {
        [&self.x, &self.y, &self.z][axis]
    }
}

impl IndexMut<usize> for Vec3 {
    fn index_mut(&mut self, axis: usize) -> &mut f32 {
        match axis {
            0 => &mut self.x,
            1 => &mut self.y,
            _ => &mut self.z,
        }
    }
}

/// 0 below `from`, 1 above `to`, smooth between them.
#[inline(always)]
pub fn smoothstep(x: f32, from: f32, to: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A bell about 0 that is 1 there and 1/e at 1.
#[inline(always)]
pub fn bell(x: f32) -> f32 {
    exp(-x * x)
}

/// e to the power x to about 6 digits, for x from -80 to 80.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp2(x * std::f32::consts::LOG2_E)
}

#[inline(always)]
fn exp2(x: f32) -> f32 {
    let t = x.clamp(-120.0, 120.0);
    // Added to 1.5 * 2^23, a number is rounded to whole, and that stands in its lowest bits.
    let magic = 12_582_912.0;
    let whole = t + magic;
    let rest = (t - (whole - magic)) * std::f32::consts::LN_2;
    let series = 1.0 + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0)))));
    series * f32::from_bits(whole.to_bits().wrapping_add(127) << 23)
}

/// The logarithm to base 2 of a positive number, to about 5 digits.
#[inline(always)]
fn log2(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    // ln((1 + s) / (1 - s)) for the mantissa from 1 to 2.
    let s = (mantissa - std::f32::consts::SQRT_2) / (mantissa + std::f32::consts::SQRT_2);
    let q = s * s;
    let ln = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0))));
    exponent as f32 + 0.5 + ln * std::f32::consts::LOG2_E
}

/// `x` to the power `power`, for x from 0.
#[inline(always)]
pub fn pow(x: f32, power: f32) -> f32 {
    if x <= 1e-30 { 0.0 } else { exp2(power * log2(x)) }
}

/// `x` to the fifth power.
#[inline(always)]
pub fn fifth(x: f32) -> f32 {
    let q = x * x;
    q * q * x
}

/// A shuffled number that depends on every bit of `x`.
#[inline(always)]
pub fn scramble(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// From 0 to 1, by the bits of [`scramble`].
#[inline(always)]
pub fn scramble_unit(x: u32) -> f32 {
    (scramble(x) >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_those_of_the_standard_library() {
        for i in -400..400 {
            let x = i as f32 * 0.05;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "exp({x})");
        }
        for i in 1..400 {
            let x = i as f32 * 0.013 + 0.03;
            for power in [0.4, 1.7, 5.0, 20.0] {
                assert!((pow(x, power) / x.powf(power) - 1.0).abs() < 3e-4, "{x}^{power}");
            }
        }
        assert_eq!(pow(0.0, 2.0), 0.0);
        assert_eq!([smoothstep(-1.0, 0.0, 1.0), smoothstep(0.5, 0.0, 1.0), smoothstep(3.0, 0.0, 1.0)], [0.0, 0.5, 1.0]);
    }
}
