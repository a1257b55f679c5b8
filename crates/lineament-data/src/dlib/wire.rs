//! dlib's encoding of numbers and lists.
//!
//! An integer is a control byte (the number of bytes that follow, and 0x80 for minus) and its size, least byte first. A
//! fraction is two integers: mantissa and exponent of 2. A list is its length and its items.

/// What is wrong with the bytes of a shape predictor, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {reason}")]
pub struct Fault {
    /// Position in the file, from 0.
    pub at: usize,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// An integer takes a control byte and at least one more.
pub(super) const INT_BYTES: usize = 2;
/// A fraction is two integers.
pub(super) const FLOAT_BYTES: usize = 2 * INT_BYTES;

const MINUS: u8 = 0x80;
/// From here on exponents stand for infinities and NaN.
const NOT_FINITE: i64 = 32_000;

/// Reads numbers from the bytes.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, rest: bytes }
    }

    /// A fault at the current position.
    pub fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { at: self.bytes.len() - self.rest.len(), reason: reason.into() }
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn int(&mut self) -> Result<i64, Fault> {
        let Some((&control, rest)) = self.rest.split_first() else {
            return Err(self.fault("the file ends here; it is not whole"));
        };
        let bytes = usize::from(control & !MINUS);
        if !(1..=8).contains(&bytes) {
            return Err(self.fault(format!("expected a number, found the byte {control:#04x}; the file is damaged")));
        }
        let Some((digits, rest)) = rest.split_at_checked(bytes) else {
            return Err(self.fault("the file ends within a number; it is not whole"));
        };
        let size = digits.iter().rev().fold(0, |size, &digit| size << 8 | u64::from(digit));
        let size = i64::try_from(size).map_err(|_| self.fault("a number beyond 63 bits; the file is damaged"))?;
        self.rest = rest;
        Ok(if control & MINUS == 0 { size } else { -size })
    }

    /// A finite fraction.
    pub fn float(&mut self) -> Result<f32, Fault> {
        let (mantissa, exponent) = (self.int()?, self.int()?);
        // Beyond the clamp an f32 is 0 or infinite in any case; within it, an f64 holds the power exactly.
        let value = (mantissa as f64 * 2f64.powi(exponent.clamp(-900, 900) as i32)) as f32;
        if exponent >= NOT_FINITE || !value.is_finite() {
            return Err(self.fault("a value that is infinite, too large or not a number; the file is damaged"));
        }
        Ok(value)
    }

    /// The length of a list whose items take at least `item_bytes` each: no more than the bytes that are left can hold.
    pub fn length(&mut self, item_bytes: usize, items: &str) -> Result<usize, Fault> {
        let n = self.int()?;
        let most = self.rest.len() / item_bytes;
        match usize::try_from(n) {
            Ok(n) if n <= most => Ok(n),
            _ => Err(self.fault(format!("{n} {items}, with room for {most}; the file is damaged or not whole"))),
        }
    }

    /// A number below `end`.
    pub fn index(&mut self, end: usize, what: &str) -> Result<usize, Fault> {
        let i = self.int()?;
        match usize::try_from(i) {
            Ok(i) if i < end => Ok(i),
            _ => Err(self.fault(format!("{what} {i}, expected one from 0 to {}", end - 1))),
        }
    }

    /// A fault unless the next integer is `expected`.
    pub fn expect(&mut self, expected: i64, what: &str) -> Result<(), Fault> {
        match self.int()? {
            n if n == expected => Ok(()),
            n => Err(self.fault(format!("{what} is {n}, expected {expected}"))),
        }
    }
}
