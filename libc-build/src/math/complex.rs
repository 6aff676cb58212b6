//! complex.h: one implementation over [`Real`] for double and long double; float computes in double.
//!
//! The inverse functions follow Kahan ("Branch cuts for complex elementary functions", 1987), which puts every cut and every sign of zero
//! where C's annex G has them. A structure of two doubles travels in two vector registers and one of two floats in one, as the ABI
//! wants of C's complex types; long double goes through [`super::abi`].

use super::real::Real;
use super::x87::F80;

/// A complex number, laid out as C's.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Complex<T> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

const fn complex<T>(re: T, im: T) -> Complex<T> {
    Complex { re, im }
}

impl<T: Real> Complex<T> {
    /// i·z.
    fn turned(self) -> Self {
        complex(-self.im, self.re)
    }

    /// -i·z.
    fn turned_back(self) -> Self {
        complex(self.im, -self.re)
    }

    fn is_infinite(self) -> bool {
        self.re.is_infinite() || self.im.is_infinite()
    }
}

fn conj<T: Real>(z: Complex<T>) -> Complex<T> {
    complex(z.re, -z.im)
}

fn cproj<T: Real>(z: Complex<T>) -> Complex<T> {
    if z.is_infinite() { complex(T::of(f64::INFINITY), T::of(0.0).copysign(z.im)) } else { z }
}

fn cabs<T: Real>(z: Complex<T>) -> T {
    z.re.hypot(z.im)
}

fn carg<T: Real>(z: Complex<T>) -> T {
    z.im.atan2(z.re)
}

fn creal<T: Real>(z: Complex<T>) -> T {
    z.re
}

fn cimag<T: Real>(z: Complex<T>) -> T {
    z.im
}

/// z·w with infinities as annex G has them.
fn multiply<T: Real>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    let product = complex(z.re * w.re - z.im * w.im, z.re * w.im + z.im * w.re);
    if !(product.re.is_nan() && product.im.is_nan()) {
        return product;
    }
    let boxed = |z: Complex<T>| {
        let unit = |part: T| T::of(if part.is_infinite() { 1.0 } else { 0.0 }).copysign(part);
        if z.is_infinite() { complex(unit(z.re), unit(z.im)) } else { z }
    };
    let plain = |z: Complex<T>| {
        let part = |part: T| if part.is_nan() { T::of(0.0).copysign(part) } else { part };
        complex(part(z.re), part(z.im))
    };
    if z.is_infinite() || w.is_infinite() {
        let (z, w) = (plain(boxed(z)), plain(boxed(w)));
        let infinity = T::of(f64::INFINITY);
        return complex(infinity * (z.re * w.re - z.im * w.im), infinity * (z.re * w.im + z.im * w.re));
    }
    product
}

/// z / w, scaled by the larger part of w (Smith's way).
fn divide<T: Real>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    let (zero, infinity) = (T::of(0.0), T::of(f64::INFINITY));
    if w.re == zero && w.im == zero && !(z.re.is_nan() && z.im.is_nan()) {
        let pole = infinity.copysign(w.re);
        return complex(pole * z.re, pole * z.im);
    }
    if w.is_infinite() && !z.is_infinite() && !z.re.is_nan() && !z.im.is_nan() {
        let unit = |part: T| T::of(if part.is_infinite() { 1.0 } else { 0.0 }).copysign(part);
        let (re, im) = (unit(w.re), unit(w.im));
        return complex(zero * (z.re * re + z.im * im), zero * (z.im * re - z.re * im));
    }
    if z.is_infinite() && !w.is_infinite() && !w.re.is_nan() && !w.im.is_nan() {
        let unit = |part: T| T::of(if part.is_infinite() { 1.0 } else { 0.0 }).copysign(part);
        let (re, im) = (unit(z.re), unit(z.im));
        return complex(infinity * (re * w.re + im * w.im), infinity * (im * w.re - re * w.im));
    }
    if w.re.abs() >= w.im.abs() {
        let ratio = w.im / w.re;
        let scale = w.re + w.im * ratio;
        complex((z.re + z.im * ratio) / scale, (z.im - z.re * ratio) / scale)
    } else {
        let ratio = w.re / w.im;
        let scale = w.re * ratio + w.im;
        complex((z.re * ratio + z.im) / scale, (z.im * ratio - z.re) / scale)
    }
}

