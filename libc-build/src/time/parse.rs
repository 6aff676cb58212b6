//! strptime(3) in the C locale, by POSIX with NetBSD's conversions.

use super::local::__localtime_r50;
use super::program::tzname_of;
use super::text::{DAYS, MONTHS};
use super::{Tm, civil};
use crate::stdlib::convert::is_space;
use crate::string::compare::strncasecmp;
use core::ffi::{CStr, c_char, c_int, c_void};

/// What was found of the date, to compute the rest from at the end.
#[derive(Default)]
struct Found {
    century: Option<i64>,
    /// `%y` was seen, or `%Y`.
    year: bool,
    month: bool,
    day: bool,
    of_year: bool,
    weekday: bool,
    /// `%p`: whether afternoon.
    afternoon: Option<bool>,
    /// `%U` or `%W`: the week, and the day that it starts with.
    week: Option<(i64, i64)>,
}

/// The text that is left.
struct Input(*const c_char);

impl Input {
    fn peek(&self) -> u8 {
        // SAFETY: no byte before was the end.
        unsafe { *self.0 as u8 }
    }

    fn skip(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }

    fn spaces(&mut self) {
        while is_space(self.peek() as c_char) {
            self.skip();
        }
    }

    /// A number of at most `places` digits between `low` and `high`.
    fn number(&mut self, low: i64, high: i64, places: u32) -> Option<i64> {
        self.spaces();
        let (mut value, mut count) = (0_i64, 0);
        while count < places && self.peek().is_ascii_digit() {
            value = value * 10 + i64::from(self.peek() - b'0');
            self.skip();
            count += 1;
        }
        (count > 0 && (low..=high).contains(&value)).then_some(value)
    }

    /// The place of a name in a list, in full or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<c_int> {
        for (index, name) in names.iter().enumerate() {
            for length in [name.len(), 3] {
                // SAFETY: a C string, and as many bytes as are compared.
                if unsafe { strncasecmp(self.0, name.as_ptr().cast(), length) } == 0 {
                    self.0 = self.0.wrapping_add(length);
                    return c_int::try_from(index).ok();
                }
            }
        }
        None
    }

    /// `AM` or `PM`.
    fn afternoon(&mut self) -> Option<bool> {
        let afternoon = match self.peek() {
            b'A' | b'a' => false,
            b'P' | b'p' => true,
            _ => return None,
        };
        self.skip();
        matches!(self.peek(), b'M' | b'm').then(|| self.skip())?;
        Some(afternoon)
    }

    fn literal(&mut self, byte: u8) -> Option<()> {
        if self.peek() != byte {
            return None;
        }
        self.skip();
        Some(())
    }
}

fn to_int(value: i64) -> c_int {
    value as c_int
}

