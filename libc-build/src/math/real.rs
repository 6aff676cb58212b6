//! What the complex functions need of a real type, for double and long double.

use super::x87::F80;
use super::{long, long_power};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// A real number.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// From a double, exactly.
    fn of(value: f64) -> Self;
    /// Whether it is a NaN.
    fn is_nan(self) -> bool;
    /// Whether it is infinite.
    fn is_infinite(self) -> bool;
    /// The magnitude.
    fn abs(self) -> Self;
    /// The magnitude with another's sign.
    fn copysign(self, sign: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
    /// ln (1 + x).
    fn log1p(self) -> Self;
    /// Sine and cosine.
    fn sin_cos(self) -> (Self, Self);
    /// The hyperbolic sine.
    fn sinh(self) -> Self;
    /// The hyperbolic cosine.
    fn cosh(self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// The angle of (x, self).
    fn atan2(self, x: Self) -> Self;
    /// √(x² + y²).
    fn hypot(self, other: Self) -> Self;
    /// To the nearest integral value.
    fn rint(self) -> Self;
    /// The arc of half a turn.
    fn pi() -> Self;
    /// Where eˣ gets near the greatest number.
    fn exp_limit() -> Self;
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
    fn is_infinite(self) -> bool {
        f64::is_infinite(self)
    }
    fn abs(self) -> Self {
        libm::fabs(self)
    }
    fn copysign(self, sign: Self) -> Self {
        libm::copysign(self, sign)
    }
    fn sqrt(self) -> Self {
        libm::sqrt(self)
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn log1p(self) -> Self {
        libm::log1p(self)
    }
    fn sin_cos(self) -> (Self, Self) {
        libm::sincos(self)
    }
    fn sinh(self) -> Self {
        libm::sinh(self)
    }
    fn cosh(self) -> Self {
        libm::cosh(self)
    }
    fn asinh(self) -> Self {
        libm::asinh(self)
    }
    fn atan2(self, x: Self) -> Self {
        libm::atan2(self, x)
    }
    fn hypot(self, other: Self) -> Self {
        libm::hypot(self, other)
    }
    fn rint(self) -> Self {
        super::round::rint(self)
    }
    fn pi() -> Self {
        core::f64::consts::PI
    }
    fn exp_limit() -> Self {
        709.0
    }
}

impl Real for F80 {
    fn of(value: f64) -> Self {
        F80::from_f64(value)
    }
    fn is_nan(self) -> bool {
        F80::is_nan(self)
    }
    fn is_infinite(self) -> bool {
        F80::is_infinite(self)
    }
    fn abs(self) -> Self {
        F80::abs(self)
    }
    fn copysign(self, sign: Self) -> Self {
        F80::copysign(self, sign)
    }
    fn sqrt(self) -> Self {
        F80::sqrt(self)
    }
    fn exp(self) -> Self {
        long_power::exp(self)
    }
    fn ln(self) -> Self {
        long::log(self)
    }
    fn log1p(self) -> Self {
        long::log1p(self)
    }
    fn sin_cos(self) -> (Self, Self) {
        long::sin_cos(self)
    }
    fn sinh(self) -> Self {
        long::sinh(self)
    }
    fn cosh(self) -> Self {
        long::cosh(self)
    }
    fn asinh(self) -> Self {
        long::asinh(self)
    }
    fn atan2(self, x: Self) -> Self {
        long::atan2(self, x)
    }
    fn hypot(self, other: Self) -> Self {
        long::hypot(self, other)
    }
    fn rint(self) -> Self {
        F80::rint(self)
    }
    fn pi() -> Self {
        F80::PI
    }
    fn exp_limit() -> Self {
        F80::from_f64(11_355.0)
    }
}