fn csqrt<T: Real>(z: Complex<T>) -> Complex<T> {
    let (zero, half) = (T::of(0.0), T::of(0.5));
    if z.re == zero && z.im == zero {
        return complex(zero, z.im);
    }
    if z.im.is_infinite() {
        return complex(z.im.abs(), z.im);
    }
    if z.re.is_infinite() {
        let other = if z.im.is_nan() { z.im } else { zero };
        return if z.re > zero {
            complex(z.re, other.copysign(z.im))
        } else {
            complex(other.abs(), z.re.abs().copysign(z.im))
        };
    }
    // By sixteenths, so that neither the sum overflows nor small parts get lost.
    let large =
        z.re.abs() > T::exp_limit().exp() * T::of(1e-9) || z.im.abs() > T::exp_limit().exp() * T::of(1e-9);
    let factor = T::of(if large { 1.0 / 16.0 } else { 1.0 });
    let (x, y) = (z.re * factor, z.im * factor);
    let root = ((x.abs() + x.hypot(y)) * half).sqrt();
    let other = y.abs() * half / root;
    let back = T::of(if large { 4.0 } else { 1.0 });
    let (root, other) = (root * back, other * back);
    if x < zero { complex(other, root.copysign(z.im)) } else { complex(root, other.copysign(z.im)) }
}

fn cexp<T: Real>(z: Complex<T>) -> Complex<T> {
    let zero = T::of(0.0);
    if z.im == zero {
        return complex(z.re.exp(), z.im);
    }
    let (sine, cosine) = z.im.sin_cos();
    if z.re.is_infinite() {
        let unsure = z.im.is_nan() || z.im.is_infinite();
        return match (z.re > zero, unsure) {
            (true, true) => complex(z.re, z.im * zero),
            (true, false) => complex(z.re * cosine, z.re * sine),
            (false, true) => complex(zero, zero),
            (false, false) => complex(zero * cosine, zero * sine),
        };
    }
    if z.re > T::exp_limit() {
        // In two steps: the parts may be finite where eˣ is not.
        let size = (z.re - T::of(20.0)).exp();
        let rest = T::of(20.0).exp();
        return complex(size * cosine * rest, size * sine * rest);
    }
    let size = z.re.exp();
    complex(size * cosine, size * sine)
}

fn clog<T: Real>(z: Complex<T>) -> Complex<T> {
    let size = cabs(z);
    let logarithm = if size > T::of(0.5) && size < T::of(2.0) {
        // Near the unit circle, from the exact difference.
        let (large, small) =
            if z.re.abs() > z.im.abs() { (z.re.abs(), z.im.abs()) } else { (z.im.abs(), z.re.abs()) };
        T::of(0.5) * ((large - T::of(1.0)) * (large + T::of(1.0)) + small * small).log1p()
    } else {
        size.ln()
    };
    complex(logarithm, carg(z))
}

fn cpow<T: Real>(z: Complex<T>, w: Complex<T>) -> Complex<T> {
    let zero = T::of(0.0);
    if w.re == zero && w.im == zero {
        return complex(T::of(1.0), zero);
    }
    if z.re == zero && z.im == zero {
        return if w.re > zero {
            complex(zero, zero)
        } else {
            divide(complex(T::of(1.0), zero), complex(zero, zero))
        };
    }
    let logarithm = clog(z);
    cexp(complex(w.re * logarithm.re - w.im * logarithm.im, w.re * logarithm.im + w.im * logarithm.re))
}

fn csinh<T: Real>(z: Complex<T>) -> Complex<T> {
    let zero = T::of(0.0);
    if z.im == zero {
        return complex(z.re.sinh(), z.im);
    }
    let (sine, cosine) = z.im.sin_cos();
    if z.re == zero {
        return complex(z.re, sine);
    }
    if z.re.abs() > T::exp_limit() && !z.re.is_infinite() {
        let half = cexp(complex(z.re.abs(), z.im));
        return complex((T::of(0.5) * half.re) * T::of(1.0).copysign(z.re), T::of(0.5) * half.im);
    }
    complex(z.re.sinh() * cosine, z.re.cosh() * sine)
}

