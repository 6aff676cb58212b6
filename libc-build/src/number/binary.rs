//! The binary formats: float, double and the x87's 80-bit long double, taken apart and put together.
//!
//! Follows IEEE 754 and, for the 80-bit format, the Intel SDM volume 1, section 4.2.2. A long double is kept as its memory image of
//! two words ([`LongDouble`]), since Rust has no such type: the mantissa with its explicit integer bit, then sign and exponent in 16 bits.

use crate::va::LongDouble;

/// What kind of number a float's bits stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// `mantissa · 2^exponent`, zero included.
    Finite(u64, i32),
    /// Infinity.
    Infinite,
    /// Not a number.
    Nan,
}

impl LongDouble {
    /// Whether the sign bit is set.
    pub(crate) fn is_negative(self) -> bool {
        self.sign_exponent & 0x8000 != 0
    }

    /// The value without its sign.
    pub(crate) fn class(self) -> Class {
        let exponent = i32::from(self.sign_exponent & 0x7fff);
        match exponent {
            0x7fff if self.mantissa << 1 == 0 => Class::Infinite,
            0x7fff => Class::Nan,
            0 => Class::Finite(self.mantissa, 1 - 16_383 - 63),
            _ => Class::Finite(self.mantissa, exponent - 16_383 - 63),
        }
    }
}

/// The value of a double without its sign.
pub(crate) fn class_double(x: f64) -> Class {
    let bits = x.to_bits();
    match (bits >> 52 & 0x7ff, bits << 12) {
        (0x7ff, 0) => Class::Infinite,
        (0x7ff, _) => Class::Nan,
        _ => {
            let (m, e) = split_double(x);
            Class::Finite(m, e)
        }
    }
}

/// A finite double's absolute value as `m · 2^e`.
pub(crate) fn split_double(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52 & 0x7ff) as i32 {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

/// A binary format to round to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Bits of the mantissa, the integer bit among them.
    pub bits: u32,
    /// The greatest exponent of a number `1.… · 2^exponent`.
    pub max: i32,
}

/// IEEE binary32.
pub(crate) const FLOAT: Format = Format { bits: 24, max: 127 };
/// IEEE binary64.
pub(crate) const DOUBLE: Format = Format { bits: 53, max: 1023 };
/// The x87's double extended format.
pub(crate) const LONG_DOUBLE: Format = Format { bits: 64, max: 16_383 };

/// A number rounded to a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rounded {
    /// The mantissa, the integer bit (clear in subnormal numbers) at bit `bits - 1`.
    pub mantissa: u64,
    /// The biased exponent; 0 for zero and subnormal numbers, all ones for infinity.
    pub biased: u32,
    /// The number was too great for the format, or so small that bits were lost: errno is ERANGE.
    pub out_of_range: bool,
}

impl Format {
    /// Rounds `m · 2^e`, a little more if `sticky`, to nearest, ties to even.
    pub fn round(self, m: u128, e: i64, sticky: bool) -> Rounded {
        if m == 0 {
            return Rounded { mantissa: 0, biased: 0, out_of_range: sticky };
        }
        let length = i64::from(128 - m.leading_zeros());
        let top = e + length - 1;
        let min = 1 - i64::from(self.max);
        // The weight of the last bit kept: below the normal range it stays where it is.
        let last = top.max(min) - i64::from(self.bits) + 1;
        let drop = last - e;
        let (mut kept, inexact) = if drop <= 0 {
            // The mantissa of at most `bits` bits moves up within its word.
            ((m << -drop) as u64, sticky)
        } else if drop > 128 {
            (0, true)
        } else {
            let kept = if drop == 128 { 0 } else { (m >> drop) as u64 };
            let half = m >> (drop - 1) & 1 == 1;
            let below = sticky || m & ((1u128 << (drop - 1)) - 1) != 0;
            let up = half && (below || kept & 1 == 1);
            match kept.checked_add(u64::from(up)) {
                Some(sum) => (sum, half || below),
                // Only a 64-bit mantissa of ones overflows its word; it becomes the next power of two.
                None => return self.pack(1 << 63, last + 1, half || below),
            }
        };
        let mut last = last;
        if self.bits < 64 && kept >> self.bits != 0 {
            kept >>= 1;
            last += 1;
        }
        self.pack(kept, last, inexact)
    }

    /// Puts a rounded mantissa whose last bit weighs `2^last` together with its exponent.
    fn pack(self, mantissa: u64, last: i64, inexact: bool) -> Rounded {
        let normal = mantissa >> (self.bits - 1) != 0;
        let top = last + i64::from(self.bits) - 1;
        if normal && top > i64::from(self.max) {
            let mantissa = 1 << (self.bits - 1);
            return Rounded { mantissa, biased: (2 * self.max + 1) as u32, out_of_range: true };
        }
        let biased = if normal { (top + i64::from(self.max)) as u32 } else { 0 };
        Rounded { mantissa, biased, out_of_range: !normal && inexact }
    }
}

impl Rounded {
    /// As a long double.
    pub fn long_double(self, negative: bool) -> LongDouble {
        let sign = if negative { 0x8000 } else { 0 };
        LongDouble { mantissa: self.mantissa, sign_exponent: self.biased as u16 | sign }
    }

    /// As a double.
    pub fn double(self, negative: bool) -> f64 {
        let fraction = self.mantissa & ((1 << 52) - 1);
        f64::from_bits(u64::from(negative) << 63 | u64::from(self.biased) << 52 | fraction)
    }

    /// As a float.
    pub fn float(self, negative: bool) -> f32 {
        let fraction = self.mantissa as u32 & ((1 << 23) - 1);
        f32::from_bits(u32::from(negative) << 31 | self.biased << 23 | fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_to_double() {
        let one = DOUBLE.round(1, 0, false);
        assert_eq!(one.double(false), 1.0);
        assert_eq!(DOUBLE.round((1 << 53) + 1, 0, false).double(true), -9_007_199_254_740_992.0);
        assert_eq!(DOUBLE.round((1 << 53) + 1, 0, true).double(false), 9_007_199_254_740_994.0);
        assert_eq!(DOUBLE.round(1, -1074, false).double(false).to_bits(), 1);
        assert!(!DOUBLE.round(1, -1074, false).out_of_range);
        assert_eq!(DOUBLE.round(1, -1075, false), Rounded { mantissa: 0, biased: 0, out_of_range: true });
        assert_eq!(DOUBLE.round(1, -1075, true).double(false).to_bits(), 1);
        assert!(DOUBLE.round(1, 1024, false).double(false).is_infinite());
        assert_eq!(DOUBLE.round(u128::MAX, 1024 - 128, true).double(false), f64::INFINITY);
        // The greatest subnormal number rounds up to the smallest normal one.
        assert_eq!(DOUBLE.round((1 << 53) - 1, -1075, false).double(false), f64::MIN_POSITIVE);
    }

    #[test]
    fn rounding_to_long_double() {
        let it = LONG_DOUBLE.round(u128::MAX, -128, false);
        assert_eq!(it.long_double(false), LongDouble { mantissa: 1 << 63, sign_exponent: 0x3fff });
        assert_eq!(LONG_DOUBLE.round(1, -16_445, false).mantissa, 1);
        assert_eq!(LONG_DOUBLE.round(1, 16_384, false).biased, 0x7fff);
    }
}
