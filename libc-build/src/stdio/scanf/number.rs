//! The numbers that scanf(3) reads: their characters are collected, then converted; what does not belong to the number is given back.

use super::input::{Input, Source};
use crate::number::parse::{Found, Kind, digit_value, scan};

/// The longest number that is looked at.
pub(crate) const LONGEST: usize = 1024;

/// An integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    /// Its absolute value, the greatest word if it is greater.
    pub magnitude: u64,
    /// Whether a minus stood before it.
    pub negative: bool,
    /// Whether it is greater than a word.
    pub overflow: bool,
}

/// Reads an integer; base 0 takes the prefixes of C. `None` if there is none, and nothing was read.
pub(crate) fn integer<S: Source>(input: &mut Input<'_, S>, mut base: u8) -> Option<Integer> {
    let sign = input.take(|byte| matches!(byte, b'+' | b'-'));
    let (mut magnitude, mut overflow, mut digits) = (0u64, false, false);
    if matches!(base, 0 | 16) && input.take(|byte| byte == b'0').is_some() {
        digits = true;
        if let Some(x) = input.take(|byte| matches!(byte, b'x' | b'X')) {
            let next = input.peek().and_then(|c| u8::try_from(c).ok());
            if next.is_some_and(|byte| byte.is_ascii_hexdigit()) {
                base = 16;
            } else {
                // The zero alone is the number.
                input.give_back(&[x]);
                return Some(Integer { magnitude: 0, negative: sign == Some(b'-'), overflow: false });
            }
        } else if base == 0 {
            base = 8;
        }
    }
    if base == 0 {
        base = 10;
    }
    while let Some(byte) = input.take(|byte| digit_value(byte).is_some_and(|value| value < base)) {
        digits = true;
        let value = u64::from(digit_value(byte).unwrap_or(0));
        match magnitude.checked_mul(base.into()).and_then(|product| product.checked_add(value)) {
            Some(sum) => magnitude = sum,
            None => overflow = true,
        }
    }
    if !digits {
        if let Some(sign) = sign {
            input.give_back(&[sign]);
        }
        return None;
    }
    let magnitude = if overflow { u64::MAX } else { magnitude };
    Some(Integer { magnitude, negative: sign == Some(b'-'), overflow })
}

impl Integer {
    /// As a signed word, the nearest one.
    pub fn signed(self) -> i64 {
        match i64::try_from(self.magnitude) {
            Ok(value) if self.negative => -value,
            Ok(value) => value,
            Err(_) if self.negative => i64::MIN,
            Err(_) => i64::MAX,
        }
    }

    /// As an unsigned word; a minus negates it, as in C.
    pub fn unsigned(self) -> u64 {
        if self.negative && !self.overflow { self.magnitude.wrapping_neg() } else { self.magnitude }
    }
}

/// The characters of a number, as they are read.
struct Collected<'a, 'b, 'c, S> {
    input: &'a mut Input<'b, S>,
    text: &'c mut [u8; LONGEST],
    len: usize,
}

impl<S: Source> Collected<'_, '_, '_, S> {
    /// Takes the next character if it is wanted.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let slot = self.text.get_mut(self.len)?;
        let byte = self.input.take(wanted)?;
        *slot = byte;
        self.len += 1;
        Some(byte)
    }

    /// Takes the letters of a word for as long as they come.
    fn word(&mut self, word: &[u8]) -> bool {
        word.iter().all(|&letter| self.take(|byte| byte | 0x20 == letter).is_some())
    }
}

/// Reads a floating-point number into `text`. `None` if there is none, and nothing was read.
pub(crate) fn float<S: Source>(input: &mut Input<'_, S>, text: &mut [u8; LONGEST]) -> Option<Found> {
    let mut it = Collected { input, text, len: 0 };
    it.take(|byte| matches!(byte, b'+' | b'-'));
    match it.input.peek().map(|c| c | 0x20) {
        Some(0x69) => _ = it.word(b"infinity"),
        Some(0x6e) => {
            if it.word(b"nan") && it.take(|byte| byte == b'(').is_some() {
                while it.take(|byte| byte.is_ascii_alphanumeric() || byte == b'_').is_some() {}
                it.take(|byte| byte == b')');
            }
        }
        _ => digits(&mut it),
    }
    let len = it.len;
    let bytes = text.get(..len).unwrap_or_default();
    let found = scan(&bytes);
    let end = if found.kind == Kind::Nothing { 0 } else { found.end };
    input.give_back(bytes.get(end..).unwrap_or_default());
    (found.kind != Kind::Nothing).then_some(found)
}

/// Takes digits, a point and an exponent.
fn digits<S: Source>(it: &mut Collected<'_, '_, '_, S>) {
    let mut hexadecimal = false;
    let mut any = it.take(|byte| byte == b'0').is_some();
    if any && it.take(|byte| matches!(byte, b'x' | b'X')).is_some() {
        (hexadecimal, any) = (true, false);
    }
    let mut point = false;
    while let Some(byte) = it.take(|byte| {
        byte == b'.' && !point || if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }
    }) {
        point |= byte == b'.';
        any |= byte != b'.';
    }
    let letter = if hexadecimal { b'p' } else { b'e' };
    if any && it.take(|byte| byte | 0x20 == letter).is_some() {
        it.take(|byte| matches!(byte, b'+' | b'-'));
        while it.take(|byte| byte.is_ascii_digit()).is_some() {}
    }
}
