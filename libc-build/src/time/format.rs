//! strftime(3) in the C locale, which is the only one with names of days and months.
//!
//! Follows ISO C 7.27.3.5 with POSIX's and NetBSD's conversions (`%+`, `%k`, `%l`, `%s`, `%v`, `%z`).

use super::local::__mktime50;
use super::owned::__mktime_z50;
use super::text::{DAYS, MONTHS};
use super::{Tm, civil};
use core::ffi::{CStr, c_char, c_int, c_void};

/// Text that grows to a limit.
struct Output {
    at: *mut u8,
    left: usize,
    /// Whether something did not fit.
    full: bool,
}

impl Output {
    fn byte(&mut self, byte: u8) {
        // One byte is kept for the end.
        if self.left < 2 {
            self.full = true;
            return;
        }
        // SAFETY: `left` bytes at `at` are the caller's.
        unsafe {
            self.at.write(byte);
            self.at = self.at.add(1);
        }
        self.left -= 1;
    }

    fn text(&mut self, text: &[u8]) {
        for &byte in text {
            self.byte(byte);
        }
    }

    /// A number of at least `width` places, filled with `fill`.
    fn number(&mut self, value: i64, width: usize, fill: u8) {
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.byte(b'-');
        }
        for _ in digits.len() - start..width {
            self.byte(fill);
        }
        self.text(digits.get(start..).unwrap_or_default());
    }
}

/// The zone for `%s`: the program's, or one from tzalloc(3).
#[derive(Clone, Copy)]
enum InZone {
    Program,
    Own(*const c_void),
}

/// A name out of a list, or a question mark.
fn name(names: &[&'static str], index: c_int) -> &'static [u8] {
    usize::try_from(index).ok().and_then(|index| names.get(index)).map_or(b"?", |name| name.as_bytes())
}

fn short(name: &'static [u8]) -> &'static [u8] {
    name.get(..3).unwrap_or(name)
}

/// The year and week of ISO 8601.
fn iso_week(tm: &Tm) -> (i64, i64) {
    let year = 1900 + i64::from(tm.tm_year);
    // Days since Monday; the week belongs to the year of its Thursday.
    let weekday = i64::from(tm.tm_wday + 6) % 7;
    let thursday = i64::from(tm.tm_yday) - weekday + 3;
    if thursday < 0 {
        let length = 365 + i64::from(civil::is_leap(year - 1));
        (year - 1, (thursday + length) / 7 + 1)
    } else {
        let length = 365 + i64::from(civil::is_leap(year));
        if thursday >= length { (year + 1, 1) } else { (year, thursday / 7 + 1) }
    }
}

/// Writes `tm` by `format`.
///
/// # Safety
/// `tm_zone` is null or a C string, where the format asks for it.
unsafe fn write(out: &mut Output, format: &[u8], tm: &Tm, zone: InZone) {
    // SAFETY: as this function's own.
    let nested = |out: &mut Output, format: &[u8]| unsafe { write(out, format, tm, zone) };
    let year = 1900 + i64::from(tm.tm_year);
    let hour_12 = i64::from((tm.tm_hour + 11).rem_euclid(12) + 1);
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.byte(byte);
            continue;
        }
        let mut conversion = bytes.next();
        while matches!(conversion, Some(b'E' | b'O')) {
            conversion = bytes.next();
        }
        let Some(conversion) = conversion else {
            out.byte(b'%');
            return;
        };
        match conversion {
            b'A' => out.text(name(&DAYS, tm.tm_wday)),
            b'a' => out.text(short(name(&DAYS, tm.tm_wday))),
            b'B' => out.text(name(&MONTHS, tm.tm_mon)),
            b'b' | b'h' => out.text(short(name(&MONTHS, tm.tm_mon))),
            b'C' => out.number(year.div_euclid(100), 2, b'0'),
            b'c' => nested(out, b"%a %b %e %H:%M:%S %Y"),
            b'D' | b'x' => nested(out, b"%m/%d/%y"),
            b'd' => out.number(tm.tm_mday.into(), 2, b'0'),
            b'e' => out.number(tm.tm_mday.into(), 2, b' '),
            b'F' => nested(out, b"%Y-%m-%d"),
            b'G' => out.number(iso_week(tm).0, 4, b'0'),
            b'g' => out.number(iso_week(tm).0.rem_euclid(100), 2, b'0'),
            b'H' => out.number(tm.tm_hour.into(), 2, b'0'),
            b'I' => out.number(hour_12, 2, b'0'),
            b'j' => out.number(i64::from(tm.tm_yday) + 1, 3, b'0'),
            b'k' => out.number(tm.tm_hour.into(), 2, b' '),
            b'l' => out.number(hour_12, 2, b' '),
            b'M' => out.number(tm.tm_min.into(), 2, b'0'),
            b'm' => out.number(i64::from(tm.tm_mon) + 1, 2, b'0'),
            b'n' => out.byte(b'\n'),
            b'p' => out.text(if tm.tm_hour >= 12 { b"PM" } else { b"AM" }),
            b'R' => nested(out, b"%H:%M"),
            b'r' => nested(out, b"%I:%M:%S %p"),
            b'S' => out.number(tm.tm_sec.into(), 2, b'0'),
            b's' => {
                let mut copy = *tm;
                // SAFETY: a copy of our own; the zone is as the caller has it.
                let time = unsafe {
                    match zone {
                        InZone::Program => __mktime50(&raw mut copy),
                        InZone::Own(zone) => __mktime_z50(zone, &raw mut copy),
                    }
                };
                out.number(time, 1, b'0');
            }
            b'T' | b'X' => nested(out, b"%H:%M:%S"),
            b't' => out.byte(b'\t'),
            b'U' => out.number(i64::from((tm.tm_yday + 7 - tm.tm_wday) / 7), 2, b'0'),
            b'u' => out.number(i64::from((tm.tm_wday + 6).rem_euclid(7) + 1), 1, b'0'),
            b'V' => out.number(iso_week(tm).1, 2, b'0'),
            b'v' => nested(out, b"%e-%b-%Y"),
            b'W' => out.number(i64::from((tm.tm_yday + 7 - (tm.tm_wday + 6).rem_euclid(7)) / 7), 2, b'0'),
            b'w' => out.number(tm.tm_wday.into(), 1, b'0'),
            b'Y' => out.number(year, 4, b'0'),
            b'y' => out.number(year.rem_euclid(100), 2, b'0'),
            b'Z' => {
                if !tm.tm_zone.is_null() {
                    // SAFETY: a C string (contract).
                    out.text(unsafe { CStr::from_ptr(tm.tm_zone) }.to_bytes());
                }
            }
            b'z' => {
                if tm.tm_isdst >= 0 {
                    let minutes = tm.tm_gmtoff / 60;
                    out.byte(if tm.tm_gmtoff < 0 { b'-' } else { b'+' });
                    out.number(minutes.abs() / 60 * 100 + minutes.abs() % 60, 4, b'0');
                }
            }
            b'+' => nested(out, b"%a %b %e %H:%M:%S %Z %Y"),
            other => out.byte(other),
        }
    }
}

/// [`strftime`] for either kind of zone.
///
/// # Safety
/// As strftime(3).
unsafe fn format_into(
    target: *mut c_char,
    size: usize,
    format: *const c_char,
    tm: *const Tm,
    zone: InZone,
) -> usize {
    if size == 0 {
        crate::errno::set(crate::errno::ERANGE);
        return 0;
    }
    let mut out = Output { at: target.cast(), left: size, full: false };
    // SAFETY: as this function's own; one byte is left for the end.
    unsafe {
        write(&mut out, CStr::from_ptr(format).to_bytes(), &*tm, zone);
        out.at.write(0);
    }
    if out.full {
        crate::errno::set(crate::errno::ERANGE);
        return 0;
    }
    size - out.left
}

/// Writes a broken-down time by `format`; the number of bytes, or 0 where they do not fit.
///
/// # Safety
/// `target` has `size` bytes; the others are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strftime(
    target: *mut c_char,
    size: usize,
    format: *const c_char,
    tm: *const Tm,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { format_into(target, size, format, tm, InZone::Program) }
}

