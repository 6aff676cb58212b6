//! The functions of long double, to about one unit in the last place of its 64 bits where the x87 has an instruction.
//!
//! exp, log and arc tangent are the x87's, with the argument reduced first where that keeps bits; sine and cosine are series; the
//! hyperbolic functions and their inverses are made of them. Rounding and remainders are exact. Error and gamma functions are
//! computed in double: they have its precision (53 bits), not long double's.

use super::long_power::{cbrt, exp, exp2, expm1, pow};
use super::reduce::reduce;
use super::x87::{BIAS, F80, x87};
use core::ffi::c_int;

/// The logarithm of base `2^(1/factor)`: factor·log₂ x, with C's special cases from the instruction.
pub(crate) fn log(x: F80) -> F80 {
    x87!("fldln2", "fxch", "fyl2x"; x)
}

pub(crate) fn log2(x: F80) -> F80 {
    x.y_log2(F80::ONE)
}

pub(crate) fn log10(x: F80) -> F80 {
    x87!("fldlg2", "fxch", "fyl2x"; x)
}

pub(crate) fn log1p(x: F80) -> F80 {
    // The instruction for arguments near 1 is good up to 1 - √½.
    if x.abs() < F80::from_f64(0.29) { x87!("fldln2", "fxch", "fyl2xp1"; x) } else { log(F80::ONE + x) }
}

/// (-1)ᵏ/(2k+1)! for k from 12 down to 1.
const SINE: [F80; 12] = [
    F80::from_parts(false, 16_299, 0x9f9e_66e8_b2fd_46a7),
    F80::from_parts(true, 16_308, 0xbb0d_a098_b1c0_cecc),
    F80::from_parts(false, 16_317, 0xb8dc_77b6_e7ab_8c5f),
    F80::from_parts(true, 16_326, 0x97a4_da34_0a0a_b926),
    F80::from_parts(false, 16_334, 0xca96_3b81_856a_5359),
    F80::from_parts(true, 16_342, 0xd73f_9f39_9dc0_f88f),
    F80::from_parts(false, 16_350, 0xb092_309d_4368_4be5),
    F80::from_parts(true, 16_357, 0xd732_2b3f_aa27_1c7f),
    F80::from_parts(false, 16_364, 0xb8ef_1d2a_b639_9c7d),
    F80::from_parts(true, 16_370, 0xd00d_00d0_0d00_d00d),
    F80::from_parts(false, 16_376, 0x8888_8888_8888_8889),
    F80::from_parts(true, 16_380, 0xaaaa_aaaa_aaaa_aaab),
];

/// (-1)ᵏ/(2k)! for k from 12 down to 2.
const COSINE: [F80; 11] = [
    F80::from_parts(false, 16_303, 0xf967_80cb_97ab_be65),
    F80::from_parts(true, 16_313, 0x8671_cb6d_bfc2_94a3),
    F80::from_parts(false, 16_321, 0xf2a1_5d20_1011_283d),
    F80::from_parts(true, 16_330, 0xb413_c31d_cbec_bbde),
    F80::from_parts(false, 16_338, 0xd73f_9f39_9dc0_f88f),
    F80::from_parts(true, 16_346, 0xc9cb_a546_03e4_e906),
    F80::from_parts(false, 16_354, 0x8f76_c77f_c6c4_bdaa),
    F80::from_parts(true, 16_361, 0x93f2_7dbb_c4fa_e397),
    F80::from_parts(false, 16_367, 0xd00d_00d0_0d00_d00d),
    F80::from_parts(true, 16_373, 0xb60b_60b6_0b60_b60b),
    F80::from_parts(false, 16_378, 0xaaaa_aaaa_aaaa_aaab),
];

/// The sine and the cosine of high + low, |high| ≤ π/4, by their series: emulators compute the instructions with doubles.
fn kernel(high: F80, low: F80) -> (F80, F80) {
    let square = high * high;
    let series = |terms: &[F80]| terms.iter().fold(F80::ZERO, |sum, &term| sum * square + term);
    let sine = high + (high * (square * series(&SINE)) + low);
    // 1 - x²/2 is split so that what is lost in its rounding is put back.
    let half = F80::HALF * square;
    let rounded = F80::ONE - half;
    let cosine =
        rounded + (((F80::ONE - rounded) - half) + (square * (square * series(&COSINE)) - high * low));
    (sine, cosine)
}

