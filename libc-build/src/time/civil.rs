//! Seconds since 1970 to dates and back, in the proleptic Gregorian calendar.
//!
//! Years are counted from March, so that the leap day is a year's last: then days and months are linear (Euclidean affine functions,
//! Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms", 2023).

use super::{Time, Tm};
use core::ffi::c_int;

/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;

/// Whether `year` has a leap day.
#[must_use]
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to a date; the month counts from 0 and lies in 0..12, the day may be anything.
#[must_use]
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5;
    era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year + (day - 1) - 719_468
}

/// Year, month from 0, day from 1, and day of the year from 0.
#[must_use]
pub fn date_of(days: i64) -> (i64, c_int, c_int, c_int) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(ERA_DAYS), shifted.rem_euclid(ERA_DAYS));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400, if month < 10 { month + 2 } else { month - 10 });
    let year = if month < 2 { year + 1 } else { year };
    (year, month as c_int, day as c_int, (days - days_of(year, 0, 1)) as c_int)
}

/// Breaks `time`, seen `offset` seconds east, down. None where the year does not fit an int.
#[must_use]
pub fn break_down(time: Time, offset: i32) -> Option<Tm> {
    let local = time.checked_add(offset.into())?;
    let (days, second) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S) as c_int);
    let (year, tm_mon, tm_mday, tm_yday) = date_of(days);
    Some(Tm {
        tm_sec: second % 60,
        tm_min: second / 60 % 60,
        tm_hour: second / 3600,
        tm_mday,
        tm_mon,
        tm_year: c_int::try_from(year - 1900).ok()?,
        tm_wday: (days + 4).rem_euclid(7) as c_int,
        tm_yday,
        tm_gmtoff: offset.into(),
        ..Tm::ZERO
    })
}

/// The seconds that the fields stand for at Greenwich; each may be out of its range.
#[must_use]
pub fn seconds_of(tm: &Tm) -> i64 {
    let months = i64::from(tm.tm_mon);
    let year = 1900 + i64::from(tm.tm_year) + months.div_euclid(12);
    let days = days_of(year, months.rem_euclid(12), tm.tm_mday.into());
    days * DAY_S + i64::from(tm.tm_hour) * 3600 + i64::from(tm.tm_min) * 60 + i64::from(tm.tm_sec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        let (mut year, mut month, mut day) = (-4800_i64, 0_i64, 1_i64);
        let first = days_of(year, month, day);
        for days in first..first + 4_000_000 / 7 {
            let (y, m, d, of_year) = date_of(days);
            assert_eq!((y, i64::from(m), i64::from(d)), (year, month, day));
            assert_eq!(i64::from(of_year), days - days_of(year, 0, 1));
            let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            day += 1;
            if day > lengths[month as usize] {
                (day, month) = (1, month + 1);
                if month == 12 {
                    (month, year) = (0, year + 1);
                }
            }
        }
        assert_eq!(days_of(1970, 0, 1), 0);
        assert_eq!(days_of(2000, 1, 29), 11_016);
    }
}