/// strftime(3) in a given locale: names are the same in all.
///
/// # Safety
/// As strftime(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strftime_l(
    target: *mut c_char,
    size: usize,
    format: *const c_char,
    tm: *const Tm,
    _locale: *mut c_void,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { strftime(target, size, format, tm) }
}

/// strftime(3) in a given zone.
///
/// # Safety
/// As strftime(3); `zone` is from tzalloc(3), or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strftime_z(
    zone: *const c_void,
    target: *mut c_char,
    size: usize,
    format: *const c_char,
    tm: *const Tm,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { format_into(target, size, format, tm, InZone::Own(zone)) }
}

/// strftime(3) in a given zone and locale.
///
/// # Safety
/// As strftime_z(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strftime_lz(
    zone: *const c_void,
    target: *mut c_char,
    size: usize,
    format: *const c_char,
    tm: *const Tm,
    _locale: *mut c_void,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { strftime_z(zone, target, size, format, tm) }
}

#[cfg(test)]
mod tests {
    use super::super::universal::__gmtime_r50;
    use super::*;
    use crate::string::testing::Random;

    mod host {
        use super::{Tm, c_char};
        unsafe extern "C" {
            pub fn strftime(target: *mut c_char, size: usize, format: *const c_char, tm: *const Tm) -> usize;
        }
    }

    #[test]
    fn agrees_with_the_host_where_both_have_the_conversion() {
        let mut random = Random::new(11);
        let format = c"%A %a %B %b %C %c %D %d %e %F %G %g %H %I %j %k %l %M %m %n %p %R %r %S %T %t %U %u %V %W %w %X %x %Y %y %Z %z %% %Ey %Od";
        for _ in 0..5000 {
            let time = random.next().cast_signed() % 30_000_000_000;
            let (mut tm, mut ours, mut theirs) = (Tm::ZERO, [0; 400], [0; 400]);
            // SAFETY: valid structures and sizes.
            unsafe {
                __gmtime_r50(&raw const time, &raw mut tm);
                let length = strftime(ours.as_mut_ptr(), 400, format.as_ptr(), &raw const tm);
                assert_eq!(length, host::strftime(theirs.as_mut_ptr(), 400, format.as_ptr(), &raw const tm));
                assert_eq!(CStr::from_ptr(ours.as_ptr()), CStr::from_ptr(theirs.as_ptr()));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_nothing() {
        let tm = Tm::ZERO;
        let mut text = [1; 8];
        // SAFETY: sizes fit.
        unsafe {
            assert_eq!(strftime(text.as_mut_ptr(), 5, c"%Y".as_ptr(), &raw const tm), 4);
            assert_eq!(strftime(text.as_mut_ptr(), 4, c"%Y".as_ptr(), &raw const tm), 0);
        }
    }
}