/// Reads by `format`.
fn read(input: &mut Input, format: &[u8], tm: &mut Tm, found: &mut Found) -> Option<()> {
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        if is_space(byte as c_char) {
            input.spaces();
            continue;
        }
        if byte != b'%' {
            input.literal(byte)?;
            continue;
        }
        let mut conversion = bytes.next()?;
        while matches!(conversion, b'E' | b'O') {
            conversion = bytes.next()?;
        }
        match conversion {
            b'%' => input.literal(b'%')?,
            b'A' | b'a' => {
                tm.tm_wday = input.name(&DAYS)?;
                found.weekday = true;
            }
            b'B' | b'b' | b'h' => {
                tm.tm_mon = input.name(&MONTHS)?;
                found.month = true;
            }
            b'C' => found.century = Some(input.number(0, 99, 2)?),
            b'c' => read(input, b"%a %b %e %H:%M:%S %Y", tm, found)?,
            b'D' | b'x' => read(input, b"%m/%d/%y", tm, found)?,
            b'd' | b'e' => {
                tm.tm_mday = to_int(input.number(1, 31, 2)?);
                found.day = true;
            }
            b'F' => read(input, b"%Y-%m-%d", tm, found)?,
            b'G' => {
                input.number(0, 9999, 4)?;
            }
            b'g' => {
                input.number(0, 99, 2)?;
            }
            b'H' | b'k' => tm.tm_hour = to_int(input.number(0, 23, 2)?),
            b'I' | b'l' => tm.tm_hour = to_int(input.number(1, 12, 2)? % 12),
            b'j' => {
                tm.tm_yday = to_int(input.number(1, 366, 3)? - 1);
                found.of_year = true;
            }
            b'M' => tm.tm_min = to_int(input.number(0, 59, 2)?),
            b'm' => {
                tm.tm_mon = to_int(input.number(1, 12, 2)? - 1);
                found.month = true;
            }
            b'n' | b't' => input.spaces(),
            b'p' => found.afternoon = Some(input.afternoon()?),
            b'R' => read(input, b"%H:%M", tm, found)?,
            b'r' => read(input, b"%I:%M:%S %p", tm, found)?,
            b'S' => tm.tm_sec = to_int(input.number(0, 61, 2)?),
            b's' => {
                let time = input.number(0, i64::MAX, 18)?;
                // SAFETY: valid structures.
                if unsafe { __localtime_r50(&raw const time, tm) }.is_null() {
                    return None;
                }
                (found.year, found.month, found.day) = (true, true, true);
            }
            b'T' | b'X' => read(input, b"%H:%M:%S", tm, found)?,
            b'U' | b'W' => found.week = Some((input.number(0, 53, 2)?, i64::from(conversion == b'W'))),
            b'u' => {
                tm.tm_wday = to_int(input.number(1, 7, 1)? % 7);
                found.weekday = true;
            }
            b'V' => {
                input.number(0, 53, 2)?;
            }
            b'v' => read(input, b"%e-%b-%Y", tm, found)?,
            b'w' => {
                tm.tm_wday = to_int(input.number(0, 6, 1)?);
                found.weekday = true;
            }
            b'Y' => {
                tm.tm_year = to_int(input.number(0, 9999, 4)? - 1900);
                (found.year, found.century) = (true, None);
            }
            b'y' => {
                let year = input.number(0, 99, 2)?;
                tm.tm_year = to_int(if year < 69 { year + 100 } else { year });
                found.year = true;
            }
            b'Z' => zone_name(input, tm)?,
            b'z' => zone_offset(input, tm)?,
            _ => return None,
        }
    }
    Some(())
}

/// `UTC`, `GMT`, or one of the program's zone's names.
fn zone_name(input: &mut Input, tm: &mut Tm) -> Option<()> {
    let candidates = [c"UTC".as_ptr(), c"GMT".as_ptr(), tzname_of(0), tzname_of(1)];
    for (index, name) in candidates.into_iter().enumerate() {
        // SAFETY: constants and the zone's names.
        let text = unsafe { CStr::from_ptr(name) };
        // SAFETY: C strings.
        if unsafe { strncasecmp(input.0, name, text.count_bytes()) } == 0 {
            input.0 = input.0.wrapping_add(text.count_bytes());
            tm.tm_isdst = c_int::from(index == 3);
            tm.tm_zone = name;
            if index < 2 {
                tm.tm_gmtoff = 0;
            }
            return Some(());
        }
    }
    None
}

/// `Z`, `+hh`, `+hhmm` or `+hh:mm`.
fn zone_offset(input: &mut Input, tm: &mut Tm) -> Option<()> {
    input.spaces();
    let sign = match input.peek() {
        b'Z' | b'z' => {
            input.skip();
            (tm.tm_isdst, tm.tm_gmtoff, tm.tm_zone) = (0, 0, c"UTC".as_ptr());
            return Some(());
        }
        b'+' => 1,
        b'-' => -1,
        _ => return zone_name(input, tm),
    };
    input.skip();
    let two = |input: &mut Input| input.peek().is_ascii_digit().then(|| input.number(0, 99, 2)).flatten();
    let hours = two(input)?;
    if input.peek() == b':' {
        input.skip();
    }
    let minutes = if input.peek().is_ascii_digit() { two(input)? } else { 0 };
    tm.tm_isdst = 0;
    tm.tm_gmtoff = sign * (hours * 3600 + minutes * 60);
    tm.tm_zone = core::ptr::null();
    Some(())
}

