//! C's long double as a Rust type: the x87's 80-bit format, each operation a few instructions of the x87.
//!
//! The x87 stack is empty between operations, so nothing is left behind in a signal or a call; that costs a store and a load each time,
//! which is what keeps this simple. Follows the Intel SDM, volume 1, chapter 8.

use crate::va::LongDouble;
use core::cmp::Ordering;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// A long double.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct F80(pub LongDouble);

/// The exponent field of infinities and NaNs.
pub(crate) const SPECIAL: u16 = 0x7fff;
/// What is added to the exponent.
pub(crate) const BIAS: i32 = 16_383;

/// Instructions that load from `a` (and `b`), and store to `r`: the one place with assembly.
macro_rules! through_x87 {
    ($($code:literal),+ ; $r:expr, $a:expr $(, $b:expr)?) => {
        // SAFETY: each instruction loads or stores a value of its operand's size; the x87 stack is left empty as it was.
        unsafe {
            core::arch::asm!($($code),+, r = in(reg) &raw mut $r, a = in(reg) &raw const $a, $(b = in(reg) &raw const $b,)?
                 out("ax") _, out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _, out("st(4)") _, out("st(5)") _, out("st(6)") _,
                 out("st(7)") _, options(nostack));
        }
    };
}
pub(crate) use through_x87;

/// Instructions on the arguments' values, pushed in order; the result is what is on top.
macro_rules! x87 {
    ($($code:literal),+ ; $a:expr) => {{
        let (a, mut result): (F80, F80) = ($a, F80::ZERO);
        $crate::math::x87::through_x87!("fld tbyte ptr [{a}]", $($code),+, "fstp tbyte ptr [{r}]"; result, a);
        result
    }};
    ($($code:literal),+ ; $a:expr, $b:expr) => {{
        let (a, b, mut result): (F80, F80, F80) = ($a, $b, F80::ZERO);
        $crate::math::x87::through_x87!(
            "fld tbyte ptr [{a}]", "fld tbyte ptr [{b}]", $($code),+, "fstp tbyte ptr [{r}]"; result, a, b);
        result
    }};
}
pub(crate) use x87;

impl F80 {
    /// 0.
    pub const ZERO: Self = Self::from_parts(false, 0, 0);
    /// 1.
    pub const ONE: Self = Self::from_parts(false, 16_383, 1 << 63);
    /// 2.
    pub const TWO: Self = Self::from_parts(false, 16_384, 1 << 63);
    /// ½.
    pub const HALF: Self = Self::from_parts(false, 16_382, 1 << 63);
    /// ∞.
    pub const INFINITY: Self = Self::from_parts(false, SPECIAL, 1 << 63);
    /// A quiet NaN.
    pub const NAN: Self = Self::from_parts(false, SPECIAL, 3 << 62);
    /// ln 2.
    pub const LN_2: Self = Self::from_parts(false, 16_382, 0xb172_17f7_d1cf_79ac);
    /// π.
    pub const PI: Self = Self::from_parts(false, 16_384, 0xc90f_daa2_2168_c235);

    /// The number with these fields.
    #[must_use]
    pub const fn from_parts(negative: bool, exponent: u16, mantissa: u64) -> Self {
        Self(LongDouble { mantissa, sign_exponent: exponent | (negative as u16) << 15 })
    }

    /// The biased exponent.
    #[must_use]
    pub const fn exponent(self) -> u16 {
        self.0.sign_exponent & SPECIAL
    }

    /// The significand with its explicit leading bit.
    #[must_use]
    pub const fn mantissa(self) -> u64 {
        self.0.mantissa
    }

