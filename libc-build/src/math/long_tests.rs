//! Long double against the host's: its functions are called as C calls them, and so are ours.

use super::long::*;
use super::x87::F80;
use crate::string::testing::Random;
use core::arch::asm;

/// Calls a C function of long doubles.
///
/// # Safety
/// `function` is `long double f(long double)` or takes two of them.
unsafe fn call(function: unsafe extern "C" fn(), args: [F80; 2]) -> F80 {
    let mut result = F80::ZERO;
    // SAFETY: the arguments are put where the ABI has them; the result is popped off the x87 stack.
    unsafe {
        asm!("sub rsp, 32", "movups xmm0, [{args}]", "movups [rsp], xmm0", "movups xmm0, [{args} + 16]", "movups [rsp + 16], xmm0",
             "call {function}", "add rsp, 32", "fstp tbyte ptr [r12]",
             args = in(reg) &raw const args, function = in(reg) function as usize, in("r12") &raw mut result, clobber_abi("C"));
    }
    result
}

mod host {
    unsafe extern "C" {
        pub fn sinl();
        pub fn cosl();
        pub fn tanl();
        pub fn expl();
        pub fn exp2l();
        pub fn expm1l();
        pub fn logl();
        pub fn log2l();
        pub fn log10l();
        pub fn log1pl();
        pub fn asinl();
        pub fn acosl();
        pub fn atanl();
        pub fn sinhl();
        pub fn coshl();
        pub fn tanhl();
        pub fn asinhl();
        pub fn acoshl();
        pub fn atanhl();
        pub fn cbrtl();
        pub fn floorl();
        pub fn ceill();
        pub fn truncl();
        pub fn roundl();
        pub fn rintl();
        pub fn sqrtl();
        pub fn logbl();
        pub fn powl();
        pub fn fmodl();
        pub fn remainderl();
        pub fn hypotl();
        pub fn atan2l();
        pub fn nextafterl();
        pub fn fdiml();
    }
}

type Function = unsafe extern "C" fn();

/// The distance in units in the last place.
fn ulps(left: F80, right: F80) -> u128 {
    if left.is_nan() || right.is_nan() {
        return if left.is_nan() && right.is_nan() { 0 } else { u128::MAX };
    }
    let key = |value: F80| {
        let magnitude = i128::from(value.exponent()) << 63 | i128::from(value.mantissa() & (u64::MAX >> 1));
        if value.is_negative() { -magnitude } else { magnitude }
    };
    key(left).abs_diff(key(right))
}

/// A number whose exponent lies within `range` of 0.
fn number(random: &mut Random, range: u64) -> F80 {
    let exponent = 16_383 + random.next() % (2 * range) - range;
    F80::from_parts(random.next().is_multiple_of(2), exponent as u16, random.next() | 1 << 63)
}

#[test]
fn unary_functions() {
    let mut random = Random::new(8);
    let table: [(&str, Function, Function, u64, u128); 27] = [
        ("sinl", sinl, host::sinl, 70, 1),
        ("cosl", cosl, host::cosl, 16_000, 1),
        ("tanl", tanl, host::tanl, 40, 3),
        ("expl", expl, host::expl, 13, 2),
        ("exp2l", exp2l, host::exp2l, 14, 2),
        ("expm1l", expm1l, host::expm1l, 13, 3),
        ("logl", logl, host::logl, 16_000, 1),
        ("log2l", log2l, host::log2l, 16_000, 1),
        ("log10l", log10l, host::log10l, 10, 1),
        ("log1pl", log1pl, host::log1pl, 60, 3),
        ("asinl", asinl, host::asinl, 60, 2),
        ("acosl", acosl, host::acosl, 60, 2),
        ("atanl", atanl, host::atanl, 100, 1),
        ("sinhl", sinhl, host::sinhl, 13, 4),
        ("coshl", coshl, host::coshl, 13, 3),
        ("tanhl", tanhl, host::tanhl, 8, 4),
        ("asinhl", asinhl, host::asinhl, 100, 4),
        ("acoshl", acoshl, host::acoshl, 100, 4),
        ("atanhl", atanhl, host::atanhl, 30, 4),
        ("cbrtl", cbrtl, host::cbrtl, 16_000, 2),
        ("floorl", floorl, host::floorl, 66, 0),
        ("ceill", ceill, host::ceill, 66, 0),
        ("truncl", truncl, host::truncl, 66, 0),
        ("roundl", roundl, host::roundl, 66, 0),
        ("rintl", rintl, host::rintl, 66, 0),
        ("sqrtl", sqrtl, host::sqrtl, 16_000, 0),
        ("logbl", logbl, host::logbl, 16_000, 0),
    ];
    let special = [
        F80::ZERO,
        -F80::ZERO,
        F80::ONE,
        -F80::ONE,
        F80::INFINITY,
        -F80::INFINITY,
        F80::NAN,
        F80::HALF,
        F80::from_parts(false, 0, 1),
    ];
    for (name, ours, theirs, range, allowed) in table {
        for round in 0..800 {
            let x = special.get(round).copied().unwrap_or_else(|| number(&mut random, range));
            // SAFETY: functions of one long double.
            let (ours, theirs) = unsafe { (call(ours, [x, x]), call(theirs, [x, x])) };
            assert!(ulps(ours, theirs) <= allowed, "{name} {x:x?}: {ours:x?} {theirs:x?}");
            assert!(
                ours.is_nan() || ours.is_negative() == theirs.is_negative(),
                "{name} {x:x?}: {ours:x?} {theirs:x?}"
            );
        }
    }
}

