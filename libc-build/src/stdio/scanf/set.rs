//! The sets of `%[…]`.

use super::engine::Pattern;

/// A set of characters: a table for the first 256, and the pattern itself for the others.
pub(crate) struct Set {
    table: [u64; 4],
    pattern: Pattern,
    negated: bool,
}

impl Set {
    /// Reads a set, from behind its `[` to behind its `]`. `None` if it does not end.
    pub fn parse(pattern: &mut Pattern) -> Option<Self> {
        let negated = pattern.peek() == u32::from(b'^');
        if negated {
            pattern.advance();
        }
        let (mut table, start) = ([0; 4], *pattern);
        let ends = each(pattern, &mut |first, last| {
            for c in first..=last.min(255) {
                set_bit(&mut table, c);
            }
        });
        ends.then_some(Self { table, pattern: start, negated })
    }

    /// Goes through its ranges.
    fn each(&self, mut visit: impl FnMut(u32, u32)) {
        each(&mut { self.pattern }, &mut visit);
    }

    /// Whether a character is in the set.
    pub fn contains(&self, c: u32) -> bool {
        let found = match self.table.get((c / 64) as usize) {
            Some(word) => word >> (c % 64) & 1 == 1,
            None => {
                let mut found = false;
                self.each(|first, last| found |= (first..=last).contains(&c));
                found
            }
        };
        found != self.negated
    }
}

/// Puts a character into a table.
fn set_bit(table: &mut [u64; 4], c: u32) {
    if let Some(word) = table.get_mut((c / 64) as usize) {
        *word |= 1 << (c % 64);
    }
}

/// Goes through the ranges of a set up to and over its `]`. Returns false if there is none.
fn each(pattern: &mut Pattern, visit: &mut dyn FnMut(u32, u32)) -> bool {
    let mut is_first = true;
    loop {
        let c = pattern.peek();
        if c == 0 {
            return false;
        }
        pattern.advance();
        if c == u32::from(b']') && !is_first {
            return true;
        }
        is_first = false;
        let mut last = c;
        if pattern.peek() == u32::from(b'-') {
            let mut ahead = *pattern;
            ahead.advance();
            let end = ahead.peek();
            if end != u32::from(b']') && end >= c {
                ahead.advance();
                *pattern = ahead;
                last = end;
            }
        }
        visit(c, last);
    }
}
