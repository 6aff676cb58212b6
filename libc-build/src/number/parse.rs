//! From a text to a binary number: the subject sequence of strtod(3), correctly rounded.
//!
//! A text is read one character at a time through [`Text`], so that neither its length need be known nor more of it be touched than
//! matters; strings and wide strings share the code. Doubles and floats in decimal go through `core`'s parser, which is
//! correctly rounded; the long double, and hexadecimal numbers, are rounded here.

use super::big::{Big, DIGITS_MAX, quotient};
use super::binary::{DOUBLE, FLOAT, Format, LONG_DOUBLE, Rounded};
use crate::va::LongDouble;

/// A text to be read: character `i` as a byte, or 0 where the text ends or the character is not ASCII.
pub(crate) trait Text {
    /// The character at `i`; the caller has seen that none before it is 0.
    fn at(&self, i: usize) -> u8;
}

impl Text for &[u8] {
    fn at(&self, i: usize) -> u8 {
        self.get(i).copied().unwrap_or(0)
    }
}

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No number.
    Nothing,
    /// Decimal digits from `start` to `end`, at most one point among them, times 10^`exponent`.
    Decimal { start: usize, end: usize, exponent: i64 },
    /// The hexadecimal number `mantissa · 2^exponent`, a little more if `sticky`.
    Hexadecimal { mantissa: u128, exponent: i64, sticky: bool },
    /// `inf` or `infinity`.
    Infinite,
    /// `nan` or `nan(…)`.
    Nan,
}

/// A number found at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// What it is.
    pub kind: Kind,
    /// Whether a minus sign precedes it.
    pub negative: bool,
    /// Where it ends; 0 with [`Kind::Nothing`].
    pub end: usize,
}

/// Whether `byte` is white space in every locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// The value of a digit in any base up to 36.
pub(crate) fn digit_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'z' => Some(byte - b'a' + 10),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Whether `word` (in lower case) stands at `at`.
fn has_word(text: &impl Text, at: usize, word: &[u8]) -> bool {
    word.iter().enumerate().all(|(i, &letter)| text.at(at + i) | 0x20 == letter)
}

/// The exponent after an `e` or `p` at `at`: its value, bounded far beyond every format, and its end. `None` if no digit follows.
fn exponent(text: &impl Text, at: usize) -> Option<(i64, usize)> {
    let sign = text.at(at + 1);
    let mut i = if matches!(sign, b'+' | b'-') { at + 2 } else { at + 1 };
    if !text.at(i).is_ascii_digit() {
        return None;
    }
    let mut value = 0i64;
    while text.at(i).is_ascii_digit() {
        value = (value * 10 + i64::from(text.at(i) - b'0')).min(1 << 50);
        i += 1;
    }
    Some((if sign == b'-' { -value } else { value }, i))
}

/// Reads the number that `text` begins with, after white space and a sign.
pub(crate) fn scan(text: &impl Text) -> Found {
    let mut i = 0;
    while is_space(text.at(i)) {
        i += 1;
    }
    let negative = text.at(i) == b'-';
    if matches!(text.at(i), b'+' | b'-') {
        i += 1;
    }
    let found = |kind, end| Found { kind, negative, end };
    match text.at(i) {
        b'0' if text.at(i + 1) | 0x20 == b'x' => {
            if let Some((kind, end)) = hexadecimal(text, i + 2) {
                return found(kind, end);
            }
        }
        b'i' | b'I' => {
            if has_word(text, i, b"infinity") {
                return found(Kind::Infinite, i + 8);
            }
            if has_word(text, i, b"inf") {
                return found(Kind::Infinite, i + 3);
            }
        }
        b'n' | b'N' if has_word(text, i, b"nan") => return found(Kind::Nan, nan_end(text, i + 3)),
        _ => {}
    }
    let start = i;
    let mut digits = false;
    let mut point = false;
    loop {
        match text.at(i) {
            b'0'..=b'9' => digits = true,
            b'.' if !point => point = true,
            _ => break,
        }
        i += 1;
    }
    if !digits {
        return Found { kind: Kind::Nothing, negative: false, end: 0 };
    }
    let (power, end) = if text.at(i) | 0x20 == b'e' { exponent(text, i).unwrap_or((0, i)) } else { (0, i) };
    found(Kind::Decimal { start, end: i, exponent: power }, end)
}

/// The end of a NaN whose letters end at `at`: a sequence in parentheses may follow.
fn nan_end(text: &impl Text, at: usize) -> usize {
    if text.at(at) != b'(' {
        return at;
    }
    let mut i = at + 1;
    while text.at(i).is_ascii_alphanumeric() || text.at(i) == b'_' {
        i += 1;
    }
    if text.at(i) == b')' { i + 1 } else { at }
}

