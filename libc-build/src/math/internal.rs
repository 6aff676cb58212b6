//! Names that libm.so.0 exports for its own parts: kernels of the trigonometric functions on the reduced range, helpers of the complex
//! ones, and what is left of the System V error handling. Programs have no prototypes of them; they are here because some were linked so.

use super::complex::Complex;
use super::real::Real;
use super::reduce::reduce;
use super::x87::F80;
use core::ffi::{c_int, c_void};

/// `_LIB_VERSION`: errors as IEEE 754 has them.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static _fdlib_version: c_int = -1;

/// The program's error handler under System V; nothing is ever handled by the one in the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn matherr(_exception: *mut c_void) -> c_int {
    0
}

/// x mod π/2 in two doubles, and the quadrant.
///
/// # Safety
/// `rest` has two doubles.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ieee754_rem_pio2(x: f64, rest: *mut f64) -> c_int {
    if !x.is_finite() {
        // SAFETY: as this function's own.
        unsafe { (*rest, *rest.add(1)) = (x * 0.0, x * 0.0) };
        return 0;
    }
    let reduced = reduce(F80::from_f64(x));
    let high = reduced.high.to_f64();
    let low = (reduced.high - F80::from_f64(high) + reduced.low).to_f64();
    // SAFETY: as this function's own.
    unsafe { (*rest, *rest.add(1)) = (high, low) };
    reduced.quadrant.cast_signed()
}

/// x mod π/2 in two floats, and the quadrant.
///
/// # Safety
/// `rest` has two floats.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ieee754_rem_pio2f(x: f32, rest: *mut f32) -> c_int {
    let mut doubles = [0.0_f64; 2];
    // SAFETY: two doubles; two floats (contract).
    unsafe {
        let quadrant = __ieee754_rem_pio2(x.into(), doubles.as_mut_ptr());
        let high = doubles[0] as f32;
        (*rest, *rest.add(1)) = (high, (doubles[0] - f64::from(high)) as f32);
        quadrant
    }
}

macro_rules! kernels {
    ($type:ty: $sin:ident = $sin_by:path; $cos:ident = $cos_by:path; $tan:ident = $tan_by:path;) => {
        /// The sine of x + y on |x| ≤ π/4; `tail` tells whether there is a y.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $sin(x: $type, y: $type, tail: c_int) -> $type {
            $sin_by(x) + if tail != 0 { y * $cos_by(x) } else { 0.0 }
        }

        /// The cosine of x + y on |x| ≤ π/4.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $cos(x: $type, y: $type) -> $type {
            $cos_by(x) - y * $sin_by(x)
        }

        /// The tangent of x + y on |x| ≤ π/4, or with `sign` -1 the negative cotangent.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $tan(x: $type, y: $type, sign: c_int) -> $type {
            let tangent = $tan_by(x);
            let value = tangent + y * (1.0 + tangent * tangent);
            if sign == 1 { value } else { -1.0 / value }
        }
    };
}

kernels! { f64: __kernel_sin = libm::sin; __kernel_cos = libm::cos; __kernel_tan = libm::tan; }
kernels! { f32: __kernel_sinf = libm::sinf; __kernel_cosf = libm::cosf; __kernel_tanf = libm::tanf; }

/// exp(x + c).
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, expect(non_snake_case, reason = "NetBSD's name"))]
pub extern "C" fn __exp__D(x: f64, c: f64) -> f64 {
    let value = libm::exp(x);
    if value.is_finite() { value + value * c } else { value }
}

/// cosh(2y) - cos(2x) of z = x + iy, without cancellation.
fn ctans<T: Real>(z: Complex<T>) -> T {
    let (sine, sinh) = (z.re.sin_cos().0, z.im.sinh());
    T::of(2.0) * (sine * sine + sinh * sinh)
}

/// x without the nearest multiple of π.
fn redupi<T: Real>(x: T) -> T {
    if (x / T::pi()).rint() == T::of(0.0) {
        return x;
    }
    let (sine, cosine) = x.sin_cos();
    if cosine < T::of(0.0) { (-sine).atan2(-cosine) } else { sine.atan2(cosine) }
}

macro_rules! helpers {
    ($($type:ty: $cchsh:ident $ctans:ident $redupi:ident;)*) => {$(
        /// The hyperbolic cosine and sine.
        ///
        /// # Safety
        /// Both results are writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $cchsh(x: $type, cosine: *mut $type, sine: *mut $type) {
            // SAFETY: as this function's own.
            unsafe { (*cosine, *sine) = (libm::cosh(x.into()) as $type, libm::sinh(x.into()) as $type) }
        }

        /// cosh(2y) - cos(2x).
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $ctans(z: Complex<$type>) -> $type {
            ctans::<f64>(Complex { re: z.re.into(), im: z.im.into() }) as $type
        }

        /// x without the nearest multiple of π.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $redupi(x: $type) -> $type {
            redupi::<f64>(x.into()) as $type
        }
    )*};
}

helpers! {
    f64: _cchsh _ctans _redupi;
    f32: _cchshf _ctansf _redupif;
}

long_functions! { bodies:
    unary { _redupil = redupi; }
    real { _ctansl = ctans; }
}

/// Hyperbolic cosine and sine of the long double at `args`.
///
/// # Safety
/// `args` is the caller's argument, the others are its results.
unsafe extern "C" fn cchshl_body(args: *const F80, cosine: *mut F80, sine: *mut F80) {
    // SAFETY: as this function's own.
    unsafe { (*cosine, *sine) = ((*args).cosh(), (*args).sinh()) }
}

/// The hyperbolic cosine and sine of a long double.
///
/// # Safety
/// Called as C calls it: a long double in memory, two pointers in rdi and rsi.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn _cchshl() {
    core::arch::naked_asm!("mov rdx, rsi", "mov rsi, rdi", "lea rdi, [rsp + 8]", "jmp {}", sym cchshl_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduction_and_kernels_make_sines() {
        let mut rest = [0.0; 2];
        // SAFETY: two doubles.
        let quadrant = unsafe { __ieee754_rem_pio2(1e22, rest.as_mut_ptr()) };
        let sine = match quadrant {
            0 => __kernel_sin(rest[0], rest[1], 1),
            1 => __kernel_cos(rest[0], rest[1]),
            2 => -__kernel_sin(rest[0], rest[1], 1),
            _ => -__kernel_cos(rest[0], rest[1]),
        };
        assert!((sine - 1e22_f64.sin()).abs() < 1e-16);
        assert!((_redupi(7.0) - (7.0 - 2.0 * core::f64::consts::PI)).abs() < 1e-15);
        assert!((_redupi(-3.0) - (-3.0 + core::f64::consts::PI)).abs() < 1e-15);
        assert!(
            (_ctans(Complex { re: 1.0, im: 2.0 }) - (4.0_f64.cosh() - 2.0_f64.cos())).abs() < 1e-14 * 30.0
        );
    }
}