fn ccosh<T: Real>(z: Complex<T>) -> Complex<T> {
    let zero = T::of(0.0);
    if z.im == zero {
        return complex(z.re.cosh(), z.im * T::of(1.0).copysign(z.re));
    }
    let (sine, cosine) = z.im.sin_cos();
    if z.re == zero {
        return complex(cosine, z.re * sine);
    }
    if z.re.abs() > T::exp_limit() && !z.re.is_infinite() {
        let half = cexp(complex(z.re.abs(), z.im));
        return complex(T::of(0.5) * half.re, (T::of(0.5) * half.im) * T::of(1.0).copysign(z.re));
    }
    complex(z.re.cosh() * cosine, z.re.sinh() * sine)
}

fn ctanh<T: Real>(z: Complex<T>) -> Complex<T> {
    let one = T::of(1.0);
    if z.re.is_nan() {
        return complex(z.re, if z.im == T::of(0.0) { z.im } else { z.re });
    }
    let (sine, cosine) = z.im.sin_cos();
    if z.re.abs() > T::of(45.0) {
        let tail = T::of(4.0) * sine * cosine * (T::of(-2.0) * z.re.abs()).exp();
        return complex(one.copysign(z.re), if z.im.is_infinite() { T::of(0.0) } else { tail });
    }
    let tangent = sine / cosine;
    let beta = one + tangent * tangent;
    let s = z.re.sinh();
    let rho = (one + s * s).sqrt();
    if tangent.is_infinite() {
        return complex(rho / s, one / tangent);
    }
    let denominator = one + beta * s * s;
    complex(beta * rho * s / denominator, tangent / denominator)
}

fn csin<T: Real>(z: Complex<T>) -> Complex<T> {
    csinh(z.turned()).turned_back()
}

fn ccos<T: Real>(z: Complex<T>) -> Complex<T> {
    ccosh(z.turned())
}

fn ctan<T: Real>(z: Complex<T>) -> Complex<T> {
    ctanh(z.turned()).turned_back()
}

/// √(1 - z) and √(1 + z).
fn roots<T: Real>(z: Complex<T>) -> (Complex<T>, Complex<T>) {
    let one = T::of(1.0);
    (csqrt(complex(one - z.re, -z.im)), csqrt(complex(one + z.re, z.im)))
}

fn casin<T: Real>(z: Complex<T>) -> Complex<T> {
    let (minus, plus) = roots(z);
    complex(
        z.re.atan2(minus.re * plus.re - minus.im * plus.im),
        (minus.re * plus.im - minus.im * plus.re).asinh(),
    )
}

fn cacos<T: Real>(z: Complex<T>) -> Complex<T> {
    let (minus, plus) = roots(z);
    complex(T::of(2.0) * minus.re.atan2(plus.re), (plus.re * minus.im - plus.im * minus.re).asinh())
}

fn cacosh<T: Real>(z: Complex<T>) -> Complex<T> {
    let one = T::of(1.0);
    let (minus, plus) = (csqrt(complex(z.re - one, z.im)), csqrt(complex(z.re + one, z.im)));
    complex((minus.re * plus.re + minus.im * plus.im).asinh(), T::of(2.0) * minus.im.atan2(plus.re))
}

fn casinh<T: Real>(z: Complex<T>) -> Complex<T> {
    casin(z.turned_back()).turned()
}

fn catanh<T: Real>(z: Complex<T>) -> Complex<T> {
    let one = T::of(1.0);
    if z.re.abs() > T::of(1e150) || z.im.abs() > T::of(1e150) {
        // 1/z is all that is left of the real part.
        let size = cabs(z);
        let real = if size.is_infinite() { T::of(0.0) } else { z.re / size / size };
        return complex(real.copysign(z.re), (T::of(0.5) * T::pi()).copysign(z.im));
    }
    let x = z.re.abs();
    let real = T::of(0.25) * (T::of(4.0) * x / ((one - x) * (one - x) + z.im * z.im)).log1p();
    let imaginary = T::of(0.5) * (T::of(2.0) * z.im).atan2((one - x) * (one + x) - z.im * z.im);
    complex(real.copysign(z.re), imaginary)
}

fn catan<T: Real>(z: Complex<T>) -> Complex<T> {
    catanh(z.turned()).turned_back()
}

fn widen(z: Complex<f32>) -> Complex<f64> {
    complex(z.re.into(), z.im.into())
}