/// Sine and cosine of `x`.
pub(crate) fn sin_cos(x: F80) -> (F80, F80) {
    if !x.is_finite() {
        return (x * F80::ZERO, x * F80::ZERO);
    }
    if x.is_zero() {
        return (x, F80::ONE);
    }
    let reduced = reduce(x);
    let (sine, cosine) = kernel(reduced.high, reduced.low);
    match reduced.quadrant {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

pub(crate) fn sin(x: F80) -> F80 {
    sin_cos(x).0
}

pub(crate) fn cos(x: F80) -> F80 {
    sin_cos(x).1
}

pub(crate) fn tan(x: F80) -> F80 {
    if x.is_zero() {
        return x;
    }
    let (sine, cosine) = sin_cos(x);
    sine / cosine
}

pub(crate) fn atan(x: F80) -> F80 {
    x.atan2(F80::ONE)
}

pub(crate) fn atan2(y: F80, x: F80) -> F80 {
    if x.is_nan() || y.is_nan() { x + y } else { y.atan2(x) }
}

pub(crate) fn asin(x: F80) -> F80 {
    x.atan2(((F80::ONE - x) * (F80::ONE + x)).sqrt())
}

pub(crate) fn acos(x: F80) -> F80 {
    F80::TWO * (F80::ONE - x).sqrt().atan2((F80::ONE + x).sqrt())
}

/// Where eˣ overflows.
const EXP_LIMIT: f64 = 11_356.0;

pub(crate) fn sinh(x: F80) -> F80 {
    let magnitude = x.abs();
    let value = if magnitude < F80::from_f64(EXP_LIMIT) {
        let t = expm1(magnitude);
        F80::HALF * (t + t / (t + F80::ONE))
    } else {
        let half = exp(F80::HALF * magnitude);
        (F80::HALF * half) * half
    };
    value.copysign(x)
}

pub(crate) fn cosh(x: F80) -> F80 {
    let magnitude = x.abs();
    if magnitude < F80::from_f64(EXP_LIMIT) {
        let t = exp(magnitude);
        F80::HALF * (t + F80::ONE / t)
    } else {
        let half = exp(F80::HALF * magnitude);
        (F80::HALF * half) * half
    }
}

pub(crate) fn tanh(x: F80) -> F80 {
    let magnitude = x.abs();
    let value = if magnitude > F80::from_f64(40.0) {
        F80::ONE
    } else {
        let t = expm1(F80::TWO * magnitude);
        t / (t + F80::TWO)
    };
    if x.is_nan() { x + x } else { value.copysign(x) }
}

/// From here on x² + 1 is x².
const LARGE: F80 = F80::from_parts(false, (BIAS + 33) as u16, 1 << 63);

pub(crate) fn asinh(x: F80) -> F80 {
    let magnitude = x.abs();
    let value = if magnitude > LARGE {
        log(magnitude) + F80::LN_2
    } else {
        let square = magnitude * magnitude;
        log1p(magnitude + square / (F80::ONE + (F80::ONE + square).sqrt()))
    };
    value.copysign(x)
}

pub(crate) fn acosh(x: F80) -> F80 {
    if x < F80::ONE {
        (-F80::ONE).sqrt()
    } else if x > LARGE {
        log(x) + F80::LN_2
    } else {
        let t = x - F80::ONE;
        log1p(t + (F80::TWO * t + t * t).sqrt())
    }
}

pub(crate) fn atanh(x: F80) -> F80 {
    let magnitude = x.abs();
    let value = F80::HALF * log1p(F80::TWO * magnitude / (F80::ONE - magnitude));
    if value.is_nan() { value } else { value.copysign(x) }
}

/// √(x² + y²) without overflow on the way.
pub(crate) fn hypot(x: F80, y: F80) -> F80 {
    if x.is_infinite() || y.is_infinite() {
        return F80::INFINITY;
    }
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    let (x, y) = (x.abs(), y.abs());
    let (large, small) = if x > y { (x, y) } else { (y, x) };
    if small.is_zero() {
        return large;
    }
    let shift = i32::from(large.exponent()) - BIAS;
    let (large, small) = (large.scale(-shift), small.scale(-shift));
    (large * large + small * small).sqrt().scale(shift)
}

/// `x` to an integral value in rounding mode `mode` of the control word.
fn round_in_mode(x: F80, mode: c_int) -> F80 {
    let before = super::environment::fegetround();
    super::environment::fesetround(mode);
    let result = x.rint();
    super::environment::fesetround(before);
    result.copysign(x)
}

pub(crate) fn floor(x: F80) -> F80 {
    round_in_mode(x, 0x400)
}

pub(crate) fn ceil(x: F80) -> F80 {
    round_in_mode(x, 0x800)
}

pub(crate) fn trunc(x: F80) -> F80 {
    round_in_mode(x, 0xc00)
}

/// To the nearest integral value, halves away from zero.
pub(crate) fn round_half_away(x: F80) -> F80 {
    if !x.is_finite() {
        return x + x;
    }
    let whole = trunc(x.abs());
    let value = if x.abs() - whole >= F80::HALF { whole + F80::ONE } else { whole };
    value.copysign(x)
}

fn nearbyint(x: F80) -> F80 {
    let before = super::environment::fetestexcept(super::environment::FE_INEXACT);
    let value = x.rint();
    if before == 0 {
        super::environment::feclearexcept(super::environment::FE_INEXACT);
    }
    value
}

pub(crate) fn fmod(x: F80, y: F80) -> F80 {
    // The instruction subtracts multiples for as long as its flag C2 (bit 10 of the status) is up.
    x87!("fxch", "2:", "fprem", "fnstsw ax", "test ah, 4", "jnz 2b", "fstp st(1)"; x, y)
}

pub(crate) fn remainder(x: F80, y: F80) -> F80 {
    x87!("fxch", "2:", "fprem1", "fnstsw ax", "test ah, 4", "jnz 2b", "fstp st(1)"; x, y)
}

/// [`remainder`], and at least three low bits of the quotient with its sign.
fn remquo(x: F80, y: F80, target: u64) -> F80 {
    let eight = y.abs().scale(3);
    let (rest, mut quotient) = if x.is_finite() && y.is_finite() && eight.is_finite() && !y.is_zero() {
        // What is left of 8y has the same low bits in its quotient.
        let mut rest = fmod(x, eight).abs();
        let magnitude = y.abs();
        let mut quotient: c_int = 0;
        for bit in [4, 2, 1] {
            let multiple = magnitude * F80::from_i64(bit.into());
            if rest >= multiple {
                rest = rest - multiple;
                quotient += bit;
            }
        }
        let twice = rest + rest;
        if twice > magnitude || twice == magnitude && quotient & 1 != 0 {
            quotient += 1;
        }
        (remainder(x, y), quotient)
    } else {
        (remainder(x, y), 0)
    };
    if x.is_negative() != y.is_negative() {
        quotient = -quotient;
    }
    let target: *mut c_int = core::ptr::with_exposed_provenance_mut(target as usize);
    // SAFETY: the caller's int (C's contract).
    unsafe { *target = quotient };
    rest
}

/// Fraction in [½, 1) and exponent.
fn split(x: F80) -> (F80, c_int) {
    if x.is_zero() || !x.is_finite() {
        return (x + x, 0);
    }
    let normal = if x.exponent() == 0 { x.scale(64) } else { x };
    let exponent = c_int::from(normal.exponent()) - (BIAS - 1) - if x.exponent() == 0 { 64 } else { 0 };
    (F80::from_parts(x.is_negative(), (BIAS - 1) as u16, normal.mantissa()), exponent)
}

fn frexp(x: F80, target: u64) -> F80 {
    let (fraction, exponent) = split(x);
    let target: *mut c_int = core::ptr::with_exposed_provenance_mut(target as usize);
    // SAFETY: the caller's int (C's contract).
    unsafe { *target = exponent };
    fraction
}

fn modf(x: F80, target: u64) -> F80 {
    let whole = if x.is_infinite() { x } else { trunc(x) };
    let target: *mut F80 = core::ptr::with_exposed_provenance_mut(target as usize);
    // SAFETY: the caller's long double (C's contract).
    unsafe { *target = whole };
    if x.is_infinite() { F80::ZERO.copysign(x) } else { (x - whole).copysign(x) }
}

pub(crate) fn ilogb(x: F80) -> c_int {
    if x.is_zero() {
        c_int::MIN
    } else if x.is_finite() {
        split(x).1 - 1
    } else {
        c_int::MAX
    }
}

fn logb(x: F80) -> F80 {
    if x.is_zero() {
        -F80::ONE / (x * x)
    } else if x.is_finite() {
        F80::from_i64(ilogb(x).into())
    } else {
        x * x
    }
}

fn scalbn(x: F80, exponent: u64) -> F80 {
    x.scale(exponent as u32 as i32)
}

fn scalbln(x: F80, exponent: u64) -> F80 {
    x.scale(exponent.cast_signed().clamp(-100_000, 100_000) as i32)
}

/// The neighbour of `x` in the direction of `y`.
pub(crate) fn nextafter(x: F80, y: F80) -> F80 {
    if x.is_nan() || y.is_nan() {
        return x + y;
    }
    if x == y {
        return y;
    }
    if x.is_zero() {
        return F80::from_parts(y.is_negative(), 0, 1);
    }
    let away = (x < y) != x.is_negative();
    let (exponent, mantissa) = (x.exponent(), x.mantissa());
    let (exponent, mantissa) = if away {
        match mantissa.checked_add(1) {
            None => (exponent + 1, 1 << 63),
            // The greatest subnormal's neighbour is the least normal number.
            Some(next) => (exponent.max((next >> 63) as u16), next),
        }
    } else if mantissa == 1 << 63 {
        if exponent <= 1 { (0, mantissa - 1) } else { (exponent - 1, u64::MAX) }
    } else {
        (exponent, mantissa - 1)
    };
    F80::from_parts(x.is_negative(), exponent, mantissa)
}

fn fdim(x: F80, y: F80) -> F80 {
    if x.is_nan() || y.is_nan() {
        x + y
    } else if x > y {
        x - y
    } else {
        F80::ZERO
    }
}

fn fmax(x: F80, y: F80) -> F80 {
    if x.is_nan() || (x == y && x.is_negative()) || x < y { y } else { x }
}

fn fmin(x: F80, y: F80) -> F80 {
    if x.is_nan() || (x == y && y.is_negative()) || x > y { y } else { x }
}

/// x·y + z rounded once, as long as the product's two halves neither overflow nor underflow.
pub(crate) fn fma(x: F80, y: F80, z: F80) -> F80 {
    let product = x * y;
    if !product.is_finite() || product.is_zero() || !z.is_finite() {
        return product + z;
    }
    // The exact rest of the product, by splitting both factors into 32 bits each.
    let halves = |value: F80| {
        let high =
            F80::from_parts(value.is_negative(), value.exponent(), value.mantissa() & 0xffff_ffff_0000_0000);
        (high, value - high)
    };
    let ((xh, xl), (yh, yl)) = (halves(x), halves(y));
    let rest = ((xh * yh - product) + xh * yl + xl * yh) + xl * yl;
    // The exact rest of the sum.
    let sum = product + z;
    let part = sum - product;
    let error = (product - (sum - part)) + (z - part);
    sum + (error + rest)
}

fn in_double(x: F80, work: fn(f64) -> f64) -> F80 {
    F80::from_f64(work(x.to_f64()))
}

fn lgamma(x: F80) -> F80 {
    in_double(x, |x| super::double::lgamma(x))
}

fn lround(x: F80) -> i64 {
    round_half_away(x).to_i64()
}

fn sincos(x: F80, sine: u64, cosine: u64) -> (F80, F80) {
    let found = sin_cos(x);
    let place = |address: u64| core::ptr::with_exposed_provenance_mut::<F80>(address as usize);
    // SAFETY: the caller's long doubles (C's contract).
    unsafe { (*place(sine), *place(cosine)) = found };
    found
}

long_functions! { bodies:
    unary {
        acosl _acosl = acos;
        acoshl _acoshl = acosh;
        asinl _asinl = asin;
        asinhl _asinhl = asinh;
        atanl _atanl = atan;
        atanhl _atanhl = atanh;
        cbrtl _cbrtl = cbrt;
        ceill _ceill = ceil;
        cosl _cosl = cos;
        coshl _coshl = cosh;
        erfl _erfl = |x| in_double(x, libm::erf);
        erfcl _erfcl = |x| in_double(x, libm::erfc);
        expl _expl = exp;
        exp2l _exp2l = exp2;
        expm1l _expm1l = expm1;
        fabsl = F80::abs;
        floorl _floorl = floor;
        lgammal _lgammal = lgamma;
        logl _logl = log;
        log10l _log10l = log10;
        log1pl _log1pl = log1p;
        log2l _log2l = log2;
        logbl = logb;
        nearbyintl = nearbyint;
        rintl = F80::rint;
        roundl _roundl = round_half_away;
        sinl _sinl = sin;
        sinhl _sinhl = sinh;
        sqrtl _sqrtl __ieee754_sqrtl = F80::sqrt;
        tanl _tanl = tan;
        tanhl _tanhl = tanh;
        tgammal _tgammal = |x| in_double(x, libm::tgamma);
        truncl _truncl = trunc;
    }
    binary {
        atan2l _atan2l = atan2;
        copysignl _copysignl = F80::copysign;
        fdiml = fdim;
        fmaxl = fmax;
        fminl = fmin;
        fmodl _fmodl __ieee754_fmodl = fmod;
        hypotl _hypotl = hypot;
        nextafterl nexttowardl = nextafter;
        powl _powl = pow;
        remainderl = remainder;
    }
    ternary {
        fmal = fma;
    }
    scaled {
        frexpl = frexp;
        ldexpl scalbnl _scalbnl = scalbn;
        modfl _modfl = modf;
        scalblnl _scalblnl = scalbln;
    }
    scaled_binary {
        remquol = remquo;
    }
    integer {
        ilogbl = ilogb;
        llrintl lrintl = F80::to_i64;
        llroundl lroundl = lround;
    }
}

/// A quiet NaN in st(0).
///
/// # Safety
/// Called as C calls it: the result is not where Rust expects one.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn nanl() {
    core::arch::naked_asm!("fld tbyte ptr [rip + {}]", "ret", sym NAN)
}
static NAN: F80 = F80::NAN;

/// Sine and cosine of the long double at `args`.
///
/// # Safety
/// `args` is the caller's argument, the others are its results.
unsafe extern "C" fn sincos_body(args: *const F80, sine: u64, cosine: u64) {
    // SAFETY: as this function's own.
    unsafe { sincos(*args, sine, cosine) };
}

/// Sine and cosine at once.
///
/// # Safety
/// Called as C calls it: a long double in memory, two pointers in rdi and rsi.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn sincosl() {
    core::arch::naked_asm!("mov rdx, rsi", "mov rsi, rdi", "lea rdi, [rsp + 8]", "jmp {}", sym sincos_body)
}

