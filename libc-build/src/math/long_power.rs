//! Exponentials and powers of long double.
//!
//! The x87 has 2ˣ - 1 for |x| ≤ 1; what it takes is to bring the exponent there without losing bits. eˣ multiplies by log₂ e in two pieces.
//! xʸ needs 80 bits of log₂ x, since the product's integral part takes up to 15 of them: they come from the series of the inverse
//! hyperbolic tangent, its first terms in pairs of long doubles (Dekker, "A floating-point technique for extending the available
//! precision", Numerische Mathematik 18, 1971).

use super::x87::{BIAS, F80, x87};
use core::ops::{Add, Mul};

/// log₂ e = high + low, of which the high part has 32 bits.
const LOG2_E_HIGH: F80 = F80::from_parts(false, 16_383, 0xb8aa_3b29_0000_0000);
const LOG2_E_LOW: F80 = F80::from_parts(false, 16350, 0xb82f_e177_7d0f_fda1);

/// 2^(whole + part) for integral `whole` and |part| ≤ 1.
fn power_of_two(whole: F80, part: F80) -> F80 {
    let value = x87!("f2xm1"; part) + F80::ONE;
    value.scale(whole.to_i64().clamp(-40_000, 40_000) as i32)
}

/// A number as the sum of two long doubles, the lower one at most half a unit of the higher.
#[derive(Clone, Copy)]
struct Pair {
    high: F80,
    low: F80,
}

impl Pair {
    const fn new(value: F80) -> Self {
        Self { high: value, low: F80::ZERO }
    }

    /// The exact sum of two numbers.
    fn sum(left: F80, right: F80) -> Self {
        let high = left + right;
        let part = high - left;
        Self { high, low: (left - (high - part)) + (right - part) }
    }

    /// The exact product of two numbers.
    fn product(left: F80, right: F80) -> Self {
        let halves = |value: F80| {
            let high = F80::from_parts(
                value.is_negative(),
                value.exponent(),
                value.mantissa() & 0xffff_ffff_0000_0000,
            );
            (high, value - high)
        };
        let high = left * right;
        let ((lh, ll), (rh, rl)) = (halves(left), halves(right));
        Self { high, low: ((lh * rh - high) + lh * rl + ll * rh) + ll * rl }
    }

    /// The quotient of two numbers.
    fn quotient(left: F80, right: F80) -> Self {
        let high = left / right;
        let back = Self::product(high, right);
        Self::sum(high, ((left - back.high) - back.low) / right)
    }
}

impl Add for Pair {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let sum = Self::sum(self.high, other.high);
        Self::sum(sum.high, sum.low + self.low + other.low)
    }
}

impl Mul for Pair {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = Self::product(self.high, other.high);
        Self::sum(product.high, product.low + self.high * other.low + self.low * other.high)
    }
}

/// 2 / ln 2 to twice the precision.
const TWO_LOG2_E: Pair = Pair {
    high: F80::from_parts(false, 16_384, 0xb8aa_3b29_5c17_f0bc),
    low: F80::from_parts(true, 16319, 0x82f0_025f_2dc5_82ee),
};

/// log₂ of a positive finite `x` to about 80 bits.
fn log2_pair(x: F80) -> Pair {
    let normal = if x.exponent() == 0 { x.scale(64) } else { x };
    let mut exponent = i32::from(normal.exponent()) - BIAS - if x.exponent() == 0 { 64 } else { 0 };
    let mut fraction = F80::from_parts(false, BIAS as u16, normal.mantissa());
    // Into [√½, √2], so that the logarithm is small where it is near an integer.
    if fraction.mantissa() > 0xb504_f333_f9de_6484 {
        fraction = fraction.scale(-1);
        exponent += 1;
    }
    // log₂ m = 2/ln 2 · (z + z³/3 + z⁵/5 + …), z = (m - 1) / (m + 1), both sums exact to a pair.
    let above = Pair::sum(fraction, F80::ONE);
    let z = Pair::quotient(fraction - F80::ONE, above.high);
    let z = Pair::sum(z.high, z.low - z.high * above.low / above.high);
    let square = z * z;
    let mut tail = F80::ZERO;
    for n in (4..14).rev() {
        tail = tail * square.high + F80::ONE / F80::from_i64(2 * n + 1);
    }
    let mut series = Pair::new(tail);
    for n in (1..4).rev() {
        series = series * square + Pair::quotient(F80::ONE, F80::from_i64(2 * n + 1));
    }
    let series = z + z * (square * series);
    Pair::new(F80::from_i64(exponent.into())) + TWO_LOG2_E * series
}