fn narrow(z: Complex<f64>) -> Complex<f32> {
    complex(z.re as f32, z.im as f32)
}

macro_rules! complex_functions {
    ($($worker:ident: $($double:ident)+, $($float:ident)+;)*) => {$(
        $(
            #[doc = concat!("C's `", stringify!($double), "`.")]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub extern "C" fn $double(z: Complex<f64>) -> Complex<f64> {
                super::$worker(z)
            }
        )+
        $(
            #[doc = concat!("C's `", stringify!($float), "`.")]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub extern "C" fn $float(z: Complex<f32>) -> Complex<f32> {
                narrow(super::$worker(widen(z)))
            }
        )+
    )*};
    (real $($worker:ident: $($double:ident)+, $($float:ident)+;)*) => {$(
        $(
            #[doc = concat!("C's `", stringify!($double), "`.")]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub extern "C" fn $double(z: Complex<f64>) -> f64 {
                super::$worker(z)
            }
        )+
        $(
            #[doc = concat!("C's `", stringify!($float), "`.")]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub extern "C" fn $float(z: Complex<f32>) -> f32 {
                super::$worker(widen(z)) as f32
            }
        )+
    )*};
}

/// The functions under C's names.
pub mod exported {
    use super::{Complex, complex, narrow, widen};

    complex_functions! {
        cacos: cacos, cacosf;
        cacosh: cacosh, cacoshf;
        casin: casin _casin, casinf _casinf;
        casinh: casinh, casinhf;
        catan: catan _catan, catanf _catanf;
        catanh: catanh, catanhf;
        ccos: ccos, ccosf;
        ccosh: ccosh, ccoshf;
        cexp: cexp, cexpf;
        clog: clog, clogf;
        conj: conj, conjf;
        cproj: cproj, cprojf;
        csin: csin, csinf;
        csinh: csinh, csinhf;
        csqrt: csqrt, csqrtf;
        ctan: ctan, ctanf;
        ctanh: ctanh, ctanhf;
    }

    complex_functions! { real
        cabs: cabs __c99_cabs, cabsf __c99_cabsf;
        carg: carg, cargf;
        cimag: cimag, cimagf;
        creal: creal, crealf;
    }

    /// zʷ.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn cpow(z: Complex<f64>, w: Complex<f64>) -> Complex<f64> {
        super::cpow(z, w)
    }

    /// zʷ of float.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn cpowf(z: Complex<f32>, w: Complex<f32>) -> Complex<f32> {
        narrow(super::cpow(widen(z), widen(w)))
    }

    /// The compiler's multiplication: (a + ib)(c + id).
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn __muldc3(a: f64, b: f64, c: f64, d: f64) -> Complex<f64> {
        super::multiply(complex(a, b), complex(c, d))
    }

    /// The compiler's multiplication of float.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn __mulsc3(a: f32, b: f32, c: f32, d: f32) -> Complex<f32> {
        narrow(super::multiply(widen(complex(a, b)), widen(complex(c, d))))
    }

    /// The compiler's division: (a + ib) / (c + id).
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn __divdc3(a: f64, b: f64, c: f64, d: f64) -> Complex<f64> {
        super::divide(complex(a, b), complex(c, d))
    }

    /// The compiler's division of float.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub extern "C" fn __divsc3(a: f32, b: f32, c: f32, d: f32) -> Complex<f32> {
        narrow(super::divide(widen(complex(a, b)), widen(complex(c, d))))
    }
}