    /// Whether the sign bit is set.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0.sign_exponent >> 15 != 0
    }

    /// Whether it is a NaN.
    #[must_use]
    pub const fn is_nan(self) -> bool {
        self.exponent() == SPECIAL && self.0.mantissa << 1 != 0
    }

    /// Whether it is an infinity.
    #[must_use]
    pub const fn is_infinite(self) -> bool {
        self.exponent() == SPECIAL && self.0.mantissa << 1 == 0
    }

    /// Whether it is neither.
    #[must_use]
    pub const fn is_finite(self) -> bool {
        self.exponent() != SPECIAL
    }

    /// Whether it is 0 of either sign.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.exponent() == 0 && self.0.mantissa == 0
    }

    /// The magnitude.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self::from_parts(false, self.exponent(), self.0.mantissa)
    }

    /// The magnitude with the sign of `sign`.
    #[must_use]
    pub const fn copysign(self, sign: Self) -> Self {
        Self::from_parts(sign.is_negative(), self.exponent(), self.0.mantissa)
    }

    /// A double, exactly.
    #[must_use]
    pub fn from_f64(value: f64) -> Self {
        let mut result = Self::ZERO;
        through_x87!("fld qword ptr [{a}]", "fstp tbyte ptr [{r}]"; result, value);
        result
    }

    /// An integer, exactly.
    #[must_use]
    pub fn from_i64(value: i64) -> Self {
        let mut result = Self::ZERO;
        through_x87!("fild qword ptr [{a}]", "fstp tbyte ptr [{r}]"; result, value);
        result
    }

    /// Rounded to double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let mut result = 0.0_f64;
        through_x87!("fld tbyte ptr [{a}]", "fstp qword ptr [{r}]"; result, self);
        result
    }

    /// To an integer in the current rounding mode; what does not fit is the least one.
    #[must_use]
    pub fn to_i64(self) -> i64 {
        let mut result = 0_i64;
        through_x87!("fld tbyte ptr [{a}]", "fistp qword ptr [{r}]"; result, self);
        result
    }

    /// The square root, correctly rounded.
    #[must_use]
    pub fn sqrt(self) -> Self {
        x87!("fsqrt"; self)
    }

    /// To an integral value in the current rounding mode.
    #[must_use]
    pub fn rint(self) -> Self {
        x87!("frndint"; self)
    }

    /// x·2ⁿ.
    #[must_use]
    pub fn scale(self, exponent: i32) -> Self {
        // Two exponents' range suffices to get from the least subnormal to infinity.
        let exponent = Self::from_i64(exponent.clamp(-50_000, 50_000).into());
        x87!("fxch", "fscale", "fstp st(1)"; self, exponent)
    }

    /// y·log₂ x for positive x.
    #[must_use]
    pub fn y_log2(self, y: Self) -> Self {
        x87!("fyl2x"; y, self)
    }

    /// The angle of the point (x, y), for self = y.
    #[must_use]
    pub fn atan2(self, x: Self) -> Self {
        x87!("fpatan"; self, x)
    }
}

impl Add for F80 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        x87!("faddp"; self, other)
    }
}

impl Sub for F80 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for F80 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        x87!("fmulp"; self, other)
    }
}

impl Div for F80 {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        // The divisor is pushed first, so that the operand order does not depend on an assembler's reading of `fdivp`.
        x87!("fdiv st(0), st(1)", "fstp st(1)"; other, self)
    }
}

impl Neg for F80 {
    type Output = Self;
    fn neg(self) -> Self {
        Self::from_parts(!self.is_negative(), self.exponent(), self.0.mantissa)
    }
}

impl PartialEq for F80 {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for F80 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.is_nan() || other.is_nan() {
            return None;
        }
        // Magnitudes order as (exponent, mantissa), as the leading bit is explicit.
        let key = |value: &Self| {
            let magnitude = i128::from(value.exponent()) << 64 | i128::from(value.0.mantissa);
            if value.is_negative() { -magnitude } else { magnitude }
        };
        Some(key(self).cmp(&key(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_that_of_the_processor() {
        let of = F80::from_f64;
        assert_eq!((of(7.0) / of(2.0)).to_f64(), 3.5);
        assert_eq!((of(1.0) - of(4.0)).to_f64(), -3.0);
        assert_eq!((of(1.5) * of(-4.0) + of(1.0)).to_f64(), -5.0);
        assert_eq!(of(1.0).scale(-3).to_f64(), 0.125);
        assert_eq!(of(8.0).y_log2(of(2.0)).to_f64(), 6.0);
        assert_eq!(of(1.0).atan2(of(1.0)).to_f64(), core::f64::consts::FRAC_PI_4);
        assert_eq!((of(2.5).to_i64(), of(2.5).rint().to_f64(), of(9.0).sqrt().to_f64()), (2, 2.0, 3.0));
        assert!(of(-1.0) < of(0.5) && of(0.0) == of(-0.0) && F80::NAN.partial_cmp(&F80::ONE).is_none());
        assert_eq!(F80::PI.to_f64(), core::f64::consts::PI);
        assert_eq!(F80::LN_2.to_f64(), core::f64::consts::LN_2);
    }
}