pub(crate) fn exp(x: F80) -> F80 {
    if x.is_nan() {
        return x + x;
    }
    if x.abs() > F80::from_f64(12_000.0) {
        return if x.is_negative() { F80::ZERO } else { F80::INFINITY };
    }
    // x's upper 32 bits times those of log₂ e are exact.
    let upper = F80::from_parts(x.is_negative(), x.exponent(), x.mantissa() & 0xffff_ffff_0000_0000);
    let exact = upper * LOG2_E_HIGH;
    let rest = (x - upper) * LOG2_E_HIGH + x * LOG2_E_LOW;
    let whole = (exact + rest).rint();
    power_of_two(whole, (exact - whole) + rest)
}

pub(crate) fn exp2(x: F80) -> F80 {
    if x.is_nan() {
        return x + x;
    }
    if x.abs() > F80::from_f64(17_000.0) {
        return if x.is_negative() { F80::ZERO } else { F80::INFINITY };
    }
    let whole = x.rint();
    power_of_two(whole, x - whole)
}

pub(crate) fn expm1(x: F80) -> F80 {
    if x.is_zero() {
        return x;
    }
    if x.abs() < F80::from_f64(0.5) {
        let upper = F80::from_parts(x.is_negative(), x.exponent(), x.mantissa() & 0xffff_ffff_0000_0000);
        let scaled = upper * LOG2_E_HIGH + ((x - upper) * LOG2_E_HIGH + x * LOG2_E_LOW);
        return x87!("f2xm1"; scaled);
    }
    exp(x) - F80::ONE
}

/// Whether `x` is an integer, and whether an odd one.
fn integrality(x: F80) -> (bool, bool) {
    if !x.is_finite() {
        return (x.is_infinite(), false);
    }
    let places = BIAS + 63 - i32::from(x.exponent());
    match places {
        ..0 => (true, false),
        0..64 => (x.mantissa() & ((1 << places) - 1) == 0, x.mantissa() >> places & 1 != 0),
        _ => (x.is_zero(), false),
    }
}

pub(crate) fn pow(x: F80, y: F80) -> F80 {
    if y.is_zero() || x == F80::ONE {
        return F80::ONE;
    }
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    let (integral, odd) = integrality(y);
    let negative = x.is_negative() && odd;
    let signed = |value: F80| if negative { -value } else { value };
    if y.is_infinite() {
        let magnitude = x.abs();
        return if magnitude == F80::ONE {
            F80::ONE
        } else if (magnitude > F80::ONE) != y.is_negative() {
            F80::INFINITY
        } else {
            F80::ZERO
        };
    }
    if x.is_zero() || x.is_infinite() {
        // The pole at zero raises FE_DIVBYZERO by the division.
        return match (x.is_zero(), y.is_negative()) {
            (true, true) => signed(F80::ONE / F80::ZERO),
            (true, false) | (false, true) => signed(F80::ZERO),
            (false, false) => signed(F80::INFINITY),
        };
    }
    if x.is_negative() && !integral {
        return (-F80::ONE).sqrt();
    }
    let logarithm = log2_pair(x.abs());
    let limit = F80::from_f64(20_000.0);
    let estimate = logarithm.high * y;
    if estimate.is_nan() || estimate.abs() >= limit {
        let huge = if estimate.is_negative() { F80::ONE.scale(-16_000) } else { F80::ONE.scale(16_000) };
        return signed(huge * huge);
    }
    let product = logarithm * Pair::new(y);
    let whole = product.high.rint();
    signed(power_of_two(whole, (product.high - whole) + product.low))
}

pub(crate) fn cbrt(x: F80) -> F80 {
    if x.is_zero() || !x.is_finite() {
        return x + x;
    }
    let shift = if x.exponent() == 0 { 66 } else { 0 };
    let normal = x.abs().scale(shift);
    let exponent = i32::from(normal.exponent()) - BIAS;
    let third = exponent.div_euclid(3);
    let fraction = normal.scale(-3 * third);
    // A double's precision, then two of Newton's steps.
    let mut root = F80::from_f64(libm::cbrt(fraction.to_f64()));
    for _ in 0..2 {
        root = root - (root - fraction / (root * root)) / F80::from_i64(3);
    }
    root.scale(third - shift / 3).copysign(x)
}
