//! The elementary and special functions of double and float, out of crate `libm`; each also under the names that other parts of
//! NetBSD's libm know it by (`__ieee754_exp`, `_exp`).

use core::ffi::{c_int, c_long};
use core::sync::atomic::{AtomicI32, Ordering};

macro_rules! functions {
    ($($(#[$note:meta])* ($($arg:ident: $type:ty),*) -> $result:ty = $path:path => $($name:ident)+;)*) => {
        $(functions!(@each [$($arg: $type),*] $result, $path, $($name)+);)*
    };
    (@each $args:tt $result:ty, $path:path, $($name:ident)+) => {
        $(functions!(@one $args $result, $path, $name);)+
    };
    (@one [$($arg:ident: $type:ty),*] $result:ty, $path:path, $name:ident) => {
        #[doc = concat!("`", stringify!($name), "` is `", stringify!($path), "`.")]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name($($arg: $type),*) -> $result {
            $path($($arg),*)
        }
    };
}

functions! {
    (x: f64) -> f64 = libm::acos => acos __ieee754_acos;
    (x: f64) -> f64 = libm::acosh => acosh __ieee754_acosh;
    (x: f64) -> f64 = libm::asin => asin _asin __ieee754_asin;
    (x: f64) -> f64 = libm::asinh => asinh;
    (x: f64) -> f64 = libm::atan => atan;
    (y: f64, x: f64) -> f64 = libm::atan2 => atan2 _atan2 __ieee754_atan2;
    (x: f64) -> f64 = libm::atanh => atanh __ieee754_atanh;
    (x: f64) -> f64 = libm::cbrt => cbrt;
    (x: f64) -> f64 = libm::ceil => ceil;
    (x: f64) -> f64 = libm::cos => cos;
    (x: f64) -> f64 = libm::cosh => cosh _cosh __ieee754_cosh;
    (x: f64) -> f64 = libm::erf => erf;
    (x: f64) -> f64 = libm::erfc => erfc;
    (x: f64) -> f64 = libm::exp => exp _exp __ieee754_exp;
    (x: f64) -> f64 = libm::exp2 => exp2;
    (x: f64) -> f64 = libm::expm1 => expm1;
    (x: f64) -> f64 = libm::fabs => fabs;
    (x: f64, y: f64) -> f64 = libm::fdim => fdim;
    (x: f64) -> f64 = libm::floor => floor;
    (x: f64, y: f64, z: f64) -> f64 = libm::fma => fma;
    (x: f64, y: f64) -> f64 = libm::fmod => fmod __ieee754_fmod;
    (x: f64, y: f64) -> f64 = libm::hypot => hypot _hypot __ieee754_hypot;
    (x: f64) -> f64 = libm::j0 => j0 __ieee754_j0;
    (x: f64) -> f64 = libm::j1 => j1 __ieee754_j1;
    (n: c_int, x: f64) -> f64 = libm::jn => jn __ieee754_jn;
    (x: f64) -> f64 = libm::log => log _log __ieee754_log;
    (x: f64) -> f64 = libm::log10 => log10 __ieee754_log10;
    (x: f64) -> f64 = libm::log1p => log1p;
    (x: f64) -> f64 = libm::log2 => log2 __ieee754_log2;
    (x: f64, y: f64) -> f64 = libm::nextafter => nextafter;
    (x: f64, y: f64) -> f64 = libm::pow => pow __ieee754_pow;
    (x: f64, y: f64) -> f64 = libm::remainder => remainder drem __ieee754_remainder;
    (x: f64) -> f64 = libm::round => round;
    (x: f64, n: c_int) -> f64 = libm::scalbn => scalbn _scalbn ldexp;
    (x: f64) -> f64 = libm::sin => sin;
    (x: f64) -> f64 = libm::sinh => sinh _sinh __ieee754_sinh;
    (x: f64) -> f64 = libm::sqrt => sqrt __ieee754_sqrt;
    (x: f64) -> f64 = libm::tan => tan;
    (x: f64) -> f64 = libm::tanh => tanh;
    (x: f64) -> f64 = libm::tgamma => tgamma;
    (x: f64) -> f64 = libm::trunc => trunc;
    (x: f64) -> f64 = libm::y0 => y0 __ieee754_y0;
    (x: f64) -> f64 = libm::y1 => y1 __ieee754_y1;
    (n: c_int, x: f64) -> f64 = libm::yn => yn __ieee754_yn;

    (x: f32) -> f32 = libm::acosf => acosf __ieee754_acosf;
    (x: f32) -> f32 = libm::acoshf => acoshf __ieee754_acoshf;
    (x: f32) -> f32 = libm::asinf => asinf _asinf __ieee754_asinf;
    (x: f32) -> f32 = libm::asinhf => asinhf;
    (x: f32) -> f32 = libm::atanf => atanf;
    (y: f32, x: f32) -> f32 = libm::atan2f => atan2f _atan2f __ieee754_atan2f;
    (x: f32) -> f32 = libm::atanhf => atanhf __ieee754_atanhf;
    (x: f32) -> f32 = libm::cbrtf => cbrtf;
    (x: f32) -> f32 = libm::ceilf => ceilf;
    (x: f32) -> f32 = libm::cosf => cosf;
    (x: f32) -> f32 = libm::coshf => coshf _coshf __ieee754_coshf;
    (x: f32) -> f32 = libm::erff => erff;
    (x: f32) -> f32 = libm::erfcf => erfcf;
    (x: f32) -> f32 = libm::expf => expf _expf __ieee754_expf;
    (x: f32) -> f32 = libm::exp2f => exp2f;
    (x: f32) -> f32 = libm::expm1f => expm1f;
    (x: f32) -> f32 = libm::fabsf => fabsf;
    (x: f32, y: f32) -> f32 = libm::fdimf => fdimf;
    (x: f32) -> f32 = libm::floorf => floorf;
    (x: f32, y: f32, z: f32) -> f32 = libm::fmaf => fmaf;
    (x: f32, y: f32) -> f32 = libm::fmodf => fmodf __ieee754_fmodf;
    (x: f32, y: f32) -> f32 = libm::hypotf => hypotf _hypotf __ieee754_hypotf;
    (x: f32) -> f32 = libm::j0f => j0f __ieee754_j0f;
    (x: f32) -> f32 = libm::j1f => j1f __ieee754_j1f;
    (n: c_int, x: f32) -> f32 = libm::jnf => jnf __ieee754_jnf;
    (x: f32) -> f32 = libm::logf => logf _logf __ieee754_logf;
    (x: f32) -> f32 = libm::log10f => log10f __ieee754_log10f;
    (x: f32) -> f32 = libm::log1pf => log1pf;
    (x: f32) -> f32 = libm::log2f => log2f __ieee754_log2f;
    (x: f32, y: f32) -> f32 = libm::nextafterf => nextafterf;
    (x: f32, y: f32) -> f32 = libm::powf => powf __ieee754_powf;
    (x: f32, y: f32) -> f32 = libm::remainderf => remainderf dremf __ieee754_remainderf;
    (x: f32) -> f32 = libm::roundf => roundf;
    (x: f32, n: c_int) -> f32 = libm::scalbnf => scalbnf _scalbnf ldexpf;
    (x: f32) -> f32 = libm::sinf => sinf;
    (x: f32) -> f32 = libm::sinhf => sinhf _sinhf __ieee754_sinhf;
    (x: f32) -> f32 = libm::sqrtf => sqrtf __ieee754_sqrtf;
    (x: f32) -> f32 = libm::tanf => tanf;
    (x: f32) -> f32 = libm::tanhf => tanhf;
    (x: f32) -> f32 = libm::tgammaf => tgammaf;
    (x: f32) -> f32 = libm::truncf => truncf;
    (x: f32) -> f32 = libm::y0f => y0f __ieee754_y0f;
    (x: f32) -> f32 = libm::y1f => y1f __ieee754_y1f;
    (n: c_int, x: f32) -> f32 = libm::ynf => ynf __ieee754_ynf;
}

/// An exponent as scalbn(3) takes it: what is beyond an int is beyond every format, too.
fn clamp(exponent: c_long) -> c_int {
    exponent.clamp(-100_000, 100_000) as c_int
}

/// [`fn@scalbn`] for a scaling exponent that is itself a number: x·2ⁿ, with C's answers for what is no integer.
fn scale(x: f64, n: f64) -> f64 {
    if x.is_nan() || n.is_nan() {
        x + n
    } else if n.is_infinite() {
        if n > 0.0 { x * n } else { x / -n }
    } else if libm::rint(n) == n {
        libm::scalbn(x, n.clamp(-100_000.0, 100_000.0) as c_int)
    } else {
        f64::NAN
    }
}

macro_rules! pair {
    ($type:ty: $scalbn:path, $sincos:path, $scalbln:ident $_scalbln:ident $scalb:ident $ieee_scalb:ident $sincos_name:ident $_sincos:ident
     $significand:ident $fmax:ident $fmin:ident) => {
        /// x·2ⁿ for a long exponent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $scalbln(x: $type, n: c_long) -> $type {
            $scalbn(x, clamp(n))
        }

        /// x·2ⁿ for a long exponent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $_scalbln(x: $type, n: c_long) -> $type {
            $scalbn(x, clamp(n))
        }

        /// x·2ⁿ for a floating exponent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $scalb(x: $type, n: $type) -> $type {
            scale(x.into(), n.into()) as $type
        }

        /// x·2ⁿ for a floating exponent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $ieee_scalb(x: $type, n: $type) -> $type {
            scale(x.into(), n.into()) as $type
        }

        /// Sine and cosine at once.
        ///
        /// # Safety
        /// Both results are writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $sincos_name(x: $type, sine: *mut $type, cosine: *mut $type) {
            // SAFETY: as this function's own.
            unsafe { (*sine, *cosine) = $sincos(x) }
        }

        /// Sine and cosine at once.
        ///
        /// # Safety
        /// Both results are writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $_sincos(x: $type, sine: *mut $type, cosine: *mut $type) {
            // SAFETY: as this function's own.
            unsafe { (*sine, *cosine) = $sincos(x) }
        }

        /// x scaled into [1, 2).
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $significand(x: $type) -> $type {
            if x == 0.0 || !x.is_finite() {
                x
            } else {
                scale(x.into(), -f64::from(libm::ilogb(x.into()))) as $type
            }
        }

        /// The greater one; a NaN loses.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $fmax(x: $type, y: $type) -> $type {
            if x.is_nan() {
                y
            } else if y.is_nan() {
                x
            } else if x == y {
                if x.is_sign_negative() { y } else { x }
            } else if x > y {
                x
            } else {
                y
            }
        }

        /// The lesser one; a NaN loses.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $fmin(x: $type, y: $type) -> $type {
            if x.is_nan() {
                y
            } else if y.is_nan() {
                x
            } else if x == y {
                if x.is_sign_negative() { x } else { y }
            } else if x < y {
                x
            } else {
                y
            }
        }
    };
}

