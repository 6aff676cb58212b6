//! Rounding to integers: rint(3), nearbyint(3), lrint(3), lround(3), for double and float.
//!
//! The rint family follows the dynamic rounding mode; it adds and takes away 2⁵² where that leaves an integer, which the processor rounds.

use core::ffi::{c_int, c_long, c_longlong};

/// `x` to an integer in the current rounding mode.
fn to_integral(x: f64) -> f64 {
    const LIMIT: f64 = 4_503_599_627_370_496.0;
    if x.is_nan() || x.abs() >= LIMIT {
        return x + 0.0;
    }
    let mut rounded = x.abs();
    let signed = if x.is_sign_negative() { -LIMIT } else { LIMIT };
    // SAFETY: two additions; in assembly, so that the compiler, which takes the mode to be to nearest, computes nothing ahead.
    unsafe {
        rounded = rounded.copysign(x);
        core::arch::asm!("addsd {0}, {1}", "subsd {0}, {1}", inout(xmm_reg) rounded, in(xmm_reg) signed, options(nostack, preserves_flags));
    }
    rounded.copysign(x)
}

/// `x` to an integer in the current rounding mode; one that does not fit is the least of all, and raises FE_INVALID.
fn to_int(x: f64) -> i64 {
    let result;
    // SAFETY: one conversion; in assembly, so that it stays between changes of the mode.
    unsafe {
        core::arch::asm!("cvtsd2si {}, {}", out(reg) result, in(xmm_reg) x, options(nostack, preserves_flags))
    };
    result
}

/// `x` to the nearest integer, halves away from zero.
fn round_to_int(x: f64) -> i64 {
    to_int(libm::round(x))
}

/// Runs `work` and takes back that it raised FE_INEXACT, unless that was raised before.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = super::environment::fetestexcept(super::environment::FE_INEXACT);
    let result = work();
    if before == 0 {
        super::environment::feclearexcept(super::environment::FE_INEXACT);
    }
    result
}

macro_rules! rounding {
    ($type:ty: $rint:ident $nearbyint:ident $lrint:ident $llrint:ident $lround:ident $llround:ident) => {
        /// To an integral value, in the current rounding mode.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $rint(x: $type) -> $type {
            to_integral(x.into()) as $type
        }

        /// To an integral value, in the current rounding mode, without FE_INEXACT.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $nearbyint(x: $type) -> $type {
            quietly(|| to_integral(x.into()) as $type)
        }

        /// To a long, in the current rounding mode.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $lrint(x: $type) -> c_long {
            to_int(x.into())
        }

        /// To a long long, in the current rounding mode.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $llrint(x: $type) -> c_longlong {
            to_int(x.into())
        }

        /// To a long, halves away from zero.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $lround(x: $type) -> c_long {
            round_to_int(x.into())
        }

        /// To a long long, halves away from zero.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $llround(x: $type) -> c_longlong {
            round_to_int(x.into())
        }
    };
}

rounding!(f64: rint nearbyint lrint llrint lround llround);
rounding!(f32: rintf nearbyintf lrintf llrintf lroundf llroundf);

/// `__flt_rounds`: what FLT_ROUNDS expands to.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __flt_rounds() -> c_int {
    match super::environment::fegetround() {
        0 => 1,
        0x400 => 3,
        0x800 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::{fesetround, fetestexcept};
    use super::*;

    #[test]
    fn follows_the_mode() {
        let cases = [-2.5, -0.5, -0.0, 0.5, 1.5, 2.7, 1e300, f64::INFINITY];
        for (mode, expected) in [
            (0x000, [-2.0, -0.0, -0.0, 0.0, 2.0, 3.0, 1e300, f64::INFINITY]),
            (0x400, [-3.0, -1.0, -0.0, 0.0, 1.0, 2.0, 1e300, f64::INFINITY]),
            (0x800, [-2.0, -0.0, -0.0, 1.0, 2.0, 3.0, 1e300, f64::INFINITY]),
            (0xc00, [-2.0, -0.0, -0.0, 0.0, 1.0, 2.0, 1e300, f64::INFINITY]),
        ] {
            assert_eq!(fesetround(mode), 0);
            let found = cases.map(|x| rint(x));
            let ints = cases.map(|x| lrint(x));
            fesetround(0);
            assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "mode {mode:#x}");
            assert!(ints.iter().zip(expected).take(6).all(|(&int, value)| int == value as i64));
        }
        assert_eq!((lround(2.5), llroundf(-2.5), lrint(2.5), __flt_rounds()), (3, -3, 2, 1));
        assert_eq!(rintf(2.5), 2.0);
        super::super::environment::feclearexcept(0x3d);
        nearbyint(0.3);
        assert_eq!(fetestexcept(0x20), 0);
    }
}
