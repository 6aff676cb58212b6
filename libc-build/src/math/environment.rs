//! fenv.h and ieeefp.h: exceptions, rounding and traps, in the x87 and in SSE at once.
//!
//! Layout of `fenv_t` and the values of the macros are those of NetBSD's amd64/fenv.h and x86/ieeefp.h: flags are the bits of the
//! status word, rounding modes the bits of the x87's control word; MXCSR has them shifted by 7 (masks) and 3 (rounding).

use core::arch::asm;
use core::ffi::c_int;

/// FE_INVALID.
pub const FE_INVALID: c_int = 0x01;
/// FE_DIVBYZERO.
pub const FE_DIVBYZERO: c_int = 0x04;
/// FE_OVERFLOW.
pub const FE_OVERFLOW: c_int = 0x08;
/// FE_UNDERFLOW.
pub const FE_UNDERFLOW: c_int = 0x10;
/// FE_INEXACT.
pub const FE_INEXACT: c_int = 0x20;

/// FE_ALL_EXCEPT; the bit between belongs to denormal operands.
const ALL: u32 = 0x3d;
const ROUNDING: u32 = 0xc00;
const SSE_ROUND_SHIFT: u32 = 3;
const SSE_MASK_SHIFT: u32 = 7;

/// The x87's environment as `fnstenv` stores it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct X87 {
    control: u32,
    status: u32,
    tag: u32,
    others: [u32; 4],
}

/// `fenv_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Environment {
    x87: X87,
    mxcsr: u32,
}

/// The environment at the start of a program.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static __fe_dfl_env: Environment =
    Environment { x87: X87 { control: 0x037f, status: 0, tag: 0xffff, others: [0; 4] }, mxcsr: 0x1f80 };

fn control() -> u32 {
    let mut word = 0_u16;
    // SAFETY: stores two bytes.
    unsafe { asm!("fnstcw [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word.into()
}

fn set_control(word: u32) {
    let word = word as u16;
    // SAFETY: loads two bytes; the caller wants the mode changed.
    unsafe { asm!("fldcw [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
}

fn status() -> u32 {
    let mut word = 0_u16;
    // SAFETY: stores two bytes.
    unsafe { asm!("fnstsw [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word.into()
}

fn mxcsr() -> u32 {
    let mut word = 0_u32;
    // SAFETY: stores four bytes.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word
}

fn set_mxcsr(word: u32) {
    // SAFETY: loads four bytes without reserved bits (they come from MXCSR or from masks).
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
}

fn x87() -> X87 {
    let mut area = X87 { control: 0, status: 0, tag: 0, others: [0; 4] };
    // SAFETY: stores 28 bytes, and masks all exceptions, which the next instruction undoes.
    unsafe {
        asm!("fnstenv [{0}]", "fldenv [{0}]", in(reg) &raw mut area, options(nostack, preserves_flags))
    };
    area
}

fn set_x87(area: &X87) {
    // SAFETY: loads 28 bytes that have the layout.
    unsafe { asm!("fldenv [{}]", in(reg) area, options(nostack, preserves_flags)) };
}

fn exceptions(which: c_int) -> u32 {
    which.cast_unsigned() & ALL
}

/// Clears exception flags.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn feclearexcept(which: c_int) -> c_int {
    let which = exceptions(which);
    if status() & which != 0 {
        let mut area = x87();
        area.status &= !which;
        set_x87(&area);
    }
    set_mxcsr(mxcsr() & !which);
    0
}

/// The exception flags of `which` that are raised.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fetestexcept(which: c_int) -> c_int {
    ((status() | mxcsr()) & exceptions(which)).cast_signed()
}

/// Stores flags.
///
/// # Safety
/// `flags` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fegetexceptflag(flags: *mut u32, which: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { *flags = fetestexcept(which).cast_unsigned() };
    0
}

/// Sets flags to what was stored, without trapping.
///
/// # Safety
/// `flags` is readable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fesetexceptflag(flags: *const u32, which: c_int) -> c_int {
    // SAFETY: as this function's own.
    let wanted = unsafe { *flags } & exceptions(which);
    feclearexcept(which);
    set_mxcsr(mxcsr() | wanted);
    0
}

/// Raises exceptions, with the traps that are enabled.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn feraiseexcept(which: c_int) -> c_int {
    let mut area = x87();
    area.status |= exceptions(which);
    set_x87(&area);
    // SAFETY: traps where the program asked for traps.
    unsafe { asm!("fwait", options(nostack, preserves_flags)) };
    0
}

/// The rounding mode.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fegetround() -> c_int {
    (control() & ROUNDING).cast_signed()
}

/// Sets the rounding mode.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fesetround(mode: c_int) -> c_int {
    let mode = mode.cast_unsigned();
    if mode & !ROUNDING != 0 {
        return -1;
    }
    set_control(control() & !ROUNDING | mode);
    set_mxcsr(mxcsr() & !(ROUNDING << SSE_ROUND_SHIFT) | mode << SSE_ROUND_SHIFT);
    0
}

/// Stores the environment.
///
/// # Safety
/// `target` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fegetenv(target: *mut Environment) -> c_int {
    // SAFETY: as this function's own.
    unsafe { *target = Environment { x87: x87(), mxcsr: mxcsr() } };
    0
}

/// Stores the environment, clears the flags and masks all traps.
///
/// # Safety
/// `target` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn feholdexcept(target: *mut Environment) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fegetenv(target) };
    feclearexcept(ALL.cast_signed());
    fedisableexcept(ALL.cast_signed());
    0
}