pair!(f64: libm::scalbn, libm::sincos, scalbln _scalbln scalb __ieee754_scalb sincos _sincos significand fmax fmin);
pair!(f32: libm::scalbnf, libm::sincosf, scalblnf _scalblnf scalbf __ieee754_scalbf sincosf _sincosf significandf fmaxf fminf);

/// The sign of the gamma function, as lgamma(3) last found it.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static signgam: AtomicI32 = AtomicI32::new(0);

macro_rules! gammas {
    ($type:ty: $worker:path => $($name:ident)+; $($reentrant:ident)+) => {
        $(/// The logarithm of the gamma function's magnitude; its sign goes to `signgam`.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name(x: $type) -> $type {
            let (value, sign) = $worker(x);
            signgam.store(sign, Ordering::Relaxed);
            value
        })+

        $(/// The logarithm of the gamma function's magnitude, and its sign.
        ///
        /// # Safety
        /// `sign` is writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $reentrant(x: $type, sign: *mut c_int) -> $type {
            let (value, found) = $worker(x);
            // SAFETY: as this function's own.
            unsafe { *sign = found };
            value
        })+
    };
}

gammas!(f64: libm::lgamma_r => lgamma gamma; lgamma_r gamma_r __ieee754_lgamma_r);
gammas!(f32: libm::lgammaf_r => lgammaf gammaf; lgammaf_r gammaf_r __ieee754_lgammaf_r);