/// Sine and cosine at once.
///
/// # Safety
/// As sincosl.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn _sincosl() {
    core::arch::naked_asm!("jmp {}", sym sincosl)
}

/// The double's neighbour towards the long double at `y`.
///
/// # Safety
/// `y` is the caller's argument.
unsafe extern "C" fn nexttoward_body(x: f64, y: *const F80) -> f64 {
    // SAFETY: as this function's own.
    super::parts::double_toward(x, unsafe { *y })
}

/// The float's neighbour towards the long double at `y`.
///
/// # Safety
/// `y` is the caller's argument.
unsafe extern "C" fn nexttowardf_body(x: f32, y: *const F80) -> f32 {
    // SAFETY: as this function's own.
    super::parts::float_toward(x, unsafe { *y })
}

/// The neighbour of a double towards a long double.
///
/// # Safety
/// Called as C calls it: the long double in memory.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn nexttoward() {
    core::arch::naked_asm!("lea rdi, [rsp + 8]", "jmp {}", sym nexttoward_body)
}

/// The neighbour of a float towards a long double.
///
/// # Safety
/// Called as C calls it: the long double in memory.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn nexttowardf() {
    core::arch::naked_asm!("lea rdi, [rsp + 8]", "jmp {}", sym nexttowardf_body)
}
