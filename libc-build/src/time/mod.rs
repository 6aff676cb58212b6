//! time.h: calendar time, time zones, and their text.
//!
//! [`civil`] turns seconds into dates and back (the proleptic Gregorian calendar); [`zone`] says which offset holds when, from a POSIX TZ string
//! ([`rule`]) or a TZif file ([`tzif`]); [`program`] is the program's
//! zone, [`owned`] are others; [`local`] and [`universal`] are the functions that use them; [`format`] and
//! [`parse`] are strftime(3) and strptime(3).

pub mod civil;
pub mod format;
pub mod local;
pub mod now;
pub mod owned;
pub mod parse;
pub mod program;
pub mod rule;
pub mod text;
pub mod tzif;
pub mod universal;
pub mod zone;

use core::ffi::{c_char, c_int, c_long};

/// `time_t`.
pub type Time = i64;

/// `struct tm`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tm {
    /// Seconds, 0 to 60.
    pub tm_sec: c_int,
    /// Minutes.
    pub tm_min: c_int,
    /// Hours.
    pub tm_hour: c_int,
    /// Day of the month, from 1.
    pub tm_mday: c_int,
    /// Month, from 0.
    pub tm_mon: c_int,
    /// Years since 1900.
    pub tm_year: c_int,
    /// Day of the week, Sunday is 0.
    pub tm_wday: c_int,
    /// Day of the year, from 0.
    pub tm_yday: c_int,
    /// Whether summer time is in force; negative for unknown.
    pub tm_isdst: c_int,
    /// Seconds east of Greenwich.
    pub tm_gmtoff: c_long,
    /// The zone's abbreviation.
    pub tm_zone: *const c_char,
}

impl Tm {
    /// All zeros.
    pub const ZERO: Self = Self {
        tm_sec: 0,
        tm_min: 0,
        tm_hour: 0,
        tm_mday: 0,
        tm_mon: 0,
        tm_year: 0,
        tm_wday: 0,
        tm_yday: 0,
        tm_isdst: 0,
        tm_gmtoff: 0,
        tm_zone: core::ptr::null(),
    };
}

const _: () = assert!(size_of::<Tm>() == 56);
