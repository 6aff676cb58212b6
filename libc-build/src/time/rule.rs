//! POSIX TZ strings: `std offset [dst [offset] [,start[/time],end[/time]]]` (POSIX, base definitions 8.3).
//!
//! Names may stand in angle brackets, times of change may be from -167 to 167 hours as RFC 9636 has them in TZif footers. A zone with summer
//! time but without rules has those of the United States since 2007, as elsewhere.

use super::civil::{DAY_S, date_of, days_of, is_leap};

/// A zone abbreviation with its end.
pub type Name = [u8; 16];

/// A day of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// `Jn`: 1 to 365, the leap day never counts.
    Julian(i64),
    /// `n`: 0 to 365.
    ZeroBased(i64),
    /// `Mm.w.d`: weekday d of week w of month m; week 5 is the last.
    Weekday { month: i64, week: i64, weekday: i64 },
}

/// When the offset changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    /// Seconds from midnight by the clock before the change.
    second: i64,
}

/// One of a zone's kinds of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its abbreviation.
    pub name: Name,
    /// Seconds east of Greenwich.
    pub offset: i32,
}

/// Summer time and when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    kind: Kind,
    start: Change,
    end: Change,
}

/// A zone by rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Standard time.
    pub standard: Kind,
    summer: Option<Summer>,
}

impl Rule {
    /// Greenwich.
    pub const UTC: Self =
        Self { standard: Kind { name: *b"UTC\0\0\0\0\0\0\0\0\0\0\0\0\0", offset: 0 }, summer: None };

    /// Summer time, where the zone has one.
    #[must_use]
    pub fn summer(&self) -> Option<&Kind> {
        self.summer.as_ref().map(|summer| &summer.kind)
    }

    /// What holds at `time`, and whether it is summer time.
    #[must_use]
    pub fn at(&self, time: i64) -> (&Kind, bool) {
        let Some(summer) = &self.summer else { return (&self.standard, false) };
        let local = time.saturating_add(self.standard.offset.into());
        let (year, ..) = date_of(local.div_euclid(DAY_S));
        let start = summer.start.in_year(year) - i64::from(self.standard.offset);
        let end = summer.end.in_year(year) - i64::from(summer.kind.offset);
        let inside = if start < end { (start..end).contains(&time) } else { !(end..start).contains(&time) };
        if inside { (&summer.kind, true) } else { (&self.standard, false) }
    }

    /// Reads a whole TZ string.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text);
        let name = reader.name()?;
        let standard = Kind { name, offset: -reader.offset()? };
        if reader.0.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let name = reader.name()?;
        let offset = if matches!(reader.0.first(), None | Some(b',')) {
            standard.offset + 3600
        } else {
            -reader.offset()?
        };
        let (start, end) = if reader.0.is_empty() {
            let weekday =
                |month, week| Change { day: Day::Weekday { month, week, weekday: 0 }, second: 7200 };
            (weekday(3, 2), weekday(11, 1))
        } else {
            (reader.change()?, reader.change()?)
        };
        reader
            .0
            .is_empty()
            .then_some(Self { standard, summer: Some(Summer { kind: Kind { name, offset }, start, end }) })
    }
}

impl Change {
    /// Its seconds since 1970 in a year, by the clock before it.
    fn in_year(&self, year: i64) -> i64 {
        let first = days_of(year, 0, 1);
        let day = match self.day {
            Day::Julian(day) => first + day - 1 + i64::from(is_leap(year) && day > 59),
            Day::ZeroBased(day) => first + day,
            Day::Weekday { month, week, weekday } => {
                let start = days_of(year, month - 1, 1);
                let length = if month == 12 { 31 } else { days_of(year, month, 1) - start };
                let until = (weekday - (start + 4)).rem_euclid(7);
                let day = until + (week - 1) * 7;
                start + if day >= length { day - 7 } else { day }
            }
        };
        day * DAY_S + self.second
    }
}

/// What is left of the text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = self.0.get(1..).unwrap_or_default();
        }
        found
    }

    fn name(&mut self) -> Option<Name> {
        let quoted = self.take(b'<');
        let inside = |byte: &u8| {
            if quoted {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-')
            } else {
                byte.is_ascii_alphabetic()
            }
        };
        let length = self.0.iter().take_while(|byte| inside(byte)).count();
        let (text, rest) = self.0.split_at_checked(length)?;
        let mut name = Name::default();
        if length < 3 {
            return None;
        }
        name.get_mut(..length).filter(|_| length < 16)?.copy_from_slice(text);
        self.0 = rest;
        (!quoted || self.take(b'>')).then_some(name)
    }

    fn number(&mut self, most: i64) -> Option<i64> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(length).filter(|_| (1..5).contains(&length))?;
        self.0 = rest;
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        (value <= most).then_some(value)
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    fn time(&mut self, most_hours: i64) -> Option<i64> {
        let negative = self.take(b'-');
        if !negative {
            self.take(b'+');
        }
        let mut seconds = self.number(most_hours)? * 3600;
        if self.take(b':') {
            seconds += self.number(59)? * 60;
            if self.take(b':') {
                seconds += self.number(60)?;
            }
        }
        Some(if negative { -seconds } else { seconds })
    }

    fn offset(&mut self) -> Option<i32> {
        i32::try_from(self.time(167)?).ok()
    }

    fn change(&mut self) -> Option<Change> {
        if !self.take(b',') {
            return None;
        }
        let day = if self.take(b'J') {
            Day::Julian(self.number(365).filter(|&day| day > 0)?)
        } else if self.take(b'M') {
            let month = self.number(12).filter(|&month| month > 0)?;
            let week = self.take(b'.').then(|| self.number(5)).flatten().filter(|&week| week > 0)?;
            let weekday = self.take(b'.').then(|| self.number(6)).flatten()?;
            Day::Weekday { month, week, weekday }
        } else {
            Day::ZeroBased(self.number(365)?)
        };
        let second = if self.take(b'/') { self.time(167)? } else { 7200 };
        Some(Change { day, second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_european_time_changes_on_the_last_sundays() {
        let rule = Rule::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").expect("valid");
        let start = days_of(2024, 2, 31) * DAY_S + 3600;
        let end = days_of(2024, 9, 27) * DAY_S + 3600;
        for (time, summer) in [(start - 1, false), (start, true), (end - 1, true), (end, false)] {
            assert_eq!(rule.at(time).1, summer, "{time}");
        }
        assert_eq!((rule.at(start).0.offset, rule.at(end).0.offset), (7200, 3600));
    }

    #[test]
    fn southern_summers_and_odd_names() {
        let rule = Rule::parse(b"NZST-12NZDT,M9.5.0,M4.1.0/3").expect("valid");
        assert!(rule.at(days_of(2024, 0, 15) * DAY_S).1);
        assert!(!rule.at(days_of(2024, 6, 15) * DAY_S).1);
        let rule = Rule::parse(b"<-03>3").expect("valid");
        assert_eq!((rule.standard.offset, &rule.standard.name[..4]), (-10_800, b"-03\0".as_slice()));
        assert!(Rule::parse(b"EST5EDT").expect("valid").at(days_of(2024, 2, 10) * DAY_S + 7 * 3600).1);
        for wrong in
            [b"".as_slice(), b"C", b"CET", b"CET-1CEST,M3", b"CET-1CEST,M13.1.0,J5", b"<CE-1", b"CET-1x"]
        {
            assert_eq!(Rule::parse(wrong), None);
        }
    }
}