/// Remainder of the nearest quotient, and the quotient's low bits with its sign.
///
/// # Safety
/// `quotient` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn remquo(x: f64, y: f64, quotient: *mut c_int) -> f64 {
    let (value, found) = libm::remquo(x, y);
    // SAFETY: as this function's own.
    unsafe { *quotient = found };
    value
}

/// [`remquo`] of float.
///
/// # Safety
/// `quotient` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn remquof(x: f32, y: f32, quotient: *mut c_int) -> f32 {
    let (value, found) = libm::remquof(x, y);
    // SAFETY: as this function's own.
    unsafe { *quotient = found };
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;

    mod host {
        unsafe extern "C" {
            pub fn sin(x: f64) -> f64;
            pub fn tan(x: f64) -> f64;
            pub fn exp(x: f64) -> f64;
            pub fn log(x: f64) -> f64;
            pub fn pow(x: f64, y: f64) -> f64;
            pub fn atan2(x: f64, y: f64) -> f64;
            pub fn tgamma(x: f64) -> f64;
            pub fn powf(x: f32, y: f32) -> f32;
            pub fn sinf(x: f32) -> f32;
        }
    }

    /// The distance in units in the last place.
    fn ulps(left: f64, right: f64) -> u64 {
        if left.is_nan() && right.is_nan() || left == right {
            return 0;
        }
        let ordered = |value: f64| {
            let bits = value.to_bits().cast_signed();
            if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
        };
        ordered(left).abs_diff(ordered(right))
    }

    #[test]
    fn within_an_ulp_or_two_of_the_host() {
        let mut random = Random::new(6);
        for _ in 0..20_000 {
            let unit = random.next() as f64 / u64::MAX as f64;
            let wide = f64::from_bits(random.next());
            let (x, y) = (unit * 40.0 - 20.0, wide % 30.0);
            // SAFETY: pure functions.
            unsafe {
                assert!(ulps(sin(wide), host::sin(wide)) <= 1, "sin {wide:e}");
                assert!(ulps(tan(x), host::tan(x)) <= 1, "tan {x:e}");
                assert!(ulps(exp(x), host::exp(x)) <= 1, "exp {x:e}");
                assert!(ulps(log(wide), host::log(wide)) <= 1, "log {wide:e}");
                assert!(ulps(pow(x.abs(), y), host::pow(x.abs(), y)) <= 1, "pow {x:e} {y:e}");
                assert!(ulps(atan2(x, y), host::atan2(x, y)) <= 1, "atan2 {x:e} {y:e}");
                assert!(ulps(tgamma(x), host::tgamma(x)) <= 10, "tgamma {x:e}");
                let (a, b) = (x as f32, y as f32);
                assert!(
                    (powf(a.abs(), b).to_bits().abs_diff(host::powf(a.abs(), b).to_bits())) <= 1,
                    "powf {a:e} {b:e}"
                );
                assert!((sinf(a).to_bits().abs_diff(host::sinf(a).to_bits())) <= 1, "sinf {a:e}");
            }
        }
    }

    #[test]
    fn small_ones() {
        assert_eq!(
            (fmax(f64::NAN, 1.0), fmin(-0.0, 0.0).is_sign_negative(), fmax(-0.0, 0.0).is_sign_negative()),
            (1.0, true, false)
        );
        assert_eq!((scalb(3.0, 2.0), scalbln(1.0, -3), significand(12.0)), (12.0, 0.125, 1.5));
        assert!(scalb(1.0, 0.5).is_nan());
        assert_eq!(lgamma(0.5), libm::lgamma(0.5));
        assert_eq!(signgam.load(Ordering::Relaxed), 1);
    }
}
