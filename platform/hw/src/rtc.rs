//! The time of day, from the MC146818-compatible clock (its data sheet; port 0x70 selects, 0x71 reads).

use rumpbake_platform::io::{inb, outb};

const SECONDS: u8 = 0;
const MINUTES: u8 = 2;
const HOURS: u8 = 4;
const DAY: u8 = 7;
const MONTH: u8 = 8;
const YEAR: u8 = 9;
const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;
const UPDATE_IN_PROGRESS: u8 = 0x80;
const BINARY: u8 = 4;
const HOURS_24: u8 = 2;

fn register(index: u8) -> u8 {
    outb(0x70, index | 0x80);
    inb(0x71)
}

fn fields() -> [u8; 6] {
    [SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR].map(register)
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last one.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468
}

/// Seconds since 1970-01-01 00:00 UTC; `None` if there is no clock.
pub fn now_s() -> Option<u64> {
    // Read until two readings agree and no update was going on: then they are of one second.
    let mut last = [0xff; 6];
    for _ in 0..100_000 {
        if register(STATUS_A) & UPDATE_IN_PROGRESS != 0 {
            continue;
        }
        let read = fields();
        if read == last {
            break;
        }
        last = read;
    }
    if last == [0xff; 6] {
        return None;
    }
    let status = register(STATUS_B);
    let number = |value: u8| if status & BINARY != 0 { value } else { (value >> 4) * 10 + (value & 15) };
    let mut hour = number(last[2] & 0x7f);
    if status & HOURS_24 == 0 {
        hour = hour % 12 + if last[2] & 0x80 != 0 { 12 } else { 0 };
    }
    // The century register is not where everybody has it; a machine of this kind does not live before 2000.
    let date =
        days(2000 + i64::from(number(last[5])), i64::from(number(last[4])), i64::from(number(last[3])));
    let seconds =
        date * 86_400 + i64::from(hour) * 3600 + i64::from(number(last[1])) * 60 + i64::from(number(last[0]));
    u64::try_from(seconds).ok()
}