#[test]
fn binary_functions() {
    let mut random = Random::new(9);
    let table: [(&str, Function, Function, u64, u128); 7] = [
        ("powl", powl, host::powl, 12, 2),
        ("fmodl", fmodl, host::fmodl, 200, 0),
        ("remainderl", remainderl, host::remainderl, 200, 0),
        ("hypotl", hypotl, host::hypotl, 16_000, 1),
        ("atan2l", atan2l, host::atan2l, 60, 1),
        ("nextafterl", nextafterl, host::nextafterl, 16_000, 0),
        ("fdiml", fdiml, host::fdiml, 16_000, 0),
    ];
    let special = [
        F80::ZERO,
        -F80::ZERO,
        F80::ONE,
        -F80::ONE,
        F80::INFINITY,
        -F80::INFINITY,
        F80::NAN,
        F80::HALF,
        F80::TWO,
        F80::from_f64(-3.0),
    ];
    for (name, ours, theirs, range, allowed) in table {
        for round in 0..1500 {
            let (x, y) = match (special.get(round / 10), special.get(round % 10)) {
                (Some(&x), Some(&y)) => (x, y),
                _ => (number(&mut random, range), number(&mut random, range)),
            };
            let x = if name == "powl" && round >= 100 { x.abs() } else { x };
            // SAFETY: functions of two long doubles.
            let (ours, theirs) = unsafe { (call(ours, [x, y]), call(theirs, [x, y])) };
            assert!(ulps(ours, theirs) <= allowed, "{name} {x:x?} {y:x?}: {ours:x?} {theirs:x?}");
        }
    }
}

#[test]
fn with_results_in_memory() {
    let x = F80::from_f64(-12.375);
    let (mut exponent, mut whole) = (0_i32, F80::ZERO);
    // SAFETY: writable results.
    unsafe {
        let fraction = call_with_pointer(frexpl, x, (&raw mut exponent).expose_provenance() as u64);
        assert_eq!((fraction.to_f64(), exponent), (-12.375 / 16.0, 4));
        let fraction = call_with_pointer(modfl, x, (&raw mut whole).expose_provenance() as u64);
        assert_eq!((fraction.to_f64(), whole.to_f64()), (-0.375, -12.0));
        assert_eq!(call_with_pointer(ldexpl, x, (-3_i32).cast_unsigned().into()).to_f64(), -12.375 / 8.0);
        let mut quotient = 0_i32;
        assert_eq!(
            remainder_with_quotient(F80::from_f64(29.0), F80::from_f64(3.0), &mut quotient).to_f64(),
            -1.0
        );
        assert_eq!(quotient & 7, 10 & 7);
    }
    assert_eq!(fma_of([3.0, 4.0, -11.5]), 0.5);
    let tiny = 2.0_f64.powi(-60);
    assert_eq!(fma_of([1.0 + tiny, 1.0 - tiny, -1.0]), 0.0 * tiny);
}

/// [`call`] with an integer in rdi.
///
/// # Safety
/// As [`call`].
unsafe fn call_with_pointer(function: Function, x: F80, extra: u64) -> F80 {
    let mut result = F80::ZERO;
    // SAFETY: as in `call`.
    unsafe {
        asm!("sub rsp, 16", "movups xmm0, [{x}]", "movups [rsp], xmm0", "call {function}", "add rsp, 16", "fstp tbyte ptr [r12]",
             x = in(reg) &raw const x, function = in(reg) function as usize, in("r12") &raw mut result, in("rdi") extra,
             clobber_abi("C"));
    }
    result
}

/// remquo of long double through its shim.
///
/// # Safety
/// None beyond the types.
unsafe fn remainder_with_quotient(x: F80, y: F80, quotient: &mut i32) -> F80 {
    let (args, mut result) = ([x, y], F80::ZERO);
    // SAFETY: as in `call`.
    unsafe {
        asm!("sub rsp, 32", "movups xmm0, [{args}]", "movups [rsp], xmm0", "movups xmm0, [{args} + 16]", "movups [rsp + 16], xmm0",
             "call {function}", "add rsp, 32", "fstp tbyte ptr [r12]", args = in(reg) &raw const args,
             function = in(reg) remquol as unsafe extern "C" fn() as usize, in("r12") &raw mut result,
             in("rdi") (&raw mut *quotient).expose_provenance(), clobber_abi("C"));
    }
    result
}

fn fma_of(values: [f64; 3]) -> f64 {
    super::long::fma(F80::from_f64(values[0]), F80::from_f64(values[1]), F80::from_f64(values[2])).to_f64()
}
