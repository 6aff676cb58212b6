//! strtod(3) and its relatives, narrow.
//!
//! A long double is returned in st(0), which no Rust signature can say: a shim lets a Rust function store it, then loads it.

use super::parse::{Found, Kind, Text, Value, double, float, long_double, scan};
use crate::errno::{self, ERANGE};
use crate::va::LongDouble;
use core::ffi::{c_char, c_void};

/// A string, read no further than a number in it goes.
struct Characters(*const c_char);

impl Text for Characters {
    #[inline]
    fn at(&self, i: usize) -> u8 {
        // SAFETY: the reader has seen that no character before this one is the string's zero.
        unsafe { *self.0.cast::<u8>().wrapping_add(i) }
    }
}

/// Reports where a number ends, and whether it was out of range.
///
/// # Safety
/// `end` is null or valid for a write.
pub(crate) unsafe fn conclude<C, T>(start: *const C, end: *mut *const C, found: Found, value: Value<T>) -> T {
    if !end.is_null() {
        // A text without a number is given back whole, white space and all.
        let len = if found.kind == Kind::Nothing { 0 } else { found.end };
        // SAFETY: as this function's own.
        unsafe { *end = start.wrapping_add(len) };
    }
    if value.out_of_range {
        errno::set(ERANGE);
    }
    value.value
}

/// strtod(3).
///
/// # Safety
/// `text` is a string, `end` null or valid for a write.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtod(text: *const c_char, end: *mut *const c_char) -> f64 {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own.
    unsafe { conclude(text, end, found, double(&characters, found)) }
}

/// strtof(3).
///
/// # Safety
/// As for [`strtod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtof(text: *const c_char, end: *mut *const c_char) -> f32 {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own.
    unsafe { conclude(text, end, found, float(&characters, found)) }
}

/// strtod_l(3). The decimal point is the same in every locale.
///
/// # Safety
/// As for [`strtod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtod_l(
    text: *const c_char,
    end: *mut *const c_char,
    _locale: *const c_void,
) -> f64 {
    // SAFETY: as this function's own.
    unsafe { strtod(text, end) }
}

/// strtof_l(3).
///
/// # Safety
/// As for [`strtod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtof_l(
    text: *const c_char,
    end: *mut *const c_char,
    _locale: *const c_void,
) -> f32 {
    // SAFETY: as this function's own.
    unsafe { strtof(text, end) }
}

/// atof(3).
///
/// # Safety
/// `text` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn atof(text: *const c_char) -> f64 {
    // SAFETY: as this function's own.
    unsafe { strtod(text, core::ptr::null_mut()) }
}

/// Stores the long double that `text` begins with.
///
/// # Safety
/// As for [`strtod`].
unsafe extern "C" fn store_long_double(text: *const c_char, end: *mut *const c_char, value: *mut LongDouble) {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own; `value` is the shim's.
    unsafe { value.write(conclude(text, end, found, long_double(&characters, found))) }
}

/// Makes functions of two arguments (others are not looked at) that return a long double, which `$store` stores at its third.
macro_rules! returns_long_double {
    ($($(#[$meta:meta])* $name:ident => $store:path;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// The first argument is a string, the second null or valid for a write.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!(
                "sub rsp, 24",
                "mov rdx, rsp",
                "call {store}",
                "fld tbyte ptr [rsp]",
                "add rsp, 24",
                "ret",
                store = sym $store,
            )
        }
    )*};
}
pub(crate) use returns_long_double;

returns_long_double! {
    /// strtold(3).
    strtold => store_long_double;
    /// strtold_l(3).
    strtold_l => store_long_double;
}
