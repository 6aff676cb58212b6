//! The integer conversions: d i u o x X p.

use super::field::Style;
use super::out::Out;
use super::spec::{ALTERNATIVE, GROUPED, LEFT, ZERO};
use crate::number::digits::decimal_word;

/// The digits of `value` in a base that is a power of two, at the end of `buffer`; returns where they begin.
fn power_of_two(mut value: u64, bits: u32, letters: &[u8; 16], buffer: &mut [u8; 64]) -> usize {
    let mut at = buffer.len();
    while value != 0 {
        at -= 1;
        buffer[at] = letters[(value & ((1 << bits) - 1)) as usize & 15];
        value >>= bits;
    }
    at
}

/// The digits of base 16 in lower case.
pub(crate) const LOWER: &[u8; 16] = b"0123456789abcdef";
/// The digits of base 16 in upper case.
pub(crate) const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Writes an unsigned number; `negative` puts a minus before a `d`.
pub(crate) fn integer(
    out: &mut Out,
    style: Style,
    conversion: u8,
    value: u64,
    negative: bool,
    separator: Option<u8>,
) {
    let mut buffer = [0; 64];
    let (mut prefix, at): (&[u8], usize) = match conversion {
        b'o' => (b"", power_of_two(value, 3, LOWER, &mut buffer)),
        b'x' => (if value == 0 { b"" } else { b"0x" }, power_of_two(value, 4, LOWER, &mut buffer)),
        b'X' => (if value == 0 { b"" } else { b"0X" }, power_of_two(value, 4, UPPER, &mut buffer)),
        b'p' => (b"0x", power_of_two(value, 4, LOWER, &mut buffer)),
        b'u' => (b"", decimal_word(value, &mut buffer)),
        _ => (style.sign(negative), decimal_word(value, &mut buffer)),
    };
    if matches!(conversion, b'x' | b'X') && !style.has(ALTERNATIVE) {
        prefix = b"";
    }
    let digits = &buffer[at..];
    let mut zeros = style.precision.unwrap_or(1).saturating_sub(digits.len());
    if conversion == b'o' && style.has(ALTERNATIVE) && zeros == 0 {
        zeros = 1;
    }
    if style.precision.is_none() && style.has(ZERO) && !style.has(LEFT) {
        zeros = zeros.max(style.width.saturating_sub(prefix.len() + digits.len()));
    }
    if let Some(separator) = separator
        && style.has(GROUPED)
        && matches!(conversion, b'd' | b'i' | b'u')
    {
        return grouped(out, style, prefix, digits, separator);
    }
    let len = prefix.len() + zeros + digits.len();
    style.before(out, len);
    out.put(prefix);
    out.fill(b'0', zeros);
    out.put(digits);
    style.behind(out, len);
}

/// Writes a number whose digits stand in groups of three.
fn grouped(out: &mut Out, style: Style, prefix: &[u8], digits: &[u8], separator: u8) {
    let separators = digits.len().saturating_sub(1) / 3;
    let mut zeros = style.precision.unwrap_or(1).saturating_sub(digits.len());
    if style.precision.is_none() && style.has(ZERO) && !style.has(LEFT) {
        zeros = zeros.max(style.width.saturating_sub(prefix.len() + digits.len() + separators));
    }
    let len = prefix.len() + zeros + digits.len() + separators;
    style.before(out, len);
    out.put(prefix);
    out.fill(b'0', zeros);
    put_grouped(out, digits, separator);
    style.behind(out, len);
}

/// Writes digits with a separator before every third one from the end.
pub(crate) fn put_grouped(out: &mut Out, digits: &[u8], separator: u8) {
    for (i, &digit) in digits.iter().enumerate() {
        if i != 0 && (digits.len() - i).is_multiple_of(3) {
            out.put_byte(separator);
        }
        out.put_byte(digit);
    }
}

/// Writes a decimal number without any flag: the common case.
#[inline]
pub(crate) fn plain_decimal(out: &mut Out, value: i64) {
    let mut buffer = [0; 64];
    let mut at = decimal_word(value.unsigned_abs(), &mut buffer);
    if value == 0 {
        at -= 1;
        buffer[at] = b'0';
    } else if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    out.put(buffer.get(at..).unwrap_or_default());
}
