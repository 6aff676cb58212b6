//! Taking numbers apart: frexp(3), modf(3), ilogb(3), logb(3), copysign(3), nan(3), nexttoward(3), for double and float.

use super::x87::F80;
use core::ffi::{c_char, c_int};

/// FP_ILOGB0.
const ILOGB_ZERO: c_int = c_int::MIN;
/// FP_ILOGBNAN, and the answer for infinity.
const ILOGB_NAN: c_int = c_int::MAX;

macro_rules! taking_apart {
    ($type:ty: $frexp:ident = $frexp_by:path; $modf:ident = $modf_by:path; $ilogb:ident = $ilogb_by:path; $logb:ident $copysign:ident $nan:ident) => {
        /// Fraction in [½, 1) and exponent.
        ///
        /// # Safety
        /// `exponent` is writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $frexp(x: $type, exponent: *mut c_int) -> $type {
            let (fraction, found) = if x.is_finite() { $frexp_by(x) } else { (x + x, 0) };
            // SAFETY: as this function's own.
            unsafe { *exponent = found };
            fraction
        }

        /// Fraction and integral part, both with the sign of `x`.
        ///
        /// # Safety
        /// `integral` is writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $modf(x: $type, integral: *mut $type) -> $type {
            let (fraction, whole) =
                if x.is_infinite() { ((0.0 as $type).copysign(x), x) } else { $modf_by(x) };
            // SAFETY: as this function's own.
            unsafe { *integral = whole };
            fraction
        }

        /// The binary exponent as an int.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $ilogb(x: $type) -> c_int {
            if x == 0.0 {
                ILOGB_ZERO
            } else if x.is_finite() {
                $ilogb_by(x)
            } else {
                ILOGB_NAN
            }
        }

        /// The binary exponent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $logb(x: $type) -> $type {
            if x == 0.0 {
                -1.0 / (x * x)
            } else if x.is_finite() {
                $ilogb_by(x) as $type
            } else {
                x * x
            }
        }

        /// The magnitude of `x` with the sign of `sign`.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $copysign(x: $type, sign: $type) -> $type {
            x.copysign(sign)
        }

        /// A quiet NaN. What the text says goes nowhere.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $nan(_text: *const c_char) -> $type {
            <$type>::NAN
        }
    };
}

taking_apart!(f64: frexp = libm::frexp; modf = libm::modf; ilogb = libm::ilogb; logb copysign nan);
taking_apart!(f32: frexpf = libm::frexpf; modff = libm::modff; ilogbf = libm::ilogbf; logbf copysignf nanf);

/// The neighbour of `x` in the direction of `y`.
pub(crate) fn double_toward(x: f64, y: F80) -> f64 {
    let wide = F80::from_f64(x);
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if wide == y {
        y.to_f64()
    } else {
        libm::nextafter(x, if wide < y { f64::INFINITY } else { f64::NEG_INFINITY })
    }
}

/// The neighbour of `x` in the direction of `y`.
pub(crate) fn float_toward(x: f32, y: F80) -> f32 {
    let wide = F80::from_f64(x.into());
    if x.is_nan() || y.is_nan() {
        f32::NAN
    } else if wide == y {
        y.to_f64() as f32
    } else {
        libm::nextafterf(x, if wide < y { f32::INFINITY } else { f32::NEG_INFINITY })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_exponents() {
        let (mut exponent, mut whole) = (0, 0.0);
        // SAFETY: writable results.
        unsafe {
            assert_eq!((frexp(12.0, &raw mut exponent), exponent), (0.75, 4));
            assert_eq!((frexp(5e-324, &raw mut exponent), exponent), (0.5, -1073));
            assert_eq!((modf(-2.25, &raw mut whole), whole), (-0.25, -2.0));
            assert_eq!((modf(f64::NEG_INFINITY, &raw mut whole), whole), (-0.0, f64::NEG_INFINITY));
        }
        assert_eq!((ilogb(0.0), ilogb(f64::NAN), ilogbf(0.1), logb(8.0)), (c_int::MIN, c_int::MAX, -4, 3.0));
        assert_eq!((logb(0.0), logb(f64::NEG_INFINITY)), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(double_toward(1.0, F80::from_f64(2.0)), 1.0 + f64::EPSILON);
        assert_eq!(float_toward(1.0, F80::from_f64(0.0)), 1.0 - f32::EPSILON / 2.0);
    }
}
