//! A time zone: which offset holds when. `timezone_t` of tzalloc(3) points to one.

use super::rule::Rule;
use super::tzif::{Summer, TzFile};
use super::{Time, Tm, civil};
use core::ffi::c_char;

/// A zone by rule or by file.
#[derive(Clone, Copy, Debug)]
pub enum Zone {
    /// By a TZ string.
    Rule(Rule),
    /// By a file, which stays in memory for ever: `tm_zone` points into it.
    File(TzFile<'static>),
}

/// What holds at some time.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// Whether it is summer time.
    pub is_summer: bool,
    /// Its abbreviation, valid as long as the zone.
    pub name: *const c_char,
}

impl Zone {
    /// What holds at `time`.
    #[must_use]
    pub fn at(&self, time: Time) -> Local {
        let by_rule = |rule: &Rule| {
            let (kind, is_summer) = rule.at(time);
            Local { offset: kind.offset, is_summer, name: kind.name.as_ptr().cast() }
        };
        match self {
            Self::Rule(rule) => by_rule(rule),
            Self::File(file) => {
                if let Some(rule) = file.rule_at(time) {
                    return by_rule(rule);
                }
                file.at(time).map_or(Local { offset: 0, is_summer: false, name: c"UTC".as_ptr() }, |kind| {
                    Local { offset: kind.offset, is_summer: kind.is_summer, name: kind.name.as_ptr() }
                })
            }
        }
    }

    /// Offset and abbreviation of standard or summer time, as they are now.
    #[must_use]
    pub fn kind(&self, summer: Summer) -> Option<Local> {
        let is_summer = summer == Summer::Yes;
        let by_rule = |rule: &Rule| {
            let kind = if is_summer { rule.summer()? } else { &rule.standard };
            Some(Local { offset: kind.offset, is_summer, name: kind.name.as_ptr().cast() })
        };
        match self {
            Self::Rule(rule) => by_rule(rule),
            Self::File(file) => file.rule_at(Time::MAX).and_then(by_rule).or_else(|| {
                let kind = file.latest(summer)?;
                Some(Local { offset: kind.offset, is_summer, name: kind.name.as_ptr() })
            }),
        }
    }

    /// Breaks `time` down.
    #[must_use]
    pub fn break_down(&self, time: Time) -> Option<Tm> {
        let local = self.at(time);
        let tm = civil::break_down(time, local.offset)?;
        Some(Tm { tm_isdst: local.is_summer.into(), tm_zone: local.name, ..tm })
    }

    /// The time that the fields stand for; `tm_isdst` decides where a clock showed them twice, and says by which clock they are meant where
    /// it differs from the one that held. Fields that no clock showed are read by the clock before the change.
    #[must_use]
    pub fn time_of(&self, tm: &Tm) -> Time {
        let shown = civil::seconds_of(tm);
        let (before, after) = (self.at(shown - civil::DAY_S), self.at(shown + civil::DAY_S));
        let wanted = match tm.tm_isdst {
            0 => Some(false),
            1.. => Some(true),
            _ => None,
        };
        let mut valid = None;
        for local in [before, after] {
            let time = shown - i64::from(local.offset);
            let held = self.at(time);
            if held.offset == local.offset {
                if wanted.is_none_or(|wanted| wanted == held.is_summer) {
                    return time;
                }
                valid = Some(time);
            }
        }
        // The other clock was meant: that of the nearest half year which has it.
        if let Some(wanted) = wanted {
            let half_year = 182 * civil::DAY_S;
            let other = [shown - half_year, shown + half_year, shown].map(|time| self.at(time));
            if let Some(meant) = other.iter().chain([&before, &after]).find(|local| local.is_summer == wanted)
            {
                return shown - i64::from(meant.offset);
            }
        }
        valid.unwrap_or(shown - i64::from(before.offset))
    }
}