/// Reads hexadecimal digits, which begin at `at`, and their exponent.
fn hexadecimal(text: &impl Text, at: usize) -> Option<(Kind, usize)> {
    let mut i = at;
    let (mut mantissa, mut scale, mut sticky) = (0u128, 0i64, false);
    let (mut digits, mut point) = (false, false);
    loop {
        let byte = text.at(i);
        if byte == b'.' && !point {
            point = true;
        } else if byte.is_ascii_hexdigit() {
            digits = true;
            let value = u128::from(digit_value(byte).unwrap_or(0));
            if mantissa >> 96 == 0 {
                mantissa = mantissa << 4 | value;
                scale -= if point { 4 } else { 0 };
            } else {
                sticky |= value != 0;
                scale += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        i += 1;
    }
    if !digits {
        return None;
    }
    let (power, end) = if text.at(i) | 0x20 == b'p' { exponent(text, i).unwrap_or((0, i)) } else { (0, i) };
    Some((Kind::Hexadecimal { mantissa, exponent: scale + power, sticky }, end))
}

/// The first digits of a decimal number, enough for any double, in the form that `core` reads.
struct Canonical {
    text: [u8; 840],
    len: usize,
}

impl Canonical {
    /// Significant digits kept: a number halfway between two doubles has at most 768.
    const DIGITS: usize = 800;

    /// Copies the significant digits from `start` to `end`; what is beyond [`Self::DIGITS`] becomes a last digit 1.
    fn new(text: &impl Text, start: usize, end: usize, mut exponent: i64) -> Self {
        let mut it = Self { text: [0; 840], len: 0 };
        let (mut point, mut sticky) = (false, false);
        for i in start..end {
            let byte = text.at(i);
            if byte == b'.' {
                point = true;
                continue;
            }
            exponent -= i64::from(point);
            if it.len == 0 && byte == b'0' {
                continue;
            }
            if it.len < Self::DIGITS {
                it.text[it.len] = byte;
                it.len += 1;
            } else {
                sticky |= byte != b'0';
                exponent += 1;
            }
        }
        if sticky {
            it.text[it.len] = b'1';
            it.len += 1;
            exponent -= 1;
        }
        if it.len == 0 {
            it.text[0] = b'0';
            it.len = 1;
        }
        it.push_exponent(exponent);
        it
    }

    /// Appends `e` and the exponent.
    fn push_exponent(&mut self, exponent: i64) {
        self.text[self.len] = b'e';
        self.len += 1;
        if exponent < 0 {
            self.text[self.len] = b'-';
            self.len += 1;
        }
        let mut buffer = [0; 64];
        let at = super::digits::decimal_word(exponent.unsigned_abs(), &mut buffer);
        let digits = if at == buffer.len() { b"0".as_slice() } else { &buffer[at..] };
        self.text[self.len..self.len + digits.len()].copy_from_slice(digits);
        self.len += digits.len();
    }

    /// The text for `core`'s parser.
    fn as_str(&self) -> &str {
        // Only digits, `e` and `-` were written.
        core::str::from_utf8(&self.text[..self.len]).unwrap_or("0")
    }
}

/// A double or float with the word that it was out of range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<T> {
    /// The number, with its sign; HUGE_VAL or 0 where out of range.
    pub value: T,
    /// errno is to become ERANGE.
    pub out_of_range: bool,
}

/// Whether a digit other than 0 is among the characters from `start` to `end`.
fn is_nonzero(text: &impl Text, start: usize, end: usize) -> bool {
    (start..end).any(|i| text.at(i).is_ascii_digit() && text.at(i) != b'0')
}

/// The few digits that need no big number: the digits' value, and the power of ten, if they fit.
fn short_decimal(text: &impl Text, start: usize, end: usize, mut exponent: i64) -> Option<(u64, i64)> {
    let (mut value, mut point) = (0u64, false);
    for i in start..end {
        let byte = text.at(i);
        if byte == b'.' {
            point = true;
            continue;
        }
        if value >= u64::MAX / 10 {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
        exponent -= i64::from(point);
    }
    Some((value, exponent))
}

/// The powers of ten that a double holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The double that `found` stands for in `text`.
pub(crate) fn double(text: &impl Text, found: Found) -> Value<f64> {
    let negative = found.negative;
    let signed = |x: f64| if negative { -x } else { x };
    match found.kind {
        Kind::Nothing => Value { value: 0.0, out_of_range: false },
        Kind::Infinite => Value { value: signed(f64::INFINITY), out_of_range: false },
        Kind::Nan => Value { value: signed(f64::from_bits(0x7ff8 << 48)), out_of_range: false },
        Kind::Hexadecimal { mantissa, exponent, sticky } => {
            let it = DOUBLE.round(mantissa, exponent, sticky);
            Value { value: it.double(negative), out_of_range: it.out_of_range }
        }
        Kind::Decimal { start, end, exponent } => {
            // Both operands and so the one rounding are exact: the common case, which needs no table.
            if let Some((digits, power)) = short_decimal(text, start, end, exponent)
                && digits < 1 << 53
                && power.unsigned_abs() <= 22
            {
                let factor = EXACT[power.unsigned_abs() as usize];
                let value = if power < 0 { digits as f64 / factor } else { digits as f64 * factor };
                return Value { value: signed(value), out_of_range: false };
            }
            let value = Canonical::new(text, start, end, exponent).as_str().parse::<f64>().unwrap_or(0.0);
            let small = value < f64::MIN_POSITIVE && is_nonzero(text, start, end);
            Value { value: signed(value), out_of_range: value.is_infinite() || small }
        }
    }
}

/// The float that `found` stands for in `text`.
pub(crate) fn float(text: &impl Text, found: Found) -> Value<f32> {
    let negative = found.negative;
    let signed = |x: f32| if negative { -x } else { x };
    match found.kind {
        Kind::Nothing => Value { value: 0.0, out_of_range: false },
        Kind::Infinite => Value { value: signed(f32::INFINITY), out_of_range: false },
        Kind::Nan => Value { value: signed(f32::from_bits(0x7fc0 << 16)), out_of_range: false },
        Kind::Hexadecimal { mantissa, exponent, sticky } => {
            let it = FLOAT.round(mantissa, exponent, sticky);
            Value { value: it.float(negative), out_of_range: it.out_of_range }
        }
        Kind::Decimal { start, end, exponent } => {
            let value = Canonical::new(text, start, end, exponent).as_str().parse::<f32>().unwrap_or(0.0);
            let small = value < f32::MIN_POSITIVE && is_nonzero(text, start, end);
            Value { value: signed(value), out_of_range: value.is_infinite() || small }
        }
    }
}

/// The long double that `found` stands for in `text`.
pub(crate) fn long_double(text: &impl Text, found: Found) -> Value<LongDouble> {
    let negative = found.negative;
    let special = |mantissa| {
        let value = Rounded { mantissa, biased: 0x7fff, out_of_range: false }.long_double(negative);
        Value { value, out_of_range: false }
    };
    let it = match found.kind {
        Kind::Nothing => LONG_DOUBLE.round(0, 0, false),
        Kind::Infinite => return special(1 << 63),
        Kind::Nan => return special(3 << 62),
        Kind::Hexadecimal { mantissa, exponent, sticky } => LONG_DOUBLE.round(mantissa, exponent, sticky),
        Kind::Decimal { start, end, exponent } => match short_decimal(text, start, end, exponent) {
            Some((digits, power)) if power.unsigned_abs() <= 27 => one_power(digits, power),
            _ => decimal(text, start, end, exponent, LONG_DOUBLE),
        },
    };
    Value { value: it.long_double(negative), out_of_range: it.out_of_range }
}

/// Rounds `digits · 10^power` to a long double, where 5^power fits a word.
fn one_power(digits: u64, power: i64) -> Rounded {
    let five = 5u64.pow(power.unsigned_abs() as u32);
    if power >= 0 {
        return LONG_DOUBLE.round(u128::from(digits) * u128::from(five), power, false);
    }
    // The quotient has at least 65 bits once the dividend is 128 bits long, since the divisor has at most 63.
    if digits == 0 {
        return LONG_DOUBLE.round(0, 0, false);
    }
    let shift = digits.leading_zeros() + 64;
    let dividend = u128::from(digits) << shift;
    let (quotient, rest) = (dividend / u128::from(five), dividend % u128::from(five));
    LONG_DOUBLE.round(quotient, power - i64::from(shift), rest != 0)
}

/// Rounds a decimal number of any length and exponent, by big numbers.
#[inline(never)]
fn decimal(text: &impl Text, start: usize, end: usize, mut exponent: i64, format: Format) -> Rounded {
    let mut numerator = Big::new(0);
    let (mut count, mut point, mut sticky) = (0usize, false, false);
    let (mut chunk, mut factor) = (0u64, 1u64);
    for i in start..end {
        let byte = text.at(i);
        if byte == b'.' {
            point = true;
            continue;
        }
        exponent -= i64::from(point);
        if count == 0 && byte == b'0' {
            continue;
        }
        if count >= DIGITS_MAX {
            sticky |= byte != b'0';
            exponent += 1;
            continue;
        }
        count += 1;
        chunk = chunk * 10 + u64::from(byte - b'0');
        factor *= 10;
        if factor == 10_000_000_000_000_000_000 {
            numerator.multiply_add(factor, chunk);
            (chunk, factor) = (0, 1);
        }
    }
    if count == 0 {
        return format.round(0, 0, false);
    }
    numerator.multiply_add(factor, chunk);
    if sticky {
        numerator.multiply_add(10, 1);
        exponent -= 1;
        count += 1;
    }
    // The number lies between 10^(magnitude - 1) and 10^magnitude: beyond the format's range nothing need be computed.
    let magnitude = exponent + count as i64;
    let reach = i64::from(format.max + 1 + format.bits as i32) * 30_103 / 100_000 + 2;
    if magnitude > reach {
        return format.round(1, i64::from(format.max) + 1, false);
    }
    if magnitude < -reach {
        return format.round(1, -2 * i64::from(format.max), true);
    }
    let mut denominator = Big::new(1);
    if exponent >= 0 {
        numerator.multiply_power_of_ten(exponent as u32);
    } else {
        denominator.multiply_power_of_ten(-exponent as u32);
    }
    quotient(&mut numerator, &mut denominator, format)
}