/// Sets the environment.
///
/// # Safety
/// `source` is an environment.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fesetenv(source: *const Environment) -> c_int {
    // SAFETY: as this function's own.
    let source = unsafe { &*source };
    set_x87(&source.x87);
    set_mxcsr(source.mxcsr);
    0
}

/// Sets the environment and raises what was raised before.
///
/// # Safety
/// `source` is an environment.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn feupdateenv(source: *const Environment) -> c_int {
    let raised = fetestexcept(ALL.cast_signed());
    // SAFETY: as this function's own.
    unsafe { fesetenv(source) };
    feraiseexcept(raised)
}

/// Makes exceptions trap; returns those that did before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn feenableexcept(which: c_int) -> c_int {
    let before = fegetexcept();
    set_control(control() & !exceptions(which));
    set_mxcsr(mxcsr() & !(exceptions(which) << SSE_MASK_SHIFT));
    before
}

/// Keeps exceptions from trapping; returns those that did before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fedisableexcept(which: c_int) -> c_int {
    let before = fegetexcept();
    set_control(control() | exceptions(which));
    set_mxcsr(mxcsr() | exceptions(which) << SSE_MASK_SHIFT);
    before
}

/// The exceptions that trap.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fegetexcept() -> c_int {
    (!control() & ALL).cast_signed()
}

/// ieeefp.h's rounding mode: 0 nearest, 1 down, 2 up, 3 to zero.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpgetround() -> c_int {
    fegetround() >> 10
}

/// Sets ieeefp.h's rounding mode; returns the one before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpsetround(mode: c_int) -> c_int {
    let before = fpgetround();
    fesetround((mode & 3) << 10);
    before
}

/// The exceptions that trap, as ieeefp.h counts them.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpgetmask() -> c_int {
    (!control() & 0x3f).cast_signed()
}

/// Sets the exceptions that trap; returns those before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpsetmask(mask: c_int) -> c_int {
    let before = fpgetmask();
    let masked = !mask.cast_unsigned() & 0x3f;
    set_control(control() & !0x3f | masked);
    set_mxcsr(mxcsr() & !(0x3f << SSE_MASK_SHIFT) | masked << SSE_MASK_SHIFT);
    before
}

/// The flags that are raised, as ieeefp.h counts them.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpgetsticky() -> c_int {
    ((status() | mxcsr()) & 0x3f).cast_signed()
}

/// Sets the flags; returns those before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpsetsticky(flags: c_int) -> c_int {
    let before = fpgetsticky();
    let mut area = x87();
    area.status &= !0x3f;
    set_x87(&area);
    set_mxcsr(mxcsr() & !0x3f | flags.cast_unsigned() & 0x3f);
    before
}

/// The x87's precision: 0 for 24 bits, 2 for 53, 3 for 64.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpgetprec() -> c_int {
    (control() >> 8 & 3).cast_signed()
}

/// Sets the x87's precision; returns the one before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fpsetprec(precision: c_int) -> c_int {
    let before = fpgetprec();
    set_control(control() & !0x300 | (precision.cast_unsigned() & 3) << 8);
    before
}

macro_rules! underscored {
    ($($alias:ident = $name:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("`", stringify!($name), "` as libm's own code calls it.")]
        ///
        /// # Safety
        /// As the function that it stands for.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $alias($($arg: $type),*) -> c_int {
            #[allow(unused_unsafe, reason = "some of them are safe")]
            // SAFETY: as this function's own.
            unsafe { $name($($arg),*) }
        }
    )*};
}

underscored! {
    _feclearexcept = feclearexcept(which: c_int);
    _fetestexcept = fetestexcept(which: c_int);
    _fegetexceptflag = fegetexceptflag(flags: *mut u32, which: c_int);
    _fesetexceptflag = fesetexceptflag(flags: *const u32, which: c_int);
    _feraiseexcept = feraiseexcept(which: c_int);
    _fegetround = fegetround();
    _fesetround = fesetround(mode: c_int);
    _fegetenv = fegetenv(target: *mut Environment);
    _feholdexcept = feholdexcept(target: *mut Environment);
    _fesetenv = fesetenv(source: *const Environment);
    _feupdateenv = feupdateenv(source: *const Environment);
    _feenableexcept = feenableexcept(which: c_int);
    _fedisableexcept = fedisableexcept(which: c_int);
    _fegetexcept = fegetexcept();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_environments() {
        let mut kept = __fe_dfl_env;
        // SAFETY: writable and filled environments.
        unsafe {
            assert_eq!(size_of::<Environment>(), 32);
            feclearexcept(0x3d);
            feraiseexcept(FE_OVERFLOW | FE_INVALID);
            assert_eq!(fetestexcept(0x3d), FE_OVERFLOW | FE_INVALID);
            feholdexcept(&raw mut kept);
            assert_eq!(fetestexcept(0x3d), 0);
            feraiseexcept(FE_DIVBYZERO);
            feupdateenv(&raw const kept);
            assert_eq!(fetestexcept(0x3d), FE_OVERFLOW | FE_INVALID | FE_DIVBYZERO);
            let mut flags = 0;
            fegetexceptflag(&raw mut flags, FE_INVALID);
            feclearexcept(0x3d);
            fesetexceptflag(&raw const flags, FE_INVALID | FE_INEXACT);
            assert_eq!(fetestexcept(0x3d), FE_INVALID);
            fesetenv(&raw const __fe_dfl_env);
            assert_eq!((fetestexcept(0x3d), fegetexcept(), fegetround(), fpgetprec()), (0, 0, 0, 3));
            assert_eq!(fesetround(7), -1);
            assert_eq!((fpsetround(2), fegetround(), fpsetround(0)), (0, 0x800, 2));
        }
    }
}