/// Reads a broken-down time from text by `format`; returns the text that is left, or null.
///
/// # Safety
/// Both are C strings, `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strptime(text: *const c_char, format: *const c_char, tm: *mut Tm) -> *mut c_char {
    let (mut input, mut found) = (Input(text), Found::default());
    // SAFETY: as this function's own.
    let (format, tm) = unsafe { (CStr::from_ptr(format).to_bytes(), &mut *tm) };
    if read(&mut input, format, tm, &mut found).is_none() {
        return core::ptr::null_mut();
    }
    if let Some(afternoon) = found.afternoon {
        tm.tm_hour = tm.tm_hour % 12 + if afternoon { 12 } else { 0 };
    }
    if let Some(century) = found.century {
        tm.tm_year = to_int(century * 100 - 1900) + if found.year { tm.tm_year.rem_euclid(100) } else { 0 };
        found.year = true;
    }
    complete(tm, &found);
    input.0.cast_mut()
}

/// Computes the fields that follow from those that were read.
fn complete(tm: &mut Tm, found: &Found) {
    if !found.year {
        return;
    }
    let year = 1900 + i64::from(tm.tm_year);
    let first = civil::days_of(year, 0, 1);
    let days = if found.month && found.day {
        civil::days_of(year, tm.tm_mon.into(), tm.tm_mday.into())
    } else if found.of_year {
        first + i64::from(tm.tm_yday)
    } else if let (Some((week, start)), true) = (found.week, found.weekday) {
        let first_weekday = (first + 4).rem_euclid(7);
        first + (7 + start - first_weekday) % 7 + (week - 1) * 7 + (i64::from(tm.tm_wday) + 7 - start) % 7
    } else {
        return;
    };
    let (_, month, day, of_year) = civil::date_of(days);
    (tm.tm_mon, tm.tm_mday, tm.tm_yday, tm.tm_wday) = (month, day, of_year, to_int((days + 4).rem_euclid(7)));
}

/// strptime(3) in a given locale: names are the same in all.
///
/// # Safety
/// As strptime(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strptime_l(
    text: *const c_char,
    format: *const c_char,
    tm: *mut Tm,
    _locale: *mut c_void,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strptime(text, format, tm) }
}

#[cfg(test)]
mod tests {
    use super::super::format::strftime;
    use super::super::universal::__gmtime_r50;
    use super::*;
    use crate::string::testing::Random;

    #[test]
    fn reads_what_strftime_wrote() {
        let mut random = Random::new(12);
        for format in [
            c"%Y-%m-%d %H:%M:%S",
            c"%a, %d %b %Y %I:%M:%S %p",
            c"%C%y %j %T",
            c"%A %U %Y %R:%S",
            c"%c",
            c"%D %r",
            c"%s",
        ] {
            for _ in 0..1000 {
                let time = (random.next() % 1_800_000_000).cast_signed()
                    + if format == c"%D %r" { 200_000_000 } else { 0 };
                let (mut tm, mut text, mut back) = (Tm::ZERO, [0; 100], Tm::ZERO);
                // SAFETY: valid structures and sizes.
                unsafe {
                    __gmtime_r50(&raw const time, &raw mut tm);
                    strftime(text.as_mut_ptr(), 100, format.as_ptr(), &raw const tm);
                    let end = strptime(text.as_ptr(), format.as_ptr(), &raw mut back);
                    assert!(!end.is_null() && *end == 0, "{format:?} {:?}", CStr::from_ptr(text.as_ptr()));
                    if format != c"%s" {
                        assert_eq!(
                            civil::seconds_of(&back),
                            time,
                            "{format:?} {:?}",
                            CStr::from_ptr(text.as_ptr())
                        );
                        assert_eq!((back.tm_wday, back.tm_yday), (tm.tm_wday, tm.tm_yday));
                    }
                }
            }
        }
    }

    #[test]
    fn zones_and_refusals() {
        let mut tm = Tm::ZERO;
        // SAFETY: C strings and a valid structure.
        unsafe {
            assert!(!strptime(c"12:30 +05:30".as_ptr(), c"%R %z".as_ptr(), &raw mut tm).is_null());
            assert_eq!((tm.tm_hour, tm.tm_gmtoff), (12, 19_800));
            for (text, format) in
                [(c"25:00", c"%H:%M"), (c"Foo", c"%b"), (c"12", c"%q"), (c"", c"%Y"), (c"13", c"%m")]
            {
                assert!(strptime(text.as_ptr(), format.as_ptr(), &raw mut tm).is_null(), "{text:?}");
            }
        }
    }
}
