//! What math.h's classification macros call, and the constants behind INFINITY and NAN.

use super::x87::F80;
use core::ffi::c_int;
use core::num::FpCategory;

/// The FP_ constant of a category.
fn category(category: FpCategory) -> c_int {
    match category {
        FpCategory::Infinite => 0,
        FpCategory::Nan => 1,
        FpCategory::Normal => 2,
        FpCategory::Subnormal => 3,
        FpCategory::Zero => 4,
    }
}

macro_rules! tests {
    ($($type:ty: $classify:ident $($name:ident = $test:path),+;)*) => {$(
        /// The class of a number, as an FP_ constant.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $classify(x: $type) -> c_int {
            category(x.classify())
        }

        $(
            #[doc = concat!("1 where `", stringify!($test), "` holds.")]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub extern "C" fn $name(x: $type) -> c_int {
                c_int::from($test(x))
            }
        )+
    )*};
}

tests! {
    f64: __fpclassifyd __isfinited = f64::is_finite, finite = f64::is_finite, __isinfd = f64::is_infinite, isinf = f64::is_infinite,
        __isnand = f64::is_nan, isnan = f64::is_nan, __signbitd = f64::is_sign_negative;
    f32: __fpclassifyf __isfinitef = f32::is_finite, finitef = f32::is_finite, __isinff = f32::is_infinite, isinff = f32::is_infinite,
        __isnanf = f32::is_nan, isnanf = f32::is_nan, __signbitf = f32::is_sign_negative;
}

/// The class of a long double.
fn classify_long(x: F80) -> c_int {
    category(match (x.exponent(), x.mantissa()) {
        (0, 0) => FpCategory::Zero,
        (0, _) => FpCategory::Subnormal,
        _ if x.is_nan() => FpCategory::Nan,
        _ if x.is_infinite() => FpCategory::Infinite,
        _ => FpCategory::Normal,
    })
}

long_functions! { long_bodies:
    integer {
        __fpclassifyl = classify_long;
        __isfinitel = F80::is_finite;
        __isinfl = F80::is_infinite;
        __isnanl = F80::is_nan;
        __signbitl = F80::is_negative;
    }
}

/// Constants, as the headers' unions of bytes and a number.
#[cfg(not(test))]
mod exported {
    use super::F80;

    #[unsafe(no_mangle)]
    static __infinity: f64 = f64::INFINITY;
    #[unsafe(no_mangle)]
    static __infinityf: f32 = f32::INFINITY;
    #[unsafe(no_mangle)]
    static __infinityl: F80 = F80::INFINITY;
    #[unsafe(no_mangle)]
    static __nanf: f32 = f32::NAN;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let values = [f64::INFINITY, f64::NAN, 1.0, 5e-324, 0.0];
        assert_eq!(values.map(|x| __fpclassifyd(x)), [0, 1, 2, 3, 4]);
        assert_eq!(values.map(|x| classify_long(F80::from_f64(x))), [0, 1, 2, 2, 4]);
        assert_eq!(classify_long(F80::from_parts(true, 0, 1)), 3);
        assert_eq!((isnan(f64::NAN), __isinff(1.0), __signbitf(-0.0), finite(1.0)), (1, 0, 1, 1));
    }
}