long_functions! { long_bodies:
    complex {
        cacosl = cacos;
        cacoshl = cacosh;
        casinl _casinl = casin;
        casinhl = casinh;
        catanl _catanl = catan;
        catanhl = catanh;
        ccosl = ccos;
        ccoshl = ccosh;
        cexpl = cexp;
        clogl = clog;
        conjl = conj;
        cprojl = cproj;
        csinl = csin;
        csinhl = csinh;
        csqrtl = csqrt;
        ctanl = ctan;
        ctanhl = ctanh;
    }
    complex_binary {
        cpowl = cpow;
        __mulxc3 = multiply;
        __divxc3 = divide;
    }
    real {
        cabsl __c99_cabsl = cabs;
        cargl = carg;
        cimagl = cimag;
        creall = creal;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;

    mod host {
        use super::super::Complex;
        unsafe extern "C" {
            pub fn csqrt(z: Complex<f64>) -> Complex<f64>;
            pub fn cexp(z: Complex<f64>) -> Complex<f64>;
            pub fn clog(z: Complex<f64>) -> Complex<f64>;
            pub fn csin(z: Complex<f64>) -> Complex<f64>;
            pub fn ctan(z: Complex<f64>) -> Complex<f64>;
            pub fn ccosh(z: Complex<f64>) -> Complex<f64>;
            pub fn casin(z: Complex<f64>) -> Complex<f64>;
            pub fn cacos(z: Complex<f64>) -> Complex<f64>;
            pub fn casinh(z: Complex<f64>) -> Complex<f64>;
            pub fn cacosh(z: Complex<f64>) -> Complex<f64>;
            pub fn catan(z: Complex<f64>) -> Complex<f64>;
            pub fn cpow(z: Complex<f64>, w: Complex<f64>) -> Complex<f64>;
            pub fn csqrtf(z: Complex<f32>) -> Complex<f32>;
        }
    }

    type Ours = fn(Complex<f64>) -> Complex<f64>;
    type Hosts = unsafe extern "C" fn(Complex<f64>) -> Complex<f64>;

    #[test]
    fn agrees_with_the_host() {
        let mut random = Random::new(7);
        let pairs: [(&str, Ours, Hosts); 11] = [
            ("csqrt", csqrt, host::csqrt),
            ("cexp", cexp, host::cexp),
            ("clog", clog, host::clog),
            ("csin", csin, host::csin),
            ("ctan", ctan, host::ctan),
            ("ccosh", ccosh, host::ccosh),
            ("casin", casin, host::casin),
            ("cacos", cacos, host::cacos),
            ("casinh", casinh, host::casinh),
            ("cacosh", cacosh, host::cacosh),
            ("catan", catan, host::catan),
        ];
        for _ in 0..5000 {
            let mut part = || (random.next() as f64 / u64::MAX as f64 - 0.5) * 8.0;
            let z = complex(part(), part());
            for (name, ours, theirs) in pairs {
                // SAFETY: pure functions.
                let (ours, theirs) = (ours(z), unsafe { theirs(z) });
                let error = (ours.re - theirs.re).hypot(ours.im - theirs.im) / theirs.re.hypot(theirs.im);
                assert!(error < 4e-15, "{name} {z:?}: {ours:?} {theirs:?}");
            }
            // SAFETY: as above.
            let (ours, theirs) = unsafe { (cpow(z, complex(1.5, 0.5)), host::cpow(z, complex(1.5, 0.5))) };
            assert!((ours.re - theirs.re).hypot(ours.im - theirs.im) / theirs.re.hypot(theirs.im) < 1e-14);
            let single = narrow(z);
            // SAFETY: as above: this checks how complex floats are passed.
            let theirs = unsafe { host::csqrtf(single) };
            assert!((exported::csqrtf(single).re - theirs.re).abs() <= 1e-6);
        }
    }

    #[test]
    fn long_double_agrees_with_double() {
        let z = complex(F80::from_f64(0.75), F80::from_f64(-1.25));
        let narrow = |z: Complex<F80>| complex(z.re.to_f64(), z.im.to_f64());
        for (long, short) in [
            (csqrt(z), csqrt(narrow(z))),
            (cexp(z), cexp(narrow(z))),
            (clog(z), clog(narrow(z))),
            (csin(z), csin(narrow(z))),
            (cacos(z), cacos(narrow(z))),
            (catan(z), catan(narrow(z))),
            (divide(z, csin(z)), divide(narrow(z), csin(narrow(z)))),
        ] {
            let long = narrow(long);
            assert!((long.re - short.re).hypot(long.im - short.im) < 2e-15, "{long:?} {short:?}");
        }
    }

    #[test]
    fn infinities_survive_multiplication() {
        let product = exported::__muldc3(f64::INFINITY, f64::NAN, 1.0, 0.0);
        assert!(product.re.is_infinite());
        assert_eq!(exported::__divdc3(1.0, 2.0, 0.0, 0.0).re, f64::INFINITY);
        assert_eq!(exported::__divdc3(5.0, 5.0, 1.0, 2.0), complex(3.0, -1.0));
        assert_eq!(csqrt(complex(-4.0, -0.0)), complex(0.0, -2.0));
    }
}
